"""ONNX files of models, written only if they answer as the models do; beside each the feature recipe as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, BadData, BadParameter, MissingExtra, one_line
from armillary.learn.forests import forest_graph
from armillary.learn.models import make_model
from armillary.learn.models.keeping import write_whole
from armillary.learn.models.learner import clean
from armillary.learn.preparing import merged
from armillary.learn.samples import column

if TYPE_CHECKING:
    import xarray as xr

    from armillary.learn.models.learner import Learner
    from armillary.learn.study import Step, Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]

#: Opsets of the files: what onnxruntime of 2023 and later reads.
OPSETS: Final = {"": 18, "ai.onnx.ml": 3}
#: Options that make a trial model small.
_SMALL: Final = {"n_estimators": 3, "max_iter": 200, "hidden_layer_sizes": (4,), "n_components": 2, "n_neighbors": 3}
_ROWS: Final = 10_000


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
    hint = "choose extra_trees, forest, lightgbm, logistic or mlp, or do not ask for an export"
    if use == "boosting" and classes > 2:
        problem = f"model 'boosting' with {classes} classes cannot be converted to ONNX"
        raise BadParameter(problem, hint)
    random = np.random.default_rng(0)
    rows = random.normal(size=(120, 4))
    target = np.arange(120) % max(classes, 2) if task != "regression" else rows[:, 0] * 2 + 100
    rows[:, 1] += target
    rows[random.random(rows.shape) < 0.1] = np.nan
    own = {name: one for name, one in options.items() if name not in {"dropout", "drop", "class_weight", "copies"}}
    small = own | {name: one for name, one in _SMALL.items() if _takes(use, task, name)}
    try:
        compare(make_model(use, small, task=task, seed=0).fit(rows, target), rows)
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
        labels = merged(column(samples, "label").astype(str), study.labels.merge)
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
        made = _graph(model)
        if model.prepare is not None:
            made = _behind_filling(made, model)
        return bytes(made.SerializeToString())
    except ArmillaryError:
        raise
    except Exception as failed:  # the converters raise what they like
        problem = f"model {model.use!r} cannot be converted to ONNX: {one_line(str(failed))[:200]}"
        raise BadParameter(problem, "keep the skops file, or export another model") from failed


def _graph(model: "Learner") -> Any:
    if model.use == "lightgbm":
        return _by_lightgbm(model)
    if model.use in {"forest", "extra_trees"}:
        _import("onnx")
        if model.prepare is not None:
            raise BadParameter(
                f"model {model.use!r} with scale cannot be exported", "trees need no scale: leave it out"
            )
        return forest_graph(model.estimator, OPSETS, classes=model.task in {"classes", "events"})
    return _by_sklearn(model)


def _by_lightgbm(model: "Learner") -> Any:
    tensor = _import("onnxmltools.convert.common.data_types").FloatTensorType([None, len(model.columns_)])
    convert = _import("onnxmltools").convert_lightgbm
    return convert(model.estimator, initial_types=[("rows", tensor)], zipmap=False, target_opset=15)


def _by_sklearn(model: "Learner") -> Any:
    """Convert all but the filling, which skl2onnx would do without its flags."""
    from sklearn.pipeline import Pipeline

    steps = [("model", model.estimator)]
    width = len(model.columns_)
    if model.prepare is not None:
        steps.insert(0, ("scale", model.prepare.steps[1][1]))
        width = int(model.prepare.steps[1][1].n_features_in_)
    types = _import("skl2onnx.common.data_types")
    tensor = types.DoubleTensorType if _dtype(model).itemsize == 8 else types.FloatTensorType
    asked = {"classes": {"zipmap": False}, "events": {"zipmap": False}, "novelty": {"score_samples": True}}
    options = {id(model.estimator): asked[model.task]} if model.task in asked else None
    convert = _import("skl2onnx").convert_sklearn
    return convert(
        Pipeline(steps), initial_types=[("rows", tensor([None, width]))], options=options, target_opset=OPSETS
    )


def _behind_filling(made: Any, model: "Learner") -> Any:
    """Put a graph behind one that fills gaps with medians and adds the flags of what was missing."""
    onnx = _import("onnx")
    helper, numbers = onnx.helper, onnx.numpy_helper
    filler = model.prepare.steps[0][1]
    kind = helper.np_dtype_to_tensor_dtype(_dtype(model))
    medians = np.asarray(filler.statistics_, _dtype(model))
    flags = filler.indicator_.features_ if filler.indicator_ is not None else np.empty(0, np.int64)
    nodes = [
        helper.make_node("IsNaN", ["rows"], ["gaps"]),
        helper.make_node("Where", ["gaps", "medians", "rows"], ["whole"]),
        helper.make_node("Cast", ["gaps"], ["flags"], to=kind),
        helper.make_node("Gather", ["flags", "flagged"], ["kept"], axis=1),
        helper.make_node("Concat", ["whole", "kept"], ["filled"], axis=1),
    ]
    constants = [numbers.from_array(medians, "medians"), numbers.from_array(flags.astype(np.int64), "flagged")]
    inputs = [helper.make_tensor_value_info("rows", kind, [None, len(medians)])]
    outputs = [helper.make_tensor_value_info("filled", kind, [None, len(medians) + len(flags)])]
    graph = helper.make_graph(nodes, "fill", inputs, outputs, constants)
    opsets = [helper.make_opsetid(one.domain, one.version) for one in made.opset_import]
    first = helper.make_model(graph, opset_imports=opsets, ir_version=made.ir_version)
    inner = onnx.compose.add_prefix(made, "model_")
    joined = onnx.compose.merge_models(first, inner, io_map=[("filled", "model_rows")])
    return _rescaled(joined, model, kind) if model.task == "regression" else joined


def _rescaled(made: Any, model: "Learner", kind: int) -> Any:
    """Bring the answers of a regression back to the size of its targets."""
    onnx = _import("onnx")
    helper, graph = onnx.helper, made.graph
    before = graph.output[0].name
    for name, value in (("spread", model.spread_), ("middle", model.middle_)):
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([value], _dtype(model)), name))
    graph.node.append(helper.make_node("Mul", [before, "spread"], ["grown"]))
    graph.node.append(helper.make_node("Add", ["grown", "middle"], ["answer"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("answer", kind, [None, 1]))
    return made


def _dtype(model: "Learner") -> Any:
    """Give what the file takes: trees compare in single precision, as scikit-learn's do; all else in double."""
    single = model.prepare is None or model.use in {"gmm", "knn"}
    return np.dtype(np.float32 if single else np.float64)


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
