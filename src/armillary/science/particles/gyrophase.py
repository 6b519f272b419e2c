"""Gyro-phase distributions: how particles are spread around the magnetic field."""

from functools import partial

import numpy as np

from armillary.errors import BadParameter
from armillary.science.particles.binning import Binned
from armillary.science.particles.parts import PARTS, sort_parts
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array


def gyro_phase_distribution(
    cells: Skymap, basis: Array, bins: int, lowest: float = 0.0, highest: float = 180.0, parts: int = PARTS
) -> Binned:
    """Give the mean phase space density in bins of gyro-phase, for each energy and time.

    The phase of a motion is its angle in the plane of the first two axes, from x towards y, 0 to 360 degrees: the sense
    in which electrons gyrate if z is along the field.

    Parameters
    ----------
    cells : Skymap
        Its times are t.
    basis : array, shape (t, 3, 3)
        Axes as of `bases.basis_matrix`. NaN at a time makes the answer NaN there.
    bins : int
        Equally wide, from 0 to 360 degrees.
    lowest, highest : float
        Pitch angles (from z) within which directions count, degrees.
    parts : int
        Each cell is cut into ``parts**2`` of equal area, which are sorted into the bins.

    Raises
    ------
    BadParameter
        If the pitch angles are reversed.
    BadData
        If the basis does not fit.
    """
    if not 0 <= lowest < highest <= 180:
        raise BadParameter(
            f"no pitch angle lies between {lowest:g} and {highest:g} degrees", "give 0 <= low < high <= 180"
        )
    return sort_parts(cells, basis, partial(_phase_bin, bins=bins, lowest=lowest, highest=highest), bins, parts)


def phase_centres(bins: int) -> Array:
    """Give the middles of the bins, degrees."""
    return (np.arange(bins) + 0.5) * (360 / bins)


def _phase_bin(x: Array, y: Array, z: Array, *, bins: int, lowest: float, highest: float) -> Array:
    number = np.floor(np.arctan2(y, x) * (bins / (2 * np.pi))).astype(np.intp) % bins
    if lowest > 0 or highest < 180:
        number[(z > np.cos(np.deg2rad(lowest))) | (z < np.cos(np.deg2rad(highest)))] = bins
    return number
