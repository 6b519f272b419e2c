"""Rows of the tables to values and back; the one place that knows how a value lies in SQLite."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final, TypeAlias

import numpy as np

from armillary.catalogues.entry import Attribute, Catalogue, Entry
from armillary.model.times import to_datetime64

#: The cells of one row of ``entry``, in the order of `COLUMNS`.
Record: TypeAlias = tuple[Any, ...]

#: Columns of ``entry``; they are the fields of `Entry` in their order.
COLUMNS: Final = tuple(one.name.rstrip("_") for one in fields(Entry))
_SETTERS: Final = tuple(getattr(Entry, one.name).__set__ for one in fields(Entry))
_AT: Final = {name: COLUMNS.index(name) for name in ("geometry", "attributes", "tags")}


def to_record(entry: Entry) -> Record:
    """Write a row as the cells of ``entry``."""
    return (
        entry.id, entry.start, entry.stop, entry.ra, entry.dec, entry.source_id,
        None if entry.geometry is None else encode(entry.geometry),
        entry.class_, encode(entry.attributes), encode(entry.tags),
        entry.author, entry.model, entry.model_version, entry.rating, entry.version, entry.created, entry.modified,
    )  # fmt: skip


def to_entries(records: Sequence[Record]) -> list[Entry]:
    """Read many rows; what the store wrote was checked then and is not checked again."""
    attributes, tags = read_attributes([one[_AT["attributes"]] for one in records]), _read_tags(records)
    return [_revive(*row) for row in zip(records, attributes, tags, strict=True)]


def read_attributes(texts: Sequence[str]) -> list[dict[str, Attribute]]:
    """Read the attributes of many rows, as :func:`encode` wrote them."""
    together = f"[{','.join(texts)}]"
    found: list[dict[str, Any]] = json.loads(together)
    if '":[' in together or '":{' in together:
        return [{name: _rich(value) for name, value in one.items()} for one in found]
    return found


def to_catalogue(cells: Sequence[Any], rows: int | None) -> Catalogue:
    """Read a row of ``catalogue`` (without its key)."""
    name, kind, description, tags, author, where, of, created, modified = cells
    return Catalogue(
        name=name, kind=kind, description=description, tags=tuple(json.loads(tags)), author=author, where=where,
        of=tuple(json.loads(of)), created=created, modified=modified, rows=rows,
    )  # fmt: skip


def index_value(value: Attribute) -> int | float | str:
    """Give an attribute as SQLite compares it: times as nanoseconds, lists as JSON."""
    if isinstance(value, np.datetime64):
        return int(value.astype(np.int64))
    return encode(value) if isinstance(value, tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return {"time": int(value.astype(np.int64))}
    raise TypeError(f"{type(value).__name__} has no JSON")


#: Write a value as compact JSON; times as ``{"time": nanoseconds}``.
encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode


def identifiers(values: Iterable[Any]) -> str:
    """Write names or numbers as one JSON list: a single bound parameter for any number of them."""
    return json.dumps(list(values))


def _rich(value: Any) -> Attribute:
    if value.__class__ is list:
        return tuple(value)
    return to_datetime64(value["time"]) if value.__class__ is dict else value


def _read_tags(records: Sequence[Record]) -> list[tuple[str, ...]]:
    at = _AT["tags"]
    known = {text: tuple(json.loads(text)) for text in {one[at] for one in records}}
    return [known[one[at]] for one in records]


def _revive(record: Record, attributes: dict[str, Attribute], tags: tuple[str, ...]) -> Entry:
    entry = object.__new__(Entry)
    for put, value in zip(_SETTERS, record, strict=True):
        put(entry, value)
    _SETTERS[_AT["attributes"]](entry, attributes)
    _SETTERS[_AT["tags"]](entry, tags)
    if record[_AT["geometry"]] is not None:
        _SETTERS[_AT["geometry"]](entry, json.loads(record[_AT["geometry"]]))
    return entry
