"""Means of cells in bins of angle."""

from typing import Final, NamedTuple

import numpy as np

from armillary.science.plasma import Array

#: sr below which a shared area is rounding.
NOTHING: Final = 1e-12


class Binned(NamedTuple):
    """Means over the directions that fall into bins, per energy.

    Parameters
    ----------
    mean : array, shape (t, bin, energy)
        In the units of psd; NaN where nothing was measured.
    solid_angle : array, shape (t, bin, energy)
        Measured solid angle in each bin, sr. ``(mean * solid_angle).sum(1)`` is the integral over the measured sky.
    """

    mean: Array
    solid_angle: Array


def bin_means(psd: Array, weight: Array) -> Binned:
    """Give the weighted means of cells over directions, those that were not measured left out.

    Parameters
    ----------
    psd : array, shape (t, azimuth, polar, energy) or (t, direction, energy)
        Cells.
    weight : array, shape (t or 1, bin, direction) or (t or 1, bin, direction, energy)
        sr of each direction in each bin; the directions of a grid azimuth by azimuth.
    """
    values = psd.reshape(len(psd), -1, psd.shape[-1])
    product = np.matmul if weight.ndim == 3 else _per_energy
    known = np.isfinite(values)
    if known.all():
        total = product(weight, values)
        measured = weight.sum(2)[..., None] if weight.ndim == 3 else weight.sum(2)
        measured = np.broadcast_to(measured, total.shape)
    else:
        total, measured = product(weight, np.where(known, values, 0)), product(weight, known.astype(float))
    there = measured > NOTHING
    return Binned(np.where(there, total / np.where(there, measured, 1), np.nan), np.where(there, measured, 0.0))


def _per_energy(weight: Array, values: Array) -> Array:
    whole = np.broadcast_to(weight, (len(values), *weight.shape[1:]))
    return np.asarray(np.einsum("tbde,tde->tbe", whole, values))
