"""Catalogues as tables for people and JSON for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from armillary.catalogues import Catalogue, Entry
from armillary.catalogues.formats.columns import Document, to_cells, to_columns
from armillary.catalogues.sets import Difference, changed_fields

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Columns that only machines need to see.
_HIDDEN = ("version", "created", "modified")
_PIPE_WIDTH = 240
#: Of tables of numbers in a pipe: nothing is folded.
_UNFOLDED = 100_000


def print_json(record: Any) -> None:
    """Print a record as JSON on stdout."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def print_catalogues(catalogues: Sequence[Catalogue]) -> None:
    """Print one line a catalogue."""
    rows = [
        (one.name, one.kind, "dynamic" if one.rows is None else str(one.rows), one.author, ", ".join(one.tags),
         one.description.partition("\n")[0] or one.where or "")
        for one in catalogues
    ]  # fmt: skip
    _print(_table(("name", "kind", "rows", "author", "tags", "description"), rows))


def print_rows(catalogue: Catalogue | None, rows: Sequence[Entry], limit: int) -> None:
    """Print rows with a column for each field and attribute that one of them has."""
    about = catalogue or Catalogue(name="", kind="events")
    document = Document(catalogue=about, rows=rows[:limit])
    columns = [one for one in to_columns(document) if one.name not in _HIDDEN or not one.is_field]
    cells = zip(*(to_cells(one) for one in columns), strict=True)
    _print(_table([one.name for one in columns], list(cells)))
    if len(rows) > limit:
        sys.stdout.write(f"... and {len(rows) - limit} more rows: see --limit, --where or --json\n")


def print_changes(changes: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a change of the history."""
    names = ("number", "at", "author", "action", "summary")
    _print(_table(names, [[str(one[name]) for name in names] for one in changes]))


def print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print texts in columns; in a pipe one line a row, however long."""
    _print(_table(names, rows), _UNFOLDED)


def print_difference(found: Difference) -> None:
    """Print a difference as ``+``, ``-`` and ``~`` lines."""
    lines = [f"+ {_line(row)}" for row in found.added] + [f"- {_line(row)}" for row in found.removed]
    lines += [f"~ {_line(a)}: {', '.join(changed_fields(a, b))}" for a, b in found.changed]
    counts = f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed"
    sys.stdout.write("\n".join([*lines, counts]) + "\n")


def _line(row: Entry) -> str:
    place = str(row.interval or (row.geometry or {}).get("type") or row.source_id or f"{row.ra} {row.dec}")
    return f"{row.id} {place} {row.class_}".rstrip()


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(escape(name), overflow="fold", no_wrap=name in {"id", "start", "stop", "at"})
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _print(table: "Table", pipe_width: int = _PIPE_WIDTH) -> None:
    _console(pipe_width).print(table)


def _console(pipe_width: int) -> "Console":
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=pipe_width)
