"""Astronomers who follow the tutorials: every line of them, with a real TAP server of simulated sources."""

import json
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
_FENCE = re.compile(r'^```(python|sh|toml)(?: title="([^"]*)")?\n(.*?)^```\s*$', re.MULTILINE | re.DOTALL)
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
            language, title, code = block.groups()
            if language == "toml":
                Path(title).write_text(code, "utf-8")
            elif bool(title) == titled and language == "sh":
                self._type(code, variables)
            elif bool(title) == titled:
                line = text.count("\n", 0, block.start()) + 1
                exec(compile("\n" * line + code, self.page.name, "exec"), self.session)  # noqa: S102 - our own pages

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


def test_hundred_thousand_seds(dachs: TapServer, cli: Callable[..., Any], place: Path) -> None:
    reader = Reader("hundred-thousand-seds.md", cli)
    reader.follow(given={"TAP": dachs.url, "HALF": "6000", "ROWS": "12000", "MOST": "150"})

    page = ("adql", "gaia/photometry", "--archive", "gaia", "--param", "first=6000", "--param", "stop=12000")
    again = json.loads(cli(*page, "-o", place / "again.parquet", "--json").out)
    assert (again["cached"], again["rows"]) == (True, 6000)
    metrics = json.loads((place / "run" / "metrics.json").read_text("utf-8"))
    assert set(metrics["held_out"]) == {"boosting", "forest", "mlp"}
    assert metrics["macro_f1"] > 0.85 > metrics["controls"]["majority"]["macro_f1"]
    told = reader.session
    assert len(told["ids"]) == 12_000
    purity, completeness = (
        [told["judged"](told[name], told["young"], told["g"] > 0)[at] for name in ("as_trained", "corrected")]
        for at in (0, 1)
    )
    assert purity[1] > purity[0] + 0.1
    assert min(completeness) >= 0.5
    assert told["right"][told["new"] & (told["trust"] == "ok")].mean() > 0.9


def _votable(path: Path) -> Any:
    from astropy.table import Table

    return Table.read(path, format="votable")
