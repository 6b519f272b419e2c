"""The part of data that lies inside an extent, exactly."""

from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadExtent, BadPredicate
from armillary.model import predicate
from armillary.model.times import to_datetime64

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from armillary.model import Box, Cone, Data, Extent, Interval


def trim(data: "Data", extent: "Extent") -> "Data":
    """Cut data to an extent; parts of the extent that mean nothing for the data raise.

    Parameters
    ----------
    data : Dataset or Table
        Any kind.
    extent : Extent
        ``time`` keeps ``start <= t < stop`` (for events: all that overlap); ``box`` keeps pixels whose centres, or rows
        whose ``ra, dec``, lie inside; ``cone`` keeps rows; ``where`` keeps the times or rows where it holds.

    Raises
    ------
    BadExtent
        If the data have neither ground nor sky coordinates and a box or cone is given.
    BadPredicate
        If the predicate does not fit the columns.

    Notes
    -----
    O(log n) for time in datasets, O(n) else. Datasets are views where possible.
    """
    import xarray as xr

    return _trim_dataset(data, extent) if isinstance(data, xr.Dataset) else _trim_table(data, extent)


def columns(data: "Data") -> dict[str, Any]:
    """Give the 1-D columns that a predicate can name.

    For a dataset these are ``time``, the variables on ``time`` alone, and components as ``name.label`` (``b_gse.x``)
    or, quoted and as in saved tables, ``"name[label]"``.
    """
    import xarray as xr

    if isinstance(data, xr.Dataset):
        return _dataset_columns(data)
    return {name: _column_values(data.column(name)) for name in data.column_names}


def _trim_dataset(data: "xr.Dataset", extent: "Extent") -> "xr.Dataset":
    if extent.time and "time" in data.dims:
        data = data.isel(time=_time_slice(data["time"].to_numpy(), extent.time))
    if extent.box:
        data = _trim_box(data, extent.box)
    if extent.cone:
        raise BadExtent("a cone on the sky does not fit this product", "leave --cone out")
    if extent.where:
        return _trim_where(data, extent.where)
    return data


def _time_slice(times: "np.ndarray[Any, Any]", interval: "Interval") -> slice:
    edges = np.array([to_datetime64(interval.start), to_datetime64(interval.stop)])
    first, last = np.searchsorted(times, edges, side="left")
    return slice(int(first), int(last))


def _trim_where(data: "xr.Dataset", where: str) -> "xr.Dataset":
    if "time" not in data.dims:
        raise BadPredicate("a predicate does not fit a product without time", "leave --where out, or use --bbox")
    node = predicate.parse(where)
    wide = sorted(predicate.names(node) & {str(name) for name in data.data_vars} - set(_dataset_columns(data)))
    if wide:
        shape = data[wide[0]].dims
        hint = f"name one component like {_component(data, wide[0])}, or choose times by another product"
        raise BadPredicate(f"{wide[0]!r} has {' x '.join(map(str, shape))} values, not one for each time", hint)
    return data.isel(time=predicate.mask(node, _dataset_columns(data)))


def _component(data: "xr.Dataset", name: str) -> str:
    return next((f'"{column}"' for column in _dataset_columns(data) if column.startswith(f"{name}[")), '"name[label]"')


def _dataset_columns(data: "xr.Dataset") -> dict[str, Any]:
    found: dict[str, Any] = {"time": data["time"].to_numpy()} if "time" in data.coords else {}
    for name, one in data.data_vars.items():
        if one.dims == ("time",):
            found[str(name)] = one.to_numpy()
        elif one.ndim == 2 and one.dims[0] == "time" and one.shape[1] <= 16:
            labels = one.coords[one.dims[1]].to_numpy() if one.dims[1] in one.coords else range(one.shape[1])
            for i, label in enumerate(labels):
                # as in Python, and as the columns of saved tables are called
                found[f"{name}.{label}"] = found[f"{name}[{label}]"] = one.to_numpy()[:, i]
    return found


def _trim_box(data: "xr.Dataset", box: "Box") -> "xr.Dataset":
    if not {"x", "y"} <= set(data.dims) or not data.attrs.get("crs"):
        raise BadExtent("a ground box does not fit this product: it has no map coordinates", "leave --bbox out")
    west, south, east, north = _project(box, str(data.attrs["crs"]))
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    return data.isel(x=np.flatnonzero((x >= west) & (x <= east)), y=np.flatnonzero((y >= south) & (y <= north)))


def _project(box: "Box", crs: str) -> tuple[float, float, float, float]:
    """Give the box's bounds in a projection; its edges are curves there, so many of their points are looked at."""
    from pyproj import CRS, Transformer

    target = CRS.from_user_input(crs)
    # The geographic frame of the same body: a box on Mars is in degrees on Mars.
    degrees = target.geodetic_crs if target.geodetic_crs is not None else CRS.from_epsg(4326)
    if str(target.ellipsoid and target.ellipsoid.name).startswith(("WGS", "GRS")):
        degrees = CRS.from_epsg(4326)
    transformer = Transformer.from_crs(degrees, target, always_xy=True)
    east = box.east if box.east > box.west else box.east + 360
    return transformer.transform_bounds(box.west, box.south, east, box.north, densify_pts=41)


def _trim_table(table: "pa.Table", extent: "Extent") -> "pa.Table":
    keep = np.ones(table.num_rows, bool)
    if extent.time:
        keep &= _rows_in_time(table, extent.time)
    if extent.box or extent.cone:
        keep &= _rows_on_sky(table, extent.box, extent.cone)
    if extent.where:
        node = predicate.parse(extent.where)
        wanted = {name: _column_values(table.column(name)) for name in predicate.names(node) & {*table.column_names}}
        if len(wanted) < len(predicate.names(node)) or not wanted:
            wanted = columns(table)
        keep &= predicate.mask(node, wanted)
    return table if keep.all() else table.filter(keep)


def _rows_in_time(table: "pa.Table", interval: "Interval") -> "np.ndarray[Any, np.dtype[np.bool_]]":
    start, stop = to_datetime64(interval.start), to_datetime64(interval.stop)
    names = set(table.column_names)
    if {"start", "stop"} <= names:
        first, last = _column_values(table.column("start")), _column_values(table.column("stop"))
        # An event of no length counts as an instant.
        return np.asarray((first < stop) & ((last > start) | ((last == first) & (first >= start))))
    if "time" in names:
        times = _column_values(table.column("time"))
        return np.asarray((times >= start) & (times < stop))
    return np.ones(table.num_rows, bool)


def _rows_on_sky(table: "pa.Table", box: "Box | None", cone: "Cone | None") -> "np.ndarray[Any, np.dtype[np.bool_]]":
    if not {"ra", "dec"} <= set(table.column_names):
        raise BadExtent("a sky box or cone does not fit this product: it has no ra and dec", "leave it out")
    ra, dec = (np.asarray(_column_values(table.column(name)), float) for name in ("ra", "dec"))
    keep = np.ones(table.num_rows, bool)
    if box:
        keep &= (dec >= box.south) & (dec <= box.north)
        keep &= (ra - box.west) % 360 <= ((box.east - box.west) % 360 or 360)
    if cone:
        keep &= _separation(ra, dec, cone) <= cone.radius
    return keep


def _separation(ra: "np.ndarray[Any, Any]", dec: "np.ndarray[Any, Any]", cone: "Cone") -> "np.ndarray[Any, Any]":
    """Give the angular distance in degrees by the haversine formula, which is exact for small angles too."""
    lon, lat = np.deg2rad(ra - cone.ra), np.deg2rad(dec)
    lat0 = np.deg2rad(cone.dec)
    half = np.sin((lat - lat0) / 2) ** 2 + np.cos(lat) * np.cos(lat0) * np.sin(lon / 2) ** 2
    return np.asarray(np.rad2deg(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))))


def _column_values(column: Any) -> "np.ndarray[Any, Any]":
    """Give a table's column as numpy values: missing numbers as NaN, times as datetime64[ns], texts as objects."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        return np.asarray(column.cast(pa.timestamp("ns")).to_numpy(), "datetime64[ns]")
    if column.null_count and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    return np.asarray(column.to_numpy())
