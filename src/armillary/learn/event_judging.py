"""Judging the task "events": from answers along a series to intervals, and their scores beside trivial controls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from armillary.errors import BadData
from armillary.learn.bootstrap import Comparison, compare, interval_of_sums
from armillary.learn.calibration import fold_blocks
from armillary.learn.events import Decoder, block_counts, choose, controls, decode, rates, score
from armillary.learn.events.scoring import key_of
from armillary.learn.judging import judged_rows
from armillary.learn.preparing import Prepared, positive_of
from armillary.learn.samples import column
from armillary.learn.splits import instants_of
from armillary.learn.study import Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]


def choose_decoder(study: Study, prepared: Prepared, answer: Array) -> Decoder:
    """Choose how answers become events, on held-out answers of the training samples."""
    times, scores, groups = series_of(study, prepared, answer)
    return choose(
        times, scores, truth_of(prepared), span_of(prepared, answer), dict(study.events.decoder), cadence_of(prepared),
        study.events.aim, groups=groups,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers become events: for new data, and for held-out answers without looking at what is judged.

    Parameters
    ----------
    whole : Decoder
        Chosen on all held-out answers.
    others : tuple of Decoder
        Each chosen without the blocks of one fold.
    folds : array of int, (n,)
        The fold of each sample.
    """

    whole: Decoder
    others: tuple[Decoder, ...]
    folds: Array


def choose_decoding(study: Study, prepared: Prepared, answer: Array) -> Decoding:
    """Choose decoders on held-out answers: one of all of them, and one for each fold that has not seen it."""
    whole = choose_decoder(study, prepared, answer)
    folds = fold_blocks(prepared.blocks)
    others = []
    for fold in range(folds.max() + 1):
        hidden = answer.copy()
        hidden[folds == fold] = np.nan
        try:
            others.append(choose_decoder(study, prepared, hidden))
        except BadData:  # no true event is left to choose by
            others.append(whole)
    return Decoding(whole, tuple(others), folds)


def events_across(study: Study, prepared: Prepared, answer: Array, decoding: Decoding) -> Array:
    """Give the predicted events, each by a decoder that was chosen without the block of its middle."""
    rows = judged_rows(prepared, answer)
    samples = np.column_stack([_groups(prepared)[rows], _times(prepared)[rows]])
    order = np.lexsort((samples[:, 1], samples[:, 0]))
    samples, folds = samples[order], decoding.folds[rows][order]
    found = [np.zeros((0, 3), np.int64)]
    for fold, decoder in enumerate(decoding.others):
        events = events_of(study, prepared, answer, decoder)
        found.append(events[_fold_of(events, samples, folds) == fold])
    return np.concatenate(found)


def events_of(study: Study, prepared: Prepared, answer: Array, decoder: Decoder) -> Array:
    """Give the predicted events, rows start, stop, group."""
    times, scores, groups = series_of(study, prepared, answer)
    return decode(times, scores, decoder, cadence=cadence_of(prepared), groups=groups)


def judge_events(study: Study, prepared: Prepared, answer: Array, decoding: Decoder | Decoding) -> Record:
    """Score the events that are made of answers.

    Parameters
    ----------
    decoding : Decoder or Decoding
        A decoder for answers that it was not chosen on; else a decoding across folds.

    Returns
    -------
    dict
        ``scores`` (``event_f1_iou25``...), ``intervals`` of the F1 by resampled blocks, ``curve``, ``onset``,
        ``offset``, ``time``.
    """
    how = events_of if isinstance(decoding, Decoder) else events_across
    predicted, truth = how(study, prepared, answer, decoding), truth_of(prepared)  # type: ignore[arg-type]
    span = span_of(prepared, answer)
    found = score(predicted, truth, span, iou=study.events.iou)
    scores = {name: found.pop(name) for name in list(found) if name.startswith("event_")}
    intervals = _intervals(study, prepared, (predicted, truth, span), answer) if study.resamples else {}
    return {"scores": scores, "intervals": intervals, **found}


def compare_events(
    study: Study, prepared: Prepared, a: tuple[Array, Decoding], b: tuple[Array, Decoding], names: tuple[str, str]
) -> Comparison:
    """Compare the F1 of two models' events at the overlap that is aimed at, on the same blocks."""
    aim = study.events.aim if isinstance(study.events.aim, float | int) else study.events.aim[0]
    counts = [counts_of_events(study, prepared, *one, aim) for one in (a, b)]
    first, second = (_f1_of(one) for one in counts)
    return compare(first, second, np.arange(len(counts[0])), study.resamples, study.seed, names=names)


def counts_of_events(study: Study, prepared: Prepared, answer: Array, decoding: Decoding, iou: float) -> Array:
    """Count found, false alarms and missed events in each block of the judged samples, (blocks, 3)."""
    rows = judged_rows(prepared, answer)
    return block_counts(
        events_across(study, prepared, answer, decoding), truth_of(prepared), iou, _times(prepared)[rows],
        prepared.blocks[rows], span=span_of(prepared, answer), groups=_groups(prepared)[rows],
    )  # fmt: skip


def _f1_of(counts: Array) -> Callable[[Array], float]:
    return lambda blocks: float(rates(counts[blocks].sum(axis=0))[2])


def _fold_of(events: Array, samples: Array, folds: Array) -> Array:
    """Give the fold of the sample that starts last before the middle of each event; rows of samples: group, time."""
    found = np.zeros(len(events), np.int64)
    middles = events[:, 0] + (events[:, 1] - events[:, 0]) // 2
    for group in np.unique(events[:, 2]):
        mine, of = events[:, 2] == group, np.flatnonzero(samples[:, 0] == group)
        at = np.searchsorted(samples[of, 1], middles[mine], side="right") - 1
        found[mine] = folds[of[np.clip(at, 0, len(of) - 1)]]
    return found


def judge_event_controls(study: Study, prepared: Prepared, answer: Array) -> dict[str, Record]:
    """Score events that need no skill: the whole series, boxes, random ones, the truth shifted."""
    truth, span = truth_of(prepared), span_of(prepared, answer)
    found = {}
    for name, events in controls(truth, span, study.seed).items():
        scores = score(events, truth, span, iou=study.events.iou)
        found[name] = {key: value for key, value in scores.items() if key.startswith("event_")}
    return found


def truth_of(prepared: Prepared) -> Array:
    """Give the true events, rows start, stop, group number.

    Raises
    ------
    BadData
        If the samples tell no events.
    """
    events = prepared.samples.attrs.get("events")
    if events is None:
        raise BadData("the samples tell no events", 'use a layout that reads intervals, or task = "classes"')
    rows = np.asarray(events, np.int64).reshape(-1, 2)
    groups = prepared.samples.attrs.get("event_group")
    return np.column_stack([rows, _numbers(prepared, groups) if groups is not None else np.zeros(len(rows), np.int64)])


def span_of(prepared: Prepared, answer: Array) -> Array:
    """Give what is judged: stretches of judged samples with an answer, rows start, stop, group number."""
    rows = judged_rows(prepared, answer)
    times, groups = _times(prepared)[rows], _groups(prepared)[rows]
    order = np.lexsort((times, groups))
    times, groups = times[order], groups[order]
    step = round(1e9 * cadence_of(prepared))
    breaks = np.flatnonzero((np.diff(times) > 1.5 * step) | (np.diff(groups) != 0)) + 1
    first, last = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(times)]]) - 1
    return np.column_stack([times[first], times[last] + step, groups[first]])


def series_of(study: Study, prepared: Prepared, answer: Array) -> tuple[Array, Array, Array]:
    """Give times (ns), one number each that is larger where an event is, and group numbers; in order of time."""
    one = answer if answer.ndim == 1 else answer[:, prepared.classes.index(positive_of(study, prepared.classes))]
    rows = judged_rows(prepared, answer)
    times, groups = _times(prepared)[rows], _groups(prepared)[rows]
    order = np.lexsort((times, groups))
    return times[order], one[rows][order], groups[order]


def cadence_of(prepared: Prepared) -> float:
    """Give the seconds from one sample to the next."""
    told = prepared.samples.attrs.get("cadence")
    if told:
        return float(told)
    steps = np.diff(np.unique(_times(prepared)))
    if not len(steps):
        raise BadData("one sample is no series", "give samples at several times")
    return float(np.median(steps)) / 1e9


def _intervals(study: Study, prepared: Prepared, events: tuple[Array, Array, Array], answer: Array) -> Record:
    predicted, truth, span = events
    rows = judged_rows(prepared, answer)
    found = {}
    for iou in study.events.iou:
        counts = block_counts(
            predicted, truth, iou, _times(prepared)[rows], prepared.blocks[rows], span=span,
            groups=_groups(prepared)[rows],
        )  # fmt: skip
        low, high = interval_of_sums(lambda sums: rates(sums)[..., 2:3], counts, study.resamples, study.seed)[0]
        found[f"event_f1_{key_of(iou)}"] = [float(low), float(high)]
    return found


def _times(prepared: Prepared) -> Array:
    return instants_of(column(prepared.samples, "time"))


def _names(prepared: Prepared) -> Array:
    return np.unique(column(prepared.samples, "group").astype(str))


def _groups(prepared: Prepared) -> Array:
    if "group" not in prepared.samples:
        return np.zeros(len(prepared), np.int64)
    return np.searchsorted(_names(prepared), column(prepared.samples, "group").astype(str))


def _numbers(prepared: Prepared, groups: Any) -> Array:
    names = _names(prepared)
    wanted = np.asarray(groups).astype(str)
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise BadData(f"an event is of the group {unknown[0]!r}, of which there is no sample", "leave it out")
    return np.searchsorted(names, wanted)
