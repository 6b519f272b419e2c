"""Typicality by class: p-values are fair, thin classes are not strange, unseen ones are; runs keep it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter, DamagedFile
from armillary.learn.applying import Block, answer_block
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import TYPICAL, load_run
from armillary.learn.typical import fit_typical, load_typical, with_answers

STUDY: dict[str, Any] = {
    "name": "kinds", "task": "classes", "data": {"layout": "table"}, "seeds": 1, "resamples": 0,
    "split": {"group_on": "field", "folds": 3}, "typical": ["a", "b"],
    "features": [{"use": "columns", "options": {"names": ["a", "b"]}}],
    "models": [{"use": "extra_trees", "options": {"n_estimators": 20, "min_samples_leaf": 5}}, {"use": "logistic"}],
}  # fmt: skip


def table(centres: list[tuple[float, float]], count: int = 300, seed: int = 0) -> xr.Dataset:
    """Give rows about some places, one class a place."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, len(centres), count)
    made = np.array(centres)[kind] + rng.normal(size=(count, 2))
    columns = {
        "a": made[:, 0],
        "b": made[:, 1],
        "field": np.arange(count) // 10,
        "label": np.array(["x", "y", "z"])[kind],
    }
    return xr.Dataset({name: ("sample", one) for name, one in columns.items()}, attrs={"columns": ("a", "b")})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("typical") / "run"
    publish(study_of(STUDY), made, data=table([(0, 0), (8, 0)], 600))
    return made


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Give a crowded class and a wide, thin one."""
    rng = np.random.default_rng(seed)
    codes = (rng.random(count) < 0.1).astype(int)
    made = rng.normal(size=(count, 3)) * np.where(codes, 3.0, 0.3)[:, None] + 20.0 * codes[:, None]
    return made, codes


def test_held_out_rows_of_each_class_are_usual_as_often_as_said() -> None:
    made, codes = rows(4000)
    typical = fit_typical(made, codes, np.arange(4000) // 40)
    new, kinds = rows(4000, 1)
    tail = typical.tail(new)
    for code in (0, 1):
        assert 0.04 < (tail[kinds == code] < 0.1).mean() < 0.17


def test_a_class_that_nobody_taught_is_strange_also_where_bands_lack() -> None:
    made, codes = rows(2000)
    typical = fit_typical(made, codes, np.arange(2000) // 40)
    between = np.random.default_rng(3).normal(size=(200, 3)) + 8.0
    assert (typical.tail(between) < 0.02).all()
    between[:, 0] = np.nan
    assert (typical.tail(between) < 0.05).mean() > 0.9
    assert (typical.tail(np.full((2, 3), np.nan)) <= 0.02).all()


def test_farther_out_is_stranger_beyond_all_that_was_seen() -> None:
    made, codes = rows(500)
    tail = fit_typical(made, codes, np.arange(500) // 10).tail(np.array([[100.0] * 3, [1000.0] * 3]))
    assert tail[0] > tail[1] > 0


@pytest.mark.parametrize("codes", [np.full(30, -1), np.arange(30)])
def test_too_few_rows_are_refused(codes: np.ndarray) -> None:
    with pytest.raises(BadData, match="20 rows"):
        fit_typical(np.ones((30, 2)), codes, np.arange(30))


def test_other_columns_are_refused() -> None:
    made, codes = rows(300)
    with pytest.raises(BadData, match="3 columns"):
        fit_typical(made, codes, np.arange(300) // 10).tail(np.ones((2, 4)))


@pytest.mark.parametrize("model", ["extra_trees", "logistic"])
def test_applied_rows_say_how_typical_they_are_and_those_of_no_class_are_ood(folder: Path, model: str) -> None:
    run = load_run(folder, model)
    known = answer_block(run, Block(table([(0, 0), (8, 0)], 2000, 1), np.ones(2000, bool)))[0]
    usual = known.places["typical"]
    assert 0.02 < (usual < 0.05).mean() < 0.09
    assert (known.states == 2).mean() < 0.04
    assert (known.states[usual < 0.01] == 2).all()
    between = table([(4, 0)], 100, 2)
    between["a"].values[0] = between["b"].values[0] = np.nan
    strange = answer_block(run, Block(between, np.ones(100, bool)))[0]
    assert np.isnan(strange.places["typical"][0])
    assert strange.states[0] == -1
    assert np.median(strange.places["typical"][1:]) < np.median(usual) / 3


def test_a_row_is_as_typical_whatever_rows_stand_beside_it(folder: Path) -> None:
    run, rows = load_run(folder), table([(0, 0), (8, 0), (4, 4)], 300, 3)
    whole = answer_block(run, Block(rows, np.ones(300, bool)))[0].places["typical"]
    some = answer_block(run, Block(rows.isel(sample=slice(7, 20)), np.ones(13, bool)))[0].places["typical"]
    np.testing.assert_array_equal(some, whole[7:20])


def test_a_run_without_the_file_says_so(folder: Path, tmp_path: Path) -> None:
    kept = folder / TYPICAL
    away = kept.rename(tmp_path / "away.npz")
    with pytest.raises(DamagedFile, match=r"keeps no typical\.npz") as told:
        load_run(folder)
    away.rename(kept)
    assert "run its study again" in told.value.next_step
    (tmp_path / "cut.npz").write_bytes(kept.read_bytes()[:200])
    with pytest.raises(DamagedFile, match="does not say what is typical"):
        load_typical(tmp_path / "cut.npz")


@pytest.mark.parametrize(("changed", "words"), [
    ({"typical": ["a", "c"]}, "typical names the feature 'c'"),
    ({"task": "regression", "models": [{"use": "ridge"}]}, "typical is for classes"),
])  # fmt: skip
def test_wrong_columns_and_tasks_are_told_before_training(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    data = table([(0, 0), (8, 0)])
    if "task" in changed:
        data["label"] = data["a"]
    with pytest.raises(BadParameter, match=words):
        publish(study_of(STUDY | changed), tmp_path / "run", data=data)


def test_what_a_model_says_counts_too() -> None:
    made, codes = rows(3000)
    blocks = np.arange(3000) // 40
    sure = np.column_stack([1 - codes, codes]) * 0.9 + 0.05
    typical = with_answers(fit_typical(made, codes, blocks), made, codes, blocks, {"it": sure})
    made, codes = rows(3000, 1)
    sure = np.column_stack([1 - codes, codes]) * 0.9 + 0.05
    assert np.median(typical.with_answer(made, np.full((3000, 2), 0.5), "it")) < 0.05
    assert 0.07 < (typical.with_answer(made, sure, "it") < 0.1).mean() < 0.13
    assert np.isnan(typical.with_answer(made[:2], np.full((2, 2), np.nan), "it")).all()
    with pytest.raises(BadData, match="was not kept"):
        typical.with_answer(made, sure, "another")


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(BadData, match="61 columns"):
        fit_typical(np.ones((40, 61)), np.zeros(40, int), np.arange(40))
