"""A recipe's version follows what it computes with."""

import sys
from pathlib import Path
from typing import Any

import pytest

from armillary.model import Recipe, recipe
from armillary.tree import versions


def build(folder: Path, body: str, helper: str) -> Recipe:
    """Write a plugin package whose recipe imports a neighbour inside its function, and give the recipe."""
    package = folder / "strange_plugin"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "numbers.py").write_text(helper)
    (package / "making.py").write_text(body)
    for name in [one for one in sys.modules if one.startswith("strange_plugin")]:
        del sys.modules[name]
    for one in (versions.version_of, versions._reached, versions._text):
        one.cache_clear()
    namespace: dict[str, Any] = {"__name__": "strange_plugin.making"}
    __import__("strange_plugin")
    exec(body, namespace)  # noqa: S102 - our own text
    return recipe("o", inputs={"b": "i"}, title="t", kind="series")(namespace["made"])


BODY = "def made(b):\n    from strange_plugin.numbers import twice\n    return twice(b)\n"
HELPER = "def twice(b):\n    return 2 * b\n"


def test_a_changed_neighbour_is_a_new_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    first = versions.version_of(build(tmp_path, BODY, HELPER))
    assert versions.version_of(build(tmp_path, BODY, HELPER)) == first
    assert versions.version_of(build(tmp_path, BODY, HELPER.replace("2 *", "3 *"))) != first
    assert versions.version_of(build(tmp_path, BODY.replace("return twice", "return -twice"), HELPER)) != first


def test_science_is_followed_and_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    body = "def made(b):\n    from armillary.science.shocks import whatever\n    return whatever(b)\n"
    monkeypatch.delitem(sys.modules, "armillary.science.shocks", raising=False)
    reached = versions.version_of(build(tmp_path, body, HELPER))
    assert "armillary.science.shocks" not in sys.modules
    assert reached != versions.version_of(build(tmp_path, body.replace("shocks", "boundaries"), HELPER))
    assert versions._text("armillary.science.shocks")[0]
