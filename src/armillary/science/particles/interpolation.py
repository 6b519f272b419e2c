"""The value of a velocity distribution at any velocity, from what was measured in cells around it.

``ln f`` is interpolated in the logarithm of energy, azimuth and polar angle: of a Maxwellian it is smooth there, no
matter how steep f is. Beyond a pole the cells come again on the other side (theta to -theta, phi + 180 degrees), so
that a pole is a place as any other. "linear" takes the eight cells around, "cubic" a spline through all of them
(scipy.ndimage; Unser 1999, IEEE Signal Process. Mag. 16(6), 22, doi:10.1109/79.799930), "nearest" the cell that holds
the velocity.

What was counted is never mixed with what was not. A velocity in a cell without a count has the value 0, in a cell that
was not measured NaN. Around such cells "cubic" is "linear", and there a cell without a count stands for half of what
the least count of the same time would be at its energy.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.particles.angles import bounds_between, energy_edges
from armillary.science.particles.cell_volumes import covers_circle, rising
from armillary.science.particles.directions import Regridding, regridding
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array

Method = Literal["nearest", "linear", "cubic"]
METHODS: Final[tuple[Method, ...]] = ("nearest", "linear", "cubic")
#: Cells that are added around a grid: a spline forgets its edge by a factor of 3.7 a cell.
_MARGIN: Final = 4
#: Velocities worked on at once: few enough for the processor's cache.
_TOGETHER: Final = 8192
#: How uneven (in cells) energies may be to count as even.
_EVEN: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the angles of one time lie on the padded grid.

    Parameters
    ----------
    azimuth, step : float
        The first azimuth and the step, degrees, rising.
    counts : tuple of int
        Azimuths, polar angles, energies.
    polar : array, shape (polar,)
        Degrees, rising.
    closed : bool
        Whether the azimuths go around the circle.
    poles : tuple of bool
        Whether the cells reach the pole at 0 and at 180 degrees.
    """

    azimuth: float
    step: float
    counts: tuple[int, int, int]
    polar: Array
    closed: bool
    poles: tuple[bool, bool]

    @property
    def margins(self) -> Array:
        """How many cells are added at both ends of each axis."""
        azimuths, polars, _ = self.counts
        around = min(_MARGIN, azimuths) if self.closed else 2
        return np.array([around, min(_MARGIN, polars) if any(self.poles) else 2, 2])


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """f of one time, ready to be asked at any velocity; made by :func:`Interpolator.at_step`."""

    grid: Grid
    regridding: Regridding | None
    cells: Array
    energy: Array
    mass: float
    method: Method
    outside: float
    padded: Array | None
    spline: Array | None
    doubtful: Array | None
    whole: bool

    def __call__(self, velocity: Array) -> Array:
        """Give f, s^3 cm^-6, at velocities of shape (..., 3) in km/s; NaN where it was not measured."""
        flat = velocity.reshape(-1, 3)
        found = np.empty(len(flat))
        for first in range(0, len(flat), _TOGETHER):
            some = slice(first, first + _TOGETHER)
            found[some] = self._at(flat[some])
        return found.reshape(velocity.shape[:-1])

    def _at(self, velocity: Array) -> Array:
        square = np.einsum("ni,ni->n", velocity, velocity)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_energy = np.log(square * (0.5e6 * self.mass / ELEMENTARY_CHARGE))
        low, *_, high = np.log(energy_edges(self.energy))
        within = (log_energy >= low) & (log_energy <= high)
        if within.all():
            return self._within(velocity, square, log_energy)
        found = np.where(np.isfinite(square), self.outside, np.nan)
        found[within] = self._within(velocity[within], square[within], log_energy[within])
        return found

    def _within(self, velocity: Array, square: Array, log_energy: Array) -> Array:
        """Give f at velocities within the energies of the instrument."""
        polar = np.degrees(np.arccos(np.clip(velocity[:, 2] / np.sqrt(square), -1, 1)))
        azimuth = np.degrees(np.arctan2(velocity[:, 1], velocity[:, 0]))
        place = self._place(azimuth, polar, log_energy)
        return self._value(place, None if self.whole else self._owner(azimuth, polar, place))

    def _place(self, azimuth: Array, polar: Array, log_energy: Array) -> Array:
        """Give places on the padded grid, shape (3, n)."""
        found = np.empty((3, len(azimuth)))
        found[0] = _azimuth_places(self.grid, azimuth)
        found[1] = _polar_places(self.grid, polar)
        level = _energy_places(np.log(self.energy), log_energy, smooth=self.spline is not None)
        np.clip(level, -0.5, len(self.energy) - 0.5, out=found[2])
        found += self.grid.margins[:, None]
        return found

    def _owner(self, azimuth: Array, polar: Array, place: Array) -> Array:
        """Give the value of the cell that holds each place; NaN for none."""
        a, p, e = np.rint(place).astype(int) - self.grid.margins[:, None]
        e = np.clip(e, 0, self.grid.counts[2] - 1)
        if self.regridding is not None:
            owner = self.regridding.owners(azimuth, polar, e)
            return np.where(owner < 0, np.nan, self.cells[np.maximum(owner, 0), e])
        azimuths, polars, _ = self.grid.counts
        missed = np.zeros(len(a), bool) if self.grid.closed else (a < 0) | (a >= azimuths)
        for pole, side in zip(self.grid.poles, (p < 0, p >= polars), strict=True):
            missed |= side & (not pole)
        values = self.cells[a % azimuths, np.clip(p, 0, polars - 1), e]
        return np.where(missed, np.nan, values)

    def _value(self, place: Array, owner: Array | None) -> Array:
        if owner is None:
            return np.exp(self._logarithm(place))
        if self.padded is not None:
            counted = owner > 0
            owner[counted] = np.exp(self._logarithm(place[:, counted]))
        return owner

    def _logarithm(self, at: Array) -> Array:
        from scipy.ndimage import map_coordinates

        if self.spline is None:
            return np.asarray(map_coordinates(self.padded, at, order=1, mode="nearest"))
        found = map_coordinates(self.spline, at, order=3, mode="nearest", prefilter=False)
        if self.doubtful is not None:
            near = self.doubtful[tuple(np.rint(at).astype(int))]
            found[near] = map_coordinates(self.padded, at[:, near], order=1, mode="nearest")
        return np.asarray(found)


@dataclass(frozen=True, slots=True, eq=False)
class Interpolator:
    """A skymap that can be asked at any velocity; operators for a list of directions are built once.

    Parameters
    ----------
    cells : Skymap
        As it is.
    method : str
        One of `METHODS`.
    outside : float
        What f is beyond the energies of the instrument: NaN (not known) or 0.

    Examples
    --------
    >>> theta, phi = (np.arange(16) + 0.5) * 11.25, (np.arange(32) + 0.5) * 11.25
    >>> cells = Skymap(np.full((1, 32, 16, 8), 2e-20), phi, theta, np.geomspace(10, 1e4, 8))
    >>> field = Interpolator.of(cells, "cubic").at_step(0)
    >>> field(np.array([[0.0, 0.0, 300.0], [0.0, 0.0, 9000.0]])).round(24).tolist()
    [2e-20, nan]
    """

    cells: Skymap
    method: Method
    outside: float
    regridding: Regridding | None

    @classmethod
    def of(cls, cells: Skymap, method: Method = "cubic", outside: float = np.nan) -> "Interpolator":
        """Make one.

        Raises
        ------
        BadParameter
            If there is no such method.
        BadData
            If the angles of a grid are not evenly spaced.
        """
        if method not in METHODS:
            raise BadParameter(f"there is no interpolation {method!r}", f"choose one of {', '.join(METHODS)}")
        tidy = rising(cells)
        return cls(tidy, method, outside, None if tidy.gridded else regridding(tidy))

    def at_step(self, step: int) -> Field:
        """Give the distribution at one time."""
        values, energy = self.cells.psd[step], self.cells.energy[step if self.cells.energy.ndim == 2 else ...]
        if bool((values < 0).any()):
            raise BadData("this skymap has negative phase space densities", "mend the mission's recipe that makes it")
        grid = self._grid(step)
        padded = spline = doubtful = None
        wrong = ~(values > 0)
        if self.method != "nearest":
            logs = logarithms(values, energy, wrong)
            padded = _padded(self._on_grid(logs, smooth=False), grid)
            if self.method == "cubic":
                spline, doubtful = self._spline(logs, wrong, grid)
        whole = padded is not None and grid.closed and all(grid.poles) and not wrong.any()
        return Field(
            grid, self.regridding, values, energy, self.cells.mass, self.method, self.outside, padded, spline,
            doubtful, whole,
        )  # fmt: skip

    def _grid(self, step: int) -> Grid:
        cells, listed = self.cells, self.regridding
        if listed is not None:
            azimuth, polar = listed.azimuth, listed.polar
        else:
            azimuth = cells.azimuth[step] if cells.azimuth.ndim == 2 else cells.azimuth
            polar = cells.polar[step] if cells.polar.ndim == 2 else cells.polar
        counts = (len(azimuth), len(polar), cells.psd.shape[-1])
        if not (np.isfinite(azimuth).all() and np.isfinite(polar).all()):
            raise BadData("some angles of this skymap are not known", "ask for an interval in which they are")
        wide = _step(azimuth)
        closed = covers_circle(wide, len(azimuth))
        lower, upper = bounds_between(polar)
        margin = 0.25 * float((upper - lower).mean())
        poles = (closed and bool(lower[0] < margin), closed and bool(upper[-1] > 180 - margin))
        return Grid(float(azimuth[0]), wide, counts, polar, closed, poles)

    def _on_grid(self, values: Array, *, smooth: bool) -> Array:
        return values if self.regridding is None else self.regridding.on_grid(values, smooth=smooth)

    def _spline(self, logs: Array, wrong: Array, grid: Grid) -> tuple[Array, Array | None]:
        """Give the coefficients of the spline, and around which cells it is not to be trusted."""
        from scipy.ndimage import maximum_filter, spline_filter

        spline = spline_filter(_padded(self._on_grid(logs, smooth=True), grid), 3, mode="nearest")
        if not wrong.any():
            return spline, None
        touched = wrong if self.regridding is None else self._on_grid(wrong.astype(float), smooth=False) > 0
        return spline, maximum_filter(_padded(touched, grid).astype(np.uint8), size=5, mode="nearest") > 0


def logarithms(values: Array, energy: Array, wrong: Array) -> Array:
    """Give ln f of one time, energy along the last axis; half of the least count where f is `wrong`, 0 or NaN."""
    if not wrong.any():
        return np.log(values)
    # A count is worth the same energy flux, f E^2, at all energies.
    square = energy**2
    least = np.where(wrong, np.inf, values * square).min(initial=np.inf)
    level = 0.5 * least if np.isfinite(least) else 1.0
    return np.log(np.where(wrong, np.maximum(level / square, 1e-300), values))


def _step(azimuth: Array) -> float:
    steps = (np.diff(azimuth) + 180) % 360 - 180
    mean = float(steps.mean()) if len(azimuth) > 1 else 360.0
    if bool((np.abs(steps - mean) > 0.05 * abs(mean)).any()):
        raise BadData("the azimuths of this skymap are not evenly spaced", "give its cells as a list of directions")
    return mean


def _padded(values: Array, grid: Grid) -> Array:
    """Continue values around the circle, over the poles and in a line beyond other ends."""
    around, beyond, above = grid.margins
    other = _opposite(values) if grid.closed else values
    north = other[:, :beyond][:, ::-1] if grid.poles[0] else _line(values, 1, beyond, low=True)
    south = other[:, -beyond:][:, ::-1] if grid.poles[1] else _line(values, 1, beyond, low=False)
    wide = np.concatenate([north, values, south], 1)
    if grid.closed:
        wide = np.concatenate([wide[-around:], wide, wide[:around]], 0)
    else:
        wide = np.concatenate([_line(wide, 0, around, low=True), wide, _line(wide, 0, around, low=False)], 0)
    return np.concatenate([_line(wide, 2, above, low=True), wide, _line(wide, 2, above, low=False)], 2)


def _opposite(values: Array) -> Array:
    """Give the values half a circle further, between the nearest two if there is no azimuth there."""
    count = len(values)
    near, far = np.roll(values, count // 2, 0), np.roll(values, count - count // 2, 0)
    return np.asarray(near | far) if values.dtype == bool else np.asarray((near + far) / 2)


def _line(values: Array, axis: int, count: int, *, low: bool) -> Array:
    moved = np.moveaxis(values, axis, 0)
    end, inner = (moved[0], moved[min(1, len(moved) - 1)]) if low else (moved[-1], moved[max(-2, -len(moved))])
    if values.dtype == bool:
        return np.moveaxis(np.broadcast_to(end, (count, *end.shape)), 0, axis)
    away = np.arange(count, 0, -1) if low else np.arange(1, count + 1)
    return np.moveaxis(end + away[:, None, None] * (end - inner), 0, axis)


def _azimuth_places(grid: Grid, azimuth: Array) -> Array:
    around = 360 / grid.step
    place = (azimuth - grid.azimuth) / grid.step
    place -= around * np.floor((place + 0.5) / around)
    if grid.closed:
        return place
    # What lies outside belongs to the nearer end.
    count = grid.counts[0]
    return np.where(place > (count - 1 + around) / 2, place - around, place)


def _polar_places(grid: Grid, polar: Array) -> Array:
    centres, count = grid.polar, grid.counts[1]
    if count == 1:
        return np.zeros_like(polar)
    step = (centres[-1] - centres[0]) / (count - 1)
    if np.abs(centres - centres[0] - step * np.arange(count)).max() < 1e-4 * step:
        return np.asarray((polar - centres[0]) / step)
    ends = 2 * centres[0] - centres[1], 2 * centres[-1] - centres[-2]
    low, high = (-centres[0] if grid.poles[0] else ends[0]), (360 - centres[-1] if grid.poles[1] else ends[1])
    return np.interp(polar, [low, *centres, high], np.arange(-1, count + 1))


def _energy_places(logs: Array, wanted: Array, *, smooth: bool) -> Array:
    """Give places among logarithms of energies, in cells; continued beyond both ends."""
    count = len(logs)
    step = (logs[-1] - logs[0]) / max(count - 1, 1)
    if count == 1:
        return np.zeros_like(wanted)
    if np.abs(logs - logs[0] - step * np.arange(count)).max() < _EVEN * step:
        return np.asarray((wanted - logs[0]) / step)
    nodes = np.array([2 * logs[0] - logs[1], *logs, 2 * logs[-1] - logs[-2]])
    within, places = np.clip(wanted, nodes[0], nodes[-1]), np.arange(-1.0, count + 1)
    if not smooth:
        return np.asarray(np.interp(within, nodes, places))
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(nodes, places)(within))
