"""Every command of ``armillary`` as people and machines use it, on simulated products and small folders."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
import xarray as xr

from armillary.services.cli import PIPE_CLOSED

DAY = ("--start", "2020-01-01", "--stop", "2020-01-01T06:00")
FIELD = "simulated/wind/b_gse"

#: Packages that `armillary tree` may load, beside the standard library: the parser of the command line, the arrays of
#: the model, and the drawing of tables.
LIGHT = {
    "armillary", "typer", "pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection",
    "annotated_doc", "rich", "pygments", "shellingham", "click", "numpy", "platformdirs", "markdown_it", "mdurl",
    "colorama",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one table, as a user would have it."""
    place = tmp_path / "mine"
    place.mkdir()
    (place / "wind.csv").write_text("time,B (nT)\n2020-01-01,5.0\n2020-01-02,6.5\n", "utf-8")
    return place


@pytest.fixture
def ok(cli: Callable[..., Any]) -> Callable[..., str]:
    """Run a command that must succeed and give what it printed."""

    def run(*words: object) -> str:
        ran = cli(*words)
        assert ran.status == 0, ran.err
        return ran.out  # type: ignore[no-any-return]

    return run


def test_tree_browses_searches_and_gives_json(ok: Callable[..., str]) -> None:
    assert ok("tree") == "simulated/\n"
    assert "simulated/wind/truth/icme" in ok("tree", "simulated/wind").split()
    assert "2020-01-01 00:00" in ok("tree", "simulated/wind/")
    details = ok("tree", "simulated/wind/density_mean")
    assert "recipe" in details
    assert "window" in details
    found = json.loads(ok("tree", "--search", "WIND magnetic", "--json"))
    assert FIELD in [one["path"] for one in found]
    first = ["path", "title", "kind", "units", "start", "stop", "source"]
    assert all(list(one)[:7] == first for one in found)
    assert FIELD in ok("tree", "--search", "wind magnetic")
    assert len(json.loads(ok("tree", "--json", "--limit", "3"))) == 3
    assert [one["path"] for one in json.loads(ok("tree", FIELD, "--json"))] == [FIELD]


def test_a_search_without_success_is_an_empty_list_and_a_word(cli: Callable[..., Any]) -> None:
    ran = cli("tree", "--search", "nosuchword", "--json")
    assert (ran.status, json.loads(ran.out)) == (0, [])
    assert "no leaf holds all of: nosuchword" in ran.err


def test_tree_loads_light_packages_only() -> None:
    code = (
        "import sys\nfrom armillary.services.cli import main\n"
        "try:\n    main(['tree', 'simulated/wind'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), sep='\\n', file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    third = {name for name in ran.stderr.split() if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert third - LIGHT <= {"sitecustomize", "coverage", "cython_runtime"}


@pytest.mark.parametrize("ending", ["nc", "zarr", "csv", "parquet", "cdf", "vot", "fits"])
def test_get_writes_each_format(ok: Callable[..., str], tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"b.{ending}"
    assert ok("get", FIELD, *DAY, "-o", target) == f"{target}\n"
    assert [one.name for one in tmp_path.iterdir()] == [target.name]
    again = json.loads(ok("--archive", tmp_path, "tree", "local", "--json")) if ending != "zarr" else [{}]
    assert again


def test_a_written_file_keeps_units_and_lineage(ok: Callable[..., str], tmp_path: Path) -> None:
    ok("get", "simulated/wind/density_mean", *DAY, "--param", "window=3600", "-o", tmp_path / "n.nc")
    with xr.open_dataset(tmp_path / "n.nc", engine="h5netcdf") as written:
        (variable,) = written.data_vars.values()
        assert variable.attrs["units"] == "cm^-3"
        assert json.loads(written.attrs["armillary_request"])["params"] == {"window": 3600.0}
        made_from = [step["product"] for step in json.loads(written.attrs["armillary_lineage"])]
    assert made_from == ["simulated/wind/density", "simulated/wind/density_mean"]


def test_get_cuts_by_where_cone_and_rows(ok: Callable[..., str], tmp_path: Path) -> None:
    stars = "simulated/stars/photometry"
    all_of_them = pyarrow.parquet.read_table(ok("get", stars, "-o", tmp_path / "all.parquet").strip())
    near = pyarrow.parquet.read_table(ok("get", stars, "--where", "parallax > 5", "-o", tmp_path / "n.parquet").strip())
    assert near.num_rows == sum((one or 0) > 5 for one in all_of_them["parallax"].to_pylist())
    circle = pyarrow.parquet.read_table(
        ok("get", stars, "--cone", "80.5,-9.5,0.5", "-o", tmp_path / "c.parquet").strip()
    )
    assert 0 < circle.num_rows < all_of_them.num_rows
    assert np.abs(np.asarray(circle["dec"]) + 9.5).max() <= 0.5
    few = pyarrow.csv.read_csv(
        ok("get", stars, "--rows", "5,8", "-o", tmp_path / "f.csv").strip(),
        pyarrow.csv.ReadOptions(skip_rows=1),
    )
    assert few.num_rows == 3


def test_get_without_a_file_prints(cli: Callable[..., Any]) -> None:
    ran = cli("get", FIELD, *DAY)
    assert "b_gse" in ran.out
    assert "add -o FILE" in ran.err


def test_plan_tells_and_does_nothing(ok: Callable[..., str], home: Path) -> None:
    text = ok("get", "simulated/wind/density_mean", *DAY, "--plan")
    assert text.splitlines()[0].startswith("1. fetch from simulated: simulated/wind/density ")
    assert "in the cache: nothing" in text
    plan = json.loads(ok("get", FIELD, *DAY, "--plan", "--json"))
    assert plan["request"]["product"] == FIELD
    assert len(plan["key"]) == 64
    assert json.loads(ok("cache", "show", "--json"))["totals"]["entries"] == 0


@pytest.mark.parametrize(
    ("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")]
)
def test_plot_writes_each_format(ok: Callable[..., str], tmp_path: Path, ending: str, begins: bytes) -> None:
    target = tmp_path / f"wind.{ending}"
    ok("plot", FIELD, "simulated/wind/dens*", *DAY, "--param", "window=3600", "--title", "a day", "-o", target)
    assert target.read_bytes()[:20].lower().startswith(begins.lower())
    assert [one.name for one in tmp_path.iterdir()] == [target.name]


def test_open_remembers_a_folder_and_says_what_it_holds(ok: Callable[..., str], folder: Path) -> None:
    (folder / "broken.cdf").write_bytes(b"this is no CDF")
    text = ok("open", folder)
    assert text.startswith("mine: 2 products (")
    assert "damaged: broken.cdf: " in text
    listed = {one["name"]: one for one in json.loads(ok("archives", "--json"))}
    assert listed["mine"]["products"] == 2
    assert [path for path, _ in listed["mine"]["damaged"]] == ["broken.cdf"]
    assert listed["simulated"]["kinds"]["series"] > 10
    assert "local/wind" in ok("tree", "local")
    (folder / "broken.cdf").unlink()
    assert "damaged" not in ok("refresh", "mine")
    assert ok("remove", "mine") == f"forgot mine ({folder})\n"
    assert [one["name"] for one in json.loads(ok("archives", "--json"))] == ["simulated"]


def test_a_folder_that_changes_is_noticed(ok: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    def get() -> list[str]:
        ok("get", "local/wind", "--archive", folder, "-o", tmp_path / "wind.csv")
        return (tmp_path / "wind.csv").read_text("utf-8").splitlines()[2:]

    assert get() == ["2020-01-01T00:00:00Z,5", "2020-01-02T00:00:00Z,6.5"]
    with (folder / "wind.csv").open("a", encoding="utf-8") as more:
        more.write("2020-01-03,7\n")
    assert get()[-1] == "2020-01-03T00:00:00Z,7"
    (folder / "other.csv").write_text("time,T (K)\n2020-01-01,300\n", "utf-8")
    (folder / "wind.csv").unlink()
    paths = {one["path"] for one in json.loads(ok(f"--archive={folder}", "tree", "local", "--json"))}
    assert paths == {"local/other", "local/other/T"}


def test_archives_may_stand_anywhere_and_share_a_path(ok: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "yours"
    second.mkdir()
    (second / "wind.csv").write_text("time,B (nT)\n2020-01-01,50.0\n", "utf-8")

    def last(*words: object) -> str:
        ok(*words, "-o", tmp_path / "w.csv")
        return (tmp_path / "w.csv").read_text("utf-8").splitlines()[-1]

    both = json.loads(ok("--archive", folder, "tree", "local/wind", "--json", "--archive", second))
    assert {one["path"] for one in both} >= {"local/wind", "local/wind@yours"}
    assert last("--archive", folder, "get", "local/wind", "--archive", second) == "2020-01-02T00:00:00Z,6.5"
    assert last("get", "local/wind@yours", "--archive", folder, "--archive", second) == "2020-01-01T00:00:00Z,50"
    assert last("get", "--archive", second, "local/wind") == "2020-01-01T00:00:00Z,50"


def test_offline_serves_the_cache_and_names_the_hole(ok: Callable[..., str], cli: Callable[..., Any]) -> None:
    ok("get", FIELD, *DAY)
    ran = cli("get", FIELD, "--start", "2020-01-01", "--stop", "2020-01-02", "--offline")
    assert ran.status == 0
    assert "missing 2020-01-01T06:00:00Z to 2020-01-02T00:00:00Z" in ran.err
    ran = cli("get", FIELD, "--start", "2021-01-01", "--stop", "2021-01-02", "--offline")
    assert ran.status == 1
    assert "in the cache" in ran.err


def test_cache_shows_verifies_and_clears(ok: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        ok("get", FIELD, *DAY)
    assert FIELD in ok("cache", "show")
    totals = json.loads(ok("cache", "show", "--json"))["totals"]
    assert (totals["hits"], totals["misses"], totals["entries"]) == (1, 1, 1)
    assert json.loads(ok("cache", "verify", "--json")) == []
    assert ok("cache", "clear", "simulated/*", "--yes") == "1 entries forgotten\n"
    monkeypatch.setenv("ARMILLARY_CACHE_LIMIT", "100")
    ok("get", FIELD, *DAY)
    assert json.loads(ok("cache", "show", "--json"))["totals"]["entries"] == 0


def test_missions_and_version(ok: Callable[..., str]) -> None:
    listed = {one["name"]: one for one in json.loads(ok("missions", "--json"))}
    assert listed["simulated"]["problem"] == ""
    assert "Simulated" in ok("missions")
    assert ok("--version").startswith("armillary ")
    assert "Browse and search" in ok("--help")


def test_a_job_outlives_the_command_and_can_be_tried_again(ok: Callable[..., str], tmp_path: Path) -> None:
    target = tmp_path / "b.nc"
    ran = subprocess.run(
        [sys.executable, "-m", "armillary", "get", FIELD, *DAY, "-o", target, "--background"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == "job 1; see `armillary jobs show 1`\n"
    assert _ended(ok, 1) == "done"
    assert target.exists()
    assert str(target) in ok("jobs", "show", "1")
    target.unlink()
    assert ok("jobs", "retry", "1").startswith("job 2")
    assert _ended(ok, 2) == "done"
    assert target.exists()
    assert [one["id"] for one in json.loads(ok("jobs", "list", "--json"))] == [2, 1]
    assert FIELD in ok("jobs", "list")


def test_a_job_can_be_cancelled(ok: Callable[..., str], tmp_path: Path) -> None:
    target = tmp_path / "big.nc"
    long = ("--start", "2024-01-01", "--stop", "2024-02-01")
    ok("get", "simulated/sentry/ion_skymap", *long, "-o", target, "--background")
    while json.loads(ok("jobs", "show", "1", "--json"))["state"] == "queued":
        time.sleep(0.05)
    ok("jobs", "cancel", "1")
    assert _ended(ok, 1) == "cancelled"
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path) -> None:
    target = tmp_path / "big.nc"
    words = ["get", "simulated/sentry/ion_skymap", "--start", "2024-01-01", "--stop", "2024-02-01", "-o", str(target)]
    # A process group of its own: who runs the tests must not be interrupted.
    process = subprocess.Popen(
        [sys.executable, "-m", "armillary", *words], stderr=subprocess.PIPE, text=True, process_group=0
    )
    while process.poll() is None and not any(tmp_path.iterdir()):
        time.sleep(0.02)  # until the file aside is begun
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said == "armillary: stopped; what was finished is kept\n"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_told_by_the_status_alone() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "armillary", "tree", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    # as the shell says of any program whose reader went away: whoever counts on all of the output can tell
    assert (process.wait(60), said) == (PIPE_CLOSED, "")


def _ended(ok: Callable[..., str], number: int) -> str:
    """Wait for the end of a job and give its state."""
    end = time.monotonic() + 60
    while (state := json.loads(ok("jobs", "show", str(number), "--json"))["state"]) in {"queued", "running"}:
        assert time.monotonic() < end, state
        time.sleep(0.05)
    return str(state)
