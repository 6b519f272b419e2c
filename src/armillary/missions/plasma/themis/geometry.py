"""Where the 88 cells of the THEMIS electrostatic analysers look, and when in the spin.

A spin has 32 energy sweeps of 11.25 degrees; the cells towards the poles are wider in azimuth, so that all have about
the same solid angle: rows of 4, 8, 16, 16, 16, 16, 8, 4 cells, each 22.5 degrees high. In a sweep the body turns on:
the k-th of 32 energies, highest first, is looked at 11.25 k / 32 degrees further. McFadden et al. (2008, Space Sci.
Rev. 141, 277); the order of the rows is that of the angle maps in the ground software (angle map 1 of ions, 0 of
electrons).
"""

from typing import Final, NamedTuple

import numpy as np

from armillary.science.plasma import Array

ENERGIES: Final = 32
DIRECTIONS: Final = 88
#: Latitudes of the rows as they look, in the order of the cells: ions, then electrons.
_ROWS: Final = {
    "ion": (78.75, -78.75, 56.25, -56.25, 33.75, -33.75, 11.25, -11.25),
    "electron": (78.75, -78.75, 56.25, -56.25, 33.75, 11.25, -11.25, -33.75),
}
_CELLS: Final = (4, 4, 8, 8, 16, 16, 16, 16)
_HALF_ROW: Final = 11.25
#: From the first sweep's sector to the azimuth of motion in DSL.
_FIRST: Final = 90 - 5.625
_SWEEP: Final = 11.25


class Directions(NamedTuple):
    """Directions of MOTION in DSL, of energies that RISE.

    Parameters
    ----------
    azimuth : array, shape (88, 32)
        Degrees; they depend on the energy.
    polar : array, shape (88, 32)
        Colatitude, degrees.
    solid_angle : array, shape (88,)
        sr; they add up to 4 pi.
    """

    azimuth: Array
    polar: Array
    solid_angle: Array


def directions(species: str) -> Directions:
    """Give the cells of the full and burst distributions in the magnetosphere's mode.

    Parameters
    ----------
    species : str
        "ion" or "electron".

    Examples
    --------
    >>> cells = directions("ion")
    >>> cells.azimuth.shape, round(float(cells.solid_angle.sum() / np.pi), 9)
    ((88, 32), 4.0)
    """
    look = np.repeat(_ROWS[species], _CELLS)
    width = np.repeat([360 / count for count in _CELLS], _CELLS)
    middle = np.concatenate([360 / count * (np.arange(count) + 0.5) for count in _CELLS])
    turned = _SWEEP * np.arange(ENERGIES)[::-1] / ENERGIES
    azimuth = np.mod(middle[:, None] + _FIRST + turned, 360)
    polar = np.broadcast_to((90 + look)[:, None], azimuth.shape)
    band = np.sin(np.radians(look + _HALF_ROW)) - np.sin(np.radians(look - _HALF_ROW))
    return Directions(azimuth, polar.copy(), np.radians(width) * band)
