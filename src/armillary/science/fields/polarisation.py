"""Polarisation of waves from three components: Means and Samson-Olson, and singular values.

Both work on spectral matrices ``S_ij = <conj(F_i) F_j>`` of windows, smoothed in frequency. Signs: with z along the
background field, positive ellipticity turns as electrons do (right-handed about z), negative as ions do (left-handed).
From one point nobody can tell k from -k: angles from z are folded into 0 to 90 degrees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.fields.windows import Windows
from armillary.science.plasma import Array

# IDL reads 0.54 as a number of single precision; with its constants the answers agree to the last digits.
_ALPHA: Final = float(np.float32(0.54))
_BETA: Final = float(np.float32(0.46))
_FOOT: Final = float(np.float32(0.08))
_PAIRS: Final = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
#: Windows that are transformed at once: small portions stay in the processor's cache.
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Polarisation:
    """What Means and Samson-Olson tell of each window and frequency; NaN where nothing can be told.

    Parameters
    ----------
    power : array, shape (k, f)
        Trace of the spectral matrix as a one-sided density, units^2/Hz.
    degree : array, shape (k, f)
        Degree of polarisation, 0 (noise) to 1 (a pure state), the same in every frame.
    wave_normal : array, shape (k, f)
        Angle of the direction of minimum variance from z, radians, 0 to pi/2.
    ellipticity : array, shape (k, f)
        Minor over major axis in the plane across z; negative for left-handed about z.
    helicity : array, shape (k, f)
        Minor over major axis of the ellipse in space, without a sign.
    """

    power: Array
    degree: Array
    wave_normal: Array
    ellipticity: Array
    helicity: Array


@dataclass(frozen=True, slots=True, eq=False)
class SvdPolarisation:
    """What the singular value decomposition tells of each window and frequency.

    Parameters
    ----------
    power : array, shape (k, f)
        As in `Polarisation`.
    planarity : array, shape (k, f)
        1 where the field moves in one plane, 0 where in none.
    ellipticity : array, shape (k, f)
        Minor over major axis of the ellipse in that plane; negative for left-handed about z.
    polar, azimuth : array, shape (k, f)
        Direction of the wave vector, radians: angle from z, 0 to pi/2, and from x towards y, -pi to pi.
    degree : array, shape (k, f)
        Degree of polarisation, as in `Polarisation`.
    """

    power: Array
    planarity: Array
    ellipticity: Array
    polar: Array
    azimuth: Array
    degree: Array


def polarisation(parts: Array, rate: float, smoothing: int = 3) -> Polarisation:
    """Analyse windows of a vector as the IDL routine wavpol of SPEDAS does.

    Degree: Samson and Olson (1980, doi:10.1111/j.1365-246X.1980.tb04308.x), ``(3 tr S^2 - (tr S)^2) / (2 (tr S)^2)``.
    Wave normal: Means (1972, doi:10.1029/JA077i028p05551), along (Im S_yz, -Im S_xz, Im S_xy). Ellipticity and helicity
    are the means of those of the three rows of S, as wavpol defines them.

    Parameters
    ----------
    parts : array, shape (k, size, 3)
        Windows of an evenly sampled vector, right-handed, z along the background field.
    rate : float
        Samples in a second.
    smoothing : int
        Odd number of neighbouring frequencies that are averaged with Hamming's weights.

    Returns
    -------
    Polarisation
        At the frequencies ``rate / size * (0 ... size/2 - 1)``; the ``smoothing // 2`` first and last are NaN (wavpol
        leaves zeros there).

    Raises
    ------
    BadParameter
        If `smoothing` is not odd or too large for the windows.
    BadData
        If the windows have not three components.

    Notes
    -----
    Differences to wavpol of IDL on real data are <= 1e-12 in power and degree, and within its single precision in the
    others. wavpol takes the third row's ellipticity in the plane of z and x; so does this. It tapers but does not
    detrend. Its last window may run into the beginning of the series; which windows there are is the caller's choice.
    """
    found = np.full((5, len(parts), parts.shape[1] // 2), np.nan)
    for portion, matrix, scale in _matrices(parts, rate, smoothing):
        inner = slice(smoothing // 2, found.shape[2] - smoothing // 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            angle = _wave_normal(matrix)
            ellipticity, helicity = _shape(matrix, angle)
            found[:, portion, inner] = _power(matrix, scale), _degree(matrix), angle, ellipticity, helicity
    return Polarisation(*found)


def svd_polarisation(parts: Array, rate: float, smoothing: int = 3) -> SvdPolarisation:
    """Analyse windows of a magnetic field by singular values (Santolik, Parrot and Lefeuvre 2003).

    The wave vector k solves ``A k = 0``, where the six rows of A are the real and imaginary parts of the spectral
    matrix (doi:10.1029/2000RS002523, eq. 8). With the singular values w1 <= w2 <= w3: planarity ``1 - sqrt(w1/w3)``,
    ellipticity ``w2/w3`` with the sign of the rotation about z, and k along the right singular vector of w1.
    Parameters, frequencies and errors are those of :func:`polarisation`.

    Notes
    -----
    About 3 us for each window and frequency.
    """
    found = np.full((6, len(parts), parts.shape[1] // 2), np.nan)
    for portion, matrix, scale in _matrices(parts, rate, smoothing):
        inner = slice(smoothing // 2, found.shape[2] - smoothing // 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[:, portion, inner] = _power(matrix, scale), *_singular(matrix), _degree(matrix)
    return SvdPolarisation(*found)


def frequencies(laid: Windows) -> Array:
    """Give the frequencies of :func:`polarisation` for windows that were laid over a series, Hz."""
    return laid.frequency[: laid.size // 2]


def idl_windows(values: Array, size: int = 256, step: int = 128) -> Array:
    """Cut an evenly sampled vector into the windows that wavpol of SPEDAS takes, but for those that run over its end.

    Parameters
    ----------
    values : array, shape (t, 3)
        Without gaps.

    Returns
    -------
    array, shape (k, size, 3)
        A view; window j begins with sample ``j * step``, its time is that of sample ``j * step + size / 2``.
    """
    if len(values) < size:
        raise BadData(
            f"{len(values)} samples are fewer than one window of {size}", "give a longer series or a smaller window"
        )
    return np.lib.stride_tricks.sliding_window_view(values, size, axis=0)[::step].transpose(0, 2, 1)


def _matrices(parts: Array, rate: float, smoothing: int) -> Iterator[tuple[slice, dict[tuple[int, int], Array], Array]]:
    """Give the smoothed spectral matrices, one portion of windows after the other, and their factor to a density."""
    if parts.ndim != 3 or parts.shape[2] != 3:
        raise BadData(f"polarisation needs windows of three components, not {parts.shape}", "give a vector")
    size = parts.shape[1]
    if smoothing < 1 or smoothing % 2 == 0 or smoothing > size // 2 - 2:
        raise BadParameter(f"{smoothing} frequencies cannot be averaged", f"give an odd number below {size // 2 - 1}")
    weights = _FOOT + _BETA * (1 - np.cos(2 * np.pi * np.arange(size) / size))
    spread = _hamming(smoothing)
    scale = _density_factor(size, rate, float((weights**2).mean()))[smoothing // 2 : size // 2 - smoothing // 2]
    for begin in range(0, len(parts), _AT_ONCE):
        portion = slice(begin, begin + _AT_ONCE)
        tapered = parts[portion].transpose(0, 2, 1) * weights
        transform = np.fft.rfft(tapered, norm="forward")[..., : size // 2]
        yield portion, {pair: _smoothed(transform, pair, spread) for pair in _PAIRS}, scale


def _hamming(number: int) -> Array:
    if number == 1:
        return np.ones(1)
    weights = _ALPHA - _BETA * np.cos(2 * np.pi * np.arange(number) / (number - 1))
    return np.asarray(weights / weights.sum())


def _density_factor(size: int, rate: float, taper_power: float) -> Array:
    factor = np.full(size // 2, 2 / taper_power * size / rate)
    factor[[0, -1]] /= 2
    return factor


def _smoothed(transform: Array, pair: tuple[int, int], spread: Array) -> Array:
    one, other = transform[:, pair[0]], transform[:, pair[1]]
    # The diagonal is real: half the work.
    product = one.real**2 + one.imag**2 if pair[0] == pair[1] else other * one.conj()
    many = product.shape[1] - len(spread) + 1
    smooth = spread[0] * product[:, :many]
    for shift, weight in enumerate(spread[1:], 1):
        smooth += weight * product[:, shift : shift + many]
    return np.asarray(smooth)


def _power(matrix: dict[tuple[int, int], Array], scale: Array) -> Array:
    return np.asarray(_trace(matrix) * scale)


def _trace(matrix: dict[tuple[int, int], Array]) -> Array:
    return np.asarray(matrix[0, 0] + matrix[1, 1] + matrix[2, 2])


def _degree(matrix: dict[tuple[int, int], Array]) -> Array:
    trace = _trace(matrix) ** 2
    square = sum((matrix[i, i] ** 2 for i in range(3)), np.zeros(()))
    for pair in _PAIRS[3:]:
        square = square + 2 * _squared(matrix[pair])
    return np.asarray((3 * square - trace) / (2 * trace))


def _squared(one: Array) -> Array:
    return np.asarray(one.real**2 + one.imag**2)


def _wave_normal(matrix: dict[tuple[int, int], Array]) -> Array:
    xy, xz, yz = (matrix[pair].imag for pair in _PAIRS[3:])
    across = np.hypot(xz, yz)
    return np.where((across > 0) | (xy != 0), np.arctan2(across, np.abs(xy)), np.nan)


def _shape(matrix: dict[tuple[int, int], Array], angle: Array) -> tuple[Array, Array]:
    """Give ellipticity and helicity, means of those of the rows; each row is an ellipse ``Re (row exp(-i w t))``."""
    rows = (
        (matrix[0, 0], matrix[0, 1].conj(), matrix[0, 2].conj()),
        (matrix[1, 1], matrix[0, 1], matrix[1, 2].conj()),
        (matrix[2, 2], matrix[0, 2], matrix[1, 2]),
    )
    found = [_ellipse(*row) for row in rows]
    # Zero over zero, as wavpol has it, where the sense of rotation about z means nothing.
    sense = np.where(np.sin(angle) > 0, np.sign(matrix[0, 1].imag), np.nan)
    sense = np.where(sense == 0, np.nan, sense)
    # A component without any power has no row: a wave in two components alone is a wave.
    there = [row[0] > 0 for row in rows]
    many = sum((one.astype(float) for one in there), np.zeros(()))
    ellipticity, helicity = (
        sum((np.where(has, one, 0) for has, one in zip(there, ones, strict=True)), np.zeros(())) / many
        for ones in zip(*found, strict=True)
    )
    return np.asarray(-sense * ellipticity), np.asarray(helicity)


def _ellipse(first: Array, second: Array, third: Array) -> tuple[Array, Array]:
    """Give wavpol's two ratios of axes for the complex vector (first, second, third); `first` is real.

    With ``q = sum z^2`` the phase of q turns the major axis real: the axes are ``(sum |z|^2 +- |q|) / 2`` squared and
    their product is ``|Re z x Im z|``. The plane's ratio is wavpol's, which turns by atan2(U, L) where atan2(2U, L)
    would be the axis; ``t`` is what that leaves.
    """
    plane = first**2 + _squared(second)
    plane_square = first**2 + second**2
    square = plane_square + third**2
    total, size = plane + _squared(third), np.abs(square)
    area = first**2 * (second.imag**2 + third.imag**2) + (second.real * third.imag - third.real * second.imag) ** 2
    helicity = 2 * np.sqrt(area) / (total + size)
    turned = plane_square * np.where(size > 0, square.conj() / size, 1)
    low, up = turned.real, turned.imag / 2
    length = np.hypot(low, up)
    t = np.where(length > 0, (low**2 + 2 * up**2) / length, 0)
    return np.sqrt(np.maximum(plane - t, 0) / (plane + t)), helicity


def _singular(matrix: dict[tuple[int, int], Array]) -> tuple[Array, Array, Array, Array]:
    rows = np.empty((*matrix[0, 0].shape, 6, 3))
    rows[..., 3:, :] = 0
    for one, other in _PAIRS:
        rows[..., one, other] = rows[..., other, one] = matrix[one, other].real
    for row, (one, other) in ((3, (0, 1)), (3, (0, 2)), (4, (1, 2))):
        rows[..., row, other] = matrix[one, other].imag
    rows[..., 4, 0] = -matrix[0, 1].imag
    rows[..., 5, 0], rows[..., 5, 1] = -matrix[0, 2].imag, -matrix[1, 2].imag
    measured = np.isfinite(rows).all((-2, -1)) & (_trace(matrix) > 0)
    _, values, vectors = np.linalg.svd(np.where(measured[..., None, None], rows, 0), full_matrices=False)
    normal = vectors[..., 2, :] * np.where(vectors[..., 2, 2] < 0, -1, 1)[..., None]
    polar = np.arctan2(np.hypot(normal[..., 0], normal[..., 1]), normal[..., 2])
    found = (
        1 - np.sqrt(values[..., 2] / values[..., 0]),
        -np.sign(matrix[0, 1].imag) * values[..., 1] / values[..., 0],
        polar,
        np.arctan2(normal[..., 1], normal[..., 0]),
    )
    planarity, ellipticity, polar, azimuth = (np.where(measured, one, np.nan) for one in found)
    return planarity, ellipticity, polar, azimuth
