"""Cells of equal area on the sky: HEALPix numbers in the nested order.

Formulas: Gorski et al. 2005, ApJ 622, 759, section 5 and figure 4. Gaia writes the cell of level 12 into the upper bits
of its ``source_id``.
"""

from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter

Array = np.ndarray[Any, np.dtype[Any]]

#: Level of the cell in a Gaia source_id, and the bits below it.
GAIA_LEVEL: Final = 12
_GAIA_BITS: Final = 35
_FINEST: Final = 29


def cell_of_source(source: Array, level: int) -> Array:
    """Give the cell of Gaia sources by their ``source_id`` alone.

    Parameters
    ----------
    source : array of int or text, (n,)
    level : int
        0..12.

    Raises
    ------
    BadParameter
        If the level is finer than Gaia's.
    BadData
        If an identifier is none.

    Examples
    --------
    >>> cell_of_source(np.array([5937083312263887616]), 0).tolist()
    [10]
    """
    if not 0 <= level <= GAIA_LEVEL:
        raise BadParameter(
            f"a source_id knows no cell of level {level}", f"give 0..{GAIA_LEVEL}, or right ascension too"
        )
    try:
        number = source.astype(np.int64)
    except (ValueError, TypeError, OverflowError):
        raise BadData("not every source_id is an integer", "read the column as integers") from None
    if (number < 0).any():
        raise BadData(f"the source_id {int(number.min())} is negative", "leave out sources without an identifier")
    cells: Array = number >> (_GAIA_BITS + 2 * (GAIA_LEVEL - level))
    return cells


def cell_of_sky(ra: Array, dec: Array, level: int) -> Array:
    """Give the cell of positions.

    Parameters
    ----------
    ra, dec : array of float, (n,)
        Degrees.
    level : int
        0..29; a cell is 58.6 degrees / 2**level wide.

    Raises
    ------
    BadParameter
        If the level is none.

    Examples
    --------
    >>> cell_of_sky(np.array([45.0]), np.array([60.0]), 0).tolist()
    [0]
    """
    if not 0 <= level <= _FINEST:
        raise BadParameter(f"there is no HEALPix level {level}", f"give 0..{_FINEST}")
    side = 1 << level
    z, quarter = np.sin(np.radians(dec)), (ra % 360.0) / 90.0
    belt = np.abs(z) <= 2 / 3
    face_belt, x_belt, y_belt = _in_belt(z, quarter, side)
    face_cap, x_cap, y_cap = _in_cap(dec, quarter, side)
    face, x, y = (np.where(belt, *pair) for pair in ((face_belt, face_cap), (x_belt, x_cap), (y_belt, y_cap)))
    cells: Array = face * side * side + _spread(x) + 2 * _spread(y)
    return cells


def _in_belt(z: Array, quarter: Array, side: int) -> tuple[Array, Array, Array]:
    """Face and place in it near the equator, where cells are bounded by lines of z and longitude."""
    rising = np.floor(side * (0.5 + quarter - 0.75 * z)).astype(np.int64)
    falling = np.floor(side * (0.5 + quarter + 0.75 * z)).astype(np.int64)
    up, down = rising // side, falling // side
    north, south = up < down, up > down
    face = np.where(north, up % 4, np.where(south, down % 4 + 8, up % 4 + 4))
    return face, falling % side, side - 1 - rising % side


def _in_cap(dec: Array, quarter: Array, side: int) -> tuple[Array, Array, Array]:
    """Face and place in it around the poles."""
    sector = np.minimum(np.floor(quarter), 3).astype(np.int64)
    # sqrt(3 (1 - |z|)) without loss near the pole, where z rounds to 1
    reach = side * np.sqrt(6.0) * np.abs(np.sin(np.radians(90.0 - np.abs(dec)) / 2))
    right = np.minimum(np.floor((quarter - sector) * reach).astype(np.int64), side - 1)
    left = np.minimum(np.floor((1 - (quarter - sector)) * reach).astype(np.int64), side - 1)
    north = dec >= 0
    face = np.where(north, sector, sector + 8)
    return face, np.where(north, side - 1 - left, right), np.where(north, side - 1 - right, left)


def _spread(value: Array) -> Array:
    """Put a zero bit behind each bit."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333), (1, 0x5555555555555555),
    ):  # fmt: skip
        value = (value | (value << shift)) & mask
    return value
