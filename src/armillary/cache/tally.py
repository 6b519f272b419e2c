"""What the cache was good for: hits, misses, bytes and seconds, per product."""

import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any, Final

from armillary.cache.database import PATIENCE, VALID, Database
from armillary.cache.pieces import Piece
from armillary.model import Interval
from armillary.model.times import format_time
from armillary.science.intervals import intervals, union

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
    """Counts that wait to be written, because a hit shall not wait for another's long write."""

    _counts: list[tuple[Any, ...]] = field(default_factory=list)
    _touched: list[tuple[float, int]] = field(default_factory=list)

    def add(self, path: str, hit: bool, used: list[tuple[Piece, Interval, int]]) -> None:
        """Count one answer and the stored pieces (with the part used, and its bytes) that it was made from."""
        now = time.time()
        saved = sum(piece.seconds * span.seconds * 1e9 / (piece.stop - piece.start) for piece, span, _ in used)
        octets = sum(one for _, _, one in used)
        self._counts.append((path, int(hit), int(not hit), octets, saved, now))
        self._touched += [(now, piece.number) for piece, _, _ in used]

    def write(self, database: Database, patience: float = PATIENCE) -> None:
        """Write what waits; it goes on waiting if the database cannot be written now."""
        counts, self._counts = self._counts, []
        touched, self._touched = self._touched, []
        if not counts:
            return
        try:
            with database.writing(patience) as db:
                db.executemany(_COUNT, counts)
                db.executemany("UPDATE piece SET used = ? WHERE id = ?", touched)
        except (sqlite3.Error, OSError):
            # bounded, for a cache that can never be written
            self._counts = (counts + self._counts)[-1000:]
            self._touched = (touched + self._touched)[-1000:]
            raise


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
