"""What a TAP service said, which jobs run there and how downloads are cut, in one SQLite file a service."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from armillary.errors import CannotWrite
from armillary.sources.tap.tables import Column, Table
from armillary.sources.wal import use_wal

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE told (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tables (name TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE columns (name TEXT PRIMARY KEY, asked INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE jobs (key TEXT PRIMARY KEY, url TEXT NOT NULL, made INTEGER NOT NULL);
CREATE TABLE pages (key TEXT PRIMARY KEY, made INTEGER NOT NULL, record TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one service; it may be deleted, and is then asked for again.

    Parameters
    ----------
    file : Path
        The SQLite file.
    """

    file: Path

    def told(self) -> dict[str, Any]:
        """Give what the service said of itself; empty if nothing is recorded."""
        if not self.file.exists():
            return {}
        with self._open() as db:
            return {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM told")}

    def keep_survey(
        self, told: Mapping[str, Any], tables: Iterable[Table], columns: Mapping[str, Sequence[Column]], now: int
    ) -> None:
        """Exchange all that was said, in one transaction."""
        with self._open(write=True) as db:
            for name in ("told", "tables", "columns", "pages"):
                db.execute(f"DELETE FROM {name}")
            db.executemany("INSERT INTO told VALUES (?, ?)", [(key, json.dumps(one)) for key, one in told.items()])
            db.executemany(
                "INSERT OR REPLACE INTO tables VALUES (?, ?)",
                [(one.name, json.dumps(one.to_record())) for one in tables],
            )
            rows = [(name, now, _columns_json(some)) for name, some in columns.items()]
            db.executemany("INSERT OR REPLACE INTO columns VALUES (?, ?, ?)", rows)

    def tables(self) -> list[Table]:
        """List the tables by name."""
        with self._open() as db:
            rows = db.execute("SELECT record FROM tables ORDER BY name").fetchall()
        return [Table.from_record(json.loads(record)) for (record,) in rows]

    def table(self, name: str) -> Table | None:
        """Find a table by its name."""
        with self._open() as db:
            row = db.execute("SELECT record FROM tables WHERE name = ?", (name,)).fetchone()
        return Table.from_record(json.loads(row[0])) if row else None

    def columns(self, name: str) -> tuple[Column, ...] | None:
        """Give the columns of a table, None if they were never asked for."""
        with self._open() as db:
            row = db.execute("SELECT record FROM columns WHERE name = ?", (name,)).fetchone()
        return _read_columns(row[0]) if row else None

    def all_columns(self) -> dict[str, tuple[Column, ...]]:
        """Give the columns that came with the list of tables, by table."""
        with self._open() as db:
            return {name: _read_columns(one) for name, one in db.execute("SELECT name, record FROM columns")}

    def keep_columns(self, name: str, columns: Sequence[Column], now: int) -> None:
        """Record the columns of a table."""
        with self._open(write=True) as db:
            db.execute("INSERT OR REPLACE INTO columns VALUES (?, ?, ?)", (name, now, _columns_json(columns)))

    def job(self, key: str) -> str:
        """Give the URL of the job that was begun for a question, "" if there is none."""
        with self._open() as db:
            row = db.execute("SELECT url FROM jobs WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def keep_job(self, key: str, url: str, now: int) -> None:
        """Record a job, so that it is found again after a kill."""
        with self._open(write=True) as db:
            db.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)", (key, url, now))

    def forget_job(self, key: str) -> None:
        """Forget a job that is over."""
        with self._open(write=True) as db:
            db.execute("DELETE FROM jobs WHERE key = ?", (key,))

    def jobs_by_key(self) -> dict[str, str]:
        """Give the URLs of the jobs that are not over."""
        with self._open() as db:
            return dict(db.execute("SELECT key, url FROM jobs ORDER BY made").fetchall())

    def pages(self, key: str, since: int) -> list[str] | None:
        """Give how a download was cut, if that is not older than `since`."""
        with self._open() as db:
            row = db.execute("SELECT record FROM pages WHERE key = ? AND made >= ?", (key, since)).fetchone()
        return list(json.loads(row[0])) if row else None

    def keep_pages(self, key: str, pages: Sequence[str], now: int) -> None:
        """Record how a download is cut, so that the same pages are asked for after a kill."""
        with self._open(write=True) as db:
            db.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", (key, now, json.dumps(list(pages))))

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(_connect(self.file)) as db:
                if write:
                    db.execute("BEGIN IMMEDIATE")
                yield db
                db.commit()
        except (sqlite3.Error, OSError) as broken:
            raise CannotWrite(
                f"the record {self.file.name} cannot be used: {broken}", "delete it, or make room"
            ) from broken


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            _create(db)
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    use_wal(db)
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        for statement in filter(None, map(str.strip, _SCHEMA.split(";"))):
            name = statement.split()[2]
            db.execute(f"DROP TABLE IF EXISTS {name}")
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
    db.commit()


def _columns_json(columns: Sequence[Column]) -> str:
    return json.dumps([one.to_record() for one in columns])


def _read_columns(text: str) -> tuple[Column, ...]:
    return tuple(Column(**one) for one in json.loads(text))
