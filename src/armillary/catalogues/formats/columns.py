"""Rows as columns of cells and back, for all formats that are tables."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np

from armillary.catalogues.entry import Catalogue, Entry, type_of
from armillary.errors import ArmillaryError, BadRequest, DamagedFile
from armillary.model import format_time, parse_time
from armillary.model.times import to_datetime64
from armillary.sources.files.rows import start_and_stop

#: A cell as it stands in a file; None is missing.
Cell: TypeAlias = str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A catalogue with its rows, as a file holds it; `history` is what came before, newest first."""

    catalogue: Catalogue
    rows: Sequence[Entry]
    history: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: a field of a row or an attribute, its type and a value a row (None is missing)."""

    name: str
    type: str
    values: Sequence[Any]
    is_field: bool = False


_PLACES: Final = {"events": ("start", "stop"), "objects": ("ra", "dec", "source_id"), "areas": ("geometry",)}
_FIELDS: Final = {
    "id": "str", "start": "time", "stop": "time", "ra": "float", "dec": "float", "source_id": "str",
    "geometry": "geometry", "class": "str", "rating": "int", "tags": "list", "author": "str", "model": "str",
    "model_version": "str", "version": "int", "created": "time", "modified": "time",
}  # fmt: skip
#: Fields that only files written by Armillary can mean as we do.
_OURS: Final = ("id", "version", "created", "modified")
_ALIASES: Final = {
    "start": "starttime begin begintime tstart startdate begindate timeintervalstart timestart datestart starttimeutc",
    "stop": "stoptime end endtime tstop tend stopdate enddate timeintervalstop timestop timeend dateend endtimeutc",
    "ra": "raj2000 raicrs rightascension",
    "dec": "de decj2000 dej2000 decicrs declination",
    "source_id": "sourceid",
    "class": "class_",
}
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def to_columns(document: Document) -> list[Column]:
    """Give the columns of a file: id and place always, other fields if a row has them, then the attributes."""
    places, columns = _PLACES[document.catalogue.kind], []
    for name, type_ in _FIELDS.items():
        values = [getattr(row, "class_" if name == "class" else name) for row in document.rows]
        if name == "id" or name in places or any(value not in (None, "", ()) for value in values):
            columns.append(Column(name=name, type=type_, values=values, is_field=True))
    return [*columns, *attribute_columns(document.rows)]


def attribute_columns(rows: Sequence[Entry]) -> list[Column]:
    """Give a column for each attribute; where rows of a dynamic catalogue disagree on its type, it is a text."""
    columns = []
    for name in dict.fromkeys(name for row in rows for name in row.attributes):
        values = [row.attributes.get(name) for row in rows]
        kinds = {type_of(value) for value in values if value is not None}
        kind = "float" if kinds == {"int", "float"} else kinds.pop() if len(kinds) == 1 else "str"
        columns.append(Column(name=name, type=kind, values=values))
    return columns


def to_cells(column: Column) -> list[str]:
    """Write a column as texts; a missing value is the empty one."""
    write = _WRITERS.get(column.type, str)
    return [
        "" if value is None or (value.__class__ is tuple and not value) else write(value) for value in column.values
    ]


def to_rows(
    source: str, cells: Mapping[str, Sequence[Cell]], types: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[str, list[Entry]]:
    """Read a table of texts as rows.

    Parameters
    ----------
    source : str
        Name of the file, for messages.
    cells : mapping of str to sequence of str or None
        Columns of equal length.
    types : mapping of str to str
        Types of the columns that the format declares; others are inferred.
    wanted : mapping of str to str
        Field or attribute name to column name, where they differ.

    Returns
    -------
    kind, rows : str, list of Entry
    """
    named = _rename(source, cells, wanted)
    kind = _kind(source, named, cells)
    typed = {new: types.get(old, "") for new, old in named.items()}
    read = {new: _read_column(f"{source}, column {old!r}", cells[old], new, typed[new]) for new, old in named.items()}
    return kind, _assemble(source, read, len(next(iter(cells.values()), ())))


def read_value(type_: str, text: str) -> Any:
    """Read one text as a value of a named type.

    Raises
    ------
    ValueError, ArmillaryError
        If it is not one.
    """
    return _READERS[type_](text)


def infer_type(cells: Sequence[Cell]) -> str:
    """Give the narrowest type that all texts of a column have.

    Examples
    --------
    >>> [infer_type(one) for one in (["1", "", "-2"], ["1.5", "nan"], ["2015-10-17", None], ["007"])]
    ['int', 'float', 'time', 'str']
    """
    return _infer(cells)


def _assemble(source: str, read: Mapping[str, Sequence[Any]], count: int) -> list[Entry]:
    fields = {("class_" if name == "class" else name): values for name, values in read.items() if name in _FIELDS}
    free = {name: values for name, values in read.items() if name not in _FIELDS}
    rows = []
    for at in range(count):
        own = {name: values[at] for name, values in fields.items() if values[at] is not None}
        attributes = {name: values[at] for name, values in free.items() if values[at] is not None}
        try:
            rows.append(Entry(**own, attributes=attributes))
        except ArmillaryError as broken:
            raise DamagedFile(f"{source}, row {at + 1}: {broken.problem}", broken.next_step) from None
    return rows


def _rename(source: str, cells: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, str]:
    """Give for each field and attribute the column that holds it."""
    for new, old in wanted.items():
        if old not in cells:
            raise BadRequest(f"{source} has no column {old!r} for {new}", f"it has: {', '.join(cells)}")
    named = _guessed(cells, wanted) | dict(wanted)
    taken = set(named.values())
    ours = bool(cells.get("id")) and all(_UUID.fullmatch(one or "") for one in cells["id"])
    for old in cells:
        new = _field(old) if _field(old) not in named else old
        if old in taken or (old == "" and _infer(cells[old]) == "int"):
            continue
        if (new in _OURS and not ours) or new in {"duration", "attributes"} or (new in named and new in _FIELDS):
            new = f"{old}_"
        named[new] = old
    return named


def _guessed(cells: Mapping[str, Sequence[Cell]], wanted: Mapping[str, str]) -> dict[str, str]:
    """Take start and stop as folders of files do, where no column is called so or by another field of a place."""
    if {*map(_field, cells), *wanted} & {"start", "stop", "geometry", "ra", "dec", "source_id"}:
        return {}
    pairs = (pair for pair in start_and_stop(cells) if all(_infer(cells[name]) == "time" for name in pair))
    found = next(pairs, None)
    return dict(zip(("start", "stop"), found, strict=True)) if found else {}


def _field(name: str) -> str:
    plain = re.sub(r"[\s_\-.()]", "", name).lower()
    for field, aliases in _ALIASES.items():
        if plain == field or plain in aliases.split():
            return field
    return name.lower() if name.lower() in _FIELDS else name


def _kind(source: str, named: Mapping[str, str], cells: Mapping[str, Any]) -> str:
    if {"start", "stop"} <= named.keys() and "geometry" not in named:
        return "events"
    if "geometry" in named:
        return "areas"
    if {"ra", "dec"} <= named.keys() or "source_id" in named:
        return "objects"
    lacking = "start" if "stop" in named else "stop" if "start" in named else "start and stop"
    problem = f"{source} has no column for {lacking}; it has: {', '.join(map(repr, cells))}"
    stamps = [name for name, texts in cells.items() if _infer(texts) == "time"]
    hint = f" ({', '.join(map(repr, stamps))} hold times)" if stamps else ""
    raise BadRequest(problem, f"say which it is, as in --column start=NAME --column stop=NAME{hint}")


def _read_column(where: str, cells: Sequence[Cell], name: str, declared: str) -> Sequence[Any]:
    type_ = _FIELDS.get(name) or declared or _infer(cells)
    if type_ == "time":
        return _read_times(where, cells, is_field=name in _FIELDS)
    return _read_each(where, cells, type_)


def _read_times(where: str, cells: Sequence[Cell], *, is_field: bool) -> Sequence[Any]:
    """Read times as nanoseconds for fields, as `numpy.datetime64` for attributes."""
    fast = _fast_times(cells)
    if fast is None:
        return _to_ns(_read_each(where, cells, "time")) if is_field else _read_each(where, cells, "time")
    return fast if is_field else [to_datetime64(ns) for ns in fast]


def _to_ns(values: Sequence[Any]) -> list[int | None]:
    return [None if one is None else int(one.astype(np.int64)) for one in values]


def _read_each(where: str, cells: Sequence[Cell], type_: str) -> list[Any]:
    read, values = _READERS[type_], []
    for row, text in enumerate(cells, 1):
        try:
            values.append(None if text is None or text == "" else read(text))
        except (ValueError, TypeError):
            problem = f"{where}, row {row}: {text!r} is not {_A[type_]}"
            raise DamagedFile(problem, "mend that cell, nothing was imported") from None
    return values


_SIMPLE: Final = re.compile(r"(?:1[7-9]\d\d|2[01]\d\d)-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?Z?").fullmatch


def _fast_times(cells: Sequence[Cell]) -> list[int] | None:
    """Read a column of plain ISO times at once; None if one is of another form."""
    texts = [text.replace("/", "-") if text else "" for text in cells]
    if not texts or not all(map(_SIMPLE, texts)):
        return None
    try:
        stamps = np.array([text.rstrip("Z") for text in texts], "datetime64[ns]").astype(np.int64)
    except ValueError:
        return None
    return [int(one) for one in stamps.tolist()]


def _infer(cells: Sequence[Cell]) -> str:
    texts = [text for text in cells if text]
    for type_, suits in _SUITS.items():
        if texts and all(map(suits, texts)):
            return type_
    return "str"


def _is_list(text: str) -> bool:
    if not text.startswith("["):
        return False
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


_LONG: Final = 1 << 63
_WHOLE: Final = re.compile(r"[+-]?(?:0|[1-9]\d*)").fullmatch
_NUMBER: Final = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|nan|NaN|NAN").fullmatch
_TIME: Final = re.compile(
    r"\d{4}[-/]\d{2}[-/]\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?"
).fullmatch


def _is_whole(text: str) -> bool:
    return len(text) < 21 and bool(_WHOLE(text)) and -_LONG <= int(text) < _LONG


def _is_number(text: str) -> bool:
    """Leave whole numbers too long for 64 bits as texts: they are names, and a float would change them."""
    return bool(_NUMBER(text)) and (_is_whole(text) or not _WHOLE(text))


_SUITS: Final[dict[str, Callable[[str], Any]]] = {
    "bool": re.compile("true|false", re.IGNORECASE).fullmatch,
    "int": _is_whole,
    "float": _is_number,
    "time": _TIME,
    "list": _is_list,
}


def _read_flag(text: str) -> bool | None:
    try:
        return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False, "?": None}[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _read_time(text: str) -> np.datetime64:
    return to_datetime64(parse_time(text.replace("/", "-")))


def _read_list(text: str) -> tuple[Any, ...]:
    if not text.startswith("["):
        return tuple(part.strip() for part in re.split("[;,]", text) if part.strip())
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError(text)  # noqa: TRY004 - the caller asks about the text
    return tuple(found)


def _read_float(text: str) -> float | None:
    value = float(text)
    return None if value != value else value  # noqa: PLR0124 - NaN is missing


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str, "int": int, "float": _read_float, "bool": _read_flag, "time": _read_time, "list": _read_list,
    "geometry": json.loads,
}  # fmt: skip
_A: Final = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "time": "a time", "list": "a list",
    "geometry": "a GeoJSON geometry", "str": "a text",
}  # fmt: skip


def _write_time(value: Any) -> str:
    return format_time(int(value.astype(np.int64)) if isinstance(value, np.datetime64) else value)


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    "time": _write_time,
    "list": _write_json,
    "geometry": _write_json,
    "float": lambda value: repr(float(value)),
    "bool": lambda value: "true" if value else "false",
}


def named(document: Document, name: str) -> Document:
    """Give the same rows under another name."""
    return replace(document, catalogue=replace(document.catalogue, name=name))
