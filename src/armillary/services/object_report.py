"""What a run found, for a page: its numbers, and curves of its held-out answers, by brightness and latitude."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, BadRequest

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
_SCORES: Final = ("macro_f1", "accuracy", "log_loss", "calibration_error", "roc_auc")
_POINTS: Final = 40
_BINS: Final = 10
#: Edges of the parts by G and by galactic latitude.
_G: Final = (-5.0, 12.0, 15.0, 17.0, 19.0, 30.0)
_B: Final = (0.0, 10.0, 20.0, 45.0, 90.0)
#: Right ascension and declination of the north galactic pole, degrees (Hipparcos catalogue, vol. 1, 1.5.3).
_POLE: Final = (192.85948, 27.12825)


def report_of(folder: Path) -> Record:
    """Tell what a complete run of classes found with its best model on held-out samples.

    Returns
    -------
    dict
        ``run classes judged scores confusion per_class curves`` (recall, precision) ``calibration`` (probability, share
        that is right), ``by_g`` and ``by_latitude`` (``edges``, and of each class pairs of completeness and purity)
        where the data of the study are still there, and ``judged_by`` where the run says so.

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
        truth, probability, said, rows = _held_out(folder, best, classes)
        scores = (metrics["test"] or {}).get("models", metrics["held_out"])[best]["scores"]
        told: Record = {
            "run": folder.name, "model": best, "classes": classes, "judged": len(truth),
            "scores": {name: scores[name] for name in _SCORES if scores.get(name) is not None},
            "per_class": scores.get("per_class", {}), "judged_by": metrics.get("judged_by"),
        }  # fmt: skip
    told["confusion"] = _confusion(truth, said, len(classes)).tolist()
    told["curves"] = {name: _curve(truth == at, probability[:, at]) for at, name in enumerate(classes)}
    told["calibration"] = _calibration(truth == probability.argmax(axis=1), probability.max(axis=1))
    return told | _by_parts(folder, about, rows, truth, said, classes)


def _held_out(folder: Path, best: str, classes: list[str]) -> tuple[Array, Array, Array, Array]:
    """Read truth, probabilities and what is said of the held-out samples, and which samples of the data they are."""
    import pyarrow.parquet as pq

    frame = pq.read_table(folder / "predictions.parquet").to_pandas()
    probability = np.column_stack([frame[f"{best}: {name}"].to_numpy(float) for name in classes])
    places = {name: at for at, name in enumerate(classes)}
    truth = np.array([places.get(str(one), -1) for one in frame["label"]])
    good = (truth >= 0) & np.isfinite(probability).all(axis=1)
    said = probability.argmax(axis=1)
    if f"{best} (class)" in frame:
        said = np.array([places.get(str(one), -1) for one in frame[f"{best} (class)"]])
    return truth[good], probability[good], said[good], frame["sample"].to_numpy()[good]


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


def _by_parts(
    folder: Path, about: Mapping[str, Any], rows: Array, truth: Array, said: Array, classes: list[str]
) -> Record:
    """Give completeness and purity by G and |b|, where the samples can be read again."""
    try:
        samples = _samples_of(folder, about)
    except (ArmillaryError, KeyError, OSError):
        return {}
    if samples is None:
        return {}
    found = {"by_g": (_brightness(samples), _G), "by_latitude": (_latitude(samples), _B)}
    return {
        name: {"edges": list(edges), "classes": _parts(values[rows], edges, truth, said, classes)}
        for name, (values, edges) in found.items() if values is not None
    }  # fmt: skip


def _samples_of(folder: Path, about: Mapping[str, Any]) -> "xr.Dataset | None":
    """Read the samples of a study again, if they are where they were and the same."""
    from armillary.learn.layouts import read_samples
    from armillary.learn.samples import fingerprint

    data = about["study"]["data"]
    roots = [folder.parent.parent / "training", *map(Path, filter(None, [os.environ.get("ARMILLARY_DATA")]))]
    place = next((root / data["path"] for root in roots if (root / data["path"]).is_file()), None)
    if data["layout"] != "table" or place is None:
        return None
    samples = read_samples("table", place, data["options"])
    return samples if fingerprint(samples) == about["data"] else None


def _brightness(samples: "xr.Dataset") -> Array | None:
    from armillary.science.photometry.columns import find_columns

    columns = find_columns(samples, {"G": "G"} if "G" in samples else "")
    return columns.values(samples, "G") if columns.has("G") else None


def _latitude(samples: "xr.Dataset") -> Array | None:
    if not {"ra", "dec"} <= {*samples.variables}:
        return None
    ra, dec = (np.radians(samples[name].values.astype(float)) for name in ("ra", "dec"))
    pole = np.radians(_POLE)
    sine = np.sin(dec) * np.sin(pole[1]) + np.cos(dec) * np.cos(pole[1]) * np.cos(ra - pole[0])
    return np.asarray(np.abs(np.degrees(np.arcsin(np.clip(sine, -1, 1)))))


def _parts(
    values: Array, edges: tuple[float, ...], truth: Array, said: Array, classes: list[str]
) -> dict[str, list[list[float | None]]]:
    which = np.digitize(values, edges) - 1
    told: dict[str, list[list[float | None]]] = {}
    for at, name in enumerate(classes):
        told[name] = []
        for part in range(len(edges) - 1):
            here = which == part
            right = float((here & (truth == at) & (said == at)).sum())
            real, claimed = float((here & (truth == at)).sum()), float((here & (said == at)).sum())
            told[name].append([right / real if real else None, right / claimed if claimed else None])
    return told
