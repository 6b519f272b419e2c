"""The page "write a mission" is true: its package is built, installed, tried and tested; broken plugins stay alone."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from armillary.model import Archive, Mission
from armillary.services.desk import _gather
from armillary.tree import Plugin

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "write-a-mission.md").read_text("utf-8")
_BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
FILES = dict(_BLOCK.findall(PAGE))
COMMANDS = FILES.pop("commands").splitlines()


def install(name: str, entry: Mapping[str, str], site: Path) -> None:
    """Leave what an installer leaves: the metadata that entry points are found by. Offline, without a build backend."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = ["[armillary.missions]", *(f"{key} = {value}" for key, value in entry.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))


def run(*command: str, folder: Path, home: Path, paths: tuple[Path, ...]) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "ARMILLARY_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=280
    )


def armillary(*words: str, folder: Path, home: Path, paths: tuple[Path, ...]) -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, "-m", "armillary", *words, folder=folder, home=home, paths=paths)


@pytest.fixture(scope="module")
def beacon(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, ...]]:
    """The page's files in a folder, installed as its own pyproject says."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    project = tomllib.loads(FILES["beacon/pyproject.toml"])["project"]
    site = folder / "site"
    install(project["name"], project["entry-points"]["armillary.missions"], site)
    return folder, (site, folder / "beacon" / "src")


def test_the_page_has_all_of_the_package() -> None:
    assert sorted(FILES) == [
        "beacon/pyproject.toml", "beacon/src/beacon/__init__.py", "beacon/src/beacon/recipes.py",
        "beacon/src/beacon/source.py", "beacon/tests/test_beacon.py", "use_beacon.py",
    ]  # fmt: skip
    assert len(COMMANDS) == 6


def test_the_commands_and_the_code_of_the_page_work(
    beacon: tuple[Path, tuple[Path, ...]], tmp_path: Path, home: Path
) -> None:
    folder, paths = beacon
    said = []
    for line in COMMANDS:
        words = line.split()
        assert words[0] == "armillary"
        done = armillary(*words[1:], folder=tmp_path, home=home, paths=paths)
        assert (done.returncode, done.stderr) == (0, ""), line
        said.append(done.stdout)
    assert "Beacon" in said[0]
    assert "panel" in said[1]
    assert "eclipses" in said[1]
    assert len((tmp_path / "current.csv").read_text().splitlines()) >= 8640
    assert (tmp_path / "smooth.nc").stat().st_size > 10_000
    assert (tmp_path / "panel.png").read_bytes().startswith(b"\x89PNG")
    used = run(sys.executable, str(folder / "use_beacon.py"), folder=tmp_path, home=home, paths=paths)
    assert used.returncode == 0, used.stderr


def test_the_contracts_of_the_page_pass_in_full(beacon: tuple[Path, tuple[Path, ...]], home: Path) -> None:
    folder, paths = beacon
    tests = str(folder / "beacon" / "tests")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", tests)
    done = run(*command, folder=folder, home=home, paths=paths)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^23 passed in", done.stdout, re.MULTILINE), done.stdout
    assert "skipped" not in done.stdout


#: A plugin that does one thing wrong.
BROKEN = """
from armillary.model import Archive, Mission, Product
DEFECT = "{defect}"
ME = "broken_" + DEFECT
if DEFECT == "import":
    raise RuntimeError("broken on purpose")
PROTOCOLS = {{"protocol": "tapes", "module": "no_such_module:Source", "class": ME + ":Missing"}}

class Broken:
    def __init__(self, archive, state):
        if DEFECT == "archive":
            raise RuntimeError("broken on purpose,\\nin two lines")
        self.name = archive.name
    def stamp(self):
        if DEFECT == "stamp":
            raise RuntimeError("broken on purpose")
        return "1"
    def inventory(self, progress):
        if DEFECT == "inventory":
            raise RuntimeError("broken on purpose")
        yield Product(path=ME + "/a", title="a", kind="series", source=ME)
        if DEFECT == "later":
            raise RuntimeError("broken on purpose")
        if DEFECT == "nonsense":
            yield "not a product"
    def fetch(self, product, request, progress):
        if DEFECT == "fetch":
            raise RuntimeError("broken on purpose,\\nin two lines")
        return "not a dataset"

MISSION = Mission(name=ME, title="Broken", archives=(
    Archive(name=ME, protocol=PROTOCOLS.get(DEFECT, ME + ":Broken"), address=DEFECT),))
"""
#: What each does wrong when the desk is opened, and what the one warning says after the name.
AT_OPENING = {
    "import": "broken on purpose", "archive": "broken on purpose, in two lines", "protocol": "no protocol 'tapes'",
    "module": "no_such_module", "class": "Missing", "stamp": "broken on purpose", "inventory": "broken on purpose",
    "later": "broken on purpose", "nonsense": "'str'",
}  # fmt: skip
WHEN_ASKED = {"fetch": "broken on purpose, in two lines", "answer": "not an xarray.Dataset"}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place where all the broken plugins are installed at once."""
    site = tmp_path_factory.mktemp("site")
    for defect in (*AT_OPENING, *WHEN_ASKED):
        name = f"broken_{defect}"
        install(name, {name: f"{name}:MISSION"}, site)
        (site / f"{name}.py").write_text(BROKEN.format(defect=defect))
    return site


def test_each_broken_plugin_costs_one_line_and_nothing_else(broken: Path, tmp_path: Path, home: Path) -> None:
    tree = armillary("tree", "--json", folder=tmp_path, home=home, paths=(broken,))
    assert tree.returncode == 0, tree.stderr
    found = [one["path"] for one in json.loads(tree.stdout)]
    assert len([path for path in found if path.startswith("simulated/")]) > 20
    assert [path for path in found if path.startswith("broken")] == ["broken_answer/a", "broken_fetch/a"]
    assert len(tree.stderr.splitlines()) == len(AT_OPENING)
    for defect, reason in AT_OPENING.items():
        (line,) = [one for one in tree.stderr.splitlines() if re.search(rf"\bbroken_{defect}\b", one)]
        assert reason in line.partition(f"broken_{defect}")[2]


def test_others_are_served_beside_broken_plugins(broken: Path, tmp_path: Path, home: Path) -> None:
    times = ("--start", "2023-01-01", "--stop", "2023-01-02")
    got = armillary("get", "simulated/wind/b_gse", *times, "-o", "b.csv", folder=tmp_path, home=home, paths=(broken,))
    assert got.returncode == 0, got.stderr
    assert len((tmp_path / "b.csv").read_text().splitlines()) >= 1440
    missions = armillary("missions", "--json", folder=tmp_path, home=home, paths=(broken,))
    problems = {one["name"]: one["problem"] for one in json.loads(missions.stdout)}
    assert "broken on purpose" in problems["broken_import"]
    assert [name for name, problem in problems.items() if problem] == ["broken_import"]
    assert len([name for name in problems if name.startswith("broken")]) == len(AT_OPENING) + len(WHEN_ASKED)


def test_archives_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    ours = Archive(name="simulated", protocol="armillary.missions.simulated.source:Observatory", address="seed=1")
    plugins = [
        Plugin(name, name, Mission(name=name, title=name, archives=(archive,)))
        for name, archive in (("simulated", ours), ("twin", replace(ours, address="seed=2")))
    ]
    found = _gather(tmp_path, [], plugins)
    assert [one.name for one in found.values()] == ["simulated", "simulated-2"]
    assert len(_gather(tmp_path, [], [*plugins, *plugins])) == 2


@pytest.mark.parametrize("defect", WHEN_ASKED)
def test_a_source_that_breaks_when_asked_is_one_line(defect: str, broken: Path, tmp_path: Path, home: Path) -> None:
    got = armillary("get", f"broken_{defect}/a", "-o", "b.nc", folder=tmp_path, home=home, paths=(broken,))
    assert got.returncode == 1
    (line,) = [one for one in got.stderr.splitlines() if "error:" in one]
    assert f"broken_{defect}/a" in line
    assert WHEN_ASKED[defect] in line
    assert "Next step" in line
    assert [*tmp_path.glob("b.*")] == []
