"""What every test gets: a home of its own, and the real files where they are."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from armillary.testing.dachs import TapServer

# The machines are noisy: a slow example is no failure.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ARMILLARY_HOME, so that no test sees another's state or the user's."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ARMILLARY_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files, or a loud skip."""
    folder = Path(os.environ.get("ARMILLARY_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "plasma").is_dir():
        pytest.skip(f"no real files at {folder}: set ARMILLARY_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def dachs() -> Iterator["TapServer"]:
    """A real TAP server with 100,000 simulated sources in the tables of Gaia's archive, or a loud skip.

    Mark the tests that use it ``xdist_group("dachs")``, so that it starts once.
    """
    from armillary.testing.dachs import missing, tap_server
    from armillary.testing.gaia_layout import archive_tables

    if reason := missing():
        pytest.skip(f"no TAP server: {reason}")
    with tap_server(archive_tables(seed=1, rows=100_000)) as server:
        yield server


class Ran(NamedTuple):
    """What a command left: its exit status and what it said."""

    status: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process: ``cli("tree", "--json")``."""
    from armillary.services.cli import main

    def run(*words: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return Ran(int(ended.value.code or 0), *capsys.readouterr())

    return run
