"""Rows of a Parquet table and lines of an image are read block by block."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from armillary.model import Box, Extent, Request, Rows, silent
from armillary.sources.folder import FolderSource


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    folder = tmp_path / "files"
    folder.mkdir()
    table = pa.table({"source_id": np.arange(1000), "ra": np.linspace(0, 359, 1000), "dec": np.zeros(1000)})
    pq.write_table(table, folder / "stars.parquet", row_group_size=300)
    return FolderSource("local", folder, tmp_path / "index.sqlite")


def test_rows_of_a_parquet_table(source: FolderSource) -> None:
    product = next(one for one in source.inventory(silent) if one.kind == "sources")
    assert "rows" in product.selects
    assert product.rows == 1000
    for start, stop in ((0, 1000), (250, 350), (299, 301), (999, 1000), (650, 950)):
        got = source.fetch(product, Request(product.path, Extent(rows=Rows(start, stop))), silent)
        assert got["source_id"].to_pylist() == list(range(start, stop))
    where = source.fetch(product, Request(product.path, Extent(rows=Rows(0, 500), where="source_id >= 498")), silent)
    assert where["source_id"].to_pylist() == [498, 499]


def test_lines_of_an_image(source: FolderSource) -> None:
    rasterio = pytest.importorskip("rasterio", reason="the extra `earth` is not installed")
    from rasterio.transform import from_origin

    values = np.arange(200 * 100, dtype="uint16").reshape(200, 100)
    grid = from_origin(500_000, 5_000_000, 10, 10)
    for date in ("20200101", "20200111"):
        with rasterio.open(
            source.folder / f"tile_{date}.tif", "w", driver="GTiff", width=100, height=200, count=1, dtype="uint16",
            crs="EPSG:32633", transform=grid,
        ) as image:  # fmt: skip
            image.write(values, 1)
    product = next(one for one in source.inventory(silent) if one.kind == "raster")
    assert (product.rows, product.row_bytes) == (200, 2 * 100 * 2)
    whole = source.fetch(product, Request(product.path), silent)
    part = source.fetch(product, Request(product.path, Extent(rows=Rows(50, 60))), silent)
    assert part.sizes == {"time": 2, "y": 10, "x": 100}
    np.testing.assert_array_equal(part["image"], whole["image"][:, 50:60])
    np.testing.assert_array_equal(part["y"], whole["y"][50:60])
    boxed = Request(product.path, Extent(box=Box(15.0, 45.14, 15.01, 45.15), rows=Rows(50, 60)))
    assert source.fetch(product, boxed, silent).sizes["y"] <= 10
