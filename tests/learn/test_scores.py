"""Scores against scikit-learn as oracle, and what is said where there is nothing to score."""

import warnings
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn import scores

metrics = pytest.importorskip("sklearn.metrics")
Array = np.ndarray[Any, np.dtype[Any]]


def drawn(seed: int, rows: int, classes: int, *, coarse: bool = False) -> tuple[Array, Array]:
    """Labels of all classes and probabilities that know something of them; coarse ones are full of ties."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)]))
    raw = rng.gamma(1.0, size=(rows, classes)) + 0.7 * np.eye(classes)[codes]
    raw = np.round(raw * 2) + 0.5 if coarse else raw
    return codes, raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_class_scores_are_those_of_scikit_learn(seed: int, classes: int, coarse: bool) -> None:
    codes, probability = drawn(seed, 120, classes, coarse=coarse)
    names = [f"c{code}" for code in range(classes)]
    ours = scores.class_scores(codes, probability, names)
    said = probability.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = metrics.classification_report(codes, said, target_names=names, output_dict=True, zero_division=np.nan)
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(codes, said))
    assert ours["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(codes, said))
    assert ours["macro_f1"] == pytest.approx(metrics.f1_score(codes, said, average="macro"))
    assert ours["log_loss"] == pytest.approx(metrics.log_loss(codes, probability))
    assert ours["brier"] == pytest.approx(metrics.brier_score_loss(codes, probability, labels=range(classes)))
    assert ours["confusion"] == metrics.confusion_matrix(codes, said).tolist()
    truth, aps = np.eye(classes, dtype=int)[codes], []
    for code, name in enumerate(names):
        aps.append(metrics.average_precision_score(truth[:, code], probability[:, code]))
        mine = ours["per_class"][name]
        assert mine["ap"] == pytest.approx(aps[-1])
        assert mine["support"] == table[name]["support"]
        for key, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert mine[key] == pytest.approx(table[name][theirs], nan_ok=True)
    if classes == 2:
        assert ours["ap"] == pytest.approx(aps[1])
        assert ours["f1"] == pytest.approx(metrics.f1_score(codes, said))
        assert ours["roc_auc"] == pytest.approx(metrics.roc_auc_score(codes, probability[:, 1]))
    else:
        assert ours["ap"] == pytest.approx(np.mean(aps))
        assert ours["roc_auc"] == pytest.approx(metrics.roc_auc_score(codes, probability, multi_class="ovr"))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_weighted_ranking_scores_are_those_of_repeated_rows(rows: list[tuple[bool, int, int]]) -> None:
    positive, score, weight = (np.array(one) for one in zip(*rows, strict=True))
    repeated = np.repeat(np.arange(len(rows)), weight)
    for ours, theirs in (
        (scores.average_precision, metrics.average_precision_score),
        (scores.roc_auc, metrics.roc_auc_score),
    ):
        got = ours(positive, score, np.stack([weight, weight]))
        assert got.shape == (2,)
        if 0 < positive[repeated].sum() < len(repeated):
            assert got[0] == pytest.approx(theirs(positive[repeated], score[repeated]))
        elif ours is scores.roc_auc or not positive[repeated].any():
            assert np.isnan(got).all()


def test_the_order_of_the_rows_does_not_matter() -> None:
    codes, probability = drawn(3, 200, 3, coarse=True)
    names, shuffled = ("a", "b", "c"), np.random.default_rng(1).permutation(200)
    first, second = (scores.class_scores(codes[at], probability[at], names) for at in (np.arange(200), shuffled))
    for name in ("ap", "roc_auc", "calibration_error", "log_loss"):
        assert first[name] == pytest.approx(second[name], abs=1e-12)


def test_the_positive_class_is_the_last_of_two_or_the_one_that_is_named() -> None:
    codes, probability = drawn(0, 80, 2)
    last, first = (scores.class_scores(codes, probability, ("a", "b"), name) for name in ("", "a"))
    assert last["recall"] == last["per_class"]["b"]["recall"]
    assert (first["precision"], first["ap"]) == tuple(first["per_class"]["a"][one] for one in ("precision", "ap"))
    codes, probability = drawn(0, 80, 3)
    assert "f1" not in scores.class_scores(codes, probability, ("a", "b", "c"))
    assert "f1" in scores.class_scores(codes, probability, ("a", "b", "c"), "c")


def test_answers_may_be_others_than_the_most_probable() -> None:
    codes, probability = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    assert scores.class_scores(codes, probability, ("a", "b"))["recall"] == 0
    strict = scores.class_scores(codes, probability, ("a", "b"), answers=(probability[:, 1] > 0.25).astype(int))
    assert (strict["recall"], strict["precision"], strict["f1"]) == (1, 1, 1)


def test_unlabelled_rows_are_left_out_and_counted() -> None:
    codes, probability = drawn(0, 50, 3)
    more = np.concatenate([codes, [-1, -1]]), np.concatenate([probability, [[1, 0, 0], [0, 1, 0]]])
    with_them, without = (scores.class_scores(*one, ("a", "b", "c")) for one in (more, (codes, probability)))
    assert (with_them.pop("unknown"), without.pop("unknown")) == (2, 0)
    assert with_them == without


def test_one_class_only_is_told_and_what_is_not_defined_is_nan() -> None:
    ours = scores.class_scores(np.zeros(4, int), np.full((4, 2), [0.9, 0.1]), ("quiet", "storm"))
    assert ours["accuracy"] == 1
    assert np.isnan([ours["ap"], ours["roc_auc"], ours["recall"], ours["precision"], ours["f1"]]).all()
    assert ours["macro_f1"] == 1
    assert any("one class only" in note for note in ours["notes"])
    assert any("'storm' are not defined" in note for note in ours["notes"])


NAN = np.array([[0.5, 0.5], [np.nan, 0.5]])


@pytest.mark.parametrize(
    ("codes", "probability", "told"),
    [
        ([0, 1], NAN, "1 rows of probabilities have NaN, the first is row 1"),
        ([0, 1], np.array([[0.5, 0.5], [0.5, 0.9]]), "which are none"),
        ([0, 1], np.array([[1.5, -0.5], [0.5, 0.5]]), "which are none"),
        ([1, 2], np.full((2, 2), 0.5), "label code 2 does not fit 2 classes"),
        ([0, -2], np.full((2, 2), 0.5), "label code -2"),
        ([0], np.full((2, 2), 0.5), "1 labels do not fit 2 rows"),
        ([-1, -1], np.full((2, 2), 0.5), "not a single labelled row"),
        ([], np.empty((0, 2)), "not a single labelled row"),
        ([0, 1], np.array([0.5, 0.5]), "no table"),
        ([0, 0], np.full((2, 3), 1 / 3), "2 classes do not fit 3 columns"),
    ],
)
def test_bad_input_is_refused_by_name(codes: list[int], probability: Array, told: str) -> None:
    with pytest.raises(BadData, match=told):
        scores.class_scores(np.array(codes, int), probability, ("a", "b"))


def test_an_unknown_positive_class_and_impossible_answers_are_refused() -> None:
    codes, probability = drawn(0, 10, 2)
    with pytest.raises(BadParameter, match="there is no class 'c'"):
        scores.class_scores(codes, probability, ("a", "b"), "c")
    with pytest.raises(BadData, match="answers do not fit"):
        scores.class_scores(codes, probability, ("a", "b"), answers=np.full(10, 2))


def test_calibration_error_is_small_for_honest_probabilities_and_large_for_others() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(20_000)
    is_true = rng.random(20_000) < probability
    assert scores.calibration_error(is_true, probability) < 0.015
    assert scores.calibration_error(is_true, np.clip(2 * probability - 0.5, 0, 1)) > 0.1
    assert scores.calibration_error(np.array([True]), np.array([0.25])) == 0.75


@given(st.integers(0, 10_000), st.integers(2, 60))
@settings(max_examples=40, deadline=None)
def test_number_scores_are_those_of_scikit_learn(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.normal(50, 3, rows), rng.normal(50, 3, rows)
    ours = scores.number_scores(np.append(truth, np.nan), np.append(predicted, 1.0))
    assert (ours["rows"], ours["unknown"]) == (rows, 1)
    assert ours["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, predicted))
    assert ours["mae"] == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    assert ours["r2"] == pytest.approx(metrics.r2_score(truth, predicted))
    assert ours["correlation"] == pytest.approx(np.corrcoef(truth, predicted)[0, 1])


def test_numbers_that_cannot_be_judged_are_told() -> None:
    flat = scores.number_scores(np.ones(3), np.array([1.0, 2.0, 3.0]))
    assert np.isnan([flat["r2"], flat["correlation"]]).all()
    assert "r2 is not defined" in flat["notes"][0]
    with pytest.raises(BadData, match="1 rows have no finite prediction, the first is row 1"):
        scores.number_scores(np.ones(3), np.array([1.0, np.nan, 3.0]))
    with pytest.raises(BadData, match="not a single true value"):
        scores.number_scores(np.full(3, np.nan), np.ones(3))
    with pytest.raises(BadData, match="do not fit"):
        scores.number_scores(np.ones(3), np.ones(2))


def test_novelty_scores_count_ties_at_their_expected_share() -> None:
    novel, score = np.array([1, 0, 1, 0, 0, 1], bool), np.array([3, 2, 2, 2, 1, 0])
    ours = scores.novelty_scores(novel, score)
    orders = [
        [at for group in (top, *[[one] for one in middle], [4], [5]) for at in group]
        for top in [[0]]
        for middle in permutations([1, 2, 3])
    ]
    assert ours["precision_at"]["3"] == pytest.approx(np.mean([novel[order[:3]].mean() for order in orders]))
    assert ours["found_at"]["3"] == pytest.approx(ours["precision_at"]["3"])
    assert ours["roc_auc"] == pytest.approx(metrics.roc_auc_score(novel, score))
    assert ours["ap"] == pytest.approx(metrics.average_precision_score(novel, score))


def test_an_order_that_says_nothing_finds_what_chance_finds() -> None:
    novel = np.arange(200) < 20
    ours = scores.novelty_scores(novel, np.zeros(200))
    assert ours["roc_auc"] == 0.5
    assert ours["precision_at"] == {"10": 0.1, "20": 0.1, "50": 0.1, "100": 0.1, "200": 0.1}


def test_novelty_without_novel_rows_is_nan_and_told() -> None:
    ours = scores.novelty_scores(np.zeros(30, bool), np.arange(30))
    assert np.isnan([ours["roc_auc"], ours["ap"], ours["found_at"]["10"]]).all()
    assert ours["notes"] == ["roc_auc is not defined: 0 of 30 rows are novel"]
    with pytest.raises(BadData, match="1 rows have no score"):
        scores.novelty_scores(np.array([True, False]), np.array([0.0, np.nan]))
    with pytest.raises(BadData, match="do not fit"):
        scores.novelty_scores(np.array([True]), np.empty(0))
