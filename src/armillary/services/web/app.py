"""The application: routes, errors in words, the page."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary import __version__
from armillary.errors import ArmillaryError, BadRequest, http_status, to_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from armillary.services.desk import Desk

STATIC: Final = Path(__file__).parent / "static"
_PAGES: Final = {
    "/": "index.html",
    "/objects": "objects.html",
    "/embed/objects": "objects.html",
    "/source/{name}": "source.html",
}


def build_app(desk: "Desk", token: str = "", origins: "Sequence[str]" = ()) -> "FastAPI":
    """Put the routes over a desk together.

    Parameters
    ----------
    token : str
        See `armillary.services.web.guard.Guard`.
    origins : sequence of str
        Whose pages may show tables of sources inside theirs, and classify by ours.
    """
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from fastapi.staticfiles import StaticFiles

    from armillary.plots.page import STATIC as RENDERER
    from armillary.services.object_tables import Shelf
    from armillary.services.web import (
        catalogue_routes,
        classify_routes,
        data_routes,
        job_routes,
        labels_routes,
        learn_routes,
        objects_routes,
        proposal_routes,
        samp_routes,
        tree_routes,
        view_routes,
    )
    from armillary.services.web.guard import Guard, check_origin
    from armillary.services.web.tickets import Tickets

    app = FastAPI(title="Armillary", version=__version__, docs_url=None, redoc_url=None)
    app.state.desk, app.state.tickets, app.state.shelf = desk, Tickets(), Shelf()
    parts = (tree_routes, view_routes, data_routes, catalogue_routes, proposal_routes, job_routes, learn_routes)
    for routes in (*parts, objects_routes, labels_routes, classify_routes, samp_routes):
        app.include_router(routes.router, prefix="/api")
    app.add_exception_handler(ArmillaryError, _in_words)
    app.add_exception_handler(RequestValidationError, _badly_asked)
    app.add_exception_handler(Exception, _in_words)
    app.mount("/renderer", StaticFiles(directory=RENDERER), name="renderer")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for place, file in _PAGES.items():
        app.add_route(place, _page(file, "../" * (place.count("/") - 1) or "./"), include_in_schema=False)
    app.add_middleware(Guard, token=token, origins=tuple(map(check_origin, origins)))
    return app


def _page(file: str, up: str) -> "Callable[[Request], Response]":
    """Give a page whose addresses are relative: a server in front of us may have put us under a prefix."""
    from starlette.responses import HTMLResponse

    def answer(_: "Request") -> "Response":
        return HTMLResponse((STATIC / file).read_text("utf-8").replace('="/', f'="{up}'))

    return answer


def _in_words(_: "Request", error: Exception) -> "Response":
    from starlette.responses import JSONResponse

    status = http_status(error) if isinstance(error, ArmillaryError) else 500
    return JSONResponse(to_record(error), status)


def _badly_asked(request: "Request", error: Exception) -> "Response":
    """Say which part of the address was wrong."""
    from fastapi.exceptions import RequestValidationError

    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in wrong)
    return _in_words(request, BadRequest(f"this cannot be asked like this: {said}", "see /openapi.json"))
