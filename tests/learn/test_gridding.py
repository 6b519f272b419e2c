"""Series of several products on one grid, and labels from a catalogue."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.learn.gridding import (
    Column,
    Grid,
    check_options,
    grid_of,
    interval_of,
    matrix_of,
    overlapped_by,
    samples_of,
    with_ahead,
    with_classes,
    with_events,
)
from armillary.model import Interval

S = 10**9
GRID = Grid(0, 10 * S, 12)


def samples(**columns: Any) -> xr.Dataset:
    return samples_of(GRID, columns or {"a": np.arange(12.0)})


def test_a_cell_is_the_mean_of_what_lies_in_it() -> None:
    column = Column(GRID)
    times = np.arange(0, 60, 2) * S
    values = np.arange(30.0)
    values[7] = np.nan
    column.add(times[:13], values[:13, None])
    column.add(times[13:], values[13:, None])
    np.testing.assert_allclose(column.values()[:6, 0], [2, (5 + 6 + 8 + 9) / 4, 12, 17, 22, 27])
    assert np.isnan(column.values()[6:]).all()


def test_sparse_series_are_joined_by_lines_and_not_over_gaps() -> None:
    column = Column(GRID)
    column.add(np.array([5, 35, 65]) * S, np.array([[0.0, 1.0], [3.0, 1.0], [6.0, 1.0]]))
    np.testing.assert_allclose(column.values()[:7], np.column_stack([np.arange(7.0), np.ones(7)]))
    assert np.isnan(column.values()[11]).all()


def test_blocks_of_any_size_give_the_same_cells() -> None:
    rng = np.random.default_rng(0)
    times, values = np.sort(rng.integers(0, 120 * S, 500)), rng.normal(size=(500, 3))
    whole, parts = Column(GRID), Column(GRID)
    whole.add(times, values)
    for at in range(0, 500, 37):
        parts.add(times[at : at + 37], values[at : at + 37])
    np.testing.assert_allclose(whole.values(), parts.values())


def test_cells_lie_at_whole_multiples() -> None:
    grid = grid_of(Interval(95 * S, 130 * S), "10s")
    assert (grid.first, grid.count) == (90 * S, 4)
    assert grid.part(-1, 2).times.tolist() == [80 * S, 90 * S, 100 * S]
    with pytest.raises(BadParameter, match="not above 0"):
        grid_of(Interval(0, S), 0)
    with pytest.raises(BadParameter, match="longer cadence"):
        grid_of(Interval(0, 10**18), "1ms")


def test_all_variables_of_a_series_are_columns() -> None:
    times = np.array([0, 1], "M8[s]")
    data = xr.Dataset({"a": ("time", [1, 2]), "b": (("time", "c"), [[3.0, 4], [5, 6]])}, {"time": times})
    stamps, values = matrix_of(data)
    assert stamps.tolist() == [0, S]
    assert values.tolist() == [[1, 3, 4], [2, 5, 6]]
    with pytest.raises(BadData, match="no series"):
        matrix_of(xr.Dataset({"t": ("time", ["x", "y"])}, {"time": times}))


def test_events_label_cells_that_they_overlap() -> None:
    made = with_events(samples(), np.array([[15, 31], [1000, 1001]]) * S, ["icme", "icme"], {})
    assert made["label"].values.tolist() == ["quiet", "icme", "icme", "icme", *["quiet"] * 8]
    assert made.attrs["events"].tolist() == [[15 * S, 31 * S]]
    assert made.attrs["positive"] == "icme"


def test_cells_without_any_number_have_no_label() -> None:
    holes = np.arange(12.0)
    holes[2] = np.nan
    made = with_events(samples(a=holes), np.array([[15, 31]]) * S, ["icme"], {"negative": "no"})
    assert made["label"].values[:5].tolist() == ["no", "icme", "", "icme", "no"]


def test_what_nobody_looked_through_is_learnt_from_only_where_an_event_lies() -> None:
    looked = {"labelled": [["1970-01-01", "1970-01-01T00:01:00"]]}
    made = with_events(samples(), np.array([[15, 31], [85, 95]]) * S, ["icme", "icme"], looked)
    assert made["label"].values.tolist() == ["quiet", *["icme"] * 3, *["quiet"] * 2, "", "", "icme", "icme", "", ""]
    assert made["role"].values.tolist() == ["score"] * 6 + ["fit"] * 6
    assert made.attrs["events"].tolist() == [[15 * S, 31 * S]]


def test_one_kind_of_event_is_chosen_by_name() -> None:
    events = np.array([[15, 31], [50, 60]]) * S
    with pytest.raises(BadParameter, match="several classes: icme, sir"):
        with_events(samples(), events, ["icme", "sir"], {})
    with pytest.raises(BadParameter, match="no event is of the class 'cir'"):
        with_events(samples(), events, ["icme", "sir"], {"positive": "cir"})
    made = with_events(samples(), events, ["icme", "sir"], {"positive": "sir"})
    assert np.flatnonzero(made["label"].values == "sir").tolist() == [5]


def test_labels_of_another_time_are_told() -> None:
    with pytest.raises(BadData, match=r"none of the 1 labels 'icme' lies in the time .*1970-01-01T00:16:40"):
        with_events(samples(), np.array([[1000, 1001]]) * S, ["icme"], {})
    with pytest.raises(BadData, match="none of the 1 labels"):
        with_classes(samples(), np.array([[1000, 1001]]) * S, ["icme"], {})


def test_classes_label_cells_by_their_middle() -> None:
    events = np.array([[0, 34], [20, 52]]) * S
    made = with_classes(samples(), events, ["a", "b"], {})
    assert made["label"].values.tolist() == ["a", "a", "b", "b", "b", *[""] * 7]
    named = with_classes(samples(), events, ["a", "b"], {"negative": "c"})
    assert named["label"].values.tolist()[5:] == ["c"] * 7


def test_a_value_ahead() -> None:
    made = with_ahead(samples(), {"target": "a", "ahead": "20s"})
    np.testing.assert_array_equal(made["label"].values[:10], np.arange(2.0, 12.0))
    assert np.isnan(made["label"].values[10:]).all()
    np.testing.assert_array_equal(made["persistence"].values, np.arange(12.0))
    with pytest.raises(BadParameter, match="no whole number of steps"):
        with_ahead(samples(), {"target": "a", "ahead": "15s"})
    with pytest.raises(BadParameter, match="no column 'b'"):
        with_ahead(samples(), {"target": "b"})


PRODUCTS = {"products": {"a": "simulated/wind/density"}, "cadence": "1h"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": "2020-01-01Z", "stop": "2020-02-01"}, "one has a time zone"),
        ({"start": "2020-01-01T00:00+01:00", "stop": "2020-02-01T00:00"}, "one has a time zone"),
        ({"start": "2020-01-01"}, "no 'stop'"),
    ],
)
def test_clashing_times_are_told(options: dict[str, str], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        interval_of(options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (PRODUCTS | {"labels": "icme", "colour": 1}, "does not know 'colour'"),
        ({"cadence": "1h", "labels": "icme"}, "names no product"),
        ({"products": {"a": "b"}, "labels": "icme"}, "no cadence"),
        (PRODUCTS, "either labels or a target"),
        (PRODUCTS | {"labels": "icme", "target": "a"}, "either labels or a target"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        check_options(options)


def test_which_events_touch_which_cells() -> None:
    times = np.array([0, 10, 50]) * S
    events = np.array([[-5, 0], [-5, 1], [15, 20], [20, 50], [20, 51], [60, 70]]) * S
    assert overlapped_by(events, times, 10.0).tolist() == [False, True, True, False, True, False]
