"""How files become samples: one module a layout, all with ``read(path, options) -> xarray.Dataset``."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadParameter
from armillary.learn.samples import check_samples

if TYPE_CHECKING:
    import xarray as xr

#: Name of each layout and the module that reads it.
LAYOUTS: Final[dict[str, str]] = {
    "arrays": "arrays",
    "channels": "channels",
    "ranking": "ranking",
    "raster": "raster",
    "rows": "rows",
    "table": "table",
    "timeline": "timeline",
}
#: What layouts that make the labels themselves call the class that is looked for.
_POSITIVE: Final[dict[str, str]] = {"channels": "anomaly", "ranking": "novel", "timeline": "event"}


def read_samples(layout: str, path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read samples from a file or folder.

    Parameters
    ----------
    layout : str
        A name of `LAYOUTS`.
    path : Path
    options : mapping
        What the layout takes.

    Raises
    ------
    BadParameter
        If the layout is unknown, the path is missing, or an option is wrong.
    """
    if layout not in LAYOUTS:
        raise BadParameter(f"there is no layout {layout!r}", f"give one of {', '.join(LAYOUTS)}")
    if not path.exists():
        raise BadParameter(f"there is nothing at {path}", "give the path, or set ARMILLARY_DATA to the folder of data")
    module = import_module(f"armillary.learn.layouts.{LAYOUTS[layout]}")
    return check_samples(module.read(path, dict(options)))


def positive_class(layout: str, options: Mapping[str, Any]) -> str:
    """Give the class that a layout's option ``positive`` names, or that the layout itself looks for; empty if none.

    Examples
    --------
    >>> positive_class("timeline", {"positive": "icme"}), positive_class("timeline", {}), positive_class("table", {})
    ('icme', 'event', '')
    """
    return str(options.get("positive", _POSITIVE.get(layout, "")))
