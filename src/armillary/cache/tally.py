"""What the cache was good for: hits, misses, bytes and seconds, per product."""

import contextlib
import math
import os
import sqlite3
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from armillary.cache.database import PATIENCE, VALID, Database
from armillary.cache.pieces import Piece
from armillary.model import Interval
from armillary.model.times import format_time
from armillary.science.intervals import intervals, union

#: Seconds between two writes of the counts by one process.
PAUSE: Final = 1.0

_COUNT: Final = (
    "INSERT INTO product (path, hits, misses, bytes_served, seconds_saved, used) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (path) DO UPDATE SET hits = hits + excluded.hits, misses = misses + excluded.misses,"
    " bytes_served = bytes_served + excluded.bytes_served, seconds_saved = seconds_saved + excluded.seconds_saved,"
    " used = excluded.used"
)
_PRODUCTS: Final = (
    "SELECT path, hits, misses, bytes_served, seconds_saved, used FROM product"
    " UNION SELECT path, 0, 0, 0, 0.0, max(used) FROM piece WHERE path NOT IN (SELECT path FROM product) GROUP BY path"
    " ORDER BY path"
)


@dataclass
class Tally:
    """Counts that wait to be written: a hit shall neither cost a write nor wait for another's long one."""

    _counts: deque[tuple[Any, ...]] = field(default_factory=lambda: deque(maxlen=1000))
    _touched: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=10_000))
    _tried: float = -math.inf
    _pid: int = field(default_factory=os.getpid)

    @property
    def due(self) -> bool:
        """Whether the last try to write is long enough ago."""
        return time.monotonic() - self._tried >= PAUSE

    def add(self, path: str, hit: bool, used: list[tuple[Piece, Interval, int]]) -> None:
        """Count one answer and the stored pieces (with the part used, and its bytes) that it was made from."""
        self._forget_the_parents()
        now = time.time()
        saved = sum(piece.seconds * span.seconds * 1e9 / (piece.stop - piece.start) for piece, span, _ in used)
        octets = sum(one for _, _, one in used)
        self._counts.append((path, int(hit), int(not hit), octets, saved, now))
        self._touched.extend((now, piece.number) for piece, _, _ in used)

    def write(self, database: Database, patience: float = PATIENCE) -> None:
        """Write what waits; it goes on waiting if the database cannot be written now."""
        self._tried = time.monotonic()
        if self._counts and database.file.exists():
            with database.writing(patience) as db:
                self.put(db)

    def put(self, db: sqlite3.Connection) -> None:
        """Write what waits inside a transaction; if that fails at its very end, these counts are lost."""
        self._forget_the_parents()
        db.executemany(_COUNT, _drained(self._counts))
        db.executemany("UPDATE piece SET used = ? WHERE id = ?", _drained(self._touched))

    def _forget_the_parents(self) -> None:
        """Leave to the process we were forked from what waited there, or it would be counted twice."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._counts.clear()
            self._touched.clear()


def _drained(waiting: deque[Any]) -> list[Any]:
    """Take one after the other, because other threads may be adding."""
    taken = []
    with contextlib.suppress(IndexError):
        while True:
            taken.append(waiting.popleft())
    return taken


def show(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Give one row a product, sorted by path."""
    return [
        {"path": path, **_stored(db, path), "hits": hits, "misses": misses, "bytes_served": octets,
         "seconds_saved": saved, "used": format_time(int(used * 1e9))}
        for path, hits, misses, octets, saved, used in db.execute(_PRODUCTS).fetchall()
    ]  # fmt: skip


def totals(db: sqlite3.Connection) -> dict[str, Any]:
    """Give the sums over all products."""
    query = "SELECT total(hits), total(misses), total(bytes_served), total(seconds_saved) FROM product"
    hits, misses, octets, saved = db.execute(query).fetchone()
    entries, stored = db.execute("SELECT count(*), total(bytes) FROM piece").fetchone()
    return {
        "hits": int(hits),
        "misses": int(misses),
        "entries": entries,
        "bytes": int(stored),
        "bytes_served": int(octets),
        "seconds_saved": saved,
    }


def _stored(db: sqlite3.Connection, path: str) -> dict[str, Any]:
    rows = db.execute(f"SELECT whole, start, stop, bytes FROM piece WHERE path = ? AND {VALID}", (path,)).fetchall()
    spans = union(intervals([(start, stop) for whole, start, stop, _ in rows if not whole]))
    return {
        "entries": len(rows),
        "bytes": sum(octets for *_, octets in rows),
        "intervals": [[format_time(int(start)), format_time(int(stop))] for start, stop in spans],
    }
