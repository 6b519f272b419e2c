"""SAMP with a real hub on loopback, and clients as TOPCAT and Aladin are."""

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import armillary as arm
from armillary.errors import BadAnswer, BadData, BadRequest, DamagedFile, SourceDown
from armillary.model.kinds import column
from armillary.services import samp, samp_inbox
from armillary.sources import write
from armillary.sources.tap.votable import read_votable

PHOTOMETRY = "simulated/stars/photometry"


class Reader:
    """A program that takes tables, as TOPCAT does: it gets them from the address and says so."""

    def __init__(self, name: str, problem: str = "") -> None:
        library = samp.load()
        with library.conf.set_temp("use_internet", False):
            self.client = library.SAMPIntegratedClient(name, addr="127.0.0.1")
            self.client.connect()
        self.tables: list[tuple[str, bytes]] = []
        self.problem = problem
        self.client.bind_receive_call(samp.TABLE, self.take)

    def take(self, _key: str, _sender: str, message: str, _mtype: str, params: Any, _extra: Any) -> None:
        library = samp.load()
        if self.problem:
            self.client.ereply(message, library.SAMP_STATUS_ERROR, result={}, error={"samp.errortxt": self.problem})
            return
        with urlopen(params["url"]) as answer:  # noqa: S310 - loopback
            self.tables.append((params["name"], answer.read()))
        self.client.ereply(message, library.SAMP_STATUS_OK, result={})


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the key of a hub would lie; there is none."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:file://{tmp_path / 'samp'}")
    return tmp_path / "samp"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A hub with a key of its own: the user's own hub is not touched."""
    library = samp.load()
    place = tmp_path_factory.mktemp("hub") / "samp"
    with pytest.MonkeyPatch.context() as patch, library.conf.set_temp("use_internet", False):
        patch.setenv("SAMP_HUB", f"std-lockurl:file://{place}")
        server = library.SAMPHubServer(addr="127.0.0.1", web_profile=False)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def topcat(hub: Any) -> Iterator[Reader]:
    reader = Reader("TOPCAT")
    yield reader
    reader.client.disconnect()


@pytest.fixture
def stars(tmp_path: Path) -> Path:
    fields = [column("source_id", pa.int64()), column("ra", pa.float64(), "deg"), column("dec", pa.float64(), "deg")]
    arrays = [pa.array([2**60, 7, 8]), pa.array([1.0, 2.0, 3.0]), pa.array([1.0, None, 3.0])]
    return write(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), tmp_path / "stars.vot")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """A server on loopback that gives what is put into it."""
    given: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = given.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield SimpleNamespace(given=given, url=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


def test_without_a_hub_the_next_step_is_told(no_hub: Path, stars: Path) -> None:
    with pytest.raises(SourceDown, match=r"no SAMP hub.*start TOPCAT"):
        samp.send_table(stars, "stars")
    with pytest.raises(SourceDown, match="start TOPCAT"):
        next(samp_inbox.listen(stars.parent))
    no_hub.write_text("samp.secret=a\nsamp.hub.xmlrpc.url=http://127.0.0.1:1/\nsamp.profile.version=1.3\n")
    with pytest.raises(SourceDown, match="start TOPCAT"):  # a hub that was killed leaves its key behind
        samp.send_table(stars, "stars")


def test_a_table_is_whole_on_the_other_side(topcat: Reader, stars: Path, tmp_path: Path) -> None:
    assert samp.send_table(stars, "my stars & <more>", "topcat") == ("TOPCAT",)
    ((name, octets),) = topcat.tables
    assert name == "my stars & <more>"
    assert octets == stars.read_bytes()
    left = [topcat.client.get_metadata(one)["samp.name"] for one in topcat.client.get_registered_clients()]
    assert "Armillary" not in left


def test_all_programs_get_it_or_the_one_that_is_named(topcat: Reader, stars: Path) -> None:
    aladin = Reader("Aladin 12")
    assert samp.send_table(stars, "stars") == ("Aladin 12", "TOPCAT")
    assert samp.send_table(stars, "stars", "ALADIN") == ("Aladin 12",)
    assert (len(topcat.tables), len(aladin.tables)) == (1, 2)
    with pytest.raises(BadRequest, match=r"no program 'ds9'.*Aladin 12, TOPCAT"):
        samp.send_table(stars, "stars", "ds9")
    aladin.client.disconnect()


def test_nobody_takes_tables(hub: Any, stars: Path) -> None:
    with pytest.raises(BadRequest, match=r"no program.*takes tables"):
        samp.send_table(stars, "stars")


def test_a_program_that_cannot_load_it_is_heard(hub: Any, stars: Path) -> None:
    reader = Reader("TOPCAT", problem="out of memory")
    with pytest.raises(BadAnswer, match="TOPCAT could not load the table: out of memory"):
        samp.send_table(stars, "stars")
    reader.client.disconnect()


def test_a_program_that_is_silent_is_not_waited_for_for_ever(hub: Any, stars: Path) -> None:
    reader = Reader("TOPCAT")
    reader.client.bind_receive_call(samp.TABLE, lambda *_: None)
    with pytest.raises(BadAnswer, match="TOPCAT did not say"):
        samp.send_table(stars, "stars", patience=1)
    reader.client.disconnect()


def test_only_who_knows_the_address_gets_the_file(stars: Path) -> None:
    with samp.served(stars, "a b") as url:
        base = url.rsplit("/", 2)[0]
        assert url.startswith("http://127.0.0.1:")
        assert httpx.head(url).headers["content-length"] == str(stars.stat().st_size)
        for other in ("/", "/a%20b.vot", "/../stars.vot"):
            with pytest.raises(HTTPError, match="404"):
                urlopen(f"{base}{other}")  # noqa: S310 - loopback
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def listening(folder: Path, **more: Any) -> tuple[threading.Thread, list[samp_inbox.Arrival]]:
    """Listen in a thread; goes on when others can see it."""
    came: list[samp_inbox.Arrival] = []
    ready = threading.Event()

    def run() -> None:
        came.extend(samp_inbox.listen(folder, ready=ready.set, seconds=20, **more))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    return thread, came


def test_what_is_sent_is_received(hub: Any, stars: Path, tmp_path: Path) -> None:
    thread, came = listening(tmp_path / "in", count=3)
    for name in ("Stars/../of mine", "Stars/../of mine"):
        assert samp.send_table(stars, name) == ("Armillary",)
    topcat = Reader("TOPCAT")
    params = {"table-id": "armillary-Stars/../of mine", "row": "1"}
    topcat.client.notify_all({"samp.mtype": samp.ROW, "samp.params": params})
    thread.join(20)
    topcat.client.disconnect()
    one, two, row = came
    assert (one.kind, one.sender, one.rows, one.columns) == ("table", "Armillary", 3, ("source_id", "ra", "dec"))
    assert (one.path, two.path) == tuple(tmp_path / "in" / f"Stars_.._of_mine{end}.parquet" for end in ("", "-2"))
    (again,) = read_votable(stars)
    assert parquet.read_table(tmp_path / "in" / "Stars_.._of_mine.parquet").to_pylist() == again.to_pylist()
    assert (row.kind, row.rows, row.values) == ("row", 1, {"source_id": 7, "ra": 2.0, "dec": None})
    assert {path.name for path in (tmp_path / "in").iterdir()} == {
        "Stars_.._of_mine.parquet",
        "Stars_.._of_mine-2.parquet",
    }


def test_a_refused_table_is_told_to_its_sender(hub: Any, tmp_path: Path) -> None:
    thread, came = listening(tmp_path / "in", count=1)
    topcat = Reader("TOPCAT")
    armillary = next(one for one in samp.programs(topcat.client) if one.name == "Armillary")
    message = {"samp.mtype": samp.TABLE, "samp.params": {"url": "file:///etc/passwd", "name": "x"}}
    reply = topcat.client.call_and_wait(armillary.id, message, "10")
    thread.join(20)
    topcat.client.disconnect()
    assert reply["samp.status"] == "samp.error"
    assert "not taken from 'file:///etc/passwd'" in reply["samp.error"]["samp.errortxt"]
    assert came[0].kind == "refused"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "not taken"),
        ("ftp://127.0.0.1/x.vot", "not taken"),
        ("", "not taken"),
        ("http://[::1", "no address"),
        ("http://192.0.2.7/x.vot", "without encryption"),
        ("http://127.0.0.1.evil.example/x.vot", "without encryption"),
        (f"http://127.0.0.1/{'x' * 3000}", "not taken"),
    ],
)
def test_other_addresses_are_not_asked(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=said):
        samp_inbox.fetch_table(url, "x", tmp_path)


BOMB = """<?xml version="1.0"?><!DOCTYPE v [<!ENTITY a "{a}">{more}]>
<VOTABLE><RESOURCE><TABLE><FIELD name="x" datatype="char" arraysize="*"/><DATA><TABLEDATA>
<TR><TD>&j;</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""


def test_bad_tables_leave_nothing_behind(page: Any, stars: Path, tmp_path: Path) -> None:
    letters = "abcdefghij"
    more = "".join(f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in pairwise(letters))
    page.given.update({
        "/long": stars.read_bytes() + b" " * 40_000,
        "/half": stars.read_bytes()[:-200],
        "/html": b"<html>no</html>",
        "/pickle": b"\x80\x04K\x01.",
        "/bomb": BOMB.format(a="x" * 1000, more=more).encode(),
        "/part": b'<VOTABLE><RESOURCE><TABLE><FIELD name="a" datatype="int"/><DATA><TABLEDATA><TR><TD>1</TD></TR>'
        b'</TABLEDATA></DATA></TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE></VOTABLE>',
    })  # fmt: skip
    folder = tmp_path / "in"
    for name, kinds in {
        "/long": BadAnswer, "/half": DamagedFile, "/html": BadAnswer, "/pickle": BadAnswer, "/part": BadAnswer,
        "/none": BadAnswer, "/bomb": (DamagedFile, BadData, BadAnswer),
    }.items():  # fmt: skip
        with pytest.raises(kinds):
            samp_inbox.fetch_table(f"{page.url}{name}", "x", folder, largest=40_000)
        assert list(folder.iterdir()) == []


def test_a_table_that_unpacks_to_too_much_is_refused(page: Any, tmp_path: Path) -> None:
    import gzip

    big = write(pa.table({"a": np.zeros(200_000)}), tmp_path / "big.vot")
    page.given["/packed"] = gzip.compress(big.read_bytes())
    assert len(page.given["/packed"]) < 20_000
    with pytest.raises(BadData, match="unpacks to more"):
        samp_inbox.fetch_table(f"{page.url}/packed", "x", tmp_path / "in", largest=20_000)


def test_the_command_sends_a_product_a_catalogue_and_a_file(
    topcat: Reader, cli: Callable[..., Any], stars: Path
) -> None:
    asked = cli("samp", "send", PHOTOMETRY, "--param", "n=200", "--where", "g_mag < 15", "--to", "topcat")
    assert asked.status == 0, asked.err
    assert asked.out == "sent to TOPCAT\n"
    assert cli("catalogue", "new", "mine", "--kind", "objects").status == 0
    assert cli("catalogue", "add", "mine", "--ra", "1.5", "--dec", "2", "--class", "star").status == 0
    assert cli("samp", "send", "mine").status == 0
    assert cli("samp", "send", stars).status == 0
    assert [name for name, _ in topcat.tables] == ["photometry", "mine", "stars"]
    (stars.parent / "got.vot").write_bytes(topcat.tables[0][1])
    rows = list(read_votable(stars.parent / "got.vot"))
    assert 0 < sum(one.num_rows for one in rows) < 200
    assert rows[0].schema.field("g_mag").metadata[b"ucd"] == b"phot.mag;em.opt"
    assert "no program 'ds9'" in cli("samp", "send", stars, "--to", "ds9").err


def test_the_command_listens(topcat: Reader, cli: Callable[..., Any], stars: Path, tmp_path: Path) -> None:
    def send_when_it_is_there() -> None:
        while not any(one.name == "Armillary" for one in samp.programs(topcat.client)):
            threading.Event().wait(0.05)
        samp.send_table(stars, "stars", "armillary")

    sender = threading.Thread(target=send_when_it_is_there, daemon=True)
    sender.start()
    heard = cli("samp", "listen", "--to", tmp_path / "in", "--count", "1", "--seconds", "30", "--json")
    sender.join(20)
    assert "on the SAMP hub" in heard.err
    told = json.loads(heard.out)
    assert (told["kind"], told["rows"], told["path"]) == ("table", 3, str(tmp_path / "in" / "stars.parquet"))
    assert parquet.read_table(told["path"]).num_rows == 3


def test_the_route_sends_what_a_page_shows(topcat: Reader, serve_desk: Callable[..., Any], tmp_path: Path) -> None:
    body = {"request": f"product={PHOTOMETRY}&param.n=50", "to": "topcat"}
    desk = arm.open(home=tmp_path / "home")
    with serve_desk(desk) as address:
        answer = httpx.post(f"{address}/api/samp", json=body, timeout=60)
        assert (answer.status_code, answer.json()) == (200, {"sent": ["TOPCAT"]})
        for wrong in ({}, {"file": "/etc/passwd"}, body | {"catalogue": "too"}):
            assert httpx.post(f"{address}/api/samp", json=wrong).status_code == 400
        other = httpx.post(f"{address}/api/samp", json=body, headers={"origin": "http://evil.example"})
        assert other.status_code == 403
    with serve_desk(desk, "secret") as address:
        assert httpx.post(f"{address}/api/samp", json=body).status_code == 401
    assert len(topcat.tables) == 1


@pytest.mark.skipif(not shutil.which("stilts"), reason="stilts (Debian package) is not installed: JSAMP is not tried")
def test_what_stilts_sends_is_received(hub: Any, stars: Path, tmp_path: Path) -> None:
    """STILTS and TOPCAT share their SAMP code, JSAMP: nothing of it is ours or pyvo's."""
    thread, came = listening(tmp_path / "in", count=1)
    words = ["stilts", "tpipe", f"in={stars}", "omode=samp", "format=votable", "client=Armillary"]
    sent = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    thread.join(20)
    assert sent.returncode == 0, sent.stderr
    assert [(one.kind, one.rows, one.problem) for one in came] == [("table", 3, "")]
    (again,) = read_votable(stars)
    assert came[0].path is not None
    assert parquet.read_table(came[0].path).to_pylist() == again.to_pylist()
