"""One study from samples to a run folder, on data whose truth is known."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import ArmillaryError, BadRequest, BrokenPlugin, Cancelled
from armillary.learn.preparing import prepare
from armillary.learn.publishing import publish
from armillary.learn.running import run
from armillary.learn.study import Study, study_of

BLOCKS = 20


class Broken:
    """A stranger's model that fails."""

    def fit(self, x: Any, y: Any) -> None:  # noqa: ARG002 - the shape of scikit-learn
        raise RuntimeError("no luck")

    def predict_proba(self, x: Any) -> Any:
        return x


def table(seed: int = 0, shift: float = 1.5, rows: int = 400) -> xr.Dataset:
    """Two classes that `a` tells apart and `b` does not, in blocks of time."""
    rng = np.random.default_rng(seed)
    label = rng.random(rows) < 0.4
    times = np.datetime64("2020-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "h")
    data = {"a": rng.normal(size=rows) + shift * label, "b": rng.normal(size=rows)}
    data["a"][rng.random(rows) < 0.1] = np.nan
    return xr.Dataset(
        {name: ("sample", values) for name, values in data.items()}
        | {"label": ("sample", np.where(label, "storm", "quiet")), "time": ("sample", times)}
    )


def study(**change: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "it", "task": "classes", "data": {"layout": "table", "path": "it.csv"}, "seeds": 2, "resamples": 50,
        "labels": {"positive": "storm"}, "features": [{"use": "columns", "options": {"names": ["a", "b"]}}],
        "split": {"time_on": "time", "block": "20h", "embargo": "1h", "folds": 4},
        "models": [{"use": "logistic"}, {"use": "extra_trees", "options": {"n_estimators": 20}}],
    }  # fmt: skip
    return study_of(plain | change)


def save(samples: xr.Dataset, path: Path) -> Path:
    samples.to_dataframe().to_csv(path, index=False)
    return path


def test_a_run_has_scores_intervals_seeds_controls_and_costs() -> None:
    outcome = run(study(), table(), test=table(seed=1))
    best = outcome.trained[outcome.best].record
    assert best["scores"]["accuracy"] > 0.7
    low, high = best["intervals"]["macro_f1"]
    assert low < best["scores"]["macro_f1"] < high
    forest = outcome.trained[1].record
    assert len(forest["seeds"]["macro_f1"]) == 2
    assert outcome.trained[0].record["seeds"] == {}
    assert len(outcome.ties) == 1
    assert "logistic" in outcome.ties[0]
    assert outcome.controls["majority"]["accuracy"] == pytest.approx(0.6, abs=0.06)
    assert set(forest["costs"]) >= {"fit_s", "latency_ms", "rows_per_s"}
    assert outcome.test is not None
    assert outcome.test.models["logistic"]["scores"]["accuracy"] > 0.7


def test_test_data_that_were_learnt_from_are_told(tmp_path: Path) -> None:
    data = save(table(rows=200), tmp_path / "it.csv")
    metrics = publish(study(seeds=1), tmp_path / "run", data=data, test_data=data)
    assert any(one["kind"] == "duplicates" and one["message"].startswith("test data") for one in metrics["leaks"])
    assert "test data" in (tmp_path / "run" / "card.md").read_text().splitlines()[0]
    clean = publish(study(seeds=1), tmp_path / "two", data=data, test_data=save(table(1, rows=200), tmp_path / "b.csv"))
    assert not [one for one in clean["leaks"] if one["message"].startswith("test data")]


def test_classes_that_were_not_learnt_are_told() -> None:
    test = table(seed=1, rows=200)
    labels = test["label"].values.astype(object)
    labels[:50] = "nova"
    outcome = run(study(seeds=1), table(rows=200), test=test.assign(label=("sample", labels)))
    assert outcome.test is not None
    assert "25% of the test samples are of classes that were not learnt" in outcome.test.notes[-1]


def test_what_was_answered_on_test_data_is_kept(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    data, test = save(table(rows=200), tmp_path / "it.csv"), save(table(3, rows=150), tmp_path / "b.csv")
    metrics = publish(study(seeds=1), tmp_path / "run", data=data, test_data=test)
    rows = pq.read_table(tmp_path / "run" / "test_predictions.parquet").to_pandas()
    said = np.where(rows["logistic: storm"] > 0.5, "storm", "quiet")
    accuracy = metrics["test"]["models"]["logistic"]["scores"]["accuracy"]
    assert (said == rows["label"]).mean() == pytest.approx(accuracy)
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert {"data", "test_data", "labels", "split", "key"} <= set(about)


def test_without_resamples_there_are_no_intervals_and_no_ties() -> None:
    outcome = run(study(resamples=0, seeds=1), table(rows=200))
    assert outcome.ties == ()
    assert outcome.trained[0].record["intervals"] == {}


def test_nothing_can_be_learnt_from_noise() -> None:
    outcome = run(study(), table(shift=0.0))
    for one in outcome.trained:
        low, high = one.record["intervals"]["roc_auc"]
        assert low < 0.56
        assert high > 0.44


def test_the_test_data_change_no_choice() -> None:
    """Whatever the test data are, the best model, its answers and its calibration are the same."""
    one, other = (run(study(), table(), test=table(seed=seed, shift=shift)) for seed, shift in ((1, 1.5), (2, -3.0)))
    assert one.best == other.best
    for a, b in zip(one.trained, other.trained, strict=True):
        np.testing.assert_array_equal(a.answer, b.answer)
        assert a.record["calibration"] == b.record["calibration"]


@pytest.mark.parametrize(
    ("change", "samples", "said"),
    [
        ({}, table().assign(label=("sample", ["quiet"] * 400)), "all 400 labelled samples are 'quiet'"),
        ({}, table().assign(label=("sample", [""] * 400)), "not a single sample has a known label"),
        ({}, table().assign(a=("sample", [np.nan] * 400), b=("sample", [np.nan] * 400)), "not a single feature"),
        ({"labels": {"positive": "flare"}}, table(), "'flare' does not occur"),
        ({"split": {"time_on": "time", "block": "1000d"}}, table(), "block"),
        ({"split": {"time_on": "epoch", "block": "1d"}}, table(), "no 'epoch'"),
        ({"models": [{"use": "wand"}]}, table(), "no model 'wand'"),
        ({"models": [{"use": "logistic", "features": ["c"]}]}, table(), "no feature group 'c'"),
        ({"features": [{"use": "columns", "options": {"colour": 1}}]}, table(), "feature step 'columns'"),
    ],
)
def test_what_cannot_be_run_says_why(change: dict[str, Any], samples: xr.Dataset, said: str) -> None:
    with pytest.raises(ArmillaryError, match=said):
        run(study(**change), samples)


def test_a_model_that_fails_is_named() -> None:
    broken = {"use": f"{__name__}:Broken", "name": "stranger"}
    with pytest.raises(BrokenPlugin, match=r"'stranger' failed: no luck"):
        run(study(models=[broken]), table())


def test_rare_classes_are_left_out_and_told() -> None:
    samples = table()
    labels = samples["label"].values.astype(object)
    labels[:3] = "nova"
    prepared = prepare(study(labels={"least": 5}), samples.assign(label=("sample", labels)))
    assert prepared.classes == ("quiet", "storm")
    assert any("nova (3)" in note for note in prepared.notes)


def test_a_folder_is_written_and_another_study_refused(tmp_path: Path) -> None:
    data, out = save(table(), tmp_path / "it.csv"), tmp_path / "run"
    metrics = publish(study(), out, data=data)
    assert {one.name for one in out.iterdir()} >= {
        "run.json", "metrics.json", "predictions.parquet", "card.md", "card.html", "pareto.csv", "models",
    }  # fmt: skip
    assert json.loads((out / "metrics.json").read_text())["accuracy"] == metrics["accuracy"]
    with pytest.raises(BadRequest, match="another study"):
        publish(study(seed=7), out, data=data)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    with pytest.raises(BadRequest, match="other files"):
        publish(study(), tmp_path / "mine", data=data)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "precious"


def test_an_interrupted_run_goes_on_and_gives_the_same(tmp_path: Path) -> None:
    data = save(table(), tmp_path / "it.csv")
    whole = publish(study(), tmp_path / "whole", data=data)
    seen = []

    def stop(fraction: float, message: str = "") -> None:
        if "fold 3" in message and "extra" in message:
            raise Cancelled("the user stopped it", "run it again")
        seen.append(message)

    with pytest.raises(Cancelled):
        publish(study(), tmp_path / "run", data=data, progress=stop)
    kept = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "run" / "parts").iterdir()}
    assert len(kept) >= 6
    assert not (tmp_path / "run" / "run.json").exists()
    shutil.copytree(tmp_path / "run", tmp_path / "twin")
    again = publish(study(), tmp_path / "run", data=data)
    assert again["held_out"]["extra_trees"]["scores"] == whole["held_out"]["extra_trees"]["scores"]
    assert not (tmp_path / "run" / "parts").exists()


def test_a_random_split_is_told_first(tmp_path: Path) -> None:
    data = save(table(), tmp_path / "it.csv")
    publish(study(split={"random": True, "folds": 3}), tmp_path / "run", data=data)
    assert "Random split" in (tmp_path / "run" / "card.md").read_text().splitlines()[0]
    publish(study(), tmp_path / "blocks", data=data)
    assert "Random" not in (tmp_path / "blocks" / "card.md").read_text()
