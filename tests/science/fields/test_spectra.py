"""Spectra: Parseval's theorem, known lines and noise, gaps, and agreement with scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from armillary.errors import BadData
from armillary.science.fields import spectra
from armillary.science.fields.spectra import Detrend, spectrogram, taper_of, trace, welch

ZERO = np.datetime64("2020-01-01", "ns")


def times(count: int, rate: float = 16.0) -> np.ndarray:
    return ZERO + np.round(np.arange(count) / rate * 1e9).astype("timedelta64[ns]")


@given(st.sampled_from(spectra.TAPERS), st.sampled_from([256, 255]), st.integers(0, 9))
def test_parseval(taper: str, size: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(3, 2, 4 * size)
    found = spectrogram(times(4 * size, float(size)), values, 1.0, 0.0, taper, "none")
    weights = taper_of(taper, size)
    want = [((weights * one) ** 2).sum() / (weights**2).sum() for one in values.reshape(4, size)]
    np.testing.assert_allclose(found.density.sum(1) * found.frequency[1], want, rtol=1e-12)


@pytest.mark.parametrize("detrend", ["constant", "linear"])
def test_each_window_is_that_of_scipy(detrend: Detrend) -> None:
    values = np.random.default_rng(0).normal(size=16 * 64).cumsum()
    found = spectrogram(times(16 * 64), values, 16.0, 0.75, "hann", detrend)
    want = signal.spectrogram(values, 16.0, "hann", 256, 192, detrend=detrend)
    good = np.isfinite(found.density).all(1)
    assert good.sum() == len(want[1])
    np.testing.assert_allclose(found.density[good], want[2].T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.frequency, want[0])


def test_a_sine_has_its_power_at_its_frequency() -> None:
    time = times(16 * 600)
    values = 5 * np.sin(2 * np.pi * 2.0 * np.arange(9600) / 16)
    found = spectrogram(time, values, 32.0)
    one = found.density[3]
    assert found.frequency[one.argmax()] == 2.0
    assert one.sum() * found.frequency[1] == pytest.approx(12.5, rel=1e-6)


def test_a_gap_and_a_missing_value_leave_nan_columns_and_nothing_else() -> None:
    values = np.random.default_rng(3).normal(size=9600)
    time = times(9600)
    holed = values.copy()
    holed[5000] = np.nan
    kept = np.delete(np.arange(9600), np.s_[2000:2100])
    found = spectrogram(time[kept], holed[kept], 8.0)
    whole = spectrogram(time, values, 8.0)
    same = np.isin(whole.time, found.time)
    pairs = whole.density[same], found.density
    lost = np.isnan(found.density).all(1)
    assert (np.isnan(found.density).any(1) == lost).all()
    np.testing.assert_allclose(pairs[0][~lost], pairs[1][~lost], rtol=1e-12)
    middle = ((found.time - ZERO) / np.timedelta64(1, "s"))[lost]
    touches = (np.abs(middle - 2050 / 16) < 4 + 50 / 16) | (np.abs(middle - 5000 / 16) <= 4) | (middle < 4)
    assert (touches | (middle > 596)).all()
    assert lost.sum() >= 4


def test_the_trace_of_a_vector_does_not_depend_on_the_frame() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(4096, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    one, other = (trace(spectrogram(times(4096), part, 16.0)) for part in (values, values @ turn))
    np.testing.assert_allclose(one.density, other.density, rtol=1e-9)
    assert trace(one) is not one
    np.testing.assert_array_equal(trace(one).density, one.density)


def test_welch_of_white_noise_is_flat_and_its_bounds_hold() -> None:
    rng, inside, flat = np.random.default_rng(5), [], []
    for _ in range(30):
        mean = welch(times(6400), rng.normal(0, 3, 6400), 16.0)
        true = 2 * 9 / 16
        inside.append(((mean.low < true) & (mean.high > true))[2:-2])
        flat.append(mean.density[2:-2].mean() / true)
    assert np.mean(flat) == pytest.approx(1, abs=0.01)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
    assert mean.windows == 49


def test_welch_is_that_of_scipy() -> None:
    values = np.random.default_rng(6).normal(size=(3200, 3))
    found = welch(times(3200), values, 10.0, 0.5)
    frequency, want = signal.welch(values, 16.0, "hann", 160, 80, axis=0)
    np.testing.assert_allclose(found.density, want, rtol=1e-9)
    np.testing.assert_allclose(found.frequency, frequency)


def test_welch_without_a_whole_window_says_so() -> None:
    values = np.zeros(1600)
    values[::50] = np.nan
    with pytest.raises(BadData, match="free of gaps"):
        welch(times(1600), values, 10.0)
