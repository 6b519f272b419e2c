"""Frames that hang on a place: RTN by the Sun's axis, LMN by a model of the magnetopause."""

from typing import Final

import numpy as np

from armillary.science import boundaries
from armillary.science.coordinates import sun
from armillary.science.coordinates.frames import matrices
from armillary.science.coordinates.precession import mean_of_date
from armillary.science.plasma import Array, Numbers

#: North pole of the Sun, right ascension and declination of J2000.0 in degrees (Archinal et al. 2018, Celest. Mech.
#: Dyn. Astron. 130, 22, table 1; the same in Franz and Harper 2002, Planet. Space Sci. 50, 217).
_POLE: Final = (286.13, 63.87)


def solar_pole() -> Array:
    """Give the unit vector along the Sun's axis in J2000.

    Examples
    --------
    >>> solar_pole().round(4)
    array([ 0.1224, -0.4231,  0.8978])
    """
    ascension, declination = np.radians(_POLE)
    flat = np.cos(declination)
    return np.array([flat * np.cos(ascension), flat * np.sin(ascension), np.sin(declination)])


def rtn_axes(position: Array, pole: Array) -> Array:
    """Give the axes R, T, N as rows.

    R points from the Sun to the spacecraft, T is the Sun's axis times R, N completes (Franz and Harper 2002, section
    3.2.5).

    Parameters
    ----------
    position : array, shape (t, 3)
        From the Sun to the spacecraft, any unit.
    pole : array, shape (3,) or (t, 3)
        Along the Sun's axis, in the same frame.

    Returns
    -------
    array, shape (t, 3, 3)
        ``rtn = matrix @ vector``.

    Examples
    --------
    >>> rtn_axes(np.array([[1.0, 0.0, 0.0]]), np.array([0.0, 0.0, 1.0]))[0]
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    radial = _unit(np.asarray(position, float))
    tangential = _unit(np.cross(pole, radial))
    return np.stack([radial, tangential, np.cross(radial, tangential)], axis=-2)


def rtn_matrices(time: Array, frame: str, position: Array | None = None) -> Array:
    """Give the matrices that turn vectors of a geocentric frame into RTN.

    Parameters
    ----------
    time : array, shape (t,)
        UTC.
    frame : str
        One of `armillary.science.coordinates.frames.FRAMES`.
    position : array, shape (t, 3), optional
        Of the spacecraft from the Earth, km, in `frame`; without it the Earth's centre, which near L1 is up to 0.2
        degrees off.

    Returns
    -------
    array, shape (t, 3, 3)
    """
    time = np.atleast_1d(sun.nanoseconds(time))
    to_gei = matrices(time, frame, "GEI")
    days, _ = sun.days_since_1900(time)
    to_sun = matrices(time, "GSE", "GEI")[:, :, 0] * sun.distance(days)[:, None]
    place = -to_sun if position is None else np.einsum("tij,tj->ti", to_gei, position) - to_sun
    return np.asarray(rtn_axes(place, mean_of_date(time) @ solar_pole()) @ to_gei)


def lmn_axes(position: Array, pressure: Numbers, bz: Numbers) -> Array:
    """Give the axes L, M, N of the magnetopause nearest in direction, as rows.

    N is the outward normal of the magnetopause of Shue et al. (1998), scaled through the direction of the position;
    L is the GSM z axis made perpendicular to N, M = N x L points to dawn at noon (Russell and Elphic 1978, Space Sci.
    Rev. 22, 681).

    Parameters
    ----------
    position : array, shape (t, 3)
        GSM, any unit.
    pressure, bz : array, shape (t,) or float
        Dynamic pressure of the solar wind, nPa, and the z component of its field in GSM, nT.

    Returns
    -------
    array, shape (t, 3, 3)
        ``lmn = matrix @ gsm``.

    Examples
    --------
    >>> lmn_axes(np.array([[10.0, 0.0, 0.0]]), 2.0, 0.0)[0] + 0.0
    array([[ 0.,  0.,  1.],
           [ 0., -1.,  0.],
           [ 1.,  0.,  0.]])
    """
    position = np.asarray(position, float)
    _, flaring = boundaries.magnetopause_shape(pressure, bz)
    cosine = position[:, 0] / np.linalg.norm(position, axis=1)
    outward = boundaries.normal(position, boundaries.magnetopause_slope(cosine, flaring))
    north = np.array([0.0, 0.0, 1.0])
    along = _unit(north - outward[:, 2:] * outward)
    return np.stack([along, np.cross(outward, along), outward], axis=1)


def _unit(vectors: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
