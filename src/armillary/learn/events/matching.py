"""Which predicted event is which true one: overlaps by a sparse sweep, one-to-one by maximum matching.

Events are ``int64`` rows ``start, stop`` or ``start, stop, group``, start < stop, in nanoseconds or any other unit.
They may overlap each other and stand in any order. Events of different groups (channels, spacecraft) never meet;
without the third column all are of group 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.intervals import intervals

Array = np.ndarray[Any, np.dtype[Any]]

#: Pairs that are looked at together: bounds the memory.
_AT_ONCE: Final = 4_000_000
#: Events that are assigned together; the cost of an assignment grows with their square.
_PART: Final = 500
#: Of a tangle with more pairs than this the number of matches is the greatest, their total overlap need not be.
_TANGLE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs that overlap.

    Parameters
    ----------
    predicted, truth : array of int, (k,)
        Numbers of the events.
    shared : array of int, (k,)
        Time in both.
    iou : array of float, (k,)
        Intersection over union, 0 < iou <= 1.
    shape : (int, int)
        How many events there are on each side.
    """

    predicted: Array
    truth: Array
    shared: Array
    iou: Array
    shape: tuple[int, int]

    def only(self, chosen: Array) -> "Pairs":
        """Give some of the pairs."""
        return Pairs(self.predicted[chosen], self.truth[chosen], self.shared[chosen], self.iou[chosen], self.shape)


def match(predicted: Array, truth: Array, iou: float) -> Array:
    """Pair predicted and true events one to one.

    As many pairs as possible are made, and of all ways to make that many the one with the greatest total overlap.

    Parameters
    ----------
    predicted, truth : array of int, (n, 2) or (n, 3) and (m, 2) or (m, 3)
    iou : float
        Least intersection over union of a pair; at 0 any overlap will do.

    Returns
    -------
    array of int, (k, 2)
        Numbers of the predicted and the true event, in the order of the predicted ones.

    Raises
    ------
    BadData
        If these are no events.
    BadParameter
        If the overlap asked for is not from 0 to 1.

    Examples
    --------
    >>> match(np.array([[0, 10], [20, 30]]), np.array([[22, 31], [50, 60]]), 0.5).tolist()
    [[1, 0]]
    """
    return match_pairs(overlaps(predicted, truth), iou)


def match_pairs(pairs: Pairs, iou: float) -> Array:
    """Do :func:`match` where the overlaps are known.

    Raises
    ------
    BadParameter
        If the overlap asked for is not from 0 to 1.
    """
    if not 0 <= iou <= 1:
        raise BadParameter(f"no two events have an overlap of {iou}", "give a number from 0 to 1, such as 0.25")
    able = np.flatnonzero(pairs.iou >= iou)
    sure, doubtful = _settle(pairs, able)
    chosen = np.concatenate([sure, _assign(pairs, doubtful)])
    both = np.column_stack([pairs.predicted[chosen], pairs.truth[chosen]])
    return both[np.argsort(both[:, 0])].astype(np.int64)


def overlaps(predicted: Array, truth: Array, iou: float = 0.0) -> Pairs:
    """Find all pairs of events that overlap, O((n + m) log (n + m) + pairs).

    Parameters
    ----------
    iou : float
        Pairs with less than this are left out.
    """
    a, b = as_events(predicted, "predicted events"), as_events(truth, "true events")
    keys_a, keys_b = fold(a, b)
    found: list[tuple[Array, Array, Array, Array]] = []
    for first, second in _meeting(keys_a, keys_b):
        shared = np.minimum(a[first, 1], b[second, 1]) - np.maximum(a[first, 0], b[second, 0])
        either = (a[first, 1] - a[first, 0]).astype(float) + (b[second, 1] - b[second, 0]) - shared
        ratio = shared / either
        kept = ratio >= iou
        found.append((first[kept], second[kept], shared[kept], ratio[kept]))
    first, second, shared, ratio = (np.concatenate([one[at] for one in found]) for at in range(4))
    return Pairs(first, second, shared, ratio, (len(a), len(b)))


def as_events(events: Any, what: str = "events") -> Array:
    """Check events and give them with their group, (n, 3).

    Raises
    ------
    BadData
        If they are of another shape or type, or one does not stop after its start.
    """
    rows = np.asarray(events)
    if rows.size == 0:
        return np.zeros((0, 3), np.int64)
    if rows.ndim != 2 or rows.shape[1] not in (2, 3) or rows.dtype.kind not in "iuM":
        problem = f"{what} are {rows.dtype} of shape {rows.shape}"
        raise BadData(problem, "give whole numbers: rows start, stop or start, stop, group")
    rows = rows.astype("datetime64[ns]").astype(np.int64) if rows.dtype.kind == "M" else rows.astype(np.int64)
    wrong = np.flatnonzero(rows[:, 0] >= rows[:, 1])
    if len(wrong):
        problem = f"{what}: number {wrong[0]} does not stop after its start, and {len(wrong) - 1} more"
        raise BadData(problem, "give every event a duration")
    return rows if rows.shape[1] == 3 else np.column_stack([rows, np.zeros(len(rows), np.int64)])


def grouped(times: Array, groups: Any) -> Array:
    """Give events their groups, (n, 3).

    Parameters
    ----------
    times : array of int, (n, 2)
    groups : int or array of int, (n,)
    """
    rows = intervals(times)
    return np.column_stack([rows, np.broadcast_to(np.asarray(groups, np.int64), len(rows))])


def fold(*sets: Array) -> list[Array]:
    """Lay the groups of checked events one behind the other on one axis, so that what overlaps still does.

    Returns
    -------
    list of array of int, (n, 2)
        Times themselves if there is one group, else numbers that keep their order.
    """
    groups = np.concatenate([one[:, 2] for one in sets])
    if not len(groups) or (groups == groups[0]).all():
        return [one[:, :2] for one in sets]
    group = np.unique(groups, return_inverse=True)[1]
    edges = np.concatenate([one[:, :2] for one in sets])
    values, place = np.unique(edges, return_inverse=True)
    keys = place.reshape(-1, 2) + group[:, None] * (len(values) + 1)
    return list(np.split(keys, np.cumsum([len(one) for one in sets])[:-1]))


def _meeting(a: Array, b: Array) -> Iterator[tuple[Array, Array]]:
    """Give the numbers of events that overlap: the later start of a pair lies inside the other event."""
    order_a, order_b = np.argsort(a[:, 0], kind="stable"), np.argsort(b[:, 0], kind="stable")
    starts_a, starts_b = a[order_a, 0], b[order_b, 0]
    for first, at in _ranges(np.searchsorted(starts_b, a[:, 0], "left"), np.searchsorted(starts_b, a[:, 1], "left")):
        yield first, order_b[at]
    for second, at in _ranges(np.searchsorted(starts_a, b[:, 0], "right"), np.searchsorted(starts_a, b[:, 1], "left")):
        yield order_a[at], second


def _ranges(low: Array, high: Array) -> Iterator[tuple[Array, Array]]:
    """Give row and every number from `low` to before `high` of that row, some rows at a time."""
    count = np.maximum(high - low, 0)
    part = np.cumsum(count) // _AT_ONCE
    for rows in np.split(np.arange(len(low)), np.flatnonzero(np.diff(part)) + 1):
        many = count[rows]
        begin = np.repeat(low[rows] - (np.cumsum(many) - many), many)
        yield np.repeat(rows, many), begin + np.arange(many.sum())


def _settle(pairs: Pairs, able: Array) -> tuple[Array, Array]:
    """Take the pairs that are in some best matching for sure, until none is left; give them and the rest.

    One of the two has no other choice and both have no better one: whatever else the other would take does not make
    more pairs, nor greater ones.
    """
    sure = [np.zeros(0, np.int64)]
    while len(able):
        row, column, iou = pairs.predicted[able], pairs.truth[able], pairs.iou[able]
        lonely = (_count(row, pairs.shape[0]) == 1) | (_count(column, pairs.shape[1]) == 1)
        safe = np.flatnonzero(
            lonely & (iou == _most(row, iou, pairs.shape[0])) & (iou == _most(column, iou, pairs.shape[1]))
        )
        if not len(safe):
            break
        safe = safe[np.unique(row[safe], return_index=True)[1]]
        safe = safe[np.unique(column[safe], return_index=True)[1]]
        sure.append(able[safe])
        able = able[~_among(row, row[safe], pairs.shape[0]) & ~_among(column, column[safe], pairs.shape[1])]
    return np.concatenate(sure), able


def _count(number: Array, size: int) -> Array:
    return np.bincount(number, minlength=size)[number]


def _most(number: Array, value: Array, size: int) -> Array:
    most = np.zeros(size)
    np.maximum.at(most, number, value)
    return most[number]


def _among(number: Array, some: Array, size: int) -> Array:
    there = np.zeros(size, bool)
    there[some] = True
    return there[number]


def _assign(pairs: Pairs, able: Array) -> Array:
    """Choose among doubtful pairs, tangle by tangle, a few together."""
    if not len(able):
        return able
    return np.concatenate([able[some][_best(pairs.only(able[some]))] for some in _tangles(pairs, able)])


def _tangles(pairs: Pairs, able: Array) -> Sequence[Array]:
    """Cut the pairs into parts that share no event."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = pairs.shape
    links = coo_array(
        (np.ones(len(able), bool), (pairs.predicted[able], pairs.truth[able] + rows)), (rows + columns,) * 2
    )
    tangle = connected_components(links, directed=False)[1][pairs.predicted[able]]
    order = np.argsort(tangle, kind="stable")
    size = np.bincount(tangle)
    part = (np.cumsum(size) // _PART)[tangle[order]]
    return np.split(order, np.flatnonzero(np.diff(part)) + 1)


def _best(pairs: Pairs) -> Array:
    """Give the pairs of the largest matching with the greatest total overlap."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, row = np.unique(pairs.predicted, return_inverse=True)
    columns, column = np.unique(pairs.truth, return_inverse=True)
    if len(row) > _TANGLE:
        return _largest(row, column)
    # A column of its own for each row means "none", and costs more than all overlaps together can save.
    number = len(rows)
    cost = np.concatenate([1 - pairs.iou / (number + 1), np.full(number, 2.0)])
    place = np.concatenate([row, np.arange(number)]), np.concatenate([column, len(columns) + np.arange(number)])
    graph = csr_array((cost, place), shape=(number, len(columns) + number))
    left, right = min_weight_full_bipartite_matching(graph)
    return _where(row, column, left[right < len(columns)], right[right < len(columns)])


def _largest(row: Array, column: Array) -> Array:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    graph = csr_array((np.ones(len(row), bool), (row, column)))
    right = maximum_bipartite_matching(graph, perm_type="column")
    left = np.flatnonzero(right >= 0)
    return _where(row, column, left, right[left])


def _where(row: Array, column: Array, left: Array, right: Array) -> Array:
    """Find chosen pairs in the list of pairs."""
    width = int(column.max()) + 1
    return np.flatnonzero(np.isin(row * width + column, left * width + right))
