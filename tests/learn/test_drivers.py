"""Driving features on data whose drivers are known."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadParameter
from armillary.learn.drivers import drivers
from armillary.learn.effects import effects, effects_along, leading_column
from armillary.learn.preparing import folds, prepare
from armillary.learn.study import ModelPart, study_of

PART = ModelPart(use="boosting", options={"max_iter": 20})
STUDY = study_of({
    "name": "it", "task": "regression", "data": {"layout": "table"}, "seeds": 1, "resamples": 30,
    "features": [{"use": "columns", "options": {"names": ["strong", "twin", "weak", "noise"]}}],
    "split": {"time_on": "time", "block": "20h", "folds": 3}, "models": [{"use": "boosting"}],
})  # fmt: skip


@pytest.fixture(scope="module")
def known() -> xr.Dataset:
    """The target is strong + 0.3 weak; `twin` repeats `strong`."""
    rng = np.random.default_rng(0)
    strong, weak, noise = rng.normal(size=(3, 400))
    columns = {"strong": strong, "twin": strong + rng.normal(scale=1e-3, size=400), "weak": weak, "noise": noise}
    times = np.datetime64("2020-01-01", "ns") + np.arange(400) * np.timedelta64(1, "h")
    named = columns | {"label": strong + 0.3 * weak, "time": times}
    return xr.Dataset({name: ("sample", values) for name, values in named.items()})


def test_the_drivers_are_found_and_noise_is_not(known: xr.Dataset) -> None:
    prepared = prepare(STUDY, known)
    found = {one.group: one for one in drivers(STUDY, PART, prepared, folds(STUDY, prepared), "rmse")}
    assert found["weak"].permuted[1] > 0
    assert found["weak"].dropped[1] > 0
    low, high = found["noise"].permuted[1:]
    assert low < 0.02
    assert abs(high) < 0.05
    assert found["strong"].dropped[0] < 0.5 * found["weak"].dropped[0]  # its twin stands in for it
    assert found["strong"].alone[0] < found["weak"].alone[0] < found["noise"].alone[0] + 0.05


def test_the_effect_of_a_linear_column_is_a_line(known: xr.Dataset) -> None:
    edges, effect = effects(STUDY, ModelPart(use="ridge"), prepare(STUDY, known), "weak")
    slope = np.diff(effect) / np.diff(edges)
    assert slope == pytest.approx(0.3, abs=0.01)


def test_partial_dependence_and_local_effects_agree_where_columns_are_independent(known: xr.Dataset) -> None:
    prepared = prepare(STUDY, known)
    weak, strong = effects_along(STUDY, ModelPart(use="ridge"), prepared, ["weak", "strong"])
    np.testing.assert_allclose(weak.partial, weak.accumulated, atol=0.02)
    assert weak.counts.sum() == 400
    assert np.ptp(strong.accumulated) + np.ptp(effects(STUDY, ModelPart(use="ridge"), prepared, "twin")[1]) > 2
    middle = (weak.accumulated[1:] + weak.accumulated[:-1]) / 2
    assert abs(np.average(middle, weights=weak.counts)) < 1e-9


def test_one_model_a_group_is_explained_by_rows_of_its_own() -> None:
    rng = np.random.default_rng(0)
    fit = np.arange(600) % 3 < 2
    odd = ~fit & (rng.random(600) < 0.2)
    seen, noise = rng.normal(size=(2, 600)) + 6 * odd * np.array([[1], [0]])
    group = np.repeat(["a", "b"], 300)
    columns = {"seen": seen, "noise": noise + 50 * (group == "b"), "group": group, "number": np.arange(600) // 30}
    columns |= {"role": np.where(fit, "fit", "judge"), "label": np.where(fit, "", np.where(odd, "odd", "usual"))}
    study = study_of({
        "name": "it", "task": "classes", "data": {"layout": "table"}, "seeds": 1, "resamples": 30,
        "labels": {"positive": "odd"}, "features": [{"use": "columns", "options": {"names": ["seen", "noise"]}}],
        "split": {"group_on": "number", "folds": 3}, "models": [{"use": "rx", "options": {"each_group": True}}],
    })  # fmt: skip
    samples = xr.Dataset({name: ("sample", values) for name, values in columns.items()})
    prepared, part = prepare(study, samples), study.models[0]
    found = {one.group: one for one in drivers(study, part, prepared, folds(study, prepared), "ap")}
    assert found["seen"].permuted[0] > 0.3 > found["noise"].permuted[0]
    assert found["seen"].alone[0] > 0.8 > found["noise"].alone[0]
    effect = effects_along(study, part, prepared, ["seen"])[0]
    assert effect.accumulated.shape == effect.edges.shape
    assert effect.accumulated[-1] > effect.accumulated[len(effect.edges) // 2]


def test_the_leading_column_of_a_group_goes_with_the_label(known: xr.Dataset) -> None:
    prepared = prepare(STUDY, known)
    joined = replace(prepared, features=replace(prepared.features, groups=("x",) * 4))
    assert leading_column(joined, "x") in {"strong", "twin"}
    flat = replace(joined, features=replace(joined.features, matrix=np.ones_like(joined.features.matrix)))
    assert leading_column(flat, "x") == ""


def test_what_is_not_there_is_named(known: xr.Dataset) -> None:
    prepared, part = prepare(STUDY, known), ModelPart(use="ridge")
    with pytest.raises(BadParameter, match="no score 'charm'"):
        drivers(STUDY, part, prepared, folds(STUDY, prepared), "charm")
    with pytest.raises(BadParameter, match="no feature 'spin'"):
        effects(STUDY, part, prepared, "spin")
