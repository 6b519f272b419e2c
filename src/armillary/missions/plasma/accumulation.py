"""What other instruments measured while a particle instrument was counting."""

from typing import TYPE_CHECKING

import numpy as np

from armillary.missions.plasma.generic.reading import at_times
from armillary.science.coordinates.quaternions import nearest_rotations

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array


def averaged(data: "xr.Dataset", start: "Array", seconds: float, largest_gap: float | None = None) -> "Array":
    """Give the mean of a series while an instrument accumulated, NaN where there is no data around.

    Where no sample falls into an accumulation, the straight line between the samples around its middle stands for it.

    Parameters
    ----------
    data : Dataset
        A series of numbers or vectors; samples with a NaN in them do not count.
    start : array of datetime64[ns], shape (t,)
        When each accumulation began, sorted.
    seconds : float
        How long each took.
    largest_gap : float, optional
        Seconds between samples that are still joined; as `armillary.science.align.align`.

    Returns
    -------
    array, shape (t, ...)
        float64.
    """
    begin = np.asarray(start).astype("datetime64[ns]").astype(np.int64)
    length = round(seconds * 1e9)
    found = at_times(data, (begin + length // 2).astype("datetime64[ns]"), largest_gap)
    main = next(one for one in data.data_vars.values() if one.dims[:1] == ("time",) and one.dtype.kind in "iufb")
    values = main.to_numpy().astype(float)
    good = np.isfinite(values).all(tuple(range(1, values.ndim)))
    times, values = data["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)[good], values[good]
    low, high = np.searchsorted(times, begin), np.searchsorted(times, begin + length)
    has = high > low
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, 0)])
    count = (high - low)[has].reshape(-1, *[1] * (values.ndim - 1))
    found[has] = (sums[high[has]] - sums[low[has]]) / count
    return found


def turning(data: "xr.Dataset", start: "Array", seconds: float) -> "Array":
    """Give the rotation matrices of a series ``(time, 3, 3)`` in the middle of each accumulation, shape (t, 3, 3)."""
    middle = np.asarray(start).astype("datetime64[ns]") + np.timedelta64(round(seconds * 5e8), "ns")
    return nearest_rotations(at_times(data, middle))
