"""Steps say how far they look: features made of a piece with that much around it are those of the whole series."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.learn.features import ALONE, REACHING, STEPS, build, reach_of_steps
from armillary.learn.features.along import usual_steps
from armillary.learn.features.stretches import cut, cut_in_spans, filled
from armillary.learn.study import Step

Array = np.ndarray[Any, np.dtype[Any]]
HOURS = 9000
COLUMNS = ("V_km_s", "N_cm3", "By_nT", "Bz_nT", "Pdyn_nPa", "Dst_nT", "Kp")


def wind(seed: int = 0, hours: int = HOURS) -> xr.Dataset:
    """Hourly solar wind of streams and clouds, with gaps and stretches that do not change at all."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.normal(size=(hours // 30 + 1, 7)), 30, axis=0)[:hours]
    slow = level + 0.3 * rng.normal(size=(hours, 7))
    values = np.column_stack([
        450 + 100 * slow[:, 0], np.exp(1.5 + 0.7 * slow[:, 1]), 5 * slow[:, 2], 5 * slow[:, 3],
        np.exp(0.7 + 0.5 * slow[:, 4]), -15 + 20 * slow[:, 5], np.abs(2 + slow[:, 6]).round(),
    ])  # fmt: skip
    for at in rng.integers(0, hours - 200, 40):
        values[at : at + int(rng.integers(1, 60)), rng.integers(0, 7)] = np.nan
    values[hours // 2 : hours // 2 + 40] = values[hours // 2]
    times = np.datetime64("2001-03-04T05", "ns") + np.arange(hours) * np.timedelta64(1, "h")
    data = {name: ("sample", one) for name, one in zip(COLUMNS, values.T, strict=True)}
    return xr.Dataset(data, {"time": ("sample", times)}, {"cadence": 3600.0, "columns": COLUMNS})


UNITS = [100.0, 3.0, 5.0, 5.0, 1.0, 20.0, 1.5]
MADE = {
    "rolling": {"windows": ["5h", "30h"], "of": ["mean", "std", "min", "max", "slope"]},
    "lags": {"lags": ["0s", "5h"], "tolerance": "90min"},
    "solar_wind": {},
    "ring_current": {},
    "stretches": {"units": UNITS, "longest": "2d"},
}
WHOLE = {name: build(wind(), [Step(use=name, options=one)]).matrix for name, one in MADE.items()}


@pytest.mark.parametrize("use", sorted(MADE))
@given(first=st.integers(0, HOURS - 200), rows=st.integers(1, 200))
@settings(max_examples=8, deadline=None)
def test_a_piece_and_what_it_reaches_make_the_features_of_the_whole(use: str, first: int, rows: int) -> None:
    step = Step(use=use, options=MADE[use])
    around = int(np.ceil(reach_of_steps([step], 3600.0) / 3600))
    low, high = max(first - around, 0), min(first + rows + around, HOURS)
    part = wind().isel(sample=slice(low, high))
    made = build(part, [step]).matrix[first - low : first - low + rows]
    np.testing.assert_allclose(made, WHOLE[use][first : first + rows], rtol=1e-9, atol=1e-9)


def test_every_step_looks_at_one_sample_or_says_how_far_or_is_known_to_look_at_all() -> None:
    whole = STEPS.keys() - ALONE - REACHING.keys()
    assert whole == {"nearest_subsequence", "ridge_ar"}
    for name in STEPS:
        assert np.isinf(reach_of_steps([Step(use=name)], 60.0)) == (name in {*whole, "stretches"})


def test_a_reach_that_is_counted_in_samples_grows_with_their_cadence() -> None:
    hourly, by_minute = (reach_of_steps([Step(use="ring_current")], one) for one in (3600.0, 60.0))
    assert (hourly, by_minute) == (24 * 3600.0, 24 * 60.0)


@given(seed=st.integers(0, 99), first=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_spans_find_the_edges_of_the_whole(seed: int, first: int) -> None:
    values = wind(seed, 2000)["V_km_s"].values[:, None] / 100
    whole, spans = cut(filled(values), 4.0, 3, 40), cut_in_spans(values, first, 4.0, 3, 40)
    assert (spans[0], spans[-1]) == (0, 2000)
    assert len(set(whole) ^ set(spans)) <= 0.05 * len(whole)


def test_pieces_of_an_irregular_series_keep_its_usual_step() -> None:
    """A window is full by the step of the whole series, not by that of a piece."""
    rng = np.random.default_rng(0)
    steps = np.where(np.arange(600) < 330, 60, 600) + rng.integers(0, 5, 600)
    times = np.datetime64("2001-01-01", "ns") + np.cumsum(steps) * np.timedelta64(1, "s")
    samples = xr.Dataset({"a": ("sample", rng.normal(size=600))}, {"time": ("sample", times)})
    step = [Step(use="rolling", options={"windows": ["20min"]}), Step(use="lags", options={"lags": ["10min"]})]
    whole = build(samples, step).matrix
    stamps = times.astype(np.int64)
    part = samples.isel(sample=slice(350, 600)).assign_attrs(steps=usual_steps(np.zeros(600, "U1"), stamps))
    np.testing.assert_allclose(build(part, step).matrix[50:], whole[400:], atol=1e-9)
    assert np.isnan(whole[400:]).any()
    assert not np.isnan(build(samples.isel(sample=slice(350, 600)), step[:1]).matrix[50:]).any()
