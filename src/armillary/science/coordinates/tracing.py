"""Follow many magnetic field lines at once, from where they start to the ionosphere, the equator or a limit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.science.coordinates.geomagnetic import Field
from armillary.science.coordinates.igrf import EARTH_RADIUS
from armillary.science.plasma import Array

#: What ended a line.
FOOT, LEFT, LONG, NOWHERE = 0, 1, 2, 3
#: The ionosphere, 110 km above a sphere of the reference radius, in Earth radii.
IONOSPHERE: Final = 1 + 110 / EARTH_RADIUS
#: Dormand and Prince (1980, J. Comput. Appl. Math. 6, 19): rows of stages, weights of order 5, and those of the error.
_STAGES: Final = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR: Final = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
_FIRST_STEP, _LEAST_STEP = 0.05, 1e-6
#: Longest step as a part of the distance from the Earth: no stage of a step then falls into the core.
_MOST_STEP: Final = 0.25
_STEPS: Final = 20_000
_REFINED: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Where lines ended that were followed one way.

    Parameters
    ----------
    position : array, shape (n, 3)
        GSM, Earth radii: the foot to 1e-8, or the last point inside the limits; NaN for a line with no field.
    state : array of int, shape (n,)
        `FOOT` on the inner sphere, `LEFT` through the outer one, `LONG` if it grew too long, `NOWHERE` if it could not
        be followed (NaN, no field, or it began below the inner sphere).
    length : array, shape (n,)
        Earth radii along the line.
    weakest : array, shape (n, 3)
        Where the field along the line is weakest.
    weakest_field : array, shape (n,)
        Its strength there, nT.
    """

    position: Array
    state: Array
    length: Array
    weakest: Array
    weakest_field: Array


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Whole field lines; `equator` is where the field is weakest, NaN on a line that is not closed."""

    north: Ends
    south: Ends
    equator: Array
    equator_field: Array

    @property
    def closed(self) -> Array:
        """Which lines end on the inner sphere both ways."""
        return np.asarray((self.north.state == FOOT) & (self.south.state == FOOT))


@dataclass(slots=True, eq=False)
class _Going:
    """The state of all lines while they are followed."""

    position: Array
    tangent: Array
    step: Array
    length: Array
    state: Array
    weakest: Array
    weakest_field: Array
    #: Where the last step began: position, tangent and size.
    last: tuple[Array, Array, Array]


def trace(
    field: Field,
    start: Array,
    *,
    along: bool,
    inner: float = IONOSPHERE,
    outer: float = 60.0,
    longest: float = 300.0,
    tolerance: float = 1e-7,
    visit: Callable[[Array, Array], None] | None = None,
) -> Ends:
    """Follow field lines one way.

    A Runge-Kutta pair of order 5(4) in arc length; every line has its own step, all are computed together.

    Parameters
    ----------
    field : callable
        ``field(position (m, 3), which (m,)) -> (m, 3)``, as `armillary.science.coordinates.geomagnetic.field_at` gives.
    start : array, shape (n, 3)
        GSM, Earth radii.
    along : bool
        Along the field (to the north foot, in the Earth's) or against it.
    inner, outer : float
        Spheres at which a line ends, Earth radii.
    longest : float
        Length at which it is given up, Earth radii.
    tolerance : float
        Error of one step, Earth radii.
    visit : callable, optional
        Called as ``visit(which, position)`` with the lines that made a step and where they are now.
    """
    going = _begin(field, np.asarray(start, float), 1.0 if along else -1.0, inner)
    sign = 1.0 if along else -1.0
    for _ in range(_STEPS):
        which = np.flatnonzero(going.state < 0)
        if not which.size:
            break
        made = _advance(field, going, which, sign, tolerance)
        _end(going, made, (inner, outer, longest))
        if visit is not None:
            visit(made, going.position[made])
    going.state[going.state < 0] = LONG
    _to_sphere(field, going, sign, inner)
    return Ends(going.position, going.state, going.length, going.weakest, going.weakest_field)


def field_lines(field: Field, start: Array, *, inner: float = IONOSPHERE, outer: float = 60.0) -> Lines:
    """Follow field lines both ways and find where each crosses the magnetic equator.

    Parameters
    ----------
    field, start, inner, outer
        As in `trace`.

    Examples
    --------
    >>> from armillary.science.coordinates.geomagnetic import field_at
    >>> noon = np.array(["2015-03-20T12:00"], "datetime64[ns]")
    >>> lines = field_lines(field_at(noon, "dipole"), np.array([[4.0, 0.0, 0.0]]))
    >>> bool(lines.closed[0]), lines.north.position[0].shape
    (True, (3,))
    """
    north, south = (trace(field, start, along=way, inner=inner, outer=outer) for way in (True, False))
    northern = north.weakest_field <= south.weakest_field
    weakest = np.where(northern[:, None], north.weakest, south.weakest)
    closed = (north.state == FOOT) & (south.state == FOOT)
    equator, strength = np.full_like(weakest, np.nan), np.full(len(weakest), np.nan)
    which = np.flatnonzero(closed)
    if which.size:
        equator[which], strength[which] = _weakest(field, weakest[which], which)
    return Lines(north, south, equator, strength)


def polylines(field: Field, start: Array, *, inner: float = IONOSPHERE, outer: float = 60.0) -> list[Array]:
    """Give field lines as points for a picture, from their south to their north end.

    Returns
    -------
    list of arrays, shape (k, 3)
        GSM, Earth radii.
    """
    start = np.asarray(start, float)
    halves: list[list[list[Array]]] = []
    for way in (False, True):
        points: list[list[Array]] = [[one] for one in start]

        def keep(which: Array, position: Array, points: list[list[Array]] = points) -> None:
            for number, one in zip(which, position, strict=True):
                points[number].append(one)

        ends = trace(field, start, along=way, inner=inner, outer=outer, visit=keep)
        for own, end in zip(points, ends.position, strict=True):
            own[-1] = end
        halves.append(points)
    return [np.array(back[:0:-1] + ahead) for back, ahead in zip(*halves, strict=True)]


def _begin(field: Field, start: Array, sign: float, inner: float) -> _Going:
    count = len(start)
    tangent, strength = np.full_like(start, np.nan), np.full(count, np.nan)
    able = np.flatnonzero(np.linalg.norm(start, axis=1) >= inner * (1 - 1e-9))
    tangent[able], strength[able] = _direction(field, start[able], able, sign)
    state = np.where(np.isfinite(tangent).all(1), -1, NOWHERE)
    position = np.where((state == NOWHERE)[:, None], np.nan, start)
    step = np.full(count, _FIRST_STEP)
    last = (position.copy(), tangent.copy(), np.zeros(count))
    return _Going(position, tangent, step, np.zeros(count), state, position.copy(), strength, last)


def _direction(field: Field, position: Array, which: Array, sign: float) -> tuple[Array, Array]:
    b = field(position, which)
    strength = np.sqrt(np.einsum("ni,ni->n", b, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sign * b / strength[:, None]), strength


def _step(
    field: Field, position: Array, tangent: Array, step: Array, which: Array, sign: float
) -> tuple[Array, Array, Array, Array]:
    """One step: new positions, tangents and strengths there, and the error."""
    slopes = [tangent]
    strength, here = np.empty(0), position
    for row in _STAGES:
        here = position + step[:, None] * sum(a * slope for a, slope in zip(row, slopes, strict=True) if a)
        slope, strength = _direction(field, here, which, sign)
        slopes.append(slope)
    error = step[:, None] * sum(a * slope for a, slope in zip(_ERROR, slopes, strict=True) if a)
    return here, slopes[-1], strength, np.sqrt(np.einsum("ni,ni->n", error, error))


def _advance(field: Field, going: _Going, which: Array, sign: float, tolerance: float) -> Array:
    """Let lines make a step if it is good enough; give the numbers of those that did."""
    step = going.step[which]
    there, tangent, strength, error = _step(field, going.position[which], going.tangent[which], step, which, sign)
    lost = ~np.isfinite(tangent).all(1)
    good = ((error <= tolerance) | (step <= _LEAST_STEP)) & ~lost
    with np.errstate(divide="ignore", invalid="ignore"):
        grow = np.where(lost, 0.2, np.clip(0.9 * (tolerance / error) ** 0.2, 0.2, 5.0))
    most = _MOST_STEP * np.linalg.norm(np.where(good[:, None], there, going.position[which]), axis=1)
    going.step[which] = np.clip(step * grow, _LEAST_STEP, most)
    going.state[which[lost & (step <= _LEAST_STEP)]] = LEFT
    made = which[good]
    for kept, now in zip(going.last, (going.position, going.tangent), strict=False):
        kept[made] = now[made]
    going.last[2][made] = step[good]
    going.position[made], going.tangent[made] = there[good], tangent[good]
    going.length[made] += step[good]
    weaker = made[strength[good] < going.weakest_field[made]]
    going.weakest[weaker] = going.position[weaker]
    going.weakest_field[made] = np.fmin(going.weakest_field[made], strength[good])
    return np.asarray(made)


def _end(going: _Going, which: Array, limits: tuple[float, float, float]) -> None:
    inner, outer, longest = limits
    radius = np.linalg.norm(going.position[which], axis=1)
    going.state[which[going.length[which] > longest]] = LONG
    going.state[which[radius < inner]] = FOOT
    # A line that has left is given back where it was last inside.
    out = which[radius > outer]
    going.state[out] = LEFT
    going.position[out] = going.last[0][out]
    going.length[out] -= going.last[2][out]


def _to_sphere(field: Field, going: _Going, sign: float, inner: float) -> None:
    """Shorten the last steps so that they end on the inner sphere: Newton's method with the slope of the line."""
    which = np.flatnonzero(going.state == FOOT)
    position, tangent, step = (one[which] for one in going.last)
    part, there = step, going.position[which]
    for _ in range(_REFINED if which.size else 0):
        there, ahead, _, _ = _step(field, position, tangent, part, which, sign)
        radius = np.linalg.norm(there, axis=1)
        if bool((np.abs(radius - inner) < 1e-10).all()):
            break
        slope = np.einsum("ni,ni->n", there, ahead) / radius
        part = np.clip(part - (radius - inner) / np.where(slope < 0, slope, -1.0), 0, step)
    going.position[which] = there
    going.length[which] -= step - part


def _weakest(field: Field, position: Array, which: Array) -> tuple[Array, Array]:
    """Move along lines to where the field is weakest, by parabolas through three points."""
    apart = np.full(len(position), 0.02)
    for _ in range(6):
        tangent, here = _direction(field, position, which, 1.0)
        ahead, behind = (_step(field, position, tangent, way * apart, which, 1.0)[2] for way in (1.0, -1.0))
        bend = ahead - 2 * here + behind
        slope = (ahead - behind) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.where(bend > 0, -slope / bend, -np.sign(slope) * 10) * apart
        shift = np.clip(np.nan_to_num(shift), -0.3, 0.3)
        position = _step(field, position, tangent, shift, which, 1.0)[0]
    return position, _direction(field, position, which, 1.0)[1]
