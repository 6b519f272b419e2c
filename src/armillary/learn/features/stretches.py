"""Features of the stretch of a series that a sample lies in, cut where the values change: they know where edges are.

A window of fixed length blurs what begins or ends inside it; a stretch begins and ends with it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.features.columns import columns
from armillary.learn.features.grids import cells_of, first_cell, series_on_grids

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: Long series are cut in spans of so many longest stretches, each with so many more on either side.
_SPAN: Final = 16
_MORE: Final = 3


def stretches(
    samples: "xr.Dataset",
    names: Sequence[str] = (),
    penalties: Sequence[float] = (16.0, 64.0),
    shortest: float | str = "3h",
    longest: float | str = "6d",
    prefix: str = "",
    units: Sequence[float] = (),
) -> Features:
    """Say what values are in the stretch around each sample, and how it differs from its neighbours.

    It looks ahead as well as back: for making catalogues, not for forecasts.

    Parameters
    ----------
    samples : xarray.Dataset
        Regular in time; groups do not mix.
    names : sequence of str
        As for :func:`armillary.learn.features.columns.columns`. They are cut together, each in its unit.
    penalties : sequence of float
        What an edge costs: larger gives fewer and longer stretches; features are made for each.
    shortest, longest : float or str
    prefix : str
    units : sequence of float
        How much of each column is one unit. Its deviation over the whole series if not given: a model is then applied
        to whole series only, not block by block.

    Notes
    -----
    See :func:`cut` for the cost, :func:`cut_in_spans` for long series.
    """
    taken = columns(samples, names)
    if len(units) not in {0, len(taken.names)} or any(one <= 0 for one in units):
        problem = f"units = {list(units)} are not one above 0 for each of {len(taken.names)} columns"
        raise BadParameter(problem, "give one for each, or none")
    made: list[Array] = []
    titles: list[str] = []
    groups: list[str] = []
    for penalty in penalties:
        part = np.full((len(taken.matrix), 3 * len(taken.names) + 1), np.nan)
        for rows, step in series_on_grids(samples):
            values = taken.matrix[rows] / list(units) if units else _in_deviations(filled(taken.matrix[rows]))
            lengths = cells_of(shortest, step), cells_of(longest, step)
            edges = cut_in_spans(values, first_cell(samples, rows[0], step), penalty, *lengths)
            told = describe(dict(zip(taken.names, taken.matrix[rows].T, strict=True)), edges)
            part[rows] = np.column_stack(list(told.values()))
        made.append(part)
        titles += [f"{prefix}{name}_{one}_{penalty:g}" for name in taken.names for one in ("here", "rise", "fall")]
        titles.append(f"{prefix}duration_{penalty:g}")
        groups += [group for group in taken.groups for _ in range(3)] + ["duration"]
    return Features(np.concatenate(made, axis=1), tuple(titles), tuple(groups))


def cut(values: Array, penalty: float, shortest: int = 1, longest: int = 1000) -> Array:
    """Cut a series into stretches of nearly constant values, as few as are worth it.

    The sum of squares about the mean of each stretch plus `penalty` for each stretch is least (optimal partitioning,
    Jackson et al. 2005). Work O(n longest), memory O(n).

    Parameters
    ----------
    values : array of float, (n, k)
        Without gaps; columns count alike.
    penalty : float
    shortest, longest : int
        Length of a stretch in samples; the last resort is a stretch that is shorter.

    Returns
    -------
    array of int, (m + 1,)
        Edges: stretch j is ``values[edges[j]:edges[j + 1]]``.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> cut(np.array([[0.0], [0.0], [0.1], [5.0], [5.1]]), 1.0).tolist()
    [0, 3, 5]
    """
    if not 1 <= shortest <= longest or penalty < 0:
        problem = f"stretches of {shortest} to {longest} samples at the penalty {penalty:g} cannot be made"
        raise BadParameter(problem, "give 1 <= shortest <= longest and a penalty of 0 or more")
    n = len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    square = np.concatenate([[0.0], np.cumsum((values**2).sum(axis=1))])
    best, back = np.zeros(n + 1), np.zeros(n + 1, np.int64)
    for stop in range(1, n + 1):
        first = max(0, stop - longest)
        start = np.arange(first, max(first + 1, stop - shortest + 1))
        spread = ((total[stop] - total[start]) ** 2).sum(axis=1) / (stop - start)
        cost = best[start] + square[stop] - square[start] - spread + penalty
        least = int(cost.argmin())
        best[stop], back[stop] = cost[least], start[least]
    return _edges(back)


def reach_of_stretches(options: Mapping[str, Any], cadence: float) -> float:
    """Give how many seconds of the series around a sample its features depend on; without units on all of it."""
    if not options.get("units"):
        return float("inf")
    return reach_of_cut(cells_of(options.get("longest", "6d"), cadence)) * cadence


def reach_of_cut(longest: int) -> int:
    """Give how many samples around a sample decide its stretch and the two beside it, see :func:`cut_in_spans`."""
    # the samples of the span around; the stretch and its neighbour, each of which may go across the edge of a span
    return (_SPAN + _MORE + 4) * longest


def cut_in_spans(values: Array, first: int, penalty: float, shortest: int = 1, longest: int = 1000) -> Array:
    """Cut a long series so that every edge depends on what is near it only, however the series was put together.

    Spans of 16 longest stretches, which begin at whole multiples since 1970, are cut each by itself by :func:`cut`
    together with three more longest stretches on either side, whose edges are not kept. Far edges hardly ever depend on
    each other, so that this is nearly always what :func:`cut` finds in the whole; at the edge of two spans a stretch
    may be shorter than the shortest.

    Parameters
    ----------
    values : array of float, (n, k)
        Gaps are bridged by straight lines.
    first : int
        Number of the first sample since 1970.
    penalty, shortest, longest
        See :func:`cut`.
    """
    size, more = _SPAN * longest, _MORE * longest
    edges = [np.array([0])]
    for start in range(first // size * size, first + len(values), size):
        low, high = max(start - first, 0), min(start + size - first, len(values))
        begin = max(low - more, 0)
        found = begin + cut(filled(values[begin : high + more]), penalty, shortest, longest)
        edges.append(found[(found >= low) & (found < high)])
    return np.unique(np.concatenate([*edges, [len(values)]]))


def describe(values: Mapping[str, Array], edges: Array) -> dict[str, Array]:
    """Tell for each sample the means of its stretch, the steps at both its edges, and how long it is.

    Parameters
    ----------
    values : mapping of str to array of float, (n,)
    edges : array of int
        As :func:`cut` gives them.

    Returns
    -------
    dict of str to array, (n,)
        ``NAME_here``, ``NAME_rise`` (mean minus that of the stretch before, 0 for the first), ``NAME_fall`` (minus that
        of the next), ``duration`` (logarithm of the number of samples).
    """
    length = np.diff(edges)
    where = np.repeat(np.arange(len(length)), length)
    told: dict[str, Array] = {}
    for name, one in values.items():
        mean = means(one, edges)
        step = np.diff(mean)
        told[f"{name}_here"] = mean[where]
        told[f"{name}_rise"] = np.concatenate([[0.0], step])[where]
        told[f"{name}_fall"] = np.concatenate([-step, [0.0]])[where]
    return told | {"duration": np.log(length)[where]}


def means(values: Array, edges: Array) -> Array:
    """Give the mean of each stretch, NaN where it has no number.

    Examples
    --------
    >>> means(np.array([1.0, np.nan, 4.0]), np.array([0, 2, 3])).tolist()
    [1.0, 4.0]
    """
    there = np.isfinite(values)
    count = np.add.reduceat(there.astype(float), edges[:-1])
    total = np.add.reduceat(np.where(there, values, 0.0), edges[:-1])
    return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))


def filled(values: Array) -> Array:
    """Bridge gaps by straight lines, column by column; a column without numbers becomes 0.

    Examples
    --------
    >>> filled(np.array([[1.0], [np.nan], [3.0]])).ravel().tolist()
    [1.0, 2.0, 3.0]
    """
    made = np.zeros(values.shape)
    clock = np.arange(len(values))
    for number, one in enumerate(values.T):
        there = np.isfinite(one)
        if there.any():
            made[:, number] = np.interp(clock, clock[there], one[there])
    return made


def _in_deviations(values: Array) -> Array:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _edges(back: Array) -> Array:
    edges = [len(back) - 1]
    while edges[-1] > 0:
        edges.append(int(back[edges[-1]]))
    return np.array(edges[::-1])
