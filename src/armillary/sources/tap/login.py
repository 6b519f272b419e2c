"""Who we are to a service: from the environment, never from a URL, and sent to its own host only."""

import base64
import os
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from armillary.errors import BadRequest

_NEAR: Final = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Login:
    """What is sent so that a service knows us; nothing for most.

    Parameters
    ----------
    url : str
        Of the service; nobody else is told.
    secret : str
        The header's text; never shown.
    """

    url: str
    secret: str = field(default="", repr=False)

    def headers(self, url: str) -> dict[str, str]:
        """Give the headers for a question to `url`."""
        if not self.secret or _origin(url) != _origin(self.url):
            return {}
        return {"authorization": self.secret}


def login_of(name: str, url: str) -> Login:
    """Read the login of a service from ``ARMILLARY_TAP_<NAME>_TOKEN``, or ``_USER`` and ``_PASSWORD``.

    Raises
    ------
    BadRequest
        If it would go over the net in the clear.
    """
    place = f"ARMILLARY_TAP_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
    token, user = os.environ.get(f"{place}_TOKEN", ""), os.environ.get(f"{place}_USER", "")
    if not token and not user:
        return Login(url)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _NEAR:
        raise BadRequest(f"the login for {name} would go to {parts.hostname} unprotected", "use a URL with https")
    pair = f"{user}:{os.environ.get(f'{place}_PASSWORD', '')}"
    return Login(url, f"Bearer {token}" if token else f"Basic {base64.b64encode(pair.encode()).decode()}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
