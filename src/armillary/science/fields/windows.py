"""Windows of evenly sampled data, anchored to absolute time, none of which spans a gap."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.plasma import Array

#: Two samples further apart than this many usual steps have a gap between them.
GAP: Final = 1.5
#: A step may differ from the usual one by this part of it: time tags are rounded, clocks jitter.
JITTER: Final = 0.3
#: Windows are worked on in portions of about this many samples.
PORTION: Final = 1 << 15
_RESAMPLE: Final = "resample it first: ask for its `interpolated` product, or give `resample` seconds"


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Where the windows of a series lie.

    Parameters
    ----------
    time : array of datetime64[ns], shape (k,)
        Centres.
    first : array of int, shape (k,)
        Number of the first sample of each window.
    complete : array of bool, shape (k,)
        Whether all its samples are there, evenly spaced and finite.
    size : int
        Samples in a window.
    step : float
        Seconds between samples.
    """

    time: Array
    first: Array
    complete: Array
    size: int
    step: float

    @property
    def frequency(self) -> Array:
        """Frequencies of the Fourier transform of one window, Hz, from zero to Nyquist's."""
        return np.asarray(np.fft.rfftfreq(self.size, self.step))

    def portions(self) -> Iterator[tuple[Array, Array]]:
        """Give, in portions that fit memory, the numbers of complete windows and those of their samples (w, size)."""
        good = np.flatnonzero(self.complete)
        many = max(1, PORTION // self.size)
        for begin in range(0, good.size, many):
            part = good[begin : begin + many]
            yield part, self.first[part, None] + np.arange(self.size)


def usual_step(time: Array) -> float:
    """Give the usual time between two samples in seconds: the mean of the steps near the median.

    Its rate is rounded to five digits, so that pieces of one series agree although their clocks jitter.

    Raises
    ------
    BadData
        If there are fewer than two different times.

    Examples
    --------
    >>> usual_step(np.array([0, 125_000_100, 249_999_900], "datetime64[ns]"))
    0.125
    """
    steps = np.diff(nanoseconds(time))
    steps = steps[steps > 0]
    if not steps.size:
        raise BadData("a series of fewer than two times has no cadence", "ask for a longer interval")
    usual = steps[np.abs(steps / np.median(steps) - 1) < JITTER]
    mean = float(usual.mean()) if usual.size else float(np.median(steps))
    return 1 / float(f"{1e9 / mean:.5g}")


def stretches(time: Array, largest: float | None = None) -> tuple[Array, Array]:
    """Cut a series at its gaps.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted.
    largest : float, optional
        Longest time between two samples of one stretch, s; 1.5 usual steps if not given.

    Returns
    -------
    begin, stop : arrays of int
        Number of the first sample of each stretch, and of the one after its last.

    Examples
    --------
    >>> [one.tolist() for one in stretches(np.array([0, 1, 2, 9, 10], "datetime64[s]"))]
    [[0, 3], [3, 5]]
    """
    if len(time) < 2:
        return np.zeros(len(time), int), np.ones(len(time), int)
    limit = GAP * usual_step(time) if largest is None else largest
    breaks = np.flatnonzero(np.diff(nanoseconds(time)) > limit * 1e9) + 1
    return np.concatenate([[0], breaks]), np.concatenate([breaks, [len(time)]])


def lay(time: Array, values: Array, window: float, stride: float) -> Windows:
    """Lay windows over a series: number k covers ``[k stride, k stride + window)`` seconds since 1970.

    Windows that hold samples and whose centre lies between the first and the last are given. One that meets a gap, a
    missing value, or samples that are not evenly spaced is there, but not complete.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted.
    values : array, shape (t,) or (t, c)
        NaN is a missing value.
    window, stride : float
        Seconds.

    Raises
    ------
    BadParameter
        If a window has fewer than 8 samples or the stride less than one.
    BadData
        If most samples do not have the usual distance, or some have not and no window is complete.
    """
    step, ns = usual_step(time), nanoseconds(time)
    size = round(window / step)
    if size < 8 or stride < 0.5 * step:
        problem = f"windows of {window:g} s every {stride:g} s do not fit samples every {step:g} s"
        raise BadParameter(problem, f"give a window of {8 * step:.3g} s or more and a smaller overlap")
    uneven = _uneven(ns, step)
    begin = _begins(ns, time, round(window * 1e9), round(stride * 1e9))
    first = np.searchsorted(ns, begin)
    complete = _complete(ns, values, uneven, begin, first, size, step)
    if uneven.mean() > 0.1 and not complete.any():
        raise _not_even(step)
    return Windows((begin + round(window * 5e8)).astype("datetime64[ns]"), first, complete, size, step)


def even_stretches(time: Array, values: Array, step: float) -> list[tuple[int, int]]:
    """Give begin and stop of the stretches in which samples are `step` seconds apart and none is missing.

    Raises
    ------
    BadData
        If most samples have another distance.
    """
    uneven = _uneven(nanoseconds(time), step)
    there = np.asarray(np.isfinite(columns_of(values)).all(1))
    begins = np.flatnonzero(there & np.concatenate([[True], uneven | ~there[:-1]]))
    stops = np.flatnonzero(there & np.concatenate([uneven | ~there[1:], [True]])) + 1
    return list(zip(begins.tolist(), stops.tolist(), strict=True))


def columns_of(values: Array) -> Array:
    """Give numbers as vectors of one component, and vectors as they are: shape (t, c)."""
    return values[:, None] if values.ndim == 1 else values


def nanoseconds(time: Array) -> Array:
    """Give times as whole nanoseconds since 1970."""
    return np.asarray(time).astype("datetime64[ns]").astype(np.int64)


def _uneven(ns: Array, step: float) -> Array:
    """Say which samples are not followed by another one step later."""
    uneven = np.asarray(np.abs(np.diff(ns) / (step * 1e9) - 1) > JITTER)
    if np.count_nonzero(uneven) > 0.5 * uneven.size:
        raise _not_even(step)
    return uneven


def _not_even(step: float) -> BadData:
    return BadData(f"the samples are not evenly spaced: too few follow each other by {step:g} s", _RESAMPLE)


def _begins(ns: Array, time: Array, window: int, stride: int) -> Array:
    """Begins of the windows that hold samples; none lies wholly in a gap, however long that is."""
    begin, stop = stretches(time)
    low = (ns[begin] - window) // stride + 1
    high = ns[stop - 1] // stride
    low[1:] = np.maximum(low[1:], high[:-1] + 1)
    many = np.maximum(high - low + 1, 0)
    offsets = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    begins = (np.repeat(low, many) + offsets) * stride
    centre = begins + window // 2
    return np.asarray(begins[(centre >= ns[0]) & (centre <= ns[-1])])


def _complete(ns: Array, values: Array, uneven: Array, begin: Array, first: Array, size: int, step: float) -> Array:
    last = np.minimum(first + size - 1, len(ns) - 1)
    missing = ~np.isfinite(columns_of(values)).all(1)
    holes, breaks = (np.concatenate([[0], np.cumsum(one)]) for one in (missing, uneven))
    start = np.minimum(first, len(ns) - 1)
    drift = np.abs(ns[last] - ns[start] - (size - 1) * step * 1e9)
    late = ns[start] - begin
    whole = (first + size <= len(ns)) & (late < 1.5e9 * step) & (drift < 0.5e9 * step)
    return np.asarray(whole & (holes[last + 1] == holes[start]) & (breaks[last] == breaks[start]))
