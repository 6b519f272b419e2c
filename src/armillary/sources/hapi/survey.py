"""The inventory of a server: asked over the network, recorded as it arrives, and read back offline."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from armillary.errors import ArmillaryError, BadAnswer, CannotWrite, SourceDown
from armillary.model import Product, Progress
from armillary.model.times import NS_PER_SECOND
from armillary.sources.hapi.client import Dialect, Server
from armillary.sources.hapi.info import read_info
from armillary.sources.hapi.products import products
from armillary.sources.hapi.record import Catalog, Entry, digest, read_entry, write_catalog, write_entry
from armillary.sources.hapi.times import clock
from armillary.sources.http import shown

_THREADS: Final = 8
#: So many datasets in a row without an answer mean that the server is down.
_GIVE_UP: Final = 8


def survey(server: Server, folder: Path, max_age: float, progress: Progress) -> Catalog:
    """Ask a server what it has and record it.

    Parameters
    ----------
    max_age : float
        Information recorded less than so many seconds ago is not asked for again: a survey that was stopped goes on.

    Raises
    ------
    SourceDown, BadAnswer
        If it does not answer; what was recorded before stays.
    """
    url = shown(server.url)
    progress(0.0, f"asking {url} for its catalog")
    dialect = server.capabilities()
    listed = server.catalog(dialect)
    asked = clock()
    pairs = tuple((str(one["id"]), str(one.get("title") or "")) for one in listed)
    for one in listed:
        if isinstance(one.get("info"), dict):
            write_entry(folder, url, _checked(one["id"], one["info"], asked))
    entries = {name: entry for name, _ in pairs if (entry := _young(folder, url, name, max_age, asked))}
    missing = [name for name, _ in pairs if name not in entries]
    for entry in _ask_all(server, dialect, folder, missing, progress):
        entries[entry.dataset] = entry
    catalog = Catalog(url=url, asked=asked, version=dialect.version, formats=dialect.formats, datasets=pairs)
    catalog = replace(catalog, digest=digest(url, entries, pairs))
    write_catalog(folder, catalog)
    return catalog


def listing(archive: str, folder: Path, catalog: Catalog) -> Iterator[Product]:
    """List the products of what is recorded."""
    for dataset, title in catalog.datasets:
        entry = read_entry(folder, catalog.url, dataset)
        if entry and entry.info:
            yield from products(archive, dataset, title, read_info(entry.info, dataset), entry.asked)


def problems(folder: Path, catalog: Catalog) -> dict[str, str]:
    """Give the datasets that cannot be used: id -> why."""
    entries = (read_entry(folder, catalog.url, dataset) for dataset, _ in catalog.datasets)
    return {entry.dataset: entry.problem for entry in entries if entry and entry.problem and not entry.info}


def _young(folder: Path, url: str, dataset: str, max_age: float, now: int) -> Entry | None:
    entry = read_entry(folder, url, dataset)
    if entry is None or entry.problem or now - entry.asked > max_age * NS_PER_SECOND:
        return None
    return entry


def _checked(dataset: str, info: dict[str, Any], asked: int) -> Entry:
    try:
        read_info(info, dataset)
    except BadAnswer as wrong:
        return Entry(dataset=dataset, asked=asked, problem=str(wrong))
    return Entry(dataset=dataset, asked=asked, info=info)


def _ask_all(server: Server, dialect: Dialect, folder: Path, names: list[str], progress: Progress) -> Iterator[Entry]:
    """Ask about many datasets at once; each answer is recorded before it is given."""
    silent_in_a_row, bad = 0, 0
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="hapi")
    try:
        for done, (entry, down) in enumerate(_as_they_come(pool, server, dialect, folder, names), 1):
            silent_in_a_row = silent_in_a_row + 1 if down else 0
            bad += bool(entry.problem)
            if silent_in_a_row >= _GIVE_UP:
                raise SourceDown(f"{shown(server.url)} stopped answering: {entry.problem}", "try again later")
            told = f"; {bad} with a problem, the last {entry.dataset}" if bad else ""
            progress(done / len(names), f"{done} of {len(names)} datasets{told}")
            yield entry
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _as_they_come(
    pool: ThreadPoolExecutor, server: Server, dialect: Dialect, folder: Path, names: Iterable[str]
) -> Iterator[tuple[Entry, bool]]:
    """Keep a few questions under way, so that a stop leaves little to wait for."""
    rest = iter(names)
    first = islice(rest, 2 * _THREADS)
    pending: set[Future[tuple[Entry, bool]]] = {pool.submit(_ask_one, server, dialect, folder, name) for name in first}
    while pending:
        ready, pending = wait(pending, return_when=FIRST_COMPLETED)
        pending |= {pool.submit(_ask_one, server, dialect, folder, name) for name in islice(rest, len(ready))}
        for one in ready:
            yield one.result()


def _ask_one(server: Server, dialect: Dialect, folder: Path, dataset: str) -> tuple[Entry, bool]:
    """Ask about one dataset; (what to record, whether there was no answer)."""
    url = shown(server.url)
    try:
        answer: dict[str, Any] = server.info(dialect, dataset)
        read_info(answer, dataset)
    except CannotWrite:
        raise
    except ArmillaryError as wrong:
        before = read_entry(folder, url, dataset)
        kept = before.info if before else {}
        entry = Entry(dataset=dataset, asked=clock(), info=kept, problem=str(wrong))
        down = isinstance(wrong, SourceDown)
    else:
        entry, down = Entry(dataset=dataset, asked=clock(), info=answer), False
    write_entry(folder, url, entry)
    return entry, down
