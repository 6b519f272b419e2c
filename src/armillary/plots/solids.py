"""Panels of volumes: surfaces of equal value, with arrows, turned as the reader likes."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.model.times import format_time
from armillary.plots.limits import floats
from armillary.plots.planes import ARROW, arrow_look, nearest, titled
from armillary.plots.series import axis_label, blank
from armillary.plots.view import Array, Arrow, Axis, Panel, Surface, Trace
from armillary.plots.wording import tidy_label, tidy_units

if TYPE_CHECKING:
    import xarray as xr

    from armillary.model import Product

#: Surfaces are drawn at these parts of the largest value, the outermost the most transparent.
_PARTS: Final = (0.5, 0.1, 0.01)
_SURFACES: Final = (("#d55e00", 0.95), ("#009e73", 0.45), ("#0072b2", 0.2))
#: Room around the outermost surface, as a part of its reach.
_ROOM: Final = 1.2
#: An arrow reaches so far, as a part of the half axis.
_LENGTH: Final = 0.9


def volume_panels(product: "Product", data: "xr.Dataset", cursor: int | None) -> list[Panel]:
    """Arrange surfaces of equal value of a volume, at the time nearest to the cursor (ns)."""
    volumes = [one for one in data.data_vars.values() if one.ndim == 4 and one.dims[0] == "time"]
    if not volumes or not data.sizes["time"]:
        return [blank(product, "no data here" if volumes else "no numbers to draw")]
    step = nearest(data, cursor)
    volume = volumes[0][step]
    values = floats(volume.values)
    axes = [_axis(data, volumes[0], number, step) for number in (1, 2, 3)]
    surfaces = _surfaces(values, [one[0] for one in axes])
    x, y, z = _around(surfaces, [one[1] for one in axes])
    half = min(x.high, y.high, z.high)
    when = format_time(int(data["time"].to_numpy()[step].astype("datetime64[ns]").astype(np.int64)))
    title = titled(product, when)
    units = tidy_units(str(volume.attrs.get("units", "")))
    told = f"surfaces at {', '.join(f'{part:.0%}' for part in _PARTS)} of the largest {axis_label(volumes[0], product)}"
    notes = (
        (told, f"the largest is {np.nanmax(values):.3g} {units}".rstrip())
        if surfaces
        else ("nothing was measured here",)
    )
    traces: tuple[Trace, ...] = (*surfaces, *_arrows(data, step, half))
    return [Panel("solid", x, y, traces, None, title, product.path, notes, 1.0, at_cursor=True, z=z)]


def project(points: Array, azimuth: float, elevation: float) -> Array:
    """Turn points, in parts of the half axes, as seen from a direction in degrees: right, up, towards the reader."""
    turn, rise = np.radians([azimuth, elevation])
    right = np.array([-np.sin(turn), np.cos(turn), 0.0])
    towards = np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)])
    return np.asarray(points @ np.stack([right, np.cross(towards, right), towards]).T)


def _surfaces(values: Array, centres: list[Array]) -> tuple[Surface, ...]:
    from armillary.science.particles.volumes import isosurface

    largest = np.nanmax(values) if np.isfinite(values).any() else 0.0
    if not largest > 0:
        return ()
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(values > 0, values, 0.0))
    found = []
    for part, (colour, opacity) in zip(_PARTS, _SURFACES, strict=True):
        made = isosurface(logs, (centres[0], centres[1], centres[2]), float(np.log(largest * part)))
        if len(made.faces):
            found.append(Surface(made.vertices, made.faces, f"{part:.0%}", colour, opacity))
    return tuple(found)


def _around(surfaces: tuple[Surface, ...], axes: list[Axis]) -> list[Axis]:
    """Show the cube around the origin that holds the surfaces, with a little room."""
    if not surfaces or any(axis.low >= 0 or axis.high <= 0 for axis in axes):
        return axes
    reach = max(float(np.abs(one.vertices).max()) for one in surfaces) * _ROOM
    half = min(reach, max(max(axis.high, -axis.low) for axis in axes))
    return [replace(axis, low=-half, high=half) for axis in axes]


def _axis(data: "xr.Dataset", volume: "xr.DataArray", number: int, step: int) -> tuple[Array, Axis]:
    name = str(volume.attrs.get(f"DEPEND_{number}") or volume.dims[number])
    found = data[name]
    centres = floats(found.values)[step] if "time" in found.dims else floats(found.values)
    attrs: dict[str, Any] = dict(found.attrs)
    label = tidy_label(attrs.get("LABLAXIS") or attrs.get("long_name") or name)
    return centres, Axis(label, tidy_units(str(attrs.get("units", ""))), float(centres[0]), float(centres[-1]))


def _arrows(data: "xr.Dataset", step: int, half: float) -> tuple[Arrow, ...]:
    """Give the directions that lie beside the volume, all of one length: what they say is where to."""
    found = []
    for name, one in sorted(data.data_vars.items(), key=lambda pair: str(pair[0])):
        if not str(name).startswith(ARROW) or one.shape[1:] != (3,):
            continue
        tip = np.asarray(one[step].values, float)
        size = float(np.linalg.norm(tip))
        if np.isfinite(size) and size > 0:
            found.append(Arrow(tip / size * half * _LENGTH, *arrow_look(str(name), "#000000")))
    return tuple(found)
