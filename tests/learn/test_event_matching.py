"""Matching against an oracle that tries everything, and what must hold for any events."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.learn.events import grouped, match
from armillary.learn.events import matching as room
from armillary.learn.events.matching import as_events, fold, overlaps

Array = np.ndarray[Any, np.dtype[Any]]
IOU = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
ONE = st.tuples(st.integers(0, 40), st.integers(1, 15), st.integers(0, 1)).map(
    lambda one: (one[0], one[0] + one[1], one[2])
)
EVENTS = st.lists(ONE, max_size=7).map(lambda rows: np.array(rows, np.int64).reshape(-1, 3))


def ratio(a: Array, b: Array) -> float:
    """Intersection over union, counted second by second."""
    first, second = set(range(a[0], a[1])), set(range(b[0], b[1]))
    return len(first & second) / len(first | second) if a[2] == b[2] else 0.0


def best(predicted: Array, truth: Array, iou: float) -> tuple[int, float]:
    """Most pairs, and their greatest total overlap, by trying everything."""
    able = [
        [(number, value) for number, b in enumerate(truth) if (value := ratio(a, b)) >= iou and value > 0]
        for a in predicted
    ]

    @cache
    def rest(row: int, taken: int) -> tuple[int, float]:
        if row == len(able):
            return 0, 0.0
        found = [rest(row + 1, taken)]
        for number, value in able[row]:
            if not taken >> number & 1:
                count, total = rest(row + 1, taken | 1 << number)
                found.append((count + 1, total + value))
        return max(found)

    return rest(0, 0)


@given(EVENTS, EVENTS, IOU)
def test_as_many_pairs_as_possible_and_the_closest(predicted: Array, truth: Array, iou: float) -> None:
    found = match(predicted, truth, iou)
    values = [ratio(predicted[a], truth[b]) for a, b in found]
    assert all(value >= iou and value > 0 for value in values)
    assert len(set(found[:, 0])) == len(set(found[:, 1])) == len(found)
    count, total = best(predicted, truth, iou)
    assert len(found) == count
    assert sum(values) == pytest.approx(total)


@given(EVENTS, EVENTS, IOU)
def test_symmetric_and_independent_of_order(predicted: Array, truth: Array, iou: float) -> None:
    pairs = overlaps(predicted, truth)
    found = match(predicted, truth, iou)
    assert len(match(truth, predicted, iou)) == len(found) == len(match(predicted[::-1], truth, iou))
    assert sorted(overlaps(truth, predicted).iou.tolist()) == sorted(pairs.iou.tolist())


@given(EVENTS, EVENTS)
def test_fewer_pairs_where_more_overlap_is_asked_for(predicted: Array, truth: Array) -> None:
    counts = [len(match(predicted, truth, iou)) for iou in (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)]
    assert counts == sorted(counts, reverse=True)


@given(EVENTS, EVENTS)
def test_every_overlap_is_found_once(predicted: Array, truth: Array) -> None:
    pairs = overlaps(predicted, truth)
    found = dict(zip(zip(pairs.predicted.tolist(), pairs.truth.tolist(), strict=True), pairs.iou, strict=True))
    assert len(found) == len(pairs.iou)
    everything = {(a, b): ratio(x, y) for a, x in enumerate(predicted) for b, y in enumerate(truth)}
    assert found == pytest.approx({pair: value for pair, value in everything.items() if value})


@given(EVENTS, EVENTS, st.integers(-(2**61), 2**61))
def test_epochs_do_not_matter(predicted: Array, truth: Array, epoch: int) -> None:
    moved = np.array([epoch, epoch, 0])
    assert match(predicted + moved, truth + moved, 0.25).tolist() == match(predicted, truth, 0.25).tolist()


@given(EVENTS)
def test_events_match_themselves(events: Array) -> None:
    assert len(match(events, events, 1.0)) == len(events)


def test_a_taken_one_is_let_go_where_that_makes_more_pairs() -> None:
    predicted, truth = np.array([[0, 10], [9, 20]]), np.array([[5, 14], [14, 22]])
    assert match(predicted, truth, 0.2).tolist() == [[0, 0], [1, 1]]
    greedy = overlaps(predicted, truth)
    assert greedy.iou.max() == pytest.approx(6 / 13)


def test_many_parts_and_slices_give_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    starts = np.cumsum(random.integers(1, 60, 2000))
    truth = np.column_stack([starts, starts + random.integers(5, 120, 2000)])
    predicted = np.sort(truth + random.integers(-40, 40, truth.shape), axis=1) + np.array([0, 1])
    one = match(predicted, truth, 0.1)
    monkeypatch.setattr(room, "_PART", 20)
    monkeypatch.setattr(room, "_AT_ONCE", 100)
    many = match(predicted, truth, 0.1)
    totals = [overlap_of(found, predicted, truth) for found in (one, many)]
    assert totals[0] == pytest.approx(totals[1])
    assert len(one) == len(many) > 1500
    monkeypatch.setattr(room, "_TANGLE", 10)
    assert len(match(predicted, truth, 0.1)) == len(one)


def overlap_of(found: Array, predicted: Array, truth: Array) -> float:
    whole = [ratio([*predicted[a], 0], [*truth[b], 0]) for a, b in found]  # type: ignore[arg-type]
    return sum(whole)


def test_one_long_event_among_many_costs_no_square() -> None:
    starts = np.arange(20_000) * 10
    truth = np.vstack([np.column_stack([starts, starts + 5]), [[0, 200_000]]])
    pairs = overlaps(truth, truth)
    assert len(pairs.iou) == 20_000 * 3 + 1


def test_channels_never_meet() -> None:
    times = np.array([[0, 10], [0, 10]])
    assert match(grouped(times, [0, 1]), grouped(times, [2, 1]), 0.5).tolist() == [[1, 1]]
    assert match(grouped(times, 0), grouped(times, 1), 0.0).tolist() == []


@given(EVENTS, EVENTS)
def test_folding_keeps_what_overlaps(predicted: Array, truth: Array) -> None:
    a, b = fold(as_events(predicted), as_events(truth))
    for x, key_x in zip(predicted, a, strict=True):
        for y, key_y in zip(truth, b, strict=True):
            assert (max(key_x[0], key_y[0]) < min(key_x[1], key_y[1])) == (ratio(x, y) > 0)


def test_nothing_matches_nothing() -> None:
    nothing = np.zeros((0, 2), np.int64)
    assert match(nothing, nothing, 0.5).shape == (0, 2)
    assert match(np.array([[0, 1]]), nothing, 0.5).shape == (0, 2)
    assert match([], [], 0.5).shape == (0, 2)  # type: ignore[arg-type]


def test_times_may_be_dates() -> None:
    day = np.array([["2015-10-17", "2015-10-18"]], "datetime64[D]")
    assert as_events(day).tolist() == [[1445040000 * 10**9, 1445126400 * 10**9, 0]]


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (np.array([[0, 1], [5, 5]]), "truth: number 1 does not stop after its start"),
        (np.array([[0.5, 1.0]]), "float64"),
        (np.array([0, 1]), "shape"),
        (np.zeros((2, 4), np.int64), "shape"),
    ],
)
def test_what_is_no_event_is_refused(events: Array, told: str) -> None:
    with pytest.raises(BadData, match=told):
        as_events(events, "truth")
