"""The one SQLite file of the cache: opened by many threads and processes, replaced when it is damaged."""

import contextlib
import logging
import os
import sqlite3
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from armillary.errors import Conflict
from armillary.sources.wal import use_wal

SCHEMA: Final = 1
FILE: Final = "cache.sqlite"
#: A row of `piece` that can be true; damage may have changed even the type of a value.
VALID: Final = (
    "typeof(start) = 'integer' AND typeof(stop) = 'integer' AND start < stop AND typeof(seconds) = 'real'"
    " AND typeof(bytes) = 'integer'"
)
#: Seconds that a writer waits for another.
PATIENCE: Final = 30.0

_LOG: Final = logging.getLogger("armillary.cache")
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
#: `level` 0 are the data; higher levels are kept free for what is computed beside them, such as envelopes for plots.
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value);
CREATE TABLE product (path TEXT PRIMARY KEY, hits INTEGER NOT NULL DEFAULT 0, misses INTEGER NOT NULL DEFAULT 0,
    bytes_served INTEGER NOT NULL DEFAULT 0, seconds_saved REAL NOT NULL DEFAULT 0, used REAL NOT NULL DEFAULT 0);
CREATE TABLE piece (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, path TEXT NOT NULL,
    whole INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, bytes INTEGER NOT NULL,
    seconds REAL NOT NULL, used REAL NOT NULL);
CREATE INDEX piece_key ON piece (key, start);
CREATE INDEX piece_used ON piece (used, bytes);
CREATE TABLE block (piece INTEGER NOT NULL, level INTEGER NOT NULL, part INTEGER NOT NULL,
    first INTEGER NOT NULL, rows INTEGER NOT NULL, crc INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE UNIQUE INDEX block_place ON block (piece, level, part, first);
CREATE TABLE claim (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, beat REAL NOT NULL);
"""


@dataclass(slots=True)
class _Link:
    """An open connection and the file it was opened on."""

    db: sqlite3.Connection
    inode: int
    pid: int


@dataclass
class Database:
    """The file in `folder`; connections are opened when needed, used by one thread at a time and used again.

    Before a fork (`os.fork`, `multiprocessing`) the idle ones are closed, and parent and child open their own.
    """

    folder: Path
    _idle: list[_Link] = field(default_factory=list)
    _foreign: list[_Link] = field(default_factory=list)

    def __post_init__(self) -> None:
        _close_before_forks(weakref.ref(self))

    @property
    def file(self) -> Path:
        """Where the database is."""
        return self.folder / FILE

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Look at one moment of the cache, whatever others write meanwhile."""
        with self._transaction("BEGIN", PATIENCE) as db:
            yield db

    @contextlib.contextmanager
    def writing(self, patience: float = PATIENCE) -> Iterator[sqlite3.Connection]:
        """Change the cache: all of it when the block ends well, else nothing.

        Parameters
        ----------
        patience : float
            Seconds to wait for another writer before `sqlite3.OperationalError` is raised.
        """
        with self._transaction("BEGIN IMMEDIATE", patience) as db:
            yield db

    def give_back(self) -> None:
        """Give free pages back to the file system."""
        link = self._borrow()
        # execute() would take one step of it only, which frees one page
        link.db.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")
        self._idle.append(link)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while link := self._pop():
            if link.pid == os.getpid():
                link.db.close()

    def __del__(self) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self, begin: str, patience: float) -> Iterator[sqlite3.Connection]:
        link = self._borrow()
        try:
            if patience != PATIENCE:
                link.db.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            link.db.execute(begin)
            yield link.db
            link.db.execute("COMMIT")
        except BaseException as broken:
            # closing rolls back, also where a ROLLBACK would fail (disk full, damage)
            link.db.close()
            if _is_damage(broken):
                self._move_aside(link.inode)
            raise
        if patience != PATIENCE:
            link.db.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}")
        self._idle.append(link)

    def _pop(self) -> _Link | None:
        try:
            # not asked for its length first: another thread may take the last one in between
            return self._idle.pop()
        except IndexError:
            return None

    def _borrow(self) -> _Link:
        while link := self._pop():
            if link.pid != os.getpid():
                # made before a fork: closing it here could release locks or files of the parent
                self._foreign.append(link)
            elif link.inode == _inode(self.file):
                return link
            else:
                link.db.close()
        return self._open()

    def _open(self) -> _Link:
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE
        while True:
            inode = _inode(self.file)
            try:
                db = _connect(self.file)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as broken:
                if _is_damage(broken):
                    self._move_aside(inode)
                # SQLite does not wait by itself while another process makes the file
                elif not _is_busy(broken) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                now = _inode(self.file)
                if inode in {0, now}:
                    return _Link(db, now, os.getpid())
                db.close()

    def _move_aside(self, inode: int) -> None:
        """Keep a damaged file under another name; another process may have done so already."""
        if inode != _inode(self.file):
            return
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.file}{ending}").replace(f"{self.file}.damaged{ending}")
        _LOG.warning("the cache was damaged and is begun anew; the old file is kept as %s.damaged", self.file)


def drop(db: sqlite3.Connection, pieces: list[int]) -> None:
    """Forget pieces by their number, inside a transaction."""
    numbers = [(piece,) for piece in pieces]
    db.executemany("DELETE FROM block WHERE piece = ?", numbers)
    db.executemany("DELETE FROM piece WHERE id = ?", numbers)


def _close_before_forks(database: "weakref.ref[Database]") -> None:
    """Leave a child no open connection: SQLite would take its parent's file locks for its own."""

    def close() -> None:
        if alive := database():
            alive.close()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=close)


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db, file)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, file: Path) -> None:
    if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        db.execute("PRAGMA page_size = 16384")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        use_wal(db)
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA journal_size_limit = 67108864")
    found = _schema(db)
    if found == SCHEMA:
        return
    if found > SCHEMA:
        problem = f"the cache {file} was made by a newer Armillary (form {found}, this one knows {SCHEMA})"
        raise Conflict(problem, "upgrade armillary, or delete that file")
    _create(db)


def _create(db: sqlite3.Connection) -> None:
    """Begin an empty cache; an older form is cleared, because all of it can be fetched again."""
    db.execute("BEGIN IMMEDIATE")
    if _schema(db) < SCHEMA:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (name,) in names.fetchall():
            db.execute(f'DROP TABLE "{name}"')
        for table in filter(str.strip, _TABLES.split(";")):
            db.execute(table)
        db.execute("INSERT INTO meta VALUES ('schema', ?)", (SCHEMA,))
    db.execute("COMMIT")


def _schema(db: sqlite3.Connection) -> int:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return 0
    found = db.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    return int(found[0]) if found else 0


def _inode(file: Path) -> int:
    try:
        return os.stat(file).st_ino  # noqa: PTH116 - a hit does this, and Path is four times slower
    except OSError:
        return 0


def _is_damage(broken: BaseException) -> bool:
    """Say whether an error means that the file itself is broken; its words may then not even be text."""
    code = getattr(broken, "sqlite_errorcode", 0) & 0xFF
    lost = code == sqlite3.SQLITE_ERROR and "no such" in str(broken)
    return code in _DAMAGED or lost or isinstance(broken, UnicodeDecodeError)


def _is_busy(broken: BaseException) -> bool:
    return getattr(broken, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
