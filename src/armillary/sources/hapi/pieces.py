"""A long time in pieces: each answer has a bounded size, and a piece that is too much is asked for in halves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from armillary.errors import BadAnswer, BadExtent
from armillary.model import Interval, Progress, share
from armillary.model.times import NS_PER_SECOND
from armillary.sources.hapi import status
from armillary.sources.hapi.client import Body, Dialect, Server
from armillary.sources.hapi.decode import (
    Columns,
    concatenate,
    decode_binary,
    decode_csv,
    empty,
    looks_like_csv,
    select,
    split_header,
)
from armillary.sources.hapi.info import Column, Info, read_info
from armillary.sources.hapi.times import read_duration

#: Neither longer nor shorter than this many times the piece before.
_GROWTH: Final = 8
_SHORTEST: Final = NS_PER_SECOND // 1000
_DAY: Final = 86_400 * NS_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask a server for, whatever the time.

    Parameters
    ----------
    columns : tuple of Column
        What is wanted, the time first.
    all_columns : bool
        Whether these are all of the dataset, so that no parameter need be named.
    piece_bytes : int
        How many bytes an answer should have.
    """

    server: Server
    dialect: Dialect
    dataset: str
    info: Info
    columns: tuple[Column, ...]
    all_columns: bool
    piece_bytes: int

    @property
    def parameters(self) -> tuple[str, ...]:
        """What to name in the query."""
        return () if self.all_columns else tuple(column.name for column in self.columns[1:])


def bring(question: Question, span: Interval, progress: Progress) -> Columns:
    """Ask for all records of a time interval.

    Parameters
    ----------
    span : Interval
        Half-open; records outside it are dropped, so neighbouring pieces never share one.

    Raises
    ------
    BadExtent
        If even a millisecond is too much for the server.
    SourceDown, SourceFailed, BadAnswer, UnknownProduct, BadRequest
        As the server answers.
    """
    longest = _longest(question.info)
    length = min(_first_length(question), longest)
    pieces: list[Columns] = []
    at = span.start
    while at < span.stop:
        part = Interval(at, min(at + length, span.stop))
        body = _ask(question, part, _progress_of(part, span, progress))
        if body.code == status.TOO_MUCH:
            length = longest = _halved(part, body)
            continue
        if body.code == status.OUTSIDE:
            status.raise_status(body.code, "time outside valid range", body.url)
        pieces.append(decode(question, body, part))
        at = part.stop
        length = min(_next_length(part.stop - part.start, len(body.content), question.piece_bytes), longest)
    progress(1.0, "")
    return concatenate(pieces, question.columns)


def bring_end(question: Question, span: Interval, progress: Progress) -> Columns:
    """Ask for what lies at the very end of the coverage, where strict servers answer that nothing can be."""
    body = _ask(question, span, progress)
    if body.code in {status.OUTSIDE, status.TOO_MUCH}:
        return empty(question.columns)
    return decode(question, body, span)


def decode(question: Question, body: Body, span: Interval) -> Columns:
    """Read one answer: the wanted columns inside the interval.

    Raises
    ------
    BadAnswer
        Naming the dataset and what is wrong.
    """
    header, content = split_header(body.content)
    told, name = header.get("status"), f"{question.dataset!r} from {body.url}"
    code = told.get("code") if isinstance(told, dict) else None
    if isinstance(code, int) and code not in {status.OK, status.NO_DATA}:
        status.raise_status(code, str(told.get("message")) if isinstance(told, dict) else "", body.url)
    if not content:
        return empty(question.columns)
    columns = _columns_of(question, header, name)
    binary = question.dialect.format == "binary" and not looks_like_csv(content, body.headers, columns)
    found = (decode_binary if binary else decode_csv)(content, columns, name)
    return select(found, question.columns, span.start, span.stop)


def _columns_of(question: Question, header: dict[str, object], name: str) -> Sequence[Column]:
    """Give the columns of an answer: those its header tells, else those that were asked for."""
    if not isinstance(header.get("parameters"), list):
        return question.columns
    columns = read_info(header, name).columns
    missing = {one.name for one in question.columns} - {one.name for one in columns}
    if missing:
        raise BadAnswer(f"{name} came without {min(missing)!r}", "refresh the archive's inventory")
    return columns


def _ask(question: Question, span: Interval, progress: Progress) -> Body:
    return question.server.data(
        question.dialect,
        question.dataset,
        question.parameters,
        span,
        8 * question.piece_bytes + 2**20,
        progress,
    )


def _progress_of(part: Interval, span: Interval, progress: Progress) -> Progress:
    whole = span.stop - span.start
    inner = share(progress, (part.start - span.start) / whole, (part.stop - span.start) / whole)
    inner(0.0, f"asking for {part}")
    return inner


def _longest(info: Info) -> int:
    """Give the server's own limit in nanoseconds."""
    limit = read_duration(info.text("maxRequestDuration"))
    return max(int(limit * NS_PER_SECOND), _SHORTEST) if limit else 2**62


def _first_length(question: Question) -> int:
    """Guess how much time fills one piece; a server that states no cadence may have one a second."""
    cadence = read_duration(question.info.text("cadence"))
    row = max(sum(column.record_bytes for column in question.columns), 1)
    length = int(question.piece_bytes / row * (cadence or 1.0) * NS_PER_SECOND)
    return max(length, _SHORTEST if cadence else _DAY)


def _next_length(length: int, got: int, wanted: int) -> int:
    """Correct the guess by what came."""
    grown = _GROWTH * length if not got else int(length * min(max(wanted / got, 1 / _GROWTH), _GROWTH))
    return max(grown, _SHORTEST)


def _halved(part: Interval, body: Body) -> int:
    half = (part.stop - part.start) // 2
    if half < _SHORTEST:
        raise BadExtent(f"even {part} is too much for {body.url}", "ask for one parameter instead of all")
    return half
