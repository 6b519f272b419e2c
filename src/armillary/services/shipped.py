"""The queries that missions ship, by ``mission/name``."""

from collections.abc import Mapping
from typing import Any

from armillary.errors import Unknown
from armillary.model import Query
from armillary.model.request import Scalar
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


def fill_query(query: Query, given: Mapping[str, Scalar]) -> str:
    """Put values into the holes of a shipped query and look at it; a condition cannot reach out of its brackets.

    Raises
    ------
    BadParameter, BadRequest
    """
    from armillary.sources.tap.adql import check_condition, check_query

    for name, value in given.items():
        if isinstance(value, str) and any(one.name == name and one.type == "str" for one in query.parameters):
            check_condition(value)
    return check_query(query.fill(given))


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
