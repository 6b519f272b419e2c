"""Driving features on data whose drivers are known."""

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadParameter
from armillary.learn.drivers import drivers, effects
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


def test_what_is_not_there_is_named(known: xr.Dataset) -> None:
    prepared, part = prepare(STUDY, known), ModelPart(use="ridge")
    with pytest.raises(BadParameter, match="no score 'charm'"):
        drivers(STUDY, part, prepared, folds(STUDY, prepared), "charm")
    with pytest.raises(BadParameter, match="no feature 'spin'"):
        effects(STUDY, part, prepared, "spin")
