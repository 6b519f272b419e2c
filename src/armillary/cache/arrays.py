"""Arrays as bytes and back: Blosc-zstd with bit shuffle for numbers and fixed texts, JSON for objects; never pickle."""

import base64
import json
import math
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, DamagedFile

Array = np.ndarray[Any, Any]
#: Kinds of dtype whose bytes are the value.
_PLAIN: Final = "biufcMmSU"
#: Written for a dtype whose values are written one by one.
_OBJECT: Final = "object"
_TEXT: Final = "text"


def dtype_text(dtype: Any) -> str:
    """Write a dtype so that :func:`decode` finds it again.

    Raises
    ------
    BadData
        If values of this type cannot be stored safely.

    Examples
    --------
    >>> dtype_text(np.dtype("datetime64[ns]"))
    '<M8[ns]'
    """
    kind = getattr(dtype, "kind", "?")
    if isinstance(dtype, np.dtype) and kind in _PLAIN:
        return dtype.str
    if kind in "OT":
        return _OBJECT if kind == "O" else _TEXT
    raise BadData(f"values of type {dtype} cannot be kept in the cache", "give numbers, times, texts or booleans")


def encode(array: Array) -> bytes:
    """Compress the values of an array; its dtype and shape are kept elsewhere."""
    codec = _codec()
    if array.dtype.kind in "OT":
        text = json.dumps([_to_json(one) for one in array.astype(object).ravel().tolist()])
        return bytes(codec.encode(np.frombuffer(text.encode(), np.uint8)))
    if not array.size or not array.dtype.itemsize:
        return b""
    return bytes(codec.encode(_as_units(np.ascontiguousarray(array))))


def decode(blob: bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    """Give back what :func:`encode` compressed.

    Raises
    ------
    DamagedFile
        If the bytes do not hold an array of this type and shape.
    """
    try:
        return _decode(blob, dtype, shape)
    except (ValueError, RuntimeError, TypeError, KeyError) as broken:
        raise DamagedFile(f"a block of the cache does not decode: {broken}", "run `armillary cache verify`") from None


def _decode(blob: bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    if dtype in {_OBJECT, _TEXT}:
        values = np.empty(math.prod(shape), dtype=object)
        values[:] = [_from_json(one) for one in json.loads(bytes(_codec().decode(blob)))]
        values = values.reshape(shape)
        return values if dtype == _OBJECT else values.astype(np.dtypes.StringDType())
    kind = np.dtype(dtype)
    if not math.prod(shape) or not kind.itemsize:
        return np.zeros(shape, kind)
    return np.frombuffer(_codec().decode(blob), dtype=kind).reshape(shape)


def _codec() -> Any:
    from numcodecs import Blosc

    # one large inner block keeps Blosc's threads out: waiting for them costs more than they save on a busy machine
    return Blosc(cname="zstd", clevel=5, shuffle=Blosc.BITSHUFFLE, blocksize=2**20)


def _as_units(array: Array) -> Array:
    """View as numbers of the size at which values repeat, because the shuffle sorts bits by it."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    unit = {"U": "u4", "S": "u1"}.get(kind, f"u{size}" if size in {1, 2, 4, 8} else "u8")
    return array.reshape(-1).view(unit)


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"octets": base64.b64encode(value).decode()}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    raise BadData(f"an object of type {type(value).__name__} cannot be kept in the cache", "give texts or numbers")


def _from_json(value: Any) -> Any:
    return base64.b64decode(value["octets"]) if isinstance(value, dict) else value
