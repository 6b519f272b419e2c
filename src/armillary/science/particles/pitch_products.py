"""What follows from pitch-angle distributions, our own or those that an archive has made: omni, anisotropy, cuts."""

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.particles.angles import bounds_between, energy_edges
from armillary.science.plasma import Array


def pitch_solid_angles(pitch: Array) -> Array:
    """Give the solid angle of bins around pitch angles (degrees), ``2 pi (cos(lower) - cos(upper))``, sr.

    Bins of any other use too: see `angles.bounds_between` for how their bounds follow from the centres.
    """
    lower, upper = bounds_between(pitch)
    return np.asarray(2 * np.pi * (np.cos(np.deg2rad(lower)) - np.cos(np.deg2rad(upper))))


def pitch_omni(values: Array, pitch: Array) -> Array:
    """Give the mean over all directions of a pitch-angle distribution, weighted by solid angle.

    Parameters
    ----------
    values : array, shape (t, pitch, ...)
        Any differential quantity; NaN is left out.
    pitch : array, shape (pitch,) or (t, pitch)
        Middles of the bins, degrees.

    Returns
    -------
    array, shape (t, ...)

    Examples
    --------
    >>> pitch_omni(np.array([[1.0, 5, 1]]), np.array([30.0, 90, 150]))
    array([3.])
    """
    return _mean(values, pitch_solid_angles(_fitting(values, pitch)))


def pitch_anisotropy(values: Array, pitch: Array) -> Array:
    """Give the pitch-angle anisotropy, 0 if isotropic, positive if across the field, negative (to -1) if along it.

    ``A = int j sin^3 / (2 int j cos^2 sin) - 1`` (Chen et al. 1999, J. Geophys. Res. 104, 17379), each
    integral over the bins that were measured and over what isotropic particles would give in the same bins, so that
    missing bins make nothing anisotropic.

    Parameters
    ----------
    values : array, shape (t, pitch, ...)
        Flux or phase space density; NaN is left out.
    pitch : array, shape (pitch,) or (t, pitch)
        Middles of the bins, degrees.

    Returns
    -------
    array, shape (t, ...)
        NaN where fewer than two bins have a value, or none has particles.
    """
    lower, upper = (np.cos(np.deg2rad(one)) for one in bounds_between(_fitting(values, pitch)))
    along = (lower**3 - upper**3) / 3
    across = (lower - upper) - along
    enough = np.isfinite(values).sum(1) > 1
    parallel = _mean(values, along)
    usable = enough & (parallel > 0)
    return np.where(usable, _mean(values, across) / np.where(usable, parallel, 1) - 1, np.nan)


def at_energy(values: Array, energy: Array, wanted: float) -> Array:
    """Cut a distribution at the channel that holds an energy.

    Parameters
    ----------
    values : array, shape (t, n, energy)
        Any quantity.
    energy : array, shape (energy,) or (t, energy)
        Middles of the channels, eV.
    wanted : float
        eV.

    Returns
    -------
    array, shape (t, n)
        NaN at times when no channel holds it.

    Raises
    ------
    BadParameter
        If no channel holds it at any time.
    """
    edges = np.broadcast_to(energy_edges(energy), (len(values), values.shape[2] + 1))
    number = (edges <= wanted).sum(1) - 1
    inside = (number >= 0) & (number < values.shape[2])
    if len(values) and not inside.any():
        spans = f"{np.min(edges):.4g} to {np.max(edges):.4g} eV"
        raise BadParameter(f"no channel holds {wanted:g} eV", f"the instrument has {spans}")
    cut = np.take_along_axis(values, number.clip(0, values.shape[2] - 1)[:, None, None], axis=2)[..., 0]
    return np.where(inside[:, None], cut, np.nan)


def at_pitch_angles(values: Array, pitch: Array, low: float, high: float) -> Array:
    """Give the mean between two pitch angles, weighted by the solid angle of each bin that lies between them.

    Parameters
    ----------
    values : array, shape (t, pitch, ...)
        Any differential quantity; NaN is left out.
    pitch : array, shape (pitch,) or (t, pitch)
        Middles of the bins, degrees.
    low, high : float
        Degrees.

    Raises
    ------
    BadParameter
        If no bin lies between them.
    """
    lower, upper = (np.cos(np.deg2rad(one.clip(low, high))) for one in bounds_between(_fitting(values, pitch)))
    if not (lower > upper).any():
        raise BadParameter(f"no pitch angle lies between {low:g} and {high:g} degrees", "give 0 <= low < high <= 180")
    return _mean(values, lower - upper)


def _fitting(values: Array, pitch: Array) -> Array:
    if pitch.shape not in {values.shape[1:2], values.shape[:2]}:
        raise BadData(
            f"pitch angles of shape {pitch.shape} do not belong to values of shape {values.shape}", "give one a bin"
        )
    return pitch


def _mean(values: Array, weight: Array) -> Array:
    weight = weight.reshape(*weight.shape, *(1,) * (values.ndim - 2))
    known = np.isfinite(values)
    measured = (known * weight).sum(1)
    total = np.where(known, values * weight, 0).sum(1)
    return np.where(measured > 0, total / np.where(measured > 0, measured, 1), np.nan)
