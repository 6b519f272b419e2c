"""What may be wrong with moments of a skymap, as bits of an integer."""

from typing import Final

import numpy as np

from armillary.science.particles.quadrature import Shells, Sky, azimuth_weights, polar_weights
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array

NOT_MEASURED: Final = 1
NO_COUNTS: Final = 2
UNRESOLVED: Final = 4
ENERGY_EDGE: Final = 8
SKY_EDGE: Final = 16
NO_POTENTIAL: Final = 32
NOT_CONVERGED: Final = 64
NO_FIELD: Final = 128
NEGATIVE: Final = 256
#: What the bits say, for attributes of datasets.
MEANINGS: Final = {
    NOT_MEASURED: "some cells were not measured and are left out",
    NO_COUNTS: "nothing was counted",
    UNRESOLVED: "narrower than the cells of the instrument: fit it instead",
    ENERGY_EDGE: "much lies at the first or last energy",
    SKY_EDGE: "much lies at the edge of the field of view",
    NO_POTENTIAL: "the potential of the spacecraft is not known",
    NOT_CONVERGED: "the fit did not converge, or the cells do not tell its densities and velocities",
    NO_FIELD: "there is no magnetic field: nothing is known along it",
    NEGATIVE: "much of the phase space density is negative: noise at best",
}
#: A thermal width (one sigma) below this share of a cell makes errors of more than a few parts in a thousand: those of
#: the trapezoidal rule for a Gaussian, ``2 exp(-2 (pi sigma / h)^2)``, grow from 7e-6 at 0.8 to 2e-3 at 0.6, and the
#: second moment multiplies them by ``(2 pi sigma / h)^2``.
_RESOLVED: Final = 0.8
#: From which share on a distribution counts as cut: of the density in the cells of the first energy or at an edge of
#: the field of view, and of the pressure in those of the last energy.
_FIRST_CUT: Final = 0.05
_LAST_CUT: Final = 0.005
_SKY_CUT: Final = 0.005


def describe() -> str:
    """Give the meaning of all bits on one line.

    Examples
    --------
    >>> describe()[:39]
    '1: some cells were not measured and are'
    """
    return "; ".join(f"{bit}: {text}" for bit, text in MEANINGS.items())


def unresolved(cells: Skymap, velocity: Array, temperature: Array) -> Array:
    """Say at which times the thermal width is too small for the cells, from km/s (t, 3) and eV (t, 3, 3)."""
    speed = np.linalg.norm(velocity, axis=-1)
    beam = velocity / np.where(speed > 0, speed, 1)[:, None]
    per_ev = 1e-6 * ELEMENTARY_CHARGE / cells.mass
    known = np.isfinite(temperature).all((1, 2)) & np.isfinite(speed)
    tensor = per_ev * np.where(known[:, None, None], temperature, np.eye(3))
    along = np.einsum("ti,tij,tj->t", beam, tensor, beam)
    least = np.linalg.eigvalsh(tensor)[:, 0]
    angle, radial = cell_widths(cells)
    narrow = (least < (_RESOLVED * angle * speed) ** 2) | (along < (_RESOLVED * radial * speed) ** 2)
    return np.asarray(known & narrow)


def at_energy_edge(by_energy: Array, radial: Shells) -> Array:
    """Say at which times much of the density (t, e) is at the first or last energy that was kept."""
    kept = np.broadcast_to(radial.speed > 0, by_energy.shape)
    first, last = kept.argmax(-1), kept.shape[1] - 1 - kept[:, ::-1].argmax(-1)
    steps, pressure = np.arange(len(kept)), by_energy * radial.speed**2
    low = by_energy[steps, first] > _FIRST_CUT * by_energy.sum(-1)
    return np.asarray(low | (pressure[steps, last] > _LAST_CUT * pressure.sum(-1)))


def at_sky_edge(cells: Skymap, where: Sky, radial: Shells, density: Array) -> Array:
    """Say at which times much of the `density` (t,), of any unit-free scale, is at the edge of a field of view.

    Only grids that do not see the whole sky have edges; of a list it is not known which directions are neighbours.
    """
    found = np.zeros(cells.steps, bool)
    if not cells.gridded:
        return found
    psd, shape = cells.psd, cells.psd.shape[1:3]
    weight = where.weight.reshape(-1, *shape)
    for axis, closed in ((1, _closed(cells.azimuth)), (2, _whole(cells.polar))):
        for end in () if closed else (0, -1):
            part, around = psd.take(end, axis), weight.take(end, axis)
            by_energy = np.einsum("tde,td->te", np.nan_to_num(part), np.broadcast_to(around, part.shape[:2]))
            found |= (by_energy * radial.volume[0]).sum(-1) > _SKY_CUT * density
    return found


def cell_widths(cells: Skymap) -> tuple[float, float]:
    """Give how wide the cells are in angle (radians; the wider side) and in ``ln(speed)``, at the first time."""
    radial = float(np.median(np.diff(np.log(np.atleast_2d(cells.energy)[0])))) / 2
    if not cells.gridded:
        return float(np.sqrt(np.median(np.asarray(cells.solid_angle)))), radial
    azimuth, polar = np.atleast_2d(cells.azimuth)[0], np.atleast_2d(cells.polar)[0]
    return float(max(np.median(azimuth_weights(azimuth)), np.radians(np.median(np.abs(np.diff(polar)))))), radial


def _closed(azimuth: Array) -> bool:
    return bool(azimuth_weights(np.atleast_2d(azimuth)[0]).sum() > 2 * np.pi * 0.98)


def _whole(polar: Array) -> bool:
    return bool(polar_weights(np.atleast_2d(polar)[0]).sum() > 2 * 0.98)
