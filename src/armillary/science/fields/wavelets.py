"""Morlet wavelets after Torrence and Compo (1998, Bull. Am. Meteorol. Soc. 79, 61; below TC98)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.plasma import Array

#: Wave number of the mother wavelet; all constants below are for it (TC98, tables 1 and 2).
OMEGA_0: Final = 6.0
#: Value of the mother wavelet at zero.
PSI_0: Final = np.pi**-0.25
#: Reconstruction factor, decorrelation factor in time, and in scale.
C_DELTA: Final = 0.776
GAMMA: Final = 2.32
DELTA_J0: Final = 0.60
#: Period over scale: 4 pi / (w0 + sqrt(2 + w0^2)) = 1.033.
FOURIER_FACTOR: Final = 4 * np.pi / (OMEGA_0 + np.sqrt(2 + OMEGA_0**2))


@dataclass(frozen=True, slots=True, eq=False)
class Wavelet:
    """Wavelet transform of an evenly sampled series.

    Parameters
    ----------
    coefficients : array of complex, shape (j, t)
        ``W_n(s)`` in the units of the series; white noise of variance v has ``|W|^2 = v`` on average.
    scale, period : array, shape (j,)
        Seconds, rising.
    cone : array, shape (t,)
        Longest period that the ends of the series do not touch, s.
    step : float
        Seconds between samples.
    spacing : float
        Distance of two scales in powers of two.
    """

    coefficients: Array
    scale: Array
    period: Array
    cone: Array
    step: float
    spacing: float

    @property
    def power(self) -> Array:
        """``|W|^2``, the square of the series' units."""
        return np.asarray(self.coefficients.real**2 + self.coefficients.imag**2)

    @property
    def density(self) -> Array:
        """One-sided power spectral density ``2 dt |W|^2``, units^2/Hz; white noise comes out flat, as with Welch."""
        return 2 * self.step * self.power


def scales_of(shortest: float, longest: float, spacing: float) -> Array:
    """Give scales whose periods go from `shortest` to at most `longest`, `spacing` powers of two apart (TC98, eq. 9).

    Examples
    --------
    >>> (scales_of(2.0, 16.0, 1.0) * FOURIER_FACTOR).round(6).tolist()
    [2.0, 4.0, 8.0, 16.0]
    """
    if not 0 < shortest < longest or not 0 < spacing <= 1:
        raise BadParameter(
            f"there are no scales from {shortest:g} to {longest:g} s by {spacing:g} powers of two",
            "give 0 < shortest < longest and a spacing up to 1",
        )
    many = int(np.floor(np.log2(longest / shortest) / spacing + 1e-9)) + 1
    return np.asarray(shortest / FOURIER_FACTOR * 2.0 ** (spacing * np.arange(many)))


def morlet(values: Array, step: float, scale: Array, spacing: float = 0.125, thin: int = 1) -> Wavelet:
    """Transform an evenly sampled series without gaps (TC98, eqs. 4-6), padded with zeros.

    ``W_n(s) = sum_k x_k psi*(s w_k) exp(i w_k n dt)``, ``psi(s w) = sqrt(2 pi s / dt) pi^-1/4 exp(-(s w - 6)^2 / 2)``
    for w > 0. The mean is taken away first. The cone of influence is that of ``sqrt(2) s`` (TC98, table 1).

    Parameters
    ----------
    values : array, shape (t,)
        Finite.
    step : float
        Seconds between samples.
    scale : array, shape (j,)
        Seconds, e.g. from :func:`scales_of`.
    spacing : float
        Distance of the scales in powers of two, for sums over them.
    thin : int
        Keep the coefficients of every `thin`-th sample only.

    Raises
    ------
    BadData
        If values are missing or fewer than 4.

    Notes
    -----
    O(j t log t); memory: the coefficients and four transforms.
    """
    if values.ndim != 1 or len(values) < 4 or not np.isfinite(values).all():
        raise BadData(
            "a wavelet needs a series of at least 4 numbers, none missing", "transform each stretch by itself"
        )
    count = len(values)
    padded = _fast_length(count + _reach(scale, step, count))
    transform = np.fft.fft(values - values.mean(), padded)
    omega = 2 * np.pi * np.fft.fftfreq(padded, step)
    half = padded // 2 + 1
    found = np.empty((len(scale), -(-count // thin)), complex)
    product = np.zeros(padded, complex)
    for row, one in enumerate(scale):
        daughter = np.sqrt(2 * np.pi * one / step) * PSI_0 * np.exp(-((one * np.abs(omega[:half]) - OMEGA_0) ** 2) / 2)
        product[1:half] = transform[1:half] * daughter[1:]
        found[row] = np.fft.ifft(product)[:count:thin]
    edge = np.minimum(np.arange(count), np.arange(count)[::-1])[::thin]
    cone = FOURIER_FACTOR / np.sqrt(2) * step * edge
    return Wavelet(found, scale, scale * FOURIER_FACTOR, cone, step, spacing)


def reconstructed(found: Wavelet) -> Array:
    """Give the series back, without its mean, from its coefficients (TC98, eq. 11); shape (t,)."""
    factor = found.spacing * np.sqrt(found.step) / (C_DELTA * PSI_0)
    return np.asarray(factor * (found.coefficients.real / np.sqrt(found.scale)[:, None]).sum(0))


def scale_average(found: Wavelet, shortest: float, longest: float) -> Array:
    """Give the variance in a band of periods at each time (TC98, eq. 24), the square of the series' units."""
    band = (found.period >= shortest) & (found.period <= longest)
    if not band.any():
        raise BadParameter(f"no scale has a period from {shortest:g} to {longest:g} s", "give a wider band")
    factor = found.spacing * found.step / C_DELTA
    return np.asarray(factor * (found.power[band] / found.scale[band, None]).sum(0))


def lag_1(values: Array) -> float:
    """Give the lag-1 autocorrelation of red noise like these values: ``(a_1 + sqrt(a_2)) / 2`` (TC98, sec. 5).

    Raises
    ------
    BadData
        If they do not vary.
    """
    centred = values - values.mean()
    variance = float(centred @ centred)
    if len(values) < 4 or not variance > 0:
        raise BadData("a constant series has no autocorrelation", "ask for an interval in which it varies")
    one, two = (float(centred[:-lag] @ centred[lag:]) / variance for lag in (1, 2))
    return float(np.clip((one + np.sqrt(max(two, 0))) / 2, 0, 0.999999))


def red_noise(period: Array, step: float, lag: float) -> Array:
    """Give the spectrum of red noise of variance 1 (TC98, eq. 16): its mean over frequencies is 1.

    Examples
    --------
    >>> red_noise(np.array([2.0, 10.0]), 1.0, 0.0).tolist()
    [1.0, 1.0]
    """
    return np.asarray((1 - lag**2) / (1 + lag**2 - 2 * lag * np.cos(2 * np.pi * step / period)))


def significance(found: Wavelet, variance: float, lag: float, level: float = 0.95) -> Array:
    """Give the power that red noise exceeds with probability ``1 - level``, at each period (TC98, eq. 18); shape (j,).

    Examples
    --------
    White noise exceeds 2.996 times its variance in one case of twenty:

    >>> scale = scales_of(2.0, 16.0, 0.5)
    >>> float(significance(morlet(np.arange(64.0) % 3, 1.0, scale), 1.0, 0.0)[0].round(3))
    2.996
    """
    from scipy.stats import chi2

    return np.asarray(variance * red_noise(found.period, found.step, lag) * chi2.ppf(level, 2) / 2)


def global_spectrum(found: Wavelet) -> Array:
    """Give the mean of the power over all times (TC98, eq. 22); shape (j,)."""
    return np.asarray(found.power.mean(1))


def global_significance(
    found: Wavelet, variance: float, lag: float, level: float = 0.95, count: int | None = None
) -> Array:
    """Give the global power that red noise exceeds with probability ``1 - level`` (TC98, eq. 23); shape (j,).

    `count` is the number of samples if the coefficients were thinned.
    """
    from scipy.stats import chi2

    number = np.maximum((count or found.coefficients.shape[1]) - found.scale / found.step, 1)
    freedom = np.maximum(2 * np.sqrt(1 + (number * found.step / (GAMMA * found.scale)) ** 2), 2)
    return np.asarray(variance * red_noise(found.period, found.step, lag) * chi2.ppf(level, freedom) / freedom)


def _reach(scale: Array, step: float, count: int) -> int:
    """Give the samples of padding that keep the far end out: four widths of the longest wavelet, or the series."""
    return int(min(np.ceil(4 * float(np.max(scale)) / step), count))


def _fast_length(count: int) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(count))
