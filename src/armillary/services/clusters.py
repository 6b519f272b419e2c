"""Blocks answered by the workers of a running Dask scheduler: for clusters; on one machine it gains nothing.

What travels is plain values: the run folder, what the block is made of, and where its part goes. Workers see the same
files as this machine, and write the parts into the same folder; models are read there as here, nothing is pickled.
"""

import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import numpy as np

from armillary.errors import ArmillaryError, BadRequest, MissingExtra, SourceDown, from_record, one_line, to_record
from armillary.model import Progress, silent

if TYPE_CHECKING:
    from armillary.learn.applying import Block
    from armillary.learn.trained import Run
    from armillary.services.desk import Desk

Record = dict[str, Any]
#: Seconds to wait for an answer of the scheduler, and for its first worker.
_PATIENCE: Final = 30
#: Orders that wait at each thread of a worker.
_AHEAD: Final = 2


def answer_on(
    address: str, run: "Run", blocks: Iterable[Callable[[], "Block"]], folder: Path, *,
    prior: Mapping[str, float] | None = None, points: bool = False, total: int = 0, progress: Progress = silent,
) -> None:  # fmt: skip
    """Have the workers of a scheduler write the parts of all blocks into a folder; parts that are there stay.

    Afterwards :func:`armillary.learn.applying.apply` with the same folder finds all of them.

    Parameters
    ----------
    address : str
        ``tcp://host:8786``, or the file that ``dask scheduler --scheduler-file`` wrote.
    run, blocks, folder, prior, points, total, progress
        As for `apply`; the folder is seen by all workers.

    Raises
    ------
    MissingExtra, SourceDown, BadRequest
        If Dask is not installed, no scheduler answers or has a worker, or blocks cannot be told by plain values.
    ArmillaryError
        What a worker met.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _client(address) as client:
        threads = _threads(client, address)
        waiting = _as_completed(client)
        for done, number in enumerate(_orders(client, waiting, _tasks(run, blocks, folder, prior, points), threads), 1):
            progress(done / total if total else 0.0, f"block {number + 1}{f' of {total}' if total else ''} is done")


def answer(order: Record) -> Record:
    """Answer one block on a worker and write its part; gives an error as plain values, nothing if all went well."""
    from armillary import __version__
    from armillary.learn.applying import answer_block, write_part

    try:
        if order["version"] != __version__:
            problem = f"a worker has armillary {__version__}, the caller {order['version']}"
            raise BadRequest(problem, "install the same version everywhere")
        run = _run(order["run"], order["model"])
        prior = None if order["prior"] is None else np.array(order["prior"])
        block = _block(run, order["block"], order["rows"])
        write_part(Path(order["part"]), *answer_block(run, block(), prior, points=order["points"]))
    except ArmillaryError as failed:
        return {"error": to_record(failed)}
    return {}


def _tasks(
    run: "Run", blocks: Iterable[Callable[[], "Block"]], folder: Path, prior: Mapping[str, float] | None, points: bool
) -> Iterator[tuple[int, Record]]:
    """Give number and order of each block that has no part yet."""
    from armillary import __version__
    from armillary.learn import applying

    shares = applying.stated_prior(run, prior or run.study.prior)
    for number, block in enumerate(blocks):
        part = applying.part_path(folder, number)
        if applying.is_whole(part):
            continue
        record = getattr(block, "record", None)
        if record is None:
            raise BadRequest("these blocks live in memory and cannot be sent to a cluster", "leave --dask out")
        yield number, {
            "version": __version__, "run": str(run.folder.resolve()), "model": run.fitted.part.title,
            "prior": None if shares is None else shares.tolist(), "points": points, "rows": applying.BLOCK_ROWS,
            "block": record(folder.resolve(), number), "part": str(part.resolve()),
        }  # fmt: skip


def _orders(client: Any, waiting: Any, tasks: Iterator[tuple[int, Record]], threads: int) -> Iterator[int]:
    """Keep workers busy with a bounded number of orders, and give the numbers of blocks as they are done."""
    sent: dict[str, tuple[int, Record]] = {}
    for number, order in tasks:
        future = client.submit(answer, order, pure=False, retries=2)
        sent[future.key] = (number, order)
        waiting.add(future)
        if len(sent) >= _AHEAD * threads:
            yield _taken(waiting, sent)
    while sent:
        yield _taken(waiting, sent)


def _taken(waiting: Any, sent: dict[str, tuple[int, Record]]) -> int:
    from armillary.learn.applying import is_whole

    future = next(waiting)
    number, order = sent.pop(future.key)
    try:
        told = future.result()
    except Exception as failed:
        hint = "look at the log of the workers; do they have armillary[learn,scale]?"
        raise BadRequest(f"a worker failed: {type(failed).__name__}: {one_line(str(failed))}", hint) from failed
    if told.get("error"):
        raise from_record(told["error"])
    if not is_whole(Path(order["part"])):
        problem = f"a worker has answered block {number + 1}, but its part is not seen here"
        raise BadRequest(problem, "let ARMILLARY_HOME be a folder that all workers share")
    rows, part = Path(order["block"].get("path", "")), Path(order["part"])
    if rows.parent == part.parent:  # written for the worker; never a user's own file
        rows.unlink(missing_ok=True)
    return number


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise MissingExtra("--dask needs Dask", "pip install 'armillary[scale]'") from None
    where = _reached(address)
    try:
        return Client(where, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as failed:
        raise _silent(address, failed) from None


def _reached(address: str) -> str:
    """Give the address of a scheduler that takes connections; a client of a silent one is slow to be given up."""
    try:
        found = json.loads(Path(address).read_text("utf-8"))["address"] if Path(address).is_file() else address
        place = urlsplit(str(found))
        where = (place.hostname or "", place.port or 0)
    except (OSError, ValueError, KeyError, TypeError) as failed:
        raise _silent(address, failed) from None
    if place.scheme not in {"tcp", "tls"} or not all(where):
        raise SourceDown(
            f"no Dask scheduler answers at {address}: it is no tcp://host:port", "give that, or its scheduler file"
        )
    try:
        socket.create_connection(where, _PATIENCE).close()
    except OSError as failed:
        raise _silent(address, failed) from None
    return str(found)


def _silent(address: str, failed: Exception) -> SourceDown:
    problem = f"no Dask scheduler answers at {address}: {one_line(str(failed)) or 'no connection'}"
    return SourceDown(problem, "start one with `dask scheduler`, or leave --dask out")


def _threads(client: Any, address: str) -> int:
    """Give the threads of all workers, waiting for the first one."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        problem = f"the Dask scheduler at {address} has no worker"
        raise SourceDown(problem, f"start one with `dask worker {address}`") from None
    return max(int(sum(client.nthreads().values())), 1)


def _as_completed(client: Any) -> Any:
    from distributed import as_completed

    return as_completed(loop=client.loop)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=2)
def _run(folder: str, model: str) -> "Run":
    from armillary.learn.trained import load_run

    return load_run(Path(folder), model)


def _block(run: "Run", record: Record, rows: int) -> Callable[[], "Block"]:
    from armillary.services import samples, stores, streams

    if record["kind"] == "products":
        archives = tuple(tuple(sorted(one.items())) for one in record["archives"])
        return samples.stretch_of(_desk(record["home"], archives), record)
    if record["kind"] == "store":
        return stores.piece_of(record)
    if record["kind"] == "part":
        stamp = Path(record["path"]).stat().st_mtime_ns if Path(record["path"]).exists() else 0
        return _parts(str(run.folder), run.fitted.part.title, record["path"], stamp, rows)[record["number"]]
    return streams.Lazy(run, record)


@lru_cache(maxsize=1)
def _desk(home: str, archives: tuple[tuple[tuple[str, str], ...], ...]) -> "Desk":
    from armillary.model import Archive
    from armillary.services.desk import open as open_desk

    return open_desk(*(Archive.from_record(dict(one)) for one in archives), home=home)


@lru_cache(maxsize=1)
def _parts(folder: str, model: str, path: str, _stamp: int, rows: int) -> list[Callable[[], "Block"]]:
    """Read a file that must be read as a whole, once a worker, and cut it as the caller has."""
    from armillary.learn.applying import cut
    from armillary.services.samples import unlabelled

    run = _run(folder, model)
    return cut(run, unlabelled(run, Path(path)), rows)
