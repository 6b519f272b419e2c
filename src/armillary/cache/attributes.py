"""Attributes as JSON and back, with numpy values, tuples and octets kept as what they are."""

import base64
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from armillary.errors import DamagedFile


def to_json(value: Any) -> Any:
    """Turn an attribute into JSON values; what has no safe form becomes text.

    Examples
    --------
    >>> from_json(to_json({"range": (1, np.float32(2.5)), "axes": ["x", "y"]}))
    {'range': (1, np.float32(2.5)), 'axes': ['x', 'y']}
    """
    if isinstance(value, np.ndarray | np.generic):
        return _from_numpy(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return _tagged(value)


def _tagged(value: Any) -> Any:
    if isinstance(value, list):
        return [to_json(one) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [to_json(one) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[to_json(name), to_json(one)] for name, one in value.items()]}
    if isinstance(value, bytes):
        return {"octets": base64.b64encode(value).decode()}
    return str(value)


def from_json(value: Any) -> Any:
    """Give back what :func:`to_json` wrote."""
    if isinstance(value, list):
        return [from_json(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag not in _READ:
        raise DamagedFile(f"the cache holds an attribute of unknown form {tag!r}", "run `armillary cache verify`")
    return _READ[tag](content)


def _from_numpy(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "biufMmSU":
        return to_json(array.tolist())
    plain = array.view(np.int64) if array.dtype.kind in "mM" else array
    content = [array.dtype.str, list(array.shape), [to_json(one) for one in plain.ravel().tolist()]]
    return {"array" if isinstance(value, np.ndarray) else "scalar": content}


def _array(content: Any) -> Any:
    text, shape, values = content
    dtype = np.dtype(text)
    plain = [from_json(one) for one in values]
    made = np.array(plain, np.int64).view(dtype) if dtype.kind in "mM" else np.array(plain, dtype)
    return made.reshape(shape)


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "octets": base64.b64decode,
    "tuple": lambda content: tuple(from_json(one) for one in content),
    "dict": lambda content: {from_json(name): from_json(one) for name, one in content},
    "array": _array,
    "scalar": lambda content: _array(content)[()],
}
