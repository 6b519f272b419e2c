"""Saving as VOTable 1.4 for astronomers, block after block: values in BINARY2, and where they come from."""

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from armillary.errors import CannotWrite
from armillary.model.kinds import table_attrs
from armillary.model.ucds import is_sky, ucd_of
from armillary.sources.write.blocks import Blocks, in_steps
from armillary.sources.write.rows import layout
from armillary.sources.write.tables import all_rows, fitted
from armillary.sources.write.variables import json_text, program
from armillary.sources.write.votable_values import Column, column_of, octets

if TYPE_CHECKING:
    import pyarrow as pa

#: Octets that become one line of base64; a multiple of three.
_LINE: Final = 49_152
_ROWS: Final = 65_536
#: Our attributes that the IVOA note "Data Origin in the VO" (1.1) has a name for.
_ORIGIN: Final = {"source": "publisher", "licence": "rights", "armillary_request": "request"}
#: What the group of provenance tells, with its UCD.
_PROVENANCE: Final = {
    "armillary_request": ("request", ""),
    "query": ("query", ""),
    "armillary_lineage": ("lineage", ""),
    "source": ("archive", ""),
    "citation": ("citation", "meta.bib"),
    "licence": ("licence", ""),
    "model": ("model", "meta.id;meta.modelled"),
    "model_version": ("model_version", "meta.version;meta.modelled"),
    "prior": ("prior", ""),
}
#: What a model says, by UCD: the group of provenance points at these columns.
_SAID: Final = ("stat.probability", "meta.code.class", "meta.code.qual")
_BEGIN: Final = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">
"""
_END: Final = b"</STREAM>\n</BINARY2></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n"
_SCALE: Final = "scale_utc"
_TABLE: Final = "table_1"
#: Characters that XML 1.0 cannot hold.
_ILLEGAL: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "�")


def save(blocks: Blocks, aside: Path) -> None:
    """Save blocks as one VOTable 1.4, its values in BINARY2: exact, with missing values; one block in memory.

    Fields carry unit, UCD and description; a column of a table of objects that has no UCD gets the one that
    `armillary.model.ucds` knows. Attributes are INFO elements, those that the IVOA note "Data Origin in the VO" knows
    under its names too; request, lineage, archive, citation, software and model stand together in the GROUP
    ``provenance`` of the table. Times are ISO 8601 texts with nanoseconds and ``xtype="timestamp"``, and refer to a
    TIMESYS that says UTC.

    Parameters
    ----------
    blocks : Blocks
        Tables, series or spectrograms.
    aside : Path
        File to make.

    Raises
    ------
    CannotWrite
        For distributions and images.
    BadData
        If a later block has other columns.
    """
    _refuse_grids(blocks)
    pieces = all_rows(blocks)
    first = next(pieces)
    columns = _columns(first)
    with aside.open("wb") as file:
        file.write(_head(first, columns).encode())
        _write_rows(chain([first], pieces), columns, first.schema, file)
        file.write(_END)


def legal(text: str) -> str:
    """Give a text without the characters that XML cannot hold.

    Examples
    --------
    >>> legal("a" + chr(0))
    'a�'
    """
    return text.translate(_ILLEGAL)


def origin(attrs: Mapping[str, Any]) -> dict[str, str]:
    """Give attributes under the names of the IVOA note "Data Origin in the VO", with what wrote them and when."""
    known = {name: str(attrs[ours]) for ours, name in _ORIGIN.items() if attrs.get(ours)}
    return known | {"server_software": program(), "request_date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"}


def _refuse_grids(blocks: Blocks) -> None:
    import xarray as xr

    data = blocks.first
    if isinstance(data, xr.Dataset) and len(layout(data).dims) > 1:
        shapes = ", ".join(f"{name}{one.dims}" for name, one in list(data.data_vars.items())[:3])
        raise CannotWrite(f"a VOTable cannot hold such data: {shapes}", "save them as .nc, .zarr, .cdf or .parquet")


def _columns(table: "pa.Table") -> list[Column]:
    taken = {_TABLE, _SCALE}
    sky = is_sky(table.column_names)
    return [column_of(one, _identifier(one.name, taken), ucd_of(one.name) if sky else "") for one in table.schema]


def _identifier(name: str, taken: set[str]) -> str:
    """Make an XML identifier close to the name; `taken` gets it."""
    stem = re.sub(r"\W", "_", name, flags=re.ASCII)
    stem = stem if stem[:1].isalpha() else f"_{stem}"
    found = next(word for word in (stem, *(f"{stem}_{n}" for n in range(2, len(taken) + 3))) if word not in taken)
    taken.add(found)
    return found


def _write_rows(pieces: "Iterator[pa.Table]", columns: Sequence[Column], schema: "pa.Schema", file: IO[bytes]) -> None:
    """Write rows as base64; what does not fill a line waits for the next piece."""
    rest = b""
    for piece in pieces:
        same = fitted(piece, schema)
        for start, stop in in_steps(same.num_rows, _ROWS):
            rest += octets(same.slice(start, stop - start), columns)
            whole = len(rest) // _LINE * _LINE
            for at in range(0, whole, _LINE):
                file.write(binascii.b2a_base64(rest[at : at + _LINE]))
            rest = rest[whole:]
    file.write(binascii.b2a_base64(rest))


def _head(table: "pa.Table", columns: Sequence[Column]) -> str:
    attrs = table_attrs(table)
    told = {**attrs, "saved_by": program()}
    infos = {name: value if isinstance(value, str) else json_text(value) for name, value in told.items()}
    infos |= {name: text for name, text in origin(attrs).items() if name not in infos}
    times = f'<TIMESYS ID="{_SCALE}" timescale="UTC" refposition="UNKNOWN"/>\n' if _has_times(columns) else ""
    return "".join([
        _BEGIN,
        f"<DESCRIPTION>{_text(str(attrs.get('title') or 'Data saved by Armillary'))}</DESCRIPTION>\n",
        *(f"<INFO name={_quoted(name)} value={_quoted(text)}/>\n" for name, text in infos.items()),
        f'{times}<TABLE ID="{_TABLE}" name="data">\n{_provenance(attrs, columns)}',
        *map(_field, columns),
        '<DATA><BINARY2>\n<STREAM encoding="base64">\n',
    ])  # fmt: skip


def _has_times(columns: Sequence[Column]) -> bool:
    return any(one.is_time for one in columns)


def _provenance(attrs: Mapping[str, Any], columns: Sequence[Column]) -> str:
    """Write the group that says where the rows come from, and which columns a model said."""
    name, _, version = program().partition(" ")
    params = [("software", "meta.id;meta.software", name), ("software_version", "meta.version;meta.software", version)]
    for ours, (called, ucd) in _PROVENANCE.items():
        value = attrs.get(ours)
        if value:
            params.append((called, ucd, value if isinstance(value, str) else json_text(value)))
    said = [one.identifier for one in columns if one.ucd.startswith(_SAID)] if attrs.get("model") else []
    inner = [_param(*one) for one in params] + [f'<FIELDref ref="{one}"/>\n' for one in said]
    what = "Where the rows come from" + ("; the columns are those that the model said" if said else "")
    return f'<GROUP name="provenance">\n<DESCRIPTION>{what}</DESCRIPTION>\n{"".join(inner)}</GROUP>\n'


def _param(name: str, ucd: str, value: str) -> str:
    kind = "char" if value.isascii() else "unicodeChar"
    meaning = f' ucd="{ucd}"' if ucd else ""
    return f'<PARAM name="{name}"{meaning} datatype="{kind}" arraysize="*" value={_quoted(value)}/>\n'


def _field(one: Column) -> str:
    told = {
        "datatype": one.datatype, "arraysize": one.arraysize, "xtype": "timestamp" if one.is_time else "",
        "unit": one.unit, "ucd": one.ucd, "utype": one.utype, "ref": _SCALE if one.is_time else "",
    }  # fmt: skip
    attributes = "".join(f" {name}={_quoted(text)}" for name, text in told.items() if text)
    about = f"<DESCRIPTION>{_text(one.description)}</DESCRIPTION>" if one.description else ""
    return f'<FIELD ID="{one.identifier}" name={_quoted(one.name)}{attributes}>{about}</FIELD>\n'


def _text(text: str) -> str:
    return escape(legal(text), {"\r": "&#13;"})


def _quoted(text: str) -> str:
    return quoteattr(legal(text))
