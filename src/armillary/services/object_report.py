"""What a run found, for a page: its numbers, and curves of its held-out answers."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import BadRequest

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
_SCORES: Final = ("macro_f1", "accuracy", "log_loss", "calibration_error", "roc_auc")
_POINTS: Final = 40
_BINS: Final = 10


def report_of(folder: Path) -> Record:
    """Tell what a complete run of classes found with its best model on held-out samples.

    Returns
    -------
    dict
        ``run classes judged scores confusion per_class curves`` (recall, precision) ``calibration`` (probability, share
        that is right), and ``by``: completeness and purity in bins of what the study is ``judged_by``, as
        :func:`armillary.learn.bins.judge_bins` gives them.

    Raises
    ------
    BadRequest
        If the run is not one of classes.
    """
    from armillary.learn.folder import read_metrics, read_run, undamaged

    about, metrics = read_run(folder), read_metrics(folder)
    with undamaged(folder):
        classes, best = list(metrics["classes"]), metrics["best"]
        if about["study"]["task"] != "classes" or not classes:
            raise BadRequest(f"the run {folder.name!r} does not tell classes", "choose another")
        truth, probability, said = _held_out(folder, best, classes)
        record = metrics["held_out"][best]
        scores = record["scores"]
        told: Record = {
            "run": folder.name, "model": best, "classes": classes, "judged": len(truth),
            "scores": {name: scores[name] for name in _SCORES if scores.get(name) is not None},
            "per_class": scores.get("per_class", {}), "by": record.get("by") or {},
        }  # fmt: skip
    told["confusion"] = _confusion(truth, said, len(classes)).tolist()
    told["curves"] = {name: _curve(truth == at, probability[:, at]) for at, name in enumerate(classes)}
    told["calibration"] = _calibration(truth == probability.argmax(axis=1), probability.max(axis=1))
    return told


def _held_out(folder: Path, best: str, classes: list[str]) -> tuple[Array, Array, Array]:
    """Read truth, probabilities and what is said of the held-out samples."""
    import pyarrow.parquet as pq

    frame = pq.read_table(folder / "predictions.parquet").to_pandas()
    probability = np.column_stack([frame[f"{best}: {name}"].to_numpy(float) for name in classes])
    places = {name: at for at, name in enumerate(classes)}
    truth = np.array([places.get(str(one), -1) for one in frame["label"]])
    good = (truth >= 0) & np.isfinite(probability).all(axis=1)
    said = probability.argmax(axis=1)
    if f"{best} (class)" in frame:
        said = np.array([places.get(str(one), -1) for one in frame[f"{best} (class)"]])
    return truth[good], probability[good], said[good]


def _confusion(truth: Array, said: Array, number: int) -> Array:
    from armillary.learn.scores import confusion

    return np.asarray(confusion(truth, said, number), int)


def _curve(positive: Array, score: Array) -> list[list[float]]:
    """Give recall and precision from the surest answer on, at about forty places."""
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(positive[order])
    if not len(order) or not found[-1]:
        return []
    at = np.unique(np.geomspace(1, len(order), _POINTS).round().astype(int)) - 1
    return [[round(float(found[k] / found[-1]), 4), round(float(found[k] / (k + 1)), 4)] for k in at]


def _calibration(right: Array, sure: Array) -> list[list[float]]:
    """Give mean probability and share that is right in bins of equal numbers of samples."""
    parts = [part for part in np.array_split(np.argsort(sure, kind="stable"), _BINS) if len(part)]
    return [[round(float(sure[part].mean()), 4), round(float(right[part].mean()), 4)] for part in parts]
