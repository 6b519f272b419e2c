"""One series on a grid, with events or a value ahead."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import ArmillaryError
from armillary.learn.layouts import read_samples
from armillary.learn.layouts.timeline import overlapped

HOURS = ["2000-01-01 00:00", "2000-01-01 01:00", "2000-01-01 02:00", "2000-01-01 05:00", "2000-01-01 06:00"]


def write(folder: Path, times: list[str] = HOURS, **columns: list[Any]) -> Path:
    columns = columns or {"v": [1, 2, 3, 6, 9999], "note": list("abcde")}
    rows = zip(times, *columns.values(), strict=True)
    (folder / "s.csv").write_text("\n".join(",".join(map(str, row)) for row in [("time", *columns), *rows]))
    return folder


def write_events(folder: Path, *rows: tuple[str, str]) -> None:
    (folder / "e.csv").write_text("\n".join(",".join(row) for row in [("begin", "end"), *rows]))


def read(folder: Path, **options: Any) -> xr.Dataset:
    return read_samples("timeline", folder, {"series": "s.csv"} | options)


def test_gaps_and_fills_are_missing_on_a_regular_grid(tmp_path: Path) -> None:
    samples = read(write(tmp_path), missing=[9999])
    np.testing.assert_array_equal(samples["v"], [1, 2, 3, np.nan, np.nan, 6, np.nan])
    assert samples.attrs["cadence"] == 3600.0
    assert samples.attrs["columns"] == ("v",)
    assert samples["time"].values[3] == np.datetime64("2000-01-01T03")


def test_a_fill_may_be_told_for_one_column(tmp_path: Path) -> None:
    write(tmp_path, v=[1, 2, 3, 6, 99], n=[99, 1, 1, 1, 1])
    samples = read(tmp_path, missing={"v": [99]})
    assert np.isnan(samples["v"].values[-1])
    assert samples["n"].values[0] == 99


def test_a_coarser_cadence_gives_means(tmp_path: Path) -> None:
    samples = read(write(tmp_path), cadence="2h", columns=["v"], missing=[9999])
    np.testing.assert_array_equal(samples["v"], [1.5, 3.0, 6.0, np.nan])


def test_rows_in_disorder_and_with_a_time_zone_are_put_right(tmp_path: Path) -> None:
    write(tmp_path, ["2000-01-01T02:00+01:00", "2000-01-01T01:00+01:00"], v=[2, 1])
    samples = read(tmp_path)
    np.testing.assert_array_equal(samples["v"], [1, 2])
    assert samples["time"].values[0] == np.datetime64("2000-01-01T00")


def test_cells_that_an_event_overlaps_are_positive_and_empty_ones_unknown(tmp_path: Path) -> None:
    write_events(tmp_path, ("2000-01-01 05:59:59", "2000-01-01 06:00:01"), ("2000-01-01 00:30", "2000-01-01 01:00"))
    samples = read(write(tmp_path), events="e.csv", positive="icme")
    assert samples["label"].values.tolist() == ["icme", "quiet", "quiet", "", "", "icme", "icme"]
    assert samples.attrs["events"].shape == (2, 2)
    assert (np.diff(samples.attrs["events"][:, 0]) > 0).all()


def days(folder: Path, *events: int, hours: int = 100) -> Path:
    times = np.datetime64("2000-01-01T00") + np.arange(hours)
    write(folder, [str(one).replace("T", " ") + ":00" for one in times], v=list(range(hours)))
    write_events(folder, *((f"{times[one]}:00", f"{times[one]}:30") for one in events))
    return folder


def test_outside_of_what_is_covered_nothing_is_known(tmp_path: Path) -> None:
    folder = days(tmp_path, 10, 20, 30)
    samples = read(folder, events="e.csv", covered=["2000-01-01T05:00", date(2000, 1, 2)])
    assert [str(one) for one in samples["label"].values[[4, 5, 10, 20, 23, 24, 30]]] == [
        "", "quiet", "event", "event", "quiet", "", "",
    ]  # fmt: skip
    assert samples.attrs["notes"] == ()
    other = read(folder, events="e.csv", covered=["2010-01-01", "2011-01-01"])
    assert "" not in other["label"].values
    assert "was not used" in other.attrs["notes"][0]


@pytest.mark.parametrize(
    ("covered", "said"),
    [
        (["2000-01-01"], "no interval"),
        (["2001-01-01", "2000-01-01"], "no interval"),
        (["soon", "later"], "times of covered cannot be read"),
        ("2000-01-01", "must be a list"),
    ],
)
def test_what_is_covered_is_an_interval(tmp_path: Path, covered: Any, said: str) -> None:
    with pytest.raises(ArmillaryError, match=said):
        read(days(tmp_path, 10), events="e.csv", covered=covered)


@pytest.mark.parametrize(
    ("events", "told"),
    [((5, 15, 40, 60, 90), []), ((5, 15, 25), ["after the last"]), ((80, 85, 90), ["before the first"]), ((50,), [])],
)
def test_a_long_end_without_events_is_told(tmp_path: Path, events: tuple[int, ...], told: list[str]) -> None:
    notes = read(days(tmp_path, *events), events="e.csv").attrs["notes"]
    assert [where for where in ("before the first", "after the last") if where in " ".join(notes)] == told
    assert len(notes) == len(told)


def test_times_with_and_without_zone_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, ["2000-01-01T00:00+01:00", "2000-01-01T01:00", "2000-01-01"], v=[1, 2, 3])
    with pytest.raises(ArmillaryError, match=r"1 of 3 times of s\.csv have a time zone"):
        read(tmp_path)
    write(tmp_path)
    write_events(tmp_path, ("2000-01-01T00:00Z", "2000-01-01T01:00"))
    with pytest.raises(ArmillaryError, match=r"1 of 2 times of e\.csv have a time zone"):
        read(tmp_path, events="e.csv")


def test_overlap_agrees_with_every_pair() -> None:
    random = np.random.default_rng(1)
    times = np.arange(50) * 10**9
    starts = random.integers(-3 * 10**9, 52 * 10**9, 20)
    events = np.column_stack([starts, starts + random.integers(1, 5 * 10**9, 20)])
    plain = ((times[:, None] < events[:, 1]) & (times[:, None] + 10**9 > events[:, 0])).any(1)
    np.testing.assert_array_equal(overlapped(times, 1.0, events), plain)


def test_a_target_lies_ahead_and_never_over_a_gap(tmp_path: Path) -> None:
    samples = read(write(tmp_path), target="v", ahead="1h", missing=[9999])
    np.testing.assert_array_equal(samples["label"], [2, 3, np.nan, np.nan, 6, np.nan, np.nan])
    np.testing.assert_array_equal(samples["persistence"], samples["v"])


def test_the_file_itself_may_be_named_and_packed(tmp_path: Path) -> None:
    import gzip

    text = (write(tmp_path) / "s.csv").read_bytes()
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text))
    samples = read_samples("timeline", tmp_path / "t.csv.gz", {"names": {"speed": "v"}})
    assert samples.attrs["columns"] == ("speed",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": 1}, "does not know 'kind'"),
        ({"missing": 9}, "a list, each a number or a table"),
        ({"series": "x.csv"}, "no file x.csv"),
        ({"columns": ["w"]}, "no column 'w'"),
        ({"columns": ["note"]}, "'note' of s.csv is no number"),
        ({"time": "t"}, "no column 't'"),
        ({"time": "note"}, "times of s.csv cannot be read"),
        ({"cadence": 0}, "not above 0"),
        ({"cadence": "1ms"}, "cells for 5 rows"),
        ({"ahead": "1h"}, "needs a target"),
        ({"target": "w"}, "no column 'w' to forecast"),
        ({"target": "v", "ahead": "90min"}, "no whole number of steps"),
        ({"target": "v", "ahead": 0}, "no whole number of steps"),
        ({"target": "v", "events": "e.csv"}, "both events and a target"),
        ({"events": "none.csv"}, "no file none.csv"),
        ({"events": "e.csv"}, "does not end after it begins"),
        ({"events": "far.csv"}, "none of the 1 events lies in the series, 2000-01-01"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    write(tmp_path)
    write_events(tmp_path, ("2000-01-01 03:00", "2000-01-01 03:00"))
    (tmp_path / "far.csv").write_text("begin,end\n2001-01-01,2001-01-02\n")
    with pytest.raises(ArmillaryError, match=said):
        read(tmp_path, **options)


@pytest.mark.parametrize(("text", "said"), [("", "cannot read s.csv"), ("time,v\n", "has no row")])
def test_an_empty_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(ArmillaryError, match=said):
        read(tmp_path)


def test_a_row_without_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArmillaryError, match=r"1 rows of s\.csv have no time"):
        read(write(tmp_path, ["2000-01-01", ""], v=[1, 2]))


def test_a_folder_needs_the_name_of_the_series(tmp_path: Path) -> None:
    with pytest.raises(ArmillaryError, match="is a folder"):
        read_samples("timeline", tmp_path, {})


@pytest.mark.real
def test_real_hourly_data_and_their_events_are_read(real_data: Path) -> None:
    folder = real_data / "plasma" / "omni_icme"
    samples = read_samples(
        "timeline", folder, {"series": "omni_hourly.csv.gz", "events": "icme_list.csv", "positive": "icme"}
    )
    assert samples.sizes["sample"] == 12442
    assert samples.attrs["events"].shape == (75, 2)
    assert 0.1 < np.mean(samples["label"].values == "icme") < 0.2
