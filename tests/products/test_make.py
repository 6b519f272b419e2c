"""Doing plans: through the cache, in blocks, and what happens when something fails."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadExtent, Cancelled, NoData, SourceDown
from armillary.model import Box, Extent, Interval, Request, Rows, Scalar
from armillary.model.kinds import table_attrs
from armillary.products import MissingPartsWarning, Workshop, blocks, make, plan

World = Any  # the value of conftest.py
Get = Callable[..., Any]
ALL = Extent()


def seconds(start: int, stop: int) -> Extent:
    return Extent(time=Interval(start * 10**9, stop * 10**9))


@pytest.fixture
def get(world: World) -> Get:
    def one(product: str, extent: Extent = ALL, *, offline: bool = False, size: int = 10**9, **params: Scalar) -> Any:
        workshop = Workshop(world.workshop.source_of, world.workshop.cache, offline)
        return make(plan(Request(product, extent, params), world.product_of, world.recipe_of, size), workshop)

    return one


def test_only_what_is_missing_is_fetched(world: World, get: Get) -> None:
    first = get("toy/a/b", seconds(100, 200))
    assert first["b"].to_numpy().tolist() == list(range(100, 200))
    again = get("toy/a/b", seconds(150, 250))
    assert again["b"].to_numpy().tolist() == list(range(150, 250))
    assert [extent for _, extent in world.source.asked] == [seconds(100, 200), seconds(200, 250)]


def test_blocks_give_the_same_as_the_whole(world: World, get: Get) -> None:
    whole = get("toy/a/smooth", seconds(0, 5000), window=5)
    world.workshop.cache.clear()
    asked = plan(Request("toy/a/smooth", seconds(0, 5000), {"window": 5}), world.product_of, world.recipe_of, 2000)
    parts = list(blocks(asked, world.workshop))
    assert len(parts) == asked.blocks > 10
    assert max(part.sizes["time"] for part in parts) < 300
    np.testing.assert_array_equal(np.concatenate([part["b"] for part in parts])[5:-5], whole["b"][5:-5])
    assert make(asked, world.workshop).sizes == whole.sizes


def test_lines_and_rows_are_cut_too(world: World, get: Get) -> None:
    image = get("toy/a/bright", size=400)
    assert image["v"].to_numpy()[:, 0].tolist() == [line + 1 for line in range(100)]
    assert len(world.source.asked) == 100
    assert get("toy/a/stars", size=400)["source_id"].to_pylist() == list(range(50))
    assert world.source.asked[-1][1] == Extent(rows=Rows(25, 50))
    assert get("toy/a/stars", Extent(rows=Rows(3, 5)))["source_id"].to_pylist() == [3, 4]


def test_what_the_source_cannot_select_is_cut_afterwards(get: Get) -> None:
    assert get("toy/a/stars", Extent(where="g > 24"))["source_id"].to_pylist() == [49]
    assert get("toy/a/whole", Extent(rows=Rows(1, 3)))["source_id"].to_pylist() == [1, 2]
    assert get("toy/a/b", Extent(time=seconds(0, 100).time, where="b >= 98"))["b"].to_numpy().tolist() == [98, 99]
    assert get("toy/a/total")["sum"].to_pylist() == [612.5]
    with pytest.raises(BadExtent, match="no map coordinates"):
        get("toy/a/b", Extent(box=Box(0, 0, 1, 1)))


def test_the_answer_says_where_it_came_from(get: Get) -> None:
    attrs = get("toy/a/smooth", seconds(0, 10)).attrs
    lineage = json.loads(attrs["armillary_lineage"])
    assert [step["product"] for step in lineage] == ["toy/a/b", "toy/a/double", "toy/a/smooth"]
    assert lineage[2]["recipe"] == "toy/{craft}/smooth"
    assert Request.from_json(attrs["armillary_request"]).product == "toy/a/smooth"
    assert attrs["citation"] == "Toy 2026"
    assert json.loads(table_attrs(get("toy/a/stars"))["armillary_lineage"])[0]["source"] == "toy"


def test_a_source_that_is_down_says_what_is_missing(world: World, get: Get, down: SourceDown) -> None:
    get("toy/a/b", seconds(100, 200))
    world.source.trouble.append(down)
    assert get("toy/a/b", seconds(120, 130)).sizes["time"] == 10
    with pytest.raises(SourceDown, match=r"missing of toy/a/b: 1970-01-01T00:03:20Z to .* --offline"):
        get("toy/a/b", seconds(150, 250))


def test_offline_serves_what_there_is_and_names_the_holes(world: World, get: Get, down: SourceDown) -> None:
    get("toy/a/b", seconds(100, 200))
    world.source.trouble.append(down)
    with pytest.warns(MissingPartsWarning, match="missing 1970-01-01T00:03:20Z to 1970-01-01T00:04:10Z"):
        part = get("toy/a/b", seconds(150, 250), offline=True)
    assert part["b"].to_numpy().tolist() == list(range(150, 200))
    assert get("toy/a/double", seconds(150, 160), offline=True)["b"].to_numpy()[0] == 300
    with pytest.raises(NoData, match="nothing of toy/a/b is in the cache"):
        get("toy/a/b", seconds(500, 600), offline=True)
    world.source.trouble.clear()
    assert get("toy/a/double", seconds(150, 250)).sizes["time"] == 100  # nothing incomplete was kept


def test_stopping_keeps_the_finished_blocks(world: World, get: Get) -> None:
    asked = plan(Request("toy/a/b", seconds(0, 5000)), world.product_of, world.recipe_of, 8000)

    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0.5:
            raise Cancelled("stopped", "go on")

    with pytest.raises(Cancelled):
        make(asked, world.workshop, stop)
    before = len(world.source.asked)
    assert make(asked, world.workshop).sizes["time"] == 5000
    again = [extent.time.start for _, extent in world.source.asked[before:] if extent.time]
    assert min(again) >= 2000 * 10**9
