"""Routes of tables of sources: all rows of one as a binary message, one source with its energy distribution."""

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from fastapi import Request as Call
from starlette.responses import Response

from armillary.model import Progress, Request, silent
from armillary.services.object_answers import ObjectAnswers, answers_message, answers_of, load_classifier, runs_for
from armillary.services.object_sources import tell_source
from armillary.services.object_tables import ObjectTable, message_of, read_objects, stamp
from armillary.services.runs import run_folder, runs_folder
from armillary.services.web.tree_routes import desk_of

if TYPE_CHECKING:
    from armillary.learn.trained import Run

router = APIRouter(tags=["objects"])
_BINARY: Final = "application/octet-stream"


@router.get("/objects")
def objects(call: Call, request: str, ticket: str = "") -> Response:
    """Give a table of sources as one binary message, see `armillary.services.object_tables.message_of`.

    The answer has an ETag; whoever sends it back gets 304 as long as the table is the same.
    """
    with call.app.state.tickets.working(ticket) as progress:
        table = table_of(call, request, progress)
        product = desk_of(call).product(table.request.product)
        message = message_of(table, product.title or product.path)
    return tagged(call, message, _BINARY)


@router.get("/objects/source")
def source(call: Call, request: str, id: str) -> dict[str, Any]:  # noqa: A002 - the name in the address
    """Tell all about one source of a table: columns, energy distribution, what that says."""
    table = table_of(call, request)
    return tell_source(table, int(table.rows_of([id])[0]))


@router.get("/objects/runs")
def runs(call: Call, request: str) -> list[dict[str, Any]]:
    """List the runs whose model can be asked about this table."""
    table = table_of(call, request)
    return runs_for(runs_folder(desk_of(call).home), table.data.column_names)


@router.get("/objects/answers")
def answers(call: Call, request: str, run: str, ticket: str = "") -> Response:
    """Ask the model of a run about all sources: `armillary.services.object_answers.answers_message`, with an ETag."""
    table = table_of(call, request)
    with call.app.state.tickets.working(ticket) as progress:
        message = answers_message(answered(call, request, table, run, progress))
    return tagged(call, message, _BINARY)


def classifier(call: Call, name: str, model: str = "") -> "Run":
    """Give a model of a run; the last few are kept in memory."""
    folder = run_folder(desk_of(call).home, name)
    key = f"{folder} {model} {(folder / 'run.json').stat().st_mtime_ns}"
    made: Run = call.app.state.shelf.get(key, lambda: load_classifier(folder, model))
    return made


def answered(call: Call, request: str, table: ObjectTable, name: str, progress: Progress = silent) -> ObjectAnswers:
    """Give what a run says of a table; the last answers are kept in memory."""
    folder = run_folder(desk_of(call).home, name)
    stamped = f"{folder} {(folder / 'run.json').stat().st_mtime_ns} {Request.from_query(request).key}"
    made: ObjectAnswers = call.app.state.shelf.get(
        stamped, lambda: answers_of(classifier(call, name), table.data, progress=progress)
    )
    return made


def table_of(call: Call, text: str, progress: Progress = silent) -> ObjectTable:
    """Give the table that a request asks for; the last few are kept in memory."""
    desk, asked = desk_of(call), Request.from_query(text)
    key = f"{asked.key} {desk.product(asked.product).version}"
    made: ObjectTable = call.app.state.shelf.get(key, lambda: read_objects(desk, asked, progress))
    return made


def tagged(call: Call, message: bytes, kind: str) -> Response:
    """Answer with an ETag, or 304 if the asker has it already."""
    tag = f'"{stamp(message)}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in call.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(message, media_type=kind, headers=headers)
