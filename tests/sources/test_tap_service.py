"""What no well-behaved server does: a small real HTTP server that is busy, breaks off, sends web pages, or dies."""

import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import armillary as arm
from armillary.errors import BadAnswer, BadRequest, Cancelled, DamagedFile, MissingExtra, SourceDown
from armillary.model import Extent, Request, silent
from armillary.services.queries import FreeQuery, Outcome, ask_freely
from armillary.sources.http import Patience
from armillary.sources.tap import TapSource
from armillary.sources.tap.known import tap_archive
from armillary.sources.tap.uploads import votable

_TABLES = pa.table(
    {"schema_name": ["s"], "table_name": ["s.stars"], "table_type": ["table"], "description": ["Stars."]}
)
_COLUMNS = pa.table(
    {
        "table_name": ["s.stars"] * 3, "column_name": ["source_id", "ra", "dec"],
        "datatype": ["long", "double", "double"],
        "unit": ["", "deg", "deg"], "ucd": ["meta.id;meta.main", "pos.eq.ra;meta.main", "pos.eq.dec;meta.main"],
        "indexed": [1, 0, 0],
    }
)  # fmt: skip
_ROWS = pa.table({"source_id": [1, 2, 3], "ra": [10.0, 20.0, 30.0], "dec": [1.0, 2.0, 3.0]})
_ABLE = b"""<?xml version='1.0'?><capabilities xmlns="http://www.ivoa.net/xml/VOSICapabilities/v1.0"
 xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<capability xmlns="" standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">
<language><name>ADQL</name><version>2.0</version></language>
<outputFormat><mime>application/x-votable+xml</mime></outputFormat>
<uploadMethod ivo-id="ivo://ivoa.net/std/TAPRegExt#upload-inline"/>
<outputLimit><hard unit="row">1000</hard></outputLimit></capability></capabilities>"""
_QUICK = Patience(connect=1.0, read=0.5, pause=0.01, longest_pause=0.05)


@dataclass
class Server:
    """A TAP service that does what it is told.

    Attributes
    ----------
    faults : list of str
        What the next queries for data get, one each.
    """

    url: str = ""
    faults: list[str] = field(default_factory=list)
    always: str = ""
    asked: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    upload_rows: int = 10**9
    tables: pa.Table = field(default_factory=lambda: _TABLES)
    most: int = 10**9
    begun: int = 0

    def answer(self, query: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Give status, headers and body of a query."""
        if "TAP_SCHEMA.tables" in query:
            return 200, {}, self.listed(query)
        if "TAP_SCHEMA.columns" in query:
            return 200, {}, votable(_COLUMNS)
        if "COUNT(" in query:
            return 200, {}, votable(pa.table({"s0": [3], "s1": [3], "s2": [1], "s3": [3]}))
        self.asked.append(query)
        fault = self.faults.pop(0) if self.faults else self.always
        whole = votable(_ROWS)
        if body.count(b"<TR>") > self.upload_rows:
            fault = "upload"
        faults: dict[str, tuple[int, dict[str, str], bytes]] = {
            "": (200, {}, whole),
            "busy": (503, {"Retry-After": "0"}, b"Service Unavailable"),
            "crowd": (400, {}, _said("Too many jobs: you have 3 running")),
            "crowd200": (500, {}, b"<html>The maximum number of jobs is reached</html>"),
            "half": (200, {}, whole[: len(whole) // 2]),
            "html": (200, {"Content-Type": "text/html"}, b"<html><body>Maintenance</body></html>"),
            "overflow": (
                200,
                {},
                whole.replace(b"</RESOURCE>", b'<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>'),
            ),
            "upload": (413, {}, b"Request Entity Too Large"),
            "login": (401, {}, b"who are you"),
            "wrong": (400, {}, _said("Unknown column rra [l.1 c.8 - l.1 c.10]")),
        }
        return faults[fault]

    def listed(self, query: str) -> bytes:
        """Give the tables after a name, `most` of them at most."""
        after = re.search("table_name > '(.*)' ORDER", query)
        found = self.tables.filter(pc.greater(self.tables["table_name"], after[1])) if after else self.tables
        top = re.search(r"TOP (\d+)", query)
        found = found.slice(0, int(top[1])) if top else found
        whole = votable(found.slice(0, self.most))
        over = b'<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>'
        return whole.replace(b"</RESOURCE>", over) if found.num_rows > self.most else whole


def _said(text: str) -> bytes:
    said = f'<INFO name="QUERY_STATUS" value="ERROR">{text}</INFO>'
    return f'<VOTABLE version="1.3"><RESOURCE type="results">{said}</RESOURCE></VOTABLE>'.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    """Sync, async, capabilities."""

    told: ClassVar[Server]

    def log_message(self, *_: object) -> None:
        """Be silent."""

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.told.logins.append(self.headers.get("Authorization", ""))
        job = re.match(r"/tap/async/(\d+)(/.*)?$", self.path)
        if self.path == "/tap/capabilities":
            self.reply(200, {}, _ABLE)
        elif not job or job[1] not in self.told.jobs:
            self.reply(404, {}, b"not here")
        elif job[2] == "/phase":
            self.reply(200, {}, b"COMPLETED")
        elif job[2] == "/results/result":
            self.reply(*self.told.answer(self.told.jobs[job[1]], b""))
        else:
            self.reply(200, {}, b"<job/>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.told.logins.append(self.headers.get("Authorization", ""))
        if self.headers.get_content_type() == "multipart/form-data":
            query = body.partition(b'name="QUERY"\r\n\r\n')[2].partition(b"\r\n")[0].decode()
        else:
            query = parse_qs(body.decode()).get("QUERY", [""])[0]
        if self.path == "/tap/sync":
            self.reply(*self.told.answer(query, body))
            return
        self.told.begun += 1
        self.told.jobs[str(self.told.begun)] = query
        self.reply(303, {"Location": f"{self.told.url}/async/{self.told.begun}"}, b"")

    def do_DELETE(self) -> None:
        self.told.deleted.append(self.path.rpartition("/")[2])
        self.told.jobs.pop(self.told.deleted[-1], None)
        self.reply(200, {}, b"")


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()
    handler = type("Told", (Handler,), {"told": told})
    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{http_server.server_address[1]}/tap"
    yield told
    http_server.shutdown()
    http_server.server_close()
    thread.join()


@pytest.fixture
def source(server: Server, tmp_path: Path) -> TapSource:
    found = TapSource("toy", server.url, tmp_path / "tap", patience=_QUICK)
    assert [one.path for one in found.inventory(silent)] == ["toy/s/stars"]
    return found


def _fetch(source: TapSource) -> pa.Table:
    (leaf,) = source.inventory(silent)
    return source.fetch(leaf, Request(leaf.path, Extent()), silent)


@pytest.mark.parametrize("fault", ["busy", "crowd", "crowd200", "half"])
def test_what_passes_is_waited_for(server: Server, source: TapSource, fault: str) -> None:
    server.faults = [fault]
    assert _fetch(source)["source_id"].to_pylist() == [1, 2, 3]
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ("busy", SourceDown, "busy"),
        ("crowd", SourceDown, "Too many jobs"),
        ("half", DamagedFile, "cut short"),
        ("html", BadAnswer, "Maintenance"),
        ("login", BadRequest, "ARMILLARY_TAP_TOY_USER"),
        ("wrong", BadRequest, "line 1, column 8"),
    ],
)
def test_what_lasts_is_told(server: Server, source: TapSource, fault: str, error: type[Exception], text: str) -> None:
    server.always = fault
    with pytest.raises(error, match=text):
        _fetch(source)
    assert len(server.asked) <= 6
    assert not list(source.state.glob(".answer-*"))


def test_more_rows_than_the_service_gives_are_an_error(server: Server, source: TapSource) -> None:
    server.always = "overflow"
    with pytest.raises(BadAnswer, match="incomplete"):
        _fetch(source)
    with pytest.raises(BadAnswer, match="incomplete"):
        list(source.query("SELECT * FROM s.stars", silent))


def test_a_broken_answer_of_a_job_leaves_no_job(server: Server, source: TapSource) -> None:
    server.always = "half"
    with pytest.raises(DamagedFile):
        list(source.query("SELECT * FROM s.stars", silent, mode="async"))
    assert server.deleted == ["1"]
    assert not source._record.jobs_by_key()


def test_a_job_that_the_network_lost_is_taken_up(server: Server, source: TapSource) -> None:
    server.always = "busy"
    with pytest.raises(SourceDown):
        list(source.query("SELECT * FROM s.stars", silent, mode="async"))
    assert list(server.jobs) == ["1"]
    server.always = ""
    assert pa.concat_tables(source.query("SELECT * FROM s.stars", silent, mode="async")).num_rows == 3
    assert server.deleted == ["1"]


def test_a_job_that_is_gone_is_begun_anew(server: Server, source: TapSource) -> None:
    server.always = "busy"
    with pytest.raises(SourceDown):
        list(source.query("SELECT * FROM s.stars", silent, mode="async"))
    server.always = ""
    server.jobs.clear()
    assert pa.concat_tables(source.query("SELECT * FROM s.stars", silent, mode="async")).num_rows == 3
    assert server.deleted == ["1", "2"]


def test_who_stops_taking_blocks_stops_the_job(server: Server, source: TapSource) -> None:
    blocks = source.query("SELECT * FROM s.stars", silent, mode="async")
    next(blocks)
    blocks.close()
    assert server.deleted == ["1"]

    def stop(_fraction: float, message: str = "") -> None:
        if "MB from" in message:
            raise Cancelled("stopped", "ask again")

    with pytest.raises(Cancelled):
        list(source.query("SELECT ra FROM s.stars", stop, mode="async"))
    assert not server.jobs


def test_a_dead_server_leaves_the_tree(server: Server, source: TapSource, tmp_path: Path) -> None:
    del server
    (leaf,) = source.inventory(silent)
    dead = TapSource("toy", "http://127.0.0.1:9/tap", tmp_path / "other", patience=_QUICK)
    with pytest.raises(SourceDown):
        dead.inventory(silent)
    old = TapSource("toy", source.url, source.state, max_age=0.0, patience=_QUICK)
    assert old.inventory(silent) == [leaf]


def test_a_login_is_sent_and_never_shown(
    server: Server, source: TapSource, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ARMILLARY_TAP_TOY_USER", "me")
    monkeypatch.setenv("ARMILLARY_TAP_TOY_PASSWORD", "hush-hush")
    server.logins.clear()
    _fetch(source)
    assert set(server.logins) == {"Basic bWU6aHVzaC1odXNo"}
    server.always = "login"
    with pytest.raises(BadRequest) as told:
        _fetch(source)
    kept = b"".join(path.read_bytes() for path in source.state.rglob("*") if path.is_file())
    for secret in ("hush-hush", "bWU6aHVzaC1odXNo"):
        assert secret not in str(told.value)
        assert secret not in caplog.text
        assert secret.encode() not in kept


def test_an_archive_of_many_tables_tells_columns_when_asked(server: Server, tmp_path: Path) -> None:
    names = ["s.stars", *(f"J/A+A/{n:04d}/tab" for n in range(2_500))]
    server.tables = pa.table({"schema_name": ["s"] * len(names), "table_name": names, "description": [""] * len(names)})
    server.tables = server.tables.sort_by("table_name")
    server.most = 1_000  # the list itself comes in parts
    source = TapSource("many", server.url, tmp_path / "tap", patience=_QUICK)
    leaves = {one.path: one for one in source.inventory(silent)}
    assert len(leaves) == len(names)
    assert leaves["many/J/A+A/0007/tab"].kind == "samples"
    stars = leaves["many/s/stars"]
    assert (stars.kind, stars.description) == ("sources", "")
    assert [one.unit for one in source.columns(stars, silent)] == ["", "deg", "deg"]
    assert source.fetch(stars, Request(stars.path), silent)["ra"].to_pylist() == [10.0, 20.0, 30.0]
    assert source.inventory(silent) == list(leaves.values())


def test_an_upload_is_halved_until_it_is_taken(server: Server) -> None:
    server.upload_rows = 30
    desk = arm.open()
    text = "SELECT u.n FROM TAP_UPLOAD.mine AS u JOIN s.stars AS g ON g.source_id = u.n"
    query = FreeQuery(tap_archive(server.url), text, {"mine": pa.table({"n": list(range(100))})})
    outcome = Outcome("", text)
    rows = sum(block.num_rows for block in ask_freely(desk, query, outcome))
    # of 90 rows after the ten of the probe, 45 and then 22 at once
    assert rows == 3 * outcome.parts
    assert outcome.parts >= 5
    whole = FreeQuery(query.archive, f"SELECT COUNT (*) AS n FROM ({text}) AS s", query.uploads)
    with pytest.raises(BadRequest, match="refuses the upload"):
        list(ask_freely(desk, whole, Outcome("", "")))


def test_no_pyvo_is_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyvo.io", None)
    with pytest.raises(MissingExtra, match="pip install"):
        TapSource("toy", server.url, tmp_path / "bare", patience=_QUICK).inventory(silent)


def test_the_command_line_tells_one_thing_at_a_time(server: Server, cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli("add", "tap", server.url, "--name", "toy").status == 0
    mine = tmp_path / "mine.csv"
    mine.write_text("n,name\n1,a\n2,b\n", "utf-8")
    words = ("adql", "SELECT u.n FROM TAP_UPLOAD.mine AS u", "--archive", "toy", "--upload", f"mine={mine}")
    told = json.loads(cli(*words, "--json").out)
    assert (told["rows"], len(told["first"]), told["cached"]) == (3, 3, False)
    assert json.loads(cli(*words, "--json").out)["cached"]
    shown = cli(*words)
    assert "source_id" in shown.out
    assert "3 rows from the cache" in shown.err
    for wrong, reason in (
        (("adql", "SELECT 1"), "needs one archive"),
        (("adql", "SELECT 1", "--archive", "nowhere"), "no TAP service"),
        (("adql", "DROP TABLE t", "--archive", "toy"), "only read"),
        (("adql", "gone.adql", "--archive", "toy"), "no file"),
        (("adql", "SELECT 1", "--archive", "toy", "--upload", "mine"), "NAME=FILE"),
        (("adql", "SELECT 1", "--archive", "toy", "-o", "x.what"), "ending"),
    ):
        ran = cli(*wrong)
        assert ran.status == 1
        assert reason in ran.err
        assert len(ran.err.splitlines()) == 1
