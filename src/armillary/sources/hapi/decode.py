"""From the bytes of a ``/data`` answer to arrays, all rows at once."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from armillary.errors import BadAnswer
from armillary.sources.hapi.info import Column
from armillary.sources.hapi.times import decode_times

#: Name of a column -> its values; the time is int64 nanoseconds since 1970.
Columns = dict[str, Any]
_NEXT: Final = "ask again; if it stays, tell the maintainer of the server"


def split_header(body: bytes) -> tuple[dict[str, Any], bytes]:
    r"""Take the header lines (``#`` first) off a body: (their JSON, {} if there is none; the rest).

    Examples
    --------
    >>> split_header(b'#{"format": "csv"}\n2020-001Z,1')
    ({'format': 'csv'}, b'2020-001Z,1')
    """
    at, lines = 0, []
    while body[at : at + 1] == b"#":
        end = body.find(b"\n", at)
        end = len(body) if end < 0 else end
        lines.append(body[at + 1 : end])
        at = end + 1
    if not lines:
        return {}, body
    try:
        header = json.loads(b"\n".join(lines))
    except ValueError:
        header = {}
    return header if isinstance(header, dict) else {}, body[at:]


def decode_binary(body: bytes, columns: Sequence[Column], name: str) -> Columns:
    """Read HAPI binary: little-endian records without gaps.

    Parameters
    ----------
    columns : sequence of Column
        Those in the body, in its order, the time first.

    Raises
    ------
    BadAnswer
        If the body is not a whole number of records, or a time is not one.
    """
    size = sum(column.record_bytes for column in columns)
    unknown = [column.name for column in columns if not column.numeric and not column.length]
    if unknown or not size:
        raise BadAnswer(f"{name} does not say how many bytes {unknown[0]!r} has in binary", _NEXT)
    if len(body) % size:
        rows, rest = divmod(len(body), size)
        raise BadAnswer(f"the answer about {name} is cut short: {rows} records and {rest} of {size} bytes", _NEXT)
    records = np.frombuffer(body, _record_dtype(columns))
    out: Columns = {columns[0].name: decode_times(records["f0"])}
    for i, column in enumerate(columns[1:], 1):
        out[column.name] = _values(records[f"f{i}"], column)
    return out


def decode_csv(body: bytes, columns: Sequence[Column], name: str) -> Columns:
    """Read HAPI CSV; the arguments and errors are those of `decode_binary`."""
    if not body.strip():
        return empty(columns)
    table = _read_csv(body, columns, name)
    cells = [table.column(i) for i in range(table.num_columns)]
    out: Columns = {}
    at = 0
    for column in columns:
        mine = cells[at : at + column.cells]
        at += column.cells
        if column is columns[0]:
            out[column.name] = decode_times(_time_cells(mine[0], name))
        else:
            out[column.name] = _values(_stack(mine, column), column)
    return out


def empty(columns: Sequence[Column]) -> Columns:
    """Give no rows of the right shapes and types."""
    times: Columns = {columns[0].name: np.empty(0, np.int64)}
    return times | {one.name: np.empty((0, *one.size), one.dtype) for one in columns[1:]}


def concatenate(pieces: Sequence[Columns], columns: Sequence[Column]) -> Columns:
    """Put pieces that follow each other into one, sorted by time if a server did not."""
    found = [piece for piece in pieces if len(piece[columns[0].name])]
    if not found:
        return empty(columns)
    whole = {name: np.concatenate([piece[name] for piece in found]) for name in found[0]}
    times = whole[columns[0].name]
    if (np.diff(times) >= 0).all():
        return whole
    order = np.argsort(times, kind="stable")
    return {name: values[order] for name, values in whole.items()}


def select(piece: Columns, columns: Sequence[Column], start: int, stop: int) -> Columns:
    """Keep these columns and the rows with ``start <= time < stop``: servers differ about both ends."""
    times = piece[columns[0].name]
    inside = (times >= start) & (times < stop)
    if inside.all():
        return {column.name: piece[column.name] for column in columns}
    return {column.name: piece[column.name][inside] for column in columns}


def looks_like_csv(body: bytes, headers: Mapping[str, str], columns: Sequence[Column]) -> bool:
    """Say whether a server answered CSV although binary was asked for."""
    first = body[: body.find(b"\n") + 1]
    commas = sum(column.cells for column in columns) - 1
    return "csv" in headers.get("content-type", "") and first.count(b",") == commas > 0


def _record_dtype(columns: Sequence[Column]) -> "np.dtype[Any]":
    codes = {"double": "<f8", "integer": "<i4"}
    fields = [codes.get(column.type, f"S{column.length}") for column in columns]
    return np.dtype([(f"f{i}", code, one.size) for i, (code, one) in enumerate(zip(fields, columns, strict=True))])


def _read_csv(body: bytes, columns: Sequence[Column], name: str) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    types = [pa.float64() if column.numeric else pa.string() for column in columns for _ in range(column.cells)]
    names = [f"c{i}" for i in range(len(types))]
    try:
        table = csv.read_csv(
            pa.py_buffer(body),
            # a block must hold a whole row
            csv.ReadOptions(column_names=names, use_threads=False, block_size=max(2**20, 64 * len(names))),
            csv.ParseOptions(newlines_in_values=False),
            csv.ConvertOptions(
                column_types=dict(zip(names, types, strict=True)),
                null_values=["", "NaN", "nan", "NAN", "null", "-nan"],
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as wrong:
        raise BadAnswer(f"the CSV about {name} is broken or cut short: {wrong}", _NEXT) from wrong
    return table


def _time_cells(texts: Any, name: str) -> Any:
    """Give a column of texts as bytes of one width, without a Python object a row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    width = pc.max(pc.binary_length(texts)).as_py() or 1
    try:
        padded = pc.utf8_rpad(texts, width, " ").cast(pa.binary()).cast(pa.binary(width)).combine_chunks()
    except pa.ArrowInvalid as odd:
        raise BadAnswer(f"a time of {name} is not ASCII", _NEXT) from odd
    return np.frombuffer(padded.buffers()[1], f"S{width}", len(padded), padded.offset * width)


def _stack(cells: Sequence[Any], column: Column) -> Any:
    """Put the CSV columns of one parameter side by side: shape (n, *size)."""
    arrays = [one.to_numpy() for one in cells]
    if not column.size:
        return arrays[0]
    return np.column_stack(arrays).reshape(len(arrays[0]), *column.size)


def _values(raw: Any, column: Column) -> Any:
    """Give values in our types, missing ones as NaN or ""."""
    if not column.numeric:
        return _texts(raw, column)
    if column.dtype == np.int32:
        return _integers(raw, column)
    values = np.array(raw, np.float64)
    fill = column.fill_value
    if fill is not None and not np.isnan(fill):
        values[_is_fill(values, fill)] = np.nan
    return values


def _is_fill(values: Any, fill: float) -> Any:
    """Find the fill value, also where the server's data went through float32."""
    found = values == fill
    if abs(fill) < np.finfo(np.float32).max:
        found |= values == float(np.float32(fill))
    return found


def _integers(raw: Any, column: Column) -> Any:
    values = np.asarray(raw)
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) <= 2.0**31)
        if not whole.all():
            wrong = values[~whole].ravel()[0]
            raise BadAnswer(f"{wrong} of {column.name!r} is not an integer, and no fill value is declared", _NEXT)
    return values.astype(np.int32)


def _texts(raw: Any, column: Column) -> Any:
    values = np.asarray(raw)
    if values.dtype.kind == "O":
        values = np.array(["" if one is None else one for one in values.ravel()], "U").reshape(values.shape)
    if values.dtype.kind == "S":
        values = np.char.decode(np.char.rstrip(values, b"\0 "), "utf-8", "replace")
    values = np.char.strip(values).astype(str)
    if column.fill:
        values = np.where(values == column.fill, "", values)
    return values
