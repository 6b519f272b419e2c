"""From answers along a series to intervals with a class, a probability, a set and how far they are trusted.

Answers come in parts; what has been decided is given at once, so that memory does not grow with the series.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from armillary.errors import BadRequest
from armillary.learn.applying import Answers
from armillary.learn.drift import STATES
from armillary.learn.events import Decoder, decode
from armillary.learn.preparing import positive_of
from armillary.learn.trained import Run

Array = np.ndarray[Any, np.dtype[Any]]
_NS: Final = 1e9
#: Samples further apart than this many cadences have a gap between them.
_GAP: Final = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """An interval that a model has found.

    Parameters
    ----------
    start, stop : int
        Nanoseconds since 1970.
    group : str
    class_ : str
    probability : float
        Mean of the class over the interval; of a model that gives numbers, their mean.
    trust : str
        What most of its samples are (``ok shifted ood``); "" if it is not known.
    classes : tuple of str
        Those in the sets of at least half of its samples.
    point : array, (d,)
        Mean place among the training samples; empty if answers carry none.
    """

    start: int
    stop: int
    group: str
    class_: str
    probability: float
    trust: str
    classes: tuple[str, ...]
    point: Array


def marks(run: Run, answers: Iterable[Answers], cadence: float, decoder: Decoder | None = None) -> Iterator[Mark]:
    """Turn answers, in the order of group and time, into intervals.

    Parameters
    ----------
    run : Run
    answers : iterable of Answers
    cadence : float
        Seconds from one sample to the next.
    decoder : Decoder, optional
        Instead of the one of the run. Without any, runs of samples of one class are the intervals.

    Raises
    ------
    BadRequest
        If the samples have no time, or the model gives neither classes nor events.
    """
    decoder = decoder or run.decoder
    if decoder is None and not run.classes:
        raise BadRequest("numbers along a series are no events", "write the rows to a file, with -o FILE.parquet")
    held: Answers | None = None
    for one in answers:
        if "time" not in one.places:
            raise BadRequest("samples without time are no events", "write the rows to a file, with -o FILE.parquet")
        held = one if held is None else _joined(held, one)
        done = _decided(run, held, decoder, cadence)
        yield from _marks(run, held.some(slice(0, done)), decoder, cadence)
        held = held.some(slice(done, None))
    if held is not None:
        yield from _marks(run, held, decoder, cadence)


def likely(decoder: Decoder, share: float = 0.5) -> Decoder:
    """Give a decoder that finds more: what may be an event, for a person to look at."""
    return replace(decoder, threshold=decoder.threshold * share, peak=decoder.peak * share, least=decoder.least * share)


def _joined(first: Answers, second: Answers) -> Answers:
    places = {name: np.concatenate([one, second.places[name]]) for name, one in first.places.items()}
    names = ("answer", "sets", "states", "points")
    return Answers(places, *(np.concatenate([getattr(one, name) for one in (first, second)]) for name in names))


def _decided(run: Run, held: Answers, decoder: Decoder | None, cadence: float) -> int:
    """Give how many of the first rows no later one can change."""
    groups = held.places.get("group")
    if groups is not None and len(groups) and (groups != groups[-1]).any():
        return int(np.flatnonzero(groups != groups[-1])[-1]) + 1
    if decoder is None:
        changes = np.flatnonzero(np.diff(run.said(held.answer)))
        return int(changes[-1]) + 1 if len(changes) else 0
    times = held.places["time"]
    # Where the score stays low for so long, neither smoothing nor joining nor widening reaches across.
    quiet = round(_NS * (2 * decoder.smooth + decoder.join + 2 * max(decoder.widen, 0.0) + 4 * cadence))
    high = times[_scores(run, held) >= decoder.threshold]
    ends = np.concatenate([times[:1] - 2 * quiet, high, times[-1:] + round(_NS * cadence)])
    gaps = np.flatnonzero(np.diff(ends) > quiet)
    return int(np.searchsorted(times, ends[gaps[-1] + 1] - quiet // 2)) if len(gaps) else 0


def _marks(run: Run, rows: Answers, decoder: Decoder | None, cadence: float) -> Iterator[Mark]:
    groups = rows.places.get("group", np.zeros(len(rows), "U1"))
    for name in dict.fromkeys(groups.tolist()):
        mine = rows.some(groups == name)
        found = _events(run, mine, decoder, cadence) if decoder else _runs(run, mine, cadence)
        for start, stop, class_ in found:
            yield _mark(run, mine, (start, stop), str(name), class_)


def _events(run: Run, rows: Answers, decoder: Decoder, cadence: float) -> list[tuple[int, int, str]]:
    name = positive_of(run.study, run.classes) or "event"
    events = decode(rows.places["time"], _scores(run, rows), decoder, cadence)
    return [(int(start), int(stop), name) for start, stop in events]


def _runs(run: Run, rows: Answers, cadence: float) -> list[tuple[int, int, str]]:
    """Give the stretches of samples of one class."""
    times, codes = rows.places["time"], run.said(rows.answer)
    breaks = np.flatnonzero((np.diff(codes) != 0) | (np.diff(times) > _GAP * _NS * cadence)) + 1
    first, last = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(codes)]]) - 1
    step = round(_NS * cadence)
    return [
        (int(times[low]), int(times[high]) + step, run.classes[codes[low]])
        for low, high in zip(first, last, strict=True) if codes[low] >= 0
    ]  # fmt: skip


def _mark(run: Run, rows: Answers, span: tuple[int, int], group: str, class_: str) -> Mark:
    low, high = np.searchsorted(rows.places["time"], span)
    inside = slice(int(min(low, len(rows) - 1)), int(max(high, low + 1)))
    answer, states = rows.answer[inside], rows.states[inside]
    score = answer if answer.ndim == 1 else answer[:, run.classes.index(class_)]
    known = score[np.isfinite(score)]
    # half way through the ordered states: worse than "ok" if half of the samples are
    told = np.sort(states[states >= 0])
    middle = int(told[len(told) // 2]) if len(told) else -1
    sets = rows.sets[inside].mean(axis=0) >= 0.5
    classes = tuple(name for name, one in zip(run.classes, sets, strict=False) if one)
    point = rows.points[inside].mean(axis=0)
    probability = float(known.mean()) if len(known) else float("nan")
    return Mark(*span, group, class_, probability, STATES[middle] if middle >= 0 else "", classes, point)


def _scores(run: Run, rows: Answers) -> Array:
    if rows.answer.ndim == 1:
        return rows.answer
    return rows.answer[:, run.classes.index(positive_of(run.study, run.classes))]
