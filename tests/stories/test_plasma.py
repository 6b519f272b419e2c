"""A magnetospheric physicist: from a folder of MMS files to a picture with an event of a catalogue on it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

SPAN = ("--start", "2015-10-17T06:00", "--stop", "2015-10-17T09:00")


@pytest.fixture
def archive(cli: Callable[..., Any], real_data: Path, tmp_path: Path) -> Path:
    """A folder with links to two of the real files, so that they can be taken away again."""
    folder = tmp_path / "mms"
    folder.mkdir()
    for file in sorted((real_data / "plasma" / "mms1_fpi_dis_moms").glob("*.cdf"))[:3]:
        (folder / file.name).symlink_to(file)
    return folder


@pytest.mark.real
def test_from_a_folder_to_a_picture_with_an_event(cli: Callable[..., Any], archive: Path, tmp_path: Path) -> None:
    assert cli("open", archive).status == 0
    found = json.loads(cli("tree", "--search", "mms1 number density", "--json").out)
    density = next(one["path"] for one in found if one["path"].endswith("numberdensity_fast"))
    place = density.rpartition("/")[0]
    assert next(one for one in found if one["path"] == density)["units"] == "cm^-3"

    plan = json.loads(cli("get", density, *SPAN, "--plan", "--json").out)
    assert [step["product"] for step in plan["steps"]] == [density]

    assert cli("get", density, *SPAN, "-o", tmp_path / "n.nc").status == 0
    with xr.open_dataset(tmp_path / "n.nc", engine="h5netcdf") as got:
        assert got.time.values[0] >= np.datetime64("2015-10-17T06:00")
        assert got.time.values[-1] < np.datetime64("2015-10-17T09:00")
        # Fast survey moments come every 4.5 s.
        assert np.median(np.diff(got.time.values).astype(float)) == pytest.approx(4.5e9, rel=0.01)
        (variable,) = got.data_vars.values()
        assert 1 < float(variable.median()) < 200

    panels = [density, f"{place}/mms1_dis_bulkv_gse_fast", f"{place}/mms1_dis_energyspectr_omni_fast"]
    assert cli("plot", *panels, *SPAN, "-o", tmp_path / "mms.png").status == 0
    assert (tmp_path / "mms.png").read_bytes()[:4] == b"\x89PNG"

    cli("catalogue", "new", "jets", "--description", "seen by eye")
    event = ("--start", "2015-10-17T07:50", "--stop", "2015-10-17T08:00", "--class", "jet")
    assert cli("catalogue", "add", "jets", *event).status == 0
    assert cli("plot", *panels, *SPAN, "--catalogue", "jets", "-o", tmp_path / "with.svg").status == 0
    assert "jet" in (tmp_path / "with.svg").read_text("utf-8")


@pytest.mark.real
def test_the_second_time_needs_no_files(cli: Callable[..., Any], archive: Path, tmp_path: Path) -> None:
    cli("open", archive)
    (density,) = (
        one["path"]
        for one in json.loads(cli("tree", "--search", "numberdensity_fast", "--json").out)
        if one["path"].endswith("/mms1_dis_numberdensity_fast")
    )
    for file in archive.iterdir():  # indexed already: the link may now lead nowhere
        target = file.readlink()
        assert target.exists()
    assert cli("get", density, *SPAN, "-o", tmp_path / "a.csv").status == 0
    again = cli("get", density, *SPAN, "--offline", "-o", tmp_path / "b.csv")
    assert (again.status, again.err) == (0, "")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    inside = ("--start", "2015-10-17T06:30", "--stop", "2015-10-17T07:00")
    assert cli("get", density, *inside, "-o", tmp_path / "c.csv").status == 0
    totals = json.loads(cli("cache", "show", "--json").out)["totals"]
    assert (totals["hits"], totals["misses"]) == (2, 1)
