"""Spectral indices of young stars and the classes they make.

``alpha = d log(lambda F_lambda) / d log(lambda)`` between 2 and 25 micrometres (Lada 1987, IAU Symp. 115, 1). Build the
distribution with ``colour_correction="table"`` to have indices that compare with published ones.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadParameter
from armillary.science.photometry.seds import Seds
from armillary.science.plasma import Array

#: Lowest index of each class (Greene et al. 1994, doi:10.1086/174763).
CLASSES: Final = (("I", 0.3), ("flat", -0.3), ("II", -1.6), ("III", -np.inf))


class Index(NamedTuple):
    """Spectral indices of n sources.

    Parameters
    ----------
    alpha, error : array, shape (n,)
        NaN where it cannot be told: a band is missing or an upper limit.
    most, least : array, shape (n,)
        What an upper limit tells: alpha is at most, or at least, this; NaN elsewhere. No class follows from it.
    bands : array of int, shape (n,)
        How many bands were used.
    """

    alpha: Array
    error: Array
    most: Array
    least: Array
    bands: Array


def index_between(seds: Seds, blue: str = "Ks", red: str = "W4") -> Index:
    """Give the index between two bands, with its error.

    Examples
    --------
    >>> from armillary.science.photometry.seds import build
    >>> index_between(build(np.array([[10.0, 5.0]]), np.array([[0.02, 0.05]]), "Ks W4")).alpha.round(2).tolist()
    [-0.9]
    """
    one, other = seds.column(blue), seds.column(red)
    if not seds.wavelength[one] < seds.wavelength[other]:
        raise BadParameter(f"{blue} is not shorter than {red}", "give the shorter band first")
    span = np.log10(seds.wavelength[other] / seds.wavelength[one])
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = np.log10(seds.power[:, other] / seds.power[:, one]) / span
        relative = np.hypot(*(seds.power_error[:, at] / seds.power[:, at] for at in (one, other)))
    both = seds.measured[:, one] & seds.measured[:, other]
    high, low = (seds.limit[:, at] & seds.measured[:, mate] for at, mate in ((other, one), (one, other)))
    return Index(
        np.where(both, alpha, np.nan),
        np.where(both, relative / np.log(10) / span, np.nan),
        np.where(high, alpha, np.nan),
        np.where(low, alpha, np.nan),
        np.where(both, 2, 0),
    )


def index_fit(seds: Seds, bands: str | Sequence[str] = "Ks W1 W2 W3 W4", *, least: int = 3) -> Index:
    """Give the slope of a straight line through several bands in log-log, by least squares.

    Parameters
    ----------
    seds : Seds
    bands : names
    least : int
        Measured bands that are needed; 2 or more.

    Notes
    -----
    Weights are 1 / sigma^2 of log(lambda F_lambda); where no measured band of a source has an error all count alike,
    and the error comes from the scatter. A real distribution is no power law: the formal error is made larger by
    sqrt(chi^2 / degrees of freedom) where that is above 1. Upper limits are left out.
    """
    names = bands.split() if isinstance(bands, str) else bands
    if least < 2 or len(names) < least:
        raise BadParameter(f"a line through {least} of {len(names)} bands", "use two or more of the bands given")
    chosen = [seds.column(name) for name in names]
    used = seds.measured[:, chosen] & (seds.power[:, chosen] > 0)
    x = np.log10(seds.wavelength[chosen])
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(used, np.log10(seds.power[:, chosen]), 0.0)
        sigma = seds.power_error[:, chosen] / seds.power[:, chosen] / np.log(10)
        weighed = used & (sigma > 0)
        # A source without any error has equal weights; otherwise only bands with one count.
        blank = ~weighed.any(axis=1, keepdims=True)
        weight = np.where(weighed, 1 / sigma**2, np.where(blank & used, 1.0, 0.0))
        slope, error = _line(x, y, weight, blank[:, 0])
    count = (weight > 0).sum(axis=1)
    good = count >= least
    unknown = np.full(len(seds), np.nan)
    return Index(
        np.where(good, slope, np.nan), np.where(good, error, np.nan), unknown, unknown, np.where(good, count, 0)
    )


def _line(x: Array, y: Array, weight: Array, blank: Array) -> tuple[Array, Array]:
    total = weight.sum(axis=1)
    middle, height = weight @ x / total, (weight * y).sum(axis=1) / total
    away = x - middle[:, None]
    spread = (weight * away**2).sum(axis=1)
    slope = (weight * away * (y - height[:, None])).sum(axis=1) / spread
    rest = (weight * (y - height[:, None] - slope[:, None] * away) ** 2).sum(axis=1)
    freedom = (weight > 0).sum(axis=1) - 2
    scatter = np.where(freedom > 0, rest / np.maximum(freedom, 1), np.where(blank, np.nan, 1.0))
    return slope, np.sqrt(np.where(blank, scatter, np.maximum(scatter, 1.0)) / spread)


def classes(alpha: Array) -> Array:
    """Give the Lada class of indices: ``I``, ``flat``, ``II`` or ``III``; an empty string where there is no index.

    Examples
    --------
    >>> classes(np.array([0.5, 0.3, 0.0, -0.3, -1.0, -1.6, -2.5, np.nan])).tolist()
    ['I', 'I', 'flat', 'flat', 'II', 'II', 'III', '']
    """
    given = np.asarray(alpha, float)
    return np.select([given >= lowest for _, lowest in CLASSES], [name for name, _ in CLASSES], "")


def class_shares(index: Index) -> Array:
    """Give the share of each class of `CLASSES` if alpha has a normal error, shape (n, 4); NaN without an error."""
    from scipy.special import ndtr

    edges = np.array([lowest for _, lowest in CLASSES])
    with np.errstate(divide="ignore", invalid="ignore"):
        above = ndtr((index.alpha[:, None] - edges) / index.error[:, None])
    above[:, -1] = np.where(np.isfinite(index.alpha) & np.isfinite(index.error), 1.0, np.nan)
    return np.diff(above, axis=1, prepend=0.0)
