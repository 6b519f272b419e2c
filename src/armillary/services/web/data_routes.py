"""Routes of plans and files."""

from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter
from fastapi import Request as Call
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from armillary.errors import BadRequest
from armillary.model import Request
from armillary.services.web.tree_routes import desk_of
from armillary.services.web.view_routes import Names, Requests, interval_of, within

router = APIRouter(tags=["data"])


@router.get("/plan")
def plan(call: Call, request: str) -> dict[str, object]:
    """Say what a request needs and costs, and whether it is in the cache."""
    desk = desk_of(call)
    made = desk.plan(Request.from_query(request))
    answer = made.answer
    return made.to_record() | {"cached": desk.cache.has(answer.product, answer.request)}


@router.get("/file")
def file(call: Call, request: str, ending: str, ticket: str = "") -> FileResponse:
    """Give the data of a request as a file; the ending is one that `armillary get` knows."""
    from armillary.sources import check_path, write

    asked = Request.from_query(request)
    name = f"{asked.product.rpartition('/')[2]}.{ending.lstrip('.')}"
    if "/" in name or name.endswith(".zarr"):
        raise BadRequest(f"{ending!r} is not one file", "use nc, csv, parquet, cdf, vot, fits or tif")
    check_path(name)
    with call.app.state.tickets.working(ticket) as progress:
        folder = TemporaryDirectory(prefix="armillary-")
        written = write(desk_of(call).blocks(asked, progress), Path(folder.name) / name)
    return FileResponse(written, filename=name, background=BackgroundTask(folder.cleanup))


@router.get("/figure")
def figure(
    call: Call,
    request: Requests,
    ending: str = "png",
    start: str | None = None,
    stop: str | None = None,
    at: str | None = None,
    catalogue: Names = None,
    ticket: str = "",
) -> FileResponse:
    """Give a picture as .png, .svg, .pdf or .html."""
    from armillary.plots import check_ending, save

    name = f"armillary.{ending.lstrip('.')}"
    if "/" in name:
        raise BadRequest(f"{ending!r} is not the ending of a file", "use png, svg, pdf or html")
    check_ending(Path(name))
    desk = desk_of(call)
    with call.app.state.tickets.working(ticket) as progress:
        interval = interval_of(desk, request, start, stop)
        asked = [within(desk, text, interval) for text in request]
        picture = desk.view(asked, progress, at=at, catalogues=catalogue or ())
        folder = TemporaryDirectory(prefix="armillary-")
        written = save(picture, Path(folder.name) / name)
    return FileResponse(written, filename=name, background=BackgroundTask(folder.cleanup))
