"""The tile: seasons, clouds, speckle, and parts that equal the whole."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.missions.simulated import tile_series as tile
from armillary.model import Box
from armillary.model.extent import Rows

Ask = Callable[..., Any]
JUNE = ("2021-06-01", "2021-06-12")


def test_a_box_and_lines_are_parts_of_the_whole(ask: Ask) -> None:
    whole = ask("tile/optical", *JUNE)
    assert whole["optical"].shape == (2, 10, 512, 512)
    assert whole.attrs["crs"] == "EPSG:32631"
    lines = ask("tile/optical", *JUNE, rows=Rows(100, 164))
    assert lines.identical(whole.isel(y=slice(100, 164)))
    box = ask("tile/optical", *JUNE, box=Box(1.78, 43.65, 1.83, 43.68))
    assert 100 < box.sizes["x"] < 300
    assert 100 < box.sizes["y"] < 300
    expected = whole.sel(x=box["x"], y=box["y"])
    assert box.identical(expected)
    sar = ask("tile/sar", *JUNE)
    assert ask("tile/sar", *JUNE, rows=Rows(30, 70)).identical(sar.isel(y=slice(30, 70)))


def test_lines_of_a_box_are_counted_from_the_top_of_the_tile(ask: Ask) -> None:
    place = Box(1.78, 43.65, 1.83, 43.68)
    whole = ask("tile/mask", *JUNE, box=place)
    parts = [ask("tile/mask", *JUNE, box=place, rows=Rows(first, first + 32)) for first in range(0, 512, 32)]
    assert np.array_equal(np.concatenate([part["y"] for part in parts]), whole["y"])
    assert any(part.sizes["y"] == 0 for part in parts)
    joined = np.concatenate([part["mask"] for part in parts if part.sizes["y"]], axis=1)
    assert np.array_equal(joined, whole["mask"])


def test_outside_of_time_or_tile_there_is_nothing(ask: Ask) -> None:
    assert ask("tile/mask", "2031-01-01", "2031-02-01").sizes["time"] == 0
    away = ask("tile/mask", *JUNE, box=Box(20, 43, 21, 44))
    assert away.sizes["x"] * away.sizes["y"] == 0


def test_scenes_come_every_five_days(ask: Ask) -> None:
    times = ask("tile/mask", "2020-01-01", "2023-01-01", rows=Rows(0, 1))["time"].to_numpy()
    assert len(times) == 219
    assert set(np.diff(times)) == {np.timedelta64(5, "D")}


def clear_ndvi(ask: Ask, month: str, kind: int) -> float:
    """Mean vegetation index where truth says that there is no cloud."""
    start = np.datetime64(month)
    when = (str(start.astype("datetime64[D]")), str((start + np.timedelta64(1, "M")).astype("datetime64[D]")))
    found = ask("tile/optical", *when, rows=Rows(0, 128))["optical"]
    near, red = (found.sel(band=name).to_numpy() for name in ("B08", "B04"))
    cloud = ask("tile/truth/cloud", *when, rows=Rows(0, 128))["cloud"].sum("band").to_numpy()
    cover = ask("tile/truth/land_cover", rows=Rows(0, 128))["land_cover"].to_numpy()
    good = (cloud < 0.01) & (cover == kind)
    return float(((near - red) / (near + red))[good].mean())


def test_crops_have_their_seasons(ask: Ask) -> None:
    wheat = {month: clear_ndvi(ask, month, 4) for month in ("2021-01", "2021-05", "2021-08")}
    maize = {month: clear_ndvi(ask, month, 5) for month in ("2021-04", "2021-08", "2021-12")}
    assert wheat["2021-05"] > 0.7
    assert wheat["2021-08"] < 0.4
    assert wheat["2021-05"] > wheat["2021-01"] + 0.2
    assert maize["2021-08"] > 0.7
    assert maize["2021-04"] < 0.35
    assert maize["2021-12"] < 0.35
    assert clear_ndvi(ask, "2021-07", 0) < 0.1


def test_the_mask_is_good_but_not_perfect(ask: Ask) -> None:
    span = ("2021-03-01", "2021-09-01")
    mask = ask("tile/mask", *span, rows=Rows(0, 64))["mask"].to_numpy()
    thick = ask("tile/truth/cloud", *span, rows=Rows(0, 64))["cloud"].to_numpy()[:, 0]
    share = (thick > 0.5).mean()
    assert 0.05 < share < 0.8
    assert (mask[thick > 0.5] == 1).mean() > 0.95
    assert (mask[thick == 0] == 1).mean() < 0.05
    assert (mask[(thick > 0) & (thick < 0.1)] == 1).mean() < 0.9
    assert set(np.unique(mask)) == {0, 1, 2}


def test_clouds_are_bright_and_shadows_dark() -> None:
    scene = next(k for k in range(60, 120) if 0.2 < (tile.clouds(1, k)[0] > 0.5).mean() < 0.6)
    blue = tile.optical(1, scene)[0, 0]
    thick, shadow = tile.clouds(1, scene)
    clear = (thick == 0) & (shadow == 0)
    assert blue[thick > 1.5].mean() > 0.5
    assert blue[(shadow > 0.8) & (thick == 0)].mean() < 0.7 * blue[clear].mean()


def test_speckle_has_the_looks_that_are_told(ask: Ask) -> None:
    sar = ask("tile/sar", *JUNE)["sar"].isel(time=0).to_numpy()
    cover, parcel = tile.land(1).kind, tile.land(1).parcel
    numbers, counts = np.unique(parcel[cover == 2], return_counts=True)
    largest = (parcel == numbers[np.argmax(counts)]) & (cover == 2)
    looks = sar[0][largest].mean() ** 2 / sar[0][largest].var()
    assert looks == pytest.approx(tile.LOOKS, rel=0.25)
    assert sar[0].mean() > sar[1].mean()
    assert sar[0][cover == 1].mean() > 5 * sar[0][cover == 0].mean()
