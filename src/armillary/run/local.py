"""Running jobs on this machine.

In a thread (short work), in a forkserver process (long work), or in a process of its own that outlives us.
"""

import logging
import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

from armillary.errors import BadRequest, Cancelled, Conflict, JobFailed, from_record
from armillary.model import Progress
from armillary.run.jobs import ENDED, Job, JobStore

#: A task takes its spec and a progress, and gives JSON values.
Task = Callable[[Mapping[str, Any], Progress], Mapping[str, Any]]
Where = Literal["thread", "process", "detached"]
_BEAT: Final = 5.0
_REPORT_EVERY: Final = 0.2
_LOG: Final = logging.getLogger("armillary.run")


def submit(store: JobStore, task: str, spec: Mapping[str, Any], where: Where = "process") -> int:
    """Start a job and give its number at once.

    Parameters
    ----------
    store : JobStore
        Where its row is kept.
    task : str
        ``module:function`` inside the package; see `Task`.
    spec : mapping
        Its arguments, JSON values.
    where : str
        "thread" for short work, "process" for long work that ends with us, "detached" for work that outlives us.
    """
    number = store.create(task, spec)
    start = {"thread": _in_thread, "process": _in_process, "detached": _detached}[where]
    start(store.file, number)
    return number


def wait(store: JobStore, number: int, timeout: float = 600.0) -> Mapping[str, Any]:
    """Wait until a job has ended and give its result.

    Raises
    ------
    ArmillaryError
        What the job raised; `JobFailed` if it is not done in time or was lost.
    """
    end = time.monotonic() + timeout
    while (job := store.get(number)).state not in ENDED:
        if time.monotonic() > end:
            raise JobFailed(f"job {number} is not done after {timeout:g} s", f"see `armillary jobs show {number}`")
        store.recover()
        time.sleep(0.02)
    return _result(job)


def execute(file: Path, number: int) -> None:
    """Do a waiting job here and now; every end is written into its row, and nothing is raised."""
    store = JobStore(file)
    try:
        job = store.start(number)
    except Conflict:
        return  # cancelled before it began, or taken by another process
    stop = threading.Event()
    beat = threading.Thread(target=_keep_beating, args=(store, number, stop), daemon=True)
    beat.start()
    try:
        _do(store, job)
    finally:
        stop.set()
        beat.join()


def _do(store: JobStore, job: Job) -> None:
    store.write_log(job.id, f"{job.task} begins")
    try:
        result = _load(job.task)(job.spec, _reporter(store, job.id))
    except Cancelled as stopped:
        store.fail(job.id, stopped, "cancelled")
    except BaseException as broken:  # noqa: BLE001 - a job's row must say how it ended, whatever happened
        store.fail(job.id, broken)
        _LOG.info("job %s", job.id, exc_info=broken)
    else:
        store.finish(job.id, result)


def _load(task: str) -> Task:
    """Import a task; only functions of this package can be named, whatever stands in the row."""
    module, _, name = task.partition(":")
    if not module.startswith("armillary.") or not name.isidentifier() or name.startswith("_"):
        raise BadRequest(f"{task!r} is not a task", "name a public function, armillary.room.module:function")
    found: Task = getattr(import_module(module), name)
    return found


def _reporter(store: JobStore, number: int) -> Progress:
    """Write progress into the row, not more often than people can read, and stop when asked to."""
    last = [0.0]

    def report(fraction: float, message: str = "") -> None:
        now = time.monotonic()
        if now - last[0] < _REPORT_EVERY and fraction < 1.0:
            return
        last[0] = now
        if store.report(number, fraction, message):
            raise Cancelled(f"job {number} was cancelled", f"use `armillary jobs retry {number}` to go on")

    return report


def _keep_beating(store: JobStore, number: int, stop: threading.Event) -> None:
    while not stop.wait(_BEAT):
        store.report(number, 0.0)


def _in_thread(file: Path, number: int) -> None:
    threading.Thread(target=execute, args=(file, number), daemon=True, name=f"job-{number}").start()


def _in_process(file: Path, number: int) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["armillary.run.local", "numpy"])
    context.Process(target=execute, args=(file, number), daemon=True, name=f"job-{number}").start()


def _detached(file: Path, number: int) -> None:
    command = [sys.executable, "-m", "armillary.run.local", str(file), str(number)]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    # Somebody must take note of its end, or it stays a zombie as long as we live.
    threading.Thread(target=process.wait, daemon=True).start()


def _result(job: Job) -> Mapping[str, Any]:
    if job.state == "done":
        return job.result or {}
    if job.error:
        raise from_record(dict(job.error))
    raise JobFailed(f"job {job.id} was {job.state}", f"use `armillary jobs retry {job.id}`")


if __name__ == "__main__":
    execute(Path(sys.argv[1]), int(sys.argv[2]))
