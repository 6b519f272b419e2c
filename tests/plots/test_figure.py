"""The drawing has what the view says; files are whole, honest and the same every time."""

import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from armillary.errors import BadRequest, Cancelled, CannotWrite
from armillary.model.protocols import silent
from armillary.plots import Band, arrange, check_ending, save
from armillary.plots.figure import draw, settings
from armillary.plots.layout import lay_out
from armillary.plots.painted import paint
from armillary.plots.view import Axis, Cells, View


def drawn(view: View) -> Figure:
    return draw(view, silent, width=9, height=None, dpi=60)


def test_axes_follow_the_view(made: SimpleNamespace) -> None:
    items = [
        (made.product("spectrogram", "s"), made.spectrogram(np.geomspace(10, 1e4, 16), SCALETYP="log")),
        (made.product("series", "v"), made.lines()),
    ]
    start = made.times(1)[0].astype(int)
    view = arrange(items, bands=[Band(start + 10**11, start + 2 * 10**11, "event")])
    figure = drawn(view)
    spectrogram, lines, bar = (figure.axes[k] for k in (0, 2, 1))
    assert spectrogram.get_yscale() == "log"
    assert spectrogram.get_ylim() == pytest.approx((view.panels[0].y.low, view.panels[0].y.high))
    assert spectrogram.get_xlim() == lines.get_xlim() == (0, (view.stop - view.start) / 1e9)
    assert len(spectrogram.images) == 1
    assert bar.get_yscale() == "log"
    assert "flux" in bar.get_ylabel()
    assert len(lines.lines) == 3
    assert [line.get_color() for line in lines.lines] == ["#0072b2", "#009e73", "#d55e00"]
    assert {text.get_text() for text in lines.texts} == {"Vx", "Vy", "Vz"}
    assert len(lines.patches) == len(spectrogram.patches) == 1
    assert lines.get_ylabel() == "V\n[km/s]"
    assert "2015-10-17" in "".join(label.get_text() for label in lines.get_xticklabels())
    assert not "".join(label.get_text() for label in spectrogram.get_xticklabels())


def test_events_stand_in_named_rows(made: SimpleNamespace) -> None:
    axes = drawn(arrange([(made.product("events"), made.events())])).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert len(axes.collections) == 2


@pytest.mark.parametrize("count", [1, 12])
def test_nothing_overlaps(made: SimpleNamespace, count: int) -> None:
    with mpl.rc_context(settings()):
        figure = drawn(arrange(made.everything()[:1] * count + made.everything()[4:7], title="t " * 90))
        figure.canvas.draw()
    renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
    width, height = figure.bbox.width, figure.bbox.height
    for box in boxes:
        assert box is not None
        assert -1 <= box.x0 < box.x1 <= width + 1
        assert -1 <= box.y0 < box.y1 <= height + 1
    for axes in figure.axes:
        labels = [label.get_window_extent(renderer) for label in axes.get_xticklabels() if label.get_text().strip()]
        labels.sort(key=lambda one: one.x0)
        assert all(a.x1 <= b.x0 + 1 for a, b in pairwise(labels))


def test_a_layout_has_a_box_for_each_panel(made: SimpleNamespace) -> None:
    view = arrange(made.everything())
    layout = lay_out(view, 9, None)
    assert len(layout.boxes) == len(view.panels)
    assert sum(box.lowest for box in layout.boxes) == 1
    rows = [(box.left, box.bottom, box.left + box.width, box.bottom + box.height) for box in layout.boxes]
    for k, a in enumerate(rows):
        for b in rows[k + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_pixels_are_exact_on_a_logarithmic_axis() -> None:
    edges = np.array([[1.0, 10.0, 100.0], [1.0, 20.0, 100.0]])
    cells = Cells(np.array([0, 60]), np.array([40, 100]), edges, np.array([[1.0, 2.0], [3.0, np.nan]]))
    image = paint(cells, 0, 100, Axis("", low=1, high=100, scale="log"), 10, 100)
    assert image.shape == (100, 10)
    np.testing.assert_array_equal(image[60, :4], 1)
    np.testing.assert_array_equal(image[40, :4], 2)
    assert np.isnan(image[:, 4:6]).all()
    assert (image[:, 8] == 3).sum() == round(50 * np.log10(20))
    assert np.isnan(image[0, 8])


def test_a_column_thinner_than_a_pixel_is_still_seen() -> None:
    cells = Cells(np.array([501]), np.array([502]), np.array([0.0, 1.0]), np.array([[7.0]]))
    image = paint(cells, 0, 100_000, Axis("", low=0, high=1), 100, 3)
    assert np.flatnonzero(image[0] == 7).tolist() == [0]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_files_are_deterministic_and_say_where_they_came_from(
    made: SimpleNamespace, tmp_path: Path, ending: str
) -> None:
    data = made.lines()
    data.attrs["armillary_lineage"] = "made by a test"
    view = arrange([(made.product("series", citation="Doe 2026"), data)], title="A title <b>")
    first, second = (save(view, tmp_path / f"{k}.{ending}", dpi=60).read_bytes() for k in "ab")
    assert first == second
    text = first.decode("latin-1")
    if ending == "pdf":
        assert "made by a test" in text.replace("\x00", "")
        assert "/FontFile2" in text or "/Type3" not in text
    else:
        assert "made by a test" in text
        assert "Doe 2026" in text
    if ending == "svg":
        assert re.search(r"<text[^>]*>.*km/s", text, re.DOTALL)
        assert "A title &lt;b&gt;" in text
    assert not list(tmp_path.glob(".*"))


def test_what_archives_write_is_never_read_as_tex_and_strange_letters_are_no_trouble(
    made: SimpleNamespace, tmp_path: Path
) -> None:
    data = made.scalar([1.0, 2.0], LABLAXIS="$\\badmacro{x}$ \U0001f600 漢字")
    view = arrange([(made.product("series"), data)], title="$$ {\\frac")
    assert save(view, tmp_path / "a.png", dpi=50).stat().st_size > 1000


def test_settings_of_the_user_are_neither_used_nor_changed(made: SimpleNamespace, tmp_path: Path) -> None:
    view = arrange(made.everything()[:1])
    plain = save(view, tmp_path / "a.png", dpi=50).read_bytes()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        assert save(view, tmp_path / "b.png", dpi=50).read_bytes() == plain
        assert dict(mpl.rcParams) == before


def test_every_kind_is_drawn(made: SimpleNamespace, tmp_path: Path) -> None:
    told: list[str] = []
    view = arrange(made.everything())
    save(view, tmp_path / "all.svg", lambda _, message="": told.append(message), dpi=50)
    assert any("drawing" in message for message in told)
    assert told[-1] == "wrote all.svg"


def test_wrong_endings_and_sizes_are_refused(made: SimpleNamespace, tmp_path: Path) -> None:
    view = arrange(made.everything()[:1])
    with pytest.raises(BadRequest, match=r"\.html \.pdf \.png \.svg"):
        check_ending("a.jpg")
    with pytest.raises(BadRequest, match="dpi"):
        save(view, tmp_path / "a.png", dpi=1e6)


def test_a_place_that_cannot_be_written(made: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"no/a\.png"):
        save(arrange(made.everything()[:1]), tmp_path / "no" / "a.png")


def test_who_stops_finds_nothing_half_written(made: SimpleNamespace, tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled("stopped", "start again")

    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(Cancelled):
        save(arrange(made.everything()[:1]), tmp_path / "a.png", stop)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"
