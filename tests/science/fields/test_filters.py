"""Filters and resampling: known sines, gaps and missing values, and definitions by brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.fields.filters import boxcar, even_times, filtered, interpolated, running, spikes

ZERO = np.datetime64("2020-01-01", "ns")


def at(seconds: np.ndarray) -> np.ndarray:
    return ZERO + np.round(np.asarray(seconds) * 1e9).astype("timedelta64[ns]")


def sines(count: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    seconds = np.arange(count) / 16
    return at(seconds), *(np.sin(2 * np.pi * f * seconds) for f in (0.05, 0.5, 5.0))


@pytest.mark.parametrize(("low", "high", "kept"), [(0.0, 0.15, 0), (0.15, 1.6, 1), (1.6, 0.0, 2)])
def test_a_filter_keeps_its_band_and_shifts_nothing(low: float, high: float, kept: int) -> None:
    time, *parts = sines()
    found = filtered(time, np.sum(parts, axis=0), low, high)
    inside = ~found.edge
    assert inside.mean() > 0.85
    np.testing.assert_allclose(found.values[inside], parts[kept][inside], atol=0.02)


def test_at_the_corner_the_amplitude_is_halved() -> None:
    time, _, wave, _ = sines()
    found = filtered(time, wave, 0.0, 0.5).values
    assert np.abs(found[1000:3000]).max() == pytest.approx(0.5, abs=0.01)


def test_stretches_are_filtered_by_themselves() -> None:
    time, slow, wave, _ = sines()
    values = np.stack([slow + wave, wave], axis=1)
    values[2000, 1] = np.nan
    kept = np.delete(np.arange(4000), np.s_[1000:1003])
    found = filtered(time[kept], values[kept], 0.15)
    alone = filtered(time[:1000], values[:1000], 0.15)
    np.testing.assert_array_equal(found.values[:1000], alone.values)
    lost = np.isnan(found.values).any(1)
    assert np.flatnonzero(lost).tolist() == [1997]
    assert found.edge[[0, 100, 999, 1000, 1996, 1998, -1]].all()
    assert not found.edge[500]


def test_a_short_stretch_is_left_out() -> None:
    time, _, wave, _ = sines(60)
    wave[20] = np.nan
    found = filtered(time, wave, 0.2, 1.0)
    assert np.isnan(found.values[:21]).all()
    assert np.isfinite(found.values[21:]).all()
    assert found.edge.all()


def test_corners_that_make_no_filter_are_refused() -> None:
    time, _, wave, _ = sines(200)
    for low, high in ((0.0, 0.0), (2.0, 1.0), (0.0, 8.0), (9.0, 0.0)):
        with pytest.raises(BadParameter, match="no filter"):
            filtered(time, wave, low, high)
    with pytest.raises(BadData, match="not evenly"):
        filtered(at(np.cumsum(np.random.default_rng(0).exponential(size=200))), wave, 0.01)


@given(st.integers(0, 100), st.sampled_from([1.0, 3.7, 60.0]))
def test_bins_hold_the_means_of_what_lies_in_them(seed: int, cadence: float) -> None:
    rng = np.random.default_rng(seed)
    time = at(np.sort(rng.uniform(0, 100, 80)))
    values = rng.normal(size=(80, 3))
    values[rng.random((80, 3)) < 0.2] = np.nan
    centre, mean, count = boxcar(time, values, cadence)
    half = np.timedelta64(round(cadence * 1e9) // 2, "ns")
    total = 0
    for one, row, many in zip(centre, mean, count, strict=True):
        inside = values[(time >= one - half) & (time < one - half + np.timedelta64(round(cadence * 1e9), "ns"))]
        there = np.isfinite(inside)
        want = [part[good].mean() if good.any() else np.nan for part, good in zip(inside.T, there.T, strict=True)]
        np.testing.assert_allclose(row, want)
        assert many == there.all(1).sum()
        total += len(inside)
    assert total == 80


def test_pieces_have_the_bins_of_the_whole() -> None:
    time, values, *_ = sines(1000)
    whole = boxcar(time, values, 2.0)
    piece = boxcar(time[160:480], values[160:480], 2.0)
    same = np.isin(whole[0], piece[0])
    np.testing.assert_array_equal(whole[1][same], piece[1])


def test_no_samples_make_no_bins() -> None:
    assert [len(one) for one in boxcar(at(np.zeros(0)), np.zeros((0, 3)), 1.0)] == [0, 0, 0]
    with pytest.raises(BadParameter, match="no length"):
        boxcar(at(np.zeros(1)), np.zeros(1), 0.0)


def test_lines_are_drawn_over_short_gaps_only() -> None:
    time = at(np.array([0.0, 1, 2, 3, 10, 11]))
    values = np.array([0.0, 1, np.nan, 3, 10, 11])
    found = interpolated(time, values, at(np.array([-1, 0, 0.5, 2, 3, 5, 10, 10.25, 11, 12])), 2.0)
    np.testing.assert_allclose(found, [np.nan, 0, 0.5, 2, 3, np.nan, 10, 10.25, 11, np.nan])
    vector = interpolated(time, np.stack([values, np.ones(6)], axis=1), at(np.array([2.0])), 1.0)
    np.testing.assert_allclose(vector, [[np.nan, 1]])


def test_one_sample_or_none_is_enough_to_interpolate() -> None:
    np.testing.assert_array_equal(interpolated(at(np.ones(1)), np.ones(1), at(np.array([0.0, 1])), 5.0), [np.nan, 1])
    assert np.isnan(interpolated(at(np.ones(1)), np.full(1, np.nan), at(np.ones(2)), 5.0)).all()


def test_even_times_are_multiples_of_the_cadence() -> None:
    found = even_times(at(np.array([0.3, 2.9])), 0.5)
    assert ((found - ZERO) / np.timedelta64(1, "ms")).tolist() == [500, 1000, 1500, 2000, 2500]
    assert not even_times(at(np.zeros(0)), 0.5).size


@pytest.mark.parametrize("what", ["mean", "median"])
def test_running_windows_by_brute_force(what: str) -> None:
    rng = np.random.default_rng(3)
    time = at(np.sort(rng.choice(np.arange(1000), 300, replace=False)) / 10)
    values = rng.normal(size=(300, 2))
    values[rng.random((300, 2)) < 0.3] = np.nan
    values[100:130] = np.nan
    found = running(time, values, 4.0, what)  # type: ignore[arg-type]
    for k in range(300):
        inside = values[np.abs(time - time[k]) <= np.timedelta64(2, "s")]
        for c in range(2):
            good = inside[np.isfinite(inside[:, c]), c]
            want = getattr(np, what)(good) if good.size else np.nan
            np.testing.assert_allclose(found[k, c], want, atol=1e-12)


def test_spikes_are_found_and_nothing_else() -> None:
    time, slow, wave, _ = sines()
    rng = np.random.default_rng(4)
    values = np.stack([slow, 0 * wave], axis=1) + rng.normal(0, 0.01, (4000, 2))
    true = np.zeros((4000, 2), bool)
    true[rng.integers(0, 4000, 20), rng.integers(0, 2, 20)] = True
    values[true] += 3
    values[50] = np.nan
    found = spikes(time, values, 0.6, 6.0)
    assert found[true & np.isfinite(values)].all()
    assert found[~true].mean() < 0.02
    assert not found[50].any()


@given(st.integers(0, 100))
def test_hampel_by_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    time = at(np.sort(rng.uniform(0, 30, 60)))
    values = rng.standard_t(2, 60)
    values[rng.random(60) < 0.2] = np.nan
    found = spikes(time, values, 3.0, 3.0)
    for k in range(60):
        inside = values[np.abs(time - time[k]) <= np.timedelta64(1500, "ms")]
        inside = inside[np.isfinite(inside)]
        middle = np.median(inside) if inside.size else np.nan
        sigma = 1.4826022 * np.median(np.abs(inside - middle)) if inside.size else np.nan
        assert found[k] == (inside.size >= 3 and bool(np.abs(values[k] - middle) > 3 * sigma))
