"""Anyone with a server: add it, fetch, and go on when it is gone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.testing.hapi_server import HapiServer, Served

MINUTES = 24 * 60


@pytest.fixture
def dataset() -> Served:
    """A day of a vector and a number."""
    info = {
        "startDate": "2020-01-01Z", "stopDate": "2020-01-02Z", "cadence": "PT1M",
        "parameters": [
            {"name": "Time", "type": "isotime", "length": 24, "units": "UTC", "fill": None},
            {"name": "b", "type": "double", "size": [3], "units": "nT", "fill": "-1e31", "description": "Field"},
            {"name": "n", "type": "double", "units": "cm^-3", "fill": "-1e31"},
        ],
    }  # fmt: skip
    ns = np.datetime64("2020-01-01", "ms") + np.arange(MINUTES) * np.timedelta64(60_000, "ms")
    n = np.arange(MINUTES, dtype=float)
    n[10] = -1e31
    b = np.stack([np.sin(n), np.cos(n), n], axis=1)
    return Served.of(info, {"Time": np.datetime_as_string(ns, timezone="UTC"), "b": b, "n": n}, title="Wind")


def test_a_server_is_an_archive_and_may_go(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: Served
) -> None:
    monkeypatch.setenv("ARMILLARY_TIMEOUT", "1")
    broken = Served({**dataset.info, "x_code": 1501}, dataset.ns, dataset.cells)
    morning = ("--start", "2020-01-01", "--stop", "2020-01-01T12:00")
    with HapiServer({"wind": dataset, "broken": broken}) as server:
        added = cli("add", "hapi", server.url, "--name", "far")
        assert added.status == 0, added.err
        assert "problem: broken: " in added.out
        paths = {one["path"]: one for one in json.loads(cli("tree", "far", "--json").out)}
        assert (paths["far/wind/b"]["units"], paths["far/wind/b"]["source"]) == ("nT", "far")

        assert cli("get", "far/wind/b", *morning, "-o", tmp_path / "b.nc").status == 0
        asked = server.times_asked("data")
        assert cli("plot", "far/wind/b", *morning, "-o", tmp_path / "b.png").status == 0
        assert server.times_asked("data") == asked  # the picture came from the cache

        catalogs = server.times_asked("catalog")
        assert cli("refresh", "far").status == 0
        assert server.times_asked("catalog") == catalogs + 1

    # The server is gone.
    assert len(json.loads(cli("tree", "far", "--json").out)) == len(paths)
    cached = cli("get", "far/wind/b", *morning, "-o", tmp_path / "again.nc")
    assert (cached.status, cached.err) == (0, "")
    with xr.open_dataset(tmp_path / "again.nc", engine="h5netcdf") as data:
        assert data.sizes["time"] == MINUTES // 2
    whole = ("--start", "2020-01-01", "--stop", "2020-01-02")
    refused = cli("get", "far/wind/b", *whole, "-o", tmp_path / "whole.nc")
    assert refused.status == 1
    assert "missing of far/wind/b: 2020-01-01T12:00:00Z to 2020-01-02T00:00:00Z" in refused.err
    assert "--offline" in refused.err
    assert not (tmp_path / "whole.nc").exists()
    part = cli("get", "far/wind/b", *whole, "--offline", "-o", tmp_path / "part.nc")
    assert part.status == 0
    assert "missing 2020-01-01T12:00:00Z" in part.err
    assert "no connection" in cli("refresh", "far").err
    assert len(json.loads(cli("tree", "far", "--json").out)) == len(paths)  # what was recorded stays
