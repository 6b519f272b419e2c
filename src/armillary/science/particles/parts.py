"""Cells cut into parts of equal area, sorted into bins of any shape in any basis."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.particles.angles import azimuth_step, bounds_between, solid_angles
from armillary.science.particles.bases import is_defined
from armillary.science.particles.binning import Binned, bin_means
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

#: Parts of a cell along each of its sides.
PARTS: Final = 4
#: Turn from one part of a round cell to the next that spreads them evenly, radians.
_GOLDEN: Final = np.pi * (3 - np.sqrt(5))
#: Numbers worked on at once, so that they stay in the cache of the processor.
_AT_ONCE: Final = 60_000

#: Takes the components x, y, z of unit vectors and gives the number of each one's bin, or how many there are for none.
Sorter = Callable[[Array, Array, Array], Array]


def sort_parts(cells: Skymap, basis: Array, which: Sorter, bins: int, parts: int = PARTS) -> Binned:
    """Give means in bins, each cell shared among them by how many of its parts fall into each.

    Parameters
    ----------
    cells : Skymap
        Its times are t.
    basis : array, shape (t, 3, 3)
        Rows are the axes in which `which` is given the directions of motion. NaN at a time makes the answer NaN there.
    which : callable
        Gives the number of the bin.
    bins : int
        How many there are.
    parts : int
        Each cell is cut into ``parts**2`` of equal area.

    Raises
    ------
    BadData
        If the basis does not belong to these times, or is nowhere defined.
    """
    if basis.shape != (cells.steps, 3, 3):
        raise BadData(f"a basis of shape {basis.shape} does not belong to {cells.steps} times", "give (time, 3, 3)")
    if cells.steps and not np.isfinite(basis).any():
        raise BadData("this basis is not defined at any time", "look at the field and the velocity that it is made of")
    if cells.gridded and cells.polar.ndim == 2:
        return _polar_by_polar(cells, basis, which, bins, parts)
    direction, area = parts_of(cells, parts)
    turned = basis @ _turns(cells)
    at_once = max(1, _AT_ONCE // (direction.size // 3))
    found = []
    for first in range(0, max(cells.steps, 1), at_once):
        weight = _counted(turned[first : first + at_once], direction, area, which, bins)
        found.append(bin_means(cells.psd[first : first + at_once], weight))
    return Binned(*(np.concatenate(one) for one in zip(*found, strict=True)))


def parts_of(cells: Skymap, parts: int = PARTS) -> tuple[Array, Array]:
    """Cut cells into parts; a round cell of a list as the seeds of a sunflower lie.

    Returns
    -------
    direction : array, shape (3, part, direction) or (3, part, direction, energy)
        Unit vectors of motion; of a grid those of its first time, azimuth by azimuth.
    area : array, shape (direction,) or (direction, energy)
        Of one part, sr.
    """
    return _grid_parts(cells, parts) if cells.gridded else _list_parts(cells, parts**2)


def _grid_parts(cells: Skymap, parts: int) -> tuple[Array, Array]:
    azimuths, polars = cells.psd.shape[1:3]
    middle = (np.arange(parts) + 0.5) / parts
    first = np.atleast_2d(cells.azimuth)[0, 0]
    phi = np.deg2rad(first + azimuth_step(cells) * (np.arange(azimuths) - 0.5 + middle[:, None]))
    lower, upper = (np.cos(np.deg2rad(one)) for one in bounds_between(cells.polar))
    height = lower + (upper - lower) * middle[:, None]
    flat = np.sqrt(1 - height**2)[None, :, None]
    around, up = phi[:, None, :, None], np.broadcast_to(height[None, :, None], (parts, parts, azimuths, polars))
    direction = np.stack([flat * np.cos(around), flat * np.sin(around), up])
    area = np.broadcast_to(solid_angles(cells)[0, 0, :, 0] / parts**2, (azimuths, polars))
    return direction.reshape(3, parts**2, -1), area.reshape(-1)


def _list_parts(cells: Skymap, parts: int) -> tuple[Array, Array]:
    given = (cells.azimuth, cells.polar, np.asarray(cells.solid_angle, float))
    flat = all(one.ndim == 1 for one in given)
    phi, theta, solid = (
        given if flat else np.broadcast_arrays(*(one if one.ndim == 2 else one[:, None] for one in given))
    )
    phi, theta = np.deg2rad(phi), np.deg2rad(theta)
    zero = np.zeros_like(phi)
    seed = np.arange(parts).reshape(-1, *(1,) * phi.ndim)
    height = 1 - solid / (2 * np.pi) * ((seed + 0.5) / parts)
    flat_part, turn = np.sqrt((1 - height**2).clip(0)), seed * _GOLDEN
    out = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    south = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)])
    east = np.stack([-np.sin(phi), np.cos(phi), zero])
    direction = height * out[:, None] + flat_part * (np.cos(turn) * south[:, None] + np.sin(turn) * east[:, None])
    return direction, solid / parts


def _turns(cells: Skymap) -> Array:
    """Give the rotations about z from the grid of the first time to that of each, shape (t or 1, 3, 3)."""
    found = np.atleast_2d(cells.azimuth) if cells.gridded else np.zeros((1, 1))
    turn = np.deg2rad(found[:, 0] - found[0, 0])
    made = np.zeros((len(turn), 3, 3))
    made[:, 0, 0] = made[:, 1, 1] = np.cos(turn)
    made[:, 1, 0] = np.sin(turn)
    made[:, 0, 1] = -made[:, 1, 0]
    made[:, 2, 2] = 1
    return made


def _counted(basis: Array, direction: Array, area: Array, which: Sorter, bins: int) -> Array:
    """Give the sr of each direction in each bin, shape (t, bin, *area.shape)."""
    known = is_defined(basis)
    steps, cell = len(basis), area.size
    x, y, z = np.tensordot(np.where(known[:, None, None], basis, 0), direction, 1).swapaxes(0, 1)
    number = which(x, y, z).reshape(steps, -1, cell)
    place = (np.arange(steps)[:, None, None] * (bins + 1) + number) * cell + np.arange(cell)
    count = np.bincount(place.ravel(), minlength=steps * (bins + 1) * cell).reshape(steps, bins + 1, *area.shape)
    return count[:, :bins] * area * known.reshape(-1, *(1,) * (count.ndim - 1))


def _polar_by_polar(cells: Skymap, basis: Array, which: Sorter, bins: int, parts: int) -> Binned:
    rows, group = np.unique(cells.polar, axis=0, return_inverse=True)
    mean = np.empty((cells.steps, bins, cells.psd.shape[-1]))
    solid = np.empty_like(mean)
    for number, polar in enumerate(rows):
        at = np.flatnonzero(group.ravel() == number)
        azimuth, energy = (one[at] if one.ndim == 2 else one for one in (cells.azimuth, cells.energy))
        part = replace(cells, psd=cells.psd[at], polar=polar, azimuth=azimuth, energy=energy, error=None)
        mean[at], solid[at] = sort_parts(part, basis[at], which, bins, parts)
    return Binned(mean, solid)
