"""Normal, speed and strength of a shock from the plasma on both of its sides.

Schwartz (1998), in Analysis Methods for Multi-Spacecraft Data, ISSI SR-001, ch. 10; Abraham-Shrauner (1972, J. Geophys.
Res. 77, 736) and Abraham-Shrauner and Yun (1976, J. Geophys. Res. 81, 2097) for the mixed modes. Units: nT, km/s,
cm^-3, eV. Vectors are (..., 3): means of each side, or many pairs of samples at once.
"""

from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadParameter
from armillary.science import plasma
from armillary.science.plasma import Array, Numbers

#: The methods of `normal`; "mixed_3" is the one that is least in trouble at any angle.
METHODS: Final = ("magnetic", "velocity", "mixed_1", "mixed_2", "mixed_3")
#: Below this sine of an angle a cross product is noise.
_PARALLEL: Final = 1e-6


class Sides(NamedTuple):
    """Field (nT) and velocity (km/s) on both sides of a shock, each (..., 3); 1 is upstream, 2 downstream."""

    field_1: Array
    field_2: Array
    velocity_1: Array
    velocity_2: Array


class Strength(NamedTuple):
    """How strong a shock is, from its upstream side.

    Parameters
    ----------
    theta : array
        Angle between normal and upstream field, 0 to 90 degrees.
    alfven, sonic, fast : array
        Normal speed in the frame of the shock over Alfven, sound and fast magnetosonic speed (at that angle).
    """

    theta: Array
    alfven: Array
    sonic: Array
    fast: Array


def normal(sides: Sides, method: str = "mixed_3") -> Array:
    """Give the unit normal, towards upstream, shape (..., 3); NaN where the method's vectors are parallel.

    ========  =============================  ==============================================================
    method    across                         in trouble
    ========  =============================  ==============================================================
    magnetic  ``(B2 x B1)``, ``B2 - B1``     near 0 and 90 degrees
    velocity  along ``V2 - V1``              weak shocks; an approximation, good for strong or steep ones
    mixed_1   ``B1 x dV``, ``dB``            near 0 degrees
    mixed_2   ``B2 x dV``, ``dB``            near 0 degrees
    mixed_3   ``dB x dV``, ``dB``            near 0 degrees
    ========  =============================  ==============================================================

    Raises
    ------
    BadParameter
        If there is no such method.

    Examples
    --------
    >>> sides = Sides(*(np.array(one) for one in ([0, 0, 5.0], [0, 0, 15.0], [-400.0, 0, 0], [-130.0, 0, 0])))
    >>> normal(sides, "velocity")
    array([1., 0., 0.])
    """
    if method not in METHODS:
        raise BadParameter(f"there is no method {method!r} for shock normals", f"choose one of {', '.join(METHODS)}")
    slower, jump = sides.velocity_2 - sides.velocity_1, sides.field_2 - sides.field_1
    if method == "velocity":
        found = _unit(slower, np.linalg.norm(sides.velocity_1, axis=-1, keepdims=True))
    elif method == "magnetic":
        found = _unit(_cross(_cross(sides.field_2, sides.field_1), jump))
    else:
        first = {"mixed_1": sides.field_1, "mixed_2": sides.field_2, "mixed_3": jump}[method]
        found = _unit(_cross(_cross(first, slower), jump))
    # Plasma is slowed down along the normal: the change of velocity points upstream.
    return np.asarray(found * np.where((found * slower).sum(-1, keepdims=True) < 0, -1.0, 1.0))


def speed(sides: Sides, density_1: Numbers, density_2: Numbers, along: Array) -> Array:
    """Give the speed of the shock along its normal in km/s, from the conservation of mass (equation 10.29).

    ``(n2 V2 - n1 V1) . n / (n2 - n1)``; NaN where the density does not jump.
    """
    first, second = (np.asarray(one, float) for one in (density_1, density_2))
    flux = second * (sides.velocity_2 * along).sum(-1) - first * (sides.velocity_1 * along).sum(-1)
    change = second - first
    return np.asarray(flux / np.where(np.abs(change) > 1e-9 * np.abs(first), change, np.nan))


def theta_bn(field_1: Array, along: Array) -> Array:
    """Give the angle between upstream field and normal in degrees, 0 (parallel shock) to 90 (perpendicular)."""
    cosine = np.abs((field_1 * along).sum(-1))
    sine = np.linalg.norm(np.cross(field_1, along), axis=-1)
    return np.asarray(np.degrees(np.arctan2(sine, cosine)))


def strength(
    sides: Sides, density: Numbers, temperature: Numbers, along: Array, shock_speed: Numbers = 0.0
) -> Strength:
    """Give angle and Mach numbers of a shock.

    Parameters
    ----------
    sides : Sides
        Only the upstream side is used.
    density, temperature : array
        Upstream, cm^-3 and eV; the sum of ion and electron temperature.
    along : array, shape (..., 3)
        The unit normal.
    shock_speed : array
        Along the normal, km/s.
    """
    flow = np.abs((sides.velocity_1 * along).sum(-1) - shock_speed)
    theta = theta_bn(sides.field_1, along)
    alfven = plasma.alfven_speed(np.linalg.norm(sides.field_1, axis=-1), density)
    sound = plasma.sound_speed(temperature)
    fast = plasma.fast_speed(alfven, sound, np.cos(np.radians(theta)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return Strength(theta, flow / alfven, flow / sound, flow / fast)


def spread(normals: Array) -> tuple[Array, float]:
    """Give the mean of many unit normals (n, 3) and the root mean square angle to it, degrees; NaN are left out.

    Their signs need not agree: the mean is the axis that lies closest to all of them, with the sign of most.
    """
    kept = normals[np.isfinite(normals).all(-1)].reshape(-1, 3)
    if not len(kept):
        return np.full(3, np.nan), float("nan")
    axis = np.linalg.eigh(kept.T @ kept)[1][:, -1]
    axis = axis * (1.0 if (kept @ axis).sum() >= 0 else -1.0)
    return axis, float(np.degrees(np.sqrt(np.mean(np.arccos(np.clip(np.abs(kept @ axis), 0, 1)) ** 2))))


def _cross(a: Array, b: Array) -> Array:
    """Give the cross product, NaN where the two are parallel or one is zero."""
    found = np.cross(a, b)
    sizes = np.linalg.norm(a, axis=-1, keepdims=True) * np.linalg.norm(b, axis=-1, keepdims=True)
    return np.where(np.linalg.norm(found, axis=-1, keepdims=True) > _PARALLEL * sizes, found, np.nan)


def _unit(vector: Array, against: Array | float = 0.0) -> Array:
    size = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.asarray(vector / np.where(size > _PARALLEL * np.asarray(against), size, np.nan))
