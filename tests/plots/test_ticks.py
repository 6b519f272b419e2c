"""Marks stand at round times and say enough."""

from hypothesis import given
from hypothesis import strategies as st

from armillary.model import Interval
from armillary.plots.ticks import time_ticks

DAY = 86_400 * 10**9


@given(st.integers(-200 * 365 * DAY, 250 * 365 * DAY), st.integers(100, 100 * 365 * DAY), st.integers(2, 12))
def test_marks_lie_inside_rise_and_are_not_too_many(start: int, length: int, most: int) -> None:
    ticks = time_ticks(start, start + length, most)
    at = [tick.at for tick in ticks]
    assert at == sorted(set(at))
    assert all(start <= one <= start + length for one in at)
    assert len(ticks) <= most + 2
    assert all(tick.label for tick in ticks)


def told(start: str, stop: str, most: int = 6) -> list[tuple[str, str]]:
    span = Interval.of(start, stop)
    return [(tick.label, tick.below) for tick in time_ticks(span.start, span.stop, most)]


def test_midnight_brings_the_new_date() -> None:
    ticks = told("2015-10-17T20:00", "2015-10-18T06:00", 5)
    assert ticks == [
        ("20:00", "2015-10-17"),
        ("22:00", ""),
        ("00:00", "2015-10-18"),
        *((f"0{k}:00", "") for k in (2, 4, 6)),
    ]


def test_dates_below_neighbours_would_overlap() -> None:
    assert told("2015-10-17T22:00", "2015-10-18T06:00", 4)[:2] == [("22:00", ""), ("00:00", "2015-10-18")]


def test_each_length_has_its_words() -> None:
    assert told("2015-10-17T06:00:00", "2015-10-17T06:00:50")[1][0] == "06:00:10"
    assert told("2015-10-17T06:00:00", "2015-10-17T06:00:00.050")[1][0] == "06:00:00.010"
    assert told("2015-10-17", "2015-10-22")[0] == ("10-17", "2015")
    assert [label for label, _ in told("2015-12-01", "2016-03-01", 4)] == ["Dec", "Jan", "Feb", "Mar"]
    assert [label for label, _ in told("1999-06-01", "2003-06-01")] == ["2000", "2001", "2002", "2003"]
