"""NetCDF 3 and 4 and HDF5 by xarray: variables with a time axis and grids with map coordinates."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, DamagedFile
from armillary.model import Data, Extent, Interval, Progress
from armillary.model.times import to_datetime64
from armillary.science.trim import trim
from armillary.sources.files import gridded, instants
from armillary.sources.files.damage import named
from armillary.sources.files.names import date_of
from armillary.sources.files.summary import Summary, Variable

if TYPE_CHECKING:
    import xarray as xr

#: More than this many leaves in one file is a simulation's dump and not an archive's product.
_MOST: Final = 5_000


def describe(path: Path) -> Summary:
    """Say what a file holds; reads its coordinates only.

    Raises
    ------
    DamagedFile
        If it cannot be opened or its coordinates cannot be read.
    BadData
        If its arrays have neither a time axis nor map coordinates.
    """
    with named(path):
        found, shapes, attrs = _survey(path)
    if not found:
        some = ", ".join(shapes[:4]) + (" ..." if len(shapes) > 4 else "")
        raise BadData(
            f"{path.name} has no array with a time axis or map coordinates; it has {some or 'no arrays'}",
            "name a 1-D array time (with units like 'seconds since ...'), or its axes lat and lon",
        )
    variables = tuple(one for one, _ in found)
    spans = [span for _, span in found if span]
    hull = Interval(min(one.start for one in spans), max(one.stop for one in spans)) if spans else None
    grids = all(one.kind == "raster" for one in variables)
    return Summary(
        format=_format(path),
        variables=variables[:_MOST],
        dataset=_attr(attrs, "logical_source"),
        title=_attr(attrs, "title", "logical_source_description", "text")[:300],
        coverage=hull or (date_of(path.stem) if grids else None),
        shape=" ".join(shapes) if grids else "",
        citation=_attr(attrs, "citation", "references", "acknowledgement", "acknowledgment", "doi")[:500],
        licence=_attr(attrs, "license", "licence", "rules_of_use")[:300],
        selects=("time", "box") if grids else ("time",),
    )


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data:
    """Read one variable (``group/name`` inside groups) with its coordinates; only what lies inside is loaded.

    Notes
    -----
    O(samples inside the extent) plus the time axis; HDF5 reads whole chunks.
    """
    group, _, name = variable.rpartition("/")
    with named(path), _opened(path, group) as dataset:
        progress(0.1, path.name)
        if name not in dataset.data_vars:
            raise DamagedFile(f"{path.name} has no variable {variable!r} any more", "index its folder again")
        lazy = gridded.shape(dataset, name)
        part = _dated(lazy, path) if gridded.kind(lazy, name) == "raster" else lazy
        loaded = _cut(part, extent).load()
        progress(0.9, path.name)
    return gridded.settle(loaded)


def _survey(path: Path) -> tuple[list[tuple[Variable, Interval | None]], list[str], dict[str, Any]]:
    found: list[tuple[Variable, Interval | None]] = []
    shapes: list[str] = []
    attrs: dict[str, Any] = {}
    for group in _groups(path):
        with _opened(path, group) as dataset:
            attrs = attrs or dict(dataset.attrs)
            for name in map(str, dataset.data_vars):
                shapes.append(f"{group + '/' if group else ''}{name} {tuple(dataset[name].sizes.values())}")
                one = _describe_variable(dataset, name)
                if one:
                    found.append((replace(one[0], name=f"{group}/{name}" if group else name), one[1]))
    return found, shapes, attrs


def _describe_variable(dataset: "xr.Dataset", name: str) -> tuple[Variable, Interval | None] | None:
    lazy = gridded.shape(dataset, name)
    kind = gridded.kind(lazy, name)
    if not kind:
        return None
    array = lazy[name]
    timed = "time" in array.dims
    times = lazy["time"].to_numpy() if timed else np.array([], "datetime64[ns]")
    rows = array.shape[0] if array.ndim else 1
    variable = Variable(
        name=name,
        title=str(array.attrs.get("long_name") or name),
        kind=kind,
        units=str(array.attrs["units"]),
        description=str(array.attrs.get("description") or array.attrs.get("CATDESC") or ""),
        rows=rows,
        row_bytes=array.dtype.itemsize * max(1, array.size // max(1, rows)),
        cadence=instants.cadence(times) if timed else None,
        shape=array.shape[1:] if timed else None,
        axes=gridded.axes(lazy, name) if timed else (),
    )
    return variable, instants.span(times)


def _cut(lazy: "xr.Dataset", extent: Extent) -> "xr.Dataset":
    """Cut a dataset before its numbers are loaded; a box only where there are map coordinates."""
    wanted = extent.only("time", "box") if lazy.attrs.get("crs") else extent.only("time")
    if "time" in lazy.dims and wanted.time:
        # Times may be unsorted until they are settled: keep the smallest stretch that holds all inside.
        times = lazy["time"].to_numpy()
        inside = np.flatnonzero((times >= to_datetime64(wanted.time.start)) & (times < to_datetime64(wanted.time.stop)))
        lazy = lazy.isel(time=slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 0))
    found: Any = trim(lazy, wanted.without("time"))
    return found  # type: ignore[no-any-return]


def _dated(lazy: "xr.Dataset", path: Path) -> "xr.Dataset":
    date = date_of(path.stem)
    if "time" in lazy.dims or date is None:
        return lazy
    return lazy.expand_dims(time=[to_datetime64(date.start)])


@contextmanager
def _opened(path: Path, group: str) -> Iterator["xr.Dataset"]:
    """Open one group lazily, times and fill values decoded, without what xarray cannot hold."""
    import xarray as xr

    options: dict[str, Any] = {"decode_times": False, "mask_and_scale": True, "cache": False}
    if _is_hdf(path):
        leave = _unfit(path, group)
        options |= {"engine": "h5netcdf", "group": group or None, "phony_dims": "sort", "drop_variables": leave}
    else:
        options |= {"engine": "scipy"}
    with xr.open_dataset(path, **options) as dataset:
        yield gridded.decoded(dataset)


def _groups(path: Path) -> list[str]:
    """Name the groups that hold arrays, the root as ""."""
    if not _is_hdf(path):
        return [""]
    import h5py

    found: dict[str, None] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name.rpartition("/")[0]] = None

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return list(found)


def _unfit(path: Path, group: str) -> list[str]:
    """Name the arrays that are no plain numbers or texts (compounds, references, opaque), or empty."""
    import h5py

    with h5py.File(path, "r") as file:
        items = file[group or "/"].items()
        return [name for name, one in items if isinstance(one, h5py.Dataset) and _is_unfit(one)]


def _is_unfit(one: Any) -> bool:
    import h5py

    texts = h5py.check_string_dtype(one.dtype) is not None
    return one.shape is None or not (one.dtype.kind in "iufbSU" or texts)


def _is_hdf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _format(path: Path) -> str:
    if not _is_hdf(path):
        return "netCDF 3"
    return "netCDF 4" if path.suffix.lower() in {".nc", ".nc4"} else "HDF5"


def _attr(attrs: dict[str, Any], *names: str) -> str:
    known = {str(name).lower(): value for name, value in attrs.items()}
    return next((gridded.text(known[name]) for name in names if known.get(name) is not None), "")
