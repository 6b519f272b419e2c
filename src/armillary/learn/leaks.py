"""The leak advisor: looks unasked for what makes scores too good, before any model of the study is trained.

Four looks, each silent where there is nothing:

- ``coordinates-alone``: do the nearest neighbours in time or space, without any measurement, know the answer?
- ``random-gap``: how much better does a model look when samples are shuffled than when whole stretches are held out?
- ``duplicates``: do rows of the features stand on both sides of a split?
- ``shift``: can held-out samples be told from training samples?

A look reports only what is both large and beyond three times its own noise, which is measured by resampling blocks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import MissingExtra
from armillary.learn.areas import average_precision, roc_area
from armillary.learn.copies import chance_of_twins, row_hashes
from armillary.learn.features import Features
from armillary.learn.places import cells_of, likely_places, places_of, ranks_of, thinned
from armillary.learn.splits import Fold, share_out

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
Parts = Sequence[tuple[Array, Array]]

#: Differences of scores that are told at all, and that are serious.
TOLD: Final = 0.04
SERIOUS: Final = 0.1
#: How many times its own noise a difference must have.
_SIGMAS: Final = 3.0
_NEIGHBOURS: Final = 5
_FOLDS: Final = 5
_RESAMPLES: Final = 40
#: Rows that the neighbour look, the gap look and each side of the shift look use, and columns of the last two.
_NEIGHBOUR_ROWS: Final = 40_000
_GAP_ROWS: Final = 5_000
_SIDE_ROWS: Final = 1_500
_COLUMNS: Final = 48
_CELLS: Final = 32
#: Of columns with any name: rows of a first look and of any, the share of what can be known that neighbours must know,
#: and the share of that, and the score, that must be lost across large cells; measured in docs/learn/not-fooled.md.
_QUICK_ROWS: Final = 3_000
_FEW: Final = 300
_KNOWN: Final = 0.35
_LOOSE: Final = 0.3
_LOST: Final = 0.4
_LEAST_LOST: Final = 0.3
#: Trees count in single precision.
_ABSURD: Final = 1e30
#: Share of held-out rows that also stand in training: told, serious.
_TWINS: Final = (0.01, 0.05)
#: Area under the ROC curve of telling held-out from training samples: told, serious.
_APART: Final = (0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the advisor says.

    Parameters
    ----------
    kind : str
        ``coordinates-alone``, ``random-gap``, ``duplicates`` or ``shift``.
    serious : bool
        Whether scores that do not heed it would be far too good.
    message : str
        One line for people.
    numbers : mapping of str to float
        What it rests on. ``guarded`` is 1 where the declared split keeps it out of the scores.
    """

    kind: str
    serious: bool
    message: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"kind": self.kind, "serious": self.serious, "message": self.message, "numbers": dict(self.numbers)}


def advise(
    samples: "xr.Dataset", features: Features, target: Array, folds: Sequence[Fold], blocks: Array, task: str,
    seed: int = 0, on: Sequence[str] = (),
) -> list[Finding]:  # fmt: skip
    """Look for leaks in what a study is about to judge.

    Parameters
    ----------
    samples : xarray.Dataset
        Its times and positions are found by name and type.
    features : Features
    target : array, (n,)
        Class numbers, -1 = unknown; numbers for the task "regression", NaN = unknown.
    folds : sequence of Fold
    blocks : array of int, (n,)
    task : str
    seed : int
        Of thinning, shuffling and resampling.
    on : sequence of str
        Coordinates with other names, as the split has them.

    Returns
    -------
    list of Finding
        The serious ones first; empty if nothing was seen.

    Raises
    ------
    MissingExtra
        If scikit-learn is not installed.

    Notes
    -----
    About 5 s for 20,000 samples, and hardly more for more: it looks at compact parts of the data.
    """
    asked = np.unique(np.concatenate([fold.test for fold in folds])) if folds else np.arange(0)
    matrix = features.matrix
    known = np.isfinite(target) if task == "regression" else target >= 0
    case = _Case(matrix, target, known, asked[known[asked]], tuple(folds), blocks, task == "regression", seed)
    empty = not np.isfinite(matrix).any()
    found = [] if empty else [_twins(case), _apart(case)]
    if task != "novelty" and case.can_be_scored():
        places = places_of(samples, on)
        found += [_by_place(case, name, place) for name, place in places.items()]
        found += [] if empty else [_gap(case, next(iter(places.values()), None))]
        if not any(one and one.kind == "coordinates-alone" for one in found):
            taken = [name for title in places for name in title.split(" and ")]
            found += [_by_unnamed(case, likely_places(samples, case.rows, target, [*taken, *on]))]
    return sorted((one for one in found if one), key=lambda one: not one.serious)


@dataclass(frozen=True, slots=True)
class _Case:
    """What all looks look at; `rows` are the judged samples with a known answer."""

    matrix: Array
    target: Array
    known: Array
    rows: Array
    folds: tuple[Fold, ...]
    blocks: Array
    numeric: bool
    seed: int

    def can_be_scored(self) -> bool:
        """Say whether there are enough samples, and different ones."""
        return len(self.rows) >= 40 and len(np.unique(self.target[self.rows])) > 1

    def single(self) -> bool:
        """Say whether nearly every sample is a block of its own: nothing is kept together."""
        return len(np.unique(self.blocks[self.rows])) > len(self.rows) / 2

    def declared(self, rows: Array) -> Parts:
        """Give train and test of the study's folds, among some rows and those that are only learnt from."""
        chosen = np.zeros(len(self.target), bool)
        chosen[rows] = True
        learnt = chosen & self.known
        return [(fold.train[learnt[fold.train]], fold.test[chosen[fold.test]]) for fold in self.folds[:_FOLDS]]

    def part(self, rows: Array, columns: Array) -> Array:
        """Give a part of the matrix as trees take it: without infinite and absurd numbers."""
        values = self.matrix[np.ix_(rows, columns)]
        return np.where(np.abs(values) < _ABSURD, values, np.nan)

    def rng(self) -> np.random.Generator:
        """Give a fresh generator, so that one look does not depend on another."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, slots=True)
class _Scale:
    """How answers are scored: R2, the average precision of the rarer of two classes, or accuracy."""

    name: str
    positive: int
    classes: int

    @classmethod
    def of(cls, case: _Case) -> "_Scale":
        if case.numeric:
            return cls("R2", 0, 0)
        codes, counts = np.unique(case.target[case.rows], return_counts=True)
        two = len(codes) == 2
        return cls(
            "average precision" if two else "accuracy", int(codes[np.argmin(counts)]), int(case.target.max()) + 1
        )

    def score(self, target: Array, answer: Array, weight: Array | None = None) -> float:
        weight = np.ones(len(target)) if weight is None else weight
        if self.name == "R2":
            spread = np.average((target - np.average(target, weights=weight)) ** 2, weights=weight)
            return max(1 - float(np.average((target - answer[:, 0]) ** 2, weights=weight) / max(spread, 1e-300)), -1.0)
        if self.name == "accuracy":
            return float(np.average(answer.argmax(axis=1) == target, weights=weight))
        return average_precision(target == self.positive, answer[:, self.positive], weight)

    def no_skill(self, target: Array) -> float:
        """Give the score of one constant answer."""
        if self.name == "R2":
            return 0.0
        if self.name == "accuracy":
            return float(np.bincount(target.astype(np.int64)).max() / len(target))
        return float((target == self.positive).mean())


def _by_place(case: _Case, name: str, place: Array) -> Finding | None:
    """Ask nearest neighbours in one place alone."""
    scale = _Scale.of(case)
    there = case.rows[np.isfinite(place[case.rows]).all(axis=1)]
    if len(there) < 40:
        return None
    rng = case.rng()
    rows = there[thinned(place[there], cells_of(place[there], _CELLS), _NEIGHBOUR_ROWS, rng)]

    def answer(parts: Parts) -> Array:
        return _answers(case, scale, parts, lambda train, test: _neighbours(case, scale, place, train, test))

    shuffled, declared = (
        answer(_shuffled(rows, rng)),
        answer(case.declared(np.union1d(rows, _only_learnt(case, place)))),
    )
    asked = rows[np.isfinite(shuffled[rows]).all(axis=1) & np.isfinite(declared[rows]).all(axis=1)]
    if len(asked) < 40 or len(np.unique(case.target[asked])) < 2:
        return None
    target, chance = case.target[asked], scale.no_skill(case.target[asked])
    high, own = (scale.score(target, one[asked]) for one in (shuffled, declared))
    noise = _noise(case, scale, asked, shuffled, None)
    if high - chance < max(TOLD, _SIGMAS * noise):
        return None
    guarded = high - own > (high - chance) / 2
    numbers = {"shuffled": high, "declared": own, "no_skill": chance, "noise": noise, "guarded": float(guarded)}
    said = (
        f"{name} alone, without any measurement, reaches {scale.name} {high:.2f} when samples are shuffled "
        f"(no skill: {chance:.2f}; in the declared folds: {own:.2f}): {_advice(guarded)}"
    )
    return Finding("coordinates-alone", high - chance >= SERIOUS, said, numbers)


def _by_unnamed(case: _Case, columns: Mapping[str, Array]) -> Finding | None:
    """Try all columns that could be a position or a time, alone and in pairs, whatever they are called.

    Of measurements the nearest rows know the class too, but those of the next cells know it nearly as well.
    """
    scale, quick = _Scale.of(case), []
    pairs = [(name,) for name in columns] + list(combinations(columns, 2))
    for names in pairs:
        place = np.column_stack([columns[name] for name in names])
        told = _across(case, scale, place, _QUICK_ROWS)
        if told and told["shuffled"] - told["cells"] >= _LOOSE * (told["shuffled"] - told["no_skill"]):
            quick.append((told["shuffled"] - told["cells"], names, place))
    for _, names, place in sorted(quick, key=lambda one: -one[0])[:3]:
        told = _across(case, scale, place, _NEIGHBOUR_ROWS // 2)
        if told is None or not _is_like_a_place(told):
            continue
        said = (
            f"{' and '.join(names)} alone let nearest neighbours reach {scale.name} {told['shuffled']:.2f} if samples "
            f"are shuffled, {told['cells']:.2f} across large cells (no skill: {told['no_skill']:.2f}): they look like "
            "positions or times, whose neighbours stand on both sides of the split; if they are, name them there "
            "(space_on, time_on) and hold out whole blocks"
        )
        return Finding("coordinates-alone", serious=True, message=said, numbers=told | {"guarded": 0.0})
    return None


def _across(case: _Case, scale: _Scale, place: Array, limit: int) -> dict[str, float] | None:
    """Ask the nearest rows of a place: shuffled, and across its large cells; None where nothing needs to be said."""
    rng = case.rng()
    rows = case.rows[np.isfinite(place[case.rows]).all(axis=1)]
    if len(rows) < _FEW:
        return None
    rows = rows[thinned(place[rows], cells_of(place[rows], _CELLS), limit, rng)]
    place = ranks_of(place, rows)
    cells = cells_of(place[rows], _CELLS)
    target = case.target[rows]
    chance = scale.no_skill(target)

    def answer(parts: Parts) -> Array:
        return _answers(case, scale, parts, lambda train, test: _neighbours(case, scale, place, train, test))

    shuffled = answer(_shuffled(rows, rng))
    high = scale.score(target, shuffled[rows]) if np.isfinite(shuffled[rows]).all() else chance
    if high - chance < _KNOWN * (1 - chance):
        return None
    across, own = answer(_by_cells(rows, cells, case.seed)), answer(case.declared(rows))
    asked = rows[np.isfinite(across[rows]).all(axis=1) & np.isfinite(own[rows]).all(axis=1)]
    if len(asked) < _FEW or high - scale.score(case.target[asked], own[asked]) > (high - chance) / 2:
        return None
    blocks = np.zeros(len(case.target), np.int64)
    blocks[rows] = cells
    low = scale.score(case.target[asked], across[asked])
    noise = _noise(replace(case, blocks=blocks), scale, asked, shuffled, across)
    return {"shuffled": high, "cells": low, "no_skill": chance, "noise": noise}


def _is_like_a_place(told: Mapping[str, float]) -> bool:
    lost, known = told["shuffled"] - told["cells"], told["shuffled"] - told["no_skill"]
    return lost >= max(_LOST * known, _LEAST_LOST, _SIGMAS * told["noise"])


def _gap(case: _Case, place: Array | None) -> Finding | None:
    """Judge one quick model three times: shuffled, in the declared folds, and across large cells of the first place."""
    if place is not None:
        place = np.where(np.isfinite(place), place, 0.0)
    if place is None and case.single():
        return None
    scale, rng = _Scale.of(case), case.rng()
    cells = case.blocks[case.rows] if place is None else cells_of(place[case.rows], _CELLS)
    chosen = thinned(None if place is None else place[case.rows], cells, _GAP_ROWS, rng)
    rows, cells = case.rows[chosen], cells[chosen]
    columns = _columns(case, rng)

    def answer(parts: Parts) -> Array:
        return _answers(case, scale, parts, lambda train, test: _trees(case, scale, columns, train, test))

    ways = {"shuffled": answer(_shuffled(rows, rng)), "declared": answer(case.declared(rows))}
    if place is not None:
        ways["cells"] = answer(_by_cells(rows, cells, case.seed))
    asked = rows[np.isfinite(np.column_stack([one[rows] for one in ways.values()])).all(axis=1)]
    if len(asked) < 40 or len(np.unique(case.target[asked])) < 2:
        return None
    scores = {name: scale.score(case.target[asked], one[asked]) for name, one in ways.items()}
    strict = min(scores, key=lambda name: scores[name])
    gap = scores["shuffled"] - scores[strict]
    noise = _noise(case, scale, asked, ways["shuffled"], ways[strict])
    if gap < max(TOLD, _SIGMAS * noise):
        return None
    guarded = scores["shuffled"] - scores["declared"] > gap / 2
    far = "" if strict == "declared" else f", {scores[strict]:.2f} across large cells"
    said = (
        f"a quick model reaches {scale.name} {scores['shuffled']:.2f} when samples are shuffled, "
        f"{scores['declared']:.2f} in the declared folds{far}: {_advice(guarded)}"
    )
    return Finding(
        "random-gap", gap >= SERIOUS, said, {**scores, "gap": gap, "noise": noise, "guarded": float(guarded)}
    )


def _twins(case: _Case) -> Finding | None:
    """Count held-out rows that also stand, number by number, among those learnt from."""
    asked = np.unique(np.concatenate([fold.test for fold in case.folds])) if case.folds else np.arange(0)
    hashes = row_hashes(case.matrix)
    asked = asked[np.isfinite(case.matrix[asked]).any(axis=1)]
    both, like = np.zeros(len(hashes), bool), np.zeros(len(hashes), bool)
    marked = hashes ^ row_hashes(np.asarray(case.target, np.float64).reshape(-1, 1))
    for fold in case.folds:
        both[fold.test] |= np.isin(hashes[fold.test], hashes[fold.train])
        like[fold.test] |= np.isin(marked[fold.test], marked[fold.train])
    twins = asked[both[asked]]
    share = len(twins) / max(len(asked), 1)
    distinct = len(np.unique(hashes[asked])) / max(len(asked), 1)
    if share < _TWINS[0] or len(twins) < 5 or distinct < 0.3:
        return None
    chance = chance_of_twins(case.matrix[asked])
    if share < 3 * chance:
        return None
    alike = float(like[twins].mean())
    said = (
        f"{share:.0%} of the held-out rows ({len(twins)}) stand number by number among those learnt from, "
        f"{alike:.0%} of them with the same label: take copies out, or keep them together by group_on"
    )
    numbers = {"share": share, "rows": float(len(twins)), "by_chance": chance, "same_label": alike, "guarded": 0.0}
    return Finding("duplicates", share >= _TWINS[1], said, numbers)


def _apart(case: _Case) -> Finding | None:
    """Ask a model to tell held-out from training samples, in blocks that it has not seen."""
    rng = case.rng()
    found = [one for one in (_told_apart(case, fold, rng) for fold in case.folds[:3]) if one]
    area, limit = max(found, default=(0.0, 1.0))
    if area < max(limit, _APART[0]):
        return None
    said = (
        f"held-out samples differ from those learnt from (told apart with ROC area {area:.2f}): "
        "the scores are about a shift, and hang on which blocks are held out"
    )
    return Finding("shift", area >= _APART[1], said, {"roc_auc": area, "limit": limit, "guarded": 0.0})


def _told_apart(case: _Case, fold: Fold, rng: np.random.Generator) -> tuple[float, float] | None:
    """Give the area under the ROC curve, and what blocks of one kind could give by chance."""
    sides = [_some(rows, _SIDE_ROWS, rng) for rows in (fold.train, fold.test)]
    rows, held_out = np.concatenate(sides), np.repeat([0, 1], [len(one) for one in sides])
    units = np.unique(case.blocks[rows], return_inverse=True)[1].reshape(-1)
    counts = [len(np.unique(units[held_out == side])) for side in (0, 1)]
    if min(counts) < 4:
        return None
    half = share_out(np.column_stack([np.bincount(units, held_out == side) for side in (0, 1)]), 2, case.seed)[units]
    columns, answer = _columns(case, rng), np.full(len(rows), np.nan)
    for side in (0, 1):
        learnt, asked = np.flatnonzero(half != side), np.flatnonzero(half == side)
        if len(np.unique(held_out[learnt])) < 2 or not len(asked):
            return None
        model = _forest(case.seed, numeric=False).fit(case.part(rows[learnt], columns), held_out[learnt])
        answer[asked] = model.predict_proba(case.part(rows[asked], columns))[:, 1]
    spread = np.sqrt((sum(counts) + 1) / (12 * counts[0] * counts[1]))
    return roc_area(held_out == 1, answer), 0.5 + 4 * float(spread)


def _advice(guarded: bool) -> str:
    if guarded:
        return "the declared split keeps neighbours apart; a shuffled one would flatter, never quote it"
    return "neighbours stand on both sides of the split; hold out larger whole blocks (time_on, space_on, sky_on)"


def _only_learnt(case: _Case, place: Array) -> Array:
    learnt = case.known & np.isfinite(place).all(axis=1)
    learnt[np.concatenate([fold.test for fold in case.folds])] = False
    return np.flatnonzero(learnt)


def _shuffled(rows: Array, rng: np.random.Generator) -> Parts:
    part = rng.permutation(len(rows)) % _FOLDS
    return [(rows[part != one], rows[part == one]) for one in range(_FOLDS)]


def _by_cells(rows: Array, cells: Array, seed: int) -> Parts:
    part = share_out(np.bincount(cells), _FOLDS, seed)[cells]
    return [(rows[part != one], rows[part == one]) for one in range(_FOLDS)]


def _answers(case: _Case, scale: _Scale, parts: Parts, ask: Callable[[Array, Array], Array]) -> Array:
    """Give held-out answers, (n, K) or (n, 1); NaN where none could be given."""
    answer = np.full((len(case.target), max(scale.classes, 1)), np.nan)
    for train, test in parts:
        if len(test) and len(train) >= 10 and len(np.unique(case.target[train])) > 1:
            answer[test] = ask(train, test)
    return answer


def _neighbours(case: _Case, scale: _Scale, place: Array, train: Array, test: Array) -> Array:
    """Average the answers of the nearest, the closer the heavier."""
    from scipy.spatial import cKDTree

    train = train[np.isfinite(place[train]).all(axis=1)]
    distance, at = cKDTree(place[train]).query(place[test], k=min(_NEIGHBOURS, len(train)))
    weight = 1 / (distance + 1e-9 + 1e-6 * np.ptp(place[train], axis=0).max())
    weight /= weight.sum(axis=1, keepdims=True)
    told = case.target[train][at]
    if case.numeric:
        return np.asarray((weight * told).sum(axis=1, keepdims=True))
    return np.column_stack([(weight * (told == code)).sum(axis=1) for code in range(scale.classes)])


def _trees(case: _Case, scale: _Scale, columns: Array, train: Array, test: Array) -> Array:
    model = _forest(case.seed, numeric=case.numeric).fit(case.part(train, columns), case.target[train])
    asked = case.part(test, columns)
    if case.numeric:
        return np.asarray(model.predict(asked), np.float64).reshape(-1, 1)
    answer = np.zeros((len(test), scale.classes))
    answer[:, model.classes_.astype(np.int64)] = model.predict_proba(asked)
    return answer


def _forest(seed: int, *, numeric: bool) -> Any:
    try:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    except ImportError as failed:
        raise MissingExtra("the leak advisor needs scikit-learn", "pip install 'armillary[learn]'") from failed
    kind = ExtraTreesRegressor if numeric else ExtraTreesClassifier
    # Deep trees learn samples by heart, which is what shows a leak.
    return kind(n_estimators=24, max_features="sqrt", random_state=seed, n_jobs=1)


def _columns(case: _Case, rng: np.random.Generator) -> Array:
    """Choose columns that hold numbers."""
    there = np.flatnonzero(np.isfinite(case.matrix).any(axis=0))
    return _some(there, _COLUMNS, rng)


def _some(rows: Array, most: int, rng: np.random.Generator) -> Array:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _noise(case: _Case, scale: _Scale, rows: Array, high: Array, low: Array | None) -> float:
    """Give the standard deviation of a score, or of a difference of two: blocks drawn again, and learning itself."""
    units = np.unique(case.blocks[rows], return_inverse=True)[1].reshape(-1)
    rng, number, drawn = case.rng(), int(units.max()) + 1, []
    target = case.target[rows]
    for _ in range(_RESAMPLES):
        weight = np.bincount(rng.integers(0, number, number), minlength=number)[units].astype(np.float64)
        if len(np.unique(target[weight > 0])) > 1:
            lower = scale.score(target, low[rows], weight) if low is not None else 0.0
            drawn.append(scale.score(target, high[rows], weight) - lower)
    if len(drawn) < 2:
        return np.inf
    # Another shuffle or another training set moves a score too; a coin thrown for each of the rarer samples bounds it.
    count = len(rows)
    if scale.name == "average precision":
        count = min(count, 4 * int((target == scale.positive).sum()))
    return float(np.hypot(np.std(drawn), 0.5 / np.sqrt(count)))
