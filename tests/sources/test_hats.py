"""A HATS catalogue is one table of the tree, and only the cells that a question touches are opened."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import armillary as arm
from armillary.errors import BadData
from armillary.model import Box, Cone, Extent, Rows, silent
from armillary.science.healpix import cell_of_sky
from armillary.science.sky_cells import centres_of_cells, reach_of_cells, touches_box, touches_cone
from armillary.science.trim import trim
from armillary.services.desk import ask
from armillary.sources.files import describe, hats
from armillary.sources.files.hats import cells_of, read, touched
from armillary.sources.folder.source import FolderSource
from armillary.testing.hats_layout import write_hats

ROWS = 4000


def sky(seed: int = 1) -> pa.Table:
    rng = np.random.default_rng(seed)
    places = {"ra": rng.uniform(0, 360, ROWS), "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, ROWS)))}
    return pa.table({"source_id": np.arange(ROWS), **places, "g_mag": rng.uniform(5, 20, ROWS)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("archive")
    (base / "near").mkdir()
    write_hats([sky().slice(0, 1500), sky().slice(1500)], base / "near/stars", most=90, name="near_stars")
    (base / "near/list.csv").write_text("ra,dec\n10,20\n")
    return base


def source(folder: Path, tmp_path: Path) -> FolderSource:
    return FolderSource("local", folder, tmp_path / "index.sqlite")


def test_it_is_one_leaf_beside_other_files(folder: Path, tmp_path: Path) -> None:
    leaves = {one.path: one for one in source(folder, tmp_path).inventory(silent)}
    assert leaves.keys() == {"local/near/stars", "local/near/list"}
    leaf = leaves["local/near/stars"]
    assert (leaf.kind, leaf.rows, leaf.title) == ("sources", ROWS, "near_stars")
    assert set(leaf.selects) == {"box", "cone", "where", "rows"}


def test_a_catalogue_can_be_the_folder_itself(folder: Path, tmp_path: Path) -> None:
    [leaf] = source(folder / "near/stars", tmp_path).inventory(silent)
    assert (leaf.path, leaf.rows) == ("local/near_stars", ROWS)


def test_a_changed_partition_is_noticed(tmp_path: Path) -> None:
    write_hats([sky()], tmp_path / "a/stars", most=500)
    found = source(tmp_path / "a", tmp_path)
    [before], stamp = found.inventory(silent), found.stamp()
    part = cells_of(tmp_path / "a/stars")[0].path
    parquet.write_table(parquet.read_table(part).slice(1), part)
    assert found.stamp() != stamp
    assert found.inventory(silent)[0].version != before.version


@pytest.mark.parametrize("extent", [
    Extent(), Extent(cone=Cone(10, 89, 3)), Extent(cone=Cone(359.9, -1, 5)), Extent(box=Box(350, -20, 20, 15)),
    Extent(box=Box(-5, 60, 5, 90)), Extent(where="g_mag < 7"), Extent(cone=Cone(120, 30, 20), where="g_mag < 10"),
    Extent(rows=Rows(1000, 1100)), Extent(rows=Rows(3950, 9000)), Extent(cone=Cone(45, 45, 0.001)),
])  # fmt: skip
def test_answers_are_those_of_the_whole_table(folder: Path, extent: Extent) -> None:
    path = folder / "near/stars/hats.properties"
    rows = pa.concat_tables(parquet.read_table(one.path, partitioning=None) for one in cells_of(path.parent))
    if extent.rows:
        rows = rows.slice(extent.rows.start, extent.rows.stop - extent.rows.start)
    expected: Any = trim(rows, extent.without("rows"))
    found: Any = read(path, "", extent, silent)
    assert found["source_id"].to_pylist() == expected["source_id"].to_pylist()
    assert found.column_names == expected.column_names


def test_only_touched_cells_are_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_of(folder / "near/stars")
    for extent, most in ((Extent(cone=Cone(45, 40, 2)), 6), (Extent(box=Box(10, 10, 12, 12)), 6)):
        wanted = [one.path for one, _ in touched(cells, extent)]
        assert 0 < len(wanted) <= most < len(cells)
        opened: list[Path] = []
        plain = hats.tables.read

        def seen(path: Path, *rest: Any, opened: list[Path] = opened, plain: Any = plain) -> Any:
            opened.append(path)
            return plain(path, *rest)

        monkeypatch.setattr(hats.tables, "read", seen)
        read(folder / "near/stars/hats.properties", "", extent, silent)
        monkeypatch.undo()
        assert opened == wanted


def test_a_desk_gives_circles_and_pages_of_it(folder: Path, home: Path) -> None:
    desk = arm.open(folder, home=home)
    near = desk.get("local/near/stars", cone="45,40,9")
    assert 0 < near.num_rows < 100
    pages = list(desk.lazy_blocks(ask("local/near/stars"), silent))
    found = pa.concat_tables([one() for one in pages])
    assert sorted(found["source_id"].to_pylist()) == list(range(ROWS))


def test_other_names_and_layouts_are_read(tmp_path: Path) -> None:
    write_hats([sky()], tmp_path / "odd", most=500)
    told = (
        (tmp_path / "odd/hats.properties")
        .read_text()
        .replace("_col_ra=ra", "_col_ra=east")
        .replace("_dec=dec", "_dec=north")
    )
    (tmp_path / "odd/hats.properties").unlink()
    (tmp_path / "odd/properties").write_text(told)
    for one in cells_of(tmp_path / "odd"):
        table = parquet.read_table(one.path, partitioning=None).rename_columns(["id", "east", "north", "g_mag", "cell"])
        one.path.unlink()
        inner = one.path.with_suffix("")
        inner.mkdir()
        parquet.write_table(table.slice(0, 5), inner / "part0.parquet")
        parquet.write_table(table.slice(5), inner / "part1.parquet")
    [leaf] = source(tmp_path / "odd", tmp_path).inventory(silent)
    assert leaf.rows == ROWS
    found: Any = read(tmp_path / "odd/properties", "", Extent(cone=Cone(45, 40, 9)), silent)
    assert {"ra", "dec"} <= set(found.column_names)
    assert 0 < found.num_rows < 100


def test_margins_are_no_tables(tmp_path: Path) -> None:
    write_hats([sky()], tmp_path / "m", most=5000)
    path = tmp_path / "m/hats.properties"
    path.write_text(path.read_text().replace("=object", "=margin"))
    with pytest.raises(BadData, match="type margin"):
        describe(path)
    assert source(tmp_path / "m", tmp_path).inventory(silent) == []


def apart_by(ra: Any, dec: Any, other_ra: Any, other_dec: Any) -> Any:
    ra, dec, other_ra, other_dec = map(np.radians, (ra, dec, other_ra, other_dec))
    across = np.cos(dec) * np.cos(other_dec) * np.cos(ra - other_ra)
    return np.degrees(np.arccos(np.clip(np.sin(dec) * np.sin(other_dec) + across, -1, 1)))


def test_centres_lie_in_their_cells_and_corners_within_reach() -> None:
    rng = np.random.default_rng(0)
    for order in (0, 1, 3, 8, 20, 29):
        cell = rng.integers(0, 12 * 4**order, 500)
        many = np.full(len(cell), order)
        assert (cell_of_sky(*centres_of_cells(cell, many), order) == cell).all()
    ra, dec = rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    for order in (0, 2, 5):
        cell = cell_of_sky(ra, dec, order)
        centre_ra, centre_dec = centres_of_cells(cell, np.full(len(cell), order))
        apart = apart_by(ra, dec, centre_ra, centre_dec)
        assert 0.95 < apart.max() / reach_of_cells(np.array([order]))[0] <= 1


@pytest.mark.parametrize("order", [0, 2, 4])
def test_no_cell_with_a_part_inside_is_missed(order: int) -> None:
    rng = np.random.default_rng(order)
    ra, dec = rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    cell = cell_of_sky(ra, dec, order)
    rows = pa.table({"ra": ra, "dec": dec, "cell": cell})
    every = np.arange(12 * 4**order)
    orders = np.full(len(every), order)
    for _ in range(30):
        cone = Cone(rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1))), rng.uniform(0.5, 40))
        inside: Any = trim(rows, Extent(cone=cone))
        assert set(inside["cell"].to_pylist()) <= set(every[touches_cone(every, orders, cone)].tolist())
        south = rng.uniform(-90, 85)
        box = Box(rng.uniform(-180, 360), south, rng.uniform(-180, 360), rng.uniform(south, 90))
        inside = trim(rows, Extent(box=box))
        assert set(inside["cell"].to_pylist()) <= set(every[touches_box(every, orders, box)].tolist())
