"""The studies of telemetry and of novelty, from the files to scores beside what needs no skill."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from armillary.learn.layouts import read_samples
from armillary.learn.running import Outcome, run
from armillary.learn.study import Study, read_study

STUDIES = Path(__file__).parents[2] / "examples" / "studies"


def study_of(name: str) -> Study:
    return replace(read_study(STUDIES / f"{name}.toml"), seeds=1, resamples=20, calibrate="none")


def outcome_of(study: Study, data: Path, **options: Any) -> Outcome:
    return run(study, read_samples(study.data.layout, data / study.data.path, {**study.data.options, **options}))


@pytest.mark.real
def test_anomalies_of_some_channels_are_found_beyond_chance(real_data: Path) -> None:
    names = ["A-7", "D-2", "E-1", "E-5", "F-2", "G-1", "P-1", "P-7", "R-1", "S-1"]
    outcome = outcome_of(study_of("smap"), real_data, channels=names)
    scores = outcome.trained[outcome.best].record["scores"]
    chance = max(one["event_f1_iou25"] for one in outcome.controls.values() if "event_f1_iou25" in one)
    assert scores["event_f1_iou25"] > chance + 0.1
    assert scores["ap"] > 2 * outcome.controls["majority"]["ap"]


@pytest.mark.real
def test_segments_are_told_apart_without_their_numbers(real_data: Path) -> None:
    study = study_of("opssat")
    outcome = outcome_of(replace(study, models=(study.models[-1],)), real_data)
    assert not {"segment", "train", "anomaly"} & set(outcome.prepared.features.names)
    assert outcome.trained[0].record["scores"]["ap"] > 2 * outcome.controls["majority"]["ap"]


@pytest.mark.real
def test_fields_are_ranked_by_every_model(real_data: Path) -> None:
    outcome = outcome_of(study_of("dora"), real_data)
    assert [one.record["samples"] for one in outcome.trained] == [118] * 7
    assert all(0 < one.record["scores"]["roc_auc"] < 1 for one in outcome.trained)
