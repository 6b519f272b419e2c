"""Named ways of judging events, so that numbers can be set beside published ones.

All but `iou` call an event found without asking that the prediction be of its size, so that one event over the whole
series has recall 1 by every one of them, and precision 1 by three: see :mod:`armillary.learn.events.controls`. Groups
are judged together; nothing predicted has precision 0.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.events.matching import Pairs, as_events, match_pairs, overlaps
from armillary.learn.events.scoring import judge, rates

Array = np.ndarray[Any, np.dtype[Any]]


class Verdict(NamedTuple):
    """Precision, recall and their harmonic mean, 0 to 1."""

    precision: float
    recall: float
    f1: float


Rule: TypeAlias = Callable[[Array, Array], Verdict]

#: Nguyen et al.: share of the true event that one prediction must cover, and the shortest false alarm that counts.
_NGUYEN_SHARE: Final = 0.51
_NGUYEN_LEAST: Final = 9_000 * 1_000_000_000


def by_rule(rule: str, predicted: Array, truth: Array, span: Array | None = None) -> Verdict:
    """Judge events by a named rule.

    Parameters
    ----------
    rule : str
        A name of `RULES`.
    predicted, truth : array of int, (n, 2) or (n, 3)
        Nanoseconds.
    span : array of int, (s, 2) or (s, 3), optional
        True events with their middle outside, and predicted ones that do not touch it, are left out before.

    Raises
    ------
    BadParameter
        If there is no such rule.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> everything, truth = np.array([[0, 100]]) * day, np.array([[3, 4], [50, 52]]) * day
    >>> {rule: round(by_rule(rule, everything, truth).f1, 2) for rule in RULES}
    {'iou': 0.0, 'nguyen2019': 1.0, 'ramp': 1.0, 'telemanom': 1.0, 'range': 0.03}
    """
    if rule not in RULES:
        raise BadParameter(f"there is no rule {rule!r} for events", f"give one of {', '.join(RULES)}")
    a, b = as_events(predicted, "predicted events"), as_events(truth, "true events")
    mine, true = judge(a, b, span)
    return RULES[rule](a[mine], b[true])


def iou(predicted: Array, truth: Array, least: float = 0.25) -> Verdict:
    """Judge one to one: predicted and true event of a pair share at least `least` of the time that either covers."""
    pairs = overlaps(predicted, truth, least)
    found = len(match_pairs(pairs, least))
    return Verdict(*rates(np.array([found, pairs.shape[0] - found, pairs.shape[1] - found])).tolist())


def nguyen2019(predicted: Array, truth: Array) -> Verdict:
    """Judge as Nguyen et al. 2019 (ApJ 874, 145) do in the code of that paper.

    A true event is found if one prediction covers more than .51 of its duration. A prediction that touches no true
    event is a false alarm, if it is 2.5 hours or longer; any other costs nothing. Precision is
    found / (found + false alarms).
    """
    a, pairs = as_events(predicted), overlaps(predicted, truth)
    covered = pairs.shared / _durations(truth)[pairs.truth]
    found = len(np.unique(pairs.truth[covered > _NGUYEN_SHARE]))
    alone = np.ones(len(a), bool)
    alone[pairs.predicted] = False
    alarms = int((alone & (a[:, 1] - a[:, 0] >= _NGUYEN_LEAST)).sum())
    return Verdict(*rates(np.array([found, alarms, pairs.shape[1] - found])).tolist())


def ramp(predicted: Array, truth: Array) -> Verdict:
    """Judge as the RAMP challenge "Solar wind classification" does (ramp-kits/solar_wind).

    Recall is the share of true events of which one prediction covers more than half; precision the share of predictions
    that cover half of a true event or more. The challenge first joins what is less than an hour apart and leaves out
    what is shorter than 2.5 hours: ``Decoder(join=3600, least=9000)``.
    """
    pairs = overlaps(predicted, truth)
    covered = pairs.shared / _durations(truth)[pairs.truth]
    found = _share(pairs.truth[covered > 0.5], pairs.shape[1])
    good = _share(pairs.predicted[covered >= 0.5], pairs.shape[0])
    return _verdict(good, found)


def telemanom(predicted: Array, truth: Array) -> Verdict:
    """Judge as Hundman et al. 2018 (KDD, "telemanom") do: any overlap will do.

    A true event is found if any prediction touches it, and counts once; a prediction that touches none is a false
    alarm.
    """
    pairs = overlaps(predicted, truth)
    found = len(np.unique(pairs.truth))
    alarms = pairs.shape[0] - len(np.unique(pairs.predicted))
    return Verdict(*rates(np.array([found, alarms, pairs.shape[1] - found])).tolist())


def range_based(predicted: Array, truth: Array) -> Verdict:
    """Judge by range-based precision and recall (Tatbul et al. 2018, NeurIPS 31).

    Recall is the mean over true events of the share of time that predictions cover, divided by the number of
    predictions it takes; precision is the same with the sides changed. That is the paper's alpha = 0, flat bias and
    reciprocal cardinality, in continuous time. Where events of one side overlap each other a share is at most 1.
    """
    pairs = overlaps(predicted, truth)
    recall = _covered(pairs, pairs.truth, _durations(truth))
    return _verdict(_covered(pairs, pairs.predicted, _durations(predicted)), recall)


def _covered(pairs: Pairs, number: Array, durations: Array) -> float:
    if not len(durations):
        return 0.0
    parts = np.bincount(number, minlength=len(durations))
    share = np.bincount(number, pairs.shared, minlength=len(durations)) / durations
    return float((np.minimum(share, 1.0) / np.maximum(parts, 1)).mean())


def _durations(events: Array) -> Array:
    rows = as_events(events)
    duration: Array = (rows[:, 1] - rows[:, 0]).astype(float)
    return duration


def _share(numbers: Array, size: int) -> float:
    return len(np.unique(numbers)) / size if size else 0.0


def _verdict(precision: float, recall: float) -> Verdict:
    both = precision + recall
    return Verdict(precision, recall, 2 * precision * recall / both if both else 0.0)


#: Rules by name, with ``iou`` at .25.
RULES: Final[dict[str, Rule]] = {
    "iou": iou,
    "nguyen2019": nguyen2019,
    "ramp": ramp,
    "telemanom": telemanom,
    "range": range_based,
}
