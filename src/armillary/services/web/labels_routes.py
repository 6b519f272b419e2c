"""Routes of what a person decides on tables of sources: labels, training on them, what the runs found, files."""

import base64
import binascii
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter
from fastapi import Request as Call
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from armillary.catalogues import Store
from armillary.catalogues.labels import label
from armillary.catalogues.proposals import take_back
from armillary.errors import BadParameter, BadRequest
from armillary.services import object_training as training
from armillary.services.object_answers import with_answers
from armillary.services.object_report import report_of
from armillary.services.runs import run_folder, submit_study
from armillary.services.web.objects_routes import answered, table_of
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["objects"])
Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Base64 of one bit a row, the first row in the lowest bit of the first octet.
Bits = Annotated[str, Field(max_length=200_000)]


class LabelBody(BaseModel):
    """Sources (bits of their rows, or their names) that get a class in a catalogue."""

    model_config = ConfigDict(extra="forbid")
    request: Text
    catalogue: Name
    class_: Name = Field(alias="class")
    rows: Bits = ""
    ids: list[Name] = Field(default_factory=list, max_length=20_000)
    author: Annotated[str, Field(max_length=100)] = ""


class UndoBody(BaseModel):
    """A change of labels that shall be taken back by who made it."""

    model_config = ConfigDict(extra="forbid")
    catalogue: Name
    change: int
    author: Annotated[str, Field(max_length=100)] = ""


class TrainBody(BaseModel):
    """Labels that a study shall learn, and the run whose study it shall be like."""

    model_config = ConfigDict(extra="forbid")
    request: Text
    catalogue: Name
    name: Name
    base: Annotated[str, Field(max_length=100)] = ""


class FileBody(BaseModel):
    """Sources that are written to a file: some rows (bits) or all, with the answers of a run or without."""

    model_config = ConfigDict(extra="forbid")
    request: Text
    ending: Literal["vot", "parquet", "csv", "fits"]
    run: Annotated[str, Field(max_length=100)] = ""
    rows: Bits = ""
    link: Annotated[str, Field(max_length=20_000)] = ""


@router.get("/objects/labels")
def labels(call: Call, request: str, catalogue: str) -> dict[str, Any]:
    """Give the labels that a catalogue has for sources of a table: rows, and the code of the class of each."""
    found = training.labels_of(desk_of(call).catalogues, catalogue, table_of(call, request))
    classes, codes = found.codes()
    return {"classes": classes, "rows": found.rows.tolist(), "codes": codes}


@router.post("/objects/labels")
def give_label(call: Call, body: LabelBody) -> dict[str, Any]:
    """Give sources a class, as one change; it can be undone by its number."""
    table = table_of(call, body.request)
    if bool(body.rows) == bool(body.ids):
        raise BadRequest("sources are named by rows or by ids", "send one of them")
    if not table.identity:
        raise BadRequest("the rows of this table have no names", "label a table with source_id")
    rows = rows_of_bits(body.rows, len(table)) if body.rows else table.rows_of(body.ids)
    if len(rows) > training.MOST_LABELS:
        problem = f"{len(rows):,} sources are more than one label takes"
        raise BadRequest(problem, f"select at most {training.MOST_LABELS:,}")
    store = _store(call, body.author)
    made = label(store, body.catalogue, training.entries_of(table, rows), body.class_.strip())
    return {"change": made.change, "added": made.added, "changed": made.changed, "revision": store.revision()}


@router.post("/objects/labels/undo")
def undo(call: Call, body: UndoBody) -> dict[str, Any]:
    """Take one label back; 409 if what it touched was changed since."""
    store = _store(call, body.author)
    take_back(store, body.change)
    return {"revision": store.revision()}


@router.post("/objects/train", status_code=202)
def train(call: Call, body: TrainBody) -> dict[str, Any]:
    """Learn the labels of a catalogue as a job, told by ``/jobs/NUMBER``; the run can then be asked about the table."""
    from armillary.learn.folder import read_run

    desk, table = desk_of(call), table_of(call, body.request)
    found = training.labels_of(desk.catalogues, body.catalogue, table)
    base = read_run(run_folder(desk.home, body.base))["study"] if body.base else None
    asked = training.study_for(desk, table, found, body.name, base)
    return {"job": submit_study(desk, asked, body.name), "run": body.name, "rows": len(found.rows)}


@router.get("/objects/report")
def report(call: Call, run: str) -> dict[str, Any]:
    """Tell what a run found: `armillary.services.object_report.report_of`."""
    return report_of(run_folder(desk_of(call).home, run))


@router.post("/objects/file")
def file(call: Call, body: FileBody) -> FileResponse:
    """Write sources to a file, with UCDs, units and where they come from; with a run also its answers."""
    from armillary.sources import write

    table = table_of(call, body.request)
    rows = rows_of_bits(body.rows, len(table)) if body.rows else None
    told = answered(call, body.request, table, body.run) if body.run else None
    data = with_answers(desk_of(call), table, told, rows, body.link)
    name = f"{table.request.product.rpartition('/')[2]}.{body.ending}"
    folder = TemporaryDirectory(prefix="armillary-")
    written = write(data, Path(folder.name) / name)
    return FileResponse(written, filename=name, background=BackgroundTask(folder.cleanup))


def rows_of_bits(text: str, count: int) -> "np.ndarray[Any, np.dtype[Any]]":
    """Read rows from the base64 of their bits.

    Raises
    ------
    BadParameter
        If it is no base64, or has not one bit for each row of the table.
    """
    try:
        octets = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except (ValueError, binascii.Error):
        raise BadParameter("rows are no base64", "send one bit a row, the first row in the lowest bit") from None
    if len(octets) != -(-count // 8):
        problem = f"{8 * len(octets)} bits are not the {count} rows of the table"
        raise BadParameter(problem, "load the page again: the table has changed")
    return np.flatnonzero(np.unpackbits(octets, bitorder="little")[:count])


def _store(call: Call, author: str) -> Store:
    store = desk_of(call).catalogues
    if author and not author.isprintable():
        raise BadParameter(f"{author!r} is no name of an author", "give a name")
    return Store(store.path, author) if author else store
