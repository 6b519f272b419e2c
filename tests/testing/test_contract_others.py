"""Folders of files and HAPI servers keep the contract that we give away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from armillary.model import Archive
from armillary.testing import SourceContract
from armillary.testing.hapi_server import HapiServer, Served


def write_folder(folder: Path) -> None:
    """Two days of a series in two files, and a table of stars."""
    folder.mkdir()
    for day in (1, 2):
        lines = [f"2020-01-0{day}T{hour:02}:00,{hour + 24 * day},{-hour}.5" for hour in range(24)]
        text = "\n".join(["time,B (nT),n (cm-3)", *lines, ""])
        (folder / f"wind_2020010{day}.csv").write_text(text)
    numbers = np.arange(200)
    stars = {"source_id": numbers, "ra": numbers / 10, "dec": -numbers / 20, "g": 10 + numbers / 100}
    pq.write_table(pa.table(stars), folder / "stars.parquet")


class TestFolder(SourceContract):
    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[Archive]:
        write_folder(state / "files")
        yield Archive(name="local", protocol="folder", address=str(state / "files"))


class TestHapi(SourceContract):
    lacks = frozenset({"rows"})

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[Archive]:
        del state
        times = np.datetime64("2020-01-01", "s") + np.arange(1440) * np.timedelta64(60, "s")
        info = {
            "startDate": "2020-01-01Z", "stopDate": "2020-01-02Z", "cadence": "PT1M",
            "parameters": [
                {"name": "Time", "type": "isotime", "length": 20, "units": "UTC", "fill": None},
                {"name": "b", "type": "double", "size": [3], "units": "nT", "fill": "-1e31"},
                {"name": "flux", "type": "double", "size": [2], "units": "1/cm^2", "fill": "-1e31",
                 "bins": [{"name": "energy", "units": "keV", "centers": [10.0, 30.0]}]},
            ],
        }  # fmt: skip
        chance = np.random.default_rng(3)
        columns = {
            "Time": np.datetime_as_string(times, timezone="UTC"),
            "b": chance.normal(size=(1440, 3)),
            "flux": chance.random((1440, 2)),
        }
        with HapiServer({"demo": Served.of(info, columns)}) as server:
            yield Archive(name="demo", protocol="hapi", address=server.url)
