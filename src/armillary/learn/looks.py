"""One look at rows: some columns, scaled, and how far they are from training rows.

A distance is the mean, over four parts of the kept training rows, of the distance to the nearest row of each part: one
matrix product and one pass, ten times as fast as a tree of neighbours from ten columns on.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.learn.samples import Array

_PARTS: Final = 4
_CLIP: Final = 10.0
#: More columns than this are turned onto their principal axes first.
_WIDE: Final = 32
_AXES_FROM: Final = 2000
#: Rows of one matrix product, always as many: so a row has the same distance whatever rows stand beside it.
_CHUNK: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Training rows as points.

    Parameters
    ----------
    columns : array of int, (p,)
        Which columns are looked at.
    centre, scale : array of float, (p,)
        Median and robust spread.
    missing : array of float, (p,)
        What a missing value adds to the distance.
    gaps : array of int
        Of these columns, those that had gaps in training.
    axes, middle : array of float, (d, p) and (p,)
        Principal axes and mean of scaled rows; axes of no rows if there are few columns.
    rows : array of float32, (m, d)
        Points of training rows, in four parts of equal size.
    far : array of float
        Distances of training rows to those of other blocks, sorted.
    """

    columns: Array
    centre: Array
    scale: Array
    missing: Array
    gaps: Array
    axes: Array
    middle: Array
    rows: Array
    far: Array

    def place(self, matrix: Array) -> Array:
        """Give the points of rows, (n, d) of float32."""
        if len(self.columns) < matrix.shape[1]:
            matrix = matrix[:, self.columns]
        return _placed(self, matrix)

    def distance(self, matrix: Array) -> Array:
        """Give the mean distance of rows, (n, all columns), to the nearest training row of each part, (n,)."""
        return nearest(self.place(matrix), self.rows)


def fit_look(kept: Array, rest: Array, columns: Array, blocks: Array) -> tuple[Look, Array]:
    """Keep rows as points, and give the distance of each to those of other blocks.

    Parameters
    ----------
    kept, rest : array of float, (m, all columns)
        Rows that are kept, and others, of which principal axes are learnt: axes follow the noise of their own rows.
    columns : array of int
    blocks : array of int, (m,)
    """
    nothing = np.empty(0)
    learnt = _learnt(
        kept[:, columns], (rest[:_AXES_FROM] if len(columns) > _WIDE and len(rest) > 1 else kept)[:, columns]
    )
    points = Look(columns, **learnt, rows=nothing, far=nothing).place(kept)
    parts = min(_PARTS, len(points))
    size = len(points) // parts
    far = _held_out(points, blocks, points[: parts * size], blocks[: parts * size])
    rows = np.ascontiguousarray(points[: parts * size])
    return Look(columns, **learnt, rows=rows, far=np.sort(far)), far


def nearest(points: Array, rows: Array) -> Array:
    """Give the mean, over four parts of `rows`, of the distance to the nearest row of the part, (n,)."""
    # |a - b|^2 / 2 = |a|^2 / 2 + (a, 1) . (-b, |b|^2 / 2)
    right = np.column_stack([-rows, (rows**2).sum(axis=1) / 2]).astype(np.float32).T.copy()
    parts = min(_PARTS, len(rows))
    made = np.empty((len(points), parts), np.float32)
    left = np.ones((_CHUNK, points.shape[1] + 1), np.float32)
    product = np.empty((_CHUNK, len(rows)), np.float32)
    for at in range(0, len(points), _CHUNK):
        piece = points[at : at + _CHUNK]
        left[: len(piece), :-1] = piece
        np.matmul(left, right, out=product)
        made[at : at + len(piece)] = product.reshape(_CHUNK, parts, -1)[: len(piece)].min(axis=2)
    half = (points.astype(float) ** 2).sum(axis=1)[:, None] / 2
    distance: Array = np.sqrt(np.maximum(2 * (half + made), 0)).mean(axis=1)
    return distance


def one_thread() -> Any:
    """Hold back further threads of matrix products: on busy cores they spin and wait for one another."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        return nullcontext()
    return threadpool_limits(1, user_api="blas")


def _held_out(points: Array, own: Array, rows: Array, blocks: Array) -> Array:
    """Give the same for training rows, rows of their own block left out."""
    parts = min(_PARTS, len(rows))
    far = np.empty(len(points))
    right, norms = rows.astype(float).T, (rows.astype(float) ** 2).sum(axis=1)
    for at in range(0, len(points), _CHUNK):
        piece = points[at : at + _CHUNK].astype(float)
        square = (piece**2).sum(axis=1)[:, None] + norms - 2 * piece @ right
        square[own[at : at + _CHUNK, None] == blocks] = np.inf
        near = np.sqrt(np.maximum(square.reshape(len(piece), parts, -1).min(axis=2), 0))
        known = np.isfinite(near)
        far[at : at + len(piece)] = np.where(known, near, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return far


def _learnt(kept: Array, rows: Array) -> dict[str, Any]:
    """Learn how rows are placed: centre, spread, weight of a missing value, principal axes if there are many."""
    gone = np.isnan(rows)
    quartiles = np.full((3, rows.shape[1]), np.nan)
    some = ~gone.all(axis=0)
    quartiles[:, some] = np.nanquantile(rows[:, some], [0.25, 0.5, 0.75], axis=0)
    spread = (quartiles[2] - quartiles[0]) / 1.349
    whole = np.zeros(rows.shape[1])
    whole[some] = np.nanstd(rows[:, some], axis=0)
    scale = np.where(spread > 0, spread, np.where(whole > 0, whole, 1.0))
    rate = gone.mean(axis=0)
    learnt = {
        "centre": np.where(some, quartiles[1], 0.0),
        # a column that never had a value says nothing when it has one
        "scale": np.where(some, scale, np.inf),
        "missing": 1 / np.maximum(np.sqrt(rate * (1 - rate)), 1 / 3),
        "gaps": np.flatnonzero(np.isnan(kept).any(axis=0)),
    }
    scaled = _scaled(rows, learnt["centre"], learnt["scale"])
    return learnt | {"axes": _principal_axes(scaled - scaled.mean(axis=0)), "middle": scaled.mean(axis=0)}


def _principal_axes(scaled: Array) -> Array:
    """Give the leading axes, (d, p), by power iterations (Halko, Martinsson & Tropp 2011); none for few columns."""
    rows, features = scaled.shape
    wanted = min(_WIDE - 2, rows - 1)
    if features <= _WIDE or wanted < 1:
        return np.empty((0, features))
    axes = np.random.default_rng(0).normal(size=(features, min(wanted + 10, rows)))
    for _ in range(4):
        inner = np.linalg.qr(scaled @ axes)[0]
        axes = np.linalg.qr(scaled.T @ inner)[0]
    lengths, turn = np.linalg.svd(scaled @ axes, full_matrices=False)[1:]
    leading = np.flatnonzero(lengths[:wanted] > 1e-6 * max(float(lengths.max()), 1e-300))
    leading_axes: Array = (axes @ turn[leading].T).T
    return leading_axes


def _scaled(matrix: Array, centre: Array, scale: Array) -> Array:
    with np.errstate(over="ignore"):
        scaled = (matrix - centre) / scale
    np.clip(scaled, -_CLIP, _CLIP, out=scaled)
    scaled[np.isnan(scaled)] = 0.0
    return scaled


def _placed(known: Look, matrix: Array) -> Array:
    """Give the points between which distances are taken: scaled values and what is missing.

    Of many columns: their principal parts, the length of what is left over, and the weight of all that is missing.
    """
    gone = np.isnan(matrix)
    scaled = _scaled(matrix, known.centre, known.scale)
    missing = gone * known.missing if gone.any() else np.zeros((1, len(known.missing)))
    if matrix.shape[1] <= _WIDE:
        # columns without gaps in training are as far from every training row: one number for all of them
        others = np.delete(missing, known.gaps, axis=1)
        lost = np.broadcast_to(
            np.column_stack([missing[:, known.gaps], np.sqrt((others**2).sum(axis=1))]),
            (len(matrix), len(known.gaps) + 1),
        )
        return np.concatenate([scaled, lost], axis=1, dtype=np.float32)
    moved = scaled - known.middle
    parts = moved @ known.axes.T
    rest = np.sqrt(np.maximum((moved**2).sum(axis=1) - (parts**2).sum(axis=1), 0))
    lost = np.broadcast_to(np.sqrt((missing**2).sum(axis=1)), (len(matrix),))
    return np.column_stack([parts, rest, lost]).astype(np.float32)
