"""Sets of classes that hold the truth as often as they say, for each class by itself.

Class-conditional (Mondrian) split conformal prediction with the score ``1 - probability of the class`` (Vovk 2012;
Sadinle, Lei & Wasserman 2019). Formulas and limits in docs/learn/trust.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.calibration import fold_blocks
from armillary.learn.samples import Array
from armillary.learn.scores import check_probability, judged

#: Coverages that are learnt if none is asked for.
COVERAGES: Final = (0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Conformal:
    """Least probabilities at which a class is in the set.

    Parameters
    ----------
    levels : mapping of str to tuple of float
        Coverage, as text such as "0.9": threshold of each class. 0 = always in the set: too few rows to exclude it.
    rows : tuple of int
        Rows of each class that it was learnt from.
    """

    levels: Mapping[str, tuple[float, ...]]
    rows: tuple[int, ...]

    def sets(self, probability: Array, coverage: float = 0.9) -> Array:
        """Say which classes are in the set of each row, (n, K).

        An empty set says that the row looks like none of the classes.

        Raises
        ------
        BadParameter
            If this coverage was not learnt.
        BadData
        """
        if f"{coverage:g}" not in self.levels:
            raise BadParameter(f"sets of coverage {coverage:g} were not learnt", f"ask for {', '.join(self.levels)}")
        limits, probability = np.array(self.levels[f"{coverage:g}"]), check_probability(probability)
        if probability.shape[1] != len(limits):
            problem = f"these sets are of {len(limits)} classes, not of {probability.shape[1]}"
            raise BadData(problem, "use the sets that were learnt with the model")
        inside: Array = probability >= limits
        return inside

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"levels": {name: list(one) for name, one in self.levels.items()}, "rows": list(self.rows)}


def conformal_of(record: Mapping[str, Any]) -> Conformal:
    """Make it of plain values, as :meth:`Conformal.to_record` gives them."""
    return Conformal({name: tuple(one) for name, one in record["levels"].items()}, tuple(record["rows"]))


def fit_conformal(probability: Array, codes: Array, coverages: Sequence[float] = COVERAGES) -> Conformal:
    """Learn the sets from held-out probabilities.

    Parameters
    ----------
    probability : array of float, (n, K)
        Out of fold, and calibrated in the same way as those that the sets are asked for.
    codes : array of int, (n,)
        True classes; rows of -1 are left out.
    coverages : sequence of float
        How often the truth should be in the set, of each class, 0..1.

    Raises
    ------
    BadData, BadParameter

    Examples
    --------
    >>> said = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    >>> learnt = fit_conformal(said, np.array([0, 0, 0, 0, 1, 1, 1]), [0.75])
    >>> learnt.levels["0.75"]
    (0.6, 0.6)
    """
    wrong = [one for one in coverages if not 0 < one < 1]
    if wrong or not coverages:
        raise BadParameter(
            f"a coverage of {wrong[0] if wrong else None} cannot be kept", "give numbers between 0 and 1"
        )
    seen = judged(codes, probability)
    number = seen.probability.shape[1]
    of_class = [np.sort(seen.probability[seen.codes == code, code]) for code in range(number)]
    levels = {f"{one:g}": tuple(_threshold(values, one) for values in of_class) for one in coverages}
    return Conformal(levels, tuple(len(values) for values in of_class))


def coverage_of(sets: Array, codes: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Measure sets on labelled rows.

    Parameters
    ----------
    sets : array of bool, (n, K)
    codes : array of int, (n,)
        True classes; rows of -1 are left out.
    classes : sequence of str

    Returns
    -------
    dict
        ``coverage`` (share of rows whose truth is in the set), ``per_class`` (name: the same; NaN without rows),
        ``mean_size``, ``empty``, ``single`` (shares of sets with no and with one class).

    Raises
    ------
    BadData
    """
    sets, codes = np.asarray(sets, bool), np.asarray(codes)
    if sets.shape != (len(codes), len(classes)) or not (codes >= 0).any() or codes.max() >= len(classes):
        raise BadData(
            f"sets {sets.shape} do not fit {len(codes)} labels", "give one row of sets a label, and some labels"
        )
    known = codes >= 0
    inside, size = sets[known, codes[known]], sets[known].sum(axis=1)
    each = [inside[codes[known] == code] for code in range(len(classes))]
    return {
        "coverage": float(inside.mean()),
        "per_class": {
            name: float(one.mean()) if one.size else float("nan") for name, one in zip(classes, each, strict=True)
        },
        "mean_size": float(size.mean()),
        "empty": float((size == 0).mean()),
        "single": float((size == 1).mean()),
    }


def held_out_sets(probability: Array, codes: Array, blocks: Array, coverage: float = 0.9) -> Array:
    """Give sets, (n, K), each learnt without the block of its row: what :func:`coverage_of` should judge.

    Raises
    ------
    BadData
        If there are fewer than 2 blocks.
    """
    codes, folds = np.asarray(codes), fold_blocks(np.asarray(blocks))
    sets = np.ones(np.shape(probability), bool)
    for fold in range(folds.max() + 1):
        learnt = folds != fold
        if (codes[learnt] >= 0).any():
            fitted = fit_conformal(probability[learnt], codes[learnt], [coverage])
            sets[~learnt] = fitted.sets(probability[~learnt], coverage)
    return sets


def measure_held_out(
    probability: Array, codes: Array, blocks: Array, classes: Sequence[str], coverage: float = 0.9
) -> dict[str, Any]:
    """Measure sets on the rows that they are learnt from, each block by sets of the others.

    Returns
    -------
    dict
        As of :func:`coverage_of`, and ``stated``: the coverage asked for; empty with fewer than 2 blocks or no label.
    """
    if len(np.unique(blocks)) < 2 or not (np.asarray(codes) >= 0).any():
        return {}
    sets = held_out_sets(probability, codes, blocks, coverage)
    return {"stated": coverage, **coverage_of(sets, codes, classes)}


def measure_unseen(
    learnt: tuple[Array, Array], probability: Array, codes: Array, classes: Sequence[str], coverage: float = 0.9
) -> dict[str, Any]:
    """Measure sets on other rows than those that they are learnt from.

    Parameters
    ----------
    learnt : tuple of array
        Held-out probabilities, (m, K), and true classes, (m,).

    Returns
    -------
    dict
        As of :func:`measure_held_out`.
    """
    if not (np.asarray(codes) >= 0).any() or not (np.asarray(learnt[1]) >= 0).any():
        return {}
    sets = fit_conformal(*learnt, [coverage]).sets(probability, coverage)
    return {"stated": coverage, **coverage_of(sets, codes, classes)}


def in_words(sets: Array, classes: Sequence[str]) -> list[str]:
    """Write sets as texts such as "dwarf|giant", "" for none; so they stand in a catalogue.

    Examples
    --------
    >>> in_words(np.array([[True, True], [False, False]]), ("dwarf", "giant"))
    ['dwarf|giant', '']
    """
    packed = [row.tobytes() for row in np.packbits(np.asarray(sets, bool), axis=1)]
    words = {
        code: "|".join(name for name, one in zip(classes, row, strict=True) if one)
        for code, row in dict(zip(packed, np.asarray(sets), strict=True)).items()
    }
    return [words[one] for one in packed]


def _threshold(values: Array, coverage: float) -> float:
    """Give the k-th largest of n sorted probabilities, k = ceil((n + 1) * coverage); 0 if n is too small for that."""
    rank = int(np.ceil((len(values) + 1) * coverage - 1e-9))
    return float(values[len(values) - rank]) if rank <= len(values) else 0.0
