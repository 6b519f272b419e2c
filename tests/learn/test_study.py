"""Studies as values: what is wrong in a file is told before anything is read or trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.learn.scores import class_scores, novelty_scores, number_scores
from armillary.learn.study import read_study, scores_of, seconds_of, study_of

PLAIN: dict[str, Any] = {
    "name": "it",
    "task": "classes",
    "data": {"layout": "table", "path": "it.csv"},
    "split": {"time_on": "time", "block": "27d"},
    "models": [{"use": "extra_trees"}],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "magic"}, "magic"),
        ({"colour": "red"}, "colour"),
        ({"split": {}}, r"\[split\]"),
        ({"split": {"time_on": "time"}}, "length of a block"),
        ({"split": {"time_on": "time", "block": "27 parsecs"}}, "27 parsecs"),
        ({"split": {"time_on": "t", "block": 1, "random": True}}, "one way"),
        ({"split": {"space_on": ["x"], "size": 4}}, "two coordinates"),
        ({"split": {"random": True, "folds": 1}}, "folds"),
        ({"split": "random"}, "must be a table"),
        ({"models": []}, "no model"),
        ({"models": [{"use": "a"}, {"use": "a"}]}, "'a'"),
        ({"models": [{"name": "a"}]}, "use"),
        ({"models": [{"use": "a", "name": "x/y"}, {"use": "b", "name": "x y"}]}, "'x/y' and 'x y' would give one file"),
        ({"models": [{"use": "a", "name": "A"}, {"use": "b", "name": "a"}]}, "would give one file"),
        ({"models": [{"use": "a", "name": "n" * 300}]}, "too long"),
        ({"models": {"use": "a"}}, r"\[\[models\]\]"),
        ({"data": {"path": "a"}}, "layout"),
        ({"seeds": 0}, "seeds"),
        ({"seeds": 2.5}, r"seeds = 2\.5 must be a whole number"),
        ({"seed": "a"}, "seed = 'a' must be a whole number"),
        ({"seed": -1}, "seed = -1"),
        ({"resamples": "50"}, "resamples = '50' must be a whole number"),
        ({"title": 5}, "title = 5 must be a text"),
        ({"name": 5}, "name = 5 must be a text"),
        ({"name": "n" * 300}, "too long"),
        ({"choose_by": 5}, "must be a text"),
        ({"choose_by": "makro_f1"}, "'makro_f1' is no score of classes"),
        ({"choose_by": "event_f1_iou25"}, "no score of classes"),
        ({"task": "events", "choose_by": "event_f1_iou30"}, "no score of events"),
        ({"task": "regression", "choose_by": "macro_f1"}, "no score of regression"),
        ({"events": {"aim": 30}}, "30 is no overlap"),
        ({"events": {"aim": []}}, "holds no overlap"),
        ({"events": {"iou": [0]}}, "0 is no overlap"),
        ({"prior": {"a": "x"}}, "a table, each a number"),
        ({"prior": {"a": -3}}, r"\[prior\] a = -3"),
        ({"data": {"layout": "table", "path": 5}}, "path = 5 must be a text"),
        ({"data": {"layout": ["table"]}}, "must be a text"),
        ({"labels": {"least": "20"}}, "least = '20' must be a whole number"),
        ({"labels": {"merge": ["x"]}}, "a table, each a list, each a text"),
        ({"labels": {"merge": {"q": "xy"}}}, "a table, each a list, each a text"),
        ({"labels": {"drop": "x"}}, "drop = 'x' must be a list, each a text"),
        ({"split": {"random": "false"}}, "must be true or false"),
        ({"split": {"random": True, "folds": "5"}}, "folds = '5' must be a whole number"),
        ({"split": {"random": True, "folds": 2.5}}, "whole number"),
        ({"split": {"space_on": 5, "size": 3}}, "space_on = 5 must be a list"),
        ({"split": {"space_on": ["x", "y"], "size": float("nan")}}, "size of a block"),
        ({"split": {"sky_on": ["x", "y"], "level": "6"}}, "level = '6'"),
        ({"split": {"time_on": "time", "block": float("nan")}}, "length of a block"),
        ({"split": {"time_on": "time", "block": float("inf")}}, "length of a block"),
        ({"split": {"time_on": "time", "block": 1, "embargo": -5}}, "embargo = -5"),
        ({"split": {"time_on": "time", "block": 1, "embargo": float("inf")}}, "embargo = inf"),
        ({"models": [{"use": 5}]}, "use = 5 must be a text"),
        ({"models": [{"use": "a", "name": 5}]}, "name = 5"),
        ({"models": [{"use": "a", "options": "x"}]}, "options = 'x' must be a table"),
        ({"models": [{"use": "a", "features": "x"}]}, "features = 'x' must be a list"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        study_of(PLAIN | change)


def test_what_is_aimed_at_is_scored_and_can_be_chosen_by() -> None:
    study = study_of(PLAIN | {"task": "events", "events": {"aim": 0.3}, "choose_by": "event_f1_iou30"})
    assert study.events.iou == (0.1, 0.25, 0.3, 0.5)
    assert study_of(study.to_record()) == study


@pytest.mark.parametrize("task", ["classes", "regression", "novelty"])
def test_models_can_be_chosen_by_scores_that_are_given(task: str) -> None:
    rows = np.arange(8)
    given = {
        "classes": class_scores(rows % 2, np.eye(2)[rows % 2], ("a", "b"), "b"),
        "regression": number_scores(rows, rows + 1.0),
        "novelty": novelty_scores(rows > 5, rows + 0.0),
    }[task]
    assert {name: type(given[name]) for name in scores_of(task)} == dict.fromkeys(scores_of(task), float)


def test_a_file_gives_the_same_study_as_its_record(tmp_path: Path) -> None:
    path = tmp_path / "it.toml"
    path.write_text(
        'task = "classes"\n[data]\nlayout = "table"\npath = "it.csv"\n[split]\ntime_on = "time"\nblock = "27d"\n'
        '[[models]]\nuse = "extra_trees"\n'
    )
    study = read_study(path)
    assert study == study_of(PLAIN) == study_of(study.to_record())
    assert study.key == study_of(PLAIN).key != study_of(PLAIN | {"seed": 1}).key


@pytest.mark.parametrize(("text", "said"), [("a = ", "no TOML"), (None, "cannot read")])
def test_a_file_that_is_no_study_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "it.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadParameter, match=said):
        read_study(path)


@given(st.floats(0, 1e6), st.sampled_from([("s", 1), ("min", 60), ("h", 3600), ("d", 86400)]))
def test_durations_are_their_seconds(number: float, unit: tuple[str, int]) -> None:
    text = f"{number:.3f}"
    assert seconds_of(f"{text} {unit[0]}") == pytest.approx(float(text) * unit[1])


def test_a_duration_may_be_without_end() -> None:
    assert seconds_of(-np.inf) == -np.inf  # what decoders take for "not looked at"


@pytest.mark.parametrize("wrong", [True, "h", "", None, "-3h"])
def test_what_is_no_duration_is_refused(wrong: Any) -> None:
    with pytest.raises(BadParameter, match="duration"):
        seconds_of(wrong)
