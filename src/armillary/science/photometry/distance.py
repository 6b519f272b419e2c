"""Distances: the zero point of Gaia's parallaxes, and what may be made of one parallax."""

from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.plasma import Array, Numbers

#: ``astrometric_params_solved`` of solutions with five and six parameters.
FIVE, SIX = 31, 95


class Distance(NamedTuple):
    """Distances of n sources in parsec, with the ends of their interval of 68 %; NaN where none was to be had."""

    pc: Array
    low: Array
    high: Array


def parallax_zero_point(
    g: Numbers, wavenumber: Numbers, pseudocolour: Numbers, ecliptic_latitude: Numbers, solution: Numbers
) -> Array:
    """Give the zero point of Gaia (E)DR3 parallaxes in mas: what is to be taken from the parallax.

    Parameters
    ----------
    g : array
        ``phot_g_mean_mag``.
    wavenumber : array
        ``nu_eff_used_in_astrometry``, 1/um; for solutions with five parameters.
    pseudocolour : array
        1/um; for solutions with six.
    ecliptic_latitude : array
        ``ecl_lat``, degrees.
    solution : array
        ``astrometric_params_solved``: 31 or 95; others give NaN.

    Notes
    -----
    Lindegren et al. (2021, A&A 649, A4, doi:10.1051/0004-6361/202039653), appendix A, tables 9 and 10. It is made for
    6 < G < 21, and wavenumbers of 1.1 to 1.9 (five) and 1.24 to 1.72 (six); outside of it NaN comes back.

    Examples
    --------
    >>> float(parallax_zero_point(15.0, 1.5, np.nan, 30.0, 31).round(4))
    -0.0371
    """
    shaped = np.broadcast_arrays(g, wavenumber, pseudocolour, ecliptic_latitude, solution)
    magnitude, wave, pseudo, latitude, kind = (np.asarray(one, float) for one in shaped)
    sine = np.sin(np.radians(latitude))
    found = np.full(magnitude.shape, np.nan)
    for which, colour, (low, high), table in (
        (FIVE, wave, (1.1, 1.9), _Z5),
        (SIX, pseudo, (1.24, 1.72), _Z6),
    ):
        inside = (colour >= low) & (colour <= high) & (magnitude >= 6) & (magnitude <= 21)
        found = np.where((kind == which) & inside, _zero_point(magnitude, colour, sine, table), found)
    return found * 1e-3


def invert(parallax: Array, error: Array, zero_point: Numbers = 0.0, *, least: float = 5.0) -> Distance:
    """Give distances as the inverse of good parallaxes; the others have none.

    Parameters
    ----------
    parallax, error, zero_point : array, shape (n,)
        mas; a zero point that is NaN counts as 0. A parallax whose error is 0 has no inverse.
    least : float
        Parallax over error that is needed. Below 5 the inverse is biased by more than 4 % and its interval is no longer
        even roughly right (Luri et al. 2018, doi:10.1051/0004-6361/201832964): use distances of Bailer-Jones there.

    Examples
    --------
    >>> invert(np.array([10.0, 0.5]), np.array([0.1, 0.4])).pc.tolist()
    [100.0, nan]
    """
    if least < 3:
        raise BadParameter(f"a parallax of {least:g} sigma is not to be inverted", "ask for 3 or more, 5 is usual")
    given, sigma = np.asarray(parallax, float) - np.nan_to_num(zero_point), np.asarray(error, float)
    if (sigma < 0).any():
        raise BadData(f"{int((sigma < 0).sum())} errors of parallaxes are below zero", "set them to NaN")
    with np.errstate(divide="ignore", invalid="ignore"):
        good = (given >= least * sigma) & (given > 0) & (sigma > 0)
        inverse = (np.where(good, 1000 / one, np.nan) for one in (given, given + sigma, given - sigma))
        return Distance(*inverse)


def bailer_jones(middle: Array, low: Array, high: Array) -> Distance:
    """Check the columns of Bailer-Jones et al. (2021): ``r_med``, ``r_lo``, ``r_hi`` (``_geo`` or ``_photogeo``), pc.

    Raises
    ------
    BadData
        If an interval does not hold its median, which columns in the wrong order or unit do not.
    """
    found = Distance(*(np.asarray(one, float) for one in (middle, low, high)))
    wrong = (found.low > found.pc) | (found.pc > found.high) | (found.low <= 0)
    if wrong.any():
        problem = (
            f"{int(wrong.sum())} distances do not lie in their interval, the first in row {np.flatnonzero(wrong)[0]}"
        )
        raise BadData(problem, "give r_med, r_lo, r_hi in this order, in pc")
    return found


def combined(first: Distance, second: Distance) -> Distance:
    """Take the second where the first has none."""
    known = np.isfinite(first.pc)
    return Distance(*(np.where(known, one, other) for one, other in zip(first, second, strict=True)))


def _zero_point(magnitude: Array, colour: Array, sine: Array, table: tuple[tuple[float, ...], ...]) -> Array:
    """Give microarcseconds: interpolated in G, times functions of colour and latitude."""
    of_colour, of_latitude = (np.array(one[1:], int) for one in table[:2])
    rows = np.array(table[2:])
    by_colour = np.stack(
        [
            np.ones_like(colour),
            np.clip(colour - 1.48, -0.24, 0.24),
            np.clip(1.48 - colour, 0, 0.24) ** 3,
            np.minimum(colour - 1.24, 0),
            np.maximum(colour - 1.72, 0),
        ]
    )
    by_latitude = np.stack([np.ones_like(sine), sine, sine**2 - 1 / 3])
    total = np.zeros(magnitude.shape)
    for column, (j, k) in enumerate(zip(of_colour, of_latitude, strict=True), 1):
        total = total + np.interp(magnitude, rows[:, 0], rows[:, column]) * by_colour[j] * by_latitude[k]
    return total


#: First which function of colour and of latitude each column goes with; then G and the coefficients.
_Z5: Final = (
    (0, 0, 0, 0, 1, 1, 2, 3, 4),
    (0, 0, 1, 2, 0, 1, 0, 0, 0),
    (6.0, -26.98, -9.62, 27.40, -25.1, -0.0, -1257, 0, 0),
    (10.8, -27.23, -3.07, 23.04, 35.3, 15.7, -1257, 0, 0),
    (11.2, -30.33, -9.23, 9.08, -88.4, -11.8, -1257, 0, 0),
    (11.8, -33.54, -10.08, 13.28, -126.7, 11.6, -1257, 0, 0),
    (12.2, -13.65, -0.07, 9.35, -111.4, 40.6, -1257, 0, 0),
    (12.9, -19.53, -1.64, 15.86, -66.8, 20.6, -1257, 0, 0),
    (13.1, -37.99, 2.63, 16.14, -5.7, 14.0, -1257, 107.9, 104.3),
    (15.9, -38.33, 5.61, 15.42, 0, 18.7, -1189, 243.8, 155.2),
    (16.1, -31.05, 2.83, 8.59, 0, 15.5, -1404, 105.5, 170.7),
    (17.5, -29.18, -0.09, 2.41, 0, 24.5, -1165, 189.7, 325.0),
    (19.0, -18.40, 5.98, -6.46, 0, 5.5, 0, 0, 276.6),
    (20.0, -12.65, -4.57, -7.46, 0, 97.9, 0, 0, 0),
    (21.0, -18.22, -15.24, -18.54, 0, 128.2, 0, 0, 0),
)
_Z6: Final = (
    (0, 0, 0, 0, 1, 1, 1, 2),
    (0, 0, 1, 2, 0, 1, 2, 0),
    (6.0, -27.85, -7.78, 27.47, -32.1, 14.4, 9.5, -67),
    (10.8, -28.91, -3.57, 22.92, 7.7, 12.6, 1.6, -572),
    (11.2, -26.72, -8.74, 9.36, -30.3, 5.6, 17.2, -1104),
    (11.8, -29.04, -9.69, 13.63, -49.4, 36.3, 17.7, -1129),
    (12.2, -12.39, -2.16, 10.23, -92.6, 19.8, 27.6, -365),
    (12.9, -18.99, -1.93, 15.90, -57.2, -8.0, 19.9, -554),
    (13.1, -38.29, 2.59, 16.20, -10.5, 1.4, 0.4, -960),
    (15.9, -36.83, 4.20, 15.76, 22.3, 11.1, 10.0, -1367),
    (16.1, -28.37, 1.99, 9.28, 50.4, 17.2, 13.7, -1351),
    (17.5, -24.68, -1.37, 3.52, 86.8, 19.8, 21.3, -1380),
    (19.0, -15.32, 4.01, -6.03, 29.2, 14.1, 0.4, -563),
    (20.0, -13.73, -10.92, -8.30, -74.4, 196.4, -42.0, 536),
    (21.0, -29.53, -20.34, -18.74, -39.5, 326.8, -262.3, 1598),
)
