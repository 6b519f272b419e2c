"""How well predicted events agree with true ones: counts, the whole curve over the overlap asked for, edges.

A true event is judged where its middle lies in the span, a predicted one where any of it does. A match counts as found
if its true event is judged; a judged prediction that matches a true event outside the span is no false alarm.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from armillary.learn.events.matching import as_events, fold, match_pairs, overlaps
from armillary.science.intervals import intersect, overlapping, union, within

Array = np.ndarray[Any, np.dtype[Any]]

#: Overlaps at which events count as found unless others are asked for.
IOU: Final = (0.1, 0.25, 0.5)
#: Overlaps of the curve.
CURVE: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
_SECOND: Final = 1e9


def score(predicted: Array, truth: Array, span: Array | None = None, *, iou: Sequence[float] = IOU) -> dict[str, Any]:
    """Score predicted events.

    Parameters
    ----------
    predicted, truth : array of int, (n, 2) or (n, 3)
        Nanoseconds; a third column is the group.
    span : array of int, (s, 2) or (s, 3), optional
        What is judged: where there are data and labels; everything if not given.
    iou : sequence of float
        Overlaps at which events count as found; edges are compared for pairs of the first.

    Returns
    -------
    dict
        Plain numbers: ``predicted`` and ``truth`` (events judged); for each overlap ``event_f1_iou25``,
        ``event_precision_iou25``, ``event_recall_iou25``; ``curve``, lists ``iou f1 precision recall`` from .05 to .95;
        ``onset`` and ``offset``, predicted minus true edge in seconds: ``bias`` (median), ``mae`` (mean absolute),
        ``median_absolute``, None without pairs; ``time``, ``precision recall f1`` of the time covered.

    Raises
    ------
    BadData
        If these are no events.
    BadParameter
        If an overlap is not from 0 to 1.

    Examples
    --------
    >>> found = score(np.array([[0, 10], [40, 50]]), np.array([[2, 12], [20, 30]]))
    >>> found["event_precision_iou50"], found["event_recall_iou50"], found["event_f1_iou50"]
    (0.5, 0.5, 0.5)
    """
    a, b = as_events(predicted, "predicted events"), as_events(truth, "true events")
    judged = judge(a, b, span)
    pairs = overlaps(a, b)
    matches = {one: match_pairs(pairs, one) for one in {*iou, *CURVE}}
    rows = {one: rates(totals(found, judged)) for one, found in matches.items()}
    record: dict[str, Any] = {"predicted": int(judged[0].sum()), "truth": int(judged[1].sum())}
    for one in iou:
        values = dict(zip(("precision", "recall", "f1"), map(float, rows[one]), strict=True))
        record |= {f"event_{name}_{key_of(one)}": values[name] for name in ("f1", "precision", "recall")}
    return record | {
        "curve": _curve(rows),
        **_edges(a, b, matches[iou[0] if iou else IOU[0]], judged),
        "time": _time(a, b, span),
    }


def block_counts(
    predicted: Array, truth: Array, iou: float, times: Array, blocks: Array, *, span: Array | None = None,
    groups: Array | None = None,
) -> Array:  # fmt: skip
    """Count matches by block, for the resampling of blocks: ``rates(weights @ counts)``.

    Parameters
    ----------
    predicted, truth : array of int, (n, 2) or (n, 3)
    iou : float
    times, blocks : array of int, (k,)
        Time and block of each sample; an event counts in the block of the sample nearest to its middle, a match in that
        of its true event.
    span : array of int, (s, 2) or (s, 3), optional
        As in :func:`score`.
    groups : array of int, (k,), optional
        Groups of the samples, where events have them.

    Returns
    -------
    array of int, (b, 3)
        Found, false alarms and missed in each of ``np.unique(blocks)``; their sums are what :func:`score` counts.
    """
    a, b = as_events(predicted, "predicted events"), as_events(truth, "true events")
    names, number = np.unique(blocks, return_inverse=True)
    samples = _instants(as_ns(times), np.zeros(len(times), np.int64) if groups is None else groups)
    counts = np.zeros((len(names), 3), np.int64)
    for column, events in enumerate(_outcomes(a, b, match_pairs(overlaps(a, b), iou), judge(a, b, span))):
        if len(events):
            np.add.at(counts[:, column], number[_nearest(_middles(events), samples)], 1)
    return counts


def rates(counts: Array) -> Array:
    """Give precision, recall and F1 for counts of found, false alarms and missed, (..., 3); 0 where there is nothing.

    Examples
    --------
    >>> rates(np.array([3, 1, 3])).round(3).tolist()
    [0.75, 0.5, 0.6]
    """
    found, alarms, missed = np.moveaxis(np.asarray(counts, float), -1, 0)
    over = np.stack([found + alarms, found + missed, found + (alarms + missed) / 2], -1)
    shares: Array = np.divide(found[..., None], over, out=np.zeros_like(over), where=over > 0)
    return shares


def key_of(iou: float) -> str:
    """Give the end of the names of scores at an overlap.

    Examples
    --------
    >>> key_of(0.25), key_of(0.05)
    ('iou25', 'iou05')
    """
    return f"iou{round(100 * iou):02d}"


def judge(predicted: Array, truth: Array, span: Array | None) -> tuple[Array, Array]:
    """Say which checked events are judged: masks of the predicted and of the true ones."""
    if span is None:
        return np.ones(len(predicted), bool), np.ones(len(truth), bool)
    keys, middles, spans = fold(predicted, _middles(truth), as_events(span, "the span"))
    return overlapping(keys, spans), within(middles, spans)


def totals(matches: Array, judged: tuple[Array, Array]) -> Array:
    """Count found, false alarms and missed for the matches of judged events."""
    alarms = judged[0].copy()
    alarms[matches[:, 0]] = False
    found = int(judged[1][matches[:, 1]].sum())
    return np.array([found, int(alarms.sum()), int(judged[1].sum()) - found])


def as_ns(times: Array) -> Array:
    """Give times as whole nanoseconds."""
    found = np.asarray(times)
    return found.astype("datetime64[ns]").astype(np.int64) if found.dtype.kind == "M" else found.astype(np.int64)


def _outcomes(a: Array, b: Array, matches: Array, judged: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """Give the true events that were found, the false alarms and the true events that were missed."""
    alarms, hit = judged[0].copy(), np.zeros(len(b), bool)
    alarms[matches[:, 0]] = False
    hit[matches[:, 1]] = True
    return b[hit & judged[1]], a[alarms], b[~hit & judged[1]]


def _middles(events: Array) -> Array:
    middle = events[:, 0] + (events[:, 1] - events[:, 0]) // 2
    return _instants(middle, events[:, 2])


def _instants(times: Array, groups: Array) -> Array:
    return np.column_stack([times, times + 1, np.asarray(groups, np.int64)])


def _nearest(events: Array, samples: Array) -> Array:
    """Give for each instant the number of the sample nearest in time, of its own group where that has any."""
    found = np.zeros(len(events), np.int64)
    for group in np.unique(events[:, 2]):
        mine = np.flatnonzero(events[:, 2] == group)
        among = np.flatnonzero(samples[:, 2] == group)
        among = among if len(among) else np.arange(len(samples))
        among = among[np.argsort(samples[among, 0], kind="stable")]
        times = samples[among, 0]
        after = np.clip(np.searchsorted(times, events[mine, 0]), 1, max(len(times) - 1, 1))
        before, after = after - 1, np.minimum(after, len(times) - 1)
        nearer = events[mine, 0] - times[before] <= times[after] - events[mine, 0]
        found[mine] = among[np.where(nearer, before, after)]
    return found


def _curve(rows: dict[float, Array]) -> dict[str, list[float]]:
    values = np.array([rows[one] for one in CURVE])
    names = ("precision", "recall", "f1")
    return {"iou": list(CURVE)} | {name: values[:, at].tolist() for at, name in enumerate(names)}


def _edges(a: Array, b: Array, matches: Array, judged: tuple[Array, Array]) -> dict[str, dict[str, float | None]]:
    mine = matches[judged[1][matches[:, 1]]]
    late = (a[mine[:, 0], :2] - b[mine[:, 1], :2]) / _SECOND
    return {"onset": _errors(late[:, 0]), "offset": _errors(late[:, 1])}


def _errors(late: Array) -> dict[str, float | None]:
    if not len(late):
        return {"bias": None, "mae": None, "median_absolute": None}
    size = np.abs(late)
    return {"bias": float(np.median(late)), "mae": float(size.mean()), "median_absolute": float(np.median(size))}


def _time(a: Array, b: Array, span: Array | None) -> dict[str, float]:
    spans = None if span is None else as_events(span, "the span")
    totals = np.zeros(3)
    for group in np.unique(np.concatenate([a[:, 2], b[:, 2]])):
        first, second = (union(one[one[:, 2] == group, :2]) for one in (a, b))
        if spans is not None:
            inside = spans[spans[:, 2] == group, :2]
            first, second = intersect(first, inside), intersect(second, inside)
        both = _length(intersect(first, second))
        totals += [both, _length(first) - both, _length(second) - both]
    return dict(zip(("precision", "recall", "f1"), map(float, rates(totals)), strict=True))


def _length(some: Array) -> float:
    return float((some[:, 1] - some[:, 0]).astype(float).sum())
