"""Confidence intervals by resampling whole blocks, and comparisons that know a tie when they see one.

Neighbours in time, on the ground or on the sky are alike, so rows are not independent: the blocks of the split are
drawn with replacement, never single rows. Bounds are *expanded percentiles* (Hesterberg 2015, The American Statistician
69, 371): plain percentiles are too narrow for few blocks. Formulas in docs/learn/trust.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.samples import Array
from armillary.learn.scores import (
    Judged,
    average_precision_of_steps,
    check_order,
    confusion_scores,
    judged,
    macro,
    numbers_to_judge,
    positive_code,
    rates,
    roc_auc_of_steps,
    row_briers,
    row_losses,
)

#: Of the intervals.
LEVEL: Final = 0.95
#: Most scores of positives that are kept apart when ranks are resampled.
_STEPS: Final = 4000
#: Below this many blocks the intervals of a mean hold the truth in less than 94 % of cases (90 % for 5, 74 % for 3).
_FEW: Final = 8
_OF_POSITIVE: Final = ("precision", "recall", "f1")


class Bounds(NamedTuple):
    """A confidence interval; NaN where there is none, see :func:`why_none`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the difference of two scores says.

    Parameters
    ----------
    difference, low, high : float
        First minus second, and its confidence interval.
    verdict : str
        ``tie``, ``better``, ``worse`` (the first, against the second) or ``unknown``.
    text : str
        The same in words.
    """

    difference: float
    low: float
    high: float
    verdict: str
    text: str

    def __str__(self) -> str:
        return self.text


def why_none(blocks: Array) -> str:
    """Say why no interval can be given, "" if one can.

    Examples
    --------
    >>> why_none(np.array([3, 3, 3]))
    'no interval: all rows lie in one block, at least 2 are needed'
    """
    count = len(np.unique(blocks))
    if count >= 2:
        return ""
    where = "all rows lie in one block" if count else "there is no row"
    return f"no interval: {where}, at least 2 are needed"


def cautions(blocks: Array) -> list[str]:
    """Say what should be known about intervals of so few blocks; an empty list from 8 blocks on.

    Examples
    --------
    >>> cautions(np.array([0, 1, 1, 2]))
    ['only 3 blocks: the interval is too narrow, hold more blocks out']
    """
    count = len(np.unique(blocks))
    if count < 2:
        return [why_none(blocks)]
    return [f"only {count} blocks: the interval is too narrow, hold more blocks out"] if count < _FEW else []


def interval(
    score: Callable[[Array], float], blocks: Array, resamples: int = 200, seed: int = 0, level: float = LEVEL
) -> Bounds:
    """Give the confidence interval of a score.

    Parameters
    ----------
    score : callable
        Takes row numbers (a block that is drawn twice gives its rows twice), gives the score; NaN if not defined.
    blocks : array of int, (n,)
        The block of each row.
    resamples, seed : int
    level : float

    Returns
    -------
    Bounds
        NaN for fewer than 2 blocks, and if more than half of the resamples have no score.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> low, high = interval(lambda rows: values[rows].mean(), np.arange(100))
    >>> bool(low < values.mean() < high)
    True
    """
    return bounds(replicates(score, blocks, resamples, seed), len(np.unique(blocks)), level)


def replicates(score: Callable[[Array], float], blocks: Array, resamples: int = 200, seed: int = 0) -> Array:
    """Give the score of each resample, (resamples,); the same blocks and seed give the same resamples."""
    _, which = np.unique(blocks, return_inverse=True)
    rows = np.arange(len(which))
    drawn = draw(len(np.unique(which)), resamples, seed)
    return np.array([score(np.repeat(rows, times[which])) for times in drawn], float)


def draw(blocks: int, resamples: int, seed: int) -> Array:
    """Give how often each block is drawn, (resamples, blocks); no resamples for fewer than 2 blocks.

    Raises
    ------
    BadParameter
    """
    if resamples < 20:
        raise BadParameter(f"{resamples} resamples give no interval", "ask for 200, or at least 20")
    if blocks < 2:
        return np.empty((0, blocks), np.int64)
    return np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)


def bounds(scores: Array, blocks: int, level: float = LEVEL) -> Bounds:
    """Turn the scores of resamples, (resamples,), into an interval, widened for the number of blocks."""
    known = scores[np.isfinite(scores)]
    if blocks < 2 or len(known) <= len(scores) / 2:
        return Bounds(np.nan, np.nan)
    tail = _tail(blocks, level)
    low, high = np.quantile(known, [tail, 1 - tail])
    return Bounds(float(low), float(high))


def interval_of_sums(
    score: Callable[[Array], Array], sums: Array, resamples: int = 200, seed: int = 0, level: float = LEVEL
) -> Any:
    """Give the interval of a score that needs sums over rows only, such as precision, F1 or RMSE.

    Parameters
    ----------
    score : callable
        Takes sums (resamples, ...), gives scores (resamples,) or (resamples, k).
    sums : array, (blocks, ...)
        Of each block, as :func:`block_sums` gives them, or counts of events.

    Returns
    -------
    Bounds, or list of k Bounds

    Examples
    --------
    >>> hits_and_tries = np.array([[8, 10], [7, 10], [9, 10], [6, 10]])
    >>> low, high = interval_of_sums(lambda n: n[:, 0] / n[:, 1], hits_and_tries)
    >>> low < 0.75 < high
    True
    """
    sums = np.asarray(sums)
    drawn = draw(len(sums), resamples, seed)
    scores = np.asarray(score(np.tensordot(drawn, sums, axes=1)), float)
    if scores.ndim == 1:
        return bounds(scores, len(sums), level)
    return [bounds(one, len(sums), level) for one in scores.T]


def block_sums(values: Array, blocks: Array) -> Array:
    """Sum values (n, ...) within each block, (blocks, ...), blocks in order of their numbers."""
    _, which = np.unique(blocks, return_inverse=True)
    order = np.argsort(which, kind="stable")
    first = np.searchsorted(which[order], np.arange(which.max(initial=-1) + 1))
    summed: Array = np.add.reduceat(np.asarray(values, float)[order], first, axis=0)
    return summed


def class_intervals(
    codes: Array,
    probability: Array,
    blocks: Array,
    classes: Sequence[str],
    positive: str = "",
    answers: Array | None = None,
    *,
    resamples: int = 200,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Any]:
    """Give the intervals of :func:`armillary.learn.scores.class_scores`, under the same names.

    The calibration error has none: resampling makes it larger, so that percentiles would miss it. Ranks are resampled
    at up to 4000 scores of positives a class, so that AP is exact up to there and good to 1/4000 of recall beyond.

    Returns
    -------
    dict
        Name of the score: Bounds; ``per_class``: name of the class: name of the score: Bounds; ``level``, ``blocks``,
        ``notes``.
    """
    seen, positive_at = judged(codes, probability, answers), positive_code(classes, positive)
    mine = np.asarray(blocks)[seen.kept]
    count, drawn = _drawn(mine, resamples, seed)
    values = _class_replicates(seen, mine, drawn, positive_at)
    table: dict[str, dict[str, Bounds]] = {name: {} for name in classes}
    for name in ("precision", "recall", "f1", "ap"):
        for code, one in enumerate(classes):
            table[one][name] = bounds(values[f"each {name}"][:, code], count, level)
    whole = {name: bounds(one, count, level) for name, one in values.items() if not name.startswith("each ")}
    notes = cautions(mine)
    return {**whole, "per_class": table, "level": level, "blocks": count, "notes": notes}


def number_intervals(
    truth: Array, predicted: Array, blocks: Array, *, resamples: int = 200, seed: int = 0, level: float = LEVEL
) -> dict[str, Any]:
    """Give the intervals of ``rmse, mae, bias, r2`` of :func:`armillary.learn.scores.number_scores`."""
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    known = numbers_to_judge(truth, predicted)
    true, error, mine = truth[known], (predicted - truth)[known], np.asarray(blocks)[known]
    # r2 from raw sums loses digits where the mean is large against the spread
    true = true - true.mean()
    sums = block_sums(np.column_stack([np.ones(len(true)), error**2, np.abs(error), error, true, true**2]), mine)
    found = interval_of_sums(_number_scores_of_sums, sums, resamples, seed, level)
    notes = cautions(mine)
    named = dict(zip(("rmse", "mae", "bias", "r2"), found, strict=True))
    return {**named, "level": level, "blocks": len(sums), "notes": notes}


def ranking_intervals(
    is_positive: Array, score: Array, blocks: Array, *, resamples: int = 200, seed: int = 0, level: float = LEVEL
) -> dict[str, Any]:
    """Give the intervals of ``ap`` and ``roc_auc`` of an order, such as one of strangeness."""
    is_positive, score = np.asarray(is_positive, bool), np.asarray(score, float)
    check_order(is_positive, score)
    count, drawn = _drawn(np.asarray(blocks), resamples, seed)
    notes = cautions(blocks)
    found = {"ap": Bounds(np.nan, np.nan), "roc_auc": Bounds(np.nan, np.nan)}
    if len(drawn):
        steps = _step_replicates(is_positive, score, np.asarray(blocks), drawn)
        values = {"ap": average_precision_of_steps(*steps), "roc_auc": roc_auc_of_steps(*steps)}
        found = {name: bounds(one, count, level) for name, one in values.items()}
    return {**found, "level": level, "blocks": count, "notes": notes}


def compare(
    a: Callable[[Array], float],
    b: Callable[[Array], float],
    blocks: Array,
    resamples: int = 200,
    seed: int = 0,
    *,
    names: tuple[str, str] = ("the first", "the second"),
    higher_is_better: bool = True,
    level: float = LEVEL,
) -> Comparison:
    """Compare two scores of the same rows; both are resampled together, so that what they share falls out.

    Parameters are those of :func:`interval`.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> print(compare(lambda rows: values[rows].mean(), lambda rows: values[rows].mean() - 1, np.arange(100)))
    the first is better than the second by 1 (95 % interval +1 .. +1)
    """
    rows = np.arange(len(np.asarray(blocks)))
    difference = replicates(lambda one: a(one) - b(one), blocks, resamples, seed)
    low, high = bounds(difference, len(np.unique(blocks)), level)
    return _comparison(a(rows) - b(rows), Bounds(low, high), names, higher_is_better, level, why_none(blocks))


def compare_classes(
    name: str,
    codes: Array,
    a: Array,
    b: Array,
    blocks: Array,
    classes: Sequence[str],
    positive: str = "",
    *,
    resamples: int = 200,
    seed: int = 0,
    names: tuple[str, str] = ("the first", "the second"),
    higher_is_better: bool = True,
    level: float = LEVEL,
) -> Comparison:
    """Compare two sets of probabilities of the same rows, all resamples at once: as :func:`compare`, but fast.

    Parameters
    ----------
    name : str
        A score of :func:`class_intervals`: ``macro_f1, ap, f1, log_loss``...
    a, b : array of float, (n, K)
    codes, blocks, classes, positive
        As for :func:`class_intervals`.

    Raises
    ------
    BadParameter
        If there is no such score.
    """
    positive_at = positive_code(classes, positive)
    first, second = judged(codes, a), judged(codes, b)
    mine = np.asarray(blocks)[first.kept]
    count, drawn = _drawn(mine, resamples, seed)
    # the last resample takes every block once: the score itself
    drawn = np.concatenate([drawn, np.ones((1, count), np.int64)])
    both = [_class_replicates(one, mine, drawn, positive_at) for one in (first, second)]
    if name not in both[0]:
        known = ", ".join(sorted(one for one in both[0] if not one.startswith("each ")))
        raise BadParameter(f"there are no resamples of the score {name!r}", f"give one of {known}")
    difference = both[0][name] - both[1][name]
    at = bounds(difference[:-1], count, level)
    return _comparison(float(difference[-1]), at, names, higher_is_better, level, why_none(mine))


def compare_intervals(
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    *,
    names: tuple[str, str] = ("the first", "the second"),
    higher_is_better: bool = True,
    level: float = LEVEL,
) -> Comparison:
    """Compare two scores of different rows, each as (score, low, high).

    The interval of the difference is that of Zou & Donner (2008, Statistics in Medicine 27, 1693).

    Examples
    --------
    >>> print(compare_intervals((0.61, 0.55, 0.66), (0.58, 0.50, 0.65), names=("forest", "ridge")))
    forest and ridge tie: difference +0.03 (95 % interval -0.0622 .. +0.124)
    """
    difference = a[0] - b[0]
    low = difference - float(np.hypot(a[0] - a[1], b[2] - b[0]))
    high = difference + float(np.hypot(a[2] - a[0], b[0] - b[1]))
    why = "" if np.isfinite([low, high]).all() else "one of them has no interval"
    return _comparison(difference, Bounds(low, high), names, higher_is_better, level, why)


def _comparison(
    difference: float, at: Bounds, names: tuple[str, str], higher_is_better: bool, level: float, why: str
) -> Comparison:
    inside = f"({level * 100:g} % interval {at.low:+.3g} .. {at.high:+.3g})"
    if not np.isfinite([difference, *at]).all():
        text = f"{names[0]} and {names[1]} cannot be compared: {why or 'the score is not defined'}"
        return Comparison(float(difference), *at, "unknown", text)
    if at.low <= 0 <= at.high:
        text = f"{names[0]} and {names[1]} tie: difference {difference:+.3g} {inside}"
        return Comparison(float(difference), *at, "tie", text)
    verdict = "better" if (difference > 0) == higher_is_better else "worse"
    text = f"{names[0]} is {verdict} than {names[1]} by {abs(difference):.3g} {inside}"
    return Comparison(float(difference), *at, verdict, text)


def _tail(blocks: int, level: float) -> float:
    from scipy.special import ndtr, stdtrit

    half = (1 - level) / 2
    return float(ndtr(np.sqrt(blocks / (blocks - 1)) * stdtrit(blocks - 1, half)))


def _drawn(blocks: Array, resamples: int, seed: int) -> tuple[int, Array]:
    count = len(np.unique(blocks))
    if not count:
        raise BadData("there is no block to resample", "look at the split")
    return count, draw(count, resamples, seed)


def _class_replicates(seen: Judged, blocks: Array, drawn: Array, positive_at: int | None) -> dict[str, Array]:
    values = _sum_replicates(seen, blocks, drawn) | _rank_replicates(seen, blocks, drawn, positive_at)
    of_positive = {} if positive_at is None else {one: values[f"each {one}"][:, positive_at] for one in _OF_POSITIVE}
    return values | of_positive


def _sum_replicates(seen: Judged, blocks: Array, drawn: Array) -> dict[str, Array]:
    number = seen.probability.shape[1]
    of_rows = [row(seen.codes, seen.probability) for row in (row_losses, row_briers)]
    losses = drawn @ block_sums(np.column_stack([*of_rows, np.ones(len(seen.codes))]), blocks)
    _, which = np.unique(blocks, return_inverse=True)
    flat = (which * number + seen.codes) * number + seen.answers
    counts = np.bincount(flat, minlength=drawn.shape[1] * number**2).reshape(drawn.shape[1], number, number)
    resampled = np.tensordot(drawn, counts, axes=1)
    each = dict(zip(("each precision", "each recall", "each f1"), rates(resampled), strict=True))
    mean = {"log_loss": losses[:, 0] / losses[:, 2], "brier": losses[:, 1] / losses[:, 2]}
    return {**confusion_scores(resampled), **mean, **each}


def _rank_replicates(seen: Judged, blocks: Array, drawn: Array, positive_at: int | None) -> dict[str, Array]:
    number = seen.probability.shape[1]
    aps, aucs = (np.full((len(drawn), number), np.nan) for _ in range(2))
    for code in range(number if len(drawn) else 0):
        steps = _step_replicates(seen.codes == code, seen.probability[:, code], blocks, drawn)
        aps[:, code], aucs[:, code] = average_precision_of_steps(*steps), roc_auc_of_steps(*steps)
    whole = {"ap": aps, "roc_auc": aucs}
    chosen = {name: macro(one) if positive_at is None else one[:, positive_at] for name, one in whole.items()}
    return {**chosen, "each ap": aps}


def _step_replicates(is_positive: Array, score: Array, blocks: Array, drawn: Array) -> tuple[Array, Array]:
    """Give the weight of positives and of all rows at each step of the score, highest first, (resamples, steps)."""
    from scipy.sparse import csr_array

    _, which = np.unique(blocks, return_inverse=True)
    step = _steps_at_positives(is_positive, score)
    shape = (int(step.max()) + 1, drawn.shape[1])
    every = csr_array((np.ones(len(step)), (step, which)), shape=shape)
    positive = csr_array((is_positive.astype(float), (step, which)), shape=shape)
    return (positive @ drawn.T).T, (every @ drawn.T).T


def _steps_at_positives(is_positive: Array, score: Array) -> Array:
    """Give the step that each row lies on: one for each score of a positive, one for all negatives in between."""
    levels = np.unique(-score[is_positive])
    if len(levels) > _STEPS:
        levels = levels[np.linspace(0, len(levels) - 1, _STEPS).round().astype(int)]
    between = np.searchsorted(levels, -score, side="left")
    tied = between < np.searchsorted(levels, -score, side="right")
    numbered: Array = 2 * between + tied
    return numbered


def _number_scores_of_sums(sums: Array) -> Array:
    rows, squares, absolute, error, true, true_squares = sums.T
    spread = true_squares - true**2 / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0, 1 - squares / spread, np.nan)
    return np.column_stack([np.sqrt(squares / rows), absolute / rows, error / rows, r2])
