"""Moments of velocity distributions: density, velocity, pressure and temperature tensors, heat flux.

With ``w = v - V``, m the mass and the integrals over all of velocity space (Paschmann, Fazakerley and Schwartz 1998,
"Moments of plasma velocity distributions", ch. 6 of ISSI Scientific Report SR-001):

``n = int f``, ``n V = int v f``, ``P_ij = m int w_i w_j f``, ``T_ij = P_ij / n``, ``q_i = m / 2 int w^2 w_i f``.

Speeds are not relativistic (3 % of an electron's speed at 20 keV), as in all moments that missions publish.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.particles import flags
from armillary.science.particles.quadrature import Shells, Sky, shells, sky
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array

#: Pairs of axes of the six independent elements of a symmetric tensor, and where each element of a full one stands.
_PAIRS: Final = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
_FULL: Final = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
#: Bounds of what the mean of the core is to the lowest shell, as logarithms.
_CORE: Final = (-np.log(2), np.log(2))
#: Share of the density that is noise if as much as this is below zero.
_NEGATIVE: Final = 0.05
#: Phase space density (s^3 cm^-6) and potentials (V) beyond are fill values, not measurements.
FILL: Final = 1e30
_MOST_VOLTS: Final = 1e5
#: Steps worked on at once where intermediate arrays are larger than the skymaps themselves.
_STEPS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Moments at t times, in the frame of the skymap; as `errors` one standard deviation of each.

    Parameters
    ----------
    density : array, shape (t,)
        cm^-3.
    velocity : array, shape (t, 3)
        km/s; NaN where nothing was counted, as is all that follows.
    pressure : array, shape (t, 3, 3)
        nPa.
    temperature : array, shape (t, 3, 3)
        eV.
    heat_flux : array, shape (t, 3)
        mW/m^2.
    flag : array of int, shape (t,)
        Bits of :data:`armillary.science.particles.flags.MEANINGS`; 0 is fine.
    """

    density: Array
    velocity: Array
    pressure: Array
    temperature: Array
    heat_flux: Array
    flag: Array

    @property
    def scalar_temperature(self) -> Array:
        """A third of the trace of the temperature, eV; not for errors."""
        return np.asarray(np.trace(self.temperature, axis1=1, axis2=2) / 3)


def moments(
    cells: Skymap,
    *,
    potential: Array | None = None,
    low_energy: float = 0.0,
    high_energy: float = np.inf,
    fill_core: bool = True,
) -> Moments:
    """Integrate velocity distributions, all moments in one pass over their cells.

    Parameters
    ----------
    cells : Skymap
        Cells that are NaN or fill values (1e30 and more in size) are left out and flagged. Those below zero, as are
        left by what was subtracted, count with their sign; where they are 5 % of the density that is flagged, where
        they outweigh the rest all is NaN.
    potential : array, shape (t,), optional
        Of the spacecraft, V; see :func:`armillary.science.particles.quadrature.shells`. Where it is NaN, or beyond
        100 kV, all is NaN.
    low_energy, high_energy : float
        Measured energies outside are left out, eV.
    fill_core : bool
        Whether phase space below the lowest energy of the instrument, or the lowest that the potential leaves, is
        filled: ``ln f`` going on linearly in energy, by at most a factor of 2. Otherwise it is empty, as it always is
        below a `low_energy` that leaves out measured cells.

    Returns
    -------
    Moments
        A few kilobytes per step; the cost is linear in steps.

    Raises
    ------
    BadData
        If no energy is left, or there is no potential for every step.

    Examples
    --------
    >>> theta, phi = (np.arange(16) + 0.5) * 11.25, (np.arange(32) + 0.5) * 11.25
    >>> energy = np.geomspace(10, 30_000, 32)
    >>> speed2 = 2 * 1.602176634e-19 * energy / 1.67262192369e-27 * 1e-6
    >>> maxwell = 10 / (np.pi * 2 * 300**2) ** 1.5 * np.exp(-speed2 / 2 / 300**2) * 1e-15
    >>> found = moments(Skymap(np.broadcast_to(maxwell, (1, 32, 16, 32)).copy(), phi, theta, energy))
    >>> found.density.round(2), found.scalar_temperature.round(0)
    (array([10.]), array([940.]))
    """
    _check(cells, potential, low_energy, high_energy)
    if not cells.steps:
        return _nothing()
    potential = known_potential(potential)
    where, radial = sky(cells), shells(cells, potential, low_energy, high_energy, fill_core=fill_core)
    sums, missing, below = _over_angles(cells, where, radial)
    unknown = np.zeros(cells.steps, bool) if potential is None else ~np.isfinite(potential)
    nothing = ~(radial.speed > 0).any(-1)
    sums[np.broadcast_to(unknown | nothing, cells.steps)] = np.nan
    found = _from_sums(sums, radial, cells.mass)
    flag = np.where((missing | nothing) & ~unknown, flags.NOT_MEASURED, 0) | np.where(unknown, flags.NO_POTENTIAL, 0)
    negative = -(below * radial.volume[0]).sum(-1)
    flag |= _flags(cells, found, sums[:, 0] * radial.volume[0], negative, where, radial)
    density = np.where((flag & flags.NEGATIVE > 0) & ~(found.density > 0), np.nan, found.density)
    return _turned(replace(found, density=density, flag=flag), where.turn)


def moment_errors(
    cells: Skymap,
    found: Moments,
    *,
    potential: Array | None = None,
    low_energy: float = 0.0,
    high_energy: float = np.inf,
    fill_core: bool = True,
) -> Moments:
    """Give one standard deviation of each moment, from `cells.error`; cells are independent of each other.

    A moment is a sum over cells, so that its variance is the sum of the squares of what each cell's error moves it, the
    motion of V and n with it included (Gershman et al. 2015, J. Geophys. Res. 120, 6633, doi:10.1002/2014JA020775).
    Arguments as those :func:`moments` was called with, and what it gave.

    Raises
    ------
    BadData
        If the skymap has no errors.
    """
    if cells.error is None:
        raise BadData("this skymap has no errors", "give psd_error, or counts through units.poisson_error")
    if found.density.shape != (cells.steps,):
        raise BadData(f"these are moments of {len(found.density)} steps, not {cells.steps}", "give this skymap's own")
    if not cells.steps:
        return _nothing()
    potential = known_potential(potential)
    where, radial = sky(cells), shells(cells, potential, low_energy, high_energy, fill_core=fill_core)
    parts = [_errors(cells, found, where, radial, part) for part in _chunks(cells.steps)]
    joined = {name: np.concatenate([getattr(one, name) for one in parts]) for name in Moments.__dataclass_fields__}
    return Moments(**joined)


def known_potential(potential: Array | None) -> Array | None:
    """Give a potential (V) with NaN for what no spacecraft has: fill values and infinities."""
    if potential is None:
        return None
    volts = np.asarray(potential, float)
    return np.where(np.abs(volts) < _MOST_VOLTS, volts, np.nan)


def _check(cells: Skymap, potential: Array | None, low: float, high: float) -> None:
    if potential is not None and np.shape(potential) != (cells.steps,):
        raise BadData(f"the potential has the shape {np.shape(potential)}, not ({cells.steps},)", "give one per step")
    inside = (cells.energy >= low) & (cells.energy <= high)
    if not inside.any(axis=-1).all():
        seen = f"the skymap has {cells.energy.min():g} to {cells.energy.max():g} eV"
        raise BadData(f"no energy lies between {low:g} and {high:g} eV", seen)


def _nothing() -> Moments:
    vector, tensor = np.empty((0, 3)), np.empty((0, 3, 3))
    none = np.zeros(0, np.int64)
    return Moments(
        density=np.empty(0), velocity=vector, pressure=tensor, temperature=tensor, heat_flux=vector, flag=none
    )


def _chunks(steps: int) -> Iterator[slice]:
    return (slice(first, first + _STEPS) for first in range(0, max(steps, 1), _STEPS))


def _over_angles(cells: Skymap, where: Sky, radial: Shells) -> tuple[Array, Array, Array]:
    """Integrate over directions against 1, n_i and n_i n_j, shape (t, 10, e).

    Say also where cells were missing (t,), and give what the negative ones hold of the first (t, e).
    """
    psd = cells.psd.reshape(cells.steps, -1, cells.psd.shape[-1])
    basis = _basis(where)
    kept = np.broadcast_to(radial.speed > 0, (cells.steps, psd.shape[-1]))
    sums, below = np.empty((cells.steps, 10, psd.shape[-1])), np.zeros((cells.steps, psd.shape[-1]))
    odd = np.zeros(cells.steps, bool)
    with np.errstate(invalid="ignore"):
        for part in _chunks(cells.steps):
            sums[part] = _contract(basis, psd[part], part, where.varies)
            odd[part] = ~((psd[part].min((1, 2)) >= 0) & (psd[part].max((1, 2)) < FILL))
    missing = np.zeros(cells.steps, bool)
    for step in np.flatnonzero(odd):
        part = slice(step, step + 1)
        good = np.abs(psd[part]) < FILL  # not so if NaN
        found = _contract(basis, np.where(good, psd[part], 0), part, where.varies)
        sums[part] = found if good[..., kept[step]].any() else np.nan
        negative = np.where(good & kept[step], np.minimum(psd[part], 0), 0)
        below[part] = _contract(basis, negative, part, where.varies)[:, 0]
        missing[step] = not good[..., kept[step]].all()
    # what was left out may be anything, NaN too; a step without any measurement stays NaN
    known = np.where(kept[:, None] | np.isnan(sums).all((1, 2), keepdims=True), sums, 0)
    return np.asarray(known), missing, below


def _basis(where: Sky) -> Array:
    """Give the weights times 1, n_i and n_i n_j, shape (10, d), (t, 10, d) or, of varying energy, (e, 10, d)."""
    n, weight = where.direction, where.weight
    columns = [weight, *(n[..., i] * weight for i in range(3)), *(n[..., i] * n[..., j] * weight for i, j in _PAIRS)]
    if where.varies == "energy":
        return np.ascontiguousarray(np.stack([one.T for one in columns], 1))
    return np.stack(columns, -2)


def _contract(basis: Array, psd: Array, part: slice, varies: str) -> Array:
    if varies == "energy":
        return np.asarray((basis @ np.ascontiguousarray(psd.transpose(2, 1, 0))).transpose(2, 1, 0))
    return np.asarray((basis[part] if varies == "time" else basis) @ psd)


def _from_sums(sums: Array, radial: Shells, mass: float) -> Moments:
    lowest = _lowest(sums, radial)
    density, first, second, third = (
        (sums[:, part] * radial.volume[order][:, None]).sum(-1) + lowest[:, part] * radial.core[order][:, None]
        for order, part in enumerate((slice(0, 1), slice(1, 4), slice(4, 10), slice(1, 4)))
    )
    filled = np.where(density > 0, density, np.nan)
    velocity = first / filled
    spread = (second / filled)[:, _FULL] - velocity[:, :, None] * velocity[:, None, :]
    # <v^2 v> = V^2 V + 2 <w w> V + <w^2> V + <w^2 w>
    squares = np.trace(spread, axis1=1, axis2=2) + (velocity**2).sum(-1)
    skew = third / filled - squares[:, None] * velocity - 2 * np.einsum("tij,tj->ti", spread, velocity)
    return Moments(
        density=1e15 * density[:, 0],
        velocity=velocity,
        pressure=1e36 * mass * filled[:, None] * spread,
        temperature=1e6 * mass / ELEMENTARY_CHARGE * spread,
        heat_flux=0.5e33 * mass * filled * skew,
        flag=np.zeros(len(density), np.int64),
    )


def _lowest(sums: Array, radial: Shells) -> Array:
    """Give the integrals over directions in the core, shape (t, 10), from those of the two lowest shells."""
    at, first = np.arange(len(sums)), np.broadcast_to(radial.first, len(sums))
    edge, after = sums[at, :, first], sums[at, 0, np.minimum(first + 1, sums.shape[2] - 1)]
    known = (edge[:, 0] > 0) & (after > 0)
    ratio = np.where(known, edge[:, 0], 1) / np.where(known, after, 1)
    return np.asarray(edge * np.exp(np.clip(radial.power * np.log(ratio), *_CORE))[:, None])


def _flags(cells: Skymap, found: Moments, by_energy: Array, negative: Array, where: Sky, radial: Shells) -> Array:
    total = by_energy.sum(-1)
    some = total > 0
    bits = (
        (flags.NO_COUNTS, (total <= 0) & ~(negative > 0)),
        (flags.NEGATIVE, negative > _NEGATIVE * np.maximum(total, 0)),
        (flags.UNRESOLVED, flags.unresolved(cells, found.velocity, found.temperature)),
        (flags.ENERGY_EDGE, some & flags.at_energy_edge(by_energy, radial)),
        (flags.SKY_EDGE, some & flags.at_sky_edge(cells, where, radial, total)),
    )
    return np.asarray(sum(np.where(which, bit, 0) for bit, which in bits))


def _turned(found: Moments, turn: Array | None) -> Moments:
    if turn is None:
        return found
    about = _about_z(turn)
    return replace(
        found,
        velocity=np.einsum("tij,tj->ti", about, found.velocity),
        heat_flux=np.einsum("tij,tj->ti", about, found.heat_flux),
        pressure=about @ found.pressure @ about.transpose(0, 2, 1),
        temperature=about @ found.temperature @ about.transpose(0, 2, 1),
    )


def _about_z(turn: Array) -> Array:
    about = np.zeros((len(turn), 3, 3))
    about[:, 0, 0] = about[:, 1, 1] = np.cos(turn)
    about[:, 1, 0] = np.sin(turn)
    about[:, 0, 1] = -about[:, 1, 0]
    about[:, 2, 2] = 1
    return about


def _errors(cells: Skymap, found: Moments, where: Sky, radial: Shells, part: slice) -> Moments:
    error = np.asarray(cells.error)[part].reshape(len(found.density[part]), -1, cells.psd.shape[-1])
    direction, weight = _at(where, part)
    own = part if len(radial.speed) > 1 else slice(None)
    speed, volume = radial.speed[own], radial.volume[0][own].copy()
    volume[np.arange(len(volume)), radial.first[own]] += radial.core[0][own]
    known = np.where(np.abs(error) < FILL, error, 0)
    square = (known * weight * volume[:, None]) ** 2
    w = direction * speed[:, None, :, None] - found.velocity[part, None, None]
    number = found.density[part] * 1e-15
    pressure = found.pressure[part] * 1e-36 / cells.mass

    def root(moved: Array) -> Array:
        return np.asarray(np.sqrt((square * moved**2).sum((1, 2))))

    size = (w**2).sum(-1)
    flow = pressure + 0.5 * np.trace(pressure, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    spread = (pressure / number[:, None, None])[:, None, None]
    pairs = [root(w[..., i] * w[..., j]) for i, j in _PAIRS]
    warm = [root(w[..., i] * w[..., j] - spread[..., i, j]) / number for i, j in _PAIRS]
    drag = np.einsum("tij,tdej->tdei", flow, w) / number[:, None, None, None]
    return Moments(
        density=1e15 * root(np.ones_like(size)),
        velocity=np.stack([root(w[..., i]) / number for i in range(3)], -1),
        pressure=1e36 * cells.mass * np.stack(pairs, -1)[:, _FULL],
        temperature=1e6 * cells.mass / ELEMENTARY_CHARGE * np.stack(warm, -1)[:, _FULL],
        heat_flux=1e33 * cells.mass * np.stack([root(size * w[..., i] / 2 - drag[..., i]) for i in range(3)], -1),
        flag=found.flag[part],
    )


def _at(where: Sky, part: slice) -> tuple[Array, Array]:
    """Give directions (t, d, e, 3) and weights (t, d, e) of some steps, t, e or both being 1."""
    if where.varies == "energy":
        return where.direction[None], where.weight[None]
    if where.varies == "time":
        return where.direction[part][:, :, None], where.weight[part][:, :, None]
    if where.turn is not None:
        own = np.einsum("tij,dj->tdi", _about_z(where.turn[part]), where.direction)
        return own[:, :, None], where.weight[None, :, None]
    return where.direction[None, :, None], where.weight[None, :, None]
