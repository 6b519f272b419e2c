"""Data as a header and blocks, and back; of a time series only the blocks that a reader wants.

Each variable is cut along ``time`` (along its first dimension if it has no time) in blocks of 65,536 samples, fewer
where a row is so wide that a block would be over 4 MB. A table is its Arrow stream, cut in blocks of 4 MB.
"""

import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.cache.arrays import Array, decode, dtype_text, encode
from armillary.cache.attributes import from_json, to_json
from armillary.errors import DamagedFile
from armillary.model import Data, Interval

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

BLOCK_ROWS: Final = 65_536
BLOCK_BYTES: Final = 4 * 2**20
#: The part that holds the header; parts from 0 are variables.
HEADER: Final = -1


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of one part of an entry, compressed."""

    part: int
    first: int
    rows: int
    blob: bytes

    @property
    def check(self) -> int:
        """CRC-32 of the content and of where it belongs."""
        return zlib.crc32(self.blob, zlib.crc32(f"{self.part} {self.first} {self.rows}".encode()))


#: Asks for the checked blocks of a part that touch the rows first <= row < stop, in order.
Reader = Callable[[int, int, int], Iterable[Block]]


def pack(data: Data, name: dict[str, Any]) -> list[Block]:
    """Turn data into blocks, the header first.

    Parameters
    ----------
    data : xarray.Dataset or pyarrow.Table
    name : dict
        JSON values that say what entry this is; :func:`header` gives them back.

    Raises
    ------
    BadData
        If something in it cannot be stored safely.
    """
    import xarray as xr

    record, blocks = _pack_dataset(data) if isinstance(data, xr.Dataset) else _pack_table(data)
    return [_header_block(name, record), *blocks]


def header(block: Block) -> dict[str, Any]:
    """Read the header of an entry."""
    try:
        return dict(json.loads(zlib.decompress(block.blob)))
    except (zlib.error, ValueError) as broken:
        raise _damaged(f"its header does not read: {broken}") from None


def unpack(record: dict[str, Any], read: Reader, span: Interval | None = None) -> Data:
    """Rebuild data from its header and blocks.

    Parameters
    ----------
    record : dict
        As :func:`header` gives it.
    read : callable
        Gives blocks; only those that hold rows inside `span` are asked for.
    span : Interval, optional
        Keep the samples inside it; all if None.

    Raises
    ------
    DamagedFile
        If blocks are missing or do not decode.
    """
    if record["form"] == "table":
        return _unpack_table(record, read)
    return _unpack_dataset(record, read, span)


def weight(record: dict[str, Any]) -> int:
    """Count roughly the bytes that a dataset of this header takes in memory.

    Examples
    --------
    >>> weight({"variables": [{"dtype": "<f4", "shape": [10, 3]}, {"dtype": "object", "shape": [10]}]})
    760
    """
    return sum(math.prod(one["shape"]) * _item_bytes(one["dtype"]) for one in record["variables"])


def _item_bytes(dtype: str) -> int:
    return np.dtype(dtype).itemsize if dtype not in {"object", "text"} else 64


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two headers describe datasets that differ in nothing but their samples."""
    return one["form"] == other["form"] == "dataset" and _structure(one) == _structure(other)


def _structure(record: dict[str, Any]) -> str:
    """Write what must be equal; text, because NaN is not equal to itself."""
    parts = [
        {**one, "shape": one["shape"][1:] if one["timed"] else one["shape"], "step": 0, "firsts": []}
        for one in record["variables"]
    ]
    return json.dumps([parts, record["attrs"]])


def concatenate(
    earlier: tuple[dict[str, Any], Reader], later: tuple[dict[str, Any], Reader], name: dict[str, Any]
) -> list[Block] | None:
    """Turn two `alike` consecutive datasets into the blocks of one; None if values without time differ."""
    (first, _), (second, _) = earlier, later
    variables, blocks = [], []
    for part, (one, other) in enumerate(zip(first["variables"], second["variables"], strict=True)):
        halves = [
            _values(part, half, read, 0, half["shape"][0]) for half, read in ((one, earlier[1]), (other, later[1]))
        ]
        if not one["timed"] and encode(halves[0]) != encode(halves[1]):
            return None
        record, cut = _pack_values(part, one, np.concatenate(halves) if one["timed"] else halves[0])
        variables.append(record)
        blocks += cut
    return [_header_block(name, {**first, "variables": variables}), *blocks]


def _header_block(name: dict[str, Any], record: dict[str, Any]) -> Block:
    text = json.dumps({**record, "name": name}, separators=(",", ":")).encode()
    return Block(HEADER, 0, 1, zlib.compress(text, 1))


def _pack_dataset(data: "xr.Dataset") -> tuple[dict[str, Any], list[Block]]:
    variables, blocks = [], []
    for part, (name, one) in enumerate(data.variables.items()):
        axis = one.dims.index("time") if "time" in one.dims else 0
        about = {
            "name": to_json(name),
            "dims": list(one.dims),
            "axis": axis,
            "timed": "time" in one.dims,
            "dtype": dtype_text(one.dtype),
            "attrs": to_json(dict(one.attrs)),
            "coord": name in data.coords,
        }
        record, cut = _pack_values(part, about, np.moveaxis(np.atleast_1d(one.to_numpy()), axis, 0))
        variables.append(record)
        blocks += cut
    return {"form": "dataset", "variables": variables, "attrs": to_json(dict(data.attrs))}, blocks


def _pack_values(part: int, about: dict[str, Any], values: Array) -> tuple[dict[str, Any], list[Block]]:
    step = block_rows(values)
    firsts = values[::step].astype("datetime64[ns]").view(np.int64).tolist() if about["name"] == "time" else []
    record = {**about, "shape": list(values.shape), "step": step, "firsts": firsts}
    return record, [_block(part, first, values[first : first + step]) for first in range(0, len(values), step)]


def block_rows(values: Array) -> int:
    """Say how many rows of an array go into one block.

    Examples
    --------
    >>> block_rows(np.zeros(10)), block_rows(np.zeros((10, 32, 16, 32)))
    (65536, 32)
    """
    row_bytes: int = max(math.prod(values.shape[1:]) * values.dtype.itemsize, 1)
    return max(min(BLOCK_ROWS, BLOCK_BYTES // row_bytes), 1)


def _block(part: int, first: int, values: Array) -> Block:
    return Block(part, first, len(values), encode(values))


def _unpack_dataset(record: dict[str, Any], read: Reader, span: Interval | None) -> "xr.Dataset":
    import xarray as xr

    parts = record["variables"]
    rows, times = _rows_inside(parts, read, span) if span else ((0, 0), None)
    made: dict[Any, tuple[Any, ...]] = {}
    for part, one in enumerate(parts):
        if one["name"] == "time" and times is not None:
            values = times
        else:
            values = _values(part, one, read, *(rows if span and one["timed"] else (0, one["shape"][0])))
        values = np.moveaxis(values, 0, one["axis"]) if one["dims"] else values.reshape(())
        made[from_json(one["name"])] = (one["dims"], values, from_json(one["attrs"]))
    names = {from_json(one["name"]) for one in parts if one["coord"]}
    coords = {name: value for name, value in made.items() if name in names}
    rest = {name: value for name, value in made.items() if name not in names}
    return xr.Dataset(rest, coords, from_json(record["attrs"]))


def _rows_inside(parts: list[dict[str, Any]], read: Reader, span: Interval) -> tuple[tuple[int, int], Array]:
    """Find the rows inside `span`, and their times, from the blocks of the sorted times that can hold them."""
    found = [(part, one) for part, one in enumerate(parts) if one["name"] == "time" and one["dims"] == ["time"]]
    if not found:
        raise _damaged("it has no times")
    part, one = found[0]
    low, high = np.searchsorted(one["firsts"], [span.start, span.stop])
    start = max(int(low) - 1, 0) * one["step"]
    times = _values(part, one, read, start, min(int(high) * one["step"], one["shape"][0]))
    first, stop = np.searchsorted(times.astype("datetime64[ns]").view(np.int64), [span.start, span.stop])
    return (start + int(first), start + int(stop)), times[first:stop]


def _values(part: int, one: dict[str, Any], read: Reader, first: int, stop: int) -> Array:
    """Give rows first <= row < stop of a variable, from exactly the blocks that hold them."""
    tail = tuple(one["shape"][1:])
    pieces, reached = [], first
    for block in read(part, first, stop) if first < stop else ():
        if block.first > reached:
            break
        values = decode(block.blob, one["dtype"], (block.rows, *tail))
        pieces.append(values[max(first - block.first, 0) : stop - block.first])
        reached = block.first + block.rows
    if reached < stop:
        raise _damaged(f"rows {reached} to {stop} of {one['name']!r} are missing")
    if not pieces:
        return decode(
            encode(np.empty(0, object)) if one["dtype"] in {"object", "text"} else b"", one["dtype"], (0, *tail)
        )
    # a copy, because what was decompressed is read-only and callers may write
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0].copy()


def _pack_table(table: "pa.Table") -> tuple[dict[str, Any], list[Block]]:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    stream = sink.getvalue()
    cuts = range(0, stream.size, BLOCK_BYTES)
    blocks = [stream[first : first + BLOCK_BYTES].to_pybytes() for first in cuts]
    return (
        {"form": "table", "octets": stream.size},
        [Block(0, first, len(blob), blob) for first, blob in zip(cuts, blocks, strict=True)],
    )


def _unpack_table(record: dict[str, Any], read: Reader) -> "pa.Table":
    import pyarrow as pa

    stream = b"".join(_stream(read(0, 0, record["octets"])))
    if len(stream) != record["octets"]:
        raise _damaged("a part of the table is missing")
    try:
        with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
            return reader.read_all()
    except (pa.ArrowException, OSError) as broken:
        raise _damaged(f"the table does not read: {broken}") from None


def _stream(blocks: Iterable[Block]) -> Iterator[bytes]:
    reached = 0
    for block in blocks:
        if block.first == reached:
            yield block.blob
            reached += block.rows


def _damaged(why: str) -> DamagedFile:
    return DamagedFile(f"an entry of the cache is damaged: {why}", "it is fetched again; see `armillary cache verify`")
