"""Pictures of a run: names stay in the frame, and models can be told apart beside controls that are far off."""

from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from armillary.learn import figures

TITLES = ("logistic", "a rather long name of trees and boosting", "network")


def outcome(scores: tuple[float, ...], spent: tuple[float, ...]) -> Any:
    trained = [
        SimpleNamespace(
            fitted=SimpleNamespace(part=SimpleNamespace(title=title)),
            record={
                "scores": {"macro_f1": score}, "intervals": {"macro_f1": [score - 0.004, score + 0.004]},
                "seeds": {"macro_f1": [score - 0.001, score]}, "costs": {"latency_ms": ms}, "pareto": True,
            },
        )
        for title, score, ms in zip(TITLES, scores, spent, strict=True)
    ]  # fmt: skip
    return SimpleNamespace(trained=trained, controls={"majority": {"macro_f1": 0.2}})


def drawn(paint: Any, made: Any) -> Any:
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    paint(axes, SimpleNamespace(choose_by="macro_f1", task="classes"), made)
    figure.canvas.draw()
    return axes


@pytest.mark.parametrize("spent", [(0.1, 1.0, 10.0), (0.4, 1.35, 1.4), (2.0, 2.0, 2.0), (0.1, 0.11, 9.0)])
def test_names_of_models_stay_inside_the_frame(spent: tuple[float, ...]) -> None:
    axes = drawn(figures._pareto, outcome((0.95, 0.96, 0.97), spent))
    frame = axes.get_window_extent()
    for text in axes.texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1, text.get_text()
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1, text.get_text()


def test_models_fill_the_axis_and_controls_far_off_are_numbers() -> None:
    axes = drawn(figures._scores, outcome((0.95, 0.96, 0.97), (1.0, 1.0, 1.0)))
    low, high = axes.get_xlim()
    assert 0.93 < low < 0.946
    assert 0.974 < high < 0.99
    assert "(majority)  0.2" in [one.get_text() for one in axes.get_yticklabels()]
    label = axes.xaxis.label.get_window_extent()
    assert 0 <= label.x0 < label.x1 <= axes.figure.bbox.x1
    wide = drawn(figures._scores, outcome((0.3, 0.6, 0.97), (1.0, 1.0, 1.0)))
    assert wide.get_xlim()[0] < 0.2
    assert "(majority)" in [one.get_text() for one in wide.get_yticklabels()]
