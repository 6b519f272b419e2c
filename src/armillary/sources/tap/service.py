"""Talking to one TAP service: synchronous and asynchronous queries, their answers as files, its refusals as errors."""

import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import ArmillaryError, BadAnswer, BadRequest, CannotWrite, SourceDown
from armillary.model import Progress, silent
from armillary.sources.http import BUSY, Answer, Patience, Question, send, shown
from armillary.sources.tap.capabilities import Capabilities, read_capabilities
from armillary.sources.tap.login import Login
from armillary.sources.tap.votable import Overflow, Refused, read_votable

if TYPE_CHECKING:
    import httpx

_LIMIT: Final = 64 * 2**30
#: Octets of an answer that is kept in memory: a list of tables, a phase, an error.
_SMALL: Final = 256 * 2**20
_CROWD: Final = re.compile(
    r"too many (concurrent |active |queued |running )?(jobs|queries|requests|connections)"
    r"|maximum number of (\w+ )?(jobs|queries)|server is (too )?busy",
    re.IGNORECASE,
)
_LARGE: Final = re.compile(
    r"(upload|table|file|request)\S* (\w+ )*(too (large|big|many)|exceeds)|upload limit|entity too large", re.IGNORECASE
)


class UploadTooLarge(Exception):
    """The server refuses an upload for its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked: text, bound on the rows, and tables sent along.

    Parameters
    ----------
    maxrec : int, optional
        The server is told to give at most so many rows; more of them are an overflow.
    uploads : mapping of str to bytes
        Name of a table in ``TAP_UPLOAD`` -> VOTable.
    """

    text: str
    maxrec: int | None = None
    uploads: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """A service and the open connection to it."""

    name: str
    url: str
    client: "httpx.Client"
    patience: Patience
    login: Login
    folder: Path

    def capabilities(self, progress: Progress = silent) -> Capabilities:
        """Ask what it can do."""
        answer = self.get(f"{self.url}/capabilities", progress)
        return read_capabilities(answer.body, shown(self.url))

    def get(self, url: str, progress: Progress = silent) -> Answer:
        """Ask for something small; any status but 200 is an error."""
        answer = self.ask(url, Question(), progress)
        if answer.status != 200:
            raise self.wrong_status(answer, answer.body)
        return answer

    def ask(self, url: str, question: Question, progress: Progress = silent) -> Answer:
        """Ask for something small, whatever its status; a crowded server is asked again."""
        told = replace(question, headers={**question.headers, **self.login.headers(url)})
        for attempt in range(self.patience.tries):
            answer = send(self.client, url, told, patience=self.patience, limit=_SMALL, progress=progress)
            if not self._crowded(answer, answer.body, attempt):
                break
            self._wait(attempt, progress)
        return answer

    @contextmanager
    def sync(self, query: Query, form: Mapping[str, str], progress: Progress = silent) -> Iterator[Path]:
        """Ask and wait; give the file with the answer, which is gone afterwards."""
        question = Question(method="POST", form=dict(form), files=files_of(query))
        with self.spooled(f"{self.url}/sync", question, progress) as path:
            yield path

    @contextmanager
    def spooled(self, url: str, question: Question, progress: Progress = silent) -> Iterator[Path]:
        """Ask for something large and give the file that it went into; the file is gone afterwards."""
        with self._spool() as path:
            self._fill(path, url, question, progress)
            yield path

    def refuse(self, body: bytes) -> None:
        """Raise what an answer that was kept in memory says, if it is an error that says why."""
        with self._spool() as path:
            path.write_bytes(body)
            raise_refusal(path)

    def wrong_status(self, answer: Answer, body: bytes) -> Exception:
        """Say what a status means that is none of success."""
        place = f"{self.name} ({shown(answer.url).partition('?')[0]})"
        if answer.status in BUSY or _CROWD.search(_words(body)):
            return SourceDown(f"{place} is busy: {answer.status} {_words(body)[:200]}", "try again later")
        if answer.status in {401, 403}:
            place_of = re.sub(r"[^A-Z0-9]", "_", self.name.upper())
            hint = f"set ARMILLARY_TAP_{place_of}_USER and ARMILLARY_TAP_{place_of}_PASSWORD, or check them"
            return BadRequest(f"{place} wants a login", hint)
        if answer.status == 413 or (answer.status >= 400 and _LARGE.search(_words(body))):
            return UploadTooLarge(_words(body)[:200])
        if answer.status == 404:
            return BadAnswer(f"{place} is not there", "give the URL that ends before /sync, often in /tap")
        return BadAnswer(f"{place} answered {answer.status}: {_words(body)[:200]}", "try again later")

    def _fill(self, path: Path, url: str, question: Question, progress: Progress) -> None:
        told = replace(question, headers={**question.headers, **self.login.headers(url)})
        for attempt in range(self.patience.tries):
            answer = self._send_to(path, url, told, progress)
            if answer.status == 200:
                if _is_whole(path) or attempt:  # what is cut short twice, its reader refuses
                    return
                continue
            body = _start(path)
            if self._crowded(answer, body, attempt):
                self._wait(attempt, progress)
                continue
            raise_refusal(path)
            raise self.wrong_status(answer, body)

    def _send_to(self, path: Path, url: str, question: Question, progress: Progress) -> Answer:
        try:
            with path.open("wb") as sink:
                return send(
                    self.client, url, question, patience=self.patience, limit=_LIMIT, progress=progress, sink=sink
                )
        except OSError as broken:
            if isinstance(broken, ArmillaryError):
                raise
            raise CannotWrite(f"an answer of {self.name} cannot be kept: {broken.strerror}", "make room") from broken

    def _crowded(self, answer: Answer, body: bytes, attempt: int) -> bool:
        """Say whether it is worth asking again; the statuses that mean "later" were waited for already."""
        if answer.status < 400 or answer.status in BUSY or attempt + 1 >= self.patience.tries:
            return False
        return bool(_CROWD.search(_words(body)))

    def _wait(self, attempt: int, progress: Progress) -> None:
        pause(min(self.patience.pause * 2.0**attempt, self.patience.longest_pause), f"{self.name} is busy", progress)

    @contextmanager
    def _spool(self) -> Iterator[Path]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".answer-", suffix=".part")
        except OSError as broken:
            raise CannotWrite(f"cannot keep an answer in {self.folder.name}: {broken}", "make room") from broken
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


def form_of(query: Query, capabilities: Capabilities) -> dict[str, str]:
    """Give the fields in which a query is sent."""
    form = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query.text, "FORMAT": capabilities.format,
            "RESPONSEFORMAT": capabilities.format}  # fmt: skip
    if query.maxrec is not None:
        form["MAXREC"] = str(query.maxrec)
    if query.uploads:
        form["UPLOAD"] = ";".join(f"{name},param:{name}" for name in query.uploads)
    return form


def pause(seconds: float, why: str, progress: Progress) -> None:
    """Wait in small steps, so that a user who stops is heard."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        progress(0.0, why)
        time.sleep(min(left, 0.1))


def raise_refusal(path: Path) -> None:
    """Raise what an answer with an error says, if it is one that says why."""
    with suppress(BadAnswer, Overflow):
        try:
            for _ in read_votable(path):
                pass
        except Refused as said:
            if _LARGE.search(str(said)):
                raise UploadTooLarge(str(said)) from None
            if not _CROWD.search(str(said)):
                raise
        except Exception as broken:
            if isinstance(broken, Refused | UploadTooLarge):
                raise


def files_of(query: Query) -> dict[str, tuple[str, bytes, str]]:
    """Give the files in which the tables of a query are sent."""
    return {name: (f"{name}.vot", one, "application/x-votable+xml") for name, one in query.uploads.items()}


def _is_whole(path: Path) -> bool:
    """Say whether a VOTable has its end; of what is packed, or is no VOTable, its reader says so."""
    with path.open("rb") as file:
        start = file.read(512)
        file.seek(-min(64, path.stat().st_size), os.SEEK_END)
        return b"VOTABLE" not in start or b"VOTABLE>" in file.read()


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _words(body: bytes) -> str:
    text = re.sub(r"<[^>]*>", " ", body[:4096].decode("utf-8", "replace"))
    return " ".join(text.split())
