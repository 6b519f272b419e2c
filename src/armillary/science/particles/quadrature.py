"""How much of velocity space each cell of a skymap stands for.

The directions have weights in steradian, the energies have volumes in (km/s)^3. In the polar angle the nodes
``(k + 1/2) pi / N`` of most top-hat instruments are those of Fejer's first rule, which is exact for all polynomials in
``cos(polar)`` of degree below N (Waldvogel 2006, BIT 46, 195, doi:10.1007/s10543-006-0045-4); in azimuth and in the
logarithm of energy the trapezoidal rule converges faster than any power for a distribution that vanishes at the ends
(Trefethen and Weideman 2014, SIAM Rev. 56, 385, doi:10.1137/130932132).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array

#: How far (degrees) angles may lie from the nodes of a rule.
_NEAR: Final = 0.02
_MISSION: Final = "mend the mission's recipe that makes this skymap"


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """Directions of motion and how much of the sky each stands for.

    Parameters
    ----------
    direction : array, shape (d, 3), (t, d, 3) or (d, e, 3)
        Unit vectors, azimuth-major for a grid.
    weight : array, shape (d,), (t, d) or (d, e)
        sr.
    varies : str
        Which dimension there is beside the directions: "", "time" or "energy".
    turn : array, shape (t,), optional
        Radians about z by which everything is still to be turned, for a grid whose azimuths drift as a whole.
    """

    direction: Array
    weight: Array
    varies: str = ""
    turn: Array | None = None


def sky(cells: Skymap) -> Sky:
    """Give the directions of a skymap and their weights."""
    if not cells.gridded:
        weight = np.asarray(cells.solid_angle, float)  # a list has one
        varies = "energy" if 2 in {cells.azimuth.ndim, cells.polar.ndim, weight.ndim} else ""
        azimuth, polar = (_listed(one, cells, varies) for one in (cells.azimuth, cells.polar))
        return Sky(unit_vectors(azimuth, polar), _listed(_rings(cells, weight), cells, varies), varies)
    azimuth, turn = _drift(cells)
    around, across = azimuth_weights(azimuth), polar_weights(cells.polar)
    weight = around[..., :, None] * across[..., None, :]
    direction = unit_vectors(azimuth[..., :, None], cells.polar[..., None, :])
    varies = "time" if 2 in {azimuth.ndim, cells.polar.ndim} else ""
    lead = weight.shape[:-2]
    return Sky(direction.reshape(*lead, -1, 3), weight.reshape(*lead, -1), varies, turn)


def unit_vectors(azimuth: Array, polar: Array) -> Array:
    """Give unit vectors, shape (..., 3), from degrees; azimuth from x towards y, polar from z."""
    phi, theta = np.radians(azimuth), np.radians(polar)
    parts = np.broadcast_arrays(np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))
    return np.stack(parts, -1)


def azimuth_weights(azimuth: Array) -> Array:
    """Give the width of each azimuth in radians, along the last axis; the circle is closed if they go around it.

    Examples
    --------
    >>> (azimuth_weights(np.arange(0.0, 360.0, 90.0)) * 2 / np.pi).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    _need_two(azimuth, "azimuth")
    angles = np.unwrap(np.asarray(azimuth, float), period=360.0)
    steps = np.diff(angles, axis=-1)
    mean = np.abs(steps.mean(-1, keepdims=True))
    last = np.where(
        np.abs(mean * angles.shape[-1] - 360) < mean / 2, 360 - np.abs(steps.sum(-1, keepdims=True)), np.nan
    )
    gaps = np.concatenate([last, np.abs(steps), last], -1)
    gaps[..., 0] = np.where(np.isnan(gaps[..., 0]), gaps[..., 1], gaps[..., 0])
    gaps[..., -1] = np.where(np.isnan(gaps[..., -1]), gaps[..., -2], gaps[..., -1])
    return np.asarray(np.radians((gaps[..., 1:] + gaps[..., :-1]) / 2))


def polar_weights(polar: Array) -> Array:
    """Give the weights of polar angles (degrees, in any order, along the last axis) for integrals over ``cos(polar)``.

    Fejer's first rule for the nodes ``(k + 1/2) 180 / N``, Clenshaw's and Curtis' for ``k 180 / (N - 1)``; otherwise
    the sine times the width of the cell, which is the trapezoidal rule over a part of the sky.

    Examples
    --------
    >>> theta = (np.arange(16) + 0.5) * 11.25
    >>> weight = polar_weights(theta)
    >>> bool(np.allclose([weight.sum(), weight @ np.cos(np.radians(theta)) ** 4], [2, 2 / 5], rtol=1e-14))
    True
    """
    _need_two(polar, "polar angle")
    angles, n = np.asarray(polar, float), np.shape(polar)[-1]
    ordered = np.sort(angles, axis=-1)
    if np.abs(ordered - (np.arange(n) + 0.5) * 180 / n).max() < _NEAR:
        return np.asarray(2 / n * _cosines(angles, n // 2, np.full(n // 2, 2.0)))
    if np.abs(ordered - np.arange(n) * 180 / (n - 1)).max() < _NEAR:
        factors = np.full((n - 1) // 2, 2.0)
        factors[-1:] = 1.0 if n % 2 else 2.0
        ends = (angles < _NEAR) | (angles > 180 - _NEAR)
        return np.asarray(np.where(ends, 1, 2) / (n - 1) * _cosines(angles, len(factors), factors))
    return np.asarray(np.sin(np.radians(angles)) * _widths(angles))


@dataclass(frozen=True, slots=True, eq=False)
class Shells:
    """Speeds far from the spacecraft, the volumes of the shells around them and of the core below the lowest.

    Parameters
    ----------
    speed : array, shape (1 or t, e)
        km/s; 0 for what was left out.
    volume : array, shape (4, 1 or t, e)
        ``integral v^(2 + k) dv`` over the shell for k = 0 ... 3, (km/s)^(3 + k).
    first : array of int, shape (1 or t,)
        Index of the lowest energy that is kept.
    core : array, shape (4, 1 or t)
        As `volume`, of what lies between rest and the shell of the lowest energy; 0 where that is left empty.
    power : array, shape (1 or t,)
        The mean of the core is as many times that of the lowest shell as that is of the next, to this power, if
        ``ln f`` falls linearly with energy.
    """

    speed: Array
    volume: Array
    first: Array
    core: Array
    power: Array


def shells(
    cells: Skymap, potential: Array | None = None, low: float = 0.0, high: float = np.inf, *, fill_core: bool = True
) -> Shells:
    """Give the shells in velocity space that the energies of a skymap stand for.

    A particle of energy E at a spacecraft of potential U had ``E + q U`` far away, and its phase space density there is
    the same (Liouville). The trapezoidal rule is kept in the measured energy, ``v^2 dv = v E / m dlnE``, because that
    is evenly spaced; only the lowest shell, if the potential cuts it, is integrated exactly.

    Parameters
    ----------
    potential : array, shape (t,), optional
        Of the spacecraft, V.
    low, high : float
        Measured energies outside are left out, eV.
    fill_core : bool
        Whether there is a core below the instrument's lowest energy, or the lowest that the potential leaves.
    """
    energy = np.atleast_2d(np.asarray(cells.energy, float))
    if energy.shape[1] < 2:
        raise BadData("this skymap has one energy only", "moments need at least two")
    shift = np.zeros((1, 1)) if potential is None else cells.charge * np.asarray(potential, float)[:, None]
    lower, upper = _edges(energy)
    far, per_ev = energy + shift, 1e-6 * 2 * ELEMENTARY_CHARGE / cells.mass
    kept = (far > 0) & (energy >= low) & (energy <= high)
    speed = np.sqrt(per_ev * np.where(kept, far, 0))
    plain = np.where(kept, speed * energy * per_ev / 2 * (np.log(upper) - np.log(lower)), 0)
    first, powers = kept.argmax(-1), 3 + np.arange(4)[:, None]
    at = (np.arange(len(kept)), first)
    bottom, top = (np.broadcast_to(one + shift, kept.shape)[at] for one in (lower, upper))
    volume = plain * speed ** np.arange(4)[:, None, None]
    whole = kept[at] * np.sqrt(per_ev * np.maximum(top, 0)) ** powers / powers
    volume[:, *at] = np.where(bottom < 0, whole, volume[:, *at])
    wanted = kept[at] & fill_core & ((first == 0) | (np.broadcast_to(energy, kept.shape)[:, 0] >= low))
    core = wanted * np.sqrt(per_ev * np.maximum(bottom, 0)) ** powers / powers
    return Shells(speed, volume, first, core, _power(np.broadcast_to(far, kept.shape), first, bottom))


def _power(far: Array, first: Array, bottom: Array) -> Array:
    # over a ball the mean of the energy is 3/5 of that at its surface
    at, after = np.arange(len(far)), np.minimum(first + 1, far.shape[1] - 1)
    step = far[at, after] - far[at, first]
    return np.asarray((far[at, first] - 0.6 * np.maximum(bottom, 0)) / np.where(step > 0, step, np.inf))


def _edges(energy: Array) -> tuple[Array, Array]:
    logs = np.log(energy)
    middle = (logs[:, 1:] + logs[:, :-1]) / 2
    first, last = 2 * logs[:, :1] - middle[:, :1], 2 * logs[:, -1:] - middle[:, -1:]
    edges = np.exp(np.concatenate([first, middle, last], -1))
    return edges[:, :-1], edges[:, 1:]


def _drift(cells: Skymap) -> tuple[Array, Array | None]:
    azimuth = np.asarray(cells.azimuth, float)
    if azimuth.ndim == 1:
        return azimuth, None
    shift = (azimuth - azimuth[:1] + 180) % 360 - 180
    turn = shift[:, :1]
    if np.abs((shift - turn + 180) % 360 - 180).max(initial=0) > _NEAR:
        return azimuth, None
    return azimuth[0], np.radians(turn[:, 0])


def _listed(values: Array, cells: Skymap, varies: str) -> Array:
    if not varies or values.ndim == 2:
        return np.asarray(values, float)
    return np.broadcast_to(values[:, None], (len(values), cells.psd.shape[-1]))


def _rings(cells: Skymap, weight: Array) -> Array:
    # A list that is a whole sky of rings at the nodes of Fejer's rule, as the 88 directions of THEMIS' ESA are, can be
    # integrated by that rule, which is far better than cells of 22.5 degrees.
    if weight.ndim == 2 or cells.polar.ndim == 2 or abs(weight.sum() - 4 * np.pi) > 0.1:
        return weight
    rings, which, counts = np.unique(np.round(cells.polar, 2), return_inverse=True, return_counts=True)
    nodes = (np.arange(len(rings)) + 0.5) * 180 / len(rings)
    if len(rings) < 2 or np.abs(rings - nodes).max() > _NEAR:
        return weight
    azimuth = cells.azimuth if cells.azimuth.ndim == 1 else cells.azimuth[:, 0]
    for ring in range(len(rings)):
        around = np.sort(np.asarray(azimuth)[which == ring] % 360)
        if np.abs(np.diff(np.append(around, around[0] + 360)) - 360 / len(around)).max() > _NEAR:
            return weight
    return np.asarray((polar_weights(nodes) * 2 * np.pi / counts)[which])


def _cosines(angles: Array, terms: int, factors: Array) -> Array:
    orders = np.arange(1, terms + 1)
    waves = np.cos(2 * orders * np.radians(angles)[..., None])
    return np.asarray(1 - (factors * waves / (4 * orders**2 - 1)).sum(-1))


def _widths(angles: Array) -> Array:
    order = np.argsort(angles, axis=-1)
    ordered = np.take_along_axis(angles, order, -1)
    middle = (ordered[..., 1:] + ordered[..., :-1]) / 2
    first, last = 2 * ordered[..., :1] - middle[..., :1], 2 * ordered[..., -1:] - middle[..., -1:]
    edges = np.clip(np.concatenate([first, middle, last], -1), 0, 180)
    widths = np.empty_like(ordered)
    np.put_along_axis(widths, order, np.radians(np.diff(edges, axis=-1)), -1)
    return widths


def _need_two(angles: Array, name: str) -> None:
    if np.shape(angles)[-1] < 2:
        raise BadData(f"one {name} only says nothing about its width", _MISSION)
    if not np.isfinite(angles).all():
        raise BadData(f"a {name} of this skymap is not a number", _MISSION)
