"""Volumes are drawn as surfaces of equal value, for the time of the cursor."""

from pathlib import Path

import numpy as np
import xarray as xr

from armillary.model import Product
from armillary.plots import Arrow, Surface, arrange, save
from armillary.plots.solids import project

VOLUME = Product(path="a/ions/volume", title="Volume", kind="volume", units="s^3 cm^-6", cadence=10.0)


def volume() -> xr.Dataset:
    v = np.linspace(-300, 300, 25)
    square = v[:, None, None] ** 2 + v[:, None] ** 2 + v**2
    values = np.exp(-square / 100.0**2)[None] * np.array([1.0, 2.0])[:, None, None, None]
    axis = {"units": "km/s"}
    return xr.Dataset(
        {
            "f": (("time", "vx", "vy", "vz"), values, {"units": "s^3 cm^-6"}),
            "arrow_b": (("time", "xyz"), [[0.0, 0.0, 5.0], [0.0, 0.0, 5.0]], {"units": "nT"}),
        },
        {"time": np.array([0, 10], "datetime64[s]").astype("datetime64[ns]")}
        | {name: (name, v, axis) for name in ("vx", "vy", "vz")},
    )


def test_surfaces_lie_where_the_value_is() -> None:
    (panel,) = arrange([(VOLUME, volume())], cursor=10**10).panels
    assert panel.kind == "solid"
    assert panel.at_cursor
    surfaces = [trace for trace in panel.traces if isinstance(trace, Surface)]
    for trace, part in zip(surfaces, (0.5, 0.1, 0.01), strict=True):
        radius = np.linalg.norm(trace.vertices, axis=1)
        assert np.allclose(radius, 100 * np.sqrt(-np.log(part)), rtol=0.05)  # 25 km/s between points
    (arrow,) = [trace for trace in panel.traces if isinstance(trace, Arrow)]
    assert panel.z
    assert np.allclose(arrow.tip, [0, 0, 0.9 * panel.z.high])
    assert 215 < panel.z.high < 300
    assert "2 s³ cm⁻⁶" in " ".join(panel.notes)


def test_an_empty_volume_says_so() -> None:
    empty = volume().assign(f=lambda one: one["f"] * 0)
    (panel,) = arrange([(VOLUME, empty)]).panels
    assert panel.notes == ("nothing was measured here",)


def test_the_direction_of_sight_comes_towards_the_reader() -> None:
    turn, rise = np.radians([30.0, 20.0])
    sight = np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)])
    assert np.allclose(project(sight, 30.0, 20.0), [0, 0, 1])
    assert project(np.array([0.0, 0.0, 1.0]), 30.0, 20.0)[1] > 0


def test_the_picture_is_written_everywhere(tmp_path: Path) -> None:
    view = arrange([(VOLUME, volume())])
    for name in ("a.png", "a.pdf", "a.html"):
        assert save(view, tmp_path / name).stat().st_size > 5000
