"""Whether new rows are like those that were learnt from.

Three looks at a row, each a rank among training rows seen from *other* blocks, for neighbours in time or on the ground
are nearly copies of each other: how far all its features are from training rows, how far its inputs alone are (features
made of differences may hide that all inputs moved), and how far single inputs stick out of their usual range. The least
rank counts, and is ranked again. Formulas in docs/learn/trust.md.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from armillary.errors import BadData, CannotWrite, DamagedFile
from armillary.learn.drift import STATES, UNKNOWN, Profile, finite_matrix, profile_of
from armillary.learn.looks import Look, fit_look, one_thread
from armillary.learn.samples import Array

#: Shares of held-out training rows that are nearer than the rows called so.
SHIFTED: Final = 0.95
OOD: Final = 0.99
#: Rows that are looked at together.
_STEP: Final = 8192
#: Shares of the values of a column below and above its usual range.
_TAILS: Final = (0.005, 0.995)
#: Parts into which blocks are put to see how far rows stick out of the range of the others.
_FOLDS: Final = 5
_CLIP: Final = 10.0
_OF_REFERENCE: Final = ("inputs", "low", "high", "spread", "out", "ranks", "note")


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What training rows looked like; as large as 2000 rows, whatever was learnt from.

    Parameters
    ----------
    looks : tuple of Look
        Of all columns, and of the inputs alone where these are others.
    inputs : array of int, (q,)
        Columns whose range is looked at: the inputs, or all if these are not known.
    low, high, spread : array of float, (q,)
        Usual range of each of them, and the unit of what lies beyond.
    out : array of float
        How far training rows stick out of the ranges of other blocks, all inputs together, sorted.
    ranks : array of float
        Least rank of each training row over all looks, sorted.
    note : array of str, ()
        What should be known about it, "" for nothing.
    profile : Profile
        How the values of each column were spread, for :func:`armillary.learn.drift.drift`.
    """

    looks: tuple[Look, ...]
    inputs: Array
    low: Array
    high: Array
    spread: Array
    out: Array
    ranks: Array
    note: Array
    profile: Profile

    def distance(self, matrix: Array) -> Array:
        """Give the distance of each row to training rows, all columns counted, (n,); infinite if all is missing.

        Raises
        ------
        BadData
            If the rows have another number of columns.
        """
        matrix = finite_matrix(matrix, len(self.profile.names))
        far = np.concatenate([np.empty(0), *(self.looks[0].distance(one) for one in _portions(matrix))])
        far[np.isnan(matrix).all(axis=1)] = np.inf
        return far

    def place(self, matrix: Array) -> Array:
        """Give the points, (n, d) of float32, between which distances are taken: scaled, and turned if there are many.

        Raises
        ------
        BadData
            If the rows have another number of columns.
        """
        return self.looks[0].place(finite_matrix(matrix, len(self.profile.names)))

    def tail(self, matrix: Array) -> Array:
        """Give the share of held-out training rows that are as strange or stranger, (n,): a p-value."""
        matrix = finite_matrix(matrix, len(self.profile.names))
        with one_thread():
            least = np.concatenate([np.empty(0), *(self._least(one) for one in _portions(matrix))])
        share: Array = (1 + np.searchsorted(self.ranks, least, side="right")) / (1 + len(self.ranks))
        return share

    def trust(self, matrix: Array) -> Array:
        """Say for each row ``ok``, ``shifted`` or ``ood``, (n,); "" for a row without any value.

        Rows like the training rows are ``shifted`` in 4 % and ``ood`` in 1 % of cases.
        """
        tail = self.tail(matrix)
        states = np.array([*STATES, UNKNOWN])[(tail < 1 - SHIFTED).astype(np.int8) + (tail < 1 - OOD)]
        states[~np.isfinite(matrix).any(axis=1)] = UNKNOWN
        return np.asarray(states)

    def _least(self, matrix: Array) -> Array:
        ranks = [_rank(look.far, look.distance(matrix)) for look in self.looks]
        ranks.append(_rank(self.out, _sticks_out(matrix[:, self.inputs], self.low, self.high, self.spread)))
        return np.asarray(np.minimum.reduce(ranks))


def fit_reference(
    matrix: Array, blocks: Array, names: Sequence[str] = (), seed: int = 0, rows: int = 2000, inputs: Sequence[str] = ()
) -> Reference:
    """Keep what is needed to recognise strange rows and drift later.

    Parameters
    ----------
    matrix : array of float, (n, p)
        Features of all training rows, and inputs that are no features, NaN = missing.
    blocks : array of int, (n,)
        Blocks of the split.
    names : sequence of str
    seed, rows : int
        Of the rows that are kept.
    inputs : sequence of str
        Names of columns that are looked at by themselves too.

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
    profile = profile_of(matrix, blocks, names, seed)
    order = np.random.default_rng(seed).permutation(len(matrix))
    kept = order[-min(rows, len(matrix) - len(matrix) // 3) :]
    rest = order[: len(matrix) - len(kept)]
    one = len(np.unique(blocks[kept])) < 2
    note = "learnt from one block only: what is farther than that block looks strange" if one else ""
    # within a single block, a row is at least not its own neighbour
    apart = np.arange(len(matrix)) if one else blocks
    looks, ranks = [], []
    seen = _looked_at(profile.names, inputs)
    for columns in seen:
        look, far = fit_look(matrix[kept], matrix[rest], columns, apart[kept])
        looks.append(look)
        ranks.append(_rank(look.far, far))
    some = np.concatenate([kept, rest[:rows]])
    ranged = matrix[np.ix_(some, seen[-1])]
    out = _sticking_out(ranged, apart[some])[: len(kept)]
    ranks.append(_rank(np.sort(out), out))
    least = np.sort(np.minimum.reduce(ranks))
    return Reference(tuple(looks), seen[-1], *_range(ranged), np.sort(out), least, np.array(note), profile)


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference as .npz, whole or not at all.

    Raises
    ------
    CannotWrite
    """
    arrays = {name: getattr(reference, name) for name in _OF_REFERENCE}
    arrays |= {one.name: getattr(reference.profile, one.name) for one in fields(Profile)}
    for number, look in enumerate(reference.looks):
        arrays |= {f"look{number}_{one.name}": getattr(look, one.name) for one in fields(Look)}
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as out:
            np.savez_compressed(out, **arrays)
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
            looks = tuple(
                Look(**{one.name: found[f"look{number}_{one.name}"] for one in fields(Look)})
                for number in range(sum(name.endswith("_rows") for name in found.files))
            )
            return Reference(looks, **{name: found[name] for name in _OF_REFERENCE}, profile=profile)
    except Exception as failed:  # zipfile, zlib and numpy each have errors of their own for a file that is cut
        raise DamagedFile(f"{path} is no reference: {failed}", "run the study again") from failed


def _looked_at(names: Array, inputs: Sequence[str]) -> list[Array]:
    """Give the columns of each look: all, and the inputs if there are other columns too."""
    found = np.flatnonzero(np.isin(names, [str(one) for one in inputs]))
    every = np.arange(len(names))
    return [every, found] if 0 < len(found) < len(names) else [every]


def _portions(matrix: Array) -> Iterator[Array]:
    return (matrix[at : at + _STEP] for at in range(0, len(matrix), _STEP))


def _rank(far: Array, distance: Array) -> Array:
    """Give the share of sorted training distances that are as large or larger."""
    rank: Array = (1 + len(far) - np.searchsorted(far, distance, side="left")) / (1 + len(far))
    return rank


def _sticking_out(matrix: Array, blocks: Array) -> Array:
    """Give how far each row sticks out of the usual ranges of other blocks."""
    out, fold = np.empty(len(matrix)), blocks % _FOLDS
    for one in np.unique(fold):
        others = matrix[fold != one]
        out[fold == one] = _sticks_out(matrix[fold == one], *_range(others if len(others) > 1 else matrix))
    return out


def _range(matrix: Array) -> tuple[Array, Array, Array]:
    low, high, quarter, three = np.full((4, matrix.shape[1]), np.nan)
    some = np.isfinite(matrix).any(axis=0)
    low[some], quarter[some], three[some], high[some] = np.nanquantile(
        matrix[:, some], [_TAILS[0], 0.25, 0.75, _TAILS[1]], axis=0
    )
    spread, whole = (three - quarter) / 1.349, (high - low) / 5
    unit = np.where(spread > 0, spread, np.where(whole > 0, whole, 1.0))
    # a column that never had a value says nothing when it has one
    return np.where(some, low, -np.inf), np.where(some, high, np.inf), np.where(some, unit, 1.0)


def _sticks_out(matrix: Array, low: Array, high: Array, spread: Array) -> Array:
    """Give how far rows stick out of the usual ranges, the sum over columns in units of their spread."""
    with np.errstate(invalid="ignore", over="ignore"):
        beyond = np.maximum(np.maximum(low - matrix, matrix - high), 0) / spread
    total: Array = np.where(beyond < _CLIP, beyond, np.where(beyond >= _CLIP, _CLIP, 0)).sum(axis=1)
    return total
