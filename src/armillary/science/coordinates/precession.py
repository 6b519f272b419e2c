"""How the equator and the equinox of date move away from those of the epoch J2000.0."""

from typing import Final

import numpy as np

from armillary.science.coordinates.sun import days_since_1900
from armillary.science.plasma import Array

#: 2000 January 1.5 in days since 1900 January 0.5.
_J2000: Final = 36_525.0
_CENTURY: Final = 36_525.0
#: The largest terms of the IAU 1980 theory of nutation (Seidelmann 1982, Celest. Mech. 27, 79, table I): multiples of
#: l, l', F, D, Omega; in longitude and obliquity, 0.0001 arc seconds and the same a century.
_NUTATION: Final = np.array(
    [
        [0, 0, 0, 0, 1, -171996, -174.2, 92025, 8.9],
        [0, 0, 2, -2, 2, -13187, -1.6, 5736, -3.1],
        [0, 0, 2, 0, 2, -2274, -0.2, 977, -0.5],
        [0, 0, 0, 0, 2, 2062, 0.2, -895, 0.5],
        [0, 1, 0, 0, 0, 1426, -3.4, 54, -0.1],
        [1, 0, 0, 0, 0, 712, 0.1, -7, 0.0],
        [0, 1, 2, -2, 2, -517, 1.2, 224, -0.6],
        [0, 0, 2, 0, 1, -386, -0.4, 200, 0.0],
        [1, 0, 2, 0, 2, -301, 0.0, 129, -0.1],
        [0, -1, 2, -2, 2, 217, -0.5, -95, 0.3],
        [1, 0, 0, -2, 0, -158, 0.0, -1, 0.0],
        [0, 0, 2, -2, 1, 129, 0.1, -70, 0.0],
        [-1, 0, 2, 0, 2, 123, 0.0, -53, 0.0],
    ]
)
#: l, l', F, D, Omega at J2000.0 in degrees and their rates a century (van Flandern 1981, in the same table).
_ARGUMENTS: Final = np.array(
    [
        [134.96298, 477198.867398],
        [357.52772, 35999.050340],
        [93.27191, 483202.017538],
        [297.85036, 445267.111480],
        [125.04452, -1934.136261],
    ]
)


def mean_of_date(time: Array) -> Array:
    """Give the matrices that turn vectors of J2000.0 into the mean equator and equinox of date.

    The IAU 1976 precession (Lieske et al. 1977, Astron. Astrophys. 58, 1), of which Hapgood (1995) keeps two terms.

    Parameters
    ----------
    time : array, shape (t,)
        UTC; the minute to Terrestrial Time is 1e-8 degrees.

    Returns
    -------
    array, shape (t, 3, 3)
    """
    t = _centuries(time)
    zeta, z, theta = (
        np.radians((a * t + b * t**2 + c * t**3) / 3600)
        for a, b, c in (
            (2306.2181, 0.30188, 0.017998),
            (2306.2181, 1.09468, 0.018203),
            (2004.3109, -0.42665, -0.041833),
        )
    )
    return np.asarray(about_z(-z) @ _about_y(theta) @ about_z(-zeta))


def true_of_mean(time: Array) -> Array:
    """Give the matrices that turn vectors of the mean equator and equinox of date into the true ones.

    Thirteen terms of the IAU 1980 nutation; what is left out is below 0.1 arc seconds.
    """
    t = _centuries(time)
    angles = np.radians(_ARGUMENTS[:, :1] + _ARGUMENTS[:, 1:] * t)
    longitude, oblique = _nutation(angles, t)
    mean = np.radians((84381.448 - 46.8150 * t) / 3600)
    return np.asarray(_about_x(-(mean + oblique)) @ about_z(-longitude) @ _about_x(mean))


def about_z(angle: Array) -> Array:
    """Give the matrices of a turn of the axes about z, from x towards y, by `angle` in radians."""
    return _turn(angle, 0, 1)


def _nutation(angles: Array, t: Array) -> tuple[Array, Array]:
    argument = _NUTATION[:, :5] @ angles
    unit = np.radians(1e-4 / 3600)
    longitude = ((_NUTATION[:, 5, None] + _NUTATION[:, 6, None] * t) * np.sin(argument)).sum(0) * unit
    oblique = ((_NUTATION[:, 7, None] + _NUTATION[:, 8, None] * t) * np.cos(argument)).sum(0) * unit
    return longitude, oblique


def _centuries(time: Array) -> Array:
    return (days_since_1900(time)[0] - _J2000) / _CENTURY


def _about_x(angle: Array) -> Array:
    return _turn(angle, 1, 2)


def _about_y(angle: Array) -> Array:
    return _turn(angle, 2, 0)


def _turn(angle: Array, first: int, second: int) -> Array:
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.zeros((*np.shape(angle), 3, 3))
    matrix[..., 3 - first - second, 3 - first - second] = 1
    matrix[..., first, first] = matrix[..., second, second] = cosine
    matrix[..., first, second], matrix[..., second, first] = sine, -sine
    return matrix
