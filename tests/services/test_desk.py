"""The desk from Python: plain data, the same as the command line writes, by the same key from everywhere."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

import armillary as arm
from armillary.catalogues import Entry
from armillary.errors import BadParameter, BadPredicate, BadRequest, Cancelled, CannotWrite, UnknownProduct
from armillary.model import Request, parse_time
from armillary.services.desk import Desk, ask
from armillary.services.home import read_size

FIELD = "simulated/wind/b_gse"
DAY = ("2020-01-01", "2020-01-02")


@pytest.fixture
def desk() -> Desk:
    return arm.open()


def test_get_gives_plain_data(desk: Desk) -> None:
    field = desk.get(FIELD, *DAY)
    assert type(field) is xr.Dataset
    assert field.sizes == {"time": 1440, "component": 3}
    assert field["b_gse"].attrs["units"] == "nT"
    stars = desk.get("simulated/stars/photometry", rows="0,10", where="g_mag > 0")
    assert type(stars) is pa.Table
    assert 0 < stars.num_rows <= 10


@pytest.mark.parametrize(
    "times",
    [
        ("2020-01-01", "2020-01-02"),
        ("2020-001", "2020-01-02T00:00:00.000Z"),
        (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)),
        (np.datetime64("2020-01-01"), np.datetime64("2020-01-02T00", "ns")),
    ],
)
def test_times_may_be_given_in_several_ways(desk: Desk, times: tuple[Any, Any]) -> None:
    assert ask(FIELD, *times).key == ask(FIELD, *DAY).key
    assert desk.get(FIELD, *times).sizes["time"] == 1440


def test_the_same_as_the_command_line_writes(desk: Desk, cli: Callable[..., Any], tmp_path: Path) -> None:
    ours = desk.get("simulated/wind/density_mean", *DAY, params={"window": 3600})
    words = ("--start", DAY[0], "--stop", DAY[1], "--param", "window=3600", "-o", tmp_path / "n.nc")
    assert cli("get", "simulated/wind/density_mean", *words).status == 0
    with xr.open_dataset(tmp_path / "n.nc", engine="h5netcdf") as written:
        xr.testing.assert_equal(written.load(), ours)
        assert written.attrs["armillary_request"] == ours.attrs["armillary_request"]


def test_a_request_has_one_key_from_python_the_command_line_and_urls(desk: Desk, cli: Callable[..., Any]) -> None:
    path, window = "simulated/wind/density_mean", 1800
    plan = desk.plan(ask(path, *DAY, params={"window": window}))
    line = cli("get", path, "--start", "2020-01-01T00:00Z", "--stop", "2020-002", "--param", "window=1800", "--plan",
               "--json")  # fmt: skip
    url = f"product={path}&start=2020-01-01T00%3A00%3A00Z&stop=2020-01-02&param.window=1800"
    keys = {plan.request.key, json.loads(line.out)["key"], desk.plan(Request.from_query(url)).request.key}
    assert len(keys) == 1
    code = (
        "import armillary as arm; from armillary.services.desk import ask;"
        f"print(arm.open().plan(ask({path!r}, *{DAY!r}, params={{'window': {window}}})).request.key)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() in keys


def test_a_folder_is_an_archive_of_this_desk_only(tmp_path: Path) -> None:
    (tmp_path / "wind.csv").write_text("time,B (nT)\n2020-01-01,5.0\n2020-01-02,6.5\n", "utf-8")
    desk = arm.open(tmp_path)
    assert [one.path for one in desk.search("wind", "local")] == ["local/wind", "local/wind/B"]
    assert desk.get("local/wind/B")["B"].values.tolist() == [5.0, 6.5]
    assert arm.open().search("", "local") == []


def test_what_comes_in_blocks_is_the_whole(desk: Desk) -> None:
    request = ask("simulated/sentry/ion_skymap", "2024-01-01", "2024-01-01T00:30")
    blocks = list(desk.blocks(request))
    assert len(blocks) > 1
    assert sum(block.sizes["time"] for block in blocks) == desk.answer(request).sizes["time"]


def test_view_has_a_panel_for_each_and_bands_of_catalogues(desk: Desk) -> None:
    desk.catalogues.new("storms", kind="events")
    hours = (parse_time("2020-01-01T05"), parse_time("2020-01-01T07"))
    desk.catalogues.add("storms", [Entry(start=hours[0], stop=hours[1], class_="storm")])
    view = desk.view([ask(FIELD, *DAY), ask("simulated/wind/density", *DAY)], catalogues=["storms"], title="A day")
    assert [panel.source for panel in view.panels] == [FIELD, "simulated/wind/density"]
    assert view.title == "A day"
    assert [(band.start, band.stop, band.label) for band in view.bands] == [(*hours, "storm")]


def test_progress_is_told_and_may_stop(desk: Desk) -> None:
    told: list[float] = []
    desk.get(FIELD, *DAY, progress=lambda fraction, _="": told.append(fraction))
    assert told[-1] == 1.0
    assert told == sorted(told)

    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled("stopped", "go on")

    with pytest.raises(Cancelled):
        desk.get(FIELD, "2020-02-01", "2020-02-02", progress=stop)


@pytest.mark.parametrize(
    ("words", "parts", "kind"),
    [
        (("simulated/nothing", *DAY), {}, UnknownProduct),
        ((FIELD, *DAY), {"params": {"q": 1}}, BadParameter),
        ((FIELD, *DAY), {"where": "b >"}, BadPredicate),
        ((FIELD, *DAY), {"box": "1,2,3,4"}, BadRequest),
        ((FIELD, "2020-01-01"), {}, BadRequest),
        ((FIELD, 20200101, 20200102), {}, BadRequest),
    ],
)
def test_a_wrong_question_is_an_error_of_its_own(
    desk: Desk, words: tuple[Any, ...], parts: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        desk.get(*words, **parts)


def test_a_mission_that_cannot_connect_is_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "archives.json").write_text(
        json.dumps([arm.Archive(name="far", protocol="hapi", address="http://127.0.0.1:9/hapi").to_record()]), "utf-8"
    )
    monkeypatch.setenv("ARMILLARY_TIMEOUT", "soon")
    desk = arm.open()
    assert "archive far is left out: ARMILLARY_TIMEOUT=soon is not a time" in caplog.text
    assert desk.product(FIELD).units == "nT"
    monkeypatch.setenv("ARMILLARY_TIMEOUT", "0.2")
    desk = arm.open()
    assert list(desk.problems) == ["hapi:http://127.0.0.1:9/hapi"]
    assert desk.product(FIELD).units == "nT"


def test_home_may_be_given(tmp_path: Path) -> None:
    assert arm.open(home=tmp_path / "mine").home == tmp_path / "mine"
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite):
        arm.open(home=tmp_path / "file")


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "1X", "nan", "inf", "1e999G"])
def test_nonsense_is_no_size(text: str) -> None:
    with pytest.raises(BadRequest):
        read_size(text)
