"""Where the Sun is and how far the Earth has turned, from the short series that magnetospheric software shares.

Russell (1971, Cosmic Electrodynamics 2, 184, after G. D. Mead) with the aberration of light, as IDL SPEDAS
(``csundir_vect``) and geopack compute it: Newcomb's mean elements of the epoch 1900. Between 1901 and 2099 the
direction is within 0.01 degrees of a modern ephemeris and the sidereal time within 0.005 (UT1 is taken as UTC).
"""

from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.plasma import Array

_DAY: Final = 86_400_000_000_000
#: Days from 1900 January 0.5 (JD 2415020.0), the epoch of the series, to 1970 January 1.0.
_UNIX: Final = 25_567.5
_CENTURY: Final = 36_525.0
_AU: Final = 149_597_870.7


def nanoseconds(time: Array) -> Array:
    """Give times as int64 nanoseconds since 1970, from datetime64 of any unit or such integers.

    Raises
    ------
    BadData
        If one of them is not a time.

    Examples
    --------
    >>> nanoseconds(np.array(["1970-01-01T00:00:01"], "datetime64[s]"))
    array([1000000000])
    """
    given = np.asarray(time)
    ns = (given.astype("datetime64[ns]") if given.dtype.kind == "M" else given).astype(np.int64)
    if given.dtype.kind not in "Miu" or bool((ns == np.iinfo(np.int64).min).any()):
        raise BadData("a frame needs times, and one of these is none", "give datetime64 or integer nanoseconds of UTC")
    return np.asarray(ns)


def days_since_1900(time: Array) -> tuple[Array, Array]:
    """Give the days since 1900 January 0.5 and the part of the day that is over, both UTC."""
    whole, part = np.divmod(nanoseconds(time), _DAY)
    fraction = part / _DAY
    return whole + fraction + _UNIX, fraction


def obliquity(days: Array) -> Array:
    """Give the angle between ecliptic and equator in radians, `days` since 1900 January 0.5."""
    return np.asarray(np.radians(23.45229 - 0.0130125 * (days / _CENTURY)))


def sidereal_time(days: Array, fraction: Array) -> Array:
    """Give the mean sidereal time of Greenwich in radians.

    Parameters
    ----------
    days, fraction : array
        As `days_since_1900` gives them.
    """
    return np.asarray(np.radians(np.mod(279.690983 + 0.9856473354 * days + 360.0 * fraction + 180.0, 360.0)))


def longitude(days: Array) -> Array:
    """Give the Sun's apparent longitude along the ecliptic of date in radians, `days` since 1900 January 0.5."""
    century = days / _CENTURY
    anomaly = _anomaly(days)
    centre = (1.91946 - 0.004789 * century) * np.sin(anomaly) + 0.020094 * np.sin(2 * anomaly)
    aberration = 0.005686 - 0.025e-4 * century
    return np.asarray(np.radians(np.mod(279.696678 + 0.9856473354 * days, 360.0) + centre - aberration))


def distance(days: Array) -> Array:
    """Give the distance of the Sun in km, `days` since 1900 January 0.5.

    The two terms of the Astronomical Almanac's low precision formulas (section C), good to 0.0003 au.
    """
    anomaly = _anomaly(days)
    return np.asarray(_AU * (1.00014 - 0.01671 * np.cos(anomaly) - 0.00014 * np.cos(2 * anomaly)))


def _anomaly(days: Array) -> Array:
    return np.asarray(np.radians(np.mod(358.475845 + 0.985600267 * days, 360.0)))
