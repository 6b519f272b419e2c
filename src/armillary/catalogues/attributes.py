"""Free attributes in SQLite: an index by name for predicates, and the check that a name keeps its type."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

from armillary.catalogues.entry import Attribute, type_of
from armillary.catalogues.records import COLUMNS, Record, identifiers, index_value, read_attributes
from armillary.errors import BadParameter

_ATTRIBUTES: Final = COLUMNS.index("attributes")
_TYPE_THERE: Final = """
SELECT n.type FROM name AS n CROSS JOIN member AS m CROSS JOIN attribute AS a ON a.name = n.key AND a.entry = m.entry
WHERE n.name = ? AND m.catalogue = ? AND m.entry NOT IN (SELECT value FROM json_each(?)) LIMIT 1
"""


def check_types(
    connection: sqlite3.Connection,
    catalogue: int,
    attributes: Iterable[Mapping[str, Attribute]],
    left_out: Iterable[int],
) -> None:
    """See that attributes of one name have one type in one catalogue; whole numbers and numbers go together.

    Parameters
    ----------
    attributes : iterable of mapping
        Those of the rows that come or change.
    left_out : iterable of int
        Keys of rows whose present attributes do not count, because they are being changed.

    Raises
    ------
    BadParameter
        Naming the attribute and both types.
    """
    seen: dict[str, str] = {}
    for one in attributes:
        for name, value in one.items():
            type_ = type_of(value)
            if not _alike(seen.setdefault(name, type_), type_):
                raise _clash(name, seen[name], type_)
    without = identifiers(left_out)
    for name, type_ in seen.items():
        there = connection.execute(_TYPE_THERE, (name, catalogue, without)).fetchone()
        if there and not _alike(there[0], type_):
            raise _clash(name, there[0], type_)


def index_attributes(connection: sqlite3.Connection, records: Mapping[int, Record]) -> None:
    """Write the attributes of rows, by name, as predicates look them up."""
    keys: dict[tuple[str, str], int] = {
        (name, type_): key for key, name, type_ in connection.execute("SELECT key, name, type FROM name")
    }
    cells = []
    for entry, one in zip(records, read_attributes([row[_ATTRIBUTES] for row in records.values()]), strict=True):
        for name, value in one.items():
            kind = (name, type_of(value))
            key = keys.get(kind) or keys.setdefault(kind, _new_name(connection, kind))
            cells.append((key, entry, index_value(value)))
    connection.executemany("INSERT INTO attribute VALUES (?, ?, ?)", cells)


def forget_attributes(connection: sqlite3.Connection, keys: str) -> None:
    """Take the attributes of rows (a JSON list of keys) out of the index."""
    query = "DELETE FROM attribute WHERE name = ? AND entry IN (SELECT value FROM json_each(?))"
    names = [name for (name,) in connection.execute("SELECT key FROM name")]
    connection.executemany(query, ((name, keys) for name in names))


def _new_name(connection: sqlite3.Connection, kind: tuple[str, str]) -> int:
    return int(connection.execute("INSERT INTO name (name, type) VALUES (?, ?)", kind).lastrowid or 0)


def _alike(a: str, b: str) -> bool:
    return a == b or {a, b} == {"int", "float"}


def _clash(name: str, there: str, new: str) -> BadParameter:
    return BadParameter(f"attribute {name!r} is {there} in this catalogue, not {new}", f"give {there}, or another name")
