"""Astronomers who follow the tutorials: every line of them, with a real TAP server of simulated sources."""

import re
import shlex
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from armillary.testing.dachs import TapServer

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"
_FENCE = re.compile(r"^```(python|sh)( title=[^\n]*)?\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_ASSIGNED = re.compile(r"(\w+)=(\S+)")

pytestmark = pytest.mark.xdist_group("dachs")


class Reader:
    """One who types what a page says: its Python in one session, its commands in one shell."""

    def __init__(self, page: str, cli: Callable[..., Any]) -> None:
        self.page = TUTORIALS / page
        self.cli = cli
        self.said: dict[str, str] = {}
        self.session: dict[str, Any] = {"__name__": "docs"}

    def follow(self, *, given: dict[str, str] | None = None, titled: bool = False) -> None:
        """Run all blocks in order, or those with a title; what is `given` is not assigned by the page."""
        text = self.page.read_text("utf-8")
        variables = dict(given or {})
        for block in _FENCE.finditer(text):
            if bool(block[2]) != titled:
                continue
            line = text.count("\n", 0, block.start()) + 1
            if block[1] == "python":
                exec(compile("\n" * line + block[3], self.page.name, "exec"), self.session)  # noqa: S102 - our own pages
            else:
                self._type(block[3], variables)

    def _type(self, block: str, variables: dict[str, str]) -> None:
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(_filled(line, variables), comments=True)
            if not words:
                continue
            if assigned := _ASSIGNED.fullmatch(words[0]):
                variables.setdefault(assigned[1], assigned[2])
                continue
            if words[0] == "mkdir":
                Path(words[1]).mkdir()
                continue
            assert words[0] == "armillary", line
            ran = self.cli(*words[1:])
            assert ran.status == 0, f"{line}\n{ran.err}"
            self.said[" ".join(words[1:])] = ran.out + ran.err


def _filled(line: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda one: variables[one[1]], line)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rho_ophiuchi(dachs: TapServer, cli: Callable[..., Any], place: Path) -> None:
    reader = Reader("rho-ophiuchi.md", cli)
    reader.follow(given={"TAP": dachs.url})

    classes: dict[tuple[str, str], int] = reader.session["table"]
    classed = {pair: count for pair, count in classes.items() if pair[1]}
    same = sum(count for (true, found), count in classed.items() if true == found)
    assert same >= 0.93 * sum(classed.values()) > 50
    published = _votable(place / "discs.vot")
    assert len(published) == sum(classed.values())
    assert set(published["class"]) <= {"I", "flat", "II", "III"}


@pytest.mark.real
def test_rho_ophiuchi_as_published(real_data: Path, cli: Callable[..., Any], place: Path) -> None:
    table = real_data / "gaia" / "canovas2019_oph" / "sample_comp" / "10_make_photometry_tb_1.vot"
    (place / "published").mkdir()
    shutil.copy(table, place / "published" / "canovas.vot")
    reader = Reader("rho-ophiuchi.md", cli)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy's, about units in the published file
        reader.follow(titled=True)
    assert len(reader.session["published"]) == 48
    assert reader.session["same"].mean() >= 0.95
    assert max(map(abs, reader.session["off"].values())) <= 0.003


def _votable(path: Path) -> Any:
    from astropy.table import Table

    return Table.read(path, format="votable")
