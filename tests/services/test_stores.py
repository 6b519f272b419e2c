"""Series in stores, and tables of the tree, are applied to block by block; nothing that was answered is read again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData, DamagedFile
from armillary.learn.applying import apply
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import Run, load_run
from armillary.services import samples
from armillary.services.applying import Target, apply_run
from armillary.services.desk import Desk
from armillary.services.stores import Piece, blocks_of_store, piece_of

HOURS = 2000
STUDY: dict[str, Any] = {
    "name": "it", "task": "events", "seeds": 1, "resamples": 20, "labels": {"positive": "event"},
    "data": {"layout": "timeline", "options": {"series": "s.csv", "events": "e.csv", "cadence": "1h"}},
    "split": {"time_on": "time", "block": "5d", "folds": 3},
    "features": [{"use": "rolling", "options": {"windows": ["6h"]}}], "models": [{"use": "logistic"}],
}  # fmt: skip


def series(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    times = pd.date_range("2020-01-01", periods=HOURS, freq="h")
    first = np.arange(40, HOURS - 40, 75)
    inside = (np.arange(HOURS)[:, None] >= first) & (np.arange(HOURS)[:, None] < first + 12)
    values = {"a": rng.normal(size=HOURS) + 3 * inside.any(axis=1), "b": rng.normal(size=HOURS)}
    events = pd.DataFrame({"begin": times[first], "end": times[first + 12]})
    return pd.DataFrame({"time": times} | values), events


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("it")
    frame, events = series(0)
    frame.to_csv(folder / "s.csv", index=False)
    events.to_csv(folder / "e.csv", index=False)
    publish(study_of(STUDY), folder / "run", data=folder)
    (folder / "new").mkdir()
    series(1)[0].drop(index=range(700, 730)).to_csv(folder / "new" / "s.csv", index=False)
    events.to_csv(folder / "new" / "e.csv", index=False)
    return load_run(folder / "run")


def stored(run: Run, path: Path) -> Path:
    frame = pd.read_csv(run.folder.parent / "new" / "s.csv", parse_dates=["time"]).set_index("time")
    data = xr.Dataset({name: ("time", frame[name].to_numpy()) for name in frame}, {"time": frame.index.to_numpy()})
    if path.suffix == ".zarr":
        data.chunk({"time": 300}).to_zarr(path, consolidated=False)
    else:
        data.to_netcdf(path, engine="h5netcdf")
    return path


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", ["s.zarr", "s.nc"])
def test_a_store_answers_as_the_whole_series_does(
    run: Run, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = apply(run, samples.blocks_of_file(run, run.folder.parent / "new"), tmp_path / "whole")
    monkeypatch.setattr("armillary.learn.applying.BLOCK_ROWS", 330)
    blocks = blocks_of_store(run, stored(run, tmp_path / name))
    parts = apply(run, blocks, tmp_path / "parts")
    assert (len(whole.parts), len(parts.parts), parts.rows) == (1, 7, HOURS)
    for field in ("answer", "states"):
        one, many = (np.concatenate([getattr(part, field) for part in done.answers()]) for done in (whole, parts))
        np.testing.assert_allclose(many, one, atol=1e-9)
    assert isinstance(blocks[2], Piece)
    again = piece_of(json.loads(json.dumps(blocks[2].record(tmp_path, 2))))
    assert again().samples.identical(blocks[2]().samples)
    assert again().samples.sizes["sample"] == 330 + 2 * 6


def test_wrong_stores_are_told(run: Run, tmp_path: Path) -> None:
    times = np.datetime64("2020-01-01", "ns") + np.arange(9) * np.timedelta64(1, "h")
    xr.Dataset({"a": ("time", np.zeros(9))}, {"time": times}).to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    with pytest.raises(BadData, match="no series 'b'"):
        blocks_of_store(run, tmp_path / "one.nc")
    xr.Dataset({"a": ("time", np.zeros(9)), "b": ("time", np.zeros(9))}, {"time": times[::-1]}).to_netcdf(
        tmp_path / "back.nc", engine="h5netcdf"
    )
    with pytest.raises(BadData, match="not in order"):
        blocks_of_store(run, tmp_path / "back.nc")
    (tmp_path / "broken.nc").write_bytes(b"no store at all")
    with pytest.raises(DamagedFile, match="cannot read broken"):
        blocks_of_store(run, tmp_path / "broken.nc")


def test_pages_of_a_table_that_were_answered_are_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of the tree in four blocks: the call is killed in the third, and goes on there."""
    desk = arm.open(home=tmp_path / "home")
    stars, truth = (
        desk.get(f"simulated/stars/{name}", params={"n": 1200}).to_pandas() for name in ("photometry", "truth")
    )
    stars = stars.merge(truth[["source_id", "class"]], on="source_id")
    stars[stars["class"].isin(["dwarf", "giant"])].to_csv(tmp_path / "stars.csv", index=False)
    study = STUDY | {
        "task": "classes", "labels": {}, "split": {"sky_on": ["ra", "dec"], "level": 5, "folds": 3},
        "data": {"layout": "table", "options": {"label": "class", "columns": ["parallax", "g_mag", "w1_mag"]}},
        "features": [{"use": "columns"}],
    }  # fmt: skip
    publish(study_of(study), tmp_path / "run", data=tmp_path / "stars.csv")
    table = desk.get("simulated/stars/photometry", params={"n": 1200})
    fetched: list[int] = []

    def pages(_desk: Desk, _request: object, _progress: object = None) -> list[Callable[[], Any]]:
        def page(number: int) -> Any:
            fetched.append(number)
            if fetched == [0, 1, 2]:
                raise KeyboardInterrupt
            return table.slice(300 * number, 300)

        return [lambda number=number: page(number) for number in range(4)]  # type: ignore[misc]

    monkeypatch.setattr(Desk, "lazy_blocks", pages)
    target = Target(things=("simulated/stars/photometry",))
    with pytest.raises(KeyboardInterrupt):
        apply_run(desk, load_run(tmp_path / "run"), target)
    applied = apply_run(desk, load_run(tmp_path / "run"), target)
    assert fetched == [0, 1, 2, 2, 3]
    assert (applied.rows, len(applied.parts)) == (1200, 4)


def test_blocks_of_the_tree_are_made_when_they_are_called(tmp_path: Path) -> None:
    from armillary.services.desk import ask

    desk = arm.open(home=tmp_path / "home")
    request = ask("simulated/wind/density", "2020-01-01", "2020-01-03")
    calls = desk.lazy_blocks(request)
    assert not list((tmp_path / "home" / "cache").rglob("*.npz"))
    whole = desk.get("simulated/wind/density", "2020-01-01", "2020-01-03")
    assert sum(one().sizes["time"] for one in calls) == whole.sizes["time"]
