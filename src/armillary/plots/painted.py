"""Cells as pixels, exact to the pixel on linear and logarithmic axes."""

import numpy as np

from armillary.plots.view import Array, Axis, Cells
from armillary.science.decimate import join_columns


def paint(cells: Cells, start: float, stop: float, y: Axis, width: int, height: int) -> Array:
    """Give the value under each pixel; row 0 is on top, NaN where there is none.

    Where several columns share a pixel their mean is shown; a column narrower than a pixel still gets one.

    Returns
    -------
    array of float32, shape (height, width)
    """
    inside = (cells.right > start) & (cells.left < stop)
    image = np.full((height, width), np.nan, np.float32)
    if not inside.any():
        return image
    edges = cells.edges if cells.edges.ndim == 1 else cells.edges[inside]
    left, right, pixel = cells.left[inside], cells.right[inside], (stop - start) / width
    place = np.clip(((left + (right - left) / 2 - start) / pixel).astype(np.int64), 0, width - 1)
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    left, right, edges, values = join_columns(left, right, edges, cells.values[inside], starts)
    centres = start + (np.arange(width) + 0.5) * pixel
    column = np.searchsorted(left, centres, side="right") - 1
    column[place[starts]] = np.arange(len(starts))
    hit = (column >= 0) & (centres < right[np.maximum(column, 0)])
    hit[place[starts]] = True
    levels = _levels(y, height)
    row = _rows(edges, levels) if edges.ndim == 1 else np.stack([_rows(one, levels) for one in edges])
    picked = _pick(values, row)
    image[:, hit] = picked[column[hit]].T
    return image


def _levels(y: Axis, height: int) -> Array:
    """Give the value of y at the middle of each row of pixels, from the top."""
    part = (np.arange(height)[::-1] + 0.5) / height
    if y.scale == "log":
        levels: Array = y.low * (y.high / y.low) ** part
        return levels
    return y.low + (y.high - y.low) * part


def _rows(edges: Array, levels: Array) -> Array:
    """Give the cell that holds each level, -1 for none; NaN borders stand last and hold nothing."""
    cell = np.searchsorted(edges, levels, side="right") - 1
    upper = edges[np.clip(cell + 1, 0, len(edges) - 1)]
    return np.where((cell >= 0) & (cell < len(edges) - 1) & (levels <= upper), cell, -1)


def _pick(values: Array, row: Array) -> Array:
    padded = np.concatenate([values, np.full((len(values), 1), np.nan)], axis=1)
    return padded[:, row] if row.ndim == 1 else np.take_along_axis(padded, row, axis=1)
