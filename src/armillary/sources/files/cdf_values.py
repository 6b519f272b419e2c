"""The values of a CDF's variables as numpy arrays, and its three kinds of epoch as nanoseconds of UTC."""

from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from armillary.sources.files.cdf_octets import Broken, inflate
from armillary.sources.files.cdf_records import (
    EPOCH,
    EPOCH16,
    TT2000,
    Block,
    CdfFile,
    CdfVariable,
    blocks,
    item_type,
)

Array: TypeAlias = "np.ndarray[Any, Any]"

#: Records that were never written hold the pad value; a file may not ask for more of them than this many octets.
MOST_PADDING: Final = 64 << 20
#: Pad values of variables that do not say one (CDF User's Guide, table of default pad values).
_PADS: Final = {
    1: -127, 2: -32767, 4: -2147483647, 8: -9223372036854775807, 11: 254, 12: 65534, 14: 4294967294, 21: -1e30,
    22: -1e30, EPOCH: 0.0, EPOCH16: 0.0, TT2000: -9223372036854775807, 41: -127, 44: -1e30, 45: -1e30,
}  # fmt: skip
_PREVIOUS: Final = 2
#: 1970-01-01 in seconds since the year 0, in which both older epochs count.
_UNIX_ZERO: Final = 62_167_219_200
_NS: Final = 1_000_000_000
#: 2000-01-01T12:00:00 as nanoseconds since 1970, and TT - TAI: TT2000 counts from that hour of TT.
_J2000: Final = 946_728_000 * _NS
_TT_TAI: Final = 32_184_000_000
_NAT: Final = np.iinfo(np.int64).min
#: What nanoseconds since 1970 can count, 1678 to 2262; fill values lie far outside.
_LIMITS: Final = (-9_214_560_000, 9_214_646_400)


def values(cdf: CdfFile, variable: CdfVariable, first: int = 0, stop: int | None = None) -> Array:
    """Read records ``first <= r < stop`` of a variable.

    Only the blocks that hold them are read and inflated.

    Returns
    -------
    numpy.ndarray, shape (records, *variable.shape)
        In the byte order of this machine; texts as ``S``; an EPOCH16 has a last dimension of 2 (seconds, picoseconds).

    Raises
    ------
    Broken
        If a block is damaged, or the file is too short to hold so many values.
    """
    stop = variable.records if stop is None else min(stop, variable.records)
    first = min(first, stop)
    dtype = item_type(variable.data_type, variable.elements, cdf.order)
    pieces: list[bytes] = []
    found = blocks(cdf, variable)
    at = start = _earlier(variable, found, first)
    for block in found:
        low, high = max(block.first, start), min(block.last + 1, stop)
        if low < high:
            pieces += [_padding(cdf, variable, low - at, pieces), _piece(cdf, variable, block, (low, high))]
            at = high
    pieces.append(_padding(cdf, variable, stop - at, pieces))
    return _shaped(cdf, variable, bytearray().join(pieces), dtype)[first - start :]


def text_values(cdf: CdfFile, variable: CdfVariable) -> Array:
    """Read the first record of a text variable as an array of str, without the padding."""
    raw = values(cdf, variable, 0, 1)
    texts = [one.partition(b"\0")[0].decode("utf-8", "replace").strip() for one in raw.ravel().tolist()]
    return np.array(texts, dtype=str).reshape(raw.shape)[0] if len(raw) else np.empty(variable.shape, "U1")


def utc(raw: Array, data_type: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Turn epochs into nanoseconds since 1970 UTC; fill values and times that cannot be counted become NaT.

    Parameters
    ----------
    raw : numpy.ndarray
        As :func:`values` gives them.
    data_type : int
        CDF_EPOCH (ms since year 0), CDF_EPOCH16 (s and ps since year 0) or TT2000 (ns of Terrestrial Time, leap
        seconds counted; a time within a leap second is the first instant after it). What is finer than a nanosecond
        is cut off.
    """
    if data_type == TT2000:
        return _utc_of_tt2000(raw)
    with np.errstate(invalid="ignore", over="ignore"):
        if data_type == EPOCH:
            whole = np.floor(raw)
            return _joined(
                np.floor((whole - _UNIX_ZERO * 1000) / 1000), whole % 1000 * 1e6 + np.floor((raw - whole) * 1e6)
            )
        return _joined(raw[..., 0] - _UNIX_ZERO, np.floor(raw[..., 1] / 1000))


def utc_of_unix(raw: Array) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Turn seconds since 1970 UTC, in which THEMIS and FAST keep their times, into nanoseconds."""
    seconds = raw.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.floor(seconds)
        return _joined(whole, (seconds - whole) * 1e9)


def _joined(seconds: Array, ns: Array) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Add whole seconds and the nanoseconds within them; NaT where they cannot be counted."""
    good = (seconds > _LIMITS[0]) & (seconds < _LIMITS[1]) & (ns >= 0) & (ns < 2e9)
    parts = np.where(good, seconds, 0).astype(np.int64) * _NS + np.rint(np.where(good, ns, 0)).astype(np.int64)
    return np.where(good, parts, _NAT)


@lru_cache(maxsize=1)
def _leap_seconds() -> tuple[Array, Array]:
    """Give the start of each leap-second era since 1972 (ns UTC since 1970) and TAI - UTC in it (ns)."""
    from cdflib.epochs import CDFepoch

    rows = [row for row in CDFepoch.LTS if row[0] >= 1972]
    starts = [np.datetime64(f"{row[0]:04d}-{row[1]:02d}-{row[2]:02d}", "ns").astype(np.int64) for row in rows]
    return np.array(starts, np.int64), np.array([round(row[3]) * _NS for row in rows], np.int64)


def _utc_of_tt2000(raw: Array) -> "np.ndarray[Any, np.dtype[np.int64]]":
    starts, offsets = _leap_seconds()
    thresholds = starts - _J2000 + offsets + _TT_TAI
    era = np.searchsorted(thresholds, raw, side="right") - 1
    good = (raw > -(1 << 63) + 1) & (raw < _LIMITS[1] * _NS - _J2000)
    shifted = np.where(good, raw, 0) + _J2000 - _TT_TAI - offsets[np.maximum(era, 0)]
    found = np.where(good, np.minimum(shifted, np.append(starts, np.iinfo(np.int64).max)[era + 1]), _NAT)
    before = good & (era < 0)
    if before.any():
        found[before] = _utc_before_1972(raw[before])
    return found


def _utc_before_1972(raw: Array) -> Array:
    """Leave to cdflib the years in which UTC and TAI drifted apart by the day."""
    from cdflib.epochs import CDFepoch

    return np.asarray(CDFepoch.to_datetime(raw)).astype("datetime64[ns]").astype(np.int64)


def _piece(cdf: CdfFile, variable: CdfVariable, block: Block, span: tuple[int, int]) -> bytes:
    skip = (span[0] - block.first) * variable.row_bytes
    wanted = (span[1] - span[0]) * variable.row_bytes
    if block.compression == 0:
        return cdf.octets.take(block.at + skip, wanted)
    return inflate(cdf.octets.take(block.at, block.size), block.compression, skip + wanted)[skip:]


def _earlier(variable: CdfVariable, found: list[Block], first: int) -> int:
    """Step back to the record whose value a sparse variable repeats at `first`."""
    written = [block.last for block in found if block.first <= first]
    return min(first, written[-1]) if variable.sparse == _PREVIOUS and written else first


def _padding(cdf: CdfFile, variable: CdfVariable, records: int, before: list[bytes]) -> bytes:
    size = records * variable.row_bytes
    if size <= 0:
        return b""
    if size > MOST_PADDING:
        raise Broken(f"{records} records of {variable.name!r} are not in the file")
    last = next((piece for piece in reversed(before) if piece), b"")
    if variable.sparse == _PREVIOUS and last:
        return last[-variable.row_bytes :] * records
    dtype = item_type(variable.data_type, variable.elements, cdf.order)
    pad = variable.pad or (
        b" " * dtype.itemsize if variable.is_text else np.full((), _PADS[variable.data_type], dtype).tobytes()
    )
    return pad * (size // len(pad))


def _shaped(cdf: CdfFile, variable: CdfVariable, raw: bytearray, dtype: "np.dtype[Any]") -> Array:
    flat = np.frombuffer(raw, dtype)
    native = flat.astype(flat.dtype.newbyteorder("="), copy=False)
    extra = native.shape[1:]
    if cdf.row_major or len(variable.shape) < 2:
        return native.reshape(-1, *variable.shape, *extra)
    turned = native.reshape(-1, *variable.shape[::-1], *extra)
    inner = len(variable.shape)
    axes = (0, *range(inner, 0, -1), *range(inner + 1, turned.ndim))
    return np.ascontiguousarray(turned.transpose(axes))
