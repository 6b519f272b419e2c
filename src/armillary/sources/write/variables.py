"""Any data as named arrays with dimensions: what netCDF, Zarr and CDF are made of."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from armillary.errors import CannotWrite
from armillary.model.kinds import table_attrs

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from armillary.model import Data

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
NAT: Final = int(np.iinfo(np.int64).min)
TIME_UNITS: Final = "nanoseconds since 1970-01-01T00:00:00"

#: Signs of units that have a name in ASCII.
_SPOKEN: Final = {"µ": "u", "μ": "u", "°": "deg", "Å": "Angstrom", "Ω": "Ohm", "²": "2", "³": "3", "⁻": "-", "·": "."}


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """One array with its metadata.

    Parameters
    ----------
    values : ndarray
        Of kind ``iufbM``, or ``U`` (object of str) for texts.
    missing : ndarray of bool, optional
        Where an integer or truth value is missing; missing floats are NaN, times NaT, texts "".
    coordinate : bool
        Whether it says where the others are, not what was measured.
    """

    name: str
    dims: tuple[str, ...]
    values: Array
    attrs: Mapping[str, Any] = field(default_factory=dict)
    missing: Array | None = None
    coordinate: bool = False


def variables(data: "Data") -> list[Variable]:
    """Take data apart into arrays, coordinates first; a column of a table lies on ``row``."""
    import xarray as xr

    found = _of_dataset(data) if isinstance(data, xr.Dataset) else _of_table(data)
    return sorted(found, key=lambda one: not one.coordinate)


def attributes(data: "Data") -> dict[str, Any]:
    """Give the attributes of the whole."""
    import xarray as xr

    return {str(k): v for k, v in data.attrs.items()} if isinstance(data, xr.Dataset) else table_attrs(data)


def json_text(value: Any) -> str:
    """Write any attribute value as ASCII JSON; what JSON does not know becomes text."""
    return json.dumps(value, default=_plain, sort_keys=True)


def simple(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Keep only what every format can hold: texts, numbers and lists of numbers; the rest becomes JSON text.

    Examples
    --------
    >>> simple({"a": None, "b": True, "c": {"d": 1}, "e": [1, 2], "f": "g"})
    {'b': 1, 'c': '{"d": 1}', 'e': [1, 2], 'f': 'g'}
    """
    return {str(name): _simple(value) for name, value in attrs.items() if value is not None}


def program() -> str:
    """Name this program and its version, for the history in files."""
    return f"Armillary {version('armillary')}"


def ascii_text(text: str) -> str:
    r"""Write a text in ASCII: known signs by name, others as escapes. CDF readers drop what they do not know.

    Examples
    --------
    >>> ascii_text("µT at 3°, ≥")
    'uT at 3deg, \\u2265'
    """
    for sign, word in _SPOKEN.items():
        text = text.replace(sign, word)
    return text.encode("ascii", "backslashreplace").decode()


def cf_encoded(one: Variable) -> Variable:
    """Write times as integers, truth values as bytes, as the CF conventions (version 1.11) want.

    Times become ``int64`` nanoseconds since 1970, exact for every time that `numpy.datetime64[ns]` holds; leap seconds
    are not counted, as in CF's ``standard`` calendar.
    """
    kind = one.values.dtype.kind
    if kind == "M":
        attrs = {**one.attrs, "units": TIME_UNITS, "calendar": "proleptic_gregorian"}
        values = one.values.astype("datetime64[ns]").astype(np.int64)
        return replace(one, values=values, attrs={"standard_name": "time", **attrs} if one.name == "time" else attrs)
    if kind == "m":
        attrs = {**one.attrs, "units": "nanoseconds"}
        return replace(one, values=one.values.astype("timedelta64[ns]").astype(np.int64), attrs=attrs)
    if kind == "b":
        # The attribute is xarray's own: it reads such bytes as truth values again.
        attrs = {**one.attrs, "dtype": "bool"}
        return replace(one, values=_filled(one.values.astype(np.int8), one.missing), attrs=attrs)
    if kind in "iu":
        return replace(one, values=_filled(one.values, one.missing))
    return one


def fill_value(dtype: "np.dtype[Any]") -> int:
    """Give the integer that stands for a missing one: the lowest, or the highest if there is no sign."""
    limits = np.iinfo(dtype)
    return int(limits.min) if limits.min < 0 else int(limits.max)


def _filled(values: Array, missing: Array | None) -> Array:
    if missing is None or not missing.any():
        return values
    values = values.copy()
    values[missing] = fill_value(values.dtype)
    return values


def _simple(value: Any) -> Any:
    value = _plain(value) if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple) and value and all(type(part) in {int, float} for part in value):
        return list(value)
    return json_text(value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return str(value)
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def _of_dataset(data: "xr.Dataset") -> Iterator[Variable]:
    for name, one in data.variables.items():
        dims = tuple(str(dim) for dim in one.dims)
        attrs = {str(key): value for key, value in one.attrs.items()}
        yield Variable(str(name), dims, _values(str(name), one.to_numpy()), attrs, coordinate=name in data.coords)


def _values(name: str, values: Array) -> Array:
    """Give values of a kind that files know; texts become an array of str."""
    if values.dtype.kind in "iufbMm":
        return values.astype(np.float32) if values.dtype == np.float16 else values
    if values.dtype.kind in "USTO":
        texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in values.ravel()]
        return np.array(texts, object).reshape(values.shape)
    raise CannotWrite(
        f"{name!r} has values of type {values.dtype}, which no file format here holds", "convert it first"
    )


def _of_table(table: "pa.Table") -> Iterator[Variable]:
    for name in table.column_names:
        field_ = table.schema.field(name)
        attrs = {key.decode(): text.decode() for key, text in (field_.metadata or {}).items()}
        attrs = {"units": attrs.pop("unit", ""), "long_name": attrs.pop("description", "")} | attrs
        values, missing = _column(name, table.column(name))
        yield Variable(name, ("row",), values, attrs, missing, coordinate=name == "time" and values.dtype.kind == "M")


def _column(name: str, column: "pa.ChunkedArray") -> tuple[Array, Array | None]:
    """Give a column's values and where they are missing."""
    import pyarrow as pa
    from pyarrow import compute as pc

    column = plain_column(name, column)
    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.int64()).fill_null(NAT)).view("datetime64[ns]"), None
    if pa.types.is_string(column.type):
        return np.array(column.fill_null("").to_pylist(), object), None
    if pa.types.is_floating(column.type):
        return np.asarray(column.fill_null(np.nan)), None
    missing = np.asarray(pc.is_null(column)) if column.null_count else None
    return np.asarray(column.fill_null(False if pa.types.is_boolean(column.type) else 0)), missing


def plain_column(name: str, column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Bring a column to one of bool, int, float, string or timestamp[ns]; nested values become JSON text.

    Raises
    ------
    CannotWrite
        For a time outside 1678..2262.
    """
    import pyarrow as pa

    kind = column.type
    types = pa.types
    if types.is_dictionary(kind):
        return plain_column(name, column.cast(kind.value_type))
    if types.is_floating(kind):
        return column.cast(pa.float32()) if kind == pa.float16() else column
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_string(kind):
        return column
    if types.is_timestamp(kind) or types.is_date(kind):
        try:
            return column.cast(pa.timestamp("ns", getattr(kind, "tz", None))).cast(pa.timestamp("ns"))
        except pa.ArrowInvalid:
            raise CannotWrite(f"{name!r} has times outside 1678..2262", "leave these rows out with --where") from None
    if types.is_decimal(kind):
        return column.cast(pa.float64())
    texts = [None if value is None else _as_text(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else json_text(value)
