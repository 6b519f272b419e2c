"""Velocity distributions in three dimensions: values on a cartesian grid, and surfaces of equal value as triangles.

Surfaces are made by marching tetrahedra (Doi and Koide 1991, IEICE Trans. E74, 214): every cube of the grid is cut into
the six tetrahedra around its diagonal (Kuhn's division, the same on both sides of a face), and a plane within each
parts the corners that lie above the level from the others. There are no ambiguous cases, so that a surface is always
closed, has no edge of its own, and two triangles meet at each of its sides.
"""

from functools import cache
from itertools import combinations, permutations
from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadParameter
from armillary.science.particles.interpolation import Interpolator, Method
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

#: Steps in the flattened numbers of corners are found from these bits: x, y, z.
_BITS: Final = (1, 2, 4)


class Surface(NamedTuple):
    """Triangles: ``vertices`` (n, 3) float32 and ``faces`` (m, 3) int32, anticlockwise as seen from outside."""

    vertices: Array
    faces: Array


def volume(
    cells: Skymap, basis: Array, axis: Array, *, method: Method = "cubic", centre: Array | None = None,
    outside: float = 0.0,
) -> Array:  # fmt: skip
    """Give f on a cubic grid of velocities at every time, shape (t, n, n, n) float32.

    Parameters
    ----------
    basis : array, shape (t, 3, 3)
        Rows are the axes of the grid in the skymap's frame; NaN where it is not defined.
    axis : array, shape (n,)
        Velocities along each of them, km/s.
    method, centre, outside
        As in :func:`armillary.science.particles.slices.slices`.

    Raises
    ------
    BadParameter
        If there is no such method.

    Notes
    -----
    4 n^3 bytes a step, and while a step is worked on about 32 n^3 more. What is interpolated is prepared once a step.
    """
    asked = Interpolator.of(cells, method, outside)
    found = np.full((cells.steps, len(axis), len(axis), len(axis)), np.nan, np.float32)
    origin = np.zeros((cells.steps, 3)) if centre is None else centre
    defined = np.isfinite(basis).all((1, 2)) & np.isfinite(origin).all(1)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    for step in np.flatnonzero(defined):
        found[step] = asked.at_step(int(step))(grid @ basis[step] + origin[step])
    return found


def isosurface(values: Array, axes: tuple[Array, Array, Array], level: float) -> Surface:
    """Give the surface that parts values above a level from the others.

    Parameters
    ----------
    values : array, shape (x, y, z)
        NaN counts as below the level. Give logarithms for a distribution: values are interpolated in a line.
    axes : tuple of array
        Coordinates along each dimension, rising.
    level : float
        In the units of values.

    Returns
    -------
    Surface
        Closed, also where values above the level reach the border of the grid: it is capped there. Empty if nothing
        lies above the level.

    Examples
    --------
    >>> axis = np.linspace(-1.5, 1.5, 16)
    >>> x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    >>> ball = isosurface(1 - x**2 - y**2 - z**2, (axis, axis, axis), 0.0)
    >>> euler_characteristic(ball), round(enclosed_volume(ball), 1)
    (2, 4.1)
    """
    if values.ndim != 3 or values.shape != tuple(map(len, axes)) or not np.isfinite(level):
        raise BadParameter(f"no surface of {level} in values of shape {values.shape}", "give a volume and a number")
    # A layer of no thickness around everything closes what reaches the border.
    padded = np.pad(np.where(np.isnan(values), -np.inf, values), 1, constant_values=-np.inf)
    spread = [np.concatenate([axis[:1], axis, axis[-1:]]) for axis in axes]
    above = padded > level
    triangles = _triangles(above)
    if not len(triangles):
        return Surface(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    edges, faces = np.unique(triangles, return_inverse=True)
    return Surface(_crossings(edges, padded, spread, level), faces.reshape(-1, 3).astype(np.int32))


def euler_characteristic(surface: Surface) -> int:
    """Give vertices minus edges plus faces: 2 for each closed surface without holes, 0 for a ring."""
    sides = np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return len(surface.vertices) - len(np.unique(sides, axis=0)) + len(surface.faces)


def enclosed_volume(surface: Surface) -> float:
    """Give the volume inside a closed surface, by the divergence theorem."""
    a, b, c = surface.vertices.astype(float)[surface.faces].transpose(1, 0, 2)
    return float(np.einsum("ni,ni->", a, np.cross(b, c)) / 6)


def _triangles(above: Array) -> Array:
    """Give the edges, as 8 times the flattened corner plus the bits of the way along it, of all triangles (m, 3)."""
    steps = np.array([above.shape[1] * above.shape[2], above.shape[2], 1])
    flat = above.ravel()
    offsets = np.array([sum(int(steps[i]) for i in range(3) if bits & _BITS[i]) for bits in range(8)])
    count = np.zeros(tuple(n - 1 for n in above.shape), np.int8)
    for bits in range(8):
        count += above[tuple(slice(bits >> i & 1, n - 1 + (bits >> i & 1)) for i, n in enumerate(above.shape))]
    cubes = np.stack(np.nonzero((count > 0) & (count < 8)), -1) @ steps
    found = [np.zeros((0, 3), np.int64)]
    for corners, odd in _tetrahedra():
        numbers = cubes[:, None] + offsets[list(corners)]
        case = flat[numbers] @ np.array([1, 2, 4, 8])
        for which, sides in _cases().items():
            chosen = numbers[case == which]
            for side in sides:
                # A path along the diagonal only adds bits, so the first corner of an edge is the lower one.
                keys = [chosen[:, i] * 8 + (corners[j] - corners[i]) for i, j in side]
                found.append(np.stack(keys[::-1] if odd else keys, -1))
    return np.concatenate(found)


def _crossings(edges: Array, values: Array, axes: list[Array], level: float) -> Array:
    """Give where the level lies on each edge, shape (n, 3) float32."""
    corner, bits = edges // 8, edges % 8
    low = np.stack(np.unravel_index(corner, values.shape), -1)
    high = low + (bits[:, None] >> np.arange(3) & 1)
    first, second = values[tuple(low.T)], values[tuple(high.T)]
    with np.errstate(invalid="ignore", over="ignore"):
        share = (level - first) / (second - first)
    # Beside what is not known the surface stands on the last corner that is.
    share = np.where(np.isinf(first), 1.0, np.where(np.isinf(second), 0.0, share))
    ends = [np.stack([axis[at[:, i]] for i, axis in enumerate(axes)], -1) for at in (low, high)]
    return np.asarray(ends[0] + share[:, None] * (ends[1] - ends[0]), np.float32)


def _tetrahedra() -> list[tuple[tuple[int, int, int, int], bool]]:
    """Give the corners (bits) of the six tetrahedra of a cube, and whether each is a mirror image."""
    found = []
    for a, b, c in permutations(range(3)):
        odd = (a > b) ^ (a > c) ^ (b > c)
        found.append(((0, _BITS[a], _BITS[a] | _BITS[b], 7), bool(odd)))
    return found


@cache
def _cases() -> dict[int, list[list[tuple[int, int]]]]:
    """Give the triangles, as edges between corners 0 to 3, for every set of corners (bits) that is above."""
    cases: dict[int, list[list[tuple[int, int]]]] = {}
    for i, j, k, z in permutations(range(4)):
        if sum(a > b for a, b in combinations((i, j, k, z), 2)) % 2:
            continue
        cases.setdefault(1 << i, [[_edge(i, j), _edge(i, k), _edge(i, z)]])
        cases.setdefault(15 - (1 << i), [[_edge(i, j), _edge(i, z), _edge(i, k)]])
        around = [_edge(i, k), _edge(i, z), _edge(j, z), _edge(j, k)]
        cases.setdefault(1 << i | 1 << j, [around[:3], [around[0], around[2], around[3]]])
    return cases


def _edge(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)
