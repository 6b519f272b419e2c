"""One route: a model of a run says what sources are, of a table of the tree or of one that is sent."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Request as Call
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from armillary.errors import BadData, BadRequest
from armillary.services.object_answers import ObjectAnswers, answers_of, check_sources, told_rows
from armillary.services.object_tables import ObjectTable, objects_of
from armillary.services.uploads import MOST_OCTETS, check_rows, format_of, read_upload
from armillary.services.web.objects_routes import classifier, table_of

router = APIRouter(tags=["objects"])
Share = Annotated[float, Field(ge=0, le=1)]
_AT_ONCE = 500


class ClassifyBody(BaseModel):
    """Which model is asked about what: sources of a table by name, or all of them.

    `table` is the path of a product, or a request as a query.
    """

    model_config = ConfigDict(extra="forbid")
    run: Annotated[str, Field(min_length=1, max_length=100)]
    table: Annotated[str, Field(min_length=1, max_length=2000)]
    ids: list[Annotated[str, Field(max_length=100)] | int] | None = Field(None, max_length=100_000)
    model: Annotated[str, Field(max_length=200)] = ""
    prior: dict[str, Share] = Field(default_factory=dict)


@router.post("/classify", response_model=None)
async def classify(call: Call, run: str = "", model: str = "", prior: str = "") -> StreamingResponse:
    """Classify sources: a JSON body names sources of a table of the tree, any other body is a table.

    A table is sent as ``text/csv``, ``application/vnd.apache.parquet`` or ``application/x-votable+xml``, with `run`,
    and if wanted `model` and `prior` (JSON) in the address. At most 100,000 rows and 64 MB.

    The answer is ``{"run", "model", "classes", "rows": [...]}``, a row ``{"id", "class", "probability",
    "probabilities", "set", "trust", "alpha", "alpha_error", "lada", "check"}``. It is sent row by row; what can go
    wrong is told before the first one.
    """
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        asked = _read(ClassifyBody, await call.body())
        return await run_in_threadpool(_of_tree, call, asked)
    if not run:
        raise BadRequest("no run is named", "add ?run=NAME to the address")
    shares = _read_prior(prior)
    with TemporaryDirectory(prefix="armillary-") as folder:
        path = await _kept(call, Path(folder))
        return await run_in_threadpool(_of_upload, call, path, (run, model, shares))


async def _kept(call: Call, folder: Path) -> Path:
    """Write the body to a file as it comes; it is counted again here, whatever its header says."""
    path, size = folder / f"table.{format_of(call.headers.get('content-type', ''))}", 0
    with path.open("wb") as file:
        async for part in call.stream():
            size += len(part)
            if size > MOST_OCTETS:
                raise BadRequest(f"the table is longer than {MOST_OCTETS} bytes", "send parts")
            file.write(part)
    return path


def _of_tree(call: Call, asked: ClassifyBody) -> StreamingResponse:
    text = asked.table if asked.table.startswith("product=") else f"product={asked.table}"
    table = table_of(call, text)
    if asked.ids is not None:
        if not asked.ids:
            raise BadRequest("ids is empty", "name at least one source, or leave ids out for all")
        rows = table.rows_of([str(one) for one in asked.ids])
        table = objects_of(table.request, [table.data.take(rows)])
    check_rows(len(table))
    return _told(call, table, (asked.run, asked.model, asked.prior))


def _of_upload(call: Call, path: Path, question: tuple[str, str, Mapping[str, float]]) -> StreamingResponse:
    return _told(call, read_upload(path, path.suffix[1:]), question)


def _told(call: Call, table: ObjectTable, question: tuple[str, str, Mapping[str, float]]) -> StreamingResponse:
    name, model, prior = question
    run = classifier(call, name, model)
    try:
        check_sources(table.data)
        told = answers_of(run, table.data, prior=prior)
        rows = told_rows(table, told)
    except BadData as wrong:  # of a table that was sent the sender is the archive
        raise BadRequest(wrong.problem, wrong.next_step) from None
    return StreamingResponse(_lines(name, told, rows), media_type="application/json")


def _lines(name: str, told: ObjectAnswers, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    head = json.dumps({"run": name, "model": told.title, "model_version": told.version, "classes": told.classes})
    yield head[:-1] + ', "rows": [\n'
    held: list[str] = []
    begun = False
    for row in rows:
        held.append(json.dumps(row, allow_nan=False))
        if len(held) == _AT_ONCE:
            yield (",\n" if begun else "") + ",\n".join(held)
            held, begun = [], True
    yield (",\n" if begun and held else "") + ",\n".join(held) + "\n]}\n"


def _read_prior(text: str) -> dict[str, float]:
    if not text:
        return {}
    asked: ClassifyBody = _read(ClassifyBody, f'{{"run": "-", "table": "-", "prior": {text}}}'.encode())
    return asked.prior


def _read(kind: type[ClassifyBody], body: bytes) -> ClassifyBody:
    try:
        return kind.model_validate_json(body)
    except ValidationError as wrong:
        said = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in wrong.errors()[:5])
        raise BadRequest(f"this cannot be asked like this: {said}", "see /openapi.json") from None
