"""Forests of scikit-learn as ONNX graphs.

The usual converter leaves out to which side missing values go, and breaks ties otherwise than the forest does: an even
number of full-grown trees ties often. Here the votes are summed as they are and divided at the end.
"""

from importlib import import_module
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def forest_graph(forest: Any, opsets: dict[str, int], *, classes: bool) -> Any:
    """Give the graph of a forest: rows in single precision to label and probabilities, or to a number.

    Parameters
    ----------
    forest : object
        A fitted `RandomForest` or `ExtraTrees`, `Classifier` or `Regressor`, of one target.
    opsets : dict
        Domain and version.
    classes : bool
        Whether it votes for classes.

    Returns
    -------
    onnx.ModelProto
    """
    onnx: Any = import_module("onnx")
    helper, single = onnx.helper, onnx.TensorProto.FLOAT
    trees = [one.tree_ for one in forest.estimators_]
    middle = 0.0 if classes else float(np.mean([one.value[0, 0, 0] for one in trees]))
    width = int(forest.n_classes_) if classes else 1
    votes = helper.make_node(
        "TreeEnsembleRegressor", ["rows"], ["votes"], domain="ai.onnx.ml", n_targets=width, post_transform="NONE",
        **_nodes(trees), **_leaves(trees, middle),
    )  # fmt: skip
    outputs = [helper.make_tensor_value_info("answer", single, [None, width])]
    nodes = [votes, helper.make_node("Div", ["votes", "trees"], ["mean"])]
    nodes.append(helper.make_node("Add", ["mean", "middle"], ["answer"]))
    if classes:
        nodes.append(helper.make_node("ArgMax", ["votes"], ["label"], axis=1, keepdims=0))
        outputs.insert(0, helper.make_tensor_value_info("label", onnx.TensorProto.INT64, [None]))
    numbers = {"trees": len(trees), "middle": middle}
    constants = [onnx.numpy_helper.from_array(np.array([one], np.float32), name) for name, one in numbers.items()]
    rows = [helper.make_tensor_value_info("rows", single, [None, int(forest.n_features_in_)])]
    graph = helper.make_graph(nodes, "forest", rows, outputs, constants)
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def _nodes(trees: list[Any]) -> dict[str, list[Any]]:
    leaf = np.concatenate([one.children_left < 0 for one in trees])
    parts = {
        "treeids": [np.full(one.node_count, at) for at, one in enumerate(trees)],
        "nodeids": [np.arange(one.node_count) for one in trees],
        "featureids": [np.maximum(one.feature, 0) for one in trees],
        "values": [_below(one.threshold) for one in trees],
        "truenodeids": [np.maximum(one.children_left, 0) for one in trees],
        "falsenodeids": [np.maximum(one.children_right, 0) for one in trees],
        "missing_value_tracks_true": [one.missing_go_to_left.astype(np.int64) for one in trees],
    }
    made = {f"nodes_{name}": np.concatenate(one).tolist() for name, one in parts.items()}
    return made | {"nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist()}


def _leaves(trees: list[Any], middle: float) -> dict[str, list[Any]]:
    """Give what each leaf votes, one line a leaf and class."""
    tree_ids, node_ids, targets, weights = [], [], [], []
    for at, tree in enumerate(trees):
        leaves = np.flatnonzero(tree.children_left < 0)
        leaf, target = (
            np.nonzero(tree.value[leaves, 0] != 0) if tree.value.shape[2] > 1 else (np.arange(len(leaves)), 0)
        )
        tree_ids.append(np.full(len(leaf), at))
        node_ids.append(leaves[leaf])
        targets.append(np.broadcast_to(target, len(leaf)))
        weights.append(tree.value[leaves[leaf], 0, target] - middle)
    found = {"treeids": tree_ids, "nodeids": node_ids, "ids": targets, "weights": weights}
    return {f"target_{name}": np.concatenate(one).tolist() for name, one in found.items()}


def _below(thresholds: Array) -> Array:
    """Round to single precision downwards: a value in single precision then falls to the same side as before."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
