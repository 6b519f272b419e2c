"""Variance analysis: the axes along which a vector varies most and least, of one interval or of sliding windows.

Sonnerup and Scheible (1998), in Analysis Methods for Multi-Spacecraft Data, ISSI SR-001, ch. 8. The least varying
direction of the magnetic field is an estimate of the normal N of a current sheet, the most varying one is L.
"""

from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.science.plasma import Array

#: With fewer samples three axes are not determined.
LEAST_SAMPLES: Final = 4
#: Eigenvalues below this share of the mean square are rounding, not variance.
_ROUNDING: Final = 1e-26
#: Padded samples that are worked on at once.
_CHUNK: Final = 400_000
_PAIRS: Final = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


class Variance(NamedTuple):
    """Axes and variances of a vector, of one interval or of many (then the shapes begin with the number of windows).

    Parameters
    ----------
    axes : array, shape (..., 3, 3)
        Unit vectors L, M, N as rows, right-handed: ``axes @ vector`` turns a vector into (L, M, N).
    eigenvalues : array, shape (..., 3)
        Variance along L, M and N, the square of the unit of the vector; falling unless N is constrained.
    mean : array, shape (..., 3)
        Mean vector, not rotated.
    samples : array of int, shape (...)
        How many vectors were used.
    """

    axes: Array
    eigenvalues: Array
    mean: Array
    samples: Array


class FaradayResidue(NamedTuple):
    """A plane that moves along its normal, from the electric and the magnetic field.

    Parameters
    ----------
    normal : array, shape (3,)
        Unit vector, x positive.
    speed : float
        Along it, km/s.
    eigenvalues : array, shape (3,)
        Of the residue, (mV/m)^2, rising: the second over the first tells how well the normal is determined.
    """

    normal: Array
    speed: float
    eigenvalues: Array


def minimum_variance(field: Array, *, tangential: Array | None = None) -> Variance:
    """Find the axes of one interval; N is the direction of least variance.

    Eigenvectors have no sign of their own. Here N has a positive x (outward on the day side in GSE or GSM), L a
    positive z (north), and M completes the right-handed set (then towards dawn).

    Parameters
    ----------
    field : array, shape (n, 3)
        Vectors; those with a component that is not finite are left out.
    tangential : array, shape (3,), optional
        A direction that is known to be tangential. N is then searched across it only, M is this direction and L the
        rest (section 8.2.6); give the mean field for the constraint ``<B.n> = 0``.

    Raises
    ------
    BadData
        If these are no vectors of three components, fewer than `LEAST_SAMPLES`, or they do not vary.

    Examples
    --------
    >>> angle = np.linspace(0, np.pi, 50)
    >>> sheet = np.stack([0.1 * np.sin(10 * angle), 5 * np.sin(angle), 20 * np.cos(angle)], 1)
    >>> minimum_variance(sheet).axes.round(2) + 0.0
    array([[ 0.,  0.,  1.],
           [ 0., -1.,  0.],
           [ 1.,  0.,  0.]])
    """
    if np.ndim(field) != 2 or np.shape(field)[1] != 3:
        raise BadData(f"the field has the shape {np.shape(field)}, not (n, 3)", "give three components a row")
    kept = finite_rows(field)
    if len(kept) < LEAST_SAMPLES:
        raise BadData(f"{len(kept)} vectors do not determine three axes", "ask for a longer interval")
    mean = kept.mean(0)
    centred = kept - mean
    matrix = centred.T @ centred / len(kept)
    if not np.trace(matrix) > _ROUNDING * (mean @ mean):
        raise BadData("the vectors of this interval do not vary", "ask for an interval with a structure in it")
    values, axes = principal_axes(matrix) if tangential is None else _constrained(matrix, tangential)
    return Variance(axes, values, mean, np.asarray(len(kept)))


def maximum_variance(field: Array) -> Variance:
    """Find the axes of one interval; N is the direction of most variance.

    For the electric field across a tangential discontinuity or a thin current sheet: its normal component varies most
    (section 8.4 of Sonnerup and Scheible). The eigenvalues rise; signs are as in :func:`minimum_variance`.
    """
    found = minimum_variance(field)
    return found._replace(axes=_signed(found.axes[::-1]), eigenvalues=found.eigenvalues[::-1])


def minimum_faraday_residue(electric: Array, field: Array) -> FaradayResidue:
    """Find normal and speed of a planar structure together: ``n x dE = u dB`` across it, in the mean square.

    Khrabrov and Sonnerup (1998, Geophys. Res. Lett. 25, 2373, doi:10.1029/98GL51784). For a given normal the best speed
    is ``u = n . U`` with ``U = <dE x dB> / <dB^2>``; what is left is a quadratic form of the normal.

    Parameters
    ----------
    electric, field : array, shape (n, 3)
        mV/m and nT at the same times; samples that are not finite are left out.

    Raises
    ------
    BadData
        If there are fewer than `LEAST_SAMPLES` samples, or one of the fields does not vary.
    """
    both = finite_rows(np.concatenate([electric, field], 1))
    if len(both) < LEAST_SAMPLES:
        raise BadData(f"{len(both)} samples do not determine a normal and a speed", "ask for a longer interval")
    moved = both - both.mean(0)
    e, b = moved[:, :3], moved[:, 3:]
    strength, square = float((e**2).sum()), float((b**2).sum())
    if not (strength > 0 and square > 0):
        raise BadData("one of the two fields does not vary", "ask for an interval with a structure in it")
    # km/s of 1 mV/m over 1 nT is 1000.
    moves = 1e3 * np.cross(e, b).sum(0) / square
    form = (strength * np.eye(3) - e.T @ e - 1e-6 * square * np.outer(moves, moves)) / len(both)
    values, vectors = np.linalg.eigh(form)
    normal = vectors[:, 0] * (-1.0 if vectors[0, 0] < 0 else 1.0)
    return FaradayResidue(normal, float(normal @ moves), values)


def sliding_variance(time: Array, field: Array, starts: Array, window: int) -> Variance:
    """Find the axes in many windows at once, in time and memory linear in samples and windows.

    Sums over a window are differences of cumulative sums; these begin anew, centred on the local mean, every window
    length, so that nothing is lost by cancellation even where the field is thousands of times its variation.

    Parameters
    ----------
    time : array of int, shape (n,)
        Sorted, any unit.
    field : array, shape (n, 3)
        Vectors; those with a component that is not finite are left out.
    starts : array of int, shape (w,)
        Where windows begin, rising; a window holds ``start <= time < start + window``.
    window : int
        Length, in the unit of `time`.

    Returns
    -------
    Variance
        NaN where a window has fewer than `LEAST_SAMPLES` vectors or they do not vary.
    """
    good = np.isfinite(field).all(1)
    time, field, starts = np.asarray(time)[good], np.asarray(field, float)[good], np.asarray(starts)
    first, stop = np.searchsorted(time, starts), np.searchsorted(time, starts + window)
    sums, origin = _window_sums(field, starts, window, first, stop)
    samples = stop - first
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = sums[:, :3] / samples[:, None]
        mean = origin + shift
        matrix = np.empty((len(starts), 3, 3))
        for number, (i, j) in enumerate(_PAIRS):
            matrix[:, i, j] = matrix[:, j, i] = sums[:, 3 + number] / samples - shift[:, i] * shift[:, j]
        trace = matrix.trace(axis1=1, axis2=2)
        able = (samples >= LEAST_SAMPLES) & (trace > _ROUNDING * (mean**2).sum(1))
    values, axes = np.full((len(starts), 3), np.nan), np.full((len(starts), 3, 3), np.nan)
    values[able], axes[able] = principal_axes(matrix[able])
    return Variance(axes, values, mean, samples)


def angular_errors(found: Variance) -> Array:
    """Give the statistical errors of the axes in degrees: angles of L towards M, L towards N, M towards N.

    Equation 8.23 of Sonnerup and Scheible, for noise that is the same in all directions and independent from sample to
    sample; neighbouring samples seldom are, so take it as a lower limit. Shape (..., 3). With a constrained N only the
    middle one has a meaning.
    """
    least = found.eigenvalues.min(-1)
    given = found.eigenvalues
    errors = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            spread = (given[..., i] + given[..., j] - least) / (given[..., i] - given[..., j]) ** 2
            errors.append(np.sqrt(np.maximum(least, 0) / (found.samples - 1) * spread))
    return np.asarray(np.degrees(np.minimum(np.stack(errors, -1), np.pi / 2)))


def normal_field_error(found: Variance) -> Array:
    """Give the statistical error of the mean component along N, in the unit of the vector (equation 8.24)."""
    angle = np.radians(angular_errors(found))
    along = np.einsum("...ij,...j->...i", found.axes, found.mean)
    least = np.maximum(found.eigenvalues[..., 2], 0) / (found.samples - 1)
    return np.asarray(np.sqrt(least + (angle[..., 2] * along[..., 1]) ** 2 + (angle[..., 1] * along[..., 0]) ** 2))


def ratio(found: Variance) -> Array:
    """Give the middle over the least eigenvalue: how well N is determined; below 3 or so it is hardly."""
    values = np.sort(found.eigenvalues, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values[..., 1] / np.maximum(values[..., 0], 0))


def axes_from_normal(normal: Array, north: Array) -> Array:
    """Give (L, M, N) as rows for a known normal: L is what of `north` is tangential, M completes the set.

    The boundary normal coordinates of Russell and Elphic (1979, Geophys. Res. Lett. 6, 33), with the z axis of GSM or
    the dipole as `north`. Shapes (..., 3), answers (..., 3, 3); NaN where both directions are parallel.
    """
    n = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    tangent = north - (north * n).sum(-1, keepdims=True) * n
    size = np.linalg.norm(tangent, axis=-1, keepdims=True)
    along = np.where(size > 1e-9, tangent / np.where(size > 0, size, 1), np.nan)
    return np.stack(np.broadcast_arrays(along, np.cross(n, along), n), -2)


def finite_rows(field: Array) -> Array:
    """Give the vectors whose components are all finite, as float64."""
    field = np.asarray(field, float)
    return np.asarray(field[np.isfinite(field).all(-1)])


def principal_axes(matrix: Array) -> tuple[Array, Array]:
    """Give falling eigenvalues (..., 3) and signed axes (..., 3, 3) of symmetric matrices."""
    values, vectors = np.linalg.eigh(matrix)
    axes = np.swapaxes(vectors, -1, -2)[..., ::-1, :]
    return values[..., ::-1], _signed(axes)


def _signed(axes: Array) -> Array:
    most, least = axes[..., 0, :], axes[..., 2, :]
    normal = least * np.where(least[..., :1] < 0, -1.0, 1.0)
    along = most * np.where(most[..., 2:] < 0, -1.0, 1.0)
    return np.stack([along, np.cross(normal, along), normal], -2)


def _constrained(matrix: Array, tangential: Array) -> tuple[Array, Array]:
    size = np.linalg.norm(tangential)
    if not size > 0:
        raise BadData("the tangential direction has no length", "give a vector that is not zero")
    known = np.asarray(tangential, float) / size
    # The two directions across it, from the plane of the largest projections.
    across = np.linalg.svd(known[None])[2][1:]
    values, vectors = np.linalg.eigh(across @ matrix @ across.T)
    normal, along = vectors.T @ across
    axes = _signed(np.stack([along, known, normal]))
    return np.array([values[1], known @ matrix @ known, values[0]]), axes


def _window_sums(field: Array, starts: Array, window: int, first: Array, stop: Array) -> tuple[Array, Array]:
    """Sum x and x x over each window, x counted from a local origin: (w, 9) and the origins (w, 3)."""
    sums, origin = np.zeros((len(starts), 9)), np.zeros((len(starts), 3))
    if not len(starts) or not len(field):
        return sums, origin
    group = (starts - starts[0]) // window
    heads = np.flatnonzero(np.diff(group, prepend=-1))
    tails = np.append(heads[1:], len(starts)) - 1
    low, counts = first[heads], stop[tails] - first[heads]
    order = np.argsort(counts, kind="stable")
    for part in _chunks(counts[order]):
        chosen = order[part]
        _sum_groups(field, low[chosen], counts[chosen], (heads[chosen], tails[chosen]), (first, stop), (sums, origin))
    return sums, origin


def _chunks(counts: Array) -> list[slice]:
    """Cut rising counts into runs whose padded size is bounded."""
    found, begin = [], 0
    while begin < len(counts):
        sizes = counts[begin:] * np.arange(1, len(counts) - begin + 1)
        end = begin + max(int(np.searchsorted(sizes, _CHUNK)), 1)
        found.append(slice(begin, end))
        begin = end
    return found


def _sum_groups(
    field: Array, low: Array, counts: Array, groups: tuple[Array, Array], edges: tuple[Array, Array],
    into: tuple[Array, Array],
) -> None:  # fmt: skip
    width = int(counts[-1])
    if width == 0:
        return
    place = np.arange(width)
    inside = place < counts[:, None]
    values = field[np.minimum(low[:, None] + place, len(field) - 1)] * inside[..., None]
    centre = values.sum(1) / np.maximum(counts, 1)[:, None]
    values = (values - centre[:, None]) * inside[..., None]
    running = np.zeros((len(low), width + 1, 9))
    running[:, 1:, :3] = values
    for number, (i, j) in enumerate(_PAIRS):
        running[:, 1:, 3 + number] = values[..., i] * values[..., j]
    np.cumsum(running, axis=1, out=running)
    heads, tails = groups
    owner = np.repeat(np.arange(len(low)), tails - heads + 1)
    windows = np.concatenate([np.arange(a, b + 1) for a, b in zip(heads, tails, strict=True)])
    begin, end = (edge[windows] - low[owner] for edge in edges)
    sums, origin = into
    sums[windows] = running[owner, end] - running[owner, begin]
    origin[windows] = centre[owner]
