"""ONNX graphs of models that are plain arithmetic: networks, nearest rows, distances, and sums of other models."""

from collections.abc import Callable
from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.graphs import Drawing, Outputs, kind_of, label_of

Array = np.ndarray[Any, np.dtype[Any]]


def network_graph(network: Any) -> Any:
    """Give the graph of a fitted :class:`armillary.learn.models.network.Network`: double to logits in single."""
    drawing, weights = Drawing(), dict(network.weights_)
    at = drawing.cast("rows", np.float32)
    if network.channels:
        at = drawing.add("Reshape", at, np.array([0, network.channels, network.inputs_ // network.channels]))
    places = sorted({int(name.split(".")[0]) for name in weights})
    for place, after in zip(places[:-1:2], places[1:-1:2], strict=True):
        w, b = weights[f"{place}.weight"], weights[f"{place}.bias"]
        if network.channels:
            around = network.width // 2
            at = drawing.add("Conv", at, w, b, pads=[around, around])
        else:
            at = drawing.add("Gemm", at, w, b, transB=1)
        shape = (-1, 1) if network.channels else (-1,)
        scale, shift = (weights[f"{after}.{name}"].reshape(shape) for name in ("weight", "bias"))
        at = _gelu(drawing, _normalised(drawing, at, [1, 2] if network.channels else [1], scale, shift))
    if network.channels:
        at = drawing.add("ReduceMean", at, np.array([2]), keepdims=0)
    at = drawing.add("Gemm", at, weights[f"{places[-1]}.weight"], weights[f"{places[-1]}.bias"], transB=1)
    if network.task == "regression":
        return drawing.model(np.float64, network.inputs_, answer=(at, np.float32, [1]))
    answer = drawing.add("Softmax", at, axis=1)
    outputs = {"label": (label_of(drawing, at), np.int64, []), "answer": (answer, np.float32, [network.outputs_])}
    return drawing.model(np.float64, network.inputs_, **outputs)


def neighbours_graph(model: Any, task: str) -> Any:
    """Give the graph of fitted nearest neighbours; each row is compared with all rows that were learnt.

    Raises
    ------
    BadParameter
        If distances are not those of Euclid, or weights are a function.
    """
    known = getattr(model, "neighbours", model)
    weights = getattr(model, "weights", "uniform")
    if known.effective_metric_ != "euclidean" or weights not in {"uniform", "distance"}:
        raise BadParameter("knn with a metric or weights of its own cannot be exported", "leave both out")
    drawing, width = Drawing(), int(known.n_features_in_)
    if task == "novelty":
        answer, size = _scanned(drawing, known, lambda body, far, _: body.add("Neg", _mean(body, far)), 1), 1
    else:
        values = np.asarray(model._y, float)  # noqa: SLF001 - scikit-learn has no other door to the targets
        values = values.reshape(-1, 1) if task == "regression" else np.eye(len(model.classes_))[values.astype(int)]
        size = values.shape[1]

        def vote(body: Drawing, far: str, which: str) -> str:
            weight = _closeness(body, far) if weights == "distance" else _ones(body, far)
            share = body.add("Div", weight, body.add("ReduceSum", weight, keepdims=1))
            return str(body.add("MatMul", share, body.add("Gather", values, which)))

        answer = _scanned(drawing, known, vote, size)
    label: Outputs = {} if task in {"regression", "novelty"} else {"label": (label_of(drawing, answer), np.int64, [])}
    return drawing.model(np.float64, width, **label, answer=(answer, np.float64, [size]))


def distance_graph(model: Any) -> Any:
    """Give the graph of fitted `RX` or `PCAResidual`: how usual each row is."""
    drawing = Drawing()
    apart = drawing.add("Sub", "rows", np.asarray(model.mean_, float))
    if hasattr(model, "inverse_"):
        product = drawing.add("Mul", apart, drawing.add("MatMul", apart, np.asarray(model.inverse_, float)))
        far = drawing.add("ReduceSum", product, np.array([1]), keepdims=1)
    else:
        parts = np.asarray(model.components_, float)
        along = drawing.add("MatMul", drawing.add("MatMul", apart, parts), np.ascontiguousarray(parts.T))
        rest = drawing.add("Sub", apart, along)
        far = drawing.add("Sqrt", drawing.add("ReduceSum", drawing.add("Mul", rest, rest), np.array([1]), keepdims=1))
    return drawing.model(np.float64, len(model.mean_), answer=(drawing.add("Neg", far), np.float64, [1]))


def sum_graph(members: list[Any], weights: list[float], graph: Callable[[Any], Any], width: int, classes: int) -> Any:
    """Give the graph of models that answer together by the weighted sum of what they say.

    Parameters
    ----------
    members : list of Learner
    weights : list of float
    graph : callable
        Gives the whole graph of one of them.
    width : int
        Columns that they are asked about; each sees its own.
    classes : int
        K; 0 for numbers.
    """
    drawing, said = Drawing(), []
    for member, weight in zip(members, weights, strict=True):
        made = graph(member)
        mine = drawing.add("Gather", "rows", np.asarray(member.columns_, np.int64), axis=1)
        answer = drawing.cast(drawing.include(made, drawing.cast(mine, kind_of(made)))[-1], np.float64)
        whole = np.eye(classes)[member.codes_] if classes else np.eye(1)
        said.append(drawing.add("MatMul", answer, whole * weight))
    answer = drawing.add("Sum", *said)
    label: Outputs = {"label": (label_of(drawing, answer), np.int64, [])} if classes else {}
    return drawing.model(np.float64, width, **label, answer=(answer, np.float64, [max(classes, 1)]))


def _scanned(drawing: Drawing, known: Any, give: Callable[[Drawing, str, str], str], size: int) -> str:
    """Add a loop over rows: the memory of one row against all that were learnt, not of all against all."""
    body = Drawing("row_")
    apart = body.add("Sub", np.asarray(known._fit_X, float), "one")  # noqa: SLF001 - no other door to the rows
    square = body.add("ReduceSum", body.add("Mul", apart, apart), np.array([1]), keepdims=0)
    near, which = body.add("TopK", square, np.array([known.n_neighbors]), outputs=2, axis=0, largest=0)
    made = give(body, body.add("Sqrt", near), which)
    body.nodes.append(drawing.onnx.helper.make_node("Reshape", [made, body.constant(np.array([size]))], ["given"]))
    width = int(known.n_features_in_)
    part = body.part({"one": (np.float64, [width])}, {"given": (np.float64, [size])})
    return str(drawing.add("Scan", "rows", body=part, num_scan_inputs=1))


def _closeness(body: Drawing, far: str) -> str:
    """Add one over the distance; rows that are the same take all."""
    same = body.cast(body.add("Equal", far, np.zeros(1)), np.float64)
    some = body.add("Greater", body.add("ReduceMax", same, keepdims=1), np.zeros(1))
    return str(body.add("Where", some, same, body.add("Reciprocal", far)))


def _ones(body: Drawing, far: str) -> str:
    return str(body.add("Add", body.add("Mul", far, np.zeros(1)), np.ones(1)))


def _mean(body: Drawing, values: str) -> str:
    return str(body.add("ReduceMean", values, keepdims=1))


def _normalised(drawing: Drawing, at: str, axes: list[int], scale: Array, shift: Array) -> str:
    apart = drawing.add("Sub", at, drawing.add("ReduceMean", at, np.array(axes), keepdims=1))
    spread = drawing.add("ReduceMean", drawing.add("Mul", apart, apart), np.array(axes), keepdims=1)
    width = drawing.add("Sqrt", drawing.add("Add", spread, np.array([1e-5], np.float32)))
    return str(drawing.add("Add", drawing.add("Mul", drawing.add("Div", apart, width), scale), shift))


def _gelu(drawing: Drawing, at: str) -> str:
    curve = drawing.add("Erf", drawing.add("Mul", at, np.array([0.5**0.5], np.float32)))
    half = drawing.add("Mul", at, np.array([0.5], np.float32))
    return str(drawing.add("Mul", half, drawing.add("Add", curve, np.array([1], np.float32))))
