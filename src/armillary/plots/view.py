"""The picture as a value: what is drawn, on which axes, where it came from. Nothing is drawn here.

Times are ``int64`` nanoseconds since 1970 UTC, everything else floats in the units of its axis. Arrays are never
changed after they were put into a view. The same value is drawn by `armillary.plots.figure` on paper and, through
`View.to_record`, by ``static/panels.js`` in a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np

PanelKind = Literal["lines", "spectrogram", "scatter", "image", "events", "solid"]
Scale = Literal["linear", "log"]
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

#: Names of colour maps that both drawers know.
COLOUR_MAPS: Final = ("viridis", "turbo", "grey")


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it says and from where to where it goes.

    Parameters
    ----------
    label, units : str
        For people; units as `armillary.plots.wording.tidy_units` writes them.
    low, high : float
        Limits, ``low < high``; nanoseconds where `time` is true.
    """

    label: str
    units: str = ""
    low: float = 0.0
    high: float = 1.0
    scale: Scale = "linear"
    time: bool = False
    reversed: bool = False

    @property
    def text(self) -> str:
        """Label and units as they stand beside the axis."""
        return f"{self.label} [{self.units}]".strip() if self.units else self.label


@dataclass(frozen=True, slots=True)
class ColourAxis:
    """What the colours mean."""

    label: str
    units: str = ""
    low: float = 0.0
    high: float = 1.0
    scale: Scale = "linear"
    map: str = "viridis"

    @property
    def text(self) -> str:
        """Label and units as they stand beside the colour bar."""
        return f"{self.label} [{self.units}]".strip() if self.units else self.label


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line: `x` and `y` of shape (n,); a NaN in `y` breaks it."""

    x: Array
    y: Array
    label: str = ""
    colour: str = "#0072b2"


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Coloured cells in columns that need not touch, so that a gap stays a gap.

    Parameters
    ----------
    left, right : array, shape (n,)
        Where each column starts and ends.
    edges : array, shape (m + 1,) or (n, m + 1)
        Rising borders of the cells of a column; NaN borders make no cell.
    values : array, shape (n, m)
        NaN is transparent.
    """

    left: Array
    right: Array
    edges: Array
    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Dots at `x`, `y`, both of shape (n,), coloured by `value` (n,) if there is one."""

    x: Array
    y: Array
    label: str = ""
    colour: str = "#0072b2"
    value: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image: `values` (h, w) for the colour axis or (h, w, 4) uint8 red, green, blue, opacity; row 0 is on top."""

    values: Array
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Intervals in rows: `start` and `stop` of shape (n,) in ns, `row` (n,) counted from the bottom."""

    start: Array
    stop: Array
    row: Array
    labels: tuple[str, ...] = ()
    colour: str = "#0072b2"


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles in space: `vertices` (n, 3) in the units of the axes, `faces` (m, 3) of their numbers."""

    vertices: Array
    faces: Array
    label: str = ""
    colour: str = "#0072b2"
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Arrow:
    """A direction in space, drawn from the origin to `tip` (3,)."""

    tip: Array
    label: str = ""
    colour: str = "#000000"


Trace: TypeAlias = Line | Cells | Points | Image | Spans | Surface | Arrow


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One panel of the picture.

    Parameters
    ----------
    source : str
        Path of the product that it shows.
    notes : tuple of str
        What the reader must know about how it was drawn, e.g. that values were masked.
    aspect : float, optional
        Height of one unit of y over the width of one unit of x; None where the panel is stretched to its place.
    at_cursor : bool
        Whether it shows one time, that of the view's cursor.
    z : Axis, optional
        The third axis of a panel in space.
    """

    kind: PanelKind
    x: Axis
    y: Axis
    traces: tuple[Trace, ...]
    colour: ColourAxis | None = None
    title: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    aspect: float | None = None
    at_cursor: bool = False
    z: Axis | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """What the legend says."""
        return tuple(
            trace.label for trace in self.traces if isinstance(trace, Line | Points | Surface | Arrow) and trace.label
        )


@dataclass(frozen=True, slots=True)
class Band:
    """An event drawn across all time panels, from `start` to `stop` (ns)."""

    start: int
    stop: int
    label: str = ""
    colour: str = "#cc79a7"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The whole picture.

    Parameters
    ----------
    panels : tuple of Panel
        From the top down.
    start, stop : int
        The shared time axis in ns; both 0 if no panel has time.
    about : mapping of str to str
        Where it came from: products, requests, citations, licences. It is written into every file.
    cursor : int, optional
        The time (ns) that planes and volumes are drawn for.
    """

    panels: tuple[Panel, ...]
    start: int = 0
    stop: int = 0
    bands: tuple[Band, ...] = ()
    title: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    cursor: int | None = None

    @property
    def has_time(self) -> bool:
        """Whether there is a shared time axis."""
        return any(panel.x.time for panel in self.panels)

    @property
    def summary(self) -> str:
        """The picture in words, for who cannot see it."""
        from armillary.plots.wording import describe

        return describe(self)

    def to_record(self, max_points: int = 4000) -> dict[str, Any]:
        """Write as JSON values, arrays as base64; see `armillary.plots.record`."""
        from armillary.plots.record import to_record

        return to_record(self, max_points)

    def to_bytes(self, max_points: int = 4000) -> bytes:
        """Write as one binary message, a third smaller than the JSON; see `armillary.plots.record`."""
        from armillary.plots.record import to_bytes

        return to_bytes(self, max_points)
