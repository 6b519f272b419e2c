"""One door, and a broken plugin does not close it."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from armillary.model import Mission
from armillary.tree import BrokenPluginWarning, Plugin, discover, gather_recipes
from armillary.tree.missions import GROUP


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_our_own_missions_come_through_the_door() -> None:
    plugins = discover()
    assert {plugin.name for plugin in plugins} >= {"simulated"}
    assert all(plugin.package == "armillary" and isinstance(plugin.mission, Mission) for plugin in plugins)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("MISSION = 'a text'", "not a Mission"),
        (
            "from armillary.model import *; A = Archive(name='a', protocol=''); MISSION = Mission(name='', title='', archives=A)",  # noqa: E501
            "archives are no tuple of Archive",
        ),
        (
            "from armillary.model import *; MISSION = Mission(name='a', title='A', recipes=('a/b',))",
            "recipes are no tuple of Recipe",
        ),
        ("def", "SyntaxError"),
        ("", "AttributeError"),
    ],
)
def test_a_broken_plugin_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    (tmp_path / "stranger.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("stranger", None)
    good = point("simulated", "armillary.missions.simulated:MISSION")
    with pytest.warns(BrokenPluginWarning, match="'stranger' is left out"):
        fine, broken = discover([point("stranger", "stranger:MISSION"), good])
    assert broken.mission is None
    assert reason in broken.problem
    assert fine.mission is not None
    sys.modules.pop("stranger", None)


def test_of_two_recipes_for_one_path_the_first_is_kept() -> None:
    (ours,) = [plugin for plugin in discover() if plugin.name == "simulated"]
    assert ours.mission
    twin = Plugin("twin", "stranger", Mission(name="twin", title="T", recipes=ours.mission.recipes[:1]))
    with pytest.warns(BrokenPluginWarning, match="mission 'twin': its recipe .* is left out"):
        kept = gather_recipes([ours, twin])
    assert kept.by_output == gather_recipes([ours]).by_output
