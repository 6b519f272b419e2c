"""A panel in space on paper: seen from one direction, the farthest triangles first."""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.plots.solids import project
from armillary.plots.view import Array, Arrow, Axis, Panel, Surface
from armillary.plots.wording import fold

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Where the reader stands, degrees; the page begins so too.
AZIMUTH: Final = 35.0
ELEVATION: Final = 22.0
#: From here the light comes: right, up, towards the reader.
_LIGHT: Final = np.array([-0.35, 0.55, 0.76])
#: Where the words of each axis stand: on the edges that face the reader.
_BESIDE: Final = ((0.0, 1.25, -1.2), (1.25, 0.0, -1.2), (1.2, -1.25, 0.0))
_EDGES: Final = tuple(
    (a, b)
    for a in np.ndindex(2, 2, 2)
    for b in np.ndindex(2, 2, 2)
    if a < b and sum(x != y for x, y in zip(a, b, strict=True)) == 1
)


def draw_solid(axes: "Axes", panel: Panel) -> None:
    """Draw the box, the surfaces and the arrows of a panel, without perspective."""
    limit = 1.75
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    axes.set_axis_off()
    axes.set_title(fold(panel.title, 40).replace("$", r"\$"))
    _draw_box(axes, panel)
    _draw_surfaces(axes, panel)
    for arrow in (trace for trace in panel.traces if isinstance(trace, Arrow)):
        tip = project(_parts(arrow.tip[None], panel), AZIMUTH, ELEVATION)[0]
        axes.annotate("", (tip[0], tip[1]), (0, 0), arrowprops={"arrowstyle": "->", "color": arrow.colour, "lw": 1.4})
        axes.text(tip[0] * 1.08, tip[1] * 1.08, arrow.label, color=arrow.colour, ha="center", va="center")
    for number, trace in enumerate(trace for trace in panel.traces if isinstance(trace, Surface)):
        axes.text(limit, limit - 0.18 * (number + 1), trace.label, color=trace.colour, ha="right", fontsize=7)


def _draw_surfaces(axes: "Axes", panel: Panel) -> None:
    """Draw all triangles together, farthest first, so that surfaces within surfaces are seen through."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    corners, colours = [], []
    for trace in (trace for trace in panel.traces if isinstance(trace, Surface)):
        triangles = project(_parts(trace.vertices, panel), AZIMUTH, ELEVATION)[trace.faces]
        shade = _shade(triangles)
        paint = np.ones((len(triangles), 4))
        paint[:, :3] = np.array(to_rgb(trace.colour)) * shade[:, None]
        paint[:, 3] = trace.opacity
        corners.append(triangles)
        colours.append(paint)
    if not corners:
        return
    triangles, paint = np.concatenate(corners), np.concatenate(colours)
    order = np.argsort(triangles[:, :, 2].mean(1), kind="stable")
    drawn = PolyCollection(list(triangles[order, :, :2]), facecolors=paint[order], edgecolors="none", rasterized=True)
    axes.add_collection(drawn)


def _shade(triangles: Array) -> Array:
    """Give how bright each triangle is, from both sides alike, 0.45 to 1."""
    across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    size = np.linalg.norm(across, axis=1)
    cosine = np.abs(across @ _LIGHT) / np.where(size > 0, size, 1.0)
    return np.asarray(0.45 + 0.55 * cosine)


def _draw_box(axes: "Axes", panel: Panel) -> None:
    corners = {corner: project(np.array(corner) * 2.0 - 1.0, AZIMUTH, ELEVATION) for corner in np.ndindex(2, 2, 2)}
    for a, b in _EDGES:
        axes.plot(*zip(corners[a][:2], corners[b][:2], strict=True), color="#bbbbbb", linewidth=0.6, zorder=0)
    names = [panel.x, panel.y, panel.z or Axis("")]
    for number, axis in enumerate(names):
        place = project(np.array(_BESIDE[number]), AZIMUTH, ELEVATION)
        axes.text(place[0], place[1], f"{axis.label}\n{axis.low:.4g} to {axis.high:.4g} {axis.units}".rstrip(),
                  fontsize=6.5, color="#555555", ha="center", va="center")  # fmt: skip


def _parts(points: Array, panel: Panel) -> Array:
    """Give points in parts of the half axes, from the middle of the box."""
    sides = [panel.x, panel.y, panel.z or panel.y]
    low, high = (np.array([getattr(one, name) for one in sides]) for name in ("low", "high"))
    return np.asarray((np.asarray(points, float) - (low + high) / 2) / ((high - low) / 2))
