"""Cassini: real electron spectra in JPL's onboard format."""

from pathlib import Path

import numpy as np
import pytest

import armillary as arm

STEM = "ELS_200418018_V01"


@pytest.mark.real
def test_the_spectra_are_as_in_their_file(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "plasma/cassini_caps_els"
    for ending in (".pim", ".meta"):
        (tmp_path / f"{STEM}{ending}").symlink_to(folder / f"{STEM}{ending}")
    data = arm.open(tmp_path).get("cassini/els/anode5/counts", "2004-06-28T19:00", "2004-06-28T20:00")
    raw = np.fromfile(folder / f"{STEM}.pim", ">u4")
    bins = int(raw[5])
    energies = raw[7 : 7 + 2 * bins].view(">f4").reshape(2, bins)
    records = raw[7 + 2 * bins :].reshape(-1, 4 + bins)
    times = np.datetime64("2000-01-01", "ns") + records[:, 1].astype("timedelta64[s]")
    inside = (times >= np.datetime64("2004-06-28T19:00")) & (times < np.datetime64("2004-06-28T20:00"))
    assert inside.sum() > 800
    assert np.array_equal(data["time"].to_numpy(), times[inside])
    assert np.array_equal(data["counts"].to_numpy(), records[inside, 4:][:, ::-1])
    assert np.array_equal(data["energy_at_time"].to_numpy()[0], energies[0, ::-1])
    assert (np.diff(data["energy_at_time"].to_numpy(), axis=1) > 0).all()
