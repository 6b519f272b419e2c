"""A real HAPI server on the loopback, for tests: any version from 2.0 to 3.3, in CSV and binary.

::

    with HapiServer({"demo": Served.of(info, columns)}, version="3.1") as server:
        source = HapiSource("demo", server.url, folder)
        server.misbehave("cut", "data")

It serves recorded bodies byte by byte or arrays, answers wrong questions with the codes of the specification,
misbehaves on request, and keeps a list of what it was asked.
"""

import json
import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from armillary.errors import BadTime
from armillary.model.times import parse_time

#: What the server can do wrong: answer nothing; nonsense; a web page; stop half way; fail (500, without JSON); be busy
#: (503 once); promise more bytes than it sends; cut the last record; send a few bytes a second; redirect for ever.
Trouble = Literal["hang", "garbage", "html", "cut", "error", "busy", "wrong-length", "short", "drip", "redirect"]
_MESSAGES: Final = {
    1200: "OK",
    1201: "OK - no data for time range",
    1400: "Bad request - user input error",
    1401: "Bad request - unknown API parameter name",
    1402: "Bad request - syntax error in start time",
    1403: "Bad request - syntax error in stop time",
    1404: "Bad request - start equal to or after stop",
    1405: "Bad request - time outside valid range",
    1406: "Bad request - unknown dataset id",
    1407: "Bad request - unknown dataset parameter",
    1408: "Bad request - too much time or data requested",
    1409: "Bad request - unsupported output format",
    1410: "Bad request - unsupported include value",
    1411: "Bad request - out-of-order or duplicate parameters",
    1500: "Internal server error",
    1501: "Internal server error - upstream request error",
}


class Refusal(Exception):
    """A question that HAPI answers with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, eq=False)
class Served:
    """One dataset.

    Parameters
    ----------
    info : mapping
        Its ``/info`` without ``HAPI`` and ``status``; a ``HAPI`` code as ``x_code`` makes ``/info`` fail with it.
    ns : numpy array of int64
        Times of the records.
    cells : tuple of sequences
        For CSV: the texts of each cell, by column of the CSV; empty if only binary is served.
    packed : numpy array of uint8, shape (n, bytes)
        For binary: the records; None if only CSV is served.
    limit : int
        More records in one answer are refused with 1408.
    """

    info: Mapping[str, Any]
    ns: Any
    cells: tuple[Sequence[str], ...] = ()
    packed: Any = None
    title: str = ""
    limit: int = 10**9

    @classmethod
    def of(cls, info: Mapping[str, Any], columns: Mapping[str, Any], **more: Any) -> Self:
        """Serve arrays.

        Parameters
        ----------
        columns : mapping of str to array
            For every parameter of `info`, shape (n, *size); the time and texts as str, numbers as such. Floats are
            written to CSV with as many digits as bring the same number back.
        """
        parameters = info["parameters"]
        arrays = [np.asarray(columns[one["name"]]) for one in parameters]
        ns = np.array([parse_time(str(text)) for text in arrays[0]], np.int64)
        flat = [array.reshape(len(ns), _cells(one)) for array, one in zip(arrays, parameters, strict=True)]
        cells = [_texts(part) for array in flat for part in array.T]
        packed = [_pack(array, one) for array, one in zip(arrays, parameters, strict=True)]
        return cls(info, ns, tuple(cells), np.concatenate(packed, axis=1), **more)

    @classmethod
    def of_binary(cls, info: Mapping[str, Any], body: bytes, **more: Any) -> Self:
        """Serve a recorded binary body, byte by byte."""
        size = sum(_width(one) for one in info["parameters"])
        packed = np.frombuffer(body, np.uint8).reshape(-1, size)
        length = int(info["parameters"][0]["length"])
        texts = [bytes(row[:length]).rstrip(b"\0 ").decode() for row in packed]
        return cls(info, np.array([parse_time(text) for text in texts], np.int64), (), packed, **more)

    @classmethod
    def of_csv(cls, info: Mapping[str, Any], body: bytes, **more: Any) -> Self:
        """Serve recorded CSV, text by text."""
        rows = [line.split(",") for line in body.decode().splitlines() if line.strip() and not line.startswith("#")]
        ns = np.array([parse_time(row[0]) for row in rows], np.int64)
        return cls(info, ns, tuple(zip(*rows, strict=True)), None, **more)


@dataclass(slots=True)
class _Plan:
    trouble: str
    endpoint: str
    left: int
    code: int = 0


@dataclass(eq=False)
class HapiServer:
    """The server; a context manager that listens while it is open.

    Parameters
    ----------
    datasets : mapping of str to Served
        By id.
    version : str
        What it says it speaks; 2.x refuses the names of 3.x and the other way round.
    formats : tuple of str
        What it offers.
    header : bool
        Put the header before the data without being asked, as some servers do.
    deep : bool
        Offer ``depth=all`` (3.2).
    """

    datasets: Mapping[str, Served]
    version: str = "3.1"
    formats: tuple[str, ...] = ("csv", "binary")
    header: bool = False
    deep: bool = False
    asked: list[str] = field(default_factory=list)
    _plans: list[_Plan] = field(default_factory=list)
    _closed: threading.Event = field(default_factory=threading.Event)
    _http: Any = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/hapi"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"hapi": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()
        self._http.shutdown()
        self._http.server_close()

    def misbehave(self, trouble: Trouble, endpoint: str = "data", times: int = 10**9) -> None:
        """Do this wrong for the next `times` questions at an endpoint ("" for all)."""
        self._plans.append(_Plan(trouble, endpoint, times))

    def refuse(self, code: int, endpoint: str = "data", times: int = 10**9, *, http: int = 0) -> None:
        """Answer with a HAPI code; `http` is the HTTP status, by default the one of the specification."""
        self._plans.append(_Plan(f"http {http or _http_status(code)}", endpoint, times, code))

    def behave(self) -> None:
        """Do all things right from now on."""
        self._plans.clear()

    def times_asked(self, endpoint: str) -> int:
        """Count the questions at an endpoint."""
        return sum(urlsplit(one).path.endswith(f"/{endpoint}") for one in self.asked)

    def next_trouble(self, endpoint: str) -> _Plan | None:
        """Take the trouble that is due, if there is one."""
        for plan in self._plans:
            if plan.left > 0 and plan.endpoint in {"", endpoint}:
                plan.left -= 1
                return plan
        return None

    def answer(self, endpoint: str, query: Mapping[str, str]) -> tuple[str, bytes]:
        """Answer a question: (content type, body).

        Raises
        ------
        Refusal
            With the code that the specification wants.
        """
        return self._answers.answer(endpoint, query)

    def refusal(self, code: int) -> bytes:
        """Give the JSON of a code."""
        return self._answers.told({}, code)[1]

    @property
    def _answers(self) -> "_Answers":
        return _Answers(self.datasets, self.version, self.formats, self.header, self.deep)


@dataclass(frozen=True, eq=False)
class _Answers:
    """What the specification says: from a question to its answer."""

    datasets: Mapping[str, Served]
    version: str
    formats: tuple[str, ...]
    header: bool
    deep: bool

    def answer(self, endpoint: str, query: Mapping[str, str]) -> tuple[str, bytes]:
        answers = {
            "capabilities": lambda _: self._capabilities(),
            "catalog": self._catalog,
            "info": self._info,
            "data": self._data,
        }
        if endpoint not in answers:
            raise Refusal(1400)
        return answers[endpoint](query)

    def _capabilities(self) -> tuple[str, bytes]:
        more = {"catalogDepthOptions": ["dataset", "all"]} if self.deep else {}
        return self.told({"outputFormats": list(self.formats), **more})

    def _catalog(self, query: Mapping[str, str]) -> tuple[str, bytes]:
        deep = query.get("depth") == "all"
        listed = [
            {"id": name} | ({"title": one.title} if one.title else {}) | ({"info": one.info} if deep else {})
            for name, one in self.datasets.items()
        ]
        return self.told({"catalog": listed})

    def _info(self, query: Mapping[str, str]) -> tuple[str, bytes]:
        served = self._served(query, {"parameters", "resolve_references"})
        if code := served.info.get("x_code"):
            raise Refusal(int(code))
        return self.told(dict(served.info))

    def _data(self, query: Mapping[str, str]) -> tuple[str, bytes]:
        start_name, stop_name = ("start", "stop") if self._modern else ("time.min", "time.max")
        served = self._served(query, {start_name, stop_name, "parameters", "format", "include"})
        form = query.get("format", "csv")
        if form not in self.formats or (form == "binary") > (served.packed is not None):
            raise Refusal(1409)
        rows = _rows(served, _time(query.get(start_name), 1402), _time(query.get(stop_name), 1403))
        chosen = _chosen(served.info, query.get("parameters", ""))
        if not rows.any():
            raise Refusal(1201)
        if rows.sum() > served.limit:
            raise Refusal(1408)
        body = (_binary if form == "binary" else _csv)(served, chosen, np.flatnonzero(rows))
        kind = "application/octet-stream" if form == "binary" else "text/csv"
        return kind, self._header(served, chosen, form, query) + body

    def _header(self, served: Served, chosen: Sequence[int], form: str, query: Mapping[str, str]) -> bytes:
        if not self.header and query.get("include") != "header":
            return b""
        parameters = [served.info["parameters"][i] for i in chosen]
        told = self.told({**served.info, "parameters": parameters, "format": form})[1]
        return b"".join(b"#" + line + b"\n" for line in told.splitlines())

    def _served(self, query: Mapping[str, str], allowed: set[str]) -> Served:
        which = "dataset" if self._modern else "id"
        if set(query) - allowed - {which}:
            raise Refusal(1401)
        found = self.datasets.get(query.get(which, ""))
        if found is None:
            raise Refusal(1406)
        return found

    @property
    def _modern(self) -> bool:
        return self.version.startswith("3")

    def told(self, content: Mapping[str, Any], code: int = 1200) -> tuple[str, bytes]:
        status = {"code": code, "message": _MESSAGES.get(code, "unknown")}
        whole = {"HAPI": self.version, "status": status, **content}
        return "application/json", json.dumps(whole, indent=1).encode()


class _Handler(BaseHTTPRequestHandler):
    hapi: HapiServer
    protocol_version = "HTTP/1.1"
    # head and body are two packets; without this the second waits 40 ms
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # the name http.server wants
        self.hapi.asked.append(self.path)
        parts = urlsplit(self.path)
        endpoint = parts.path.rpartition("/")[2]
        try:
            plan = self.hapi.next_trouble(endpoint)
            if plan and self._trouble_without_answer(plan):
                return
            kind, body = self.hapi.answer(endpoint, dict(parse_qsl(parts.query, keep_blank_values=True)))
            self._send(kind, body, plan.trouble if plan else "")
        except Refusal as no:
            self._refuse(no.code, _http_status(no.code))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server wants
        """Say nothing; `HapiServer.asked` keeps what was asked."""

    def _trouble_without_answer(self, plan: _Plan) -> bool:
        if plan.code:
            self._refuse(plan.code, int(plan.trouble.split()[1]))
        elif plan.trouble == "hang":
            self.hapi._closed.wait(60)  # noqa: SLF001 - one piece with its server
            self.close_connection = True
        elif plan.trouble == "garbage":
            self._reply(200, "application/octet-stream", bytes(range(200, 256)) * 5)
        elif plan.trouble == "html":
            self._reply(200, "text/html", b"<html><body>Please log in</body></html>")
        elif plan.trouble == "error":
            self._reply(500, "text/html", b"<html>Internal Server Error</html>")
        elif plan.trouble == "busy":
            self._reply(503, "text/plain", b"later", {"Retry-After": "0"})
        elif plan.trouble == "redirect":
            self._reply(302, "text/plain", b"", {"Location": self.path})
        else:
            return False
        return True

    def _refuse(self, code: int, status: int) -> None:
        body = b"" if code == 1201 else self.hapi.refusal(code)
        self._reply(status, "application/json", body)

    def _send(self, kind: str, body: bytes, trouble: str) -> None:
        if trouble == "short":
            return self._reply(200, kind, body[:-3])
        if trouble not in {"cut", "wrong-length", "drip"}:
            return self._reply(200, kind, body)
        self.close_connection = True
        self._start(200, kind, len(body) + (1000 if trouble == "wrong-length" else 0))
        if trouble == "drip":
            self._drip(body)
        else:
            self.wfile.write(body if trouble == "wrong-length" else body[: len(body) // 2])
        return None

    def _drip(self, body: bytes) -> None:
        for at in range(len(body)):
            if self.hapi._closed.is_set():  # noqa: SLF001 - one piece with its server
                return
            self.wfile.write(body[at : at + 1])
            time.sleep(0.05)

    def _reply(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._start(status, kind, len(body), headers)
        self.wfile.write(body)

    def _start(self, status: int, kind: str, length: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()


def _http_status(code: int) -> int:
    if code < 1400:
        return 200
    return {1406: 404, 1407: 404}.get(code, 400 if code < 1500 else 500)


def _time(text: str | None, code: int) -> int:
    try:
        return parse_time(text or "")
    except BadTime:
        raise Refusal(code) from None


def _rows(served: Served, start: int, stop: int) -> Any:
    if start >= stop:
        raise Refusal(1404)
    if start < parse_time(served.info["startDate"]) or stop > parse_time(served.info["stopDate"]):
        raise Refusal(1405)
    return (served.ns >= start) & (served.ns < stop)


def _chosen(info: Mapping[str, Any], text: str) -> list[int]:
    """Give the indices of the parameters asked for; the time is always among them."""
    names = [one["name"] for one in info["parameters"]]
    if not text:
        return list(range(len(names)))
    wanted = text.split(",")
    if set(wanted) - set(names):
        raise Refusal(1407)
    found = [names.index(name) for name in wanted]
    if found != sorted(set(found)):
        raise Refusal(1411)
    return sorted({0, *found})


def _cells(one: Mapping[str, Any]) -> int:
    return int(np.prod(one.get("size") or [1]))


def _width(one: Mapping[str, Any]) -> int:
    each = {"double": 8, "integer": 4}.get(one["type"]) or int(one["length"])
    return each * _cells(one)


def _spans(widths: Iterable[int], chosen: Iterable[int]) -> list[int]:
    """Give the positions that the chosen fields of these widths take in a record."""
    ends = np.cumsum([0, *widths])
    return [at for i in chosen for at in range(ends[i], ends[i + 1])]


def _binary(served: Served, chosen: Sequence[int], rows: Any) -> bytes:
    positions = _spans((_width(one) for one in served.info["parameters"]), chosen)
    return bytes(served.packed[rows][:, positions].tobytes())


def _csv(served: Served, chosen: Sequence[int], rows: Any) -> bytes:
    if not served.cells:
        raise Refusal(1409)
    positions = _spans((_cells(one) for one in served.info["parameters"]), chosen)
    lines = (",".join(served.cells[at][row] for at in positions) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _texts(values: Any) -> list[str]:
    """Write values for CSV; a text with a comma or a quote in quotes."""
    if values.dtype.kind == "f":
        return ["NaN" if math.isnan(value) else repr(value) for value in values.tolist()]
    texts = [str(value) for value in values.tolist()]
    return [f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"') else text for text in texts]


def _pack(array: Any, one: Mapping[str, Any]) -> Any:
    codes = {"double": "<f8", "integer": "<i4"}
    code = codes.get(one["type"])
    if code is None:
        code = f"S{one['length']}"
        array = np.char.encode(array.astype(str), "utf-8")
    flat = np.ascontiguousarray(array.astype(code)).reshape(-1)
    return flat.view(np.uint8).reshape(len(array), _width(one))
