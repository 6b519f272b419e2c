"""Where each panel stands on the sheet, in inches; nothing overlaps by construction."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from armillary.plots.view import Panel, View

_LEFT: Final = 1.15
_RIGHT: Final = 1.3
_TOP: Final = 0.22
_TITLE: Final = 0.2
_TIME_LABELS: Final = 0.42
_BETWEEN: Final = 0.07
_NOTE: Final = 0.115
_MAX_NOTES: Final = 6
#: Room around a panel that has its own x axis: left, right, bottom, top.
_ROOM: Final = (0.85, 0.35, 0.55, 0.42)
_COLOUR_ROOM: Final = 0.75


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in inches from the lower left corner; `lowest` writes the labels of the shared time axis."""

    left: float
    bottom: float
    width: float
    height: float
    lowest: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The sheet: its size, a box for each panel in their order, and the foot notes."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    notes: tuple[str, ...]

    @property
    def middle(self) -> float:
        """The middle of the shared time axis, or of the sheet."""
        tall = [box for box in self.boxes if box.left == _LEFT]
        return tall[0].left + tall[0].width / 2 if tall else self.width / 2

    def fraction(self, box: Box) -> tuple[float, float, float, float]:
        """Give a box in parts of the sheet, as matplotlib wants it."""
        return box.left / self.width, box.bottom / self.height, box.width / self.width, box.height / self.height


def lay_out(view: View, width: float, height: float | None) -> Layout:
    """Place the panels: those on time in one column, the others below in rows.

    Parameters
    ----------
    width, height : float
        Inches; without a height each panel gets what it needs.
    """
    timed = [panel for panel in view.panels if panel.x.time]
    others = [panel for panel in view.panels if not panel.x.time]
    notes = _notes(view, width)
    foot = 0.12 + _NOTE * len(notes)
    top = _TOP + (_TITLE * len(wrap(view.title, max(int(width * 11), 20))[:2]) if view.title else 0)
    columns, rows = _grid(others, width)
    each = _heights(timed)
    cell = _cell_height(others, width, columns)
    wanted = top + sum(each) + (_TIME_LABELS if timed else 0) + rows * cell + foot
    total = height or max(wanted, 1.5)
    stretch = max(total - top - foot - (_TIME_LABELS if timed else 0), 0.2) / max(sum(each) + rows * cell, 0.1)
    boxes = _stack([one * stretch for one in each], total - top, width)
    reached = total - top - sum(each) * stretch - (_TIME_LABELS if timed else 0)
    boxes += [_cell(panel, k, columns, width, cell * stretch, reached) for k, panel in enumerate(others)]
    return Layout(width, total, tuple(boxes), notes)


def _heights(timed: list[Panel]) -> list[float]:
    """Give each time panel its height; more panels are each a little lower."""
    unit = 1.75 if len(timed) <= 3 else 1.45 if len(timed) <= 6 else 1.15
    return [unit * (1.15 if panel.kind == "spectrogram" else 0.7 if panel.kind == "events" else 1.0) for panel in timed]


def _stack(heights: list[float], top: float, width: float) -> list[Box]:
    boxes = []
    for number, height in enumerate(heights):
        top -= height
        lowest = number == len(heights) - 1
        boxes.append(Box(_LEFT, top, max(width - _LEFT - _RIGHT, 0.5), max(height - _BETWEEN, 0.1), lowest))
    return boxes


def _grid(others: list[Panel], width: float) -> tuple[int, int]:
    if not others:
        return 1, 0
    columns = min(len(others), max(int(width / 3.2), 1), 2 if len(others) in {2, 4} else 3)
    return columns, -(-len(others) // columns)


def _cell_height(others: list[Panel], width: float, columns: int) -> float:
    """Give rows the height that the tallest panel needs for its aspect, within reason."""
    if not others:
        return 0.0
    room = width / columns - _ROOM[0] - _ROOM[1] - _COLOUR_ROOM
    shapes = [_shape(panel) for panel in others]
    tallest = max((shape for shape in shapes if shape), default=0.8)
    return float(min(max(room * tallest, 1.5), 6.0)) + _ROOM[2] + _ROOM[3]


def _cell(panel: Panel, k: int, columns: int, width: float, height: float, top: float) -> Box:
    """Give the largest box of the panel's shape in its cell."""
    column, row = k % columns, k // columns
    left, right, bottom, above = _ROOM
    beside = panel.colour or (panel.kind == "lines" and panel.labels)
    room_w = max(width / columns - left - right - (_COLOUR_ROOM if beside else 0), 0.3)
    room_h = max(height - bottom - above, 0.3)
    shape = _shape(panel)
    w, h = (room_w, room_h) if not shape else (min(room_w, room_h / shape), min(room_h, room_w * shape))
    x = column * width / columns + left + (room_w - w) / 2
    y = top - (row + 1) * height + bottom + (room_h - h) / 2
    return Box(x, y, w, h)


def _shape(panel: Panel) -> float | None:
    """Give height over width, None where it is free."""
    if panel.aspect is None:
        return None
    shape = (panel.y.high - panel.y.low) / (panel.x.high - panel.x.low) * panel.aspect
    return min(max(shape, 0.1), 10.0)


def _notes(view: View, width: float) -> tuple[str, ...]:
    """Write each note once, with the panels that it is about."""
    about: dict[str, list[str]] = {}
    for number, panel in enumerate(view.panels, 1):
        for note in panel.notes:
            about.setdefault(note, []).append(str(number))
    lines = []
    for note, numbers in about.items():
        where = f"panel{'s' * (len(numbers) > 1)} {', '.join(numbers)}: " if len(view.panels) > 1 else ""
        lines += wrap(where + note, max(int(width * 22), 30))
    return tuple(lines[:_MAX_NOTES])
