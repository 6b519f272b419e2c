"""Panels of what is ordered in time: lines, spectrograms, distributions, packets."""

from dataclasses import dataclass, replace
from itertools import product as combinations
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.plots.curves import curve_panel, is_curve, overlaid, overlays
from armillary.plots.limits import (
    bin_edges,
    break_gaps,
    colour_limits,
    column_sides,
    floats,
    geometric,
    is_log,
    line_limits,
    valid,
)
from armillary.plots.view import Array, Axis, Cells, ColourAxis, Line, Panel, Points
from armillary.plots.wording import shared_label, tidy_label, tidy_units
from armillary.science.decimate import column_groups, join_columns

if TYPE_CHECKING:
    import xarray as xr

    from armillary.model import Interval, Product

#: Okabe & Ito's colours, which colour-blind readers tell apart; x, y, z and the magnitude come first.
COLOURS: Final = ("#0072b2", "#009e73", "#d55e00", "#000000", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
MAX_LINES: Final = 12
MAX_PANELS: Final = 6
_ROWS: Final = 512
_SCREEN: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Lines of one variable: `values` (n, k) and k labels."""

    name: str
    units: str
    log: bool
    values: Array
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()


def series_panels(product: "Product", data: "xr.Dataset", interval: "Interval | None") -> list[Panel]:
    """Arrange every variable on time: spectrograms for those with bins, lines for the others.

    Variables that ISTP's ``VAR_TYPE`` calls support data are left out, unless there is nothing else.
    """
    data = within(data[["psd"]] if product.kind == "skymap" else data, interval)
    drawn = [one for one in data.data_vars.values() if one.dims[:1] == ("time",) and one.dtype.kind in "biuf"]
    drawn = [one for one in drawn if one.attrs.get("VAR_TYPE") != "support_data"] or drawn
    apart = [one for one in drawn if is_curve(one) and len(one)]
    panels = [curve_panel(product, apart)] if apart else []
    drawn = [one for one in drawn if not is_curve(one)]
    over = {name for one in drawn for name in overlaid(one)}
    binned = [one for one in drawn if _has_bins(one, product.kind)]
    panels += [_with_overlays(spectrogram(product, one, data["time"].to_numpy()), one, data) for one in binned]
    curves = [_curves(one) for one in drawn if not _has_bins(one, product.kind) and one.name not in over]
    return (panels + line_panels(product, _nanoseconds(data), curves))[:MAX_PANELS] or [blank(product)]


def packet_panels(product: "Product", data: "xr.Dataset", interval: "Interval | None") -> list[Panel]:
    """Arrange packets: which application sent them, and their sequence counts, against time."""
    data = within(data, interval)
    times = _nanoseconds(data)
    names = [name for name in ("apid", "sequence") if name in data]
    apids = np.asarray(data["apid"]) if "apid" in data else np.zeros(len(times), np.int64)
    return [_packet_panel(product, times, apids, data[name]) for name in names] or [blank(product)]


def line_panels(product: "Product", times: Array, curves: list[Curves]) -> list[Panel]:
    """Put curves of the same units and scale into one panel."""
    groups: dict[tuple[str, bool], list[Curves]] = {}
    for one in curves:
        groups.setdefault((one.units, one.log), []).append(one)
    return [_line_panel(product, times, group) for group in groups.values()]


def _with_overlays(panel: Panel, variable: "xr.DataArray", data: "xr.Dataset") -> Panel:
    lines = overlays(variable, data, _nanoseconds(data), panel.y.low, panel.y.high)
    return replace(panel, traces=(*panel.traces, *lines))


def spectrogram(product: "Product", variable: "xr.DataArray", times: Array) -> Panel:
    """Arrange a variable with bins as coloured cells, averaged over all bins but energy (or the last ones)."""
    variable, averaged = _omni(variable)
    centres, y_attrs, y_name = _bins(variable)
    values, notes = valid(floats(variable.values), variable.attrs)
    asked = is_log(y_attrs)
    positive = bool((centres[np.isfinite(centres)] > 0).any())
    log = positive and (geometric(centres) if asked is None else asked)
    centres = centres[0] if centres.ndim == 2 and len(centres) and _same_rows(centres) else centres
    edges, order = bin_edges(centres, log)
    values = values[:, order] if order.ndim == 1 else np.take_along_axis(values, order, axis=1)
    ns = times.astype("datetime64[ns]").astype(np.int64)
    left, right = column_sides(ns, (product.cadence or 1.0) * 1e9)
    inside = edges[np.isfinite(edges)]
    low, high = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 1.0)
    y = Axis(y_name, tidy_units(str(y_attrs.get("units", ""))), low, high, "log" if log else "linear")
    colour_low, colour_high, scale = colour_limits(_as_seen(left, right, edges, values), is_log(variable.attrs))
    label, units = axis_label(variable, product), tidy_units(str(variable.attrs.get("units", "")))
    colour = ColourAxis(label, units, colour_low, colour_high, scale, "viridis")
    cells = Cells(left, right, edges, values.astype(np.float32))
    notes += () if np.isfinite(values).any() else ("no data here",)
    return Panel("spectrogram", time_axis(ns), y, (cells,), colour, product.title, product.path, averaged + notes)


def _as_seen(left: Array, right: Array, edges: Array, values: Array) -> Array:
    """Give the means that a screen shows of many columns, whose colours those of single columns may not fit."""
    if len(left) <= 2 * _SCREEN:
        return values
    return join_columns(left, right, edges, values, column_groups(left, right, _SCREEN))[3]


def axis_label(variable: "xr.DataArray", product: "Product") -> str:
    """Name a variable: LABLAXIS, else its long name, else the product's title."""
    for name in (variable.attrs.get("LABLAXIS"), variable.attrs.get("long_name"), product.title, variable.name):
        if tidy_label(name):
            return tidy_label(name)
    return ""


def time_axis(ns: Array) -> Axis:
    """Give a time axis around these times; the view puts its own limits in later."""
    if not len(ns):
        return Axis("", low=0, high=0, time=True)
    return Axis("", low=int(ns.min()), high=int(ns.max()), time=True)


def blank(product: "Product", note: str = "no numbers to draw") -> Panel:
    """Give an empty panel that says why."""
    return Panel("lines", time_axis(np.array([])), Axis(product.title), (), None, product.title, product.path, (note,))


def within(data: "xr.Dataset", interval: "Interval | None") -> "xr.Dataset":
    """Cut to the interval, with one sample more on each side so that lines reach the frame."""
    if interval is None or "time" not in data.dims:
        return data
    ns = _nanoseconds(data)
    first, last = np.searchsorted(ns, [interval.start, interval.stop])
    return data.isel(time=slice(max(int(first) - 1, 0), int(last) + 1))


def _nanoseconds(data: "xr.Dataset") -> Array:
    return np.asarray(data["time"].values.astype("datetime64[ns]").astype(np.int64))


def _has_bins(variable: "xr.DataArray", kind: str) -> bool:
    display = str(variable.attrs.get("DISPLAY_TYPE") or "").lower()
    components = prod(variable.shape[1:])
    if variable.ndim < 2 or (display.startswith(("time_series", "stack_plot")) and components <= MAX_LINES):
        return False
    numeric = [_coordinate(variable, n) is not None for n in range(1, variable.ndim)]
    if kind in {"spectrogram", "distribution", "skymap"} or display.startswith("spectrogram"):
        return any(numeric) or components > MAX_LINES
    return components > MAX_LINES


def _coordinate(variable: "xr.DataArray", n: int) -> "xr.DataArray | None":
    """Give the numeric coordinate along the n-th dimension, as DEPEND_n names it."""
    for name in (variable.attrs.get(f"DEPEND_{n}"), variable.dims[n]):
        if name in variable.coords and variable.coords[name].dtype.kind in "iuf":
            found: xr.DataArray = variable.coords[name]
            if variable.dims[n] in found.dims:
                return found
    return None


def _omni(variable: "xr.DataArray") -> "tuple[xr.DataArray, tuple[str, ...]]":
    """Average over every dimension but time and the one that is most like an energy."""
    if variable.ndim == 2:
        return variable, ()
    keep = max(range(1, variable.ndim), key=lambda n: (_energy_score(_coordinate(variable, n)), n))
    away = [n for n in range(1, variable.ndim) if n != keep]
    parts = [_mean(floats(variable[row : row + _ROWS].values), tuple(away)) for row in range(0, len(variable), _ROWS)]
    shape = (0, variable.shape[keep])
    names = ", ".join(_short_name(variable, n) for n in away)
    kept = _coordinate(variable, keep)
    attrs = {name: value for name, value in variable.attrs.items() if not name.startswith("DEPEND_")}
    flat = variable.isel({variable.dims[n]: 0 for n in away}, drop=True)
    flat = flat.copy(data=np.concatenate(parts) if parts else np.empty(shape))
    if kept is not None:
        extra = [name for name in kept.dims if name not in {"time", variable.dims[keep]}]
        flat = flat.assign_coords({kept.name: kept.median(extra, keep_attrs=True) if extra else kept})
        attrs["DEPEND_1"] = kept.name
    flat.attrs = attrs
    return flat, (f"mean over {names}",)


def _energy_score(coordinate: "xr.DataArray | None") -> int:
    if coordinate is None:
        return 0
    text = f"{coordinate.name} {coordinate.attrs.get('LABLAXIS', '')}".lower()
    energy = "energy" in text or "ev" in str(coordinate.attrs.get("units", "")).lower()
    return 1 + 4 * energy + 2 * ("freq" in text) + (is_log(coordinate.attrs) or False)


def _mean(values: Array, axes: tuple[int, ...]) -> Array:
    known = np.isfinite(values)
    count = known.sum(axis=axes)
    total = np.where(known, values, 0.0).sum(axis=axes)
    mean: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _bins(variable: "xr.DataArray") -> tuple[Array, dict[str, Any], str]:
    """Give the centres of the bins (m,) or (n, m), what is known about them and their name."""
    found = _coordinate(variable, 1)
    if found is None:
        return np.arange(variable.shape[1], dtype=np.float64), {}, str(variable.dims[1])
    found = found.transpose("time", ...) if "time" in found.dims else found
    centres, _ = valid(floats(found.values), {"FILLVAL": found.attrs.get("FILLVAL")})
    return centres, dict(found.attrs), _short_name(variable, 1)


def _short_name(variable: "xr.DataArray", n: int) -> str:
    found = _coordinate(variable, n)
    attrs = {} if found is None else found.attrs
    name = attrs.get("LABLAXIS") or attrs.get("long_name") or (variable.dims[n] if found is None else found.name)
    return tidy_label(name)


def _same_rows(centres: Array) -> bool:
    return bool(np.array_equal(centres, np.broadcast_to(centres[0], centres.shape), equal_nan=True))


def _curves(variable: "xr.DataArray") -> Curves:
    values = floats(variable.values).reshape(variable.shape)
    values, notes = valid(values, variable.attrs)
    labels = _component_labels(variable)
    values, labels, more = _upper_triangle(values, labels)
    if len(labels) > MAX_LINES:
        more += (f"the first {MAX_LINES} of {len(labels)} components",)
    flat = values.reshape(len(values), len(labels))[:, :MAX_LINES]
    log = bool(is_log(variable.attrs))
    name = variable.attrs.get("LABLAXIS") or shared_label(labels) or variable.attrs.get("long_name")
    units = tidy_units(str(variable.attrs.get("units", "")))
    return Curves(str(name or variable.name), units, log, flat, labels[:MAX_LINES], notes + more)


def _upper_triangle(values: Array, labels: tuple[str, ...]) -> tuple[Array, tuple[str, ...], tuple[str, ...]]:
    """Leave out the lower half of a symmetric tensor."""
    if values.ndim != 3 or values.shape[1] != values.shape[2] or values.shape[1] > 4:
        return values, labels, ()
    if not np.allclose(values, values.transpose(0, 2, 1), rtol=1e-4, equal_nan=True):
        return values, labels, ()
    size = values.shape[1]
    rows, columns = np.triu_indices(size)
    return values[:, rows, columns], tuple(labels[i] for i in rows * size + columns), ("symmetric tensor",)


def _component_labels(variable: "xr.DataArray") -> tuple[str, ...]:
    if variable.ndim == 1:
        return ("",)
    parts = [_dimension_labels(variable, n) for n in range(1, variable.ndim)]
    short = all(len(word) == 1 for part in parts for word in part)
    return tuple(("" if short else " ").join(words) for words in combinations(*parts))


def _dimension_labels(variable: "xr.DataArray", n: int) -> list[str]:
    dim, size = variable.dims[n], variable.shape[n]
    for name in (variable.attrs.get(f"LABL_PTR_{n}"), variable.attrs.get(f"DEPEND_{n}"), dim):
        found = name if isinstance(name, list | tuple | np.ndarray) else None
        if found is None and isinstance(name, str) and name in variable.coords:
            coordinate = variable.coords[name]
            found = coordinate.values if coordinate.dims == (dim,) else None
        if found is not None and len(found) == size:
            units = "" if np.asarray(found).dtype.kind in "UOS" else _units_of(variable, name)
            return [_component(one, units) for one in found]
    return [str(number) for number in range(size)]


def _units_of(variable: "xr.DataArray", name: Any) -> str:
    return tidy_units(str(variable.coords[name].attrs.get("units", ""))) if isinstance(name, str) else ""


def _component(value: Any, units: str) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value).replace("_", " ").strip() if isinstance(value, str) else f"{value:.4g} {units}".strip()


def _line_panel(product: "Product", times: Array, group: list[Curves]) -> Panel:
    values = np.concatenate([one.values for one in group], axis=1)
    names = [_legend(one, label, len(group) > 1) for one in group for label in one.labels]
    notes = tuple(note for one in group for note in one.notes)
    if len(names) > MAX_LINES:
        notes += (f"the first {MAX_LINES} of {len(names)} lines",)
    values = values[:, :MAX_LINES]
    low, high, scale = line_limits(values, group[0].log)
    if scale == "log":
        values = np.where(values > 0, values, np.nan)
    x, y = break_gaps(times, values)
    lines = tuple(Line(x, y[:, k], name, COLOURS[k % len(COLOURS)]) for k, name in enumerate(names[:MAX_LINES]))
    label = tidy_label(group[0].name) if len(group) == 1 else product.title
    if not np.isfinite(values).any():
        notes += ("no data here",)
    y_axis = Axis(label, group[0].units, low, high, scale)
    return Panel("lines", time_axis(times), y_axis, lines, None, product.title, product.path, notes)


def _legend(one: Curves, label: str, several: bool) -> str:
    return f"{tidy_label(one.name)} {label}".strip() if several else label


def _packet_panel(product: "Product", times: Array, apids: Array, variable: "xr.DataArray") -> Panel:
    values = floats(variable.values)
    low, high, _ = line_limits(values, log=False)
    kinds, counts = np.unique(apids, return_counts=True)
    often = kinds[np.argsort(-counts, kind="stable")][: len(COLOURS)]
    traces = [
        Points(times[apids == apid], values[apids == apid], f"APID {apid}", colour)
        for apid, colour in zip(np.sort(often), COLOURS, strict=False)
    ]
    rest = ~np.isin(apids, often)
    traces += [Points(times[rest], values[rest], "other", "#999999")] if rest.any() else []
    y = Axis(str(variable.name), tidy_units(str(variable.attrs.get("units", ""))), low, high)
    panel = Panel("scatter", time_axis(times), y, tuple(traces), None, product.title, product.path)
    return replace(panel, notes=() if len(times) else ("no data here",))
