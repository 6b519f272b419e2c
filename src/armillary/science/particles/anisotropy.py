"""How a pressure tensor lies to the magnetic field: anisotropy and agyrotropy.

All take tensors P of shape (t, 3, 3), of pressure or temperature, and fields B of shape (t, 3) in the same frame. Where
there is no field, or a tensor is not known, the answer is NaN.
"""

from typing import NamedTuple

import numpy as np

from armillary.science.plasma import Array


class Gyrotropic(NamedTuple):
    """A tensor seen along the field.

    ``parallel`` and ``perpendicular`` are ``b P b`` and ``(trace P - b P b) / 2``; ``along`` (t, 3, 3) is the tensor in
    field-aligned axes, its third along B and its first two those that make it diagonal across B, larger first.
    """

    parallel: Array
    perpendicular: Array
    along: Array


def gyrotropic(tensor: Array, field: Array) -> Gyrotropic:
    """Split a tensor into its parts along and across the field."""
    b = _direction(field)
    known = np.asarray(np.isfinite(tensor).all((1, 2)) & np.isfinite(b).all(1))
    filled = np.where(known[:, None, None], tensor, 0)
    axes = _axes(np.where(known[:, None], b, [0.0, 0.0, 1.0]))
    axes = _diagonal_across(axes, axes @ filled @ axes.transpose(0, 2, 1))
    seen = np.where(known[:, None, None], axes @ filled @ axes.transpose(0, 2, 1), np.nan)
    parallel = seen[:, 2, 2]
    return Gyrotropic(parallel, (seen[:, 0, 0] + seen[:, 1, 1]) / 2, seen)


def anisotropy(tensor: Array, field: Array) -> Array:
    """Give ``T_perp / T_par``, shape (t,); 1 is isotropic."""
    split = gyrotropic(tensor, field)
    return np.asarray(split.perpendicular / _positive(split.parallel))


def agyrotropy_swisdak(tensor: Array, field: Array) -> Array:
    """Give ``sqrt(Q)``, 0 for a gyrotropic tensor to 1 for one that is as far from it as can be.

    ``Q = (P12^2 + P13^2 + P23^2) / (P_perp^2 + 2 P_perp P_par)`` in axes whose third is along B and in which the two
    diagonal elements across B are equal; computed from invariants of the tensor, ``Q = 1 - 4 I2 / ((I1 - P_par) (I1 + 3
    P_par))`` (Swisdak 2016, Geophys. Res. Lett. 43, 43, doi:10.1002/2015GL066980).
    """
    split = gyrotropic(tensor, field)
    p = split.along
    # in these axes P12 = 0 and P11 != P22; turned by 45 degrees they are equal and P12 = (P11 - P22) / 2
    off = ((p[:, 0, 0] - p[:, 1, 1]) / 2) ** 2 + p[:, 0, 2] ** 2 + p[:, 1, 2] ** 2
    most = _positive(split.perpendicular) * (split.perpendicular + 2 * split.parallel)
    return np.asarray(np.sqrt(off / _positive(most)))


def agyrotropy_scudder(tensor: Array, field: Array) -> Array:
    """Give ``A0 = 2 |P_perp1 - P_perp2| / (P_perp1 + P_perp2)``, 0 to 2.

    The two are the eigenvalues of the tensor across B; what lies off the diagonal along B does not count (Scudder and
    Daughton 2008, J. Geophys. Res. 113, A06222, doi:10.1029/2008JA013035).
    """
    p = gyrotropic(tensor, field).along
    return np.asarray(2 * np.abs(p[:, 0, 0] - p[:, 1, 1]) / _positive(p[:, 0, 0] + p[:, 1, 1]))


def agyrotropy_aunai(tensor: Array, field: Array) -> Array:
    """Give ``D_ng = 2 sqrt(sum_ij N_ij^2) / trace P``, N being what is left of P without its gyrotropic part.

    ``G = P_perp I + (P_par - P_perp) b b`` and ``N = P - G`` (Aunai, Hesse and Kuznetsova 2013, Phys. Plasmas 20,
    092903, doi:10.1063/1.4820953). 0 is gyrotropic; it can exceed 1.
    """
    split = gyrotropic(tensor, field)
    p = split.along
    rest = (p[:, 0, 0] - p[:, 1, 1]) ** 2 / 2 + 2 * (p[:, 0, 2] ** 2 + p[:, 1, 2] ** 2)
    return np.asarray(2 * np.sqrt(rest) / _positive(split.parallel + 2 * split.perpendicular))


def _direction(field: Array) -> Array:
    size = np.linalg.norm(field, axis=-1, keepdims=True)
    return np.asarray(field / np.where(size > 0, size, np.nan))


def _positive(values: Array) -> Array:
    return np.asarray(np.where(values > 0, values, np.nan))


def _axes(b: Array) -> Array:
    """Give rows of three axes, the third along b."""
    helper = np.eye(3)[np.abs(b).argmin(1)]
    first = np.cross(helper, b)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(b, first), b], 1)


def _diagonal_across(axes: Array, seen: Array) -> Array:
    """Turn the first two axes so that the tensor has nothing off its diagonal there, the larger first."""
    angle = np.arctan2(2 * seen[:, 0, 1], seen[:, 0, 0] - seen[:, 1, 1]) / 2
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    first, second = axes[:, 0], axes[:, 1]
    return np.stack([cosine * first + sine * second, cosine * second - sine * first, axes[:, 2]], 1)
