"""HDF5 files of arrays whose first size is the number of samples."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadParameter, DamagedFile, one_line

if TYPE_CHECKING:
    import xarray as xr


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read arrays as samples; their other sizes get the dimensions ``<name>_1``, ``<name>_2``...

    Parameters
    ----------
    path : Path
    options : mapping
        ``label``: the array of the classes. ``classes``: names of its numbers, ``{"0" = "solar wind"}``. ``arrays``:
        which to take; all if left out.

    Raises
    ------
    BadParameter, DamagedFile
    """
    import xarray as xr

    unknown = sorted(set(options) - {"label", "classes", "arrays"})
    if unknown:
        raise BadParameter(f"layout 'arrays' does not know {unknown[0]!r}", "its options are label, classes, arrays")
    found = _arrays(path)
    label = str(options.get("label", "label"))
    wanted = list(options.get("arrays", ())) or [name for name in found if name != label]
    lost = [name for name in (label, *wanted) if name not in found]
    if lost:
        raise BadParameter(f"{path.name} has no array {lost[0]!r}", f"it has {', '.join(found)}")
    size = len(found[label])
    odd = [name for name in wanted if found[name].shape[:1] != (size,)]
    if odd:
        raise BadParameter(f"{odd[0]!r} of {path.name} has not one row a label", "leave it out of 'arrays'")
    names = {str(key): str(name) for key, name in dict(options.get("classes", {})).items()}
    labels = [f"{float(one):g}" for one in found[label].reshape(size)]
    data: dict[str, Any] = {name: (_dims(name, found[name].ndim), found[name]) for name in wanted}
    return xr.Dataset(data | {"label": ("sample", np.array([names.get(one, one) for one in labels], object))})


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
