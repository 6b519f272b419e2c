"""Interstellar extinction by law, and light freed from it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias

import numpy as np

from armillary.errors import BadParameter
from armillary.science.photometry import light
from armillary.science.photometry.bands import BANDS, Band, bands
from armillary.science.photometry.seds import PER_MAGNITUDE, Seds
from armillary.science.plasma import Array, Numbers

Law: TypeAlias = Literal["gordon23", "fitzpatrick99", "ccm89", "wang19"]
#: Shortest and longest wavelength (um) that the authors of each law give it for.
RANGES: Final = {
    "gordon23": (0.33, 32.0),
    "fitzpatrick99": (0.3, 3.33),
    "ccm89": (0.303, 3.33),
    "wang19": (0.3, 3.33),
}


def law(wavelength: Numbers, name: Law = "gordon23", r_v: float = 3.1) -> Array:
    """Give ``A(lambda) / A(V)`` at wavelengths in micrometres.

    Parameters
    ----------
    wavelength : array
        Micrometres; NaN comes back outside of what the law is for.
    name : {"gordon23", "fitzpatrick99", "ccm89", "wang19"}
        Gordon et al. (2023), doi:10.3847/1538-4357/accb59, equations of table 3 and 4, with its silicate bands;
        Fitzpatrick (1999), doi:10.1086/316293, a natural cubic spline; Cardelli, Clayton and Mathis (1989),
        doi:10.1086/167900; Wang and Chen (2019), doi:10.3847/1538-4357/ab1c61, equations 9 and 10 (R_V 3.1 only).
    r_v : float
        Between 2.3 and 5.6.

    Notes
    -----
    The last three end at 3.33 um. Beyond it the curve of Gordon goes on, scaled to meet each of them there.

    Examples
    --------
    >>> law([0.55, 2.16, 11.6]).round(3).tolist()
    [0.999, 0.106, 0.043]
    """
    place = np.asarray(wavelength, float)
    if name not in RANGES:
        raise BadParameter(f"no extinction law is called {name!r}", f"use one of {', '.join(RANGES)}")
    if not 2.3 <= r_v <= 5.6 or (name == "wang19" and r_v != 3.1):
        raise BadParameter(f"{name} is not for R_V {r_v:g}", "use 2.3 to 5.6, and 3.1 with wang19")
    if name == "gordon23":
        found = _gordon(place, r_v)
    else:
        formula = {"fitzpatrick99": _fitzpatrick, "ccm89": light.extinction, "wang19": _wang}[name]
        end = RANGES[name][1]
        near = formula(np.minimum(place, end), r_v)
        far = _gordon(np.maximum(place, end), r_v) / _gordon(np.array(end), r_v) * formula(np.array(end), r_v)
        found = np.where(place <= end, near, far)
    return np.where((place >= RANGES[name][0]) & (place <= 32.0), found, np.nan)


def extinction(of: str | Sequence[str | Band] = BANDS, name: Law = "gordon23", r_v: float = 3.1) -> Array:
    """Give ``A(band) / A(V)`` at the pivot wavelengths of bands.

    Notes
    -----
    At one wavelength. Gaia's bands are so broad that theirs depends on the source as well: behind much dust, or for a
    cool star, A_G / A_V is smaller (0.84 for the Sun, near 0.7 at 3500 K).
    """
    return law(np.array([band.pivot for band in bands(of)]), name, r_v)


def deredden(
    seds: Seds, a_v: Numbers, *, name: Law = "gordon23", r_v: float = 3.1, a_v_error: Numbers | None = None
) -> Seds:
    """Give the fluxes as they would be without dust.

    Parameters
    ----------
    seds : Seds
    a_v : float or array, shape (n,)
        Magnitudes; NaN makes the row unknown.
    name : str
        The law, see `law`.
    r_v : float
    a_v_error : float or array, optional
        Is added to the errors of the fluxes; it is common to the bands of a source.
    """
    amount = np.broadcast_to(np.asarray(a_v, float), (len(seds),))
    if (amount < 0).any():
        raise BadParameter(f"A_V is below zero in {int((amount < 0).sum())} rows", "set it to 0 or NaN there")
    curve = extinction(seds.bands, name, r_v)
    gain = np.exp(PER_MAGNITUDE * amount[:, None] * curve)
    extra = 0.0 if a_v_error is None else PER_MAGNITUDE * curve * np.broadcast_to(a_v_error, amount.shape)[:, None]
    parts = {}
    for one in ("f_nu", "f_lambda", "power"):
        flux = getattr(seds, one) * gain
        parts[one] = flux
        parts[f"{one}_error"] = np.hypot(getattr(seds, f"{one}_error") * gain, flux * extra)
    return replace(seds, **parts)


def _smooth(place: Array, low: float, high: float) -> Array:
    part = np.clip((place - low) / (high - low), 0, 1)
    return np.asarray(part**2 * (3 - 2 * part))


def _drude(x: Array, height: float, middle: float, width: Numbers) -> Array:
    share = (np.asarray(width) / middle) ** 2
    return np.asarray(height * share / ((x / middle - middle / x) ** 2 + share))


def _gordon(place: Array, r_v: float) -> Array:
    x = 1 / place
    near = np.stack([_gordon_optical(x, part) for part in _GORDON_OPTICAL])
    far = np.stack([_gordon_infrared(place), -1.01251 * place**-1.06099])
    weight = _smooth(place, 0.9, 1.1)
    middle, slope = near * (1 - weight) + far * weight
    # The published curve is 1.5 % below 1 at V; it is raised to be 1 there.
    return np.asarray((middle + slope * (1 / r_v - 1 / 3.1)) / 0.9854)


def _gordon_optical(x: Array, part: tuple[tuple[float, ...], ...]) -> Array:
    total = np.polynomial.polynomial.polyval(x, part[0])
    for bump in part[1:]:
        total = total + _drude(x, *bump)
    return np.asarray(total)


def _gordon_infrared(place: Array) -> Array:
    scale, first, second, turn, width = 0.38526, 1.68467, 0.78791, 4.30578, 4.78338
    weight = _smooth(place, turn - width / 2, turn + width / 2)
    steep, flat = scale * place**-first, scale * turn ** (second - first) * place**-second
    total = steep * (1 - weight) + flat * weight
    for height, middle, breadth, skew in ((0.06652, 9.8434, 2.21205, -0.24703), (0.0267, 19.58294, 17.0, -0.27)):
        total = total + _drude(place, height, middle, 2 * breadth / (1 + np.exp(skew * (place - middle))))
    return np.asarray(total)


def _fitzpatrick(place: Array, r_v: float = 3.1) -> Array:
    from scipy.interpolate import CubicSpline

    x = 1 / np.asarray(place, float)
    slope = -0.824 + 4.717 / r_v
    ultraviolet = 1 / np.array([0.27, 0.26])
    bump = 3.23 * ultraviolet**2 / ((ultraviolet**2 - 4.596**2) ** 2 + (0.99 * ultraviolet) ** 2)
    k_ultraviolet = 2.030 - 3.007 * slope + slope * ultraviolet + bump
    anchors = [0.0, *(1 / np.array([2.65, 1.22, 0.6, 0.547, 0.467, 0.411])), *ultraviolet]
    optical = [-0.426 + 1.0044 * r_v, -0.050 + 1.0016 * r_v, 0.701 + 1.0016 * r_v]
    blue = 1.208 + 1.0032 * r_v - 0.00033 * r_v**2
    heights = [0.0, 0.265 * r_v / 3.1, 0.829 * r_v / 3.1, *optical, blue, *(k_ultraviolet + r_v)]
    return np.asarray(CubicSpline(anchors, np.array(heights) / r_v, bc_type="natural")(x))


def _wang(place: Array, r_v: float = 3.1) -> Array:  # noqa: ARG001 - one signature for all laws
    x = 1 / np.asarray(place, float)
    optical = np.polynomial.polynomial.polyval(x - 1.82, _WANG)
    return np.where(x >= 1, optical, 0.3722 * x**2.07)


#: Coefficients of a polynomial in 1/lambda, then three bumps: height, place, width. First A/A_V at R_V 3.1, then slope.
_GORDON_OPTICAL: Final = (
    (
        (-0.35848, 0.7122, 0.08746, -0.05403, 0.00674),
        (0.03893, 2.288, 0.243),
        (0.02965, 2.054, 0.179),
        (0.01747, 1.587, 0.243),
    ),
    (
        (0.12354, -2.68335, 2.01901, -0.39299, 0.03355),
        (0.18453, 2.288, 0.243),
        (0.19728, 2.054, 0.179),
        (0.1713, 1.587, 0.243),
    ),
)
_WANG: Final = (1.0, 0.7499, -0.1086, -0.08909, 0.02905, 0.01069, 0.001707, -0.001002)
