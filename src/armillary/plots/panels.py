"""From products and their data to a picture: what their metadata ask for, unless somebody said otherwise."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadRequest
from armillary.plots.images import cube_panels, raster_panels
from armillary.plots.planes import plane_panels
from armillary.plots.series import packet_panels, series_panels
from armillary.plots.solids import volume_panels
from armillary.plots.tables import event_panels, sample_panels, source_panels
from armillary.plots.view import Band, Cells, Line, Panel, Points, Spans, Trace, View

if TYPE_CHECKING:
    from armillary.model import Data, Interval, Product

_ARRANGERS: Final[dict[str, Callable[..., list[Panel]]]] = {
    "series": series_panels,
    "spectrogram": series_panels,
    "distribution": series_panels,
    "skymap": series_panels,
    "packets": packet_panels,
    "raster": raster_panels,
    "cube": cube_panels,
    "sources": source_panels,
    "events": event_panels,
    "samples": sample_panels,
}
#: Kinds of which one time is drawn.
AT_CURSOR: Final[dict[str, Callable[..., list[Panel]]]] = {
    "plane": plane_panels,
    "volume": volume_panels,
}
#: Attributes of data that tell where they came from, as makers of files call them.
_TOLD: Final = {
    "armillary_lineage": "lineage", "armillary_request": "request", "lineage": "lineage", "request": "request",
    "citation": "citation", "references": "citation",
    "Acknowledgement": "acknowledgement", "PI_name": "principal investigator", "licence": "licence",
    "license": "licence", "Rules_of_use": "rules of use", "DOI": "doi", "doi": "doi",
}  # fmt: skip
_EMPTY: Final = "no data here"
_APART: Final = "no common time: ask for an interval"
_DAY: Final = 86_400 * 10**9


def arrange(
    items: "Sequence[tuple[Product, Data]]",
    *,
    interval: "Interval | None" = None,
    cursor: int | None = None,
    bands: Sequence[Band] = (),
    title: str = "",
) -> View:
    """Arrange products as stacked panels with one time axis.

    Each product makes at least one panel, in the order given; what has no time stands below. Scale, label, units, valid
    range and bins follow from the ISTP attributes (`armillary.model.kinds`). Nothing is computed twice and nothing
    changes the data given.

    Parameters
    ----------
    items : sequence of (Product, Data)
        The data keep the promise of ``product.kind``.
    interval : Interval, optional
        The time axis; without it, from the first to the last time of all panels.
    cursor : int, optional
        The time (ns) for which planes and volumes are drawn, marked in the panels on time; without it the middle one.
    bands : sequence of Band
        Events to be drawn across all time panels.

    Raises
    ------
    BadRequest
        If there is no product, or one of a kind that has no picture.
    """
    if not items:
        raise BadRequest("there is nothing to draw", "name at least one product")
    panels: list[Panel] = []
    for product, data in items:
        if product.kind not in {*_ARRANGERS, *AT_CURSOR}:
            raise BadRequest(f"{product.path} is a {product.kind!r}, which has no picture", "draw another product")
        panels += _of_one(product, data, interval, cursor)
    panels.sort(key=lambda panel: not panel.x.time)
    apart = interval is None and _apart(panels)
    start, stop = (interval.start, interval.stop) if interval else _span(panels, items)
    panels = [_on(panel, start, stop) for panel in panels]
    if apart:
        panels = [replace(one, notes=(*one.notes, _APART)) if one.x.time else one for one in panels]
    kept = tuple(band for band in bands if band.start < stop and band.stop >= start)
    return View(tuple(panels), start, stop, kept, title or _title(items), about(items), cursor)


def _of_one(product: "Product", data: "Data", interval: "Interval | None", cursor: int | None) -> list[Panel]:
    if product.kind in AT_CURSOR:
        return AT_CURSOR[product.kind](product, data, cursor)
    return _ARRANGERS[product.kind](product, data, interval)


def about(items: "Sequence[tuple[Product, Data]]") -> dict[str, str]:
    """Collect where data came from, as texts that go into the file of a picture."""
    told: dict[str, list[str]] = {"products": [product.path for product, _ in items]}
    for product, data in items:
        for name, text in _of(data).items():
            told.setdefault(name, []).append(text)
        for name in ("citation", "licence"):
            told.setdefault(name, []).append(str(getattr(product, name)))
    return {name: "\n".join(dict.fromkeys(filter(None, texts))) for name, texts in told.items() if any(texts)}


def _of(data: "Data") -> dict[str, str]:
    from armillary.model.kinds import table_attrs

    attrs: Mapping[str, Any] = data.attrs if hasattr(data, "attrs") else table_attrs(data)
    return {word: _text(attrs[name]) for name, word in _TOLD.items() if attrs.get(name)}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _span(panels: list[Panel], items: "Sequence[tuple[Product, Data]]") -> tuple[int, int]:
    """Give the time axis that holds all data or, without data, the coverage of the products."""
    axes = [panel.x for panel in panels if panel.x.time and (panel.x.low or panel.x.high)]
    if axes:
        low, high = int(min(axis.low for axis in axes)), int(max(axis.high for axis in axes))
        return (low, high) if high > low else (low - 10**9, low + 10**9)
    spans = [product.coverage for product, _ in items if product.coverage]
    if any(panel.x.time for panel in panels):
        return (min(one.start for one in spans), max(one.stop for one in spans)) if spans else (0, _DAY)
    return 0, 0


def _apart(panels: list[Panel]) -> bool:
    """Say whether the data of some panel end before those of another start."""
    axes = [panel.x for panel in panels if panel.x.time and panel.traces and (panel.x.low or panel.x.high)]
    return bool(axes) and max(axis.low for axis in axes) > min(axis.high for axis in axes)


def _on(panel: Panel, start: int, stop: int) -> Panel:
    """Put the shared time axis in, and say if it shows nothing."""
    if not panel.x.time:
        return panel
    shown = any(_reaches(trace, start, stop) for trace in panel.traces)
    notes = panel.notes if shown or _EMPTY in panel.notes else (*panel.notes, _EMPTY)
    return replace(panel, x=replace(panel.x, low=start, high=stop), notes=notes)


def _reaches(trace: Trace, start: int, stop: int) -> bool:
    if isinstance(trace, Line | Points):
        return bool(((trace.x >= start) & (trace.x <= stop)).any())
    if isinstance(trace, Cells):
        return bool(((trace.right >= start) & (trace.left <= stop)).any())
    return isinstance(trace, Spans) and bool(((trace.stop >= start) & (trace.start <= stop)).any())


def _title(items: "Sequence[tuple[Product, Data]]") -> str:
    """Name the picture by what its products' paths have in common."""
    if len(items) == 1:
        return items[0][0].title
    parts = [product.path.split("/") for product, _ in items]
    same = []
    for words in zip(*parts, strict=False):
        if len(set(words)) > 1:
            break
        same.append(words[0])
    return "/".join(same)
