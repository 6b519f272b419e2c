"""Durable job rows: what was asked, how far it is, what was said, how it ended.

SQLite in WAL mode; several processes may use one file at once.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from armillary.errors import ArmillaryError, CannotWrite, Conflict, UnknownJob, one_line, to_record
from armillary.sources.wal import use_wal

State = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
ENDED: Final = ("done", "failed", "cancelled", "lost")
#: Seconds without a heartbeat after which a running job counts as lost, even if its process number is alive again.
_STALE: Final = 60.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL,
    fraction REAL NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '', log TEXT NOT NULL DEFAULT '',
    result TEXT, error TEXT, created REAL NOT NULL, started REAL, finished REAL, pid INTEGER, beat REAL,
    cancel INTEGER NOT NULL DEFAULT 0)
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One row: a request or study being executed.

    Parameters
    ----------
    task : str
        What does it, ``module:function``.
    spec : mapping
        Its arguments, JSON values.
    fraction : float
        How far it is, 0..1.
    result, error : mapping, optional
        What it gave (JSON values), or why it did not (see `armillary.errors.to_record`).
    created, started, finished : float
        Seconds since 1970 UTC.
    """

    id: int
    task: str
    spec: Mapping[str, Any]
    state: State
    fraction: float = 0.0
    message: str = ""
    log: str = ""
    result: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    pid: int | None = field(default=None)

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JobStore:
    """All jobs of one home."""

    file: Path

    def create(self, task: str, spec: Mapping[str, Any]) -> int:
        """Put a job into the queue and give its number."""
        with self._open() as db:
            row = db.execute(
                "INSERT INTO jobs (task, spec, state, created) VALUES (?, ?, 'queued', ?)",
                (task, json.dumps(dict(spec)), time.time()),
            )
            return int(row.lastrowid or 0)

    def get(self, number: int) -> Job:
        """Give one job.

        Raises
        ------
        UnknownJob
            If there is none with this number.
        """
        found = self._select("WHERE id = ?", number)
        if not found:
            raise UnknownJob(f"there is no job {number}", "see `armillary jobs list`")
        return found[0]

    def newest(self, limit: int = 100) -> list[Job]:
        """Give the newest jobs, newest first."""
        return self._select("ORDER BY id DESC LIMIT ?", limit)

    def start(self, number: int) -> Job:
        """Take a queued job for this process.

        Raises
        ------
        Conflict
            If it is not waiting any more.
        """
        now = time.time()
        with self._open() as db:
            taken = db.execute(
                "UPDATE jobs SET state = 'running', started = ?, beat = ?, pid = ? WHERE id = ? AND state = 'queued'",
                (now, now, os.getpid(), number),
            ).rowcount
        job = self.get(number)
        if not taken:
            raise Conflict(f"job {number} is {job.state}, not waiting", "use `armillary jobs retry` for a new try")
        return job

    def report(self, number: int, fraction: float, message: str = "") -> bool:
        """Say how far a job is; the answer is True if it should stop."""
        with self._open() as db:
            row = db.execute(
                "UPDATE jobs SET fraction = max(fraction, ?), message = coalesce(nullif(?, ''), message), beat = ? "
                "WHERE id = ? RETURNING cancel",
                (min(max(fraction, 0.0), 1.0), message, time.time(), number),
            ).fetchone()
        return bool(row and row[0])

    def write_log(self, number: int, line: str) -> None:
        """Add a line to a job's log."""
        with self._open() as db:
            db.execute("UPDATE jobs SET log = log || ? WHERE id = ?", (_log_line(line), number))

    def finish(self, number: int, result: Mapping[str, Any]) -> None:
        """End a job with its result."""
        self._end(number, "done", "result = ?, fraction = 1", json.dumps(dict(result)))

    def fail(self, number: int, error: BaseException, state: State = "failed") -> None:
        """End a job without a result."""
        self._end(number, state, "error = ?", json.dumps(to_record(error)), f": {type(error).__name__}: {error}")

    def cancel(self, number: int) -> Job:
        """Ask a job to stop; one that has not begun ends at once."""
        job = self.get(number)
        with self._open() as db:
            db.execute("UPDATE jobs SET cancel = 1 WHERE id = ?", (number,))
            db.execute(
                "UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'",
                (time.time(), number),
            )
        return job if job.state in ENDED else self.get(number)

    def recover(self) -> list[int]:
        """Mark running jobs as lost whose process has gone, and give their numbers."""
        lost = [job.id for job in self._select("WHERE state = 'running'") if not _is_alive(job.pid)]
        lost += [job.id for job in self._select("WHERE state = 'running' AND beat < ?", time.time() - _STALE)]
        gone = ArmillaryError("the process of this job ended", "use `armillary jobs retry`: finished blocks are kept")
        for number in dict.fromkeys(lost):
            self.fail(number, gone, "lost")
        return list(dict.fromkeys(lost))

    def _end(self, number: int, state: State, change: str, value: str, why: str = "") -> None:
        """Write the end and its log line at once, so that who sees the one sees the other."""
        with self._open() as db:
            db.execute(
                f"UPDATE jobs SET state = ?, finished = ?, {change}, log = log || ? WHERE id = ? AND state = 'running'",
                (state, time.time(), value, _log_line(f"{state}{why}"), number),
            )

    def _select(self, condition: str, *values: Any) -> list[Job]:
        names = ", ".join(Job.__dataclass_fields__)
        with self._open() as db:
            rows = db.execute(f"SELECT {names} FROM jobs {condition}", values).fetchall()
        return [_read(dict(zip(Job.__dataclass_fields__, row, strict=True))) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.file, timeout=30, isolation_level=None)) as db:
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
                    use_wal(db)
                    db.execute(_SCHEMA)
                yield db
        except sqlite3.Error as broken:
            raise CannotWrite(
                f"the job file {self.file} cannot be used: {broken}", "check disk and permissions"
            ) from None


def _log_line(text: str) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {one_line(text)}\n"


def _read(row: dict[str, Any]) -> Job:
    for name in ("spec", "result", "error"):
        row[name] = json.loads(row[name]) if row[name] else None
    return Job(**row)


def _is_alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
