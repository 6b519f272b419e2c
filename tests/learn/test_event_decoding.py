"""From scores to events: each step by hand, and the choice of a decoder that a small change does not upset."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn.events import Decoder, choose, decode, score, usual_search
from armillary.science.intervals import union

Array = np.ndarray[Any, np.dtype[Any]]
SECOND = 1_000_000_000
SCORES = st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=40)


def seconds(scores: Any, decoder: Decoder, **more: Any) -> list[list[int]]:
    """Decode a score a second and give the events in seconds."""
    times = SECOND * np.arange(len(scores))
    events = decode(times, np.array(scores, float), decoder, 1.0, **more)
    events[:, :2] //= SECOND
    found: list[list[int]] = events.tolist()
    return found


def test_runs_above_the_threshold() -> None:
    assert seconds([0.1, 0.5, 0.9, 0.4, 0.6], Decoder()) == [[1, 3], [4, 5]]
    assert seconds([0.9, np.nan, 0.9], Decoder()) == [[0, 1], [2, 3]]
    assert seconds([0.1, np.nan], Decoder()) == []


def test_a_gap_ends_an_event_unless_join_bridges_it() -> None:
    times = SECOND * np.array([0, 1, 2, 10, 11])
    for join, found in ((0.0, [[0, 3], [10, 12]]), (6.9, [[0, 3], [10, 12]]), (7.0, [[0, 12]])):
        assert (decode(times, np.ones(5), Decoder(join=join), 1.0) // SECOND).tolist() == found


def test_join_comes_before_peak_and_least() -> None:
    scores = [0.6, 0.1, 0.9, 0, 0, 0, 0, 0.7]
    assert seconds(scores, Decoder(join=1, least=3)) == [[0, 3]]
    assert seconds(scores, Decoder(join=1, peak=0.8)) == [[0, 3]]
    assert seconds(scores, Decoder(least=2)) == []


def test_smoothing_is_a_mean_over_time_without_what_is_missing() -> None:
    assert seconds([0, 0, 0.9, 0.9, 0.3, 0, 0], Decoder(smooth=2, threshold=0.39)) == [[2, 5]]
    assert seconds([1, np.nan, 1], Decoder(smooth=2, threshold=0.9)) == [[0, 3]]
    far = decode(SECOND * np.array([0, 100]), np.array([1.0, 0.0]), Decoder(smooth=10, threshold=0.9), 1.0)
    assert (far // SECOND).tolist() == [[0, 1]]


def test_wider_events_that_meet_become_one() -> None:
    scores = [0, 1, 0, 0, 1, 0]
    assert seconds(scores, Decoder(widen=1)) == [[0, 6]]
    assert seconds([1, 1, 1, 0, 1], Decoder(widen=-1)) == [[1, 2]]


def test_groups_are_series_of_their_own() -> None:
    times = SECOND * np.array([0, 1, 0, 1])
    groups = np.array([5, 5, 2, 2])
    events = decode(times, np.array([1.0, 1, 1, 0]), Decoder(join=100), 1.0, groups)
    assert events.tolist() == [[0, SECOND, 2], [0, 2 * SECOND, 5]]
    smooth = decode(times, np.array([1.0, 1, 0, 0]), Decoder(smooth=10, threshold=0.9), 1.0, groups)
    assert smooth.tolist() == [[0, 2 * SECOND, 5]]


@given(SCORES, st.floats(0, 3), st.floats(0.05, 0.95))
def test_events_are_apart_and_lower_thresholds_cover_more(scores: list[float], join: float, threshold: float) -> None:
    times = SECOND * np.arange(len(scores))
    events = decode(times, np.array(scores), Decoder(join=join, threshold=threshold), 1.0)
    assert union(events).tolist() == events.tolist()
    assert (events[1:, 0] - events[:-1, 1] > join * SECOND).all()
    lower = decode(times, np.array(scores), Decoder(join=join, threshold=threshold / 2), 1.0)
    assert union(events, lower).tolist() == lower.tolist()


@given(SCORES, st.permutations(range(40)))
def test_order_of_samples_does_not_matter(scores: list[float], order: list[int]) -> None:
    some = np.array([one for one in order if one < len(scores)])
    times, values = SECOND * np.arange(len(scores)), np.array(scores)
    decoder = Decoder(smooth=3, join=2)
    assert decode(times[some], values[some], decoder, 1.0).tolist() == decode(times, values, decoder, 1.0).tolist()


def series(seed: int = 0, count: int = 3000) -> tuple[Array, Array, Array]:
    """A series with events of 30 s, and a score that is noisy but knows where they are."""
    random = np.random.default_rng(seed)
    starts = np.arange(20, count - 60, 100) + random.integers(0, 40, len(range(20, count - 60, 100)))
    truth = SECOND * np.column_stack([starts, starts + 30])
    times = SECOND * np.arange(count)
    inside = ((times[:, None] >= truth[:, 0]) & (times[:, None] < truth[:, 1])).any(1)
    return times, np.clip(0.35 + 0.3 * inside + random.normal(0, 0.15, count), 0, 1), truth


def test_a_chosen_decoder_works_on_another_series() -> None:
    times, values, truth = series()
    decoder = choose(times, values, truth, None, {}, 1.0, 0.5)
    assert score(decode(times, values, Decoder(), 1.0), truth)["event_f1_iou50"] < 0.1
    times, values, truth = series(1)
    assert score(decode(times, values, decoder, 1.0), truth)["event_f1_iou50"] > 0.95


def test_choose_takes_the_middle_of_what_is_equally_good() -> None:
    times, values = SECOND * np.arange(100), np.where(np.arange(100) // 10 % 2, 0.9, 0.1)
    truth = SECOND * np.array([[at, at + 10] for at in range(10, 100, 20)])
    levels = [0.05, *np.linspace(0.15, 0.85, 15)]
    assert choose(times, values, truth, None, {"threshold": levels}, 1.0, 0.5).threshold == pytest.approx(0.5)


def test_quantiles_fit_scores_of_any_scale() -> None:
    times, values, truth = series()
    decoder = choose(times, 1e6 * values - 7, truth, None, {"smooth": ["8s"], "quantile": [0.5, 0.7, 0.9]}, 1.0, 0.25)
    assert decoder.smooth == 8
    assert decoder.threshold > 1000
    assert "quantile" in usual_search(truth, 1e6 * values)
    assert "threshold" in usual_search(truth, values)


def test_choice_of_several_aims_and_channels() -> None:
    (times, values, truth), (_, others, more) = series(), series(1)
    groups = np.repeat([3, 4], len(times))
    events = np.vstack([np.insert(truth, 2, 3, axis=1), np.insert(more, 2, 4, axis=1)])
    both, all_values = np.tile(times, 2), np.concatenate([values, others])
    search = {"smooth": [0, 8], "threshold": [0.4, 0.5, 0.6], "least": [0, 10]}
    decoder = choose(both, all_values, events, None, search, 1.0, (0.25, 0.5), groups)
    assert score(decode(both, all_values, decoder, 1.0, groups), events)["event_f1_iou50"] > 0.95


def test_decoders_travel_as_json() -> None:
    for one in (Decoder(), Decoder(threshold=0.3, peak=0.7, smooth=60)):
        assert Decoder.of_record(json.loads(json.dumps(one.to_record(), allow_nan=False))) == one
    assert Decoder.of_record({"join": "6h"}).join == 21600


def test_bad_questions_are_told() -> None:
    times, values, truth = series()
    with pytest.raises(BadParameter, match="no 'smoth'"):
        choose(times, values, truth, None, {"smoth": [1]}, 1.0, 0.5)
    with pytest.raises(BadParameter, match="beside quantiles"):
        choose(times, values, truth, None, {"threshold": [1], "quantile": [0.5]}, 1.0, 0.5)
    with pytest.raises(BadParameter, match="no value of 'quantile'"):
        choose(times, values, truth, None, {"quantile": []}, 1.0, 0.5)
    with pytest.raises(BadData, match="no true event"):
        choose(times, values, truth, times[-1:, None] + [[1, 2]], {}, 1.0, 0.5)
    with pytest.raises(BadData, match="not one score"):
        choose(times, np.full(len(times), np.nan), truth, None, {}, 1.0, 0.5)
    with pytest.raises(BadData, match="3000 times, 2 scores"):
        decode(times, values[:2], Decoder(), 1.0)
    with pytest.raises(BadParameter, match="cadence"):
        decode(times, values, Decoder(), 0.0)
