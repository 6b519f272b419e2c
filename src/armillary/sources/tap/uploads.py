"""Tables that are sent along with a query: as VOTables, in parts where a service wants small ones."""

import hashlib
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from armillary.errors import BadData
from armillary.model.kinds import column_unit

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of one part; services are quick with so many, and some refuse more.
CHUNK_ROWS: Final = 2_000
#: The first part is small, so that a query that cannot be answered is told at once.
PROBE_ROWS: Final = 10
_TYPES: Final = {"bool": "boolean", "int8": "short", "uint8": "unsignedByte", "int16": "short", "uint16": "int",
                 "int32": "int", "uint32": "long", "int64": "long", "uint64": "long", "halffloat": "float",
                 "float": "float", "double": "double"}  # fmt: skip
_HEAD: Final = (
    "<?xml version='1.0' encoding='utf-8'?>\n"
    '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE name="upload">\n'
)


def votable(table: "pa.Table") -> bytes:
    """Write a table as VOTable, with units, UCDs and missing values.

    Raises
    ------
    BadData
        If a column is of a type that a database does not take.
    """
    names = [_declared(field) for field in table.schema]
    lines = [_HEAD, *names, "<DATA><TABLEDATA>\n"]
    columns = [_texts(column) for column in table.columns]
    lines += [f"<TR>{''.join(cells)}</TR>\n" for cells in zip(*columns, strict=True)]
    return "".join([*lines, "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n"]).encode()


def digest(table: "pa.Table") -> str:
    """Give what tells uploads apart: their values and names, not how they came."""
    return hashlib.sha256(votable(table)).hexdigest()


def _declared(field: "pa.Field") -> str:
    unit = column_unit(field)
    ucd = (field.metadata or {}).get(b"ucd", b"").decode()
    told = "".join(f" {name}={quoteattr(text)}" for name, text in (("unit", unit), ("ucd", ucd)) if text)
    return f"<FIELD name={quoteattr(field.name)} {_datatype(field)}{told}/>\n"


def _datatype(field: "pa.Field") -> str:
    import pyarrow as pa

    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return 'datatype="char" arraysize="*" xtype="timestamp"'
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return 'datatype="unicodeChar" arraysize="*"'
    if str(kind) not in _TYPES:
        raise BadData(f"the column {field.name!r} is of type {kind}, which cannot be uploaded", "leave it out")
    return f'datatype="{_TYPES[str(kind)]}"'


def _texts(column: "pa.ChunkedArray") -> list[str]:
    return [f"<TD>{_written(value)}</TD>" for value in column.to_pylist()]


def _written(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN is no value
        return ""
    if isinstance(value, bool):
        return "T" if value else "F"
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "")
    return escape(str(value)) if isinstance(value, str) else repr(value)
