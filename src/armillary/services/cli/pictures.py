"""``armillary plot``: products into one picture."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from armillary.errors import BadParameter, BadRequest, CannotWrite
from armillary.model import Request
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
    at: Annotated[str | None, typer.Option(help="Time that planes and volumes are drawn for.")] = None,
    offline: data.Offline = False,
) -> None:
    """Draw products in stacked panels: .png .svg .pdf .html."""
    from armillary.plots import save

    check_picture(output)
    parts = {name: text for name, text in (("where", where), ("bbox", bbox), ("cone", cone), ("rows", rows)) if text}
    wanted = ask(products[0], start, stop, params=data.read_params(param), **parts)
    desk = desk_of(context)
    requests = _each(desk, wanted, expand(desk, products))
    with progress_bar("making") as progress:
        view = desk.view(requests, progress, at=at, title=title, catalogues=catalogue or (), offline=offline)
        if not view.panels:
            raise data.nothing(" ".join(one.product for one in requests), wanted)
        typer.echo(save(view, output, progress))


def _each(desk: Desk, wanted: Request, paths: list[str]) -> list[Request]:
    """Ask the same of each product; a parameter goes to those that have it, and at least one must."""
    leaves = [desk.product(path) for path in paths]
    has = [{one.name for one in leaf.parameters} for leaf in leaves]
    lost = set(wanted.params) - set().union(*has)
    if lost:
        raise BadParameter(f"none of the products has a parameter {min(lost)!r}", "see `armillary tree PATH`")
    return [
        replace(wanted, product=path, params={name: value for name, value in wanted.params.items() if name in mine})
        for path, mine in zip(paths, has, strict=True)
    ]


def check_picture(output: Path) -> None:
    """Refuse a file that no picture can be written to, before any work is done.

    Raises
    ------
    BadRequest, CannotWrite
    """
    from armillary.plots import check_ending

    check_ending(output)
    folder = output.expanduser().parent
    if not folder.is_dir():
        raise CannotWrite(f"cannot save {output}: there is no folder {folder}", f"make it: mkdir -p {folder}")


def expand(desk: Desk, wanted: list[str]) -> list[str]:
    """Give the leaves that are meant: a path is itself, ``*`` and ``?`` stand for many."""
    found: list[str] = []
    for one in wanted:
        found += match(desk.inventory, one) if any(mark in one for mark in "*?[") else [one.strip("/")]
    if not found:
        raise BadRequest(f"no product fits {' '.join(wanted)}", "see `armillary tree --search WORDS`")
    return found
