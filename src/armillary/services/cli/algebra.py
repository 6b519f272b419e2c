"""``armillary catalogue sets``: which computation, over which rows."""

from collections.abc import Callable
from typing import Any, Final

import typer

from armillary.catalogues import Entry, Store
from armillary.catalogues.sets import coverage, gaps, intersect, overlap, span, to_events, union, within
from armillary.errors import BadRequest
from armillary.model import Interval, format_time
from armillary.services.cli.sheets import print_json

_OF_TIME: Final[dict[str, Callable[..., Any]]] = {"union": union, "intersect": intersect}
_OF_ROWS: Final[dict[str, Callable[..., list[Entry]]]] = {"overlap": overlap, "within": within}
_OPERATIONS: Final = ("union", "intersect", "overlap", "within", "gaps", "coverage")
_ALONE: Final = ("union", "gaps", "coverage")


def combine(
    store: Store, operation: str, first: str, second: str | None, interval: Interval | None
) -> list[Entry] | dict[str, Any]:
    """Compute with one or two catalogues; coverage gives a fraction, all else rows.

    Raises
    ------
    BadRequest, UnknownCatalogue
    """
    if operation not in _OPERATIONS:
        raise BadRequest(f"there is no operation {operation!r}", f"choose one of {', '.join(_OPERATIONS)}")
    if second is None and operation not in _ALONE:
        raise BadRequest(f"{operation} needs two catalogues", f"write: catalogue sets {operation} {first} OTHER")
    a = store.rows(first, interval)
    b = store.rows(second, interval) if second else []
    if operation in _OF_ROWS:
        return _OF_ROWS[operation](a, b)
    if operation in _OF_TIME:
        return _clipped(to_events(_OF_TIME[operation](a, b)), interval)
    among = interval or span(a, b)
    if operation == "gaps":
        return to_events(gaps([*a, *b], among))
    fraction = coverage([*a, *b], among)
    return {"coverage": fraction, "start": format_time(among.start), "stop": format_time(among.stop)}


def give_fraction(result: dict[str, Any], *, as_json: bool) -> None:
    """Print a coverage."""
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{result['coverage']:.6f} of {result['start']} to {result['stop']}")


def keep_rows(store: Store, name: str, rows: list[Entry], description: str) -> None:
    """Put a result into a catalogue."""
    from armillary.catalogues.exchange import copy_rows

    copy_rows(store, name, "events", rows, description)


def _clipped(rows: list[Entry], interval: Interval | None) -> list[Entry]:
    if interval is None:
        return rows
    parts = [row.interval & interval for row in rows if row.interval]
    return [Entry(start=part.start, stop=part.stop) for part in parts if part]
