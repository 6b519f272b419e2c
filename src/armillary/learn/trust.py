"""Whether new rows are like those that were learnt from.

Strangeness is the mean distance to the nearest training rows *of other blocks*: neighbours in time or on the ground are
nearly copies of each other, and would make everything new look strange. Formulas in docs/learn/trust.md.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, CannotWrite, DamagedFile
from armillary.learn.drift import STATES, Profile, finite_matrix, profile_of
from armillary.learn.samples import Array

#: Shares of held-out training rows that are nearer than the rows called so.
SHIFTED: Final = 0.975
OOD: Final = 0.995
_NEIGHBOURS: Final = 5
_CLIP: Final = 10.0
#: More columns than this are turned onto their principal axes first.
_WIDE: Final = 32
_AXES_FROM: Final = 2000
_PORTION: Final = 500_000
#: With more axes than this a tree of neighbours is slower than all distances at once.
_FEW_AXES: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What training rows looked like; as large as 2000 rows, whatever was learnt from.

    Parameters
    ----------
    centre, scale : array of float, (p,)
        Median and robust spread.
    missing : array of float, (p,)
        What a missing value adds to the distance.
    axes, middle : array of float, (d, p) and (p,)
        Principal axes and mean of scaled rows; axes of no rows if there are few features.
    rows : array of float, (m, ...)
        Training rows in the space where distances are taken.
    far : array of float
        Distances of training rows to those of other blocks, sorted.
    profile : Profile
        How the values of each feature were spread, for :func:`armillary.learn.drift.drift`.
    note : array of str, ()
        What should be known about it, "" for nothing.
    """

    centre: Array
    scale: Array
    missing: Array
    axes: Array
    middle: Array
    rows: Array
    far: Array
    note: Array
    profile: Profile

    def distance(self, matrix: Array) -> Array:
        """Give the mean distance of each row to its nearest training rows, (n,), infinite if all is missing.

        Raises
        ------
        BadData
            If the rows have another number of features.
        """
        matrix = finite_matrix(matrix, len(self.profile.names))
        answer = np.empty(len(matrix))
        near = _finder(self.rows)
        step = max(1, _PORTION // max(len(self.rows), matrix.shape[1]))
        for start in range(0, len(matrix), step):
            part = matrix[start : start + step]
            answer[start : start + step] = near(_placed(self, part))
            answer[start : start + step][~np.isfinite(part).any(axis=1)] = np.inf
        return answer

    def place(self, matrix: Array) -> Array:
        """Give the points, (n, d) of float32, between which distances are taken: scaled, and turned if there are many.

        Raises
        ------
        BadData
            If the rows have another number of features.
        """
        return _placed(self, finite_matrix(matrix, len(self.profile.names)))

    def tail(self, matrix: Array) -> Array:
        """Give the share of held-out training rows that are as far out or farther, (n,): a p-value."""
        nearer = np.searchsorted(self.far, self.distance(matrix), side="left")
        share: Array = (1 + len(self.far) - nearer) / (1 + len(self.far))
        return share

    def trust(self, matrix: Array) -> Array:
        """Say for each row ``ok``, ``shifted`` or ``ood``, (n,).

        Rows like the training rows are ``shifted`` in 2 % and ``ood`` in 0.5 % of cases.
        """
        limits = np.quantile(self.far, [SHIFTED, OOD])
        return np.array(STATES)[np.searchsorted(limits, self.distance(matrix), side="left")]


def fit_reference(
    matrix: Array, blocks: Array, names: Sequence[str] = (), seed: int = 0, rows: int = 2000
) -> Reference:
    """Keep what is needed to recognise strange rows and drift later.

    Parameters
    ----------
    matrix : array of float, (n, p)
        Features of all training rows, NaN = missing.
    blocks : array of int, (n,)
        Blocks of the split.
    names : sequence of str
    seed, rows : int
        Of the rows that are kept.

    Raises
    ------
    BadData
        If there are fewer than 10 rows, or no feature has a value.
    """
    matrix = finite_matrix(matrix, np.shape(matrix)[-1])
    if len(matrix) < 10 or not np.isfinite(matrix).any():
        problem = f"{matrix.shape[0]} rows of {matrix.shape[1]} features say too little about what is usual"
        raise BadData(problem, "give 10 rows or more, with values")
    blocks = np.unique(blocks, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(len(matrix))
    kept = order[-min(rows, len(matrix) - len(matrix) // 3) :]
    # other rows than those that are kept: axes follow the noise of the rows they were learnt from
    turned = _turned(matrix[order[: min(_AXES_FROM, len(matrix) - len(kept))] if matrix.shape[1] > _WIDE else kept])
    return _with_distances(turned, profile_of(matrix, blocks, names, seed), matrix[kept], blocks[kept])


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference as .npz, whole or not at all.

    Raises
    ------
    CannotWrite
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as out:
            np.savez_compressed(out, **_arrays(reference), **_arrays(reference.profile))
        aside.replace(path)
    except OSError as failed:
        aside.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "free space or choose another folder") from failed


def load_reference(path: Path) -> Reference:
    """Read what :func:`save_reference` wrote; nothing in it is unpickled.

    Raises
    ------
    DamagedFile
    """
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as found:
            profile = Profile(**{one.name: found[one.name] for one in fields(Profile)})
            arrays = {one.name: found[one.name] for one in fields(Reference) if one.name != "profile"}
            return Reference(**arrays, profile=profile)
    except Exception as failed:  # zipfile, zlib and numpy each have errors of their own for a file that is cut
        raise DamagedFile(f"{path} is no reference: {failed}", "run the study again") from failed


def _arrays(kept: Reference | Profile) -> dict[str, Any]:
    return {one.name: getattr(kept, one.name) for one in fields(kept) if one.name != "profile"}


def _turned(matrix: Array) -> dict[str, Array]:
    """Learn how rows are placed: centre, spread, weight of a missing value, principal axes if there are many."""
    gone = np.isnan(matrix)
    quartiles = np.full((3, matrix.shape[1]), np.nan)
    some = ~gone.all(axis=0)
    quartiles[:, some] = np.nanquantile(matrix[:, some], [0.25, 0.5, 0.75], axis=0)
    spread = (quartiles[2] - quartiles[0]) / 1.349
    whole = np.zeros(matrix.shape[1])
    whole[some] = np.nanstd(matrix[:, some], axis=0)
    scale = np.where(spread > 0, spread, np.where(whole > 0, whole, 1.0))
    rate = gone.mean(axis=0)
    learnt = {
        "centre": np.where(some, quartiles[1], 0.0),
        # a feature that never had a value says nothing when it has one
        "scale": np.where(some, scale, np.inf),
        "missing": 1 / np.maximum(np.sqrt(rate * (1 - rate)), 1 / 3),
    }
    scaled = _scaled(matrix, learnt["centre"], learnt["scale"])
    return learnt | {"axes": _principal_axes(scaled - scaled.mean(axis=0)), "middle": scaled.mean(axis=0)}


def _principal_axes(scaled: Array) -> Array:
    """Give the leading axes, (d, p), by power iterations (Halko, Martinsson & Tropp 2011); none for few features."""
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
        return np.nan_to_num(np.clip((matrix - centre) / scale, -_CLIP, _CLIP), nan=0.0)


def _placed(known: Reference, matrix: Array) -> Array:
    """Give the points between which distances are taken: scaled values and what is missing.

    Of many features: their principal parts, the length of what is left over, and the weight of all that is missing.
    """
    scaled = _scaled(matrix, known.centre, known.scale)
    gone = np.isnan(matrix) * known.missing
    if matrix.shape[1] <= _WIDE:
        return np.concatenate([scaled, gone], axis=1).astype(np.float32)
    parts = (scaled - known.middle) @ known.axes.T
    rest = np.sqrt(np.maximum(((scaled - known.middle) ** 2).sum(axis=1) - (parts**2).sum(axis=1), 0))
    return np.column_stack([parts, rest, np.sqrt((gone**2).sum(axis=1))]).astype(np.float32)


def _with_distances(learnt: dict[str, Array], profile: Profile, matrix: Array, blocks: Array) -> Reference:
    nothing = np.empty(0)
    bare = Reference(**learnt, rows=nothing, far=nothing, note=np.array(""), profile=profile)
    rows = _placed(bare, matrix)
    one = len(np.unique(blocks)) < 2
    note = "learnt from one block only: what is farther than that block looks strange" if one else ""
    # within a single block, a row is at least not its own neighbour
    apart = np.arange(len(rows)) if one else blocks
    step = max(1, _PORTION // len(rows))
    parts = range(0, len(rows), step)
    far = [_nearest(rows[at : at + step], rows, apart[at : at + step], apart) for at in parts]
    return Reference(**learnt, rows=rows, far=np.sort(np.concatenate(far)), note=np.array(note), profile=profile)


def _finder(rows: Array) -> Callable[[Array], Array]:
    """Give what finds mean distances to the nearest rows, whatever their block: a tree where there are few axes."""
    if rows.shape[1] > _FEW_AXES:
        return lambda points: _nearest(points, rows)
    from scipy.spatial import cKDTree

    tree, number = cKDTree(rows), min(_NEIGHBOURS, len(rows))
    return lambda points: np.asarray(tree.query(points, list(range(1, number + 1)))[0].mean(axis=1))


def _nearest(points: Array, rows: Array, own: Array | None = None, blocks: Array | None = None) -> Array:
    """Give the mean distance to the nearest rows of other blocks, (n,)."""
    square = (points**2).sum(axis=1)[:, None] + (rows**2).sum(axis=1) - 2 * (points @ rows.T)
    if own is not None and blocks is not None:
        square[own[:, None] == blocks] = np.inf
    # five passes are twelve times faster than one partition
    near = np.empty((len(points), min(_NEIGHBOURS, len(rows))))
    every = np.arange(len(points))
    for turn in range(near.shape[1]):
        nearest = square.argmin(axis=1)
        near[:, turn] = np.sqrt(np.maximum(square[every, nearest], 0))
        square[every, nearest] = np.inf
    known = np.isfinite(near)
    total: Array = np.where(known, near, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return total
