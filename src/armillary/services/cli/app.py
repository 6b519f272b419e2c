"""The commands in the order in which `armillary --help` shows them; only the module of the one asked for is loaded."""

from importlib import import_module
from typing import Annotated, Final

import typer

from armillary import __version__

#: Each command and the module that has it; one that has an ``app`` of its own is a group of commands.
_COMMANDS: Final = {
    "tree": "tree",
    "get": "data",
    "adql": "adql",
    "plot": "pictures",
    "open": "archives",
    "add": "archives",
    "archives": "archives",
    "refresh": "archives",
    "remove": "archives",
    "missions": "missions",
    "desk": "page",
    "catalogue": "catalogue",
    "subset": "subset",
    "study": "study",
    "apply": "apply",
    "label": "label",
    "score": "score",
    "samp": "samp",
    "datalab": "datalab",
    "cache": "cache",
    "jobs": "jobs",
}


def build(asked: str = "") -> typer.Typer:
    """Put the command line together.

    Parameters
    ----------
    asked : str
        Name of the only command that is needed; all if it is none of them.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="One workbench for the data of space missions.",
    )
    app.callback()(_common)
    for name in [asked] if asked in _COMMANDS else _COMMANDS:
        module = import_module(f"armillary.services.cli.{_COMMANDS[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            function = getattr(module, f"{name}_" if name == "open" else name)
            app.command(name)(function)
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
