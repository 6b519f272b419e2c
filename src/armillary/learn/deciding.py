"""Which class is said: the most probable one, or the one whose weighted probability is largest.

Classes that are rare are seldom the most probable ones, and the F1 of a class is not made best by saying what is most
probable (Lipton et al. 2014, ECML PKDD). Weights are chosen on held-out answers of the training samples; held-out
samples themselves are judged by weights that were chosen without their block. Weights that do not gain on blocks
they have not seen are not taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.learn.calibration import fold_blocks
from armillary.learn.judging import judged_rows
from armillary.learn.preparing import Prepared, positive_of
from armillary.learn.scores import confusion, confusion_scores, rates
from armillary.learn.study import Study

Array = np.ndarray[Any, np.dtype[Any]]
#: Weights that are tried for each class, and how often one goes round all classes.
_TRIED: Final = np.geomspace(1 / 16, 16, 17)
_ROUNDS: Final = 2
#: Rows that a choice looks at: more of them do not move it.
_ROWS: Final = 10_000
#: Largest weight of a class.
_HIGHEST: Final = 1e6
#: A rule must gain so much on what it is chosen by, or the most probable class stays.
_LEAST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule that says a class.

    Parameters
    ----------
    score : str
        What it was chosen to make best: ``f1`` of the positive class, or ``macro_f1``.
    weights : tuple of float, (K,)
        Of the probabilities; all 1: the most probable class is said.
    """

    score: str
    weights: tuple[float, ...]

    def codes(self, probability: Array) -> Array:
        """Give the class said of each row of probabilities, (n,); -1 where one is missing."""
        known: Array = np.asarray(np.isfinite(probability).all(axis=1))
        return np.where(known, (np.where(known[:, None], probability, 0) * self.weights).argmax(axis=1), -1)

    def in_words(self, classes: tuple[str, ...]) -> str:
        """Say the rule.

        Examples
        --------
        >>> Decision("f1", (1.0, 3.0)).in_words(("quiet", "storm"))
        "'storm' is said from a probability of 0.250"
        """
        if all(one == self.weights[0] for one in self.weights):
            return "the most probable class is said"
        if len(classes) == 2:
            share = self.weights[0] / sum(self.weights)
            return f"{classes[1]!r} is said from a probability of {share:.3f}"
        told = ", ".join(f"{name} {weight:.3g}" for name, weight in zip(classes, self.weights, strict=True))
        return f"the class is said whose probability times its weight is largest; weights: {told}"

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"score": self.score, "weights": list(self.weights)}


@dataclass(frozen=True, slots=True)
class Deciding:
    """Rules for new data, and for held-out samples without looking at what is judged.

    Parameters
    ----------
    whole : Decision
        Chosen on all held-out answers.
    others : tuple of Decision
        Each chosen without the blocks of one fold.
    folds : array of int, (n,)
        The fold of each sample.
    """

    whole: Decision
    others: tuple[Decision, ...]
    folds: Array

    def codes(self, probability: Array) -> Array:
        """Give the class said of each held-out sample by the rule that has not seen its block, (n,)."""
        return np.choose(self.folds, [one.codes(probability) for one in self.others])


def decision_of(record: Mapping[str, Any]) -> Decision:
    """Make a rule of plain values, as :meth:`Decision.to_record` gives them."""
    return Decision(str(record["score"]), tuple(float(one) for one in record["weights"]))


def choose_deciding(study: Study, prepared: Prepared, answer: Array) -> Deciding | None:
    """Choose rules on held-out answers, if the study asks for one: of all of them, and without each fold of blocks."""
    if not study.choose_threshold or answer.ndim == 1:
        return None
    rows = judged_rows(prepared, answer)
    positive = positive_of(study, prepared.classes)
    at = prepared.classes.index(positive) if positive else -1
    folds = fold_blocks(prepared.blocks)

    def chosen(some: Array) -> Decision:
        return choose_across(prepared.target[some], answer[some], prepared.blocks[some], study.choose_threshold, at)

    others = tuple(chosen(rows[folds[rows] != fold]) for fold in range(int(folds.max()) + 1))
    return Deciding(chosen(rows), others, folds)


def choose_across(codes: Array, probability: Array, blocks: Array, score: str, positive: int = -1) -> Decision:
    """Choose weights as :func:`choose_decision` does, if weights so chosen are better on blocks they have not seen.

    Else the most probable class stays: the best place on few rows is often luck.
    """
    plain = Decision(score, (1.0,) * probability.shape[1])
    if len(np.unique(blocks)) < 2:
        return plain
    folds, said = fold_blocks(blocks), np.zeros(len(codes), np.int64)
    for fold in range(int(folds.max()) + 1):
        seen = folds != fold
        said[~seen] = choose_decision(codes[seen], probability[seen], score, positive).codes(probability[~seen])
    gain = _score(codes, said, plain, positive) - _score(codes, plain.codes(probability), plain, positive)
    return choose_decision(codes, probability, score, positive) if gain > 0 else plain


def choose_decision(codes: Array, probability: Array, score: str, positive: int = -1) -> Decision:
    """Choose weights that make a score best on labelled rows.

    Parameters
    ----------
    codes : array of int, (n,)
    probability : array of float, (n, K)
    score : str
        ``f1`` or ``macro_f1``.
    positive : int
        The class of ``f1``.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.45, 0.6])
    >>> rule = choose_decision(np.array([0, 0, 1, 1, 1, 1]), np.column_stack([1 - p, p]), "f1", 1)
    >>> rule.codes(np.column_stack([1 - p, p])).tolist()
    [0, 0, 1, 1, 1, 1]
    """
    step = -(-len(codes) // _ROWS)
    codes, probability = codes[::step], probability[::step]
    if score == "f1":
        return Decision(score, _for_one(codes == positive, probability, positive))
    return Decision(score, _for_all(codes, probability))


def _score(codes: Array, said: Array, rule: Decision, positive: int) -> float:
    counts = confusion(codes, said, len(rule.weights))
    if rule.score == "macro_f1":
        return float(confusion_scores(counts)["macro_f1"])
    return float(np.nan_to_num(rates(counts)[2][positive]))


def _for_one(is_positive: Array, probability: Array, positive: int) -> tuple[float, ...]:
    """Give weights that make the F1 of one class best: all its places in the order of rows are looked at."""
    weights = np.ones(probability.shape[1])
    rest = np.delete(probability, positive, axis=1).max(axis=1)
    # from which weight on a row is said to be of the class; never, where it has no probability at all
    needed = np.clip(rest / np.maximum(probability[:, positive], 1e-300), 1 / _HIGHEST, _HIGHEST)
    order = np.argsort(needed, kind="stable")
    ranked, found = needed[order], np.cumsum(is_positive[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + max(int(is_positive.sum()), 1))
    ends = np.flatnonzero(np.append(ranked[1:] > ranked[:-1], True) & (ranked < _HIGHEST))
    said = probability.argmax(axis=1) == positive
    plain = 2 * float((said & is_positive).sum()) / max(float(said.sum() + is_positive.sum()), 1.0)
    if not len(ends) or f1[ends].max() <= plain + _LEAST:
        return tuple(weights.tolist())
    best = ends[f1[ends] >= f1[ends].max() - _LEAST]
    # of places that are equally good the one nearest to the most probable class
    place = int(best[np.abs(np.log(ranked[best])).argmin()])
    after = float(ranked[place + 1]) if place + 1 < len(ranked) else _HIGHEST
    weights[positive] = float(np.sqrt(ranked[place] * min(after, 2 * ranked[place])))
    return tuple(weights.tolist())


def _for_all(codes: Array, probability: Array) -> tuple[float, ...]:
    """Give weights that make macro F1 best, one class after the other."""
    classes = probability.shape[1]
    weights = np.ones(classes)

    def gain(some: Array) -> float:
        said = (probability * some).argmax(axis=1)
        return float(confusion_scores(confusion(codes, said, classes))["macro_f1"])

    best = gain(weights)
    for _ in range(_ROUNDS):
        before = best
        for at in range(classes):
            for one in _TRIED:
                some = weights.copy()
                some[at] = one
                found = gain(some)
                if found > best + _LEAST:
                    best, weights = found, some
        if best <= before:
            break
    return tuple(float(one) for one in weights)
