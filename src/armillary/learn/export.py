"""ONNX files of models, written only if they answer as the models do; beside each the feature recipe as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, BadData, BadParameter, MissingExtra, one_line
from armillary.learn.answers import EACH_GROUP
from armillary.learn.forests import boosting_graph, drawn_graph, forest_graph, isolation_graph
from armillary.learn.graphs import OPSETS, Drawing, Outputs, kind_of
from armillary.learn.models import make_model
from armillary.learn.models.keeping import write_whole
from armillary.learn.models.learner import clean
from armillary.learn.plain_graphs import distance_graph, neighbours_graph, network_graph, sum_graph
from armillary.learn.preparing import merged
from armillary.learn.samples import column, texts_of

if TYPE_CHECKING:
    import xarray as xr

    from armillary.learn.models.learner import Learner
    from armillary.learn.study import Step, Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]

#: Options that make a trial model small.
_SMALL: Final = {
    "n_estimators": 3,
    "max_iter": 200,
    "hidden_layer_sizes": (4,),
    "n_components": 2,
    "n_neighbors": 3,
    "epochs": 2,
    "hidden": (4,),
}
_ROWS: Final = 10_000
#: Models that refuse gaps, unless they are filled before.
_GAPLESS: Final = frozenset({"negative_sampling", "pca_residual", "rx"})
_ANSWERS: Final = {"regression": "the number", "novelty": "last output: how usual a row is; the smallest is strangest"}
#: Models whose graphs are put together here, scaling included; those of them that think in double precision.
_OWN: Final = frozenset({
    "boosting", "ensemble", "extra_trees", "forest", "isolation_forest", "knn", "negative_sampling", "network",
    "pca_residual", "residual", "rx",
})  # fmt: skip
_DOUBLE: Final = _OWN - {"extra_trees", "forest", "isolation_forest", "negative_sampling"}


def check_exportable(use: str, options: Mapping[str, Any], *, task: str, classes: int = 0) -> None:
    """Find out before training whether a model can be exported: a tiny one is trained, converted and compared.

    Parameters
    ----------
    use : str
    options : mapping
        As for :func:`armillary.learn.models.make_model`.
    task : str
    classes : int
        K, of classes and events.

    Raises
    ------
    BadParameter
        If it cannot; nothing of the real training has been done yet.
    """
    hint = "choose another model of the table in the docs, or do not ask for an export"
    if options.get(EACH_GROUP):
        raise BadParameter(f"model {use!r} is one model a group, which no single file can be", hint)
    if use == "demud" or (use == "ensemble" and task == "novelty"):
        problem = f"model {use!r} ranks rows among those asked about together, which no file of single rows can"
        raise BadParameter(problem, hint)
    if use == "lrx":
        raise BadParameter(f"model {use!r} looks around each pixel, which no graph here does", hint)
    random = np.random.default_rng(0)
    rows = random.normal(size=(120, 4))
    target = np.arange(120) % max(classes, 2) if task != "regression" else rows[:, 0] * 2 + 100
    rows[:, 1] += target
    if use not in _GAPLESS or options.get("scale", "none") != "none":
        rows[random.random(rows.shape) < 0.1] = np.nan
    try:
        compare(make_model(use, _small(use, options, task), task=task, seed=0).fit(rows, target), rows)
    except MissingExtra:
        raise
    except ArmillaryError as failed:
        raise BadParameter(f"model {use!r} cannot be exported: {failed.problem}", hint) from failed


def check_study(study: "Study", samples: "xr.Dataset") -> None:
    """Find out before training whether all models of a study can be exported.

    Raises
    ------
    BadParameter
        If one cannot.
    """
    classes = 2
    if study.task == "classes":
        labels = merged(texts_of(column(samples, "label")), study.labels.merge)
        classes = len({str(one) for one in labels} - {"", *study.labels.drop})
    for part in study.models:
        check_exportable(part.use, part.options, task=study.task, classes=classes)


def export_onnx(
    model: "Learner",
    rows: Array,
    path: Path,
    *,
    names: Sequence[str],
    classes: Sequence[str] = (),
    steps: Sequence["Step"] = (),
    more: Mapping[str, Any] | None = None,
) -> Record:
    """Write a model as ONNX and its feature recipe as JSON, if both give the same answers.

    Parameters
    ----------
    model : Learner
        Fitted.
    rows : array of float, (n, p)
        All test rows: on each of them the label must be the same.
    path : Path
        Of the file ``.onnx``; the recipe has the ending ``.json``.
    names : sequence of str, (p,)
        Of the columns of `rows`.
    classes : sequence of str
        Names of the codes.
    steps : sequence of Step
        That made the features.
    more : mapping
        Put into the recipe too, such as the calibration.

    Returns
    -------
    dict
        What was compared: ``rows``, ``labels_equal``, ``greatest_difference``, ``bytes``.

    Raises
    ------
    BadData
        If a label differs, or a number by more than a ten-thousandth of the spread; nothing is written then.
    BadParameter
        If the model cannot be converted.
    """
    if len(names) != rows.shape[1]:
        raise BadParameter(f"{len(names)} names for {rows.shape[1]} columns", "give one name for each column")
    content, parity = compare(model, rows)
    codes = [int(one) for one in getattr(model, "codes_", ())]
    recipe = {
        "input": {"name": "rows", "dtype": _dtype(model).name, "columns": [names[at] for at in model.columns_]},
        "missing": "NaN; infinite values and those beyond 1e38 count as missing",
        "answer": _ANSWERS.get(model.task, "label, and probability of each class"),
        "steps": [{"use": one.use, "options": dict(one.options)} for one in steps],
        "task": model.task,
        "model": model.use,
        "classes": [str(classes[at]) if at < len(classes) else str(at) for at in codes],
        "parity": parity,
        **(more or {}),
    }
    write_whole(json.dumps(recipe, indent=1).encode(), path.with_suffix(".json"))
    write_whole(content, path)
    return parity


def compare(model: "Learner", rows: Array) -> tuple[bytes, Record]:
    """Convert a model and compare its answers with those of the ONNX file on rows.

    Raises
    ------
    BadData
        If they are not equal.
    BadParameter
        If the model cannot be converted.
    """
    if not len(rows):
        raise BadData("there is no test row to compare the ONNX file on", "give the test rows of the study")
    content = _converted(model)
    given, p = _answers(content, clean(rows)[:, model.columns_].astype(_dtype(model)), model.task)
    parity = {"rows": len(rows), "bytes": len(content)}
    if model.task in {"classes", "events"}:
        return content, parity | _equal_labels(model, rows, given, p)
    wanted = model.predict(rows) if model.task == "regression" else model.novelty(rows)
    far = float(np.max(np.abs(given - wanted)))
    allowed = 1e-4 * float(np.std(wanted)) + 1e-6 * float(np.max(np.abs(wanted)))
    if not far <= allowed:
        problem = f"the ONNX file of {model.use!r} answers {far:.3g} off on a test row; nothing was written"
        raise BadData(problem, "keep the skops file, or export another model")
    return content, parity | {"labels_equal": True, "greatest_difference": far}


def _equal_labels(model: "Learner", rows: Array, given: Array, probability: Array) -> Record:
    wanted = model.predict_proba(rows)[:, model.codes_]
    differ = int(np.sum(model.codes_[given.astype(int)] != model.predict(rows)))
    if differ:
        problem = f"the ONNX file of {model.use!r} gives another label on {differ} of {len(rows)} test rows"
        raise BadData(f"{problem}; nothing was written", "keep the skops file, or export another model")
    return {"labels_equal": True, "greatest_difference": float(np.max(np.abs(wanted - probability)))}


def _answers(content: bytes, rows: Array, task: str) -> tuple[Array, Array]:
    """Give labels and probabilities, or numbers twice, of an ONNX file."""
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = [session.run(None, {"rows": rows[at : at + _ROWS]}) for at in range(0, len(rows), _ROWS)]
    joined = [np.concatenate(one) for one in zip(*parts, strict=True)]
    if task in {"classes", "events"}:
        return joined[0].ravel(), joined[1]
    numbers = -joined[-1].ravel() if task == "novelty" else joined[0].ravel()
    return numbers, numbers


def _converted(model: "Learner") -> bytes:
    try:
        return bytes(_whole(model).SerializeToString())
    except ArmillaryError:
        raise
    except Exception as failed:  # the converters raise what they like
        problem = f"model {model.use!r} cannot be converted to ONNX: {one_line(str(failed))[:200]}"
        raise BadParameter(problem, "keep the skops file, or export another model") from failed


def _whole(model: "Learner") -> Any:
    """Give the graph of a model with what stands before and after its estimator."""
    _import("onnx")
    inner = _graph(model)
    if model.prepare is None:
        return inner
    drawing, scaler = Drawing(), model.prepare.steps[1][1]
    rows = _filled(drawing, model)
    if model.use in _OWN:
        rows = _scaled(drawing, rows, scaler)
    said = drawing.include(inner, drawing.cast(rows, kind_of(inner)))
    answer = drawing.cast(said[-1], np.float64)
    if model.task == "regression":
        answer = drawing.add("Mul", answer, np.array([model.spread_]))
        answer = drawing.add("Add", answer, np.array([model.middle_]))
    label: Outputs = {"label": (said[0], np.int64, [])} if model.task in {"classes", "events"} else {}
    return drawing.model(_dtype(model), len(model.columns_), **label, answer=(answer, np.float64, [None]))


def _graph(model: "Learner") -> Any:
    """Give the graph of what is behind the filling and, of our own graphs, the scaling."""
    if model.use == "lightgbm":
        return _by_lightgbm(model)
    if model.use in {"ensemble", "residual"}:
        return _joined(model)
    return _own_graph(model) if model.use in _OWN else _by_sklearn(model)


def _own_graph(model: "Learner") -> Any:
    classes, estimator = model.task in {"classes", "events"}, model.estimator
    draw: dict[str, Callable[[], Any]] = {
        "boosting": lambda: boosting_graph(estimator, classes=classes),
        "isolation_forest": lambda: isolation_graph(estimator),
        "knn": lambda: neighbours_graph(estimator, model.task),
        "negative_sampling": lambda: drawn_graph(estimator.forest),
        "network": lambda: network_graph(estimator),
        "pca_residual": lambda: distance_graph(estimator),
        "rx": lambda: distance_graph(estimator),
    }
    return draw.get(model.use, lambda: forest_graph(estimator, classes=classes))()


def _joined(model: "Learner") -> Any:
    estimator, classes = model.estimator, len(getattr(model, "codes_", ()))
    if model.use == "residual":
        members, weights = [estimator.first, estimator.then], [1.0, estimator.share]
    else:
        members = estimator.members
        weights = [float(one) for one in np.asarray(estimator.weights) / np.sum(estimator.weights)]
    return sum_graph(members, weights, _whole, _width(model), classes)


def _width(model: "Learner") -> int:
    """Give how many columns the estimator sees."""
    return len(model.columns_) if model.prepare is None else int(model.prepare.steps[1][1].n_features_in_)


def _by_lightgbm(model: "Learner") -> Any:
    tensor = _import("onnxmltools.convert.common.data_types").FloatTensorType([None, len(model.columns_)])
    convert = _import("onnxmltools").convert_lightgbm
    return convert(model.estimator, initial_types=[("rows", tensor)], zipmap=False, target_opset=15)


def _by_sklearn(model: "Learner") -> Any:
    """Convert all but the filling, which skl2onnx would do without its flags."""
    from sklearn.pipeline import Pipeline

    steps = [("model", model.estimator)]
    if model.prepare is not None:
        steps.insert(0, ("scale", model.prepare.steps[1][1]))
    width = _width(model)
    types = _import("skl2onnx.common.data_types")
    tensor = types.DoubleTensorType if _dtype(model).itemsize == 8 else types.FloatTensorType
    asked = {"classes": {"zipmap": False}, "events": {"zipmap": False}, "novelty": {"score_samples": True}}
    options = {id(model.estimator): asked[model.task]} if model.task in asked else None
    convert = _import("skl2onnx").convert_sklearn
    return convert(
        Pipeline(steps), initial_types=[("rows", tensor([None, width]))], options=options, target_opset=OPSETS
    )


def _filled(drawing: Drawing, model: "Learner") -> str:
    """Fill gaps with medians and add the flags of what was missing."""
    filler, kind = model.prepare.steps[0][1], _dtype(model)
    gaps = drawing.add("IsNaN", "rows")
    whole = drawing.add("Where", gaps, np.asarray(filler.statistics_, kind), "rows")
    if filler.indicator_ is None:
        return str(whole)
    flags = drawing.add("Gather", drawing.cast(gaps, kind), filler.indicator_.features_.astype(np.int64), axis=1)
    return str(drawing.add("Concat", whole, flags, axis=1))


def _scaled(drawing: Drawing, rows: str, scaler: Any) -> str:
    """Scale as the step before the estimator does."""
    middle = getattr(scaler, "mean_", getattr(scaler, "center_", None))
    if middle is None:
        raise BadParameter('scale = "rank" cannot be exported with this model', 'take "standard" or "robust"')
    apart = drawing.add("Sub", rows, np.asarray(middle, float))
    return str(drawing.add("Div", apart, np.asarray(scaler.scale_, float)))


def _dtype(model: "Learner") -> Any:
    """Give what the file takes: forests compare in single precision, as scikit-learn's do; all else in double."""
    single = model.use not in _DOUBLE and (model.prepare is None or model.use == "gmm")
    return np.dtype(np.float32 if single else np.float64)


def _small(use: str, options: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Give options of a model that is trained in no time, members included."""
    own = {name: one for name, one in options.items() if name not in {"dropout", "drop", "class_weight", "copies"}}
    for name in own.keys() & {"members", "first", "then"}:
        listed = [own[name]] if isinstance(own[name], Mapping) else own[name]
        small = [{"use": one.get("use")} | _small(str(one.get("use")), _without_use(one), task) for one in listed]
        own[name] = small[0] if isinstance(own[name], Mapping) else small
    return own | {name: one for name, one in _SMALL.items() if _takes(use, task, name)}


def _without_use(member: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in member.items() if name not in {"use", "weight", "repeats"}}


def _takes(use: str, task: str, option: str) -> bool:
    """Say whether a model takes an option."""
    try:
        make_model(use, {option: _SMALL[option]}, task=task, seed=0)
    except MissingExtra:
        raise
    except BadParameter:
        return False
    return True


def _import(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as failed:
        raise MissingExtra(f"the export to ONNX needs {failed.name}", "pip install 'armillary[onnx]'") from failed
