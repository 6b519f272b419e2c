"""Published rules against the words of their papers, written out one event at a time; and what fools them."""

import ast
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.learn.events import RULES, Verdict, by_rule, controls, score
from armillary.learn.events.matching import as_events
from armillary.science.intervals import union, within

Array = np.ndarray[Any, np.dtype[Any]]
HOUR = 3_600_000_000_000
ONE = st.tuples(st.integers(0, 60), st.integers(1, 15), st.integers(0, 1))
ROWS = st.lists(ONE.map(lambda one: (one[0], one[0] + one[1], one[2])), max_size=6)


def apart(rows: list[tuple[int, int, int]]) -> Array:
    """Events of each group that do not overlap, in hours."""
    parts = []
    for group in (0, 1):
        joined = union(np.array([row[:2] for row in rows if row[2] == group], np.int64).reshape(-1, 2))
        parts.append(np.insert(joined, 2, group, axis=1))
    return np.concatenate(parts) * np.array([HOUR, HOUR, 1])


EVENTS = ROWS.map(apart)


def shared(a: Array, b: Array) -> int:
    return max(0, min(a[1], b[1]) - max(a[0], b[0])) if a[2] == b[2] else 0


def long(a: Array) -> int:
    return int(a[1] - a[0])


def verdict(precision: float, recall: float) -> Verdict:
    return Verdict(precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0)


def counted(found: int, alarms: int, missed: int) -> Verdict:
    return verdict(found / (found + alarms) if found + alarms else 0.0, found / (found + missed) if found else 0.0)


def by_hand(rule: str, predicted: Array, truth: Array) -> Verdict:
    """One event at a time."""
    if rule == "nguyen2019":
        found = sum(any(shared(a, b) > 0.51 * long(b) for a in predicted) for b in truth)
        alone = [a for a in predicted if not any(shared(a, b) for b in truth)]
        return counted(found, sum(long(a) >= 2.5 * HOUR for a in alone), len(truth) - found)
    if rule == "telemanom":
        found = sum(any(shared(a, b) for a in predicted) for b in truth)
        return counted(found, sum(not any(shared(a, b) for b in truth) for a in predicted), len(truth) - found)
    if rule == "ramp":
        good = [any(shared(a, b) >= 0.5 * long(b) for b in truth) for a in predicted]
        hit = [any(shared(a, b) > 0.5 * long(b) for a in predicted) for b in truth]
        return verdict(float(np.mean(good)) if good else 0.0, float(np.mean(hit)) if hit else 0.0)
    return verdict(range_share(predicted, truth), range_share(truth, predicted))


def range_share(ours: Array, others: Array) -> float:
    shares = []
    for a in ours:
        parts = [shared(a, b) / long(a) for b in others if shared(a, b)]
        shares.append(sum(parts) / max(len(parts), 1))
    return float(np.mean(shares)) if shares else 0.0


@pytest.mark.parametrize("rule", ["nguyen2019", "ramp", "telemanom", "range"])
@given(predicted=EVENTS, truth=EVENTS)
def test_rules_are_those_of_their_papers(rule: str, predicted: Array, truth: Array) -> None:
    assert by_rule(rule, predicted, truth) == pytest.approx(by_hand(rule, predicted, truth))


@given(EVENTS, EVENTS)
def test_the_rule_of_overlap_is_the_score(predicted: Array, truth: Array) -> None:
    found = score(predicted, truth)
    names = ("precision", "recall", "f1")
    assert list(by_rule("iou", predicted, truth)) == [found[f"event_{name}_iou25"] for name in names]


@pytest.mark.parametrize("rule", RULES)
def test_the_truth_itself_is_perfect_and_nothing_is_worth_nothing(rule: str) -> None:
    truth = np.array([[0, 5], [9, 12]]) * HOUR
    assert by_rule(rule, truth, truth) == (1, 1, 1)
    assert by_rule(rule, truth[:0], truth) == (0, 0, 0)
    assert by_rule(rule, truth[:0], truth[:0]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("rule", "fooled"), [("nguyen2019", 1), ("ramp", 1), ("telemanom", 1), ("range", 0), ("iou", 0)]
)
def test_one_event_over_the_whole_series(rule: str, fooled: int) -> None:
    starts = np.arange(5, 500, 50)
    truth = np.column_stack([starts, starts + 2]) * HOUR
    span = np.array([[0, 500]]) * HOUR
    got = by_rule(rule, controls(truth, span)["whole series"], truth, span)
    assert got.f1 == 1 if fooled else got.f1 < 0.05


@pytest.mark.real
def test_the_published_run_of_telemanom_is_counted_as_published(real_data: Path) -> None:
    with (real_data / "onboard" / "smap_msl" / "telemanom_2018-05-19_15.00.10.csv").open() as file:
        channels = list(csv.DictReader(file))
    predicted, truth = [], []
    for number, row in enumerate(channels):
        told = ast.literal_eval(row["fp_sequences"]) + ast.literal_eval(row["tp_sequences"])
        predicted += [(first, last + 1, number) for first, last in told]
        truth += [(first, last + 1, number) for first, last in ast.literal_eval(row["anomaly_sequences"])]
    names = ("true_positives", "false_positives", "false_negatives")
    found, alarms, missed = (sum(int(row[name]) for row in channels) for name in names)
    assert by_rule("telemanom", np.array(predicted), np.array(truth)) == pytest.approx(counted(found, alarms, missed))
    assert found > 80
    one_to_one = score(np.array(predicted), np.array(truth))
    assert one_to_one["event_f1_iou25"] == pytest.approx(0.525, abs=0.001)
    assert one_to_one["event_f1_iou50"] == pytest.approx(0.240, abs=0.001)


def test_an_unknown_rule_is_told() -> None:
    with pytest.raises(BadParameter, match="no rule 'f2'"):
        by_rule("f2", np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64))


def test_rules_look_at_the_span_only() -> None:
    truth = np.array([[0, 10], [90, 100]])
    predicted = np.array([[0, 10], [60, 70]])
    assert by_rule("telemanom", predicted, truth).f1 == 0.5
    assert by_rule("telemanom", predicted, truth, np.array([[0, 50]])) == (1, 1, 1)


@given(EVENTS.filter(len), st.integers(0, 3))
def test_controls_stay_in_the_span_and_know_nothing_of_the_truth(truth: Array, seed: int) -> None:
    span = np.array([[0, 20, 0], [30, 90, 0], [0, 90, 1]]) * np.array([HOUR, HOUR, 1])
    made = controls(truth, span, seed)
    assert list(made) == ["whole series", "boxes", "random", "shifted truth"]
    for name, events in made.items():
        as_events(events, name)
        assert events.shape[1] == 3
        for group in (0, 1):
            mine, room = (one[one[:, 2] == group, :2] for one in (events, span))
            if name == "whole series":
                assert mine.tolist() == [[room.min(), room.max()]]
            else:
                assert within(mine, room).all()
            if name == "boxes":
                assert union(mine).tolist() == union(room).tolist()
    middles = [((start + stop) // 2, group) for start, stop, group in truth]
    judged = sum(any(low <= at < high and group == of for low, high, of in span) for at, group in middles)
    assert len(made["random"]) == len(made["shifted truth"]) == judged
    assert controls(truth, span, seed)["random"].tolist() == made["random"].tolist()


def test_shifted_truth_keeps_its_pattern() -> None:
    truth = np.array([[0, 10], [20, 25], [60, 70]])
    moved = controls(truth, np.array([[0, 1_000_000]]), 1)["shifted truth"]
    assert (moved - moved[0, 0]).tolist() == truth.tolist()
    assert 200_000 <= moved[0, 0] <= 800_000


def test_controls_without_a_span_reach_from_the_first_to_the_last_event() -> None:
    made = controls(np.array([[10, 20], [50, 60]]))
    assert made["whole series"].tolist() == [[10, 60]]
    assert controls(np.zeros((0, 2), np.int64))["boxes"].shape == (0, 2)


def test_random_events_are_apart_and_move_with_the_seed() -> None:
    truth = np.column_stack([np.arange(0, 1000, 20), np.arange(10, 1010, 20)])
    one, other = (controls(truth, np.array([[0, 2000]]), seed)["random"] for seed in (0, 1))
    assert len(union(one)) >= 40
    assert (one[1:, 0] >= one[:-1, 1]).all()
    assert one.tolist() != other.tolist()


def test_tiny_events_in_a_long_span_make_no_endless_list_of_boxes() -> None:
    assert len(controls(np.array([[5, 6]]), np.array([[0, 10**15]]))["boxes"]) <= 100_000
