"""A HAPI server as an archive: inventory, data, long times in pieces, and being offline."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadAnswer, BadExtent, Cancelled, SourceDown, SourceFailed, UnknownProduct
from armillary.model import Extent, Interval, Product, Request, Source, silent
from armillary.model.kinds import check
from armillary.sources.hapi import HapiSource
from armillary.sources.http import Patience
from armillary.testing.hapi_server import HapiServer, Served

HASTY = Patience(connect=0.5, read=0.4, whole=1.0, pause=0.01)
PATIENT = Patience(pause=0.01)  # the machine may be busy: only a server that hangs is waited for shortly
TIME = {"name": "Time", "type": "isotime", "length": 24, "units": "UTC", "fill": None}


def times(n: int, step: float = 60.0, start: str = "2020-01-01") -> Any:
    ms = np.datetime64(start, "ms") + np.round(np.arange(n) * step * 1000).astype("m8[ms]")
    return np.datetime_as_string(ms, timezone="UTC")


def field(n: int = 100, **more: Any) -> Served:
    info = {
        "startDate": "2020-01-01Z", "stopDate": "2020-002Z", "cadence": "PT1M", "description": "A field.",
        "modificationDate": "2021-01-01Z", "resourceURL": "https://example.org/b", "contact": "A. Person",
        "licenseURL": ["https://spdx.org/licenses/CC0-1.0"], "datasetCitation": "https://doi.org/10.1/abc",
        "timeStampLocation": "BEGIN", "x_more": {"any": "thing"},
        "parameters": [
            TIME,
            {"name": "b", "type": "double", "size": [3], "units": "nT", "fill": "-1e31", "label": ["Bx", "By", "Bz"],
             "coordinateSystemName": "GSE", "vectorComponents": ["x", "y", "z"], "description": "Magnetic field"},
            {"name": "n/p", "type": "double", "units": "cm^-3", "fill": "nan"},
            {"name": "flag", "type": "integer", "units": None, "fill": None},
            {"name": "mode", "type": "string", "length": 8, "units": None, "fill": "none"},
        ],
    }  # fmt: skip
    rng = np.random.default_rng(1)
    b = rng.normal(size=(n, 3))
    b[3:4] = -1e31
    density = rng.random(n)
    density[4:5] = np.nan
    mode = np.where(np.arange(n) % 2, "slow, é", "none")
    columns = {"Time": times(n), "b": b, "n/p": density, "flag": np.arange(n, dtype=np.int32), "mode": mode}
    return Served.of(info, columns, title="Field", **more)


def source_of(server: HapiServer, folder: Path, **more: Any) -> HapiSource:
    return HapiSource("demo", server.url, folder / "state", **({"patience": PATIENT} | more))


def leaf(source: HapiSource, path: str) -> Product:
    return {one.path: one for one in source.inventory(silent)}[path]


def request(product: Product, start: str = "", stop: str = "") -> Request:
    return Request(product.path, Extent(time=Interval.of(start, stop)) if start else Extent())


def test_the_inventory_says_all_that_the_server_says(tmp_path: Path) -> None:
    with HapiServer({"data/field": field()}) as server:
        source = source_of(server, tmp_path)
        assert isinstance(source, Source)
        before = source.stamp()
        products = source.inventory(silent)
    assert source.stamp() != before
    assert [one.path for one in products] == [
        "demo/data%2Ffield", "demo/data%2Ffield/b", "demo/data%2Ffield/n%2Fp", "demo/data%2Ffield/flag",
        "demo/data%2Ffield/mode",
    ]  # fmt: skip
    whole, b = products[:2]
    assert (whole.title, whole.start, whole.stop) == ("Field", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
    assert (b.kind, b.units, b.cadence, b.title) == ("series", "nT", 60.0, "Magnetic field")
    assert b.version.startswith("2021-01-01Z+")
    assert (b.citation, b.licence) == ("https://doi.org/10.1/abc", "https://spdx.org/licenses/CC0-1.0")
    assert "https://example.org/b" in b.description
    assert whole.row_bytes > b.row_bytes == 32


@pytest.mark.parametrize("version", ["2.0", "2.1.1", "3.0", "3.1", "3.2", "3.3"])
@pytest.mark.parametrize("formats", [("csv",), ("csv", "binary")])
@pytest.mark.parametrize("header", [False, True])
def test_every_dialect_brings_the_same(tmp_path: Path, version: str, formats: tuple[str, ...], header: bool) -> None:
    served = field()
    with HapiServer({"field": served}, version=version, formats=formats, header=header) as server:
        source = source_of(server, tmp_path)
        data = {one.path: source.fetch(one, request(one), silent) for one in source.inventory(silent)}
    whole, b = data["demo/field"], data["demo/field/b"]["b"]
    assert whole["time"].size == 100
    np.testing.assert_array_equal(whole["b"], b)
    assert np.isnan(b[3]).all()
    assert np.isfinite(np.delete(b.to_numpy(), 3, 0)).all()
    assert int(np.isnan(whole["n_p"]).sum()) == 1
    assert whole["flag"].dtype == np.int32
    assert whole["mode"].to_numpy()[:2].tolist() == ["", "slow, é"]
    assert b.attrs["coordinateSystemName"] == "GSE"
    assert b[b.attrs["LABL_PTR_1"]].to_numpy().tolist() == ["Bx", "By", "Bz"]
    assert whole["time"].attrs["timeStampLocation"] == "begin"
    assert list(data["demo/field/b"].data_vars) == ["b"]


def test_deep_catalogues_need_no_further_question(tmp_path: Path) -> None:
    with HapiServer({"a": field(5), "b": field(5)}, version="3.2", deep=True) as server:
        assert len(source_of(server, tmp_path).inventory(silent)) == 10
        assert server.times_asked("info") == 0


def test_the_interval_is_half_open_and_empty_is_not_an_error(tmp_path: Path) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        b = leaf(source, "demo/field/b")
        data = source.fetch(b, request(b, "2020-01-01T00:01", "2020-01-01T00:03"), silent)
        assert data["time"].to_numpy().astype("M8[m]").astype(str).tolist() == ["2020-01-01T00:01", "2020-01-01T00:02"]
        for start, stop in (("2020-01-01T20:00", "2020-01-01T21:00"), ("1999-01-01", "1999-01-02")):
            empty = source.fetch(b, request(b, start, stop), silent)
            assert empty["b"].shape == (0, 3)
            check("series", empty)


def test_a_request_beyond_the_coverage_is_cut_and_the_last_record_kept(tmp_path: Path) -> None:
    info = {"startDate": "2020-01-01Z", "stopDate": "2020-01-01T00:04Z", "cadence": "PT1M", "parameters": [
        TIME, {"name": "x", "type": "integer", "units": None, "fill": None}]}  # fmt: skip
    with HapiServer({"d": Served.of(info, {"Time": times(5), "x": np.arange(5)})}) as server:
        source = source_of(server, tmp_path)
        x = leaf(source, "demo/d/x")
        assert source.fetch(x, request(x, "2019-01-01", "2021-01-01"), silent)["x"].size == 4
        # a server that has a record at stopDate and lets it be asked for
        info["stopDate"] = "2020-01-01T00:04:00Z"
        lenient = Served.of(info | {"stopDate": "2030-01-01Z"}, {"Time": times(5), "x": np.arange(5)})
        server.datasets = {"d": lenient}
        assert source.fetch(x, request(x, "2020-01-01", "2020-01-02"), silent)["x"].to_numpy().tolist() == [
            0,
            1,
            2,
            3,
            4,
        ]


@pytest.mark.parametrize("formats", [("csv",), ("csv", "binary")])
def test_long_times_come_in_pieces_without_loss_or_doubles(tmp_path: Path, formats: tuple[str, ...]) -> None:
    heard: list[float] = []
    with HapiServer({"field": field(1440)}, formats=formats) as server:
        source = source_of(server, tmp_path, piece_bytes=4000)
        whole = leaf(source, "demo/field")
        data = source.fetch(whole, request(whole), lambda fraction, _="": heard.append(fraction))
        assert server.times_asked("data") > 5
    assert data["flag"].to_numpy().tolist() == list(range(1440))
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_too_much_is_halved_until_it_fits(tmp_path: Path) -> None:
    with HapiServer({"field": field(1440, limit=100)}) as server:
        source = source_of(server, tmp_path)
        flag = leaf(source, "demo/field/flag")
        data = source.fetch(flag, request(flag), silent)
        assert data["flag"].to_numpy().tolist() == list(range(1440))
        server.refuse(1408)
        with pytest.raises(BadExtent, match="too much"):
            source.fetch(flag, request(flag), silent)


def test_the_servers_own_limit_is_kept(tmp_path: Path) -> None:
    served = field(1440)
    limited = Served(dict(served.info) | {"maxRequestDuration": "PT2H"}, served.ns, served.cells, served.packed)
    with HapiServer({"field": limited}) as server:
        source = source_of(server, tmp_path)
        flag = leaf(source, "demo/field/flag")
        assert source.fetch(flag, request(flag), silent)["flag"].size == 1440
        # twelve pieces, and the record at stopDate
        assert server.times_asked("data") == 13


def test_offline_the_record_serves(tmp_path: Path) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        online = source.inventory(silent)
        asked = len(server.asked)
        assert source.inventory(silent) == online
        assert len(server.asked) == asked
    heard: list[str] = []
    old = replace(source, max_age=0.0)
    assert old.inventory(lambda _, message="": heard.append(message)) == online
    assert "using what was recorded" in heard[-1]
    with pytest.raises(SourceDown, match="no connection"):
        source.refresh(silent)  # who asks for news is not given the old record as if it were new
    assert source.inventory(silent) == online
    with pytest.raises(SourceDown, match="no connection"):
        source.fetch(online[0], request(online[0]), silent)
    with pytest.raises(SourceDown, match="no connection"):
        HapiSource("other", source.url, tmp_path / "other", patience=PATIENT).inventory(silent)


def test_the_record_is_read_without_a_network_library(tmp_path: Path) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        source.inventory(silent)
    code = (
        "import sys, pathlib; from armillary.sources.hapi import HapiSource; from armillary.model import silent\n"
        f"source = HapiSource('demo', {source.url!r}, pathlib.Path({str(source.state)!r}))\n"
        "print(source.stamp(), len(source.inventory(silent)), {'httpx', 'xarray', 'pyarrow'} & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ
    ).stdout
    assert out.split(None, 1) == [source.stamp(), "5 set()\n"]


def test_refresh_sees_what_changed(tmp_path: Path) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        source.inventory(silent)
        stamp = source.stamp()
        source.refresh(silent)
        assert source.stamp() == stamp
        server.datasets = {"field": field(), "more": field()}
        assert len(source.refresh(silent)) == 10
        assert source.stamp() != stamp


def test_a_bad_dataset_is_a_problem_row_and_the_others_serve(tmp_path: Path) -> None:
    bad = Served({**field().info, "x_code": 1500}, field().ns)
    wrong = Served({**field().info, "parameters": [{"name": "x", "type": "double"}]}, field().ns)
    heard: list[str] = []
    with HapiServer({"bad": bad, "field": field(), "wrong": wrong}) as server:
        source = source_of(server, tmp_path)
        paths = [one.path for one in source.inventory(lambda _, message="": heard.append(message))]
    assert {path.split("/")[1] for path in paths} == {"field"}
    assert {name: text.split(",")[0] for name, text in source.problems().items()} == {
        "bad": "HAPI 1500 Internal server error",
        "wrong": "the first parameter of wrong is not a time. Next step: tell the maintainer of the server",
    }
    assert "2 with a problem" in heard[-1]


def test_an_inventory_that_was_stopped_goes_on(tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        if fraction >= 0.5:
            raise Cancelled("stopped", "start again")

    with HapiServer({f"d{i:02d}": field(2) for i in range(40)}) as server:
        source = source_of(server, tmp_path)
        with pytest.raises(Cancelled):
            source.inventory(stop)
        assert source.stamp().startswith("nothing recorded")
        first = server.times_asked("info")
        assert 20 <= first < 40
        assert len(source.inventory(silent)) == 40 * 5
        assert server.times_asked("info") == 40
    assert not list(source.state.rglob("*.part"))


def test_a_damaged_record_is_asked_for_again(tmp_path: Path) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        source.inventory(silent)
        for path in source.state.rglob("*.json"):
            path.write_bytes(path.read_bytes()[:-20])
        assert len(source.inventory(silent)) == 5


def test_cancelling_a_fetch_passes(tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled("stopped", "start again")

    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        b = leaf(source, "demo/field/b")
        with pytest.raises(Cancelled):
            source.fetch(b, request(b), stop)


def test_a_login_is_used_and_never_shown_or_recorded(tmp_path: Path) -> None:
    with HapiServer({"field": field()}) as server:
        source = HapiSource("demo", server.url.replace("//", "//me:secret@"), tmp_path / "state", patience=PATIENT)
        assert len(source.inventory(silent)) == 5
        server.misbehave("garbage", "")
        with pytest.raises(BadAnswer) as caught:
            source.fetch(b := leaf(source, "demo/field/b"), request(b), silent)
    assert "secret" not in str(caught.value)
    assert not [path for path in source.state.rglob("*.json") if "secret" in path.read_text("utf-8")]


TROUBLES = [
    ("hang", SourceDown, "sent nothing for 0.4 s"),
    ("garbage", BadAnswer, "answered no data"),
    ("html", BadAnswer, "answered no data: '<html><body>Please log in</body></html>'"),
    ("cut", BadAnswer, "broke off its answer twice"),
    ("wrong-length", BadAnswer, "broke off its answer twice"),
    ("short", BadAnswer, "cut short"),
    ("error", SourceFailed, "HTTP 500"),
    ("busy", SourceDown, "busy"),
    ("drip", SourceDown, "more than 1 s"),
    ("redirect", BadAnswer, "redirects more than 5 times"),
]


@pytest.mark.parametrize(("trouble", "error", "words"), TROUBLES, ids=[one[0] for one in TROUBLES])
def test_a_server_that_misbehaves(tmp_path: Path, trouble: Any, error: type[Exception], words: str) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        whole = leaf(source, "demo/field")
        server.misbehave(trouble)
        asking = replace(source, patience=HASTY) if trouble in {"hang", "drip"} else source
        with pytest.raises(error, match=words) as caught:
            asking.fetch(whole, request(whole), silent)
        assert "\n" not in str(caught.value)
        assert "Next step" in str(caught.value)
        server.behave()
        assert source.fetch(whole, request(whole), silent)["time"].size == 100


@pytest.mark.parametrize("trouble", ["cut", "wrong-length", "busy"])
def test_one_bad_answer_is_forgiven(tmp_path: Path, trouble: Any) -> None:
    with HapiServer({"field": field()}) as server:
        source = source_of(server, tmp_path)
        whole = leaf(source, "demo/field")
        server.misbehave(trouble, times=1)
        assert source.fetch(whole, request(whole), silent)["time"].size == 100


@pytest.mark.parametrize("trouble", ["garbage", "html", "cut", "error", "hang"])
def test_an_inventory_of_a_bad_server_names_it(tmp_path: Path, trouble: Any) -> None:
    with HapiServer({"field": field()}) as server:
        server.misbehave(trouble, "catalog")
        with pytest.raises(SourceFailed, match=r"127\.0\.0\.1"):
            source_of(server, tmp_path, patience=HASTY).inventory(silent)


def test_a_server_that_stops_answering_ends_the_inventory(tmp_path: Path) -> None:
    with HapiServer({f"d{i}": field(2) for i in range(30)}) as server:
        server.misbehave("hang", "info")
        with pytest.raises(SourceDown, match="stopped answering"):
            source_of(server, tmp_path, patience=HASTY).inventory(silent)
        assert server.times_asked("info") < 30


CODES = [
    (1400, "BadRequest"), (1401, "BadRequest"), (1402, "BadExtent"), (1403, "BadExtent"), (1404, "BadExtent"),
    (1405, "BadExtent"), (1406, "UnknownProduct"), (1407, "UnknownProduct"), (1409, "BadRequest"),
    (1410, "BadRequest"), (1411, "BadRequest"), (1499, "BadRequest"), (1500, "SourceFailed"), (1501, "SourceDown"),
    (1700, "BadAnswer"),
]  # fmt: skip


@pytest.mark.parametrize("http", [0, 200])
@pytest.mark.parametrize(("code", "name"), CODES)
def test_every_code_has_its_error(tmp_path: Path, code: int, name: str, http: int) -> None:
    with HapiServer({"field": field(3)}) as server:
        source = source_of(server, tmp_path)
        b = leaf(source, "demo/field/b")
        server.refuse(code, http=http)
        with pytest.raises(Exception, match=f"HAPI {code}") as caught:
            source.fetch(b, request(b), silent)
        assert type(caught.value).__name__ == name


def test_a_parameter_that_is_gone(tmp_path: Path) -> None:
    with HapiServer({"field": field(3)}) as server:
        source = source_of(server, tmp_path)
        product = Product(path="demo/field/gone", title="", kind="series", address='["field", "gone"]')
        with pytest.raises(UnknownProduct, match="no longer"):
            source.fetch(product, request(product), silent)
