"""An observer of the Earth: a vegetation map of a box at one time, opened by another program."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NDVI = "simulated/tile/ndvi"
SPAN = ("--start", "2020-06-10", "--stop", "2020-06-11")
BOX = ("--bbox", "1.78,43.64,1.84,43.68")


def test_from_a_box_to_a_geotiff(cli: Callable[..., Any], tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    from pyproj import Transformer

    plan = json.loads(cli("get", NDVI, *SPAN, *BOX, "--plan", "--json").out)
    assert [step["product"] for step in plan["steps"]] == ["simulated/tile/optical", NDVI]
    target = tmp_path / "ndvi.tif"
    ran = cli("get", NDVI, *SPAN, *BOX, "-o", target)
    assert ran.status == 0, ran.err
    with rasterio.open(target) as opened:
        assert opened.crs.to_epsg() == 32631
        assert opened.res == pytest.approx((20, 20))
        values = opened.read(1)
        # The picture covers the box and is hardly larger.
        west, south, east, north = opened.bounds
        to_map = Transformer.from_crs(4326, 32631, always_xy=True)
        corners = [to_map.transform(lon, lat) for lon in (1.78, 1.84) for lat in (43.64, 43.68)]
        xs, ys = zip(*corners, strict=True)
    assert min(xs) - 40 <= west <= max(xs)
    assert (west, east) == pytest.approx((min(xs), max(xs)), abs=40)
    assert (south, north) == pytest.approx((min(ys), max(ys)), abs=40)
    assert np.nanmin(values) >= -1
    assert np.nanmax(values) <= 1
    assert np.nanmax(values) > 0.5  # fields in June


def test_a_map_is_drawn_for_each_time(cli: Callable[..., Any], tmp_path: Path) -> None:
    two = ("--start", "2020-06-01", "--stop", "2020-06-15")
    ran = cli("plot", NDVI, *two, *BOX, "-o", tmp_path / "map.svg")
    assert ran.status == 0, ran.err
    drawn = (tmp_path / "map.svg").read_text("utf-8")
    assert "2020-06-05" in drawn
    assert "2020-06-10" in drawn
    assert "EPSG:32631" in drawn
