"""How the answer changes along one column: accumulated local effects and partial dependence.

Accumulated local effects (Apley & Zhu 2020, J. R. Stat. Soc. B 82, 1059) ask only about small steps from rows that
there are; partial dependence (Friedman 2001, Ann. Stat. 29, 1189) gives every row the same value, also where there is
no such row. Where both differ, columns are dependent and the former is to be believed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.answers import ask, fit, gives_probability, groups_of
from armillary.learn.preparing import Prepared
from armillary.learn.study import ModelPart, Study

Array = np.ndarray[Any, np.dtype[Any]]
#: Bins of a column, and rows that are asked about for partial dependence.
_BINS: Final = 20
_ROWS: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What one column does to the answer of a model.

    Parameters
    ----------
    column : str
    edges : array, (b + 1,)
        Quantiles of the column.
    accumulated, partial : array, (b + 1, K) or (b + 1,)
        Accumulated local effect and partial dependence at the edges; the mean over the samples is taken away.
    counts : array of int, (b,)
        Samples between the edges that were asked about.
    """

    column: str
    edges: Array
    accumulated: Array
    partial: Array
    counts: Array

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def effects_along(
    study: Study, part: ModelPart, prepared: Prepared, columns: Sequence[str], rows: int = 2000
) -> list[Effect]:
    """Measure how the answer of a model, fitted once on everything, changes along some columns.

    Of one model a group, each row is asked of the model of its own group.

    Raises
    ------
    BadParameter
        If there is no such column, or it has one value only.
    """
    edges = [_edges(prepared, one) for one in columns]
    fitted = fit(study, part, prepared, np.arange(len(prepared)), study.seed)
    classes = len(prepared.classes) if gives_probability(study, part) else 0
    groups = groups_of(prepared)

    def answer(matrix: Array, of: Array) -> Array:
        return ask(fitted, matrix, classes, groups[of] if groups is not None else None)

    return [_effect(answer, prepared, name, at, rows) for name, at in zip(columns, edges, strict=True)]


def effects(study: Study, part: ModelPart, prepared: Prepared, column: str, rows: int = 2000) -> tuple[Array, Array]:
    """Give edges and accumulated local effect of one column, see :class:`Effect`.

    Raises
    ------
    BadParameter
    """
    found = effects_along(study, part, prepared, [column], rows)[0]
    return found.edges, found.accumulated


def leading_column(prepared: Prepared, group: str) -> str:
    """Give the column of a group whose order goes with the labels most, "" if none has two values.

    By the spread of the mean ranks of the classes (Kruskal & Wallis 1952), of numbers of their five quantile parts.
    """
    from scipy.stats import rankdata

    best, most = "", -1.0
    for name, mine, values in zip(
        prepared.features.names, prepared.features.kinds, prepared.features.matrix.T, strict=True
    ):
        known = np.isfinite(values) & prepared.judged
        if mine != group or len(np.unique(values[known])) < 2:
            continue
        parts = _parts(prepared, known)
        ranks = rankdata(values[known]) / known.sum()
        sums, counts = np.bincount(parts, weights=ranks), np.bincount(parts)
        spread = float(np.sum(counts * (sums / np.maximum(counts, 1) - ranks.mean()) ** 2))
        if spread > most:
            best, most = name, spread
    return best


def _parts(prepared: Prepared, known: Array) -> Array:
    """Give the class of each known row, or the part of all rows that its number falls into."""
    target = prepared.target[known]
    if prepared.classes:
        return np.asarray(target.astype(np.int64))
    return np.searchsorted(np.quantile(target, [0.2, 0.4, 0.6, 0.8]), target)


def _edges(prepared: Prepared, column: str) -> Array:
    features = prepared.features
    if column not in features.names:
        raise BadParameter(f"there is no feature {column!r}", f"there are {', '.join(features.names[:20])}...")
    values = features.matrix[:, features.names.index(column)]
    edges = np.unique(np.quantile(values[np.isfinite(values)], np.linspace(0, 1, _BINS + 1)))
    if len(edges) < 2:
        raise BadParameter(f"feature {column!r} has one value only", "choose another one")
    return edges


def _effect(
    answer: Callable[[Array, Array], Array], prepared: Prepared, column: str, edges: Array, rows: int
) -> Effect:
    at, matrix = prepared.features.names.index(column), prepared.features.matrix
    known = np.flatnonzero(np.isfinite(matrix[:, at]))
    some = known[:: max(len(known) // rows, 1)]
    place = np.clip(np.searchsorted(edges, matrix[some, at], side="left") - 1, 0, len(edges) - 2)
    counts = np.bincount(place, minlength=len(edges) - 1)
    low, high = matrix[some], matrix[some]
    low[:, at], high[:, at] = edges[place], edges[place + 1]
    steps = _means(answer(high, some) - answer(low, some), place, counts)
    grown = np.concatenate([np.zeros((1, *steps.shape[1:])), np.cumsum(steps, axis=0)])
    few = some[:: max(len(some) // _ROWS, 1)]
    partial = np.stack([_held(answer, matrix[few], few, at, value) for value in edges])
    return Effect(column, edges, _centred(grown, counts), _centred(partial, counts), counts)


def _held(answer: Callable[[Array, Array], Array], matrix: Array, rows: Array, at: int, value: float) -> Array:
    """Give the mean answer with one value for all rows."""
    matrix = matrix.copy()
    matrix[:, at] = value
    return np.asarray(np.nanmean(answer(matrix, rows), axis=0))


def _means(change: Array, place: Array, counts: Array) -> Array:
    """Give the mean change of each bin; 0 where there is no row."""
    sums = np.zeros((len(counts), *change.shape[1:]))
    np.add.at(sums, place, np.nan_to_num(change))
    return np.asarray(sums / np.maximum(counts, 1).reshape(-1, *(1,) * (change.ndim - 1)))


def _centred(curve: Array, counts: Array) -> Array:
    """Take away the mean over the samples."""
    middle = (curve[1:] + curve[:-1]) / 2
    return np.asarray(curve - np.tensordot(counts / counts.sum(), middle, axes=1))
