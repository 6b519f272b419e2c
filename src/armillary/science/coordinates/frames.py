"""Turn vectors between the geocentric frames of space physics.

=====  =====================================================================  =========================================
name   x                                                                      z
=====  =====================================================================  =========================================
GEI    mean equinox of date                                                   mean pole of date
TOD    true equinox of date                                                   true pole of date
J2000  mean equinox of J2000.0                                                mean pole of J2000.0
GEO    meridian of Greenwich on the equator                                   pole
MAG    across the geographic pole from the dipole's meridian                  dipole's north pole
GSE    Sun                                                                    pole of the ecliptic of date
GSM    Sun                                                                    so that the dipole lies in the x-z plane
SM     so that the Sun lies in the x-z plane                                  dipole's north pole
=====  =====================================================================  =========================================

Definitions of Hapgood (1992, Planet. Space Sci. 40, 711; corrigendum 1997, 45, 1047; J2000 in 1995, Ann. Geophys. 13,
713); the Sun as in `armillary.science.coordinates.sun`, the dipole from IGRF-14. Each matrix is a rotation to rounding,
so lengths and angles are kept. The origin of all frames is the Earth's centre.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.coordinates import igrf, sun
from armillary.science.coordinates.precession import about_z, mean_of_date, true_of_mean
from armillary.science.plasma import Array

#: Vectors at once, so that matrices for a long day need little memory.
_VECTORS: Final = 16_384


def matrices(time: Array, source: str, target: str) -> Array:
    """Give the matrices that turn vectors of one frame into another.

    Parameters
    ----------
    time : array, shape (t,)
        datetime64 or int64 nanoseconds since 1970, UTC.
    source, target : str
        Two of `FRAMES`.

    Returns
    -------
    array, shape (t, 3, 3)
        ``target = matrix @ source``.

    Raises
    ------
    BadParameter
        If a frame is not known.
    BadData
        If a time is none, or outside 1900 to 2030 for a frame that follows the dipole.

    Examples
    --------
    >>> noon = np.array(["2020-03-20T12:00"], "datetime64[ns]")
    >>> sun_in_geo = matrices(noon, "GSE", "GEO")[0] @ [1, 0, 0]
    >>> sun_in_geo.round(2)
    array([1.  , 0.03, 0.  ])
    """
    time = np.atleast_1d(sun.nanoseconds(time))
    if source == "GEI":
        return _axes(target)(time)
    back = np.swapaxes(_axes(source)(time), -1, -2)
    return back if target == "GEI" else np.asarray(_axes(target)(time) @ back)


def transform(vectors: Array, time: Array, source: str, target: str) -> Array:
    """Turn vectors of one frame into another.

    Parameters
    ----------
    vectors : array, shape (t, 3)
        In `source`, any unit.
    time : array, shape (t,) or (1,)
        datetime64 or int64 nanoseconds since 1970, UTC.
    source, target : str
        Two of `FRAMES`.

    Returns
    -------
    array, shape (t, 3)
        In `target`; NaN where a component was NaN.

    Raises
    ------
    BadParameter, BadData
        As `matrices`; also if the shapes do not fit each other.

    Examples
    --------
    >>> time = np.array(["2008-03-23", "2008-03-24"], "datetime64[ns]")
    >>> b = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> np.allclose(transform(transform(b, time, "GSE", "SM"), time, "SM", "GSE"), b)
    True
    """
    time, vectors = np.atleast_1d(sun.nanoseconds(time)), np.asarray(vectors, float)
    if vectors.ndim != 2 or vectors.shape[1] != 3 or len(time) not in {1, len(vectors)}:
        raise BadData(
            f"vectors of the shape {vectors.shape} do not fit times of the shape {time.shape}",
            "give vectors (t, 3) and t times, or one",
        )
    if len(time) == 1:
        return np.asarray(vectors @ matrices(time, source, target)[0].T)
    found = np.empty_like(vectors)
    for first in range(0, len(vectors), _VECTORS):
        piece = slice(first, first + _VECTORS)
        found[piece] = _turned(vectors[piece], time[piece], source, target)
    return found


def dipole_tilt(time: Array) -> Array:
    """Give the angle in radians by which the dipole leans towards the Sun, positive in the northern summer.

    Examples
    --------
    >>> round(float(dipole_tilt(np.datetime64("2001-01-01T02:03:04", "ns"))[0]), 3)
    -0.534
    """
    days, fraction = sun.days_since_1900(np.atleast_1d(sun.nanoseconds(time)))
    return np.asarray(np.arcsin((_to_sun(days) * _dipole(time, days, fraction)).sum(-1)))


def frame_named(name: str) -> str:
    """Give the name of `FRAMES` for a spelling of it, or "" if there is none.

    Examples
    --------
    >>> frame_named("gse"), frame_named("GEI of date"), frame_named("EME2000"), frame_named("DBCS")
    ('GSE', 'GEI', 'J2000', '')
    """
    plain = name.strip().upper().replace("_", " ").replace(">", " ").replace("-", " ").split()
    first = plain[0] if plain else ""
    return first if first in FRAMES else _ALSO.get(first, "")


def _turned(vectors: Array, time: Array, source: str, target: str) -> Array:
    # Two products with a vector are cheaper than one of two matrices.
    if source != "GEI":
        vectors = np.einsum("tij,ti->tj", _axes(source)(time), vectors)
    return vectors if target == "GEI" else np.einsum("tij,tj->ti", _axes(target)(time), vectors)


def _axes(frame: str) -> Callable[[Array], Array]:
    """Give the function whose rows are the frame's axes in GEI of date."""
    if frame not in _AXES:
        raise BadParameter(f"there is no frame {frame!r} to turn vectors into or out of", f"use {', '.join(FRAMES)}")
    return _AXES[frame]


def _gei(time: Array) -> Array:
    return np.broadcast_to(np.eye(3), (len(time), 3, 3)).copy()


def _j2000(time: Array) -> Array:
    return np.swapaxes(mean_of_date(time), -1, -2)


def _geo(time: Array) -> Array:
    return about_z(sun.sidereal_time(*sun.days_since_1900(time)))


def _mag(time: Array) -> Array:
    dipole = _unit(igrf.dipole(time))
    y = _unit(np.cross([0.0, 0.0, 1.0], dipole))
    return np.asarray(np.stack([np.cross(y, dipole), y, dipole], axis=1) @ _geo(time))


def _gse(time: Array) -> Array:
    days, _ = sun.days_since_1900(time)
    longitude, oblique = sun.longitude(days), sun.obliquity(days)
    (cosine, sine), (flat, steep) = (np.cos(longitude), np.sin(longitude)), (np.cos(oblique), np.sin(oblique))
    axes = np.empty((len(days), 3, 3))
    axes[:, 0, 0], axes[:, 0, 1], axes[:, 0, 2] = cosine, flat * sine, steep * sine
    axes[:, 1, 0], axes[:, 1, 1], axes[:, 1, 2] = -sine, flat * cosine, steep * cosine
    axes[:, 2, 0], axes[:, 2, 1], axes[:, 2, 2] = 0, -steep, flat
    return axes


def _gsm(time: Array) -> Array:
    x, y, _ = _sun_and_dipole(time)
    return np.stack([x, y, _cross(x, y)], axis=1)


def _sm(time: Array) -> Array:
    _, y, z = _sun_and_dipole(time)
    return np.stack([_cross(y, z), y, z], axis=1)


def _sun_and_dipole(time: Array) -> tuple[Array, Array, Array]:
    """To the Sun, across both, along the dipole."""
    days, fraction = sun.days_since_1900(time)
    toward, along = _to_sun(days), _dipole(time, days, fraction)
    return toward, _unit(_cross(along, toward)), along


def _to_sun(days: Array) -> Array:
    longitude, oblique = sun.longitude(days), sun.obliquity(days)
    sine = np.sin(longitude)
    return np.stack([np.cos(longitude), np.cos(oblique) * sine, np.sin(oblique) * sine], axis=-1)


def _dipole(time: Array, days: Array, fraction: Array) -> Array:
    east, north, up = _unit(igrf.dipole(time)).T
    angle = sun.sidereal_time(days, fraction)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([cosine * east - sine * north, sine * east + cosine * north, up], axis=-1)


def _cross(a: Array, b: Array) -> Array:
    # Much faster than numpy's for many short vectors.
    (a1, a2, a3), (b1, b2, b3) = a.T, b.T
    return np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=-1)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None])


_AXES: Final[dict[str, Callable[[Array], Array]]] = {
    "GEI": _gei, "TOD": true_of_mean, "J2000": _j2000, "GEO": _geo, "MAG": _mag, "GSE": _gse, "GSM": _gsm, "SM": _sm,
}  # fmt: skip
#: The frames that vectors can be turned between at any place.
FRAMES: Final = tuple(_AXES)
_ALSO: Final = {
    "EME2000": "J2000",
    "GCI": "J2000",
    "GEI2000": "J2000",
    "MOD": "GEI",
    "GEOGRAPHIC": "GEO",
    "J2K": "J2000",
}
