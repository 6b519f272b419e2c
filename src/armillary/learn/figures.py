"""The pictures of a run folder; matplotlib is loaded only here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.learn.running import Outcome, chosen_by
from armillary.learn.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[Any]]
#: Colour-blind safe (Okabe & Ito).
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_BINS: Final = 10
#: Share of the axis that models must take to be told apart.
_VISIBLE: Final = 0.15


def draw_outcome(folder: Path, study: Study, outcome: Outcome) -> list[Path]:
    """Draw what fits the task: scores beside controls, confusion, reliability, event F1 over overlap, trade-offs.

    Returns
    -------
    list of Path
        PNG files in ``folder``, which is made.
    """
    folder.mkdir(exist_ok=True)
    record = outcome.trained[outcome.best].record
    drawn: dict[str, Callable[[Axes], None]] = {"scores": lambda axes: _scores(axes, study, outcome)}
    if "confusion" in record["scores"]:
        drawn["confusion"] = lambda axes: _confusion(axes, record["scores"], outcome.prepared.classes)
        drawn["reliability"] = lambda axes: _reliability(axes, outcome)
    if "events" in record:
        drawn["events"] = lambda axes: _event_curves(axes, outcome)
    if len(outcome.trained) > 1:
        drawn["pareto"] = lambda axes: _pareto(axes, study, outcome)
    return [draw(folder / f"{name}.png", paint) for name, paint in drawn.items()]


def draw(path: Path, paint: Callable[["Axes"], None], size: tuple[float, float] = (6.4, 4.2)) -> Path:
    """Draw one picture with one pair of axes and write it as PNG."""
    return write_figure(path, lambda figure: paint(figure.add_subplot()), size)


def write_figure(path: Path, paint: Callable[["Figure"], None], size: tuple[float, float]) -> Path:
    """Draw a figure and write it as PNG, all of it or nothing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    paint(figure)
    aside = path.with_suffix(".part.png")
    figure.savefig(aside, dpi=120, metadata={"Software": "Armillary"})
    aside.replace(path)
    return path


def paint_drivers(axes: "Axes", rows: Sequence[Mapping[str, Any]], score: str) -> None:
    """Draw what is lost without each group of features, with 95 % intervals; the most important on top."""
    at = np.arange(len(rows))[::-1]
    for shift, name, colour in ((0.15, "permuted", COLOURS[0]), (-0.15, "dropped", COLOURS[1])):
        values, low, high = np.array([one[name] for one in rows], float).T
        reach = np.maximum(np.nan_to_num([values - low, high - values]), 0)
        axes.errorbar(values, at + shift, xerr=reach, fmt="o", color=colour, ms=4, capsize=2, label=name)
    axes.axvline(0, color="0.6", lw=0.8)
    axes.set_yticks(at, [str(one["group"]) for one in rows])
    axes.set_xlabel(f"loss of {score} without the group")
    axes.legend(frameon=False)


def _scores(axes: "Axes", study: Study, outcome: Outcome) -> None:
    """Draw the score that chose the best model, with its interval and seeds, beside the controls."""
    name = chosen_by(study)
    rows = [(one.fitted.part.title, one.record) for one in outcome.trained]
    rows += [(f"({title})", {"scores": scores}) for title, scores in outcome.controls.items() if name in scores]
    titles = [title for title, _ in reversed(rows)]
    span = _span(outcome, name)
    for at, (_, record) in enumerate(reversed(rows)):
        _score(axes, at, record, name)
        value = record["scores"].get(name)
        if span and value is not None and not span[0] <= value <= span[1]:
            titles[at] += f"  {value:.3g}"
    if span:
        axes.set_xlim(*span)
    axes.set_yticks(range(len(rows)), titles)
    seeds = ", ticks: seeds" if any(one.record.get("seeds") for one in outcome.trained) else ""
    outside = "\ncontrols: beyond the frame" if span else ""
    axes.set_xlabel(f"{name}, held-out blocks\nbar: 95 % interval{seeds}{outside}")


def _span(outcome: Outcome, name: str) -> tuple[float, float] | None:
    """Give the part of the axis where models lie, if with the controls in the picture they could not be told apart."""
    own = [one.record["scores"].get(name) for one in outcome.trained]
    ends = [edge for one in outcome.trained for edge in one.record["intervals"].get(name) or ()]
    seeds = [value for one in outcome.trained for value in one.record["seeds"].get(name, ())]
    there = np.array([one for one in (*own, *ends, *seeds) if one is not None and np.isfinite(one)], float)
    others = [scores[name] for scores in outcome.controls.values() if scores.get(name) is not None]
    if not len(there) or not others:
        return None
    low, high = float(there.min()), float(there.max())
    whole = max(high, *others) - min(low, *others)
    if high - low > _VISIBLE * whole or high == low:
        return None
    return low - 0.15 * (high - low), high + 0.15 * (high - low)


def _score(axes: "Axes", at: int, record: Mapping[str, Any], name: str) -> None:
    value, edges = record["scores"].get(name), record.get("intervals", {}).get(name)
    seeds = record.get("seeds", {}).get(name, [])
    skilled = "intervals" in record
    if edges is not None and np.isfinite(edges).all():
        axes.plot(edges, [at, at], color=COLOURS[0], lw=2)
    axes.plot(seeds, [at] * len(seeds), "|", color="k", ms=12, mew=1, zorder=3)
    if value is not None:
        axes.plot([value], [at], "o" if skilled else "x", color=COLOURS[0 if skilled else 1])


def _confusion(axes: "Axes", scores: Mapping[str, Any], classes: tuple[str, ...]) -> None:
    counts = np.array(scores["confusion"], float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true")
    if len(classes) <= 12:
        for (row, at), one in np.ndenumerate(share):
            axes.text(at, row, f"{one:.2f}", ha="center", va="center", fontsize=8, color="k" if one > 0.6 else "w")


def _reliability(axes: "Axes", outcome: Outcome) -> None:
    """Draw how often the most probable class is right against how probable it was said to be, in equal-mass bins."""
    axes.plot([0, 1], [0, 1], color="0.6", lw=0.8)
    for number, one in enumerate(outcome.trained):
        if one.answer.ndim != 2:
            continue
        rows = outcome.prepared.judged & np.isfinite(one.answer).all(axis=1)
        said, right = one.answer[rows].max(axis=1), one.answer[rows].argmax(axis=1) == outcome.prepared.target[rows]
        bins = np.array_split(np.argsort(said), _BINS)
        points = np.array([(said[some].mean(), right[some].mean()) for some in bins if len(some)])
        axes.plot(*points.T, "o-", ms=3, color=COLOURS[number % len(COLOURS)], label=one.fitted.part.title)
    axes.set(xlabel="probability said", ylabel="share that is right")
    axes.legend(frameon=False)


def _event_curves(axes: "Axes", outcome: Outcome) -> None:
    for number, one in enumerate(outcome.trained):
        curve = one.record["events"]["curve"]
        axes.plot(curve["iou"], curve["f1"], color=COLOURS[number % len(COLOURS)], label=one.fitted.part.title)
    axes.set(xlabel="overlap asked for (intersection over union)", ylabel="event F1", ylim=(0, 1))
    axes.legend(frameon=False)


def _pareto(axes: "Axes", study: Study, outcome: Outcome) -> None:
    name = chosen_by(study)
    names: list[tuple[Any, float]] = []
    for one in outcome.trained:
        value, spent = one.record["scores"].get(name), one.record["costs"]["latency_ms"]
        if value is None:
            continue
        axes.plot([spent], [value], "o" if one.record["pareto"] else "x", color=COLOURS[0])
        named = axes.annotate(
            one.fitted.part.title, (spent, value), xytext=(4, 4), textcoords="offset points", fontsize=8
        )
        names.append((named, spent))
    _turn_names(axes, names)
    axes.set(xscale="log", xlabel="time for one row (ms); dots: no other model beats it in everything", ylabel=name)


def _turn_names(axes: "Axes", names: Sequence[tuple[Any, float]]) -> None:
    """Let names in the right half of the frame end at their point, so that none runs out; neighbours alternate."""
    if not names:
        return
    spent = np.log([at for _, at in names])
    middle = (spent.min() + spent.max()) / 2
    for order, number in enumerate(np.argsort(spent, kind="stable")):
        right = spent[number] > middle
        above = order % 2 == 0
        named = names[number][0]
        named.set(ha="right" if right else "left", va="bottom" if above else "top")
        named.set_position((-4 if right else 4, 4 if above else -4))
    axes.margins(0.08, 0.15)
