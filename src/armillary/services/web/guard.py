"""Who may ask: a token where others can reach us, no foreign hosts and pages, and a strict policy for our own page."""

import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from armillary.errors import BadRequest
from armillary.services.uploads import MOST_OCTETS
from armillary.services.web.server import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "armillary_token"
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Bytes of what may be sent: studies and decisions are small.
_LONGEST: Final = 2**20
#: What pages of allowed origins may ask; a table may be sent there, and the programs that put our page into another.
CLASSIFY: Final = "/api/classify"
_EMBED: Final = "/embed/objects"
_SHARED: Final = frozenset({CLASSIFY, "/static/armillary-objects.js"})
#: Holds nothing of the desk, so that a page can load it without the token.
_OPEN: Final = frozenset({"/static/armillary-objects.js"})
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
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
    origins : tuple of str
        Origins (``https://archive.example``) whose pages may show ours at ``/embed/objects`` and ask `CLASSIFY`.
    """

    def __init__(self, app: "ASGIApp", token: str = "", origins: tuple[str, ...] = ()) -> None:
        self._app = app
        self._token = token
        self._origins = origins

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        from starlette.requests import Request
        from starlette.responses import JSONResponse, Response

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        shared = _headers_for(request, self._origins)
        if request.method == "OPTIONS" and "Access-Control-Allow-Origin" in shared:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, _with_headers(send, shared))
            return
        problem = _problem(request, self._token, self._origins)
        if problem is None:
            given = self._token if request.query_params.get("token") else ""
            await self._app(scope, receive, _with_headers(send, shared | _cookie(request, given)))
            return
        status, said, hint = problem
        refused = JSONResponse({"error": "BadRequest", "problem": said, "next_step": hint}, status)
        await refused(scope, receive, _with_headers(send, shared))


def check_origin(text: str) -> str:
    """Give an origin back as browsers write it.

    Raises
    ------
    BadRequest
        If it is none: scheme, host and if needed port, and nothing more.

    Examples
    --------
    >>> check_origin("https://Archive.example/")
    'https://archive.example'
    """
    parts = urlsplit(text.strip().rstrip("/").lower())
    plain = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in {"http", "https"} or not _ORIGIN.fullmatch(plain) or urlsplit(text.rstrip("/")).path:
        raise BadRequest(f"{text!r} is no origin", "give one like https://archive.example")
    return plain


def _headers_for(request: "Request", origins: tuple[str, ...]) -> dict[str, str]:
    """Give the policy for an address: who may show it, and who may read it."""
    path, origin = request.url.path, request.headers.get("origin", "")
    policy = _POLICY
    if path == _EMBED and origins:
        policy = policy.replace("frame-ancestors 'self'", f"frame-ancestors 'self' {' '.join(origins)}")
    headers = _HEADERS | {"Content-Security-Policy": policy}
    if path in _SHARED and origins:
        headers |= {"Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Origin"}
        headers |= {"Access-Control-Allow-Origin": origin} if origin in origins else {}
    return headers


def _cookie(request: "Request", token: str) -> dict[str, str]:
    """Keep the token that came in the address; inside another page only a partitioned cookie comes back to us."""
    if not token:
        return {}
    inside = request.url.path == _EMBED
    where = "SameSite=None; Secure; Partitioned" if inside else "SameSite=Strict"
    return {"Set-Cookie": f"{COOKIE}={token}; HttpOnly; Path=/; {where}"}


def _with_headers(send: "Send", given: Mapping[str, str]) -> "Send":
    """Add headers; a route may have stricter ones."""
    from starlette.datastructures import MutableHeaders

    async def sender(message: "Message") -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in given.items():
                headers.setdefault(name, value)
        await send(message)

    return sender


def _problem(request: "Request", token: str, origins: tuple[str, ...]) -> tuple[int, str, str] | None:
    if token and request.url.path not in _OPEN and not _knows(request, token):
        return 401, "this desk needs its token", _HINT
    if not token and not is_loopback(request.url.hostname or ""):
        return 403, f"this desk is not {request.url.hostname!r}", _HINT
    if not _from_our_page(request) and not _from_guest(request, origins):
        return 403, "this came from another page", "use the page of the desk itself"
    most = MOST_OCTETS if request.url.path == CLASSIFY else _LONGEST
    if request.method not in {"GET", "HEAD"} and not _is_small(request, most):
        return 413, f"what was sent is longer than {most} bytes, or does not say how long it is", "send less"
    return None


def _from_guest(request: "Request", origins: tuple[str, ...]) -> bool:
    """Say whether a page of an allowed origin asks for what such pages may have."""
    path, origin = request.url.path, request.headers.get("origin")
    if path == _EMBED and request.method == "GET" and origins:
        return origin is None or origin in origins  # the browser itself sees that nobody else frames it
    return path in _SHARED and origin in origins


def _is_small(request: "Request", most: int) -> bool:
    if "transfer-encoding" in request.headers:
        return False
    length = request.headers.get("content-length", "0")
    return length.isdecimal() and int(length) <= most


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
