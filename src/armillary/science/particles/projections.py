"""Reduced distributions: f integrated over one or two directions of velocity space.

``F(v1) = int f dv2 dv3`` and ``F(v1, v2) = int f dv3``. Every cell is spread over the same fixed points of a
low-discrepancy sequence (Roberts' R3: multiples of the powers of the root of ``x^4 = x + 1``), shifted from cell to
cell so that neighbours do not form stripes, and what the points carry adds up to f times the exact volume of the cell.
So the answer is the same every time, and the sum over all bins is the density to rounding.

A value f measured at the middle of a cell stands for its surroundings. Spread evenly it would make a beam wider by the
size of the cell, spread as its neighbours say, with the sum held fixed, as much too narrow. Points that carry
``sqrt(f v^3 sin(polar))``, in coordinates in which cells are boxes, do neither: with ``F = f J`` the error of
``sum F <g> - int F g`` is ``h^2/24 int F ((1 - 2 a) g'' + (2 b - 2 a) g' J'/J)`` for points that carry ``f^a J^b``, and
vanishes for halves. f is continued within a cell by its gradient in ``ln f``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadParameter
from armillary.science.particles.angles import azimuth_step, bounds_between, energy_edges
from armillary.science.particles.cell_volumes import covers_circle, rising, volumes
from armillary.science.particles.directions import find_rows
from armillary.science.particles.interpolation import logarithms
from armillary.science.particles.quadrature import sky, unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array

#: Points in each cell.
POINTS: Final = 32
#: Directions worked on at once: few enough for the processor's cache.
_TOGETHER: Final = 64
#: So many bins beside each other, that no point fell into, get something from their neighbours, which give no more than
#: this to each side.
_WIDEST: Final = 8
_MOST: Final = 0.45
#: ln f is taken to change by no more than this from the middle of a cell to its side.
_STEEPEST: Final = 6.0
#: Shifts of the points from direction to direction.
_PLASTIC: Final = (0.7548776662466927, 0.5698402909980532)
_NO_LIMITS: Final = (-np.inf, np.inf)


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal bins from `low` to `high`, km/s.

    Examples
    --------
    >>> Bins(-100.0, 100.0, 4).middles.tolist()
    [-75.0, -25.0, 25.0, 75.0]
    """

    low: float
    high: float
    count: int

    @property
    def width(self) -> float:
        """Of a bin, km/s."""
        return (self.high - self.low) / self.count

    @property
    def middles(self) -> Array:
        """Of the bins, km/s."""
        return np.asarray(self.low + (np.arange(self.count) + 0.5) * self.width)


class Projection(NamedTuple):
    """A reduced distribution at t times.

    Parameters
    ----------
    values : array, shape (t, n) or (t, n1, n2)
        s cm^-4 or s^2 cm^-5: times the width of a bin in cm/s and summed it gives cm^-3.
    density : array, shape (t,)
        Sum of f times volume over all measured cells, cm^-3.
    outside : array, shape (t,)
        The part of it that lies outside the bins or the limits, cm^-3.
    """

    values: Array
    density: Array
    outside: Array


def project(
    cells: Skymap, basis: Array, bins: tuple[Bins, ...], *, centre: Array | None = None,
    across: tuple[float, float] = _NO_LIMITS, points: int = POINTS,
) -> Projection:  # fmt: skip
    """Integrate f over the directions for which there are no bins.

    Parameters
    ----------
    cells : Skymap
        At t times. Cells that are NaN are left out.
    basis : array, shape (t, 3, 3)
        Rows are v1, v2 and v3 in the skymap's frame; values are NaN where it is not defined.
    bins : tuple of one or two Bins
        Along v1, or along v1 and v2.
    centre : array, shape (t, 3), optional
        Velocity, in the frame of the skymap, from which all are counted; the origin if it is left out.
    across : tuple of float
        Only what lies between these is integrated, km/s: for one kind of bins the speed across v1, for two v3.
    points : int
        In each cell.

    Returns
    -------
    Projection
        ``(values * width).sum() + outside == density`` to 1e-12, widths in cm/s.

    Raises
    ------
    BadParameter
        If bins or limits hold nothing, or there are not one or two kinds of bins.

    Notes
    -----
    Linear in steps, cells and points; a few megabytes beside the answer.

    Examples
    --------
    >>> theta, phi = (np.arange(16) + 0.5) * 11.25, (np.arange(32) + 0.5) * 11.25
    >>> cells = Skymap(np.full((1, 32, 16, 8), 2e-20), phi, theta, np.geomspace(10, 1e3, 8))
    >>> found = project(cells, np.eye(3)[None], (Bins(-600.0, 600.0, 60),))
    >>> bool(np.isclose(found.values.sum() * 20e5, found.density[0], rtol=1e-12)), found.outside.tolist()
    (True, [0.0])
    """
    _check(bins, across, points)
    tidy = rising(cells)
    spread = _Spread.of(tidy, points)
    shape = tuple(one.count for one in bins)
    values = np.full((cells.steps, *shape), np.nan)
    density, outside = np.full(cells.steps, np.nan), np.full(cells.steps, np.nan)
    whole = volumes(tidy).reshape(-1, *spread.size)
    origin = np.zeros((cells.steps, 3)) if centre is None else centre
    for step in range(cells.steps):
        if not (np.isfinite(basis[step]).all() and np.isfinite(origin[step]).all()):
            continue
        f = tidy.psd[step].reshape(spread.size)
        known = np.isfinite(f)
        if not known.any():
            continue
        mass = 1e15 * np.where(known, f, 0) * whole[step if len(whole) > 1 else 0]
        density[step] = mass.sum()
        counted, hit = _histogram(spread, tidy, step, mass, _Frame(basis[step], origin[step]), bins, across)
        # Single precision is enough for where a point lies, but not for how much there is.
        total = counted.sum()
        counted *= density[step] / total if total > 0 else 0.0
        inside = tuple(slice(1, -1) for _ in bins)
        inner = counted[inside]
        outside[step] = counted.sum() - inner.sum()
        if len(bins) == 2:
            inner = _shared(inner, hit[inside])
        values[step] = inner / np.prod([1e5 * one.width for one in bins])
    return Projection(values, density, np.where(np.abs(outside) < 1e-13 * density, 0.0, outside))


class _Frame(NamedTuple):
    basis: Array
    origin: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """Points within cells: d directions, m energies, k points; a dimension 1 or m where directions vary with energy.

    Parameters
    ----------
    size : tuple of int
        d, m.
    above : array, shape (k,)
        Places from -1/2 to 1/2 in ln(speed).
    places : array, shape (d, 1 or m, 4, k)
        Places from -1/2 to 1/2 in azimuth, polar angle and ln(speed), then half of ln(sin(polar)).
    unit : array, shape (d, 1 or m, k, 3)
        Directions.
    log_width : array, shape (m,) or (t, m)
        Of the cells, in ln(speed).
    slopes : array, optional
        For a list; see `_listed_slopes`.
    turn : array, shape (t,), optional
        Radians by which the grid has turned about z.
    varies : bool
        Whether the angles of a grid change otherwise; then `places` and `unit` are those of the first step.
    """

    size: tuple[int, int]
    above: Array
    places: Array
    unit: Array
    log_width: Array
    slopes: Array | None
    turn: Array | None
    varies: bool

    @classmethod
    def of(cls, cells: Skymap, points: int) -> "_Spread":
        """Spread the cells."""
        boxes, where = _boxes(cells, 0), sky(cells) if cells.gridded else None
        places, unit = _points_on_sky(boxes, points)
        log_width = np.diff(np.log(energy_edges(cells.energy)), axis=-1) / 2
        return cls(
            size=(len(boxes[0]), cells.psd.shape[-1]), above=places[0, 0, 2], places=places, unit=unit,
            log_width=log_width, slopes=None if where else _listed_slopes(*boxes), turn=where.turn if where else None,
            varies=where is not None and where.varies == "time",
        )  # fmt: skip

    def at_step(self, cells: Skymap, step: int) -> tuple[Array, Array]:
        """Give `places` and `unit` at a time, but for the turn."""
        return _points_on_sky(_boxes(cells, step), len(self.above)) if self.varies else (self.places, self.unit)


def _check(bins: tuple[Bins, ...], across: tuple[float, float], points: int) -> None:
    if len(bins) not in {1, 2}:
        raise BadParameter(f"a projection cannot have {len(bins)} axes", "give bins for one or two")
    for one in bins:
        if not (one.low < one.high and one.count > 0 and np.isfinite([one.low, one.high]).all()):
            raise BadParameter(
                f"bins from {one.low:g} to {one.high:g} km/s hold nothing", "give low < high and a count"
            )
    if not across[0] < across[1] or points < 1:
        raise BadParameter(f"nothing lies between {across[0]:g} and {across[1]:g} km/s", "give low < high")


def _sequence(points: int) -> Array:
    """Give points of Roberts' sequence in three dimensions, shape (points, 3), 0 to 1; the first one evened out."""
    root = 1.2207440846057596
    found = (0.5 + np.arange(1, points + 1)[:, None] / root ** np.arange(1, 4)) % 1
    # The same in all cells, so that what it lacks in evenness would not average out.
    found[:, 0] = (np.argsort(np.argsort(found[:, 0])) + 0.5) / points
    return np.asarray(found)


def _boxes(cells: Skymap, step: int) -> tuple[Array, Array, Array, Array]:
    """Give azimuth, polar angle, width and height of the cells in degrees, shape (d, 1 or m)."""
    if not cells.gridded:
        return _listed_boxes(cells)
    azimuth = cells.azimuth[step] if cells.azimuth.ndim == 2 else cells.azimuth
    polar = cells.polar[step] if cells.polar.ndim == 2 else cells.polar
    lower, upper = bounds_between(polar)
    columns = [np.repeat(azimuth, len(polar)), *(np.tile(one, len(azimuth)) for one in ((lower + upper) / 2,))]
    width = np.full(len(columns[0]), azimuth_step(cells))
    height = np.tile(upper - lower, len(azimuth))
    return columns[0][:, None], columns[1][:, None], width[:, None], height[:, None]


def _listed_boxes(cells: Skymap) -> tuple[Array, Array, Array, Array]:
    solid_angle = np.asarray(cells.solid_angle)
    given = (np.asarray(one).reshape(len(one), -1) for one in (cells.azimuth, cells.polar, solid_angle))
    azimuth, polar, solid = np.broadcast_arrays(*given)
    height = np.degrees(np.sqrt(solid))
    width = np.minimum(height / np.maximum(np.sin(np.radians(polar)), 1e-3), 360)
    height, width = height.copy(), width.copy()
    for level in range(azimuth.shape[1]):
        rows = find_rows(azimuth[:, level], polar[:, level])
        if rows is None:
            continue
        lower, upper = bounds_between(np.array([polar[row, level].mean() for row in rows]))
        for row, tall in zip(rows, upper - lower, strict=True):
            height[row, level], width[row, level] = tall, (np.diff(azimuth[row, level]) % 360).mean()
    return azimuth, polar, width, height


def _points_on_sky(boxes: tuple[Array, Array, Array, Array], points: int) -> tuple[Array, Array]:
    """Give `places` and `unit` of `_Spread`, float32, for azimuth, polar angle, width and height of cells."""
    azimuth, polar, width, height = (one[..., None] for one in boxes)
    sequence = _sequence(points)
    number = np.arange(len(azimuth))[:, None, None]
    around, along = ((sequence[:, 1 + i] + number * _PLASTIC[i]) % 1 - 0.5 for i in range(2))
    theta = np.clip(polar + along * height, 1e-3, 180 - 1e-3)
    lean = 0.5 * np.log(np.sin(np.radians(theta)))
    places = np.stack(np.broadcast_arrays(around, along, sequence[:, 0] - 0.5, lean), -2)
    unit = unit_vectors(azimuth + around * width, theta)
    return places.astype(np.float32), unit.astype(np.float32)


def _listed_slopes(azimuth: Array, polar: Array, width: Array, height: Array) -> Array:
    """Give operators from ln f (d) to its change over a cell in azimuth and in polar angle, shape (1 or m, 2, d, d).

    A plane is laid through each direction and its neighbours by least squares.
    """
    found = []
    for level in range(azimuth.shape[1]):
        theta = np.radians(polar[:, level])
        unit = unit_vectors(azimuth[:, level], polar[:, level])
        east = unit_vectors(azimuth[:, level] + 90, np.full(len(unit), 90.0))
        south = np.cross(east, unit) * -1
        sides = np.radians(width[:, level]) * np.sin(theta), np.radians(height[:, level])
        near = np.arccos(np.clip(unit @ unit.T, -1, 1)) < 1.6 * np.maximum(*sides)[:, None]
        operator = np.zeros((2, len(unit), len(unit)))
        for one in range(len(unit)):
            others = np.flatnonzero(near[one])
            offsets = unit[others] @ np.stack([east[one], south[one]], -1)
            plane = np.linalg.pinv(np.column_stack([np.ones(len(others)), offsets]))
            operator[:, one, others] = plane[1:] * np.array([sides[0][one], sides[1][one]])[:, None]
        found.append(operator)
    return np.array(found)


def _slopes(spread: _Spread, cells: Skymap, step: int) -> Array:
    """Give the factors of `places` in ln(sqrt(f J)), shape (d, m, 4) float32."""
    f = cells.psd[step]
    energy = cells.energy[step] if cells.energy.ndim == 2 else cells.energy
    logs = logarithms(f, energy, ~(f > 0))
    if spread.slopes is not None:
        sides = np.einsum("mide,em->idm" if len(spread.slopes) > 1 else "zide,em->idm", spread.slopes, logs)
        parts = [sides[0], sides[1], _along(logs, 1)]
    else:
        parts = [_around(logs, cells), _over_poles(logs, cells), _along(logs, 2)]
    log_width = spread.log_width[step] if spread.log_width.ndim == 2 else spread.log_width
    halves = [0.5 * np.clip(part, -_STEEPEST, _STEEPEST).reshape(spread.size) for part in parts]
    # sqrt(v^3) belongs to J.
    halves[2] += 1.5 * log_width
    return np.stack([*halves, np.ones(spread.size)], -1).astype(np.float32)


def _along(values: Array, axis: int) -> Array:
    return np.asarray(np.gradient(values, axis=axis)) if values.shape[axis] > 1 else np.zeros_like(values)


def _around(logs: Array, cells: Skymap) -> Array:
    if covers_circle(azimuth_step(cells), len(logs)):
        return (np.roll(logs, -1, 0) - np.roll(logs, 1, 0)) / 2
    return _along(logs, 0)


def _over_poles(logs: Array, cells: Skymap) -> Array:
    if not covers_circle(azimuth_step(cells), len(logs)) or len(logs) % 2:
        return _along(logs, 1)
    other = np.roll(logs, len(logs) // 2, 0)
    lower, upper = bounds_between(np.atleast_2d(cells.polar)[0])
    closed = [lower[0] < 1, upper[-1] > 179]
    wide = np.concatenate([other[:, :1], logs, other[:, -1:]], 1)
    inner = (wide[:, 2:] - wide[:, :-2]) / 2
    ends = _along(logs, 1)
    for end, kept in zip((0, -1), closed, strict=True):
        if not kept:
            inner[:, end] = ends[:, end]
    return np.asarray(inner)


def _histogram(
    spread: _Spread, cells: Skymap, step: int, mass: Array, frame: _Frame, bins: tuple[Bins, ...],
    across: tuple[float, float],
) -> tuple[Array, Array]:  # fmt: skip
    """Sort the points of all cells into bins, with one more at each end for what lies outside, cm^-3.

    Say also which bins of a plane a point fell into, of whatever it carried.
    """
    shape = tuple(one.count + 2 for one in bins)
    found = np.zeros(int(np.prod(shape)))
    hit = np.zeros(len(found) if len(bins) == 2 else 0, bool)
    for carried, speed, unit in _carried(spread, cells, step, mass):
        basis = _turned(frame.basis, spread, step)
        index = _bin_numbers(speed, unit, basis[0], frame, bins[0], 0)
        if len(bins) == 2:
            index *= shape[1]
            index += _bin_numbers(speed, unit, basis[1], frame, bins[1], 1)
        if across != _NO_LIMITS:
            index = np.where(_within(speed, unit, basis, frame, bins, across), index, 0)
        found += np.bincount(np.ravel(index), carried.ravel(), len(found))
        if len(bins) == 2:
            hit[np.ravel(index)] = True
    return found.reshape(shape), hit.reshape(shape) if len(bins) == 2 else hit


def _shared(values: Array, hit: Array) -> Array:
    """Let bins that no point fell into have a part of those beside them along v2, so that sums over v2 stay.

    A cell has so many points only: where bins are narrow beside the cells some would be empty in the midst of others.
    """
    found = values.copy()
    for width in range(1, _WIDEST + 1):
        last = hit.shape[1] - width - 1
        if last < 1:
            break
        missed = ~np.any([hit[:, 1 + i : 1 + i + last] for i in range(width)], axis=0)
        row, left = np.nonzero(hit[:, :last] & missed & hit[:, width + 1 :])
        right, part = left + width + 1, min(width / (width + 2), _MOST)
        for beside in (left, right):
            np.subtract.at(found, (row, beside), part * values[row, beside])
        for between in range(1, width + 1):
            found[row, left + between] = part * (values[row, left] + values[row, right]) / width
    return found


def _bin_numbers(speed: Array, unit: Array, axis: Array, frame: _Frame, bins: Bins, number: int) -> Array:
    """Give the bin of each point (d, m, k), from 1 on; 0 and the last are outside."""
    scale = 1 / bins.width
    place = (unit @ (axis * scale).astype(np.float32)) * speed
    place += np.float32(1 - (bins.low + frame.basis[number] @ frame.origin) * scale)
    if not 0 < place.min() <= place.max() < bins.count + 1:
        np.clip(place, 0, bins.count + 1, out=place)
    return np.asarray(place.astype(np.int64))


def _carried(spread: _Spread, cells: Skymap, step: int, mass: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Give, some directions at a time, what points carry (d, m, k), their speeds (m, k), their directions."""
    slopes, (places, unit) = _slopes(spread, cells, step), spread.at_step(cells, step)
    log_width = spread.log_width[step] if spread.log_width.ndim == 2 else spread.log_width
    energy = cells.energy[step] if cells.energy.ndim == 2 else cells.energy
    middle = 1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / cells.mass * energy)
    speed = (middle[:, None] * np.exp(spread.above * log_width[:, None])).astype(np.float32)
    filled = np.flatnonzero(mass.any(1))
    for first in range(0, len(filled), _TOGETHER):
        some = filled[first : first + _TOGETHER]
        if places.shape[1] == 1:
            carried = slopes[some] @ places[some, 0]
        else:
            carried = (slopes[some, :, None] @ places[some])[:, :, 0]
        np.exp(carried, out=carried)
        carried *= (mass[some] / carried.sum(-1)).astype(np.float32)[..., None]
        yield np.asarray(carried), speed, unit[some]


def _turned(basis: Array, spread: _Spread, step: int) -> Array:
    """Give the basis as seen from a grid that has turned about z since the first time."""
    if spread.turn is None:
        return basis
    angle = spread.turn[step]
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return np.asarray(basis @ turn)


def _within(
    speed: Array, unit: Array, basis: Array, frame: _Frame, bins: tuple[Bins, ...], across: tuple[float, float]
) -> Array:
    """Say which points lie between the limits."""
    origin = frame.basis @ frame.origin
    along = [(unit @ basis[i].astype(np.float32)) * speed - np.float32(origin[i]) for i in range(3)]
    transverse = np.hypot(along[1], along[2]) if len(bins) == 1 else along[2]
    return np.asarray((transverse >= across[0]) & (transverse <= across[1]))
