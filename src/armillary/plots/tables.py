"""Panels of tables: the sky, the colour-magnitude diagram, events, samples."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.plots.limits import floats, line_limits
from armillary.plots.reduced import thin
from armillary.plots.series import COLOURS, Curves, blank, line_panels, time_axis
from armillary.plots.view import Array, Axis, Panel, Points, Spans
from armillary.plots.wording import tidy_units

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.model import Interval, Product

#: What the columns of the optical bands are called in the archives and lists that we have met, small letters.
_G: Final = ("phot_g_mean_mag", "g", "gmag", "g_mag")
_BLUE: Final = ("phot_bp_mean_mag", "bp", "bpmag", "bp_mag", "g_bp")
_RED: Final = ("phot_rp_mean_mag", "rp", "rpmag", "rp_mag", "g_rp")
_ABSOLUTE_G: Final = ("g_absolute", "abs_g", "mg")
_COLOUR: Final = ("bp_rp", "bp-rp", "bprp")
_PARALLAX: Final = ("parallax", "plx")
#: Columns by which events are put into rows.
_CLASSES: Final = ("class", "label", "kind", "type", "name", "spacecraft", "tags")
_MAX_ROWS: Final = 12


def source_panels(product: "Product", table: "pa.Table", interval: "Interval | None") -> list[Panel]:
    """Arrange sources on the sky and, if their bands are known, in a colour-magnitude diagram."""
    panels = [one for one in (_sky(product, table), _colour_magnitude(product, table)) if one]
    return panels or sample_panels(product, table, interval)


def event_panels(product: "Product", table: "pa.Table", interval: "Interval | None") -> list[Panel]:
    """Arrange events as bars, a row for each class or, without classes, as many rows as overlaps need."""
    start, stop = (_times(table, name) for name in ("start", "stop"))
    keep = np.flatnonzero(stop >= start)
    if interval:
        keep = keep[(start[keep] < interval.stop) & (stop[keep] >= interval.start)]
    start, stop = start[keep], stop[keep]
    order = np.argsort(start, kind="stable")
    start, stop, keep = start[order], stop[order], keep[order]
    row, labels = _rows(table, keep, start, stop)
    spans = Spans(start, stop, row, labels)
    x = time_axis(np.concatenate([start, stop]))
    y = Axis(product.title, low=-0.6, high=max(len(labels), int(row.max(initial=0)) + 1) - 0.4)
    notes = () if len(keep) else ("no events here",)
    return [Panel("events", x, y, (spans,), None, product.title, product.path, notes)]


def sample_panels(product: "Product", table: "pa.Table", interval: "Interval | None") -> list[Panel]:
    """Arrange samples as lines on time, or the first two numeric columns against each other."""
    names = [field.name for field in table.schema if _numeric(field.type)]
    if "time" in table.column_names and _is_timestamp(table, "time"):
        return _samples_on_time(product, table, names, interval)
    return [_pair(product, table, names[0], names[1])] if len(names) > 1 else [blank(product)]


def _samples_on_time(
    product: "Product", table: "pa.Table", names: list[str], interval: "Interval | None"
) -> list[Panel]:
    times = _times(table, "time")
    keep = np.flatnonzero(times > np.iinfo(np.int64).min)
    if interval:
        keep = keep[(times[keep] >= interval.start) & (times[keep] < interval.stop)]
    keep = keep[np.argsort(times[keep], kind="stable")]
    curves = [
        Curves(name, _unit(table, name), False, _numbers(table, name)[keep][:, None], ("",))
        for name in names[:_MAX_ROWS]
    ]
    return line_panels(product, times[keep], curves)[:6] or [blank(product)]


def _sky(product: "Product", table: "pa.Table") -> Panel | None:
    names = {name.lower(): name for name in table.column_names}
    if not {"ra", "dec"} <= set(names):
        return None
    ra, dec = _numbers(table, names["ra"]), _numbers(table, names["dec"])
    known = np.isfinite(ra) & np.isfinite(dec)
    ra, dec = _unwrap(ra[known]), dec[known]
    shown = thin(ra, dec)
    x_low, x_high, _ = line_limits(ra, log=False)
    y_low, y_high, _ = line_limits(dec, log=False)
    middle = float(np.cos(np.radians((y_low + y_high) / 2)))
    aspect = 1 / max(middle, 0.05) if y_high - y_low < 60 else None
    x = Axis("right ascension", "°", x_low, x_high, reversed=True)
    y = Axis("declination", "°", max(y_low, -90), min(y_high, 90))
    points = Points(ra[shown], dec[shown], "", COLOURS[0])
    notes = _counted(len(ra), table.num_rows, "positions")
    return Panel("scatter", x, y, (points,), None, product.title, product.path, notes, aspect)


def _colour_magnitude(product: "Product", table: "pa.Table") -> Panel | None:
    absolute, colour = _first(table, _ABSOLUTE_G), _first(table, _COLOUR)
    magnitude = _first(table, _G) if absolute is None else absolute
    blue, red, parallax = _first(table, _BLUE), _first(table, _RED), _first(table, _PARALLAX)
    if colour is None and blue is not None and red is not None:
        colour = blue - red
    if magnitude is None or colour is None:
        return None
    label = "G"
    if absolute is not None:
        magnitude, label = absolute, "absolute G"
    elif parallax is not None and (parallax > 0).any():
        magnitude = magnitude + 5 * np.log10(np.where(parallax > 0, parallax, np.nan)) - 10
        label = "absolute G"
    known = np.isfinite(magnitude) & np.isfinite(colour)
    x_low, x_high, _ = line_limits(colour[known], log=False)
    y_low, y_high, _ = line_limits(magnitude[known], log=False)
    x = Axis("BP - RP", "mag", x_low, x_high)
    y = Axis(label, "mag", y_low, y_high, reversed=True)
    shown = thin(colour[known], magnitude[known])
    points = Points(colour[known][shown], magnitude[known][shown], "", COLOURS[0])
    notes = _counted(int(known.sum()), table.num_rows, "colours and magnitudes")
    return Panel("scatter", x, y, (points,), None, product.title, product.path, notes)


def _pair(product: "Product", table: "pa.Table", first: str, second: str) -> Panel:
    x, y = _numbers(table, first), _numbers(table, second)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    axes = [
        Axis(name.replace("_", " "), _unit(table, name), *line_limits(values, log=False)[:2])
        for name, values in ((first, x), (second, y))
    ]
    shown = thin(x, y)
    points = Points(x[shown], y[shown], "", COLOURS[0])
    notes = _counted(len(x), table.num_rows, "pairs")
    return Panel("scatter", axes[0], axes[1], (points,), None, product.title, product.path, notes)


def _counted(shown: int, rows: int, what: str) -> tuple[str, ...]:
    return (f"{shown} of {rows} rows have {what}",) if shown < rows else ()


def _unwrap(ra: Array) -> Array:
    """Move what lies beyond the widest empty part of the circle, so that a field across 0 hours stays together."""
    turned = np.sort(ra % 360)
    if len(turned) < 2 or turned[-1] - turned[0] < 180:
        return ra
    gaps = np.diff(turned)
    widest = int(np.argmax(gaps))
    if gaps[widest] <= 360 - (turned[-1] - turned[0]):
        return ra
    return np.where(ra % 360 > turned[widest], ra % 360 - 360, ra % 360)


def _rows(table: "pa.Table", keep: Array, start: Array, stop: Array) -> tuple[Array, tuple[str, ...]]:
    for name in _CLASSES:
        if name in table.column_names:
            words = np.array([str(word) for word in table[name].to_pylist()], dtype=object)[keep]
            classes = sorted(set(words))
            if 0 < len(classes) <= _MAX_ROWS:
                place = {one: number for number, one in enumerate(classes)}
                return np.array([place[word] for word in words], np.int32), tuple(classes)
    return _stack(start, stop), ()


def _stack(start: Array, stop: Array) -> Array:
    """Give each event the lowest row that is free at its start; the last row takes what is left."""
    row = np.zeros(len(start), np.int32)
    free = [np.iinfo(np.int64).min] * _MAX_ROWS
    for i, (first, last) in enumerate(zip(start.tolist(), stop.tolist(), strict=True)):
        row[i] = next((k for k, until in enumerate(free) if until <= first), _MAX_ROWS - 1)
        free[row[i]] = max(free[row[i]], last)
    return row


def _first(table: "pa.Table", wanted: tuple[str, ...]) -> Array | None:
    names = {field.name.lower(): field.name for field in table.schema if _numeric(field.type)}
    found = next((names[one] for one in wanted if one in names), None)
    return None if found is None else _numbers(table, found)


def _numbers(table: "pa.Table", name: str) -> Array:
    import pyarrow as pa

    return floats(table[name].cast(pa.float64(), safe=False).to_numpy())


def _times(table: "pa.Table", name: str) -> Array:
    column = table[name].to_numpy().astype("datetime64[ns]")
    return np.asarray(column.astype(np.int64))


def _unit(table: "pa.Table", name: str) -> str:
    from armillary.model.kinds import column_unit

    return tidy_units(column_unit(table.schema.field(name)))


def _numeric(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_timestamp(table: "pa.Table", name: str) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(table.schema.field(name).type))
