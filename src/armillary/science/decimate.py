"""Fewer numbers that draw the same picture: extremes are never lost, gaps are never closed."""

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def extremes(x: Array, y: Array, columns: int) -> Array:
    """Give the indices of the points that draw the same line on `columns` columns of pixels.

    Of each column the first, the last, the lowest and the highest point stay, and one NaN if it has any, so that a
    break stays a break. O(n) time and memory.

    Parameters
    ----------
    x : array, shape (n,)
        Sorted positions, no NaN.
    y : array, shape (n,)
        Values; NaN breaks the line.

    Returns
    -------
    array of int64
        Rising indices, at most ``5 * columns``; all of them if there are at most ``4 * columns`` points.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.zeros(1000); y[500] = 7
    >>> 500 in extremes(np.arange(1000), y, 10)
    True
    """
    if len(x) <= 4 * columns:
        return np.arange(len(x))
    starts = _column_starts(x, columns)
    lengths = np.diff(np.append(starts, len(x)))
    lowest = _first_where(y == np.repeat(np.fmin.reduceat(y, starts), lengths), starts, lengths)
    highest = _first_where(y == np.repeat(np.fmax.reduceat(y, starts), lengths), starts, lengths)
    broken = _first_where(np.isnan(y), starts, lengths)
    return np.unique(np.concatenate([starts, starts + lengths - 1, lowest, highest, broken]))


def column_groups(left: Array, right: Array, columns: int) -> Array:
    """Give the index of the first column of each of about `columns` groups; none reaches across a gap.

    Parameters
    ----------
    left, right : array, shape (n,)
        Borders of the columns, sorted.

    Returns
    -------
    array of int64
        Rising, at most ``columns + number of gaps``.
    """
    step = -(-len(left) // max(columns, 1))
    new = np.zeros(len(left), bool)
    new[:: max(step, 1)] = True
    new[1:] |= left[1:] > right[:-1]
    starts: Array = np.flatnonzero(new)
    return starts


def join_columns(
    left: Array, right: Array, edges: Array, values: Array, starts: Array
) -> tuple[Array, Array, Array, Array]:
    """Join neighbouring columns of cells into groups.

    Parameters
    ----------
    left, right : array, shape (n,)
        Borders of the columns, sorted.
    edges : array, shape (m + 1,) or (n, m + 1)
        Borders of the cells; joined columns take those of their first one.
    values : array, shape (n, m)
        The joined value is the mean of those that are not NaN.
    starts : array of int, shape (k,)
        The first column of each group, beginning with 0.

    Returns
    -------
    left, right, edges, values : arrays
        The same with k columns.
    """
    known = ~np.isnan(values)
    count = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    total = np.add.reduceat(np.where(known, values, 0), starts, axis=0, dtype=np.float64)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    ends = np.append(starts[1:], len(left)) - 1
    return left[starts], right[ends], edges if edges.ndim == 1 else edges[starts], mean


def block_mean(image: Array, step: int) -> Array:
    """Average blocks of ``step`` x ``step`` pixels, without NaN; blocks at the last row and column may be smaller.

    Examples
    --------
    >>> import numpy as np
    >>> block_mean(np.array([[1.0, 3.0, 5.0], [np.nan, 2.0, 7.0]]), 2).tolist()
    [[2.0, 6.0]]
    """
    rows, columns = (np.arange(0, size, step) for size in image.shape)
    known = ~np.isnan(image)
    total = np.add.reduceat(np.add.reduceat(np.where(known, image, 0.0), rows, axis=0), columns, axis=1)
    count = np.add.reduceat(np.add.reduceat(known.astype(np.int64), rows, axis=0), columns, axis=1)
    mean: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _column_starts(x: Array, columns: int) -> Array:
    place = (x - x[0]).astype(np.float64)
    width = place[-1] or 1.0
    column = np.minimum((place / width * columns).astype(np.int64), columns - 1)
    starts: Array = np.flatnonzero(np.diff(column, prepend=-1))
    return starts


def _first_where(true: Array, starts: Array, lengths: Array) -> Array:
    """Give the first index of each group where `true` holds, leaving out groups where it never does."""
    found = np.flatnonzero(true)
    group = np.repeat(np.arange(len(starts)), lengths)[found]
    first: Array = found[np.flatnonzero(np.diff(group, prepend=-1))]
    return first
