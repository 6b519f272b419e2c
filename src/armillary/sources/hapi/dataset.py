"""From decoded columns to an `xarray.Dataset` with the field's metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.sources.hapi.decode import Columns
from armillary.sources.hapi.info import Axis, Column, Info

if TYPE_CHECKING:
    import xarray as xr

#: What of the information about a dataset is kept as its attributes, under the server's names.
_KEPT: Final = (
    "description", "timeStampLocation", "cadence", "unitsSchema", "coordinateSystemSchema", "resourceURL",
    "resourceID", "datasetCitation", "citation", "license", "licenseURL", "contact", "modificationDate",
    "geoLocation", "location", "provenance", "note", "warning",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Naming:
    """Which names are taken in one dataset, so that two axes share a name only if they are the same."""

    dims: Mapping[tuple[str, int], str]


def kind_of(column: Column) -> str:
    """Give the kind of data that one parameter is.

    A number on one physical axis is a spectrogram, on two a plane, on three a distribution; all else is a series.
    """
    physical = [axis.numeric and not axis.counts for axis in column.axes]
    if not column.numeric or not physical or not all(physical):
        return "series"
    return {1: "spectrogram", 2: "plane", 3: "distribution"}.get(len(physical), "series")


def build(data: Columns, info: Info, columns: Sequence[Column]) -> "xr.Dataset":
    """Make the dataset of some columns.

    Parameters
    ----------
    data : dict of str to numpy array
        By column name; the time as int64 nanoseconds.
    columns : sequence of Column
        Those in `data`, the time first.

    Returns
    -------
    xarray.Dataset
        A variable ``(time, ...)`` for each column. Bins are coordinates named in ``DEPEND_n``; those that change in
        time are 2-D, their parameters become coordinates.
    """
    import xarray as xr

    naming = _name_axes(columns)
    coords = {"time": _time(data[columns[0].name], info)} | _static_coords(columns, naming)
    variables: dict[str, Any] = {}
    moving = {name for column in columns for axis in column.axes for name in axis.asks}
    for column in columns[1:]:
        target = coords if column.name in moving else variables
        target[_safe(column.name)] = (_dims(column, columns, naming), data[column.name], _attrs(column, naming))
    coords |= _centers_from_ranges(columns, data, naming)
    if not variables:
        variables["record"] = ("time", np.ones(len(data[columns[0].name]), np.int8), {"units": ""})
    return xr.Dataset(variables, coords, {name: text for name in _KEPT if (text := info.text(name))})


def _time(ns: Any, info: Info) -> Any:
    attrs = {"long_name": info.time.description or "time", "standard_name": "time"}
    if place := info.text("timeStampLocation").lower():
        attrs["timeStampLocation"] = place
    return ("time", ns.astype("M8[ns]"), attrs)


def _name_axes(columns: Sequence[Column]) -> _Naming:
    """Name each dimension of each column by its bins; qualified by the column where two would differ."""
    taken: dict[str, Any] = {"time": None} | {_safe(column.name): None for column in columns}
    dims: dict[tuple[str, int], str] = {}
    for column in columns:
        for n, axis in enumerate(column.axes):
            meaning = axis.asks or ((column.size[n], axis.centers, axis.ranges, axis.units) if axis.numeric else None)
            dims[column.name, n] = name = _free_name(column, n, meaning, taken)
            taken[name] = meaning
    return _Naming(dims)


def _free_name(column: Column, n: int, meaning: Any, taken: Mapping[str, Any]) -> str:
    shared = [name for name, other in taken.items() if meaning is not None and other == meaning]
    axis = column.axes[n]
    if shared and (axis.asks or _safe(axis.name) in shared):
        return shared[0] if axis.asks else _safe(axis.name)
    name = _safe(axis.name) if axis.name and axis.numeric else f"{_safe(column.name)}_{n + 1}"
    if name in taken:
        name = f"{_safe(column.name)}_{name}"
    while name in taken:
        name += "_"
    return name


def _dims(column: Column, columns: Sequence[Column], naming: _Naming) -> tuple[str, ...]:
    """Give the dimensions; those of a parameter that holds another's bins are the other's."""
    for user in columns:
        for n, axis in enumerate(user.axes):
            if axis.centers == column.name:
                return ("time", naming.dims[user.name, n])
            if axis.ranges == column.name:
                return ("time", naming.dims[user.name, n], "bound")
    return ("time", *(naming.dims[column.name, n] for n in range(len(column.size))))


def _coord_name(axis: Axis, dim: str) -> str:
    """Name of the coordinate with the centres of an axis, "" if there are none."""
    if not axis.numeric:
        return ""
    if isinstance(axis.centers, str) and axis.centers:
        return _safe(axis.centers)
    return f"{dim}_centers" if not axis.centers and isinstance(axis.ranges, str) else dim


def _static_coords(columns: Sequence[Column], naming: _Naming) -> dict[str, Any]:
    coords: dict[str, Any] = {}
    for column in columns:
        for n, axis in enumerate(column.axes):
            dim = naming.dims[column.name, n]
            coords |= _static_axis(axis, dim)
            if not axis.numeric and (labels := _labels(column)):
                coords[dim] = (dim, np.array(labels), {"units": ""})
    return coords


def _static_axis(axis: Axis, dim: str) -> dict[str, Any]:
    attrs = _axis_attrs(axis, dim)
    coords: dict[str, Any] = {}
    if isinstance(axis.ranges, tuple) and axis.ranges:
        edges = np.array(axis.ranges, np.float64)
        coords[f"{dim}_bounds"] = ((dim, "bound"), edges, {"units": axis.units})
        if not axis.centers:
            coords[dim] = (dim, edges.mean(axis=1), attrs | {"bounds": f"{dim}_bounds"})
        elif not isinstance(axis.centers, str):
            attrs["bounds"] = f"{dim}_bounds"
    if isinstance(axis.centers, tuple) and axis.centers:
        coords[dim] = (dim, np.array(axis.centers, np.float64), attrs)
    return coords


def _centers_from_ranges(columns: Sequence[Column], data: Columns, naming: _Naming) -> dict[str, Any]:
    """Make the centres of axes of which only moving edges are given."""
    coords: dict[str, Any] = {}
    for column in columns:
        for n, axis in enumerate(column.axes):
            if not axis.centers and axis.ranges and isinstance(axis.ranges, str):
                dim = naming.dims[column.name, n]
                middle = data[axis.ranges].astype(np.float64).mean(axis=2)
                coords[f"{dim}_centers"] = (("time", dim), middle, _axis_attrs(axis, dim))
    return coords


def _axis_attrs(axis: Axis, dim: str) -> dict[str, Any]:
    label = axis.label or axis.name or dim
    return {"units": axis.units, "long_name": axis.description or label, "LABLAXIS": label}


def _attrs(column: Column, naming: _Naming) -> dict[str, Any]:
    attrs: dict[str, Any] = {
        "units": column.units,
        "long_name": column.description or column.label or column.name,
        "LABLAXIS": column.label or column.name,
        "DISPLAY_TYPE": "spectrogram" if kind_of(column) == "spectrogram" else "time_series",
    }
    if column.each_units:
        attrs["component_units"] = list(column.each_units)
    for n, axis in enumerate(column.axes):
        dim = naming.dims[column.name, n]
        if name := _coord_name(axis, dim):
            attrs[f"DEPEND_{n + 1}"] = name
        elif _labels(column):
            attrs[f"LABL_PTR_{n + 1}"] = dim
    if any(axis.counts for axis in column.axes):
        attrs["DISPLAY_TYPE"] = "time_series"
    return attrs | dict(column.extra)


def _labels(column: Column) -> tuple[str, ...]:
    """Name the components of a vector, if they have different names."""
    parts = tuple(dict(column.extra).get("vectorComponents", "").split("; "))
    for labels in (column.labels, parts):
        if len(column.size) == 1 and len(labels) == column.size[0] == len(set(labels)):
            return labels
    return ()


def _safe(name: str) -> str:
    """Give a name that is no dimension of ours and that netCDF takes."""
    clean = name.replace("/", "_").strip() or "unnamed"
    return f"{clean}_" if clean in {"time", "bound", "record"} else clean
