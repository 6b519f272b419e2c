"""Positions that names of sources tell, and how far they are from a place."""

import re
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: Hours, minutes, seconds and degrees, minutes, seconds, with or without the dots of the seconds.
_NAME: Final = re.compile(r".*?J(\d\d)(\d\d)(\d\d)\.?(\d*)([+-])(\d\d)(\d\d)(\d\d)\.?(\d*)")


def of_designations(names: Array) -> tuple[Array, Array]:
    """Read right ascension and declination in degrees out of names; NaN where a name tells none.

    Names of 2MASS, AllWISE and other lists that the IAU's rules made: ``J16271848-2429059``.

    Examples
    --------
    >>> ra, dec = of_designations(np.array(["2MASS J16271848-2429059", "Vega"], object))
    >>> ra.round(4).tolist(), dec.round(4).tolist()
    ([246.827, nan], [-24.485, nan])
    """
    told = np.array([_position(str(one)) for one in names], float).reshape(-1, 2)
    return told[:, 0], told[:, 1]


def apart(ra: Array, dec: Array, other_ra: float, other_dec: float) -> Array:
    """Give how far sources are from a place on the sky, all in degrees.

    Examples
    --------
    >>> apart(np.array([10.0]), np.array([60.0]), 12.0, 60.0).round(3).tolist()
    [1.0]
    """
    longitude, latitude = np.radians(ra - other_ra), np.radians(dec)
    there = np.radians(other_dec)
    half = np.sin((latitude - there) / 2) ** 2 + np.cos(latitude) * np.cos(there) * np.sin(longitude / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.minimum(half, 1.0)))))


def _position(name: str) -> tuple[float, float]:
    found = _NAME.fullmatch(name.strip())
    if not found:
        return np.nan, np.nan
    hours, minutes, seconds, part, sign, degrees, arcminutes, arcseconds, rest = found.groups()
    ra = 15 * (int(hours) + int(minutes) / 60 + float(f"{seconds}.{part or 0}") / 3600)
    dec = int(degrees) + int(arcminutes) / 60 + float(f"{arcseconds}.{rest or 0}") / 3600
    return ra, -dec if sign == "-" else dec
