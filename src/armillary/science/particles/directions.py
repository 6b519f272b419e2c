"""Lists of directions put on a regular grid of angles, by operators that are built once.

Instruments whose cells at the poles are wider (the 88 of THEMIS ESA, McFadden et al. 2008, Space Sci. Rev. 141, 277,
doi:10.1007/s11214-008-9440-2) or whose deflection depends on energy (SPAN-i, Livi et al. 2022, Astrophys. J. 938, 138,
doi:10.3847/1538-4357/ac93f5) give their directions as a list. Where these are rows of equal polar angle, each evenly
spaced in azimuth, a value is interpolated along the rows and then across them; else over the triangles that they span.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.science.particles.angles import bounds_between
from armillary.science.particles.cell_volumes import covers_circle
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

#: Degrees; directions nearer than this in polar angle are one row.
_SAME_ROW: Final = 2.0
#: Share of a step by which azimuths of one row may be uneven.
_UNEVEN: Final = 0.1
#: Of the grid for directions that are no rows.
_AZIMUTHS, _POLARS = 32, 16


@dataclass(frozen=True, slots=True, eq=False)
class Regridding:
    """How the values of a list of directions become those of a regular grid.

    Parameters
    ----------
    azimuth : array, shape (a,)
        Of the grid, degrees, evenly spaced and rising.
    polar : array, shape (p,)
        Of the grid, degrees, rising.
    linear, smooth : array, shape (1 or energy, a, p, direction)
        Operators: linear, never outside the range of the values, and smooth (trigonometric around closed rows, cubic
        splines across rows). One for all energies or one for each.
    owner : array of int, shape (1 or energy, 360, 180)
        The direction whose cell holds the middle of each degree; -1 where none does.
    """

    azimuth: Array
    polar: Array
    linear: Array
    smooth: Array
    owner: Array

    def on_grid(self, values: Array, *, smooth: bool) -> Array:
        """Give values (direction, energy) on the grid, shape (a, p, energy)."""
        operator = self.smooth if smooth else self.linear
        if len(operator) == 1:
            return np.asarray(operator[0] @ values)
        return np.asarray(np.einsum("eapd,de->ape", operator, values, optimize=True))

    def owners(self, azimuth: Array, polar: Array, level: Array) -> Array:
        """Give the direction whose cell holds angles in degrees at the energies of number `level`; -1 for none."""
        column = np.minimum((azimuth % 360).astype(int), 359)
        line = np.clip(polar.astype(int), 0, 179)
        return np.asarray(self.owner[level if len(self.owner) > 1 else 0, column, line])


def regridding(cells: Skymap) -> Regridding:
    """Build the operators of a list of directions."""
    azimuth, polar, solid = (
        one.reshape(len(one), -1) for one in map(np.asarray, (cells.azimuth, cells.polar, cells.solid_angle))
    )
    azimuth, polar = np.broadcast_arrays(azimuth, polar)
    solid = np.broadcast_to(solid, azimuth.shape)
    rows = [find_rows(azimuth[:, level], polar[:, level]) for level in range(azimuth.shape[1])]
    known = [one for one in rows if one is not None]
    if len(known) < len(rows):
        return _scattered(azimuth, polar, solid)
    return _of_rows(azimuth, polar, known)


def find_rows(azimuth: Array, polar: Array) -> list[Array] | None:
    """Give the numbers of the directions of each row of equal polar angle, azimuths rising; None if they are no rows.

    Examples
    --------
    >>> [row.tolist() for row in find_rows(np.array([0.0, 180, 90, 270]), np.array([30.0, 30, 90, 90]))]
    [[0, 1], [2, 3]]
    """
    order = np.argsort(polar, kind="stable")
    cuts = np.flatnonzero(np.diff(polar[order]) > _SAME_ROW) + 1
    rows = [_around(azimuth, row) for row in np.split(order, cuts)]
    even = all(len(row) > 1 and _even(azimuth[row]) for row in rows)
    return rows if even and len(rows) > 1 else None


def _around(azimuth: Array, row: Array) -> Array:
    """Sort a row by azimuth; a part of the circle begins after its widest gap."""
    row = row[np.argsort(azimuth[row] % 360, kind="stable")]
    gaps = np.diff(azimuth[row] % 360, append=azimuth[row[0]] % 360 + 360)
    widest = int(np.argmax(gaps))
    return np.roll(row, -widest - 1) if gaps[widest] > 1.5 * np.median(gaps) else row


def _even(azimuth: Array) -> bool:
    steps = np.diff(azimuth) % 360
    return bool((np.abs(steps - steps.mean()) <= _UNEVEN * steps.mean()).all() and steps.mean() > 0)


def _of_rows(azimuth: Array, polar: Array, rows: list[list[Array]]) -> Regridding:
    heights = [np.array([polar[row, level].mean() for row in found]) for level, found in enumerate(rows)]
    grid_azimuth, grid_polar = _grid_azimuth(azimuth[:, 0], rows[0]), _grid_polar(heights)
    around = [[azimuth[row, level] for row in found] for level, found in enumerate(rows)]
    linear, smooth = (
        np.array(
            [_operator(grid_azimuth, grid_polar, *one, smooth=kind) for one in zip(rows, around, heights, strict=True)]
        )
        for kind in (False, True)
    )
    owner = np.array([_row_owners(*one) for one in zip(rows, around, heights, strict=True)])
    return Regridding(grid_azimuth, grid_polar, linear, smooth, owner)


def _grid_azimuth(azimuth: Array, rows: list[Array]) -> Array:
    longest = max(rows, key=len)
    first, step = azimuth[longest[0]], _step(azimuth[longest])
    if not covers_circle(step, len(longest)):
        return np.asarray(first + step * np.arange(len(longest)))
    count = max(len(longest), 16)
    return np.asarray(first + 360 / count * np.arange(count))


def _grid_polar(heights: list[Array]) -> Array:
    if all(one.shape == heights[0].shape and np.allclose(one, heights[0], atol=1e-6) for one in heights):
        return heights[0]
    low, high = min(one[0] for one in heights), max(one[-1] for one in heights)
    finest = min(np.diff(one).min() for one in heights)
    return np.linspace(low, high, int(np.ceil((high - low) / finest)) + 1)


def _step(around: Array) -> float:
    return float((np.diff(around) % 360).mean())


def _operator(
    azimuth: Array, polar: Array, rows: list[Array], around: list[Array], heights: Array, *, smooth: bool
) -> Array:
    """Give the operator of one energy, shape (a, p, direction)."""
    directions = sum(map(len, rows))
    closed = all(covers_circle(_step(one), len(one)) for one in around)
    north, south = (closed and reach for reach in _reaches_poles(heights))
    # Beyond a pole the rows come again on the other side.
    line = np.arange(len(rows))
    places = [*(line[:2][::-1] if north else ()), *line, *(line[-2:][::-1] if south else ())]
    ahead, behind = 2 * north, 2 * south
    at = np.concatenate([-heights[:2][::-1][: 2 * north], heights, 360 - heights[-2:][::-1][: 2 * south]])
    along = np.zeros((len(places), len(azimuth), directions))
    for number, row in enumerate(places):
        beyond = number < ahead or number >= len(places) - behind
        wanted = azimuth + 180 * beyond
        along[number][:, rows[row]] = _along_row(wanted, around[row], smooth=smooth)
    across = _across(at, polar, smooth=smooth)
    return np.asarray(np.einsum("pr,rad->apd", across, along))


def _reaches_poles(heights: Array) -> tuple[bool, bool]:
    edges = 1.5 * heights[[0, -1]] - 0.5 * heights[[1, -2]]
    margin = 0.25 * np.abs(np.diff(heights)).mean()
    return bool(edges[0] < margin), bool(edges[1] > 180 - margin)


def _along_row(wanted: Array, around: Array, *, smooth: bool) -> Array:
    count, step = len(around), _step(around)
    closed = covers_circle(step, count)
    place = (wanted - around[0]) % 360 / step
    if not closed:
        # Both ends of an open row count as near, whichever side the remainder fell on.
        place = np.where(place > (count - 1 + 360 / step) / 2, place - 360 / step, place)
        place = np.clip(place, -0.5, count - 0.5)
        return _across(np.arange(count, dtype=float), place, smooth=smooth)
    offset = place[:, None] - np.arange(count)
    if smooth:
        return _band_limited(2 * np.pi * offset / count, count)
    near = np.abs((offset + count / 2) % count - count / 2)
    return np.asarray(np.maximum(1 - near, 0))


def _band_limited(angle: Array, count: int) -> Array:
    """Give the trigonometric interpolation kernel of `count` even samples."""
    half = angle / 2
    sine = np.sin(half)
    known = np.abs(sine) < 1e-9
    safe = np.where(known, 1.0, sine)
    kernel = np.sin(count * half) / (count * safe)
    if count % 2 == 0:
        kernel = kernel * np.cos(half)
    return np.asarray(np.where(known, 1.0, kernel))


def _across(at: Array, wanted: Array, *, smooth: bool) -> Array:
    """Give the matrix that interpolates values at rising places, shape (wanted, at); ends are continued in a line."""
    if smooth and len(at) > 3:
        from scipy.interpolate import CubicSpline

        return np.asarray(CubicSpline(at, np.eye(len(at)))(wanted))
    left = np.clip(np.searchsorted(at, wanted, side="right") - 1, 0, len(at) - 2)
    share = (wanted - at[left]) / (at[left + 1] - at[left])
    matrix = np.zeros((len(wanted), len(at)))
    line = np.arange(len(wanted))
    matrix[line, left], matrix[line, left + 1] = 1 - share, share
    return matrix


def _row_owners(rows: list[Array], around: list[Array], heights: Array) -> Array:
    lower, upper = bounds_between(heights)
    owner = np.full((360, 180), -1)
    degree = np.arange(360) + 0.5
    for number, row in enumerate(rows):
        step = _step(around[number])
        place = np.floor((degree - around[number][0] + step / 2) % 360 / step).astype(int)
        inside = place < len(row)
        lines = (np.arange(180) + 0.5 >= lower[number]) & (np.arange(180) + 0.5 < upper[number])
        owner[np.ix_(inside, lines)] = row[place[inside]][:, None]
    return owner


def _scattered(azimuth: Array, polar: Array, solid: Array) -> Regridding:
    grid_azimuth = (np.arange(_AZIMUTHS) + 0.5) * 360 / _AZIMUTHS
    grid_polar = (np.arange(_POLARS) + 0.5) * 180 / _POLARS
    grid = unit_vectors(grid_azimuth[:, None], grid_polar[None, :])
    fine = unit_vectors(np.arange(360)[:, None] + 0.5, np.arange(180)[None, :] + 0.5)
    operators, owners = [], []
    for level in range(azimuth.shape[1]):
        directions = unit_vectors(azimuth[:, level], polar[:, level])
        operators.append(_triangles(directions, grid.reshape(-1, 3)).reshape(_AZIMUTHS, _POLARS, -1))
        near = fine @ directions.T
        nearest = near.argmax(-1)
        radius = 1.5 * np.sqrt(solid[:, level] / np.pi)
        owners.append(np.where(near.max(-1) >= np.cos(radius)[nearest], nearest, -1))
    made = np.array(operators)
    return Regridding(grid_azimuth, grid_polar, made, made, np.array(owners))


def _triangles(directions: Array, wanted: Array) -> Array:
    """Give barycentric weights within the triangles of neighbouring directions, shape (wanted, direction)."""
    from scipy.spatial import ConvexHull

    faces = ConvexHull(directions).simplices
    corners = directions[faces].transpose(0, 2, 1)
    flat = np.abs(np.linalg.det(corners)) < 1e-9
    shares = np.einsum("fij,nj->nfi", np.linalg.inv(corners[~flat]), wanted)
    best = shares.min(-1).argmax(-1)
    weights = np.maximum(shares[np.arange(len(wanted)), best], 0)
    matrix = np.zeros((len(wanted), len(directions)))
    np.put_along_axis(matrix, faces[~flat][best], weights / weights.sum(-1, keepdims=True), axis=-1)
    return matrix
