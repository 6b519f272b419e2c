"""Jumps across magnetohydrodynamic shocks."""

from typing import NamedTuple

import numpy as np

from armillary.science.plasma import GAMMA, Array, Numbers


class Jump(NamedTuple):
    """What a fast shock does to the plasma, as ratios of downstream to upstream.

    Parameters
    ----------
    compression : array
        Density, and upstream over downstream normal speed in the shock's frame.
    field : array
        Component of the magnetic field along the shock's surface; the normal component does not change.
    pressure : array
        Thermal pressure.
    slip : array
        Gained velocity along the direction of the upstream tangential field, over the upstream normal speed.
    """

    compression: Array
    field: Array
    pressure: Array
    slip: Array


def fast_jump(alfven_mach: Numbers, beta: Numbers, cosine: Numbers, rounds: int = 48) -> Jump:
    """Solve the Rankine-Hugoniot relations of ideal magnetohydrodynamics for a fast shock.

    The conservation of mass, momentum, energy and of the tangential electric field (e.g. Kivelson and Russell 1995,
    section 5.3; Burgess and Scholer 2015) leaves one equation for the compression; its root between 1 and the fast
    limit is found by bisection. Where the flow is slower than the fast wave there is no shock and the jump is 1.

    Parameters
    ----------
    alfven_mach : array
        Upstream normal speed in the shock's frame over the Alfven speed of the whole field.
    beta : array
        Upstream plasma beta (ions and electrons).
    cosine : array
        Of the angle between the shock's normal, taken along the flow, and the upstream field.

    Examples
    --------
    >>> jump = fast_jump(8.0, 1.0, 0.0)
    >>> round(float(jump.compression), 2), round(float(jump.field), 2)
    (3.62, 3.62)
    """
    mach, heat, slant = np.broadcast_arrays(*(np.asarray(one, float) for one in (alfven_mach, beta, cosine)))
    square = np.maximum(mach, 1e-6) ** 2
    cos2 = np.minimum(slant**2, 1 - 1e-9)
    low = np.full(square.shape, 1 + 1e-7)
    high = np.minimum((GAMMA + 1) / (GAMMA - 1), np.where(cos2 > 0, square / np.maximum(cos2, 1e-12), np.inf))
    high = np.maximum(high * (1 - 1e-9), low)
    start = _excess(low, square, heat, cos2) > 0
    for _ in range(rounds):
        middle = (low + high) / 2
        below = _excess(middle, square, heat, cos2) > 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    ratio = np.where(start & (square > cos2), (low + high) / 2, 1.0)
    return _jump(ratio, square, heat, np.sign(slant) * np.sqrt(cos2))


def _field(ratio: Array, square: Array, cos2: Array) -> Array:
    return np.asarray(ratio * (square - cos2) / np.maximum(square - ratio * cos2, 1e-12))


def _pressure(ratio: Array, field: Array, square: Array, beta: Array, cos2: Array) -> Array:
    """Give downstream pressure from normal momentum, in units of ``rho_1 v_A^2``."""
    return np.asarray(beta / 2 + square * (1 - 1 / ratio) + (1 - cos2) * (1 - field**2) / 2)


def _excess(ratio: Array, square: Array, beta: Array, cos2: Array) -> Array:
    """Give upstream minus downstream energy flux, per mass flux and ``v_A^2``; positive below the shock's root."""
    field = _field(ratio, square, cos2)
    sin2 = 1 - cos2
    slip = sin2 * cos2 * (field - 1) ** 2 / square
    pressure = _pressure(ratio, field, square, beta, cos2)
    heat = GAMMA / (GAMMA - 1)
    before = square / 2 + heat * beta / 2 + sin2
    poynting = field**2 * sin2 / ratio - field * (field - 1) * sin2 * cos2 / square
    after = square / ratio**2 / 2 + slip / 2 + heat * pressure / ratio + poynting
    return np.asarray(after - before)


def _jump(ratio: Array, square: Array, beta: Array, cosine: Array) -> Jump:
    cos2 = cosine**2
    field = _field(ratio, square, cos2)
    pressure = _pressure(ratio, field, square, beta, cos2)
    slip = cosine * np.sqrt(1 - cos2) * (field - 1) / square
    heat = pressure / np.maximum(beta / 2, 1e-12)
    shocked = ratio > 1
    return Jump(ratio, np.where(shocked, field, 1.0), np.where(shocked, heat, 1.0), np.where(shocked, slip, 0.0))
