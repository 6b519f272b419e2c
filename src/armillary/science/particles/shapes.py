"""Shapes that are fitted to distributions: how numbers without bounds become a phase space density.

A shape's unknowns are logarithms of what must be positive and velocities in units of a given speed, so that steps of
the order of one make sense for all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.science.plasma import Array, bi_kappa, bi_maxwellian, thermal_speed


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What the unknowns of one step are measured with: unit vector of the field, km/s, kg."""

    field: Array
    speed: float
    mass: float


@dataclass(frozen=True, slots=True)
class Shape:
    """A family of distributions.

    Parameters
    ----------
    names : tuple of str
        What its unknowns stand for, in their order; "velocity" takes three.
    psd : callable
        ``psd(unknowns, velocity, frame)``: phase space density, s^3 cm^-6, at velocities (..., 3) in km/s, and its
        derivatives by the unknowns, before all other dimensions.
    """

    names: tuple[str, ...]
    psd: Callable[[Array, Array, Frame], tuple[Array, Array]]

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return len(self.names) + 2

    def places(self, *names: str) -> list[int]:
        """Give where the unknowns of these names stand, of those that the shape has."""
        each = [one for name in self.names for one in [name] * (3 if name == "velocity" else 1)]
        return [at for at, name in enumerate(each) if name in names]

    def read(self, unknowns: Array, frame: Frame) -> dict[str, Array]:
        """Turn unknowns into densities (cm^-3), velocities (km/s), temperatures (eV) and kappa."""
        found, at = {}, 0
        for name in self.names:
            width = 3 if name == "velocity" else 1
            found[name] = _READ.get(name, np.exp)(unknowns[at : at + width])
            if name in _SPEEDS:
                found[name] = found[name] * frame.speed
            at += width
        return {name: one if name == "velocity" else one[0] for name, one in found.items()}

    def read_errors(self, unknowns: Array, errors: Array, frame: Frame) -> dict[str, Array]:
        """Turn errors of unknowns into those of what they stand for."""
        small = 1e-4
        shift = self.read(unknowns + small * errors, frame)
        here = self.read(unknowns, frame)
        return {name: np.abs(shift[name] - here[name]) / small for name in here}


def _plain(values: Array) -> Array:
    return values


def _above_three_halves(values: Array) -> Array:
    return np.asarray(1.5 + np.exp(values))


_SPEEDS: Final = ("velocity", "beam_drift")
_READ: Final[dict[str, Callable[[Array], Array]]] = {
    "velocity": _plain, "beam_drift": _plain, "kappa": _above_three_halves,
}  # fmt: skip


def _one(p: Array, velocity: Array, frame: Frame, *, gyrotropic: bool, kappa: float = np.inf) -> tuple[Array, Array]:
    warm = np.exp(p[4:6] if gyrotropic else p[[4, 4]])
    given = (velocity, np.exp(p[0]), p[1:4] * frame.speed, warm[0], warm[1], frame.field)
    psd = bi_maxwellian(*given, frame.mass) if np.isinf(kappa) else bi_kappa(*given, kappa, frame.mass)
    share = 1 - 1.5 / kappa
    squares = thermal_speed(warm * share, frame.mass) ** 2
    w = velocity - given[2]
    along = w @ frame.field
    near, far = along**2 / squares[0], np.maximum((w * w).sum(-1) - along**2, 0) / squares[1]
    # how ln f falls with the sum of these two squares
    fall = 1.0 if np.isinf(kappa) else (kappa + 1) / (kappa + near + far)
    push = 2 * fall * frame.speed / squares[1]
    lean = along * (squares[1] / squares[0] - 1)
    shift = [push * (w[..., i] + lean * frame.field[i]) for i in range(3)]
    heat = [fall * near - 0.5, fall * far - 1]
    rows = [np.ones_like(psd), *shift, *(heat if gyrotropic else [heat[0] + heat[1]])]
    return psd, np.stack([row * psd for row in rows])


def _maxwellian(p: Array, velocity: Array, frame: Frame) -> tuple[Array, Array]:
    return _one(p, velocity, frame, gyrotropic=len(p) > 5)


def _kappa(p: Array, velocity: Array, frame: Frame) -> tuple[Array, Array]:
    small, gyrotropic = 1e-5, len(p) > 6
    psd, slopes = _one(p, velocity, frame, gyrotropic=gyrotropic, kappa=float(_above_three_halves(p[-1])))
    beyond, _ = _one(p, velocity, frame, gyrotropic=gyrotropic, kappa=float(_above_three_halves(p[-1] + small)))
    return psd, np.concatenate([slopes, (beyond - psd)[None] / small])


def _core_and_beam(p: Array, velocity: Array, frame: Frame) -> tuple[Array, Array]:
    drift = p[1:4] + p[7] * frame.field
    core, of_core = _one(p[:6], velocity, frame, gyrotropic=True)
    beam, of_beam = _one(np.array([p[6], *drift, *p[8:10]]), velocity, frame, gyrotropic=True)
    of_core[1:4] += of_beam[1:4]
    along = np.tensordot(frame.field, of_beam[1:4], 1)
    return core + beam, np.concatenate([of_core, of_beam[:1], along[None], of_beam[4:]])


_ISOTROPIC: Final = ("density", "velocity", "temperature")
_GYROTROPIC: Final = ("density", "velocity", "parallel", "perpendicular")
_BEAM: Final = ("beam_density", "beam_drift", "beam_parallel", "beam_perpendicular")
#: Shapes by name; those without a field are isotropic.
SHAPES: Final = {
    ("maxwellian", False): Shape(_ISOTROPIC, _maxwellian),
    ("maxwellian", True): Shape(_GYROTROPIC, _maxwellian),
    ("kappa", False): Shape((*_ISOTROPIC, "kappa"), _kappa),
    ("kappa", True): Shape((*_GYROTROPIC, "kappa"), _kappa),
    ("core and beam", True): Shape((*_GYROTROPIC, *_BEAM), _core_and_beam),
}
NAMES: Final = ("maxwellian", "kappa", "core and beam")
