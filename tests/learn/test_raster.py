"""Maps as samples: readers, labels, thinning, and what must be refused."""

import json
import sqlite3
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.io import savemat

from armillary.errors import ArmillaryError, BadData, BadParameter, DamagedFile
from armillary.learn.layouts import read_samples
from armillary.learn.rasters.opening import open_scene
from armillary.learn.rasters.polygons import Area, burnt
from armillary.learn.rasters.scene import Scene
from armillary.learn.rasters.truth import of_areas
from armillary.sources.write import write

HIGH, WIDE = 40, 50


def image(seed: int = 0) -> xr.Dataset:
    """Three bands of 40 x 50 pixels of 10 m; one pixel has no value."""
    values = np.random.default_rng(seed).normal(size=(3, HIGH, WIDE)).astype(np.float32)
    values[:, 3, 4] = np.nan
    values[1, 5, 6] = np.nan
    axes = {"y": 5_000_000 - 10.0 * np.arange(HIGH), "x": 400_000 + 10.0 * np.arange(WIDE)}
    coords = {"band": ["red", "green", "blue"], **axes}
    return xr.Dataset({"image": (("band", "y", "x"), values, {"units": "1"})}, coords, {"crs": "EPSG:32631"})


def labels() -> xr.Dataset:
    """Left half 1, right half 2, last line 0 = unknown."""
    codes = np.where(np.arange(WIDE) < WIDE // 2, 1, 2) * np.ones((HIGH, 1), int)
    codes[-1] = 0
    whole = image()
    flags = {"units": "", "flag_values": [1, 2], "flag_meanings": "land sea"}
    return xr.Dataset(
        {"kind": (("y", "x"), codes.astype(np.uint8), flags)}, whole.drop_vars("band").coords, whole.attrs
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for ending in ("nc", "zarr"):
        write(image(), tmp_path / f"image.{ending}")
        write(labels(), tmp_path / f"labels.{ending}")
    return tmp_path


def ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def geojson(path: Path, squares: dict[str, tuple[str, list[list[float]]]]) -> Path:
    features = [
        {
            "type": "Feature",
            "id": name,
            "properties": {"kind": one},
            "geometry": {"type": "Polygon", "coordinates": [at]},
        }
        for name, (one, at) in squares.items()
    ]
    crs = {"type": "name", "properties": {"name": "EPSG:32631"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), "utf-8")
    return path


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_pixels_with_labels_of_a_raster(folder: Path, ending: str) -> None:
    options = {"image": f"image.{ending}", "labels": f"labels.{ending}", "unlabelled": [0]}
    samples = read_samples("raster", folder, options)
    assert samples.sizes["sample"] == (HIGH - 1) * WIDE - 1
    assert samples.attrs["columns"] == ("red", "green", "blue")
    assert "1 labelled pixels have no value" in samples.attrs["notes"][0]
    assert samples.attrs["crs"] == "EPSG:32631"
    west = samples["x"].values < 400_000 + 10 * (WIDE // 2)
    assert set(samples["label"].values[west]) == {"land"}
    assert set(samples["label"].values[~west]) == {"sea"}
    at = np.flatnonzero((samples["x"] == 400_060).values & (samples["y"] == 4_999_950).values)
    assert np.isnan(samples["green"].values[at]).all()
    assert samples["red"].values[at] == image()["image"].values[0, 5, 6]
    named = read_samples("raster", folder, {**options, "classes": {"1": "dry", "2": "wet"}, "bands": ["blue"]})
    assert set(named["label"].values) == {"dry", "wet"}
    assert named.attrs["columns"] == ("blue",)


def test_geotiff_and_strips_give_the_same_pixels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rasterio", reason="GeoTIFF as samples is not tested: there is no rasterio")
    write(image(), folder / "image.tif")
    write(labels(), folder / "labels.tif")
    options = {"labels": "labels.tif", "unlabelled": [0], "every": 3, "most": 30}
    whole = read_samples("raster", folder / "image.tif", options)
    assert whole.attrs["columns"] == ("image red", "image green", "image blue")
    monkeypatch.setattr("armillary.learn.rasters.scene.STRIP_NUMBERS", 7 * 3 * WIDE)
    strips = read_samples("raster", folder / "image.tif", options)
    assert whole.sizes["sample"] == 60
    for name in ("x", "y", "image red", "label"):
        np.testing.assert_array_equal(np.sort(strips[name].values), np.sort(whole[name].values))
    assert {(one - 400_000) % 30 for one in whole["x"].values} == {0.0}


def test_several_files_on_one_grid(folder: Path) -> None:
    write(image(1), folder / "later.nc")
    options = {"images": {"early": "image.nc", "late": "later.nc"}, "together": "bands"}
    samples = read_samples("raster", folder, options)
    assert samples["bands"].shape == (HIGH * WIDE - 1, 6)
    assert samples.attrs["columns"] == ("bands",)
    write(image().isel(x=slice(1, None)), folder / "later.nc")
    with pytest.raises(BadData, match="different grids"):
        read_samples("raster", folder, options)


def test_areas_label_and_group(folder: Path) -> None:
    squares = {
        "a": ("land", ring(399_995, 4_999_955, 400_045, 5_000_005)),
        "b": ("sea", ring(400_195, 4_999_955, 400_245, 5_000_005)),
        "c": ("sea", ring(400_235, 4_999_955, 400_295, 5_000_005)),
        "d": ("land", ring(400_285, 4_999_955, 400_345, 5_000_005)),
    }
    geojson(folder / "areas.geojson", squares)
    options = {"image": "image.nc", "labels": "areas.geojson", "attribute": "kind"}
    samples = read_samples("raster", folder, options)
    group = samples["group"].values.astype(str)
    counts = {name: int((group == name).sum()) for name in squares}
    # c lies partly on b (of its class: b keeps them) and on d (of another class: nobody knows); a has a pixel of NaN
    assert counts == {"a": 24, "b": 25, "c": 20, "d": 25}
    assert set(samples["label"].values[group == "a"]) == {"land"}
    with pytest.raises(BadParameter, match="no property 'class'"):
        read_samples("raster", folder, {**options, "attribute": "class"})
    geojson(folder / "areas.geojson", {"far": ("land", ring(0, 0, 10, 10))})
    with pytest.raises(BadData, match="none of the 1 areas lies on"):
        read_samples("raster", folder, options)


def test_holes_and_degrees() -> None:
    from pyproj import Transformer

    moved = Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)
    whole = image()
    scene = Scene("it", ("a",), whole["y"].values, whole["x"].values, "EPSG:32631", lambda _a, _b: np.zeros((1, 1, 1)))
    outer, hole = ring(400_005, 4_999_805, 400_105, 4_999_905), ring(400_035, 4_999_835, 400_065, 4_999_865)
    rings = tuple(np.array([moved.transform(*corner) for corner in one]) for one in (outer, hole))
    values, areas = of_areas(scene, [Area("it", "land", rings)]).lines(0, HIGH)
    assert np.isfinite(values).sum() == 100 - 9
    assert areas is not None
    assert (areas >= 0).sum() == 91
    assert burnt([np.array(outer) + 1e6], scene.y, scene.x) is None


def test_areas_of_a_geopackage(folder: Path) -> None:
    def blob(corners: list[list[float]], *, many: bool) -> bytes:
        flat = [part for corner in corners for part in corner]
        one = struct.pack(f"<BIII{len(flat)}d", 1, 3, 1, len(corners), *flat)
        body = struct.pack("<BII", 1, 6, 1) + one if many else one
        return b"GP\x00\x03" + struct.pack("<i4d", 32631, 0, 0, 0, 0) + body

    with sqlite3.connect(folder / "areas.gpkg") as file:
        file.execute("CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id)")
        file.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id)")
        file.execute("CREATE TABLE squares (fid, geom, class)")
        file.execute("INSERT INTO gpkg_geometry_columns VALUES ('squares', 'geom', 1)")
        file.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (1, 'EPSG', 32631)")
        for number in range(2):
            west = 399_995 + 100 * number
            shape = blob(ring(west, 4_999_955, west + 50, 5_000_005), many=bool(number))
            file.execute("INSERT INTO squares VALUES (?, ?, ?)", (number, shape, f"kind {number}"))
    file.close()
    samples = read_samples("raster", folder, {"image": "image.nc", "labels": "areas.gpkg"})
    names, counts = np.unique(samples["label"].values.astype(str), return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"kind 0": 24, "kind 1": 25}
    (folder / "areas.gpkg").write_bytes(b"SQLite format 3\x00 cut")
    with pytest.raises(DamagedFile, match=r"areas\.gpkg"):
        read_samples("raster", folder, {"image": "image.nc", "labels": "areas.gpkg"})


def test_cubes_of_matlab(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).normal(size=(8, 9, 5))
    truth = (np.arange(9) > 4) * np.ones((8, 1))
    shares = np.stack([truth, 1 - truth], axis=2)
    flat = cube.reshape(-1, 5, order="F").T
    savemat(
        tmp_path / "it.mat", {"cube": cube, "gt": truth, "shares": shares, "flat": flat, "wavelength": np.arange(5)}
    )
    one = read_samples("raster", tmp_path / "it.mat", {"variables": ["cube"], "label": "gt", "together": "spectrum"})
    np.testing.assert_allclose(one["spectrum"].values, cube.reshape(-1, 5), rtol=1e-6)
    assert one["label"].values.tolist() == [f"{value:g}" for value in truth.ravel()]
    classes = {"1": "in", "2": "out"}
    two = read_samples("raster", tmp_path / "it.mat", {"variables": ["flat"], "label": "shares", "classes": classes})
    np.testing.assert_array_equal(two["label"].values == "in", one["label"].values == "1")
    np.testing.assert_allclose(two["band_3"].values, one["spectrum"].values[:, 2])
    assert (one["x"].values[:3].tolist(), one.attrs["crs"]) == ([0.0, 1.0, 2.0], "")
    (tmp_path / "it.mat").write_bytes(b"MATLAB 5.0 MAT-file" + b"\x00" * 50)
    with pytest.raises(DamagedFile, match=r"it\.mat"):
        open_scene(tmp_path / "it.mat")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"image": "image.nc", "labels": "none.nc"}, "there is no none.nc"),
        ({"image": "lost.nc"}, "there is no lost.nc"),
        ({}, "no map in it is named"),
        ({"image": "image.nc", "bands": ["infrared"]}, "no band 'infrared'"),
        ({"image": "image.nc", "every": 0}, "every = 0"),
        ({"image": "image.nc", "segments": {"size": 4}, "most": 3}, "of pixels, not of segments"),
        ({"image": "image.nc", "colour": 1}, "does not know 'colour'"),
        ({"image": "image.nc", "labels": "labels.nc", "unlabelled": [0, 1, 2]}, "not a single pixel"),
        ({"image": "image.nc", "variables": ["picture"]}, "no map 'picture'"),
        ({"image": "notes.txt"}, "no map that is known"),
    ],
)
def test_what_cannot_be_read_is_told(folder: Path, options: dict[str, Any], said: str) -> None:
    (folder / "notes.txt").write_text("a b\n1 2\n")
    with pytest.raises(ArmillaryError, match=said):
        read_samples("raster", folder, options)


def test_more_than_fits_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("armillary.learn.rasters.pixels.MOST_NUMBERS", 100)
    with pytest.raises(BadData, match="more than 100 numbers"):
        read_samples("raster", folder, {"image": "image.nc"})


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_areas_without_projection_are_in_pixels(tmp_path: Path, share: float) -> None:
    savemat(tmp_path / "it.mat", {"cube": np.ones((8, 9, 5))})
    squares = {"a": ("land", ring(-0.5 + share, -0.5 + share, 3.5, 3.5))}
    geojson(tmp_path / "areas.json", squares)
    options = {"labels": "areas.json", "attribute": "kind"}
    with pytest.raises(BadData, match="has no projection"):
        read_samples("raster", tmp_path / "it.mat", options)
    record = json.loads((tmp_path / "areas.json").read_text()) | {"crs": None}
    (tmp_path / "areas.json").write_text(json.dumps(record))
    samples = read_samples("raster", tmp_path / "it.mat", options)
    assert samples.sizes["sample"] == (16 if share < 0.5 else 9)
