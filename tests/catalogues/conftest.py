"""A store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from armillary.catalogues import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(tmp_path / "catalogues.sqlite", "ada")
    yield one
    one.pool.close()
