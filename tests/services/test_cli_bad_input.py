"""Whatever is wrong is told in one line with a next step, and nothing is left half-written."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from armillary.testing.hapi_server import HapiServer, Served, Trouble

FIELD = "simulated/wind/b_gse"
DAY = ("--start", "2020-01-01", "--stop", "2020-01-02")


def check_refused(ran: Any, *words: str, status: int = 1) -> None:
    """One line on stderr that names the thing and a next step, nothing on stdout."""
    assert ran.status == status, ran
    lines = [line for line in ran.err.splitlines() if not line.startswith("armillary: warning: ")]
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("armillary: error: ")
    assert "Next step: " in lines[0]
    assert "unexpected" not in lines[0]
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("simulated/wind/b_gsm", *DAY), "did you mean simulated/wind/b_gse"),
        (("nowhere", *DAY), "no product 'nowhere'"),
        ((FIELD, "--start", "2020-13-01", "--stop", "2020-12-01"), "'2020-13-01' is not a time"),
        ((FIELD, "--start", "yesterday", "--stop", "2020-12-01"), "'yesterday' is not a time"),
        ((FIELD, "--start", "2020-01-02", "--stop", "2020-01-01"), "is after the stop"),
        ((FIELD, "--start", "2020-01-02", "--stop", "2020-01-02"), "is empty"),
        ((FIELD, "--start", "2020-01-02"), "start and stop belong together"),
        ((FIELD, "--stop", "2020-01-02"), "start and stop belong together"),
        ((FIELD, "--start", "2040-01-01", "--stop", "2040-01-02"), "it has data from 2020-01-01"),
        ((FIELD, *DAY, "--param", "q=1"), "no parameter 'q'"),
        ((FIELD, *DAY, "--param", "q"), "write --param name=value"),
        (("simulated/wind/density_mean", *DAY, "--param", "window=long"), "window"),
        (("simulated/wind/density_mean", *DAY, "--param", "window=-1"), "window"),
        ((FIELD, *DAY, "--where", "b_gse >"), "predicate"),
        ((FIELD, *DAY, "--where", "__import__('os')"), "predicate"),
        ((FIELD, *DAY, "--where", "nocolumn > 3"), "no column 'nocolumn'"),
        (("simulated/stars/photometry", "--where", "parallax > 1e9"), "a wider --where"),
        (("simulated/stars/photometry", "--cone", "200,-80,1"), "--cone 200,-80,1"),
        (("simulated/stars/photometry", "--cone", "1,2"), "write ra,dec,radius"),
        (("simulated/stars/photometry", "--rows", "9,3"), "rows 9 to 3"),
        (("simulated/tile/ndvi", *DAY, "--bbox", "1,2,3"), "write west,south,east,north"),
        (("simulated/tile/ndvi", *DAY, "--bbox", "1,99,2,100"), "-90 <= south"),
    ],
)
def test_a_question_that_cannot_be_asked(
    cli: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], named: str
) -> None:
    check_refused(cli("get", *words, "-o", tmp_path / "out.csv"), named)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("tree", "simulated/nowhere"), "no product"),
        (("tree", "simulated/nowhere", "--json"), "no product"),
        (("tree", "--archive"), "write --archive FOLDER"),
        (("tree", "--archive", "missing-folder"), "no folder 'missing-folder'"),
        (("open", "missing-folder"), "no folder"),
        (("add", "hapi", "nonsense"), "is not the URL of a server"),
        (("add", "hapi", "file:///etc"), "is not the URL of a server"),
        (("add", "ftp", "x"), "use hapi, tap or folder"),
        (("remove", "nobody"), "no added archive 'nobody'"),
        (("refresh", "nobody"), "there are: simulated"),
        (("jobs", "show", "99"), "no job 99"),
        (("jobs", "cancel", "99"), "no job 99"),
        (("jobs", "retry", "99"), "no job 99"),
        (("get", FIELD, *DAY, "--background"), "add -o FILE"),
        (("plot", FIELD, *DAY, "-o", "x.bmp"), ".png"),
        (("plot", FIELD, *DAY, "-o", "no-such-folder/x.png"), "mkdir -p no-such-folder"),
        (("plot", "simulated/zzz*", *DAY, "-o", "x.png"), "no product fits simulated/zzz*"),
        (("plot", FIELD, *DAY, "--catalogue", "nobody", "-o", "x.png"), "no catalogue 'nobody'"),
        (("plot", FIELD, *DAY, "--param", "q=1", "-o", "x.png"), "parameter 'q'"),
        (("get", FIELD, *DAY, "-o", "x.foo"), ".parquet"),
        (("get", FIELD, *DAY, "-o", "x"), ".parquet"),
        (("get", FIELD, *DAY, "-o", "no-such-folder/x.nc"), "mkdir -p no-such-folder"),
        (("get", FIELD, *DAY, "-o", "x.tif"), "images (y, x) only"),
        (("get", FIELD, *DAY, "-o", "/proc/x.nc"), "/proc"),
    ],
)
def test_a_command_that_cannot_be_done(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(cli(*words), named)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("nocommand",), ("get",), ("tree", "--limit", "x"), ("desk", "--port", "99999")])
def test_a_line_that_is_not_understood_is_status_2(cli: Callable[..., Any], words: tuple[str, ...]) -> None:
    check_refused(cli(*words), "--help", status=2)


def test_an_existing_file_stays_if_the_new_one_cannot_be_made(cli: Callable[..., Any], tmp_path: Path) -> None:
    target = tmp_path / "b.csv"
    target.write_text("before", "utf-8")
    check_refused(cli("get", FIELD, *DAY, "--where", "b_gse.x > 1e9", "-o", target), "nothing")
    assert target.read_text("utf-8") == "before"


@pytest.mark.parametrize("ending", ["nc", "csv", "parquet", "cdf", "png", "html"])
def test_a_full_disk(cli: Callable[..., Any], tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"out.{ending}"
    week = (FIELD, "--start", "2020-01-01", "--stop", "2020-01-08")
    assert cli("get", *week).status == 0
    command = "plot" if ending in {"png", "html"} else "get"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))  # no file can grow beyond this
    try:
        ran = cli(command, *week, "-o", target, "--offline")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    check_refused(ran, target.name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a-file", "a-file/below"])
def test_a_home_that_cannot_be(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("ARMILLARY_HOME", str(tmp_path / name))
    check_refused(cli("tree"), "set ARMILLARY_HOME")
    check_refused(cli("jobs", "list"), "set ARMILLARY_HOME")


# Root may write everywhere, so a child becomes nobody, after it has loaded what nobody may not read.
READ_ONLY = """
import os, sys
from armillary.services import cli
try:
    cli.main(["tree", "--json"])
except SystemExit as ended:
    assert not ended.code
os.environ["ARMILLARY_HOME"] = sys.argv[1]
os.geteuid() or os.setuid(65534)
cli.main(["tree"])
"""


def test_a_home_that_is_read_only() -> None:
    with TemporaryDirectory() as folder:  # not below pytest's own folder, which is closed to nobody
        Path(folder).chmod(0o555)
        done = subprocess.run([sys.executable, "-c", READ_ONLY, folder], capture_output=True, text=True, check=False)
        Path(folder).chmod(0o700)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"the home folder {folder} is not writable. Next step: set ARMILLARY_HOME" in done.stderr


def test_settings_that_are_nonsense(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARMILLARY_CACHE_LIMIT", "much")
    check_refused(cli("cache", "show"), "500M")
    check_refused(cli("get", FIELD, *DAY), "500M")


def test_state_that_is_broken(cli: Callable[..., Any], home: Path) -> None:
    for name in ("jobs.sqlite", "inventory.sqlite", "catalogues.sqlite", "cache/cache.sqlite"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(b"this is not a database, whatever its name says" * 100)
    check_refused(cli("jobs", "list"), "jobs.sqlite")
    check_refused(cli("catalogue", "list"), "catalogues.sqlite")
    # What can be made again is made again.
    assert cli("tree").out == "simulated/\n"
    assert cli("get", FIELD, *DAY).status == 0
    assert cli("cache", "show").status == 0
    (home / "archives.json").write_text('{"broken', "utf-8")
    check_refused(cli("tree"), "archives.json")
    check_refused(cli("archives"), "archives.json")


def test_damaged_files_are_rows_and_their_data_an_error(cli: Callable[..., Any], tmp_path: Path) -> None:
    folder, out = tmp_path / "files", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for ending in ("cdf", "nc", "parquet"):
        assert cli("get", FIELD, *DAY, "-o", folder / f"whole-{ending}.{ending}").status == 0
        content = (folder / f"whole-{ending}.{ending}").read_bytes()
        (folder / f"cut-{ending}.{ending}").write_bytes(content[: len(content) // 3])
    assert cli("open", folder).status == 0
    listed = {one["name"]: one for one in json.loads(cli("archives", "--json").out)}
    assert {path for path, _ in listed["files"]["damaged"]} == {"cut-cdf.cdf", "cut-nc.nc", "cut-parquet.parquet"}
    # A file that is damaged after it was indexed, behind our back.
    leaf = next(one["path"] for one in json.loads(cli("tree", "local", "--json").out) if "whole-nc" in one["path"])
    whole = folder / "whole-nc.nc"
    before, size = whole.stat(), whole.stat().st_size
    whole.write_bytes(os.urandom(size))
    os.utime(whole, ns=(before.st_atime_ns, before.st_mtime_ns))
    check_refused(cli("get", leaf, *DAY, "-o", out / "x.nc"), "whole-nc.nc")
    shutil.rmtree(folder)
    ran = cli("get", leaf, *DAY, "-o", out / "x.nc")
    assert ran.status == 1
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("trouble", ["hang", "garbage", "cut", "error", "wrong-length", "html"])
def test_a_server_that_misbehaves(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    monkeypatch.setenv("ARMILLARY_TIMEOUT", "0.4")
    with HapiServer({"field": _field()}) as server:
        server.misbehave(trouble, "catalog")
        check_refused(cli("add", "hapi", server.url, "--name", "far"))
        assert [one["name"] for one in json.loads(cli("archives", "--json").out)] == ["simulated"]
        server.behave()
        added = cli("add", "hapi", server.url, "--name", "far")
        assert added.status == 0, added.err
        server.misbehave(trouble, "data")
        span = ("--start", "2020-01-01", "--stop", "2020-01-01T01:00")
        check_refused(cli("get", "far/field/b", *span, "-o", tmp_path / "b.nc"))
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(cli: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    check_refused(cli("add", "hapi", f"http://127.0.0.1:{port}/hapi"), f"127.0.0.1:{port}")


def test_a_port_that_is_taken(cli: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check_refused(cli("desk", "--port", port), f"127.0.0.1:{port}")


def test_an_error_that_nobody_foresaw_is_one_line(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: Any, **__: Any) -> Any:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("armillary.services.cli.missions.discover", explode)
    ran = cli("missions")
    assert ran.status == 1
    assert ran.err.splitlines() == [
        "armillary: error: unexpected RuntimeError: two lines. Next step: report this with what ARMILLARY_DEBUG=1 shows"
    ]
    monkeypatch.setenv("ARMILLARY_DEBUG", "1")
    assert "Traceback" in cli("missions").err


def _field(n: int = 100) -> Served:
    """One dataset with a field every minute."""
    info = {
        "startDate": "2020-01-01Z", "stopDate": "2020-01-02Z", "cadence": "PT1M",
        "parameters": [
            {"name": "Time", "type": "isotime", "length": 24, "units": "UTC", "fill": None},
            {"name": "b", "type": "double", "units": "nT", "fill": "-1e31"},
        ],
    }  # fmt: skip
    ns = np.datetime64("2020-01-01", "ms") + np.arange(n) * np.timedelta64(60_000, "ms")
    return Served.of(info, {"Time": np.datetime_as_string(ns, timezone="UTC"), "b": np.arange(n, dtype=float)})
