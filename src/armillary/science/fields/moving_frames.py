"""The frame in which a structure stands still: the de Hoffmann-Teller velocity, and the Walen test of its flows.

Khrabrov and Sonnerup (1998), in Analysis Methods for Multi-Spacecraft Data, ISSI SR-001, ch. 9; Paschmann and
Sonnerup (2008), ISSI SR-008, ch. 7. Units: nT, km/s, mV/m, cm^-3, nPa.
"""

from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.science.plasma import MU_0, PROTON_MASS, Array, Numbers, alfven_speed

#: mV/m of 1 km/s across 1 nT.
MV_PER_M: Final = 1e-3
_LEAST: Final = 3
#: A matrix that is this badly conditioned says nothing about one direction.
_WORST: Final = 1e-10


class Frame(NamedTuple):
    """A de Hoffmann-Teller frame and how well it is one.

    Parameters
    ----------
    velocity : array, shape (3,)
        km/s, at the time 0 if the frame is accelerated.
    acceleration : array, shape (3,)
        km/s^2; zeros unless it was asked for.
    error : array, shape (3,)
        Standard error of `velocity`, km/s, for errors that are independent from sample to sample.
    correlation : float
        Between all components of the electric field and of ``-V x B``.
    slope : float
        Of the electric field against ``-V x B``; 1 for a perfect frame.
    residue : float
        D / D0, the mean square of the electric field in the frame over that in the frame of the data; 0 is perfect.
    samples : int
        How many samples were used.
    """

    velocity: Array
    acceleration: Array
    error: Array
    correlation: float
    slope: float
    residue: float
    samples: int


class Line(NamedTuple):
    """A straight line through points, by least squares of y, with its correlation."""

    slope: float
    intercept: float
    correlation: float
    samples: int


def convection_field(velocity: Array, field: Array) -> Array:
    """Give ``-v x B`` in mV/m, from km/s and nT.

    Examples
    --------
    >>> convection_field(np.array([-400.0, 0, 0]), np.array([0.0, 0, -5])) + 0.0
    array([0., 2., 0.])
    """
    return -MV_PER_M * np.cross(velocity, field)


def de_hoffmann_teller(
    electric: Array, field: Array, *, seconds: Array | None = None, along: Array | None = None
) -> Frame:
    """Find the frame in which the electric field is least in the mean square (equation 9.10).

    Parameters
    ----------
    electric : array, shape (n, 3)
        mV/m, measured or from :func:`convection_field`.
    field : array, shape (n, 3)
        nT. Samples with a value that is not finite are left out.
    seconds : array, shape (n,), optional
        Times; if given, the frame may be accelerated evenly (section 9.5), and its velocity is that at 0.
    along : array, shape (3,), optional
        A direction in which the frame does not move relative to the data, for instance that of a field which hardly
        turns: without a turning field the velocity along it is not determined.

    Raises
    ------
    BadData
        If samples are too few, the electric field is zero or the field does not turn.
    """
    electric, field = np.asarray(electric, float), np.asarray(field, float)
    moment = np.zeros(len(field)) if seconds is None else np.asarray(seconds, float)
    good = np.isfinite(electric.sum(1) + field.sum(1))
    if not good.all():
        electric, field, moment = electric[good], field[good], moment[good]
    if len(field) < _LEAST + (seconds is not None):
        raise BadData(f"{len(field)} samples do not determine a frame", "ask for a longer interval")
    strength = float(np.vdot(electric, electric)) / len(electric)
    if not strength > 0:
        raise BadData("the electric field is zero", "give a velocity or an electric field of the same interval")
    solved, inverse = _solve(electric, field, moment, accelerated=seconds is not None, along=along)
    velocity, acceleration = solved[:3], solved[3:] if seconds is not None else np.zeros(3)
    moves = velocity if seconds is None else velocity + moment[:, None] * acceleration
    carried = convection_field(moves, field)
    rest = electric - carried
    left = float(np.vdot(rest, rest)) / len(rest)
    # The component along B holds no information: two numbers a sample.
    freedom = max(2 * len(field) - len(solved), 1)
    error = np.sqrt(np.diag(inverse)[:3] * left * len(field) / MV_PER_M**2 / freedom)
    line = straight_line(carried, electric)
    return Frame(velocity, acceleration, error, line.correlation, line.slope, left / strength, len(field))


def anisotropy_factor(parallel: Numbers, perpendicular: Numbers, strength: Numbers) -> Array:
    """Give ``1 - mu_0 (p_par - p_perp) / B^2`` from pressures in nPa and the strength of the field in nT.

    Zero or less is beyond the firehose limit: there are no Alfven waves and the answer is NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1 - MU_0 * 1e9 * (np.asarray(parallel) - perpendicular) / np.square(strength)
    return np.asarray(np.where(found > 0, found, np.nan))


def alfven_velocity(field: Array, density: Array, *, anisotropy: Numbers = 1.0, mass: float = PROTON_MASS) -> Array:
    """Give ``B sqrt(anisotropy / mu_0 rho)`` in km/s, shape (n, 3); the mean mass of the ions in kg."""
    scale = np.sqrt(np.asarray(anisotropy, float) * PROTON_MASS / mass)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_field = alfven_speed(1.0, np.where(np.asarray(density) > 0, density, np.nan))
    return np.asarray(field * np.broadcast_to(scale * per_field, field.shape[:1])[:, None])


def walen_test(velocity: Array, frame: Array, alfven: Array) -> Line:
    """Compare flows in the de Hoffmann-Teller frame with the Alfven velocity, component by component.

    Across a rotational discontinuity the slope is 1 (flow along the field where the normal components point the same
    way) or -1; reconnection exhausts give 0.6 and more, a tangential discontinuity about 0.

    Parameters
    ----------
    velocity, alfven : array, shape (n, 3)
        Plasma and Alfven velocity, km/s.
    frame : array, shape (3,) or (n, 3)
        Velocity of the frame, km/s.
    """
    return straight_line(alfven, velocity - frame)


def straight_line(x: Array, y: Array) -> Line:
    """Fit ``y = slope x + intercept`` by least squares through all finite pairs of two arrays of one shape.

    Raises
    ------
    BadData
        If there are fewer than three pairs, or one side does not vary.
    """
    x, y = np.ravel(x), np.ravel(y)
    good = np.isfinite(x + y)
    if not good.all():
        x, y = x[good], y[good]
    if len(x) < _LEAST:
        raise BadData(f"{len(x)} pairs do not make a line", "ask for a longer interval without gaps")
    from_x, from_y = x - x.mean(), y - y.mean()
    xx, yy, xy = from_x @ from_x, from_y @ from_y, from_x @ from_y
    if not (xx > 0 and yy > 0):
        raise BadData("one side of the comparison does not vary", "ask for an interval with a structure in it")
    slope = xy / xx
    return Line(float(slope), float(y.mean() - slope * x.mean()), float(xy / np.sqrt(xx * yy)), len(x))


def _solve(
    electric: Array, field: Array, moment: Array, *, accelerated: bool, along: Array | None
) -> tuple[Array, Array]:
    """Solve ``<K> V = <E x B>`` (and the moments in time); give the solution and the inverse of the sum of K."""
    drive = np.cross(electric, field) / MV_PER_M
    # Times are scaled to the length of the interval, so that the conditions of velocity and acceleration compare.
    length = max(float(np.abs(moment).max()), 1e-30)
    powers = (np.ones_like(moment), moment / length)[: 1 + accelerated]
    matrix = np.block([[_kernel(field, a * b) for b in powers] for a in powers])
    right = np.concatenate([a @ drive for a in powers])
    basis = np.eye(len(right)) if along is None else _across(along, len(powers))
    small = basis @ matrix @ basis.T
    if np.linalg.eigvalsh(small)[0] <= _WORST * np.trace(small):
        step = "ask for an interval in which the field turns, or give the direction in which the frame does not move"
        raise BadData("the field does not turn: the frame's velocity along it is not determined", step)
    inverse = basis.T @ np.linalg.inv(small) @ basis
    scale = np.repeat([1.0, 1 / length][: len(powers)], 3)
    return inverse @ right * scale, inverse * np.outer(scale, scale)


def _kernel(field: Array, weight: Array) -> Array:
    """Give the weighted sum of ``K = B^2 (1 - b b)``."""
    weighted = field * weight[:, None]
    return np.asarray(np.vdot(weighted, field) * np.eye(3) - weighted.T @ field)


def _across(direction: Array, times: int) -> Array:
    """Give an orthonormal basis of the vectors across a direction, repeated for each power of time."""
    size = np.linalg.norm(direction)
    if not size > 0:
        raise BadData("the direction in which the frame does not move has no length", "give a vector that is not zero")
    return np.kron(np.eye(times), np.linalg.svd(np.asarray(direction, float)[None] / size)[2][1:])
