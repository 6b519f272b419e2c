"""``armillary get``: a product's data into a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from armillary.errors import BadParameter, NoData
from armillary.model import Data, Request
from armillary.services.cli.session import Bar, desk_of, progress_bar
from armillary.services.desk import Desk, ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Product = Annotated[str, typer.Argument(help="Path of a leaf, see `armillary tree`.")]
Start = Annotated[str | None, typer.Option(help="First time, UTC, e.g. 2015-10-17T04:00.")]
Stop = Annotated[str | None, typer.Option(help="End, not included.")]
Params = Annotated[list[str] | None, typer.Option("--param", help="name=value; may be repeated.")]
Where = Annotated[str | None, typer.Option(help="Only rows or times for which this holds, e.g. 'b > 10'.")]
Bbox = Annotated[str | None, typer.Option(help="west,south,east,north in degrees.")]
Cone = Annotated[str | None, typer.Option(help="ra,dec,radius in degrees.")]
Rows = Annotated[str | None, typer.Option(help="start,stop rows or lines, from 0.")]
_OPTION: Final = {"box": "bbox"}
Columns = Annotated[str | None, typer.Option(help="Names of columns, separated by commas, where there is a choice.")]
Offline = Annotated[bool, typer.Option("--offline", help="Only what is in the cache; holes are told.")]


def get(
    context: typer.Context,
    product: Product,
    start: Start = None,
    stop: Stop = None,
    param: Params = None,
    where: Where = None,
    bbox: Bbox = None,
    cone: Cone = None,
    rows: Rows = None,
    columns: Columns = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; its ending says how.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be done and its cost, and do nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --plan: print JSON.")] = False,
    offline: Offline = False,
    background: Annotated[bool, typer.Option("--background", help="Run as a job, see `armillary jobs`.")] = False,
) -> None:
    """Get a product's data: .nc .zarr .csv .parquet .cdf .vot .fits .tif."""
    parts = {"where": where, "bbox": bbox, "cone": cone, "rows": rows}
    params = read_params(param) | ({"columns": columns} if columns else {})
    request = ask(product, start, stop, params=params, **{k: v for k, v in parts.items() if v})
    if output and not plan:
        from armillary.sources import check_path

        check_path(output)
    desk = desk_of(context)
    if plan:
        _print_plan(desk, request, as_json=as_json)
    elif background:
        _submit(context, desk, request, output)
    elif output is None:
        _print_data(desk, request, offline=offline)
    else:
        typer.echo(save(desk, request, output, offline=offline))


def read_params(texts: list[str] | None) -> dict[str, str]:
    """Read ``name=value`` texts.

    Raises
    ------
    BadParameter
        If one has no equals sign.
    """
    pairs = [text.partition("=") for text in texts or ()]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise BadParameter(f"{wrong[0]!r} is not a parameter", "write --param name=value")
    return {name.strip(): value.strip() for name, _, value in pairs}


def save(desk: Desk, request: Request, output: Path, *, offline: bool = False) -> Path:
    """Write what a request asks for, block by block."""
    from armillary.sources import write

    with progress_bar(request.product) as bar:
        parts = _not_nothing(desk.blocks(request, bar, offline=offline), request)
        saved = write(_one_by_one(parts, bar), output)
        bar.check()
        return saved


def _one_by_one(blocks: "Iterable[Data]", bar: Bar) -> "Iterator[Data]":
    """Pass blocks on and take Ctrl-C between them, not while a library writes one."""
    for block in blocks:
        with bar.held():
            yield block


def nothing(what: str, request: Request) -> NoData:
    """Give the error that says that nothing lies in an extent, naming what was asked."""
    asked = request.extent.to_record()
    parts = [f"--{_OPTION.get(name, name)} {_written(value)}" for name, value in asked.items() if name != "time"]
    when = f" in {request.extent.time}" if request.extent.time else ""
    fits = f" that fits {' '.join(parts)}" if parts else ""
    wider = " or ".join([*(["another time"] if when else []), *(f"a wider {one.split()[0]}" for one in parts)])
    return NoData(f"{what} has nothing{when}{fits}", f"ask for {wider or 'something else'}; see `armillary tree PATH`")


def _written(value: Any) -> str:
    return ",".join(f"{number:g}" for number in value) if isinstance(value, list) else repr(value)


def _not_nothing(blocks: "Iterable[Data]", request: Request) -> "Iterator[Data]":
    """Pass blocks on; if all of them are empty, say so before a file comes to be."""
    from armillary.products import is_empty

    empty = True
    for block in blocks:
        if not is_empty(block):
            empty = False
            yield block
    if empty:
        raise nothing(request.product, request)


def _print_data(desk: Desk, request: Request, *, offline: bool) -> None:
    with progress_bar(request.product) as progress:
        data = desk.answer(request, progress, offline=offline)
    typer.echo(str(data) if hasattr(data, "isel") else data.slice(0, 20).to_pandas().to_string())
    typer.echo("add -o FILE to save it: .nc .zarr .csv .parquet .cdf .vot .fits .tif", err=True)


def _print_plan(desk: Desk, request: Request, *, as_json: bool) -> None:
    made = desk.plan(request)
    if as_json:
        typer.echo(json.dumps(made.to_record(), indent=1))
        return
    for number, step in enumerate(made.to_record()["steps"], 1):
        size = f"{step['bytes'] / 1e6:.3g} MB" if step["bytes"] is not None else "unknown size"
        rows = f"{step['rows']:,} rows" if step["rows"] is not None else "unknown rows"
        typer.echo(f"{number}. {step['does']}: {step['product']}  ({rows}, {size})")
    stored = desk.cache.stored(made.answer.product, made.answer.request) if made.answer.request.extent.time else []
    typer.echo(f"in {made.blocks} block(s); in the cache: {'; '.join(map(str, stored)) or 'nothing'}")


def _submit(context: typer.Context, desk: Desk, request: Request, output: Path | None) -> None:
    from armillary.services.tasks import submit_get

    number = submit_get(desk, request, output, context.obj or ())
    typer.echo(f"job {number}; see `armillary jobs show {number}`")
