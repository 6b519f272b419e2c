"""JSON: all that a catalogue is, exactly, and its history if wanted. Times are ISO 8601 texts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.catalogues.entry import Attribute, Catalogue, Entry
from armillary.catalogues.formats.columns import Document
from armillary.errors import ArmillaryError, DamagedFile
from armillary.model import format_time, parse_time

_FORM: Final = 1
_TIMES: Final = ("start", "stop", "created", "modified")


def read(path: Path, text: str, columns: Mapping[str, str]) -> Document:  # noqa: ARG001 - JSON names its fields
    """Read what :func:`write` wrote."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise DamagedFile(f"{path.name} is not JSON: {broken}", "export it again") from None
    form = record.get("armillary_catalogue") if isinstance(record, dict) else None
    if form != _FORM:
        raise DamagedFile(
            f"{path.name} is not a catalogue as Armillary writes it", "give CSV, VOTable, HAPI or GeoJSON"
        )
    try:
        catalogue = _read_catalogue(record["catalogue"])
        rows = [_read_row(path.name, number, one) for number, one in enumerate(record["rows"], 1)]
        return Document(catalogue=catalogue, rows=rows, history=tuple(record.get("history", ())))
    except (KeyError, TypeError, AttributeError, ValueError) as broken:
        if isinstance(broken, ArmillaryError):
            raise
        raise DamagedFile(f"{path.name} lacks something: {broken!r}", "export it again") from None


def write(document: Document) -> str:
    """Write the catalogue, its rows and its history."""
    record = {
        "armillary_catalogue": _FORM,
        "catalogue": catalogue_record(document.catalogue),
        "rows": [row_record(row) for row in document.rows],
        **({"history": list(document.history)} if document.history else {}),
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def catalogue_record(catalogue: Catalogue) -> dict[str, Any]:
    """Write what a catalogue says of itself as JSON values."""
    return {
        "name": catalogue.name,
        "kind": catalogue.kind,
        "description": catalogue.description,
        "tags": list(catalogue.tags),
        "author": catalogue.author,
        "where": catalogue.where,
        "of": list(catalogue.of),
        "created": format_time(catalogue.created),
        "modified": format_time(catalogue.modified),
        "rows": catalogue.rows,
    }


def row_record(row: Entry) -> dict[str, Any]:
    """Write a row as JSON values; what it has not is left out."""
    given: dict[str, Any] = {
        "id": row.id,
        "start": row.start,
        "stop": row.stop,
        "ra": row.ra,
        "dec": row.dec,
        "source_id": row.source_id,
        "geometry": row.geometry,
        "class": row.class_,
        "attributes": {name: attribute_record(value) for name, value in row.attributes.items()},
        "tags": list(row.tags),
        "author": row.author,
        "model": row.model,
        "model_version": row.model_version,
        "rating": row.rating,
        "version": row.version or None,
        "created": row.created or None,
        "modified": row.modified or None,
    }
    kept = {name: value for name, value in given.items() if value is not None and value not in ("", [], {})}
    return kept | {name: format_time(kept[name]) for name in _TIMES if name in kept}


def attribute_record(value: Attribute) -> Any:
    """Write an attribute as JSON; a time as ``{"time": text}``."""
    if isinstance(value, np.datetime64):
        return {"time": format_time(int(value.astype(np.int64)))}
    return list(value) if isinstance(value, tuple) else value


def read_attribute(value: Any) -> Any:
    """Read what :func:`attribute_record` wrote."""
    return np.datetime64(parse_time(value["time"]), "ns") if isinstance(value, dict) else value


def _read_catalogue(record: Mapping[str, Any]) -> Catalogue:
    return Catalogue(
        name=str(record["name"]), kind=str(record["kind"]), description=str(record.get("description", "")),
        tags=tuple(record.get("tags", ())), author=str(record.get("author", "")), where=record.get("where"),
        of=tuple(record.get("of", ())),
    )  # fmt: skip


def _read_row(source: str, number: int, record: Mapping[str, Any]) -> Entry:
    try:
        fields = dict(record)
        attributes = {name: read_attribute(value) for name, value in fields.pop("attributes", {}).items()}
        times = {name: parse_time(fields[name]) for name in _TIMES if fields.get(name) is not None}
        fields["class_"] = fields.pop("class", "")
        return Entry(**{**fields, **times}, attributes=attributes)
    except (ArmillaryError, TypeError, KeyError) as broken:
        problem = getattr(broken, "problem", str(broken))
        raise DamagedFile(f"{source}, row {number}: {problem}", "mend that row, nothing was imported") from None
