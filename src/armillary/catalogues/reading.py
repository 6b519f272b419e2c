"""Reads: catalogues by name, rows by catalogue, time and predicate. All take a connection and change nothing."""

import sqlite3
from typing import Any, Final

from armillary.catalogues.entry import Catalogue, Entry
from armillary.catalogues.records import COLUMNS, Record, identifiers, to_catalogue, to_entries
from armillary.catalogues.where import Sql, attribute_filters, where_sql
from armillary.errors import BadRequest, UnknownCatalogue
from armillary.model import Interval

CELLS: Final = ", ".join(f"e.{name}" for name in COLUMNS)
_CATALOGUE: Final = "name, kind, description, tags, author, predicate, sources, created, modified"
_SUITS: Final = {
    "events": "e.start IS NOT NULL",
    "objects": "(e.ra IS NOT NULL OR e.source_id <> '')",
    "areas": "e.geometry IS NOT NULL",
}
_DEEPEST: Final = 20


def read_catalogues(connection: sqlite3.Connection) -> list[Catalogue]:
    """Read all catalogues, by name, with their numbers of rows."""
    counts = dict(connection.execute("SELECT catalogue, count(*) FROM member GROUP BY catalogue").fetchall())
    found = connection.execute(f"SELECT key, {_CATALOGUE} FROM catalogue ORDER BY name").fetchall()
    return [to_catalogue(cells, counts.get(key, 0) if cells[5] is None else None) for key, *cells in found]


def find_catalogue(connection: sqlite3.Connection, name: str) -> tuple[int, Catalogue]:
    """Find a catalogue and its key.

    Raises
    ------
    UnknownCatalogue
    """
    found = connection.execute(f"SELECT key, {_CATALOGUE} FROM catalogue WHERE name = ?", (name,)).fetchone()
    if found is None:
        raise UnknownCatalogue(f"there is no catalogue {name!r}", "see `armillary catalogue list`, or make it with new")
    key, *cells = found
    count = connection.execute("SELECT count(*) FROM member WHERE catalogue = ?", (key,)).fetchone()[0]
    return key, to_catalogue(cells, count if cells[5] is None else None)


def read_records(
    connection: sqlite3.Connection, name: str, interval: Interval | None = None, where: str | None = None
) -> list[Record]:
    """Read the rows of a catalogue that lie at least partly in an interval and for which a predicate holds.

    An instant belongs to the interval that holds it. Rows come by start, then in the order they were added.
    """
    key, catalogue = find_catalogue(connection, name)
    parts = [_inside(connection, interval)] if interval else []
    if catalogue.where is None and interval is None:
        tables, first = "member AS m CROSS JOIN entry AS e ON e.key = m.entry", ("m.catalogue = ?", [key])
    else:
        tables, first = "entry AS e", _belongs(connection, name, 0)
    parts += [first, *([where_sql(connection, where)] if where else [])]
    owner = "m.entry" if "m.catalogue" in first[0] else "e.key"
    parts += [(f"{owner} IN ({sql})", bound) for sql, bound in (attribute_filters(connection, where) if where else [])]
    conditions = " AND ".join(sql for sql, _ in parts)
    query = f"SELECT {CELLS} FROM {tables} WHERE {conditions} ORDER BY e.start, e.key"
    return _ask(connection, query, [value for _, bound in parts for value in bound])


def read_rows(
    connection: sqlite3.Connection, name: str, interval: Interval | None = None, where: str | None = None
) -> list[Entry]:
    """Read as :func:`read_records`, as values."""
    return to_entries(read_records(connection, name, interval, where))


def read_by_id(connection: sqlite3.Connection, ids: list[str]) -> dict[int, Entry]:
    """Find rows by id: key to row, in the order asked.

    Raises
    ------
    UnknownCatalogue
        Naming the first id that does not exist.
    """
    query = f"SELECT e.key, {CELLS} FROM entry AS e WHERE e.id IN (SELECT value FROM json_each(?))"
    found = connection.execute(query, (identifiers(ids),)).fetchall()
    rows = {entry.id: (key, entry) for (key, *_), entry in zip(found, to_entries([r[1:] for r in found]), strict=True)}
    for one in ids:
        if one not in rows:
            raise UnknownCatalogue(
                f"there is no row {one!r}", "see the ids with `armillary catalogue show NAME --json`"
            )
    return dict(rows[one] for one in ids)


def _ask(connection: sqlite3.Connection, query: str, bound: list[Any]) -> list[Record]:
    try:
        return connection.execute(query, bound).fetchall()
    except sqlite3.OperationalError as failed:
        if failed.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise BadRequest(f"the predicate is too much for SQLite: {failed}", "write it simpler") from failed


def _inside(connection: sqlite3.Connection, interval: Interval) -> Sql:
    """Bound the start on both sides, by the longest row there is, so that the index finds a narrow range."""
    query = "SELECT max(stop - start) FROM entry WHERE start IS NOT NULL"
    longest = connection.execute(query).fetchone()[0] or 0
    sql = "e.start < ? AND e.start >= ? AND e.stop >= ? AND (e.stop > ? OR e.start = e.stop)"
    return sql, [interval.stop, interval.start - longest, interval.start, interval.start]


def _belongs(connection: sqlite3.Connection, name: str, depth: int) -> Sql:
    if depth > _DEEPEST:
        raise BadRequest(f"the catalogue {name!r} is made of itself", "change the catalogues it looks through")
    key, catalogue = find_catalogue(connection, name)
    if catalogue.where is None:
        return "EXISTS (SELECT 1 FROM member WHERE catalogue = ? AND entry = e.key)", [key]
    found = where_sql(connection, catalogue.where, lenient=True)
    sources = [_belongs(connection, one, depth + 1) for one in catalogue.of]
    among = f" AND ({' OR '.join(sql for sql, _ in sources)})" if sources else ""
    bound = [*found[1], *(value for _, values in sources for value in values)]
    return f"({_SUITS[catalogue.kind]} AND {found[0]}{among})", bound
