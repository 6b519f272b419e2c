"""Small pieces that touch become one, so that no answer is made of very many."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from armillary.cache.database import VALID, drop
from armillary.cache.entries import HEADER, Block, Reader, alike, concatenate, header, weight
from armillary.cache.pieces import Entry, Piece, guarded, insert, make_room, name, opened, size
from armillary.errors import DamagedFile
from armillary.model import Interval

#: Two pieces that touch become one if that takes no more bytes in memory than this.
SMALL: Final = 2**18
#: A piece made of several is no larger than this part of the whole cache, so that eviction stays fine-grained.
_SHARE: Final = 8

_ROW: Final = f"SELECT bytes, id, start, stop, seconds FROM piece WHERE key = ? AND {VALID}"


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A piece that is about to be stored, and the rows that it takes the place of."""

    span: Interval
    blocks: list[Block]
    seconds: float
    instead_of: tuple[int, ...] = ()


def keep(db: sqlite3.Connection, entry: Entry, span: Interval, blocks: list[Block], seconds: float, limit: int) -> None:
    """Store a piece, as one with its small neighbours; what was not used for the longest time makes room.

    Costs at most the reading and writing of `SMALL` bytes on either side more than the piece itself.
    """
    fresh = _united(db, entry, _Fresh(span, blocks, seconds), limit)
    drop(db, list(fresh.instead_of))
    make_room(db, size(fresh.blocks), limit)
    insert(db, entry, fresh.span, fresh.blocks, fresh.seconds)


def _united(db: sqlite3.Connection, entry: Entry, fresh: _Fresh, limit: int) -> _Fresh:
    if entry.whole or size(fresh.blocks) > SMALL:
        return fresh
    before = f"{_ROW} AND start < ? ORDER BY start DESC LIMIT 1"
    after = f"{_ROW} AND start = ?"
    for query, edge in ((before, fresh.span.start), (after, fresh.span.stop)):
        for octets, *row in db.execute(query, (entry.key, edge)).fetchall():
            more = _with(db, entry, fresh, Piece(*row)) if octets <= SMALL else None
            if more and size(more.blocks) <= limit // _SHARE:
                fresh = more
    return fresh


def _with(db: sqlite3.Connection, entry: Entry, fresh: _Fresh, piece: Piece) -> _Fresh | None:
    """Put a piece and its neighbour together; None if they do not touch, differ, are large or damaged."""
    if piece.stop != fresh.span.start and piece.start != fresh.span.stop:
        return None
    span = Interval(min(piece.start, fresh.span.start), max(piece.stop, fresh.span.stop))
    try:
        blocks = guarded(
            lambda: _joined(_of(fresh.blocks), opened(db, entry, piece), name(entry, span.start, span.stop))
        )
    except DamagedFile:
        # who reads it drops it
        return None
    if blocks is None:
        return None
    return _Fresh(span, blocks, fresh.seconds + piece.seconds, (*fresh.instead_of, piece.number))


def _joined(
    fresh: tuple[dict[str, Any], Reader], stored: tuple[dict[str, Any], Reader], name: dict[str, Any]
) -> list[Block] | None:
    first, last = sorted((fresh, stored), key=lambda one: int(one[0]["name"]["start"]))
    if not alike(first[0], last[0]) or weight(first[0]) + weight(last[0]) > SMALL:
        return None
    return concatenate(first, last, name)


def _of(blocks: list[Block]) -> tuple[dict[str, Any], Reader]:
    """Read blocks that are not stored yet like those of a piece."""
    record = next(header(one) for one in blocks if one.part == HEADER)
    return record, lambda part, first, stop: [
        one for one in blocks if one.part == part and one.first < stop and one.first + one.rows > first
    ]
