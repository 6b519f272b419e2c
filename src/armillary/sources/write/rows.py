"""Any data as rows and columns: what CSV, Parquet, VOTable and FITS tables are made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import CannotWrite
from armillary.model.kinds import column, with_table_attrs
from armillary.sources.write.blocks import in_steps
from armillary.sources.write.variables import Array, Variable, attributes, json_text, simple, variables

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from armillary.model import Data

#: A dataset with more columns than this is written long: one row for each sample of each bin or pixel.
MOST_COLUMNS: Final = 1024
#: A long table with more rows than this is refused.
MOST_ROWS: Final = 20_000_000
#: Rows that are made at once.
STEP_CELLS: Final = 2_000_000
_CONSTANT: Final = 1000
#: Most dimensions of what is written wide: a tensor each time.
_TENSOR: Final = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dataset lies in rows.

    Parameters
    ----------
    dims : tuple of str
        One row for each point along these; ``("time",)`` is the wide layout, more dimensions are the long one.
    sizes : tuple of int
        Their lengths.
    width : int
        Number of columns.
    """

    dims: tuple[str, ...]
    sizes: tuple[int, ...]
    width: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(np.prod(self.sizes))


def rows(data: "Data") -> "Iterator[pa.Table]":
    """Give data as consecutive tables of at most about two million values; at least one, perhaps empty.

    A table is cut, else unchanged. A dataset of vectors, spectra or tensors in time is *wide* if that takes no more
    than `MOST_COLUMNS` columns: one row a time, one column for each component, called ``b_gse[x]`` by its label or
    ``flux[3]`` by its number; the coordinates of a column stand in its field metadata ``axis``. Any other dataset is
    *long*: one row for each point of its grid, one column for each coordinate and variable. The columns are the
    dimensions (``time`` first), the data, then other coordinates such as axes that change in time. Packets are one row
    each, their octets in hexadecimal digits. What varies in neither is an attribute, under ``constants``.

    Raises
    ------
    CannotWrite
        If a long table would have more than `MOST_ROWS` rows.
    """
    import xarray as xr

    if not isinstance(data, xr.Dataset):
        for start, stop in in_steps(data.num_rows, STEP_CELLS // max(data.num_columns, 1)):
            yield data.slice(start, stop - start)
        return
    yield from _of_dataset(data)


def layout(data: "xr.Dataset") -> Layout:
    """Decide how a dataset is laid out; only its shapes are looked at."""
    found = [one for name, one in data.variables.items() if name in data.data_vars]
    images = any(one.dims[-2:] == ("y", "x") for one in found)
    if "time" in data.dims and not images:
        width = sum(int(np.prod(one.shape[1:])) for one in found if one.dims[:1] == ("time",))
        width = 2 if _is_packets(data) else width
        if width <= MOST_COLUMNS and max(one.ndim for one in found) <= _TENSOR:
            return Layout(("time",), (data.sizes["time"],), width)
    widest = max(found, key=lambda one: (one.ndim, one.size))
    dims = tuple(str(dim) for dim in widest.dims)
    return Layout(dims, tuple(data.sizes[dim] for dim in dims), len(found) + len(dims))


def _is_packets(data: "xr.Dataset") -> bool:
    return any(one.dims == ("time", "octet") and one.dtype == np.uint8 for one in data.data_vars.values())


def _of_dataset(data: "xr.Dataset") -> "Iterator[pa.Table]":
    shape = layout(data)
    if len(shape.dims) > 1 and shape.rows > MOST_ROWS:
        problem = f"as a table these data have {shape.rows:,} rows, more than {MOST_ROWS:,}"
        raise CannotWrite(problem, "save them as .nc or .zarr, or ask for less")
    found = variables(data)
    varying = sorted((one for one in found if set(one.dims) & set(shape.dims)), key=lambda one: _order(one, shape))
    attrs = attributes(data) | _constants(found, shape)
    labels = {one.name: one.values for one in found if one.dims == (one.name,)}
    for start, stop in in_steps(shape.rows, STEP_CELLS // max(shape.width, 1)):
        make = _wide if len(shape.dims) == 1 else _long
        yield _table(make(varying, labels, shape, (start, stop)), attrs)


def _order(one: Variable, shape: Layout) -> int:
    """Put what counts the rows first, then the data, then other coordinates such as axes that change in time."""
    if one.dims == (one.name,):
        return shape.dims.index(one.name)
    return len(shape.dims) + one.coordinate


def _constants(found: list[Variable], shape: Layout) -> dict[str, Any]:
    """Give what varies along no row; the axes of wide columns stand with the columns as well."""
    kept = {
        one.name: {"values": one.values.tolist(), **simple(one.attrs)}
        for one in found
        if not set(one.dims) & set(shape.dims) and one.values.size <= _CONSTANT and one.values.dtype.kind not in "mM"
    }
    return {"constants": kept} if kept else {}


Column = tuple["pa.Field", "Array | Sequence[str]"]


def _wide(varying: list[Variable], labels: dict[str, Array], shape: Layout, span: tuple[int, int]) -> Iterator[Column]:
    for one in varying:
        row = one.dims.index(shape.dims[0])
        values = np.moveaxis(one.values, row, 0)[span[0] : span[1]]
        others = one.dims[:row] + one.dims[row + 1 :]
        if others == ("octet",) and values.dtype == np.uint8:
            yield _field(one, one.name, {}), [bytes(packet).hex() for packet in values]
            continue
        for place in np.ndindex(values.shape[1:]):
            name, axis = _place(one, others, place, labels)
            yield _field(one, name, axis), values[(slice(None), *place)]


def _place(
    one: Variable, others: tuple[str, ...], place: tuple[int, ...], labels: dict[str, Array]
) -> tuple[str, dict[str, Any]]:
    """Name the column at one place of the other dimensions, and say where that is."""
    words, axis = [], {}
    for dim, number in zip(others, place, strict=True):
        values = labels.get(dim)
        words.append(str(values[number]) if values is not None and values.dtype.kind == "O" else str(number))
        if values is not None:
            axis[dim] = values[number].item() if values.dtype.kind in "iuf" else str(values[number])
    return (f"{one.name}[{','.join(words)}]" if words else one.name), axis


def _long(varying: list[Variable], labels: dict[str, Array], shape: Layout, span: tuple[int, int]) -> Iterator[Column]:
    where = dict(zip(shape.dims, np.unravel_index(np.arange(*span), shape.sizes), strict=True))
    known = {one.name: one for one in varying}
    for dim in shape.dims:
        if dim in labels:
            yield _field(known[dim], dim, {}), labels[dim][where[dim]]
        else:
            yield column(dim, _type(where[dim])), where[dim]
    for one in varying:
        if one.name not in shape.dims and set(one.dims) <= set(shape.dims):
            yield _field(one, one.name, {}), one.values[tuple(where[dim] for dim in one.dims)]


def _field(one: Variable, name: str, axis: dict[str, Any]) -> "pa.Field":
    import pyarrow as pa

    attrs = simple(one.attrs)
    texts = {key: value if isinstance(value, str) else json_text(value) for key, value in attrs.items()}
    known = {"unit": texts.pop("units", ""), "description": texts.pop("long_name", "")}
    extra = {"axis": json_text(axis)} if axis else {}
    octets = one.dims[1:] == ("octet",) and one.values.dtype == np.uint8
    return pa.field(name, pa.string() if octets else _type(one.values), metadata=known | extra | texts)


def _type(values: Array) -> "pa.DataType":
    import pyarrow as pa

    if values.dtype.kind == "O":
        return pa.string()
    if values.dtype.kind == "M":
        return pa.timestamp("ns", "UTC")
    return pa.int64() if values.dtype.kind == "m" else pa.from_numpy_dtype(values.dtype)


def _table(columns: Iterator[Column], attrs: dict[str, Any]) -> "pa.Table":
    import pyarrow as pa

    fields, arrays = [], []
    for field, values in columns:
        fields.append(field)
        arrays.append(_array(field.type, values))
    return with_table_attrs(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), attrs)


def _array(kind: "pa.DataType", values: "Array | Sequence[str]") -> "pa.Array":
    import pyarrow as pa

    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        plain = values.astype(f"{values.dtype.kind}8[ns]").astype(np.int64)
        return pa.array(plain, pa.int64(), mask=np.isnat(values)).cast(kind)
    return pa.array(np.ascontiguousarray(values) if isinstance(values, np.ndarray) else values, kind)
