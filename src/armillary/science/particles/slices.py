"""The value of velocity distributions on planes and lines through velocity space, each time in a basis of its own.

A basis is a matrix whose rows are unit axes in the skymap's frame, as `armillary.science.particles.bases` makes them;
the plane is that of its first two rows. Velocities on it are counted from a centre: the origin of the frame, or the
bulk velocity.
"""

from typing import Final, Literal

import numpy as np

from armillary.errors import BadParameter
from armillary.science.particles.interpolation import Field, Interpolator, Method
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array

Axes = Literal["velocity", "energy", "log_energy"]
AXES: Final[tuple[Axes, ...]] = ("velocity", "energy", "log_energy")
#: Degrees of a slab that one node stands for, at most.
_NODE: Final = 4.0


def centres(limit: float, count: int) -> Array:
    """Give the middles of `count` equal pixels from ``-limit`` to ``limit``.

    Examples
    --------
    >>> centres(100.0, 4).tolist()
    [-75.0, -25.0, 25.0, 75.0]
    """
    return np.asarray((2 * np.arange(count) + 1 - count) * (limit / count))


def plane_velocities(first: Array, second: Array, axes: Axes, mass: float, low: float = 1.0) -> Array:
    """Give the velocities of the pixels of a plane along its two axes, shape (n1, n2, 2), km/s.

    Parameters
    ----------
    first, second : array, shape (n1,), (n2,)
        Coordinates of the pixels. "velocity": km/s. "energy": the direction from the middle is that of the velocity,
        the distance its energy in eV. "log_energy": the same, and the distance is ``log10(E / low)``.
    axes : str
        One of `AXES`.
    mass : float
        kg.
    low : float
        Energy in the middle for "log_energy", eV.

    Examples
    --------
    >>> plane_velocities(np.array([1.0]), np.array([0.0]), "log_energy", 1.67262192369e-27, 100.0).round(2).tolist()
    [[[437.69, 0.0]]]
    """
    if axes not in AXES:
        raise BadParameter(f"there are no axes {axes!r}", f"choose one of {', '.join(AXES)}")
    place = np.stack(np.meshgrid(first, second, indexing="ij"), -1)
    if axes == "velocity":
        return place
    distance = np.hypot(place[..., 0], place[..., 1])
    energy = distance if axes == "energy" else low * 10**distance
    speed = 1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / mass * energy)
    nowhere = distance == 0
    return np.asarray(place * (np.where(nowhere, 0, speed) / np.where(nowhere, 1, distance))[..., None])


def slices(
    cells: Skymap, basis: Array, velocities: Array, *, method: Method = "cubic", centre: Array | None = None,
    thickness: float = 0.0, outside: float = np.nan,
) -> Array:  # fmt: skip
    """Give f on a plane at every time.

    Parameters
    ----------
    cells : Skymap
        At t times.
    basis : array, shape (t, 3, 3)
        The plane is that of the first two rows; the result is NaN where it is not defined.
    velocities : array, shape (..., 2)
        Along these rows, km/s.
    method : str
        See `armillary.science.particles.interpolation`.
    centre : array, shape (t, 3), optional
        Velocity, in the frame of the skymap, from which `velocities` are counted; the origin if it is left out.
    thickness : float
        Degrees. Not zero: the mean of f over a slab, all directions that are seen from the centre at no more than half
        of this elevation from the plane, at the same speed and azimuth within the plane; weighted with solid angle.
        A wedge, then, and the same at every azimuth.
    outside : float
        What f is beyond the energies of the instrument: NaN or 0.

    Returns
    -------
    array, shape (t, ...)
        s^3 cm^-6; NaN where nothing was measured.

    Raises
    ------
    BadParameter
        If the thickness is not from 0 to 180, or there is no such method.

    Examples
    --------
    >>> theta, phi = (np.arange(8) + 0.5) * 22.5, (np.arange(16) + 0.5) * 22.5
    >>> cells = Skymap(np.full((1, 16, 8, 8), 2e-20), phi, theta, np.geomspace(10, 1e4, 8))
    >>> plane = plane_velocities(centres(500.0, 4), centres(500.0, 3), "velocity", cells.mass)
    >>> slices(cells, np.eye(3)[None], plane).shape
    (1, 4, 3)
    """
    if not 0 <= thickness <= 180:
        raise BadParameter(f"a slab cannot be {thickness:g} degrees thick", "give 0 to 180 degrees")
    asked = Interpolator.of(cells, method, outside)
    origin = np.zeros((cells.steps, 3)) if centre is None else centre
    found = np.full((cells.steps, *velocities.shape[:-1]), np.nan)
    for step in range(cells.steps):
        if np.isfinite(basis[step]).all() and np.isfinite(origin[step]).all():
            found[step] = _slab(asked.at_step(step), basis[step], velocities, origin[step], thickness)
    return found


def cuts(
    cells: Skymap, basis: Array, speeds: Array, *, method: Method = "cubic", centre: Array | None = None,
    thickness: float = 0.0, outside: float = np.nan,
) -> Array:  # fmt: skip
    """Give f along the three axes of a basis, shape (t, 3, n); the arguments are those of `slices`.

    Parameters
    ----------
    speeds : array, shape (n,)
        Signed, km/s.
    thickness : float
        Degrees; the mean over a wedge around the plane of the axis and the next one of the basis.
    """
    line = np.stack([speeds, np.zeros_like(speeds)], -1)
    turned = [basis[:, [axis, (axis + 1) % 3, (axis + 2) % 3]] for axis in range(3)]
    told = {"method": method, "centre": centre, "thickness": thickness, "outside": outside}
    return np.stack([slices(cells, one, line, **told) for one in turned], axis=1)  # type: ignore[arg-type]


def window_means(values: Array, nanoseconds: Array, width: float) -> tuple[Array, Array, Array]:
    """Give means over windows of time that are anchored to 1970, so that pieces of a record agree with the whole.

    Parameters
    ----------
    values : array, shape (t, ...)
        NaN are left out.
    nanoseconds : array of int, shape (t,)
        Since 1970, rising.
    width : float
        Of a window, s.

    Returns
    -------
    means : array, shape (w, ...)
        Of the windows that hold any sample; NaN where all of them are.
    middles : array of int, shape (w,)
        Of the windows, nanoseconds since 1970.
    counts : array of int, shape (w,)
        How many samples were in each.

    Examples
    --------
    >>> means, middles, counts = window_means(np.array([1.0, 3.0, 5.0]), np.array([0, 1, 2]) * 10**9, 2.0)
    >>> means.tolist(), (middles / 1e9).tolist(), counts.tolist()
    ([2.0, 5.0], [1.0, 3.0], [2, 1])
    """
    span = round(width * 1e9)
    if span < 1:
        raise BadParameter(f"a window cannot be {width:g} s wide", "give a width above 0")
    number = np.asarray(nanoseconds, np.int64) // span
    windows, first, counts = np.unique(number, return_index=True, return_counts=True)
    if not len(windows):
        return values, np.zeros(0, np.int64), counts
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0), first, axis=0)
    shares = np.add.reduceat(known.astype(np.int64), first, axis=0)
    means = np.where(shares > 0, sums / np.maximum(shares, 1), np.nan)
    return means, windows * span + span // 2, counts


def _slab(field: Field, basis: Array, velocities: Array, origin: Array, thickness: float) -> Array:
    in_plane = velocities @ basis[:2]
    if thickness == 0:
        return field(in_plane + origin)
    speed = np.hypot(velocities[..., 0], velocities[..., 1])[..., None]
    # Solid angle is even in the sine of the elevation, so Gauss' nodes lie in that.
    nodes, weights = np.polynomial.legendre.leggauss(max(3, int(np.ceil(thickness / _NODE))))
    total, share = np.zeros(velocities.shape[:-1]), np.zeros(velocities.shape[:-1])
    for node, weight in zip(nodes * np.sin(np.radians(thickness / 2)), weights, strict=True):
        values = field(np.sqrt(1 - node**2) * in_plane + node * speed * basis[2] + origin)
        known = np.isfinite(values)
        total += np.where(known, values, 0) * weight
        share += weight * known
    return np.where(share > 0, total / np.where(share > 0, share, 1), np.nan)
