"""Pictures of products."""

from armillary.plots.view import (
    Axis,
    Band,
    Cells,
    ColourAxis,
    Image,
    Line,
    Panel,
    Points,
    Spans,
    View,
)

__all__ = [
    "Axis",
    "Band",
    "Cells",
    "ColourAxis",
    "Image",
    "Line",
    "Panel",
    "Points",
    "Spans",
    "View",
]
