"""Spectrograms of skymaps: over energy, azimuth, polar angle and the six directions of the axes.

Every cell counts with its exact solid angle; cells that were not measured (NaN) are left out of both the sum and the
weights. Means over directions are taken first, at each energy, then, where limits of energy are given, the mean over
ln E. So what is isotropic stays flat even where cells are missing.
"""

from typing import Final

import numpy as np

from armillary.errors import BadParameter
from armillary.science.particles.angles import azimuth_step, bounds_between, over_energy, solid_angles
from armillary.science.particles.binning import bin_means
from armillary.science.particles.gyrophase import gyro_phase_distribution, phase_centres
from armillary.science.particles.parts import sort_parts
from armillary.science.particles.pitch import pitch_angle_distribution, pitch_edges
from armillary.science.particles.skymap import Skymap
from armillary.science.particles.units import convert
from armillary.science.plasma import Array

#: What spectrograms may be given in, of `units.UNITS`.
QUANTITIES: Final = ("eflux", "flux", "psd")
#: Directions of motion within 45 degrees of an axis.
DIRECTIONS: Final = ("px", "mx", "py", "my", "pz", "mz")
#: Bins of a list of directions, unless others are asked for.
_USUAL_BINS: Final = 16
#: Numbers worked on at once.
_AT_ONCE: Final = 200_000


def in_units(psd: Array, cells: Skymap, units: str) -> Array:
    """Turn phase space densities into one of `QUANTITIES`; see `units.convert`.

    Parameters
    ----------
    psd : array, shape (t, ..., energy)
        s^3 cm^-6, with the energies of `cells` along its last dimension.

    Raises
    ------
    BadParameter
        If there are no such units.
    """
    if units not in QUANTITIES:
        raise BadParameter(f"a spectrogram cannot be in {units!r}", f"choose one of {', '.join(QUANTITIES)}")
    energy = cells.energy if cells.energy.ndim == 1 else _beside_time(cells.energy, psd.ndim)
    return convert(psd, "psd", units, energy=energy, mass=cells.mass)


def energy_spectrogram(cells: Skymap, units: str = "eflux") -> Array:
    """Give the mean over all measured directions at each energy, shape (t, energy)."""
    return in_units(_weighted(cells.psd, solid_angles(cells)), cells, units)


def azimuth_spectrogram(
    cells: Skymap, units: str = "eflux", low: float = 0.0, high: float = 0.0, bins: int = 0
) -> tuple[Array, Array]:
    """Give the mean over polar angle and energy in each azimuth of motion.

    Parameters
    ----------
    low, high : float
        Limits of energy, eV; 0 for none.
    bins : int
        Of a list of directions: how many bins there are around the circle, 0 for 16. A grid has its own.

    Returns
    -------
    values : array, shape (t, n)
        NaN where nothing was measured.
    azimuth : array, shape (n,) or (t, n)
        Centres, degrees, 0 to 360, rising: those of the grid.

    Raises
    ------
    BadParameter
        If other bins than its own are asked for of a grid.
    """
    bins = _bins(cells, bins, 1, "azimuths")
    if not cells.gridded:
        made = gyro_phase_distribution(cells, np.broadcast_to(np.eye(3), (cells.steps, 3, 3)), bins)
        return over_energy(in_units(made.mean, cells, units), cells.energy, low, high), phase_centres(bins)
    found = in_units(_weighted(cells.psd, solid_angles(cells), 2), cells, units)
    values = over_energy(found, cells.energy, low, high)
    azimuth = np.atleast_2d(cells.azimuth) % 360
    order = np.argsort(azimuth, axis=1)
    values = np.take_along_axis(values, np.broadcast_to(order, values.shape), axis=1)
    azimuth = np.take_along_axis(azimuth, order, axis=1)
    return values, azimuth if cells.azimuth.ndim == 2 else azimuth[0]


def polar_spectrogram(
    cells: Skymap, units: str = "eflux", low: float = 0.0, high: float = 0.0, bins: int = 0
) -> tuple[Array, Array]:
    """Give the mean over azimuth and energy in each polar angle of motion; see `azimuth_spectrogram`."""
    bins = _bins(cells, bins, 2, "polar angles")
    if not cells.gridded:
        edges = pitch_edges(bins)
        made = pitch_angle_distribution(cells, np.array([0.0, 0, 1]), edges).mean
        return over_energy(in_units(made, cells, units), cells.energy, low, high), (edges[1:] + edges[:-1]) / 2
    found = in_units(_weighted(cells.psd, np.ones((1, 1, 1, 1)), 1), cells, units)
    values = over_energy(found, cells.energy, low, high)
    rising = np.atleast_2d(cells.polar)[0, -1] >= np.atleast_2d(cells.polar)[0, 0]
    return (values, cells.polar) if rising else (values[:, ::-1], cells.polar[..., ::-1])


def _bins(cells: Skymap, bins: int, axis: int, name: str) -> int:
    if not cells.gridded:
        return bins or _USUAL_BINS
    own = int(cells.psd.shape[axis])
    if bins not in {0, own}:
        raise BadParameter(f"this skymap is a grid of {own} {name}, not of {bins}", "leave bins out")
    return own


def direction_spectrograms(cells: Skymap, units: str = "eflux") -> Array:
    """Give the energy spectrograms of the particles that move along +x, -x, +y, -y, +z, -z; shape (t, 6, energy).

    As MMS FPI defines its own (VAR_NOTES of ``energyspectr_px`` and so on): +-x and +-y are the azimuths within 45
    degrees of the axis at polar angles from 45 to 135 degrees, +-z the polar angles within 45 degrees of the axis, each
    the mean weighted by solid angle. The six fill the sky, so that ``(sqrt(2)/8) (px + mx + py + my) + (2 - sqrt(2))/4
    (pz + mz)`` is the mean over all directions; their plain mean is not. The axes are those of the skymap's frame, and
    cells that lie across a border are shared by area.
    """
    if not cells.gridded:
        basis = np.broadcast_to(np.eye(3), (cells.steps, 3, 3))
        return in_units(sort_parts(cells, basis, _sextant, 6).mean, cells, units)
    made = bin_means(cells.psd, _sextant_share(cells))
    return in_units(made.mean, cells, units)


def _weighted(psd: Array, weight: Array, axis: int = 0) -> Array:
    """Give the weighted mean over one axis, or over all directions, of what was measured; a few times at once."""
    weight = np.broadcast_to(weight, (len(weight), *psd.shape[1:-1], weight.shape[-1]))
    at_once = max(1, _AT_ONCE // int(np.prod(psd.shape[1:])))
    firsts = range(0, max(len(psd), 1), at_once)
    return np.concatenate([
        _mean(psd[first : first + at_once], weight if len(weight) == 1 else weight[first : first + at_once], axis)
        for first in firsts
    ])  # fmt: skip


def _mean(psd: Array, weight: Array, axis: int) -> Array:
    over = axis or tuple(range(1, psd.ndim - 1))
    known = np.isfinite(psd)
    if known.all():
        return np.asarray((psd * weight).sum(over) / weight.sum(over))
    total, measured = np.where(known, psd * weight, 0).sum(over), (known * weight).sum(over)
    return np.where(measured > 0, total / np.where(measured > 0, measured, 1), np.nan)


def _sextant_share(cells: Skymap) -> Array:
    """Give the sr of each cell of a grid in each of the six directions, shape (t or 1, 6, azimuth * polar)."""
    half = abs(azimuth_step(cells)) / 2
    turns = np.array([0.0, 180, 90, 270])[:, None, None] + np.array([-360.0, 0, 360])[:, None]
    away = ((np.atleast_2d(cells.azimuth) + 180) % 360 - 180)[:, None, None] - turns
    around = (np.minimum(away + half, 45) - np.maximum(away - half, -45)).clip(0).sum(2)
    lower, upper = bounds_between(np.atleast_2d(cells.polar))
    up, belt, down = (
        np.cos(np.deg2rad(lower.clip(low, high))) - np.cos(np.deg2rad(upper.clip(low, high)))
        for low, high in ((0, 45), (45, 135), (135, 180))
    )
    sides = np.deg2rad(around)[..., None] * belt[:, None, None]
    shape = (max(len(sides), len(up)), 1, *cells.psd.shape[1:3])
    caps = [np.broadcast_to(2 * np.deg2rad(half) * one[:, None, None], shape) for one in (up, down)]
    sides = np.broadcast_to(sides, (shape[0], 4, *shape[2:]))
    return np.concatenate([sides, *caps], axis=1).reshape(shape[0], 6, -1)


def _sextant(x: Array, y: Array, z: Array) -> Array:
    side = np.where(np.abs(x) >= np.abs(y), np.where(x >= 0, 0, 1), np.where(y >= 0, 2, 3))
    return np.where(np.abs(z) <= np.sqrt(0.5), side, np.where(z > 0, 4, 5))


def _beside_time(energy: Array, dimensions: int) -> Array:
    return energy.reshape(len(energy), *(1,) * (dimensions - 2), -1)
