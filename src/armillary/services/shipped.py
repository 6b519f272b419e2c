"""The queries that missions ship, by ``mission/name``."""

from typing import Any

from armillary.errors import Unknown
from armillary.model import Query
from armillary.tree import discover


def shipped_queries() -> dict[str, Query]:
    """Give the queries of all installed missions by ``mission/name``."""
    return {
        f"{plugin.name}/{one.name}": one for plugin in discover() if plugin.mission for one in plugin.mission.queries
    }


def find_query(name: str) -> Query | None:
    """Give a shipped query by its name; None if the text is no such name.

    Raises
    ------
    Unknown
        If it names a mission that has queries, but none of this name.
    """
    mission, slash, rest = name.partition("/")
    if not slash or not mission.isidentifier() or not rest.isidentifier():
        return None
    known = shipped_queries()
    there = [one for one in known if one.startswith(f"{mission}/")]
    if name not in known and there:
        raise Unknown(f"the mission {mission} ships no query {rest!r}", f"it ships {', '.join(there)}")
    return known.get(name)


def query_records() -> list[dict[str, Any]]:
    """Give all shipped queries as JSON values, without their text."""
    return [
        {
            "name": name,
            "archive": one.archive,
            "title": one.title,
            "description": one.description,
            "parameters": [
                {"name": knob.name, "type": knob.type, "units": knob.units, "description": knob.description}
                for knob in one.parameters
            ],
        }
        for name, one in shipped_queries().items()
    ]
