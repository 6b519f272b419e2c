"""From areas that somebody drew on maps of the tree to a map of classes, and back to areas in a catalogue."""

import json
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.catalogues.exchange import import_file
from armillary.errors import BadRequest, Cancelled
from armillary.learn.study import study_of
from armillary.learn.trained import load_run
from armillary.services import rasters, scenes

rasterio = pytest.importorskip("rasterio", reason="models on maps are not tested: there is no rasterio")
OPTICAL = "simulated/tile/optical"
MASK = "simulated/tile/mask"
LAND = "simulated/tile/truth/land_cover"
#: Lines and columns of the part of the tile that is looked at.
ROWS, COLUMNS = (100, 260), slice(0, 180)
STUDY = """
name = "land"
task = "classes"
seeds = 1
resamples = 20
[data]
layout = "products"
[data.options]
labels = "fields"
most = 200
[data.options.products]
spring = "{spring}"
summer = "{summer}"
[split]
space_on = ["x", "y"]
size = 600
group_on = "group"
folds = 3
[[models]]
use = "logistic"
"""


def drawn(land: xr.Dataset, side: int = 6, step: int = 9) -> dict[str, Any]:
    """Squares of one class each, in degrees, as GeoJSON."""
    from pyproj import Transformer

    turned = Transformer.from_crs(land.attrs["crs"], "EPSG:4326", always_xy=True)
    kind, names = land["land_cover"].values, str(land["land_cover"].attrs["flag_meanings"]).split()
    x, y = land["x"].values, land["y"].values
    features = []
    for row in range(2, len(y) - side, step):
        for at in range(2, len(x) - side, step):
            part = kind[row : row + side, at : at + side]
            if np.ptp(part) == 0:
                edges = [x[at] - 9, x[at + side - 1] + 9], [y[row] + 9, y[row + side - 1] - 9]
                corners = [(edges[0][a], edges[1][b]) for a, b in ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0))]
                shape = {"type": "Polygon", "coordinates": [[list(turned.transform(*one)) for one in corners]]}
                features.append({"type": "Feature", "geometry": shape, "properties": {"class": names[part[0, 0]]}})
    return {"type": "FeatureCollection", "name": "fields", "features": features}


class Story(NamedTuple):
    """Where it takes place, what the truth is, the paths of both maps, and the run."""

    home: Path
    folder: Path
    land: xr.Dataset
    products: dict[str, str]
    run: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Two clear composites of the tile as an archive, squares of its classes as a catalogue, and what was learnt."""
    from armillary.learn.study import study_of
    from armillary.services.samples import publish_products
    from armillary.services.scenes import Way, scene_of_product
    from armillary.sources.write import write

    home, folder = tmp_path_factory.mktemp("land_home"), tmp_path_factory.mktemp("maps")
    desk = arm.open(home=home)
    found: Any = desk.get(LAND, rows=ROWS)
    land = found.isel(x=COLUMNS)
    for name, start, stop in (("spring", "2020-04-05", "2020-04-20"), ("summer", "2020-08-15", "2020-09-01")):
        scene = scene_of_product(desk, desk.product(OPTICAL), Way(start, stop, mask=MASK))
        bands = scene.lines(*ROWS)[:, :, COLUMNS]
        image = (("band", "y", "x"), bands, {"units": "1"})
        coords = {"band": list(scene.names), "y": land["y"].values, "x": land["x"].values}
        write(xr.Dataset({"image": image}, coords, {"crs": scene.crs}), folder / f"{name}.tif")
    desk = arm.open(folder, home=home)
    maps = {one.path.split("/")[1]: one.path for one in desk.search("", "local", 0)}
    (folder / "fields.geojson").write_text(json.dumps(drawn(land)), "utf-8")
    import_file(desk.catalogues, folder / "fields.geojson")
    study = study_of(tomllib.loads(STUDY.format(**maps)))
    publish_products(desk, study, folder / "run")
    return Story(home, folder, land, maps, folder / "run")


@pytest.fixture
def story(told: Story, monkeypatch: pytest.MonkeyPatch) -> Story:
    """The story, at its home."""
    monkeypatch.setenv("ARMILLARY_HOME", str(told.home))
    return told


@pytest.fixture
def said(cli: Callable[..., Any], story: Story) -> Callable[..., Any]:
    """What a command says, with the folder of maps as an archive."""
    return partial(cli, "--archive", story.folder)


def test_from_areas_to_a_map_and_to_areas(said: Callable[..., Any], story: Story, tmp_path: Path) -> None:
    words = ("apply", story.run, "-o", tmp_path / "map.tif", "--to", "found", "--least-area", 20_000, "--json")
    asked = said(*words)
    assert asked.status == 0, asked.err
    told = json.loads(asked.out)
    assert told["rows"] == story.land["land_cover"].size
    assert told["drift"]["text"]
    with rasterio.open(tmp_path / "map.tif") as image:
        assert image.crs.to_epsg() == 32631
        assert (image.dtypes[0], image.nodata) == ("uint8", 255)
        code, trust, percent = image.read(1), image.read(2), image.read()[2:]
        names = image.tags(1)["flag_meanings"].split()
        assert image.transform.f == pytest.approx(float(story.land["y"][0]) + 10)
    flags = story.land["land_cover"]
    truth = np.array(str(flags.attrs["flag_meanings"]).split())[flags.values]
    assert (np.array(names)[code] == truth).mean() > 0.85
    sure = percent.max(axis=0) > 51
    np.testing.assert_array_equal(percent.argmax(axis=0)[sure], code[sure])
    assert np.abs(percent.sum(axis=0).astype(int) - 100).max() <= len(names)
    assert set(np.unique(trust)) <= {0, 1, 2}
    rows = json.loads(said("catalogue", "show", "found", "--json", "--limit", "5000").out)["rows"]
    assert len(rows) == told["added"] > 20
    assert min(one["attributes"]["area"] for one in rows) >= 20_000
    assert {one["attributes"]["area"] / one["attributes"]["pixels"] for one in rows} == {400.0}
    again = json.loads(said(*words).out)
    assert (again["added"], again["already"]) == (0, told["added"])


def test_areas_lie_where_the_map_says(said: Callable[..., Any], story: Story, tmp_path: Path) -> None:
    from armillary.learn.rasters.opening import open_scene
    from armillary.learn.rasters.polygons import Area, burnt, on_grid, rings_of

    asked = said("apply", story.run, "-o", tmp_path / "map.nc", "--to", "all", "--class", "forest")
    assert asked.status == 0, asked.err
    scene = open_scene(tmp_path / "map.nc", ("class",))
    code = next(value for value, name in scene.meanings.items() if name == "forest")
    painted = np.zeros(scene.shape, bool)
    for row in arm.open(home=story.home).catalogues.rows("all"):
        (rings,) = on_grid([Area("", "", rings_of(row.geometry or {}))], scene)
        found = burnt(rings, scene.y, scene.x)
        assert found is not None
        down, across, inside = found
        assert inside.sum() == row.attributes["pixels"]
        painted[down, across] |= inside
    np.testing.assert_array_equal(painted, scene.lines(0, len(scene.y))[0] == code)


def test_strips_answer_as_the_whole_and_go_on(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, run = arm.open(story.folder, home=story.home), load_run(story.run)
    whole = rasters.apply_to_map(desk, run)
    ((_, _, expected),) = whole.strips()
    monkeypatch.setattr("armillary.learn.rasters.scene.STRIP_NUMBERS", 40 * 180 * 20)

    def stop(_: float, message: str = "") -> None:
        if message.startswith("lines 80"):
            raise Cancelled("stopped", "go on later")

    with pytest.raises(Cancelled):
        rasters.apply_to_map(desk, run, progress=stop)
    asked: list[str] = []
    parts = rasters.apply_to_map(desk, run, progress=lambda _, message="": asked.append(message))
    assert [last - first for _, first, last in parts.parts] == [40] * 4
    times = [path.stat().st_mtime_ns for path, *_ in parts.parts]
    assert times == sorted(times)
    for name in ("answer", "percent", "trust"):
        many = np.concatenate([getattr(one, name) for *_, one in parts.strips()], axis=-2)
        np.testing.assert_array_equal(many, getattr(expected, name))
    assert (parts.drift, parts.classes) == (whole.drift, whole.classes)
    rasters.write_map(parts, tmp_path / "map.zarr")
    found = xr.open_zarr(tmp_path / "map.zarr", chunks=None)
    np.testing.assert_array_equal(found["class"].values, expected.answer)
    rasters.forget(parts)
    assert not parts.parts[0][0].exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-o", "map.parquet"), "answers with maps"),
        (("-o", "map.png"), "answers with maps"),
        (("simulated/wind/density", "-o", "map.nc"), "no product 'density'"),
        (("--column", f"spring={LAND}", "-o", "map.nc"), "different grids"),
        (("--column", "spring=simulated/wind/density", "-o", "map.nc"), "no map"),
        (("maps.toml", "--column", "spring=x", "-o", "map.nc"), "cannot be asked of a file"),
        (("--where", "a > 1", "-o", "map.nc"), "cannot be asked of a map"),
    ],
)
def test_what_cannot_be_mapped_is_told(
    said: Callable[..., Any], story: Story, words: tuple[str, ...], expected: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps.toml").touch()
    done = said("apply", story.run, *words)
    assert done.status == 1
    assert expected in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_studies_of_maps_are_checked(said: Callable[..., Any], story: Story, tmp_path: Path) -> None:
    def refused(old: str, new: str) -> str:
        (tmp_path / "wrong.toml").write_text(STUDY.format(**story.products).replace(old, new), "utf-8")
        done = said("study", "run", tmp_path / "wrong.toml", "--out", tmp_path / "wrong")
        assert done.status == 1
        assert len(done.err.strip().splitlines()) == 1
        return str(done.err)

    assert "learn from one kind only" in refused(story.products["spring"], "simulated/wind/density")
    assert "different grids" in refused(story.products["spring"], LAND)
    assert "neither a catalogue nor a map" in refused('labels = "fields"', 'labels = "meadows"')
    assert "does not know 'cadence'" in refused("most = 200", 'cadence = "1h"')
    assert "composite = 'max'" in refused("most = 200", 'composite = "max"')


def test_python_finds_areas_and_proposals_are_refused(story: Story) -> None:
    from armillary.services.applying import Target
    from armillary.services.studies import apply_to, propose_for

    desk = arm.open(story.folder, home=story.home)
    told = apply_to(desk, story.run, Target(), "python")
    assert told["added"] == len(desk.catalogues.rows("python")) > 0
    with pytest.raises(BadRequest, match="answers with maps"):
        propose_for(desk, story.run, Target(), "python")


def test_a_raster_of_the_tree_labels_too(story: Story) -> None:
    desk = arm.open(story.folder, home=story.home)
    options = {"products": {"optical": OPTICAL}, "start": "2020-08-25", "stop": "2020-08-30", "labels": LAND}
    study = study_of({
        "name": "it", "task": "classes", "data": {"layout": "products", "options": {**options, "every": 16}},
        "split": {"space_on": ["x", "y"], "size": 600}, "models": [{"use": "logistic"}],
    })  # fmt: skip
    samples = scenes.samples_of_maps(desk, study)
    assert samples.sizes["sample"] == 32 * 32
    assert {"water", "winter_wheat"} <= set(samples["label"].values)
    assert samples.attrs["columns"][:2] == ("B02", "B03")
    assert set(np.diff(np.unique(samples["x"].values))) == {320.0}
