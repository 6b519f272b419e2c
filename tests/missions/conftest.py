"""The observatory and a short way to ask it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from armillary.missions.simulated import MISSION
from armillary.missions.simulated.source import Observatory
from armillary.model import Archive, Box, Cone, Extent, Interval, Request, silent
from armillary.model.kinds import check


def ask(
    path: str, start: str = "", stop: str = "", *, seed: int = 1, box: Box | None = None, cone: Cone | None = None,
    rows: Any = None, **params: Any,
) -> Any:  # fmt: skip
    source = Observatory(Archive(name="simulated", protocol="", address=f"seed={seed}"), Path())
    product = {one.path: one for one in source.inventory()}[f"simulated/{path}"]
    time = Interval.of(start, stop) if start else None
    request = Request(product.path, Extent(time=time, box=box, cone=cone, rows=rows), params)
    return check(product.kind, source.fetch(product, request, silent), path)


@pytest.fixture(name="ask")
def asking() -> Callable[..., Any]:
    return ask


@pytest.fixture
def observatory() -> Observatory:
    return Observatory(MISSION.archives[0], Path())
