"""Who may ask: a token where others can reach us, no foreign hosts and pages, and a strict policy for our own page."""

import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from armillary.services.web.server import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "armillary_token"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Bytes of what may be sent: studies and decisions are small.
_LONGEST: Final = 2**20
_HINT: Final = "open the address that `armillary desk` printed"


class Guard:
    """Let a request pass, or answer why not.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    token : str
        What must come as ``?token=``, as a cookie or as ``Authorization: Bearer``; empty on loopback, where instead the
        host name must be one of this machine (a page elsewhere cannot point its own name at us).
    """

    def __init__(self, app: "ASGIApp", token: str = "") -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        problem = _problem(request, self._token)
        given = self._token if request.query_params.get("token") else ""
        if problem is None:
            await self._app(scope, receive, _with_headers(send, given))
            return
        status, said, hint = problem
        refused = JSONResponse({"error": "BadRequest", "problem": said, "next_step": hint}, status)
        await refused(scope, receive, _with_headers(send))


def _with_headers(send: "Send", token: str = "") -> "Send":
    """Add the policy, and the token as a cookie where it came in the address."""
    from starlette.datastructures import MutableHeaders

    async def sender(message: "Message") -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)  # a route may be stricter
            if token:
                headers.append("Set-Cookie", f"{COOKIE}={token}; HttpOnly; Path=/; SameSite=Strict")
        await send(message)

    return sender


def _problem(request: "Request", token: str) -> tuple[int, str, str] | None:
    if token and not _knows(request, token):
        return 401, "this desk needs its token", _HINT
    if not token and not is_loopback(request.url.hostname or ""):
        return 403, f"this desk is not {request.url.hostname!r}", _HINT
    if not _from_our_page(request):
        return 403, "this came from another page", "use the page of the desk itself"
    if request.method not in {"GET", "HEAD"} and not _is_small(request):
        return 413, f"what was sent is longer than {_LONGEST} bytes, or does not say how long it is", "send less"
    return None


def _is_small(request: "Request") -> bool:
    if "transfer-encoding" in request.headers:
        return False
    length = request.headers.get("content-length", "0")
    return length.isdecimal() and int(length) <= _LONGEST


def _knows(request: "Request", token: str) -> bool:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = (request.query_params.get("token"), request.cookies.get(COOKIE), bearer)
    return any(hmac.compare_digest(one.encode(), token.encode()) for one in given if one)


def _from_our_page(request: "Request") -> bool:
    """Say whether no other page asks: browsers tell it with these headers, other clients send none of them."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    linked = request.method == "GET" and request.url.path == "/"
    return linked or request.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
