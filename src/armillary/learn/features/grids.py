"""Series on a regular grid, one a group: what features that count samples stand on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadData
from armillary.learn.samples import column
from armillary.learn.splits import instants_of
from armillary.learn.study import seconds_of

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]


def series_on_grids(samples: "xr.Dataset", time: str = "time", group: str = "group") -> Iterator[tuple[Array, float]]:
    """Give for each group its rows in order of time, and the step in seconds.

    Raises
    ------
    BadData
        If the steps of a group differ.
    """
    times = instants_of(column(samples, time), time)
    names = column(samples, group).astype(str) if group in samples else np.zeros(len(times), np.int64)
    _, number = np.unique(names, return_inverse=True)
    order = np.lexsort((times, number))
    for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        steps = np.unique(np.diff(times[rows]))
        if len(steps) > 1 or (len(steps) and steps[0] == 0):
            problem = f"the series is not regular: steps from {steps[0] / 1e9:g} to {steps[-1] / 1e9:g} s"
            raise BadData(problem, "read it by the layout 'timeline', which puts it on a grid")
        yield rows, float(steps[0]) / 1e9 if len(steps) else float(samples.attrs.get("cadence", 1.0))


def first_cell(samples: "xr.Dataset", row: int, step: float, time: str = "time") -> int:
    """Give the number of the cell of `step` seconds since 1970 that a sample begins in."""
    return int(instants_of(column(samples, time)[row : row + 1], time)[0] // round(step * 1e9))


def cells_of(length: float | str, step: float) -> int:
    """Give how many samples a duration is, at least 1.

    Examples
    --------
    >>> cells_of("6h", 3600.0)
    6
    """
    return max(1, round(seconds_of(length) / step))
