"""Tables of what truly happened: ejections, shocks, crossings and anomalies."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.missions.simulated import crossings, solar_wind, telemetry
from armillary.missions.simulated.ejections import Ejection
from armillary.model import Interval, Product, Progress
from armillary.model.kinds import column, with_table_attrs

if TYPE_CHECKING:
    import pyarrow as pa

_TIMES = ("start", "stop", "time")


def icmes(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "pa.Table":
    """List the mass ejections."""
    progress(0.0, product.title)
    columns = {
        "start": ("", "Arrival of the flux rope"), "stop": ("", "End of the flux rope"),
        "class": ("", "Always icme"), "speed": ("km/s", "Speed of its front"),
        "slowing": ("km/s", "How much slower its end is"), "b_max": ("nT", "Field on the axis of the rope"),
        "handedness": ("", "1 right, -1 left"), "axis_y": ("", "Axis of the rope, GSE"),
        "axis_z": ("", "Axis of the rope, GSE"), "impact": ("", "Closest approach to the axis over the radius"),
        "shock": ("", "Whether it drives a shock"),
    }  # fmt: skip
    return _events(product, columns, [_icme(one) for one in _ejections(seed)], asked)


def shocks(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "pa.Table":
    """List the shocks."""
    progress(0.0, product.title)
    columns = {
        "start": ("", "Arrival of the shock"), "stop": ("", "One minute later"), "time": ("", "Arrival of the shock"),
        "class": ("", "Always shock"), "mach": ("", "Fast magnetosonic Mach number"),
        "theta_bn": ("deg", "Angle between normal and upstream field"), "speed": ("km/s", "Along its normal"),
        "compression": ("", "Density ratio"), "field_ratio": ("", "Ratio of the tangential field"),
        "pressure_ratio": ("", "Ratio of the thermal pressure"), "normal_x": ("", "Normal away from the Sun, GSE"),
        "normal_y": ("", "Normal away from the Sun, GSE"), "normal_z": ("", "Normal away from the Sun, GSE"),
    }  # fmt: skip
    return _events(product, columns, [_shock(one) for one in _ejections(seed) if one.has_shock], asked)


def boundary_crossings(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "pa.Table":
    """List the crossings of bow shock and magnetopause; O(time) as they are found on the grid of the moments."""
    blocks = crossings.MOMENTS.blocks(asked)
    parts = [crossings.crossings(seed, 0)] if not blocks else []
    for done, block in enumerate(blocks):
        progress(done / len(blocks), "looking for crossings")
        parts.append(crossings.crossings(seed, block))
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns = {
        "start": ("", "Last moment before"), "stop": ("", "First moment after"), "time": ("", "Of the crossing"),
        "class": ("", "Boundary and direction"), "boundary": ("", "magnetopause or bow shock"),
        "direction": ("", "inbound or outbound"), "x": ("R_E", "Place, GSE"), "y": ("R_E", "Place, GSE"),
        "z": ("R_E", "Place, GSE"), "standoff": ("R_E", "Of the magnetopause"),
    }  # fmt: skip
    found["class"] = np.array([f"{a} {b}" for a, b in zip(found["boundary"], found["direction"], strict=True)], object)
    rows = [dict(zip(found, row, strict=True)) for row in zip(*(one.tolist() for one in found.values()), strict=True)]
    return _events(product, columns, rows, asked if blocks else Interval(0, 1))


def anomalies(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "pa.Table":
    """List the planted anomalies."""
    progress(0.0, product.title)
    columns = {
        "start": ("", "First moment"), "stop": ("", "End"), "class": ("", f"One of {', '.join(telemetry.ANOMALIES)}"),
        "channel": ("", "Channel, empty if it touches whole packets"), "size": ("", "In the unit of the channel"),
    }  # fmt: skip
    span = telemetry.SAMPLING.span
    rows = [
        {"start": one.start, "stop": one.stop, "class": one.kind, "channel": one.channel, "size": one.size}
        for one in telemetry.near(seed, span.start, span.stop)
    ]
    return _events(product, columns, rows, asked)


def _ejections(seed: int) -> list[Ejection]:
    span = solar_wind.SAMPLING.span
    return [one for one in solar_wind.near(seed, span.start, span.stop) if one.start in span]


def _icme(one: Ejection) -> dict[str, Any]:
    return {
        "start": one.start, "stop": one.stop, "class": "icme", "speed": one.speed, "slowing": one.slowing,
        "b_max": one.strength, "handedness": one.hand, "axis_y": float(one.axis[1]), "axis_z": float(one.axis[2]),
        "impact": one.impact, "shock": one.has_shock,
    }  # fmt: skip


def _shock(one: Ejection) -> dict[str, Any]:
    x, y, z = (float(part) for part in one.normal)
    return {
        "start": one.shock, "stop": one.shock + solar_wind.SAMPLING.step, "time": one.shock, "class": "shock",
        "mach": one.mach, "theta_bn": one.theta, "speed": one.shock_speed,
        "compression": float(one.jump.compression), "field_ratio": float(one.jump.field),
        "pressure_ratio": float(one.jump.pressure), "normal_x": x, "normal_y": y, "normal_z": z,
    }  # fmt: skip


def _events(
    product: Product,
    columns: Mapping[str, tuple[str, str]],
    rows: Iterable[Mapping[str, Any]],
    asked: Interval | None,
) -> "pa.Table":
    import pyarrow as pa

    kept = [row for row in rows if asked is None or (row["start"] < asked.stop and row["stop"] > asked.start)]
    schema = pa.schema([column(name, _type(name), unit, about) for name, (unit, about) in columns.items()])
    arrays = [pa.array([row[field.name] for row in kept], field.type) for field in schema]
    return with_table_attrs(pa.table(arrays, schema=schema), {"title": product.title, "citation": product.citation})


def _type(name: str) -> Any:
    import pyarrow as pa

    if name in _TIMES:
        return pa.timestamp("ns", tz="UTC")
    if name in {"class", "channel", "boundary", "direction"}:
        return pa.string()
    if name == "shock":
        return pa.bool_()
    return pa.int64() if name == "handedness" else pa.float64()
