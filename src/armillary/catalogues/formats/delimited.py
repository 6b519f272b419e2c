"""CSV: a line of names, then a row a line. Types are inferred, because CSV has none."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from armillary.catalogues.entry import Catalogue
from armillary.catalogues.formats.columns import Document, to_cells, to_columns, to_rows
from armillary.errors import DamagedFile

_MARKS: Final = (",", ";", "\t", "|")
#: Products that Armillary saves begin with a line of metadata, and then their names have units: ``ra [deg]``.
_OURS: Final = "# {"
_UNIT: Final = re.compile(r" \[[^\[\]]*\]$")


def read(path: Path, text: str, columns: Mapping[str, str]) -> Document:
    """Read CSV with any usual mark between the cells; lines that start with ``#`` before the names are left out."""
    lines = text.splitlines(keepends=True)
    ours = text.startswith(_OURS)
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        del lines[0]
    if not lines:
        raise DamagedFile(f"{path.name} is empty", "give a file with a line of column names")
    mark = max(_MARKS, key=lines[0].count)
    cells = read_cells(path.name, "".join(lines), mark)
    if ours:
        cells = _without_units(cells, set(columns.values()))
    kind, rows = to_rows(path.name, cells, {}, columns)
    return Document(catalogue=Catalogue(name=path.name.partition(".")[0], kind=kind), rows=rows)


def _without_units(cells: dict[str, list[str | None]], asked: set[str]) -> dict[str, list[str | None]]:
    """Name columns without their units, but for those that were asked for by their whole name."""
    plain = {name: name if name in asked else _UNIT.sub("", name) for name in cells}
    return {plain[name]: one for name, one in cells.items()} if len(set(plain.values())) == len(plain) else cells


def write(document: Document) -> str:
    """Write CSV as RFC 4180 has it."""
    columns = to_columns(document)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*(to_cells(column) for column in columns), strict=True))
    return out.getvalue()


def read_cells(source: str, text: str, mark: str = ",", names: list[str] | None = None) -> dict[str, list[str | None]]:
    """Read the columns of CSV text, naming the first row that has too few or too many cells."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if row]
    except csv.Error as broken:
        raise DamagedFile(f"{source} is not CSV: {broken}", "save it again as CSV") from None
    header = names or [name.strip() for name in rows.pop(0)]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DamagedFile(f"{source} has two columns {twice!r}", "rename one of them")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            problem = f"{source}, row {number}: {len(row)} cells for {len(header)} columns"
            raise DamagedFile(problem, "mend that row, nothing was imported")
    if not rows:
        return {name: [] for name in header}
    return {name: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)}
