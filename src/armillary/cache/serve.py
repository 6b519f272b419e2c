"""The cache of one home: what was fetched once is not fetched again."""

import hashlib
import json
import logging
import sqlite3
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from armillary.cache import claims, pieces
from armillary.cache.claims import Claim
from armillary.cache.database import Database, drop
from armillary.cache.entries import pack
from armillary.cache.neighbours import keep
from armillary.cache.pieces import Entry, Piece
from armillary.cache.tally import Tally, show, totals
from armillary.errors import BadData, DamagedFile
from armillary.model import Data, Extent, Interval, Product, Progress, Request, share, silent
from armillary.model.kinds import TIME_KINDS, check
from armillary.model.times import format_time
from armillary.science.intervals import intersect, intervals, subtract, union

Fetch = Callable[[Request, Progress], Data]
T = TypeVar("T")

LIMIT: Final = 20 * 2**30
#: The span of an entry that is kept as one.
WHOLE: Final = Interval(0, 1)
#: Seconds between two looks at whether another has finished.
_PAUSES: Final = (0.01, 0.02, 0.05, 0.1)
_LOG: Final = logging.getLogger("armillary.cache")


@dataclass(slots=True)
class _Part:
    """Data of one stretch of the answer; held in memory, so that no eviction can take it away."""

    span: Interval
    data: Data
    piece: Piece | None = None


@dataclass
class _Answer:
    """What of an answer is there already."""

    entry: Entry
    parts: list[_Part] = field(default_factory=list)

    @property
    def missing(self) -> list[Interval]:
        have = intervals([(one.span.start, one.span.stop) for one in self.parts])
        span = self.entry.span
        rows = subtract(intervals([(span.start, span.stop)]), have)
        return [Interval(int(start), int(stop)) for start, stop in rows]

    @property
    def data(self) -> Data:
        from armillary.science.join import join

        ordered = sorted(self.parts, key=lambda one: one.span.start)
        return ordered[0].data if len(ordered) == 1 else join([one.data for one in ordered])

    def share(self, progress: Progress, hole: Interval) -> Progress:
        """Give a fetch its part of the bar: what it covers of the whole span."""
        length = self.entry.span.seconds
        done = 1 - sum(one.seconds for one in self.missing) / length
        return share(progress, done, done + hole.seconds / length)


class Cache:
    """What was fetched once, in one SQLite file; cheap to open, safe for threads and for several processes at once.

    Parameters
    ----------
    folder : Path
        Where the file is; made when first needed. Not on a network file system.
    limit : int
        Bytes of compressed data to keep; beyond it what was not used for the longest time goes.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.limit = limit
        self._database = Database(folder)
        self._tally = Tally()
        # also at the end of the program, where nobody may have closed it
        weakref.finalize(self, _finish, self._database, self._tally)

    def serve(self, product: Product, request: Request, fetch: Fetch, progress: Progress = silent) -> Data:
        """Give the data of a request, fetching only what is not stored, and store that.

        Parameters
        ----------
        product : Product
            With ``keep`` False it is fetched and not stored.
        request : Request
            For series, spectrograms, distributions and packets with a time extent only the holes are fetched, one
            call a hole; everything else is kept as one entry by exact key.
        fetch : callable
            Called with the same request, its time extent being the hole; may bring more than asked for.
        progress : callable
            May raise `Cancelled`; what was stored until then stays.

        Returns
        -------
        Dataset or Table
            Exactly the samples with start <= t < stop, sorted; an entry kept as one is given as it was fetched.

        Notes
        -----
        A part that another thread or process is fetching is waited for, and fetched here if the other fails or dies.
        If the cache cannot be read or written the answer comes from `fetch`, with a warning in the log.
        """
        if not product.keep:
            return fetch(request, progress)
        entry = entry_of(product, request)
        answer = _Answer(entry)
        fetched = tries = 0
        while self._still_missing(answer):
            claim = self._claim(answer)
            if claim is None:
                progress(0.0, f"waiting for {product.path}, which another is fetching")
                time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
                tries += 1
                continue
            with claim:
                answer.parts.append(self._bring(answer, claim.interval, product, request, fetch, progress))
            fetched, tries = fetched + 1, 0
        self._count(answer, hit=not fetched)
        return answer.data

    def read(self, product: Product, request: Request) -> "Data | None":
        """Give the data of a request if all of it is stored, else None."""
        answer = _Answer(entry_of(product, request))
        if self._still_missing(answer):
            return None
        self._count(answer, hit=True)
        return answer.data

    def stored(self, product: Product, request: Request) -> list[Interval]:
        """Say which part of the request's time is stored: sorted, neither overlapping nor touching."""
        entry = entry_of(product, request)
        if entry.whole:
            return []
        rows = _look(self._database, lambda db: pieces.covered(db, entry), intervals([]))
        inside = intersect(rows, intervals([(entry.span.start, entry.span.stop)])) if len(rows) else rows
        return [Interval(int(start), int(stop)) for start, stop in union(inside)]

    def has(self, product: Product, request: Request) -> bool:
        """Say whether all of a request is stored."""
        entry = entry_of(product, request)
        return bool(_look(self._database, lambda db: not pieces.free(db, entry, entry.span), default=False))

    def show(self) -> list[dict[str, Any]]:
        """Give for each product its path, entries, bytes, intervals, hits, misses, last use and seconds saved."""
        _write_counts(self._database, self._tally, patience=1.0)
        with self._database.reading() as db:
            return show(db)

    def totals(self) -> dict[str, Any]:
        """Give hits, misses, entries, bytes, bytes served and seconds saved of the whole cache."""
        _write_counts(self._database, self._tally, patience=1.0)
        with self._database.reading() as db:
            return totals(db)

    def clear(self, pattern: str = "*") -> int:
        """Forget what is stored of the products whose path fits a pattern, ``local/mms1/*``; say how many entries.

        The counts of hits and misses stay.
        """
        with self._database.writing() as db:
            rows = db.execute("SELECT id FROM piece WHERE path GLOB ?", (pattern,)).fetchall()
            drop(db, [number for (number,) in rows])
        self._database.give_back()
        return len(rows)

    def verify(self, progress: Progress = silent) -> list[dict[str, Any]]:
        """Check every stored byte; damaged entries are dropped and given as rows with path, start, stop and problem."""
        with self._database.reading() as db:
            rows = db.execute("SELECT id, path, whole, start, stop FROM piece ORDER BY path, start").fetchall()
        bad = []
        for done, (number, path, whole, start, stop) in enumerate(rows):
            progress(done / len(rows), f"checking {path}")
            with self._database.reading() as db:
                problem = pieces.problem(db, number)
            if problem:
                bad.append({"path": path, **_times(whole, start, stop), "problem": problem})
                _drop(self._database, number)
        return bad

    def close(self) -> None:
        """Write the counts and close the file; it opens again when it is needed."""
        _finish(self._database, self._tally)

    def _still_missing(self, answer: _Answer) -> list[Interval]:
        """Read into the answer what is stored of its missing parts and give the rest; damaged pieces are dropped."""
        damaged: list[Piece] = []
        missing = answer.missing

        def read(db: sqlite3.Connection) -> list[_Part]:
            return [
                part for piece in pieces.find(db, answer.entry) for part in _read(db, answer, piece, missing, damaged)
            ]

        answer.parts += _look(self._database, read, [])
        for piece in damaged:
            _LOG.warning("a damaged part of %s was dropped from the cache", answer.entry.path)
            _drop(self._database, piece.number)
        return answer.missing

    def _claim(self, answer: _Answer) -> Claim | None:
        alone: Claim | None = Claim(answer.missing[0], self._database)
        return _attempt(lambda: claims.take(self._database, answer.entry.key, answer.missing), alone)

    def _bring(
        self, answer: _Answer, hole: Interval, product: Product, request: Request, fetch: Fetch, progress: Progress
    ) -> _Part:
        from armillary.science.trim import trim

        entry = answer.entry
        part = request if entry.whole else replace(request, extent=replace(request.extent, time=hole))
        begun = time.perf_counter()
        data = check(product.kind, fetch(part, answer.share(progress, hole)), product.path)
        seconds = time.perf_counter() - begun
        if not entry.whole:
            data = trim(data, Extent(time=hole))
        _attempt(lambda: self._keep(entry, hole, data, seconds), None)
        return _Part(hole, data)

    def _keep(self, entry: Entry, span: Interval, data: Data, seconds: float) -> None:
        """Store a piece in one transaction; only what nobody else stored meanwhile."""
        from armillary.science.trim import trim

        blocks = pack(data, pieces.name(entry, span.start, span.stop))
        if pieces.size(blocks) > self.limit:
            _LOG.warning("%s is larger than the whole cache and is not kept", entry.path)
            return
        with self._database.writing() as db:
            # first what was used until now, because it decides what makes room
            self._tally.put(db)
            left = pieces.free(db, entry, span)
            if left == [span]:
                keep(db, entry, span, blocks, seconds, self.limit)
        for hole in left if left != [span] else ():
            self._keep(entry, hole, trim(data, Extent(time=hole)), seconds * hole.seconds / span.seconds)

    def _count(self, answer: _Answer, *, hit: bool) -> None:
        used = [(one.piece, one.span, one.data.nbytes) for one in answer.parts if one.piece]
        self._tally.add(answer.entry.path, hit, used)
        if self._tally.due:
            _write_counts(self._database, self._tally, patience=0.0)


def open_cache(home: Path) -> Cache:
    """Open the cache of a home folder."""
    return Cache(home / "cache")


def entry_of(product: Product, request: Request) -> Entry:
    """Say under which key, and for which span, the answer to a request is kept."""
    span = request.extent.time if product.kind in TIME_KINDS and not product.whole else None
    extent = request.extent.without("time") if span else request.extent
    what = {
        "product": product.path,
        "version": product.version,
        "params": dict(request.params),
        "extent": extent.to_record(),
        "whole": span is None,
    }
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return Entry(hashlib.sha256(text.encode()).hexdigest(), product.path, span or WHOLE, span is None)


def _read(
    db: sqlite3.Connection, answer: _Answer, piece: Piece, missing: Sequence[Interval], damaged: list[Piece]
) -> list[_Part]:
    spans = [span for hole in missing if (span := piece.overlap(hole))]
    try:
        return [_Part(span, pieces.read(db, answer.entry, piece, span), piece) for span in spans]
    except DamagedFile:
        damaged.append(piece)
        return []


def _finish(database: Database, tally: Tally) -> None:
    """Write the counts that wait and close the file."""
    _write_counts(database, tally, patience=5.0)
    database.close()


def _write_counts(database: Database, tally: Tally, patience: float) -> None:
    _attempt(lambda: tally.write(database, patience), None, quietly=True)


def _times(whole: Any, start: Any, stop: Any) -> dict[str, str]:
    """Write the times of a row that may be damaged itself."""
    try:
        first, last = ("", "") if whole else (format_time(start), format_time(stop))
    except (TypeError, ValueError, OverflowError):
        first, last = "", ""
    return {"start": first, "stop": last}


def _drop(database: Database, number: int) -> None:
    def action() -> None:
        with database.writing() as db:
            drop(db, [number])

    _attempt(action, None)


def _look(database: Database, action: Callable[[sqlite3.Connection], T], default: T) -> T:
    def reading() -> T:
        with database.reading() as db:
            return action(db)

    return _attempt(reading, default)


def _attempt(action: Callable[[], T], default: T, *, quietly: bool = False) -> T:
    """Do something with the file; if that fails say so and go on without: an answer is worth more than its copy."""
    try:
        return action()
    except (sqlite3.Error, OSError, BadData, UnicodeDecodeError) as broken:
        level = logging.DEBUG if quietly else logging.WARNING
        _LOG.log(level, "the cache cannot be used, the answer comes from the source: %s", broken)
        return default
