"""Filtered, smoothed and resampled leaves: known sines, pieces that agree with the whole, gaps and bad input."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import filtering
from armillary.model import Extent, Interval
from armillary.model.kinds import check
from armillary.science.trim import trim

START = np.datetime64("2015-12-14T13:00:00.3", "ns")
RATE = 4


def series(values: Any, rate: float = RATE) -> xr.Dataset:
    values = np.asarray(values, float)
    time = START + np.round(np.arange(len(values)) / rate * 1e9).astype("timedelta64[ns]")
    attrs = {"units": "nT", "LABLAXIS": "B", "COORDINATE_SYSTEM": "GSE", "LABL_PTR_1": "component"}
    found = xr.Dataset({"b": (("time", "component")[: values.ndim], values, attrs)}, {"time": time})
    return found.assign_coords(component=["x", "y", "z"]) if values.ndim == 2 else found


def made(recipe: Any, data: xr.Dataset, **params: Any) -> xr.Dataset:
    knobs = {one.name: one.default for one in recipe.parameters}
    found = check(recipe.kind, recipe.function(data, **knobs | params), recipe.output)
    assert isinstance(found, xr.Dataset)
    assert next(iter(found.data_vars)) == "b"
    assert found["b"].attrs["units"] == "nT"
    assert found["b"].dims == data["b"].dims
    return found


def walk(count: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3)).cumsum(0)


ALL: Any = [
    (filtering.band_pass, {"low": 0.1, "high": 0.5, "context": 200.0}, 200.0, 1e-6),
    (filtering.smoothed, {"window": 20.0}, 20.0, 1e-9),
    (filtering.smoothed, {"window": 20.0, "statistic": "median"}, 20.0, 1e-9),
    (filtering.fluctuations, {"window": 20.0}, 20.0, 1e-9),
    (filtering.resampled, {"step": 7.0}, 7.0, 1e-9),
    (filtering.interpolated, {"step": 0.3, "largest_gap": 5.0}, 5.0, 1e-9),
    (filtering.despiked, {"window": 5.0, "threshold": 3.0, "replace": "median"}, 5.0, 1e-9),
]


@pytest.mark.parametrize(("recipe", "params", "pad", "tolerance"), ALL)
def test_pieces_agree_with_the_whole(recipe: Any, params: dict[str, Any], pad: float, tolerance: float) -> None:
    data = series(walk()).isel(time=np.r_[0:1500, 1600:4000])
    span = START.astype(np.int64) + np.array([0, 999_000_000_000])
    edges = np.linspace(*span, 4).astype(np.int64)
    room = round(pad * 1e9)
    cut = [Interval(int(low), int(high)) for low, high in pairwise(edges)]
    wide = [Interval(one.start - room, one.stop + room) for one in cut]
    pieces = [
        trim(made(recipe, trim(data, Extent(time=more)), **params), Extent(time=one))
        for one, more in zip(cut, wide, strict=True)
    ]
    whole = trim(made(recipe, data, **params), Extent(time=Interval(int(edges[0]), int(edges[-1]))))
    joined = xr.concat(pieces, "time")
    # A filter's own ends are flagged, and differ.
    good = joined["edge"] + whole["edge"] == 0 if "edge" in whole else np.ones(whole.sizes["time"], bool)
    assert joined.sizes == whole.sizes
    np.testing.assert_allclose(
        joined["b"].to_numpy()[good], whole["b"].to_numpy()[good], rtol=tolerance, atol=10 * tolerance
    )


@pytest.mark.parametrize(("recipe", "params"), [one[:2] for one in ALL])
def test_numbers_vectors_and_nothing(recipe: Any, params: dict[str, Any]) -> None:
    vector, number = made(recipe, series(walk()), **params), made(recipe, series(walk()[:, 1]), **params)
    np.testing.assert_allclose(vector["b"].to_numpy()[:, 1], number["b"].to_numpy(), rtol=1e-9, atol=1e-9)
    assert list(vector["component"].to_numpy()) == ["x", "y", "z"]
    assert vector["b"].attrs["COORDINATE_SYSTEM"] == "GSE"
    assert made(recipe, series(np.zeros((0, 3))), **params).sizes["time"] == 0
    with pytest.raises(BadData, match="no numbers"):
        recipe.function(
            xr.Dataset({"a": ("time", ["x"], {"units": ""})}, {"time": [START]}),
            **{one.name: one.default for one in recipe.parameters} | params,
        )


def test_a_band_is_kept_and_its_ends_are_flagged() -> None:
    seconds = np.arange(4000) / RATE
    slow, fast = np.sin(2 * np.pi * 0.01 * seconds), np.sin(2 * np.pi * 0.2 * seconds)
    found = made(filtering.band_pass, series(slow + fast), low=0.08, high=0.8)
    inner = found["edge"].to_numpy() == 0
    np.testing.assert_allclose(found["b"].to_numpy()[inner], fast[inner], atol=0.01)
    assert found["edge"].to_numpy()[[0, 99, -1]].all()
    for params, told in ({"low": 0.01}, "context"), ({"high": 3.0}, "no filter"), ({}, "no filter"):
        with pytest.raises(BadParameter, match=told):
            made(filtering.band_pass, series(slow), **params)


def test_spikes_are_taken_out_or_replaced_and_flagged() -> None:
    values = np.random.default_rng(1).normal(size=(400, 3))
    values[200, 1] = 100
    found = made(filtering.despiked, series(values), window=10.0)
    assert np.isnan(found["b"].to_numpy()[200]).tolist() == [False, True, False]
    assert found["spike"].to_numpy()[200] == 1
    assert found["spike"].to_numpy().sum() < 10
    instead = made(filtering.despiked, series(values), window=10.0, replace="median")["b"].to_numpy()[200, 1]
    assert abs(instead) < 1


def test_bins_say_how_many_samples_they_hold() -> None:
    values = np.ones(400)
    values[40:60] = np.nan
    found = made(filtering.resampled, series(values), step=5.0)
    assert found["count"].to_numpy().sum() == 380
    assert np.isnan(found["b"].to_numpy()).sum() == (found["count"].to_numpy() == 0).sum()
    assert np.nanmax(found["b"].to_numpy()) == 1
