"""A few processes of this machine that take orders one by one, as plain values; an order that kills two is given up.

A worker ends by itself when its caller is gone, at the latest when the order it works on is done.
"""

import json
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from armillary.errors import ArmillaryError, BadRequest, Cancelled, JobFailed, one_line, to_record

Record = dict[str, Any]
#: Modules that all workers share; what uses threads must not be among them.
_PRELOADED: Final = ["armillary.services.crew", "numpy"]
#: Seconds between two looks whether the user wants to stop.
_LOOK: Final = 0.5


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    line: Connection
    order: Record | None = None
    tries: int = 0


def work_off(task: str, orders: Iterable[Record], workers: int) -> Iterator[tuple[Record, Record] | None]:
    """Let worker processes do orders, as many at a time as there are workers.

    Parameters
    ----------
    task : str
        ``armillary.room.module:function``; it takes an order and a callable that says whether to stop, and gives a
        record.
    orders : iterable of dict
        Values that JSON knows.
    workers : int
        Processes; each has one thread for numbers.

    Yields
    ------
    tuple of dict, or None
        An order and its answer, in the order in which they are done; ``{"error": ...}`` for what went wrong. None now
        and then while nothing happens, so that the caller can stop.
    """
    waiting = deque((order, 0) for order in orders)
    crew: list[_Worker] = []
    try:
        while waiting or crew:
            while waiting and len(crew) < workers:
                crew.append(_hire(task))
                _give(crew[-1], *waiting.popleft())
            ready = wait([one.line for one in crew], timeout=_LOOK)
            if not ready:
                yield None
            for one in [one for one in crew if one.line in ready]:
                yield from _heard(one, crew, waiting)
    finally:
        for one in crew:
            one.line.close()
            one.process.terminate()
            one.process.join()


def serve(task: str, line: Connection) -> None:
    """Do orders that come along a line until it is closed; the body of a worker process."""
    module, _, name = task.partition(":")
    if not module.startswith("armillary.") or not name.isidentifier() or name.startswith("_"):
        raise BadRequest(f"{task!r} is not a task", "name a public function, armillary.room.module:function")
    work = getattr(import_module(module), name)
    with _one_thread():
        while True:
            try:
                line.send_bytes(json.dumps(done_by(work, json.loads(line.recv_bytes()), line.poll)).encode())
            except (EOFError, OSError, Cancelled):
                return


def done_by(work: Callable[[Record, Callable[[], bool]], Record], order: Record, stop: Callable[[], bool]) -> Record:
    """Do one order; gives ``{"error": ...}`` for what went wrong.

    Raises
    ------
    Cancelled
    """
    try:
        answer = work(order, stop)
    except Cancelled:
        raise
    except ArmillaryError as failed:
        return {"error": to_record(failed)}
    except Exception as failed:  # noqa: BLE001 - one order, whatever a library raises
        problem = f"{type(failed).__name__}: {one_line(str(failed))}"
        return {"error": to_record(JobFailed(problem, "look at what it works on"))}
    return answer


def _hire(task: str) -> _Worker:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _give(one: _Worker, order: Record, tries: int) -> None:
    one.order, one.tries = order, tries
    try:
        one.line.send_bytes(json.dumps(order).encode())
    except OSError:
        return  # it is dead already, which is heard next


def _heard(one: _Worker, crew: list[_Worker], waiting: "deque[tuple[Record, int]]") -> Iterator[tuple[Record, Record]]:
    order = one.order or {}
    try:
        answer: Record = json.loads(one.line.recv_bytes())
    except (EOFError, OSError):
        one.line.close()
        one.process.join()
        crew.remove(one)
        if not one.tries:
            waiting.append((order, 1))
            return
        problem = f"a worker died of it twice (exit status {one.process.exitcode})"
        yield order, {"error": to_record(JobFailed(problem, "use fewer --workers if memory is short"))}
        return
    yield order, answer
    if waiting:
        _give(one, *waiting.popleft())
        return
    one.line.close()
    one.process.join()
    crew.remove(one)


def _one_thread() -> Any:
    """Keep libraries from starting threads: there are as many workers as there should be threads."""
    import pyarrow as pa
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    pa.set_cpu_count(1)
    return threadpool_limits(1)
