"""Columns of Arrow as a VOTable declares them, and their values as rows of BINARY2, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from armillary.errors import CannotWrite
from armillary.model.ucds import joined
from armillary.sources.write.variables import plain_column

if TYPE_CHECKING:
    import pyarrow as pa

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_NUMBERS: Final = {
    "i1": ("short", ">i2"), "i2": ("short", ">i2"), "i4": ("int", ">i4"), "i8": ("long", ">i8"),
    "u1": ("unsignedByte", ">u1"), "u2": ("int", ">i4"), "u4": ("long", ">i8"), "u8": ("long", ">i8"),
    "f4": ("float", ">f4"), "f8": ("double", ">f8"),
}  # fmt: skip
#: Of an ISO 8601 time with nanoseconds.
TIME_LENGTH: Final = len("2000-01-01T00:00:00.000000000")
_LONGEST: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Column:
    """One FIELD.

    Parameters
    ----------
    datatype, arraysize : str
        As VOTable 1.4 has them.
    code : str
        numpy's code of its numbers, "" of texts, times and truths.
    """

    name: str
    identifier: str
    datatype: str
    arraysize: str = ""
    code: str = ""
    is_time: bool = False
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    description: str = ""

    @property
    def is_list(self) -> bool:
        """Whether a value is a list of numbers."""
        return bool(self.code) and self.arraysize == "*"


@dataclass(frozen=True, slots=True)
class _Varying:
    """Values of their own lengths: all octets, and how many of them each row has."""

    octets: Array
    lengths: Array


_Segment: TypeAlias = "Array | _Varying"


def column_of(field: "pa.Field", identifier: str, ucd: str) -> Column:
    """Say how a column is declared; its own UCD goes before the usual one given."""
    import pyarrow as pa

    told = {key.decode(): text.decode() for key, text in (field.metadata or {}).items()}
    datatype, arraysize, code = _declared(field.type)
    is_time = pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)
    unit = "" if is_time else vo_unit(told.get("unit", ""))
    about = told.get("description", "")
    meaning, utype = joined(told.get("ucd", ""), ucd), told.get("utype", "")
    return Column(field.name, identifier, datatype, arraysize, code, is_time, unit, meaning, utype, about)


def octets(piece: "pa.Table", columns: Sequence[Column]) -> bytes:
    """Give rows as BINARY2: for each the flags of what is missing, then its values.

    Notes
    -----
    O(size of the rows); nothing is done row by row, except for texts that are not ASCII.
    """
    if not piece.num_rows:
        return b""
    missing, segments = [], []
    for one, column in zip(columns, piece.columns, strict=True):
        gone, parts = _cells(one, column)
        missing.append(gone)
        segments += parts
    return _assembled([np.packbits(np.column_stack(missing), axis=1), *segments])


def vo_unit(text: str) -> str:
    """Write a unit as the IVOA wants (VOUnits); one that is not understood stays as it is.

    Examples
    --------
    >>> vo_unit("W m-2"), vo_unit("furlongs per day"), vo_unit("1")
    ('W.m**-2', 'furlongs per day', '')
    """
    from astropy import units

    if not text:
        return ""
    try:
        return str(units.Unit(text).to_string("vounit"))
    except (ValueError, TypeError):
        return text


def _declared(kind: "pa.DataType") -> tuple[str, str, str]:
    """Give datatype, arraysize and code of numbers."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _declared(kind.value_type)
    if types.is_timestamp(kind) or types.is_date(kind):
        return "char", str(TIME_LENGTH), ""
    if types.is_boolean(kind):
        return "boolean", "", ""
    if _is_vector(kind):
        return *_number(kind.value_type)[:1], "*", _number(kind.value_type)[1]
    if types.is_integer(kind) or types.is_floating(kind):
        datatype, code = _number(kind)
        return datatype, "", code
    return ("double", "", ">f8") if types.is_decimal(kind) else ("unicodeChar", "*", "")


def _is_vector(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type) and kind.value_type != pa.float16())


def _number(kind: "pa.DataType") -> tuple[str, str]:
    code = np.dtype(kind.to_pandas_dtype())
    return _NUMBERS["f4" if code == np.float16 else f"{code.kind}{code.itemsize}"]


def _cells(one: Column, column: "pa.ChunkedArray") -> "tuple[Array, list[_Segment]]":
    """Give where values are missing, and the octets of the values."""
    from pyarrow import compute as pc

    if one.is_list:
        gone = np.asarray(pc.is_null(column))
        return gone, _vectors(one, column)
    plain = plain_column(one.name, column)
    gone = np.asarray(pc.is_null(plain))
    if one.is_time:
        return gone, [_times(plain)]
    if one.datatype == "boolean":
        truths = np.asarray(plain.fill_null(False))
        return gone, [np.where(gone, b"?", np.where(truths, b"T", b"F")).view(np.uint8).reshape(-1, 1)]
    return gone, [_numbers(one, plain)] if one.code else _texts(plain)


def _numbers(one: Column, column: "pa.ChunkedArray") -> Array:
    values = np.asarray(column.fill_null(np.nan if one.code[1] == "f" else 0))
    if values.dtype == np.uint64 and len(values) and values.max() > _LONGEST:
        raise CannotWrite(f"{one.name!r} has integers above 2^63, which no VOTable holds", "save it as .parquet")
    return _as_octets(values.astype(one.code))


def _as_octets(values: Array) -> Array:
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)


def _times(column: "pa.ChunkedArray") -> Array:
    import pyarrow as pa
    from pyarrow import compute as pc

    gone = np.asarray(pc.is_null(column))
    values = np.asarray(column.cast(pa.int64()).fill_null(0)).view("datetime64[ns]")
    texts = np.where(gone, b"", np.datetime_as_string(values, unit="ns").astype(f"S{TIME_LENGTH}"))
    return _as_octets(texts.astype(f"S{TIME_LENGTH}"))


def _texts(column: "pa.ChunkedArray") -> "list[_Segment]":
    """Give texts as UTF-16, each behind the count of its units."""
    offsets, raw = _buffers(column)
    if not raw.size or raw.max() < 128:
        wide = np.zeros(2 * raw.size, np.uint8)
        wide[1::2] = raw
        counts = np.diff(offsets)
        return [_as_octets(counts.astype(">u4")), _Varying(wide, 2 * counts)]
    encoded = [text.encode("utf-16-be", "replace") for text in column.fill_null("").to_pylist()]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    return [_as_octets((lengths // 2).astype(">u4")), _Varying(np.frombuffer(b"".join(encoded), np.uint8), lengths)]


def _buffers(column: "pa.ChunkedArray") -> tuple[Array, Array]:
    """Give where each text begins in the UTF-8 octets of all, from 0, and the octets."""
    import pyarrow as pa

    array = pa.concat_arrays(column.fill_null("").chunks) if column.num_chunks else pa.array([], pa.string())
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    data = array.buffers()[2]
    raw = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return offsets - offsets[0], raw[offsets[0] : offsets[-1]]


def _vectors(one: Column, column: "pa.ChunkedArray") -> "list[_Segment]":
    import pyarrow as pa
    from pyarrow import compute as pc

    counts = np.asarray(pc.list_value_length(column).fill_null(0)).astype(np.int64)
    parts = pc.list_flatten(column)
    values = np.asarray(parts.fill_null(np.nan)) if len(parts) else np.empty(0)
    if pa.types.is_fixed_size_list(column.type):  # those that are missing have no values behind them
        counts = np.where(np.asarray(pc.is_null(column)), 0, counts)
    width = np.dtype(one.code).itemsize
    flat = np.ascontiguousarray(values.astype(one.code)).view(np.uint8)
    return [_as_octets(counts.astype(">u4")), _Varying(flat, counts * width)]


def _assembled(segments: "Sequence[_Segment]") -> bytes:
    """Put the segments of all rows one behind the other, row after row."""
    joined = _merged(segments)
    if len(joined) == 1 and isinstance(joined[0], np.ndarray):
        return joined[0].tobytes()
    sizes = sum(one.shape[1] if isinstance(one, np.ndarray) else one.lengths for one in joined)
    ends = np.cumsum(sizes)
    place, out = ends - sizes, np.empty(ends[-1], np.uint8)
    for one in joined:
        if isinstance(one, np.ndarray):
            out[place[:, None] + np.arange(one.shape[1])] = one
            place = place + one.shape[1]
        else:
            begins = np.cumsum(one.lengths) - one.lengths
            out[np.repeat(place - begins, one.lengths) + np.arange(one.octets.size)] = one.octets
            place = place + one.lengths
    return out.tobytes()


def _merged(segments: "Sequence[_Segment]") -> "list[_Segment]":
    """Put neighbours of fixed width together."""
    found: list[_Segment] = []
    for fixed, group in groupby(segments, lambda one: isinstance(one, np.ndarray)):
        parts = list(group)
        found += [np.hstack([one for one in parts if isinstance(one, np.ndarray)])] if fixed else parts
    return found
