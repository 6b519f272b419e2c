"""A mission is a plugin: a frozen value that says which archives, recipes, event classes and citations belong to it."""

from dataclasses import dataclass
from typing import Self

from armillary.model.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where data live.

    Parameters
    ----------
    name : str
        Unique; the first segment of its products' paths unless its source says otherwise.
    protocol : str
        "folder", "hapi", "tap", or ``package.module:Class`` of a mission's own source (only a mission may name one).
    address : str
        Folder, URL or whatever the protocol needs.
    """

    name: str
    protocol: str
    address: str = ""
    title: str = ""

    @classmethod
    def from_record(cls, record: dict[str, str]) -> Self:
        """Read from JSON values."""
        return cls(**{name: str(record.get(name, "")) for name in ("name", "protocol", "address", "title")})

    def to_record(self) -> dict[str, str]:
        """Write as JSON values."""
        return {"name": self.name, "protocol": self.protocol, "address": self.address, "title": self.title}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventClass:
    """A class of things that catalogues of this mission say were found."""

    name: str
    title: str
    description: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mission:
    """What a plugin brings.

    Parameters
    ----------
    name : str
        As in its entry point.
    archives : tuple of Archive
        Archives that the tree shows without being asked.
    recipes : tuple of Recipe
        Derived products.
    event_classes : tuple of EventClass
        What its catalogues distinguish.
    citations : tuple of str
        What to cite when its data are used.
    """

    name: str
    title: str
    description: str = ""
    archives: tuple[Archive, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    event_classes: tuple[EventClass, ...] = ()
    citations: tuple[str, ...] = ()
