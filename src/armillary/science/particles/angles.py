"""How large the cells of a skymap are: bounds in polar angle, steps in azimuth, solid angles, widths in energy."""

from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

#: Degrees by which centres may miss the rule of their grid; instruments write them as float32.
_LOOSE: Final = 0.01
_MEND: Final = "mend the mission's recipe that makes this skymap"


def bounds_between(centres: Array) -> tuple[Array, Array]:
    """Give the lower and upper bounds of bins between 0 and 180 degrees, from their centres.

    If bins can be found around these centres that fill 0 to 180 degrees without gaps, those are taken (RBSP's HOPE has
    4.5, 18, 36 ... 175.5: the outer two are half as wide). Else bounds lie midway between centres, and the outer bins
    are as wide as their neighbours, but stay within 0 to 180.

    Parameters
    ----------
    centres : array, shape (..., n)
        Degrees, rising or falling.

    Returns
    -------
    lower, upper : array, shape (..., n)
        Degrees.

    Raises
    ------
    BadData
        If the centres do not rise or fall all the way, or leave 0 to 180 degrees.

    Examples
    --------
    >>> bounds_between(np.array([9.0, 36.0, 90.0, 153.0]))[1].tolist()
    [18.0, 54.0, 126.0, 180.0]
    """
    found = np.asarray(centres, float)
    if found.shape[-1] > 1 and bool((np.diff(found, axis=-1) < 0).all()):
        lower, upper = bounds_between(found[..., ::-1])
        return lower[..., ::-1], upper[..., ::-1]
    if not bool((np.diff(found, axis=-1) > 0).all() and (found >= 0).all() and (found <= 180).all()):
        raise BadData("these polar angles do not go one way between 0 and 180 degrees", _MEND)
    edges = _filling(found)
    wrong = np.abs(edges[..., -1:] - 180) > _LOOSE
    apart = (edges[..., 1:] <= found) | (edges[..., :-1] >= found)
    edges = np.where(wrong | apart.any(-1, keepdims=True), _midway(found), edges).clip(0, 180)
    return edges[..., :-1], edges[..., 1:]


def _filling(centres: Array) -> Array:
    """Give the only edges that start at 0 and have these centres midway."""
    signs = (-1.0) ** np.arange(centres.shape[-1])
    reached = 2 * signs * np.cumsum(signs * centres, axis=-1)
    return np.concatenate([np.zeros((*centres.shape[:-1], 1)), reached], axis=-1)


def _midway(centres: Array) -> Array:
    if centres.shape[-1] == 1:
        return np.concatenate([np.zeros_like(centres), np.full_like(centres, 180)], axis=-1)
    middle = (centres[..., 1:] + centres[..., :-1]) / 2
    first, last = 2 * centres[..., :1] - middle[..., :1], 2 * centres[..., -1:] - middle[..., -1:]
    return np.concatenate([first, middle, last], axis=-1)


def azimuth_step(cells: Skymap) -> float:
    """Give the degrees from one azimuth of a grid to the next, with their sign; 360 if there is one only.

    Raises
    ------
    BadData
        If the azimuths are not evenly spaced, or overlap.
    """
    found = np.atleast_2d(cells.azimuth)
    if found.shape[1] == 1:
        return 360.0
    steps = (np.diff(found, axis=1) + 180) % 360 - 180
    step = float(np.median(steps))
    if not bool((np.abs(steps - step) < max(_LOOSE, 0.02 * abs(step))).all()):
        raise BadData("the azimuths of this skymap are not evenly spaced", _MEND)
    if abs(step) * found.shape[1] > 360 + found.shape[1] * _LOOSE:
        raise BadData("the azimuths of this skymap go round more than once", _MEND)
    return step


def solid_angles(cells: Skymap) -> Array:
    """Give the solid angle of each cell, sr, in a shape that broadcasts against its psd.

    On a grid ``(cos(lower) - cos(upper)) d(azimuth)``, exact.

    Examples
    --------
    >>> cells = Skymap(psd=np.ones((1, 4, 2, 1)), azimuth=np.r_[0:360:90], polar=np.r_[45, 135], energy=np.r_[1.0])
    >>> bool(np.isclose(solid_angles(cells).sum() * 4, 4 * np.pi))
    True
    """
    if not cells.gridded:
        known = np.asarray(cells.solid_angle, float)
        return known[None, :, None] if known.ndim == 1 else known[None]
    lower, upper = bounds_between(np.atleast_2d(cells.polar))
    bands = np.cos(np.deg2rad(lower)) - np.cos(np.deg2rad(upper))
    return np.asarray(bands[:, None, :, None] * np.deg2rad(abs(azimuth_step(cells))))


def energy_edges(energy: Array) -> Array:
    """Give the edges of energy channels, midway between centres in ln E, shape (..., n + 1)."""
    logs = np.log(np.asarray(energy, float))
    if logs.shape[-1] == 1:
        return np.asarray(np.exp(np.concatenate([logs - 0.5, logs + 0.5], axis=-1)))
    return np.asarray(np.exp(_midway(logs)))


def energy_share(energy: Array, low: float, high: float) -> Array:
    """Give how much of each energy channel lies between two energies, in ln E; the weights of a mean over energy.

    Parameters
    ----------
    energy : array, shape (..., n)
        Centres, eV.
    low, high : float
        eV; not positive, or infinite, for no limit.

    Raises
    ------
    BadParameter
        If the limits are reversed, or hold no part of any channel.
    """
    edges = np.log(energy_edges(energy))
    if 0 < high <= low:
        raise BadParameter(f"no energy lies between {low:g} and {high:g} eV", "give the lower limit first")
    within = edges.clip(np.log(low) if low > 0 else -np.inf, np.log(high) if high > 0 else np.inf)
    share = np.diff(within, axis=-1)
    if not share.any():
        spans = f"{energy.min():.4g} to {energy.max():.4g} eV"
        raise BadParameter(f"no channel lies between {low:g} and {high:g} eV", f"the instrument has {spans}")
    return np.asarray(share)


def over_energy(values: Array, energy: Array, low: float = 0.0, high: float = 0.0) -> Array:
    """Give the mean over energy channels, each with the part of its width in ln E inside the limits.

    Parameters
    ----------
    values : array, shape (t, n, energy)
        NaN where there is no value; left out of the mean.
    energy : array, shape (energy,) or (t, energy)
        Centres, eV.
    low, high : float
        eV; 0 for no limit.

    Returns
    -------
    array, shape (t, n)
        NaN where no channel has a value.
    """
    share = energy_share(energy, low, high)
    share = share[:, None] if share.ndim == 2 else share
    known = np.isfinite(values)
    total = (np.where(known, values, 0) * share).sum(-1)
    weight = (known * share).sum(-1)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1), np.nan)
