"""Several processes make one SQLite file at the same moment."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from armillary.sources.wal import use_wal

# A program of its own forks before it has any thread.
RACE = """
import os, sqlite3, sys, time
from armillary.sources.wal import use_wal
for number in range(60):
    file, start = f"{sys.argv[1]}/{number}.sqlite", time.monotonic() + 0.02
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                while time.monotonic() < start:
                    pass
                db = sqlite3.connect(file, timeout=30, isolation_level=None)
                use_wal(db)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6, number
"""


def test_all_of_them_get_in(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACE, tmp_path], capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "0.sqlite") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_file_that_stays_locked_is_told_in_time(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN EXCLUSIVE")
    waiter = sqlite3.connect(tmp_path / "x.sqlite", timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(waiter, 0.05)
    holder.execute("ROLLBACK")
    use_wal(waiter)
    holder.close()
    waiter.close()
