"""Runs are compared where they answer the same question, and said not to be where they do not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import DamagedFile
from armillary.learn.comparing import compare_runs
from armillary.learn.explaining import explain
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import load_run

STUDY: dict[str, Any] = {
    "name": "it", "task": "classes", "data": {"layout": "table"}, "seeds": 1, "resamples": 20,
    "split": {"group_on": "group", "folds": 3}, "models": [{"use": "logistic"}],
}  # fmt: skip


def stars() -> xr.Dataset:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 180)
    return xr.Dataset(
        {
            "a": ("sample", rng.normal(size=180) + 2 * kinds),
            "label": ("sample", np.array(["dwarf", "giant", "other"], object)[kinds]),
            "group": ("sample", np.arange(180) // 10),
        },
        attrs={"columns": ("a",)},
    )


def ran(folder: Path, **changed: Any) -> Path:
    publish(study_of(STUDY | changed), folder, data=stars())
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ran(tmp_path_factory.mktemp("runs") / "plain")


def damaged(plain: Path, folder: Path, name: str, text: str) -> Path:
    folder.mkdir()
    for one in plain.glob("*.*"):
        (folder / one.name).write_bytes(one.read_bytes())
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"models": [{"use": "logistic", "options": {"C": 0.5}}]}, "macro_f1: "),
        ({"labels": {"drop": ["other"]}}, "other classes"),
        ({"labels": {"merge": {"dwarf": ["dwarf", "other"]}}}, "other classes"),
        ({"labels": {"positive": "giant"}}, "other positive classes"),
        ({"split": {"group_on": "group", "folds": 4}}, "split differently"),
    ],
)
def test_only_the_same_question_is_compared(plain: Path, tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    rows, words = compare_runs([plain, ran(tmp_path / "other", **changed)])
    assert said in words[0]
    assert ("cannot be compared" in words[0]) == (not said.startswith("macro_f1"))
    assert rows[0]["classes"] == ["dwarf", "giant", "other"]


def test_runs_that_judged_other_numbers_of_samples_are_not_compared(plain: Path, tmp_path: Path) -> None:
    metrics = json.loads((plain / "metrics.json").read_text())
    metrics["held_out"]["logistic"]["samples"] -= 1
    other = damaged(plain, tmp_path / "other", "metrics.json", json.dumps(metrics))
    assert "judged 180 and 179 samples" in compare_runs([plain, other])[1][0]


@pytest.mark.parametrize("name", ["metrics.json", "run.json", "recipe.json"])
@pytest.mark.parametrize(
    "text", ["{}", '{"best": "logistic", "models": {"logistic": {}}, "held_out": {}, "study": 3}', "{"]
)
def test_a_file_without_its_parts_is_called_damaged(plain: Path, tmp_path: Path, name: str, text: str) -> None:
    broken = damaged(plain, tmp_path / "broken", name, text)
    with pytest.raises(DamagedFile):
        load_run(broken, "logistic")
    if name != "recipe.json":
        with pytest.raises(DamagedFile):
            compare_runs([plain, broken])


def test_a_damaged_run_is_not_explained(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedFile):
        explain(damaged(plain, tmp_path / "broken", "metrics.json", "{}"), data=stars())


def test_a_run_tells_how_often_its_sets_hold_the_truth(plain: Path) -> None:
    told = json.loads((plain / "metrics.json").read_text())["held_out"]["logistic"]["conformal"]
    assert told["stated"] == 0.9
    assert 0.8 < told["coverage"] <= 1
    assert set(told["per_class"]) == {"dwarf", "giant", "other"}
    assert "Conformal sets of stated coverage 0.9" in (plain / "card.md").read_text()
