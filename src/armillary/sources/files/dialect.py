"""How a text file writes its table: delimiter, header, units and fill values, found from its first lines."""

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from armillary.errors import BadData, DamagedFile
from armillary.sources.files.instants import parse_or_nat

_LOOK: Final = 1 << 22
_DELIMITERS: Final = (",", "\t", ";", "|")
_COMMENT: Final = ("#", "%", '"#')
_UNIT: Final = re.compile(r"(?P<name>.*\S)\s*[\[(](?P<unit>[^\])]*)[\])]")
_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's name, unit, description and the text that stands for a missing value, if one is declared."""

    name: str
    unit: str = ""
    description: str = ""
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read a text table; an empty delimiter is white space, `skip` counts the lines before the first row."""

    delimiter: str
    skip: int
    headings: tuple[Heading, ...]
    encoding: str
    newlines: bool
    title: str = ""


def find_dialect(path: Path) -> Dialect:
    """Find out how a text file writes its table.

    Raises
    ------
    DamagedFile
        If it is binary or its compression is broken.
    BadData
        If it is text without a table.
    """
    text, encoding = _text(path)
    lines = text.splitlines()
    comments = _comments(lines)
    body = [line for line in lines[len(comments) :] if line.strip() and not line.lstrip().startswith("#")]
    if not body:
        raise BadData(f"{path.name} holds no rows", "leave it, or put rows into it")
    delimiter = _delimiter(body[:200], path.name)
    rows = _rows(body[:200], delimiter)
    declared = _hapi(comments, len(rows[0])) or _declared(comments, len(rows[0]), delimiter)
    headed = not declared and _has_header(rows)
    names = declared or _headings(rows[0] if headed else (), len(rows[0]))
    _refuse_prose(rows, path.name)
    _refuse_misfit(rows, headed, path.name)
    skip = _first_row(lines, len(comments), headed)
    newlines = '"' in text and any("\n" in cell for row in _rows(lines[skip : skip + 500], delimiter) for cell in row)
    return Dialect(delimiter, skip, names, encoding, newlines, _title(comments))


def heading(text: str) -> Heading:
    """Read a column's heading.

    Examples
    --------
    >>> heading("B (nT)"), heading("[3.6]").name
    (Heading(name='B', unit='nT', description='', fill=None), '[3.6]')
    """
    text = text.strip().strip("'\"")
    match = _UNIT.fullmatch(text)
    return Heading(match["name"], match["unit"].strip()) if match else Heading(text)


def _text(path: Path) -> tuple[str, str]:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            raw = file.read(_LOOK)
    except (OSError, EOFError, zlib.error) as broken:
        raise DamagedFile(f"{path.name} cannot be unpacked: {broken}", "fetch it again") from None
    if b"\0" in raw:
        if path.suffix.lower() == ".txt":
            raise BadData(f"{path.name} is not a table of text", "leave it: it is not data")
        raise DamagedFile(f"{path.name} is not text though its name says so", "fetch it again, or rename it")
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            # A character may be cut at the end of the look.
            text = raw.decode(encoding, "strict" if len(raw) < _LOOK else "ignore")
        except UnicodeDecodeError:
            continue
        whole = text if len(raw) < _LOOK else text[: text.rfind("\n") + 1] or text
        return whole, "utf8" if encoding == "utf-8-sig" else "latin-1"
    raise AssertionError(path)


def _comments(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith(_COMMENT):
            return lines[:number]
    return lines


def _delimiter(body: list[str], name: str) -> str:
    for candidate in _DELIMITERS:
        counts = Counter(len(row) for row in _rows(body, candidate) if row)
        width, often = counts.most_common(1)[0]
        if width > 1 and often >= _SHARE * sum(counts.values()):
            return candidate
    counts = Counter(len(line.split()) for line in body)
    width, often = counts.most_common(1)[0]
    if often >= _SHARE * sum(counts.values()) and (width > 1 or all(_is_value(line) for line in body[1:])):
        return "" if width > 1 else ","
    raise BadData(f"{name} is text without a table: its lines have no common columns", "leave it: it is not data")


def _rows(body: list[str], delimiter: str) -> list[list[str]]:
    if not delimiter:
        return [line.split() for line in body]
    try:
        return [row for row in csv.reader(io.StringIO("\n".join(body)), delimiter=delimiter) if row]
    except csv.Error:
        return [line.split(delimiter) for line in body]


def _has_header(rows: list[list[str]]) -> bool:
    first = rows[0]
    if len(rows) == 1:
        return not any(_is_value(cell) for cell in first)
    if not _is_value(first[0]) and re.fullmatch(r"[A-Za-z_][\w .()\[\]/-]*|", first[0].strip()):
        return True
    pairs = list(zip(first, rows[1], strict=False))
    return any(_is_value(below) and not _is_value(above) for above, below in pairs)


def _is_value(cell: str) -> bool:
    text = cell.strip()
    try:
        float(text)
    except ValueError:
        return parse_or_nat(text) is not None
    return True


def _headings(cells: "list[str] | tuple[str, ...]", width: int) -> tuple[Heading, ...]:
    found = [heading(cell) for cell in cells] or [Heading(f"column_{n + 1}") for n in range(width)]
    counts = Counter(one.name for one in found)
    unique: list[Heading] = []
    for number, one in enumerate(found):
        name = one.name if one.name and counts[one.name] == 1 else (cells[number].strip() if cells else one.name)
        name = name or ("index" if number == 0 else f"column_{number + 1}")
        taken = {other.name for other in unique}
        unique.append(Heading(name if name not in taken else f"{name}_{number + 1}", one.unit))
    return tuple(unique)


def _declared(comments: list[str], width: int, delimiter: str) -> tuple[Heading, ...]:
    """Take names from the last comment line if it has as many cells as a row."""
    for line in reversed(comments[-2:]):
        cells = _rows([line.strip().lstrip("#%").strip()], delimiter)
        if cells and len(cells[0]) == width and width > 1 and not any(_is_value(cell) for cell in cells[0]):
            return _headings(cells[0], width)
    return ()


def _hapi(comments: list[str], width: int) -> tuple[Heading, ...]:
    """Read the JSON header that a HAPI server writes before its CSV."""
    try:
        header = json.loads("\n".join(line.lstrip().lstrip("#") for line in comments))
        columns = [one for parameter in header["parameters"] for one in _hapi_columns(parameter)]
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(columns) if len(columns) == width else ()


def _hapi_columns(parameter: dict[str, Any]) -> list[Heading]:
    count = 1
    for size in parameter.get("size") or [1]:
        count *= int(size)
    name, fill = str(parameter["name"]), parameter.get("fill")
    unit = parameter.get("units")
    shown = "" if parameter.get("type") == "isotime" or not isinstance(unit, str) else unit
    text = str(parameter.get("description") or "")
    names = [name] if count == 1 else [f"{name}_{n}" for n in range(count)]
    return [Heading(one, shown, text, None if fill is None else str(fill)) for one in names]


def _first_row(lines: list[str], comments: int, headed: bool) -> int:
    skip = comments
    while not lines[skip].strip() or lines[skip].lstrip().startswith("#"):
        skip += 1
    return skip + 1 if headed else skip


def _refuse_prose(rows: list[list[str]], name: str) -> None:
    """Text with commas is no table: at least one column must hold values, or most rows be equally wide and short."""
    values = sum(_is_value(cell) for row in rows[1:] for cell in row)
    cells = sum(len(row) for row in rows[1:])
    words = sum(len(cell.split()) > 6 for row in rows for cell in row)
    if values == 0 and (cells == 0 or words > 0.2 * len(rows)):
        raise BadData(f"{name} is text without a table: no column holds numbers or times", "leave it: it is not data")


def _refuse_misfit(rows: list[list[str]], headed: bool, name: str) -> None:
    """Refuse a header of words with spaces over columns of white space: nobody can tell them apart."""
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    if headed and len(rows[0]) != width:
        problem = f"{name}: its header has {len(rows[0])} columns and its rows have {width}"
        raise BadData(problem, "put one name over each column")


def _title(comments: list[str]) -> str:
    first = next((line.strip('#%" \t') for line in comments if re.search(r"[A-Za-z]{3}", line)), "")
    return "" if first.startswith("{") else first[:200]
