"""Sets hold the truth of each class as often as they say."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn import conformal

Array = np.ndarray[Any, np.dtype[Any]]
NAMES = ("a", "b", "c")


def world(seed: int, rows: int) -> tuple[Array, Array]:
    """Three classes of very different size and difficulty, and a model that is too sure."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, rows, p=[0.7, 0.25, 0.05])
    logits = rng.normal(0, 1, (rows, 3)) + np.array([3.0, 1.5, 0.7])[codes][:, None] * np.eye(3)[codes]
    raised = np.exp(2 * logits)
    return raised / raised.sum(axis=1, keepdims=True), codes


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_every_class_is_covered(coverage: float) -> None:
    held = []
    for seed in range(240):
        learnt = conformal.fit_conformal(*world(seed, 1000))
        fresh, truth = world(2000 + seed, 2000)
        held.append(list(conformal.coverage_of(learnt.sets(fresh, coverage), truth, NAMES)["per_class"].values()))
    # of n rows to learn from, one draw of the sets covers coverage +- sqrt(coverage (1-coverage) / n); the mean holds
    mean = np.mean(held, axis=0)
    assert (mean > coverage - 0.006).all()
    assert (mean < coverage + 0.03).all()


@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=60, deadline=None)
def test_the_threshold_leaves_out_as_few_of_its_own_rows_as_it_must(seed: int, rows: int, coverage: float) -> None:
    probability = np.random.default_rng(seed).dirichlet([1, 1], rows).round(2)
    probability[:, 1] = 1 - probability[:, 0]
    learnt = conformal.fit_conformal(probability, np.zeros(rows, int), [coverage])
    inside = learnt.sets(probability, coverage)[:, 0].sum()
    assert inside >= min(rows, np.ceil(coverage * (rows + 1) - 1e-9))
    assert learnt.sets(probability, coverage)[:, 1].all()


def test_few_rows_exclude_nothing() -> None:
    probability, codes = np.array([[0.99, 0.01]] * 8 + [[0.01, 0.99]] * 9), np.array([0] * 8 + [1] * 9)
    learnt = conformal.fit_conformal(probability, codes, [0.9])
    assert learnt.rows == (8, 9)
    assert learnt.levels == {"0.9": (0.0, 0.99)}


def test_larger_coverage_gives_larger_sets_and_both_travel_as_json() -> None:
    probability, codes = world(0, 500)
    learnt = conformal.fit_conformal(probability, codes)
    again = conformal.conformal_of(json.loads(json.dumps(learnt.to_record())))
    assert again == learnt
    narrow, wide = (again.sets(probability, one) for one in (0.8, 0.95))
    assert (wide >= narrow).all()
    assert wide.sum() > narrow.sum()


def test_an_empty_set_says_none_of_these() -> None:
    probability = np.array([[0.95, 0.05]] * 50 + [[0.05, 0.95]] * 50)
    learnt = conformal.fit_conformal(probability, np.repeat([0, 1], 50))
    sets = learnt.sets(np.array([[0.5, 0.5], [0.97, 0.03]]))
    assert conformal.in_words(sets, ("a", "b")) == ["", "a"]
    told = conformal.coverage_of(sets, np.array([0, 0]), ("a", "b"))
    assert (told["coverage"], told["empty"], told["single"], told["mean_size"]) == (0.5, 0.5, 0.5, 0.5)
    assert np.isnan(told["per_class"]["b"])


def test_held_out_sets_show_what_blocks_cost() -> None:
    """Where every block is tilted in its own way, sets judged on their own blocks look better than they are."""
    rng = np.random.default_rng(0)
    blocks, codes = np.repeat(np.arange(10), 100), rng.integers(0, 2, 1000)
    logit = 3 * codes - 1.5 + rng.normal(0, 3, 10)[blocks] + rng.normal(0, 0.5, 1000)
    probability = np.column_stack([1 / (1 + np.exp(logit)), 1 / (1 + np.exp(-logit))])
    same = conformal.fit_conformal(probability, codes, [0.9]).sets(probability)
    apart = conformal.held_out_sets(probability, codes, blocks)
    own, honest = (conformal.coverage_of(one, codes, ("a", "b"))["coverage"] for one in (same, apart))
    assert own >= 0.9
    assert honest < own


def test_bad_input_is_refused() -> None:
    probability, codes = world(0, 100)
    learnt = conformal.fit_conformal(probability, codes)
    with pytest.raises(BadParameter, match=r"coverage 0.5 were not learnt.*0.8, 0.9, 0.95"):
        learnt.sets(probability, 0.5)
    with pytest.raises(BadParameter, match="a coverage of 1"):
        conformal.fit_conformal(probability, codes, [1.0])
    with pytest.raises(BadParameter, match="a coverage of None"):
        conformal.fit_conformal(probability, codes, [])
    with pytest.raises(BadData, match="of 3 classes, not of 2"):
        learnt.sets(np.full((2, 2), 0.5))
    with pytest.raises(BadData, match="have NaN"):
        learnt.sets(np.full((2, 3), np.nan))
    with pytest.raises(BadData, match="not a single labelled row"):
        conformal.fit_conformal(probability, np.full(100, -1))
    with pytest.raises(BadData, match="do not fit 100 labels"):
        conformal.coverage_of(np.ones((99, 3)), codes, NAMES)
    with pytest.raises(BadData, match="1 block"):
        conformal.held_out_sets(probability, codes, np.zeros(100))


def test_coverage_is_measured_where_it_can_be() -> None:
    rng = np.random.default_rng(0)
    codes, blocks = rng.integers(0, 2, 4000), np.arange(4000) // 100
    said = np.clip(0.3 + 0.4 * codes + rng.normal(0, 0.15, 4000), 0, 1)
    probability = np.column_stack([1 - said, said])
    held = conformal.measure_held_out(probability, codes, blocks, ("a", "b"))
    unseen = conformal.measure_unseen((probability[:2000], codes[:2000]), probability[2000:], codes[2000:], ("a", "b"))
    for told in (held, unseen):
        assert told["stated"] == 0.9
        assert min(told["per_class"].values()) > 0.87
        assert max(told["per_class"].values()) < 0.93
    assert conformal.measure_held_out(probability, codes, np.zeros(4000), ("a", "b")) == {}
    assert conformal.measure_held_out(probability, np.full(4000, -1), blocks, ("a", "b")) == {}
    assert conformal.measure_unseen((probability, np.full(4000, -1)), probability, codes, ("a", "b")) == {}
