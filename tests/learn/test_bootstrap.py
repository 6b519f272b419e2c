"""Intervals that hold what they promise, also where blocks are few and rows are alike."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn import bootstrap, scores

Array = np.ndarray[Any, np.dtype[Any]]


def blocked(seed: int, blocks: int = 30, rows: int = 20, spread: float = 1.0) -> tuple[Array, Array]:
    """Numbers whose blocks differ from each other, true mean 0."""
    rng = np.random.default_rng(seed)
    which = np.repeat(np.arange(blocks), rows)
    return rng.normal(0, spread, blocks)[which] + rng.normal(0, 1, len(which)), which


def mean_of_sums(sums: Array) -> Array:
    mean: Array = sums[:, 0] / sums[:, 1]
    return mean


def holds(values: Array, which: Array) -> bool:
    sums = bootstrap.block_sums(np.column_stack([values, np.ones(len(values))]), which)
    low, high = bootstrap.interval_of_sums(mean_of_sums, sums, 400)
    return bool(low <= 0 <= high)


@pytest.mark.parametrize("blocks", [5, 12, 40])
def test_intervals_hold_the_truth_as_often_as_they_say(blocks: int) -> None:
    held = np.mean([holds(*blocked(seed, blocks)) for seed in range(400)])
    assert 0.91 <= held <= 0.985


def test_resampling_rows_instead_of_blocks_would_be_far_too_sure() -> None:
    held = []
    for seed in range(50):
        values, which = blocked(seed)
        held.append(holds(values, np.arange(len(which))))
    assert np.mean(held) < 0.6


def test_any_score_and_its_sums_give_the_same_interval() -> None:
    values, which = blocked(1)
    slow = bootstrap.interval(lambda rows: float(values[rows].mean()), which, 200, seed=4)
    sums = bootstrap.block_sums(np.column_stack([values, np.ones(len(values))]), which)
    fast = bootstrap.interval_of_sums(mean_of_sums, sums, 200, seed=4)
    assert slow == pytest.approx(fast)
    assert bootstrap.interval(lambda rows: float(values[rows].mean()), which, 200, seed=5) != slow


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_block_sums_are_sums(blocks: list[int]) -> None:
    which, values = np.array(blocks), np.arange(2.0 * len(blocks)).reshape(-1, 2)
    wanted = [values[which == one].sum(axis=0).tolist() for one in np.unique(which)]
    assert bootstrap.block_sums(values, which).tolist() == wanted


@pytest.mark.parametrize("classes", [2, 4])
def test_class_intervals_are_those_of_the_scores_on_repeated_rows(classes: int) -> None:
    rng = np.random.default_rng(classes)
    codes = rng.integers(0, classes, 150)
    raw = rng.gamma(1, size=(150, classes)) + np.eye(classes)[codes]
    probability, blocks = np.round(raw / raw.sum(axis=1, keepdims=True), 2), rng.integers(0, 9, 150)
    probability = probability / probability.sum(axis=1, keepdims=True)
    names = tuple("abcd"[:classes])
    codes[::17] = -1
    ours = bootstrap.class_intervals(codes, probability, blocks, names, resamples=40, seed=2)
    known = np.flatnonzero(codes >= 0)

    def slow(name: str, of: str = "") -> Any:
        def score(rows: Array) -> float:
            told = scores.class_scores(codes[known][rows], probability[known][rows], names)
            return float(told["per_class"][of][name] if of else told[name])

        return pytest.approx(bootstrap.interval(score, blocks[known], 40, 2))

    for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "brier", "ap", "roc_auc"):
        assert ours[name] == slow(name)
    for name in ("precision", "recall", "f1", "ap"):
        assert ours["per_class"]["b"][name] == slow(name, "b")
    if classes == 2:
        assert ours["f1"] == ours["per_class"]["b"]["f1"]
    assert ours["blocks"] == 9


def test_number_intervals_are_those_of_the_scores_on_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    truth, blocks = rng.normal(1e6, 1, 90), np.repeat(np.arange(9), 10)
    predicted = truth + rng.normal(0.2, 0.5, 90)
    truth[3] = np.nan
    ours = bootstrap.number_intervals(truth, predicted, blocks, resamples=40, seed=1)
    known = np.isfinite(truth)
    for name in ("rmse", "mae", "bias", "r2"):

        def score(rows: Array, name: str = name) -> float:
            return float(scores.number_scores(truth[known][rows], predicted[known][rows])[name])

        assert ours[name] == pytest.approx(bootstrap.interval(score, blocks[known], 40, 1), rel=1e-6)


def test_ranking_intervals_are_those_of_the_scores_on_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    blocks, novel = rng.integers(0, 12, 200), rng.random(200) < 0.3
    strange = np.round(rng.normal(size=200) + novel, 1)
    ours = bootstrap.ranking_intervals(novel, strange, blocks, resamples=40, seed=3)
    for name in ("ap", "roc_auc"):

        def score(rows: Array, name: str = name) -> float:
            return float(scores.novelty_scores(novel[rows], strange[rows])[name])

        assert ours[name] == pytest.approx(bootstrap.interval(score, blocks, 40, 3))
    alone = bootstrap.ranking_intervals(novel, strange, np.zeros(200))
    assert np.isnan([alone["ap"], alone["roc_auc"]]).all()
    assert "one block" in alone["notes"][0]


def test_many_positives_are_resampled_on_fewer_steps_with_almost_the_same_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    novel = rng.random(3000) < 0.5
    strange, blocks = rng.normal(size=3000) + novel, np.arange(3000) // 100
    exact = bootstrap.ranking_intervals(novel, strange, blocks)
    monkeypatch.setattr(bootstrap, "_STEPS", 200)
    coarse = bootstrap.ranking_intervals(novel, strange, blocks)
    assert coarse["ap"] == pytest.approx(exact["ap"], abs=0.005)
    assert coarse["roc_auc"] == pytest.approx(exact["roc_auc"], abs=0.001)
    assert coarse["ap"] != exact["ap"]


def test_one_block_gives_no_interval_and_says_why() -> None:
    one = np.zeros(10, int)
    assert np.isnan(bootstrap.interval(lambda rows: float(len(rows)), one)).all()
    codes, probability = np.array([0, 1] * 5), np.full((10, 2), 0.5)
    ours = bootstrap.class_intervals(codes, probability, one, ("a", "b"))
    assert np.isnan(ours["accuracy"]).all()
    assert np.isnan(ours["per_class"]["a"]["ap"]).all()
    assert ours["notes"] == ["no interval: all rows lie in one block, at least 2 are needed"]
    assert "there is no row" in bootstrap.why_none(np.empty(0))
    assert bootstrap.why_none(np.array([1, 2])) == ""


def test_few_blocks_are_told() -> None:
    codes, probability = np.array([0, 1] * 10), np.full((20, 2), 0.5)
    few, many = (bootstrap.class_intervals(codes, probability, np.arange(20) % n, ("a", "b")) for n in (7, 8))
    assert few["notes"] == ["only 7 blocks: the interval is too narrow, hold more blocks out"]
    assert many["notes"] == []


def test_a_score_that_most_resamples_do_not_have_has_no_interval() -> None:
    blocks = np.arange(10)
    assert np.isnan(bootstrap.interval(lambda rows: np.nan if 0 in rows else 1.0, blocks)).all()
    assert bootstrap.interval(lambda rows: np.nan if (rows == 0).sum() > 3 else 1.0, blocks) == (1, 1)


def test_too_few_resamples_and_no_rows_are_refused() -> None:
    with pytest.raises(BadParameter, match="3 resamples"):
        bootstrap.interval(lambda rows: float(len(rows)), np.arange(5), resamples=3)
    with pytest.raises(BadData, match="not a single labelled row"):
        bootstrap.class_intervals(np.array([-1]), np.array([[0.5, 0.5]]), np.array([0]), ("a", "b"))


def test_equal_models_tie_and_unequal_ones_do_not() -> None:
    values, which = blocked(3)
    better = values + 1.0
    equal = values + np.random.default_rng(0).normal(0, 0.5, len(values))

    def mean(of: Array) -> Any:
        return lambda rows: float(of[rows].mean())

    told = bootstrap.compare(mean(better), mean(values), which, names=("forest", "ridge"))
    assert (told.verdict, round(told.difference, 6)) == ("better", 1)
    assert str(told).startswith("forest is better than ridge by 1 (95 % interval")
    assert bootstrap.compare(mean(better), mean(values), which, higher_is_better=False).verdict == "worse"
    told = bootstrap.compare(mean(equal), mean(values), which, names=("forest", "ridge"))
    assert told.verdict == "tie"
    assert told.text.startswith("forest and ridge tie")
    told = bootstrap.compare(mean(equal), mean(values), np.zeros(len(values)))
    assert told.verdict == "unknown"
    assert "one block" in told.text


@pytest.mark.parametrize("name", ["macro_f1", "f1", "ap", "roc_auc", "log_loss"])
def test_classes_are_compared_at_once_as_one_by_one(name: str) -> None:
    rng = np.random.default_rng(0)
    codes, blocks = rng.integers(-1, 2, 300), rng.integers(0, 12, 300)
    said = [np.clip(0.5 + 0.2 * (codes - 0.5) + rng.normal(0, wide, 300), 0.01, 0.99) for wide in (0.1, 0.3)]
    tables = [np.column_stack([1 - one, one]) for one in said]
    known = np.flatnonzero(codes >= 0)
    better_is: Any = {"higher_is_better": name != "log_loss", "names": ("x", "y")}
    ours = bootstrap.compare_classes(name, codes, *tables, blocks, ("a", "b"), resamples=50, **better_is)

    def score(of: Array) -> Any:
        return lambda rows: float(scores.class_scores(codes[known][rows], of[known][rows], ("a", "b"))[name])

    theirs = bootstrap.compare(score(tables[0]), score(tables[1]), blocks[known], 50, **better_is)
    assert (ours.difference, ours.low, ours.high) == pytest.approx((theirs.difference, theirs.low, theirs.high))
    assert (ours.verdict, ours.text) == (theirs.verdict, theirs.text)
    assert ours.verdict == "better"


def test_a_score_that_is_not_resampled_cannot_be_compared() -> None:
    codes, said = np.array([0, 1] * 5), np.full((10, 2), 0.5)
    with pytest.raises(BadParameter, match=r"'calibration_error'.*macro_f1"):
        bootstrap.compare_classes("calibration_error", codes, said, said, np.arange(10), ("a", "b"))
    told = bootstrap.compare_classes("ap", codes, said, said, np.zeros(10), ("a", "b"))
    assert (told.verdict, told.difference) == ("unknown", 0)


def test_equal_models_are_called_a_tie_about_as_often_as_the_level_says() -> None:
    verdicts = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        which = np.repeat(np.arange(15), 10)
        first, second = (rng.normal(0, 1, 15)[which] + rng.normal(0, 1, 150) for _ in range(2))
        sums = bootstrap.block_sums(np.column_stack([first - second, np.ones(150)]), which)
        low, high = bootstrap.interval_of_sums(mean_of_sums, sums, 200, seed)
        verdicts.append(low <= 0 <= high)
    assert 0.9 <= np.mean(verdicts) <= 0.99


@given(st.floats(-1, 1), st.floats(0.01, 0.5), st.floats(-1, 1), st.floats(0.01, 0.5))
@settings(max_examples=50, deadline=None)
def test_separate_intervals_compare_alike_from_both_sides(a: float, wide: float, b: float, narrow: float) -> None:
    one, two = (a, a - wide, a + wide), (b, b - narrow, b + narrow)
    there, back = bootstrap.compare_intervals(one, two), bootstrap.compare_intervals(two, one)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert {there.verdict, back.verdict} in ({"tie"}, {"better", "worse"})
    assert there.high - there.low == pytest.approx(2 * np.hypot(wide, narrow))


def test_a_score_without_interval_cannot_be_compared() -> None:
    told = bootstrap.compare_intervals((0.5, np.nan, np.nan), (0.6, 0.5, 0.7))
    assert told.verdict == "unknown"
    assert "has no interval" in told.text
