"""Models of trees as ONNX graphs: forests, histogram boosting and isolation forests of scikit-learn.

The usual converters leave out to which side missing values go, break ties otherwise than forests do (an even number of
full-grown trees ties often), and refuse boosting of many classes. Here each leaf gives what it gives in the model.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.graphs import Drawing, Outputs, label_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Grown:
    """One tree: arrays over its nodes, and what its leaves give.

    Parameters
    ----------
    left, right : array of int
        Nodes below.
    leaf, missing : array of bool
        Whether it is one; whether missing values go to the left.
    feature : array of int
    threshold : array of float
        Rows up to it go to the left.
    nodes, targets, weights : array
        What leaves give: node, number of the answer, weight.
    """

    left: Array
    right: Array
    leaf: Array
    missing: Array
    feature: Array
    threshold: Array
    nodes: Array
    targets: Array
    weights: Array


def forest_graph(forest: Any, *, classes: bool) -> Any:
    """Give the graph of a forest: rows in single precision to label and probabilities, or to a number.

    Parameters
    ----------
    forest : object
        A fitted `RandomForest` or `ExtraTrees`, `Classifier` or `Regressor`, of one target.
    classes : bool
        Whether it votes for classes.

    Returns
    -------
    onnx.ModelProto
    """
    drawing, trees = Drawing(), [one.tree_ for one in forest.estimators_]
    middle = 0.0 if classes else float(np.mean([one.value[0, 0, 0] for one in trees]))
    width = int(forest.n_classes_) if classes else 1
    votes = _sums(drawing, "rows", [_voting(one, middle) for one in trees], width)
    mean = drawing.add("Div", votes, np.array([len(trees)], np.float32))
    answer = drawing.add("Add", mean, np.array([middle], np.float32))
    label: Outputs = {"label": (label_of(drawing, votes), np.int64, [])} if classes else {}
    return drawing.model(np.float32, int(forest.n_features_in_), **label, answer=(answer, np.float32, [width]))


def boosting_graph(model: Any, *, classes: bool) -> Any:
    """Give the graph of a fitted `HistGradientBoosting`, `Classifier` or `Regressor`; it takes double precision.

    Raises
    ------
    BadParameter
        If it has columns of categories, or a loss whose answers are not its sums.
    """
    rounds = model._predictors  # noqa: SLF001 - scikit-learn has no other door to the trees
    if any(one.nodes["is_categorical"].any() for trees in rounds for one in trees):
        raise BadParameter("boosting with categories cannot be exported", "leave categorical_features out")
    if not classes and model.loss not in {"squared_error", "absolute_error", "quantile"}:
        raise BadParameter(f"boosting with the loss {model.loss!r} cannot be exported", "take squared_error")
    drawing = Drawing()
    trees = [_boosted(one.nodes, at) for of_round in rounds for at, one in enumerate(of_round)]
    first = np.asarray(model._baseline_prediction, np.float64).reshape(1, -1)  # noqa: SLF001
    sums = drawing.cast(_sums(drawing, "rows", trees, first.shape[1], double=True), np.float64)
    raw = drawing.add("Add", sums, first)
    width = int(model.n_features_in_)
    if not classes:
        return drawing.model(np.float64, width, answer=(raw, np.float64, [1]))
    if first.shape[1] == 1:
        positive = drawing.add("Sigmoid", raw)
        answer = drawing.add("Concat", drawing.add("Sub", np.ones(1), positive), positive, axis=1)
    else:
        answer = drawing.add("Softmax", raw, axis=1)
    outputs = {"label": (label_of(drawing, answer), np.int64, []), "answer": (answer, np.float64, [None])}
    return drawing.model(np.float64, width, **outputs)


def drawn_graph(forest: Any) -> Any:
    """Give the graph of a forest that tells rows at hand (0) from drawn ones (1): how usual each row is (-1..0)."""
    drawing = Drawing()
    shares = drawing.include(forest_graph(forest, classes=True), "rows")[-1]
    answer = drawing.add("Neg", drawing.add("Gather", shares, np.array([1]), axis=1))
    return drawing.model(np.float32, int(forest.n_features_in_), answer=(answer, np.float32, [1]))


def isolation_graph(forest: Any) -> Any:
    """Give the graph of a fitted `IsolationForest`: rows in single precision to how usual each is (-1..0)."""
    drawing = Drawing()
    pairs = zip(forest.estimators_, forest.estimators_features_, strict=True)
    paths = _sums(drawing, "rows", [_isolating(one.tree_, features) for one, features in pairs], 1)
    whole = len(forest.estimators_) * float(_path_length(np.array([forest._max_samples]))[0])  # noqa: SLF001
    share = drawing.add("Div", paths, np.array([-whole], np.float32))
    strange = drawing.add("Pow", np.array([2], np.float32), share)
    answer = drawing.add("Neg", strange)
    return drawing.model(np.float32, int(forest.n_features_in_), answer=(answer, np.float32, [1]))


def _voting(tree: Any, middle: float) -> Grown:
    """Give a tree of a forest; each leaf votes one line a class."""
    leaves = np.flatnonzero(tree.children_left < 0)
    if tree.value.shape[2] > 1:
        leaf, target = np.nonzero(tree.value[leaves, 0] != 0)
    else:
        leaf, target = np.arange(len(leaves)), np.zeros(len(leaves), np.int64)
    return _of_tree(tree, (leaves[leaf], target, tree.value[leaves[leaf], 0, target] - middle))


def _isolating(tree: Any, features: Array) -> Grown:
    """Give a tree of an isolation forest; each leaf tells how long the way to it is."""
    depth = np.zeros(tree.node_count)
    for at in np.flatnonzero(tree.children_left >= 0):  # parents stand before their children
        depth[[tree.children_left[at], tree.children_right[at]]] = depth[at] + 1
    leaves = np.flatnonzero(tree.children_left < 0)
    lengths = depth[leaves] + _path_length(tree.n_node_samples[leaves])
    return _of_tree(tree, (leaves, np.zeros(len(leaves), np.int64), lengths), features)


def _of_tree(tree: Any, given: tuple[Array, Array, Array], features: Array | None = None) -> Grown:
    leaf, feature = tree.children_left < 0, np.maximum(tree.feature, 0)
    return Grown(
        np.maximum(tree.children_left, 0), np.maximum(tree.children_right, 0), leaf,
        np.asarray(tree.missing_go_to_left, bool), feature if features is None else np.asarray(features)[feature],
        _below(tree.threshold), *given,
    )  # fmt: skip


def _boosted(nodes: Array, target: int) -> Grown:
    leaf = nodes["is_leaf"].astype(bool)
    leaves = np.flatnonzero(leaf)
    return Grown(
        nodes["left"], nodes["right"], leaf, nodes["missing_go_to_left"].astype(bool), nodes["feature_idx"],
        nodes["num_threshold"], leaves, np.full(len(leaves), target), nodes["value"][leaves],
    )  # fmt: skip


def _sums(drawing: Drawing, rows: str, trees: list[Grown], width: int, *, double: bool = False) -> str:
    """Add the sum of what all trees give, (n, width), in single precision."""

    def joined(name: str) -> Array:
        return np.concatenate([getattr(one, name) for one in trees])

    def counted(name: str) -> list[int]:
        return np.repeat(np.arange(len(trees)), [len(getattr(one, name)) for one in trees]).tolist()

    leaf, kind = joined("leaf"), np.float64 if double else np.float32
    numbers = {"nodes_values": joined("threshold").astype(kind), "target_weights": joined("weights").astype(kind)}
    if double:
        values: dict[str, Any] = {
            f"{name}_as_tensor": drawing.onnx.numpy_helper.from_array(one, name) for name, one in numbers.items()
        }
    else:
        values = {name: one.tolist() for name, one in numbers.items()}
    attributes = values | {
        "nodes_treeids": counted("leaf"),
        "nodes_nodeids": np.concatenate([np.arange(len(one.leaf)) for one in trees]).tolist(),
        "nodes_featureids": joined("feature").tolist(),
        "nodes_truenodeids": joined("left").tolist(),
        "nodes_falsenodeids": joined("right").tolist(),
        "nodes_missing_value_tracks_true": joined("missing").astype(np.int64).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "target_treeids": counted("nodes"),
        "target_nodeids": joined("nodes").tolist(),
        "target_ids": joined("targets").tolist(),
        "n_targets": width,
        "post_transform": "NONE",
    }
    return str(drawing.add("TreeEnsembleRegressor", rows, domain="ai.onnx.ml", **attributes))


def _path_length(rows: Array) -> Array:
    """Give the mean length of a search without success in a binary tree of so many rows (Liu et al. 2008)."""
    many = np.maximum(rows, 3).astype(float)
    long = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(rows > 2, long, np.where(rows == 2, 1.0, 0.0))


def _below(thresholds: Array) -> Array:
    """Round to single precision downwards: a value in single precision then falls to the same side as before."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
