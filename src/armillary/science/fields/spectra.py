"""Power spectra of series: short-time Fourier transform and Welch's mean, one-sided densities in units^2/Hz."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from armillary.errors import BadData
from armillary.science.fields.windows import Windows, columns_of, lay
from armillary.science.plasma import Array

Detrend = Literal["none", "constant", "linear"]
#: Tapers that scipy knows by name; all are periodic, as a spectrum needs them.
TAPERS: Final = ("hann", "hamming", "blackman", "boxcar")
DETRENDS: Final = ("none", "constant", "linear")


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Spectra of windows.

    Parameters
    ----------
    time : array of datetime64[ns], shape (k,)
        Centres of the windows.
    frequency : array, shape (f,)
        Hz.
    density : array, shape (k, f) or (k, f, c)
        One-sided power spectral density, units^2/Hz; NaN where a window is not complete.
    """

    time: Array
    frequency: Array
    density: Array


def spectrogram(
    time: Array, values: Array, window: float, overlap: float = 0.5, taper: str = "hann", detrend: Detrend = "constant"
) -> Spectra:
    """Transform a series window by window.

    ``P_k = 2 |sum_n w_n x_n exp(-2 pi i k n / N)|^2 / (rate sum_n w_n^2)``, without the 2 at zero and at Nyquist's
    frequency (Press et al., Numerical Recipes, 13.4). Parseval: ``sum_k P_k df = sum_n (w_n x_n)^2 / sum_n w_n^2``.

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        Sorted.
    values : array, shape (t,) or (t, c)
        Any units; NaN is a missing value.
    window : float
        Length of a window, s. Window number k begins k strides after 1970.
    overlap : float
        Part of a window that the next one covers too, 0 to less than 1.
    taper : str
        One of `TAPERS`.
    detrend : str
        What is taken away from each window before: nothing, its mean, or a line.

    Raises
    ------
    BadParameter
        If a window has fewer than 8 samples.
    BadData
        If the samples are not evenly spaced.

    Notes
    -----
    O(t log N / (1 - overlap)); memory: the result and portions of a hundred thousand numbers.
    """
    laid = lay(time, values, window, (1 - overlap) * window)
    rows, weights = np.ascontiguousarray(columns_of(values).T, dtype=float), taper_of(taper, laid.size)
    density = np.full((laid.time.size, laid.size // 2 + 1, len(rows)), np.nan)
    factor = one_sided(laid, weights)
    for numbers, samples in laid.portions():
        transform = np.fft.rfft(detrended(rows[:, samples], detrend) * weights)
        density[numbers] = ((transform.real**2 + transform.imag**2) * factor).transpose(1, 2, 0)
    return Spectra(laid.time, laid.frequency, density if values.ndim > 1 else density[..., 0])


def trace(spectra: Spectra) -> Spectra:
    """Add the densities of the components of a vector; a scalar's stay as they are."""
    density = spectra.density if spectra.density.ndim == 2 else spectra.density.sum(2)
    return Spectra(spectra.time, spectra.frequency, density)


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """Welch's mean spectrum of an interval.

    Parameters
    ----------
    frequency : array, shape (f,)
        Hz.
    density : array, shape (f,) or (f, c)
        units^2/Hz.
    low, high : array, shape of `density`
        Bounds that hold the true density of Gaussian noise with 95 % probability.
    windows : int
        How many complete windows went in.
    """

    frequency: Array
    density: Array
    low: Array
    high: Array
    windows: int


def welch(
    time: Array, values: Array, window: float, overlap: float = 0.5, taper: str = "hann", detrend: Detrend = "constant"
) -> Mean:
    """Give the mean of the spectra of an interval's windows (Welch 1967, doi:10.1109/TAU.1967.1161901).

    The bounds are those of a chi-square with ``2 K / (1 + 2 sum_j (1 - j/K) c_j^2)`` degrees of freedom for K windows,
    where ``c_j`` is the overlap of the taper with itself j windows further (Percival and Walden 1993, eq. 292b).
    Parameters and errors are those of :func:`spectrogram`.

    Raises
    ------
    BadData
        Also if no window is complete.
    """
    found = spectrogram(time, values, window, overlap, taper, detrend)
    good = np.isfinite(found.density).reshape(len(found.time), -1).all(1)
    if not good.any():
        raise BadData(
            f"no window of {window:g} s is free of gaps and missing values",
            "give a shorter window or a longer interval",
        )
    density = found.density[good].mean(0)
    low, high = _bounds(int(good.sum()), 2 * (len(found.frequency) - 1), overlap, taper)
    return Mean(found.frequency, density, density * low, density * high, int(good.sum()))


def taper_of(name: str, size: int) -> Array:
    """Give the weights of a taper by its name."""
    from scipy.signal import get_window

    return np.asarray(get_window(name, size, fftbins=True))


def detrended(parts: Array, how: Detrend) -> Array:
    """Take the mean or a line away from windows, whose samples lie along the last axis."""
    if how == "none":
        return parts
    flat = np.asarray(parts - parts.mean(-1, keepdims=True))
    if how == "constant":
        return flat
    place = np.arange(parts.shape[-1]) - (parts.shape[-1] - 1) / 2
    return np.asarray(flat - place * ((flat @ place) / (place @ place))[..., None])


def one_sided(laid: Windows, weights: Array) -> Array:
    """Give the factor from squared transforms to a one-sided density, at each frequency."""
    factor = np.full(laid.size // 2 + 1, 2 * laid.step / (weights**2).sum())
    factor[0] /= 2
    if laid.size % 2 == 0:
        factor[-1] /= 2
    return factor


def _bounds(windows: int, size: int, overlap: float, taper: str) -> tuple[float, float]:
    from scipy.stats import chi2

    weights = taper_of(taper, size)
    shift = max(1, round((1 - overlap) * size))
    alike = [float(weights[j * shift :] @ weights[: size - j * shift]) for j in range(1, -(-size // shift))]
    spread = [(1 - j / windows) * (one / (weights @ weights)) ** 2 for j, one in enumerate(alike, 1) if j < windows]
    freedom = 2 * windows / (1 + 2 * sum(spread))
    return float(freedom / chi2.ppf(0.975, freedom)), float(freedom / chi2.ppf(0.025, freedom))
