"""Scores of answers: classes, numbers, and orders of strangeness.

Nothing is scored that cannot be: a score that is not defined is NaN, and ``notes`` of the same answer says why. Ties
are never broken by the order of the rows: equal scores stand or fall together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.samples import Array

#: Smallest probability in a log loss, so that one sure and wrong answer costs 36, not infinity.
LEAST: Final = float(np.finfo(float).eps)
#: Bins of the calibration error.
BINS: Final = 15
#: How far a row of probabilities may be from 1; models that work in single precision are that far.
_SUM: Final = 1e-3
_SELECTIONS: Final = (10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Judged:
    """Labelled rows and what was answered, checked.

    Parameters
    ----------
    codes, answers : array of int, (n,)
    probability : array of float, (n, K)
    unknown : int
        Rows without a label, which were left out.
    kept : array of int, (n,)
        Where the rows stood in what was given.
    """

    codes: Array
    probability: Array
    answers: Array
    unknown: int
    kept: Array


def judged(codes: Array, probability: Array, answers: Array | None = None) -> Judged:
    """Check labels and probabilities, and leave out the rows without label (code -1).

    Parameters
    ----------
    codes : array of int, (n,)
        0..K-1, or -1 for unknown.
    probability : array of float, (n, K)
        Rows sum to 1.
    answers : array of int, (n,), optional
        The class that was answered, where it is not the most probable one.

    Raises
    ------
    BadData
        If the shapes do not fit, a probability is NaN or outside 0..1, or no row has a label.
    """
    codes, probability = np.asarray(codes), check_probability(probability)
    if codes.shape != probability.shape[:1]:
        problem = f"{len(codes)} labels do not fit {len(probability)} rows of probabilities"
        raise BadData(problem, "give one row of probabilities a label")
    if codes.size and (codes.max() >= probability.shape[1] or codes.min() < -1):
        wrong = codes.max() if codes.max() >= probability.shape[1] else codes.min()
        problem = f"label code {wrong} does not fit {probability.shape[1]} classes"
        raise BadData(problem, "number the classes 0..K-1, and -1 for unknown")
    kept = np.flatnonzero(codes >= 0)
    if not len(kept):
        raise BadData("there is not a single labelled row to judge", "look at the labels and at the split")
    said = probability.argmax(axis=1) if answers is None else np.asarray(answers)
    if said.shape != codes.shape or said.min() < 0 or said.max() >= probability.shape[1]:
        raise BadData(f"the answers do not fit {len(codes)} rows", "answer one of the classes 0..K-1 in each row")
    return Judged(codes[kept], probability[kept], said[kept], len(codes) - len(kept), kept)


def check_probability(probability: Array) -> Array:
    """Check probabilities, (n, K), and give them in double precision.

    Rows are not made to sum to 1 more exactly than they do: the last digit would break ties.

    Raises
    ------
    BadData
    """
    values = np.asarray(probability, float)
    if values.ndim != 2 or values.shape[1] < 1:
        raise BadData(f"probabilities of shape {values.shape} are no table", "give one column a class")
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        raise BadData(f"{len(bad)} rows of probabilities have NaN, the first is row {bad[0]}", "look at the model")
    total = values.sum(axis=1)
    off = np.flatnonzero((np.abs(total - 1) > _SUM) | (values < -LEAST).any(axis=1))
    if len(off):
        problem = f"row {off[0]} has the probabilities {np.round(values[off[0]], 4).tolist()}, which are none"
        raise BadData(problem, "give numbers of 0..1 that sum to 1 in each row")
    whole: Array = np.maximum(values, 0)
    return whole


def positive_code(classes: Sequence[str], positive: str = "") -> int | None:
    """Give the number of the class that precision, recall and AP are about; None for a macro mean.

    Raises
    ------
    BadParameter
        If there is no such class.
    """
    if positive and positive not in classes:
        raise BadParameter(f"there is no class {positive!r}", f"give one of {', '.join(classes)}")
    return tuple(classes).index(positive) if positive else (1 if len(classes) == 2 else None)


def class_scores(
    codes: Array, probability: Array, classes: Sequence[str], positive: str = "", answers: Array | None = None
) -> dict[str, Any]:
    """Score answers that are classes.

    Parameters
    ----------
    codes : array of int, (n,)
        True classes 0..K-1; rows of -1 are left out and counted in ``unknown``.
    probability : array of float, (n, K)
    classes : sequence of str
        Names of the K classes.
    positive : str
        The class of ``precision``, ``recall``, ``f1``, ``ap``, ``roc_auc``; of two classes the last if empty, of more
        classes ``ap`` and ``roc_auc`` are macro means.
    answers : array of int, (n,), optional
        Answered classes, where they are not the most probable ones.

    Returns
    -------
    dict
        ``rows, unknown, accuracy, balanced_accuracy, macro_f1, ap, roc_auc, log_loss, brier, calibration_error,
        per_class`` (name: precision, recall, f1, support, ap, calibration_error), ``confusion`` (rows true, columns
        answered), ``notes``; with a positive class also ``precision, recall, f1``. Macro means are over the classes
        that occur.

    Raises
    ------
    BadData, BadParameter
    """
    seen, positive_at = judged(codes, probability, answers), positive_code(classes, positive)
    _check_names(classes, seen.probability)
    counts = confusion(seen.codes, seen.answers, len(classes))
    table = _per_class(seen, classes, counts)
    one = table[classes[positive_at]] if positive_at is not None else {}
    aucs = [roc_auc(seen.codes == code, seen.probability[:, code]) for code in range(len(classes))]
    aps = [row["ap"] for row in table.values()]
    return {
        "rows": len(seen.codes),
        "unknown": seen.unknown,
        **{name: float(value) for name, value in confusion_scores(counts).items()},
        **{name: one[name] for name in ("precision", "recall", "f1") if one},
        "ap": one["ap"] if one else _mean(aps),
        "roc_auc": float(aucs[positive_at]) if positive_at is not None else _mean(aucs),
        "log_loss": float(row_losses(seen.codes, seen.probability).mean()),
        "brier": float(row_briers(seen.codes, seen.probability).mean()),
        "calibration_error": _whole_calibration_error(seen, positive_at),
        "per_class": table,
        "confusion": counts.astype(int).tolist(),
        "notes": _notes(classes, counts),
    }


def confusion(codes: Array, answers: Array, number: int) -> Array:
    """Count rows by true class (rows) and answered class (columns), (K, K)."""
    flat = np.bincount(np.asarray(codes) * number + np.asarray(answers), minlength=number * number)
    return flat.reshape(number, number)


def rates(counts: Array) -> tuple[Array, Array, Array]:
    """Give precision, recall and F1 of each class, (..., K), of confusion counts (..., K, K); NaN = not defined."""
    right = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    true, said = counts.sum(axis=-1), counts.sum(axis=-2)
    return _ratio(right, said), _ratio(right, true), _ratio(2 * right, true + said)


def confusion_scores(counts: Array) -> dict[str, Array]:
    """Give accuracy, balanced accuracy and macro F1, each (...), of confusion counts (..., K, K)."""
    _, recall, f1 = rates(counts)
    right = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
    return {
        "accuracy": _ratio(right.astype(float), counts.sum(axis=(-2, -1))),
        "balanced_accuracy": macro(recall),
        "macro_f1": macro(f1),
    }


def macro(values: Array) -> Array:
    """Give the mean over the last axis, the classes, of what is defined."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))


def row_losses(codes: Array, probability: Array) -> Array:
    """Give the log loss of each row, (n,), in nats."""
    losses: Array = -np.log(np.clip(probability[np.arange(len(codes)), codes], LEAST, 1))
    return losses


def row_briers(codes: Array, probability: Array) -> Array:
    """Give the Brier score of each row, (n,): the squared distance to the truth, halved for two classes (0..1)."""
    truth = np.eye(probability.shape[1])[codes]
    distance: Array = ((probability - truth) ** 2).sum(axis=1)
    return distance / 2 if probability.shape[1] == 2 else distance


def average_precision(is_positive: Array, score: Array, weights: Array | None = None) -> Array:
    """Give the average precision: the mean precision at each true positive, (...).

    Parameters
    ----------
    is_positive : array of bool, (n,)
    score : array of float, (n,)
        Higher = more likely positive; equal scores are one step.
    weights : array, (..., n), optional
        How often each row counts; a bootstrap gives all its resamples at once.

    Examples
    --------
    >>> float(average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])))
    0.8333333333333333
    """
    return average_precision_of_steps(*_steps(is_positive, score, weights))


def roc_auc(is_positive: Array, score: Array, weights: Array | None = None) -> Array:
    """Give the area under the ROC curve, (...): how often a positive outranks a negative, ties half.

    Parameters are those of :func:`average_precision`.

    Examples
    --------
    >>> float(roc_auc(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])))
    0.5
    """
    return roc_auc_of_steps(*_steps(is_positive, score, weights))


def average_precision_of_steps(positive: Array, every: Array) -> Array:
    """Give the average precision, (...), of the weight of positives and of all rows at each score, highest first."""
    found = np.cumsum(positive, axis=-1)
    precision = _ratio(found, np.cumsum(every, axis=-1))
    return _ratio((positive * np.nan_to_num(precision)).sum(axis=-1), found[..., -1])


def roc_auc_of_steps(positive: Array, every: Array) -> Array:
    """Give the area under the ROC curve, (...), of the weights that :func:`average_precision_of_steps` takes."""
    negative = every - positive
    total = negative.sum(axis=-1)
    below = total[..., None] - np.cumsum(negative, axis=-1)
    return _ratio((positive * (below + negative / 2)).sum(axis=-1), positive.sum(axis=-1) * total)


def calibration_error(is_true: Array, probability: Array, bins: int = BINS) -> float:
    """Give the mean distance between probability and frequency in bins of equal mass; equal values share a bin.

    A perfectly calibrated model scores about ``0.8 * sqrt(bins * p(1-p) / n)``, not 0: judge small samples so.

    Examples
    --------
    >>> calibration_error(np.array([True, True, False, True]), np.array([0.5, 0.5, 0.5, 0.5]))
    0.25
    """
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, min(bins, len(probability)) + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="left")
    gap = np.bincount(which, weights=probability - is_true, minlength=len(edges) + 1)
    return float(np.abs(gap).sum() / len(probability))


def number_scores(truth: Array, predicted: Array) -> dict[str, Any]:
    """Score answers that are numbers.

    Parameters
    ----------
    truth, predicted : array of float, (n,)
        Rows whose truth is NaN are left out and counted in ``unknown``.

    Returns
    -------
    dict
        ``rows, unknown, rmse, mae, bias`` (predicted - true), ``r2, correlation, notes``, in the units of the truth.

    Raises
    ------
    BadData
        If there is nothing to judge, or a known truth has no finite prediction.

    Examples
    --------
    >>> number_scores(np.array([0.0, 2.0]), np.array([1.0, 3.0]))["bias"]
    1.0
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    known = numbers_to_judge(truth, predicted)
    error, spread = (predicted - truth)[known], truth[known] - truth[known].mean()
    total = float((spread**2).sum())
    moved = predicted[known] - predicted[known].mean()
    norm = np.sqrt(total * float((moved**2).sum()))
    notes = [] if total else ["r2 is not defined: all true values are equal"]
    return {
        "rows": int(known.sum()),
        "unknown": int((~known).sum()),
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(np.abs(error).mean()),
        "bias": float(error.mean()),
        "r2": 1 - float((error**2).sum()) / total if total else np.nan,
        "correlation": float((spread * moved).sum() / norm) if norm else np.nan,
        "notes": notes,
    }


def numbers_to_judge(truth: Array, predicted: Array) -> Array:
    """Give a mask of the rows whose truth is known, (n,).

    Raises
    ------
    BadData
        If there is none, or one of them has no finite prediction.
    """
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise BadData(f"true values {truth.shape} do not fit predictions {predicted.shape}", "give one a row")
    known: Array = np.isfinite(truth)
    if not known.any():
        raise BadData("there is not a single true value to judge", "look at the labels and at the split")
    silent = np.flatnonzero(known & ~np.isfinite(predicted))
    if len(silent):
        problem = f"{len(silent)} rows have no finite prediction, the first is row {silent[0]}"
        raise BadData(problem, "look at the model, or leave these rows out on purpose")
    return known


def novelty_scores(is_novel: Array, score: Array) -> dict[str, Any]:
    """Score an order of strangeness.

    Parameters
    ----------
    is_novel : array of bool, (n,)
    score : array of float, (n,)
        Higher = stranger.

    Returns
    -------
    dict
        ``rows, novel, roc_auc, ap, precision_at`` (of the first k: share that is novel), ``found_at`` (share of all
        novel ones that are among the first k), both for 10, 20, 50 ... and for k = number of novel rows; ``notes``.
        Where equal scores straddle k, each of them counts its share.

    Raises
    ------
    BadData
    """
    is_novel, score = np.asarray(is_novel, bool), np.asarray(score, float)
    check_order(is_novel, score)
    novel, rows = int(is_novel.sum()), len(score)
    wanted = sorted({k for k in (*_SELECTIONS, novel) if 0 < k <= rows})
    found = _found_among_first(is_novel, score, np.array(wanted))
    none = [] if 0 < novel < rows else [f"roc_auc is not defined: {novel} of {rows} rows are novel"]
    return {
        "rows": rows,
        "novel": novel,
        "roc_auc": float(roc_auc(is_novel, score)),
        "ap": float(average_precision(is_novel, score)),
        "precision_at": {str(k): float(one) / k for k, one in zip(wanted, found, strict=True)},
        "found_at": {str(k): float(one) / novel if novel else np.nan for k, one in zip(wanted, found, strict=True)},
        "notes": none,
    }


def check_order(is_novel: Array, score: Array) -> None:
    """Check that every row of an order has a score.

    Raises
    ------
    BadData
    """
    if is_novel.shape != score.shape or not score.size:
        raise BadData(f"{is_novel.size} marks do not fit {score.size} scores", "give one score a row, and some rows")
    if np.isnan(score).any():
        problem = f"{int(np.isnan(score).sum())} rows have no score, the first is row {int(np.isnan(score).argmax())}"
        raise BadData(problem, "look at the model")


def _found_among_first(is_novel: Array, score: Array, wanted: Array) -> Array:
    positive, every = _steps(is_novel, score, None)
    taken = np.concatenate([[0], np.cumsum(every)])
    found: Array = np.interp(wanted, taken, np.concatenate([[0], np.cumsum(positive)]))
    return found


def _steps(is_positive: Array, score: Array, weights: Array | None) -> tuple[Array, Array]:
    """Give the weight of positives and of all rows at each different score, highest first, (..., steps)."""
    order = np.argsort(-np.asarray(score, float), kind="stable")
    ranked = np.asarray(score)[order]
    first = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    mass = np.ones(len(order)) if weights is None else np.asarray(weights, float)[..., order]
    positive = mass * np.asarray(is_positive, bool)[order]
    return np.add.reduceat(positive, first, axis=-1), np.add.reduceat(mass, first, axis=-1)


def _per_class(seen: Judged, classes: Sequence[str], counts: Array) -> dict[str, dict[str, Any]]:
    precision, recall, f1 = rates(counts)
    return {
        name: {
            "precision": float(precision[code]),
            "recall": float(recall[code]),
            "f1": float(f1[code]),
            "support": int(counts[code].sum()),
            "ap": float(average_precision(seen.codes == code, seen.probability[:, code])),
            "calibration_error": calibration_error(seen.codes == code, seen.probability[:, code]),
        }
        for code, name in enumerate(classes)
    }


def _whole_calibration_error(seen: Judged, positive_at: int | None) -> float:
    """Of the positive class, or of the most probable class where there is none."""
    if positive_at is not None:
        return calibration_error(seen.codes == positive_at, seen.probability[:, positive_at])
    return calibration_error(seen.probability.argmax(axis=1) == seen.codes, seen.probability.max(axis=1))


def _check_names(classes: Sequence[str], probability: Array) -> None:
    if len(classes) != probability.shape[1]:
        problem = f"{len(classes)} classes do not fit {probability.shape[1]} columns of probabilities"
        raise BadData(problem, "give one column a class")


def _notes(classes: Sequence[str], counts: Array) -> list[str]:
    absent = [name for name, true in zip(classes, counts.sum(axis=1), strict=True) if not true]
    unsaid = [name for name, said in zip(classes, counts.sum(axis=0), strict=True) if not said]
    notes = [f"recall and ap of {name!r} are not defined: no judged row is {name!r}" for name in absent]
    notes += [f"precision of {name!r} is not defined: no row was answered {name!r}" for name in unsaid]
    if len(absent) == len(classes) - 1:
        notes.append("there is one class only: roc_auc is not defined, and accuracy says nothing")
    return notes


def _ratio(part: Array, whole: Array) -> Array:
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    share: Array = np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)
    return share


def _mean(values: Sequence[Any]) -> float:
    return float(macro(np.array(values, float)))
