"""HAPI event lists: the CSV answer of a HAPI server with its JSON header, start and stop times as isotime columns."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from armillary.catalogues.entry import Catalogue
from armillary.catalogues.formats.columns import Column, Document, to_cells, to_columns, to_rows
from armillary.catalogues.formats.delimited import read_cells
from armillary.errors import BadRequest, DamagedFile
from armillary.model import format_time

_VERSION: Final = "3.2"
_HAPI_TYPES: Final = {"time": "isotime", "float": "double", "int": "integer"}
_TYPES: Final = {"isotime": "time", "double": "float", "integer": "int", "string": "str"}
_NAMES: Final = {"start": "Time", "stop": "StopTime"}
#: Type of ours that a parameter has, where HAPI has none like it.
_EXACT: Final = "x_type"
_LARGEST_INTEGER: Final = 1 << 31
_TIME_LENGTH: Final = 30


def looks_like(text: str) -> bool:
    """Say whether text starts with the header of a HAPI answer."""
    return text.startswith("#") and '"HAPI"' in text[:20_000]


def write(document: Document) -> str:
    """Write events by start as a HAPI server does with ``include=header``.

    Raises
    ------
    BadRequest
        If the rows are not events.
    """
    if document.catalogue.kind != "events":
        problem = f"{document.catalogue.name!r} holds {document.catalogue.kind}, but HAPI lists hold events"
        raise BadRequest(problem, "export it as JSON or CSV")
    rows = sorted(document.rows, key=lambda row: row.start or 0)
    columns = to_columns(Document(catalogue=document.catalogue, rows=rows))
    columns.sort(key=lambda one: (not one.is_field or one.name not in _NAMES, 0))
    texts = [_texts(one) for one in columns]
    header = {
        "HAPI": _VERSION,
        "status": {"code": 1200, "message": "OK"},
        "startDate": format_time(rows[0].start or 0) if rows else "1970-01-01T00:00:00Z",
        "stopDate": format_time(max(row.stop or 0 for row in rows)) if rows else "1970-01-01T00:00:00Z",
        "x_catalogue": document.catalogue.name,
        "description": document.catalogue.description,
        "parameters": [_parameter(*pair) for pair in zip(columns, texts, strict=True)],
        "format": "csv",
    }
    lines = [f"#{line}" for line in json.dumps(header, ensure_ascii=False, indent=1).splitlines()]
    lines += [",".join(row) for row in zip(*texts, strict=True)]
    return "\n".join(lines) + "\n"


def read(path: Path, text: str, columns: Mapping[str, str]) -> Document:
    """Read the header for names, types and fills, then the rows."""
    lines = text.splitlines(keepends=True)
    count = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    try:
        header = json.loads("".join(line[1:] for line in lines[:count]))
        parameters = {str(one["name"]): one for one in header["parameters"]}
    except (ValueError, KeyError, TypeError) as broken:
        raise DamagedFile(f"{path.name} has a broken HAPI header: {broken!r}", "ask the server again") from None
    wide = next((name for name, one in parameters.items() if one.get("size", [1]) != [1]), None)
    if wide is not None:
        raise DamagedFile(f"{path.name}: {wide!r} is an array, not one value a row", "ask for other parameters")
    found = read_cells(path.name, "".join(lines[count:]), ",", list(parameters))
    cells = {name: _without_fill(parameters[name], texts) for name, texts in found.items()}
    types = {name: str(one.get(_EXACT) or _TYPES.get(one.get("type"), "str")) for name, one in parameters.items()}
    first = next(iter(parameters), "")
    wanted = columns if "start" in columns or first.lower() == "start" else {"start": first, **columns}
    kind, rows = to_rows(path.name, cells, types, wanted)
    name = str(header.get("x_catalogue") or path.name.partition(".")[0])
    about = Catalogue(name=name, kind=kind, description=str(header.get("description", "")))
    return Document(catalogue=about, rows=rows)


def _texts(column: Column) -> list[str]:
    if column.type == "time":
        return [_padded(text) for text in to_cells(column)]
    if _hapi_type(column) == "string":
        return ['"' + text.replace('"', '""') + '"' for text in to_cells(column)]
    return [text or "NaN" for text in to_cells(column)]


def _padded(text: str) -> str:
    """Write a time with nine digits, since a HAPI isotime has one length in all rows."""
    if not text:
        return ""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<9}Z"


def _hapi_type(column: Column) -> str:
    if column.type == "int":
        fits = all(one is not None and abs(one) < _LARGEST_INTEGER for one in column.values)
        return "integer" if fits else "string"
    return _HAPI_TYPES.get(column.type, "string")


def _parameter(column: Column, texts: Sequence[str]) -> dict[str, Any]:
    type_ = _hapi_type(column)
    about: dict[str, Any] = {
        "name": _NAMES.get(column.name, column.name) if column.is_field else column.name,
        "type": type_,
        "units": "UTC" if type_ == "isotime" else None,
        "fill": {"double": "NaN", "string": "", "isotime": ""}.get(type_),
        "description": "",
        _EXACT: column.type,
    }
    if column.is_field and column.name == "start":
        about["fill"] = None
    if type_ == "isotime":
        about["length"] = _TIME_LENGTH
    if type_ == "string":
        about["length"] = max([1, *(len(text.encode()) - 2 for text in texts)])
    return about


def _without_fill(parameter: Mapping[str, Any], texts: Sequence[str | None]) -> list[str | None]:
    fill = parameter.get("fill")
    plain = parameter.get("type") != "string"
    cleaned = [text.strip() if plain and text else text for text in texts]
    return [None if text in {None, "", fill} else text for text in cleaned]
