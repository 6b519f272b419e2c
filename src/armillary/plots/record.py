"""The view as JSON or as one binary message, for pages.

A record is ``{version, title, start, stop, cursor, about, summary, bands, panels}``; a panel is ``{kind, title, source,
notes, aspect, at_cursor, x, y, z, colour, traces}`` with the fields of the values in `armillary.plots.view`, and a
trace has the name of its class in small letters as ``type``. Times become float64 milliseconds since 1970 UTC, as
JavaScript counts them.
An array becomes ``{"type": "f8" | "f4" | "u1" | "i4", "shape": [...], "data": base64}`` with little
endian numbers, or ``{"type", "shape", "at": offset}`` in the binary form:

    4 bytes      length of the head, little endian
    head         the record as UTF-8 JSON, padded with spaces to a multiple of 8 together with the 4 bytes
    arrays       each begins at head end + ``at``, a multiple of 8

Lines have at most about `max_points` points: of each of ``max_points / 4`` columns of the time axis the extremes stay.
Cells have at most `max_points` columns and images 512 * 512 values.
"""

import json
import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from armillary.plots.reduced import reduced
from armillary.plots.view import Array, Axis, Panel, Trace, View

VERSION: Final = 1
Put = Callable[[Array], dict[str, Any]]


def to_record(view: View, max_points: int = 4000) -> dict[str, Any]:
    """Write a view as JSON values with base64 arrays."""
    return _view(view, max_points, _base64)


def to_bytes(view: View, max_points: int = 4000) -> bytes:
    """Write a view as one binary message."""
    blocks: list[bytes] = []
    reached = 0

    def place(array: Array) -> dict[str, Any]:
        nonlocal reached
        plain = np.ascontiguousarray(array).tobytes()
        at, padding = reached, -len(plain) % 8
        blocks.append(plain + bytes(padding))
        reached += len(plain) + padding
        return {"type": array.dtype.str[1:], "shape": list(array.shape), "at": at}

    head = json.dumps(_view(view, max_points, place), separators=(",", ":"), allow_nan=False).encode()
    head += b" " * (-(len(head) + 4) % 8)
    return b"".join([struct.pack("<I", len(head)), head, *blocks])


def _view(view: View, max_points: int, put: Put) -> dict[str, Any]:
    bands = [asdict(band) | {"start": band.start / 1e6, "stop": band.stop / 1e6} for band in view.bands]
    return {
        "version": VERSION,
        "title": view.title,
        "start": view.start / 1e6,
        "stop": view.stop / 1e6,
        "cursor": None if view.cursor is None else view.cursor / 1e6,
        "about": dict(view.about),
        "summary": view.summary,
        "bands": bands,
        "panels": [_panel(panel, max_points, put) for panel in view.panels],
    }


def _panel(panel: Panel, max_points: int, put: Put) -> dict[str, Any]:
    return {
        "kind": panel.kind,
        "title": panel.title,
        "source": panel.source,
        "notes": list(panel.notes),
        "aspect": panel.aspect,
        "at_cursor": panel.at_cursor,
        "x": _axis(panel.x),
        "y": _axis(panel.y),
        "z": _axis(panel.z) if panel.z else None,
        "colour": asdict(panel.colour) if panel.colour else None,
        "traces": [_trace(reduced(trace, max_points), panel, put) for trace in panel.traces],
    }


def _axis(axis: Axis) -> dict[str, Any]:
    scale = 1e6 if axis.time else 1.0
    return asdict(axis) | {"low": float(axis.low) / scale, "high": float(axis.high) / scale}


def _trace(trace: Trace, panel: Panel, put: Put) -> dict[str, Any]:
    record: dict[str, Any] = {"type": type(trace).__name__.lower()}
    for part in fields(trace):
        value = getattr(trace, part.name)
        times = panel.x.time and part.name in {"x", "left", "right", "start", "stop"}
        if isinstance(value, np.ndarray):
            record[part.name] = put(_milliseconds(value) if times else _small(value))
        else:
            record[part.name] = list(value) if isinstance(value, tuple) else value
    return record


def _milliseconds(ns: Array) -> Array:
    whole, rest = np.divmod(np.asarray(ns, np.int64), 1_000_000)
    return np.asarray(whole + rest / 1e6, "<f8")


def _small(values: Array) -> Array:
    """Use 4 bytes a number where a picture cannot show the difference."""
    if values.dtype.kind != "f":
        return values.astype("|u1" if values.dtype == np.uint8 else "<i4")
    finite = values[np.isfinite(values)]
    if not finite.size:
        return values.astype("<f4")
    low, high = float(finite.min()), float(finite.max())
    largest = max(abs(low), abs(high))
    exact = largest >= 1e37 or (high - low) < 1e-2 * largest
    return values.astype("<f8" if exact else "<f4")


def _base64(array: Array) -> dict[str, Any]:
    data = b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
    return {"type": array.dtype.str[1:], "shape": list(array.shape), "data": data}
