"""Numbers behind an axis: what is valid, where it starts and ends, where cells have their borders."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from armillary.plots.view import Array, Scale

#: A line breaks and cells end where a step is this many times longer than the steps around it.
LINE_GAP = 4.0
CELL_GAP = 2.0
#: Fill values of CDF and of most archives are at or beyond this.
HUGE = 1e30


def floats(values: Any) -> Array:
    """Give float64 with everything that is not a finite number, or is a usual fill value, as NaN."""
    found = np.array(values, np.float64)
    found[~(np.abs(found) < HUGE)] = np.nan
    return found


def valid(values: Array, attrs: Mapping[str, Any]) -> tuple[Array, tuple[str, ...]]:
    """Mask what ISTP metadata call invalid, for the picture only.

    Parameters
    ----------
    values : array, shape (time, ...)
        Floats; missing is NaN.
    attrs : mapping
        FILLVAL, VALIDMIN and VALIDMAX, each a number or one for each component, or absent.

    Returns
    -------
    values, notes
        If the valid range would hide everything it is not used, and the note says so.
    """
    fill, low, high = (_bound(attrs.get(name), values) for name in ("FILLVAL", "VALIDMIN", "VALIDMAX"))
    if fill is not None:
        values = np.where(values == fill, np.nan, values)
    known = np.isfinite(values)
    outside = np.zeros(values.shape, bool)
    if low is not None:
        outside |= values < low
    if high is not None:
        outside |= values > high
    hidden, total = int(outside.sum()), int(known.sum())
    if not hidden:
        return values, ()
    if hidden == total:
        return values, ("the valid range of the metadata would hide every value and is not used",)
    note = f"{hidden} of {total} values outside the valid range of the metadata are not shown"
    return np.where(outside, np.nan, values), (note,)


def is_log(attrs: Mapping[str, Any]) -> bool | None:
    """Say what SCALETYP asks for, None where it says nothing."""
    text = str(attrs.get("SCALETYP") or "").strip().lower()
    return text.startswith("log") if text else None


def line_limits(values: Array, log: bool) -> tuple[float, float, Scale]:
    """Give the limits of a y axis that show every value with a little room."""
    known = values[np.isfinite(values)]
    if log and (known > 0).any():
        known = known[known > 0]
        low, high = np.log10(known.min()), np.log10(known.max())
        room = max((high - low) * 0.05, 0.05)
        return float(10 ** (low - room)), float(10 ** (high + room)), "log"
    if not known.size:
        return 0.0, 1.0, "linear"
    low, high = float(known.min()), float(known.max())
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    return low - room, high + room, "linear"


def colour_limits(values: Array, log: bool | None) -> tuple[float, float, Scale]:
    """Give limits of a colour axis by percentiles: 1 and 99.9 of positive values for a logarithmic one.

    Parameters
    ----------
    log : bool, optional
        None decides from the values: logarithmic if they are not negative and cover two decades.
    """
    flat = values.ravel()
    flat = flat[:: max(1, flat.size // 2_000_000)]
    known = flat[np.isfinite(flat)]
    positive = known[known > 0]
    if log is not False and positive.size:
        low, high = np.percentile(positive, [1, 99.9])
        if log or (positive.size > 0.2 * known.size and known.min() >= 0 and high > 100 * low):
            return (float(low), float(high), "log") if high > low * 1.001 else (low * 0.5, high * 2.0, "log")
    if not known.size:
        return 0.0, 1.0, "linear"
    low, high = (float(one) for one in np.percentile(known, [0.5, 99.5]))
    return (low, high, "linear") if high > low else (low - 0.5, high + 0.5, "linear")


def geometric(centres: Array) -> bool:
    """Say whether bins look evenly spaced in their logarithm rather than in themselves."""
    row = np.sort(centres.reshape(-1, centres.shape[-1])[0])
    row = row[np.isfinite(row)]
    if len(row) < 3 or row[0] <= 0 or row[-1] < 10 * row[0]:
        return False
    plain, ratio = np.diff(row), np.diff(np.log(row))
    return bool(ratio.std() * plain.mean() < plain.std() * ratio.mean())


def bin_edges(centres: Array, log: bool) -> tuple[Array, Array]:
    """Give rising borders of bins from their centres, and the order of the bins along them.

    Parameters
    ----------
    centres : array, shape (m,) or (n, m)
        In any order; NaN, and what is not positive on a logarithmic axis, makes no bin.

    Returns
    -------
    edges : array, shape (m + 1,) or (n, m + 1)
        Halfway between centres (of their logarithms if `log`); NaN after the last bin.
    order : array of int, shape of `centres`
        ``take_along_axis(values, order)`` sorts the values as the edges.
    """
    rows = np.atleast_2d(centres).astype(np.float64)
    rows = np.where(rows > 0, rows, np.nan) if log else rows
    order = np.argsort(rows, axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, axis=1)
    rows = np.log10(rows) if log else rows
    edges = _halfway(rows)
    edges = np.maximum.accumulate(10**edges if log else edges, axis=1)
    return (edges[0], order[0]) if centres.ndim == 1 else (edges, order)


def column_sides(times: Array, width: float | None = None) -> tuple[Array, Array]:
    """Give where the column of each time starts and ends: halfway to its neighbours, but never across a gap.

    Parameters
    ----------
    times : array of int64, shape (n,)
        Sorted, ns.
    width : float, optional
        What to take for a single time, ns.
    """
    if len(times) < 2:
        half = int((width or 1e9) / 2)
        return times - half, times + half
    step, gap = _steps(times, CELL_GAP)
    usual = float(np.median(step[step > 0])) if (step > 0).any() else 1e9
    before, after = np.append(step[:1], step), np.append(step, step[-1:])
    before_gap, after_gap = np.append(gap[:1], gap), np.append(gap, gap[-1:])
    alone = np.minimum(np.minimum(before, after), usual)
    left = times - (np.where(before_gap, alone, before) / 2).astype(np.int64)
    right = times + (np.where(after_gap, alone, after) / 2).astype(np.int64)
    return left, np.minimum(right, np.append(left[1:], right[-1]))


def break_gaps(times: Array, values: Array) -> tuple[Array, Array]:
    """Put a NaN into each gap, so that no line is drawn through it.

    Parameters
    ----------
    times, values : array, shape (n,) and (n, k)
    """
    if len(times) < 3:
        return times, values
    step, gap = _steps(times, LINE_GAP)
    at = np.flatnonzero(gap)
    middle = times[at] + (step[at] // 2).astype(np.int64)
    return np.insert(times, at + 1, middle), np.insert(values, at + 1, np.nan, axis=0)


def _bound(given: Any, values: Array) -> Array | None:
    """Read a bound that is one number, or one for each component, or nonsense."""
    try:
        bound = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        return None
    if given is None or not np.isfinite(bound).all() or not bound.size:
        return None
    if bound.ndim and bound.shape != values.shape[1 : 1 + bound.ndim]:
        return None
    return bound.reshape(bound.shape + (1,) * (values.ndim - 1 - bound.ndim)) if bound.ndim else bound


def _steps(times: Array, factor: float) -> tuple[Array, Array]:
    """Give the steps between times and which of them are gaps: longer than the usual and both neighbouring steps."""
    step = np.diff(times).astype(np.float64)
    usual = np.median(step[step > 0]) if (step > 0).any() else 1.0
    padded = np.concatenate([[np.inf], step, [np.inf]])
    nearby = np.minimum(padded[:-2], padded[2:])
    nearby = np.where(np.isfinite(nearby), nearby, usual)
    return step, step > factor * np.maximum(usual, nearby)


def _halfway(rows: Array) -> Array:
    """Give borders of sorted rows (n, m) whose NaN stand last."""
    n, m = rows.shape
    count = np.isfinite(rows).sum(axis=1)
    edges = np.full((n, m + 1), np.nan)
    edges[:, 1:m] = (rows[:, 1:] + rows[:, :-1]) / 2
    some, lonely = count > 1, count == 1
    last = np.maximum(count - 1, 0)
    each = np.arange(n)
    if m > 1:
        edges[some, 0] = 1.5 * rows[some, 0] - 0.5 * rows[some, 1]
        top = 1.5 * rows[each, last] - 0.5 * rows[each, np.maximum(last - 1, 0)]
        edges[each[some], count[some]] = top[some]
    edges[lonely, 0], edges[lonely, 1] = rows[lonely, 0] - 0.15, rows[lonely, 0] + 0.15
    return edges
