"""The magnetic field around the Earth at any place and time: dipole or IGRF inside, with or without T89 outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.coordinates import igrf
from armillary.science.coordinates.frames import dipole_tilt, matrices, transform
from armillary.science.coordinates.sun import nanoseconds
from armillary.science.coordinates.t89 import t89
from armillary.science.plasma import Array, Numbers

#: The models: the Earth's own field, and what the currents in the magnetosphere add.
MODELS: Final = ("dipole", "igrf", "dipole+t89", "igrf+t89")

#: nT of the main field that are left out far from the Earth.
_NEGLECTED: Final = 1e-4

#: Gives the field (m, 3) in nT at positions (m, 3) in GSM and Earth radii, on the lines with these numbers.
Field = Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class FieldAt:
    """A model of the field with one time for each line: call it with positions and the numbers of their lines.

    Everything is in GSM and Earth radii of 6371.2 km; make it with `field_at`.
    """

    model: str
    time: Array
    dipole: Array
    to_geo: Array
    tilt: Array
    kp: Array

    def __call__(self, position: Array, which: Array) -> Array:
        """Give the field (m, 3) in nT at positions (m, 3), each at the time with its number in `which`."""
        inside, _, outside = self.model.partition("+")
        found = _dipole_field(position, self.dipole[which]) if inside == "dipole" else self._igrf(position, which)
        return np.asarray(found + t89(position, self.tilt[which], self.kp[which]) if outside else found)

    def _igrf(self, position: Array, which: Array) -> Array:
        turn = self.to_geo[which]
        found = igrf.field(np.einsum("nij,nj->ni", turn, position), self.time[which], _NEGLECTED)
        return np.asarray(np.einsum("nij,ni->nj", turn, found))


def field_at(time: Array, model: str = "igrf+t89", kp: Numbers = 2.0) -> FieldAt:
    """Prepare a model of the field for these times.

    Parameters
    ----------
    time : array, shape (n,)
        UTC, 1900 to 2030.
    model : str
        One of `MODELS`.
    kp : array, shape (n,) or float
        Kp index 0 to 9, for T89.

    Raises
    ------
    BadParameter
        If there is no such model.
    BadData
        If a time or a Kp lies outside the models.
    """
    if model not in MODELS:
        raise BadParameter(f"there is no field model {model!r}", f"use one of {', '.join(MODELS)}")
    time = np.atleast_1d(nanoseconds(time))
    to_geo = matrices(time, "GSM", "GEO")
    moment = np.einsum("nij,ni->nj", to_geo, igrf.dipole(time))
    return FieldAt(model, time, moment, to_geo, dipole_tilt(time), np.broadcast_to(np.asarray(kp, float), time.shape))


def magnetic_field(
    position: Array, time: Array, *, frame: str = "GSM", model: str = "igrf+t89", kp: Numbers = 2.0
) -> Array:
    """Give the field of a model at positions.

    Parameters
    ----------
    position : array, shape (n, 3)
        Earth radii of 6371.2 km, in `frame`.
    time : array, shape (n,) or (1,)
        UTC, 1900 to 2030.
    frame : str
        One of `armillary.science.coordinates.frames.FRAMES`; the field is given in it too.
    model, kp
        As in `field_at`.

    Returns
    -------
    array, shape (n, 3)
        nT; NaN where the position is NaN and, with T89, beyond 70 Earth radii.

    Examples
    --------
    >>> time = np.array(["2001-01-01T02:03:04"], "datetime64[ns]")
    >>> magnetic_field(np.array([[-5.1, 0.3, 2.8]]), time, model="igrf").round(1)
    array([[262.8, -19.3, -50.3]])
    """
    position, time = np.asarray(position, float), np.atleast_1d(nanoseconds(time))
    if position.ndim != 2 or position.shape[1] != 3 or len(time) not in {1, len(position)}:
        raise BadData(
            f"positions of the shape {position.shape} do not fit {len(time)} times", "give (n, 3) and n times"
        )
    gsm = transform(position, time, frame, "GSM")
    which = np.broadcast_to(np.arange(len(time)), len(position))
    if len(time) == 1:
        which = np.zeros(len(position), int)
        kp = np.max(np.asarray(kp, float))
    return transform(field_at(time, model, kp)(gsm, which), time, "GSM", frame)


def dipole_l(position: Array, time: Array, frame: str = "GSM") -> Array:
    """Give the L shell of positions in the dipole's field: ``r / cos^2`` of the magnetic latitude.

    McIlwain's L of a dipole: how many Earth radii from the centre the field line crosses the magnetic equator.

    Examples
    --------
    >>> time = np.array(["2001-01-01"], "datetime64[ns]")
    >>> float(dipole_l(np.array([[3.0, 0.0, 3.0]]), time, "SM")[0].round(3))
    8.485
    """
    x, y, z = transform(position, time, frame, "SM").T
    square = x**2 + y**2 + z**2
    with np.errstate(divide="ignore"):
        return np.asarray(square**1.5 / (x**2 + y**2))


def magnetic_local_time(position: Array, time: Array, frame: str = "GSM") -> Array:
    """Give the magnetic local time in hours: 12 towards the Sun, 18 at dusk.

    Examples
    --------
    >>> time = np.array(["2001-01-01"], "datetime64[ns]")
    >>> float(magnetic_local_time(np.array([[0.0, 5.0, 0.0]]), time)[0].round(6))
    18.0
    """
    x, y, _ = transform(position, time, frame, "SM").T
    return np.asarray(np.mod(np.degrees(np.arctan2(y, x)) / 15 + 12, 24))


def _dipole_field(position: Array, moment: Array) -> Array:
    # `moment` points to the north geomagnetic pole; the Earth's magnetic moment points away from it.
    square = (position**2).sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((moment - 3 * position * (moment * position).sum(1, keepdims=True) / square) / square**1.5)
