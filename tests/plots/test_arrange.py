"""What metadata ask for is what the picture shows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadRequest
from armillary.model import Interval
from armillary.plots import Band, Cells, Image, Line, Points, Spans, arrange
from armillary.plots.limits import bin_edges, break_gaps, column_sides
from armillary.plots.view import Panel


def only(made: SimpleNamespace, kind: str, data: Any, **more: Any) -> Panel:
    (panel,) = arrange([(made.product(kind), data)], **more).panels
    return panel


def test_every_kind_has_a_picture_and_time_stands_on_top(made: SimpleNamespace) -> None:
    view = arrange(made.everything(), title="all")
    kinds = [panel.kind for panel in view.panels]
    assert set(kinds) == {"lines", "spectrogram", "scatter", "image", "events"}
    timed = [panel.x.time for panel in view.panels]
    assert timed == sorted(timed, reverse=True)
    assert all((panel.x.low, panel.x.high) == (view.start, view.stop) for panel in view.panels if panel.x.time)
    assert all(panel.x.low < panel.x.high and panel.y.low < panel.y.high for panel in view.panels)
    assert "made/series" in view.about["products"]


def test_nothing_to_draw_is_an_error(made: SimpleNamespace) -> None:
    with pytest.raises(BadRequest, match="nothing to draw"):
        arrange([])


def test_components_become_lines_with_a_legend(made: SimpleNamespace) -> None:
    panel = only(made, "series", made.lines())
    assert panel.labels == ("Vx", "Vy", "Vz")
    assert panel.y.text == "V [km/s]"
    assert len({trace.colour for trace in panel.traces if isinstance(trace, Line)}) == 3


def test_labels_may_be_named_by_a_pointer(made: SimpleNamespace) -> None:
    data = made.lines(LABL_PTR_1="words").assign_coords(words=("c", ["north", "east", "down"]))
    assert only(made, "series", data).labels == ("north", "east", "down")


def test_a_symmetric_tensor_has_six_lines(made: SimpleNamespace) -> None:
    half = np.random.default_rng(0).normal(size=(30, 3, 3))
    data = made.scalar(np.zeros(30)).drop_vars("n")
    data["t"] = (("time", "a", "b"), half + half.transpose(0, 2, 1), {"units": "eV"})
    data = data.assign_coords(a=["x", "y", "z"], b=["x", "y", "z"])
    assert only(made, "series", data).labels == ("xx", "xy", "xz", "yy", "yz", "zz")


def test_products_of_the_same_units_stay_apart(made: SimpleNamespace) -> None:
    view = arrange([(made.product("series", name), made.scalar(np.arange(5.0))) for name in "ab"])
    assert [panel.source for panel in view.panels] == ["made/a", "made/b"]


def test_variables_of_other_units_get_their_own_panel(made: SimpleNamespace) -> None:
    data = made.scalar(np.arange(9.0))
    data["m"] = ("time", np.ones(9), {"units": "cm^-3"})
    data["t"] = ("time", np.ones(9), {"units": "K"})
    panels = arrange([(made.product("series"), data)]).panels
    assert [(panel.y.units, len(panel.traces)) for panel in panels] == [("cm⁻³", 2), ("K", 1)]


def test_support_data_are_drawn_only_alone(made: SimpleNamespace) -> None:
    data = made.scalar(np.arange(30.0))
    data["samples"] = ("time", np.full(30, 8), {"units": "", "VAR_TYPE": "support_data"})
    assert len(arrange([(made.product("series"), data)]).panels) == 1
    assert len(arrange([(made.product("series"), data[["samples"]])]).panels) == 1
    data["samples"].attrs["VAR_TYPE"] = "data"
    assert len(arrange([(made.product("series"), data)]).panels) == 2


def test_invalid_values_are_masked_in_the_picture_only(made: SimpleNamespace) -> None:
    data = made.scalar([1.0, 2.0, 900.0, 3.0, -5.0], VALIDMIN=0.0, VALIDMAX=100.0)
    before = data.copy(deep=True)
    panel = only(made, "series", data)
    (line,) = panel.traces
    assert isinstance(line, Line)
    np.testing.assert_array_equal(line.y, [1, 2, np.nan, 3, np.nan])
    assert "2 of 5" in panel.notes[0]
    assert data.identical(before)


def test_a_valid_range_for_each_component(made: SimpleNamespace) -> None:
    panel = only(made, "series", made.lines(VALIDMIN=[-9.0, 0.0, -9.0], VALIDMAX=[9.0, 9.0, 9.0]))
    lows = [np.nanmin(trace.y) for trace in panel.traces if isinstance(trace, Line)]
    assert lows[0] < 0 <= lows[1]
    assert lows[2] < 0


def test_a_valid_range_that_hides_everything_is_not_used(made: SimpleNamespace) -> None:
    panel = only(made, "series", made.scalar([5.0, 6.0], VALIDMIN=100.0, VALIDMAX=200.0))
    assert "not used" in panel.notes[0]
    assert panel.y.low < 5
    assert panel.y.high > 6


def test_fill_values_and_infinities_are_not_drawn(made: SimpleNamespace) -> None:
    panel = only(made, "series", made.scalar([1.0, -1e31, np.inf, -999.0, 2.0], FILLVAL=-999.0))
    assert (panel.y.low, panel.y.high) == pytest.approx((0.95, 2.05))


def test_a_logarithmic_line(made: SimpleNamespace) -> None:
    panel = only(made, "series", made.scalar([0.0, 1.0, 1000.0], SCALETYP="log"))
    assert panel.y.scale == "log"
    assert 0 < panel.y.low < 1
    assert panel.y.high > 1000
    assert only(made, "series", made.scalar([-1.0, 0.0], SCALETYP="log")).y.scale == "linear"


def test_a_line_breaks_at_a_gap_and_goes_on_at_a_slower_cadence(made: SimpleNamespace) -> None:
    seconds = np.concatenate([np.arange(50) * 1, 200 + np.arange(50) * 1, 249 + np.arange(1, 20) * 10])
    when = made.times(1)[0] + (seconds * 1e9).astype("timedelta64[ns]")
    (line,) = only(made, "series", made.scalar(np.ones(len(seconds)), when)).traces
    assert isinstance(line, Line)
    assert np.flatnonzero(np.isnan(line.y)).tolist() == [50, 101]


def test_the_interval_is_the_time_axis(made: SimpleNamespace) -> None:
    interval = Interval.of("2015-10-17T06:10", "2015-10-17T06:20")
    view = arrange([(made.product("series"), made.scalar(np.arange(300.0)))], interval=interval)
    assert (view.start, view.stop) == (interval.start, interval.stop)
    (line,) = view.panels[0].traces
    assert isinstance(line, Line)
    assert len(line.x) == 62
    assert view.panels[0].y.high < 130


def test_an_interval_without_data_is_told(made: SimpleNamespace) -> None:
    interval = Interval.of("2020-01-01", "2020-01-02")
    for kind in ("series", "spectrogram", "packets", "events"):
        view = arrange([item for item in made.everything() if item[0].kind == kind], interval=interval)
        assert all(any("here" in note for note in panel.notes) for panel in view.panels), kind
    assert only(made, "series", made.lines()).notes == ()


def test_products_without_a_common_time_are_told(made: SimpleNamespace) -> None:
    late = made.scalar(np.arange(9.0), np.datetime64("2016-01-01", "ns") + np.arange(9))
    early = (made.product("series"), made.lines())
    view = arrange([early, (made.product("series", "late"), late)])
    assert all(any("no common time" in note for note in panel.notes) for panel in view.panels)
    assert not any("common" in note for panel in arrange([early, early]).panels for note in panel.notes)


def test_bands_outside_the_time_axis_are_left_out(made: SimpleNamespace) -> None:
    start = made.times(1)[0].astype(int)
    bands = [Band(start, start + 10**9, "in"), Band(0, 1, "out")]
    view = arrange([(made.product("series"), made.scalar(np.arange(9.0)))], bands=bands)
    assert [band.label for band in view.bands] == ["in"]


def test_no_samples_at_all(made: SimpleNamespace) -> None:
    for kind, data in (
        ("series", made.lines(0)),
        ("spectrogram", made.spectrogram([1.0, 2.0], 0)),
        ("distribution", made.distribution(0)),
        ("packets", made.packets(0)),
        ("events", made.events().slice(0, 0)),
        ("sources", made.sources(0)),
        ("samples", pa.table({"time": made.times(0), "a": np.arange(0.0)})),
    ):
        view = arrange([(made.product(kind), data)])
        assert view.panels, kind
        view.to_bytes()


def test_geometric_energies_make_a_logarithmic_axis(made: SimpleNamespace) -> None:
    energies = np.geomspace(10, 1e4, 16)
    panel = only(made, "spectrogram", made.spectrogram(energies, SCALETYP="log"))
    (cells,) = panel.traces
    assert isinstance(cells, Cells)
    assert panel.y.scale == "log"
    assert panel.colour is not None
    assert panel.colour.scale == "log"
    np.testing.assert_allclose(cells.edges[1:-1], np.sqrt(energies[1:] * energies[:-1]))
    assert only(made, "spectrogram", made.spectrogram(np.arange(1.0, 90))).y.scale == "linear"


def test_energies_in_any_order_and_changing_in_time(made: SimpleNamespace) -> None:
    rows = np.stack([np.geomspace(1e4, 10, 8), np.geomspace(2e4, 20, 8)] * 25)
    data = made.spectrogram(rows[:1].repeat(50, 0) * 1.0)
    data["energy"] = (("time", "e"), rows, data["energy"].attrs)
    data["flux"].values = rows
    (cells,) = only(made, "spectrogram", data).traces
    assert isinstance(cells, Cells)
    assert cells.edges.shape == (50, 9)
    assert (np.diff(cells.edges, axis=1) > 0).all()
    assert ((cells.values > cells.edges[:, :-1]) & (cells.values < cells.edges[:, 1:])).all()


def test_cells_do_not_reach_across_a_gap(made: SimpleNamespace) -> None:
    data = made.spectrogram(np.geomspace(1, 100, 4))
    data = data.isel(time=np.r_[0:20, 40:50])
    (cells,) = only(made, "spectrogram", data).traces
    assert isinstance(cells, Cells)
    width = cells.right - cells.left
    assert width.max() <= 10.1e9
    assert cells.left[20] - cells.right[19] > 180e9
    assert (cells.left[1:] >= cells.right[:-1]).all()


def test_a_distribution_is_averaged_over_angles_without_what_is_missing(made: SimpleNamespace) -> None:
    panel = only(made, "distribution", made.distribution())
    (cells,) = panel.traces
    assert isinstance(cells, Cells)
    np.testing.assert_allclose(cells.values[0], np.geomspace(10, 1e4, 8), rtol=1e-6)
    assert panel.notes == ("mean over polar angle, phi",)


def test_display_type_time_series_makes_lines_of_few_bins(made: SimpleNamespace) -> None:
    few = made.spectrogram(np.geomspace(10, 100, 4), DISPLAY_TYPE="time_series")
    panel = only(made, "spectrogram", few)
    assert panel.kind == "lines"
    assert panel.labels[0] == "10 eV"


def test_many_components_without_bins_are_a_spectrogram(made: SimpleNamespace) -> None:
    panel = only(made, "series", made.lines(components=40))
    assert panel.kind == "spectrogram"


def test_packets_by_application(made: SimpleNamespace) -> None:
    panels = arrange([(made.product("packets"), made.packets())]).panels
    assert [panel.y.label for panel in panels] == ["apid", "sequence"]
    assert panels[1].labels == ("APID 100", "APID 101", "APID 102")


def test_sources_on_the_sky_and_by_colour(made: SimpleNamespace) -> None:
    sky, diagram = arrange([(made.product("sources"), made.sources())]).panels
    assert sky.x.reversed
    assert sky.x.high - sky.x.low < 3
    assert sky.aspect == pytest.approx(1 / np.cos(np.radians(30)), rel=0.01)
    assert diagram.y.reversed
    assert (diagram.x.label, diagram.y.label) == ("BP - RP", "absolute G")
    (points,) = diagram.traces
    assert isinstance(points, Points)
    np.testing.assert_allclose(points.y, 10 + points.x - 5)


def test_events_by_class_or_stacked(made: SimpleNamespace) -> None:
    (spans,) = only(made, "events", made.events()).traces
    assert isinstance(spans, Spans)
    assert spans.labels == ("a", "b")
    (spans,) = only(made, "events", made.events(classes=False)).traces
    assert isinstance(spans, Spans)
    assert spans.row.tolist() == [0, 1, 0, 1, 0, 1]


def test_samples_without_time_are_pairs(made: SimpleNamespace) -> None:
    panel = only(made, "samples", pa.table({"name": ["a", "b"], "u": [1.0, 2.0], "v": [3, 4]}))
    assert (panel.kind, panel.x.label, panel.y.label) == ("scatter", "u", "v")


@pytest.mark.parametrize("bands", [["nir", "red", "green", "blue"], ["B02", "B03", "B04", "B08"]])
def test_a_raster_in_natural_colours(made: SimpleNamespace, bands: list[str]) -> None:
    panel = only(made, "raster", made.raster(bands))
    (image,) = panel.traces
    assert isinstance(image, Image)
    assert image.values.shape == (8, 12, 4)
    assert image.values[0, 0, 3] == 0
    assert (image.left, image.right) == (499_995, 500_115)
    assert (image.bottom, image.top) == (4_999_925, 5_000_005)
    assert panel.x.text == "easting, EPSG:32633 [m]"
    assert panel.aspect == 1


def test_a_single_band_and_degrees(made: SimpleNamespace) -> None:
    data = made.raster(["ndvi"], crs="EPSG:4326").assign_coords(x=13 + np.arange(12) / 100, y=60 + np.arange(8) / 100)
    panel = only(made, "raster", data)
    assert panel.colour is not None
    assert panel.x.text == "longitude, EPSG:4326 [°]"
    assert panel.aspect == pytest.approx(2, rel=0.01)
    (image,) = panel.traces
    assert isinstance(image, Image)
    assert np.isnan(image.values[-1, 0])


def test_a_stack_in_time_shows_first_and_last(made: SimpleNamespace) -> None:
    panels = arrange([(made.product("raster"), made.raster(["a"], dates=20))]).panels
    assert len(panels) == 6
    assert panels[0].title.endswith("2015-10-17 06:00")
    assert panels[-1].title.endswith("2015-11-05 06:00")


def test_a_cube_in_light_or_false_colours(made: SimpleNamespace) -> None:
    assert only(made, "cube", made.cube()).notes[0].startswith("natural colours: 600, 600, 500")
    assert only(made, "cube", made.cube(1000, 2500)).notes[0].startswith("false colours")


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=20, unique=True), st.booleans())
def test_edges_enclose_their_centres(centres: list[float], log: bool) -> None:
    edges, order = bin_edges(np.array(centres), log)
    rising = np.array(centres)[order]
    assert len(edges) == len(centres) + 1
    assert (edges[:-1] <= rising).all()
    assert (rising <= edges[1:]).all()


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_columns_never_overlap_and_hold_their_time(when: list[int]) -> None:
    at = np.sort(np.array(when, np.int64))
    left, right = column_sides(at)
    assert (left <= at).all()
    assert (right >= at).all()
    assert (right[:-1] <= left[1:]).all()


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60, unique=True))
def test_breaks_add_only_nan(when: list[int]) -> None:
    at = np.sort(np.array(when, np.int64))
    x, y = break_gaps(at, np.ones((len(at), 2)))
    assert (np.diff(x) >= 0).all()
    np.testing.assert_array_equal(x[~np.isnan(y[:, 0])], at)
