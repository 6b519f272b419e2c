"""Events that need no skill: no score of a model means anything before theirs stand beside it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.learn.events.matching import as_events, grouped
from armillary.learn.events.scoring import judge
from armillary.science.intervals import union

Array = np.ndarray[Any, np.dtype[Any]]

#: Boxes are made longer where there would be more than these.
_MOST_BOXES: Final = 100_000


def controls(truth: Array, span: Array | None = None, seed: int = 0) -> dict[str, Array]:
    """Make events that need no skill.

    Parameters
    ----------
    truth : array of int, (m, 2) or (m, 3)
        True events.
    span : array of int, (s, 2) or (s, 3), optional
        What is judged; from the first to the last true event of each group if not given.
    seed : int

    Returns
    -------
    dict of str to array of int
        For each group ``whole series``: one event over all of it; ``boxes``: the span cut end to end into boxes as long
        as the median true event; ``random``: as many events as there are true ones, and as long, anywhere;
        ``shifted truth``: the true events moved round the span together. All have as many columns as `truth`.

    Examples
    --------
    >>> made = controls(np.array([[0, 10], [50, 60]]), np.array([[0, 100]]))
    >>> made["whole series"].tolist(), len(made["boxes"]), len(made["random"])
    ([[0, 100]], 10, 2)
    """
    events = as_events(truth, "true events")
    spans = _reach(events) if span is None else as_events(span, "the span")
    events = events[judge(events, events, spans)[1]]
    random = np.random.default_rng(seed)
    turn = random.uniform(0.2, 0.8)
    made: dict[str, list[Array]] = {"whole series": [], "boxes": [], "random": [], "shifted truth": []}
    lines = {int(group): _line(spans[spans[:, 2] == group, :2]) for group in np.unique(spans[:, 2])}
    box = _box(events, sum(one.length for one in lines.values()))
    for group, line in lines.items():
        mine = events[events[:, 2] == group, :2]
        durations = random.permutation(mine[:, 1] - mine[:, 0])
        moved = (line.position(mine[:, 0]) + int(turn * line.length)) % line.length
        parts = {
            "whole series": np.array([[line.stretches[0, 0], line.stretches[-1, 1]]]),
            "boxes": line.boxes(box),
            "random": line.events(_apart(durations, line.length, random), durations),
            "shifted truth": line.events(moved, mine[:, 1] - mine[:, 0]),
        }
        for name, part in parts.items():
            made[name].append(grouped(part, group))
    columns = 3 if np.ndim(truth) == 2 and np.shape(truth)[1] == 3 else 2
    return {name: np.concatenate([np.zeros((0, 3), np.int64), *parts])[:, :columns] for name, parts in made.items()}


@dataclass(frozen=True, slots=True)
class _Line:
    """The span of one group, its stretches laid end to end: position 0 to `length`."""

    stretches: Array
    before: Array
    length: int

    def position(self, times: Array) -> Array:
        """Give where times lie; those in a gap lie at its end."""
        at = np.clip(np.searchsorted(self.stretches[:, 1], times, "right"), 0, len(self.stretches) - 1)
        inside = np.clip(times, self.stretches[at, 0], self.stretches[at, 1] - 1)
        place: Array = self.before[at] + inside - self.stretches[at, 0]
        return place

    def events(self, positions: Array, durations: Array) -> Array:
        """Give events that begin at positions; none goes beyond the stretch that it begins in."""
        at = np.searchsorted(self.before, positions, "right") - 1
        starts = self.stretches[at, 0] + positions - self.before[at]
        return np.column_stack([starts, np.minimum(starts + durations, self.stretches[at, 1])])

    def boxes(self, length: int) -> Array:
        """Cut all stretches into boxes."""
        parts = [np.arange(start, stop, length) for start, stop in self.stretches.tolist()]
        starts = np.concatenate(parts)
        stop = np.repeat(self.stretches[:, 1], [len(one) for one in parts])
        return np.column_stack([starts, np.minimum(starts + length, stop)])


def _line(span: Array) -> _Line:
    stretches = union(span)
    lengths = stretches[:, 1] - stretches[:, 0]
    return _Line(stretches, np.cumsum(lengths) - lengths, int(lengths.sum()))


def _reach(events: Array) -> Array:
    rows = [events[events[:, 2] == group] for group in np.unique(events[:, 2])]
    edges = [(one[:, 0].min(), one[:, 1].max(), one[0, 2]) for one in rows]
    return np.array(edges, np.int64).reshape(-1, 3)


def _box(events: Array, length: int) -> int:
    typical = int(np.median(events[:, 1] - events[:, 0])) if len(events) else length
    return max(typical, -(-length // _MOST_BOXES), 1)


def _apart(durations: Array, length: int, random: np.random.Generator) -> Array:
    """Choose where events begin so that they do not overlap, if they fit in at all."""
    free = length - int(durations.sum())
    if free <= 0:
        return random.integers(0, length, len(durations))
    begin: Array = np.sort(random.integers(0, free, len(durations))) + np.cumsum(durations) - durations
    return begin
