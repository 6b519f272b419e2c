"""Inputs chosen by a parameter, inputs that may be absent, pads that a parameter says, answers that cannot be cut."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.cache import Cache
from armillary.model import Data, Extent, Fits, Interval, Parameter, Product, Progress, Recipe, Request, recipe
from armillary.products import Workshop, make, plan
from armillary.tree import Recipes, derive
from armillary.tree.derive import generic_products

SECOND = 10**9
SPAN = Interval(0, 1000 * SECOND)


@recipe("{input}/times", inputs={"v": Fits(kinds=("series",))}, title="{title} times another", kind="series",
        parameters=(Parameter(name="other", type="product", default=""),), block="time")  # fmt: skip
def times(v: xr.Dataset, other: xr.Dataset | None) -> xr.Dataset:
    return v if other is None else v.assign(v=v["v"] * other["v"].to_numpy()).assign({"v": v["v"] * other["v"]})


@recipe("{input}/mean", inputs={"v": Fits(kinds=("series",))}, title="mean", kind="series", block="time",
        parameters=(Parameter(name="window", type="float", default=4.0),), pad="window")  # fmt: skip
def mean(v: xr.Dataset, window: float) -> xr.Dataset:
    seconds = v["time"].to_numpy().astype(np.int64) / SECOND
    values = [v["v"].to_numpy()[np.abs(seconds - one) <= window].mean() for one in seconds]
    return v.assign(v=v["v"].copy(data=np.array(values)))


@recipe("{input}/centred", inputs={"v": Fits(kinds=("series",))}, title="centred", kind="series")
def centred(v: xr.Dataset) -> xr.Dataset:
    return v.assign(v=v["v"].copy(data=v["v"].to_numpy() - v["v"].to_numpy().mean()))


@recipe("toy/both", inputs={"a": "toy/a", "b": "toy/missing"}, optional=("b",), title="", kind="series", block="time")
def both(a: xr.Dataset, b: xr.Dataset | None) -> xr.Dataset:
    assert b is None
    return a


GENERIC = (times, mean, centred)


class Toy:
    """Gives the seconds since 1970, times a factor."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, product: Product, request: Request, progress: Progress) -> Data:  # noqa: ARG002
        self.asked.append(product.path)
        assert request.extent.time
        span = request.extent.time & SPAN
        assert span
        seconds = np.arange(-(-span.start // SECOND), -(-span.stop // SECOND))
        values = seconds * (2.0 if product.path == "toy/b" else 1.0)
        return xr.Dataset(
            {"v": ("time", values, {"units": "m"})}, {"time": (seconds * SECOND).astype("datetime64[ns]")}
        )


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def get(tmp_path: Path, toy: Toy) -> Any:
    leaves = [Product(path=f"toy/{n}", title=n, kind="series", coverage=SPAN, version="1", cadence=1.0) for n in "ab"]
    recipes = Recipes({one.output: one for one in (*GENERIC, both)})
    known = {one.path: one for one in [*leaves, *derive(leaves, recipes)]}

    def product_of(path: str) -> Product:
        if path not in known:
            parent = product_of(path.rpartition("/")[0])
            known.update({one.path: one for one in generic_products(parent, GENERIC)})
        return known[path]

    def recipe_of(product: Product) -> Recipe:
        return recipes.of(product)

    shop = Workshop(lambda _: toy, Cache(tmp_path / "cache"))  # type: ignore[arg-type,return-value]

    def run(path: str, start: int, stop: int, **params: Any) -> Any:
        asked = Request(path, Extent(time=Interval(start * SECOND, stop * SECOND)), params)
        return make(plan(asked, product_of, recipe_of, 400), shop)["v"].to_numpy()

    return run


def test_a_parameter_chooses_an_input(get: Any, toy: Toy) -> None:
    assert get("toy/a/times", 10, 13).tolist() == [10, 11, 12]
    assert get("toy/a/times", 10, 13, other="toy/b").tolist() == [200, 242, 288]
    assert toy.asked == ["toy/a", "toy/b"]
    assert get("toy/a/times", 10, 12, other="toy/b/times").tolist() == [200, 242]


def test_an_absent_input_is_none(get: Any) -> None:
    assert get("toy/both", 0, 3).tolist() == [0, 1, 2]


def test_the_pad_follows_its_parameter(get: Any) -> None:
    for window in (2.0, 30.0):
        assert np.allclose(get("toy/a/mean", 100, 300, window=window), np.arange(100, 300))


def test_an_answer_that_cannot_be_cut_is_made_for_each_interval(get: Any) -> None:
    assert get("toy/a/centred", 0, 3).tolist() == [-1, 0, 1]
    assert get("toy/a/centred", 0, 5).tolist() == [-2, -1, 0, 1, 2]
    # what is made of it cannot be cut either
    assert get("toy/a/centred/times", 0, 3).tolist() == [-1, 0, 1]
    assert get("toy/a/centred/times", 0, 5).tolist() == [-2, -1, 0, 1, 2]
