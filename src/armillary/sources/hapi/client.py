"""The four questions of HAPI, asked over HTTP, and the answers checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadAnswer
from armillary.model import Interval, Progress, format_time, silent
from armillary.sources.hapi import status
from armillary.sources.http import Answer, Patience, ask, shown

if TYPE_CHECKING:
    import httpx

_NOT_HAPI: Final = "check that the URL is that of a HAPI server and ends in /hapi"
_JSON_LIMIT: Final = 256 * 2**20
#: What `/data` may answer beside data; all other codes are raised.
_TOLD: Final = (status.NO_DATA, status.OUTSIDE, status.TOO_MUCH)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server wants to be asked, by the version it states.

    Examples
    --------
    >>> Dialect("2.1").names, Dialect("3.3").names
    (('id', 'time.min', 'time.max'), ('dataset', 'start', 'stop'))
    """

    version: str = "2.0"
    formats: tuple[str, ...] = ("csv",)
    deep: bool = False

    @property
    def names(self) -> tuple[str, str, str]:
        """What a query calls the dataset, the start and the stop."""
        modern = self.version.split(".")[0].isdigit() and int(self.version.split(".")[0]) >= 3
        return ("dataset", "start", "stop") if modern else ("id", "time.min", "time.max")

    @property
    def format(self) -> str:
        """The best format that is offered."""
        return "binary" if "binary" in self.formats else "csv"

    @classmethod
    def of(cls, capabilities: Mapping[str, Any]) -> "Dialect":
        """Read the answer of ``/capabilities``."""
        formats = capabilities.get("outputFormats") or ["csv"]
        depths = capabilities.get("catalogDepthOptions") or []
        version = str(capabilities.get("HAPI") or "2.0")
        return cls(version, tuple(str(one) for one in formats), isinstance(depths, list) and "all" in depths)


@dataclass(frozen=True, slots=True)
class Body:
    """An answer of ``/data``: its HAPI code (1200, 1201, 1405 or 1408) and bytes."""

    code: int
    content: bytes
    headers: Mapping[str, str]
    url: str


@dataclass(frozen=True, slots=True)
class Server:
    """A HAPI server and the open connection to it."""

    url: str
    client: "httpx.Client"
    patience: Patience

    def capabilities(self) -> Dialect:
        """Ask how it wants to be asked."""
        return Dialect.of(self._json("capabilities", {}))

    def catalog(self, dialect: Dialect) -> list[dict[str, Any]]:
        """Ask for all datasets; each has an ``id``, perhaps a ``title`` and, if the server can, its ``info``."""
        answer = self._json("catalog", {"depth": "all"} if dialect.deep else {})
        listed = answer.get("catalog")
        if not isinstance(listed, list):
            raise BadAnswer(f"{shown(self.url)} answered a catalog without a list of datasets", _NOT_HAPI)
        good = [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]]
        return list({one["id"]: one for one in good}.values())

    def info(self, dialect: Dialect, dataset: str) -> dict[str, Any]:
        """Ask about one dataset."""
        return self._json("info", {dialect.names[0]: dataset})

    def data(
        self,
        dialect: Dialect,
        dataset: str,
        parameters: tuple[str, ...],
        span: Interval,
        limit: int,
        progress: Progress = silent,
    ) -> Body:
        """Ask for the records of a time interval.

        Parameters
        ----------
        parameters : tuple of str
            In the order of the information; empty for all.
        limit : int
            Bytes; a longer answer counts as code 1408.
        """
        which, start, stop = dialect.names
        query = {which: dataset} | ({"parameters": ",".join(parameters)} if parameters else {})
        query |= {start: format_time(span.start), stop: format_time(span.stop), "format": dialect.format}
        answer = self._ask("data", query, limit, progress)
        if answer.too_long:
            return Body(status.TOO_MUCH, b"", answer.headers, answer.url)
        code = _data_code(answer)
        return Body(code, answer.body if code == status.OK else b"", answer.headers, answer.url)

    def _ask(self, endpoint: str, query: Mapping[str, str], limit: int, progress: Progress = silent) -> Answer:
        url = f"{self.url.rstrip('/')}/{endpoint}"
        return ask(self.client, url, query, patience=self.patience, limit=limit, progress=progress)

    def _json(self, endpoint: str, query: Mapping[str, str]) -> dict[str, Any]:
        answer = self._ask(endpoint, query, _JSON_LIMIT)
        found = _read_json(answer.body)
        if found is None:
            if answer.status != 200:
                status.raise_http(answer.status, answer.body, answer.url)
            raise BadAnswer(f"{answer.url} answered no JSON: {status.start_of(answer.body)!r}", _NOT_HAPI)
        code, message = _status_of(found)
        if code not in {None, status.OK}:
            status.raise_status(code or 0, message, answer.url)
        if answer.status != 200:
            status.raise_http(answer.status, answer.body, answer.url)
        return found


def _data_code(answer: Answer) -> int:
    """Find what an answer of ``/data`` means; raises for all that is neither data nor in `_TOLD`."""
    found = _read_json(answer.body) if answer.body[:1] in {b"{", b"["} or answer.status != 200 else None
    code, message = _status_of(found) if found else (None, "")
    if code in _TOLD:
        return int(code or 0)
    if code not in {None, status.OK}:
        status.raise_status(code or 0, message, answer.url)
    if answer.status != 200:
        status.raise_http(answer.status, answer.body, answer.url)
    # a time begins with a digit, a header with #
    if answer.body and not (answer.body[:1].isdigit() or answer.body[:1] in b'#\r\n" '):
        raise BadAnswer(f"{answer.url} answered no data: {status.start_of(answer.body)!r}", _NOT_HAPI)
    return status.OK


def _read_json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _status_of(found: Mapping[str, Any]) -> tuple[int | None, str]:
    told = found.get("status")
    if not isinstance(told, dict):
        return None, ""
    code = told.get("code")
    number = int(code) if isinstance(code, int | str) and str(code).isdigit() else None
    return number, str(told.get("message") or "")
