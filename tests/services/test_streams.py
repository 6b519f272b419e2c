"""Tables of any size and form are applied to in bounded blocks, and answer alike in all of them."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from armillary.errors import DamagedFile
from armillary.learn.applying import apply
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import Run, load_run
from armillary.services.samples import blocks_of_file
from armillary.services.streams import Lazy, block_of

ROWS = 1000
STUDY: dict[str, Any] = {
    "name": "two", "task": "classes", "data": {"layout": "table", "options": {"label": "class", "columns": ["a", "b"]}},
    "split": {"sky_on": ["ra", "dec"], "level": 4, "folds": 3}, "seeds": 1, "resamples": 20,
    "features": [{"use": "columns"}], "models": [{"use": "logistic"}],
}  # fmt: skip


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    number = rng.integers(0, 2, rows)
    frame = pd.DataFrame({
        "source_id": np.arange(rows, dtype=np.int64) + 2**60, "ra": rng.uniform(0, 90, rows),
        "dec": rng.uniform(-45, 45, rows), "a": rng.normal(size=rows) + 2 * number, "b": rng.normal(size=rows),
        "class": np.array(["x", "y"])[number], "remark": "a text that nobody asks for",
    })  # fmt: skip
    frame.loc[7, ["a", "b"]] = np.nan
    return frame


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("two")
    table().to_csv(folder / "two.csv", index=False)
    publish(study_of(STUDY), folder / "run", data=folder / "two.csv")
    return load_run(folder / "run")


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(frame), path, row_group_size=90)


def _dataset(frame: pd.DataFrame, path: Path) -> None:
    frame = frame.assign(tile=np.arange(len(frame)) // 400)
    pq.write_to_dataset(pa.Table.from_pandas(frame), path, partition_cols=["tile"])


def _feather(frame: pd.DataFrame, path: Path) -> None:
    frame.to_feather(path, chunksize=300)


def _fits(frame: pd.DataFrame, path: Path) -> None:
    Table = pytest.importorskip("astropy.table").Table  # noqa: N806
    Table.from_pandas(frame).write(path)


def _ecsv(frame: pd.DataFrame, path: Path) -> None:
    Table = pytest.importorskip("astropy.table").Table  # noqa: N806
    Table.from_pandas(frame).write(path, serialize_method="data_mask")


FORMS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "t.txt": lambda frame, path: frame.drop(columns="remark").to_csv(path, index=False, sep=" ", na_rep="nan"),
    "t.parquet": _parquet, "folder": _dataset, "t.feather": _feather, "t.fits": _fits, "t.ecsv": _ecsv,
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_in_blocks_and_answers_alike(
    run: Run, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("armillary.learn.applying.BLOCK_ROWS", 220)
    frame = table(seed=1)
    FORMS[name](frame, tmp_path / name)
    applied = apply(run, blocks_of_file(run, tmp_path / name), tmp_path / "parts")
    assert applied.rows == ROWS
    assert len(applied.parts) >= 4
    assert max(len(one) for one in applied.answers()) <= 220
    answer = np.concatenate([one.answer for one in applied.answers()])
    places = np.concatenate([one.places["source_id"] for one in applied.answers()])
    assert places.tolist() == frame["source_id"].tolist()
    assert np.isnan(answer[7]).all()
    assert np.concatenate([one.states for one in applied.answers()])[7] == -1
    known = np.arange(ROWS) != 7
    assert run.calibration is not None
    wanted = run.calibration.apply(run.fitted.model.predict_proba(frame[["a", "b"]].to_numpy()[known]))
    np.testing.assert_allclose(answer[known], wanted, atol=1e-9)


def test_a_piece_is_made_of_plain_values_and_only_of_what_is_needed(run: Run, tmp_path: Path) -> None:
    _parquet(table(), tmp_path / "t.parquet")
    blocks = blocks_of_file(run, tmp_path / "t.parquet")
    (block,) = blocks
    assert isinstance(block, Lazy)
    again = block_of(run, json.loads(json.dumps(block.record(tmp_path, 0))))
    assert again.samples.identical(block().samples)
    assert "remark" not in again.samples


def test_rows_that_a_study_leaves_out_leave_empty_parts(run: Run, tmp_path: Path) -> None:
    options = {**run.study.data.options, "keep": {"b": [1.5]}}
    picky = replace(run, study=replace(run.study, data=replace(run.study.data, options=options)))
    frame = table()
    frame["b"] = np.where(np.arange(ROWS) < 400, 0.5, 1.5)
    _dataset(frame, tmp_path / "folder")
    applied = apply(picky, blocks_of_file(picky, tmp_path / "folder"), tmp_path / "parts")
    assert (applied.rows, len(applied.parts)) == (600, 3)
    assert sum(len(one) for one in applied.answers()) == 600
    assert applied.drift is not None
    assert applied.drift["rows"] == 600


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.csv.gz"])
def test_broken_files_are_told(run: Run, tmp_path: Path, name: str) -> None:
    FORMS[name](table(), tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedFile, match="cannot read t"):
        apply(run, blocks_of_file(run, tmp_path / name), tmp_path / "parts")


_KILLED = """
import os, signal, sys
from pathlib import Path
import armillary.learn.applying as applying
from armillary.learn.trained import load_run
from armillary.services.samples import blocks_of_file
applying.BLOCK_ROWS = 200
run = load_run(Path(sys.argv[1]))
def kill(fraction, message=""):
    if message.startswith("block 3"):
        os.kill(os.getpid(), signal.SIGKILL)
applying.apply(run, blocks_of_file(run, Path(sys.argv[2])), Path(sys.argv[3]), progress=kill)
"""


def test_kill_9_between_the_parts_of_a_text_loses_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FORMS["t.csv"](table(), tmp_path / "t.csv")
    words = [sys.executable, "-c", _KILLED, str(run.folder), str(tmp_path / "t.csv"), str(tmp_path / "parts")]
    killed = subprocess.run(words, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = sorted((tmp_path / "parts").iterdir())
    assert [one.name for one in left] == ["000000.npz", "000001.npz"]
    stamps = [one.stat().st_mtime_ns for one in left]
    monkeypatch.setattr("armillary.learn.applying.BLOCK_ROWS", 200)
    assert apply(run, blocks_of_file(run, tmp_path / "t.csv"), tmp_path / "parts").rows == ROWS
    assert [one.stat().st_mtime_ns for one in left] == stamps
