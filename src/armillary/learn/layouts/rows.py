"""Text with one series a line and the class first, as the UCR archive and its followers write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter, DamagedFile, MissingExtra, one_line
from armillary.learn.keys import check_keys

if TYPE_CHECKING:
    import xarray as xr

_OPTIONS: Final = {"alike": int, "channels": int, "classes": Mapping[str, str], "coordinates": str}


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read series of equal length as samples: the variable ``series``, (sample, channel, step).

    Parameters
    ----------
    path : Path
        Numbers apart by blanks or commas, the class in the first column.
    options : mapping
        ``classes``: names of the numbers of the classes, ``{"1" = "forest"}``. ``channels``: how many series follow one
        another in a line; 1 if left out. ``coordinates``: a file beside it, with one x, y a line. ``alike``: series are
        put into at most this many groups of alike ones (k-means), the variable ``group``, so that near copies, such as
        pixels of one field, can be held out together where nobody wrote down where they lie.

    Raises
    ------
    BadParameter, DamagedFile
    """
    import xarray as xr

    check_keys("layout 'rows'", options, _OPTIONS, "options")
    table = _numbers(path)
    channels = int(options.get("channels", 1))
    if channels < 1 or (table.shape[1] - 1) % channels:
        raise BadParameter(f"{table.shape[1] - 1} numbers a line are no {channels} series", "give option 'channels'")
    names = {str(key): str(name) for key, name in dict(options.get("classes", {})).items()}
    labels = ["" if np.isnan(one) else f"{one:g}" for one in table[:, 0]]
    data: dict[str, Any] = {
        "series": (("sample", "channel", "step"), table[:, 1:].reshape(len(table), channels, -1)),
        "label": ("sample", np.array([names.get(one, one) for one in labels], object)),
    }
    if "coordinates" in options:
        places = _numbers(path.parent / str(options["coordinates"]))
        if len(places) != len(table):
            raise DamagedFile(f"{len(places)} coordinates for {len(table)} series", "name the file of these series")
        data |= {name: ("sample", places[:, at]) for at, name in enumerate(("x", "y"))}
    if "alike" in options:
        data["group"] = ("sample", _groups(table[:, 1:], int(options["alike"])))
    return xr.Dataset(data)


def _groups(series: Any, number: int) -> Any:
    """Give the names of groups of alike series; labels are not looked at."""
    try:
        from sklearn.cluster import KMeans
    except ModuleNotFoundError as failed:
        raise MissingExtra("the option 'alike' needs scikit-learn", "pip install 'armillary[learn]'") from failed
    distinct, place = np.unique(np.nan_to_num(series), axis=0, return_inverse=True)
    if number < 1:
        raise BadParameter(f"alike = {number} makes no group", "give the number of groups")
    found = KMeans(min(number, len(distinct)), n_init=1, max_iter=50, random_state=0).fit(distinct).labels_
    return found[place.reshape(-1)].astype(str).astype(object)


def _numbers(path: Path) -> Any:
    try:
        text = path.read_text("utf-8").replace(",", " ")
        table = np.array([line.split() for line in text.splitlines() if line.strip()], np.float64)
    except (OSError, ValueError) as failed:
        hint = "every line must have the same count of numbers, the class first"
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", hint) from failed
    if table.ndim != 2 or table.shape[1] < 2:
        raise DamagedFile(f"{path.name} holds no series", "every line is a class and its numbers")
    return table
