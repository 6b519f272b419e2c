"""Equal bands: a model that learnt what is missing is found out, and one that may not learn it is worth more there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadParameter
from armillary.learn.equal import equal_rows, with_equal
from armillary.learn.features.photometry import photometry
from armillary.learn.masks import mask_auc
from armillary.learn.preparing import prepare
from armillary.learn.publishing import publish
from armillary.learn.study import study_of

BANDS = ("j_m", "h_m", "ks_m", "w1mpro")
STUDY: dict[str, Any] = {
    "name": "bands", "task": "classes", "data": {"layout": "table"}, "seeds": 1, "resamples": 20,
    "split": {"group_on": "field", "folds": 4},
    "features": [{"use": "photometry", "options": {"tell": ["chain"]}}],
    "models": [{"use": "extra_trees", "options": {"n_estimators": 30, "min_samples_leaf": 3}}],
}  # fmt: skip


def table(lacking: float, count: int = 600) -> xr.Dataset:
    """Give two classes that differ a little in J-H and Ks-W1; one lacks W1 more often."""
    rng = np.random.default_rng(0)
    code = np.arange(count) % 2
    light = rng.normal(14, 1, count)[:, None] + rng.normal(0, 0.3, (count, 4))
    light[:, 0] += 0.35 * code
    light[:, 3] -= 0.6 * code
    light[(rng.random(count) < lacking) & (code == 1), 3] = np.nan
    columns: dict[str, Any] = dict(zip(BANDS, light.T, strict=True))
    columns |= {"field": np.arange(count) // 20, "label": np.array(["bare", "dusty"])[code]}
    return xr.Dataset({name: ("sample", one) for name, one in columns.items()}, attrs={"columns": BANDS})


def metrics(folder: Path, data: xr.Dataset, **labels: str) -> dict[str, Any]:
    publish(study_of(STUDY | {"labels": labels}), folder, data=data)
    return dict(json.loads((folder / "metrics.json").read_text("utf-8")))


def test_a_model_that_learnt_what_is_missing_is_told_unasked(tmp_path: Path) -> None:
    found = metrics(tmp_path / "plain", table(0.9))
    held = found["held_out"]["extra_trees"]
    told = next(one for one in found["leaks"] if one["kind"] == "masks")
    assert told["numbers"]["auc"] > 0.8
    assert told["serious"]
    assert held["scores"]["macro_f1"] > held["equal_masks"]["macro_f1"] + 0.15
    assert set(held["equal_masks"]["per_class"]) == {"bare", "dusty"}
    assert told["message"] in (tmp_path / "plain" / "card.md").read_text("utf-8")

    equal = metrics(tmp_path / "equal", table(0.9), equal_masks="full")["held_out"]["extra_trees"]
    assert equal["equal_masks"]["how"] == "full"
    assert equal["equal_masks"]["macro_f1"] > held["equal_masks"]["macro_f1"]


def test_bands_that_tell_nothing_cost_nothing() -> None:
    study = study_of(STUDY)
    assert with_equal(study, prepare(study, table(0.0))).equal is None


def test_equal_rows_only_lose_bands_and_masks_tell_nothing_afterwards() -> None:
    data = table(0.8)
    features = photometry(data, tell=("chain",))
    codes = np.arange(600) % 2
    codes[:10] = -1
    made = equal_rows(features, codes, "full")
    assert np.isnan(made[np.isnan(features.matrix)]).all()
    np.testing.assert_array_equal(made[np.isfinite(made)], features.matrix[np.isfinite(made)])
    np.testing.assert_array_equal(made[:10], features.matrix[:10])
    assert mask_auc(np.isfinite(features.matrix)[10:], codes[10:]) > 0.8
    assert mask_auc(np.isfinite(made)[10:], codes[10:]) < 0.55


def test_wrong_ways_and_features_without_bands_are_refused() -> None:
    with pytest.raises(BadParameter, match="equal_masks = 'half'"):
        study_of(STUDY | {"labels": {"equal_masks": "half"}})
    plain = study_of(STUDY | {"labels": {"equal_masks": "drawn"}, "features": [{"use": "columns"}]})
    with pytest.raises(BadParameter, match="no feature of this study"):
        with_equal(plain, prepare(plain, table(0.5)))
