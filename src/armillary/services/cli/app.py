"""The commands in the order in which `armillary --help` shows them."""

from typing import TYPE_CHECKING, Annotated

import typer

from armillary import __version__
from armillary.services.cli import archives, cache, catalogue, data, jobs, missions, page, pictures, tree

if TYPE_CHECKING:
    from collections.abc import Callable


def build() -> typer.Typer:
    """Put the command line together."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="One workbench for the data of space missions.",
    )
    app.callback()(_common)
    commands: tuple[Callable[..., None], ...] = (
        tree.tree, data.get, pictures.plot, archives.open_, archives.add, archives.archives, archives.refresh,
        archives.remove, missions.missions, page.desk,
    )  # fmt: skip
    for command in commands:
        app.command(command.__name__.rstrip("_"))(command)
    app.add_typer(catalogue.app, name="catalogue")
    app.add_typer(cache.app, name="cache")
    app.add_typer(jobs.app, name="jobs")
    return app


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"armillary {__version__}")
        raise typer.Exit


def _common(
    context: typer.Context,
    archive: Annotated[list[str] | None, typer.Option(help="A folder of files that is an archive too.")] = None,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    context.obj = tuple(archive or ())
