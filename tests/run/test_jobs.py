"""Jobs: real threads, real processes, a real kill -9."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from armillary.errors import ArmillaryError, BadRequest, Cancelled, CannotWrite, Conflict, UnknownJob, UnknownProduct
from armillary.run import JobStore, execute, submit, wait

TASK = "armillary.testing.tasks:count"


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs.sqlite")


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("where", ["thread", "process", "detached"])
def test_a_job_runs_and_leaves_its_result(store: JobStore, where: Any) -> None:
    number = submit(store, TASK, {"to": 3}, where)
    assert wait(store, number, 30) == {"counted": 3}
    job = store.get(number)
    assert (job.state, job.fraction) == ("done", 1.0)
    assert "begins" in job.log
    assert "done" in job.log
    assert (job.pid == os.getpid()) == (where == "thread")


@pytest.mark.parametrize("where", ["thread", "process"])
def test_a_job_can_be_cancelled(store: JobStore, where: Any) -> None:
    number = submit(store, TASK, {"to": 10_000, "pause": 0.02}, where)
    until(lambda: store.get(number).fraction > 0)
    store.cancel(number)
    with pytest.raises(Cancelled):
        wait(store, number, 20)
    assert store.get(number).state == "cancelled"


def test_a_waiting_job_is_cancelled_at_once_and_never_begins(store: JobStore) -> None:
    number = store.create(TASK, {"to": 1})
    assert store.cancel(number).state == "cancelled"
    execute(store.file, number)
    assert store.get(number).state == "cancelled"


def test_an_error_travels_to_who_waits(store: JobStore) -> None:
    number = submit(store, TASK, {"to": 1, "product": "nowhere"}, "process")
    with pytest.raises(UnknownProduct, match="nowhere"):
        wait(store, number, 30)
    number = submit(store, TASK, {}, "thread")
    with pytest.raises(ArmillaryError, match="KeyError"):
        wait(store, number, 30)


def test_a_killed_process_is_told(store: JobStore) -> None:
    number = submit(store, TASK, {"to": 10_000, "pause": 0.02}, "process")
    until(lambda: store.get(number).fraction > 0)
    os.kill(store.get(number).pid or 0, signal.SIGKILL)
    with pytest.raises(ArmillaryError, match="process of this job ended"):
        wait(store, number, 20)
    assert store.get(number).state == "lost"
    again = submit(store, TASK, {"to": 1}, "thread")
    assert wait(store, again) == {"counted": 1}


def test_a_job_is_taken_once(store: JobStore) -> None:
    number = store.create(TASK, {"to": 1})
    store.start(number)
    with pytest.raises(Conflict, match="running"):
        store.start(number)


@pytest.mark.parametrize("task", ["os:system", "armillary.run.local:_load", "armillary.run.local", "builtins:eval"])
def test_only_our_public_functions_are_tasks(store: JobStore, task: str) -> None:
    with pytest.raises(BadRequest, match="not a task"):
        wait(store, submit(store, task, {}, "thread"))


def test_unknown_jobs_and_unusable_files(store: JobStore, tmp_path: Path) -> None:
    with pytest.raises(UnknownJob, match="no job 7"):
        store.get(7)
    (tmp_path / "broken.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(CannotWrite, match=r"broken\.sqlite"):
        JobStore(tmp_path / "broken.sqlite").newest()


def test_the_newest_job_comes_first(store: JobStore) -> None:
    numbers = [store.create(TASK, {"to": n}) for n in range(3)]
    assert [job.id for job in store.newest(2)] == numbers[:0:-1]
    with sqlite3.connect(store.file) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_spec_is_plain_json(store: JobStore) -> None:
    spec: Mapping[str, Any] = {"a": [1, 2.5, None, {"b": "é"}]}
    assert store.get(store.create(TASK, spec)).spec == spec
