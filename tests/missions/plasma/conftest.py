"""A mission's recipes on a folder of files: what the desk does, without a home."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.cache import Cache
from armillary.model import Archive, Extent, Interval, Mission, Product, Request, silent
from armillary.model.kinds import check
from armillary.products import Workshop, make, plan
from armillary.sources.connect import connect
from armillary.testing.plasma_archives import BEGIN
from armillary.tree import Recipes, derive


class Folder:
    """The leaves of a folder with what a mission makes of them."""

    def __init__(self, mission: Mission, folder: Path, state: Path) -> None:
        self.recipes = Recipes({one.output: one for one in mission.recipes})
        self.source = connect(Archive(name="local", protocol="folder", address=str(folder)), state)
        raw = list(self.source.inventory(silent))
        self.derived = {one.path: one for one in derive(raw, self.recipes)}
        self.leaves: dict[str, Product] = {one.path: one for one in raw} | self.derived
        self.cache = Cache(state / "cache")

    def ask(self, path: str, start: float, stop: float, **params: Any) -> Any:
        """Ask for seconds after `BEGIN`."""
        begin = int(BEGIN.astype(np.int64))
        time = Interval(begin + round(start * 1e9), begin + round(stop * 1e9))
        asked = plan(Request(path, Extent(time=time), params), self.leaves.__getitem__, self.recipes.of)
        return check(self.leaves[path].kind, make(asked, Workshop(lambda _: self.source, self.cache), silent), path)


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Mission, Callable[[Path], Path]], Folder]:
    """Open the files that a function writes with the recipes of a mission; the same files are written once."""
    known: dict[str, Folder] = {}

    def open_(mission: Mission, writer: Callable[[Path], Path]) -> Folder:
        if mission.name not in known:
            folder = writer(tmp_path_factory.mktemp(mission.name))
            known[mission.name] = Folder(mission, folder, tmp_path_factory.mktemp("state"))
        return known[mission.name]

    return open_
