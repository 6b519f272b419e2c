"""Wavelet power of series with gaps, against red noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.fields import wavelets
from armillary.science.fields.windows import columns_of, even_stretches, usual_step
from armillary.science.plasma import Array

#: Samples that a stretch must have at least.
_SHORTEST: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Scalogram:
    """Wavelet power of a series.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Times that are kept; samples in too short stretches and missing ones have none.
    period : array, shape (j,)
        s, rising.
    density : array, shape (t, j)
        One-sided power spectral density, units^2/Hz, summed over components.
    limit : array, shape (j,)
        Density that red noise of the same variance and lag-1 autocorrelation exceeds with probability ``1 - level``.
        Of several components the sum of theirs, which the sum of independent powers exceeds less often than that.
    cone : array, shape (t,)
        Longest period that no end of a stretch touches, s.
    mean, mean_limit : array, shape (j,)
        Density averaged over all times of the longest stretch, and its limit.
    """

    time: Array
    period: Array
    density: Array
    limit: Array
    cone: Array
    mean: Array
    mean_limit: Array


def scalogram(
    time: Array, values: Array, scale: Array, spacing: float, thin: int = 1, level: float = 0.95
) -> Scalogram:
    """Transform each stretch of a series that has no gap and no missing value by itself.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted, evenly spaced but for gaps.
    values : array, shape (t,) or (t, c)
        NaN is a missing value.
    scale, spacing, thin
        As in `armillary.science.fields.wavelets.morlet`.
    level : float
        0 to 1.

    Raises
    ------
    BadData
        If no stretch has 32 samples, or the longest does not vary.

    Notes
    -----
    O(j t log t); memory: the result and the coefficients of one component of one stretch.
    """
    columns, step = columns_of(values), usual_step(time)
    parts = [slice(*ends) for ends in even_stretches(time, columns, step) if ends[1] - ends[0] >= _SHORTEST]
    if not parts:
        raise BadData(
            f"no stretch of {_SHORTEST} samples is free of gaps and missing values",
            "ask for another interval, or resample the series first",
        )
    kept = np.concatenate([np.arange(part.start, part.stop, thin) for part in parts])
    density, cone, noise = np.zeros((len(kept), len(scale))), np.zeros(len(kept)), np.zeros((3, len(scale)))
    longest, begin = max(parts, key=_size), 0
    for part in parts:
        rows = slice(begin, begin + len(range(part.start, part.stop, thin)))
        for one in columns[part].T:
            found = wavelets.morlet(one, step, scale, spacing, thin)
            density[rows] += found.density.T
            if part is longest and one.var() > 0:
                noise += _levels(found, one, level)
        cone[rows], begin = found.cone, rows.stop
    if not noise.any():
        raise BadData("this series is constant: it has no spectrum", "ask for an interval in which it varies")
    return Scalogram(time[kept], scale * wavelets.FOURIER_FACTOR, density, noise[0], cone, noise[1], noise[2])


def _size(part: slice) -> int:
    return int(part.stop - part.start)


def _levels(found: wavelets.Wavelet, values: Array, level: float) -> Array:
    """Give the limit, the global spectrum and its limit of one component, as densities."""
    variance, lag = float(values.var()), wavelets.lag_1(values)
    levels = (
        wavelets.significance(found, variance, lag, level),
        wavelets.global_spectrum(found),
        wavelets.global_significance(found, variance, lag, level, len(values)),
    )
    return 2 * found.step * np.array(levels)
