"""Where cells of equal area lie on the sky: centres and reach of HEALPix cells in the nested order.

Formulas: Gorski et al. 2005, ApJ 622, 759, section 5.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from armillary.model import Box, Cone

Array = np.ndarray[Any, np.dtype[Any]]
#: Of the twelve faces: the ring of the southern corner in units of the side, and the longitude of the middle in pi / 4.
_RINGS: Final = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_LONGITUDES: Final = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])


def centres_of_cells(cell: Array, order: Array) -> tuple[Array, Array]:
    """Give the centres of cells.

    Parameters
    ----------
    cell, order : array of int, (n,)
        Nested numbers, and the order of each, 0..29.

    Returns
    -------
    tuple of array, (n,)
        Right ascension and declination, degrees.

    Examples
    --------
    >>> ra, dec = centres_of_cells(np.array([0, 4]), np.array([0, 0]))
    >>> ra.round(3).tolist(), dec.round(3).tolist()
    ([45.0, 0.0], [41.81, 0.0])
    """
    cell, order = np.asarray(cell, np.int64), np.asarray(order, np.int64)
    side = np.left_shift(np.int64(1), order)
    face, inside = cell // side**2, cell % side**2
    x, y = _every_other_bit(inside), _every_other_bit(inside >> 1)
    ring = _RINGS[face] * side - x - y - 1
    length = np.minimum(np.minimum(ring, side), 4 * side - ring)
    near_pole = length**2 / (3.0 * side**2)
    belt = (ring >= side) & (ring <= 3 * side)
    z = np.where(belt, (2 * side - ring) * 2 / (3.0 * side), np.where(ring < side, 1 - near_pole, near_pole - 1))
    turn = (_LONGITUDES[face] * length + x - y) / length
    # 1 - |z| loses digits near the poles, where the sine of half the distance does not
    distance = np.degrees(2 * np.arcsin(np.sqrt(near_pole / 2)))
    dec = np.where(belt, np.degrees(np.arcsin(z)), np.copysign(90 - distance, z))
    return (45.0 * turn) % 360, dec


def reach_of_cells(order: Array) -> Array:
    """Give how far the corners of cells are from their centres at most, degrees.

    Examples
    --------
    >>> reach_of_cells(np.array([0, 5])).round(3).tolist()
    [48.19, 1.903]
    """
    side = np.left_shift(np.int64(1), np.asarray(order, np.int64)).astype(float)
    centre_z, half = 2 / 3, np.pi / (4 * side)
    corner_z = 1 - (1 - 1 / side) ** 2 / 3
    across = np.sqrt((1 - centre_z**2) * (1 - corner_z**2))
    reach: Array = np.degrees(np.arccos(np.clip(centre_z * corner_z + across * np.cos(half), -1, 1)))
    return reach


def touches_cone(cell: Array, order: Array, cone: "Cone") -> Array:
    """Say which cells may have a part inside a circle, (n,): all that have, and some that lie just beside it."""
    ra, dec = (np.radians(one) for one in centres_of_cells(cell, order))
    there_ra, there_dec = np.radians(cone.ra), np.radians(cone.dec)
    half = np.sin((dec - there_dec) / 2) ** 2 + np.cos(dec) * np.cos(there_dec) * np.sin((ra - there_ra) / 2) ** 2
    apart = np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
    touched: Array = apart <= cone.radius + reach_of_cells(order) + 1e-9
    return touched


def touches_box(cell: Array, order: Array, box: "Box") -> Array:
    """Say which cells may have a part inside a box, (n,): all that have, and some that lie just beside it."""
    ra, dec = centres_of_cells(cell, order)
    reach = reach_of_cells(order)
    high = (dec - reach <= box.north) & (dec + reach >= box.south)
    width = (box.east - box.west) % 360
    pole = np.abs(dec) + reach >= 90
    ratio = np.sin(np.radians(np.minimum(reach, 90))) / np.maximum(np.cos(np.radians(dec)), 1e-12)
    aside = np.where(pole | (ratio >= 1), 180.0, np.degrees(np.arcsin(np.minimum(ratio, 1))))
    middle = box.west + width / 2
    apart = np.abs((ra - middle + 180) % 360 - 180)
    touched: Array = high & (apart <= width / 2 + aside + 1e-9)
    return touched


def _every_other_bit(value: Array) -> Array:
    """Give the number that the even bits of a number make."""
    value = value & 0x5555555555555555
    for shift, mask in (
        (1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF),
        (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF),
    ):  # fmt: skip
        value = (value | (value >> shift)) & mask
    return value
