"""SAMP, the messages by which TOPCAT, Aladin and others on one machine pass tables to each other: sending.

A table is served by a small server on loopback under an address that cannot be guessed, until every receiver has said
that it has it. See `armillary.services.samp_inbox` for receiving.
"""

import secrets
import shutil
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import quote

from armillary.errors import BadAnswer, BadRequest, MissingExtra, SourceDown

TABLE: Final = "table.load.votable"
ROW: Final = "table.highlight.row"
#: Seconds that a receiver has for loading a table.
PATIENCE: Final = 120
_LOOPBACK: Final = "127.0.0.1"
_NO_HUB: Final = "start TOPCAT or Aladin (each brings a hub along) and try again"


@dataclass(frozen=True, slots=True)
class Program:
    """A program on the hub: how the hub calls it, and how people do."""

    id: str
    name: str


def send_table(path: Path, name: str, to: str = "", *, patience: int = PATIENCE) -> tuple[str, ...]:
    """Give a VOTable to the programs that take tables, and return their names once they have it.

    Parameters
    ----------
    path : Path
        A VOTable; it is not needed any more afterwards.
    name : str
        What the receivers shall call the table.
    to : str
        Part of the name of the program, in any case: ``topcat``, ``aladin``; all if empty.
    patience : int
        Seconds for each.

    Raises
    ------
    SourceDown
        If no hub runs.
    BadRequest
        If no such program is there.
    BadAnswer
        If a program says that it could not load the table, or says nothing.
    """
    with connected("Armillary") as client, served(path, name) as url:
        message = {"samp.mtype": TABLE, "samp.params": {"url": url, "name": name, "table-id": f"armillary-{name}"}}
        receivers = _receivers(client, to)
        for one in receivers:
            _deliver(client, one, message, patience)
    return tuple(one.name for one in receivers)


@contextmanager
def connected(name: str, *, callable_: bool = False) -> Iterator[Any]:
    """Open a client on the hub of this user.

    Raises
    ------
    SourceDown
        If no hub runs.
    """
    library = load()
    about = {"samp.name": name, "samp.description.text": "the workbench for the data of space missions"}
    # The library would ask a web site whether there is a network, to find a name of this machine: loopback will do.
    with library.conf.set_temp("use_internet", False):
        client = library.SAMPIntegratedClient(name, metadata=about, addr=_LOOPBACK, callable=callable_)
        try:
            client.connect()
        except (library.SAMPHubError, OSError, KeyError) as absent:
            raise SourceDown("no SAMP hub is running here", _NO_HUB) from absent
    try:
        yield client
    finally:
        _disconnect(client)


def load() -> ModuleType:
    """Import the library: pyvo has it, astropy had it before version 9.

    Raises
    ------
    MissingExtra
    """
    try:
        import pyvo.samp as library

        if hasattr(library, "SAMPIntegratedClient"):
            return library  # type: ignore[no-any-return]
    except ImportError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import astropy.samp as older
    except ImportError:
        raise MissingExtra("SAMP needs pyvo", "pip install 'armillary[gaia]'") from None
    return older  # type: ignore[no-any-return]


@contextmanager
def served(path: Path, name: str = "table") -> Iterator[str]:
    """Serve one file on loopback, under an address that cannot be guessed."""
    place = f"/{secrets.token_urlsafe(24)}/{quote(name, safe='')}.vot"

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            if not secrets.compare_digest(self.path.encode(), place.encode()):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/x-votable+xml")
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            if with_body:
                with path.open("rb") as file:
                    shutil.copyfileobj(file, self.wfile)

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer((_LOOPBACK, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    try:
        yield f"http://{_LOOPBACK}:{server.server_address[1]}{place}"
    finally:
        server.shutdown()
        server.server_close()


def programs(client: Any, mtype: str = TABLE) -> list[Program]:
    """List the programs that take a kind of message."""
    found = [Program(one, _name_of(client, one)) for one in client.get_subscribed_clients(mtype)]
    return sorted(found, key=lambda one: (one.name, one.id))


def _receivers(client: Any, to: str) -> list[Program]:
    there = programs(client)
    if not there:
        raise BadRequest("no program on the SAMP hub takes tables", "start TOPCAT or Aladin and try again")
    wanted = [one for one in there if to.lower() in one.name.lower()]
    if not wanted:
        raise BadRequest(f"no program {to!r} is on the SAMP hub", f"there are: {', '.join(one.name for one in there)}")
    return wanted


def _deliver(client: Any, to: Program, message: Mapping[str, Any], patience: int) -> None:
    library = load()
    try:
        reply = client.call_and_wait(to.id, message, str(patience))
    except (library.SAMPProxyError, OSError) as silent:
        hint = "look at its window, or send fewer rows"
        raise BadAnswer(f"{to.name} did not say that it has the table: {_said(silent)}", hint) from silent
    if reply.get("samp.status") != library.SAMP_STATUS_OK:
        why = reply.get("samp.error", {}).get("samp.errortxt", "no reason")
        raise BadAnswer(f"{to.name} could not load the table: {str(why)[:300]}", "look at its window")


def _said(error: BaseException) -> str:
    return str(getattr(error, "faultString", "") or error)[:300]


def _name_of(client: Any, one: str) -> str:
    return str(client.get_metadata(one).get("samp.name", one))[:80]


def _disconnect(client: Any) -> None:
    library = load()
    try:
        if client.is_connected:
            client.disconnect()
        else:  # the library does not take leave for clients that cannot be called
            client.client.unregister()
            client.hub.disconnect()
    except (library.SAMPClientError, library.SAMPHubError, library.SAMPProxyError, OSError):
        return  # the hub has gone first
