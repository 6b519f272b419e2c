"""Algebra of the times of events: which rows share time, and what time two catalogues have together.

All are O(n log n). An instant counts as one nanosecond where rows are compared and as nothing where times are joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.catalogues.entry import CONTENT, Entry
from armillary.errors import BadRequest
from armillary.model import Interval
from armillary.science import intervals as algebra
from armillary.science.intervals import Intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What must be done to the first catalogue to make the second.

    Parameters
    ----------
    changed : sequence of (Entry, Entry)
        Rows of one id, or else of one place, with other content: before and after.
    """

    added: Sequence[Entry]
    removed: Sequence[Entry]
    changed: Sequence[tuple[Entry, Entry]]


def times(rows: Sequence[Entry], instant: int = 0) -> Intervals:
    """Give start and stop of events.

    Parameters
    ----------
    rows : sequence of Entry
        Events.
    instant : int
        Nanoseconds that an instant is taken to last.

    Returns
    -------
    ndarray of int64, shape (rows, 2)

    Raises
    ------
    BadRequest
        If a row has no time.
    """
    bare = next((row for row in rows if row.start is None), None)
    if bare is not None:
        raise BadRequest(f"row {bare.id!r} has no time", "use catalogues of events")
    pairs = algebra.intervals([(row.start, row.stop) for row in rows])
    if instant:
        pairs[:, 1] += instant * (pairs[:, 0] == pairs[:, 1])
    return pairs


def union(a: Sequence[Entry], b: Sequence[Entry] = ()) -> Intervals:
    """Give the time that is in any event of either."""
    return algebra.union(times(a), times(b))


def intersect(a: Sequence[Entry], b: Sequence[Entry]) -> Intervals:
    """Give the time that is in events of both."""
    return algebra.intersect(times(a), times(b))


def overlap(a: Sequence[Entry], b: Sequence[Entry]) -> list[Entry]:
    """Give the rows of `a` that share time with a row of `b`."""
    return _picked(a, algebra.overlapping(times(a, 1), times(b, 1)))


def within(a: Sequence[Entry], b: Sequence[Entry]) -> list[Entry]:
    """Give the rows of `a` that lie inside the time of `b`."""
    return _picked(a, algebra.within(times(a, 1), times(b, 1)))


def gaps(rows: Sequence[Entry], interval: Interval) -> Intervals:
    """Give the time of an interval in which there is no event."""
    return algebra.gaps(times(rows), interval.start, interval.stop)


def coverage(rows: Sequence[Entry], interval: Interval) -> float:
    """Give the fraction of an interval that events cover, 0 to 1."""
    return algebra.coverage(times(rows), interval.start, interval.stop)


def span(*catalogues: Sequence[Entry]) -> Interval:
    """Give the shortest interval that holds all events.

    Raises
    ------
    BadRequest
        If there is none, or it has no length.
    """
    pairs = np.concatenate([times(rows) for rows in catalogues])
    if not len(pairs) or pairs[:, 0].min() == pairs[:, 1].max():
        raise BadRequest("there are no events that span some time", "give start and stop")
    return Interval(int(pairs[:, 0].min()), int(pairs[:, 1].max()))


def to_events(stretches: Intervals) -> list[Entry]:
    """Make an event of each interval."""
    return [Entry(start=start, stop=stop) for start, stop in stretches.tolist()]


def difference(a: Sequence[Entry], b: Sequence[Entry]) -> Difference:
    """Compare two catalogues row by row: by id, then by place (time, sky position or geometry)."""
    left, right = {row.id: row for row in a}, {row.id: row for row in b}
    pairs = [(left[id_], right[id_]) for id_ in left if id_ in right]
    rest_a = [row for row in a if row.id not in right]
    rest_b = [row for row in b if row.id not in left]
    placed: dict[Any, list[Entry]] = {}
    for row in rest_a:
        placed.setdefault(_place(row), []).append(row)
    added = []
    for row in rest_b:
        mates = placed.get(_place(row))
        if mates:
            pairs.append((mates.pop(0), row))
        else:
            added.append(row)
    removed = [row for rows in placed.values() for row in rows]
    return Difference(added=added, removed=removed, changed=[pair for pair in pairs if changed_fields(*pair)])


def changed_fields(before: Entry, after: Entry) -> list[str]:
    """Name the fields in which two rows differ; who wrote them does not count."""
    return [name for name in CONTENT if name not in _NOT_CONTENT and getattr(before, name) != getattr(after, name)]


_NOT_CONTENT: Final = {"id", "author"}


def _place(row: Entry) -> tuple[Any, ...]:
    return (row.start, row.stop, row.ra, row.dec, row.source_id, repr(row.geometry))


def _picked(rows: Sequence[Entry], wanted: Any) -> list[Entry]:
    return [row for row, one in zip(rows, wanted, strict=True) if one]
