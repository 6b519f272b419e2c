"""What other programs send by SAMP: tables and rows, from anybody on this machine, so none of it is trusted."""

import queue
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from armillary.errors import ArmillaryError, BadAnswer, BadData, BadRequest
from armillary.model import Progress, silent
from armillary.services.samp import ROW, TABLE, connected, load

if TYPE_CHECKING:
    import pyarrow as pa

#: Octets of a table; in memory or on the disk it may be four times as large, not more.
LARGEST: Final = 256 * 2**20
_UNPACKED: Final = 4
#: Messages that wait; more are refused.
_WAITING: Final = 16
#: Tables whose rows can still be shown.
_KNOWN: Final = 100
_LONGEST: Final = 2_000
_HIDDEN: Final = re.compile(r"[^\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came.

    Parameters
    ----------
    kind : str
        ``table``, ``row`` or ``refused``.
    sender, name : str
        Who sent it, and what it calls the table.
    path : Path, optional
        Where the table is now.
    rows : int
        Of a table how many, of a row which.
    problem : str
        Why it was refused.
    """

    kind: str
    sender: str
    name: str
    path: Path | None = None
    rows: int = 0
    columns: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Letter:
    sender: str
    mtype: str
    params: dict[str, str]
    answer: Callable[[str], None]


def listen(
    folder: Path,
    *,
    count: int = 0,
    seconds: float = 0.0,
    largest: int = LARGEST,
    progress: Progress = silent,
    ready: Callable[[], None] = lambda: None,
) -> Iterator[Arrival]:
    """Wait for tables and rows, and give them as they come; tables become Parquet files in a folder.

    Parameters
    ----------
    count : int
        End after so many; 0 for never.
    seconds : float
        End after so long; 0 for never.
    largest : int
        Octets that a table may have.
    progress : Progress
        Called while nothing comes; may raise to end it.
    ready : callable
        Called once others can see us.

    Raises
    ------
    SourceDown
        If no hub runs.
    """
    letters: queue.Queue[_Letter] = queue.Queue(_WAITING)
    known: dict[str, Path] = {}
    given, until = 0, time.monotonic() + seconds if seconds else float("inf")
    with connected("Armillary", callable_=True) as client:
        for mtype in (TABLE, ROW):
            _bind(client, mtype, letters)
        ready()
        while not (count and given >= count) and time.monotonic() < until:
            progress(0.0, "waiting for tables")
            try:
                letter = letters.get(timeout=0.1)
            except queue.Empty:
                continue
            yield _opened(client, letter, folder, known, largest)
            given += 1


def fetch_table(url: str, name: str, folder: Path, largest: int = LARGEST, progress: Progress = silent) -> Path:
    """Get a VOTable from an address that somebody else named, and keep it as Parquet; give the file.

    Loopback is asked by http or https, other machines by https only. What is longer than `largest`, or grows to more
    than four times that, is refused.

    Raises
    ------
    BadRequest
        If the address is of another kind: a file, another machine by http.
    BadAnswer, DamagedFile, BadData, SourceDown
        If what lies there is no whole VOTable of that size.
    """
    from armillary.sources import http, write

    _check_address(url)
    folder.mkdir(parents=True, exist_ok=True)
    target = _free(folder, name)
    aside = folder / f".{target.stem}.received"
    patience = http.Patience(read=30.0, whole=300.0, tries=1)
    try:
        with http.open_client(patience) as client:
            http.download(client, url, aside, patience=patience, limit=largest, progress=progress)
        return write(_blocks(aside, _UNPACKED * largest), target)
    finally:
        aside.unlink(missing_ok=True)


def _check_address(url: str) -> None:
    from armillary.services.web.server import is_loopback

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise BadRequest(f"{url[:80]!r} is no address", "send a table with an http address") from None
    if len(url) > _LONGEST or parts.scheme not in {"http", "https"} or not host:
        raise BadRequest(f"tables are not taken from {url[:80]!r}", "send them with an http address")
    if parts.scheme == "http" and not is_loopback(host):
        raise BadRequest(f"{host} sends without encryption", "send a table of this machine, or by https")


def _blocks(path: Path, most: int) -> "Iterator[pa.Table]":
    from armillary.sources.tap.votable import Overflow, Refused, read_votable

    size = 0
    try:
        for block in read_votable(path):
            size += block.nbytes
            if size > most:
                raise BadData(f"the table unpacks to more than {most:,} octets", "send fewer rows")
            yield block
    except Overflow:
        raise BadAnswer("the table says of itself that it is not whole", "get all of it first") from None
    except Refused as said:
        raise BadAnswer(f"instead of a table came an error: {said}", "ask its archive again") from None


def _free(folder: Path, name: str) -> Path:
    """Find a name that is not taken, made of harmless signs only."""
    stem = _HIDDEN.sub("_", name)[:60].strip("._") or "table"
    tries = (folder / f"{stem}{f'-{number}' if number > 1 else ''}.parquet" for number in range(1, 100_000))
    return next(one for one in tries if not one.exists())


def _bind(client: Any, mtype: str, letters: "queue.Queue[_Letter]") -> None:
    def take(sender: object, mtype: object, params: object, answer: Callable[[str], None]) -> None:
        given = params if isinstance(params, dict) else {}
        texts = {str(name): str(value)[: _LONGEST + 1] for name, value in given.items()}
        try:
            letters.put_nowait(_Letter(str(sender), str(mtype), texts, answer))
        except queue.Full:
            answer("too many tables wait here")

    def called(_key: str, sender: str, message: str, mtype: str, params: object, _extra: object) -> None:
        take(sender, mtype, params, lambda problem: _reply(client, message, problem))

    def noticed(_key: str, sender: str, mtype: str, params: object, _extra: object) -> None:
        take(sender, mtype, params, lambda _problem: None)

    client.bind_receive_call(mtype, called)
    client.bind_receive_notification(mtype, noticed)


def _reply(client: Any, message: str, problem: str) -> None:
    library = load()
    if problem:
        client.ereply(message, library.SAMP_STATUS_ERROR, result={}, error={"samp.errortxt": problem})
    else:
        client.ereply(message, library.SAMP_STATUS_OK, result={})


def _opened(client: Any, letter: _Letter, folder: Path, known: dict[str, Path], largest: int) -> Arrival:
    """Do what a message asks and answer it."""
    sender = str(client.get_metadata(letter.sender).get("samp.name", letter.sender))[:80]
    name = letter.params.get("name") or letter.params.get("table-id") or "table"
    try:
        made = _table if letter.mtype == TABLE else _row
        arrival = made(letter, sender, name, folder, known, largest)
    except ArmillaryError as refused:
        letter.answer(str(refused))
        return Arrival("refused", sender, name, problem=str(refused))
    letter.answer("")
    return arrival


def _table(letter: _Letter, sender: str, name: str, folder: Path, known: dict[str, Path], largest: int) -> Arrival:
    from pyarrow import parquet

    path = fetch_table(letter.params.get("url", ""), name, folder, largest)
    for key in (letter.params.get("table-id", ""), letter.params.get("url", "")):
        known |= {key: path} if key else {}
    while len(known) > _KNOWN:
        known.pop(next(iter(known)))
    file = parquet.ParquetFile(path)
    return Arrival("table", sender, name, path, file.metadata.num_rows, tuple(file.schema_arrow.names))


def _row(letter: _Letter, sender: str, name: str, _folder: Path, known: dict[str, Path], _largest: int) -> Arrival:
    """Look a row up in a table that came before; of others only its number is known."""
    from pyarrow import parquet

    text = letter.params.get("row", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise BadRequest(f"{text[:20]!r} is not the number of a row", "send row as a number from 0")
    path = known.get(letter.params.get("table-id", "")) or known.get(letter.params.get("url", ""))
    values = parquet.read_table(path).slice(int(text), 1).to_pylist() if path else []
    return Arrival("row", sender, name, path, int(text), values=values[0] if values else {})
