"""Planes are drawn for one time, that of the cursor."""

from pathlib import Path

import numpy as np
import xarray as xr

from armillary.model import Product
from armillary.plots import Cells, Line, arrange, save

TIMES = np.array([0, 10, 20], "datetime64[s]").astype("datetime64[ns]")
SLICE = Product(path="a/ions/slice", title="Slice", kind="plane", units="s^3 cm^-6", cadence=10.0)
SECOND = 10**9


def plane(**more: object) -> xr.Dataset:
    v = np.linspace(-100, 100, 21)
    values = np.exp(-(v[:, None] ** 2 + v**2) / 1e4) * np.array([1.0, 2.0, 3.0])[:, None, None]
    axis = {"units": "km/s"}
    return xr.Dataset(
        {
            "f": (("time", "v1", "v2"), values, {"units": "s^3 cm^-6", "DEPEND_1": "v1", "DEPEND_2": "v2"}),
            "arrow_magnetic_field": (("time", "plane_axis"), np.tile([1.0, 0.0], (3, 1)), {"units": ""}),
        },
        {"time": TIMES, "v1": ("v1", v, axis), "v2": ("v2", v, axis)},
    )


def test_the_nearest_time_is_drawn_and_marked() -> None:
    view = arrange([(SLICE, plane())], cursor=12 * SECOND)
    (panel,) = view.panels
    cells, arrow = panel.traces
    assert isinstance(cells, Cells)
    assert isinstance(arrow, Line)
    assert cells.values.max() == 2.0
    assert panel.at_cursor
    assert "00:00:10" in panel.title
    assert (panel.x.units, panel.aspect) == ("km/s", 1.0)
    assert view.cursor == 12 * SECOND
    assert 0 < arrow.x[1] <= panel.x.high
    assert arrow.y[1] == 0
    assert arrow.label == "B"


def test_without_a_cursor_the_middle_is_drawn() -> None:
    (panel,) = arrange([(SLICE, plane())]).panels
    assert "00:00:10" in panel.title


def test_energy_stands_upright_and_is_logarithmic() -> None:
    energy = np.geomspace(10, 1e4, 8)
    data = xr.Dataset(
        {"f": (("time", "energy", "pitch"), np.ones((3, 8, 5)), {"units": "", "DEPEND_1": "energy"})},
        {"time": TIMES, "energy": ("energy", energy, {"units": "eV"}), "pitch": np.arange(5) * 40.0 + 10},
    )
    (panel,) = arrange([(SLICE, data)]).panels
    assert (panel.y.scale, panel.y.units, panel.x.scale) == ("log", "eV", "linear")
    assert panel.aspect is None
    cells = panel.traces[0]
    assert isinstance(cells, Cells)
    assert cells.values.shape == (5, 8)


def test_nothing_is_said_to_be_nothing() -> None:
    (panel,) = arrange([(SLICE, plane().isel(time=slice(0, 0)))]).panels
    assert "no data here" in panel.notes
    (unknown,) = arrange([(SLICE, plane().assign(f=lambda one: one["f"] * np.nan))]).panels
    assert "nothing was measured here" in unknown.notes


def test_the_picture_is_written_everywhere(tmp_path: Path) -> None:
    series = Product(path="a/n", title="n", kind="series", cadence=10.0)
    n = xr.Dataset({"n": ("time", [1.0, 2.0, 3.0], {"units": "cm^-3"})}, {"time": TIMES})
    view = arrange([(series, n), (SLICE, plane())], cursor=10 * SECOND)
    for name in ("a.png", "a.svg", "a.html"):
        assert save(view, tmp_path / name).stat().st_size > 1000
    assert view.to_record()["cursor"] == 10_000
