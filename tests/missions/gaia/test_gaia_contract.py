"""The contract of the mission, on tables as the archive, VizieR and the observatory have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from armillary.model import Archive
from armillary.science.simulated_sky import simulated_sky
from armillary.testing import MissionContract


class TestGaiaMission(MissionContract):
    door = "armillary.missions.gaia:MISSION"

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[tuple[Archive, ...]]:
        import pyarrow as pa
        from pyarrow import parquet

        sky = simulated_sky(1, 0, 600)
        for kind in ("geo", "photogeo"):
            for end, length in (("med", 100.0), ("lo", 90.0), ("hi", 120.0)):
                sky = sky.append_column(f"r_{end}_{kind}", pa.array([length] * 600))
        folder = state / "stars"
        folder.mkdir()
        parquet.write_table(sky, folder / "archive.parquet")
        yield (Archive(name="local", protocol="folder", address=str(folder)),)
