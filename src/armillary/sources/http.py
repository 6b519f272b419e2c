"""The one place that talks HTTP: time limits, retries, byte limits, and errors as our own.

Only http and https; certificates are always checked; redirects are few and never from https to http. A login in a URL
(``https://me:secret@host/``) is sent as Basic authentication and never shown in a message or a log.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit, urlunsplit

from armillary.errors import BadAnswer, BadRequest, CannotWrite, SourceDown
from armillary.model.protocols import Progress, silent

if TYPE_CHECKING:
    import ssl

    import httpx

#: Statuses that mean "later": asked again after a pause.
BUSY: Final = (429, 502, 503, 504)
#: How many bytes an answer that is kept in memory may have.
LIMIT: Final = 256 * 2**20
_REDIRECTS: Final = 5
_WAIT: Final = "try again later; what is cached or recorded still works"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, all in seconds.

    Parameters
    ----------
    connect, read : float
        For a connection, and for the next bytes of an answer.
    whole : float
        For one whole answer, so that a server that drips cannot hold us for ever.
    tries : int
        How often a busy server (429, 502, 503, 504) is asked; a broken answer is asked for twice.
    pause, longest_pause : float
        The first pause before asking again, doubled each time, and its limit (also for what the server wishes).
    """

    connect: float = 5.0
    read: float = 30.0
    whole: float = 900.0
    tries: int = 3
    pause: float = 0.5
    longest_pause: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is sent with a URL.

    Parameters
    ----------
    form : mapping of str to str
        Fields of a form, sent by POST.
    files : mapping of str to (str, bytes, str)
        Files of a form: name of the file, octets, media type.
    headers : mapping of str to str
        Sent to the host of the URL only.
    again : bool
        Whether it may be asked again where the answer broke off; not if the question itself does something.
    """

    method: str = "GET"
    query: Mapping[str, str] | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes, str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    again: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer.

    Parameters
    ----------
    url : str
        As asked, without a login.
    headers : mapping of str to str
        With lower-case names.
    too_long : bool
        It had more bytes than allowed; its body was not kept.
    landed : str
        Where redirects led to.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    too_long: bool = False
    landed: str = ""


class _CutShort(Exception):
    """The connection broke while an answer was on its way; worth one more try."""


@dataclass(slots=True)
class _Received:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    too_long: bool = False
    landed: str = ""


def shown(url: str) -> str:
    """Give a URL as it may be shown: without a login.

    Examples
    --------
    >>> shown("https://me:secret@host.org/hapi")
    'https://host.org/hapi'
    """
    return _without_login(url)[0]


@contextmanager
def open_client(patience: Patience) -> "Iterator[httpx.Client]":
    """Open a client whose connections are kept and that may be used from threads."""
    import httpx

    limits = httpx.Timeout(patience.read, connect=patience.connect, pool=patience.whole)
    with httpx.Client(
        verify=_certificates(),
        timeout=limits,
        follow_redirects=True,
        max_redirects=_REDIRECTS,
        headers={"user-agent": "armillary"},
        event_hooks={"response": [_refuse_downgrade]},
        # a proxy of the environment cannot know our loopback
        mounts={"all://127.0.0.1": None, "all://localhost": None},
    ) as client:
        yield client


def ask(
    client: "httpx.Client",
    url: str,
    query: Mapping[str, str] | None = None,
    *,
    patience: Patience,
    limit: int = LIMIT,
    progress: Progress = silent,
) -> Answer:
    """Get one answer into memory, whatever its status.

    Parameters
    ----------
    client : httpx.Client
        From `open_client`.
    limit : int
        Bytes kept at most; a longer answer is marked ``too_long`` and not read further.

    Raises
    ------
    SourceDown
        No connection, or no answer in time.
    BadAnswer
        The connection broke twice, or too many redirects.
    BadRequest
        The URL is not one of http or https.
    """
    return send(client, url, Question(query=query), patience=patience, limit=limit, progress=progress)


def send(
    client: "httpx.Client",
    url: str,
    question: Question,
    *,
    patience: Patience,
    limit: int = LIMIT,
    progress: Progress = silent,
    sink: BinaryIO | None = None,
) -> Answer:
    """Ask by any method and get one answer, whatever its status.

    Parameters
    ----------
    sink : file, optional
        Where the body of the answer goes, from its beginning; else it is kept in memory.

    Raises
    ------
    SourceDown, BadAnswer, BadRequest
        As `ask`.
    """
    import io

    kept = io.BytesIO()
    received = _persist(client, url, question, sink or kept, limit, patience, progress)
    body = b"" if received.too_long else kept.getvalue()
    asked = shown(_with_query(url, question.query))
    return Answer(asked, received.status, received.headers, body, received.too_long, received.landed)


def download(
    client: "httpx.Client",
    url: str,
    path: Path,
    *,
    patience: Patience,
    limit: int = 64 * 2**30,
    progress: Progress = silent,
) -> Path:
    """Get one file; it appears at `path` only when it is whole.

    Raises
    ------
    SourceDown, BadAnswer, BadRequest
        As `ask`; also BadAnswer if the status is not 200 or the file is longer than `limit` bytes.
    CannotWrite
        If the folder cannot take it.
    """
    aside = _new_file_beside(path)
    try:
        with aside.open("wb") as sink:
            received = _persist(client, url, Question(), sink, limit, patience, progress)
            sink.flush()
            os.fsync(sink.fileno())
        _require_whole(received, url, limit)
        aside.replace(path)
    except OSError as broken:
        raise CannotWrite(f"cannot write {path.name}: {broken}", "make room or choose another folder") from broken
    finally:
        aside.unlink(missing_ok=True)
    return path


def _persist(
    client: "httpx.Client",
    url: str,
    question: Question,
    sink: BinaryIO,
    limit: int,
    patience: Patience,
    progress: Progress,
) -> _Received:
    """Ask until there is an answer that is whole and not "later", or patience ends."""
    broken = 0
    for attempt in range(1, patience.tries + 2):
        sink.seek(0)
        sink.truncate()
        try:
            received = _once(client, url, question, sink, limit, patience, progress)
        except _CutShort as cut:
            broken += 1
            if broken > 1 or not question.again:
                raise BadAnswer(f"{_host(url)} broke off its answer{' twice' * question.again}: {cut}", _WAIT) from cut
            continue
        if received.status not in BUSY or attempt >= patience.tries:
            return received
        _sleep(_pause(received.headers.get("retry-after", ""), attempt, patience), progress)
    return received


def _once(
    client: "httpx.Client",
    url: str,
    question: Question,
    sink: BinaryIO,
    limit: int,
    patience: Patience,
    progress: Progress,
) -> _Received:
    bare, login = _without_login(url)
    with _our_errors(url, patience):
        began = time.monotonic()
        with client.stream(question.method, bare, auth=login, **_parts(question)) as response:
            headers = {k.lower(): v for k, v in response.headers.items()}
            received = _Received(response.status_code, headers, landed=str(response.url))
            expected = int(received.headers.get("content-length", "0")) or limit
            # without a size, so that a few bytes at a time are seen as they come
            for piece in response.iter_bytes():
                sink.write(piece)
                got = sink.tell()
                progress(min(got / expected, 1.0), f"{got / 1e6:.1f} MB from {_host(url)}")
                if got > limit:
                    received.too_long = True
                    return received
                if time.monotonic() - began > patience.whole:
                    raise SourceDown(f"{_host(url)} took more than {patience.whole:g} s for one answer", _WAIT)
    return received


def _parts(question: Question) -> dict[str, Any]:
    asked = {
        "params": question.query and dict(question.query),
        "data": dict(question.form),
        "files": dict(question.files),
        "headers": dict(question.headers),
    }
    return {name: value for name, value in asked.items() if value}


@contextmanager
def _our_errors(url: str, patience: Patience) -> Iterator[None]:
    """Turn what httpx raises into our tree; its messages never hold the login, since it never sees it in a URL."""
    import httpx

    host = _host(url)
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as wrong:
        raise BadRequest(f"{shown(url)!r} cannot be asked: {wrong}", "give a URL with http or https") from wrong
    except (httpx.ConnectTimeout, httpx.PoolTimeout) as slow:
        raise SourceDown(f"no connection to {host} within {patience.connect:g} s", _WAIT) from slow
    except httpx.TimeoutException as slow:
        raise SourceDown(f"{host} sent nothing for {patience.read:g} s", _WAIT) from slow
    except httpx.TooManyRedirects as endless:
        raise BadAnswer(f"{host} redirects more than {_REDIRECTS} times", "check the URL of the server") from endless
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as cut:
        raise _CutShort(str(cut) or type(cut).__name__) from cut
    except httpx.TransportError as down:
        raise SourceDown(f"no connection to {host}: {down}", "check the network and the URL of the server") from down


@cache
def _certificates() -> "ssl.SSLContext":
    """Load the certificates once: it takes longer than a small answer."""
    import httpx

    return httpx.create_ssl_context()


def _refuse_downgrade(response: "httpx.Response") -> None:
    target = response.headers.get("location", "")
    if response.request.url.scheme == "https" and target.lower().startswith("http:"):
        host = response.request.url.host
        raise BadAnswer(f"{host} redirects from https to http", "ask its maintainer, or give the new address")


def _require_whole(received: _Received, url: str, limit: int) -> None:
    if received.too_long:
        raise BadAnswer(f"{shown(url)} is longer than {limit} bytes", "raise the limit if you expect that")
    if received.status != 200:
        raise BadAnswer(f"{shown(url)} was answered with status {received.status}", "check the URL")


def _new_file_beside(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    except OSError as broken:
        raise CannotWrite(f"cannot write to {path.parent.name}: {broken}", "choose another folder") from broken
    os.close(handle)
    return Path(name)


def _pause(wish: str, attempt: int, patience: Patience) -> float:
    """Seconds to wait: what the server wishes, else doubling; never more than the limit."""
    wished = float(wish) if wish.strip().isdigit() else 0.0
    return min(max(wished, patience.pause * 2.0 ** (attempt - 1)), patience.longest_pause)


def _sleep(seconds: float, progress: Progress) -> None:
    """Wait in small steps, so that a user who stops is heard."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        progress(0.0, "the server is busy, asking again soon")
        time.sleep(min(left, 0.2))


def _without_login(url: str) -> tuple[str, tuple[str, str] | None]:
    try:
        parts = urlsplit(url)
        login = (parts.username or "", parts.password or "") if "@" in parts.netloc else None
    except ValueError as wrong:
        raise BadRequest(f"the URL of the server is not one: {wrong}", "give a URL with http or https") from wrong
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), login


def _with_query(url: str, query: Mapping[str, str] | None) -> str:
    return f"{url}?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else url


def _host(url: str) -> str:
    return urlsplit(shown(url)).netloc or shown(url)
