"""Sets of events against brute force over single nanoseconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.catalogues import Entry
from armillary.catalogues import sets as algebra
from armillary.errors import BadRequest
from armillary.model import Interval

SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda one: (one[0], one[0] + one[1])), max_size=8
)


def rows(spans: list[tuple[int, int]]) -> list[Entry]:
    return [Entry(start=start, stop=stop) for start, stop in spans]


def moments(spans: list[tuple[int, int]], instant: int = 0) -> set[int]:
    return {t for start, stop in spans for t in range(start, max(stop, start + instant))}


def stretches(found: "algebra.Intervals") -> set[int]:
    return moments([(start, stop) for start, stop in found.tolist()])


@given(SPANS, SPANS)
def test_time_in_either_and_both(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    assert stretches(algebra.union(rows(a), rows(b))) == moments(a) | moments(b)
    assert stretches(algebra.intersect(rows(a), rows(b))) == moments(a) & moments(b)


@given(SPANS, SPANS)
def test_rows_that_share_time_or_lie_inside(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    there = moments(b, 1)
    shared = [one for one in a if moments([one], 1) & there]
    inside = [one for one in a if moments([one], 1) <= there]
    assert [(row.start, row.stop) for row in algebra.overlap(rows(a), rows(b))] == shared
    assert [(row.start, row.stop) for row in algebra.within(rows(a), rows(b))] == inside


@given(SPANS, st.integers(0, 20), st.integers(1, 20))
def test_gaps_and_coverage(a: list[tuple[int, int]], start: int, length: int) -> None:
    asked = set(range(start, start + length))
    interval = Interval(start, start + length)
    assert stretches(algebra.gaps(rows(a), interval)) == asked - moments(a)
    assert algebra.coverage(rows(a), interval) == len(asked & moments(a)) / length


def test_rows_without_time_are_refused() -> None:
    with pytest.raises(BadRequest, match="no time"):
        algebra.union([Entry(ra=1.0, dec=1.0)])
    with pytest.raises(BadRequest, match="span some time"):
        algebra.span([])
    assert algebra.span(rows([(3, 4)]), rows([(9, 12)])) == Interval(3, 12)
    assert [(row.start, row.stop) for row in algebra.to_events(algebra.union(rows([(1, 2), (2, 3)])))] == [(1, 3)]


def test_difference_goes_by_id_then_by_place() -> None:
    a = [Entry(id="1", start=0, stop=1), Entry(id="2", start=5, stop=6), Entry(id="3", start=8, stop=9, rating=1)]
    b = [Entry(id="1", start=0, stop=2), Entry(id="9", start=5, stop=6, author="x"), Entry(id="4", start=7, stop=9)]
    b.append(Entry(id="5", start=8, stop=9, rating=2))
    found = algebra.difference(a, b)
    assert [row.id for row in found.added] == ["4"]
    assert list(found.removed) == []
    assert [(x.id, y.id, algebra.changed_fields(x, y)) for x, y in found.changed] == [
        ("1", "1", ["stop"]),
        ("3", "5", ["rating"]),
    ]
    same = algebra.difference(a, a)
    assert (same.added, same.removed, same.changed) == ([], [], [])
