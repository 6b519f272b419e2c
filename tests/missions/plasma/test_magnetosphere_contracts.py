"""The contract of MMS, THEMIS and Cluster, on files with the exact names and shapes of the real ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from armillary.model import Archive
from armillary.testing import MissionContract
from armillary.testing.plasma_archives import write_mms
from armillary.testing.plasma_spinners import write_cluster, write_themis


def local(folder: Path) -> tuple[Archive, ...]:
    return (Archive(name="local", protocol="folder", address=str(folder)),)


class TestMms(MissionContract):
    door = "armillary.missions.plasma.mms:MISSION"
    per_kind = 1

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[tuple[Archive, ...]]:
        (state / "files").mkdir()
        yield local(write_mms(state / "files"))


class TestThemis(MissionContract):
    door = "armillary.missions.plasma.themis:MISSION"
    per_kind = 1

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[tuple[Archive, ...]]:
        (state / "files").mkdir()
        yield local(write_themis(state / "files"))


class TestCluster(MissionContract):
    door = "armillary.missions.plasma.cluster:MISSION"
    per_kind = 1
    lacks = frozenset({"knob"})

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[tuple[Archive, ...]]:
        (state / "files").mkdir()
        write_cluster(state / "files", long=False)
        yield local(write_cluster(state / "files"))
