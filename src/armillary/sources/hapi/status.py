"""HAPI's status codes, and the errors they mean."""

from typing import Final, NoReturn

from armillary.errors import (
    ArmillaryError,
    BadAnswer,
    BadExtent,
    BadRequest,
    SourceDown,
    SourceFailed,
    UnknownProduct,
)

OK: Final = 1200
NO_DATA: Final = 1201
OUTSIDE: Final = 1405
TOO_MUCH: Final = 1408
BAD_FORMAT: Final = 1409

_REFRESH: Final = "refresh the archive's inventory: the server may have changed"
_TIMES: Final = "give times inside the product's coverage, see `armillary tree`"
_LATER: Final = "try again later; what is cached still works"
#: Code -> the error it means and what to do next.
ERRORS: Final[dict[int, tuple[type[ArmillaryError], str]]] = {
    1400: (BadRequest, "check what you ask for, see `armillary tree`"),
    1401: (BadRequest, "tell the maintainer of the server which version of HAPI it should state"),
    1402: (BadExtent, _TIMES),
    1403: (BadExtent, _TIMES),
    1404: (BadExtent, "give a stop later than the start"),
    1405: (BadExtent, _TIMES),
    1406: (UnknownProduct, _REFRESH),
    1407: (UnknownProduct, _REFRESH),
    1408: (BadExtent, "ask for a shorter time"),
    1409: (BadRequest, _REFRESH),
    1410: (BadRequest, _REFRESH),
    1411: (BadRequest, _REFRESH),
    1412: (BadRequest, _REFRESH),
    1413: (BadRequest, _REFRESH),
    1500: (SourceFailed, _LATER),
    1501: (SourceDown, _LATER),
}


def raise_status(code: int, message: str, url: str) -> NoReturn:
    """Raise what a HAPI status code means.

    Raises
    ------
    BadRequest, BadExtent, UnknownProduct, SourceFailed, SourceDown
        By the code; BadAnswer for a code that does not exist.

    Examples
    --------
    >>> raise_status(1406, "unknown dataset id", "https://host/hapi/info?id=x")
    Traceback (most recent call last):
    ...
    armillary.errors.UnknownProduct: HAPI 1406 unknown dataset id, for https://host/hapi/info?id=x. Next step: ...
    """
    family = {14: 1400, 15: 1500}.get(code // 100, 0)
    kind, next_step = ERRORS.get(code) or ERRORS.get(family) or (BadAnswer, "tell the maintainer of the server")
    raise kind(f"HAPI {code} {message[:300]}, for {url}", next_step)


def raise_http(status: int, body: bytes, url: str) -> NoReturn:
    """Raise what an HTTP status without a HAPI status means.

    Raises
    ------
    SourceDown, SourceFailed, BadAnswer
    """
    said = f"HTTP {status} for {url}"
    if status in {429, 503}:
        raise SourceDown(f"the server is busy: {said}", _LATER)
    if status in {401, 403}:
        raise SourceFailed(f"the server refuses: {said}", "check that you may use it, and the login in its URL")
    if status >= 500:
        raise SourceFailed(f"the server failed: {said}", _LATER)
    raise BadAnswer(f"{said}: {start_of(body)!r}", "check that the URL is that of a HAPI server and ends in /hapi")


def start_of(body: bytes) -> str:
    """Give the first characters of an answer, for a message."""
    return " ".join(body[:120].decode("utf-8", "replace").split())[:80]
