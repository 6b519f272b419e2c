"""The one value that all of this room works on: phase space density in the cells of an instrument."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.plasma import ELEMENTARY_CHARGE, PROTON_MASS, Array

_MISSION: Final = "mend the mission's recipe that makes this skymap"
#: Degrees that rounding may move an angle.
_ROUNDING: Final = 1e-3
#: How far steps between azimuths of a grid may lie from the usual one, as a share of it.
_UNEVEN: Final = 0.4
#: Angles that reach no farther than those of a whole sky in radians, though they cover this many steradian of it.
_WHOLE: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Skymap:
    """Phase space density in the cells of an instrument, at one or more times.

    The angles are those of the particles' MOTION, never of the look direction, in the frame that the data are in.
    NaN in `psd` is "not measured"; 0 is "nothing counted".

    Parameters
    ----------
    psd : array, shape (t, azimuth, polar, energy) or (t, direction, energy)
        s^3 cm^-6. Four dimensions: a grid of angles. Three: a list of directions, as instruments have whose cells at
        the poles are wider.
    azimuth : array, shape (azimuth,) or (t, azimuth); of a list (direction,) or (direction, energy)
        Degrees from x towards y. Of a grid distinct, in their order around the circle, and evenly spaced around it or
        over a part of it (steps within 40 % of each other).
    polar : array, shape (polar,) or (t, polar); of a list (direction,) or (direction, energy)
        Colatitude from z, degrees, 0 to 180.
    energy : array, shape (energy,) or (t, energy)
        Centres, eV, rising.
    solid_angle : array, shape (direction,) or (direction, energy), optional
        sr; a list must have it, a grid's follows from its angles.
    mass : float
        kg.
    charge : int
        In elementary charges, with its sign.
    error : array, shape of `psd`, optional
        One standard deviation of `psd`.

    Raises
    ------
    BadData
        If shapes do not fit each other, energies do not rise, or angles are no directions: polar angles outside 0 to
        180 degrees (latitudes), azimuths that repeat or jump, radians.
    """

    psd: Array
    azimuth: Array
    polar: Array
    energy: Array
    solid_angle: Array | None = None
    mass: float = PROTON_MASS
    charge: int = 1
    error: Array | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise BadData(f"these cells are no skymap: {problem}", _MISSION)

    @property
    def gridded(self) -> bool:
        """Whether the directions are a grid of azimuth and polar angles."""
        return self.psd.ndim == 4

    @property
    def steps(self) -> int:
        """Number of times."""
        return len(self.psd)

    @property
    def speed(self) -> Array:
        """Speed of each energy, km/s, in the shape of `energy`; not relativistic."""
        return np.asarray(1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / self.mass * self.energy))

    def between(self, first: int, stop: int) -> "Skymap":
        """Give the times from `first` to before `stop`."""
        part = slice(first, stop)
        return replace(
            self,
            psd=self.psd[part],
            azimuth=self.azimuth[part] if self.gridded and self.azimuth.ndim == 2 else self.azimuth,
            polar=self.polar[part] if self.gridded and self.polar.ndim == 2 else self.polar,
            energy=self.energy[part] if self.energy.ndim == 2 else self.energy,
            error=None if self.error is None else self.error[part],
        )


def _problem(cells: Skymap) -> str:
    shape = cells.psd.shape
    if len(shape) not in {3, 4}:
        return f"psd has {len(shape)} dimensions, not (time, azimuth, polar, energy) or (time, direction, energy)"
    steps, energies = shape[0], shape[-1]
    allowed = {"energy": [(energies,), (steps, energies)]}
    for name, size in (("azimuth", shape[1]), ("polar", shape[2] if cells.gridded else shape[1])):
        allowed[name] = [(size,), (steps, size) if cells.gridded else (size, energies)]
    if not cells.gridded:
        if cells.solid_angle is None:
            return "a list of directions needs their solid_angle"
        allowed["solid_angle"] = [(shape[1],), (shape[1], energies)]
    if cells.error is not None:
        allowed["error"] = [shape]
    for name, shapes in allowed.items():
        if getattr(cells, name).shape not in shapes:
            return f"{name} has the shape {getattr(cells, name).shape} beside psd {shape}"
    if not bool((np.diff(cells.energy, axis=-1) > 0).all() and (cells.energy > 0).all()):
        return "its energies are not positive and rising"
    if not cells.mass > 0 or cells.charge == 0:
        return f"a particle cannot have the mass {cells.mass} kg and the charge {cells.charge}"
    return _no_directions(cells)


def _no_directions(cells: Skymap) -> str:
    """Say why the angles cannot be those of directions of motion in degrees; empty if they can."""
    if not (cells.polar.size and cells.azimuth.size):
        return ""
    if not (np.isfinite(cells.azimuth).all() and np.isfinite(cells.polar).all()):
        return "an angle is not a number"
    low, high = float(cells.polar.min()), float(cells.polar.max())
    if low < -_ROUNDING or high > 180 + _ROUNDING:
        return f"its polar angles go from {low:g} to {high:g} degrees, not from 0 to 180 as those from z do"
    if _in_radians(cells):
        return "its angles look like radians, not degrees"
    return _no_circle(cells.azimuth) or _no_rows(cells.polar) if cells.gridded else ""


def _in_radians(cells: Skymap) -> bool:
    """Say whether all angles are below two pi (pi if polar), though together they would be much of the sky."""
    if np.abs(cells.azimuth).max() > 2 * np.pi + 0.1 or cells.polar.max() > np.pi + 0.1:
        return False
    if cells.solid_angle is not None:
        each = cells.solid_angle if cells.solid_angle.ndim == 1 else cells.solid_angle.max(-1)
        return bool(each.sum() > _WHOLE)
    around = np.ptp(np.atleast_2d(cells.azimuth)[:1]) * np.ptp(np.atleast_2d(cells.polar)[:1])
    return bool(around > 2 * np.pi)


def _no_circle(azimuth: Array) -> str:
    steps = np.diff(np.unwrap(np.asarray(azimuth, float), period=360.0), axis=-1)
    if not steps.size:
        return ""
    size = np.abs(steps)
    if size.min() < _ROUNDING or size.sum(-1).max() > 360 - _ROUNDING:
        return "an azimuth is there twice, or they go around the circle more than once"
    if not ((steps > 0).all() or (steps < 0).all()):
        return "its azimuths are not in their order around the circle"
    usual = np.median(size, axis=-1, keepdims=True)
    if (np.abs(size - usual) > _UNEVEN * usual).any():
        return f"its azimuths are not evenly spaced: steps of {size.min():g} to {size.max():g} degrees"
    return ""


def _no_rows(polar: Array) -> str:
    steps = np.diff(np.sort(polar, axis=-1), axis=-1)
    return "a polar angle is there twice" if steps.size and steps.min() < _ROUNDING else ""
