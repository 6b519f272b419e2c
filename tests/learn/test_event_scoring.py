"""Scores of events: what is judged, counts that add up over blocks, numbers known by hand."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.learn.events import block_counts, grouped, match, rates, score

Array = np.ndarray[Any, np.dtype[Any]]
SECOND = 1_000_000_000
ONE = st.tuples(st.integers(0, 90), st.integers(1, 15), st.integers(0, 1))
EVENTS = st.lists(ONE.map(lambda one: (one[0], one[0] + one[1], one[2])), max_size=8).map(
    lambda rows: np.array(rows, np.int64).reshape(-1, 3)
)
NAMES = [f"event_{name}_iou{iou}" for name in ("f1", "precision", "recall") for iou in (10, 25, 50)]


@given(EVENTS, EVENTS)
def test_scores_are_shares_and_fall_as_more_is_asked(predicted: Array, truth: Array) -> None:
    found = score(predicted, truth)
    assert json.loads(json.dumps(found)) == found
    assert all(0 <= found[name] <= 1 for name in NAMES)
    assert found["event_f1_iou10"] >= found["event_f1_iou25"] >= found["event_f1_iou50"]
    for name in ("f1", "precision", "recall"):
        assert found["curve"][name] == sorted(found["curve"][name], reverse=True)
        assert len(found["curve"][name]) == len(found["curve"]["iou"])


@given(EVENTS, EVENTS)
def test_precision_of_one_is_recall_of_the_other(predicted: Array, truth: Array) -> None:
    one, other = score(predicted, truth), score(truth, predicted)
    for iou in (10, 25, 50):
        assert one[f"event_precision_iou{iou}"] == other[f"event_recall_iou{iou}"]
        assert one[f"event_f1_iou{iou}"] == other[f"event_f1_iou{iou}"]
    assert one["time"]["precision"] == other["time"]["recall"]


@given(EVENTS.filter(len))
def test_the_truth_itself_is_perfect(truth: Array) -> None:
    found = score(truth, truth)
    assert all(found[name] == 1 for name in NAMES)
    assert set(found["curve"]["f1"]) == {1.0}
    assert found["onset"] == found["offset"] == {"bias": 0.0, "mae": 0.0, "median_absolute": 0.0}
    assert found["time"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


@given(EVENTS, EVENTS)
def test_a_span_of_everything_changes_nothing(predicted: Array, truth: Array) -> None:
    span = np.array([[-10, 200, 0], [-10, 200, 1]])
    assert score(predicted, truth, span) == score(predicted, truth)


@given(EVENTS, EVENTS, st.integers(0, 100), st.integers(0, 100))
def test_counts_of_blocks_add_up(predicted: Array, truth: Array, first: int, second: int) -> None:
    span = np.array([[min(first, second), max(first, second) + 1, group] for group in (0, 1)])
    times = np.tile(np.arange(100), 2)
    groups = np.repeat([0, 1], 100)
    counts = block_counts(predicted, truth, 0.25, times, times // 30, span=span, groups=groups)
    assert counts.shape == (4, 3)
    found = score(predicted, truth, span)
    assert rates(counts.sum(0)).tolist() == [found[f"event_{one}_iou25"] for one in ("precision", "recall", "f1")]
    assert counts[:, [0, 2]].sum() == found["truth"]


def test_numbers_known_by_hand() -> None:
    truth = SECOND * np.array([[0, 100], [200, 300], [400, 500], [600, 700]])
    predicted = SECOND * np.array([[10, 110], [240, 390], [800, 900]])
    found = score(predicted, truth)
    assert (found["predicted"], found["truth"]) == (3, 4)
    # the two pairs share 90 s of 110 s, and 60 s of 190 s
    assert found["event_precision_iou25"] == pytest.approx(2 / 3)
    assert found["event_recall_iou25"] == pytest.approx(2 / 4)
    assert found["event_f1_iou50"] == pytest.approx(2 / 7)
    assert found["onset"] == {"bias": 25.0, "mae": 25.0, "median_absolute": 25.0}
    assert found["offset"] == {"bias": 50.0, "mae": 50.0, "median_absolute": 50.0}
    assert found["time"]["precision"] == pytest.approx(150 / 350)
    assert found["time"]["recall"] == pytest.approx(150 / 400)


def test_only_what_lies_in_the_span_is_judged() -> None:
    truth = np.array([[0, 10], [95, 115], [200, 210]])
    predicted = np.array([[0, 10], [98, 112], [150, 160], [250, 260]])
    span = np.array([[0, 100], [140, 205]])
    found = score(predicted, truth, span)
    # [95, 115) has its middle outside: it is not missed, and what matches it is no false alarm;
    # [200, 210) has its middle at 205, outside; [250, 260) is nowhere near
    assert (found["truth"], found["predicted"]) == (1, 3)
    assert found["event_precision_iou25"] == 0.5
    assert found["event_recall_iou25"] == 1


def test_the_same_in_two_channels_is_not_the_same_event() -> None:
    times = np.array([[0, 10]])
    assert score(grouped(times, 0), grouped(times, 1))["event_f1_iou10"] == 0
    assert score(grouped(times, 0), grouped(times, 1))["time"]["f1"] == 0
    both = np.vstack([grouped(times, 0), grouped(times, 1)])
    assert score(both, both)["event_recall_iou50"] == 1


def test_nothing_predicted_is_no_score_and_no_error() -> None:
    nothing = np.zeros((0, 2), np.int64)
    found = score(nothing, np.array([[0, 10]]))
    assert [found[name] for name in NAMES] == [0.0] * 9
    assert found["onset"]["bias"] is None
    assert score(nothing, nothing)["truth"] == 0


def test_overlaps_are_shares() -> None:
    truth = np.array([[0, 10]])
    with pytest.raises(BadParameter, match="overlap of 25"):
        score(truth, truth, iou=(25,))
    with pytest.raises(BadParameter, match="overlap of nan"):
        match(truth, truth, float("nan"))
    assert score(truth, truth, iou=())["onset"]["mae"] == 0


def test_resampled_blocks_are_weighted_counts() -> None:
    truth = np.array([[10, 20], [40, 50], [70, 80]])
    predicted = np.array([[10, 20], [41, 51], [90, 95]])
    times = np.arange(100)
    counts = block_counts(predicted, truth, 0.5, times, times // 34)
    assert counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    weights = np.array([[1, 1, 1], [2, 1, 0], [0, 0, 3]])
    assert rates(weights @ counts)[:, 2].tolist() == [pytest.approx(2 / 3), 1.0, 0.0]
    assert len(match(predicted, truth, 0.5)) == 2
