"""VOTable 1.3 (https://www.ivoa.net/documents/VOTable/), written as AMDA's time tables are.

An AMDA time table has fields ``Start Time`` and ``Stop Time`` with the UCDs ``time.start`` and ``time.end``, and tells
its name and contact in the description. Lists are JSON in fields with ``utype="json"``.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from armillary.catalogues.entry import Catalogue
from armillary.catalogues.formats.columns import Column, Document, to_cells, to_columns, to_rows
from armillary.errors import DamagedFile
from armillary.model.ucds import ucd_of

_TEXT: Final = 'datatype="char" arraysize="*"'
_WIDE: Final = 'datatype="unicodeChar" arraysize="*"'
_DATATYPES: Final = {
    "int": 'datatype="long"', "float": 'datatype="double"', "bool": 'datatype="boolean"', "str": _TEXT,
    "time": f'{_TEXT} xtype="dateTime"', "list": f'{_TEXT} utype="json"', "geometry": f'{_TEXT} utype="geojson"',
}  # fmt: skip
_TYPES: Final = {
    "boolean": "bool", "unsignedByte": "int", "short": "int", "int": "int", "long": "int", "float": "float",
    "double": "float",
}  # fmt: skip
#: How AMDA and the IVOA call our fields.
_NAMED: Final = {
    "start": 'name="Start Time" ID="TimeIntervalStart" ucd="time.start"',
    "stop": 'name="Stop Time" ID="TimeIntervalStop" ucd="time.end"',
    "ra": 'name="ra" ID="ra" ucd="pos.eq.ra;meta.main" unit="deg"',
    "dec": 'name="dec" ID="dec" ucd="pos.eq.dec;meta.main" unit="deg"',
}
_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<DESCRIPTION>{about}</DESCRIPTION>
<RESOURCE>
<DESCRIPTION>{description}</DESCRIPTION>
<TABLE ID="{table}" name={name}>
"""
#: Not a likely name of a column, which would need another identifier then.
_TABLE: Final = "catalogue.table"
#: Characters that XML 1.0 cannot hold.
_ILLEGAL: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 65534, 65535], "�")


def write(document: Document) -> str:
    """Write one table in TABLEDATA."""
    catalogue, columns = document.catalogue, to_columns(document)
    about = f"Name:{catalogue.name};\nContact:{catalogue.author};"
    description, name = _clean(catalogue.description), quoteattr(_legal(catalogue.name))
    head = _HEAD.format(about=_clean(about), description=description, table=_TABLE, name=name)
    cells = [[f"<TD>{text}</TD>" for text in map(_clean, to_cells(column))] for column in columns]
    body = "\n".join(f"<TR>{''.join(row)}</TR>" for row in zip(*cells, strict=True))
    ucds = [ucd_of(one.name) if catalogue.kind == "objects" and one.name != "id" else "" for one in columns]
    fields = "\n".join([*_told_of(document), *map(_field, columns, _ids(columns), cells, ucds)])
    return f"{head}{fields}\n<DATA><TABLEDATA>\n{body}\n</TABLEDATA></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n"


def read(path: Path, text: str, columns: Mapping[str, str]) -> Document:
    """Read the first table; types are those that its fields declare.

    The parser expands no entities and asks nothing of the network.
    """
    table = _parse(path.name, text)
    if not table.fields:
        raise DamagedFile(f"{path.name} holds no table", "give a VOTable with a TABLE in it")
    names = [one.get("name") or one.get("ID") or f"column{at}" for at, one in enumerate(table.fields)]
    if len(set(names)) < len(names):
        names = [one.get("ID") or f"column{at}" for at, one in enumerate(table.fields)]
    _check_rows(path.name, table.rows, len(names))
    listed = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(names)
    cells = {name: _without_null(one, cells) for name, one, cells in zip(names, table.fields, listed, strict=True)}
    types = {name: _type(one) for name, one in zip(names, table.fields, strict=True)}
    kind, rows = to_rows(path.name, cells, types, columns)
    about = dict(_told(table.about))
    name = about.get("Name") or path.name.partition(".")[0]
    catalogue = Catalogue(
        name=name, kind=kind, description=table.description.strip(), author=about.get("Contact", "")
    )  # fmt: skip
    return Document(catalogue=catalogue, rows=rows)


def _ids(columns: Sequence[Column]) -> list[str]:
    """Give each column its name as an XML identifier, each once: readers such as astropy name their columns by it."""
    taken = {_TABLE, *re.findall('ID="([^"]+)"', " ".join(_NAMED.values()))}
    names = {column.name for column in columns}
    ids: list[str] = []
    for column in columns:
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", column.name)
        plain = plain if re.match("[A-Za-z_]", plain) else f"_{plain}"
        tries = itertools.chain([plain], (f"{plain}_{number}" for number in itertools.count(2)))
        # What is the name of another column stays free for that one.
        ids.append(next(one for one in tries if one not in taken | (names - {column.name})))
        taken.add(ids[-1])
    return ids


def _told_of(document: Document) -> list[str]:
    """Give the group that says who found the rows, and with what they were saved."""
    models = dict.fromkeys((row.model, row.model_version) for row in document.rows if row.model)
    told = [("software", "meta.id;meta.software", "Armillary"),
            ("software_version", "meta.version;meta.software", version("armillary")),
            ("author", "meta.id", document.catalogue.author)]  # fmt: skip
    for name, number in models:
        told += [("model", "meta.id;meta.modelled", name), ("model_version", "meta.version;meta.modelled", number)]
    params = [
        f'<PARAM name="{name}" ucd="{ucd}" {_TEXT if value.isascii() else _WIDE} value={quoteattr(_legal(value))}/>'
        for name, ucd, value in told
        if value
    ]
    return ['<GROUP name="provenance">', *params, "</GROUP>"]


def _field(column: Column, id_: str, cells: Sequence[str], ucd: str) -> str:
    name = _NAMED.get(column.name) if column.is_field else None
    name = name or f'name={quoteattr(_legal(column.name))} ID="{id_}"'
    datatype = _DATATYPES[column.type]
    if not (column.is_field and column.name in _NAMED):  # the standard's word; AMDA has one of its own for its two
        datatype = datatype.replace('"dateTime"', '"timestamp"')
    if not all(map(str.isascii, cells)):
        datatype = datatype.replace('"char"', '"unicodeChar"')
    meaning = f' ucd="{ucd}"' if ucd and "ucd=" not in name else ""
    return f"<FIELD {name}{meaning} {datatype}/>"


def _legal(text: str) -> str:
    return text if text.isprintable() else text.translate(_ILLEGAL)


def _clean(text: str) -> str:
    text = _legal(text)
    if "\r" in text or text != text.strip():
        return escape(text, {"\r": "&#13;"})
    return escape(text) if "<" in text or "&" in text or ">" in text else text


def _type(about: Mapping[str, str]) -> str:
    if about.get("arraysize", "1") not in {"1", ""} and about.get("datatype") in _TYPES:
        return "str"
    if about.get("xtype", "").lower() in {"datetime", "timestamp", "iso8601", "adql:timestamp"}:
        return "time"
    named = {"json": "list", "geojson": "geometry"}.get(about.get("utype", ""), "str")
    return _TYPES.get(about.get("datatype", ""), named)


def _without_null(about: Mapping[str, str], cells: Sequence[str]) -> list[str | None]:
    """Leave out the value that the field declares to mean missing."""
    null = about.get("null")
    plain = cells if _type(about) == "str" else [text.strip() for text in cells]
    return [None if text == null else text for text in plain]


def _check_rows(source: str, rows: Sequence[Sequence[str]], width: int) -> None:
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            problem = f"{source}, row {number}: {len(row)} cells for {width} fields"
            raise DamagedFile(problem, "mend that row, nothing was imported")


def _told(about: str) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in about.split(";"))
    return [(name.strip(), value.strip()) for name, mark, value in pairs if mark]


@dataclass(slots=True)
class _Table:
    """What the parser has seen so far of the first table."""

    fields: list[dict[str, str]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    about: str = ""
    description: str = ""
    problem: str = ""
    path: list[str] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    done: bool = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = tag.rpartition(":")[2]
        self.path.append(tag)
        self.text.clear()
        if self.done:
            return
        if tag == "FIELD":
            self.fields.append(attributes)
        elif tag == "VALUES" and self.fields and "null" in attributes:
            self.fields[-1]["null"] = attributes["null"]
        elif tag == "TR":
            self.row = []
        elif tag in {"BINARY", "BINARY2", "FITS"}:
            self.problem = f"its data are stored as {tag}"

    def end(self, _tag: str) -> None:
        """Close an element."""
        tag = self.path.pop()
        if self.done:
            return
        if tag == "TD":
            self.row.append("".join(self.text))
        elif tag == "TR":
            self.rows.append(self.row)
        elif tag == "DESCRIPTION" and self.path[-1:] == ["VOTABLE"]:
            self.about = "".join(self.text)
        elif tag == "DESCRIPTION" and self.path[-1:] in (["RESOURCE"], ["TABLE"]):
            self.description = self.description or "".join(self.text)
        self.done = tag == "TABLE"

    def refuse(self, *_: Any) -> None:
        """Stop at a declaration that could make the text grow or read a file."""
        raise _EntityFound


class _EntityFound(Exception):
    """A document type with entities."""


def _parse(source: str, text: str) -> _Table:
    table, parser = _Table(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = table.start
    parser.EndElementHandler = table.end
    parser.CharacterDataHandler = table.text.append
    parser.EntityDeclHandler = table.refuse
    parser.ExternalEntityRefHandler = table.refuse  # type: ignore[assignment]
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as broken:
        raise DamagedFile(f"{source} is not XML: {broken}", "get the file again") from None
    except _EntityFound:
        raise DamagedFile(f"{source} declares entities, which are not read", "save it without a DOCTYPE") from None
    if not table.problem or table.rows:
        return table
    if table.problem.endswith("FITS"):
        raise DamagedFile(f"{source} cannot be read: {table.problem}", "save it as TABLEDATA or BINARY2")
    return _parse(source, _as_text(source, text))


def _as_text(source: str, text: str) -> str:
    """Write binary rows as TABLEDATA; a text with entities was refused before."""
    import warnings
    from io import BytesIO

    from astropy.io.votable import parse

    written = BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse(BytesIO(text.encode()), verify="ignore").to_xml(written, tabledata_format="tabledata")
    except Exception as broken:  # noqa: BLE001 - damaged rows may raise anything
        raise DamagedFile(f"{source} has rows that cannot be read: {broken}", "get the file again") from None
    return written.getvalue().decode()
