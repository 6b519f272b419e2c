"""The history: what was done when by whom, and how it is undone by doing the opposite."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from armillary.catalogues.entry import Entry
from armillary.catalogues.reading import find_catalogue
from armillary.catalogues.records import COLUMNS, Record, to_entries
from armillary.catalogues.writing import begin_change, put_catalogue, put_entries, put_members
from armillary.errors import BadRequest, Conflict
from armillary.model import format_time

_VERSION: Final = COLUMNS.index("version")
_MODIFIED: Final = COLUMNS.index("modified")
#: How often a change was undone and not redone: 0 or 1.
_UNDONE: Final = "(SELECT total(CASE action WHEN 'undo' THEN 1 ELSE -1 END) FROM change AS u WHERE u.target = c.number)"
_LAST_DONE: Final = f"""SELECT number, summary FROM change AS c
    WHERE target IS NULL AND author = ? AND {_UNDONE} = 0 ORDER BY number DESC LIMIT 1"""
_LAST_UNDO: Final = f"""SELECT c.number, c.summary, u.number FROM change AS u JOIN change AS c ON c.number = u.target
    WHERE u.action = 'undo' AND u.author = ? AND {_UNDONE.replace("change AS u", "change AS w").replace("u.", "w.")} = 1
    AND NOT EXISTS (SELECT 1 FROM change AS o WHERE o.target IS NULL AND o.author = u.author AND o.number > u.number)
    ORDER BY u.number DESC LIMIT 1"""
#: Changes that touched a catalogue, its rows or which rows it has.
_OF_CATALOGUE: Final = """number IN (
    SELECT change FROM delta WHERE subject = 'catalogue' AND key = :key
    UNION SELECT change FROM delta WHERE subject = 'member' AND catalogue = :key
    UNION SELECT change FROM delta WHERE subject = 'entry' AND key IN (
        SELECT key FROM delta WHERE subject = 'member' AND catalogue = :key))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the history.

    Parameters
    ----------
    number : int
        Counts all changes of the store.
    at : int
        Nanoseconds since 1970 UTC.
    action : str
        ``new alter drop add edit remove import undo redo``.
    target : int, optional
        Number of the change that was undone or redone.
    origin : tuple of mapping
        The history that came with an imported file.
    """

    number: int
    at: int
    author: str
    action: str
    summary: str
    target: int | None = None
    origin: tuple[dict[str, Any], ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {**asdict(self), "at": format_time(self.at), "origin": list(self.origin)}


def read_history(connection: sqlite3.Connection, name: str | None = None, limit: int = -1) -> list[Change]:
    """Read the changes, newest first, of one catalogue or of all."""
    asked = {"key": find_catalogue(connection, name)[0] if name else 0, "limit": limit}
    chosen = f"WHERE {_OF_CATALOGUE}" if name else ""
    query = f"SELECT number, at, author, action, summary, target, origin FROM change {chosen} ORDER BY number DESC"
    return [_to_change(cells) for cells in connection.execute(f"{query} LIMIT :limit", asked)]


def read_versions(connection: sqlite3.Connection, id_: str) -> list[Entry]:
    """Read all states that a row ever had, oldest first; a row that is gone still has them."""
    now = connection.execute(f"SELECT key, {', '.join(COLUMNS)} FROM entry WHERE id = ?", (id_,)).fetchone()
    query = "SELECT key FROM delta WHERE subject = 'entry' AND json_extract(before, '$[0]') = ? LIMIT 1"
    found = (now[0],) if now else connection.execute(query, (id_,)).fetchone()
    if found is None:
        return []
    query = "SELECT before FROM delta WHERE subject = 'entry' AND key = ? AND before IS NOT NULL ORDER BY change"
    past = [tuple(json.loads(before)) for (before,) in connection.execute(query, found)]
    return to_entries([*past, *([now[1:]] if now else [])])


def undo_last(connection: sqlite3.Connection, author: str) -> int:
    """Undo the newest change of `author` that stands, and give its number.

    Raises
    ------
    BadRequest
        If there is nothing to undo.
    Conflict
        If a later change of somebody else touched the same things.
    """
    found = connection.execute(_LAST_DONE, (author,)).fetchone()
    if found is None:
        raise BadRequest(
            f"there is nothing of {author or 'nobody'} to undo", "see `armillary catalogue show --history`"
        )
    return _reverse(connection, author, "undo", found[:2], found[0])


def undo_change(connection: sqlite3.Connection, author: str, number: int) -> int:
    """Undo one change of `author`, not always the newest, and give its number.

    Raises
    ------
    BadRequest
        If there is no such change of this author that stands.
    Conflict
        If a later change touched the same things.
    """
    query = (
        f"SELECT number, summary FROM change AS c WHERE number = ? AND target IS NULL AND author = ? AND {_UNDONE} = 0"
    )
    found = connection.execute(query, (number, author)).fetchone()
    if found is None:
        problem = f"change {number} is none of {author or 'nobody'}, or was undone already"
        raise BadRequest(problem, "see `armillary catalogue show --history`")
    return _reverse(connection, author, "undo", found, number)


def redo_last(connection: sqlite3.Connection, author: str) -> int:
    """Do again what was undone last, and give its number; a new change in between makes that impossible."""
    found = connection.execute(_LAST_UNDO, (author,)).fetchone()
    if found is None:
        raise BadRequest(f"there is nothing of {author or 'nobody'} to redo", "redo comes right after undo")
    return _reverse(connection, author, "redo", found[:2], found[2])


def _reverse(connection: sqlite3.Connection, author: str, action: str, what: Sequence[Any], wrong: int) -> int:
    """Put back what stood before the change numbered `wrong`."""
    number, summary = what
    _check_untouched(connection, wrong, summary)
    change = begin_change(connection, author, action, summary, number)
    query = "SELECT subject, key, catalogue, before FROM delta WHERE change = ?"
    states: dict[str, dict[tuple[int, int], str | None]] = {"catalogue": {}, "entry": {}, "member": {}}
    for subject, key, catalogue, before in connection.execute(query, (wrong,)).fetchall():
        states[subject][catalogue, key] = before
    for (_, key), before in states["catalogue"].items():
        put_catalogue(connection, change, key, json.loads(before) if before else None)
    put_entries(connection, change, _restored(connection, change, states["entry"]))
    put_members(connection, change, {pair: before is not None for pair, before in states["member"].items()})
    return int(number)


def _restored(
    connection: sqlite3.Connection, change: int, before: dict[tuple[int, int], str | None]
) -> dict[int, Record | None]:
    """Read old states; their version goes on counting, so that no page takes the row for the one it has."""
    at = connection.execute("SELECT at FROM change WHERE number = ?", (change,)).fetchone()[0]
    query = "SELECT version FROM entry WHERE key = ?"
    states: dict[int, Record | None] = {}
    for (_, key), text in before.items():
        cells = json.loads(text) if text else None
        if cells:
            now = connection.execute(query, (key,)).fetchone() or (0,)
            cells[_VERSION] = max(now[0], cells[_VERSION]) + 1
            cells[_MODIFIED] = at
        states[key] = tuple(cells) if cells else None
    return states


def _check_untouched(connection: sqlite3.Connection, change: int, summary: str) -> None:
    """See that nothing this change touched was touched later, but by changes that were undone."""
    query = f"""SELECT DISTINCT c.number, c.author FROM delta AS d
        JOIN delta AS later ON later.subject = d.subject AND later.key = d.key AND later.catalogue = d.catalogue
        JOIN change AS c ON c.number = later.change
        WHERE d.change = ? AND later.change > d.change AND c.target IS NULL AND {_UNDONE} = 0 LIMIT 1"""
    found = connection.execute(query, (change,)).fetchone()
    if found:
        raise Conflict(f"{summary!r} cannot be undone: {found[1] or 'somebody'} changed the same later",
                       f"ask them to undo change {found[0]} first")  # fmt: skip


def _to_change(cells: Sequence[Any]) -> Change:
    *plain, origin = cells
    number, at, author, action, summary, target = plain
    past = tuple(json.loads(origin)) if origin else ()
    return Change(
        number=number, at=at, author=author, action=action, summary=summary, target=target, origin=past
    )  # fmt: skip
