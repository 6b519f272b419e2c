"""Catalogues made, changed and taken away."""

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from armillary.catalogues.entry import CATALOGUE_KINDS, Catalogue
from armillary.catalogues.reading import find_catalogue, read_rows
from armillary.catalogues.records import encode
from armillary.catalogues.where import where_sql
from armillary.catalogues.writing import next_key, put_catalogue, remove_rows
from armillary.errors import BadRequest, Conflict

_ALTERABLE: Final = ("name", "description", "tags", "where", "of")
_LONGEST_NAME: Final = 200


def make_catalogue(connection: sqlite3.Connection, change: int, wanted: Catalogue) -> None:
    """Make a catalogue.

    Raises
    ------
    Conflict
        If its name is taken.
    BadRequest
        If name, kind or predicate are wrong.
    """
    if wanted.kind not in CATALOGUE_KINDS:
        raise BadRequest(
            f"there is no kind of catalogue {wanted.kind!r}", f"choose one of {', '.join(CATALOGUE_KINDS)}"
        )
    now = time.time_ns()
    _check_name(connection, wanted.name)
    made = replace(wanted, created=wanted.created or now, modified=now)
    put_catalogue(connection, change, next_key(connection, "catalogue"), _cells(made))
    _check_predicate(connection, made)


def alter_catalogue(connection: sqlite3.Connection, change: int, name: str, changes: Mapping[str, Any]) -> Catalogue:
    """Change what a catalogue says of itself and give it as it is then."""
    unknown = sorted(set(changes) - set(_ALTERABLE))
    if unknown:
        raise BadRequest(f"a catalogue has no {unknown[0]!r} to change", f"there are {', '.join(_ALTERABLE)}")
    key, before = find_catalogue(connection, name)
    after = replace(before, **changes, modified=time.time_ns())
    if (after.where is None) != (before.where is None):
        raise BadRequest(f"{name!r} cannot become a catalogue of the other sort", "make a new one and add the rows")
    if after.name != name:
        _check_name(connection, after.name)
    put_catalogue(connection, change, key, _cells(after))
    _check_predicate(connection, after)
    return after


def drop_catalogue(connection: sqlite3.Connection, change: int, name: str) -> Catalogue:
    """Take a catalogue away, and the rows that are in no other."""
    key, catalogue = find_catalogue(connection, name)
    if catalogue.where is None:
        remove_rows(connection, change, [row.id for row in read_rows(connection, name)], key)
    put_catalogue(connection, change, key, None)
    return catalogue


def static_catalogue(connection: sqlite3.Connection, name: str) -> tuple[int, Catalogue]:
    """Find a catalogue that rows can be put into.

    Raises
    ------
    BadRequest
        If it is dynamic.
    """
    key, catalogue = find_catalogue(connection, name)
    if catalogue.where is not None:
        raise BadRequest(f"{name!r} has the rows that {catalogue.where!r} finds", "add to another catalogue")
    return key, catalogue


def _check_name(connection: sqlite3.Connection, name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME or name != name.strip():
        raise BadRequest(f"a catalogue cannot be named {name[:60]!r}", "give one line of 1 to 200 characters")
    if connection.execute("SELECT 1 FROM catalogue WHERE name = ?", (name,)).fetchone():
        raise Conflict(f"there is a catalogue {name!r} already", "choose another name")


def _check_predicate(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    if catalogue.where is not None:
        where_sql(connection, catalogue.where, lenient=True)
        read_rows(connection, catalogue.name, where="false")
    elif catalogue.of:
        raise BadRequest(f"{catalogue.name!r} has sources but no predicate", "give where, e.g. 'true' for all rows")


def _cells(catalogue: Catalogue) -> tuple[Any, ...]:
    return (
        catalogue.name, catalogue.kind, catalogue.description, encode(tuple(catalogue.tags)), catalogue.author,
        catalogue.where, encode(tuple(catalogue.of)), catalogue.created, catalogue.modified,
    )  # fmt: skip
