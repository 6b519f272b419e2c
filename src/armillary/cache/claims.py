"""Who fetches what now: a row that its owner keeps alive, so that nobody else fetches the same."""

import contextlib
import os
import socket
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import numpy as np

from armillary.cache.database import VALID, Database
from armillary.model import Interval
from armillary.science.intervals import intervals, subtract

#: Seconds between two signs of life of an owner, and after how many without one it counts as dead.
BEAT: Final = 3.0
DEAD_AFTER: Final = 15.0


@dataclass
class Claim:
    """The right to fetch an interval, held while the ``with`` block runs.

    Parameters
    ----------
    interval : Interval
        What is to be fetched.
    number : int
        Its row; 0 where the cache cannot be written and everybody fetches for himself.
    """

    interval: Interval
    database: Database
    number: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _heart: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self.number:
            self._heart = threading.Thread(target=self._live, name="armillary-cache-claim", daemon=True)
            self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self.number:
            with contextlib.suppress(sqlite3.Error, OSError), self.database.writing() as db:
                db.execute("DELETE FROM claim WHERE id = ?", (self.number,))
        if self._heart:
            # a thread inside SQLite while the caller forks leaves in the child a lock that nobody ever frees
            self._heart.join()

    def _live(self) -> None:
        pause = BEAT
        while not self._over.wait(pause):
            pause = BEAT if self._beat() else 0.1

    def _beat(self) -> bool:
        try:
            # not for long, because who ends the claim waits for this thread
            with self.database.writing(patience=1.0) as db:
                db.execute("UPDATE claim SET beat = ? WHERE id = ?", (time.time(), self.number))
        except (sqlite3.Error, OSError):
            return False
        return True


def take(database: Database, key: str, wanted: list[Interval]) -> Claim | None:
    """Claim the first of the wanted intervals that is neither stored nor claimed, or None: look again later.

    Claims of owners that died are removed first.
    """
    with database.writing() as db:
        _bury(db, key)
        taken = _rows(db, "SELECT start, stop FROM claim WHERE key = ?", key)
        stored = _rows(db, f"SELECT start, stop FROM piece WHERE key = ? AND {VALID}", key)
        free = subtract(intervals([(one.start, one.stop) for one in wanted]), np.concatenate([taken, stored]))
        if not len(free):
            return None
        start, stop = (int(edge) for edge in free[0])
        row = (key, start, stop, socket.gethostname(), os.getpid(), time.time())
        made = db.execute("INSERT INTO claim (key, start, stop, host, pid, beat) VALUES (?, ?, ?, ?, ?, ?)", row)
        return Claim(Interval(start, stop), database, int(made.lastrowid or 0))


def _rows(db: sqlite3.Connection, query: str, key: str) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    return intervals(db.execute(query, (key,)).fetchall())


def _bury(db: sqlite3.Connection, key: str) -> None:
    rows = db.execute("SELECT id, host, pid, beat FROM claim WHERE key = ?", (key,)).fetchall()
    dead = [(number,) for number, host, pid, beat in rows if time.time() - beat > DEAD_AFTER or _is_gone(host, pid)]
    db.executemany("DELETE FROM claim WHERE id = ?", dead)


def _is_gone(host: str, pid: int) -> bool:
    """Say whether a process of this machine has ended; where that cannot be asked, its heartbeat decides."""
    if os.name != "posix" or host != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
