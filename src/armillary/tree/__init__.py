"""The data tree: which archives and missions there are, which products they have, and finding one."""

from armillary.tree.archives import add_archive, free_name, read_archives, remove_archive
from armillary.tree.derive import Recipes, derive
from armillary.tree.inventory import Branch, Inventory, match, refresh
from armillary.tree.missions import BrokenPluginWarning, Plugin, discover, gather_recipes

__all__ = [
    "Branch",
    "BrokenPluginWarning",
    "Inventory",
    "Plugin",
    "Recipes",
    "add_archive",
    "derive",
    "discover",
    "free_name",
    "gather_recipes",
    "match",
    "read_archives",
    "refresh",
    "remove_archive",
]
