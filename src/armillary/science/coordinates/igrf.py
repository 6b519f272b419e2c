"""The Earth's main magnetic field: the International Geomagnetic Reference Field, 14th generation.

The coefficients lie beside this module (``igrf14.txt``, 1900 to 2030, degree 13; IAGA Working Group V-MOD 2024,
doi:10.5281/zenodo.14012302). Between the epochs they are linear in time, as the model is defined; the years after 2025
are a prediction; outside 1900 to 2030 there is an error.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.coordinates.sun import nanoseconds
from armillary.science.plasma import Array

#: The model's reference radius, km; "Earth radius" in all of this room.
EARTH_RADIUS: Final = 6371.2
_DEGREE: Final = 13
#: Points at once: the table of harmonics of so many fits a processor's cache.
_POINTS: Final = 2048
#: Degrees at which the sum may be cut.
_LEVELS: Final = (3, 5, 8, 10)
#: A field below this many Earth radii would be inside the core.
_DEEPEST: Final = 0.55


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """The table: ``values[k, j]`` at epoch k of the coefficient of ``degree[j]``, ``order[j]`` (negative: h), nT."""

    epoch: Array
    degree: Array
    order: Array
    values: Array


@cache
def coefficients() -> Coefficients:
    """Read the table that is shipped; epochs are int64 nanoseconds since 1970.

    Examples
    --------
    >>> table = coefficients()
    >>> table.values.shape, float(table.values[24, 0])
    ((27, 195), -29403.41)
    """
    table = np.loadtxt(Path(__file__).with_name("igrf14.txt"))
    years = (table[0, 2:].astype(int) - 1970).astype("datetime64[Y]")
    return Coefficients(nanoseconds(years), table[1:, 0].astype(int), table[1:, 1].astype(int), table[1:, 2:].T.copy())


def dipole(time: Array) -> Array:
    """Give the dipole's part of the field as a vector of GEO: towards the north geomagnetic pole, its size in nT.

    Parameters
    ----------
    time : array, shape (t,)
        UTC, 1900 to 2030.

    Returns
    -------
    array, shape (t, 3)
        ``-(g11, h11, g10)``; its length is the field at the equator of a sphere of `EARTH_RADIUS`.

    Examples
    --------
    >>> moment = dipole(np.array(["2020-01-01"], "datetime64[ns]"))[0]
    >>> float(np.degrees(np.arccos(moment[2] / np.linalg.norm(moment))).round(2))
    9.41
    """
    segment, part = _place(time)
    first = coefficients().values[:, [1, 2, 0]]
    return np.asarray(-(first[segment] + part[:, None] * (first[segment + 1] - first[segment])))


def field(position: Array, time: Array, error: float = 0.0) -> Array:
    """Give the main field in GEO.

    The potential ``a sum (a/r)^(n+1) P_n^m(cos theta) (g cos m phi + h sin m phi)`` is differentiated in Cartesian
    coordinates by the ladder relations of solid harmonics (Cunningham 1970, Celest. Mech. 2, 207; Montenbruck and Gill
    2000, Satellite Orbits, section 3.2), which know no pole.

    Parameters
    ----------
    position : array, shape (n, 3)
        GEO, Earth radii of 6371.2 km.
    time : array, shape (n,) or (1,)
        UTC, 1900 to 2030.
    error : float
        nT that may be neglected: far from the Earth the high degrees are left out. 0 for all of them.

    Returns
    -------
    array, shape (n, 3)
        nT; NaN where the position is NaN or inside the Earth's core (0.55 radii).

    Examples
    --------
    >>> field(np.array([[0.0, 0.0, 1.0]]), np.array(["2020-01-01"], "datetime64[ns]")).round(1)
    array([[ -1790.5,    114. , -56386.8]])
    """
    position = np.asarray(position, float)
    segment, part = (np.broadcast_to(one, len(position)) for one in _place(time))
    radius = np.sqrt(np.einsum("ni,ni->n", position, position))
    degree = _degrees_needed(radius, error)
    found = np.full_like(position, np.nan)
    for one, n in {(int(one), int(n)) for one, n in np.unique(np.stack([segment, degree]), axis=1).T}:
        chosen = np.flatnonzero((segment == one) & (degree == n) & (radius > _DEEPEST))
        for first in range(0, len(chosen), _POINTS):
            some = chosen[first : first + _POINTS]
            found[some] = _synthesis(position[some], one, part[some], n)
    return found


def _place(time: Array) -> tuple[Array, Array]:
    """Between which epochs each time lies, and how far it is from the first to the second."""
    ns, epoch = np.atleast_1d(nanoseconds(time)), coefficients().epoch
    if ns.size and not epoch[0] <= ns.min() <= ns.max() <= epoch[-1]:
        wrong = ns.min() if ns.min() < epoch[0] else ns.max()
        raise BadData(
            f"the geomagnetic field model IGRF-14 knows the years 1900 to 2030, not {np.datetime64(int(wrong), 'ns')}",
            "ask for another time, or a frame that does not follow the dipole (GSE, GEI, GEO)",
        )
    segment = np.clip(np.searchsorted(epoch, ns, "right") - 1, 0, len(epoch) - 2)
    return segment, (ns - epoch[segment]) / (epoch[segment + 1] - epoch[segment])


def _degrees_needed(radius: Array, error: float) -> Array:
    """Give the degree up to which to sum, one of `_LEVELS`, so that the rest stays below an error in nT."""
    needed = np.full(radius.shape, _DEGREE)
    if error > 0:
        for level, beyond in reversed(_reach(error)):
            needed[radius > beyond] = level
    return needed


@cache
def _reach(error: float) -> tuple[tuple[int, float], ...]:
    """Beyond which radius a level is enough.

    A degree's largest field is taken as its root mean square on the sphere times ``sqrt(2n + 1)``.
    """
    known = coefficients()
    degree = np.arange(1, _DEGREE + 1)
    power = np.array([(known.values[:, known.degree == n] ** 2).sum(1).max() for n in degree]) * (degree + 1)
    radius = np.geomspace(1, 100, 500)
    parts = np.sqrt(power * (2 * degree + 1))[:, None] * radius ** -(degree[:, None] + 2.0)
    left_out = parts[::-1].cumsum(0)[::-1]
    return tuple((level, float(radius[np.argmax(left_out[level] < error)])) for level in _LEVELS)


def _synthesis(position: Array, segment: int, part: Array, degree: int) -> Array:
    start, stop = _gradients(segment, degree), _gradients(segment + 1, degree)
    sides = np.concatenate([start, stop - start]) @ _solid_harmonics(position, degree)
    return np.asarray((sides[:3] + part * sides[3:]).T)


def _solid_harmonics(position: Array, degree: int) -> Array:
    """``(1/r)^(n+1) P_n^m(cos theta) exp(i m phi)``, unnormalised, real parts above imaginary parts."""
    x, y, z = position.T
    inverse = 1 / (position**2).sum(1)
    up, turn = z * inverse, (x + 1j * y) * inverse
    rows = [np.sqrt(inverse)[None].astype(complex)]
    for n in range(1, degree + 2):
        m = np.arange(n)[:, None]
        row = np.empty((n + 1, len(x)), complex)
        row[:n] = (2 * n - 1) / (n - m) * up * rows[n - 1]
        if n > 1:
            row[: n - 1] -= ((n + m - 1) / (n - m))[: n - 1] * inverse * rows[n - 2]
        row[n] = (2 * n - 1) * turn * rows[n - 1][n - 1]
        rows.append(row)
    table = np.concatenate(rows)
    return np.concatenate([table.real, table.imag])


@cache
def _gradients(epoch: int, degree: int) -> Array:
    """Rows that give Bx, By, Bz when multiplied with the solid harmonics, at one epoch."""
    known = coefficients()
    rows = np.zeros((3, (degree + 2) * (degree + 3) // 2), complex)
    complexes: dict[tuple[int, int], complex] = {}
    for n, m, value in zip(known.degree, known.order, known.values[epoch], strict=True):
        if n > degree:
            break
        side = value if m >= 0 else -1j * value
        complexes[n, abs(m)] = complexes.get((n, abs(m)), 0) + side * _schmidt(int(n), abs(int(m)))
    for (n, m), value in complexes.items():
        above = (n + 1) * (n + 2) // 2 + m
        rows[2, above] += (n - m + 1) * value
        half = 1.0 if m == 0 else 0.5
        rows[0, above + 1] += half * value
        rows[1, above + 1] -= 1j * half * value
        if m:
            ladder = 0.5 * (n - m + 1) * (n - m + 2)
            rows[0, above - 1] -= ladder * value
            rows[1, above - 1] -= 1j * ladder * value
    return np.concatenate([rows.real, -rows.imag], axis=1)


def _schmidt(n: int, m: int) -> float:
    below = np.prod(np.arange(n - m + 1, n + m + 1, dtype=float))
    return float(np.sqrt((2.0 if m else 1.0) / below))
