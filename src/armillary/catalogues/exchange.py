"""Catalogues out of the store into files and back, all or nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from armillary.catalogues.entry import Catalogue, Entry
from armillary.catalogues.formats import Document, read_document, write_document
from armillary.catalogues.history import read_history
from armillary.catalogues.making import make_catalogue, static_catalogue
from armillary.catalogues.reading import find_catalogue, read_catalogues, read_rows
from armillary.catalogues.store import Store
from armillary.catalogues.writing import add_rows, begin_change
from armillary.errors import BadRequest
from armillary.model import Interval, Progress, silent


def import_file(
    store: Store,
    path: Path,
    name: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    format_: str | None = None,
    progress: Progress = silent,
) -> list[str]:
    """Read a file into a catalogue, made if it is not there, and give the ids of the rows.

    Parameters
    ----------
    path : Path
        JSON, CSV, VOTable, HAPI event list or GeoJSON; the content tells which.
    name : str
        Of the catalogue; the file's own if empty.
    columns : mapping of str to str, optional
        Which columns of a table hold which fields, e.g. ``{"start": "begin"}``.

    Raises
    ------
    DamagedFile, BadRequest, Conflict
        Nothing has been imported then.
    """
    progress(0.0, f"reading {path.name}")
    document = read_document(path, columns, format_)
    progress(0.5, f"writing {len(document.rows)} rows")
    wanted = replace(document.catalogue, name=name or document.catalogue.name)
    ids = bring(store, replace(document, catalogue=wanted))
    progress(1.0, f"{len(ids)} rows")
    return ids


def export_file(
    store: Store,
    name: str,
    path: Path,
    *,
    format_: str | None = None,
    interval: Interval | None = None,
    where: str | None = None,
    history: bool = False,
) -> int:
    """Write a catalogue, or part of it, to a file and give the number of rows.

    Raises
    ------
    UnknownCatalogue, BadPredicate, BadRequest, CannotWrite
    """
    document = take(store, name, interval, where, history=history)
    write_document(document, path, format_)
    return len(document.rows)


def take(
    store: Store, name: str, interval: Interval | None = None, where: str | None = None, *, history: bool = False
) -> Document:
    """Give a catalogue and its rows, of one moment, as a file would hold them."""
    with store.pool.reading() as connection:
        _, catalogue = find_catalogue(connection, name)
        rows = read_rows(connection, name, interval, where)
        past = read_history(connection, name) if history else []
    own = [one.to_record() for one in past]
    older = [dict(one) for change in past for one in change.origin]
    return Document(catalogue=catalogue, rows=rows, history=(*own, *older))


def bring(store: Store, document: Document) -> list[str]:
    """Add the rows of a document to its catalogue, made if it is not there, in one change.

    A dynamic catalogue comes as the rows that its predicate had found.
    """
    wanted, rows = document.catalogue, list(document.rows)
    with store.pool.writing() as connection:
        known = {one.name: one for one in read_catalogues(connection)}
        summary = f"import {len(rows)} rows into {wanted.name}"
        origin = json.dumps(document.history) if document.history else None
        change = begin_change(connection, store.author, "import", summary, origin=origin)
        if wanted.name not in known:
            make_catalogue(connection, change, _plain(wanted, store.author))
        key, there = static_catalogue(connection, wanted.name)
        _check_kind(there, wanted)
        return add_rows(connection, change, (key, there.kind), rows, wanted.author or store.author)


def copy_rows(store: Store, name: str, kind: str, rows: list[Entry], description: str = "") -> list[str]:
    """Put rows into a catalogue that is made for them, in one change; rows with an id are shared, not copied."""
    made = Catalogue(name=name, kind=kind, description=description, author=store.author)
    return bring(store, Document(catalogue=made, rows=rows))


def _plain(wanted: Catalogue, author: str) -> Catalogue:
    """Make a catalogue of rows of a dynamic one: what its predicate found when it was written."""
    note = f"Rows found by {wanted.where} when it was exported." if wanted.where else ""
    text = "\n".join(part for part in (wanted.description, note) if part)
    return replace(wanted, where=None, of=(), description=text, author=wanted.author or author)


def _check_kind(there: Catalogue, wanted: Catalogue) -> None:
    if there.kind != wanted.kind:
        raise BadRequest(f"{there.name!r} holds {there.kind}, the file {wanted.kind}", "choose another name")
