"""Pitch-angle distributions, from the cells of a skymap and the magnetic field at each of its times.

The phase space density is taken as constant inside a cell. Each cell is shared among the bins of pitch angle by the
area that lies in each: on a grid the polar width of the cell is cut into rings of equal area, and of every ring the
exact arc between two pitch angles is known, ``cos(psi) = (cos(alpha) - cos(theta) b_z) / (sin(theta) b_xy)``; a cell of
a list of directions is a round cap of its solid angle, cut into rings around its middle. So a bin narrower than a cell
has the value of the cells it crosses, all areas add up to the sky that was measured, and the mean over all directions
is kept.
"""

from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.particles.angles import azimuth_step, bounds_between
from armillary.science.particles.binning import NOTHING, Binned, bin_means
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

#: Parts of the polar width of a cell, and of the radius of a cap.
RINGS: Final = 4
#: Cosine of 180 degrees, with rounding.
_SOUTH: Final = -1 + 1e-15
#: Numbers worked on at once, so that they stay in the cache of the processor.
_AT_ONCE: Final = 60_000


def pitch_edges(bins: int) -> Array:
    """Give the edges of equally wide bins between 0 and 180 degrees."""
    return np.linspace(0.0, 180.0, bins + 1)


def pitch_angle_distribution(cells: Skymap, field: Array, edges: Array, rings: int = RINGS) -> Binned:
    """Give the mean phase space density in bins of pitch angle, for each energy and time.

    Parameters
    ----------
    cells : Skymap
        Its times are t.
    field : array, shape (t, 3) or (3,)
        Magnetic field in the frame of the skymap, any units. Where it is NaN or zero the answer is NaN.
    edges : array, shape (bin + 1,)
        Rising, degrees, within 0 and 180.
    rings : int
        Parts of the polar width of each cell.

    Returns
    -------
    Binned
        NaN where no measured cell reaches into a bin.

    Raises
    ------
    BadData
        If the field does not belong to these times.
    BadParameter
        If the edges do not rise within 0 and 180 degrees.

    Examples
    --------
    >>> cells = Skymap(psd=np.full((1, 8, 4, 2), 7.0), azimuth=np.r_[0:360:45], polar=np.r_[22.5:180:45],
    ...                energy=np.r_[10.0, 20])
    >>> made = pitch_angle_distribution(cells, np.array([3.0, 4, 12]), pitch_edges(18))
    >>> bool(np.allclose(made.mean, 7, rtol=1e-12, atol=0)), round(float(made.solid_angle[0, :, 0].sum()), 9)
    (True, 12.566370614)
    """
    direction, cosines = unit_field(field, cells.steps), _check_edges(edges)
    share = _grid_share if cells.gridded else _cap_share
    directions = int(np.prod(cells.psd.shape[1:-1]))
    at_once = max(1, _AT_ONCE // (directions * len(cosines)))
    parts = []
    for first in range(0, cells.steps, at_once):
        part = cells.between(first, first + at_once)
        weight = share(part, direction[first : first + at_once], cosines, rings)
        parts.append(bin_means(part.psd, np.where(weight > NOTHING, weight, 0)))
    if not parts:
        empty = np.zeros((0, len(cosines) - 1, cells.psd.shape[-1]))
        return Binned(empty, empty)
    return Binned(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def unit_field(field: Array, steps: int) -> Array:
    """Give the direction of the magnetic field at each time, shape (t, 3); NaN where it is zero or not finite.

    Raises
    ------
    BadData
        If its shape does not fit, or it is nowhere defined.
    """
    found = np.asarray(field, float)
    if found.shape not in {(3,), (steps, 3)}:
        raise BadData(f"a magnetic field of shape {found.shape} does not belong to {steps} times", "give (time, 3)")
    found = np.broadcast_to(found, (steps, 3))
    long = np.sqrt((found**2).sum(-1, keepdims=True))
    usable = np.isfinite(long) & (long > 0)
    if steps and not usable.any():
        raise BadData("the magnetic field is missing or zero at all times", "give another field or another interval")
    return np.where(usable, found / np.where(usable, long, 1), np.nan)


def _check_edges(edges: Array) -> Array:
    found = np.asarray(edges, float)
    if found.ndim != 1 or len(found) < 2 or (np.diff(found) <= 0).any() or found[0] < 0 or found[-1] > 180:
        raise BadParameter("the edges of the pitch-angle bins do not rise within 0 and 180 degrees", "give others")
    return np.asarray(np.cos(np.deg2rad(found)))


def _half_arc(cosines: Array, along: Array, across: Array) -> Array:
    """Give the half arc of rings with pitch angles below each edge, radians; shape (t, edge, ring).

    A point of a ring has ``cos(alpha) = along + across cos(psi)``. The sphere's ends are exact, whatever the rounding.
    """
    ratio = (cosines[:, None] - along[:, None]) / np.maximum(across, 1e-12)[:, None]
    arc = np.arccos(ratio.clip(-1, 1))
    arc[:, cosines >= 1] = np.where(np.isnan(along[:, None]), np.nan, 0)
    arc[:, cosines <= _SOUTH] = np.where(np.isnan(along[:, None]), np.nan, np.pi)
    return np.asarray(arc)


def _grid_share(cells: Skymap, direction: Array, cosines: Array, rings: int) -> Array:
    """Give the sr of each cell of a grid in each bin, shape (t, bin, azimuth * polar)."""
    steps, (azimuths, polars) = len(direction), cells.psd.shape[1:3]
    lower, upper = (np.cos(np.deg2rad(one)) for one in bounds_between(np.atleast_2d(cells.polar)))
    across, away = np.hypot(direction[:, 0], direction[:, 1]), np.arctan2(direction[:, 1], direction[:, 0])
    step = np.deg2rad(azimuth_step(cells))
    first = np.deg2rad(np.atleast_2d(cells.azimuth)[:, 0]) - step / 2 - away
    edges = first[:, None] + step * np.arange(azimuths + 1)
    turns = np.round(edges / (2 * np.pi))
    within = edges - 2 * np.pi * turns
    below = np.zeros((steps, len(cosines), polars, azimuths + 1))
    scratch, whole = np.empty_like(below), np.zeros((steps, len(cosines), polars))
    for ring in range(rings):
        height = lower + (upper - lower) * ((ring + 0.5) / rings)
        half = _half_arc(cosines, height * direction[:, 2:], np.sqrt(1 - height**2) * across[:, None])[..., None]
        below += np.clip(within[:, None, None], -half, half, out=scratch)
        whole += half[..., 0]
    below += (2 * whole)[..., None] * turns[:, None, None]
    area = np.diff(np.diff(below, axis=-1), axis=1) * ((lower - upper) / rings * np.sign(step))[:, None, :, None]
    return np.asarray(area.swapaxes(2, 3).reshape(steps, len(cosines) - 1, -1))


def _cap_share(cells: Skymap, direction: Array, cosines: Array, rings: int) -> Array:
    """Give the sr of each round cell of a list in each bin, shape (t, bin, direction), or one more for energy."""
    phi, theta = np.deg2rad(cells.azimuth), np.deg2rad(cells.polar)
    phi, theta, solid = _together(phi, theta, np.asarray(cells.solid_angle, float))
    motion = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    middle = np.einsum("tx,x...->t...", direction, motion).clip(-1, 1)
    lead = (slice(None), *(None,) * solid.ndim)
    beyond = np.arccos(cosines)[lead] - np.arccos(middle)[:, None]
    radius = np.arccos(1 - solid / (2 * np.pi))
    below = (beyond >= radius).astype(float)
    cut = np.abs(beyond) < radius
    edge, near, size = (
        np.broadcast_to(one, cut.shape)[cut] for one in (cosines[lead], middle[:, None], solid / (2 * np.pi))
    )
    arcs = np.zeros_like(edge)
    for ring in range(rings):
        height = 1 - size * ((ring + 0.5) / rings)
        across = np.sqrt(((1 - height**2) * (1 - near**2)).clip(1e-24))
        arcs += np.arccos(((edge - height * near) / across).clip(-1, 1))
    below[cut] = arcs / (np.pi * rings)
    below[:, cosines >= 1] = 0
    below[:, cosines <= _SOUTH] = 1
    known = np.isfinite(direction[:, 0]).reshape(-1, *(1,) * (below.ndim - 1))
    return np.asarray(np.diff(below, axis=1) * solid * known)


def _together(*arrays: Array) -> list[Array]:
    """Give (direction,) and (direction, energy) in one shape."""
    flat = all(one.ndim == 1 for one in arrays)
    return (
        list(arrays) if flat else list(np.broadcast_arrays(*(one if one.ndim == 2 else one[:, None] for one in arrays)))
    )
