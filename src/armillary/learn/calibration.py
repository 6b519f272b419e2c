"""Probabilities made honest, and kept only if that helps on held-out blocks.

A calibration is learnt from out-of-fold probabilities, and never changes which of two rows is the more probable where
there are two classes: AP and ROC AUC stay what they were. Formulas and sources in docs/learn/trust.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.samples import Array
from armillary.learn.scores import check_probability, judged, row_losses

#: What can be asked for; ``auto`` takes the one with the lowest cross-validated log loss.
KINDS: Final = ("none", "temperature", "bias", "isotonic")
#: Folds of the cross-validation, of whole blocks.
FOLDS: Final = 5
#: Share of a probability that isotonic regression leaves as it was, so that no order is lost to its steps.
_KEPT: Final = 1e-6
_FLOORS: Final = (1e-12, 1e-6, 1e-4, 1e-3, 3e-3, 1e-2)
#: Rows on which a temperature is fitted: a few numbers need no more.
_ROWS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """How probabilities are corrected.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    values : mapping
        Learnt numbers, as JSON has them.
    why : str
        How it was chosen.
    losses : mapping of str to float
        Cross-validated log loss of each candidate; empty if none was compared.
    """

    kind: str = "none"
    values: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    losses: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the kind.

        Raises
        ------
        BadParameter
        """
        if self.kind not in KINDS:
            raise BadParameter(f"there is no calibration {self.kind!r}", f"give one of {', '.join(KINDS)}")

    def apply(self, probability: Array) -> Array:
        """Give corrected probabilities, (n, K), rows sum to 1; rows that are all NaN, not answered, stay so.

        Raises
        ------
        BadData
            If the others are no probabilities, or of another number of classes.
        """
        answer = np.array(probability, float)
        asked = _answered(answer)
        known = check_probability(answer[asked])
        classes = self.values.get("classes", known.shape[1])
        if classes != known.shape[1]:
            problem = f"this calibration is for {classes} classes, not for {known.shape[1]}"
            raise BadData(problem, "use the calibration that was learnt with the model")
        answer[asked] = _APPLY[self.kind](known, self.values)
        return answer

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"kind": self.kind, "values": dict(self.values), "why": self.why, "losses": dict(self.losses)}


def calibration_of(record: Mapping[str, Any]) -> Calibration:
    """Make a calibration of plain values, as :meth:`Calibration.to_record` gives them."""
    return Calibration(**record)


def choose_calibration(probability: Array, codes: Array, blocks: Array, how: str = "auto") -> Calibration:
    """Learn a calibration from held-out probabilities.

    Parameters
    ----------
    probability : array of float, (n, K)
        Out of fold: of models that have not seen the row.
    codes : array of int, (n,)
        True classes 0..K-1; rows of -1 are left out.
    blocks : array of int, (n,)
        Blocks of the split, which stay whole in the cross-validation.
    how : str
        ``auto``: the candidate with the lowest log loss, cross-validated over blocks, ``none`` among them; or one of
        `KINDS`, as asked.

    Returns
    -------
    Calibration
        For ``auto``, ``none`` with the reason in ``why`` if there is one class or one block only.

    Raises
    ------
    BadData, BadParameter

    Examples
    --------
    >>> sure = np.array([[0.99, 0.01], [0.99, 0.01], [0.99, 0.01], [0.01, 0.99]] * 20)
    >>> chosen = choose_calibration(sure, np.array([0, 0, 1, 1] * 20), np.arange(80) // 4)
    >>> chosen.kind != "none" and bool(chosen.apply(sure)[0, 0] < 0.8)
    True
    """
    if how not in {"auto", *KINDS}:
        raise BadParameter(f"there is no calibration {how!r}", f"give auto or one of {', '.join(KINDS)}")
    if how == "none":
        return Calibration(why="as asked")
    seen = judged(codes, probability)
    mine = np.asarray(blocks)[seen.kept]
    if how != "auto":
        return Calibration(how, _fit(how, seen.probability, seen.codes), "as asked")
    reason = _why_not(seen.codes, mine)
    if reason:
        return Calibration(why=reason)
    losses = {kind: _held_out_loss(kind, seen.probability, seen.codes, mine) for kind in KINDS}
    best = min(losses, key=lambda kind: losses[kind])
    told = ", ".join(f"{kind} {loss:.4f}" for kind, loss in losses.items())
    return Calibration(best, _fit(best, seen.probability, seen.codes), f"lowest held-out log loss: {told}", losses)


def held_out(probability: Array, codes: Array, blocks: Array, kind: str) -> Array:
    """Give calibrated probabilities, (n, K), each by a calibration that has not seen the block of its row.

    Use these to judge, and `Calibration.apply` for new data: a calibration judged on its own rows looks too good.
    Rows of code -1 are not learnt from, but get their answer; rows that are all NaN, not answered, stay so.

    Raises
    ------
    BadData
        If there are fewer than 2 blocks.
    """
    answer = np.array(probability, float)
    asked = np.flatnonzero(_answered(answer))
    seen, known = judged(np.asarray(codes)[asked], answer[asked]), check_probability(answer[asked])
    folds = fold_blocks(np.asarray(blocks)[asked])
    for fold in range(folds.max() + 1 if kind != "none" else 0):
        learnt = folds[seen.kept] != fold
        values = _fit(kind, seen.probability[learnt], seen.codes[learnt]) if learnt.any() else {}
        answer[asked[folds == fold]] = _APPLY[kind if learnt.any() else "none"](known[folds == fold], values)
    return answer


def fold_blocks(blocks: Array, folds: int = FOLDS) -> Array:
    """Give the fold of each row, (n,): whole blocks, the largest first, each into the smallest fold.

    Raises
    ------
    BadData
        If there are fewer than 2 blocks.
    """
    _, which, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise BadData(f"{len(sizes)} block cannot be held out from itself", "split into 2 blocks or more")
    filled, fold = np.zeros(min(folds, len(sizes)), np.int64), np.empty(len(sizes), np.int64)
    for block in np.argsort(-sizes, kind="stable"):
        fold[block] = filled.argmin()
        filled[fold[block]] += sizes[block]
    return fold[which]


def _answered(probability: Array) -> Array:
    """Give a mask of the rows that are not all NaN; one that is so in part is a mistake, not a missing answer."""
    asked: Array = np.asarray(~np.isnan(probability).all(axis=-1))
    return asked


def _why_not(codes: Array, blocks: Array) -> str:
    if len(np.unique(codes)) < 2:
        return "not calibrated: there is one class only"
    return "not calibrated: all rows lie in one block" if len(np.unique(blocks)) < 2 else ""


def _held_out_loss(kind: str, probability: Array, codes: Array, blocks: Array) -> float:
    return float(row_losses(codes, held_out(probability, codes, blocks, kind)).mean())


def _fit(kind: str, probability: Array, codes: Array) -> dict[str, Any]:
    fits: dict[str, Callable[[Array, Array], dict[str, Any]]] = {
        "temperature": _fit_temperature,
        "bias": _fit_bias,
        "isotonic": _fit_isotonic,
    }
    learnt = fits[kind](probability, codes) if kind in fits else {}
    return {"classes": probability.shape[1], **learnt}


def _fit_temperature(probability: Array, codes: Array) -> dict[str, Any]:
    """Find the temperature and the floor under probabilities that give the lowest log loss (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    few = _thinned(len(codes))
    probability, codes = probability[few], codes[few]

    def loss(log_temperature: float, logits: Array) -> float:
        return float(row_losses(codes, _softmax(logits / np.exp(log_temperature))).mean())

    tried = []
    for floor in _floors(probability):
        logits = _logits(probability, floor)
        found = minimize_scalar(loss, args=(logits,), bounds=(-3, 3), method="bounded", options={"xatol": 1e-3})
        tried.append((float(found.fun), float(np.exp(found.x)), floor))
    _, temperature, floor = min(tried)
    return {"temperature": temperature, "floor": floor}


def _fit_bias(probability: Array, codes: Array) -> dict[str, Any]:
    """Find temperature and one offset a class, by L-BFGS on a convex loss (Alexandari et al. 2020; for two: Platt)."""
    from scipy.optimize import minimize

    start, few = _fit_temperature(probability, codes), _thinned(len(codes))
    logits, codes = _logits(probability[few], start["floor"]), codes[few]
    truth = np.eye(logits.shape[1])[codes]

    def loss(values: Array) -> tuple[float, Array]:
        answer = _softmax(values[0] * logits + values[1:])
        slope = (answer - truth) / len(codes)
        # a weak pull to "no offset" keeps the offset of a class without rows finite
        pull = 1e-4 * values[1:]
        whole = float(row_losses(codes, answer).mean() + 0.5e-4 * (values[1:] ** 2).sum())
        return whole, np.concatenate([[(slope * logits).sum()], slope.sum(axis=0) + pull])

    first = np.concatenate([[1 / start["temperature"]], np.zeros(logits.shape[1])])
    limits = [(0.02, 50.0)] + [(-20.0, 20.0)] * logits.shape[1]
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=limits).x
    return {"temperature": 1 / float(found[0]), "offsets": found[1:].tolist(), "floor": start["floor"]}


def _fit_isotonic(probability: Array, codes: Array) -> dict[str, Any]:
    """Fit centred isotonic regression to each class against the rest (Zadrozny & Elkan 2002; Oron & Flournoy 2017)."""
    number = probability.shape[1]
    wanted = [1] if number == 2 else range(number)
    return {"knots": [_knots(probability[:, code], codes == code) for code in wanted]}


def _knots(score: Array, is_true: Array) -> list[list[float]]:
    """Give the corners of a rising line: centre and frequency of each stretch that isotonic regression joins."""
    from scipy.optimize import isotonic_regression

    values, which, weights = np.unique(score, return_inverse=True, return_counts=True)
    share = np.bincount(which, weights=is_true) / weights
    stretches = isotonic_regression(share, weights=weights).blocks
    mass = np.add.reduceat(weights, stretches[:-1])
    centre = np.add.reduceat(values * weights, stretches[:-1]) / mass
    level = np.add.reduceat(share * weights, stretches[:-1]) / mass
    # nothing is surer than the rows that say so
    sure = 1 / (mass + 2)
    level = np.maximum.accumulate(np.clip(level, sure[0], 1 - sure[-1]))
    return [[float(one) for one in pair] for pair in zip(centre, level, strict=True)]


def _thinned(rows: int) -> Array:
    return np.random.default_rng(0).choice(rows, _ROWS, replace=False) if rows > _ROWS else np.arange(rows)


def _floors(probability: Array) -> tuple[float, ...]:
    """Floors worth trying: only the lowest where no probability is near zero."""
    lowest = float(probability.min())
    return tuple(floor for floor in _FLOORS if floor == _FLOORS[0] or floor > lowest)


def _logits(probability: Array, floor: float) -> Array:
    # added, not clipped: two probabilities below the floor keep their order
    logs: Array = np.log(probability + floor)
    return logs


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    share: Array = raised / raised.sum(axis=1, keepdims=True)
    return share


def _apply_none(probability: Array, _: Mapping[str, Any]) -> Array:
    return probability


def _apply_softened(probability: Array, values: Mapping[str, Any]) -> Array:
    logits = _logits(probability, values["floor"]) / values["temperature"]
    return _softmax(logits + np.asarray(values.get("offsets", 0.0)))


def _apply_isotonic(probability: Array, values: Mapping[str, Any]) -> Array:
    knots = [np.asarray(one, float) for one in values["knots"]]
    first = 1 if len(knots) == 1 else 0
    raised = [np.interp(probability[:, first + at], *one.T) for at, one in enumerate(knots)]
    if len(knots) == 1:
        raised.insert(0, 1 - raised[0])
    mixed = (1 - _KEPT) * np.column_stack(raised) + _KEPT * probability
    return check_probability(mixed / mixed.sum(axis=1, keepdims=True))


_APPLY: Final[dict[str, Callable[[Array, Mapping[str, Any]], Array]]] = {
    "none": _apply_none,
    "temperature": _apply_softened,
    "bias": _apply_softened,
    "isotonic": _apply_isotonic,
}
