"""What a service says about a query that it refuses, with the place in the query and the names that may be meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from armillary.errors import ArmillaryError
from armillary.sources.tap.adql import TABLE_WORDS, words_of
from armillary.sources.tap.record import Record
from armillary.sources.tap.tables import RESERVED, bare

#: How services write a place: ``(line:1, col:10)``, ``[l.1 c.8 - l.1 c.11]``, ``at line 1, column 10``.
_PLACES: Final = (
    re.compile(r"line[: ]+(\d+)\D{1,12}col(?:umn)?[: ]+(\d+)", re.IGNORECASE),
    re.compile(r"\bl\.\s*(\d+)\s+c\.\s*(\d+)"),
)
_OFFSET: Final = re.compile(r"\b(?:at char|position|offset)[: ]+(\d+)", re.IGNORECASE)
_MOST_TABLES: Final = 20


def explain(name: str, said: str, text: str, record: Record) -> tuple[str, str]:
    """Give problem and next step of a refusal."""
    place = locate(said, text)
    problem = f"{name} refused the query: {' '.join(said.split())[:400]}" + (f"; {place}" if place else "")
    try:
        near = meant(text, record)
    except ArmillaryError:
        near = ""
    return problem, near or "mend the query; `armillary tree` shows tables and their columns"


def locate(said: str, text: str) -> str:
    """Say where in the query the trouble is, "" if the service did not.

    Examples
    --------
    >>> locate("Expected end of text (at char 9), (line:1, col:10)", "SELECT * FORM stars")
    "at line 1, column 10: 'FORM stars'"
    """
    lines = text.splitlines() or [""]
    for shape in _PLACES:
        if match := shape.search(said):
            line, column = int(match[1]), int(match[2])
            if 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1:
                rest = lines[line - 1][column - 1 :][:40].strip()
                return f"at line {line}, column {column}: {rest or 'the end of the line'!r}"
    if (match := _OFFSET.search(said)) and int(match[1]) <= len(text):
        before = text[: int(match[1])]
        rest = text[int(match[1]) :][:40].partition("\n")[0].strip()
        return f"at line {before.count(chr(10)) + 1}, column {len(before.rpartition(chr(10))[2]) + 1}: {rest!r}"
    return ""


def meant(text: str, record: Record) -> str:
    """Say which tables or columns of the record may be meant by names that are not in it.

    Parameters
    ----------
    record : Record
        Of the service; names of tables that it does not know the columns of are not looked at.
    """
    words = words_of(text)
    tables = {bare(one.name).lower(): one.name for one in record.tables()}
    tables |= {name.replace('"', ""): full for name, full in tables.items()}
    asked = [words[at + 1] for at, word in enumerate(words[:-1]) if word.lower() in TABLE_WORDS]
    named = [name.replace('"', "").lower() for name in asked if name != "("]
    unknown = [name for name in named if name not in tables and not name.startswith("tap_upload")]
    if unknown:
        return _nearest("table", unknown[0], tables)
    known: dict[str, str] = {}
    for name in named[:_MOST_TABLES]:
        columns = record.columns(tables[name]) if name in tables else None
        if columns is None:
            return ""
        known |= {one.bare.lower(): one.bare for one in columns}
    if not known:
        return ""
    aliases = {words[at + 1].lower() for at, word in enumerate(words[:-1]) if word.lower() == "as"}
    for word in words:
        column = bare(word.rpartition(".")[2]).lower()
        if _is_name(word) and column not in known and column not in aliases and word.lower() not in named:
            found = _nearest("column", column, known)
            if found:
                return found
    return ""


def _is_name(word: str) -> bool:
    return bool(re.match(r'[A-Za-z_"]', word)) and word.lower() not in RESERVED


def _nearest(what: str, name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 3, 0.6)
    return f"there is no {what} {name!r}: did you mean {' or '.join(close)}" if close else ""
