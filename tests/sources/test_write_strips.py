"""Maps written strip by strip are the same files as those written at once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from armillary.errors import Cancelled
from armillary.sources.write import write

rasterio = pytest.importorskip("rasterio", reason="strips of GeoTIFF are not tested: there is no rasterio")


def strip(first: int, last: int, width: int = 90) -> xr.Dataset:
    """Some lines of a map of classes and percents."""
    rng = np.random.default_rng(first)
    codes = rng.integers(0, 5, (last - first, width)).astype(np.uint8)
    percent = rng.integers(0, 100, (3, last - first, width)).astype(np.uint8)
    flags = {"units": "", "nodata": 255, "flag_meanings": "a b c d e"}
    return xr.Dataset(
        {"class": (("y", "x"), codes, flags), "p": (("band", "y", "x"), percent, {"units": "%", "nodata": 255})},
        {"y": 1000.0 - 10 * np.arange(first, last), "x": 5 + 10.0 * np.arange(width), "band": ["u", "v", "w"]},
        {"crs": "EPSG:32631", "title": "A map"},
    )


def strips() -> Iterator[xr.Dataset]:
    return (strip(at, at + 70) for at in range(0, 630, 70))


def test_strips_give_the_file_of_the_whole(tmp_path: Path) -> None:
    write(strips(), tmp_path / "strips.tif")
    write(xr.concat(list(strips()), "y", data_vars="minimal"), tmp_path / "whole.tif")
    with rasterio.open(tmp_path / "strips.tif") as one, rasterio.open(tmp_path / "whole.tif") as other:
        np.testing.assert_array_equal(one.read(), other.read())
        assert one.profile == other.profile
        assert (one.descriptions, one.units) == (other.descriptions, other.units)
        assert [one.tags(band) for band in (0, 1, 2)] == [other.tags(band) for band in (0, 1, 2)]
        assert one.overviews(1) == other.overviews(1) != []
        assert one.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert {path.name for path in tmp_path.iterdir()} == {"strips.tif", "whole.tif"}


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path) -> None:
    def stop(fraction: float, _: str = "") -> None:
        if fraction > 0.5:
            raise Cancelled("stopped", "go on later")

    with pytest.raises(Cancelled):
        write(strips(), tmp_path / "map.tif", stop)
    assert list(tmp_path.iterdir()) == []
