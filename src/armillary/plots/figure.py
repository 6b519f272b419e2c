"""The view on paper, by matplotlib's object interface only, so that no state is shared with the user's own plots."""

from dataclasses import dataclass
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final
from warnings import catch_warnings, filterwarnings

import numpy as np

from armillary.plots.layout import Box, Layout, lay_out
from armillary.plots.painted import paint
from armillary.plots.solid_figure import draw_solid
from armillary.plots.ticks import time_ticks
from armillary.plots.view import Array, Cells, ColourAxis, Image, Line, Panel, Points, Spans, Trace, View
from armillary.plots.wording import fold, log_label
from armillary.science.decimate import extremes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from armillary.model import Progress

#: matplotlib keeps its settings and its font engine in one place for all threads.
_ONE_AT_A_TIME: Final = Lock()
_STYLE: Final[dict[str, Any]] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8.0, "axes.linewidth": 0.7,
    "axes.titlesize": 8.5, "axes.labelsize": 8.0, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
    "lines.linewidth": 0.8, "xtick.direction": "in", "ytick.direction": "in", "xtick.top": True, "ytick.right": True,
    "xtick.minor.visible": True, "ytick.minor.visible": True, "svg.fonttype": "none", "svg.hashsalt": "armillary",
    "pdf.fonttype": 42, "axes.formatter.useoffset": False, "figure.facecolor": "white", "savefig.facecolor": "white",
}  # fmt: skip
_MAPS: Final = {"viridis": "viridis", "turbo": "turbo", "grey": "gray"}
_SECOND: Final = 1e9


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a panel is drawn: its axes, and its size in pixels."""

    axes: "Axes"
    box: Box
    width: int
    height: int


def draw(view: View, progress: "Progress", *, width: float, height: float | None, dpi: float) -> "Figure":
    """Draw a view, inside the `settings` of who calls.

    Parameters
    ----------
    width, height : float
        Inches; without a height it follows from the panels.
    dpi : float
        Pixels per inch of spectrograms and images, and of a PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layout = lay_out(view, width, height)
    figure = Figure(figsize=(layout.width, layout.height), dpi=dpi)
    FigureCanvasAgg(figure)
    _write_title(figure, view, layout)
    for number, (panel, box) in enumerate(zip(view.panels, layout.boxes, strict=True)):
        progress(number / max(len(view.panels), 1), f"drawing {panel.title or panel.source}")
        _draw_panel(figure, view, panel, box, layout)
    return figure


def write_figure(view: View, file: IO[bytes], kind: str, progress: "Progress", **size: Any) -> None:
    """Draw a view into an open file; `kind` is png, svg or pdf. The same view gives the same bytes."""
    import matplotlib as mpl

    with _ONE_AT_A_TIME, mpl.rc_context(settings()), catch_warnings():
        # A letter that the font lacks is drawn as an empty box; that is no reason to stop or to talk.
        filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure = draw(view, progress, **size)
        progress(0.9, f"writing {kind}")
        figure.savefig(file, format=kind, dpi=size["dpi"], metadata=metadata(view, kind))


def settings() -> Any:
    """Give all settings of matplotlib that pictures depend on, so that a user's matplotlibrc does not change them."""
    from matplotlib import rcParamsDefault

    keep = ("axes.", "font.", "grid.", "hatch.", "image.", "legend.", "lines.", "mathtext.", "patch.", "path.", "pdf.",
            "savefig.", "svg.", "text.", "xtick.", "ytick.", "xaxis.", "yaxis.", "figure.")  # fmt: skip
    return {name: value for name, value in rcParamsDefault.items() if name.startswith(keep)} | _STYLE


def metadata(view: View, kind: str) -> dict[str, Any]:
    """Give what a file says about itself, in the words its format has for it."""
    about = "\n".join(f"{name}: {text}" for name, text in view.about.items())
    title = view.title or "Armillary"
    if kind == "pdf":
        return {
            "Title": title,
            "Subject": about,
            "Keywords": view.summary,
            "Creator": "Armillary",
            "CreationDate": None,
        }
    if kind == "svg":
        return {"Title": title, "Description": view.summary, "Source": about, "Creator": "Armillary", "Date": None}
    named = {name.capitalize(): text for name, text in view.about.items()}
    return named | {"Title": title, "Description": view.summary, "Software": "Armillary"}


def _draw_panel(figure: "Figure", view: View, panel: Panel, box: Box, layout: Layout) -> None:
    axes = figure.add_axes(layout.fraction(box))
    if panel.kind == "solid":
        draw_solid(axes, panel)
        return
    place = _Place(axes, box, round(box.width * figure.dpi), round(box.height * figure.dpi))
    mappable = None
    for trace in panel.traces:
        mappable = _draw_trace(place, view, panel, trace) or mappable
    _set_axes(place, view, panel)
    if panel.x.time:
        _draw_bands(place, view, labelled=panel is view.panels[0])
        _draw_cursor(place, view)
    if mappable is not None and panel.colour:
        _draw_colour_bar(figure, layout, place, mappable, panel.colour)
    if panel.at_cursor:
        _name_arrows(place, panel)
    elif panel.labels:
        _draw_legend(place, panel)


def _draw_trace(place: _Place, view: View, panel: Panel, trace: Trace) -> Any:
    if isinstance(trace, Line):
        return _draw_line(place, view, panel, trace)
    if isinstance(trace, Cells):
        return _draw_cells(place, view, panel, trace)
    if isinstance(trace, Points):
        return _draw_points(place, view, panel, trace)
    if isinstance(trace, Image):
        return _draw_image(place, panel, trace)
    return _draw_spans(place, view, trace) if isinstance(trace, Spans) else None


def _draw_line(place: _Place, view: View, panel: Panel, line: Line) -> None:
    keep = extremes(line.x, line.y, max(place.width, 1)) if len(line.x) else slice(0)
    x, y = _seconds(line.x[keep], view, panel), line.y[keep]
    place.axes.plot(x, y, color=line.colour, solid_joinstyle="round")
    known = np.isfinite(y)
    padded = np.concatenate([[False], known, [False]])
    alone = known & ~padded[:-2] & ~padded[2:]
    if alone.any():
        place.axes.plot(x[alone], y[alone], ".", color=line.colour, markersize=2.5)


def _draw_cells(place: _Place, view: View, panel: Panel, cells: Cells) -> Any:
    from matplotlib.image import AxesImage

    norm, colours = _norm(panel.colour or ColourAxis(""))
    low, high = (view.start, view.stop) if panel.x.time else (panel.x.low, panel.x.high)
    pixels = paint(cells, low, high, panel.y, place.width, place.height)
    image = AxesImage(place.axes, cmap=colours, norm=norm, interpolation="nearest", origin="upper", extent=(0, 1, 0, 1))
    image.set_data(np.ma.masked_invalid(pixels))
    image.set_transform(place.axes.transAxes)
    image.set_clip_path(place.axes.patch)
    place.axes.add_artist(image)
    return image


def _draw_points(place: _Place, view: View, panel: Panel, points: Points) -> None:
    many = len(points.x)
    size, opacity = (3.5, 0.9) if many < 500 else (2.0, 0.6) if many < 10_000 else (1.0, 0.35)
    x = _seconds(points.x, view, panel)
    place.axes.plot(
        x, points.y, "o", color=points.colour, markersize=size, alpha=opacity,
        markeredgewidth=0, rasterized=many > 5000,
    )  # fmt: skip


def _draw_image(place: _Place, panel: Panel, image: Image) -> Any:
    extent = (image.left, image.right, image.bottom, image.top)
    if image.values.ndim == 3:
        place.axes.imshow(image.values, extent=extent, aspect="auto", interpolation="antialiased")
        return None
    norm, colours = _norm(panel.colour or ColourAxis(""))
    values = np.ma.masked_invalid(image.values)
    return place.axes.imshow(values, extent=extent, aspect="auto", interpolation="nearest", cmap=colours, norm=norm)


def _draw_spans(place: _Place, view: View, spans: Spans) -> None:
    least = (view.stop - view.start) / _SECOND / max(place.width, 1)
    for row in np.unique(spans.row).tolist():
        these = spans.row == row
        start = (spans.start[these] - view.start) / _SECOND
        length = np.maximum((spans.stop[these] - spans.start[these]) / _SECOND, least)
        bars = list(zip(start.tolist(), length.tolist(), strict=True))
        place.axes.broken_barh(bars, (row - 0.35, 0.7), facecolor=spans.colour, alpha=0.75)


def _draw_bands(place: _Place, view: View, *, labelled: bool) -> None:
    written = 0.0
    length = (view.stop - view.start) / _SECOND
    for band in view.bands:
        start, stop = ((at - view.start) / _SECOND for at in (band.start, band.stop))
        place.axes.axvspan(start, max(stop, start + length / 2000), color=band.colour, alpha=0.22, linewidth=0)
        part = max(start / length, 0.0)
        if labelled and band.label and part >= written and part < 0.97:
            place.axes.annotate(
                _plain(band.label), (part, 1), (1, 2), "axes fraction", "offset points", fontsize=6.5, color="#555555"
            )
            written = part + 0.01 + 0.062 * len(band.label) / max(place.box.width, 0.1)


def _draw_cursor(place: _Place, view: View) -> None:
    if view.cursor is not None and view.start <= view.cursor <= view.stop:
        place.axes.axvline((view.cursor - view.start) / _SECOND, color="#555555", linewidth=0.7, linestyle="--")


def _set_axes(place: _Place, view: View, panel: Panel) -> None:
    axes = place.axes
    for axis, set_scale, set_limits in (
        (panel.x, axes.set_xscale, axes.set_xlim),
        (panel.y, axes.set_yscale, axes.set_ylim),
    ):
        low, high = (axis.low, axis.high) if not axis.time else (0.0, (view.stop - view.start) / _SECOND)
        set_scale(axis.scale)
        set_limits((high, low) if axis.reversed else (low, high))
    label = fold(panel.y.label, max(int(place.box.height * 14), 12))
    units = f"[{panel.y.units}]" if panel.y.units else ""
    axes.set_ylabel(_plain("\n".join(filter(None, [label, units]))), linespacing=1.05)
    axes.yaxis.set_label_coords(-0.6 / place.box.width, 0.5) if panel.x.time else None
    if panel.x.time:
        _set_time_ticks(place, view, labelled=place.box.lowest)
    else:
        axes.set_xlabel(_plain(panel.x.text))
        axes.set_title(_plain(fold(panel.title, max(int(place.box.width * 14), 12))))
    _thin_ticks(place, panel)


def _set_time_ticks(place: _Place, view: View, *, labelled: bool) -> None:
    from matplotlib.ticker import AutoMinorLocator, FixedLocator

    ticks = time_ticks(view.start, view.stop, max(int(place.box.width / 0.7), 2))
    axis = place.axes.xaxis
    axis.set_major_locator(FixedLocator([(tick.at - view.start) / _SECOND for tick in ticks]))
    axis.set_minor_locator(AutoMinorLocator())
    axis.set_ticklabels([f"{tick.label}\n{tick.below}" if labelled else "" for tick in ticks])


def _thin_ticks(place: _Place, panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    if panel.kind == "events":
        labels = next((trace.labels for trace in panel.traces if isinstance(trace, Spans)), ())
        place.axes.set_yticks(range(len(labels)), [_plain(label[:14]) for label in labels])
        place.axes.tick_params(axis="y", which="both", length=0)
    else:
        _mark(place.axes.yaxis, panel.y.scale, panel.y.high / panel.y.low if panel.y.low > 0 else 1, place.box.height)
    if not panel.x.time:
        if panel.x.scale == "log":
            _mark(place.axes.xaxis, panel.x.scale, panel.x.high / panel.x.low, place.box.width / 2)
        else:
            place.axes.xaxis.set_major_locator(MaxNLocator(max(int(place.box.width / 0.9), 2)))
    if panel.kind == "image":
        place.axes.ticklabel_format(style="plain", useOffset=False)


def _mark(axis: Any, scale: str, ratio: float, height: float) -> None:
    """Put as many marks on an upright axis as its height has room for."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    most = max(int(height / 0.3), 2)
    if scale == "linear":
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], prune="both"))
        return
    axis.set_minor_formatter(NullFormatter())
    if ratio > 30:
        axis.set_major_locator(LogLocator(numticks=most + 1))
    else:
        steps = (1.0,) if ratio > 12 and most < 4 else (1.0, 2.0, 5.0) if ratio > 3 else tuple(range(1, 10))
        axis.set_major_locator(LogLocator(subs=steps, numticks=20))
        axis.set_major_formatter(FuncFormatter(lambda value, _: log_label(value)))


def _draw_colour_bar(figure: "Figure", layout: Layout, place: _Place, mappable: Any, colour: ColourAxis) -> None:
    box = place.box
    bar = figure.add_axes(layout.fraction(Box(box.left + box.width + 0.08, box.bottom, 0.13, box.height)))
    drawn = figure.colorbar(mappable, cax=bar)
    label = fold(colour.label, max(int(box.height * 14), 12))
    drawn.set_label(_plain("\n".join(filter(None, [label, f"[{colour.units}]" if colour.units else ""]))), fontsize=7.5)
    drawn.ax.tick_params(direction="out", labelsize=7)
    _mark(drawn.ax.yaxis, colour.scale, colour.high / colour.low if colour.low > 0 else 1, box.height)
    drawn.ax.yaxis.get_offset_text().set_fontsize(6.5)


def _draw_legend(place: _Place, panel: Panel) -> None:
    """Write the labels in their colours beside the panel, as papers of the field do."""
    traces = [trace for trace in panel.traces if isinstance(trace, Line | Points) and trace.label]
    size = min(7.5, place.box.height * 72 / max(len(traces), 1) / 1.25)
    step = size * 1.25 / 72 / place.box.height
    top = 0.5 + step * (len(traces) - 1) / 2
    for number, trace in enumerate(traces):
        at = (1 + 0.08 / place.box.width, top - number * step)
        text = trace.label if len(trace.label) <= 22 else f"{trace.label[:21]}…"
        place.axes.text(
            *at, _plain(text), transform=place.axes.transAxes, color=trace.colour, fontsize=size, va="center"
        )


def _name_arrows(place: _Place, panel: Panel) -> None:
    """Write the labels at the tips, because a colour bar stands beside the panel."""
    for trace in panel.traces:
        if isinstance(trace, Line) and trace.label:
            x, y = 1.12 * trace.x[-1], 1.12 * trace.y[-1]
            place.axes.text(x, y, _plain(trace.label), color=trace.colour, ha="center", va="center", fontsize=8)


def _write_title(figure: "Figure", view: View, layout: Layout) -> None:
    if view.title:
        text = fold(view.title, max(int(layout.width * 11), 20))
        at = (layout.middle / layout.width, 1 - 0.1 / layout.height)
        figure.text(*at, _plain(text), ha="center", va="top", fontsize=9.5)
    if layout.notes:
        figure.text(
            0.08 / layout.width, 0.06 / layout.height, _plain("\n".join(layout.notes)), fontsize=6, color="#666666"
        )


def _norm(colour: ColourAxis) -> tuple[Any, Any]:
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    norm = (LogNorm if colour.scale == "log" else Normalize)(colour.low, colour.high)
    return norm, colormaps[_MAPS.get(colour.map, "viridis")].with_extremes(bad=(0, 0, 0, 0))


def _seconds(x: Array, view: View, panel: Panel) -> Array:
    return (x - view.start) / _SECOND if panel.x.time else x


def _plain(text: str) -> str:
    """Keep what archives write from being read as TeX."""
    return text.replace("$", r"\$")
