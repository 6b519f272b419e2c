"""HDF5 files of arrays whose first size is the number of samples."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter, DamagedFile, one_line
from armillary.learn.keys import check_keys

if TYPE_CHECKING:
    import xarray as xr

_OPTIONS: Final = {"arrays": tuple[str, ...], "classes": Mapping[str, str], "label": str, "runs": int}


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read arrays as samples; their other sizes get the dimensions ``<name>_1``, ``<name>_2``...

    Parameters
    ----------
    path : Path
    options : mapping
        ``label``: the array of the classes. ``classes``: names of its numbers, ``{"0" = "solar wind"}``. ``arrays``:
        which to take; all if left out. ``runs``: rows stand in the order of time, and this many that follow one another
        with one label are a ``group``, so that neighbours can be held out together.

    Raises
    ------
    BadParameter, DamagedFile
    """
    import xarray as xr

    check_keys("layout 'arrays'", options, _OPTIONS, "options")
    found = _arrays(path)
    label = str(options.get("label", "label"))
    wanted = list(options.get("arrays", ())) or [name for name in found if name != label]
    lost = [name for name in (label, *wanted) if name not in found]
    if lost:
        raise BadParameter(f"{path.name} has no array {lost[0]!r}", f"it has {', '.join(found)}")
    size = len(found[label])
    if found[label].size != size:
        raise BadParameter(f"{label!r} of {path.name} has more than one number a sample", "name the array of classes")
    odd = [name for name in wanted if found[name].shape[:1] != (size,)]
    if odd:
        raise BadParameter(f"{odd[0]!r} of {path.name} has not one row a label", "leave it out of 'arrays'")
    names = {str(key): str(name) for key, name in dict(options.get("classes", {})).items()}
    labels = ["" if one != one else f"{float(one):g}" for one in found[label].reshape(size)]  # noqa: PLR0124 - NaN
    data: dict[str, Any] = {name: (_dims(name, found[name].ndim), found[name]) for name in wanted}
    data["label"] = ("sample", np.array([names.get(one, one) for one in labels], object))
    if "runs" in options:
        data["group"] = ("sample", _runs(np.array(labels, object), int(options["runs"])))
    return xr.Dataset(data)


def _runs(labels: Any, most: int) -> Any:
    """Give the names of runs of at most so many rows with one label."""
    if most < 1:
        raise BadParameter(f"runs = {most} rows is no run", "give 1 or more")
    rows = np.arange(len(labels))
    begins = np.concatenate([[True], labels[1:] != labels[:-1]])
    start = np.maximum.accumulate(np.where(begins, rows, 0))
    run = np.cumsum((rows - start) % most == 0)
    return np.array([f"run {number}" for number in run], object)


def _dims(name: str, count: int) -> tuple[str, ...]:
    return ("sample", *(f"{name}_{number}" for number in range(1, count)))


def _arrays(path: Path) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}

    def take(name: str, one: Any) -> None:
        if isinstance(one, h5py.Dataset) and one.ndim and one.dtype.kind in "fiub":
            found[name] = one[...]

    try:
        with h5py.File(path) as file:
            file.visititems(take)
    except (OSError, RuntimeError) as failed:
        raise DamagedFile(
            f"cannot read {path.name} as HDF5: {one_line(str(failed))}", "give a whole .h5 file"
        ) from failed
    return found
