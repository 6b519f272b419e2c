"""What drives the answers: groups of features permuted, dropped, or alone, always judged on held-out blocks.

Three numbers a group, each the change of the headline score with an interval over blocks:

- ``permuted``: the score that is lost when the held-out rows of the group are shuffled among themselves (Breiman 2001,
  Machine Learning 45, 5; grouped as in Gregorutti et al. 2015, Comput. Stat. Data Anal. 90, 15);
- ``dropped``: the score that is lost when the models are fitted again without the group: small where others can stand
  in for it;
- ``alone``: the score of models that see nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.answers import EACH_GROUP, ask, fit, folds_for, gives_probability, groups_of, held_out
from armillary.learn.bootstrap import interval
from armillary.learn.judging import SMALLER, judged_rows, scorer
from armillary.learn.preparing import Prepared
from armillary.learn.splits import Fold
from armillary.learn.study import ModelPart, Study
from armillary.model import Progress, share, silent

if TYPE_CHECKING:
    from armillary.learn.features import Features

Array = np.ndarray[Any, np.dtype[Any]]
_RESAMPLES: Final = 100


@dataclass(frozen=True, slots=True)
class Driver:
    """How much one group of features matters.

    Parameters
    ----------
    group : str
    columns : int
        How many columns it has.
    permuted, dropped : tuple of float
        Loss of the score, and the ends of its 95 % interval; positive = the group helps.
    alone : tuple of float
        Score of the group alone, and the ends of its interval.
    """

    group: str
    columns: int
    permuted: tuple[float, float, float]
    dropped: tuple[float, float, float]
    alone: tuple[float, float, float]

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {name: getattr(self, name) for name in ("group", "columns", "permuted", "dropped", "alone")}


def drivers(
    study: Study, part: ModelPart, prepared: Prepared, folds: Sequence[Fold], score: str, progress: Progress = silent
) -> list[Driver]:
    """Measure every group of features of one model, the most important first.

    Costs a fit a fold for all permutations, and two more fits a fold for each group.

    Parameters
    ----------
    score : str
        Name of a score of the held-out samples, such as ``macro_f1`` or ``rmse``.

    Raises
    ------
    BadParameter
        If the score is not one of these samples.
    """
    groups = list(dict.fromkeys(prepared.features.only(part.features).kinds))
    progress(0.0, "permuting")
    whole, shuffled = _permuted(study, part, prepared, folds, groups)
    rows = judged_rows(prepared, whole)
    if score not in scorer(study, prepared)(rows, whole[rows]):
        raise BadParameter(f"the held-out samples have no score {score!r}", "name one of metrics.json")
    found = []
    for number, group in enumerate(groups):
        step = share(progress, 0.2 + 0.8 * number / len(groups), 0.2 + 0.8 * (number + 1) / len(groups))
        others = [one for one in groups if one != group]
        less = _refitted(study, part, prepared, folds, others, share(step, 0.0, 0.5)) if others else None
        only = _refitted(study, part, prepared, folds, [group], share(step, 0.5, 1.0))
        losses = [loss(study, prepared, whole, one, score) for one in (shuffled[group], less)]
        columns = prepared.features.kinds.count(group)
        found.append(Driver(group, columns, losses[0], losses[1], _alone(study, prepared, only, score)))
    return sorted(found, key=lambda one: -np.nan_to_num(one.permuted[0], nan=-np.inf))


def loss(
    study: Study, prepared: Prepared, whole: Array, changed: Array | None, name: str
) -> tuple[float, float, float]:
    """Give what a score lost when answers changed, positive whichever way it counts, and the ends of its 95 % interval.

    Parameters
    ----------
    whole, changed : array, (n, K) or (n,)
        Held-out answers; None, and all is NaN.
    name : str
        Of the score.
    """
    if changed is None:
        return float("nan"), float("nan"), float("nan")
    rows = np.intersect1d(judged_rows(prepared, whole), judged_rows(prepared, changed))
    scored, sign = scorer(study, prepared), -1.0 if name in SMALLER else 1.0

    def lost(some: Array) -> float:
        at = rows[some]
        return sign * (_score(scored(at, whole[at]), name) - _score(scored(at, changed[at]), name))

    low, high = interval(lost, prepared.blocks[rows], min(study.resamples, _RESAMPLES), study.seed)
    return lost(np.arange(len(rows))), float(low), float(high)


def _permuted(
    study: Study, part: ModelPart, prepared: Prepared, folds: Sequence[Fold], groups: Sequence[str]
) -> tuple[Array, dict[str, Array]]:
    """Give the held-out answers, and those with each group shuffled among the held-out rows of a fold."""
    rng = np.random.default_rng(study.seed)
    classes = len(prepared.classes) if gives_probability(study, part) else 0
    blank = np.full((len(prepared), classes) if classes else len(prepared), np.nan)
    whole, shuffled = blank.copy(), {group: blank.copy() for group in groups}
    named = np.array(prepared.features.kinds)
    for fold in folds_for(part, prepared, folds):
        fitted = fit(study, part, prepared, fold.train, study.seed)
        matrix, mine = prepared.features.matrix[fold.test], groups_of(prepared, fold.test)
        whole[fold.test] = ask(fitted, matrix, classes, mine)
        for group in groups:
            changed = matrix.copy()
            order = _shuffled(rng, len(matrix), mine if part.options.get(EACH_GROUP) else None)
            changed[:, named == group] = matrix[order][:, named == group]
            shuffled[group][fold.test] = ask(fitted, changed, classes, mine)
    return whole, shuffled


def _shuffled(rng: np.random.Generator, rows: int, groups: Array | None) -> Array:
    """Give an order of rows by chance; within groups, whose columns may have different units."""
    if groups is None:
        return rng.permutation(rows)
    order = np.arange(rows)
    for name in np.unique(groups):
        mine = np.flatnonzero(groups == name)
        order[mine] = rng.permutation(mine)
    return order


def _refitted(
    study: Study, part: ModelPart, prepared: Prepared, folds: Sequence[Fold], groups: Sequence[str], progress: Progress
) -> Array:
    seen: Features = prepared.features.only(groups)
    return held_out(
        study, replace(part, features=()), replace(prepared, features=seen), folds, study.seed, None, progress
    )


def _alone(study: Study, prepared: Prepared, answer: Array, name: str) -> tuple[float, float, float]:
    rows = judged_rows(prepared, answer)
    scored = scorer(study, prepared)

    def score(some: Array) -> float:
        return _score(scored(rows[some], answer[rows[some]]), name)

    low, high = interval(score, prepared.blocks[rows], min(study.resamples, _RESAMPLES), study.seed)
    return score(np.arange(len(rows))), float(low), float(high)


def _score(scores: dict[str, Any], name: str) -> float:
    value = scores.get(name)
    return float(value) if value is not None else float("nan")
