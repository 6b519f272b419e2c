"""GeoJSON (RFC 7946): areas as a FeatureCollection, fields and attributes as properties."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from armillary.catalogues.entry import RESERVED, Catalogue, Entry
from armillary.catalogues.formats.columns import Document, attribute_columns, read_value
from armillary.catalogues.formats.native import row_record
from armillary.errors import ArmillaryError, BadRequest, DamagedFile
from armillary.model import parse_time

_TIMES: Final = ("start", "stop", "created", "modified")
_FIELDS: Final = ("source_id", "tags", "author", "model", "model_version", "rating", "version", "ra", "dec")


def looks_like(text: str) -> bool:
    """Say whether JSON text is GeoJSON, by its first words."""
    head = text[:2000]
    return '"FeatureCollection"' in head or '"Feature"' in head


def read(path: Path, text: str, columns: Mapping[str, str]) -> Document:  # noqa: ARG001 - properties have names
    """Read a FeatureCollection as a catalogue of areas."""
    try:
        record = json.loads(text)
        features = record["features"] if record["type"] == "FeatureCollection" else [record]
        about = record.get("armillary") or {}
        types = dict(about.get("types") or {})
        rows = [
            _read_feature(path.name, number, one, types if about else None) for number, one in enumerate(features, 1)
        ]
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as broken:
        raise DamagedFile(f"{path.name} is not GeoJSON: {broken!r}", "give a FeatureCollection") from None
    name = str(record.get("name") or path.name.partition(".")[0])
    catalogue = Catalogue(name=name, kind="areas", description=str(about.get("description", "")))
    return Document(catalogue=catalogue, rows=rows)


def write(document: Document) -> str:
    """Write rows that have a geometry as a FeatureCollection."""
    bare = next((row for row in document.rows if row.geometry is None), None)
    if bare is not None:
        raise BadRequest(f"row {bare.id} has no geometry, so it cannot stand in GeoJSON", "export it as JSON or CSV")
    types = {column.name: column.type for column in attribute_columns(document.rows)}
    record = {
        "type": "FeatureCollection",
        "name": document.catalogue.name,
        "armillary": {"description": document.catalogue.description, "types": types},
        "features": [_write_feature(row) for row in document.rows],
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _write_feature(row: Entry) -> dict[str, Any]:
    fields = row_record(row)
    identity, geometry, free = fields.pop("id", None), fields.pop("geometry"), fields.pop("attributes", {})
    plain = {name: value["time"] if isinstance(value, dict) else value for name, value in free.items()}
    return {"type": "Feature", "id": identity, "geometry": geometry, "properties": {**fields, **plain}}


def _read_feature(source: str, number: int, feature: Mapping[str, Any], types: Mapping[str, str] | None) -> Entry:
    properties = dict(feature.get("properties") or {})
    own = {name: properties.pop(name) for name in _FIELDS if types is not None and name in properties}
    try:
        times = {name: parse_time(properties.pop(name)) for name in _TIMES if properties.get(name)}
        own |= {**times, "class_": str(properties.pop("class", ""))}
        free = {_free(name): _read_property(value, (types or {}).get(name, "")) for name, value in properties.items()}
        identity = str(feature.get("id") or "") if types is not None else ""
        return Entry(id=identity, geometry=feature["geometry"], attributes=free, **own)
    except (ArmillaryError, TypeError, ValueError) as broken:
        problem = getattr(broken, "problem", str(broken))
        raise DamagedFile(f"{source}, feature {number}: {problem}", "mend it, nothing was imported") from None


def _free(name: str) -> str:
    return f"{name}_" if name in RESERVED else name


def _read_property(value: Any, type_: str) -> Any:
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, list | dict) for one in value)):
        return json.dumps(value)
    return read_value("time", value) if type_ == "time" and isinstance(value, str) else value
