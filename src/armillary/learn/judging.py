"""From answers to a record of scores: intervals over blocks, and controls that need no skill beside them."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from armillary.learn.bootstrap import class_intervals, interval, number_intervals
from armillary.learn.controls import class_controls, novelty_controls, number_controls
from armillary.learn.preparing import Prepared, positive_of
from armillary.learn.samples import column
from armillary.learn.scores import class_scores, novelty_scores, number_scores
from armillary.learn.study import Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]

#: By task: scores that get an interval, the first is what models are chosen by; smaller is better for `SMALLER`.
HEADLINES: Final[dict[str, tuple[str, ...]]] = {
    "classes": ("macro_f1", "accuracy", "ap", "f1", "log_loss"),
    "events": ("ap", "log_loss"),
    "regression": ("rmse", "mae"),
    "novelty": ("roc_auc", "ap"),
}
SMALLER: Final = frozenset({"log_loss", "rmse", "mae", "brier", "calibration_error"})


def judge(study: Study, prepared: Prepared, answer: Array, said: Array | None = None) -> Record:
    """Score the answers of one model on the judged samples that have one.

    Parameters
    ----------
    study : Study
    prepared : Prepared
    answer : array, (n, K) or (n,)
    said : array of int, (n,), optional
        Classes that were said, where they are not the most probable ones.

    Returns
    -------
    dict
        ``scores``, ``intervals`` (95 %, by name of the score) and ``samples``, ``blocks``: how many were judged.
    """
    rows = judged_rows(prepared, answer)
    blocks = prepared.blocks[rows]
    record: Record = {"samples": len(rows), "blocks": len(np.unique(blocks))}
    record["scores"] = scorer(study, prepared, said)(rows, answer[rows])
    record["intervals"] = _intervals(study, prepared, rows, answer[rows], said) if study.resamples else {}
    return record


def judge_controls(study: Study, prepared: Prepared, answer: Array, learnt: Array) -> dict[str, Record]:
    """Score what needs no skill, on the same samples.

    Parameters
    ----------
    learnt : array
        Targets of the training samples, all that a control may know.

    Returns
    -------
    dict of str to dict
        Scores by name of the control.
    """
    rows = judged_rows(prepared, answer)
    scored = scorer(study, prepared)
    return {name: scored(rows, guess) for name, guess in _guesses(study, prepared, rows, learnt).items()}


def scorer(study: Study, prepared: Prepared, said: Array | None = None) -> Callable[[Array, Array], Record]:
    """Give the function from rows and their answers to scores; `said` as in :func:`judge`."""
    target = prepared.target
    if study.task == "regression":
        return lambda rows, answer: number_scores(target[rows], answer)
    classes, positive = prepared.classes, positive_of(study, prepared.classes)

    def score(rows: Array, answer: Array) -> Record:
        if answer.ndim == 2:
            return class_scores(target[rows], answer, classes, positive, None if said is None else said[rows])
        return novelty_scores(target[rows] == classes.index(positive), answer)

    return score


def judged_rows(prepared: Prepared, answer: Array) -> Array:
    """Give the rows that are judged and have an answer."""
    there = np.isfinite(answer) if answer.ndim == 1 else np.isfinite(answer).all(axis=1)
    return np.flatnonzero(prepared.judged & there)


def better(name: str, a: float, b: float) -> bool:
    """Say whether score `a` is better than `b`; nothing is better than a number that is missing."""
    if not np.isfinite(a) or not np.isfinite(b):
        return bool(np.isfinite(a))
    return a < b if name in SMALLER else a > b


def _intervals(study: Study, prepared: Prepared, rows: Array, answer: Array, said: Array | None) -> Record:
    """Give the intervals of all scores that can have one."""
    target, blocks = prepared.target[rows], prepared.blocks[rows]
    how: Any = {"resamples": study.resamples, "seed": study.seed}
    if study.task == "regression":
        return dict(number_intervals(target, answer, blocks, **how))
    positive = positive_of(study, prepared.classes)
    if answer.ndim == 2:
        answers = None if said is None else said[rows]
        return dict(class_intervals(target, answer, blocks, prepared.classes, positive, answers, **how))
    novel = target == prepared.classes.index(positive)
    return {name: interval(_one(name, novel, answer), blocks, **how) for name in HEADLINES["novelty"]}


def _one(name: str, novel: Array, answer: Array) -> Callable[[Array], float]:
    def score(some: Array) -> float:
        both = len(np.unique(novel[some])) == 2
        return float(novelty_scores(novel[some], answer[some])[name]) if both else float("nan")

    return score


def _guesses(study: Study, prepared: Prepared, rows: Array, learnt: Array) -> dict[str, Array]:
    if study.task == "regression":
        known = "persistence" in prepared.samples
        now = column(prepared.samples, "persistence")[rows] if known else None
        return number_controls(learnt, len(rows), now)
    if study.task == "novelty":
        return novelty_controls(len(rows), study.seed)
    return class_controls(learnt, len(rows), len(prepared.classes), study.seed)
