"""Routes of pictures that move.

A view is asked for by repeated ``request`` texts, each a `Request` as a query.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi import Request as Call
from starlette.responses import JSONResponse, Response, StreamingResponse

from armillary.errors import ArmillaryError, BadRequest, Cancelled, http_status, to_record
from armillary.model import Data, Interval, Product, Progress, Request, parse_time, share
from armillary.model.kinds import TIME_KINDS
from armillary.plots import AT_CURSOR, Band, View, arrange
from armillary.services.cursor import cursor_of, narrowed
from armillary.services.desk import Desk
from armillary.services.events import bands_of
from armillary.services.web.tickets import Ticket
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["view"])
Requests = Annotated[list[str], Query(alias="request", max_length=50)]
Names = Annotated[list[str] | None, Query(alias="catalogue")]
#: Kinds that are drawn on the shared time axis.
_ON_TIME: Final = tuple(kind for kind in (*TIME_KINDS, "events") if kind not in AT_CURSOR)
_EARLIEST, _LATEST = parse_time("1678-01-02"), parse_time("2261-12-30")
#: A product without a given time is first shown for at most so long and so many samples.
_FIRST_SECONDS: Final = 86_400.0
_FIRST_ROWS: Final = 200_000
_FIRST_BYTES: Final = 2**25
#: What one picture may hold in memory.
_MOST_BYTES: Final = 2**30
_TOLD_EVERY: Final = 0.1
_LONGEST_WAIT: Final = 36_000


@dataclass(frozen=True, slots=True)
class Gathered:
    """What could be had for a picture, and what could not, with the text that asked for it."""

    items: list[tuple[Product, Data]] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    problems: list[tuple[str, ArmillaryError]] = field(default_factory=list)

    def told(self) -> list[dict[str, str]]:
        """Say what could not be had."""
        return [to_record(broken) | {"request": text} for text, broken in self.problems]


@router.get("/view")
def view(
    call: Call,
    request: Requests,
    start: str | None = None,
    stop: str | None = None,
    catalogue: Names = None,
    at: str | None = None,
    points: Annotated[int, Query(ge=100, le=100_000)] = 4000,
    margin: Annotated[float, Query(ge=0, le=2)] = 0.0,
    ticket: str = "",
) -> Response:
    """Arrange products in one picture, as the binary record of `armillary.plots.record`.

    Planes and volumes are drawn for the time `at`, without it for the middle of the interval.
    What stands on the time axis comes with a margin on both sides, a part of the interval, so that it can be moved.

    Products and catalogues that fail are left out and told in the header ``X-Armillary-Problems`` (percent-encoded
    JSON); where nothing is left the answer is the first problem, with all of them under ``problems``.
    """
    desk = desk_of(call)
    with call.app.state.tickets.working(ticket) as progress:
        interval = interval_of(desk, request, start, stop)
        wide = _widened(interval, margin)
        cursor = cursor_of(interval, parse_time(at) if at else None)
        asked = {text: partial(_asked, desk, text, interval, wide, cursor) for text in request}
        found = _gather(desk, asked, progress)
        _draw_on(found, desk, catalogue or [], wide)
        if found.problems and not found.items:
            return _nothing(found)
        timed = any(product.kind in _ON_TIME for product, _ in found.items)
        shown = cursor if any(product.kind in AT_CURSOR for product, _ in found.items) else None
        made: View = arrange(found.items, interval=wide if timed else interval, cursor=shown, bands=found.bands)
        headers = {"X-Armillary-Problems": quote(json.dumps(found.told())), "Cache-Control": "no-store"}
        return Response(made.to_bytes(points), media_type="application/octet-stream", headers=headers)


@router.get("/progress/{ticket}")
async def progress(call: Call, ticket: str) -> StreamingResponse:
    """Tell how far a waited-for request is, as server-sent events, until it is done."""
    return StreamingResponse(
        _events(call.app.state.tickets.get(ticket)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


@router.delete("/progress/{ticket}", status_code=204)
def stop(call: Call, ticket: str) -> None:
    """Stop a waited-for request."""
    call.app.state.tickets.get(ticket).stopped = True


def interval_of(desk: Desk, texts: list[str], start: str | None, stop: str | None) -> Interval | None:
    """Give the shown interval: the one asked for, or a first one that is not too long."""
    if bool(start) != bool(stop):
        raise BadRequest("start and stop belong together", "give both, or neither")
    return Interval.of(start, stop) if start and stop else _first_interval(desk, texts)


def within(desk: Desk, text: str, interval: Interval | None) -> Request:
    """Give a request for the shown interval, where time means something for its product."""
    asked = Request.from_query(text)
    product = desk.product(asked.product)
    timed = product.kind in _ON_TIME or product.kind in AT_CURSOR or (product.kind == "raster" and product.coverage)
    if asked.extent.time or not timed:
        return asked
    return replace(asked, extent=replace(asked.extent, time=interval))


async def _events(watched: Ticket) -> AsyncIterator[str]:
    for _ in range(_LONGEST_WAIT):
        told = {"fraction": watched.fraction, "message": watched.message, "done": watched.done}
        yield f"data: {json.dumps(told)}\n\n"
        if watched.done or watched.stopped:
            return
        await asyncio.sleep(_TOLD_EVERY)


def _nothing(found: Gathered) -> Response:
    first = found.problems[0][1]
    told: dict[str, Any] = {**to_record(first), "problems": found.told()}
    return JSONResponse(told, http_status(first))


def _widened(interval: Interval | None, margin: float) -> Interval | None:
    if interval is None:
        return None
    more = round((interval.stop - interval.start) * margin)
    return Interval(max(interval.start - more, _EARLIEST), min(interval.stop + more, _LATEST))


def _asked(desk: Desk, text: str, interval: Interval | None, wide: Interval | None, cursor: int | None) -> Request:
    product = desk.product(Request.from_query(text).product)
    asked = within(desk, text, wide if product.kind in _ON_TIME else interval)
    return narrowed(asked, product, cursor)


def _gather(desk: Desk, asked: Mapping[str, Callable[[], Request]], progress: Progress) -> Gathered:
    """Make what can be made; the others become problems. Only a stop ends all of it."""
    found = Gathered()
    for number, (text, request) in enumerate(asked.items()):
        part = share(progress, number / len(asked), (number + 1) / len(asked))
        part(0.0, "")
        try:
            found.items.append(_make(desk, request(), part))
        except Cancelled:
            raise
        except ArmillaryError as broken:
            found.problems.append((text, broken))
    return found


def _draw_on(found: Gathered, desk: Desk, catalogues: list[str], interval: Interval | None) -> None:
    """Add the events of catalogues."""
    for name in catalogues:
        try:
            found.bands.extend(bands_of(desk.catalogues, [name], interval))
        except ArmillaryError as broken:
            found.problems.append((name, broken))


def _make(desk: Desk, asked: Request, progress: Progress) -> tuple[Product, Data]:
    size = desk.plan(asked).answer.cost.size or 0
    if size > _MOST_BYTES:
        raise BadRequest(
            f"{asked.product} has {size / 1e9:.1f} GB there, too much for one picture", "show a shorter time"
        )
    return desk.product(asked.product), desk.answer(asked, progress)


def _first_interval(desk: Desk, texts: list[str]) -> Interval | None:
    """Choose what is shown first of products without a given time: the beginning, not too long."""
    for text in texts:
        try:
            found = _first_of(desk, Request.from_query(text))
        except ArmillaryError:  # told where its data are asked for
            continue
        if found:
            return found
    return None


def _first_of(desk: Desk, asked: Request) -> Interval | None:
    product = desk.product(asked.product)
    if asked.extent.time or product.coverage is None or product.kind not in TIME_KINDS:
        return asked.extent.time
    span = product.coverage
    cadence = product.cadence or span.seconds / max(product.rows or 1, 1)
    seconds = min(span.seconds, max(_FIRST_SECONDS, 300 * cadence))
    seconds = min(seconds, cadence * _FIRST_ROWS, cadence * max(1.0, _FIRST_BYTES / max(product.row_bytes, 1)))
    return Interval(span.start, min(span.stop, span.start + max(1, round(seconds * 1e9))))
