"""Nothing wrong is ever served: damaged bytes, a full disk, a folder that cannot be written, a file that is none."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

from armillary.cache import Cache
from armillary.model import Product, Request


def fill(folder: Path, ask: Callable[..., Request], series: Product, source: Any) -> Path:
    cache = Cache(folder)
    for start in range(0, 4000, 1000):
        cache.serve(series, ask(start, start + 500), source)
    cache.serve(Product(path="test/t", title="t", kind="samples"), Request("test/t"), lambda *_: pa.table({"x": [1]}))
    cache.close()
    return folder / "cache.sqlite"


@pytest.mark.parametrize("part", [-1, 0, 1])
def test_a_damaged_block_is_dropped_and_fetched_again(
    part: int, tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    file = fill(tmp_path, ask, series, counting)
    with sqlite3.connect(file) as db:
        blob = bytearray(db.execute("SELECT blob FROM block WHERE piece = 1 AND part = ?", (part,)).fetchone()[0])
        blob[len(blob) // 2] ^= 4
        db.execute("UPDATE block SET blob = ? WHERE piece = 1 AND part = ?", (bytes(blob), part))
    db.close()
    counting.asked.clear()
    xr.testing.assert_identical(Cache(tmp_path).serve(series, ask(0, 500), counting), counting.data(0, 500))
    assert counting.asked == [(0, 500)]
    assert "damaged" in caplog.text
    assert Cache(tmp_path).verify() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE piece SET start = start - 100 WHERE id = 1",
        "UPDATE piece SET stop = stop + 100 WHERE id = 1",
        "UPDATE piece SET key = (SELECT key FROM piece WHERE whole) WHERE id = 1",
        "DELETE FROM block WHERE piece = 1 AND part = 1",
        "UPDATE block SET first = first + 1 WHERE piece = 1 AND part = 0",
        "UPDATE block SET blob = 'text' WHERE piece = 1 AND part = 0",
    ],
)
def test_verify_finds_drops_and_reports(
    change: str, tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    file = fill(tmp_path, ask, series, counting)
    with sqlite3.connect(file) as db:
        db.execute(change)
    db.close()
    cache = Cache(tmp_path)
    (row,) = cache.verify()
    assert row["path"] == "test/b"
    assert row["problem"]
    assert cache.verify() == []
    assert cache.totals()["entries"] == 4


def test_random_damage_of_the_file_never_gives_a_wrong_answer(
    tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    original = fill(tmp_path / "good", ask, series, counting).read_bytes()
    dice = np.random.default_rng(3)
    refetched = 0
    for mutant in range(60):
        folder = tmp_path / f"{mutant}"
        folder.mkdir()
        octets = bytearray(original)
        if mutant % 10 == 0:
            octets = octets[: int(dice.integers(len(octets)))]
        for at in dice.integers(len(octets), size=40 if octets else 0):
            octets[at] = int(dice.integers(256))
        (folder / "cache.sqlite").write_bytes(octets)
        counting.asked.clear()
        cache = Cache(folder)
        for start in range(0, 4000, 1000):
            answer = cache.serve(series, ask(start, start + 700), counting)
            xr.testing.assert_identical(answer, counting.data(start, start + 700))
        refetched += any(stop - start > 200 for start, stop in counting.asked)
        cache.close()
        shutil.rmtree(folder)
    assert refetched > 5


@pytest.mark.parametrize("content", [b"this is not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_not_a_database_is_moved_aside(
    content: bytes, tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    (tmp_path / "cache.sqlite").write_bytes(content)
    cache = Cache(tmp_path)
    for _ in range(2):
        assert cache.serve(series, ask(0, 10), counting).sizes["time"] == 10
    assert (tmp_path / "cache.sqlite.damaged").read_bytes() == content
    assert len(counting.asked) == 1


def test_a_file_that_was_deleted_under_us_is_made_again(
    tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    cache = Cache(tmp_path / "cache")
    for expected in (1, 2):
        cache.serve(series, ask(0, 10), counting)
        assert len(counting.asked) == expected
        assert cache.has(series, ask(0, 10))
        shutil.rmtree(tmp_path / "cache")


def test_a_folder_that_cannot_be_made_costs_a_warning_only(
    tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    assert cache.serve(series, ask(0, 10), counting).sizes["time"] == 10
    assert cache.read(series, ask(0, 10)) is None
    assert cache.stored(series, ask(0, 10)) == []
    assert "the cache cannot be used" in caplog.text


PROGRAM = """
import logging, os, resource, sys
from pathlib import Path
import numpy as np, xarray as xr
from armillary.cache import Cache
from armillary.model import Extent, Interval, Product, Request
logging.basicConfig(stream=sys.stdout)
product = Product(path="test/n", title="n", kind="series")

def samples(start, stop):
    times = np.arange(start, stop)
    values = (times.astype("u8") * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(0xABCDEF)
    return xr.Dataset({"v": ("time", values, {"units": ""})}, {"time": times.astype("M8[ns]")})

def fetch(request, progress):
    return samples(request.extent.time.start, request.extent.time.stop)

def ask(start, stop):
    return Request("test/n", Extent(time=Interval(start, stop)))

folder, limit = Path(sys.argv[1]), sys.argv[2]
cache = Cache(folder)
cache.serve(product, ask(0, 1000), fetch)
if limit == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
else:
    cache.close()
    folder.chmod(0o555)
    for file in folder.iterdir():
        file.chmod(0o444)
    os.setuid(65534) if os.getuid() == 0 else None
for start in range(0, 1_000_000, 50_000):
    xr.testing.assert_identical(cache.serve(product, ask(start, start + 50_000), fetch), samples(start, start + 50_000))
print("all right")
"""


@pytest.mark.parametrize("limit", ["full", "read-only"])
def test_a_full_disk_or_a_read_only_folder_costs_warnings_and_no_answer(
    limit: str, ask: Callable[..., Request]
) -> None:
    # outside the folder of pytest, because the child that may not write may not enter that
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "cache"
        command = [sys.executable, "-c", PROGRAM, str(folder), limit]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "HOME": name})
        assert done.stdout.rstrip().endswith("all right"), done.stdout + done.stderr
        assert "the cache cannot be used, the answer comes from the source" in done.stdout
        folder.chmod(0o755)
        for file in folder.iterdir():
            file.chmod(0o644)
        cache = Cache(folder)
        assert cache.verify() == []
        product = Product(path="test/n", title="n", kind="series")
        assert cache.has(product, ask(0, 1000))
        assert not cache.has(product, ask(0, 1_000_000))
        cache.close()
