"""From an archive, a value, to its source, a client."""

import hashlib
import math
import os
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from armillary.errors import BadRequest
from armillary.model import Archive, Source

if TYPE_CHECKING:
    from armillary.sources.http import Patience


def connect(archive: Archive, state: Path) -> Source:
    """Make the source of an archive; nothing is opened or asked yet.

    Parameters
    ----------
    archive : Archive
        Protocol "folder", "hapi", "tap" or, for a mission's own source, ``package.module:Class``.
    state : Path
        Folder in which the source may keep what it knows between runs.

    Raises
    ------
    BadRequest
        If there is no such protocol.
    """
    if archive.protocol == "folder":
        from armillary.sources.folder import FolderSource

        return FolderSource("local", Path(archive.address), _index_of(archive.address, state))
    if archive.protocol == "hapi":
        from armillary.sources.hapi import HapiSource

        return HapiSource(archive.name, archive.address, state / "hapi" / archive.name, patience=_patience())
    if archive.protocol == "tap":
        from armillary.sources.tap import TapSource

        return TapSource(archive.name, archive.address, state / "tap" / archive.name, patience=_patience())
    module, colon, name = archive.protocol.partition(":")
    if not colon:
        raise BadRequest(f"there is no protocol {archive.protocol!r}", "use folder, hapi or tap")
    source: Source = getattr(import_module(module), name)(archive, state)
    return source


def _index_of(folder: str, state: Path) -> Path:
    """Give each folder an index of its own: the paths in an index are relative to its folder."""
    place = state / "folders"
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{hashlib.sha256(folder.encode()).hexdigest()[:16]}.sqlite"


def _patience() -> "Patience":
    """Say how long to wait for servers; ``ARMILLARY_TIMEOUT`` may give the seconds without any answer."""
    from armillary.sources.http import Patience

    text = os.environ.get("ARMILLARY_TIMEOUT", "")
    if not text:
        return Patience()
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 86_400:
        raise BadRequest(f"ARMILLARY_TIMEOUT={text} is not a time", "give seconds, such as 30")
    usual = Patience()
    return replace(usual, connect=min(seconds, usual.connect), read=seconds, pause=min(seconds / 10, usual.pause))


def check_url(text: str) -> str:
    """Give the URL of a server without a slash at its end.

    Raises
    ------
    BadRequest
        If it is not an http or https URL.
    """
    url = text.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadRequest(f"{text!r} is not the URL of a server", "write it like https://cdaweb.gsfc.nasa.gov/hapi")
    return url


def name_from_url(url: str) -> str:
    """Give a short name for a server.

    Examples
    --------
    >>> name_from_url("https://cdaweb.gsfc.nasa.gov/hapi"), name_from_url("https://hapi-server.org/servers/SSCWeb/hapi")
    ('cdaweb', 'sscweb')
    """
    parts = urlsplit(url)
    words = [word for word in parts.path.split("/") if word and word.lower() not in {"hapi", "tap"}]
    host = [word for word in str(parts.hostname).split(".") if word not in {"www", "hapi", "tap"}]
    name = words[-1] if words else host[0] if not host[0].isdigit() else str(parts.hostname)
    return re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.") or "archive"
