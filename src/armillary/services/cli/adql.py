"""``armillary adql``: a free query to a TAP service."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from armillary.errors import BadParameter, BadRequest
from armillary.services.cli.session import Bar, progress_bar
from armillary.services.desk import open as open_desk

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.services.queries import FreeQuery, Outcome

_SHOWN = 20


def adql(
    context: typer.Context,
    query: Annotated[
        str, typer.Argument(help="The query, a file that holds it, - for standard input, or the name of a shipped one.")
    ] = "",
    archive: Annotated[
        str, typer.Option(help="Name of an archive, URL of a TAP service, or gaia, vizier, irsa, csa.")
    ] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; its ending says how.")] = None,
    upload: Annotated[
        list[str] | None, typer.Option(help="name=FILE: stands in TAP_UPLOAD.name; may be repeated.")
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a shipped query; may be repeated.")] = None,
    by_job: Annotated[
        bool, typer.Option("--async", help="Let a job do it at the service; told by itself if left out.")
    ] = False,
    maxrec: Annotated[int, typer.Option(help="More rows are an error; 0 for the bound of the service.", min=0)] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask without the cache.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the query and ask nothing.")] = False,
    shipped: Annotated[bool, typer.Option("--list", help="List the shipped queries and what they take.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON report.")] = False,
) -> None:
    """Ask a TAP service freely, in ADQL: one SELECT, or one that a mission ships, such as gaia/photometry."""
    from armillary.services.queries import FreeQuery, read_upload, tap_archive_of

    if shipped:
        _list(as_json=as_json)
        return
    text, meant = _text_of(query, param or [])
    if show:
        typer.echo(text)
        return
    if output:
        from armillary.sources import check_path

        check_path(output)
    uploads = {name: read_upload(path) for name, path in _pairs(upload or [])}
    with progress_bar("listing") as bar:
        desk = open_desk(progress=bar)
    place = tap_archive_of(desk, _archive(context, archive, meant))
    free = FreeQuery(place, text, uploads, maxrec, "async" if by_job else "auto", fresh)
    with progress_bar(place.name) as bar:
        report, first = _answer(desk, free, output, bar)
    _print(report, output, first, as_json=as_json)


def _answer(desk: Any, free: "FreeQuery", output: Path | None, bar: Bar) -> "tuple[Outcome, pa.Table | None]":
    """Write the answer to the file, or give its first rows."""
    from armillary.services.queries import Outcome, ask_freely

    outcome = Outcome(free.archive.name, free.text)
    blocks = ask_freely(desk, free, outcome, bar)
    if output is None:
        return outcome, _first(blocks)
    from armillary.sources import write

    write(_one_by_one(blocks, bar), output)
    bar.check()
    return outcome, None


def _one_by_one(blocks: Iterator[Any], bar: Bar) -> Iterator[Any]:
    """Pass blocks on and take Ctrl-C between them, not while a library writes one."""
    for block in blocks:
        with bar.held():
            yield block


def _first(blocks: Iterator[Any]) -> "pa.Table | None":
    """Give the first rows, and take all blocks, so that the whole answer is known and kept."""
    import pyarrow as pa

    kept: list[Any] = []
    for block in blocks:
        left = _SHOWN - sum(one.num_rows for one in kept)
        kept += [block.slice(0, left)] if left or not kept else []
    return pa.concat_tables(kept) if kept else None


def _print(report: "Outcome", output: Path | None, first: "pa.Table | None", *, as_json: bool) -> None:
    if as_json:
        rows = [] if first is None else first.to_pylist()
        more = {"file": str(output)} if output else {"first": rows}
        typer.echo(json.dumps(report.to_record() | more, indent=1, default=str))
        return
    if first is not None:
        typer.echo(first.to_pandas().to_string())
    bound = "all that fit" if report.bound is None else f"TOP {report.bound}"
    where = " from the cache" if report.cached else f" from {report.archive}"
    parts = f", the upload in {report.parts} parts" if report.parts > 1 else ""
    typer.echo(f"{report.rows:,} rows{where} ({bound}{parts})", err=True)
    if output:
        typer.echo(str(output))


def _archive(context: typer.Context, named: str, meant: str) -> str:
    """Give the archive: ``--archive`` is taken for every command before this one is called."""
    given = [*cast("tuple[str, ...]", context.obj or ()), *([named] if named else [])] or [meant] * bool(meant)
    if len(given) != 1:
        raise BadRequest("the query needs one archive", "add --archive NAME, such as gaia")
    return given[0]


def _text_of(query: str, params: list[str]) -> tuple[str, str]:
    """Give the text of a query, and the archive that it is written for if it is a shipped one."""
    from armillary.services.shipped import fill_query, find_query

    known = find_query(query)
    if known:
        return fill_query(known, dict(_settings(params))), known.archive
    if params:
        raise BadRequest("--param is for shipped queries", "see `armillary adql --list`")
    if not query:
        raise BadRequest("there is no query", "give one, a file, or the name of a shipped one: `armillary adql --list`")
    return _read(query), ""


def _settings(params: list[str]) -> Iterator[tuple[str, str]]:
    for text in params:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            raise BadParameter(f"{text!r} sets no parameter", "write --param NAME=VALUE")
        yield name.strip(), value.strip()


def _list(*, as_json: bool) -> None:
    from armillary.services.shipped import query_records

    records = query_records()
    if as_json:
        typer.echo(json.dumps(records, indent=1))
        return
    for one in records:
        typer.echo(f"{one['name']}  ({one['archive']})\n  {one['title']}. {one['description']}")
        for knob in one["parameters"]:
            units = f" [{knob['units']}]" if knob["units"] else ""
            typer.echo(f"    {knob['name']:20} {knob['description']}{units}")


def _read(query: str) -> str:
    if query == "-":
        return sys.stdin.read()
    try:
        is_file = len(query) < 4096 and "\n" not in query and Path(query).is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        return Path(query).read_text("utf-8", "replace")
    if query.endswith((".adql", ".sql")) and len(query.split()) == 1:
        raise BadRequest(f"there is no file {query!r}", "give the query or a file that holds it")
    return query


def _pairs(texts: list[str]) -> Iterator[tuple[str, Path]]:
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name.strip().isidentifier() and equals and path):
            raise BadParameter(f"{text!r} is no upload", "write --upload NAME=FILE")
        yield name.strip(), Path(path).expanduser()
