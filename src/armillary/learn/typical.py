"""How typical a row is of any class that was learnt: rows of a class that nobody taught are typical of none.

Each class has its own neighbours, and each neighbour its own idea of how far others usually are; so a thin class, or
the thin end of one, does not look strange beside a crowded one. The answer is the largest p-value over classes
(conformal novelty; Vovk 2012). A model adds how sure it is: both p-values are joined as Fisher (1925) does, and ranked
again.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, CannotWrite, DamagedFile
from armillary.learn.looks import one_thread
from armillary.learn.samples import Array

#: Share of held-out rows of known classes below which a row is said to be of none.
LEVEL: Final = 0.01
#: Neighbours whose distance counts; rows that are kept of all classes together, and of one at least.
_NEAR: Final = 5
_ROWS: Final = 2000
_LEAST: Final = 40
#: Columns at most: their gaps are one number of 64 bits.
_MOST: Final = 60
#: Rows of a class, or of all, by which distances and answers are ranked.
_RANKED: Final = 1500
#: Rows of one matrix product, always as many: so a row is as typical whatever rows stand beside it.
_CHUNK: Final = 128
_CLIP: Final = 1000.0
#: A column that one of two rows lacks counts as one deviation; two rows with nothing in common are so far apart.
_LACKING, _APART = 1.0, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Typical:
    """What rows of each class look like; as large as some 2000 rows, whatever was learnt from.

    Parameters
    ----------
    names : array of str, (p,)
        Columns that are looked at; of no column if not told.
    middle, scale : array of float, (p,)
        Of each column: the median of all rows, and the usual deviation within a class.
    rows : array of float, (m, p)
        Scaled rows, class by class, NaN = missing.
    wide : array of float, (m,)
        How far neighbours of each row usually are, squared.
    sizes : array of int, (K,)
        How many rows each class has.
    far : array of float, (K, q)
        Of each class how far rows of other blocks are, sorted; filled up with infinity.
    models : array of str, (M,)
    sure, both : array of float, (M, q)
        Of each model the probabilities of the class that it says of held-out rows, and the sums of the logarithms of
        both p-values, sorted.
    """

    names: Array
    middle: Array
    scale: Array
    rows: Array
    wide: Array
    sizes: Array
    far: Array
    models: Array
    sure: Array
    both: Array

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
        for far, distance in zip(self.far, _distances(self, matrix).T, strict=True):
            told = np.maximum(told, _share(far[np.isfinite(far)], distance))
        return told

    def with_answer(self, matrix: Array, probability: Array, model: str) -> Array:
        """Give how typical rows are to look at and by what a model says of them, (n,): a p-value.

        Parameters
        ----------
        matrix : array of float, (n, p)
        probability : array of float, (n, K)
            Calibrated, before any other prior; NaN gives NaN.
        model : str

        Raises
        ------
        BadData
            If the columns are others, or the model is.
        """
        if model not in self.models.tolist():
            raise BadData(f"how sure the model {model!r} usually is was not kept", "run the study again")
        at = self.models.tolist().index(model)
        said = probability.max(axis=1)
        joined = np.log(self.tail(matrix)) + np.log(_rank(self.sure[at], said))
        return np.where(np.isfinite(said), _rank(self.both[at], joined), np.nan)


def fit_typical(matrix: Array, codes: Array, blocks: Array, seed: int = 0, names: Sequence[str] = ()) -> Typical:
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
    names : sequence of str
        Of the columns.

    Raises
    ------
    BadData
        If no class has 20 rows, or there are more than 60 columns.

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
    if matrix.shape[1] > _MOST:
        problem = f"{matrix.shape[1]} columns are too many to say what is typical"
        raise BadData(problem, f"choose {_MOST} or fewer that do not repeat each other")
    parts = list(_parted(codes, blocks, seed))
    kinds = [int(codes[one[0]]) for one, _ in parts]
    known = np.isfinite(matrix).any(axis=0)
    middle, scale = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    middle[known] = np.nanmedian(matrix[:, known], axis=0)
    scale[known] = _within(matrix[:, known], codes, kinds)
    points = [_scaled(matrix[one], middle, scale) for one, _ in parts]
    nothing = np.empty((0, 0))
    made = Typical(
        np.array(names, str), middle, scale, np.concatenate(points), np.concatenate([_usual(one) for one in points]),
        np.array([len(one) for one in points]), nothing, np.array([], str), nothing, nothing,
    )  # fmt: skip
    far = [np.sort(_distances(made, matrix[other])[:, at]) for at, (_, other) in enumerate(parts)]
    return replace(made, far=_filled(far))


def with_answers(
    typical: Typical, matrix: Array, codes: Array, blocks: Array, answers: Mapping[str, Array], seed: int = 0
) -> Typical:
    """Learn how sure models usually are, on rows that :func:`fit_typical` did not keep.

    Parameters
    ----------
    typical : Typical
        Of the same rows, blocks and seed.
    matrix, codes, blocks, seed
        As for :func:`fit_typical`.
    answers : mapping of str to array, (n, K)
        Of each model held-out probabilities, calibrated; NaN where there is none.
    """
    others = np.concatenate([other for _, other in _parted(np.asarray(codes), blocks, seed)])
    tail = np.log(typical.tail(matrix[others]))
    sure, both = [], []
    for answer in answers.values():
        said = answer[others].max(axis=1)
        known = np.isfinite(said)
        usual = np.sort(said[known])
        sure.append(usual)
        both.append(np.sort(tail[known] + np.log(_rank(usual, said[known]))))
    return replace(typical, models=np.array(list(answers), str), sure=_filled(sure), both=_filled(both))


def check_columns(wanted: Sequence[str], names: Sequence[str], task: str) -> None:
    """Refuse columns that are no features, and tasks without classes.

    Raises
    ------
    BadParameter
    """
    if task != "classes":
        raise BadParameter(f"typical is for classes, not for {task}", "leave it out")
    lost = [one for one in wanted if one not in names]
    if lost:
        raise BadParameter(f"typical names the feature {lost[0]!r}", f"there are {', '.join(names[:60])}")


def save_typical(typical: Typical, path: Path) -> None:
    """Write it as .npz, whole or not at all.

    Raises
    ------
    CannotWrite
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as out:
            np.savez_compressed(out, **{one.name: getattr(typical, one.name) for one in fields(Typical)})
        aside.replace(path)
    except OSError as failed:
        aside.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "free space or choose another folder") from failed


def load_typical(path: Path) -> Typical:
    """Read what :func:`save_typical` wrote; nothing in it is unpickled.

    Raises
    ------
    DamagedFile
        Also if it is not there: the run was made before rows of unknown classes were told.
    """
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as found:
            return Typical(**{one.name: found[one.name] for one in fields(Typical)})
    except FileNotFoundError:
        problem = f"the run {path.parent} keeps no {path.name}, by which rows of unknown classes are told"
        raise DamagedFile(problem, "run its study again into another folder") from None
    except Exception as failed:  # zipfile, zlib and numpy each have errors of their own for a file that is cut
        raise DamagedFile(f"{path} does not say what is typical: {failed}", "run the study again") from failed


def _parted(codes: Array, blocks: Array, seed: int) -> Iterator[tuple[Array, Array]]:
    """Give of each class the rows that are kept, and those of other blocks by which they are ranked."""
    kinds = [code for code in np.unique(codes[codes >= 0]).tolist() if (codes == code).sum() >= 20]
    if not kinds:
        raise BadData("no class has 20 rows: too few to say what is typical", "give more labelled rows")
    half = np.unique(blocks, return_inverse=True)[1].reshape(-1) % 2
    random = np.random.default_rng(seed)
    for code in kinds:
        mine = random.permutation(np.flatnonzero(codes == code))
        one, other = mine[half[mine] == 0], mine[half[mine] == 1]
        if min(len(one), len(other)) < _NEAR:  # one block only
            one, other = mine[::2], mine[1::2]
        most = min(len(one), max(_LEAST, _ROWS // len(kinds)))
        yield one[: most - most % _NEAR], other[:_RANKED]


def _within(matrix: Array, codes: Array, kinds: list[int]) -> Array:
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


def _scaled(matrix: Array, middle: Array, scale: Array) -> Array:
    """Scale rows; what is missing or infinite is NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        points = (matrix - middle) / scale
    return np.where(np.isfinite(points), np.clip(points, -_CLIP, _CLIP), np.nan)


def _usual(points: Array) -> Array:
    """Give for each row of a class how far its neighbours are, squared; smoothed, and never far below the median."""
    square = np.array([_weigh(points, np.isfinite(one))(one[None])[0] for one in points])
    np.fill_diagonal(square, np.inf)
    near = np.argsort(square, axis=1)[:, :_NEAR]
    mean = np.take_along_axis(square, near, axis=1).mean(axis=1)
    smooth = np.sqrt(mean * mean[near].mean(axis=1))
    return np.asarray(smooth + max(float(np.median(smooth)), 1e-12))


def _distances(typical: Typical, matrix: Array) -> Array:
    """Give the distance to each class, (n, K), in units of what is usual around the rows that are near.

    It is the mean, over five parts of the rows of a class, of the distance to the nearest. Rows that lack the same
    columns are looked at together: one matrix product.
    """
    points = _scaled(np.asarray(matrix, float), typical.middle, typical.scale)
    keys = np.isfinite(points) @ (1 << np.arange(points.shape[1]))
    _, first_of, which = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(which, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=len(first_of)))])
    first = np.concatenate([[0], np.repeat(typical.sizes // _NEAR, _NEAR).cumsum()[:-1]])
    made = np.empty((len(points), len(typical.sizes)))
    with one_thread():
        for at, row in enumerate(first_of):
            square = _weigh(typical.rows, np.isfinite(points[row]), typical.wide)
            for low in range(int(edges[at]), int(edges[at + 1]), _CHUNK):
                some = order[low : min(low + _CHUNK, int(edges[at + 1]))]
                near = np.minimum.reduceat(square(points[some]), first, axis=1)
                made[some] = np.sqrt(np.maximum(near, 0)).reshape(len(some), -1, _NEAR).mean(axis=2)
    return made


def _weigh(rows: Array, pattern: Array, wide: Array | float = 1.0) -> Any:
    """Give the function from points, all of one pattern of gaps, to squared distances from rows, (n, m).

    Squares of differences and gaps are averaged over the columns that one of the two has.
    """
    there = np.isfinite(rows)
    common, count = there[:, pattern].astype(float), there.sum(axis=1)
    value = np.where(there, rows, 0.0)[:, pattern]
    both = common.sum(axis=1)
    lacking = count + pattern.sum() - 2 * both
    apart = both == 0
    weight = np.where(apart, 0.0, 1 / np.maximum(both + lacking, 1)) / wide
    alone = (np.square(value).sum(axis=1) + _LACKING * lacking) * weight + apart * (_APART**2 / wide)
    right = np.vstack([common.T * weight, -2 * value.T * weight, alone]).astype(np.float32)

    def square(points: Array) -> Array:
        seen = points[:, pattern]
        left = np.zeros((_CHUNK if len(points) > 1 else 1, len(right)), np.float32)
        left[: len(points)] = np.column_stack([seen**2, seen, np.ones(len(points))])
        return np.asarray((left @ right)[: len(points)])

    return square


def _share(far: Array, distance: Array) -> Array:
    """Give the share of usual distances that are as large; beyond all of them it still falls."""
    share = (len(far) - np.searchsorted(far, distance, side="left")) / (1 + len(far))
    beyond = 1 / (1 + len(far)) / np.maximum(distance / max(float(far[-1]), 1e-300), 1.0)
    return np.asarray(np.maximum(share, beyond))


def _rank(usual: Array, values: Array) -> Array:
    """Give the share of usual values that are as small."""
    usual = usual[np.isfinite(usual)]
    return np.asarray((1 + np.searchsorted(usual, values, side="right")) / (1 + len(usual)))


def _filled(each: Sequence[Array]) -> Array:
    """Put sorted values of different lengths, thinned where there are many, into rows."""
    thin = [one[np.linspace(0, len(one) - 1, min(len(one), _RANKED)).round().astype(int)] for one in each]
    made = np.full((len(thin), max((len(one) for one in thin), default=0)), np.inf)
    for row, one in zip(made, thin, strict=True):
        row[: len(one)] = one
    return made
