"""What a request needs, said before anything is done."""

from typing import Any

import pytest

from armillary.errors import ArmillaryError, BadExtent, BadParameter, NoData, UnknownProduct
from armillary.model import Extent, Interval, Request, Rows, Scalar
from armillary.products import Plan, plan

World = Any  # the value of conftest.py
ALL = Extent()


def made(world: World, product: str, extent: Extent = ALL, size: int = 10**9, **params: Scalar) -> Plan:
    return plan(Request(product, extent, params), world.product_of, world.recipe_of, size)


def test_inputs_come_before_what_needs_them(world: World) -> None:
    steps = made(world, "toy/a/smooth", Extent(time=Interval.of("1970-01-01T00:10", "1970-01-01T00:20"))).steps
    assert [step.product.path for step in steps] == ["toy/a/b", "toy/a/double", "toy/a/smooth"]
    assert [step.inputs for step in steps] == [(), (("b", 0),), (("b", 1),)]
    # five seconds of pad on both sides
    assert str(steps[0].request.extent.time) == "1970-01-01T00:09:55Z to 1970-01-01T00:20:05Z"
    assert steps[2].request.params == {"window": 3}
    assert [step.cost.rows for step in steps] == [610, 610, 600]
    assert world.source.asked == []


def test_equal_questions_have_equal_keys(world: World) -> None:
    assert made(world, "toy/a/smooth", window="3").request.key == made(world, "toy/a/smooth").request.key
    assert made(world, "toy/a/smooth", window=5).request.key != made(world, "toy/a/smooth").request.key


def test_large_work_is_cut(world: World) -> None:
    assert made(world, "toy/a/b", size=8000).blocks == 10
    assert made(world, "toy/a/bright", size=8000).blocks == 10
    assert made(world, "toy/a/stars", size=8000).blocks == 1
    assert made(world, "toy/a/total", size=8000).blocks == 1
    assert made(world, "toy/a/whole", size=8000).blocks == 1
    record = made(world, "toy/a/smooth").to_record()
    assert record["steps"][0]["does"] == "fetch from toy"
    assert record["steps"][2]["inputs"] == ["toy/a/double"]


def test_the_asked_part_of_a_stack_of_images_is_what_it_costs(world: World) -> None:
    assert made(world, "toy/a/stack").answer.cost.size == 8_000_000
    part = Extent(time=Interval.of("1970-01-01T00:00", "1970-01-01T00:16:40"))
    assert made(world, "toy/a/stack", part).answer.cost.size == 800_000
    moment = Extent(time=Interval(0, 1))
    assert made(world, "toy/a/stack", moment).answer.cost.size == 80_000


@pytest.mark.parametrize(
    ("product", "extent", "params", "error"),
    [
        ("toy/a/none", Extent(), {}, UnknownProduct),
        ("toy/a/b", Extent(), {"x": 1}, BadParameter),
        ("toy/a/smooth", Extent(), {"window": 0}, BadParameter),
        ("toy/a/b", Extent(time=Interval.of("2020-01-01", "2020-01-02")), {}, NoData),
        ("toy/a/stars", Extent(time=Interval.of("2020-01-01", "2020-01-02")), {}, BadExtent),
        ("toy/a/b", Extent(rows=Rows(0, 5)), {}, BadExtent),
    ],
)
def test_wrong_questions(
    world: World, product: str, extent: Extent, params: dict[str, int], error: type[ArmillaryError]
) -> None:
    with pytest.raises(error, match="Next step"):
        made(world, product, extent, **params)
