"""The pieces of entries in the database: find, read, keep, make room. Every function runs inside a transaction."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from armillary.cache.database import VALID, drop
from armillary.cache.entries import HEADER, Block, Reader, header, unpack
from armillary.errors import BadData, DamagedFile
from armillary.model import Data, Interval
from armillary.science.intervals import Intervals, intervals, subtract

T = TypeVar("T")

_BLOCKS: Final = (
    "SELECT part, first, rows, crc, blob FROM block"
    " WHERE piece = ? AND level = 0 AND part = ? AND first < ? AND first + rows > ? ORDER BY first"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What all pieces of one question share.

    Parameters
    ----------
    key : str
        SHA-256 of product, version, parameters and the extent without time.
    path : str
        Path of the product.
    span : Interval
        The time that is asked for; ``WHOLE`` where the answer is kept as one.
    whole : bool
        Whether it is one entry that cannot be cut in time.
    """

    key: str
    path: str
    span: Interval
    whole: bool


class Piece(NamedTuple):
    """One stored piece: its number, what it covers, and the seconds that its fetch took."""

    number: int
    start: int
    stop: int
    seconds: float

    def overlap(self, span: Interval) -> Interval | None:
        """Give what of `span` it covers."""
        return Interval(self.start, self.stop) & span


def find(db: sqlite3.Connection, entry: Entry) -> list[Piece]:
    """Give the pieces that overlap the entry's span, in time order."""
    overlap = "key = ? AND start < ? AND stop > ?"
    query = f"SELECT id, start, stop, seconds FROM piece WHERE {overlap} AND {VALID} ORDER BY start"
    return [Piece(*row) for row in db.execute(query, (entry.key, entry.span.stop, entry.span.start))]


def covered(db: sqlite3.Connection, entry: Entry) -> Intervals:
    """Give the stored intervals that overlap the entry's span."""
    return intervals([(one.start, one.stop) for one in find(db, entry)])


def read(db: sqlite3.Connection, entry: Entry, piece: Piece, part: Interval) -> Data:
    """Read what of a piece lies inside `part`; only the blocks that overlap are decompressed.

    Raises
    ------
    DamagedFile
        If a checksum is wrong, blocks are missing, or the piece is not what its row says.
    """
    record, reader = opened(db, entry, piece)
    return guarded(lambda: unpack(record, reader, None if entry.whole else part))


def opened(db: sqlite3.Connection, entry: Entry, piece: Piece) -> tuple[dict[str, Any], Reader]:
    """Give the header of a piece and the reader of its blocks.

    Raises
    ------
    DamagedFile
        If the piece is not what its row says.
    """
    reader = _reader(db, piece.number)
    record = _header(reader)
    if record["name"] != name(entry, piece.start, piece.stop):
        raise _damaged("its row and its header differ")
    return record, reader


def name(entry: Entry, start: int, stop: int) -> dict[str, Any]:
    """Say which piece a header belongs to, so that a damaged row cannot pass it off as another."""
    return {"key": entry.key, "whole": entry.whole, "start": start, "stop": stop}


def insert(db: sqlite3.Connection, entry: Entry, span: Interval, blocks: list[Block], seconds: float) -> None:
    """Store a piece."""
    row = (entry.key, entry.path, entry.whole, span.start, span.stop, size(blocks), seconds, time.time())
    values = "(key, path, whole, start, stop, bytes, seconds, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    number = db.execute(f"INSERT INTO piece {values}", row).lastrowid
    db.executemany(
        "INSERT INTO block (piece, level, part, first, rows, crc, blob) VALUES (?, 0, ?, ?, ?, ?, ?)",
        ((number, one.part, one.first, one.rows, one.check, one.blob) for one in blocks),
    )


def free(db: sqlite3.Connection, entry: Entry, span: Interval) -> list[Interval]:
    """Give what of `span` is not stored (another may have stored it after this owner was taken for dead)."""
    rows = subtract(intervals([(span.start, span.stop)]), covered(db, entry))
    return [Interval(int(start), int(stop)) for start, stop in rows]


def make_room(db: sqlite3.Connection, needed: int, limit: int) -> None:
    """Drop the pieces that were not used for the longest time until `needed` bytes more stay within `limit`."""
    excess = int(db.execute("SELECT total(bytes) FROM piece").fetchone()[0]) + needed - limit
    if excess <= 0:
        return
    gone = []
    for number, octets in db.execute("SELECT id, CAST(bytes AS INTEGER) FROM piece ORDER BY used, id"):
        gone.append(number)
        excess -= octets
        if excess <= 0:
            break
    drop(db, gone)


def size(blocks: list[Block]) -> int:
    """Count the bytes of blocks."""
    return sum(len(one.blob) for one in blocks)


def problem(db: sqlite3.Connection, number: int) -> str:
    """Say what is wrong with a stored piece, "" if nothing is; reads and checks all its blocks.

    Memory: what the piece holds.
    """
    row = db.execute(f"SELECT key, whole, start, stop, {VALID} FROM piece WHERE id = ?", (number,)).fetchone()
    if row is None:
        return ""
    key, whole, start, stop, valid = row
    if not valid:
        return "an entry of the cache is damaged: its row cannot be true"
    entry = Entry(key, "", Interval(0, 1), bool(whole))
    try:
        read(db, entry, Piece(number, start, stop, 0.0), Interval(start, stop))
    except (DamagedFile, BadData) as broken:
        return broken.problem
    return ""


def _reader(db: sqlite3.Connection, number: int) -> Callable[[int, int, int], Iterator[Block]]:
    def blocks(part: int, first: int, stop: int) -> Iterator[Block]:
        for where, begin, rows, crc, blob in db.execute(_BLOCKS, (number, part, stop, first)):
            block = Block(where, begin, rows, blob)
            if not isinstance(blob, bytes) or block.check != crc:
                raise _damaged("a checksum is wrong")
            yield block

    return blocks


def _header(reader: Callable[[int, int, int], Iterator[Block]]) -> dict[str, Any]:
    found = list(reader(HEADER, 0, 1))
    if len(found) != 1:
        raise _damaged("its header is missing")
    return header(found[0])


def guarded(action: Callable[[], T]) -> T:
    """Turn whatever a header that does not fit its blocks causes into `DamagedFile`."""
    try:
        return action()
    except (KeyError, IndexError, TypeError, ValueError) as broken:
        if isinstance(broken, DamagedFile):
            raise
        raise _damaged(f"{type(broken).__name__}: {broken}") from broken


def _damaged(why: str) -> DamagedFile:
    return DamagedFile(f"an entry of the cache is damaged: {why}", "it is fetched again; see `armillary cache verify`")
