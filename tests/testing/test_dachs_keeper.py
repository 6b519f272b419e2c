"""Nothing of a TAP server is left, however the process ends that asked for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.dom import minidom

import pyarrow as pa
import pytest

from armillary.errors import BadRequest, SourceDown
from armillary.testing import dachs as package
from armillary.testing.dachs import TapTable, descriptor, missing, tap_server

pytestmark = pytest.mark.xdist_group("dachs")
START = """
import time
from armillary.testing.dachs import tap_server
from armillary.testing.gaia_layout import archive_tables
with tap_server(archive_tables(1, 50)):
    time.sleep(120)
"""


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path, int]]:
    """A process whose server is about to start: the process, the server's folder, its keeper."""
    if reason := missing():
        pytest.skip(f"no TAP server: {reason}")
    # A short name: the database listens at a socket in it.
    parent = subprocess.Popen([sys.executable, "-c", START])
    try:
        keeper = until(lambda: next(iter(children(parent.pid, b"keeper.py")), 0))
        folder = Path(f"/proc/{keeper}/cwd").resolve()
        until((folder / "pg" / "postmaster.pid").exists)
        yield parent, folder, keeper
    finally:
        with suppress(ProcessLookupError):
            parent.kill()
        parent.wait()


def until(answer: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def children(parent: int, word: bytes) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if word in (process / "cmdline").read_bytes() and f"PPid:\t{parent}\n" in (process / "status").read_text():
                found.append(int(process.name))
    return found


def living_in(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
    return found


def test_a_killed_process_leaves_nothing(starting: tuple["subprocess.Popen[bytes]", Path, int]) -> None:
    parent, folder, keeper = starting
    assert keeper in living_in(folder)
    parent.send_signal(signal.SIGKILL)
    until(lambda: not living_in(folder) and not folder.exists())


def test_servers_end_with_a_killed_keeper(starting: tuple["subprocess.Popen[bytes]", Path, int]) -> None:
    parent, folder, keeper = starting
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not living_in(folder))
    assert parent.wait(30) == 1, "the process is told that its server died"
    assert not folder.exists()


def test_what_is_missing_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(package.server, "_DACHS", tmp_path / "dachs")
    assert "apt-get install" in missing()
    assert all(one in missing() for one in package.PACKAGES)
    with pytest.raises(SourceDown, match="DaCHS is not installed"), tap_server({}):
        pass


@pytest.mark.parametrize("name", ["bare", "two.dots.here", "a b.c", "x.y; DROP TABLE z"])
def test_names_that_are_no_tables_are_refused(name: str) -> None:
    if reason := missing():
        pytest.skip(f"no TAP server: {reason}")
    rows = TapTable(pa.table({"a": [1]}), "")
    with pytest.raises(BadRequest, match="is not schema"), tap_server({name: rows}):
        pass


def test_a_descriptor_quotes_what_it_is_told() -> None:
    field = pa.field("x", pa.float64(), metadata={"description": 'a < "b" & c', "unit": "m"})
    text = descriptor("s", {"t": TapTable(pa.table([[1.0]], schema=pa.schema([field])), "p < q")})
    column = minidom.parseString(text).getElementsByTagName("column")[0]  # noqa: S318 - our own text
    assert (column.getAttribute("description"), column.getAttribute("unit")) == ('a < "b" & c', "m")


def test_types_that_no_table_holds_are_refused() -> None:
    with pytest.raises(BadRequest, match="'x' is list"):
        descriptor("s", {"t": TapTable(pa.table({"x": [[1]]}), "")})
