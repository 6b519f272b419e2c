"""What studies make of samples before anything is learnt."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import ArmillaryError
from armillary.learn.answers import held_out
from armillary.learn.layouts import positive_class
from armillary.learn.preparing import folds, positive_of, prepare
from armillary.learn.study import Study, study_of


def study(task: str = "classes", layout: str = "table", positive: str = "", **change: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "it", "task": task, "data": {"layout": layout}, "split": {"group_on": "group", "folds": 2},
        "models": [{"use": "logistic"}], "labels": {"positive": positive},
    }  # fmt: skip
    return study_of(plain | change)


def samples(*names: str) -> xr.Dataset:
    label = np.array(names * 8, object)
    group = np.array([f"g{number // 4}" for number in range(len(label))], object)
    value = np.random.default_rng(0).normal(size=len(label))
    return xr.Dataset({"v": ("sample", value), "label": ("sample", label), "group": ("sample", group)})


@pytest.mark.parametrize(
    ("asked", "classes", "found"),
    [
        (study("events", "timeline"), ("event", "quiet"), "event"),
        (study("events", "channels"), ("anomaly", "nominal"), "anomaly"),
        (study("novelty", "ranking"), ("novel", "usual"), "novel"),
        (study("events", "timeline", positive="quiet"), ("event", "quiet"), "quiet"),
        (study("classes"), ("a", "b"), "b"),
        (study("classes"), ("a", "b", "c"), ""),
        (study("events", "table", positive="a"), ("a", "b", "c"), "a"),
    ],
)
def test_what_is_looked_for_is_told_or_known_to_the_layout(asked: Study, classes: tuple[str, ...], found: str) -> None:
    assert positive_of(asked, classes) == found


def test_the_option_of_a_layout_names_what_is_looked_for() -> None:
    asked = study("events", data={"layout": "timeline", "options": {"positive": "icme"}})
    assert positive_of(asked, ("icme", "quiet")) == positive_class("timeline", {"positive": "icme"}) == "icme"


@pytest.mark.parametrize("task", ["events", "novelty"])
@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_what_is_looked_for_is_asked_for_before_anything_is_trained(task: str, names: tuple[str, ...]) -> None:
    with pytest.raises(ArmillaryError, match="does not say which of the classes a, b"):
        prepare(study(task), samples(*names))


def test_kept_answers_of_models_with_similar_names_are_their_own(tmp_path: Any) -> None:
    asked = study(
        models=[{"use": "logistic", "name": "a/b"}, {"use": "logistic", "name": "a-b", "options": {"C": 1e-4}}]
    )
    prepared = prepare(asked, samples("x", "y"))
    cut = folds(asked, prepared)
    first, second = (held_out(asked, part, prepared, cut, 0, tmp_path) for part in asked.models)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(held_out(asked, asked.models[0], prepared, cut, 0, tmp_path), first)


def test_classes_that_do_not_occur_are_told() -> None:
    labels = {"drop": ["nothing"], "merge": {"new": ["a", "none"], "all": ["new"]}}
    assert prepare(study(labels=labels), samples("a", "b")).notes == (
        "[labels] names classes that do not occur: none, nothing",
    )
    with pytest.raises(ArmillaryError, match="no class 'c'"):
        prepare(study(prior={"a": 0.2, "c": 0.8}), samples("a", "b"))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"least": 2000}, "no class with 2000 or more samples is left: there are a, b"),
        ({"drop": ["a", "b"]}, "no class with"),
    ],
)
def test_labels_that_leave_nothing_are_told(labels: dict[str, Any], said: str) -> None:
    with pytest.raises(ArmillaryError, match=said):
        prepare(study(labels=labels), samples("a", "b"))


def test_test_data_of_classes_that_are_left_out_are_told() -> None:
    with pytest.raises(ArmillaryError, match="all samples belong to classes"):
        prepare(study(labels={"drop": ["c"]}), samples("c"), ("a", "b"))
