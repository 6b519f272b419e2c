"""What was reported as saved lasts: threads, processes, kill -9, full disk, damaged file."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from armillary.catalogues import Entry, Store
from armillary.errors import CannotWrite, DamagedFile

WRITER = """
import sys
from pathlib import Path
from armillary.catalogues import Entry, Store
store = Store(Path(sys.argv[1]), sys.argv[2])
for n in range(int(sys.argv[3])):
    ids = store.add("c", [Entry(start=n, stop=n + 1, attributes={"n": n, "who": sys.argv[2]}) for _ in range(3)])
    print(*ids, flush=True)
"""


def writer(path: Path, who: str, rounds: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(path), who, str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def reported(process: "subprocess.Popen[str]") -> list[str]:
    """Ids of all lines that came whole."""
    out = process.communicate(timeout=60)[0]
    return [id_ for line in out.splitlines(keepends=True) if line.endswith("\n") for id_ in line.split()]


def test_several_processes_write_at_once(store: Store) -> None:
    store.new("c")
    processes = [writer(store.path, f"p{n}", 15) for n in range(3)]
    ids = [id_ for process in processes for id_ in reported(process)]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(ids) == len(set(ids)) == 3 * 15 * 3
    assert {row.id for row in store.rows("c")} == set(ids)
    assert len(store.history()) == 46


def test_several_threads_write_and_read_at_once(store: Store) -> None:
    store.new("c")
    broken: list[BaseException] = []

    def work(who: int) -> None:
        try:
            for n in range(10):
                store.add("c", [Entry(start=n, stop=n + 1, attributes={"who": who})] * 2)
                assert len(store.rows("c", where=f"who = {who}")) == 2 * (n + 1)
        except BaseException as error:  # noqa: BLE001 - told by the test
            broken.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert broken == []
    assert store.get("c").rows == 80


def test_kill_9_loses_nothing_that_was_reported(store: Store) -> None:
    store.new("c")
    said: set[str] = set()
    for n in range(6):
        process = writer(store.path, f"p{n}", 100_000)
        assert process.stdout is not None
        said |= set(process.stdout.readline().split())
        time.sleep(0.02 * n)
        os.kill(process.pid, signal.SIGKILL)
        said |= set(reported(process))
    rows = store.rows("c")
    assert len(said) >= 18
    assert said <= {row.id for row in rows}
    assert len(rows) % 3 == 0  # a write is whole or not there
    with store.pool.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(store.history()) == 1 + len(rows) // 3


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    code = f"""
import resource, signal
from pathlib import Path
from armillary.catalogues import Entry, Store
from armillary.errors import CannotWrite
store = Store(Path({str(path)!r}), "ada")
store.new("c")
store.add("c", [Entry(start=0, stop=1)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({path}_size, resource.RLIM_INFINITY))
try:
    store.add("c", [Entry(start=n, stop=n + 1, attributes={{"text": "x" * 500}}) for n in range(5000)])
except CannotWrite as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.add("c", [Entry(start=7, stop=8)])
print([row.start for row in store.rows("c")])
""".replace(f"{path}_size", "600_000")
    assert resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    told, rows = done.stdout.splitlines()
    assert "cannot write" in told
    assert "Next step" in told
    assert rows == "[0, 7]"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="ARMILLARY_HOME"):
        Store(tmp_path / "file" / "c.sqlite").catalogues()


def test_a_damaged_file_is_told_and_kept(store: Store) -> None:
    store.new("c")
    store.add("c", [Entry(start=n, stop=n + 1) for n in range(500)])
    store.pool.close()
    whole = store.path.read_bytes()
    for damage in (b"not a database" * 100, whole[:4096] + os.urandom(len(whole) - 4096)):
        store.path.write_bytes(damage)
        with pytest.raises(DamagedFile, match="damaged"):
            store.rows("c")
        store.pool.close()
        assert store.path.read_bytes() == damage
    store.path.write_bytes(whole)
    assert len(store.rows("c")) == 500


def test_a_file_of_a_newer_version_is_left_alone(store: Store) -> None:
    store.new("c")
    with store.pool.writing() as connection:
        connection.execute("PRAGMA user_version = 99")
    store.pool.close()
    with pytest.raises(DamagedFile, match="newer Armillary"):
        store.catalogues()
