"""The cells of a skymap as pieces of velocity space: their order and their exact volumes."""

from dataclasses import replace

import numpy as np

from armillary.errors import BadData
from armillary.science.particles.angles import energy_edges, solid_angles
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array


def speed_edges(cells: Skymap) -> Array:
    """Give the edges of the cells in speed, km/s, shape (energy + 1,) or (t, energy + 1)."""
    return np.asarray(1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / cells.mass * energy_edges(cells.energy)))


def covers_circle(step: float, count: int) -> bool:
    """Say whether so many azimuths with that step (degrees) go around the whole circle.

    Examples
    --------
    >>> covers_circle(11.25, 32), covers_circle(6.0, 11)
    (True, False)
    """
    return abs(abs(step) * count - 360) < 0.5 * abs(step)


def rising(cells: Skymap) -> Skymap:
    """Give the same grid with azimuth and polar angles in rising order; a list as it is.

    Raises
    ------
    BadData
        If angles rise and fall.
    """
    if not cells.gridded:
        return cells
    if _falls(np.diff(cells.polar, axis=-1)):
        cells = _flipped(cells, 2, "polar")
    steps = (np.diff(cells.azimuth, axis=-1) + 180) % 360 - 180
    return _flipped(cells, 1, "azimuth") if _falls(steps) else cells


def volumes(cells: Skymap) -> Array:
    """Give the exact volume of every cell, solid angle times ``(v2^3 - v1^3) / 3``, in (km/s)^3.

    Returns
    -------
    array, shape (1 or t, azimuth, polar, energy) or (1 or t, direction, energy)
        Broadcasts against ``cells.psd``.
    """
    shell = np.atleast_2d(np.diff(speed_edges(cells) ** 3, axis=-1) / 3)
    between = (1,) * (cells.psd.ndim - 2)
    found = solid_angles(cells) * shell.reshape(len(shell), *between, -1)
    return np.broadcast_to(found, (len(found), *cells.psd.shape[1:]))


def cell_density(cells: Skymap) -> Array:
    """Give the sum of f times volume over the measured cells, cm^-3, shape (t,); NaN where nothing was measured."""
    known = np.isfinite(cells.psd)
    weight = np.where(known, cells.psd, 0) * volumes(cells)
    total = 1e15 * weight.reshape(cells.steps, -1).sum(-1)
    return np.asarray(np.where(known.reshape(cells.steps, -1).any(-1), total, np.nan))


def _falls(steps: Array) -> bool:
    down = steps < 0
    if bool(down.any()) and not bool(down.all()):
        raise BadData("the angles of this grid rise and fall", "mend the mission's recipe that makes this skymap")
    return bool(down.any())


def _flipped(cells: Skymap, axis: int, name: str) -> Skymap:
    turned = {name: getattr(cells, name)[..., ::-1], "psd": np.flip(cells.psd, axis)}
    if cells.error is not None:
        turned["error"] = np.flip(cells.error, axis)
    return replace(cells, **turned)
