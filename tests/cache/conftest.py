"""Products and sources of the cache's tests: real arrays, made by a rule that says what every answer must be."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from armillary.cache import Cache
from armillary.model import Extent, Interval, Product, Progress, Request

SERIES = Product(path="test/b", title="a field", kind="series", units="nT")


class Counting:
    """A source of samples at every multiple of `step`, value 3 t; it notes what it was asked and brings too much."""

    def __init__(self, step: int = 1, more: int = 0) -> None:
        self.step, self.more = step, more
        self.asked: list[tuple[int, int]] = []

    def __call__(self, request: Request, progress: Progress) -> xr.Dataset:
        progress(0.5, "fetching")
        span = request.extent.time
        assert span is not None
        self.asked.append((span.start, span.stop))
        return self.data(span.start - self.more, span.stop + self.more)

    def data(self, start: int, stop: int) -> xr.Dataset:
        times = np.arange(-(-start // self.step) * self.step, stop, self.step)
        values = ("time", times * 3.0, {"units": "nT"})
        return xr.Dataset({"b": values}, {"time": times.astype("datetime64[ns]")})


def ask(start: int, stop: int, product: Product = SERIES) -> Request:
    return Request(product.path, Extent(time=Interval(start, stop)))


def times_of(data: xr.Dataset) -> list[int]:
    return data["time"].to_numpy().astype(np.int64).tolist()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture(scope="session")
def make_source() -> Callable[..., Counting]:
    return Counting


@pytest.fixture(scope="session", name="ask")
def ask_fixture() -> Callable[..., Request]:
    return ask


@pytest.fixture(scope="session", name="times_of")
def times_fixture() -> Callable[[xr.Dataset], list[int]]:
    return times_of


@pytest.fixture(scope="session")
def series() -> Product:
    return SERIES
