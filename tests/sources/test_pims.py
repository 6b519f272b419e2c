"""Spectra in JPL's onboard format: what the authors' converter writes is read again, and damage is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, DamagedFile, UnknownProduct
from armillary.model import Extent, Interval, silent
from armillary.sources import files

META = "TIMESTAMP_START: 730120.0\nbin_selection: all\ndata_file: /somewhere/ELS_200418018_V01.DAT\nquantity: anode5\n"
SECONDS = np.array([100, 104, 108, 90, 112])
BEGIN = np.datetime64("2000-01-01", "ns")


def octets() -> bytes:
    """Five spectra of two modes, the fourth out of order."""
    levels = np.array([[900, 90, 9, 0.9], [300, 3, np.inf, np.inf]], ">f4")
    records = np.zeros(5, np.dtype([("head", ">u4", 4), ("counts", ">u4", 4)]))
    records["head"] = [[n, second, 2 if n == 2 else 4, int(n == 2)] for n, second in enumerate(SECONDS)]
    records["counts"] = np.arange(20).reshape(5, 4)
    return b"EOS_PIMS\xff\xff\xff\x01" + np.array([7, 2, 4, 5], ">u4").tobytes() + levels.tobytes() + records.tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ELS_1.meta").write_text(META)
    (tmp_path / "ELS_1.pim").write_bytes(octets())
    return tmp_path / "ELS_1.pim"


def read(path: Path, extent: Extent = Extent()) -> Any:  # noqa: B008 - frozen
    return files.read(path, "counts", extent, silent)


def test_it_is_described(path: Path) -> None:
    summary = files.describe(path)
    assert summary is not None
    assert (summary.dataset, summary.format) == ("pims_els_anode5", "EOS_PIMS")
    assert summary.coverage == Interval.of("2000-01-01T00:01:30", "2000-01-01T00:01:52.000000001")
    (one,) = summary.variables
    assert (one.name, one.kind, one.rows, one.cadence) == ("counts", "spectrogram", 5, 4.0)


def test_it_is_read_in_order_of_time_with_the_energies_of_each_mode(path: Path) -> None:
    data = read(path)
    assert np.array_equal(data["time"].to_numpy(), BEGIN + np.sort(SECONDS).astype("timedelta64[s]"))
    assert data["counts"].to_numpy()[:3].tolist() == [[12, 13, 14, 15], [0, 1, 2, 3], [4, 5, 6, 7]]
    assert data["energy"].to_numpy()[0].tolist() == pytest.approx([900, 90, 9, 0.9])
    of_two = data.isel(time=3)
    assert of_two["counts"].to_numpy().tolist() == pytest.approx([8, 9, np.nan, np.nan], nan_ok=True)
    assert of_two["energy"].to_numpy().tolist() == pytest.approx([300, 3, np.nan, np.nan], nan_ok=True)
    assert data["mode"].to_numpy().tolist() == [0, 0, 0, 1, 0]


def test_a_part_in_time_is_half_open(path: Path) -> None:
    part = Extent(time=Interval.of("2000-01-01T00:01:40", "2000-01-01T00:01:48"))
    assert read(path, part)["counts"].to_numpy()[:, 0].tolist() == [0, 4]
    assert read(path, Extent(time=Interval.of("2001-01-01", "2001-01-02")))["counts"].shape == (0, 4)


@pytest.mark.parametrize("length", [1, 8, 12, 27, 28, 40, 59, 60, 100, 179])
def test_a_file_that_is_cut_short_is_damaged(path: Path, length: int) -> None:
    path.write_bytes(octets()[:length])
    with pytest.raises(DamagedFile, match="ELS_1"):
        files.describe(path)


def test_a_wrong_version_or_mode_is_damaged(path: Path) -> None:
    whole = octets()
    path.write_bytes(whole[:11] + b"\x02" + whole[12:])
    with pytest.raises(DamagedFile, match="version 2"):
        files.describe(path)
    path.write_bytes(whole[: 60 + 12] + b"\x00\x00\x00\x05" + whole[60 + 16 :])
    with pytest.raises(DamagedFile, match="mode"):
        read(path)


@pytest.mark.parametrize("text", [None, "", "TIMESTAMP_START: then\n", "TIMESTAMP_START: nan\n"])
def test_without_the_begin_of_its_seconds_there_is_no_time(path: Path, text: str | None) -> None:
    meta = path.with_suffix(".meta")
    meta.unlink() if text is None else meta.write_text(text)
    with pytest.raises(BadData, match="seconds"):
        files.describe(path)


def test_other_names_are_unknown(path: Path) -> None:
    with pytest.raises(UnknownProduct, match="flux"):
        files.read(path, "flux", Extent(), silent)


@pytest.mark.real
def test_the_real_file_is_whole(real_data: Path) -> None:
    path = real_data / "plasma/cassini_caps_els/ELS_200418018_V01.pim"
    data = read(path)
    assert data["counts"].shape == (5720, 63)
    assert data["time"].to_numpy()[[0, -1]].astype(str).tolist() == [
        "2004-06-28T18:02:22.000000000", "2004-06-29T00:00:10.000000000",
    ]  # fmt: skip
    assert data["energy"].to_numpy()[0, [0, -1]] == pytest.approx([26_040, 0.58])
