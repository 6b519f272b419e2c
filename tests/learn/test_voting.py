"""Models that vote, and rows that are varied: what is promised of the mean, of noise and of shifts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.learn.models import make_model
from armillary.learn.models.voting import vary

TREES = {"use": "extra_trees", "n_estimators": 10}
LINE = {"use": "logistic", "C": 1.0}


def rows(n: int = 150, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = random.normal(size=(n, 4))
    x[:, 0] += 2 * y
    x[:, 1] -= 3 * (y == 2)
    x[random.random(x.shape) < 0.05] = np.nan
    return x, y


def test_the_answer_is_the_weighted_mean_of_the_members() -> None:
    x, y = rows()
    both = make_model("ensemble", {"members": [TREES, LINE | {"weight": 3}]}, task="classes", seed=0).fit(x, y)
    trees = make_model("extra_trees", {"n_estimators": 10}, task="classes", seed=0).fit(x, y)
    line = make_model("logistic", {"C": 1.0}, task="classes", seed=1000).fit(x, y)
    mean = (trees.predict_proba(x) + 3 * line.predict_proba(x)) / 4
    np.testing.assert_allclose(both.predict_proba(x), mean)
    assert (both.predict(x) == mean.argmax(axis=1)).all()


def test_repeated_members_have_seeds_of_their_own() -> None:
    x, y = rows()
    model = make_model("ensemble", {"members": [TREES | {"repeats": 3}]}, task="classes", seed=5).fit(x, y)
    answers = [member.predict_proba(rows(seed=1)[0]) for member in model.estimator.members]
    assert len(answers) == 3
    assert not np.allclose(answers[0], answers[1])


def test_numbers_are_averaged_too() -> None:
    x, _ = rows()
    target = np.nan_to_num(x[:, 0]) * 2
    model = make_model("ensemble", {"members": [TREES, {"use": "ridge"}]}, task="regression", seed=0).fit(x, target)
    assert np.corrcoef(model.predict(x), target)[0, 1] > 0.9


def test_weights_of_classes_reach_members_and_varied_copies() -> None:
    x, y = rows()
    x, y = x[y < 2], y[y < 2]
    options = {"members": [LINE], "variants": 2, "noise": 0.1}
    plain = make_model("ensemble", options | {"class_weight": [1.0, 1.0]}, task="classes", seed=0).fit(x, y)
    heavy = make_model("ensemble", options | {"class_weight": [1.0, 20.0]}, task="classes", seed=0).fit(x, y)
    assert heavy.predict_proba(x)[:, 1].mean() > plain.predict_proba(x)[:, 1].mean() + 0.1


def test_noise_puts_borders_away_from_the_rows_at_hand() -> None:
    """Two narrow clusters: trees cut anywhere between them, with noise near the middle."""
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(0, 0.05, (60, 1)), random.normal(1, 0.05, (60, 1))])
    y = np.repeat([0, 1], 60)
    between = np.array([[0.25], [0.75]])
    plain = make_model("ensemble", {"members": [TREES]}, task="classes", seed=0).fit(x, y).predict_proba(between)
    options = {"members": [TREES], "variants": 5, "noise": 0.4}
    noisy = make_model("ensemble", options, task="classes", seed=0).fit(x, y).predict_proba(between)
    assert np.diag(noisy).mean() > 0.97 > np.diag(plain).mean()


@given(st.integers(0, 1000), st.floats(0.1, 3), st.integers(2, 12))
def test_shifted_series_stay_between_their_values(seed: int, shift: float, length: int) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(6, length))
    moved = vary(x, random, shift=shift)
    assert moved.shape == x.shape
    assert (moved <= x.max(axis=1, keepdims=True) + 1e-12).all()
    assert (moved >= x.min(axis=1, keepdims=True) - 1e-12).all()


@given(st.integers(0, 1000), st.floats(0, 2))
def test_a_shifted_line_is_a_line_moved_by_no_more(seed: int, shift: float) -> None:
    line = np.tile(np.arange(10.0), (5, 1))
    moved = vary(line, np.random.default_rng(seed), shift=shift)
    assert (np.abs(moved - line) <= shift + 1e-9).all()
    inner = moved[:, 3:7] - line[:, 3:7]
    np.testing.assert_allclose(inner, np.repeat(inner[:, :1], 4, axis=1), atol=1e-9)


def test_noise_is_measured_in_deviations_and_keeps_gaps() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(4000, 4)) * [1, 10, 100, 0]
    x[:, 3] = np.nan
    x[::7, 0] = np.nan
    apart = vary(x, random, noise=0.3) - x
    np.testing.assert_allclose(np.nanstd(apart[:, :3], axis=0), [0.3, 3, 30], rtol=0.06)
    assert (np.isnan(apart) == np.isnan(x)).all()
    np.testing.assert_array_equal(vary(x, random), x)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "has no members"),
        ({"members": ["extra_trees"]}, "names no model: 'extra_trees'"),
        ({"members": [{"n_estimators": 3}]}, "names no model"),
        ({"members": [{"use": "tree"}]}, "there is no model 'tree'"),
        ({"members": [TREES], "noise": 0.2}, "need each other"),
        ({"members": [TREES], "variants": 3}, "need each other"),
        ({"members": [TREES], "variants": 3, "noise": -1}, "below 0"),
        ({"members": [TREES], "vote": "hard"}, "vote"),
    ],
)
def test_what_is_wrong_with_members_is_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadParameter, match=told):
        make_model("ensemble", options, task="classes", seed=0)


def test_strangeness_is_voted_on_by_ranks() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3))
    x[7] = 9.0
    members = [{"use": "isolation_forest"}, {"use": "rx"}]
    model = make_model("ensemble", {"members": members}, task="novelty", seed=0).fit(x)
    said = model.novelty(x)
    assert said.argmax() == 7
    assert said.max() == 1.0
    assert said.min() >= 0.0
