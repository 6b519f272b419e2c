"""Writes: every state that changes is first copied into ``delta``. All take a connection inside a transaction."""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from armillary.catalogues.attributes import check_types, forget_attributes, index_attributes
from armillary.catalogues.entry import Entry, check_kind
from armillary.catalogues.reading import read_by_id
from armillary.catalogues.records import COLUMNS, Record, identifiers, to_record
from armillary.errors import Conflict, UnknownCatalogue

_INSERT: Final = f"INSERT INTO entry (key, {', '.join(COLUMNS)}) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
#: Columns of ``catalogue`` in their order.
CATALOGUE_COLUMNS: Final = "key, name, kind, description, tags, author, predicate, sources, created, modified"


def begin_change(
    connection: sqlite3.Connection,
    author: str,
    action: str,
    summary: str,
    target: int | None = None,
    origin: str | None = None,
) -> int:
    """Open a row of the history and give its number."""
    cells = (time.time_ns(), author, action, summary, target, origin)
    query = "INSERT INTO change (at, author, action, summary, target, origin) VALUES (?, ?, ?, ?, ?, ?)"
    return int(connection.execute(query, cells).lastrowid or 0)


def add_rows(
    connection: sqlite3.Connection, change: int, place: tuple[int, str], rows: Sequence[Entry], author: str
) -> list[str]:
    """Put rows into a catalogue (`place` is its key and kind): new ones, and known ones by their id.

    Raises
    ------
    Conflict
        If a row has the id of another with different content.
    """
    catalogue, kind = place
    for row in rows:
        check_kind(row, kind)
    known = _known(connection, rows)
    named = [known[row.id][1] if row.id in known else row for row in rows]
    named = name_rows(named, author)
    check_types(connection, catalogue, (row.attributes for row in named), [key for key, _ in known.values()])
    fresh = _fresh(connection, [row for row in named if row.id not in known])
    put_entries(connection, change, {key: to_record(row) for key, row in fresh.items()}, fresh=True)
    keys = [*(key for key, _ in known.values()), *fresh]
    put_members(connection, change, dict.fromkeys(((catalogue, key) for key in keys), True))
    return [row.id for row in named]


def name_rows(rows: Sequence[Entry], author: str) -> list[Entry]:
    """Give ids, author and times to rows that have none yet."""
    now = time.time_ns()
    ids = iter(_new_ids(sum(not row.id for row in rows), now))
    named = []
    for row in rows:
        copy = object.__new__(Entry)
        for get, put in _SLOTS:
            put(copy, get(row))
        _fill(copy, "id", row.id or next(ids))
        _fill(copy, "author", row.author or author)
        _fill(copy, "version", row.version or 1)
        _fill(copy, "created", row.created or now)
        _fill(copy, "modified", row.modified or now)
        named.append(copy)
    return named


def edit_rows(
    connection: sqlite3.Connection,
    change: int,
    versions: Mapping[str, int | None],
    attributes: Mapping[str, Any],
    fields: Mapping[str, Any],
) -> list[Entry]:
    """Change fields and attributes of rows (an attribute that becomes None goes away).

    Raises
    ------
    Conflict
        If a row has not the version that is given for it any more.
    """
    found, now = read_by_id(connection, list(versions)), time.time_ns()
    edited: dict[int, Entry] = {}
    for key, row in found.items():
        wanted = versions[row.id]
        if wanted is not None and wanted != row.version:
            raise Conflict(f"row {row.id} was changed by somebody else", "read it again and repeat your change")
        merged = {**row.attributes, **attributes}
        edited[key] = replace(row, **fields, attributes=merged, version=row.version + 1, modified=now)
    _check_edit(connection, edited)
    put_entries(connection, change, {key: to_record(row) for key, row in edited.items()})
    return list(edited.values())


def remove_rows(connection: sqlite3.Connection, change: int, ids: list[str], catalogue: int | None) -> None:
    """Take rows out of a catalogue, or of all; a row in no catalogue any more goes away."""
    keys = list(read_by_id(connection, ids))
    query = "SELECT catalogue, entry FROM member WHERE entry IN (SELECT value FROM json_each(?))"
    members = connection.execute(query, (identifiers(keys),)).fetchall()
    out = [pair for pair in members if catalogue is None or pair[0] == catalogue]
    strangers = set(keys) - {entry for _, entry in out}
    if strangers and catalogue is not None:
        raise UnknownCatalogue(
            f"{len(strangers)} of these rows are not in that catalogue", "look at its rows with show"
        )
    put_members(connection, change, dict.fromkeys(out, False))
    staying = {entry for _, entry in set(members) - set(out)}
    put_entries(connection, change, {key: None for key in keys if key not in staying})


def put_entries(
    connection: sqlite3.Connection, change: int, states: Mapping[int, Record | None], *, fresh: bool = False
) -> None:
    """Set rows (None: no row), keeping what was there before; `fresh` says that nothing was."""
    before = {} if fresh else _current(connection, states)
    deltas = ((change, key, json.dumps(before[key]) if key in before else None) for key in states)
    connection.executemany("INSERT INTO delta VALUES (?, 'entry', ?, 0, ?)", deltas)
    if before:
        keys = identifiers(before)
        forget_attributes(connection, keys)
        connection.execute("DELETE FROM entry WHERE key IN (SELECT value FROM json_each(?))", (keys,))
    connection.executemany(_INSERT, ((key, *cells) for key, cells in states.items() if cells is not None))
    index_attributes(connection, {key: cells for key, cells in states.items() if cells is not None})


def put_members(connection: sqlite3.Connection, change: int, states: Mapping[tuple[int, int], bool]) -> None:
    """Set which rows belong to which catalogues: (catalogue, row) to truth."""
    query = "SELECT catalogue, entry FROM member WHERE entry IN (SELECT value FROM json_each(?))"
    now = set(connection.execute(query, (identifiers({entry for _, entry in states}),)).fetchall())
    turned = [(pair, state) for pair, state in states.items() if (pair in now) != state]
    deltas = ((change, entry, catalogue, None if state else "1") for (catalogue, entry), state in turned)
    connection.executemany("INSERT INTO delta VALUES (?, 'member', ?, ?, ?)", deltas)
    connection.executemany("INSERT INTO member VALUES (?, ?)", (pair for pair, state in turned if state))
    gone = (pair for pair, state in turned if not state)
    connection.executemany("DELETE FROM member WHERE catalogue = ? AND entry = ?", gone)


def put_catalogue(connection: sqlite3.Connection, change: int, key: int, cells: Sequence[Any] | None) -> None:
    """Set a catalogue (None: no catalogue), keeping what was there before."""
    found = connection.execute(f"SELECT {CATALOGUE_COLUMNS} FROM catalogue WHERE key = ?", (key,)).fetchone()
    before = json.dumps(found[1:]) if found else None
    connection.execute("INSERT INTO delta VALUES (?, 'catalogue', ?, 0, ?)", (change, key, before))
    connection.execute("DELETE FROM catalogue WHERE key = ?", (key,))
    if cells is not None:
        query = f"INSERT INTO catalogue ({CATALOGUE_COLUMNS}) VALUES ({', '.join('?' * 10)})"
        connection.execute(query, (key, *cells))


def next_key(connection: sqlite3.Connection, table: str) -> int:
    """Give a key that no row of the table ever had, so that history never means another row."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(found[0]) + 1 if found else 1


def _known(connection: sqlite3.Connection, rows: Sequence[Entry]) -> dict[str, tuple[int, Entry]]:
    """Find the rows that the store has already, and see that they are the same."""
    given = [row.id for row in rows if row.id]
    query = "SELECT id FROM entry WHERE id IN (SELECT value FROM json_each(?))"
    ids = [one for (one,) in connection.execute(query, (identifiers(given),))] if given else []
    found = {row.id: (key, row) for key, row in read_by_id(connection, ids).items()} if ids else {}
    for row in rows:
        if row.id in found and not _same(row, found[row.id][1]):
            raise Conflict(
                f"row {row.id} exists already with other content", "change it with edit, or leave its id out"
            )
    return found


def _same(given: Entry, there: Entry) -> bool:
    return (given if given.author else replace(given, author=there.author)).content() == there.content()


def _fresh(connection: sqlite3.Connection, rows: Sequence[Entry]) -> dict[int, Entry]:
    """Give keys to new rows; a row that comes twice is one row."""
    once: dict[str, Entry] = {}
    for row in rows:
        there = once.setdefault(row.id, row)
        if there is not row and not _same(row, there):
            raise Conflict(f"the id {row.id} stands for two different rows", "leave out the ids, or make them differ")
    return dict(enumerate(once.values(), next_key(connection, "entry")))


def _current(connection: sqlite3.Connection, keys: Iterable[int]) -> dict[int, Record]:
    query = f"SELECT key, {', '.join(COLUMNS)} FROM entry WHERE key IN (SELECT value FROM json_each(?))"
    return {key: tuple(cells) for key, *cells in connection.execute(query, (identifiers(keys),))}


def _check_edit(connection: sqlite3.Connection, edited: Mapping[int, Entry]) -> None:
    """See that changed rows still fit every catalogue they are in."""
    query = """SELECT m.entry, c.key, c.kind FROM member AS m JOIN catalogue AS c ON c.key = m.catalogue
        WHERE m.entry IN (SELECT value FROM json_each(?))"""
    places: dict[int, list[Entry]] = {}
    for key, catalogue, kind in connection.execute(query, (identifiers(edited),)).fetchall():
        check_kind(edited[key], kind)
        places.setdefault(catalogue, []).append(edited[key])
    for catalogue, rows in places.items():
        check_types(connection, catalogue, (row.attributes for row in rows), edited)


def _new_ids(count: int, now: int) -> list[str]:
    """Make UUIDs of version 7: they sort by time, so the index grows at its end."""
    stamp = f"{now // 1_000_000:012x}"
    noise = os.urandom(10 * count).hex()
    drawn = sorted(noise[at : at + 20] for at in range(0, 20 * count, 20))
    front = f"{stamp[:8]}-{stamp[8:]}-7"
    return [f"{front}{one[:3]}-{'89ab'[int(one[3], 16) & 3]}{one[4:7]}-{one[7:19]}" for one in drawn]


_SLOTS: Final = tuple((getattr(Entry, name).__get__, getattr(Entry, name).__set__) for name in Entry.__slots__)
_fill: Final = object.__setattr__
