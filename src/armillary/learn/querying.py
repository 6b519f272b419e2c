"""What a person should look at next: samples that a model is unsure of, and that are unlike each other.

Uncertainty ranks; greedy k-centre selection (Gonzalez 1985) among the most uncertain keeps copies of one case apart.
"""

from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter

Array = np.ndarray[Any, np.dtype[Any]]
#: Candidates that are looked at for each one that is chosen.
POOL: Final = 10


def uncertainty_of(probability: Array) -> Array:
    """Give how unsure answers are, (n,): 1 where the two most probable classes are alike, 0 where one is certain.

    Parameters
    ----------
    probability : array of float, (n, K) or (n,)
        Of all classes, or of one of two.

    Raises
    ------
    BadData
        If these are no probabilities.

    Examples
    --------
    >>> uncertainty_of(np.array([0.5, 0.9, 1.0])).round(6).tolist()
    [1.0, 0.2, 0.0]
    >>> uncertainty_of(np.array([[0.4, 0.4, 0.2], [0.1, 0.8, 0.1]])).round(6).tolist()
    [1.0, 0.3]
    """
    values = np.asarray(probability, float)
    if values.ndim == 1:
        values = np.column_stack([values, 1 - values])
    if values.ndim != 2 or values.shape[1] < 2 or not np.nanmin(values, initial=0.0) >= 0:
        raise BadData(f"numbers of shape {values.shape} are no probabilities", "give rows of two classes or more")
    best = np.sort(values, axis=1)[:, -2:]
    return np.asarray(1 - (best[:, 1] - best[:, 0]))


def choose(urgency: Array, points: Array, count: int, seen: Array | None = None) -> Array:
    """Choose rows that are urgent and unlike each other.

    Parameters
    ----------
    urgency : array of float, (n,)
        Higher is asked first: uncertainty. NaN is never chosen.
    points : array of float, (n, d)
        Where rows lie among each other, in units in which distances mean something; d = 0 if that is not known.
    count : int
        How many at most.
    seen : array of float, (m, d), optional
        Where rows lie that a person has looked at already.

    Returns
    -------
    array of int
        Row numbers in the order in which they should be looked at.

    Raises
    ------
    BadParameter, BadData

    Notes
    -----
    Among the ``10 count`` most urgent, the next one has the largest product of urgency and distance to the nearest one
    that is chosen or seen. Work ``10 count (count + m) d``.

    Examples
    --------
    >>> points = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> choose(np.array([1.0, 0.9, 0.8, 0.1]), points, 2).tolist()
    [0, 2]
    """
    if count < 1:
        raise BadParameter(f"{count} proposals are none", "ask for 1 or more")
    urgency, points = np.asarray(urgency, float), np.asarray(points, float)
    if points.ndim != 2 or len(points) != len(urgency):
        raise BadData(f"points of shape {points.shape} do not fit {len(urgency)} rows", "give one point a row")
    order = np.argsort(-urgency, kind="stable")
    pool = order[np.isfinite(urgency[order])][: POOL * count]
    if not points.shape[1] or len(pool) <= 1:
        return np.asarray(pool[:count])
    return np.asarray(pool[_spread(urgency[pool], np.nan_to_num(points[pool]), min(count, len(pool)), seen)])


def _spread(urgency: Array, points: Array, count: int, seen: Array | None) -> Array:
    """Give the greedy k-centre order; the most urgent row is the first unless something was seen before."""
    near = np.full(len(points), np.inf)
    for one in seen if seen is not None else ():
        near = np.minimum(near, _distances(points, one))
    chosen: list[int] = []
    free = np.ones(len(points), bool)
    for _ in range(count):
        # an untouched room is infinitely far from everything: urgency alone decides
        worth = np.where(free, urgency * np.where(np.isinf(near), 1.0, near), -1.0)
        chosen.append(int(worth.argmax()))
        free[chosen[-1]] = False
        near = np.minimum(near, _distances(points, points[chosen[-1]]))
    return np.array(chosen, np.int64)


def _distances(points: Array, one: Array) -> Array:
    return np.asarray(np.sqrt(((points - one) ** 2).sum(axis=1)))
