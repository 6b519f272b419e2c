"""Rotations as quaternions, the way spacecraft attitudes are archived, and as matrices."""

import numpy as np

from armillary.science.plasma import Array


def rotation_matrices(quaternions: Array) -> Array:
    """Give the matrices that turn vectors as quaternions do: ``(0, matrix @ v) = q (0, v) q*``.

    Parameters
    ----------
    quaternions : array, shape (t, 4)
        The three vector parts, then the scalar; of any length but 0.

    Returns
    -------
    array, shape (t, 3, 3)
        NaN where a quaternion is NaN or 0.

    Notes
    -----
    Euler-Rodrigues: ``R = 1 + 2 w K + 2 K K``, K the matrix of the cross product with the vector part of the unit
    quaternion.

    Examples
    --------
    >>> a_quarter_about_z = np.array([[0, 0, np.sqrt(0.5), np.sqrt(0.5)]])
    >>> rotation_matrices(a_quarter_about_z)[0].round(12) @ [1, 0, 0]
    array([0., 1., 0.])
    """
    given = np.asarray(quaternions, float)
    length = np.linalg.norm(given, axis=-1, keepdims=True)
    x, y, z, w = np.moveaxis(given / np.where(length > 0, length, np.nan), -1, 0)
    nil = np.zeros_like(x)
    cross = np.stack([nil, -z, y, z, nil, -x, -y, x, nil], -1).reshape(*x.shape, 3, 3)
    return np.asarray(np.eye(3) + 2 * w[..., None, None] * cross + 2 * cross @ cross)


def nearest_rotations(matrices: Array) -> Array:
    """Give the rotations nearest to matrices that are almost rotations, as means of neighbouring ones are.

    Parameters
    ----------
    matrices : array, shape (t, 3, 3)
        NaN stays NaN.

    Notes
    -----
    The orthogonal part of the polar decomposition, by the singular value decomposition.

    Examples
    --------
    >>> nearest_rotations(np.eye(3)[None] * 0.9)[0].round(12).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    found = np.full(np.shape(matrices), np.nan)
    good = np.isfinite(matrices).all((-1, -2))
    if good.any():
        left, _, right = np.linalg.svd(np.asarray(matrices, float)[good])
        found[good] = left @ right
    return found
