"""Rows as a `pyarrow.Table`, built by column and without making a value of each row."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.catalogues.entry import Attribute, Catalogue, type_of
from armillary.catalogues.records import COLUMNS, Record, read_attributes
from armillary.model.kinds import column, with_table_attrs

if TYPE_CHECKING:
    import pyarrow as pa

_TIMES: Final = ("start", "stop", "created", "modified")
_WHOLE: Final = ("rating", "version")
_KINDS: Final = {"events": "events", "objects": "sources", "areas": "samples"}
_UNITS: Final = {"ra": "deg", "dec": "deg"}
#: What a kind of catalogue has no column for.
_LEFT_OUT: Final = {
    "events": {"ra", "dec", "source_id", "geometry"},
    "objects": {"geometry", "start", "stop"},
    "areas": {"ra", "dec", "source_id"},
}


def to_table(catalogue: Catalogue, records: Sequence[Record]) -> "pa.Table":
    """Make a table of kind ``events``, ``sources`` or (for areas) ``samples``, with a column for each attribute.

    Times are ``timestamp[ns, UTC]``; a tag list, a list or a geometry is a text of JSON; what a row has not is null.
    """
    import pyarrow as pa

    columns = list(zip(*records, strict=True)) if records else [()] * len(COLUMNS)
    cells = dict(zip(COLUMNS, columns, strict=True))
    fields, arrays = [], []
    for name in COLUMNS:
        if name not in _LEFT_OUT[catalogue.kind] and name != "attributes":
            type_ = _type(name)
            fields.append(column(name, type_, _UNITS.get(name, "")))
            arrays.append(pa.array(cells[name], type_))
    for name, (kind, values) in _attribute_columns(read_attributes(cells["attributes"])).items():
        arrays.append(_array(kind, values))
        fields.append(column(name, arrays[-1].type))
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    about = {"title": catalogue.name, "kind": _KINDS[catalogue.kind], "description": catalogue.description}
    return with_table_attrs(table, about)


def _type(name: str) -> "pa.DataType":
    import pyarrow as pa

    if name in _TIMES:
        return pa.timestamp("ns", "UTC")
    return pa.int64() if name in _WHOLE else pa.float64() if name in _UNITS else pa.string()


def _attribute_columns(rows: list[dict[str, Attribute]]) -> dict[str, tuple[str, list[Attribute | None]]]:
    """Give each attribute's type (``str`` where a dynamic catalogue mixes them) and its values, by name."""
    names = dict.fromkeys(name for row in rows for name in row)
    found = {}
    for name in names:
        values = [row.get(name) for row in rows]
        kinds = {type_of(value) for value in values if value is not None}
        kind = "float" if kinds == {"int", "float"} else kinds.pop() if len(kinds) == 1 else "mixed"
        found[name] = (kind, values)
    return found


def _array(kind: str, values: list[Any]) -> "pa.Array":
    import pyarrow as pa

    if kind in {"list", "mixed"}:
        return pa.array([None if one is None else json.dumps(one, default=str) for one in values], pa.string())
    if kind == "time":
        stamps = [None if one is None else int(one.astype(np.int64)) for one in values]
        return pa.array(stamps, pa.timestamp("ns", "UTC"))
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string()}
    return pa.array(values, types[kind])
