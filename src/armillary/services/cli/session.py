"""What every command needs: the desk with the archives that were named, and a progress bar that Ctrl-C stops."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from armillary.model import Progress, silent
from armillary.services.desk import Desk
from armillary.services.desk import open as open_desk


class Bar:
    """A `Progress` that shows itself and raises `KeyboardInterrupt` after Ctrl-C.

    Python raises an interrupt wherever it is just then; libraries in C may swallow one that comes in their callbacks.
    So it is remembered, and raised again at the next step.
    """

    def __init__(self, show: Progress) -> None:
        self._show = show
        self._asked = False
        self._held = False

    def __call__(self, fraction: float, message: str = "") -> None:
        """Show how far the work is."""
        self.check()
        self._show(fraction, message)

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if Ctrl-C was pressed."""
        if self._asked:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep one Ctrl-C back until the end of a short stretch in which a library writes; a second is not kept."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()

    def interrupt(self, _number: int, _frame: Any) -> None:
        """Take Ctrl-C."""
        again, self._asked = self._asked, True
        if again or not self._held:
            raise KeyboardInterrupt


def desk_of(context: typer.Context) -> Desk:
    """Open the desk with the folders named by ``--archive``; archives that could not be listed are told on stderr."""
    with progress_bar("listing") as progress:
        desk = open_desk(*(context.obj or ()), progress=progress)
    for key, problem in desk.problems.items():
        typer.echo(f"armillary: warning: archive {desk.archives[key].name}: {problem}", err=True)
    return desk


@contextmanager
def progress_bar(title: str) -> Iterator[Bar]:
    """Show a bar on stderr while the work lasts; nothing is shown where stderr is not a terminal."""
    if not sys.stderr.isatty():
        with _interruptible(Bar(silent)) as bar:
            yield bar
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(escape(title), total=1.0)

        def show(fraction: float, message: str = "") -> None:
            bars.update(task, completed=fraction, description=escape(message or title))

        with _interruptible(Bar(show)) as bar:
            yield bar


@contextmanager
def _interruptible(bar: Bar) -> Iterator[Bar]:
    if threading.current_thread() is not threading.main_thread():
        yield bar
        return
    before = signal.signal(signal.SIGINT, bar.interrupt)
    try:
        yield bar
    finally:
        signal.signal(signal.SIGINT, before)
