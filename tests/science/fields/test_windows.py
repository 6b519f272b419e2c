"""Windows: where they lie, what they refuse, and that pieces of a series agree."""

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter
from armillary.science.fields.windows import lay, nanoseconds, stretches, usual_step

START = np.datetime64("2015-12-14T13:00:00.37", "ns")


def times(count: int, step: float = 0.125) -> np.ndarray:
    return START + np.round(np.arange(count) * step * 1e9).astype("timedelta64[ns]")


def test_windows_begin_at_multiples_of_the_stride_since_1970() -> None:
    time = times(1000)
    laid = lay(time, np.zeros(1000), 16.0, 8.0)
    begin = nanoseconds(laid.time) - 8_000_000_000
    assert (begin % 8_000_000_000 == 0).all()
    late = nanoseconds(time[laid.first[laid.complete]]) - begin[laid.complete]
    assert (late >= 0).all()
    assert (late < 0.125e9).all()
    assert laid.size == 128
    # From 0.37 s to 125.37 s: those that begin at 8, 16 ... 104 s.
    assert laid.complete.sum() == 13


def test_pieces_of_a_series_have_the_same_windows_as_the_whole() -> None:
    time = times(4000)
    whole = lay(time, np.zeros(4000), 16.0, 4.0)
    piece = lay(time[1000:3000], np.zeros(2000), 16.0, 4.0)
    good = piece.time[piece.complete]
    same = np.isin(whole.time, good)
    assert same.sum() == good.size
    assert (whole.first[same] - 1000 == piece.first[piece.complete]).all()


@pytest.mark.parametrize("missing", ["gap", "nan", "jump"])
def test_a_window_that_meets_something_missing_is_not_complete(missing: str) -> None:
    time, values = times(2000), np.zeros(2000)
    if missing == "gap":
        time, values = np.delete(time, np.s_[900:903]), np.delete(values, np.s_[900:903])
    elif missing == "nan":
        values[900] = np.nan
    else:
        time[900:] += np.timedelta64(50, "ms")
    laid = lay(time, values, 16.0, 8.0)
    touched = (laid.first <= 900) & (laid.first + 128 > 900)
    inside = np.arange(laid.time.size)[touched]
    assert not laid.complete[inside[1:-1]].any()
    assert laid.complete[~touched][1:-1].all()


def test_a_long_gap_costs_no_windows() -> None:
    time = np.concatenate([times(500), times(500) + np.timedelta64(300, "D")])
    laid = lay(time, np.zeros(1000), 4.0, 2.0)
    assert laid.time.size < 80
    assert laid.complete.sum() == 2 * lay(time[:500], np.zeros(500), 4.0, 2.0).complete.sum()
    assert (np.diff(laid.time) > np.timedelta64(0)).all()


def test_rounded_time_tags_are_still_even() -> None:
    time = np.round(nanoseconds(times(4096, 1 / 128)) / 1e6).astype("datetime64[ms]").astype("datetime64[ns]")
    laid = lay(time, np.zeros(4096), 1.0, 0.5)
    assert laid.complete[2:-2].all()
    assert laid.frequency[-1] == pytest.approx(64, rel=1e-4)


def test_uneven_samples_are_refused() -> None:
    rng = np.random.default_rng(1)
    time = START + np.sort(rng.uniform(0, 1e12, 1000)).astype("timedelta64[ns]")
    with pytest.raises(BadData, match="not evenly spaced"):
        lay(time, np.zeros(1000), 60.0, 30.0)


def test_windows_that_are_too_short_are_refused() -> None:
    with pytest.raises(BadParameter, match="do not fit"):
        lay(times(1000), np.zeros(1000), 0.5, 0.25)
    with pytest.raises(BadParameter, match="do not fit"):
        lay(times(1000), np.zeros(1000), 16.0, 0.01)


def test_a_change_of_cadence_leaves_the_rarer_one_out() -> None:
    time = np.concatenate([times(3000), times(3000)[-1] + np.timedelta64(125, "ms") + (times(800, 0.0625) - START)])
    laid = lay(time, np.zeros(3800), 16.0, 8.0)
    assert laid.size == 128
    assert not laid.complete[laid.first > 3000].any()
    assert laid.complete.sum() > 40


def test_the_usual_step_is_the_same_in_every_piece() -> None:
    rng = np.random.default_rng(2)
    time = times(10_000) + rng.integers(-1000, 1000, 10_000).astype("timedelta64[ns]")
    assert {usual_step(time[k : k + 500]) for k in range(0, 9500, 500)} == {0.125}
    with pytest.raises(BadData, match="cadence"):
        usual_step(time[:1])


def test_stretches_cover_everything_once() -> None:
    time = np.delete(times(100), [10, 11, 50, 99])
    begin, stop = stretches(time)
    assert begin.tolist()[1:] == stop.tolist()[:-1]
    assert (begin[0], stop[-1], len(begin)) == (0, 96, 3)
    assert [len(one) for one in stretches(time[:1])] == [1, 1]
    assert [len(one) for one in stretches(time[:0])] == [0, 0]
