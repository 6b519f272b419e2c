"""``armillary cache show|clear|verify`` on a real cache."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from armillary.cache import open_cache
from armillary.model import Product, Request
from armillary.services.cli.cache import app


@pytest.fixture
def filled(home: Path, counting: Any, ask: Callable[..., Request], series: Product) -> Path:
    cache = open_cache(home)
    for stop in (100, 50):
        cache.serve(series, ask(0, stop), counting)
    cache.close()
    return home


def run(*words: str, typed: str = "", status: int = 0) -> str:
    done = CliRunner().invoke(app, list(words), input=typed)
    assert done.exit_code == status, done.output
    return done.output


def test_show(filled: Path) -> None:
    assert "test/b: 1 entries" in run("show")
    told = json.loads(run("show", "--json"))
    assert told["totals"]["hits"] == told["totals"]["misses"] == 1
    assert told["products"][0]["path"] == "test/b"


def test_show_of_nothing() -> None:
    assert json.loads(run("show", "--json"))["products"] == []


def test_clear_asks_first(filled: Path) -> None:
    run("clear", typed="n\n", status=1)
    assert open_cache(filled).totals()["entries"] == 1
    assert "1 entries forgotten" in run("clear", "test/*", "--yes")
    assert open_cache(filled).totals()["entries"] == 0


def test_verify_tells_by_words_and_status(filled: Path) -> None:
    assert "all entries are sound" in run("verify")
    with sqlite3.connect(filled / "cache" / "cache.sqlite") as db:
        db.execute("UPDATE block SET crc = crc + 1 WHERE part = 0")
    db.close()
    (row,) = json.loads(run("verify", "--json", status=1))
    assert (row["path"], row["start"]) == ("test/b", "1970-01-01T00:00:00Z")
    assert json.loads(run("verify", "--json")) == []
