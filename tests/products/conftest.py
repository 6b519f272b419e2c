"""A small world: one source that counts what it is asked, and recipes over it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

from armillary.cache import Cache
from armillary.errors import SourceDown, UnknownProduct
from armillary.model import Data, Extent, Interval, Parameter, Product, Progress, Recipe, Request, recipe
from armillary.model.kinds import column
from armillary.products import Workshop
from armillary.tree import Recipes, derive

SECOND = 10**9
SPAN = Interval(0, 10_000 * SECOND)
WINDOW = Parameter(name="window", type="int", default=3, low=1)


@recipe("toy/{craft}/double", inputs={"b": "toy/{craft}/b"}, title="2 b", kind="series", units="nT", block="time")
def double(b: xr.Dataset) -> xr.Dataset:
    return b.assign(b=b["b"].copy(data=2 * b["b"].to_numpy()))


@recipe("toy/{craft}/smooth", inputs={"b": "toy/{craft}/double"}, title="smooth", kind="series", units="nT",
        parameters=(WINDOW,), block="time", pad=5.0)  # fmt: skip
def smooth(b: xr.Dataset, window: int) -> xr.Dataset:
    values = b["b"].to_numpy()
    half = window // 2
    summed = np.convolve(values, np.ones(window), "same") if values.size else values
    counted = np.convolve(np.ones(values.size), np.ones(window), "same") if values.size else values
    assert half <= 5
    return b.assign(b=b["b"].copy(data=summed / np.maximum(counted, 1)))


@recipe("toy/{craft}/bright", inputs={"image": "toy/{craft}/image"}, title="bright", kind="raster", block="y")
def bright(image: xr.Dataset) -> xr.Dataset:
    return image.assign(v=image["v"].copy(data=image["v"].to_numpy() + 1))


@recipe("toy/{craft}/total", inputs={"stars": "toy/{craft}/stars"}, title="sum", kind="samples")
def total(stars: pa.Table) -> pa.Table:
    return pa.table({"sum": [sum(stars["g"].to_pylist())]}, pa.schema([column("sum", pa.float64(), "mag")]))


RECIPES = Recipes({one.output: one for one in (double, smooth, bright, total)})


def raw(name: str, kind: str, **others: Any) -> Product:
    return Product(
        path=f"toy/a/{name}", title=name, kind=kind, version="1", source="toy", citation="Toy 2026", **others
    )


LEAVES = [
    raw("b", "series", units="nT", coverage=SPAN, cadence=1.0),
    raw("image", "raster", rows=100, row_bytes=800, selects=("rows",)),
    raw("stack", "raster", rows=100, row_bytes=80_000, coverage=SPAN, cadence=100.0, selects=("time", "rows")),
    raw("stars", "sources", rows=50, row_bytes=16, selects=("rows",)),
    raw("whole", "sources", rows=50, selects=()),
]


@dataclass(frozen=True)
class ToySource:
    """One sample a second, value = second; an image; stars."""

    name: str = "toy"
    asked: list[tuple[str, Extent]] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    def stamp(self) -> str:
        return "1"

    def inventory(self, _: Progress) -> list[Product]:
        return LEAVES

    def fetch(self, product: Product, request: Request, progress: Progress) -> Data:
        self.asked.append((product.path, request.extent))
        if self.trouble:
            raise self.trouble[0]
        progress(0.5, "toy")
        rows = request.extent.rows
        if product.kind == "series":
            return series(request.extent.time or SPAN)
        if product.kind == "raster":
            return image(*((rows.start, rows.stop) if rows else (0, 100)))
        return stars(*((rows.start, rows.stop) if rows and product.selects else (0, 50)))


def series(span: Interval) -> xr.Dataset:
    first, last = -(-span.start // SECOND), -(-span.stop // SECOND)
    seconds = np.arange(max(first, 0), min(last, 10_000))
    times = (seconds * SECOND).astype("datetime64[ns]")
    return xr.Dataset({"b": ("time", seconds.astype(float), {"units": "nT"})}, {"time": times})


def image(start: int, stop: int) -> xr.Dataset:
    lines = np.arange(start, stop)
    values = lines[:, None] * np.ones(100)
    return xr.Dataset({"v": (("y", "x"), values, {"units": ""})}, {"y": lines, "x": np.arange(100)}, {"crs": ""})


def stars(start: int, stop: int) -> pa.Table:
    numbers = np.arange(start, stop)
    schema = pa.schema([column("source_id", pa.int64()), column("ra", pa.float64(), "deg"),
                        column("dec", pa.float64(), "deg"), column("g", pa.float64(), "mag")])  # fmt: skip
    return pa.table([numbers, numbers * 1.0, numbers * 0.0, numbers * 0.5], schema=schema)


@dataclass(frozen=True)
class World:
    source: ToySource
    workshop: Workshop
    product_of: Callable[[str], Product]
    recipe_of: Callable[[Product], Recipe]


@pytest.fixture
def world(tmp_path: Path) -> World:
    leaves = {one.path: one for one in [*LEAVES, *derive(LEAVES, RECIPES)]}
    source = ToySource()

    def product_of(path: str) -> Product:
        if path not in leaves:
            raise UnknownProduct(f"no {path}", "look")
        return leaves[path]

    return World(source, Workshop(lambda _: source, Cache(tmp_path / "cache")), product_of, RECIPES.of)


@pytest.fixture
def down() -> SourceDown:
    return SourceDown("the toy server does not answer", "try again later")
