"""Studies of windows, objects and series of pixels that ship with the package: they run, and carry over."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.learn.layouts import read_samples
from armillary.learn.models import make_model
from armillary.learn.preparing import folds, prepare
from armillary.learn.running import run
from armillary.learn.study import ModelPart, Study, read_study

STUDIES = Path(__file__).parents[2] / "examples" / "studies"


def of_name(name: str, real_data: Path) -> tuple[Study, Any]:
    study = read_study(STUDIES / f"{name}.toml")
    return study, read_samples(study.data.layout, real_data / study.data.path, study.data.options)


def smaller(part: ModelPart) -> ModelPart:
    return replace(part, options={**part.options, "n_estimators": 100} if part.use == "extra_trees" else part.options)


@pytest.mark.real
def test_regions_are_known_on_other_orbits(real_data: Path) -> None:
    """Learn from the tail and one orbit; ask about the next orbits, with another energy table and the flank."""
    study, samples = of_name("regions", real_data)
    others = samples.isel(sample=np.arange(423, samples.sizes["sample"]))
    outcome = run(replace(study, seeds=1, resamples=20), samples.isel(sample=np.arange(423)), others)
    assert outcome.test is not None
    scores = next(iter(outcome.test.models.values()))["scores"]
    assert scores["accuracy"] > 0.9
    assert all(scores["per_class"][name]["f1"] > 0.9 for name in ("foreshock", "magnetosheath", "magnetosphere"))


@pytest.mark.real
@pytest.mark.parametrize("lost", [0, 1])
def test_regions_are_known_where_field_or_temperature_is_missing(real_data: Path, lost: int) -> None:
    study, samples = of_name("regions", real_data)
    less = samples.copy(deep=True)
    less["parameters"][:, :, lost] = np.nan
    known, asked = (prepare(study, one) for one in (samples, less))
    fold, part = folds(study, known)[0], study.models[0]
    model = make_model(part.use, part.options, task=study.task, seed=0, groups=known.features.groups)
    model.fit(known.features.matrix[fold.train], known.target[fold.train])
    assert np.mean(model.predict(asked.features.matrix[fold.test]) == known.target[fold.test]) > 0.9


@pytest.mark.real
def test_sources_are_classed_on_other_sky_blocks(real_data: Path) -> None:
    study, samples = of_name("sage", real_data)
    models = tuple(smaller(one) for one in study.models[:1])
    outcome = run(replace(study, seeds=1, resamples=20, models=models), samples)
    assert outcome.trained[0].record["scores"]["macro_f1"] > 0.7
    assert outcome.prepared.classes == ("CAGB", "HII", "OAGB", "PAGB", "PN", "RSG", "STAR", "YSO")
    assert len(set(samples["ObjId"].values)) == samples.sizes["sample"]


@pytest.mark.real
@pytest.mark.parametrize(("name", "least"), [("amazon", 0.68), ("tiselac", 0.6)])
def test_series_of_pixels_are_classed_when_alike_ones_are_held_out(name: str, least: float, real_data: Path) -> None:
    """One fold of every second row, and fewer trees and rounds: what the study does, in little time."""
    study, samples = of_name(name, real_data)
    prepared = prepare(study, samples.isel(sample=slice(None, None, 2)))
    fold = folds(study, prepared)[0]
    assert not set(prepared.blocks[fold.train]) & set(prepared.blocks[fold.test])
    part = study.models[0]
    quick = [
        {**one, "repeats": 1} | ({"max_iter": 30} if "max_iter" in one else {"n_estimators": 40})
        for one in part.options["members"]
    ]
    features = prepared.features.only(part.features)
    model = make_model(part.use, {**part.options, "members": quick}, task=study.task, seed=0, groups=features.groups)
    model.fit(features.matrix[fold.train], prepared.target[fold.train])
    assert np.mean(model.predict(features.matrix[fold.test]) == prepared.target[fold.test]) > least
