"""What every command needs: the desk with the archives that were named, and a progress bar."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from armillary.model import Progress, silent
from armillary.services.desk import Desk
from armillary.services.desk import open as open_desk


def desk_of(context: typer.Context) -> Desk:
    """Open the desk with the folders named by ``--archive``; archives that could not be listed are told on stderr."""
    with progress_bar("listing") as progress:
        desk = open_desk(*(context.obj or ()), progress=progress)
    for key, problem in desk.problems.items():
        typer.echo(f"armillary: warning: archive {desk.archives[key].name}: {problem}", err=True)
    return desk


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show a bar on stderr while the work lasts; nothing where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=1.0)

        def tell(fraction: float, message: str = "") -> None:
            bars.update(task, completed=fraction, description=message or title)

        yield tell
