"""The documentation is true: its code runs, its links lead somewhere, and what is public is told."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import armillary
from armillary.services.cli.app import build

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
README = ROOT / "README.md"
RUN = [page for page in [README, *PAGES] if page.exists()]
LINKED = sorted([*ROOT.glob("*.md"), *PAGES, *(ROOT / "changes").glob("*.md")])
ROOMS = sorted(one.parent.name for one in (ROOT / "src" / "armillary").glob("*/__init__.py"))
_FENCE = re.compile(r"^```(.*?)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+?)(?:#[^)]*)?\)")
#: The first line of a page that cannot run alone names the story that runs it.
_ELSEWHERE = re.compile(r"<!-- run with a TAP server by (tests/stories/\w+\.py) -->\n")
#: What a fence may say: code that is run, and what is only shown.
_SHOWN = {"js", "json", "sh", "text", "toml"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fences(page: Path) -> list[tuple[int, str, str]]:
    """Give line, language and text of each block of a page."""
    text = page.read_text("utf-8")
    return [(text.count("\n", 0, one.start()) + 2, one[1].strip(), one[2]) for one in _FENCE.finditer(text)]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection fail that leaves this machine."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "127.0.0.1"
        assert host in {"127.0.0.1", "::1", "localhost"}, f"a page of the documentation asks {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.mark.usefixtures("offline", "home")
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if elsewhere := _ELSEWHERE.match(page.read_text("utf-8")):
        assert page.name in (ROOT / elsewhere[1]).read_text("utf-8")
        return
    namespace: dict[str, Any] = {"__name__": "docs"}
    for line, language, text in fences(page):
        if language == "python":
            exec(compile("\n" * (line - 1) + text, name_of(page), "exec"), namespace)  # noqa: S102 - our own pages
        else:
            plain = language.partition(" title=")[0]
            assert plain in _SHOWN or language.startswith("python title="), f"{name_of(page)}:{line} is {language!r}"


def test_many_blocks_are_run() -> None:
    """A pattern that finds nothing would make the test above green."""
    blocks = [one for page in RUN for one in fences(page) if one[1] == "python"]
    assert len(blocks) >= 30


def commands(command: Any, words: str = "armillary") -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words
    for name, one in (inner or {}).items():
        yield from commands(one, f"{words} {name}")


def test_every_command_is_told_and_has_help() -> None:
    found = list(commands(typer.main.get_command(build())))
    assert len(found) >= 25
    told = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [one for one in found if not re.search(rf"{re.escape(one)}\b", told)] == []


def test_every_public_name_is_told() -> None:
    told = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in armillary.__all__ if not re.search(rf"`(arm\.)?{name}\b", told)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_page(room: str) -> None:
    page = DOCS / f"{room}.md"
    assert page.is_file()
    assert f"({room}.md)" in (DOCS / "index.md").read_text("utf-8")


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text("utf-8"))
    local = [one for one in _LINK.findall(text) if not re.match(r"[a-z]+:|<|#", one)]
    assert [one for one in local if not (page.parent / one).exists()] == []


def test_the_site_has_every_page() -> None:
    listed = set(re.findall(r"\S+\.md", (ROOT / "mkdocs.yml").read_text("utf-8")))
    assert listed == {str(page.relative_to(DOCS)) for page in PAGES}


def test_decisions_are_numbered_and_complete() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert len(decisions) >= 6
    assert [one.name[:4] for one in decisions] == [f"{number:03}-" for number in range(1, len(decisions) + 1)]
    for one in decisions:
        text = one.read_text("utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "What we gave up")), one.name
        assert len(text.splitlines()) <= 40


def test_changes_are_fragments() -> None:
    names = {one.name for one in (ROOT / "changes").iterdir()} - {"README.md"}
    assert names
    assert [one for one in names if not re.fullmatch(r"[a-z0-9-]+\.(feature|fix|doc|removal)\.md", one)] == []


def test_no_page_names_this_machine() -> None:
    places = re.compile(r"(?<![\w.])/(work|root|home/(?!me/)\w+)/|/tmp/")
    assert [name_of(page) for page in LINKED if places.search(page.read_text("utf-8"))] == []
