"""One page that holds its data and its program: it opens from a disk, without network, in years to come."""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from armillary.plots.view import View

#: The folder of the canvas renderer, which the desk serves as it is.
STATIC: Final = Path(__file__).parent / "static"
#: The modules of the renderer, each after those that it imports.
MODULES: Final = (
    "colours.js",
    "record.js",
    "axes.js",
    "ticks.js",
    "painters.js",
    "frames.js",
    "solids.js",
    "panels.js",
)
_IMPORT: Final = re.compile(r"^import\s[^;]*;\s*$", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export\s+(?=const|function|class)", re.MULTILINE)
#: The page may run its own program and nothing else, and may not call anybody.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def page(view: "View", max_points: int = 20_000) -> str:
    """Write a view as one HTML page.

    Everything that came from archives is escaped, in the page and in its data.

    Parameters
    ----------
    max_points : int
        Points of a line and columns of a spectrogram that the page keeps, so that there is something to zoom into.
    """
    title = escape(view.title or "Armillary")
    about = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in view.about.items())
    notes = "".join(
        f"<li>panel {number}: {escape('; '.join(panel.notes))}</li>"
        for number, panel in enumerate(view.panels, 1)
        if panel.notes
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="generator" content="Armillary">
<meta name="description" content="{escape(view.summary)}">
<title>{title}</title>
<style>
{_static("styles.css")}
</style>
</head>
<body class="arm-page">
<h1>{title}</h1>
<div id="view"></div>
<p class="arm-help">Drag to move, wheel to zoom, Shift and drag for a box, double click or Home for all;
arrow keys, + and - when the picture has the focus; click a name to hide its line.</p>
{f'<ul class="arm-notes">{notes}</ul>' if notes else ""}
<details class="arm-about"><summary>Where this came from</summary><dl>{about}</dl></details>
<script type="application/json" id="record">{_script_json(view, max_points)}</script>
<script type="module">
{bundle()}
const record = JSON.parse(document.getElementById("record").textContent);
window.armillary = new Panels(document.getElementById("view"), decode(record));
</script>
</body>
</html>
"""


@cache
def bundle() -> str:
    """Join the modules of the renderer into one text without imports."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", _static(name))) for name in MODULES)


def _script_json(view: "View", max_points: int) -> str:
    """Write JSON that cannot end the element it stands in."""
    text = json.dumps(view.to_record(max_points), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")
