"""A folder as an archive: what comes, goes, changes and breaks, and who interrupts."""

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from armillary.errors import Cancelled, DamagedFile, SourceDown
from armillary.model import Extent, Interval, Product, Request, Source, silent
from armillary.model.kinds import check
from armillary.sources.folder import FolderSource
from armillary.sources.folder.describer import Describer
from armillary.sources.folder.scan import Entry, scan

HEADER = "time,B (nT)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "archive"
    place.mkdir()
    return place


@pytest.fixture
def source(folder: Path, tmp_path: Path) -> FolderSource:
    return FolderSource("local", folder, tmp_path / "state" / "index.sqlite")


def day(folder: Path, name: str, date: str, values: list[float]) -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{date}T{hour:02d}:00:00,{one}\n" for hour, one in enumerate(values)))
    return path


def paths(source: FolderSource) -> list[str]:
    return sorted(product.path for product in source.inventory(silent))


def leaf(source: FolderSource, path: str) -> Product:
    return next(product for product in source.inventory(silent) if product.path == path)


def values(source: FolderSource, path: str, extent: Extent | None = None) -> list[float]:
    data = source.fetch(leaf(source, path), Request(path, extent or Extent()), silent)
    return [float(one) for one in data[path.rpartition("/")[2]].to_numpy()]


def test_it_is_a_source(source: FolderSource) -> None:
    assert isinstance(source, Source)
    assert source.inventory(silent) == []


def test_days_become_one_dataset_in_time_order(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200102.csv", "2020-01-02", [3.0, 4.0])
    day(folder, "wind_20200101.csv", "2020-01-01", [1.0, 2.0])
    assert paths(source) == ["local/wind", "local/wind/B"]
    product = leaf(source, "local/wind/B")
    assert (product.kind, product.units, product.rows, product.selects) == ("series", "nT", 4, ("time",))
    assert product.coverage == Interval.of("2020-01-01", "2020-01-02T01:00:01")
    assert values(source, "local/wind/B") == [1.0, 2.0, 3.0, 4.0]


def test_only_files_inside_the_asked_time_are_opened(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200101.csv", "2020-01-01", [1.0])
    day(folder, "wind_20200102.csv", "2020-01-02", [2.0])
    product = leaf(source, "local/wind/B")
    seen: list[str] = []
    request = Request(product.path, Extent(time=Interval.of("2020-01-02", "2020-01-03")))
    source.fetch(product, request, lambda _, message="": seen.append(message))
    assert "wind_20200102.csv" in seen
    assert not any("20200101" in message for message in seen)


def test_nothing_inside_is_an_empty_answer_of_the_right_form(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200101.csv", "2020-01-01", [1.0])
    product = leaf(source, "local/wind/B")
    data = source.fetch(product, Request(product.path, Extent(time=Interval.of("1999", "2000"))), silent)
    assert check("series", data)["B"].shape == (0,)


def test_the_highest_version_of_a_file_counts(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200101_v02.csv", "2020-01-01", [2.0])
    day(folder, "wind_20200101_v10.csv", "2020-01-01", [10.0])
    day(folder, "wind_20200102_v01.csv", "2020-01-02", [1.0])
    assert values(source, "local/wind/B") == [10.0, 1.0]


def test_overlapping_files_double_no_sample(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200101_a.csv", "2020-01-01", [1.0, 2.0, 3.0])
    (folder / "wind_20200102_a.csv").write_text(f"{HEADER}2020-01-01T02:00,3\n2020-01-01T03:00,4\n")
    assert values(source, "local/wind_a/B") == [1.0, 2.0, 3.0, 4.0]
    table = source.fetch(leaf(source, "local/wind_a"), Request("local/wind_a", Extent()), silent)
    assert check("samples", table)["B"].to_pylist() == [1.0, 2.0, 3.0, 4.0]


def test_files_that_cannot_be_joined_keep_their_names(folder: Path, source: FolderSource) -> None:
    day(folder, "x_20200101.csv", "2020-01-01", [1.0])
    (folder / "x_20200102.csv").write_text("time,other\n2020-01-02,1\n")
    assert paths(source) == [
        "local/x_20200101", "local/x_20200101/B", "local/x_20200102", "local/x_20200102/other",
    ]  # fmt: skip


def test_equal_names_of_other_formats_are_told_apart(folder: Path, source: FolderSource) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "a.csv").write_text("n\n1\n2\n")
    parquet.write_table(pa.table({"n": [1, 2]}), folder / "a.parquet")
    assert len(paths(source)) == 2


def test_what_changes_is_noticed(folder: Path, source: FolderSource) -> None:
    first = day(folder, "wind_20200101.csv", "2020-01-01", [1.0])
    stamps, versions = [source.stamp()], [leaf(source, "local/wind/B").version]
    assert source.stamp() == stamps[0]

    added = day(folder, "wind_20200102.csv", "2020-01-02", [2.0])
    stamps.append(source.stamp())
    versions.append(leaf(source, "local/wind/B").version)
    assert values(source, "local/wind/B") == [1.0, 2.0]

    day(folder, first.name, "2020-01-01", [7.0, 8.0])
    stamps.append(source.stamp())
    versions.append(leaf(source, "local/wind/B").version)
    assert values(source, "local/wind/B") == [7.0, 8.0, 2.0]

    added.unlink()
    stamps.append(source.stamp())
    versions.append(leaf(source, "local/wind/B").version)
    assert values(source, "local/wind/B") == [7.0, 8.0]
    assert len(set(stamps)) == len(set(versions)) == 4


def test_a_second_look_opens_no_file(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200101.csv", "2020-01-01", [1.0])
    before = paths(source)
    seen: list[str] = []
    source.inventory(lambda _, message="": seen.append(message))
    assert seen == ["1 files in 1 datasets"]
    assert paths(source) == before


def test_a_lost_index_is_built_anew_on_demand(folder: Path, source: FolderSource) -> None:
    day(folder, "wind_20200101.csv", "2020-01-01", [1.0])
    product = leaf(source, "local/wind/B")
    for file in source.index.parent.iterdir():
        file.unlink()
    assert source.fetch(product, Request(product.path, Extent()), silent)["B"].size == 1


def test_a_vanished_or_spoilt_file_is_named(folder: Path, source: FolderSource) -> None:
    file = day(folder, "wind_20200101.csv", "2020-01-01", [1.0])
    product = leaf(source, "local/wind/B")
    file.write_bytes(b"\0\1\2" * 100)
    with pytest.raises(DamagedFile, match=r"wind_20200101\.csv"):
        source.fetch(product, Request(product.path, Extent()), silent)
    file.unlink()
    with pytest.raises(SourceDown, match=r"wind_20200101\.csv"):
        source.fetch(product, Request(product.path, Extent()), silent)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    source = FolderSource("local", tmp_path / "nowhere", tmp_path / "index.sqlite")
    with pytest.raises(SourceDown, match="nowhere"):
        source.stamp()
    with pytest.raises(SourceDown, match="nowhere"):
        source.inventory(silent)


def test_an_index_that_is_no_database_is_told(folder: Path, source: FolderSource) -> None:
    source.index.parent.mkdir()
    source.index.write_bytes(b"this is no database" * 100)
    with pytest.raises(SourceDown, match="delete"):
        source.inventory(silent)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    # A text cut inside a number looks whole: cut it inside a time.
    "cut": lambda whole: whole[: whole.rindex(b"T") if whole.startswith(b"time,") else len(whole) * 2 // 3],
    "garbage": lambda _: bytes(range(256)) * 8,
    "empty": lambda _: b"",
}


FAMILIES = ("csv", "csv.gz", "parquet", "fits", "vot", "nc", "h5", "tif", "jp2", "hdr", "cdf", "ecsv")


def test_each_damaged_file_is_one_row_with_its_reason(folder: Path, source: FolderSource) -> None:
    day(folder, "sound.csv", "2020-01-01", [1.0])
    whole = {family: sound_file(folder / f"whole.{family}") for family in FAMILIES}
    for file in folder.glob("whole.*"):
        file.unlink()
    for family, octets in whole.items():
        for damage, spoil in DAMAGE.items():
            (folder / f"{damage}.{family}").write_bytes(spoil(octets))
    assert paths(source) == ["local/sound", "local/sound/B"]
    broken = {row.path: row for row in source.status() if row.path != "sound.csv"}
    expected = {f"{damage}.{family}" for family in FAMILIES for damage in DAMAGE}
    assert set(broken) == expected - {"garbage.hdr"}  # an unknown .hdr is not ours to complain about
    assert {path: row.state for path, row in broken.items() if row.state != "damaged"} == {}
    assert all(row.reason and "\n" not in row.reason for row in broken.values())
    assert set(source.damaged()) == {(row.path, row.reason) for row in broken.values()}


def sound_file(path: Path) -> bytes:
    """Write a sound file of the family that the ending names and give its octets."""
    import h5py
    import pyarrow as pa
    import rasterio
    from affine import Affine
    from astropy.table import Table
    from pyarrow import parquet

    text = HEADER + "".join(f"2020-01-01T00:{n:02d}:00,{n}.5\n" for n in range(60))
    numbers = {"time": np.arange(200.0), "b": np.random.default_rng(1).normal(size=200)}
    ending = path.name.partition(".")[2]
    if ending == "csv":
        return text[:-3].encode() if len(text) % 3 else text.encode()
    if ending == "csv.gz":
        return gzip.compress(text.encode())
    if ending == "parquet":
        parquet.write_table(pa.table(numbers), path)
    elif ending in {"fits", "vot", "ecsv"}:
        names = {"fits": "fits", "vot": "votable", "ecsv": "ascii.ecsv"}
        Table(numbers).write(path, format=names[ending])
    elif ending in {"nc", "h5"}:
        with h5py.File(path, "w") as file:
            file["time"] = numbers["time"]
            file["time"].attrs["units"] = "seconds since 2020-01-01"
            file["b"] = numbers["b"]
    elif ending in {"tif", "jp2"}:
        profile = {"width": 64, "height": 64, "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
        driver = "GTiff" if ending == "tif" else "JP2OpenJPEG"
        grid = Affine(10, 0, 4e5, 0, -10, 5e6)
        with rasterio.open(path, "w", driver=driver, transform=grid, **profile) as image:
            image.write(np.arange(4096, dtype=np.uint16).reshape(64, 64), 1)
    elif ending == "hdr":
        return b"ENVI\nsamples = 10\nlines = 10\nbands = 3\ndata type = 4\nwavelength = {1, 2,\n 3}\n"
    else:
        return b"\xcd\xf3\x00\x01\x00\x00\xff\xff" + bytes(400)
    return path.read_bytes()


def test_content_decides_where_the_ending_lies(folder: Path, source: FolderSource) -> None:
    whole = sound_file(folder / "x.h5")
    (folder / "x.h5").unlink()
    (folder / "lies.csv").write_bytes(whole)
    assert paths(source) == ["local/lies/b"]


def test_only_data_files_are_rows(folder: Path, source: FolderSource) -> None:
    for name in ("README.txt", "notes.md", ".hidden.csv", "LICENSE.txt"):
        (folder / name).write_text("a,b\n1,2\n3,4\n")
    (folder / "page.xml").write_text("<?xml version='1.0'?><html/>")
    (folder / "essay.txt").write_text("This is a text.\nIt has lines, and commas.\n\nAnd no table at all.\n")
    assert paths(source) == []
    assert [(row.path, row.state) for row in source.status()] == [("essay.txt", "ignored")]


def test_names_may_hold_spaces_and_any_script(folder: Path, source: FolderSource) -> None:
    place = folder / "données du vent" / "測定"
    place.mkdir(parents=True)
    day(place, "Größe #1.csv", "2020-01-01", [1.0])
    name = "local/données du vent/測定/Größe #1/B"
    assert name in paths(source)
    assert values(source, name) == [1.0]


def test_a_name_that_is_no_utf8_is_a_row(folder: Path, source: FolderSource) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.csv")).write_text("n\n1\n")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert paths(source) == []
    assert [row.state for row in source.status()] == ["damaged"]


def test_links_in_a_circle_end(folder: Path, source: FolderSource) -> None:
    (folder / "a").mkdir()
    day(folder / "a", "wind.csv", "2020-01-01", [1.0])
    (folder / "a" / "back").symlink_to(folder)
    (folder / "a" / "self").symlink_to(folder / "a")
    (folder / "a" / "dangling.csv").symlink_to(folder / "nothing.csv")
    assert [entry.path for entry in scan(folder)] == ["a/dangling.csv", "a/wind.csv"]
    assert "local/a/wind/B" in paths(source)
    assert [path for path, _ in source.damaged()] == ["a/dangling.csv"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a_closed_folder_is_a_row(folder: Path, tmp_path: Path) -> None:
    day(folder, "wind.csv", "2020-01-01", [1.0])
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0)
    tmp_path.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path; from armillary.sources.folder.scan import scan;"
        "os.geteuid() or os.setuid(65534); print([(e.path, e.problem) for e in scan(Path(sys.argv[1]))])"
    )
    for parent in tmp_path.parents:
        if os.geteuid() == 0 and parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):  # noqa: S108
            parent.chmod(parent.stat().st_mode | 0o055)
    try:
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    finally:
        closed.chmod(0o755)
    assert "('closed', 'this folder cannot be listed: Permission denied')" in done.stdout
    assert "wind.csv" in done.stdout


def test_a_killed_reader_costs_nothing(folder: Path) -> None:
    entry = Entry("wind.csv", day(folder, "wind.csv", "2020-01-01", [1.0]).stat().st_size, 1)
    with Describer(folder) as describer:
        assert describer.describe(entry).state == "ok"
        first = describer.pid
        assert first
        os.kill(first, signal.SIGKILL)
        assert describer.describe(entry).state == "ok"
        assert describer.pid != first


def test_a_reader_killed_by_its_file_costs_one_row(folder: Path) -> None:
    (folder / "pipe.csv").write_text("n\n1\n")
    os.mkfifo(folder / "hang.csv")  # opening it waits for a writer that never comes
    with Describer(folder, seconds=3) as describer:
        row = describer.describe(Entry("hang.csv", 0, 0))
        assert (row.state, "hangs" in row.reason) == ("damaged", True)
        assert scan(folder) == [Entry("pipe.csv", 4, (folder / "pipe.csv").stat().st_mtime_ns)]
        assert describer.describe(Entry("pipe.csv", 4, 0)).state == "ok"

        stop = threading.Event()
        killer = threading.Thread(target=_keep_killing, args=(describer, stop))
        killer.start()
        row = describer.describe(Entry("hang.csv", 0, 0))
        stop.set()
        killer.join()
        assert (row.state, "crashes" in row.reason) == ("damaged", True)
        assert describer.describe(Entry("pipe.csv", 4, 0)).state == "ok"


def _keep_killing(describer: Describer, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        if describer.pid:
            os.kill(describer.pid, signal.SIGKILL)


def test_what_was_learned_before_an_interrupt_stays(folder: Path, source: FolderSource) -> None:
    for n in range(6):
        day(folder, f"file{n}.csv", "2020-01-01", [1.0])

    def stop(fraction: float, message: str = "") -> None:
        if message == "file3.csv":
            raise Cancelled("stopped", "start again")

    with pytest.raises(Cancelled):
        source.inventory(stop)
    assert [row.path for row in source.status()] == ["file0.csv", "file1.csv", "file2.csv"]
    seen: list[str] = []
    source.inventory(lambda _, message="": seen.append(message))
    assert seen[:3] == ["file3.csv", "file4.csv", "file5.csv"]
    assert len(paths(source)) == 12


def test_two_processes_index_one_folder_at_once(folder: Path, source: FolderSource) -> None:
    for n in range(30):
        day(folder, f"file{n:02d}.csv", "2020-01-01", [1.0])
    code = (
        "import sys; from pathlib import Path; from armillary.model import silent;"
        "from armillary.sources.folder import FolderSource;"
        "print(len(FolderSource('local', Path(sys.argv[1]), Path(sys.argv[2])).inventory(silent)))"
    )
    command = [sys.executable, "-c", code, str(folder), str(source.index)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=100)[0].strip() for process in running] == ["60"] * 2
    assert len(paths(source)) == 60


def test_a_process_killed_while_indexing_leaves_a_sound_index(folder: Path, source: FolderSource) -> None:
    for n in range(20):
        day(folder, f"file{n:02d}.csv", "2020-01-01", [1.0])
    code = (
        "import sys, os; from pathlib import Path;"
        "from armillary.sources.folder import FolderSource;"
        "stop = lambda f, m='': m.startswith('file1') and os.kill(os.getpid(), 9);"
        "FolderSource('local', Path(sys.argv[1]), Path(sys.argv[2])).inventory(stop)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder), str(source.index)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(paths(source)) == 40


def test_threads_share_one_source(folder: Path, source: FolderSource) -> None:
    day(folder, "wind.csv", "2020-01-01", [1.0, 2.0])
    product = leaf(source, "local/wind/B")
    found: list[int] = []

    def work() -> None:
        pieces = [source.fetch(product, Request(product.path, Extent()), silent) for _ in range(5)]
        found.extend(piece["B"].size for piece in pieces)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [2] * 20


def test_the_child_ends_with_its_parent(folder: Path) -> None:
    day(folder, "wind.csv", "2020-01-01", [1.0])
    code = (
        "import sys, os; from pathlib import Path; from armillary.sources.folder.describer import Describer;"
        "from armillary.sources.folder.scan import Entry; d = Describer(Path(sys.argv[1]));"
        "d.describe(Entry('wind.csv', 1, 1)); print(d.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    child = int(done.stdout)
    deadline = time.monotonic() + 10
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
