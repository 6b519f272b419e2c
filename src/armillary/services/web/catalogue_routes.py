"""Routes of the catalogues."""

from typing import Any

from fastapi import APIRouter, Request

from armillary.model import Interval, format_time
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["catalogues"])


@router.get("/catalogues")
def catalogues(request: Request) -> dict[str, Any]:
    """List the catalogues, and the revision that changes with every write so that pages can watch it."""
    store = desk_of(request).catalogues
    found = [
        {"name": one.name, "kind": one.kind, "description": one.description, "tags": list(one.tags)}
        for one in store.catalogues()
    ]
    return {"revision": store.revision(), "catalogues": found}


@router.get("/catalogues/{name}")
def rows(
    request: Request, name: str, start: str | None = None, stop: str | None = None, where: str | None = None
) -> list[dict[str, Any]]:
    """Give the rows of a catalogue that overlap an interval."""
    interval = Interval.of(start, stop) if start and stop else None
    found = desk_of(request).catalogues.rows(name, interval, where)
    return [
        {
            "id": one.id,
            "start": format_time(one.start) if one.start is not None else None,
            "stop": format_time(one.stop) if one.stop is not None else None,
            "class": one.class_,
            "attributes": dict(one.attributes),
        }
        for one in found
    ]
