"""Traces with as many values as a screen can show."""

from dataclasses import replace
from typing import Final

import numpy as np

from armillary.plots.view import Array, Cells, Image, Line, Trace
from armillary.science.decimate import block_mean, column_groups, extremes, join_columns

#: Values of an image along each side.
MAX_SIDE: Final = 512
#: Fewer points than this are all drawn.
MAX_POINTS: Final = 50_000


def reduced(trace: Trace, max_points: int) -> Trace:
    """Give a trace with at most about `max_points` points or columns; points and spans stay as they are."""
    if isinstance(trace, Line):
        return _line(trace, max_points)
    if isinstance(trace, Cells):
        return _cells(trace, max_points)
    if isinstance(trace, Image):
        return replace(trace, values=_image(trace.values))
    return trace


def _line(line: Line, max_points: int) -> Line:
    keep = extremes(line.x, line.y, max(max_points // 4, 1))
    return line if len(keep) == len(line.x) else replace(line, x=line.x[keep], y=line.y[keep])


def _cells(cells: Cells, columns: int) -> Cells:
    if len(cells.left) <= columns:
        return cells
    starts = column_groups(cells.left, cells.right, columns)
    return Cells(*join_columns(cells.left, cells.right, cells.edges, cells.values, starts))


def _image(values: Array) -> Array:
    step = max(1, -(-max(values.shape[:2]) // MAX_SIDE))
    return values if step == 1 else block_mean(values, step) if values.ndim == 2 else np.array(values[::step, ::step])


def thin(x: Array, y: Array, side: int = 1200) -> Array:
    """Give the indices of one point for each of ``side * side`` places; all if there are few points."""
    if len(x) <= MAX_POINTS:
        return np.arange(len(x))
    place = [_place(one, side) for one in (x, y)]
    _, first = np.unique(place[0] * side + place[1], return_index=True)
    return np.sort(first)


def _place(values: Array, side: int) -> Array:
    low, high = values.min(), values.max()
    place: Array = np.minimum(((values - low) / ((high - low) or 1.0) * side).astype(np.int64), side - 1)
    return place
