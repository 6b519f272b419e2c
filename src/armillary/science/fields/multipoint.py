"""Four spacecraft at once: gradients, currents, the shape of the tetrahedron, and planar structures timed through it.

Chanteur (1998) and Harvey (1998), in Analysis Methods for Multi-Spacecraft Data, ISSI SR-001, ch. 14 and 12; Robert et
al. (1998), ibid., ch. 13 and 16; Dunlop et al. (1988, Adv. Space Res. 8, 273) for the curlometer. Spacecraft are
numbered along the axis before the last of vectors; lengths in km, fields in nT, times in s.
"""

from itertools import combinations
from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.science.plasma import MU_0, Array

#: nA/m^2 of a curl of 1 nT/km.
_CURRENT: Final = 1e-3 / MU_0
#: Volume over that of a cube of the same size, below which four spacecraft count as lying in one plane.
_FLAT: Final = 1e-9


class Curlometer(NamedTuple):
    """The current inside a tetrahedron, shapes (n, 3) and (n,).

    Parameters
    ----------
    current : array, shape (n, 3)
        nA/m^2.
    divergence : array, shape (n,)
        Of the field, nT/km; what it is away from 0 is error.
    quality : array, shape (n,)
        ``|div B| / |curl B|``: the usual estimate of the error; above 0.3 or so the current is not to be trusted.
    field : array, shape (n, 3)
        Mean field, at the barycentre, nT.
    """

    current: Array
    divergence: Array
    quality: Array
    field: Array


class Shape(NamedTuple):
    """Size and shape of a tetrahedron (Robert et al. 1998, ch. 13), each of shape (n,).

    Parameters
    ----------
    size : array
        Characteristic size, twice the longest axis of the volumetric tensor, km.
    elongation, planarity : array
        0 for a regular tetrahedron, 1 for a line or a plane.
    quality : array
        Q_GM, 1 plus the ratios of volume and surface to those of the regular tetrahedron of the same mean side: 1 for a
        line, 2 about a plane, 3 regular.
    volume_ratio : array
        Volume over that of the regular tetrahedron of the same mean side.
    """

    size: Array
    elongation: Array
    planarity: Array
    quality: Array
    volume_ratio: Array


class Plane(NamedTuple):
    """A plane that passes at constant velocity: unit normal along its motion (3,), speed (km/s) and misfit (s)."""

    normal: Array
    speed: float
    misfit: float


def barycentre(values: Array) -> Array:
    """Give the mean over the spacecraft, shape (n, 3) from (n, 4, 3)."""
    return np.asarray(values.mean(-2))


def reciprocal_vectors(positions: Array) -> Array:
    """Give the reciprocal vectors of four spacecraft, 1/km, shape (..., 4, 3) as the positions.

    ``k_1 = r_23 x r_24 / (r_21 . r_23 x r_24)`` and so on: their sum is 0, and ``sum k_a f_a`` is the gradient of any
    linear f. NaN where the four lie in one plane.

    Raises
    ------
    BadData
        If there are not four of them.
    """
    positions = np.asarray(positions, float)
    if positions.shape[-2:] != (4, 3):
        raise BadData(f"positions of the shape {positions.shape} are not those of four craft", "give four positions")
    found = []
    for one in range(4):
        a, b, c = (positions[..., other, :] for other in range(4) if other != one)
        area = np.cross(b - a, c - a)
        edge = positions[..., one, :] - a
        height = (edge * area).sum(-1, keepdims=True)
        limit = _FLAT * np.linalg.norm(edge, axis=-1, keepdims=True) * np.linalg.norm(area, axis=-1, keepdims=True)
        found.append(area / np.where(np.abs(height) > limit, height, np.nan))
    return np.stack(found, -2)


def gradient(positions: Array, values: Array) -> Array:
    """Give the gradient of what four spacecraft measure, exact if it is linear.

    Parameters
    ----------
    positions : array, shape (..., 4, 3)
        km.
    values : array, shape (..., 4) or (..., 4, 3)
        A scalar or a vector.

    Returns
    -------
    array, shape (..., 3) or (..., 3, 3)
        Per km; of a vector the element (i, j) is ``d v_j / d x_i``.

    Raises
    ------
    BadData
        If there are not four positions or four values.

    Examples
    --------
    >>> corners = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10.0]])
    >>> gradient(corners, 3 * corners[:, 0] - corners[:, 2]).round(12) + 0.0
    array([ 3.,  0., -1.])
    """
    vectors = reciprocal_vectors(positions)
    values = np.asarray(values, float)
    if values.shape[-1:] != (4,) and values.shape[-2:] != (4, 3):
        raise BadData(f"values of the shape {values.shape} are not those of four craft", "give (..., 4) or (..., 4, 3)")
    if values.shape[-1] == 4:
        return np.asarray(np.einsum("...ai,...a->...i", vectors, values - values.mean(-1, keepdims=True)))
    return np.asarray(np.einsum("...ai,...aj->...ij", vectors, values - values.mean(-2, keepdims=True)))


def curlometer(positions: Array, field: Array) -> Curlometer:
    """Give the current density inside the tetrahedron, ``curl B / mu_0``.

    Parameters
    ----------
    positions : array, shape (n, 4, 3)
        km, in the frame of the field, which must not rotate.
    field : array, shape (n, 4, 3)
        nT, at the same times.
    """
    slopes = gradient(positions, field)
    curl, divergence = _curl(slopes), np.trace(slopes, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        quality = np.abs(divergence) / np.linalg.norm(curl, axis=-1)
    return Curlometer(_CURRENT * curl, divergence, quality, barycentre(np.asarray(field, float)))


def curvature(positions: Array, field: Array) -> Array:
    """Give the curvature ``(b . grad) b`` of field lines at the barycentre, 1/km, shape (..., 3)."""
    size = np.linalg.norm(field, axis=-1, keepdims=True)
    unit = np.asarray(field, float) / np.where(size > 0, size, np.nan)
    mean = barycentre(unit)
    mean = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
    bend = np.einsum("...i,...ij->...j", mean, gradient(positions, unit))
    return np.asarray(bend - (bend * mean).sum(-1, keepdims=True) * mean)


def shape(positions: Array) -> Shape:
    """Give size, elongation, planarity and quality of tetrahedra, from positions (..., 4, 3) in km."""
    positions = np.asarray(positions, float)
    centred = positions - positions.mean(-2, keepdims=True)
    axes = np.linalg.svd(centred / 2, compute_uv=False)
    volume = np.abs(np.linalg.det(positions[..., 1:, :] - positions[..., :1, :])) / 6
    sides = [np.linalg.norm(positions[..., a, :] - positions[..., b, :], axis=-1) for a, b in combinations(range(4), 2)]
    side = np.mean(sides, axis=0)
    surface = sum(_area(positions[..., list(one), :]) for one in combinations(range(4), 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        volume_ratio = volume / (side**3 * np.sqrt(2) / 12)
        quality = volume_ratio + surface / (np.sqrt(3) * side**2) + 1
        return Shape(2 * axes[..., 0], 1 - axes[..., 1] / axes[..., 0], 1 - axes[..., 2] / axes[..., 1], quality,
                     volume_ratio)  # fmt: skip


def timing(positions: Array, seconds: Array) -> Plane:
    """Give normal and speed of a plane from when it passed each spacecraft.

    ``(r_a - r_b) . n / V = t_a - t_b``, solved by least squares over all pairs (Harvey 1998); with four spacecraft it
    has three unknowns for three differences, and the misfit is rounding.

    Parameters
    ----------
    positions : array, shape (s, 3)
        Of each spacecraft when the plane passed it, km; four or more.
    seconds : array, shape (s,)
        When it passed.

    Raises
    ------
    BadData
        If the spacecraft lie in one plane, or it passed all at once.
    """
    apart = np.asarray(positions, float) - np.mean(positions, axis=0)
    later = np.asarray(seconds, float) - np.mean(seconds)
    if len(apart) < 4 or not np.isfinite(apart).all() or not np.isfinite(later).all():
        raise BadData(f"{len(apart)} spacecraft, or times that are not known, do not make a plane", "give four of each")
    across, sizes, axes = np.linalg.svd(apart, full_matrices=False)
    if sizes[-1] <= _FLAT * sizes[0]:
        raise BadData("the spacecraft lie in one plane", "choose a time when they form a tetrahedron")
    slowness = axes.T @ (across.T @ later / sizes)
    size = float(np.linalg.norm(slowness))
    if not size > 0:
        raise BadData("the structure passed all spacecraft at once", "use data of a higher cadence")
    misfit = float(np.sqrt(np.mean((apart @ slowness - later) ** 2)))
    return Plane(slowness / size, 1 / size, misfit)


def lag(first: Array, second: Array, cadence: float, most: float) -> tuple[float, float]:
    """Give by how many seconds `second` is later than `first`, and their correlation then.

    The correlation coefficient of what overlaps, for each whole lag, with a parabola through the three best for the
    part of a sample; O(n log n) by Fourier transforms.

    Parameters
    ----------
    first, second : array, shape (n,)
        Evenly sampled at the same times, finite.
    cadence : float
        Seconds between samples.
    most : float
        Longest lag to try, seconds.

    Raises
    ------
    BadData
        If values are missing, do not vary or are too few, or the best lag is the longest that was tried.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    reach = int(most / cadence)
    if len(first) != len(second) or len(first) < reach + 4 or not np.isfinite(first + second).all():
        raise BadData("these two series cannot be shifted against each other", "give equal, longer series without gaps")
    found = _correlations(first - first.mean(), second - second.mean(), reach)
    best = int(np.nanargmax(found)) if np.isfinite(found).any() else 0
    if best in {0, 2 * reach}:
        raise BadData(f"no lag below {most:g} s makes the two series alike", "allow longer lags or ask for a structure")
    low, top, high = found[best - 1 : best + 2]
    bend = low - 2 * top + high
    part = (low - high) / (2 * bend) if bend < 0 else 0.0
    return float((best - reach + part) * cadence), float(top)


def arrival_times(signals: Array, cadence: float, most: float) -> tuple[Array, float]:
    """Give when a structure passed each of s spacecraft, relative to their mean, and the worst correlation of a pair.

    The lags of all pairs by :func:`lag`, made consistent by least squares; `signals` is (s, n).
    """
    count = len(signals)
    found, worst = np.zeros((count, count)), 1.0
    for a, b in combinations(range(count), 2):
        found[b, a], correlation = lag(signals[a], signals[b], cadence, most)
        found[a, b] = -found[b, a]
        worst = min(worst, correlation)
    return found.mean(1), worst


def _curl(slopes: Array) -> Array:
    return np.stack([slopes[..., i, j] - slopes[..., j, i] for i, j in ((1, 2), (2, 0), (0, 1))], -1)


def _area(corners: Array) -> Array:
    return np.asarray(
        np.linalg.norm(
            np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]), axis=-1
        )
        / 2
    )


def _correlations(first: Array, second: Array, reach: int) -> Array:
    """Give the correlation of ``first[t]`` and ``second[t + shift]`` where both are, by shift from -reach to reach."""
    count = len(first)
    shifts = np.arange(-reach, reach + 1)
    size = 2 ** int(np.ceil(np.log2(2 * count)))
    product = np.fft.irfft(np.conj(np.fft.rfft(first, size)) * np.fft.rfft(second, size), size)[shifts]
    overlap = count - np.abs(shifts)
    early = np.maximum(-shifts, 0), np.minimum(count, count - shifts)
    late = np.maximum(shifts, 0), np.minimum(count, count + shifts)
    (a, aa), (b, bb) = _part_sums(first, *early), _part_sums(second, *late)
    spread_a, spread_b = aa - a * a / overlap, bb - b * b / overlap
    # What is left of a flat part is rounding.
    flat = (spread_a <= 1e-12 * aa[reach]) | (spread_b <= 1e-12 * bb[reach])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(flat, np.nan, (product - a * b / overlap) / np.sqrt(spread_a * spread_b))


def _part_sums(values: Array, begin: Array, end: Array) -> tuple[Array, Array]:
    """Sum values, and their squares, from each begin to before each end."""
    sums = (np.concatenate([[0.0], np.cumsum(one)]) for one in (values, values**2))
    first, second = (one[end] - one[begin] for one in sums)
    return first, second
