"""Routes of studies and their runs: what takes long is a job, told by ``/jobs/NUMBER``."""

import base64
import re
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from armillary.errors import ArmillaryError, BadRequest, to_record
from armillary.services import runs
from armillary.services.remote_studies import check_name, remote_study
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["learn"])
#: A card is a page of its own: it runs nothing, sends nothing, loads nothing.
_CARD: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'"
}
_FIGURE: Final = re.compile(r"[A-Za-z0-9_-]{1,80}\.png")
_IMAGE: Final = re.compile(r'<img src="figures/([A-Za-z0-9_-]{1,80}\.png)"')
Text = Annotated[str, Field(max_length=500)]
Texts = Annotated[list[Text], Field(max_length=50)]


class StudyBody(BaseModel):
    """A study that shall be run: its text, or the same as plain values."""

    model_config = ConfigDict(extra="forbid")
    name: Text
    toml: str = Field("", max_length=200_000)
    study: dict[str, Any] | None = None


class ApplyBody(BaseModel):
    """What a model is applied to, and where the answers go."""

    model_config = ConfigDict(extra="forbid")
    to: Text = Field(min_length=1)
    products: Texts = Field(default_factory=list)
    columns: dict[str, Text] = Field(default_factory=dict)
    start: Text | None = None
    stop: Text | None = None
    model: Text = ""
    classes: Texts = Field(default_factory=list)
    least: float = Field(0.0, ge=0, le=1)
    prior: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


class ProposeBody(ApplyBody):
    """The same for proposals."""

    count: int = Field(20, ge=1, le=1000)
    by: str = Field("uncertain", pattern="^(uncertain|probable)$")


@router.post("/studies", status_code=202, response_model=None)
def run_study(request: Request, body: StudyBody) -> dict[str, Any] | Response:
    """Run a study as a job; a study that cannot be run is told with status 422 before anything begins."""
    desk = desk_of(request)
    if bool(body.toml) == (body.study is not None):
        raise BadRequest("a study is given as toml or as study", "give one of them")
    try:
        check_name(body.name)
        asked = remote_study(desk, body.toml or body.study or {}, body.name)
    except ArmillaryError as wrong:
        return JSONResponse(to_record(wrong), 422)
    return {"job": runs.submit_study(desk, asked, body.name), "run": body.name}


@router.get("/runs")
def list_runs(request: Request) -> list[dict[str, Any]]:
    """List the runs of this home, the newest first, with those that are under way."""
    return runs.list_runs(desk_of(request).home)


@router.get("/runs/{name}")
def tell_run(request: Request, name: str) -> dict[str, Any]:
    """Tell about a run: warnings first, then its tables."""
    return runs.tell_run(desk_of(request).home, name)


@router.get("/runs/{name}/metrics")
def metrics(request: Request, name: str) -> dict[str, Any]:
    """Give all numbers of a run."""
    from armillary.learn.folder import read_metrics

    return read_metrics(runs.run_folder(desk_of(request).home, name))


@router.get("/runs/{name}/card")
def card(request: Request, name: str) -> HTMLResponse:
    """Give the card of a run as one page with its pictures inside."""
    folder = runs.run_folder(desk_of(request).home, name)
    text = (folder / "card.html").read_text("utf-8")
    return HTMLResponse(_IMAGE.sub(lambda found: _image(folder, found), text), headers=_CARD)


@router.get("/runs/{name}/figures/{figure}")
def figure(request: Request, name: str, figure: str) -> FileResponse:
    """Give a picture of a run."""
    found = runs.run_folder(desk_of(request).home, name) / "figures" / figure
    if not _FIGURE.fullmatch(figure) or not found.is_file():
        raise BadRequest(f"the run {name!r} has no figure {figure[:80]!r}", f"see /api/runs/{name}")
    return FileResponse(found, media_type="image/png")


@router.post("/runs/{name}/apply", status_code=202)
def apply(request: Request, name: str, body: ApplyBody) -> dict[str, Any]:
    """Apply the model of a run to products as a job; what it finds becomes rows of a catalogue."""
    return {"job": runs.submit_apply(desk_of(request), name, body.to, body.model_dump())}


@router.post("/runs/{name}/propose", status_code=202)
def propose(request: Request, name: str, body: ProposeBody) -> dict[str, Any]:
    """Let the model of a run propose labels as a job; they become rows of ``TO.proposals``."""
    return {"job": runs.submit_propose(desk_of(request), name, body.to, body.model_dump())}


def _image(folder: Path, found: "re.Match[str]") -> str:
    file = folder / "figures" / found[1]
    if not file.is_file():
        return found[0]
    return f'<img src="data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"'
