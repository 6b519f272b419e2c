"""How typical a row is of any class that was learnt: rows of a class that nobody taught are typical of none.

Each class has its own neighbours, and its own idea of how far they usually are; so a thin class does not look strange
beside a crowded one. The answer is the largest p-value over classes (conformal novelty; Vovk 2012).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.learn.looks import one_thread
from armillary.learn.samples import Array

#: Neighbours whose distance counts, rows of a class at most, rows that are looked at together.
_NEAR: Final = 5
_ROWS: Final = 1500
_STEP: Final = 2048
#: A column that one of two rows lacks counts as one deviation; two rows with nothing in common are so far apart.
_LACKING, _APART = 1.0, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Typical:
    """What rows of each class look like.

    Parameters
    ----------
    middle, scale : array of float, (p,)
        Of each column: the median of all rows, and the usual deviation within a class.
    rows : tuple of array of float, (m, p)
        Of each class, scaled, NaN = missing.
    far : tuple of array of float, (q,)
        Of each class how far rows of other blocks are from these, sorted.
    """

    middle: Array
    scale: Array
    rows: tuple[Array, ...]
    far: tuple[Array, ...]

    def tail(self, matrix: Array) -> Array:
        """Give the share of rows as far out or farther, (n,), of the class that a row fits best: small is strange.

        Raises
        ------
        BadData
            If the rows have another number of columns.
        """
        matrix = np.asarray(matrix, float)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.middle):
            problem = f"rows of shape {matrix.shape} do not fit {len(self.middle)} columns"
            raise BadData(problem, "give the columns that were learnt from")
        told = np.zeros(len(matrix))
        with one_thread():
            for at in range(0, len(matrix), _STEP):
                points = (matrix[at : at + _STEP] - self.middle) / self.scale
                told[at : at + _STEP] = np.max(
                    [_share(far, _distance(points, rows)) for far, rows in zip(self.far, self.rows, strict=True)],
                    axis=0,
                )
        return told


def fit_typical(matrix: Array, codes: Array, blocks: Array, seed: int = 0) -> Typical:
    """Learn what rows of each class look like.

    Parameters
    ----------
    matrix : array of float, (n, p)
        NaN = missing.
    codes : array of int, (n,)
        Classes; rows of -1 are left out, and classes of fewer than 20 rows.
    blocks : array of int, (n,)
        Of the split: how far is usual is told by rows of other blocks.
    seed : int

    Raises
    ------
    BadData
        If no class has 20 rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = np.arange(200) % 2
    >>> rows = rng.normal(size=(200, 2)) + 10 * codes[:, None]
    >>> typical = fit_typical(rows, codes, np.arange(200) // 10)
    >>> typical.tail(np.array([[0.0, 0.0], [10.0, 10.0], [5.0, 5.0]])).round(2).tolist()[2] < 0.05
    True
    """
    matrix, codes = np.asarray(matrix, float), np.asarray(codes)
    kinds = [code for code in np.unique(codes[codes >= 0]).tolist() if (codes == code).sum() >= 20]
    if not kinds:
        raise BadData("no class has 20 rows: too few to say what is typical", "give more labelled rows")
    known = np.isfinite(matrix).any(axis=0)
    middle, scale = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    middle[known] = np.nanmedian(matrix[:, known], axis=0)
    scale[known] = _within(matrix[:, known], codes, kinds)
    points = (matrix - middle) / scale
    half = np.unique(blocks, return_inverse=True)[1].reshape(-1) % 2
    random = np.random.default_rng(seed)
    rows, far = [], []
    for code in kinds:
        mine = random.permutation(np.flatnonzero(codes == code))[:_ROWS]
        one, other = mine[half[mine] == 0], mine[half[mine] == 1]
        if min(len(one), len(other)) < _NEAR:  # one block only
            one, other = mine[::2], mine[1::2]
        rows.append(points[one])
        far.append(np.sort(_distance(points[other], points[one])))
    return Typical(middle, scale, tuple(rows), tuple(far))


def _within(matrix: Array, codes: Array, kinds: list[Any]) -> Array:
    """Give the mean over classes of the usual deviation within one, of each column."""
    each = np.full((len(kinds), matrix.shape[1]), np.nan)
    for at, code in enumerate(kinds):
        mine = matrix[codes == code]
        some = np.isfinite(mine).sum(axis=0) > 4
        middle = np.nanmedian(mine[:, some], axis=0)
        each[at, some] = 1.48 * np.nanmedian(np.abs(mine[:, some] - middle), axis=0)
    count = np.isfinite(each).sum(axis=0)
    mean = np.nansum(each, axis=0) / np.maximum(count, 1)
    return np.where(mean > 0, mean, 1.0)


def _distance(points: Array, rows: Array) -> Array:
    """Give the mean distance to the nearest rows: root mean square over columns."""
    a, b = np.isfinite(points), np.isfinite(rows)
    one, other = np.where(a, points, 0.0), np.where(b, rows, 0.0)
    both = a.astype(float) @ b.T.astype(float)
    square = one**2 @ b.T.astype(float) + a.astype(float) @ (other**2).T - 2 * one @ other.T
    lacking = a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - 2 * both
    mean = (square + _LACKING * lacking) / np.maximum(both + lacking, 1)
    far = np.sqrt(np.maximum(np.where(both > 0, mean, _APART**2), 0.0))
    near = min(_NEAR, rows.shape[0])
    return np.asarray(np.partition(far, near - 1, axis=1)[:, :near].mean(axis=1))


def _share(far: Array, distance: Array) -> Array:
    """Give the share of usual distances that are as large; beyond all of them it still falls."""
    share = (len(far) - np.searchsorted(far, distance, side="left")) / (1 + len(far))
    beyond = 1 / (1 + len(far)) / np.maximum(distance / max(float(far[-1]), 1e-300), 1.0)
    return np.asarray(np.maximum(share, beyond))
