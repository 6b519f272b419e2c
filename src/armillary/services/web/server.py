"""Listening: on loopback unless told otherwise, and with a token as soon as others can reach us."""

import contextlib
import ipaddress
import secrets
import socket
import threading
import webbrowser
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from armillary.errors import BadRequest

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

    from armillary.services.desk import Desk


def serve(
    desk: "Desk", *, host: str = "127.0.0.1", port: int = 0, open_browser: bool = False, origins: Sequence[str] = ()
) -> None:
    """Serve the workbench until it is interrupted; the address is printed when it answers.

    Parameters
    ----------
    host : str
        Address to bind. Anything but loopback is protected by a token that is part of the printed address.
    port : int
        0 takes a free one.
    origins : sequence of str
        See :func:`armillary.services.web.app.build_app`.

    Raises
    ------
    BadRequest
        If the address cannot be bound.
    """
    from armillary.services.web.app import build_app

    token = "" if is_loopback(host) else secrets.token_urlsafe(24)
    app = build_app(desk, token, origins)
    listener = listen(host, port)
    address = _address(host, listener.getsockname()[1], token)
    print(f"Armillary is at {address}", flush=True)  # noqa: T201 - the user waits for this line
    threading.Thread(target=import_module, args=("xarray",), daemon=True).start()  # seconds that nobody need wait for
    if open_browser:
        webbrowser.open(address)
    run(app, listener)


def run(app: "FastAPI", listener: socket.socket) -> None:
    """Answer on a bound socket until it is interrupted; what pages wait for is stopped then."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: "FrameType | None") -> None:
            app.state.tickets.stop_all()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach the address.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Bind an address; from now on who connects waits for us instead of being refused.

    Raises
    ------
    BadRequest
        If it cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay of 40 ms off only where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as broken:
        listener.close()
        why = getattr(broken, "strerror", None) or str(broken)
        raise BadRequest(
            f"the address {host}:{port} cannot be used: {why}", "choose another with --host and --port"
        ) from None
    return listener


def _address(host: str, port: int, token: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
