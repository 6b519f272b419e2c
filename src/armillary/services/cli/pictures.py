"""``armillary plot``: products into one picture."""

from pathlib import Path
from typing import Annotated

import typer

from armillary.errors import BadRequest, NoData
from armillary.services.cli import data
from armillary.services.cli.session import desk_of, progress_bar
from armillary.services.desk import Desk, ask
from armillary.tree import match


def plot(
    context: typer.Context,
    products: Annotated[list[str], typer.Argument(help="Paths of leaves, drawn below each other.")],
    start: data.Start = None,
    stop: data.Stop = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="File: .png .svg .pdf .html")] = Path("plot.png"),
    param: data.Params = None,
    where: data.Where = None,
    bbox: data.Bbox = None,
    cone: data.Cone = None,
    rows: data.Rows = None,
    catalogue: Annotated[list[str] | None, typer.Option(help="Catalogue whose events are drawn.")] = None,
    title: Annotated[str, typer.Option(help="Title of the picture.")] = "",
    offline: data.Offline = False,
) -> None:
    """Draw products in stacked panels: .png .svg .pdf .html."""
    from armillary.plots import check_ending, save

    check_ending(output)
    desk = desk_of(context)
    parts = {name: text for name, text in (("where", where), ("bbox", bbox), ("cone", cone), ("rows", rows)) if text}
    requests = [ask(path, start, stop, params=data.read_params(param), **parts) for path in expand(desk, products)]
    with progress_bar("making") as progress:
        view = desk.view(requests, progress, title=title, catalogues=catalogue or (), offline=offline)
        if not view.panels:
            raise NoData("there is nothing to draw in this time", "ask for another time, see `armillary tree PATH`")
        typer.echo(save(view, output, progress))


def expand(desk: Desk, wanted: list[str]) -> list[str]:
    """Give the leaves that are meant: a path is itself, ``*`` and ``?`` stand for many."""
    found: list[str] = []
    for one in wanted:
        found += match(desk.inventory, one) if any(mark in one for mark in "*?[") else [one]
    if not found:
        raise BadRequest(f"no product fits {' '.join(wanted)}", "see `armillary tree --search WORDS`")
    return found
