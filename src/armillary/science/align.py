"""Values of one series at the times of another."""

from typing import Final

import numpy as np

from armillary.science.plasma import Array

#: A gap is what is longer than so many usual steps.
_GAP: Final = 3.0


def align(have: Array, values: Array, want: Array, largest_gap: float | None = None) -> Array:
    """Give values at other times, by straight lines between samples; NaN where there is no data around.

    Parameters
    ----------
    have, want : array of int64, shape (n,) and (t,)
        Nanoseconds, sorted.
    values : array, shape (n, ...)
        Samples with a NaN in them are left out.
    largest_gap : float, optional
        Seconds between two samples that are still joined; without it three times the usual step of `have`, and at least
        once the usual step of `want`. Up to half of that the first and last sample hold outside, and every sample holds
        around itself.

    Returns
    -------
    array, shape (t, ...)
        float64.

    Examples
    --------
    >>> seconds = np.array([0, 1, 2, 10]) * 10**9
    >>> align(seconds, np.array([0.0, 1.0, 2.0, 10.0]), np.array([5, 15, 60]) * 10**8).tolist()
    [0.5, 1.5, nan]
    """
    values = np.asarray(values, float)
    good = np.isfinite(values).all(tuple(range(1, values.ndim)))
    have, values = have[good], values[good]
    if not have.size:
        return np.full((len(want), *values.shape[1:]), np.nan)
    gap = largest_gap * 1e9 if largest_gap is not None else max(_GAP * _step(have), _step(want))
    right = np.clip(np.searchsorted(have, want), min(1, len(have) - 1), len(have) - 1)
    left = np.maximum(right - 1, 0)
    share = np.clip((want - have[left]) / np.maximum(have[right] - have[left], 1), 0, 1)
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    found = np.asarray(values[left] * (1 - share) + values[right] * share)
    found[_lonely(have, want, left, right, gap)] = np.nan
    return found


def _lonely(have: Array, want: Array, left: Array, right: Array, gap: float) -> Array:
    """Say which wanted times lie in a gap, or too far outside."""
    nearest = np.minimum(np.abs(want - have[left]), np.abs(want - have[right]))
    inside = (want >= have[left]) & (want <= have[right]) & (have[right] - have[left] <= gap)
    return np.asarray(~inside & (nearest > gap / 2))


def _step(ns: Array) -> float:
    return float(np.median(np.diff(ns))) if len(ns) > 1 else 1e9
