"""Trivial answers that every model must beat; a report prints them beside it.

Controls of events stand in :mod:`armillary.learn.events`.
"""

import numpy as np

from armillary.errors import BadData
from armillary.learn.samples import Array


def class_controls(train_codes: Array, rows: int, classes: int, seed: int = 0) -> dict[str, Array]:
    """Give probabilities that look at no feature.

    Parameters
    ----------
    train_codes : array of int
        Classes of the training rows, 0..K-1; -1 is left out.
    rows, classes : int
        How many rows to answer, and K.
    seed : int

    Returns
    -------
    dict of str to array of float, (rows, K)
        ``majority``: the shares of the training classes for every row, whose most probable class is the most frequent
        one and whose log loss is the best without features; ``random``: a class drawn from these shares, for sure.

    Raises
    ------
    BadData
        If no training row has a label.

    Examples
    --------
    >>> class_controls(np.array([0, 0, 1, 0]), 2, 2)["majority"].tolist()
    [[0.75, 0.25], [0.75, 0.25]]
    """
    known = np.asarray(train_codes)
    known = known[known >= 0]
    if not known.size:
        raise BadData("no training row has a label", "look at the labels and at the split")
    share = np.bincount(known, minlength=classes) / known.size
    drawn = np.random.default_rng(seed).choice(classes, size=rows, p=share)
    return {"majority": np.tile(share, (rows, 1)), "random": np.eye(classes)[drawn]}


def number_controls(train_target: Array, rows: int, persisted: Array | None = None) -> dict[str, Array]:
    """Give numbers that look at no feature.

    Parameters
    ----------
    train_target : array of float
        Target of the training rows; NaN is left out.
    rows : int
        How many rows to answer.
    persisted : array of float, (rows,), optional
        What :func:`persistence` gives for these rows; where it is NaN, the mean is answered.

    Returns
    -------
    dict of str to array of float, (rows,)
        ``mean``, and ``persistence`` if it was given.

    Raises
    ------
    BadData
        If no training row has a target.
    """
    target = np.asarray(train_target, float)
    target = target[np.isfinite(target)]
    if not target.size:
        raise BadData("no training row has a target", "look at the labels and at the split")
    answers = {"mean": np.full(rows, target.mean())}
    if persisted is not None:
        answers["persistence"] = np.where(np.isfinite(persisted), persisted, target.mean())
    return answers


def persistence(times: Array, target: Array, lead: float = 0.0, groups: Array | None = None) -> Array:
    """Give for each row the newest target that was known when it was forecast, (n,).

    Parameters
    ----------
    times : array of datetime64 or float seconds, (n,)
        When each target was valid, in any order.
    target : array of float, (n,)
    lead : float
        Seconds between forecast and target; 0 = the smallest step between two rows of a group.
    groups : array, (n,), optional
        Series that know nothing of each other.

    Returns
    -------
    array of float
        NaN where nothing was known yet.

    Raises
    ------
    BadData
        If the shapes do not fit, a time is missing, or the lead is not positive and there are no two times.

    Examples
    --------
    >>> persistence(np.array([0.0, 3600.0, 7200.0]), np.array([-10.0, -40.0, -30.0]), lead=3600.0).tolist()
    [nan, -10.0, -40.0]
    """
    seconds, target = _seconds(np.asarray(times)), np.asarray(target, float)
    group = np.zeros(len(seconds), int) if groups is None else np.unique(groups, return_inverse=True)[1]
    if not seconds.shape == target.shape == group.shape:
        problem = f"times {seconds.shape}, targets {target.shape} and groups {group.shape} do not fit"
        raise BadData(problem, "give one a row")
    answer, lead = np.full(len(seconds), np.nan), lead or _smallest_step(seconds, group)
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        known = rows[np.isfinite(target[rows])]
        known = known[np.argsort(seconds[known], kind="stable")]
        # times are floats here: a step that is short by rounding is a step all the same
        last = np.searchsorted(seconds[known], seconds[rows] - lead * (1 - 1e-9), side="right") - 1
        answer[rows[last >= 0]] = target[known[last[last >= 0]]]
    return answer


def novelty_controls(rows: int, seed: int = 0) -> dict[str, Array]:
    """Give scores of strangeness that know nothing: ``random``, (rows,)."""
    return {"random": np.random.default_rng(seed).random(rows)}


def _seconds(times: Array) -> Array:
    if np.isnat(times).any() if times.dtype.kind == "M" else ~np.isfinite(times.astype(float)).all():
        raise BadData("a row has no time", "leave it out, or take the mean as only control")
    if times.dtype.kind != "M":
        return times.astype(float)
    first = times.min() if times.size else np.datetime64(0, "s")
    return (times - first) / np.timedelta64(1, "s")


def _smallest_step(seconds: Array, group: Array) -> float:
    order = np.lexsort((seconds, group))
    steps = np.diff(seconds[order])[np.diff(group[order]) == 0]
    steps = steps[steps > 0]
    if not steps.size:
        raise BadData("there are no two times to persist between", "give the lead in seconds")
    return float(steps.min())
