"""Pictures of products."""

from armillary.plots.panels import AT_CURSOR, arrange
from armillary.plots.saving import ENDINGS, check_ending, save
from armillary.plots.view import (
    Arrow,
    Axis,
    Band,
    Cells,
    ColourAxis,
    Image,
    Line,
    Panel,
    Points,
    Spans,
    Surface,
    View,
)

__all__ = [
    "AT_CURSOR",
    "ENDINGS",
    "Arrow",
    "Axis",
    "Band",
    "Cells",
    "ColourAxis",
    "Image",
    "Line",
    "Panel",
    "Points",
    "Spans",
    "Surface",
    "View",
    "arrange",
    "check_ending",
    "save",
]
