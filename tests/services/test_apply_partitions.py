"""A folder of partitions is answered file by file, restartable, and alike however often it was interrupted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from armillary.errors import BadRequest, Cancelled, JobFailed, NoData
from armillary.learn.applying import apply
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import Run, load_run
from armillary.services.applying import write_rows
from armillary.services.partitions import MANIFEST, apply_to_partitions, partitions_of
from armillary.services.samples import blocks_of_file
from armillary.sources.files import hats
from armillary.testing.hats_layout import write_hats

STUDY: dict[str, Any] = {
    "name": "two", "task": "classes", "data": {"layout": "table", "options": {"label": "class", "columns": ["a", "b"]}},
    "split": {"sky_on": ["ra", "dec"], "level": 4, "folds": 3}, "seeds": 1, "resamples": 20,
    "features": [{"use": "columns"}], "models": [{"use": "logistic"}],
}  # fmt: skip
TILES = 9


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    number = rng.integers(0, 2, rows)
    frame = pd.DataFrame({
        "source_id": np.arange(rows, dtype=np.int64) + 2**60, "ra": rng.uniform(0, 360, rows),
        "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, rows))), "a": rng.normal(size=rows) + 2 * number,
        "b": rng.normal(size=rows), "class": np.array(["x", "y"])[number], "remark": "a text that nobody asks for",
    })  # fmt: skip
    frame.loc[7, ["a", "b"]] = np.nan
    return frame


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a run, and with partitions by tile, one of which has no row."""
    folder = tmp_path_factory.mktemp("partitions")
    table(1000).to_csv(folder / "two.csv", index=False)
    publish(study_of(STUDY), folder / "run", data=folder / "two.csv")
    for tile in range(TILES):
        (folder / f"sky/tile={tile}").mkdir(parents=True)
        rows = {4: 0, 8: 110_000}.get(tile, 3000 + 500 * tile)  # none, and more than two blocks
        found = pa.Table.from_pandas(table(max(rows, 10), tile).head(rows), preserve_index=False)
        pq.write_table(found, folder / f"sky/tile={tile}/part-0.parquet", row_group_size=7000)
    (folder / "sky/_common_metadata").write_bytes(b"not a partition")
    (folder / "sky/README.txt").write_text("not a partition")
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return load_run(place / "run")


@pytest.fixture(scope="module")
def whole(place: Path, run: Run) -> Path:
    """Give the answers of a call that was never interrupted."""
    told = apply_to_partitions(run, place / "sky", place / "whole")
    assert told["fresh"] == TILES
    return place / "whole"


def content(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file() and one.name != "_lock"
    }


def test_answers_are_those_of_one_table(place: Path, run: Run, whole: Path, tmp_path: Path) -> None:
    applied = apply(run, blocks_of_file(run, place / "sky"), tmp_path / "parts")
    write_rows(applied, tmp_path / "one.parquet")
    expected = pq.read_table(tmp_path / "one.parquet").to_pandas()
    found = pq.read_table(whole).to_pandas()
    assert set(found.columns) == {*expected.columns, "tile"}
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    told = json.loads((whole / MANIFEST).read_text())
    assert told["rows"] == len(expected) == sum(one["rows"] for one in told["partitions"])
    assert told["classes"] == {one: int((expected["class"] == one).sum()) for one in told["classes"]}
    assert sum(told["classes"].values()) == told["rows"]
    assert applied.drift is not None
    assert told["drift"]["text"] == applied.drift["text"]
    assert [one["path"] for one in told["partitions"]] == [f"tile={one}/part-0.parquet" for one in range(TILES)]


def test_a_killed_call_goes_on_and_gives_the_same_bytes(place: Path, run: Run, whole: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    words = [sys.executable, "-m", "armillary", "apply", str(place / "run"), str(place / "sky"), "-o", str(output)]
    slow = os.environ | {"ARMILLARY_HOME": str(tmp_path / "home")}
    call = subprocess.Popen([*words, "--workers", "2"], env=slow, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 400  # on a machine that is busy with other work
    try:
        while not list((output / "_records").rglob("*.json")):
            assert time.monotonic() < deadline
            assert call.poll() is None, "it ended before it was killed"
            time.sleep(0.002)
    finally:
        call.send_signal(signal.SIGKILL)
        call.wait()
    assert call.returncode == -signal.SIGKILL
    assert not (output / MANIFEST).exists()
    done = len(list((output / "_records").rglob("*.parquet.json")))
    told = apply_to_partitions(run, place / "sky", output)
    assert told["fresh"] <= TILES - done
    assert {name: one for name, one in content(output).items() if not name.endswith(".part")} == content(whole)


def test_what_is_done_is_passed_over_and_what_changed_is_answered_again(place: Path, run: Run, tmp_path: Path) -> None:
    shutil.copytree(place / "sky", tmp_path / "sky")
    output = tmp_path / "out"
    assert apply_to_partitions(run, tmp_path / "sky", output)["fresh"] == TILES
    assert apply_to_partitions(run, tmp_path / "sky", output)["fresh"] == 0
    before = content(output)
    (output / "tile=2/part-0.parquet").write_bytes(b"half")
    damaged = bytearray((output / "tile=3/part-0.parquet").read_bytes())
    damaged[100] ^= 1
    (output / "tile=3/part-0.parquet").write_bytes(bytes(damaged))
    (output / "_records/tile=5/part-0.parquet.json").write_text("{")
    assert apply_to_partitions(run, tmp_path / "sky", output)["fresh"] == 2
    assert content(output) != before
    assert apply_to_partitions(run, tmp_path / "sky", output, verify=True)["fresh"] == 1
    assert content(output) == before
    pq.write_table(
        pq.read_table(tmp_path / "sky/tile=1/part-0.parquet").slice(0, 50), tmp_path / "sky/tile=1/part-0.parquet"
    )
    (tmp_path / "sky/tile=0/part-0.parquet").unlink()
    told = apply_to_partitions(run, tmp_path / "sky", output)
    assert told["fresh"] == 1
    assert len(told["partitions"]) == TILES - 1
    assert not (output / "tile=0/part-0.parquet").exists()


def test_a_damaged_partition_does_not_stop_the_others(place: Path, run: Run, tmp_path: Path) -> None:
    shutil.copytree(place / "sky", tmp_path / "sky")
    good = (tmp_path / "sky/tile=0/part-0.parquet").read_bytes()
    (tmp_path / "sky/tile=0/part-0.parquet").write_bytes(good[: len(good) // 2])
    with pytest.raises(JobFailed, match=r"tile=0/part-0\.parquet could not be answered"):
        apply_to_partitions(run, tmp_path / "sky", tmp_path / "out")
    assert len(list((tmp_path / "out/_records").rglob("*.json"))) == TILES - 1
    assert not (tmp_path / "out" / MANIFEST).exists()
    (tmp_path / "sky/tile=0/part-0.parquet").write_bytes(good)
    assert apply_to_partitions(run, tmp_path / "sky", tmp_path / "out")["fresh"] == 1


def test_stopping_leaves_nothing_half_written(place: Path, run: Run, tmp_path: Path) -> None:
    def stop(_fraction: float, message: str = "") -> None:
        if message.startswith("partition 3"):
            raise Cancelled("stop", "go on")

    with pytest.raises(Cancelled):
        apply_to_partitions(run, place / "sky", tmp_path / "out", progress=stop)
    assert len(list((tmp_path / "out/_records").rglob("*.json"))) == 3
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_hats_catalogue_becomes_a_hats_catalogue(run: Run, tmp_path: Path) -> None:
    rows = table(3000, 5)
    written = write_hats([pa.Table.from_pandas(rows, preserve_index=False)], tmp_path / "sky", most=60)
    (tmp_path / "sky/dataset/data_thumbnail.parquet").write_bytes(b"not a partition")
    told = apply_to_partitions(run, tmp_path / "sky", tmp_path / "out", prior={"x": 0.1})
    assert sorted((one["path"], one["rows"]) for one in told["partitions"]) == sorted(written)
    assert hats.is_catalogue(tmp_path / "out")
    properties = hats.properties_of(tmp_path / "out")
    assert properties["hats_nrows"] == "3000"
    assert properties["obs_collection"] == "sky_two"
    cells = [(one.order, one.number) for one in hats.cells_of(tmp_path / "out")]
    assert cells == [(one.order, one.number) for one in hats.cells_of(tmp_path / "sky")]
    assert {order for order, _ in cells} > {1}
    found = pq.read_table(tmp_path / "out/dataset").to_pandas().sort_values("source_id")
    assert found["source_id"].tolist() == rows["source_id"].tolist()
    assert "_healpix_29" in found


@pytest.mark.parametrize(("change", "said"), [
    ({"prior": {"x": 0.3}}, "the prior differs"), ({"folder": "other"}, "the folder differs"),
])  # fmt: skip
def test_answers_to_another_question_are_not_mixed(
    place: Path, run: Run, whole: Path, change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "out")
    shutil.copytree(place / "sky", place / "other", dirs_exist_ok=True)
    folder = place / change.pop("folder", "sky")
    with pytest.raises(BadRequest, match=said):
        apply_to_partitions(run, folder, tmp_path / "out", **change)
    assert content(tmp_path / "out") == content(whole)


def test_wrong_folders_are_refused(place: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("years of work")
    with pytest.raises(BadRequest, match="holds something else"):
        apply_to_partitions(run, place / "sky", tmp_path / "full")
    with pytest.raises(BadRequest, match="lie in each other"):
        apply_to_partitions(run, place / "sky", place / "sky/out")
    with pytest.raises(NoData, match="no Parquet file"):
        partitions_of(tmp_path / "full")
    with pytest.raises(BadRequest, match="0 workers"):
        apply_to_partitions(run, place / "sky", tmp_path / "out", workers=0)


def test_the_command_refuses_what_means_nothing(place: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    words = ["apply", place / "run", place / "sky", "-o", tmp_path / "out"]
    told = cli(*words, "--where", "a > 1")
    assert told.status != 0
    assert "partitions go whole" in told.err
    assert not (tmp_path / "out").exists()
    assert cli(*words).status == 0
    assert content(tmp_path / "out")
