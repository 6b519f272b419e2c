"""Where the Earth's magnetopause and bow shock are, as functions of the solar wind; lengths in Earth radii."""

from typing import Final

import numpy as np

from armillary.science.plasma import Array, Numbers

#: Ratio of specific heats and eccentricity that Farris and Russell (1994) and Farris et al. (1991) give.
_GAMMA: Final = 5 / 3
_ECCENTRICITY: Final = 0.81
#: Below this Mach number the shock would go to infinity.
_LEAST_MACH: Final = 1.3


def magnetopause_shape(pressure: Numbers, bz: Numbers) -> tuple[Array, Array]:
    """Give the standoff distance and the flaring of the magnetopause.

    Shue et al. (1998, J. Geophys. Res. 103, 17691, doi:10.1029/98JA01103), equations 10 and 11.

    Parameters
    ----------
    pressure : array
        Dynamic pressure of the solar wind, nPa.
    bz : array
        North component of its field in GSM, nT.

    Examples
    --------
    >>> standoff, flaring = magnetopause_shape(2.0, 0.0)
    >>> round(float(standoff), 2), round(float(flaring), 3)
    (10.25, 0.59)
    """
    pressure, bz = np.asarray(pressure, float), np.asarray(bz, float)
    standoff = (10.22 + 1.29 * np.tanh(0.184 * (bz + 8.14))) * pressure ** (-1 / 6.6)
    flaring = (0.58 - 0.007 * bz) * (1 + 0.024 * np.log(pressure))
    return standoff, flaring


def magnetopause_distance(cosine: Numbers, standoff: Numbers, flaring: Numbers) -> Array:
    """Give the distance of the magnetopause along a direction whose angle to the Sun has this cosine.

    Examples
    --------
    >>> float(magnetopause_distance(1.0, 10.0, 0.6))
    10.0
    """
    # The tail is open; a hair off the night axis the distance is already beyond all orbits.
    return np.asarray(standoff * (2 / np.maximum(1 + np.asarray(cosine), 1e-3)) ** flaring)


def bow_shock_standoff(magnetopause: Numbers, mach: Numbers) -> Array:
    """Give the standoff distance of the bow shock.

    Farris and Russell (1994, J. Geophys. Res. 99, 17681, doi:10.1029/94JA01020): it goes to infinity as the Mach number
    goes to 1.

    Parameters
    ----------
    magnetopause : array
        Standoff distance of the magnetopause.
    mach : array
        Fast magnetosonic Mach number of the solar wind.

    Examples
    --------
    >>> float(bow_shock_standoff(10.0, 6.0).round(2))
    13.06
    """
    square = np.maximum(mach, _LEAST_MACH) ** 2
    gap = ((_GAMMA - 1) * square + 2) / ((_GAMMA + 1) * (square - 1))
    return np.asarray(magnetopause * (1 + 1.1 * gap))


def bow_shock_distance(cosine: Numbers, standoff: Numbers) -> Array:
    """Give the distance of the bow shock along a direction whose angle to the Sun has this cosine.

    A conic of eccentricity 0.81 with the Earth in its focus (Farris et al. 1991, Geophys. Res. Lett. 18, 1821,
    doi:10.1029/91GL02090).
    """
    return np.asarray(standoff * (1 + _ECCENTRICITY) / (1 + _ECCENTRICITY * np.asarray(cosine)))


def normal(position: Array, slope: Array) -> Array:
    """Give the outward normal of a surface of revolution about the Sun-Earth line.

    Parameters
    ----------
    position : array, shape (n, 3)
        Points in the directions of interest, GSE.
    slope : array, shape (n,)
        ``d ln r / d cos(theta)`` of the surface there.

    Returns
    -------
    array, shape (n, 3)
        Unit vectors.
    """
    radial = position / np.linalg.norm(position, axis=-1, keepdims=True)
    cosine = radial[..., :1]
    toward = np.array([1.0, 0.0, 0.0]) - cosine * radial
    found = radial - slope[..., None] * toward
    return np.asarray(found / np.linalg.norm(found, axis=-1, keepdims=True))


def magnetopause_slope(cosine: Numbers, flaring: Numbers) -> Array:
    """Give ``d ln r / d cos(theta)`` of :func:`magnetopause_distance`."""
    return np.asarray(-flaring / np.maximum(1 + np.asarray(cosine), 1e-3))


def bow_shock_slope(cosine: Numbers) -> Array:
    """Give ``d ln r / d cos(theta)`` of :func:`bow_shock_distance`."""
    return np.asarray(-_ECCENTRICITY / (1 + _ECCENTRICITY * np.asarray(cosine)))
