"""Whatever goes wrong while saving, nothing half-written remains and what was there stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from armillary import write
from armillary.errors import Cancelled, CannotWrite, SourceDown
from armillary.sources.write import ENDINGS

#: Makes the blocks in a child process; an image, so that every format but two takes them.
CHILD = """
import numpy as np, sys, time, xarray as xr
from armillary import write
def blocks():
    for number in range(20):
        times = np.datetime64("2020-01-01", "ns") + np.arange(200) + number * 200
        values = np.random.default_rng(number).random((200, 8, 16))
        yield xr.Dataset({"v": (("time", "y", "x"), values, {"units": ""})},
                         {"time": times, "y": np.arange(8.0), "x": np.arange(16.0)})
        print("block", flush=True)
        time.sleep(PAUSE)
"""
LIMITED = """
import resource
from armillary.errors import CannotWrite
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    write({data}, sys.argv[1])
except CannotWrite as error:
    print("refused:", error)
"""


def block(number: int = 0, rows: int = 50) -> xr.Dataset:
    times = np.datetime64("2020-01-01", "ns") + np.arange(number * rows, number * rows + rows).astype("m8[ns]")
    return xr.Dataset({"v": ("time", np.full(rows, float(number)), {"units": "nT"})}, {"time": times})


def files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def image() -> xr.Dataset:
    coords = {"y": np.arange(3.0), "x": np.arange(3.0)}
    return xr.Dataset({"v": (("y", "x"), np.zeros((3, 3)), {"units": ""})}, coords)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("error", [SourceDown("gone", "wait"), OSError("the source's own"), KeyboardInterrupt()])
def test_an_error_of_the_source_passes_and_leaves_the_old_file(
    ending: str, error: BaseException, tmp_path: Path
) -> None:
    target = tmp_path / f"it{ending}"
    write(image() if ending == ".tif" else block(), target)
    before = files(tmp_path)

    def blocks() -> Iterator[xr.Dataset]:
        yield block(0)
        yield block(1)
        raise error

    with pytest.raises(type(error)) as caught:
        write(blocks(), target)
    assert caught.value is error
    assert files(tmp_path) == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_cancelling_leaves_nothing(ending: str, tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0:
            raise Cancelled("the user stopped it", "start again")

    with pytest.raises(Cancelled):
        write([block(0), block(1)], tmp_path / f"it{ending}", stop)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"no folder .*there.*mkdir -p"):
        write(block(), tmp_path / "there" / "it.nc")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_is_no_folder(ending: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(CannotWrite, match="is not a folder"):
        write(block(), tmp_path / "file" / f"it{ending}")


def test_a_folder_is_never_replaced_by_a_file_or_by_zarr(tmp_path: Path) -> None:
    (tmp_path / "it.csv").mkdir()
    (tmp_path / "it.zarr").mkdir()
    (tmp_path / "it.zarr" / "precious.txt").write_text("text")
    before = files(tmp_path)
    for ending in (".csv", ".zarr"):
        with pytest.raises(CannotWrite, match="choose another name"):
            write(block(), tmp_path / f"it{ending}")
    assert files(tmp_path) == before


def test_a_zarr_store_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "it.zarr"
    write(block().rename(v="old"), target)
    write(block(), target)
    assert [one.name for one in tmp_path.iterdir()] == ["it.zarr"]
    assert not (target / "old").exists()
    assert (target / "v").is_dir()


def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("permissions do not bind root; the full disk and the file as folder are tested instead")
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWrite, match="choose a folder where you may write"):
        write(block(), tmp_path / "it.nc")


def child(data: str, target: Path, pause: float = 0.0) -> "subprocess.Popen[str]":
    code = CHILD.replace("PAUSE", str(pause)) + data
    return subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv", ".parquet", ".cdf", ".tif", ".fits", ".vot"])
def test_a_full_disk_is_said_in_one_line(ending: str, tmp_path: Path) -> None:
    """The limit on the size of a file makes the same system calls fail as a full disk does."""
    flat = "b.isel(y=0).drop_vars('y')"
    data = f"({flat} for b in blocks())" if ending in {".fits", ".vot"} else "blocks()"
    if ending == ".zarr":
        # Chunks are files of their own: one must be larger than the limit.
        data = "xr.concat(list(blocks()), 'time')"
    target = tmp_path / f"it{ending}"
    target.mkdir() if ending == ".zarr" else target.write_text("old")
    before = files(tmp_path)
    process = child(LIMITED.format(data=data), target)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "refused: cannot save" in said
    assert "the disk at" in said or "free some space" in said
    assert files(tmp_path) == before
    assert [one.name for one in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv"])
def test_a_killed_process_leaves_the_old_file_and_the_next_one_tidies_up(ending: str, tmp_path: Path) -> None:
    target = tmp_path / f"it{ending}"
    write(block(), target)
    before = {name for name in files(tmp_path) if not name.startswith(".")}
    process = child("write(blocks(), sys.argv[1])", target, pause=0.2)
    assert process.stdout is not None
    for _ in range(4):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = [one for one in tmp_path.iterdir() if one != target]
    assert len(left) == 1
    assert left[0].name.startswith(".")
    assert {name for name in files(tmp_path) if not name.startswith(".")} == before
    write(block(), target)
    assert [one.name for one in tmp_path.iterdir()] == [target.name]


def test_what_another_living_process_writes_aside_is_left_alone(tmp_path: Path) -> None:
    process = child("write(blocks(), sys.argv[1])", tmp_path / "it.csv", pause=0.1)
    assert process.stdout is not None
    process.stdout.readline()
    while not list(tmp_path.iterdir()):
        time.sleep(0.01)
    write(block(), tmp_path / "it.csv")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "it.csv").read_text().count("\n") > 4000


def test_names_with_odd_signs_and_of_full_length_work(tmp_path: Path) -> None:
    for name in ("b[x]*?.csv", "x" * 251 + ".csv", "-o.csv", "µ field.parquet", "BIG.NC", "BIG.CDF"):
        assert write(block(), tmp_path / name).exists()
    assert len(list(tmp_path.iterdir())) == 6
