"""Filters, running means and resampling of series that have gaps and missing values."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from armillary.errors import BadParameter
from armillary.science.fields.windows import columns_of, even_stretches, nanoseconds, usual_step
from armillary.science.plasma import Array

#: Numbers gathered at once.
_PORTION: Final = 1 << 20
#: What turns the median of absolute differences into a standard deviation, for Gaussian noise.
MAD_TO_SIGMA: Final = 1.482602218505602


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """A filtered series.

    Parameters
    ----------
    values : array, shape (t,) or (t, c)
        NaN where nothing could be filtered.
    edge : array of bool, shape (t,)
        Where a gap, a missing value or an end is so near (two periods of the lowest corner) that the values are not
        to be trusted.
    """

    values: Array
    edge: Array


def filtered(time: Array, values: Array, low: float = 0.0, high: float = 0.0, order: int = 4) -> Filtered:
    """Keep the frequencies from `low` to `high`, without a shift in phase.

    A Butterworth filter in second-order sections runs forward and backward over each stretch that has no gap and no
    missing value (Gustafsson 1996, doi:10.1109/78.492552, for what happens at the ends): at a corner the amplitude is
    halved, far from it it falls as the ``2 order``-th power.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted, evenly spaced but for gaps.
    values : array, shape (t,) or (t, c)
        NaN is a missing value.
    low, high : float
        Hz; 0 for none: only `low` is a high-pass, only `high` a low-pass.
    order : int
        Of the filter that is run twice.

    Raises
    ------
    BadParameter
        If there is no corner, or one above Nyquist's frequency.
    BadData
        If the samples are not evenly spaced.
    """
    from scipy.signal import butter, sosfiltfilt

    step = usual_step(time)
    corners, kind = _corners(low, high, 0.5 / step)
    sections = butter(order, corners, kind, fs=1 / step, output="sos")
    least = 3 * (2 * len(sections) + 1) + 1
    found, edge = np.full(values.shape, np.nan), np.ones(len(time), bool)
    for begin, stop in even_stretches(time, values, step):
        if stop - begin > least:
            found[begin:stop] = sosfiltfilt(sections, values[begin:stop].astype(float), axis=0)
            near = int(np.ceil(2 / (low or high) / step))
            edge[begin + near : max(stop - near, begin + near)] = False
    return Filtered(found, edge)


def boxcar(time: Array, values: Array, cadence: float) -> tuple[Array, Array, Array]:
    """Give means over bins of `cadence` seconds that are anchored to 1970.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted.
    values : array, shape (t,) or (t, c)
        NaN is left out of the means.

    Returns
    -------
    centre : array of datetime64[ns], shape (k,)
        Of the bins that hold samples; a bin without any is left out.
    mean : array, shape (k,) or (k, c)
        NaN where all samples are missing.
    count : array of int, shape (k,)
        Samples that have all components.

    Examples
    --------
    >>> time = np.array([0, 1, 2, 3, 10], "datetime64[s]")
    >>> [one.tolist() for one in boxcar(time, np.array([1.0, 3, 5, np.nan, 9]), 4.0)[1:]]
    [[3.0, 9.0], [3, 1]]
    """
    length = _length(cadence)
    numbers = nanoseconds(time) // length
    first = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]])) if len(time) else np.zeros(0, int)
    there = np.isfinite(values)
    centre = (numbers[first] * length + length // 2).astype("datetime64[ns]")
    if not len(time):
        return centre, np.zeros(values.shape), np.zeros(0, int)
    many = np.add.reduceat(there.astype(int), first, axis=0)
    total = np.add.reduceat(np.where(there, values, 0.0), first, axis=0)
    whole = there if values.ndim == 1 else there.all(1)
    mean = np.divide(total, many, out=np.full(total.shape, np.nan), where=many > 0)
    return centre, mean, np.add.reduceat(whole.astype(int), first)


def interpolated(time: Array, values: Array, at: Array, largest: float) -> Array:
    """Interpolate linearly between samples that are at most `largest` seconds apart.

    A missing value is as if its sample were not there, each component by itself. Outside the series and inside longer
    gaps the answer is NaN; at a sample it is the sample.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted.
    values : array, shape (t,) or (t, c)
        NaN is a missing value.
    at : array of datetime64[ns], shape (k,)
        Where.
    """
    columns = columns_of(values)
    found = [_interpolated(nanoseconds(time), one, nanoseconds(at), largest) for one in columns.T]
    return np.stack(found, axis=1).reshape(len(at), *values.shape[1:])


def even_times(time: Array, cadence: float) -> Array:
    """Give the times between the first and the last sample that are multiples of `cadence` seconds since 1970."""
    length, ns = _length(cadence), nanoseconds(time)
    numbers = np.arange(-(-ns[0] // length), ns[-1] // length + 1) if len(ns) else np.zeros(0, np.int64)
    return np.asarray((numbers * length).astype("datetime64[ns]"))


def running(time: Array, values: Array, window: float, what: Literal["mean", "median"] = "mean") -> Array:
    """Give the mean or median over a centred window of time, of what is there; any sampling, O(t log w).

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted.
    values : array, shape (t,) or (t, c)
        NaN is left out; where a window holds nothing else the answer is NaN.
    window : float
        s; a sample at either end is in.
    """
    import pandas as pd

    index = pd.DatetimeIndex(np.asarray(time).astype("datetime64[ns]"))
    frame = pd.DataFrame(columns_of(values).astype(float), index=index)
    rolling = frame.rolling(pd.Timedelta(_length(window), "ns"), min_periods=1, center=True, closed="both")
    found = rolling.mean() if what == "mean" else rolling.median()
    return np.asarray(found.to_numpy().reshape(values.shape))


def spikes(time: Array, values: Array, window: float, threshold: float = 3.0) -> Array:
    """Find spikes as Hampel did: further than `threshold` sigma from the median of the window around (Pearson 2002).

    Sigma is 1.4826 times the median of the absolute differences from that median (doi:10.1109/87.974338). Where it is
    zero, any value off the median is a spike.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted; any sampling.
    values : array, shape (t,) or (t, c)
        NaN is left out and never a spike.
    window : float
        Length of the centred window, s; it must hold three samples or more to tell a spike.

    Returns
    -------
    array of bool, shape of `values`
    """
    ns, half = nanoseconds(time), _length(window) // 2
    first, stop = np.searchsorted(ns, ns - half), np.searchsorted(ns, ns + half, side="right")
    columns = columns_of(values).astype(float)
    found = [_spikes(one, first, stop, threshold) for one in columns.T]
    return np.stack(found, axis=1).reshape(values.shape)


def _corners(low: float, high: float, nyquist: float) -> tuple[float | list[float], str]:
    band = low > 0 and high > 0
    if (not low > 0 and not high > 0) or max(low, high) >= nyquist or (band and low >= high):
        problem = (
            f"there is no filter from {low:g} to {high:g} Hz for samples with a Nyquist frequency of {nyquist:g} Hz"
        )
        raise BadParameter(problem, "give corners above 0, rising, and below Nyquist's frequency")
    if band:
        return [low, high], "bandpass"
    return (low, "highpass") if low > 0 else (high, "lowpass")


def _length(seconds: float) -> int:
    if not seconds >= 1e-9:
        raise BadParameter(f"{seconds:g} s is no length of time", "give seconds above 0")
    return round(seconds * 1e9)


def _interpolated(ns: Array, values: Array, at: Array, largest: float) -> Array:
    there = np.isfinite(values)
    ns, values = ns[there], values[there]
    if not ns.size:
        return np.full(at.shape, np.nan)
    after = np.clip(np.searchsorted(ns, at), 1, max(ns.size - 1, 1)) if ns.size > 1 else np.zeros(at.shape, int)
    before = np.maximum(after - 1, 0)
    span = ns[after] - ns[before]
    part = np.divide(at - ns[before], span, out=np.zeros(at.shape), where=span > 0)
    line = values[before] + part * (values[after] - values[before])
    inside = (at >= ns[before]) & (at <= ns[after]) & (span <= largest * 1e9)
    exact = np.where(at == ns[before], values[before], np.where(at == ns[after], values[after], np.nan))
    return np.where(np.isfinite(exact), exact, np.where(inside, line, np.nan))


def _spikes(values: Array, first: Array, stop: Array, threshold: float) -> Array:
    found = np.zeros(len(values), bool)
    widest = int((stop - first).max(initial=1))
    portion = max(1, _PORTION // widest)
    for begin in range(0, len(values), portion):
        part = slice(begin, begin + portion)
        numbers = first[part, None] + np.arange(widest)
        rows = np.where(numbers < stop[part, None], values[np.minimum(numbers, len(values) - 1)], np.nan)
        centre, many = _median(rows)
        sigma = MAD_TO_SIGMA * _median(np.abs(rows - centre[:, None]))[0]
        with np.errstate(invalid="ignore"):
            found[part] = (many >= 3) & (np.abs(values[part] - centre) > threshold * sigma)
    return found


def _median(rows: Array) -> tuple[Array, Array]:
    """Give the median of each row without its NaNs, and how many numbers it has."""
    ordered = np.sort(rows, axis=1)
    many = np.isfinite(rows).sum(1)
    number = np.arange(len(rows))
    low, high = np.maximum((many - 1) // 2, 0), np.minimum(many // 2, rows.shape[1] - 1)
    return np.asarray((ordered[number, low] + ordered[number, high]) / 2), many
