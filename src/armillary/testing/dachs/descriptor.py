"""Resource descriptors: what DaCHS is told about the tables that it serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from armillary.errors import BadRequest

if TYPE_CHECKING:
    import pyarrow as pa

#: Types of DaCHS by those of Arrow.
_TYPES: Final = {
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float": "real",
    "double": "double precision",
    "bool": "boolean",
    "string": "text",
}


@dataclass(frozen=True, eq=False)
class TapTable:
    """A table to be served.

    Parameters
    ----------
    rows : pyarrow.Table
        The columns' fields carry ``unit``, ``ucd`` and ``description`` as metadata.
    about : str
        What the table holds.
    primary : str
        The column that is unique, "" if there is none.
    indexed : tuple of str
        Columns that are often asked for. Positions are found by their UCDs and indexed by themselves.
    """

    rows: "pa.Table"
    about: str
    primary: str = ""
    indexed: tuple[str, ...] = ()


def descriptor(schema: str, tables: Mapping[str, TapTable]) -> str:
    """Write the descriptor of a schema: the tables by their names within it."""
    head = "".join(
        f'<meta name="{name}">{escape(value)}</meta>'
        for name, value in {
            "title": f"Tables of {schema}",
            "description": f"Simulated tables of {schema}, for tests",
            "creationDate": "2020-01-01T00:00:00Z",
            "subject": "surveys",
        }.items()
    )
    body = "".join(_table(name, table) for name, table in tables.items())
    makes = "".join(f"<make table={quoteattr(name)}/>" for name in tables)
    return f'<resource schema={quoteattr(schema)}>{head}{body}<data id="import">{makes}</data></resource>\n'


def _table(name: str, table: TapTable) -> str:
    fields = list(table.rows.schema)
    at = {_metadata(field, "ucd") for field in fields}
    mixin = ' mixin="//scs#q3cindex"' if {"pos.eq.ra;meta.main", "pos.eq.dec;meta.main"} <= at else ""
    primary = f" primary={quoteattr(table.primary)}" if table.primary else ""
    indices = "".join(f"<index columns={quoteattr(one)}/>" for one in table.indexed)
    columns = "".join(_column(field, table.rows[field.name].null_count > 0) for field in fields)
    about = f'<meta name="description">{escape(table.about)}</meta>'
    return f'<table id={quoteattr(name)} onDisk="True" adql="True"{primary}{mixin}>{about}{indices}{columns}</table>'


def _column(field: Any, gaps: bool) -> str:
    kind = _TYPES.get(str(field.type))
    if kind is None:
        raise BadRequest(f"column {field.name!r} is {field.type}, which no TAP table holds here", f"use {list(_TYPES)}")
    words = {"name": field.name, "type": kind, "tablehead": field.name}
    words |= {key: _metadata(field, key) for key in ("unit", "ucd", "description") if _metadata(field, key)}
    if gaps or kind.startswith(("real", "double", "text")):
        # A binary integer has no other way to be missing.
        inner = '<values nullLiteral="-32768"/>' if kind.endswith("int") or kind == "integer" else ""
    else:
        words["required"], inner = "True", ""
    return f"<column {' '.join(f'{key}={quoteattr(value)}' for key, value in words.items())}>{inner}</column>"


def _metadata(field: Any, key: str) -> str:
    return str((field.metadata or {}).get(key.encode(), b"").decode())
