"""What is known about each file of a folder, in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from armillary.errors import SourceDown
from armillary.sources.files.summary import Summary
from armillary.sources.folder.scan import Entry
from armillary.sources.wal import use_wal

#: Part of the index's stamp: a higher number lets every file be described anew.
READERS: Final = 5
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL, format TEXT NOT NULL, summary TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member (
    dataset TEXT NOT NULL, path TEXT NOT NULL, start INTEGER, stop INTEGER, PRIMARY KEY (dataset, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS readers (number INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One file of the index; `state` is ``ok``, ``damaged``, ``ignored`` or ``other`` (not data at all)."""

    path: str
    size: int
    mtime: int
    state: str
    reason: str = ""
    format: str = ""
    summary: Summary | None = None

    @property
    def products(self) -> int:
        """How many leaves the file takes part in."""
        return len(self.summary.variables) if self.summary else 0


@contextmanager
def opened(index: Path) -> Iterator[sqlite3.Connection]:
    """Open the index for one piece of work; another process may use it at the same time."""
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(index, timeout=60, isolation_level=None)) as connection:
            _prepare(connection)
            yield connection
    except sqlite3.Error as broken:
        problem = f"the index {index.name} cannot be used: {broken}"
        raise SourceDown(problem, f"look at free space and permissions, or delete {index}: it is built anew") from None


def rows(connection: sqlite3.Connection) -> dict[str, Row]:
    """Give every row by path."""
    return {one[0]: _row(one) for one in connection.execute("SELECT * FROM file ORDER BY path")}


def known(connection: sqlite3.Connection) -> dict[str, tuple[int, int, str]]:
    """Give size, time of change and reason by path: enough to find what changed."""
    found = connection.execute("SELECT path, size, mtime, reason FROM file")
    return {path: (size, mtime, reason) for path, size, mtime, reason in found}


def put(connection: sqlite3.Connection, new: Iterable[Row]) -> None:
    """Write rows, in one transaction."""
    values = [
        (one.path, one.size, one.mtime, one.state, one.reason, one.format, _summary_text(one.summary)) for one in new
    ]
    with _transaction(connection):
        connection.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def drop(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Forget files that are gone, in one transaction."""
    with _transaction(connection):
        connection.executemany("DELETE FROM file WHERE path = ?", [(path,) for path in paths])


def put_members(connection: sqlite3.Connection, datasets: dict[str, list[Row]]) -> None:
    """Write which files belong to which dataset, instead of what stood there, in one transaction."""
    values = [
        (dataset, row.path, span.start if span else None, span.stop if span else None)
        for dataset, members in datasets.items()
        for row in members
        for span in [row.summary.coverage if row.summary else None]
    ]
    with _transaction(connection):
        connection.execute("DELETE FROM member")
        connection.executemany("INSERT INTO member VALUES (?, ?, ?, ?)", values)


def members(connection: sqlite3.Connection, dataset: str, start: int, stop: int) -> list[Row]:
    """Give the files of a dataset that may overlap an interval, in time order."""
    found = connection.execute(
        "SELECT file.* FROM member JOIN file USING (path) WHERE dataset = ?"
        " AND (start IS NULL OR (start < ? AND stop > ?)) ORDER BY start, path",
        (dataset, stop, start),
    )
    return [_row(one) for one in found]


def first_member(connection: sqlite3.Connection, dataset: str) -> list[Row]:
    """Give one file of a dataset (none if the dataset is unknown): it shows what an empty answer looks like."""
    found = connection.execute(
        "SELECT file.* FROM member JOIN file USING (path) WHERE dataset = ? ORDER BY start, path LIMIT 1", (dataset,)
    )
    return [_row(one) for one in found]


def changes(entries: list[Entry], before: dict[str, tuple[int, int, str]]) -> tuple[list[Entry], list[str]]:
    """Say which files are new or changed and which are gone."""
    now = {entry.path for entry in entries}
    new = [one for one in entries if before.get(one.path, ())[:2] != (one.size, one.mtime) or one.problem]
    return new, [path for path in before if path not in now]


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA busy_timeout = 60000")
    use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_SCHEMA)
    found = connection.execute("SELECT number FROM readers").fetchone()
    if found == (READERS,):
        return
    with _transaction(connection):
        for table in ("file", "member", "readers"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("INSERT INTO readers VALUES (?)", (READERS,))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _summary_text(summary: Summary | None) -> str | None:
    return json.dumps(summary.to_record()) if summary else None


def _row(values: tuple[str, int, int, str, str, str, str | None]) -> Row:
    text = values[6]
    return Row(*values[:6], Summary.from_record(json.loads(text)) if text else None)
