"""Shapes fitted to velocity distributions, for what moments cannot give: cold beams, two populations, tails.

What a cell holds is taken for a Poisson number of counts, and the likelihood is made largest by Fisher scoring with a
damped step (McCullagh and Nelder 1989, "Generalized linear models", ch. 2.5): empty cells count, and none is weighted
by its own noise. A cell's counts are ``f E^2`` times a constant, which only chi2 and errors depend on; it follows from
`Skymap.error` where that is known, and otherwise from the scatter around the fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.particles import flags
from armillary.science.particles.cells import Cells, cells_at
from armillary.science.particles.moments import FILL, Moments, known_potential, moments
from armillary.science.particles.shapes import NAMES, SHAPES, Frame, Shape
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array, thermal_speed

#: Bounds of the scoring: iterations, the longest step of an unknown, the last step, the last change of the deviance.
_ITERATIONS: Final = 80
_LONGEST: Final = 0.7
_STILL: Final = 1e-6
_FLAT: Final = 1e-7
#: Cells farther than this many thermal speeds from the mean velocity are left out, so that a few counts of something
#: else do not stretch the shape; but never fewer than so many cells are used.
_REACH: Final = 4.5
_FEWEST: Final = 60
#: Expected counts that every cell has at least, as a share of the highest: a count where nothing should be is noise.
_FLOOR: Final = 1e-7
#: Deviance, as a share of all counts, that is nothing: the fit is exact.
_EXACT: Final = 1e-8
#: Largest error of the logarithm of a density, and of a velocity in thermal speeds, that is an answer.
_SURE: Final = 1.0
#: Points along each side of a cell; more where the distribution is narrower than the cells.
_POINTS: Final = 2
_MANY_POINTS: Final = 3
_MOST_POINTS: Final = 6
#: Share of a cell below which a thermal width (one sigma) cannot be seen at the centres of cells.
_NARROW: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """Fitted shapes at t times.

    Parameters
    ----------
    values, errors : dict of str to array
        By the shape's names: ``density`` (t,) cm^-3, ``velocity`` (t, 3) km/s, ``parallel`` and ``perpendicular`` (or
        ``temperature``) eV, ``kappa``, ``beam_density``, ``beam_drift`` along the field from the core's velocity km/s,
        ``beam_parallel``, ``beam_perpendicular``; NaN where there is no fit, it did not converge, or the cells do not
        tell a density to a factor of e or a velocity to a thermal speed. Errors are one standard deviation.
    chi2 : array, shape (t,)
        Of a cell with one count or more, per degree of freedom; NaN if the skymap has no errors.
    misfit : array, shape (t,)
        Root of the share of the density that is not where the fit has it, squared and summed; 0 is perfect.
    averaged : array of bool, shape (t,)
        Whether the shape was averaged over the cells, or taken at their centres.
    flag : array of int, shape (t,)
        Bits of :data:`armillary.science.particles.flags.MEANINGS`.
    """

    values: dict[str, Array]
    errors: dict[str, Array]
    chi2: Array
    misfit: Array
    averaged: Array
    flag: Array


def fit(
    cells: Skymap,
    shape: str = "maxwellian",
    *,
    field: Array | None = None,
    potential: Array | None = None,
    low_energy: float = 0.0,
    high_energy: float = np.inf,
    averaged: bool | None = None,
) -> Fit:
    """Fit a shape to each step of a skymap.

    Parameters
    ----------
    shape : str
        "maxwellian", "kappa" or "core and beam" (two bi-Maxwellians that drift along the field from each other).
    field : array, shape (t, 3), optional
        Magnetic field in the frame of the skymap; without it temperatures are isotropic.
    potential : array, shape (t,), optional
        Of the spacecraft, V.
    low_energy, high_energy : float
        Measured energies outside are left out, eV.
    averaged : bool, optional
        Whether cells hold averages over their width, as real instruments measure, or values at their centres, as some
        models give; if it is not said, whichever fits better.

    Raises
    ------
    BadParameter
        If there is no such shape.
    BadData
        If a field or potential is missing or does not fit.
    """
    found, potential = _shape(shape, field, cells.steps), known_potential(potential)
    start = moments(cells, potential=potential, low_energy=low_energy, high_energy=high_energy)
    inside = (np.atleast_2d(cells.energy) >= low_energy) & (np.atleast_2d(cells.energy) <= high_energy)
    inside = np.broadcast_to(inside, (cells.steps, inside.shape[1]))
    shifts = np.zeros(cells.steps) if potential is None else cells.charge * np.asarray(potential, float)
    rows = []
    for step in range(cells.steps):
        b = np.array([0.0, 0.0, 1.0]) if field is None else field[step]
        rows.append(_fit_step(cells, step, found, start, b, inside[step], float(shifts[step]), averaged))
    return _together(rows, found, start)


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Counts of the cells of one step, up to a constant, and where the cells are."""

    counts: Array
    per_psd: Array
    where: Cells
    shift: float
    #: Counts that one of `counts` stands for; NaN if nobody knows.
    scale: float

    def chosen(self, which: Array) -> "_Counts":
        return replace(self, counts=self.counts[which], per_psd=self.per_psd[which], where=self.where.chosen(which))


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    unknowns: Array
    expected: Array
    deviance: float
    information: Array
    pull: Array
    converged: bool = False
    averaged: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    values: dict[str, Any]
    errors: dict[str, Any]
    chi2: float
    misfit: float
    averaged: bool
    converged: bool


def _shape(name: str, field: Array | None, steps: int) -> Shape:
    if name not in NAMES:
        raise BadParameter(f"there is no shape {name!r} to fit", f"choose one of {', '.join(NAMES)}")
    if (name, field is not None) not in SHAPES:
        raise BadData(f"the shape {name!r} needs a magnetic field", "give one in the frame of the skymap")
    if field is not None and np.shape(field) != (steps, 3):
        raise BadData(f"the field has the shape {np.shape(field)}, not ({steps}, 3)", "give one vector per step")
    return SHAPES[name, field is not None]


def _fit_step(
    cells: Skymap, step: int, shape: Shape, start: Moments, b: Array, inside: Array, shift: float, averaged: bool | None
) -> _Row | None:
    size = float(np.linalg.norm(b))
    if not (np.isfinite(start.velocity[step]).all() and np.isfinite(size) and size > 0 and np.isfinite(shift)):
        return None
    counted = _near(_counted(cells, step, inside, shift), cells, start, step)
    if (counted.counts > 0).sum() < shape.size:
        return None
    frame, guesses = _starts(shape, start, step, b / size, cells, counted)
    many = _MANY_POINTS if start.flag[step] & flags.UNRESOLVED else _POINTS
    first = many if averaged else 1
    best = min((_score(shape, frame, counted, guess, first) for guess in guesses), key=lambda one: one.deviance)
    if averaged is not None:
        return _row(shape, frame, counted, replace(best, averaged=averaged))
    if _too_narrow(shape.read(best.unknowns, frame), cells):
        # centres do not hold so narrow a beam: any density fits if none of them is inside
        wide = min(
            (_score(shape, frame, counted, guess, _MOST_POINTS) for guess in guesses), key=lambda one: one.deviance
        )
        return _row(shape, frame, counted, replace(wide, averaged=True))
    if best.deviance <= _EXACT * counted.counts.sum():
        return _row(shape, frame, counted, best)
    wide = replace(_score(shape, frame, counted, best.unknowns, many), averaged=True)
    return _row(shape, frame, counted, wide if wide.deviance < best.deviance else best)


def _too_narrow(values: dict[str, Array], cells: Skymap) -> bool:
    """Say whether a width that was fitted is so small beside the cells that it could not be seen at their centres."""
    angle, radial = flags.cell_widths(cells)
    least = min(float(values[name]) for name in ("temperature", "parallel", "perpendicular") if name in values)
    width = 1e-3 * np.sqrt(max(least, 0) * ELEMENTARY_CHARGE / cells.mass)
    return bool(width < _NARROW * max(angle, radial) * np.linalg.norm(values["velocity"]))


def _counted(cells: Skymap, step: int, inside: Array, shift: float) -> _Counts:
    psd = cells.psd[step].reshape(-1)
    where = cells_at(cells, step)
    good = (np.abs(psd) < FILL) & np.tile(inside, len(psd) // len(inside)) & (where.energy + shift > 0)
    per_psd = where.energy[good] ** 2
    counts = np.maximum(psd[good], 0) * per_psd
    scale = np.nan
    if cells.error is not None:
        error = cells.error[step].reshape(-1)[good]
        some = (counts > 0) & (error > 0)
        scale = (
            float(np.median((psd[good] / np.where(some, error, 1))[some] ** 2 / counts[some])) if some.any() else np.nan
        )
    level = counts.max() if counts.any() else 1.0
    return _Counts(counts / level, per_psd / level, where.chosen(good), shift, scale * level)


def _near(counted: _Counts, cells: Skymap, start: Moments, step: int) -> _Counts:
    """Leave out what is far from the mean velocity."""
    bulk = start.velocity[step]
    angle, _ = flags.cell_widths(cells)
    warm = max(float(np.linalg.eigvalsh(start.temperature[step])[-1]), 0) * ELEMENTARY_CHARGE / cells.mass * 1e-6
    reach = _REACH * np.sqrt(warm + (angle * np.linalg.norm(bulk) / 2) ** 2)
    away = np.linalg.norm(counted.where.points(1, cells.mass, counted.shift)[0][0] - bulk, axis=1)
    order = np.sort(away)
    return counted.chosen(away <= max(reach, order[min(_FEWEST, len(order) - 1)]))


def _starts(
    shape: Shape, start: Moments, step: int, b: Array, cells: Skymap, counted: _Counts
) -> tuple[Frame, list[Array]]:
    """Guess the unknowns, from moments and, of beams that moments make too wide, from the highest cell."""
    tensor = start.temperature[step]
    least = 1e-4 * float(np.median(np.atleast_2d(cells.energy)[0]))
    parallel = max(float(b @ tensor @ b), least)
    across = max(float(np.trace(tensor) - b @ tensor @ b) / 2, least)
    frame = Frame(b, float(thermal_speed((parallel + 2 * across) / 3, cells.mass)), cells.mass)
    at = int((counted.counts / counted.per_psd).argmax())
    peak = counted.where.chosen(np.array([at])).points(1, cells.mass, counted.shift)[0][0, 0]
    guesses: list[Array] = []
    narrow = bool(start.flag[step] & flags.UNRESOLVED)
    for velocity, share in ((start.velocity[step], 1.0), (peak, 0.4))[: 2 if narrow else 1]:
        warm = [np.log(share * parallel), np.log(share * across)]
        if "temperature" in shape.names:
            warm = [np.log(share * (parallel + 2 * across) / 3)]
        guess = [np.log(max(float(start.density[step]), 1e-12)), *(velocity / frame.speed), *warm]
        if "kappa" in shape.names:
            guess.append(np.log(5.0))
        guesses += _with_beams(guess) if "beam_drift" in shape.names else [np.array(guess)]
    return frame, guesses


def _with_beams(guess: list[float]) -> list[Array]:
    log_density, *rest = guess
    cooler = [one - 0.5 for one in rest[3:]]
    return [
        np.array([log_density - 0.2, *rest[:3], *cooler, log_density - 2.0, drift, *cooler]) for drift in (1.5, -1.5)
    ]


def _score(shape: Shape, frame: Frame, counted: _Counts, guess: Array, order: int) -> _Scored:
    """Climb to the largest likelihood from a guess, cells having `order` points along each side."""
    points, weight = counted.where.points(order, frame.mass, counted.shift)
    share = np.ones_like(weight) if order == 1 else weight

    def place(unknowns: Array) -> _Scored:
        psd, slopes = shape.psd(unknowns, points, frame)
        expected = (psd * share).sum(0) * counted.per_psd + _FLOOR
        slopes = (slopes * share).sum(1) * counted.per_psd
        information = (slopes / expected) @ slopes.T
        pull = slopes @ (counted.counts / expected - 1)
        return _Scored(unknowns, expected, _deviance(counted.counts, expected), information, pull)

    at, still, damping = place(guess), 0, 1e-3
    nothing = _EXACT * float(counted.counts.sum())
    for _ in range(_ITERATIONS):
        after, moved, damping = _climb(place, at, damping)
        flat = at.deviance - after.deviance <= _FLAT * after.deviance + nothing
        still, at = still + 1 if moved < _STILL or flat else 0, after
        if still > 1 or moved == 0:
            break
    return replace(at, converged=still > 0)


def _climb(place: Callable[[Array], _Scored], at: _Scored, damping: float) -> tuple[_Scored, float, float]:
    """Give a place that is not worse, how far it is, and the damping for the next step."""
    while damping < 1e9:
        scaled = at.information + damping * np.diag(np.diag(at.information) + 1e-12)
        move = np.linalg.lstsq(scaled, at.pull, rcond=None)[0]
        far = float(np.abs(move).max())
        there = place(at.unknowns + move * min(1.0, _LONGEST / max(far, 1e-300)))
        if there.deviance <= at.deviance:
            return there, min(far, _LONGEST), max(damping / 8, 1e-9)
        damping *= 6
    return at, 0.0, damping


def _deviance(counts: Array, expected: Array) -> float:
    some = counts > 0
    logs = counts[some] * np.log(counts[some] / expected[some])
    return float(2 * max((expected - counts).sum() + logs.sum(), 0.0))


def _row(shape: Shape, frame: Frame, counted: _Counts, best: _Scored) -> _Row:
    residual = (counted.counts - best.expected) ** 2 / best.expected
    free = max(len(residual) - shape.size, 1)
    # without known errors the scatter of cells that are not nearly empty says what a count is
    seen = best.expected > 1e-3
    scatter = float(residual[seen].sum()) / max(float(seen.sum()) - shape.size, 1.0)
    scale = counted.scale if np.isfinite(counted.scale) else 1 / max(scatter, 1e-30)
    filled = best.expected * scale >= 1
    usual = filled if filled.sum() > 2 * shape.size else np.ones(len(filled), bool)
    chi2 = float(residual[usual].sum()) * counted.scale / max(min(float(usual.sum()) - shape.size, free), 1.0)
    variances = np.diag(np.linalg.pinv(best.information)) / scale
    errors = np.sqrt(np.maximum(variances, 0))
    wrong = (counted.counts - best.expected) / counted.per_psd
    misfit = float(np.linalg.norm(wrong) / np.linalg.norm(counted.counts / counted.per_psd))
    # an exponential of what nothing holds may be infinite: that is unsure, too
    with np.errstate(over="ignore", invalid="ignore"):
        values, wide = shape.read(best.unknowns, frame), shape.read_errors(best.unknowns, errors, frame)
    return _Row(values, wide, chi2, misfit, best.averaged, best.converged and _sure(shape, errors, values, wide))


def _sure(shape: Shape, errors: Array, values: dict[str, Array], wide: dict[str, Array]) -> bool:
    """Say whether the densities are known to a factor of e and velocities to a thermal speed."""
    finite = all(np.isfinite(one).all() for one in (errors, *values.values(), *wide.values()))
    return finite and bool((errors[shape.places("density", "velocity", "beam_density", "beam_drift")] < _SURE).all())


def _together(rows: list[_Row | None], shape: Shape, start: Moments) -> Fit:
    """Put steps together, those that did not converge as NaN."""
    empty = {name: np.full(3, np.nan) if name == "velocity" else np.nan for name in shape.names}
    blank = _Row(empty, empty, np.nan, np.nan, averaged=False, converged=False)
    filled = [one if one is not None and one.converged else blank for one in rows]
    stopped = np.array([not one.converged for one in filled], bool)
    # what the cells do not resolve is what a fit is for
    flag = start.flag & ~flags.UNRESOLVED
    return Fit(
        values={name: _column([one.values[name] for one in filled], name) for name in shape.names},
        errors={name: _column([one.errors[name] for one in filled], name) for name in shape.names},
        chi2=np.array([one.chi2 for one in filled]),
        misfit=np.array([one.misfit for one in filled]),
        averaged=np.array([one.averaged for one in filled], bool),
        flag=np.asarray(flag | np.where(stopped, flags.NOT_CONVERGED, 0)),
    )


def _column(rows: list[Any], name: str) -> Array:
    return np.asarray(rows, float).reshape((len(rows), 3) if name == "velocity" else (len(rows),))
