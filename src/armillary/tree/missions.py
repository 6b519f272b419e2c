"""The one door for missions: every installed plugin of the entry-point group ``armillary.missions``."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from armillary.errors import BrokenPlugin, one_line
from armillary.model import Archive, EventClass, Mission, Query, Recipe
from armillary.tree.derive import Recipes

GROUP: Final = "armillary.missions"
_HOLDS: Final[dict[str, type]] = {
    "archives": Archive, "recipes": Recipe, "event_classes": EventClass, "citations": str, "queries": Query,
}  # fmt: skip


class BrokenPluginWarning(UserWarning):
    """A mission plugin was left out."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin: its mission, or the reason why it is left out."""

    name: str
    package: str
    mission: Mission | None = None
    problem: str = ""


def discover(points: Iterable[EntryPoint] | None = None) -> tuple[Plugin, ...]:
    """Load every mission plugin; a broken one is a warning, never a crash.

    Parameters
    ----------
    points : iterable of EntryPoint, optional
        Instead of the installed ones.
    """
    found = entry_points(group=GROUP) if points is None else points
    plugins = tuple(_load(point) for point in sorted(found, key=lambda point: point.name))
    for plugin in plugins:
        if plugin.problem:
            warnings.warn(f"mission {plugin.name!r} is left out: {plugin.problem}", BrokenPluginWarning, stacklevel=2)
    return plugins


def _load(point: EntryPoint) -> Plugin:
    package = point.dist.name if point.dist else ""
    try:
        return Plugin(point.name, package, _mission(point))
    except (Exception, SystemExit) as broken:  # noqa: BLE001 - a stranger's module may raise anything
        return Plugin(point.name, package, None, one_line(f"{type(broken).__name__}: {broken}"))


def _mission(point: EntryPoint) -> Mission:
    loaded = point.load()
    if not isinstance(loaded, Mission):
        raise BrokenPlugin(f"{point.value} is a {type(loaded).__name__}, not a Mission", "export a Mission value")
    for name, kind in _HOLDS.items():
        found = getattr(loaded, name)
        if not isinstance(found, tuple) or not all(isinstance(one, kind) for one in found):
            raise BrokenPlugin(f"its {name} are no tuple of {kind.__name__}", f"write {name}=(one,) with the comma")
    return loaded


def gather_recipes(plugins: Iterable[Plugin]) -> Recipes:
    """Put the recipes of all missions together; of two that make the same path, the first mission's is kept."""
    found: dict[str, Recipe] = {}
    for plugin in plugins:
        for recipe in plugin.mission.recipes if plugin.mission else ():
            if recipe.output in found:
                problem = f"mission {plugin.name!r}: its recipe {recipe.output!r} is left out, another mission has it"
                warnings.warn(problem, BrokenPluginWarning, stacklevel=2)
            else:
                found[recipe.output] = recipe
    return Recipes(found)
