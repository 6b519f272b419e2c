"""``armillary catalogue``: lists of events, objects and areas."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from armillary.catalogues import Entry, Store
from armillary.catalogues.formats import FORMATS
from armillary.catalogues.formats.native import catalogue_record, row_record
from armillary.errors import BadRequest
from armillary.model import Interval, format_time, parse_time, read_extent
from armillary.services.cli.session import progress_bar
from armillary.services.cli.sheets import print_catalogues, print_changes, print_difference, print_json, print_rows
from armillary.services.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(no_args_is_help=True, help="Catalogues of events, objects and areas, with their history.")

Name = Annotated[str, typer.Argument(help="Name of the catalogue.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Start = Annotated[str | None, typer.Option(help="Start of the time, UTC.")]
Stop = Annotated[str | None, typer.Option(help="Stop of the time, UTC.")]
Where = Annotated[str | None, typer.Option(help="Predicate, e.g. \"b_max > 20 AND class = 'icme'\".")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]
FormatName = Annotated[str | None, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")]

_TEXTS: Final = ("author", "model", "model_version", "source_id")
_NUMBERS: Final = ("ra", "dec")


def store() -> Store:
    """Open the catalogues of this home."""
    return Store(home() / "catalogues.sqlite")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the catalogues."""
    found = store().catalogues()
    if as_json:
        print_json([catalogue_record(one) for one in found])
    else:
        print_catalogues(found)


@app.command()
def show(
    name: Name,
    start: Start = None,
    stop: Stop = None,
    where: Where = None,
    history: Annotated[bool, typer.Option("--history", help="Show what was done instead of the rows.")] = False,
    limit: Annotated[int, typer.Option(help="Most rows in the table; --json gives all.")] = 500,
    as_json: Json = False,
) -> None:
    """Show the rows of a catalogue, or its history."""
    from armillary.catalogues.exchange import take

    document = take(store(), name, _interval(start, stop), where, history=history)
    if as_json:
        rows = {"rows": [row_record(row) for row in document.rows]}
        past = {"history": list(document.history)} if history else {}
        print_json({"catalogue": catalogue_record(document.catalogue)} | rows | past)
    elif history:
        print_changes(document.history)
    else:
        print_rows(document.catalogue, document.rows, limit)


@app.command()
def new(
    name: Name,
    kind: Annotated[str, typer.Option(help="events, objects or areas.")] = "events",
    where: Where = None,
    of: Annotated[list[str] | None, typer.Option(help="With --where: look through this catalogue only.")] = None,
    description: Annotated[str, typer.Option(help="What it is.")] = "",
    tag: Tags = None,
) -> None:
    """Make a catalogue; with --where its rows are all that the predicate finds, now and later."""
    store().new(name, kind, description=description, tags=tag or (), where=where, of=of or ())
    typer.echo(f"made catalogue {name}")


@app.command()
def alter(
    name: Name,
    rename: Annotated[str | None, typer.Option(help="New name.")] = None,
    where: Where = None,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    tag: Tags = None,
) -> None:
    """Change what a catalogue says of itself."""
    given = {"name": rename, "where": where, "description": description, "tags": tuple(tag) if tag else None}
    store().alter(name, **{field: value for field, value in given.items() if value is not None})
    typer.echo(f"changed catalogue {rename or name}")


@app.command()
def drop(name: Name) -> None:
    """Take a catalogue away, and its rows that are in no other; undo brings it back."""
    store().alter(name, drop=True)
    typer.echo(f"dropped catalogue {name}; `armillary catalogue undo` brings it back")


@app.command()
def add(
    name: Name,
    start: Start = None,
    stop: Stop = None,
    ra: Annotated[float | None, typer.Option(help="Right ascension, ICRS degrees.")] = None,
    dec: Annotated[float | None, typer.Option(help="Declination, ICRS degrees.")] = None,
    source_id: Annotated[str, typer.Option(help="Name of the object in its survey.")] = "",
    geometry: Annotated[str | None, typer.Option(help="GeoJSON geometry.")] = None,
    class_: Annotated[str, typer.Option("--class", help="What it is.")] = "",
    attr: Annotated[list[str] | None, typer.Option(help="Attribute as name=value; may be repeated.")] = None,
    tag: Tags = None,
    rating: Annotated[int | None, typer.Option(help="Higher is better.")] = None,
    model: Annotated[str, typer.Option(help="Model that found it.")] = "",
) -> None:
    """Add one row and print its id."""
    fields = {"start": start, "stop": stop, "geometry": geometry}
    given = {field: read_field(field, text) for field, text in fields.items() if text is not None}
    entry = Entry(
        **given, ra=ra, dec=dec, source_id=source_id, class_=class_, attributes=_pairs(attr or []),
        tags=tuple(tag or ()), rating=rating, model=model,
    )  # fmt: skip
    typer.echo(store().add(name, [entry])[0])


@app.command()
def edit(
    row: Annotated[str, typer.Argument(metavar="ID", help="Id of the row, see show.")],
    changes: Annotated[list[str], typer.Argument(help="name=value of a field or attribute; empty takes it away.")],
    version: Annotated[int | None, typer.Option(help="Only if the row still has this version.")] = None,
) -> None:
    """Change fields and attributes of a row."""
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, text in map(split_pair, changes):
        if name in _READ or name in _TEXTS:
            fields["class_" if name == "class" else name] = read_field(name, text)
        else:
            attributes[name] = read_attribute_text(text)
    edited = store().edit(row, version=version, attributes=attributes, **fields)
    typer.echo(f"changed row {edited[0].id}, now version {edited[0].version}")


@app.command()
def remove(
    rows: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of the rows.")],
    name: Annotated[str | None, typer.Option("--from", help="Take them out of this catalogue only.")] = None,
) -> None:
    """Take rows out of one catalogue or of all."""
    store().remove(rows, name)
    typer.echo(f"removed {len(rows)} rows; `armillary catalogue undo` brings them back")


@app.command()
def undo(count: Annotated[int, typer.Argument(help="How many changes.", min=1)] = 1) -> None:
    """Undo your last changes."""
    _tell("undone", store().undo(count))


@app.command()
def redo(count: Annotated[int, typer.Argument(help="How many changes.", min=1)] = 1) -> None:
    """Do again what you have undone."""
    _tell("done again", store().redo(count))


@app.command("import")
def import_(
    name: Name,
    file: Annotated[Path, typer.Argument(help="JSON, CSV, VOTable, HAPI event list or GeoJSON.")],
    column: Annotated[list[str] | None, typer.Option(help="field=column, e.g. start=begin; may be repeated.")] = None,
    format_: FormatName = None,
) -> None:
    """Read a file into a catalogue, all or nothing."""
    from armillary.catalogues.exchange import import_file

    with progress_bar("importing") as progress:
        ids = import_file(
            store(), file, name, columns=dict(map(split_pair, column or [])), format_=format_, progress=progress
        )
    typer.echo(f"imported {len(ids)} rows into {name}")


@app.command()
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Ends in .json .csv .vot .xml .hapi.csv or .geojson.")],
    start: Start = None,
    stop: Stop = None,
    where: Where = None,
    history: Annotated[bool, typer.Option("--history", help="With its history (JSON only).")] = False,
    format_: FormatName = None,
) -> None:
    """Write a catalogue, or part of it, to a file."""
    from armillary.catalogues.exchange import export_file

    count = export_file(
        store(), name, file, format_=format_, interval=_interval(start, stop), where=where, history=history
    )
    typer.echo(f"wrote {count} rows to {file}")


@app.command()
def diff(first: Name, second: Name, as_json: Json = False) -> None:
    """Compare two catalogues: rows added, removed and changed."""
    from armillary.catalogues.sets import changed_fields, difference

    here = store()
    found = difference(here.rows(first), here.rows(second))
    if not as_json:
        print_difference(found)
        return
    changed = [
        {"before": row_record(a), "after": row_record(b), "fields": changed_fields(a, b)} for a, b in found.changed
    ]
    added, removed = ([row_record(row) for row in rows] for rows in (found.added, found.removed))
    print_json({"added": added, "removed": removed, "changed": changed})


@app.command()
def sets(
    operation: Annotated[str, typer.Argument(help="union intersect overlap within gaps coverage")],
    first: Name,
    second: Annotated[str | None, typer.Argument(help="Name of another catalogue.")] = None,
    start: Start = None,
    stop: Stop = None,
    to: Annotated[str | None, typer.Option(help="Catalogue to put the result in; made if it is not there.")] = None,
    as_json: Json = False,
) -> None:
    """Compute with the times of events: time in either or both, rows that share time, gaps, coverage."""
    from armillary.services.cli.algebra import combine, give_fraction, keep_rows

    here, interval = store(), _interval(start, stop)
    result = combine(here, operation, first, second, interval)
    if isinstance(result, dict):
        give_fraction(result, as_json=as_json)
        return
    if to:
        keep_rows(here, to, result, f"{operation} of {first}{f' and {second}' if second else ''}")
    if as_json:
        print_json([row_record(row) for row in result])
    elif to:
        typer.echo(f"put {len(result)} rows into {to}")
    else:
        print_rows(None, result, 500)


def read_field(name: str, text: str) -> Any:
    """Read a field of a row as typed on the command line.

    Raises
    ------
    BadRequest
        If it is not of the field's type.
    """
    try:
        return _READ.get(name, str)(text)
    except ValueError as broken:
        if isinstance(broken, BadRequest):
            raise
        raise BadRequest(f"{name} cannot be {text!r}", "see `armillary catalogue add --help`") from None


def read_attribute_text(text: str) -> Any:
    """Read a value as typed: a number, a truth, a time, a list or a text (always a text in double quotes).

    Examples
    --------
    >>> [read_attribute_text(text) for text in ("3", "3.5", "true", "cloud", '"3"', "[1, 2]")]
    [3, 3.5, True, 'cloud', '3', (1, 2)]
    """
    from armillary.catalogues.formats.columns import infer_type, read_value

    if text == "":
        return None
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return read_value(infer_type([text]), text)


def split_pair(pair: str) -> tuple[str, str]:
    """Split ``name=value``.

    Raises
    ------
    BadRequest
        If it is not of that form.
    """
    name, mark, value = pair.partition("=")
    if not mark or not name:
        raise BadRequest(f"{pair!r} is not name=value", "write it like b_max=21.5")
    return name, value


def _interval(start: str | None, stop: str | None) -> Interval | None:
    return read_extent({"start": start, "stop": stop}).time


def _pairs(given: list[str]) -> "Mapping[str, Any]":
    return {name: read_attribute_text(text) for name, text in map(split_pair, given)}


def _tell(what: str, numbers: list[int]) -> None:
    done = {change.number: change for change in store().history()}
    for number in numbers:
        change = done[number]
        typer.echo(f"{what}: {change.summary} ({format_time(change.at)})")


def _number(text: str) -> float | None:
    return float(text) if text else None


_READ: Final[dict[str, Any]] = {
    "start": parse_time,
    "stop": parse_time,
    "class": str,
    "rating": lambda text: int(text) if text else None,
    "tags": lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
    "geometry": lambda text: json.loads(text) if text else None,
    **dict.fromkeys(_NUMBERS, _number),
}
