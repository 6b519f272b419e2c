"""What each kind of data promises, and the check that is made at every border.

Data travel as plain `xarray.Dataset` or `pyarrow.Table`:

=============  =======  ==========================================================================================
kind           value    promise
=============  =======  ==========================================================================================
series         Dataset  dimension ``time``; at least one variable on it; more dimensions are components
spectrogram    Dataset  as series, and a variable ``(time, x)`` whose ``DEPEND_1`` names a numeric coordinate
distribution   Dataset  as series, and a variable ``(time, a, b, c)`` with a numeric coordinate for each
skymap         Dataset  as series, and ``psd (time, azimuth, polar, energy)`` or ``psd (time, direction, energy)``
plane          Dataset  as series, and a variable ``(time, a, b)`` with a numeric coordinate for each
volume         Dataset  as series, and a variable ``(time, x, y, z)`` with a numeric coordinate for each
packets        Dataset  as series, with ``apid (time)``, ``sequence (time)``, ``octets (time, octet)`` uint8
raster         Dataset  a variable whose last dimensions are ``y, x``; before them perhaps ``time`` and ``band``
cube           Dataset  a variable ``(wavelength, y, x)`` with a numeric coordinate ``wavelength``
sources        Table    rows with ``ra`` and ``dec`` (degrees) or an identifier ``source_id``
events         Table    rows with ``start`` and ``stop`` (timestamps)
samples        Table    any rows; ``time`` (timestamp) if they have one
=============  =======  ==========================================================================================

``time`` is ``datetime64[ns]``, UTC, sorted, without NaT. Every variable says its ``units`` ("" if it has none).
Missing floats are NaN. Attributes of variables are CF's ``units`` and ``long_name`` and, in capitals and as in the ISTP
guidelines (https://spdf.gsfc.nasa.gov/istp_guide/), ``DISPLAY_TYPE SCALETYP LABLAXIS VALIDMIN VALIDMAX DEPEND_n``;
``DEPEND_n`` names the coordinate along the n-th dimension after time, which may itself vary in time (be 2-D).
What a skymap promises in detail (the direction of motion, the frame, what else may lie beside ``psd``) stands in
`armillary.science.particles.datasets`; a distribution is whatever an archive has, before a mission has put it in order.
A raster's or cube's ``attrs["crs"]`` is a CRS as text that pyproj reads (an authority code or WKT); ``y`` and ``x`` are
pixel centres in it. A table's columns carry ``unit`` and ``description`` in their field metadata, the table its own
attributes as JSON under ``armillary``.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from armillary.errors import BadData

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from armillary.model.protocols import Data

DatasetKind = Literal["series", "spectrogram", "distribution", "skymap", "plane", "volume", "packets", "raster", "cube"]
TableKind = Literal["sources", "events", "samples"]
DATASET_KINDS: Final[tuple[str, ...]] = get_args(DatasetKind)
TABLE_KINDS: Final[tuple[str, ...]] = get_args(TableKind)
KINDS: Final[tuple[str, ...]] = DATASET_KINDS + TABLE_KINDS
#: Kinds whose first dimension is ``time``: the cache can join pieces of them.
TIME_KINDS: Final[tuple[str, ...]] = (
    "series", "spectrogram", "distribution", "skymap", "plane", "volume", "packets",
)  # fmt: skip

_REPORT: Final = "report this to the maintainer of the source or recipe that made it"


def check(kind: str, data: "Data", name: str = "data") -> "Data":
    """Give `data` back if it keeps the promise of `kind`.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    data : xarray.Dataset or pyarrow.Table
        What to look at; only names, types and coordinates are read, never the values.
    name : str
        What to call it in the message.

    Raises
    ------
    BadData
        Naming the first promise that is broken.
    """
    problem = _table_problem(kind, data) if kind in TABLE_KINDS else _dataset_problem(kind, data)
    if problem:
        raise BadData(f"{name} is not a {kind}: {problem}", _REPORT)
    return data


def table_attrs(table: "pa.Table") -> dict[str, Any]:
    """Read the attributes of a table (the ``armillary`` JSON of its schema)."""
    text = (table.schema.metadata or {}).get(b"armillary")
    return dict(json.loads(text)) if text else {}


def with_table_attrs(table: "pa.Table", attrs: Mapping[str, Any]) -> "pa.Table":
    """Give the table with these attributes instead of its own."""
    metadata = {**(table.schema.metadata or {}), b"armillary": json.dumps(dict(attrs), default=str).encode()}
    return table.replace_schema_metadata(metadata)


def column(name: str, type_: Any, unit: str = "", description: str = "") -> "pa.Field":
    """Make a column's field with its unit and description.

    Examples
    --------
    >>> import pyarrow as pa
    >>> column("parallax", pa.float64(), "mas").metadata
    {b'unit': b'mas', b'description': b''}
    """
    import pyarrow as pa

    return pa.field(name, type_, metadata={"unit": unit, "description": description})


def column_unit(field: "pa.Field") -> str:
    """Read the unit of a column, "" if it has none."""
    return str((field.metadata or {}).get(b"unit", b"").decode())


def _dataset_problem(kind: str, data: Any) -> str:
    import xarray as xr

    if kind not in DATASET_KINDS:
        return f"there is no kind {kind!r}; there are {', '.join(KINDS)}"
    if not isinstance(data, xr.Dataset):
        return f"it is a {type(data).__name__}, not an xarray.Dataset"
    if not data.data_vars:
        return "it has no variables"
    bare = [str(name) for name, one in data.data_vars.items() if "units" not in one.attrs]
    if bare:
        return f"{bare[0]!r} does not say its units"
    return _time_problem(data) or _shape_problem(kind, data)


def _time_problem(data: "xr.Dataset") -> str:
    if "time" not in data.dims:
        return ""
    if "time" not in data.coords or data["time"].dtype != np.dtype("datetime64[ns]"):
        return "its time is not a datetime64[ns] coordinate"
    ns = data["time"].to_numpy().astype(np.int64)
    if ns.size and (ns[0] == np.iinfo(np.int64).min or bool((ns[1:] < ns[:-1]).any())):
        return "its times are not sorted or hold NaT"
    return ""


def _shape_problem(kind: str, data: "xr.Dataset") -> str:
    rules: dict[str, Callable[[xr.DataArray], bool]] = {
        "series": _is_series,
        "spectrogram": partial(_is_gridded, axes=1),
        "distribution": partial(_is_gridded, axes=3),
        "skymap": _is_skymap,
        "plane": partial(_is_gridded, axes=2),
        "volume": partial(_is_gridded, axes=3),
        "packets": _is_packets,
        "raster": _is_raster,
        "cube": _is_cube,
    }
    if any(rules[kind](one) for one in data.data_vars.values()):
        return ""
    shapes = ", ".join(f"{name}{one.dims}" for name, one in list(data.data_vars.items())[:4])
    return f"none of its variables has the promised shape and coordinates; it has {shapes}"


def _is_series(one: "xr.DataArray") -> bool:
    return one.dims[:1] == ("time",)


def _is_gridded(one: "xr.DataArray", axes: int) -> bool:
    names = [str(one.attrs.get(f"DEPEND_{n}", one.dims[n])) for n in range(1, one.ndim)]
    return (
        _is_series(one)
        and one.ndim == axes + 1
        and all(name in one.coords and one.coords[name].dtype.kind in "iuf" for name in names)
    )


def _is_skymap(one: "xr.DataArray") -> bool:
    shapes = (("time", "azimuth", "polar", "energy"), ("time", "direction", "energy"))
    return one.name == "psd" and one.dims in shapes and {"mass", "charge"} <= set(one.attrs)


def _is_raster(one: "xr.DataArray") -> bool:
    return one.dims[-2:] == ("y", "x")


def _is_cube(one: "xr.DataArray") -> bool:
    return one.dims == ("wavelength", "y", "x") and "wavelength" in one.coords


def _is_packets(one: "xr.DataArray") -> bool:
    return one.name == "octets" and one.dims == ("time", "octet") and one.dtype == np.uint8


def _table_problem(kind: str, data: Any) -> str:
    import pyarrow as pa

    if not isinstance(data, pa.Table):
        return f"it is a {type(data).__name__}, not a pyarrow.Table"
    names = set(data.column_names)
    if kind == "sources" and not ({"ra", "dec"} <= names or "source_id" in names):
        return "it has neither ra and dec nor source_id"
    if kind == "events" and not {"start", "stop"} <= names:
        return "it has no start and stop"
    times = ("start", "stop") if kind == "events" else ("time",) if "time" in names and kind == "samples" else ()
    wrong = [name for name in times if not pa.types.is_timestamp(data.schema.field(name).type)]
    return f"its column {wrong[0]!r} is not a timestamp" if wrong else ""
