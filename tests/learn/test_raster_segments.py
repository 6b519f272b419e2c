"""Segments as samples, patches of a map with their outlines, and models on both."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from armillary.errors import BadData, BadRequest
from armillary.learn.layouts import read_samples
from armillary.learn.mapping import NOTHING, Mapped, datasets, map_scene
from armillary.learn.publishing import publish
from armillary.learn.rasters.clustering import components, superpixels
from armillary.learn.rasters.opening import open_scene
from armillary.learn.rasters.outlines import Layers, outlines_of, patches_of
from armillary.learn.rasters.polygons import burnt
from armillary.learn.rasters.segments import segments_of
from armillary.learn.study import Study, study_of
from armillary.learn.trained import Run, load_run
from armillary.sources.write import write

SIDE = 60
RECORD: dict[str, Any] = {
    "name": "it", "task": "classes", "seeds": 1, "resamples": 20, "data": {"layout": "raster"},
    "split": {"space_on": ["x", "y"], "size": 120, "folds": 3},
    "models": [{"use": "extra_trees", "options": {"n_estimators": 15, "min_samples_leaf": 2}}],
}  # fmt: skip


def fields(noise: float = 0.4, cell: int = 12) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Classes in square fields, and two bands that tell them, more or less."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, (SIDE // cell, SIDE // cell)).repeat(cell, 0).repeat(cell, 1)
    bands = np.stack([kind + noise * rng.normal(size=kind.shape), (kind == 1) + noise * rng.normal(size=kind.shape)])
    return kind, bands.astype(np.float32)


def raster(values: np.ndarray[Any, Any], name: str, **attrs: Any) -> xr.Dataset:
    dims = ("band", "y", "x")[-values.ndim :]
    coords: dict[str, Any] = {"y": -10.0 * np.arange(SIDE), "x": 10.0 * np.arange(SIDE)}
    coords |= {"band": ["a", "b"]} if values.ndim == 3 else {}
    return xr.Dataset({name: (dims, values, {"units": "", **attrs})}, coords, {"crs": "EPSG:32631"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image, its classes, and a raster of segments: 10 x 6 pixels each, one corner without."""
    made = tmp_path_factory.mktemp("fields")
    kind, bands = fields()
    bands[:, 0, :5] = np.nan
    number = 1 + np.arange(SIDE)[:, None] // 10 * 10 + np.arange(SIDE) // 6
    number[-3:, -3:] = 0
    write(raster(bands, "image"), made / "image.nc")
    write(raster(kind.astype(np.uint8), "kind"), made / "kind.nc")
    write(raster(number.astype(np.int32), "number"), made / "segments.nc")
    return made


def study(options: dict[str, Any], **parts: Any) -> Study:
    data = {"layout": "raster", "options": {"image": "image.nc", "labels": "kind.nc", **options}}
    return study_of(RECORD | {"data": data} | parts)


def trained(folder: Path, out: Path, options: dict[str, Any], **parts: Any) -> Run:
    publish(study(options, **parts), out, data=folder)
    return load_run(out)


def test_superpixels_are_connected_and_follow_edges() -> None:
    kind, bands = fields(noise=0.05)
    bands[:, :3, :3] = np.nan
    found = superpixels(bands, 6)
    assert (found[:3, :3] == -1).all()
    np.testing.assert_array_equal(np.unique(found), np.arange(-1, found.max() + 1))
    np.testing.assert_array_equal(components(found), found)
    assert 60 < found.max() < 160
    pure = [np.ptp(kind[found == one]) == 0 for one in range(found.max() + 1)]
    assert np.mean(pure) > 0.95


def test_what_a_segment_is_told_by(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"image": "image.nc", "labels": "kind.nc", "segments": "segments.nc"}
    samples = read_samples("raster", folder, options)
    kind, bands = fields()
    bands[:, 0, :5] = np.nan
    part = bands[1, 10:20, 6:12]
    (at,) = np.flatnonzero(samples["segment"].values == 12)
    row = {
        name: float(samples[name][at]) for name in ("b_mean", "b_std", "b_min", "b_max", "area", "filling", "x", "y")
    }
    expected = {
        "b_mean": part.mean(), "b_std": part.std(), "b_min": part.min(), "b_max": part.max(), "area": 60, "filling": 1,
        "x": 85, "y": -145,
    }  # fmt: skip
    assert row == pytest.approx({name: float(one) for name, one in expected.items()}, rel=1e-5)
    assert float(samples["elongation"][at]) == pytest.approx(10 / 6)
    majority = np.bincount(kind[10:20, 6:12].ravel()).argmax()
    assert samples["label"].values[at] == str(majority)
    assert float(samples["label_share"][at]) == pytest.approx((kind[10:20, 6:12] == majority).mean())
    assert float(samples["labelled"][at]) == 1
    monkeypatch.setattr("armillary.learn.rasters.scene.STRIP_NUMBERS", 2 * SIDE * 7)
    strips = read_samples("raster", folder, options)
    xr.testing.assert_allclose(strips, samples)


def test_a_segment_without_majority_has_no_label(folder: Path) -> None:
    options = {"image": "image.nc", "labels": "kind.nc", "segments": "segments.nc", "least_share": 0.99}
    samples = read_samples("raster", folder, options)
    assert (samples["label_share"].values > 0.99).all()
    assert "segments have no class with more than 99%" in samples.attrs["notes"][-1]


@given(arrays.arrays(np.int64, (7, 8), elements=st.integers(-1, 2)), st.integers(1, 7))
def test_outlines_hold_the_pixels_of_their_patch(code: np.ndarray[Any, Any], lines: int) -> None:
    cuts = [code[at : at + lines] for at in range(0, len(code), lines)]
    layers = [Layers(one, np.full(one.shape, 50), np.zeros(one.shape, np.int64)) for one in cuts]
    patches = patches_of(layers, np.full(len(code), 2.0))
    whole = components(code)
    assert len(patches) == whole.max() + 1
    y, x = np.arange(7) + 0.5, np.arange(8) + 0.5
    seen = np.full(code.shape, -1)
    for number, rings in outlines_of(patches, np.ones(len(patches), bool), cuts):
        assert all((ring[0] == ring[-1]).all() for ring in rings)
        found = burnt(rings, y, x)
        assert found is not None
        down, across, inside = found
        assert inside.sum() == patches.pixels[number] == patches.area[number] / 2
        own = code[down, across][inside]
        assert (own == patches.code[number]).all()
        assert (seen[down, across][inside] == -1).all()
        seen[down, across][inside] = number
    np.testing.assert_array_equal(seen >= 0, code >= 0)
    np.testing.assert_array_equal(components(seen), whole)


def test_rings_of_one_patch_touch_but_never_cross() -> None:
    code = np.array([[0, 0, 0], [0, -1, 0], [0, 0, -1]])
    patches = patches_of([Layers(code, code, np.zeros_like(code))], np.ones(3))
    ((_, rings),) = outlines_of(patches, np.ones(1, bool), [code])
    assert [len(one) for one in rings] == [7, 5]
    assert all(len({tuple(corner) for corner in one[:-1].tolist()}) == len(one) - 1 for one in rings)


def whole_of(mapped: Mapped) -> xr.Dataset:
    return xr.concat(list(datasets(mapped)), "y", data_vars="minimal")


@pytest.mark.parametrize("segments", ["segments.nc", {"size": 6}])
def test_segments_are_mapped_strip_by_strip(
    folder: Path, tmp_path: Path, segments: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(folder, tmp_path / "run", {"segments": segments})
    assert [str(one) for one in run.recipe["columns"]][:2] == ["a_mean", "a_std"]
    if isinstance(segments, str):
        monkeypatch.setattr("armillary.learn.rasters.scene.STRIP_NUMBERS", 2 * SIDE * 13)
    scene = open_scene(folder / "image.nc")
    given_ = open_scene(folder / segments) if isinstance(segments, str) else None
    own = segments_of(scene, given_, segments if isinstance(segments, dict) else None)
    mapped = map_scene(run, scene, tmp_path / "parts", segments=own)
    found = whole_of(mapped)
    code = found["class"].values
    kind, _ = fields()
    known = code != NOTHING
    assert (~known).sum() == (9 if given_ else 5)
    assert (np.array(run.classes).astype(int)[code[known]] == kind[known]).mean() > 0.85
    assert [one.name for one in (tmp_path / "parts").glob("*.segments")] == []
    again = map_scene(run, scene, tmp_path / "parts", segments=own)
    assert (again.drift, again.classes) == (mapped.drift, mapped.classes)


def test_numbers_are_mapped_too(folder: Path, tmp_path: Path) -> None:
    asked = {"task": "regression", "models": [{"use": "ridge"}]}
    run = trained(folder, tmp_path / "run", {"numbers": True, "every": 2}, **asked)
    mapped = map_scene(run, open_scene(folder / "image.nc"), tmp_path / "parts")
    found = whole_of(mapped)
    assert found["value"].dtype == np.float32
    assert int(np.isnan(found["value"].values).sum()) == 5
    assert np.corrcoef(found["value"].values[1:].ravel(), fields()[0][1:].ravel())[0, 1] > 0.85


def test_bands_that_are_missing_and_features_that_reach_are_refused(folder: Path, tmp_path: Path) -> None:
    run = trained(folder, tmp_path / "run", {"every": 3})
    scene = open_scene(folder / "kind.nc")
    with pytest.raises(BadData, match="no band 'a'"):
        map_scene(run, scene, tmp_path / "parts")
    steps = {"features": [{"use": "columns"}, {"use": "stretches"}]}
    far = replace(run, study=replace(run.study, features=study_of(RECORD | steps).features))
    with pytest.raises(BadRequest, match="neighbouring samples"):
        map_scene(far, open_scene(folder / "image.nc"), tmp_path / "parts")


def test_coordinates_that_know_the_class_are_told(folder: Path, tmp_path: Path) -> None:
    random = {"split": {"random": True, "folds": 3}}
    told = publish(study({"every": 2}, **random), tmp_path / "random", data=folder)
    leaks = {one["kind"]: one for one in told["leaks"]}
    assert leaks["coordinates-alone"]["serious"]
    assert "x and y alone" in leaks["coordinates-alone"]["message"]
    assert leaks["coordinates-alone"]["numbers"]["guarded"] == 0
    assert told["random_split"]


def test_where_place_says_nothing_nothing_is_told(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 2, (SIDE, SIDE))
    bands = np.stack([kind + rng.normal(size=kind.shape), rng.normal(size=kind.shape)])
    write(raster(bands.astype(np.float32), "image"), tmp_path / "image.nc")
    write(raster(kind.astype(np.uint8), "kind"), tmp_path / "kind.nc")
    told = publish(study({"every": 2}), tmp_path / "run", data=tmp_path)
    assert told["leaks"] == []


def test_pixels_of_one_area_are_never_torn_apart(folder: Path) -> None:
    from armillary.learn.preparing import folds, prepare

    samples = read_samples("raster", folder, {"image": "image.nc", "labels": "kind.nc", "every": 2})
    area = (samples["x"] // 200).astype(int).astype(str).values
    samples = samples.assign(group=("sample", np.char.add("area ", area)))
    asked = study({}, split={"space_on": ["x", "y"], "size": 100, "group_on": "group", "folds": 3})
    for one in folds(asked, prepare(asked, samples)):
        assert set(samples["group"].values[one.train]).isdisjoint(samples["group"].values[one.test])
