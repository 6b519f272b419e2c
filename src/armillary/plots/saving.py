"""Write a picture; the ending of the file decides how."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import BadRequest, CannotWrite
from armillary.model.protocols import silent

if TYPE_CHECKING:
    from armillary.model import Progress
    from armillary.plots.view import View

ENDINGS: Final = (".html", ".pdf", ".png", ".svg")


def save(
    view: "View",
    path: Path | str,
    progress: "Progress" = silent,
    *,
    width: float = 9.0,
    height: float | None = None,
    dpi: float = 150,
) -> Path:
    """Write a picture, all of it or nothing.

    Parameters
    ----------
    path : Path
        Ends in ``.png .svg .pdf`` (on paper) or ``.html`` (one page that can be moved and zoomed, without network).
    width, height : float
        Inches; without a height it follows from the panels. A page fills its window instead.
    dpi : float
        Pixels per inch of a PNG and of the spectrograms and images in SVG and PDF.

    Raises
    ------
    BadRequest
        If the ending is another, or the size is not one.
    CannotWrite
        If the file cannot be written; nothing is left behind.
    Cancelled
        If `progress` says so; nothing is left behind.
    """
    path = Path(path)
    kind = check_ending(path)
    if not (1 <= width <= 100 and 1 <= (height or 1) <= 400 and 10 <= dpi <= 1200):
        raise BadRequest(
            f"a picture of {width} x {height} inches at {dpi} dpi", "give 1..100 x 1..400 inches, 10..1200 dpi"
        )
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write(view, aside, kind[1:], progress, width, height, dpi)
        aside.replace(path)
    except OSError as broken:
        raise CannotWrite(
            f"cannot write {path}: {broken.strerror or broken}", "choose another place or free some space"
        ) from broken
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    progress(1.0, f"wrote {path.name}")
    return path


def check_ending(path: Path | str) -> str:
    """Give the ending of a picture's file, so that a wrong one is told before any work is done.

    Raises
    ------
    BadRequest
        If no picture can be written with this ending.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise BadRequest(f"a picture cannot be written as {path.name!r}", f"end the name with {' '.join(ENDINGS)}")
    return kind


def _write(
    view: "View", aside: Path, kind: str, progress: "Progress", width: float, height: float | None, dpi: float
) -> None:
    with aside.open("wb") as file:
        if kind == "html":
            from armillary.plots.page import page

            file.write(page(view).encode())
        else:
            from armillary.plots.figure import write_figure

            write_figure(view, file, kind, progress, width=width, height=height, dpi=dpi)
