"""The trivial answers are as trivial, and as good, as they should be."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.learn import controls, scores

dummy = pytest.importorskip("sklearn.dummy")
Array = np.ndarray[Any, np.dtype[Any]]


def test_class_controls_are_those_of_scikit_learn() -> None:
    codes = np.array([0, 2, 2, 1, 2, -1, 0, 2])
    ours = controls.class_controls(codes, 3, 3)
    known = codes[codes >= 0].reshape(-1, 1)
    theirs = dummy.DummyClassifier(strategy="prior").fit(known, known[:, 0])
    assert ours["majority"] == pytest.approx(theirs.predict_proba(np.zeros((3, 1))))
    many = controls.class_controls(codes, 5000, 3, seed=1)["random"]
    assert many.mean(axis=0) == pytest.approx(ours["majority"][0], abs=0.03)
    assert (many == controls.class_controls(codes, 5000, 3, seed=1)["random"]).all()
    assert (many != controls.class_controls(codes, 5000, 3, seed=2)["random"]).any()


def test_chance_finds_the_share_of_the_positives() -> None:
    codes = (np.random.default_rng(42).random(20_000) < 0.1).astype(int)
    said = controls.class_controls(codes, len(codes), 2)
    random, majority = (scores.class_scores(codes, said[name], ("quiet", "storm")) for name in ("random", "majority"))
    assert random["ap"] == pytest.approx(0.1, abs=0.02)
    assert random["roc_auc"] == pytest.approx(0.5, abs=0.02)
    assert majority["recall"] == 0
    assert majority["accuracy"] == pytest.approx(0.9, abs=0.01)
    assert majority["log_loss"] < random["log_loss"]


def test_number_controls() -> None:
    ours = controls.number_controls(np.array([1.0, np.nan, 3.0]), 2, np.array([np.nan, 7.0]))
    assert ours["mean"].tolist() == [2, 2]
    assert ours["persistence"].tolist() == [2, 7]
    assert list(controls.number_controls(np.array([1.0]), 2)) == ["mean"]


@given(st.lists(st.integers(0, 60), min_size=2, max_size=30, unique=True), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_persistence_knows_the_newest_value_and_nothing_later(hours: list[int], lead: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = np.where(rng.random(len(hours)) < 0.2, np.nan, rng.normal(size=len(hours)))
    group = rng.integers(0, 2, len(hours))
    times = np.datetime64("2001-01-01", "ns") + np.array(hours) * np.timedelta64(1, "h")
    ours = controls.persistence(times, target, lead * 3600.0, group)
    for row, hour in enumerate(hours):
        known = [
            (hours[one], target[one])
            for one in range(len(hours))
            if group[one] == group[row] and hours[one] <= hour - lead and np.isfinite(target[one])
        ]
        wanted = max(known)[1] if known else np.nan
        assert ours[row] == pytest.approx(wanted, nan_ok=True)


def test_the_lead_is_the_step_where_none_is_given() -> None:
    assert controls.persistence(np.arange(4) * 0.1, np.arange(4.0)).tolist()[1:] == [0, 1, 2]
    groups = np.array(["a", "b", "a", "b"])
    together = controls.persistence(np.array([0.0, 1.0, 10.0, 11.0]), np.arange(4.0), groups=groups)
    assert np.isnan(together[:2]).all()
    assert together[2:].tolist() == [0, 1]


def test_bad_input_is_refused() -> None:
    with pytest.raises(BadData, match="no training row has a label"):
        controls.class_controls(np.array([-1]), 2, 2)
    with pytest.raises(BadData, match="no training row has a target"):
        controls.number_controls(np.array([np.nan]), 2)
    with pytest.raises(BadData, match="no two times"):
        controls.persistence(np.zeros(3), np.zeros(3))
    with pytest.raises(BadData, match="a row has no time"):
        controls.persistence(np.array(["NaT", "2001"], "datetime64[ns]"), np.zeros(2))
    with pytest.raises(BadData, match="do not fit"):
        controls.persistence(np.zeros(3), np.zeros(2), 1.0)


def test_novelty_by_chance() -> None:
    assert scores.novelty_scores(np.arange(4000) < 2000, controls.novelty_controls(4000)["random"])[
        "roc_auc"
    ] == pytest.approx(0.5, abs=0.03)
