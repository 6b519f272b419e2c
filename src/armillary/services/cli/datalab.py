"""``armillary datalab``: a package that an archive can build and offer."""

from pathlib import Path
from typing import Annotated

import typer

from armillary.services.cli.data import Bbox, Cone, Params, Where, read_params
from armillary.services.cli.session import desk_of


def datalab(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    contact: Annotated[str, typer.Option(help="E-mail address of who answers questions.")],
    creator: Annotated[str, typer.Option(help="Who made it.")],
    table: Annotated[
        str, typer.Option(metavar="PRODUCT", help="Table of sources that the notebook opens.")
    ] = "simulated/stars/photometry",
    run: Annotated[Path | None, typer.Option(help="Run folder of the model that classifies them.")] = None,
    title: Annotated[str, typer.Option(help="Made of the table if left out.")] = "",
    short: Annotated[str, typer.Option(help="A shorter name.")] = "",
    abstract: Annotated[str, typer.Option(help="What it is for, in a sentence.")] = "",
    release: Annotated[str, typer.Option(help="Version of the package.")] = "0.1.0",
    licence: Annotated[str, typer.Option(help="Licence of the package.")] = "MIT",
    where: Where = None,
    bbox: Bbox = None,
    cone: Cone = None,
    param: Params = None,
    wheel: Annotated[Path | None, typer.Option(help="A wheel of Armillary to install, where no index has it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of a package that is there.")] = False,
) -> None:
    """Write a package as ESA Datalabs takes it: image, environment, notebook, metadata."""
    from armillary.services.datalab import About, Content, make_package

    desk = desk_of(context)
    product = desk.product(table)
    told = About(
        title=title or f"Armillary: {product.title}",
        abstract=abstract or " ".join((product.description or product.title).split())[:500],
        contact=contact, creator=creator, short=short, release=release, licence=licence,
    )  # fmt: skip
    parts = {name: text for name, text in (("where", where), ("bbox", bbox), ("cone", cone)) if text}
    params = {"params": product.read_params(dict(read_params(param)))} if param else {}
    made = make_package(desk, folder.expanduser(), told, Content(product.path, parts | params, run, wheel), force=force)
    typer.echo(str(made))
