"""Applying a run: blocks answer as the whole does, an interrupted call goes on, answers say how far they go."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter, BadRequest, NoData
from armillary.learn.applying import Block, apply, cut, purity_under, reach_of, stated_prior
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import Run, load_run

HOURS = 1500


def series(seed: int = 0, shift: float = 0.0) -> xr.Dataset:
    """An hourly series in which events are high in `a`."""
    rng = np.random.default_rng(seed)
    times = np.datetime64("2020-01-01", "ns") + np.arange(HOURS) * np.timedelta64(1, "h")
    first = np.arange(40, HOURS - 40, 75)
    inside = np.zeros(HOURS, bool)
    for at in first:
        inside[at : at + 12] = True
    ns = times.astype(np.int64)
    data = {"a": rng.normal(size=HOURS) + 3 * inside + shift, "b": rng.normal(size=HOURS)}
    return xr.Dataset(
        {name: ("sample", one) for name, one in data.items()}
        | {"label": ("sample", np.where(inside, "event", "quiet").astype(object))},
        coords={"time": ("sample", times)},
        attrs={"cadence": 3600.0, "columns": ("a", "b"), "events": np.column_stack([ns[first], ns[first + 12]])},
    )


STUDY: dict[str, Any] = {
    "name": "it", "task": "events", "data": {"layout": "timeline"}, "seeds": 1, "resamples": 20,
    "labels": {"positive": "event"}, "split": {"time_on": "time", "block": "5d", "embargo": "12h", "folds": 4},
    "features": [{"use": "columns"}, {"use": "rolling", "options": {"windows": ["6h", "12h"], "of": ["mean", "max"]}}],
    "models": [{"use": "extra_trees", "options": {"n_estimators": 20, "min_samples_leaf": 5}}, {"use": "logistic"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learn") / "run"
    publish(study_of(STUDY), folder, data=series())
    return folder


@pytest.fixture(scope="module")
def run(run_folder: Path) -> Run:
    return load_run(run_folder, "extra_trees")


@pytest.mark.parametrize("rows", [97, 400])
def test_blocks_answer_as_the_whole_does(run: Run, tmp_path: Path, rows: int) -> None:
    new = series(seed=1)
    whole = apply(run, cut(run, new), tmp_path / "whole")
    parts = apply(run, cut(run, new, rows), tmp_path / "parts")
    assert len(whole.parts) == 1
    assert len(parts.parts) == -(-HOURS // rows)
    one = next(whole.answers())
    for name in ("answer", "sets", "states"):
        many = np.concatenate([getattr(part, name) for part in parts.answers()])
        np.testing.assert_allclose(many, getattr(one, name), atol=1e-9)
    times = np.concatenate([part.places["time"] for part in parts.answers()])
    np.testing.assert_array_equal(times, one.places["time"])
    assert parts.drift is not None
    assert whole.drift is not None
    assert parts.drift["states"] == whole.drift["states"]


def test_windows_reach_as_far_as_the_features(run: Run) -> None:
    assert reach_of(run.study) == 12 * 3600
    bare, strange = (study_of(STUDY | {"features": [{"use": one}]}) for one in ("rolling", "stretches"))
    assert reach_of(bare) == 6 * 3600
    assert np.isinf(reach_of(strange))
    block = cut(run, series(), 200)[2]()
    assert block.kept.sum() == 200
    assert block.samples.sizes["sample"] == 224


def test_an_interrupted_call_goes_on(run: Run, tmp_path: Path) -> None:
    blocks, asked = cut(run, series(seed=1), 300), []

    def counted(number: int, block: Callable[[], Block]) -> Callable[[], Block]:
        def ask() -> Block:
            asked.append(number)
            return block()

        return ask

    watched = [counted(number, one) for number, one in enumerate(blocks)]

    def stop(_: float, message: str = "") -> None:
        if message.startswith("block 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(run, watched, tmp_path, total=5, progress=stop)
    assert asked == [0, 1, 2]
    (tmp_path / "000001.npz").write_bytes((tmp_path / "000001.npz").read_bytes()[:100])
    again = apply(run, watched, tmp_path, total=5)
    assert asked == [0, 1, 2, 1, 3, 4]
    assert again.rows == HOURS


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_applying import apply, cut, load_run, series
run = load_run(Path(sys.argv[1]), "extra_trees")
def kill(fraction, message=""):
    if message.startswith("block 3"):
        os.kill(os.getpid(), signal.SIGKILL)
apply(run, cut(run, series(seed=1), 300), Path(sys.argv[2]), progress=kill)
"""


def test_kill_9_loses_nothing(run: Run, run_folder: Path, tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    words = [sys.executable, "-c", _KILLED, str(run_folder), str(tmp_path / "parts"), here]
    killed = subprocess.run(words, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = sorted((tmp_path / "parts").iterdir())
    assert [one.name for one in left] == ["000000.npz", "000001.npz"]
    stamps = [one.stat().st_mtime_ns for one in left]
    apply(run, cut(run, series(seed=1), 300), tmp_path / "parts")
    assert [one.stat().st_mtime_ns for one in left] == stamps


def test_strange_data_are_told(run: Run, tmp_path: Path) -> None:
    usual = apply(run, cut(run, series(seed=2)), tmp_path / "usual")
    strange = apply(run, cut(run, series(seed=2, shift=25.0)), tmp_path / "strange")
    assert usual.drift is not None
    assert strange.drift is not None
    assert usual.drift["verdict"] == "none"
    assert strange.drift["verdict"] == "strong"
    assert strange.drift["features"][0]["name"].startswith("a")
    assert strange.drift["states"]["ok"] < 0.1


def test_a_sample_without_any_value_has_no_answer(run: Run, tmp_path: Path) -> None:
    new = series(seed=2)
    gap = np.zeros(HOURS, bool)
    gap[500:560] = True
    hollow = new.assign({name: ("sample", np.where(gap, np.nan, new[name].values)) for name in ("a", "b")})
    found = next(apply(run, cut(run, hollow), tmp_path, prior={"event": 0.1}).answers())
    inside = slice(512, 548)  # where no window reaches a value
    assert np.isnan(found.answer[inside]).all()
    assert not found.sets[inside].any()
    assert (found.states[inside] == -1).all()
    assert np.isfinite(found.answer[~gap]).all()
    assert (found.states[~gap] >= 0).all()


def test_groups_are_blocks_of_their_own_where_a_step_looks_at_whole_series(run: Run, tmp_path: Path) -> None:
    from dataclasses import replace

    from armillary.learn.study import Step

    steps = (*run.study.features, Step(use="stretches"))
    greedy = replace(run, study=replace(run.study, features=steps))
    names = np.repeat(["p", "q", "r"], HOURS // 3)
    grouped = series().assign(group=("sample", names))
    sizes = [[int(one().kept.sum()) for one in cut(greedy, grouped, rows)] for rows in (100, 1000, 10_000)]
    assert sizes == [[500, 500, 500], [1000, 500], [1500]]
    assert [int(one().kept.sum()) for one in cut(greedy, series(), 100)] == [HOURS]


def test_sets_hold_the_truth(run: Run, tmp_path: Path) -> None:
    new = series(seed=3)
    answers = next(apply(run, cut(run, new), tmp_path).answers())
    truth = np.array([run.classes.index(one) for one in new["label"].values])
    held = answers.sets[np.arange(HOURS), truth]
    for code in (0, 1):
        assert held[truth == code].mean() > 0.8
    assert answers.sets.sum(axis=1).mean() < 1.5


def test_a_stated_prior_moves_answers_and_purity(run: Run, tmp_path: Path) -> None:
    new = series(seed=1)
    plain, rare = (
        next(apply(run, cut(run, new), tmp_path / name, prior=prior).answers())
        for name, prior in (("plain", None), ("rare", {"event": 0.001}))
    )
    assert rare.answer[:, 0].mean() < plain.answer[:, 0].mean()
    np.testing.assert_array_equal(rare.sets, plain.sets)
    usual, few = (purity_under(run, stated_prior(run, prior)) for prior in ({}, {"event": 0.001}))
    assert few["prior"]["event"] == pytest.approx(0.001)
    assert few["completeness"]["event"] < usual["completeness"]["event"]


WRONG: Any = [({"flare": 0.1}, "no class 'flare'"), ({"event": 1.5}, "sum to 1"), ({"event": 0.5, "quiet": 0.1}, "sum")]


@pytest.mark.parametrize(("prior", "said"), WRONG)
def test_a_wrong_prior_is_told(run: Run, prior: dict[str, float], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        stated_prior(run, prior)


def test_wrong_samples_are_told(run: Run, tmp_path: Path) -> None:
    lacking = series().drop_vars("b").assign_attrs(columns=("a",))
    with pytest.raises(BadData, match="lack the feature 'b'"):
        apply(run, cut(run, lacking), tmp_path)
    with pytest.raises(NoData, match="not a single sample"):
        apply(run, [], tmp_path)


def test_a_run_without_its_recipe_is_told(run_folder: Path) -> None:
    with pytest.raises(BadRequest, match="no model 'wand'"):
        load_run(run_folder, "wand")
    assert load_run(run_folder).fitted.part.title in {"extra_trees", "logistic"}
    aside = (run_folder / "recipe.json").rename(run_folder / "aside.json")
    try:
        with pytest.raises(BadRequest, match="cannot be applied"):
            load_run(run_folder)
    finally:
        aside.rename(run_folder / "recipe.json")


def test_one_model_a_group_learns_new_groups(tmp_path: Path) -> None:
    """Such models learn from rows of their own, which are never answered."""
    rng = np.random.default_rng(0)
    names = np.repeat(["p", "q"], 300)
    role = np.tile(np.repeat(["fit", "score"], 150), 2)
    label = np.where((role == "score") & (rng.random(600) < 0.1), "odd", "usual")
    data = {"a": rng.normal(size=600) + 6 * (label == "odd"), "b": rng.normal(size=600)}
    samples = xr.Dataset(
        {name: ("sample", one) for name, one in data.items()}
        | {"label": ("sample", label), "group": ("sample", names), "role": ("sample", role)}
        | {"time": ("sample", np.arange(600.0))}
    )
    study = STUDY | {
        "task": "novelty", "labels": {"positive": "odd"}, "split": {"group_on": "group", "folds": 2},
        "features": [{"use": "columns", "options": {"names": ["a", "b"]}}],
        "models": [{"use": "knn", "options": {"each_group": True}}],
    }  # fmt: skip
    publish(study_of(study), tmp_path / "run", data=samples)
    run = load_run(tmp_path / "run")
    new = samples.assign(group=("sample", np.repeat(["r", "s"], 300)))
    answers = next(apply(run, cut(run, new), tmp_path / "parts").answers())
    assert len(answers) == 300
    odd = label[role == "score"] == "odd"
    assert answers.answer[odd].min() > np.median(answers.answer[~odd])
