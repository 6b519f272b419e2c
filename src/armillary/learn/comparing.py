"""Comparing runs: their best models side by side, and in words whether a difference is one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import BadRequest
from armillary.learn.bootstrap import compare_intervals
from armillary.learn.folder import read_metrics, read_run, undamaged
from armillary.learn.judging import SMALLER

Record = dict[str, Any]
#: What runs must have in common to be compared, and what it is called.
_QUESTIONS: Final = {
    "task": "tasks",
    "classes": "classes",
    "labels": "merged or dropped labels",
    "positive": "positive classes",
}


def compare_runs(folders: Sequence[Path]) -> tuple[list[Record], list[str]]:
    """Compare complete runs.

    Parameters
    ----------
    folders : sequence of Path
        Two or more run folders.

    Returns
    -------
    rows : list of dict
        ``run``, ``model``, ``judged_on``, ``split``, and the headline scores with their intervals.
    words : list of str
        Each run against the first: better, worse, a tie, or why they cannot be compared.

    Raises
    ------
    BadRequest
        If there are fewer than two, or one is not complete.
    DamagedFile
    """
    if len(folders) < 2:
        raise BadRequest("one run is compared with nothing", "give two run folders or more")
    rows = [_row(folder) for folder in folders]
    return rows, [_words(rows[0], one) for one in rows[1:]]


def _row(folder: Path) -> Record:
    metrics, about = read_metrics(folder), read_run(folder)
    with undamaged(folder):
        judged = (metrics["test"] or {}).get("models") or metrics["held_out"]
        record = judged[metrics["best"]]
        return {
            "run": str(folder), "model": metrics["best"], "judged_on": metrics["judged_on"],
            "score": metrics["chosen_by"], "random_split": metrics["random_split"],
            "data": about["test_data"] or about["data"], "split": about["study"]["split"],
            **_question(metrics, about["study"]), "samples": record["samples"], "scores": dict(record["scores"]),
            "intervals": dict(record["intervals"]),
        }  # fmt: skip


def _question(metrics: Mapping[str, Any], study: Mapping[str, Any]) -> Record:
    """Give what a score depends on beside model and data."""
    labels, classes = study["labels"], list(metrics["classes"])
    return {
        "task": study["task"],
        "classes": classes,
        "positive": labels["positive"] or (classes[-1] if len(classes) == 2 else ""),
        "labels": {name: labels[name] for name in ("merge", "drop")},
    }


def _words(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    name, both = a["score"], f"{a['run']} and {b['run']}"
    odd = next((one for one in _QUESTIONS if a[one] != b[one]), None)
    if odd is not None:
        return f"{both} have other {_QUESTIONS[odd]}: they cannot be compared"
    if name not in b["scores"] or name not in a["scores"]:
        return f"{b['run']} has no {name}: it answers another question than {a['run']}"
    if a["judged_on"] != b["judged_on"] or a["data"] != b["data"]:
        return f"{both} were judged on different data: their scores cannot be compared"
    if a["judged_on"] != "test data" and a["split"] != b["split"]:
        return f"{both} were split differently: their scores cannot be compared"
    if a["samples"] != b["samples"]:
        return f"{both} judged {a['samples']} and {b['samples']} samples: their scores cannot be compared"
    found = compare_intervals(
        _edges(a, name), _edges(b, name), names=(a["run"], b["run"]), higher_is_better=name not in SMALLER
    )
    return f"{name}: {found.text}"


def _edges(row: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    low, high = row["intervals"].get(name) or (np.nan, np.nan)
    return tuple(float("nan") if one is None else float(one) for one in (row["scores"][name], low, high))  # type: ignore[return-value]
