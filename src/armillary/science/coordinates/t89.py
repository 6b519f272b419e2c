"""The field of the currents in the magnetosphere: Tsyganenko's model T89c.

N. A. Tsyganenko (1989), A magnetospheric magnetic field model with a warped tail current sheet, Planet. Space Sci. 37,
5, doi:10.1016/0032-0633(89)90066-4; numbers of equations below are the paper's. The parameters are those of the
author's release T89c (1992, 1996), which adds a tilt dependence to the tail current; they lie in ``t89c.txt`` here.
"""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.plasma import Array, Numbers

#: The data that the model was fitted to end here, Earth radii.
FARTHEST: Final = 70.0
#: Lengths that the model fixes, Earth radii: in h of the ring and the tail (squares), in W and in the warping.
_RING_RISE, _TAIL_RISE, _TAIL_EDGE, _HINGE_WIDTH, _WARP_WIDTH = 25.0, 40.0, 170.0, 4.0, 10.0
#: Of the closure currents: height of the two planes, place and (square) width of their inner edge.
_PLANE, _CLOSURE_X, _CLOSURE_EDGE = 30.0, 4.0, 50.0


@dataclass(frozen=True, slots=True, eq=False)
class _Parameters:
    """One column of the table for each point, in its order; the paper's names in the comments."""

    tail_1: Array  # C1
    tail_2: Array  # C2
    closure_even: Array  # C3
    closure_odd: Array  # C4
    ring: Array  # C5
    c6: Array
    c7: Array
    c8: Array
    c9: Array
    c10: Array
    c11: Array
    c12: Array
    c13: Array
    c14: Array
    c15: Array
    tilted_1: Array
    tilted_2: Array
    decay: Array  # Delta x of the Chapman-Ferraro field
    ring_radius: Array  # a_RC
    thickness: Array  # D0
    ring_growth: Array  # gamma_RC
    hinge: Array  # Rc
    warp: Array  # G
    tail_radius: Array  # a_T
    tail_width: Array  # Dy
    flare: Array  # delta
    unused: Array  # Q, zero in the published model
    tail_x: Array  # x0
    tail_growth: Array  # gamma_T
    closure_width: Array  # Dyc


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """Where points lie to the warped sheet: solar magnetic x and y, height above it and its slopes along x and y."""

    x: Array
    y: Array
    height: Array
    slope: Array  # x dz/dx + y dz/dy


def t89(position: Array, tilt: Numbers, kp: Numbers) -> Array:
    """Give the field of the magnetospheric currents.

    Parameters
    ----------
    position : array, shape (n, 3)
        GSM, Earth radii.
    tilt : array, shape (n,) or float
        Dipole tilt, radians.
    kp : array, shape (n,) or float
        Kp index, 0 to 9; from 6- on the model is the same.

    Returns
    -------
    array, shape (n, 3)
        GSM, nT, without the Earth's own field. NaN beyond 70 Earth radii, where the model has no data. The model has no
        magnetopause: outside of it the numbers mean nothing.

    Raises
    ------
    BadData
        If a Kp is not 0 to 9.

    Examples
    --------
    >>> t89(np.array([[-5.1, 0.3, 2.8]]), -0.533585131, 1.0).round(4)
    array([[ 20.7721,  -0.6466, -15.0716]])
    """
    position = np.asarray(position, float)
    known = _parameters(kp)
    sine, cosine = np.sin(tilt), np.cos(tilt)
    x, y, z = position.T
    sheet = _sheet(known, x * cosine - z * sine, y, x * sine + z * cosine, (sine, sine / cosine))
    along, across, up = np.add(_ring(known, sheet), _tail(known, sheet, np.square(tilt)))
    found = np.stack([along * cosine + up * sine, across, up * cosine - along * sine])
    found += _closure(known, position, sine) + _shielding(known, position, sine, cosine)
    found[:, (position**2).sum(1) > FARTHEST**2] = np.nan
    return np.asarray(found.T)


@cache
def _table() -> Array:
    return np.loadtxt(Path(__file__).with_name("t89c.txt"))


def _parameters(kp: Numbers) -> _Parameters:
    kp = np.asarray(kp, float)
    if not bool(((kp >= 0) & (kp <= 9)).all()):
        raise BadData("a Kp index is not 0 to 9", "give Kp itself: OMNI's is ten times as large")
    level = np.minimum(np.rint(kp).astype(int), 6)
    columns = _table()[level].T
    return _Parameters(**{one.name: column for one, column in zip(fields(_Parameters), columns, strict=True)})


def _sheet(known: _Parameters, x: Array, y: Array, z: Array, tilt: tuple[Numbers, Numbers]) -> _Sheet:
    """Equation 11: hinged near ``-Rc`` and warped in y; `tilt` is its sine and tangent."""
    sine, tangent = tilt
    behind = x + known.hinge
    bend = np.sqrt(behind**2 + _HINGE_WIDTH**2)
    hinged = 0.5 * tangent * (behind - bend)
    fourth = y**4
    width = fourth + _WARP_WIDTH**4
    warped = known.warp * sine * fourth / width
    # y d/dy of y^4 / (y^4 + L^4) is 4 L^4 / (y^4 + L^4) times it.
    slope = -x * hinged / bend - warped * 4 * _WARP_WIDTH**4 / width
    return _Sheet(x, y, z - hinged + warped, slope)


def _rise(x: Array, square: float) -> tuple[Array, Array]:
    """``h(x)`` from night to day, and its derivative."""
    root = np.sqrt(x**2 + square)
    return 0.5 * (1 + x / root), 0.5 * square / root**3


def _ring(known: _Parameters, sheet: _Sheet) -> Array:
    """Give the field of the ring current: a disc whose thickness grows from night to day."""
    rise, steep = _rise(sheet.x, _RING_RISE)
    thick = known.thickness + known.ring_growth * rise
    depth = np.sqrt(sheet.height**2 + thick**2)
    reach = known.ring_radius + depth
    flat = sheet.x**2 + sheet.y**2
    fifth = known.ring * (reach**2 + flat) ** -2.5
    q = 3 * reach * fifth / depth
    change = sheet.height * sheet.slope - thick * known.ring_growth * steep * sheet.x
    up = (2 * reach**2 - flat) * fifth + q * change
    return np.stack([q * sheet.x * sheet.height, q * sheet.y * sheet.height, up])


def _tail(known: _Parameters, sheet: _Sheet, tilt_square: Numbers) -> Array:
    """Give the field of the tail current: two modes of a disc cut off by W (equation 13), changing with the tilt."""
    x, y = sheet.x, sheet.y
    first, second = known.tail_1 + known.tilted_1 * tilt_square, known.tail_2 + known.tilted_2 * tilt_square
    rise, steep = _rise(x, _TAIL_RISE)
    thick = known.thickness + known.flare * y**2 + known.tail_growth * rise
    spread = known.tail_growth * steep * x + 2 * known.flare * y**2
    weight, change = _confined(x, y, known.tail_x, _TAIL_EDGE, known.tail_width)
    depth = np.sqrt(sheet.height**2 + thick**2)
    reach = known.tail_radius + depth
    s = np.sqrt(reach**2 + x**2 + y**2)
    inner = 1 / (s + reach)
    q = weight / (depth * s) * (first * inner + second / s**2)
    up = weight / s * (first + second * reach / s**2) + change * inner * (first + second / s)
    up += q * (sheet.height * sheet.slope - thick * spread)
    return np.stack([q * x * sheet.height, q * y * sheet.height, up])


def _confined(x: Array, y: Array, edge: Numbers, square: float, width: Array) -> tuple[Array, Array]:
    """``W(x, y)`` of equation 13, and ``x dW/dx + y dW/dy``."""
    root = np.sqrt((x - edge) ** 2 + square)
    side = 1 / (1 + (y / width) ** 2)
    weight = 0.5 * (1 - (x - edge) / root) * side
    return weight, -0.5 * x * square / root**3 * side - 2 * weight * side * (y / width) ** 2


def _closure(known: _Parameters, position: Array, sine: Numbers) -> Array:
    """Give the field of the return currents: the tail current closes over two planes above and below."""
    x, y, z = position.T
    weight, change = _confined(x, y, _CLOSURE_X, _CLOSURE_EDGE, known.closure_width)
    total = np.zeros((3, len(x)))
    for side in (1, -1):
        above = side * z + _PLANE
        s = np.sqrt(above**2 + x**2 + y**2)
        inner = 1 / (s + above)
        amplitude = known.closure_even + side * known.closure_odd * sine
        flat = side * amplitude * weight * inner / s
        total += np.stack([flat * x, flat * y, amplitude * (weight / s + change * inner)])
    return total


def _shielding(known: _Parameters, position: Array, sine: Numbers, cosine: Numbers) -> Array:
    """Equation 20: the currents of the magnetopause and along field lines; C16 to C19 follow from ``div B = 0``."""
    k, (x, y, z) = known, position.T
    even, odd = (np.exp(x / k.decay) * one for one in (cosine, sine))
    along = even * k.c6 * z + odd * (k.c7 + k.c8 * y**2 + k.c9 * z**2)
    across = even * k.c10 * y * z + odd * y * (k.c11 + k.c12 * y**2 + k.c13 * z**2)
    c16, c17 = -0.5 * (k.c6 / k.decay + k.c10), -(k.c7 / k.decay + k.c11)
    c18, c19 = -(k.c8 / k.decay + 3 * k.c12), -(k.c9 / k.decay + k.c13) / 3
    up = even * (k.c14 + k.c15 * y**2 + c16 * z**2) + odd * z * (c17 + c18 * y**2 + c19 * z**2)
    return np.stack([along, across, up])
