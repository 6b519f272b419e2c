"""Large pictures of distributions are made in blocks that are as large in memory as small ones."""

from pathlib import Path

import pytest

import armillary as arm
from armillary.model import Extent, Interval, Request
from armillary.products.plan import BLOCK_BYTES
from armillary.services.desk import Desk

DAY = Interval.of("2024-02-01T00:00:00", "2024-02-02T00:00:00")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return arm.open(home=tmp_path)


@pytest.mark.parametrize(("name", "size", "dimensions"), [("slice", 600, 2), ("reduced_2d", 600, 2), ("volume", 96, 3)])
def test_no_block_of_large_pictures_is_larger_than_others(desk: Desk, name: str, size: int, dimensions: int) -> None:
    path = f"simulated/sentry/ions/{name}"
    plan = desk.plan(Request(path, Extent(time=DAY), {"size": size}))
    steps = plan.answer.cost.rows
    assert steps == round(DAY.seconds / 4.5)
    assert steps / plan.blocks * 4 * size**dimensions <= BLOCK_BYTES
    small = desk.plan(Request(path, Extent(time=DAY), {"size": 8}))
    assert small.blocks == desk.plan(Request("simulated/sentry/ions", Extent(time=DAY), {})).blocks < plan.blocks
