"""Pictures of what drives a model: effects along columns, contributions, and hidden pieces of series."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.learn.figures import COLOURS, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from armillary.learn.effects import Effect

Array = np.ndarray[Any, np.dtype[Any]]
Record = Mapping[str, Any]
#: Panels beside one another, and classes that one panel shows at most.
_ACROSS: Final = 3
_CLASSES: Final = 6


def draw_effects(path: Path, effects: Sequence["Effect"], answers: Sequence[str], shown: Sequence[int]) -> Path:
    """Draw accumulated local effects (full) and partial dependence (dashed), and below where the samples are.

    Parameters
    ----------
    path : Path
    effects : sequence of Effect
    answers : sequence of str
        Names of the answers; classes get a colour each.
    shown : sequence of int
        Which of them.
    """
    down = -(-len(effects) // _ACROSS)

    def paint(figure: "Figure") -> None:
        grid = figure.subplots(down, min(len(effects), _ACROSS), squeeze=False, sharey=True)
        for axes, one in zip(grid.flat, effects, strict=False):
            _effect(axes, one, shown)
        for axes in list(grid.flat)[len(effects) :]:
            axes.remove()
        for axes in grid[:, 0]:
            axes.set_ylabel("change of the answer")
        _key(figure, [answers[at] for at in shown])

    return write_figure(path, paint, (3.2 * min(len(effects), _ACROSS) + 0.6, 2.5 * down + 0.8))


def draw_contributions(path: Path, rows: Sequence[Record]) -> Path:
    """Draw the mean absolute contribution of each group of features, stacked by class; the largest on top."""
    names = list(rows[0]["each"])
    at = np.arange(len(rows))[::-1]

    def paint(figure: "Figure") -> None:
        axes, left = figure.add_subplot(), np.zeros(len(rows))
        for number, name in enumerate(names):
            values = np.array([one["each"][name] for one in rows]) / len(names)
            axes.barh(at, values, left=left, color=COLOURS[number % len(COLOURS)], label=name)
            left += values
        axes.set_yticks(at, [str(one["group"]) for one in rows])
        axes.set_xlabel("mean absolute contribution" + (" to the raw log-odds" if names != [""] else ""))
        if len(names) > 1:
            axes.legend(frameon=False, fontsize=8, loc="lower right")

    return write_figure(path, paint, (6.4, 1.4 + 0.28 * len(rows)))


def draw_occlusion(path: Path, pieces: Sequence[Record], score: str, labels: Mapping[str, Sequence[str]]) -> Path:
    """Draw what hiding each piece of each channel costs: time across, channels down; a dot: beyond its interval.

    Parameters
    ----------
    path : Path
    pieces : sequence of dict
        As of :meth:`armillary.learn.occluding.Occluded.to_record`.
    score : str
    labels : mapping of str to sequence of str
        Names of the channels of each variable.
    """
    variables = list(dict.fromkeys(one["variable"] for one in pieces))
    heights = [len({one["channel"] for one in pieces if one["variable"] == name}) for name in variables]
    most = max((abs(one["lost"][0]) for one in pieces if np.isfinite(one["lost"][0])), default=0.0) or 1.0

    def paint(figure: "Figure") -> None:
        grid = figure.subplots(len(variables), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, name in zip(grid, variables, strict=True):
            image = _pieces(axes, [one for one in pieces if one["variable"] == name], most, labels.get(name, ()))
            axes.set_ylabel(name)
        grid[-1].set_xlabel("step of the series")
        figure.colorbar(image, ax=list(grid), label=f"loss of {score} when hidden")

    return write_figure(path, paint, (6.8, 1.6 + 0.35 * sum(heights) + 0.4 * len(variables)))


def _effect(axes: "Axes", one: "Effect", shown: Sequence[int]) -> None:
    # the outermost values are often far out: bins beyond the last but one are cut where they are long
    low, high = _view(one.edges)
    for number, at in enumerate(shown):
        colour = COLOURS[number % len(COLOURS)]
        curves = [curve if curve.ndim == 1 else curve[:, at] for curve in (one.accumulated, one.partial)]
        axes.plot(one.edges, curves[0], color=colour)
        axes.plot(one.edges, curves[1], color=colour, ls="--", lw=1, alpha=0.8)
    axes.axhline(0, color="0.6", lw=0.8)
    axes.set_xlim(low, high)
    axes.set_xlabel(one.column, fontsize=9)
    # quantiles stand at the lower edge: between two of them are as many samples
    axes.plot(one.edges, np.zeros(len(one.edges)), "|", color="0.3", ms=9, transform=axes.get_xaxis_transform())


def _view(edges: Array) -> tuple[float, float]:
    inner = edges[1:-1] if len(edges) > 4 else edges
    reach = 0.5 * float(inner[-1] - inner[0]) or float(edges[-1] - edges[0])
    return max(float(edges[0]), float(inner[0]) - reach), min(float(edges[-1]), float(inner[-1]) + reach)


def _key(figure: "Figure", names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=COLOURS[at % len(COLOURS)]) for at in range(len(names))]
    ways = [
        Line2D([], [], color="0.3"),
        Line2D([], [], color="0.3", ls="--"),
        Line2D([], [], color="0.3", marker="|", ls=""),
    ]
    told = [*names, "accumulated local effect", "partial dependence", "quantiles of the samples"]
    figure.legend([*lines, *ways], told, loc="outside upper center", ncols=3, frameon=False, fontsize=8)


def _pieces(axes: "Axes", pieces: Sequence[Record], most: float, labels: Sequence[str]) -> Any:
    channels = sorted({one["channel"] for one in pieces})
    edges = sorted({one["first"] for one in pieces} | {one["last"] for one in pieces})
    lost = np.full((len(channels), len(edges) - 1), np.nan)
    for one in pieces:
        row, column = channels.index(one["channel"]), edges.index(one["first"])
        lost[row, column] = one["lost"][0]
        if one["lost"][1] > 0:
            middle = (one["first"] + one["last"]) / 2
            axes.plot([middle], [row], "o", color="k", ms=3)
    image = axes.pcolormesh(edges, np.arange(len(channels) + 1) - 0.5, lost, cmap="RdBu_r", vmin=-most, vmax=most)
    names = ["all" if at < 0 else str(labels[at]) if at < len(labels) else str(at) for at in channels]
    axes.set_yticks(range(len(channels)), names)
    axes.invert_yaxis()
    return image


def told_classes(classes: Sequence[str], positive: str) -> list[int]:
    """Give which classes a panel shows: the positive one, or the first few."""
    if positive in classes:
        return [list(classes).index(positive)]
    return list(range(min(max(len(classes), 1), _CLASSES)))
