"""The route by which a page sends what it shows to TOPCAT or Aladin on the machine of the desk."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Request as Call
from pydantic import BaseModel, ConfigDict, Field

from armillary.errors import BadRequest
from armillary.model import Request
from armillary.services.sending import Thing, send
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["samp"])


class SampBody(BaseModel):
    """What shall be sent, a request as in addresses or a catalogue, and to whom."""

    model_config = ConfigDict(extra="forbid")
    request: Annotated[str, Field(max_length=20_000)] = ""
    catalogue: Annotated[str, Field(max_length=500)] = ""
    to: Annotated[str, Field(max_length=80)] = ""
    ticket: Annotated[str, Field(max_length=200)] = ""


@router.post("/samp")
def samp(call: Call, body: SampBody) -> dict[str, list[str]]:
    """Send a table to the programs on the SAMP hub and name those that have it now."""
    if bool(body.request) == bool(body.catalogue):
        raise BadRequest("one thing can be sent", "give either a request or a catalogue")
    thing = Thing(Request.from_query(body.request) if body.request else None, body.catalogue)
    with call.app.state.tickets.working(body.ticket) as progress:
        return {"sent": list(send(desk_of(call), thing, body.to, progress))}
