"""Exact algebra of half-open integer intervals.

A set of intervals is an ``int64`` array of shape (n, 2) with rows ``start, stop`` and ``start < stop``. It is *normal*
if sorted and neither overlapping nor touching; every function here takes any set and gives a normal one unless it says
otherwise. All are O(n log n).
"""

from typing import Any, TypeAlias

import numpy as np

#: Shape (n, 2), rows start, stop.
Intervals: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def intervals(pairs: Any) -> Intervals:
    """Make a set from pairs; empty input gives shape (0, 2)."""
    return np.asarray(list(pairs) if not isinstance(pairs, np.ndarray) else pairs, np.int64).reshape(-1, 2)


def union(*sets: Intervals) -> Intervals:
    """Give all that lies in any of the sets.

    Examples
    --------
    >>> union(intervals([(0, 5), (3, 8)]), intervals([(8, 9)])).tolist()
    [[0, 9]]
    """
    pairs = np.concatenate([intervals(one) for one in sets]) if sets else intervals([])
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    if not len(pairs):
        return pairs
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    reach = np.maximum.accumulate(pairs[:, 1])
    first = np.concatenate([[True], pairs[1:, 0] > reach[:-1]])
    starts = pairs[first, 0]
    last = np.concatenate([np.flatnonzero(first)[1:] - 1, [len(pairs) - 1]])
    return np.column_stack([starts, reach[last]])


def intersect(a: Intervals, b: Intervals) -> Intervals:
    """Give all that lies in both sets.

    Examples
    --------
    >>> intersect(intervals([(0, 5), (7, 9)]), intervals([(4, 8)])).tolist()
    [[4, 5], [7, 8]]
    """
    return _sweep(a, b, 2)


def subtract(a: Intervals, b: Intervals) -> Intervals:
    """Give all that lies in `a` and not in `b`.

    Examples
    --------
    >>> subtract(intervals([(0, 10)]), intervals([(2, 3), (5, 7)])).tolist()
    [[0, 2], [3, 5], [7, 10]]
    """
    a, b = union(a), union(b)
    if not len(a):
        return a
    low, high = a[0, 0], a[-1, 1]
    return intersect(a, gaps(b, int(low), int(high)))


def gaps(a: Intervals, start: int, stop: int) -> Intervals:
    """Give what of ``[start, stop)`` lies in none of the intervals.

    Examples
    --------
    >>> gaps(intervals([(2, 3)]), 0, 10).tolist()
    [[0, 2], [3, 10]]
    """
    covered = intersect(a, intervals([(start, stop)])) if len(a) else intervals([])
    edges = np.concatenate([[start], covered.ravel(), [stop]]).reshape(-1, 2)
    return edges[edges[:, 0] < edges[:, 1]].astype(np.int64)


def coverage(a: Intervals, start: int, stop: int) -> float:
    """Give the fraction of ``[start, stop)`` that is covered.

    Examples
    --------
    >>> coverage(intervals([(0, 5), (3, 6)]), 0, 12)
    0.5
    """
    covered = intersect(a, intervals([(start, stop)]))
    return float((covered[:, 1] - covered[:, 0]).sum()) / (stop - start)


def overlapping(a: Intervals, b: Intervals) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say for each interval of `a`, in its own order, whether it shares anything with `b`."""
    a, b = intervals(a), union(b)
    first = np.searchsorted(b[:, 1], a[:, 0], side="right")
    return (first < len(b)) & (np.append(b[:, 0], np.iinfo(np.int64).max)[first] < a[:, 1])


def within(a: Intervals, b: Intervals) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say for each interval of `a`, in its own order, whether it lies inside one stretch of the union of `b`."""
    a, b = intervals(a), union(b)
    last = np.searchsorted(b[:, 0], a[:, 0], side="right") - 1
    reach = np.append(b[:, 1], np.iinfo(np.int64).min)
    return (last >= 0) & (reach[last] >= a[:, 1])


def _sweep(a: Intervals, b: Intervals, wanted: int) -> Intervals:
    """Give the stretches that exactly `wanted` of two normal sets cover."""
    a, b = union(a), union(b)
    edges = np.concatenate([a[:, 0], b[:, 0], a[:, 1], b[:, 1]])
    steps = np.concatenate([np.ones(len(a) + len(b), np.int64), -np.ones(len(a) + len(b), np.int64)])
    order = np.argsort(edges, kind="stable")
    edges, depth = edges[order], np.cumsum(steps[order])
    if not len(edges):
        return intervals([])
    inside = (depth[:-1] == wanted) & (edges[:-1] < edges[1:])
    return union(np.column_stack([edges[:-1][inside], edges[1:][inside]]))
