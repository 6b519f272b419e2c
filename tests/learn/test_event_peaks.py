"""Events cut around peaks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.learn.events import Decoder, choose, decode
from armillary.learn.events.peaks import around_peaks

HOUR = 3_600_000_000_000


def bump(middle: int, height: float, width: float, size: int = 200) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(height * np.exp(-(((np.arange(size) - middle) / width) ** 2)))


def test_a_strong_and_a_weak_event_are_both_as_wide_as_their_half_maximum() -> None:
    score = np.maximum(bump(50, 0.9, 10), bump(150, 0.3, 10))
    times = HOUR * np.arange(200)
    found = decode(times, score, Decoder(threshold=0.05, share=0.5), 3600) // HOUR
    assert len(found) == 2
    assert (found[:, 1] - found[:, 0] == 17).all()


def test_the_shoulder_of_an_event_is_no_event() -> None:
    score = np.concatenate([np.full(5, 0.4), np.full(5, 1.0), np.full(5, 0.4)])
    assert around_peaks(score, np.array([0]), np.array([14]), 0.5).tolist() == [[5, 9]]


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=60), st.floats(0.05, 1.0))
def test_events_do_not_overlap_and_hold_nothing_below_their_share(values: list[float], share: float) -> None:
    score = np.array(values)
    found = around_peaks(score, np.array([0]), np.array([len(values) - 1]), share)
    assert len(found) >= 1
    assert (found[1:, 0] > found[:-1, 1]).all()
    assert any(a <= score.argmax() <= b for a, b in found)
    for a, b in found:
        assert score[a : b + 1].min() >= share * score[a : b + 1].max()


def test_groups_and_gaps_end_events() -> None:
    times = HOUR * np.array([0, 1, 2, 10, 11, 0, 1])
    groups = np.array([0, 0, 0, 0, 0, 1, 1])
    found = decode(times, np.ones(7), Decoder(threshold=0.1, share=0.5), 3600, groups)
    assert (found[:, 2]).tolist() == [0, 0, 1]


def test_the_share_can_be_searched() -> None:
    score = np.maximum(bump(50, 0.9, 10), bump(150, 0.3, 10))
    times, truth = HOUR * np.arange(200), HOUR * np.array([[42, 59], [142, 159]])
    search = {"threshold": [0.05], "share": [0.0, 0.1, 0.5]}
    assert choose(times, score, truth, None, search, 3600, 0.9).share == pytest.approx(0.5)
