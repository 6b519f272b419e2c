"""Feature steps: columns, colours, logarithms, windows and lags of time, QUANT; each against a slow plain way."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn.features import build
from armillary.learn.features.quant import intervals
from armillary.learn.study import Step


def made(samples: Any, use: str, **options: Any) -> Any:
    return build(samples, [Step(use=use, options=options)])


def series(n: int = 300, seed: int = 0, groups: int = 2) -> Any:
    """Two groups, mixed, on a clock with jumps and gaps in the values; times in seconds."""
    random = np.random.default_rng(seed)
    steps = np.where(random.random(n) < 0.03, 500.0, 10.0)
    value = np.where(random.random(n) < 0.1, np.nan, random.normal(size=n).cumsum() + 1e4)
    samples = xr.Dataset(
        {"v": ("sample", value), "w": ("sample", random.normal(size=n))},
        coords={
            "time": ("sample", steps.cumsum()),
            "group": ("sample", np.array([f"g{one}" for one in np.arange(n) % groups], object)),
        },
    )
    return samples.isel(sample=random.permutation(n))


class TestColumns:
    def test_takes_numbers_but_no_coordinates_labels_or_times(self) -> None:
        samples = series().assign(label=("sample", np.zeros(300)), t2=("sample", np.arange(300).astype("M8[s]")))
        assert made(samples, "columns").names == ("v", "w")
        samples.attrs["columns"] = ("w",)
        assert made(samples, "columns").names == ("w",)
        assert made(samples, "columns", names=["v"], prefix="p_").names == ("p_v",)

    def test_lays_arrays_flat_as_one_group(self) -> None:
        samples = xr.Dataset({"s": (("sample", "a", "b"), np.arange(12.0).reshape(2, 2, 3)), "n": ("sample", [1, 2])})
        features = made(samples, "columns")
        assert features.names == ("s_0", "s_1", "s_2", "s_3", "s_4", "s_5", "n")
        assert features.groups == ("s",) * 6 + ("n",)
        assert features.matrix[1].tolist() == [6, 7, 8, 9, 10, 11, 2]

    def test_log_makes_what_is_not_positive_missing(self) -> None:
        samples = xr.Dataset({"f": ("sample", [100.0, 0.0, -1.0, np.nan])})
        np.testing.assert_array_equal(made(samples, "log").matrix[:, 0], [2, np.nan, np.nan, np.nan])
        np.testing.assert_allclose(made(samples, "log", kind="asinh").matrix[1:3, 0], [0, -np.arcsinh(1)])

    def test_colours_of_magnitudes_and_fluxes(self) -> None:
        samples = xr.Dataset(
            {"j": ("sample", [10.0, 1.0]), "h": ("sample", [1.0, np.nan]), "k": ("sample", [0.1, 0.0])}
        )
        features = made(samples, "differences")
        assert features.names == ("j-h", "j-k", "h-k")
        assert features.groups == ("j|h", "j|k", "h|k")
        np.testing.assert_allclose(features.matrix[0], [9, 9.9, 0.9])
        np.testing.assert_allclose(made(samples, "differences", kind="log10", pairs="next").matrix[0], [1, 1])
        assert made(samples, "differences", group="colours").groups == ("colours",) * 3

    def test_refuses_with_reasons(self) -> None:
        samples = series().assign(text=("sample", np.array(["x"] * 300, object)))
        with pytest.raises(BadParameter, match="no 'q'"):
            made(samples, "columns", names=["q"])
        with pytest.raises(BadData, match="'text' has no numbers"):
            made(samples, "columns", names=["text"])
        with pytest.raises(BadData, match="no numbers to learn from"):
            made(samples[["text"]], "columns")
        with pytest.raises(BadParameter, match="two columns"):
            made(samples, "differences", names=["v"])
        with pytest.raises(BadParameter, match="pairs"):
            made(samples, "differences", pairs="some")
        with pytest.raises(BadParameter, match="kind"):
            made(samples, "log", kind="ln")
        with pytest.raises(BadParameter, match="unexpected keyword"):
            made(samples, "rolling", window=3)
        with pytest.raises(BadParameter, match="two feature steps"):
            build(samples, [Step(use="columns"), Step(use="columns")])


def slow_window(samples: Any, name: str, length: int, one: str, *, causal: bool, least: float) -> Any:
    """Say one statistic for each sample by looking at all others."""
    times, values, groups = (samples[key].values for key in ("time", name, "group"))
    answers = []
    for at in range(len(times)):
        mine = groups == groups[at]
        away = times - times[at]
        inside = mine & ((away >= -length) & (away <= 0) if causal else np.abs(away) <= length / 2)
        inside &= np.isfinite(values)
        usual = np.median(np.diff(np.sort(times[mine])))
        answers.append(
            np.nan if inside.sum() < max(1, least * length / usual) else say(one, away[inside], values[inside])
        )
    return np.array(answers, float)


def say(one: str, times: Any, values: Any) -> Any:
    if one == "slope":
        scale = 60.0 if len(times) > 1 else 0.0
        return np.polyfit(times, values - values.mean(), 1)[0] * scale if scale else 0.0
    return getattr(np, one)(values)


class TestRolling:
    @pytest.mark.parametrize("causal", [False, True])
    @pytest.mark.parametrize("least", [0.0, 0.5])
    def test_is_the_slow_way(self, causal: bool, least: float) -> None:
        samples = series()
        of = ["mean", "std", "min", "max", "slope"]
        features = made(samples, "rolling", names=["v"], windows=[60.0], of=of, causal=causal, least=least)
        assert features.names[:2] == ("v_mean_60s", "v_std_60s")
        for at, one in enumerate(of):
            want = slow_window(samples, "v", 60.0, one, causal=causal, least=least)
            np.testing.assert_allclose(features.matrix[:, at], want, rtol=1e-7, atol=1e-5, err_msg=one)

    def test_many_pieces_are_as_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from armillary.learn.features import along

        samples = series(1000)
        of = ["mean", "std", "slope"]
        whole = made(samples, "rolling", windows=["5min"], of=of).matrix
        monkeypatch.setattr(along, "_PIECE", 64)
        np.testing.assert_allclose(made(samples, "rolling", windows=["5min"], of=of).matrix, whole, atol=1e-6)

    def test_keeps_its_digits_far_from_zero(self) -> None:
        n = 20_000
        time = np.datetime64("1970-01-01", "ns") + (np.arange(n) * 3600 * 10**9).astype("m8[ns]")
        samples = xr.Dataset({"v": ("sample", 1e6 + np.arange(n) % 2)}, coords={"time": ("sample", time)})
        features = made(samples, "rolling", windows=["3h"], of=["std", "slope"], causal=True)
        np.testing.assert_allclose(features.matrix[10:, 0], 0.5, rtol=1e-6)
        np.testing.assert_allclose(np.abs(features.matrix[10:, 1]), 0.6, rtol=1e-6)

    @given(st.integers(0, 250), st.floats(-1e6, 1e6, allow_subnormal=False))
    @settings(max_examples=25)
    def test_a_causal_window_does_not_see_the_future(self, at: int, value: float) -> None:
        samples = series(250, groups=1).sortby("time")
        before = made(samples, "rolling", windows=["2min"], of=["mean", "min", "slope"], causal=True).matrix[:at]
        samples["v"].values[at:] = value
        after = made(samples, "rolling", windows=["2min"], of=["mean", "min", "slope"], causal=True).matrix[:at]
        np.testing.assert_allclose(before, after, rtol=1e-6, atol=1e-4)

    def test_refuses_with_reasons(self) -> None:
        with pytest.raises(BadParameter, match="of ="):
            made(series(), "rolling", of=["mode"])
        with pytest.raises(BadParameter, match="too short"):
            made(series(), "rolling", windows=[0])
        with pytest.raises(BadParameter, match="no duration"):
            made(series(), "rolling", windows=["soon"])
        with pytest.raises(BadParameter, match="no 'clock'"):
            made(series(), "rolling", time="clock")
        samples = series()
        samples["time"].values[3] = np.nan
        with pytest.raises(BadData, match="has no time"):
            made(samples, "rolling")


@pytest.mark.parametrize("use", ["rolling", "lags"])
def test_times_may_be_texts(use: str) -> None:
    times = np.datetime64("2020-01-01") + np.arange(30) * np.timedelta64(1, "h")
    values = xr.Dataset({"v": ("sample", np.arange(30.0))})
    steps = {"windows": ["3h"]} if use == "rolling" else {"lags": ["2h"]}
    want = made(values.assign(time=("sample", times.astype("datetime64[ns]"))), use, names=["v"], **steps).matrix
    texts = np.array([f"{one}Z" for one in times.astype("datetime64[s]")], object)
    np.testing.assert_array_equal(made(values.assign(time=("sample", texts)), use, names=["v"], **steps).matrix, want)


class TestLags:
    def test_is_the_slow_way_and_groups_do_not_mix(self) -> None:
        samples = series()
        features = made(samples, "lags", names=["v"], lags=["0s", 40, "100s"], tolerance=5)
        assert features.names == ("v_before_0s", "v_before_40s", "v_before_100s")
        times, values, groups = (samples[key].values for key in ("time", "v", "group"))
        for at, lag in enumerate([0, 40, 100]):
            for row in range(len(times)):
                there = np.flatnonzero((groups == groups[row]) & (np.abs(times - (times[row] - lag)) <= 5))
                np.testing.assert_equal(features.matrix[row, at], values[there[0]] if len(there) else np.nan)

    def test_never_looks_ahead(self) -> None:
        with pytest.raises(BadParameter, match="too short"):
            made(series(), "lags", lags=["0s", -10])

    def test_one_sample_has_only_itself(self) -> None:
        samples = xr.Dataset({"v": ("sample", [3.0])}, coords={"time": ("sample", [0.0])})
        np.testing.assert_equal(made(samples, "lags", lags=[0, 1]).matrix, [[3.0, np.nan]])


def slow_quant(row: Any, depth: int = 6, per: int = 4) -> Any:
    """QUANT of one series with plain loops, as the paper of Dempster et al. tells it."""
    m = len(row)
    first = [row[at + 1] - row[at] for at in range(m - 1)]
    padded = [first[0]] * 2 + first + [first[-1]] * 2
    smooth = [sum(padded[at : at + 5]) / 5 for at in range(m - 1)]
    second = [first[at + 1] - first[at] for at in range(m - 2)]
    turns = [np.exp(-2j * np.pi * k * np.arange(m) / m) for k in range(m // 2 + 1)]
    spectrum = [abs(sum(a * b for a, b in zip(row, turn, strict=True))) for turn in turns]
    found = []
    for form in (row, smooth, second, spectrum):
        for a, b in slow_intervals(len(form), depth):
            found += slow_quantiles(sorted(form[a:b]), per)
    return found


def slow_intervals(length: int, depth: int) -> Any:
    found, parts = [], 1
    while parts <= length and parts < 2**depth:
        edges = [int(length * at / parts) for at in range(parts + 1)]
        found += [(edges[at], edges[at + 1]) for at in range(parts)]
        widths = sorted(edges[at + 1] - edges[at] for at in range(parts))
        if parts > 1 and widths[(parts - 1) // 2] > 1:
            shift = int(np.ceil(length / parts / 2))
            found += [(edges[at] + shift, edges[at + 1] + shift) for at in range(parts - 1)]
        parts *= 2
    return found


def slow_quantiles(ordered: Any, per: int) -> Any:
    m = len(ordered)
    count = 1 + (m - 1) // per
    if m == 1 or count == 1:
        return [ordered[0] if m == 1 else float(np.median(ordered))]
    answers = []
    for number in range(count):
        place = number / (count - 1) * (m - 1)
        low = min(int(place), m - 2)
        value = ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])
        answers.append(value - sum(ordered) / m if number % 2 else value)
    return answers


class TestQuant:
    @pytest.mark.parametrize(("length", "depth", "per"), [(3, 6, 4), (5, 6, 4), (23, 6, 4), (64, 4, 3), (101, 6, 4)])
    def test_is_the_slow_way(self, length: int, depth: int, per: int) -> None:
        values = np.random.default_rng(length).normal(size=(4, length))
        features = made(xr.Dataset({"s": (("sample", "t"), values)}), "quant", depth=depth, per=per)
        want = [slow_quant(row.tolist(), depth, per) for row in values]
        np.testing.assert_allclose(features.matrix, want, atol=1e-10)
        assert len(set(features.names)) == len(features.names)

    @given(st.integers(1, 300), st.integers(1, 8))
    def test_intervals_lie_inside_and_cover(self, length: int, depth: int) -> None:
        found = intervals(length, depth)
        assert found[0] == (0, length)
        assert all(0 <= a < b <= length for a, b in found)

    def test_each_channel_is_a_group(self) -> None:
        values = np.random.default_rng(0).normal(size=(5, 3, 20))
        samples = xr.Dataset({"s": (("sample", "channel", "t"), values), "n": ("sample", np.arange(5.0))})
        features = made(samples, "quant")
        assert sorted(set(features.groups)) == ["s_0", "s_1", "s_2"]
        alone = made(xr.Dataset({"s": (("sample", "t"), values[:, 1])}), "quant")
        part = features.only(["s_1"])
        assert np.array_equal(part.matrix, alone.matrix)

    def test_gaps_are_bridged_and_empty_series_are_missing(self) -> None:
        values = np.tile(np.arange(12.0), (3, 1))
        values[1, [0, 4, 5]] = np.nan
        values[2] = np.nan
        matrix = made(xr.Dataset({"s": (("sample", "t"), values)}), "quant", forms=["series"], depth=1).matrix
        assert matrix[1, -1] == matrix[0, -1] == 11
        assert np.isnan(matrix[2]).all()
        assert np.isfinite(matrix[:2]).all()

    def test_the_input_stays_as_it_was(self) -> None:
        values = np.ones((3, 12))
        values[1, 4] = np.nan
        samples = xr.Dataset({"s": (("sample", "t"), values)})
        made(samples, "quant")
        assert np.isnan(samples["s"].values[1, 4])

    def test_refuses_with_reasons(self) -> None:
        samples = xr.Dataset({"s": (("sample", "t"), np.ones((3, 2))), "n": ("sample", np.ones(3))})
        with pytest.raises(BadParameter, match="no series of 3 steps"):
            made(samples, "quant")
        with pytest.raises(BadParameter, match="no series to look at"):
            made(samples[["n"]], "quant")
        with pytest.raises(BadParameter, match="depth and per"):
            made(samples, "quant", depth=0)
        with pytest.raises(BadParameter, match="forms ="):
            made(xr.Dataset({"s": (("sample", "t"), np.ones((3, 9)))}), "quant", forms=["third"])
