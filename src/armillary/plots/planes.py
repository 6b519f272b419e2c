"""Panels of what is drawn for one time: planes of two axes. The time is that of the picture's cursor."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.model.times import format_time
from armillary.plots.limits import bin_edges, colour_limits, floats, geometric, is_log, valid
from armillary.plots.series import COLOURS, axis_label, blank
from armillary.plots.view import Array, Axis, Cells, ColourAxis, Line, Panel
from armillary.plots.wording import tidy_label, tidy_units

if TYPE_CHECKING:
    import xarray as xr

    from armillary.model import Product

#: Variables of a plane or volume that are drawn as arrows from the origin.
ARROW: Final = "arrow_"
#: An arrow is so long, as a part of the shorter half axis.
_LENGTH: Final = 0.6
#: The vectors that lie beside distributions: how they are called on a picture, and their colours.
ARROWS: Final = {
    "magnetic_field": ("B", "#000000"),
    "bulk_velocity": ("V", "#b00000"),
    "electric_field": ("E", "#7b3294"),
}
#: Titles longer than this give only what the last recipe made.
_LONG: Final = 36
#: Room around what was measured, as a part of its reach.
_ROOM: Final = 1.15


def plane_panels(product: "Product", data: "xr.Dataset", cursor: int | None) -> list[Panel]:
    """Arrange the first plane of a product at the time nearest to the cursor (ns), the middle one without a cursor."""
    planes = [one for one in data.data_vars.values() if _is_plane(one)]
    if not planes:
        return [blank(product)]
    if not data.sizes["time"]:
        return [blank(product, "no data here")]
    step = nearest(data, cursor)
    when = format_time(int(data["time"].to_numpy()[step].astype("datetime64[ns]").astype(np.int64)))
    return [_panel(product, data, planes[0], step, when)]


def nearest(data: "xr.Dataset", cursor: int | None) -> int:
    """Give the number of the time nearest to the cursor; the middle one without a cursor."""
    ns = data["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    return len(ns) // 2 if cursor is None else int(np.argmin(np.abs(ns - cursor)))


def _is_plane(one: "xr.DataArray") -> bool:
    return (
        one.dims[:1] == ("time",) and one.ndim == 3 and not str(one.name).startswith(ARROW) and one.dtype.kind in "iuf"
    )


def _panel(product: "Product", data: "xr.Dataset", plane: "xr.DataArray", step: int, when: str) -> Panel:
    values, notes = valid(floats(plane[step].values), plane.attrs)
    sides = [_side(data, plane, number, step) for number in (1, 2)]
    if sides[0].scale == "log" and sides[1].scale != "log":  # columns are painted on linear axes
        sides, values = sides[::-1], values.T
    (x, columns, across), (y, rows, up) = (_edges(one) for one in sides)
    values = values[across][:, up]
    low, high, scale = colour_limits(values, is_log(plane.attrs))
    label = axis_label(plane, product)
    colour = ColourAxis(label, tidy_units(str(plane.attrs.get("units", ""))), low, high, scale, "viridis")
    cells = Cells(columns[:-1], columns[1:], rows, values.astype(np.float32))
    same = x.units == y.units and x.scale == y.scale == "linear"
    notes += () if np.isfinite(values).any() else ("nothing was measured here",)
    x, y = _around(x, y, columns, rows, values) if same else (x, y)
    arrows = _arrows(data, step, min(x.high, y.high)) if same else ()
    aspect = 1.0 if same else None
    title = titled(product, when)
    return Panel("spectrogram", x, y, (cells, *arrows), colour, title, product.path, notes, aspect, at_cursor=True)


def titled(product: "Product", when: str) -> str:
    """Name a panel of one time: what it is, and when."""
    name = product.title if len(product.title) <= _LONG else product.title.rpartition(": ")[2]
    return f"{name} {when.replace('T', ' ').removesuffix('Z')}"


def _around(x: Axis, y: Axis, columns: Array, rows: Array, values: Array) -> tuple[Axis, Axis]:
    """Show the square around the origin that holds all that was counted, with a little room."""
    there = values > 0
    if not there.any() or not (x.low < 0 < x.high and y.low < 0 < y.high):
        return x, y
    reach = max(np.abs(edges[np.r_[hit, False] | np.r_[False, hit]]).max() for edges, hit in
                ((columns, there.any(1)), (rows, there.any(0))))  # fmt: skip
    half = min(float(reach) * _ROOM, max(x.high, -x.low, y.high, -y.low))
    return replace(x, low=-half, high=half), replace(y, low=-half, high=half)


class _Side:
    """One axis of a plane: centres of its bins and how it is drawn."""

    def __init__(self, centres: Array, attrs: dict[str, Any], name: str) -> None:
        asked = is_log(attrs)
        log = bool((centres > 0).all()) and (geometric(centres) if asked is None else asked)
        self.centres, self.scale = centres, "log" if log else "linear"
        self.label = tidy_label(attrs.get("LABLAXIS") or attrs.get("long_name") or name)
        self.units = tidy_units(str(attrs.get("units", "")))


def _side(data: "xr.Dataset", plane: "xr.DataArray", number: int, step: int) -> _Side:
    name = str(plane.attrs.get(f"DEPEND_{number}") or plane.dims[number])
    found = data[name] if name in data.coords or name in data else None
    if found is None:
        return _Side(np.arange(plane.shape[number], dtype=float), {}, name)
    centres = floats(found.values)
    return _Side(centres[step] if "time" in found.dims else centres, dict(found.attrs), name)


def _edges(side: _Side) -> tuple[Axis, Array, Array]:
    """Give the axis, the borders of the bins and the order of the bins along it."""
    edges, order = bin_edges(side.centres, side.scale == "log")
    inside = edges[np.isfinite(edges)]
    low, high = (float(inside[0]), float(inside[-1])) if inside.size > 1 else (0.0, 1.0)
    return Axis(side.label, side.units, low, high, "log" if side.scale == "log" else "linear"), edges, order


def _arrows(data: "xr.Dataset", step: int, half: float) -> tuple[Line, ...]:
    """Draw directions from the origin; one in the plane reaches `_LENGTH` of the half axis, one across it is a dot."""
    found = []
    for number, (name, one) in enumerate(sorted(data.data_vars.items(), key=lambda pair: str(pair[0]))):
        if not str(name).startswith(ARROW) or one.shape[1:] != (2,):
            continue
        tip = np.asarray(one[step].values, float)
        if not np.isfinite(tip).all():
            continue
        label, colour = arrow_look(str(name), COLOURS[number % len(COLOURS)])
        scale = half * _LENGTH / max(float(np.hypot(*tip)), 1.0)
        found.append(Line(np.array([0.0, tip[0] * scale]), np.array([0.0, tip[1] * scale]), label, colour))
    return tuple(found)


def arrow_look(name: str, colour: str) -> tuple[str, str]:
    """Give the label and the colour of an arrow."""
    short = name.removeprefix(ARROW)
    return ARROWS.get(short, (short.replace("_", " "), colour))
