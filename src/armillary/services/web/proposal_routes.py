"""Routes of proposals: what a model found, and what a person decides. A row that has changed meanwhile is refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from armillary.catalogues import Entry
from armillary.catalogues.proposals import Decision, decide, open_proposals, take_back
from armillary.errors import BadRequest
from armillary.model import format_time, parse_time
from armillary.services.events import label_of
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["catalogues"])
Versions = Annotated[dict[str, int | None], Field(min_length=1, max_length=10_000)]


class Decided(BaseModel):
    """What a person decided: accept, reject, or mend and leave open.

    `rows` has ids and the versions that the person saw (null where that does not matter).
    """

    model_config = ConfigDict(extra="forbid")
    status: Literal["accepted", "rejected", "proposed"]
    rows: Versions
    start: str | None = Field(None, max_length=100)
    stop: str | None = Field(None, max_length=100)
    class_: str | None = Field(None, alias="class", max_length=200)


class TakenBack(BaseModel):
    """The number of a change that shall be undone."""

    model_config = ConfigDict(extra="forbid")
    change: int


@router.get("/catalogues/{name}/proposals")
def proposals(request: Request, name: str, where: str | None = None) -> dict[str, Any]:
    """Give the open proposals for a catalogue, the first to look at first, and the revision of the store."""
    store = desk_of(request).catalogues
    revision = store.revision()  # first: a change in between is seen at the next look
    return {"revision": revision, "proposals": [_told(one, name) for one in open_proposals(store, name, where)]}


@router.post("/catalogues/{name}/proposals")
def decide_on(request: Request, name: str, body: Decided) -> dict[str, Any]:
    """Accept, reject or mend proposals in one change; 409 if one of them is not as the person saw it."""
    changes = _changes(body)
    if changes and len(body.rows) > 1:
        raise BadRequest("only one proposal is mended at a time", "send one id")
    made = decide(desk_of(request).catalogues, name, body.status, body.rows, changes)
    return _of(made, name)


@router.post("/catalogues/{name}/proposals/undo")
def undo(request: Request, name: str, body: TakenBack) -> dict[str, Any]:
    """Take one decision back; 409 if what it touched was changed since."""
    store = desk_of(request).catalogues
    if body.change not in {one.number for one in store.history(f"{name}.proposals")}:
        raise BadRequest(f"change {body.change} is none of proposals for {name!r}", "send the change that was answered")
    take_back(store, body.change)
    return {"revision": store.revision()}


def _changes(body: Decided) -> Mapping[str, Any]:
    edges = {"start": body.start, "stop": body.stop}
    changes: dict[str, Any] = {key: parse_time(text) for key, text in edges.items() if text is not None}
    return changes | ({"class_": body.class_} if body.class_ is not None else {})


def _of(made: Decision, name: str) -> dict[str, Any]:
    return {"change": made.change, "made": list(made.made), "proposals": [_told(one, name) for one in made.rows]}


def _told(row: Entry, name: str) -> dict[str, Any]:
    edges = {key: None if at is None else format_time(at) for key, at in (("start", row.start), ("stop", row.stop))}
    kept = {key: row.attributes.get(key) for key in ("probability", "trust", "set", "uncertainty", "status")}
    return {
        "id": row.id, "version": row.version, **edges, "ra": row.ra, "dec": row.dec, "source_id": row.source_id,
        "class": row.class_, "label": label_of(row, name), "author": row.author, "model": row.model, **kept,
    }  # fmt: skip
