"""Studies of one series that ship with the package: they run on real files and beat what needs no skill."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.learn.layouts import read_samples
from armillary.learn.running import Outcome, run
from armillary.learn.study import Study, read_study

STUDIES = Path(__file__).parents[2] / "examples" / "studies"


def of_name(name: str, real_data: Path, **change: Any) -> tuple[Study, Any]:
    study = replace(read_study(STUDIES / f"{name}.toml"), seeds=1, resamples=20, **change)
    return study, read_samples(study.data.layout, real_data / study.data.path, study.data.options)


def scores_of(outcome: Outcome) -> dict[str, dict[str, float]]:
    titles = [one.fitted.part.title for one in outcome.trained]
    return dict(zip(titles, (one.record["scores"] for one in outcome.trained), strict=True))


@pytest.mark.real
def test_ejecta_are_found_in_rotations_that_were_held_out(real_data: Path) -> None:
    study, samples = of_name("icme", real_data)
    linear = tuple(one for one in study.models if one.use == "logistic")
    outcome = run(replace(study, models=linear, split=replace(study.split, folds=4)), samples)
    scores = scores_of(outcome)
    assert scores["logistic"]["ap"] > scores["windows alone"]["ap"] > 2 * float(np.mean(samples["label"] == "icme"))
    assert scores["logistic"]["event_f1_iou25"] > 2 * outcome.controls["boxes"]["event_f1_iou25"]
    assert scores["logistic"]["event_f1_iou50"] > 2 * outcome.controls["boxes"]["event_f1_iou50"]
    assert any("shuffled" in one["message"] for one in outcome.leaks)


@pytest.mark.real
def test_dst_is_forecast_better_by_its_drivers_than_by_its_past(real_data: Path) -> None:
    study, samples = of_name("dst", real_data)
    linear = tuple(one for one in study.models if one.use == "ridge")
    half = samples.sizes["sample"] // 2
    early, late = (samples.isel(sample=part) for part in (slice(0, half), slice(half, None)))
    outcome = run(replace(study, models=linear), early, late)
    assert outcome.test is not None
    rmse = {name: one["scores"]["rmse"] for name, one in outcome.test.models.items()}
    assert rmse["ridge"] < rmse["ridge on the past"] < outcome.test.controls["persistence"]["rmse"]


@pytest.mark.parametrize("name", ["icme", "dst"])
def test_the_split_keeps_whole_rotations_apart(name: str) -> None:
    split = read_study(STUDIES / f"{name}.toml").split
    assert (split.block, split.random) == (27 * 86400, False)
    assert split.embargo >= 2 * 86400
