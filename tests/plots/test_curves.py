"""Curves against something else than time, and lines over spectrograms."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from armillary.missions.plasma.generic import waves
from armillary.model import Interval
from armillary.plots import arrange, save
from armillary.plots.view import Cells, Line

RATE = 8.0
START = np.datetime64("2020-01-01", "ns")


def noise(count: int = 4096) -> xr.Dataset:
    time = START + (np.arange(count) * 1e9 / RATE).astype("timedelta64[ns]")
    values = np.random.default_rng(2).normal(0, 2, count)
    return xr.Dataset({"b": ("time", values, {"units": "nT", "LABLAXIS": "B"})}, {"time": time})


def welch() -> xr.Dataset:
    return waves.welch.function(
        noise(), window=16.0, overlap=0.5, taper="hann", detrend="mean", resample=0.0,
    )  # fmt: skip


def test_a_mean_spectrum_is_one_curve_with_its_bounds(made: SimpleNamespace, tmp_path: Path) -> None:
    data = welch()
    view = arrange([(made.product("spectrogram", "welch"), data)])
    (panel,) = view.panels
    assert panel.kind == "lines"
    assert not panel.x.time
    assert (panel.x.units, panel.x.scale, panel.y.scale) == ("Hz", "log", "log")
    first, low, high = panel.traces
    assert isinstance(first, Line)
    assert isinstance(low, Line)
    assert isinstance(high, Line)
    assert first.x == pytest.approx(data["frequency"].to_numpy())
    assert first.y == pytest.approx(data["welch"].to_numpy()[0])
    assert (low.y < first.y).all()
    assert (high.y > first.y).all()
    assert panel.x.low == pytest.approx(1 / 16)
    for name in ("welch.png", "welch.html"):
        assert save(view, tmp_path / name).stat().st_size > 1000


def test_a_curve_stands_below_what_has_a_time_axis(made: SimpleNamespace) -> None:
    items = [(made.product("spectrogram", "welch"), welch()), (made.product("series", "b"), noise())]
    day = Interval.of("2020-01-01T00:00", "2020-01-01T00:10")
    assert [one.x.time for one in arrange(items, interval=day).panels] == [True, False]


def test_no_mean_spectrum_is_told(made: SimpleNamespace) -> None:
    data = welch()
    lost = data.assign({name: data[name] * np.nan for name in ("welch", "low", "high")})
    for name in ("welch", "low", "high"):
        lost[name].attrs = data[name].attrs
    assert arrange([(made.product("spectrogram", "welch"), lost)]).panels[0].notes == ("no data here",)
    assert not arrange([(made.product("spectrogram", "welch"), data.isel(time=slice(0)))]).panels[0].traces


def test_the_cone_of_influence_lies_on_the_scalogram(made: SimpleNamespace) -> None:
    given = {"shortest": 0.0, "longest": 0.0, "per_octave": 4, "every": 1.0, "level": 0.95, "resample": 0.0}
    data = waves.wavelet.function(noise(1024), **given)
    panels = arrange([(made.product("spectrogram", "wavelet"), data)]).panels
    assert isinstance(panels[0].traces[0], Cells)
    cone = panels[0].traces[1]
    assert isinstance(cone, Line)
    inside = np.isfinite(cone.y)
    assert cone.y[inside] == pytest.approx(data["cone_of_influence"].to_numpy()[inside])
    assert inside.sum() > len(inside) / 2
    assert not any("influence" in panel.y.label for panel in panels)
