"""Blocks answered by a real Dask scheduler and worker on this machine are those answered here, bit for bit."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import armillary as arm
from armillary.errors import BadParameter, SourceDown
from armillary.learn.applying import apply
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import Run, load_run
from armillary.services.applying import Target, apply_run
from armillary.services.clusters import answer, answer_on
from armillary.services.samples import blocks_of_file

pytest.importorskip("distributed", reason="needs armillary[scale]")
ROWS = 60_000
STUDY: dict[str, Any] = {
    "name": "two", "task": "classes", "data": {"layout": "table", "options": {"label": "class", "columns": ["a", "b"]}},
    "split": {"sky_on": ["ra", "dec"], "level": 4, "folds": 3}, "seeds": 1, "resamples": 20,
    "features": [{"use": "columns"}], "models": [{"use": "logistic"}],
}  # fmt: skip


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    number = rng.integers(0, 2, rows)
    places = {"ra": rng.uniform(0, 90, rows), "dec": rng.uniform(-45, 45, rows)}
    values = {
        "a": rng.normal(size=rows) + 2 * number,
        "b": rng.normal(size=rows),
        "class": np.array(["x", "y"])[number],
    }
    return pd.DataFrame(places | values)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("two")
    table(1000).to_csv(folder / "two.csv", index=False)
    table(ROWS, 1).to_csv(folder / "new.csv", index=False)
    table(ROWS, 1).to_parquet(folder / "new.parquet")
    publish(study_of(STUDY), folder / "run", data=folder / "two.csv")
    return load_run(folder / "run")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the file of a scheduler that has one worker, both processes of their own."""
    folder = tmp_path_factory.mktemp("dask")
    file = str(folder / "scheduler.json")
    dask = [sys.executable, "-W", "ignore", "-m", "dask"]
    scheduling = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file]
    working = [*dask, "worker", "--scheduler-file", file, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    with (folder / "log").open("wb") as log:
        both = [
            subprocess.Popen([*words, *more], stdout=log, stderr=log, cwd=folder)
            for words, more in ((scheduling, []), (working, ["--host", "127.0.0.1"]))
        ]
        try:
            until = time.monotonic() + 60
            while not Path(file).exists() and time.monotonic() < until:
                time.sleep(0.1)
            yield file
        finally:
            for one in both[::-1]:
                one.kill()
                one.wait()


@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
def test_a_cluster_answers_bit_for_bit(run: Run, scheduler: str, tmp_path: Path, name: str) -> None:
    path = run.folder.parent / name
    told: list[str] = []
    answer_on(
        scheduler, run, blocks_of_file(run, path), tmp_path / "far", prior={"x": 0.1},
        progress=lambda _, message="": told.append(message),
    )  # fmt: skip
    assert sorted(told) == ["block 1 is done", "block 2 is done"]
    left = sorted((tmp_path / "far").iterdir())
    assert [one.name for one in left] == ["000000.npz", "000001.npz"]
    stamps = [one.stat().st_mtime_ns for one in left]
    far = apply(run, blocks_of_file(run, path), tmp_path / "far", prior={"x": 0.1})
    near = apply(run, blocks_of_file(run, path), tmp_path / "near", prior={"x": 0.1})
    assert [one.stat().st_mtime_ns for one in left] == stamps
    assert far.rows == near.rows == ROWS
    assert far.drift == near.drift
    for one, other in zip(far.answers(), near.answers(), strict=True):
        for field in ("answer", "sets", "states"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_the_command_uses_a_cluster(run: Run, scheduler: str, cli: Callable[..., Any], tmp_path: Path) -> None:
    words = ("apply", run.folder, run.folder.parent / "new.parquet")
    asked = cli(*words, "-o", tmp_path / "far.parquet", "--dask", scheduler)
    assert asked.status == 0, asked.err
    assert cli(*words, "-o", tmp_path / "near.parquet").status == 0
    pd.testing.assert_frame_equal(*(pd.read_parquet(tmp_path / f"{one}.parquet") for one in ("far", "near")))


def test_series_of_the_tree_are_answered_by_a_cluster(scheduler: str, tmp_path: Path) -> None:
    desk = arm.open(home=tmp_path / "home")
    product = "simulated/wind/density"
    first, stop = "2020-01-01", "2020-01-11"
    samples = desk.get(product, first, stop)
    assert samples.sizes["time"]
    store = desk.catalogues
    store.new("busy", "events")
    from armillary.catalogues import Entry

    day = 86_400_000_000_000
    start = int(np.datetime64(first, "ns").astype(np.int64))
    store.add("busy", [Entry(start=start + n * day, stop=start + n * day + day // 4, class_="busy") for n in range(10)])
    options = {"products": {"density": product}, "start": first, "stop": stop, "cadence": "10min", "labels": "busy"}
    study = STUDY | {
        "task": "events", "data": {"layout": "products", "options": options},
        "split": {"time_on": "time", "block": "1d", "folds": 3},
        "features": [{"use": "rolling", "options": {"windows": ["2h"]}}],
    }  # fmt: skip
    from armillary.services.samples import publish_products

    publish_products(desk, study_of(study), tmp_path / "run")
    target = Target(start="2020-02-01", stop="2020-02-04")
    far = apply_run(desk, load_run(tmp_path / "run"), target, dask=scheduler)
    answers = np.concatenate([one.answer for one in far.answers()])
    for one in far.parts:
        one.unlink()
    near = apply_run(desk, load_run(tmp_path / "run"), target)
    np.testing.assert_array_equal(answers, np.concatenate([one.answer for one in near.answers()]))


def test_what_a_worker_meets_is_told(run: Run, scheduler: str, tmp_path: Path) -> None:
    blocks = blocks_of_file(run, run.folder.parent / "new.parquet")
    lost = table(ROWS, 1).drop(columns="b")
    lost.to_parquet(tmp_path / "lost.parquet")
    with pytest.raises(BadParameter, match="no column 'b'"):
        answer_on(scheduler, run, blocks_of_file(run, tmp_path / "lost.parquet"), tmp_path / "parts")
    order = {"version": "0", "run": str(run.folder), "model": "", "block": {}}
    assert "a worker has armillary" in answer(order)["error"]["problem"]
    assert blocks


def test_no_scheduler_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("armillary.services.clusters._PATIENCE", 0.5)
    blocks = blocks_of_file(run, run.folder.parent / "new.parquet")
    for address in ("tcp://127.0.0.1:9", "nowhere://x"):
        with pytest.raises(SourceDown, match="no Dask scheduler answers at"):
            answer_on(address, run, blocks, tmp_path / "parts")
