"""``armillary samp``: tables to and from TOPCAT, Aladin and whatever else speaks SAMP."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from armillary.services.cli.data import Bbox, Cone, Params, Rows, Start, Stop, Where, read_params
from armillary.services.cli.session import desk_of, progress_bar

if TYPE_CHECKING:
    from armillary.services.desk import Desk
    from armillary.services.samp_inbox import Arrival
    from armillary.services.sending import Thing

app = typer.Typer(no_args_is_help=True, help="Pass tables to and from TOPCAT and Aladin.")

_SHOWN = 5


@app.command()
def send(
    context: typer.Context,
    thing: Annotated[str, typer.Argument(metavar="PRODUCT_OR_CATALOGUE_OR_FILE", help="What to send.")],
    to: Annotated[str, typer.Option(help="Part of the program's name, e.g. topcat or aladin; all if left out.")] = "",
    start: Start = None,
    stop: Stop = None,
    param: Params = None,
    where: Where = None,
    bbox: Bbox = None,
    cone: Cone = None,
    rows: Rows = None,
) -> None:
    """Send a table, a catalogue or a file to the programs that are open."""
    from armillary.services.desk import ask
    from armillary.services.sending import send as send_thing

    parts = {"where": where, "bbox": bbox, "cone": cone, "rows": rows}
    desk = desk_of(context)
    request = ask(thing, start, stop, params=read_params(param), **{k: v for k, v in parts.items() if v})
    with progress_bar(thing) as progress:
        names = send_thing(desk, _found(desk, thing, request), to, progress)
    typer.echo(f"sent to {', '.join(names)}")


@app.command()
def listen(
    to: Annotated[Path | None, typer.Option(help="Folder that tables are kept in, as Parquet.")] = None,
    count: Annotated[int, typer.Option("-n", "--count", help="End after so many messages; 0: never.", min=0)] = 0,
    seconds: Annotated[float, typer.Option(help="End after so long; 0: never.", min=0)] = 0.0,
    largest: Annotated[float, typer.Option(help="Megabytes that a table may have.", min=0.001)] = 256.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each.")] = False,
) -> None:
    """Take tables and marked rows that other programs send; Ctrl-C ends it."""
    from armillary.services.samp_inbox import listen as listen_to

    def ready() -> None:
        typer.echo("Armillary is on the SAMP hub; send it a table", err=True)

    with TemporaryDirectory(prefix="armillary-") as passing, progress_bar("samp") as progress:
        folder = to.expanduser() if to else Path(passing)
        size = int(largest * 2**20)
        for one in listen_to(folder, count=count, seconds=seconds, largest=size, progress=progress, ready=ready):
            _print(one, kept=to is not None, as_json=as_json)


def _found(desk: "Desk", thing: str, request: object) -> "Thing":
    """Take a name for a file if there is one, for a catalogue if there is one, else for a product."""
    from armillary.model import Request
    from armillary.services.sending import Thing

    if Path(thing).expanduser().is_file():
        return Thing(file=Path(thing).expanduser())
    if thing in {one.name for one in desk.catalogues.catalogues()}:
        return Thing(catalogue=thing)
    assert isinstance(request, Request)  # noqa: S101 - tells mypy
    return Thing(request=request)


def _print(one: "Arrival", *, kept: bool, as_json: bool) -> None:
    if as_json:
        told = {name: getattr(one, name) for name in ("kind", "sender", "name", "rows", "columns", "values", "problem")}
        typer.echo(json.dumps(told | {"path": str(one.path) if kept and one.path else None}, default=str))
    elif one.kind == "refused":
        typer.echo(f"armillary: warning: {one.name} from {one.sender} was refused: {one.problem}", err=True)
    elif one.kind == "row":
        typer.echo(f"row {one.rows} of {one.name}: {json.dumps(one.values, default=str)}")
    else:
        typer.echo(f"{one.name} from {one.sender}: {one.rows:,} rows of {len(one.columns)} columns")
        typer.echo(str(one.path) if kept else _start(one))


def _start(one: "Arrival") -> str:
    from pyarrow import parquet

    assert one.path is not None  # noqa: S101 - a table has one
    rows = next(parquet.ParquetFile(one.path).iter_batches(_SHOWN), None)
    return str(rows.to_pandas().to_string()) if rows is not None else ", ".join(one.columns)
