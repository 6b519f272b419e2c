"""Contributions of LightGBM sum to what it says, and name the column that matters."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.learn.answers import fit
from armillary.learn.contributing import contributions, contributions_of
from armillary.learn.preparing import Prepared, folds, prepare
from armillary.learn.study import ModelPart, Study, study_of

pytest.importorskip("lightgbm")
PART = ModelPart(use="lightgbm", options={"n_estimators": 15})


def prepared_for(task: str, kinds: int = 0) -> tuple[Study, Prepared]:
    rng = np.random.default_rng(0)
    strong, weak = rng.normal(size=(2, 400))
    value = strong + 0.2 * weak
    label: Any = value
    if kinds:
        edges = np.quantile(value, np.arange(1, kinds) / kinds)
        label = np.array(["a", "b", "c"], object)[np.searchsorted(edges, value)]
    columns = {"strong": strong, "weak": weak, "empty": np.full(400, np.nan), "group": np.arange(400) // 20}
    samples = xr.Dataset({name: ("sample", one) for name, one in (columns | {"label": label}).items()})
    study = study_of({
        "name": "it", "task": task, "data": {"layout": "table"}, "split": {"group_on": "group", "folds": 3},
        "features": [{"use": "columns", "options": {"names": ["strong", "weak", "empty"]}}],
        "models": [{"use": "lightgbm"}],
    })  # fmt: skip
    return study, prepare(study, samples)


@pytest.mark.parametrize(("task", "kinds"), [("regression", 0), ("classes", 2), ("classes", 3)])
def test_contributions_sum_to_the_answer(task: str, kinds: int) -> None:
    study, prepared = prepared_for(task, kinds)
    model = fit(study, PART, prepared, np.arange(400), 0).model
    given = contributions_of(model, prepared.features.matrix)
    assert given.shape == (400, 3, max(kinds, 1))
    assert not given[:, 2].any()
    raw = model.estimator.predict(prepared.features.matrix[:, model.columns_], raw_score=True).reshape(400, -1)
    constant = raw - given.sum(axis=1)[:, -raw.shape[1] :]
    np.testing.assert_allclose(constant, np.broadcast_to(constant[0], constant.shape), atol=1e-6)


@pytest.mark.parametrize(("task", "kinds"), [("regression", 0), ("classes", 3)])
def test_contributions_of_scaled_rows_with_gaps_sum_too(task: str, kinds: int) -> None:
    study, prepared = prepared_for(task, kinds)
    prepared.features.matrix[::5, 0] = np.nan
    part = ModelPart(use="lightgbm", options={"n_estimators": 15, "scale": "standard"})
    model = fit(study, part, prepared, np.arange(400), 0).model
    given = contributions_of(model, prepared.features.matrix)
    rows = model.prepare.transform(prepared.features.matrix[:, model.columns_])
    assert rows.shape[1] == len(model.columns_) + 1
    raw = model.estimator.predict(rows, raw_score=True).reshape(400, -1)
    constant = raw - given.sum(axis=1)[:, -raw.shape[1] :]
    np.testing.assert_allclose(constant, np.broadcast_to(constant[0], constant.shape), atol=1e-6)
    assert contributions(study, part, prepared, folds(study, prepared))[0]["group"] == "strong"


@pytest.mark.parametrize(("task", "kinds"), [("regression", 0), ("classes", 2), ("classes", 3)])
def test_the_strong_column_contributes_most(task: str, kinds: int) -> None:
    study, prepared = prepared_for(task, kinds)
    found = contributions(study, PART, prepared, folds(study, prepared))
    assert [one["group"] for one in found] == ["strong", "weak", "empty"]
    assert found[0]["mean"] > 3 * found[1]["mean"] > found[2]["mean"] == 0
    assert tuple(found[0]["each"]) == (prepared.classes or ("",))


def test_other_models_have_none() -> None:
    study, prepared = prepared_for("regression")
    assert contributions(study, ModelPart(use="ridge"), prepared, folds(study, prepared)) == []
