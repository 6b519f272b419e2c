"""Exactly the part inside the extent."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadExtent, BadPredicate
from armillary.model import Box, Cone, Extent, Interval
from armillary.science.trim import trim


def series(times: list[int]) -> xr.Dataset:
    field = np.array(times, float)[:, None] * [1.0, 2.0, 3.0]
    return xr.Dataset(
        {"n": ("time", np.array(times, float)), "b": (("time", "component"), field)},
        {"time": np.array(times, "datetime64[ns]"), "component": ["x", "y", "z"]},
    )


@given(st.lists(st.integers(0, 50)).map(sorted), st.integers(0, 49), st.integers(1, 30))
def test_time_is_half_open(times: list[int], start: int, length: int) -> None:
    cut = trim(series(times), Extent(time=Interval(start, start + length)))
    assert cut["time"].to_numpy().astype(int).tolist() == [t for t in times if start <= t < start + length]


def test_where_names_scalars_and_components() -> None:
    cut = trim(series([1, 2, 3]), Extent(where="n > 1 AND b.y < 6"))
    assert cut["n"].to_numpy().tolist() == [2.0]
    assert trim(series([1, 2, 3]), Extent(where='"b[z]" >= 9')).sizes["time"] == 1
    with pytest.raises(BadPredicate, match=r"'b' has time x component values.*\"b\[x\]\""):
        trim(series([1]), Extent(where="b > 1"))
    with pytest.raises(BadPredicate, match="no column 'm'"):
        trim(series([1]), Extent(where="m > 1"))


def test_events_that_overlap_are_kept() -> None:
    table = pa.table({name: pa.array(ns, pa.timestamp("ns")) for name, ns in
                      {"start": [0, 5, 10, 20], "stop": [5, 12, 10, 30]}.items()})  # fmt: skip
    cut = trim(table, Extent(time=Interval(10, 20)))
    assert cut.column("start").cast(pa.int64()).to_pylist() == [5, 10]


def test_box_on_the_ground_follows_the_projection() -> None:
    x, y = np.arange(500_000.0, 600_000, 1000), np.arange(5_100_000.0, 5_000_000, -1000)
    data = xr.Dataset({"band": (("y", "x"), np.zeros((100, 100)))}, {"x": x, "y": y}, {"crs": "EPSG:32633"})
    cut = trim(data, Extent(box=Box(15.2, 45.4, 15.5, 45.6)))
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(32633, 4326, always_xy=True).transform(*np.meshgrid(cut["x"], cut["y"]))
    inside = (lon >= 15.2) & (lon <= 15.5) & (lat >= 45.4) & (lat <= 45.6)
    assert inside.mean() > 0.95
    assert cut.sizes["x"] * cut.sizes["y"] > 400
    with pytest.raises(BadExtent, match="no map coordinates"):
        trim(series([1]), Extent(box=Box(0, 0, 1, 1)))


def sky(**columns: Any) -> pa.Table:
    return pa.table(columns)


def test_cone_and_box_on_the_sky_cross_zero() -> None:
    stars = sky(ra=[359.9, 0.1, 0.1, 180.0], dec=[0.0, 0.0, 80.0, 0.0], name=list("abcd"))
    assert trim(stars, Extent(cone=Cone(0.0, 0.0, 0.5)))["name"].to_pylist() == ["a", "b"]
    assert trim(stars, Extent(box=Box(359.0, -1, 1.0, 1)))["name"].to_pylist() == ["a", "b"]
    assert trim(stars, Extent(box=Box(0.0, -1, 360.0, 90)))["name"].to_pylist() == list("abcd")
    with pytest.raises(BadExtent, match="no ra and dec"):
        trim(sky(a=[1]), Extent(cone=Cone(0, 0, 1)))


def test_missing_values_never_match() -> None:
    table = sky(a=pa.array([1, None, 3]), text=["x", None, "z"], when=pa.array([0, 1, None], pa.timestamp("us")))
    assert trim(table, Extent(where="a < 10"))["a"].to_pylist() == [1, 3]
    assert trim(table, Extent(where="NOT a > 10"))["a"].to_pylist() == [1, 3]
    assert trim(table, Extent(where="text <> 'x'"))["text"].to_pylist() == ["z"]
    assert trim(table, Extent(where="text IS NULL"))["a"].to_pylist() == [None]
    assert trim(table, Extent(where="when < '1970-01-02'"))["a"].to_pylist() == [1, None]
