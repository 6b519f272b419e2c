"""Probabilities, completeness and purity where classes have other shares."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn.priors import prior_of, prior_shift, purity_curve, purity_interval, purity_of
from armillary.learn.scores import confusion

Array = np.ndarray[Any, np.dtype[Any]]


def gaussian(points: Array, shares: Array) -> Array:
    """The exact probabilities of three Gaussian classes at 0, 1.5 and 4."""
    density = shares * np.exp(-0.5 * (points[:, None] - np.array([0, 1.5, 4])) ** 2)
    exact: Array = density / density.sum(axis=1, keepdims=True)
    return exact


@given(st.lists(st.floats(0.01, 1), min_size=6, max_size=6), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_a_shift_of_the_prior_is_exact_for_gaussian_classes(raw: list[float], seed: int) -> None:
    old, new = (np.array(one) / sum(one) for one in (raw[:3], raw[3:]))
    points = np.random.default_rng(seed).uniform(-3, 7, 50)
    shifted = prior_shift(gaussian(points, old), old, new)
    assert shifted == pytest.approx(gaussian(points, new), abs=1e-12)
    assert prior_shift(shifted, new, old) == pytest.approx(gaussian(points, old), abs=1e-9)
    assert prior_shift(shifted, new, new) == pytest.approx(shifted)


def test_sure_answers_stay_sure_and_impossible_classes_vanish() -> None:
    said = np.array([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]])
    shifted = prior_shift(said, [0.5, 0.25, 0.25], [0.01, 0.99, 0])
    assert shifted.sum(axis=1) == pytest.approx(1)
    assert shifted[0, 0] == pytest.approx(1)
    assert shifted[1, 2] == 0


def test_purity_is_what_is_found_where_the_prior_is_so() -> None:
    rng = np.random.default_rng(0)
    rare, even = np.array([0.9, 0.08, 0.02]), np.full(3, 1 / 3)

    def draw(shares: Array, rows: int) -> tuple[Array, Array]:
        codes = rng.choice(3, rows, p=shares)
        return codes, gaussian(codes * np.array([1.0]) * 1.5 + rng.normal(size=rows), even).argmax(axis=1)

    completeness, purity = purity_of(confusion(*draw(even, 90_000), 3), rare)
    counts = confusion(*draw(rare, 400_000), 3)
    right = np.diagonal(counts)
    assert completeness == pytest.approx(right / counts.sum(axis=1), abs=0.01)
    assert purity == pytest.approx(right / counts.sum(axis=0), abs=0.01)


def test_purity_of_many_resamples_at_once() -> None:
    counts = np.random.default_rng(0).integers(1, 50, (7, 3, 3))
    together = purity_of(counts, [0.2, 0.3, 0.5])
    for at in range(7):
        for ours, alone in zip(together, purity_of(counts[at], [0.2, 0.3, 0.5]), strict=True):
            assert ours[at] == pytest.approx(alone)


def test_purity_is_unknown_if_a_class_with_a_share_was_never_seen() -> None:
    counts = np.array([[5, 1], [0, 0]])
    completeness, purity = purity_of(counts, [0.5, 0.5])
    assert completeness[0] == pytest.approx(5 / 6)
    assert np.isnan([completeness[1], *purity]).all()
    assert purity_of(counts, [1, 0])[1].tolist() == [1, 0]
    assert np.isnan(purity_of(np.array([[5, 0], [3, 0]]), [0.5, 0.5])[1][1])


def test_the_curve_is_that_of_the_confusion_at_each_threshold() -> None:
    rng = np.random.default_rng(0)
    is_class = rng.random(200) < 0.4
    score = np.round(rng.normal(size=200) + is_class, 1)
    thresholds, completeness, purity = purity_curve(is_class, score, 0.05)
    assert (np.diff(thresholds) < 0).all()
    for at, threshold in enumerate(thresholds):
        counts = confusion(is_class.astype(int), (score >= threshold).astype(int), 2)
        wanted = purity_of(counts, [0.95, 0.05])
        assert (completeness[at], purity[at]) == pytest.approx((wanted[0][1], wanted[1][1]))
    assert (completeness[-1], purity[-1]) == pytest.approx((1, 0.05))


def test_a_prior_is_stated_in_full_or_taken_from_the_training_rows() -> None:
    codes = np.array([0, 0, 1, -1])
    assert prior_of({}, ("a", "b"), codes).tolist() == pytest.approx([2 / 3, 1 / 3])
    assert prior_of({"b": 0.1, "a": 0.9}, ("a", "b"), codes).tolist() == [0.9, 0.1]
    for prior, told in (
        ({"a": 1.0}, "has no share of the class 'b'"),
        ({"a": 0.5, "b": 0.4, "c": 0.1}, "there is no class 'c'"),
        ({"a": 0.5, "b": 0.4}, "is none"),
        ({"a": 1.5, "b": -0.5}, "is none"),
        ({"a": np.nan, "b": 0.5}, "is none"),
    ):
        with pytest.raises(BadParameter, match=told):
            prior_of(prior, ("a", "b"), codes)


def test_bad_input_is_refused() -> None:
    said = np.array([[0.5, 0.5]])
    with pytest.raises(BadParameter, match="without training rows"):
        prior_shift(said, [1, 0], [0.5, 0.5])
    with pytest.raises(BadParameter, match="do not fit 2 columns"):
        prior_shift(said, [0.5, 0.5], [0.2, 0.3, 0.5])
    with pytest.raises(BadData, match="have NaN"):
        prior_shift(said * np.nan, [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(BadData, match="rows of the class and others"):
        purity_curve(np.ones(3, bool), np.arange(3), 0.5)
    with pytest.raises(BadParameter, match="a share of 1"):
        purity_curve(np.ones(3, bool), np.arange(3), 1)


def test_the_interval_of_purity_holds_the_truth_also_where_nobody_was_mistaken() -> None:
    answers, shares = np.array([[0.998, 0.002], [0.1, 0.9]]), np.array([0.99, 0.01])
    true = purity_of(answers, shares)[1][1]
    rng, held, spotless = np.random.default_rng(5), 0, 0
    for seed in range(200):
        counts = np.array([rng.multinomial(400, one) for one in answers])
        low, high = purity_interval(counts, shares, seed=seed)[1][:, 1]
        held += low <= true <= high
        spotless += purity_of(counts, shares)[1][1] == 1.0
        assert low <= purity_of(counts, shares)[1][1] <= high
    assert held >= 184
    assert spotless > 50


def test_the_interval_of_a_class_that_nobody_answered_is_unknown() -> None:
    complete, pure = purity_interval(np.array([[10, 0], [5, 0]]), [0.5, 0.5])
    assert np.isfinite(complete).all()
    assert np.isnan(pure[:, 1]).all()
    assert np.isfinite(pure[:, 0]).all()
    missing = purity_interval(np.array([[10, 0], [0, 0]]), [0.5, 0.5])
    assert np.isnan(missing[0][:, 1]).all()
    assert np.isnan(missing[1]).all()
