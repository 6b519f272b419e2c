"""A mission is a plugin: a frozen value that says which archives, recipes, event classes and citations belong to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from armillary.errors import BadParameter
from armillary.model.product import Parameter
from armillary.model.recipe import Recipe
from armillary.model.request import Scalar

_HOLE: Final = re.compile(r"\{(\w+)\}")


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
class Query:
    """A query that a mission ships, for one archive; `armillary adql MISSION/NAME` asks it.

    Parameters
    ----------
    name : str
        Last part of what it is called.
    archive : str
        The archive that it is written for; another with the same tables will do.
    text : str
        ADQL with ``{parameter}`` holes. A line that names a parameter which was not given is left out.
    parameters : tuple of Parameter
        One whose default is None may be left out.
    """

    name: str
    title: str
    archive: str
    text: str
    parameters: tuple[Parameter, ...] = ()
    description: str = ""

    def fill(self, given: Mapping[str, Scalar]) -> str:
        r"""Put values into the holes.

        Raises
        ------
        BadParameter
            If one is unknown, wrong or missing, or no condition is left: the query would ask for all there is.

        Examples
        --------
        >>> text = "SELECT ra FROM stars\nWHERE\n  ra > {low}\n  AND g < {faint}"
        >>> knobs = tuple(Parameter(name=name, type="float", default=None) for name in ("low", "faint"))
        >>> print(Query(name="q", title="Q", archive="gaia", text=text, parameters=knobs).fill({"faint": 12}))
        SELECT ra FROM stars
        WHERE
          g < 12.0
        """
        known = {one.name: one for one in self.parameters}
        for name in given:
            if name not in known:
                raise BadParameter(f"the query {self.name} has no parameter {name!r}", f"it has: {', '.join(known)}")
        values = {name: one.read(given.get(name)) for name, one in known.items()}
        left = {name for name, value in values.items() if value is None or value == ""}
        lines = [line for line in self.text.strip().splitlines() if self._stays(line, left)]
        filled = "\n".join(_HOLE.sub(lambda hole: str(values[hole[1]]), line) for line in lines)
        if re.search(r"\bWHERE\s*(ORDER|GROUP|$)", filled):
            raise BadParameter(f"the query {self.name} without any condition asks for all there is", self._asks())
        return re.sub(r"\b(WHERE\s+)AND\s+", r"\1", filled)

    def _stays(self, line: str, left: set[str]) -> bool:
        """Say whether all that a line names is there; refuse what is given in part."""
        holes = dict.fromkeys(_HOLE.findall(line))
        missing = [one for one in holes if one in left]
        if missing and len(missing) < len(holes):
            problem = (
                f"{', '.join(one for one in holes if one not in left)} of the query {self.name} without {missing[0]}"
            )
            raise BadParameter(problem, f"give {', '.join(holes)} together")
        return not missing

    def _asks(self) -> str:
        return f"give some of {', '.join(one.name for one in self.parameters if one.default is None)}"


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
    queries : tuple of Query
        Queries to archives of tables.
    """

    name: str
    title: str
    description: str = ""
    archives: tuple[Archive, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    event_classes: tuple[EventClass, ...] = ()
    citations: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
