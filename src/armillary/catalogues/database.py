"""The SQLite file of the catalogues: its tables, its transactions, and what its errors mean in words.

Every write is one transaction and one row of ``change``; ``delta`` keeps what stood there before. Both only ever grow:
triggers refuse anything else. Undo is a change like any other.
"""

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from armillary.errors import ArmillaryError, BadParameter, CannotWrite, Conflict, DamagedFile
from armillary.sources.wal import use_wal

#: Counts the forms of the tables; a file with a higher one was made by a newer Armillary.
_FORM: Final = 1
_WAIT: Final = 30.0

_TABLES: Final = """
CREATE TABLE catalogue (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, description TEXT NOT NULL,
    tags TEXT NOT NULL, author TEXT NOT NULL, predicate TEXT, sources TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL);
CREATE TABLE entry (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, start INTEGER, stop INTEGER, ra REAL, dec REAL,
    source_id TEXT NOT NULL, geometry TEXT, class TEXT NOT NULL, attributes TEXT NOT NULL, tags TEXT NOT NULL,
    author TEXT NOT NULL, model TEXT NOT NULL, model_version TEXT NOT NULL, rating INTEGER,
    version INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL);
CREATE INDEX entry_by_start ON entry (start, stop) WHERE start IS NOT NULL;
CREATE INDEX entry_by_length ON entry (stop - start) WHERE start IS NOT NULL;
CREATE TABLE member (
    catalogue INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (catalogue, entry)) WITHOUT ROWID;
CREATE INDEX member_by_entry ON member (entry);
CREATE TABLE name (
    key INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, UNIQUE (name, type));
CREATE TABLE attribute (
    name INTEGER NOT NULL, entry INTEGER NOT NULL, value, PRIMARY KEY (name, entry)) WITHOUT ROWID;
CREATE TABLE change (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, author TEXT NOT NULL, action TEXT NOT NULL,
    summary TEXT NOT NULL, target INTEGER, origin TEXT);
CREATE INDEX change_by_target ON change (target) WHERE target IS NOT NULL;
CREATE TABLE delta (
    change INTEGER NOT NULL, subject TEXT NOT NULL, key INTEGER NOT NULL, catalogue INTEGER NOT NULL, before TEXT,
    PRIMARY KEY (change, subject, key, catalogue)) WITHOUT ROWID;
CREATE INDEX delta_by_subject ON delta (subject, key, catalogue);
"""
_GUARDS: Final = """
CREATE TRIGGER {table}_is_never_{verb}d BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'history is never changed'); END
"""
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, making it and its tables if it is not there yet."""
    with in_words(path):
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -32768")
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into errors that name the file and the next step."""
    try:
        yield
    except sqlite3.Error as failed:
        raise _explain(failed, path) from failed
    except UnicodeEncodeError as failed:
        raise BadParameter(f"the text {failed.object[:20]!r} is not Unicode", "remove lone surrogates") from None
    except OSError as failed:
        if isinstance(failed, ArmillaryError):
            raise
        reason = failed.strerror or str(failed)
        raise CannotWrite(f"cannot use {path}: {reason}", "set ARMILLARY_HOME to a folder you can write") from failed


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do all of it or nothing, alone among all writers."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Read several times from one state of the file."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    form = connection.execute("PRAGMA user_version").fetchone()[0]
    if form > _FORM:
        raise DamagedFile(f"{path} was written by a newer Armillary", "install that version, or use another home")
    if form == 0:
        with transaction(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                _make_tables(connection)


def _make_tables(connection: sqlite3.Connection) -> None:
    guards = [_GUARDS.format(table=table, verb=verb) for table in ("change", "delta") for verb in ("update", "delete")]
    for statement in [*_TABLES.strip().rstrip(";").split(";\n"), *guards]:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_FORM}")


def _explain(failed: sqlite3.Error, path: Path) -> ArmillaryError:
    code = getattr(failed, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return DamagedFile(f"{path} is damaged: {failed}", "it was left as it is: restore a copy, or move it away")
    if code in _BUSY:
        return Conflict(f"{path} is in use by another program for {_WAIT:.0f} s", "try again when that has ended")
    if code in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}:
        return DamagedFile(f"{path} does not hold what it should: {failed}", "restore a copy, or move it away")
    free = "free some space" if os.access(path.parent, os.W_OK) else "make the folder writable"
    return CannotWrite(f"cannot write {path}: {failed}", f"{free} and try again; nothing was lost")


class Pool:
    """Connections to one file that are lent and given back, so that threads never wait for each other's reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[tuple[int, sqlite3.Connection]] = []
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one state of the file, for several reads that belong together."""
        with self._lent() as connection, in_words(self.path), snapshot(connection):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside one transaction, alone among all writers."""
        with self._lent() as connection, in_words(self.path), transaction(connection):
            yield connection

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            self._idle.append((os.getpid(), connection))

    def _take(self) -> sqlite3.Connection:
        while self._idle:
            try:
                owner, connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if owner == os.getpid():
                return connection
        return connect(self.path)

    def close(self) -> None:
        """Close the connections that nobody holds."""
        _close_all(self._idle)


def _close_all(idle: list[tuple[int, sqlite3.Connection]]) -> None:
    while idle:
        owner, connection = idle.pop()
        if owner == os.getpid():
            connection.close()
