"""Occlusion finds the piece of the channel in which classes differ."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.learn.explaining import explain
from armillary.learn.occluding import occlusion
from armillary.learn.preparing import folds, prepare
from armillary.learn.publishing import publish
from armillary.learn.study import ModelPart, study_of

STUDY: dict[str, Any] = {
    "name": "it", "task": "classes", "data": {"layout": "rows"}, "seeds": 1, "resamples": 30,
    "split": {"group_on": "group", "folds": 3}, "features": [{"use": "course"}],
    "models": [{"use": "extra_trees", "options": {"n_estimators": 40}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def bumps() -> xr.Dataset:
    """Channel 1 has a bump in the third quarter of the time in half of the samples."""
    rng = np.random.default_rng(0)
    series, kinds = rng.normal(size=(240, 2, 32)), rng.integers(0, 2, 240)
    series[:, 1, 16:24] += 2.0 * kinds[:, None]
    series[::7, 1, 20] = np.nan
    return xr.Dataset(
        {
            "series": (("sample", "channel", "step"), series),
            "label": ("sample", np.array(["flat", "bump"], object)[kinds]),
            "group": ("sample", np.arange(240) // 10),
        }
    )


def test_the_piece_that_matters_is_found(bumps: xr.Dataset) -> None:
    study = study_of(STUDY)
    prepared = prepare(study, bumps)
    found = occlusion(study, study.models[0], prepared, folds(study, prepared), "macro_f1")
    assert len(found) == 2 * 8
    lost = {(one.channel, one.first, one.last): one.lost[0] for one in found}
    worst = sorted(lost, key=lambda key: -lost[key])[:2]
    assert set(worst) == {(1, 16, 20), (1, 20, 24)}
    assert max(value for key, value in lost.items() if key not in worst) < min(lost[key] for key in worst)


def test_samples_without_series_have_none(bumps: xr.Dataset) -> None:
    study = study_of(STUDY | {"features": [{"use": "columns", "options": {"names": ["number"]}}]})
    prepared = prepare(study, bumps.drop_vars("series").assign(number=("sample", np.arange(240.0))))
    assert occlusion(study, study.models[0], prepared, folds(study, prepared), "macro_f1") == []


def test_one_model_a_group_is_asked_about_hidden_pieces(bumps: xr.Dataset) -> None:
    flat = (bumps.label.values == "flat") & (np.arange(240) % 3 > 0)
    label = np.where(flat, "", bumps.label.values)
    samples = bumps.assign(role=("sample", np.where(flat, "fit", "judge")), label=("sample", label.astype(object)))
    samples = samples.assign(group=("sample", np.arange(240) // 60))
    study = study_of(STUDY | {"labels": {"positive": "bump"}, "split": {"group_on": "group", "folds": 2}})
    part = ModelPart(use="knn", options={"each_group": True})
    prepared = prepare(study, samples)
    found = occlusion(study, part, prepared, folds(study, prepared), "ap")
    lost = {(one.channel, one.first): one.lost[0] for one in found}
    assert len(lost) == 16
    assert max(lost, key=lambda key: lost[key])[0] == 1


def test_explaining_writes_the_pieces(bumps: xr.Dataset, tmp_path: Path) -> None:
    publish(study_of(STUDY), tmp_path / "run", data=bumps)
    explain(tmp_path / "run", data=bumps)
    pieces = json.loads((tmp_path / "run" / "occlusion.json").read_text())["pieces"]
    assert {one["variable"] for one in pieces} == {"series"}
    assert max(one["lost"][0] for one in pieces) > 0.02
    effects = json.loads((tmp_path / "run" / "effects.json").read_text())
    assert 1 <= len(effects["columns"]) <= 6
    for name in ("occlusion", "effects", "drivers"):
        assert (tmp_path / "run" / "figures" / f"{name}.png").stat().st_size > 10_000
