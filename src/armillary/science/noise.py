"""Random numbers by address: any part of an endless random series, without making what comes before it.

Each number depends on a seed, a name and an index only. The bits come from the counter-based generator Philox (Salmon
et al. 2011, SC11, doi:10.1145/2063384.2063405), keyed by a hash of the address.
"""

import hashlib
from typing import Any, Final, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_KNOTS: Final = 128
#: Mean over one cell of the sum of the squared weights of a cubic B-spline, 151/315.
_SPLINE_VARIANCE: Final = 151 / 315


def generator(seed: int, name: str, *index: int) -> np.random.Generator:
    """Give the generator that lives at an address.

    Examples
    --------
    >>> bool(generator(1, "wind", 7).random() == generator(1, "wind", 7).random())
    True
    """
    address = "/".join([str(int(seed)), name, *(str(int(one)) for one in index)])
    key = int.from_bytes(hashlib.blake2b(address.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def smooth(seed: int, name: str, x: Array, parts: int = 1) -> Array:
    """Evaluate a smooth random function of unit variance with a correlation length near 1.

    Parameters
    ----------
    x : array, shape (n,)
        Where, in units of the knot distance.
    parts : int
        How many independent functions.

    Returns
    -------
    array, shape (n, parts)
        A cubic B-spline on independent normal knots; it depends on `x` alone, not on the rest of the array.
    """
    cell = np.floor(x)
    u = x - cell
    at = cell.astype(np.int64)
    if not at.size:
        return np.zeros((0, parts))
    first = int(at.min())
    knots = _normals(seed, name, first - 1, int(at.max()) + 3, parts)
    total = np.zeros((at.size, parts))
    for shift, weight in enumerate(_weights(u)):
        total += weight[:, None] * knots[at - first + shift]
    return np.asarray(total / np.sqrt(_SPLINE_VARIANCE))


def turbulence(
    seed: int, name: str, seconds: Array, longest: float, shortest: float, parts: int = 1, slope: float = 5 / 3
) -> Array:
    """Evaluate a random function of unit variance whose power falls as ``f ** -slope`` between two scales.

    It is a sum of octaves of :func:`smooth`; the amplitude of an octave of scale L is ``L ** ((slope - 1) / 2)``, so
    that the power in an octave, ``f * P(f)``, follows the slope.

    Parameters
    ----------
    seconds : array, shape (n,)
        Where.
    longest, shortest : float
        The outer scale and the smallest scale, seconds.

    Returns
    -------
    array, shape (n, parts)
    """
    count = max(1, int(np.floor(np.log2(longest / shortest))) + 1)
    scales = longest / 2.0 ** np.arange(count)
    amplitudes = (scales / longest) ** ((slope - 1) / 2)
    amplitudes /= np.sqrt((amplitudes**2).sum())
    total = np.zeros((len(seconds), parts))
    for octave, (scale, amplitude) in enumerate(zip(scales, amplitudes, strict=True)):
        total += amplitude * smooth(seed, f"{name}.{octave}", seconds / scale, parts)
    return total


def _weights(u: Array) -> tuple[Array, Array, Array, Array]:
    v = 1 - u
    return (
        v * v * v / 6,
        (3 * u * u * u - 6 * u * u + 4) / 6,
        (3 * v * v * v - 6 * v * v + 4) / 6,
        u * u * u / 6,
    )


def _normals(seed: int, name: str, first: int, stop: int, parts: int) -> Array:
    """Give the normal numbers ``first <= i < stop``, made in blocks of fixed length."""
    low, high = first // _KNOTS, -(-stop // _KNOTS)
    blocks = [generator(seed, name, block).standard_normal((_KNOTS, parts)) for block in range(low, high)]
    return np.concatenate(blocks)[first - low * _KNOTS : stop - low * _KNOTS]
