"""Wavelets: the constants and identities of Torrence and Compo (1998), and what they promise of noise."""

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter
from armillary.science.fields import wavelets
from armillary.science.fields.wavelets import (
    global_significance,
    global_spectrum,
    lag_1,
    morlet,
    reconstructed,
    red_noise,
    scale_average,
    scales_of,
    significance,
)

RNG = np.random.default_rng(98)


def red(count: int, lag: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import lfilter

    return np.asarray(lfilter([1], [1, -lag], rng.normal(0, np.sqrt(1 - lag**2), count + 500)))[500:]


def test_the_published_constants() -> None:
    assert pytest.approx(1.03, abs=0.005) == wavelets.FOURIER_FACTOR  # table 1: lambda = 1.03 s
    assert pytest.approx(0.7511, abs=1e-4) == wavelets.PSI_0  # pi^-1/4
    # Table 2: the factor that gives a delta function back (eqs. 12 and 13), from its integral over all frequencies.
    omega = 2 * np.pi * (np.arange(512) + 1) / 1024
    scale = 2.0 ** (0.05 * np.arange(-60, 300))[:, None]
    psi = np.sqrt(2 * np.pi * scale) * np.pi**-0.25 * np.exp(-((scale * omega - 6) ** 2) / 2)
    found = 0.05 / wavelets.PSI_0 * (psi.sum(1) / 1024 / np.sqrt(scale[:, 0])).sum()
    assert found == pytest.approx(wavelets.C_DELTA, abs=0.003)


def test_the_series_comes_back_and_the_variance_is_kept() -> None:
    seconds = np.arange(2000) * 0.25 - 250
    values = sum(np.cos(2 * np.pi * seconds / period + period) for period in (3.0, 11.0, 40.0))
    values = values * np.exp(-((seconds / 90) ** 2))
    found = morlet(values, 0.25, scales_of(0.5, 500.0, 0.125), 0.125)
    error = np.sqrt(((reconstructed(found) - values + values.mean()) ** 2).mean() / values.var())
    assert error < 0.02
    kept = scale_average(found, 0.5, 500.0).mean() / values.var()  # eq. 14
    assert kept == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("period", [4.0, 16.0, 50.0])
def test_a_sine_peaks_at_its_period(period: float) -> None:
    values = np.sin(2 * np.pi * np.arange(4096) * 0.5 / period)
    found = morlet(values, 0.5, scales_of(2.0, 200.0, 0.02), 0.02)
    peak = found.period[found.power[:, 2048].argmax()]
    assert peak == pytest.approx(period, rel=0.015)


def test_it_is_the_convolution_with_the_wavelet() -> None:
    values, step, scale = red(600, 0.5, RNG), 0.25, 3.0
    found = morlet(values, step, np.array([scale])).coefficients[0]
    eta = (np.arange(-400, 401) * step) / scale
    psi = np.sqrt(step / scale) * np.pi**-0.25 * np.exp(6j * eta - eta**2 / 2)
    want = np.convolve(values - values.mean(), psi[::-1].conj())[400:-400]
    middle = slice(100, 500)
    np.testing.assert_allclose(found[middle], want[middle], atol=1e-6)


def test_white_noise_is_as_high_as_its_variance_and_red_noise_as_its_spectrum() -> None:
    for lag in (0.0, 0.72):
        scale = scales_of(3.0, 60.0, 0.25)
        power = np.mean([global_spectrum(morlet(red(4000, lag, RNG), 1.0, scale, 0.25)) for _ in range(20)], axis=0)
        np.testing.assert_allclose(power, red_noise(scale * wavelets.FOURIER_FACTOR, 1.0, lag), rtol=0.12)


def test_noise_exceeds_the_significance_as_often_as_it_says() -> None:
    local, overall = [], []
    for _ in range(60):
        values = red(1000, 0.6, RNG)
        found = morlet(values, 1.0, scales_of(4.0, 64.0, 0.25), 0.25)
        inside = found.cone > 64
        local.append((found.power > significance(found, 1.0, 0.6)[:, None])[:, inside].mean())
        white = morlet(RNG.normal(size=1000), 1.0, scales_of(4.0, 64.0, 0.25), 0.25)
        overall.append((global_spectrum(white) > global_significance(white, 1.0, 0.0)).mean())
    assert np.mean(local) == pytest.approx(0.05, abs=0.015)
    assert np.mean(overall) == pytest.approx(0.05, abs=0.035)


def test_the_cone_is_where_the_ends_reach() -> None:
    values = np.zeros(512)
    found = morlet(values, 2.0, scales_of(8.0, 256.0, 0.5), 0.5)
    assert found.cone[0] == found.cone[-1] == 0
    assert found.cone[100] == pytest.approx(100 * 2.0 * 1.033 / np.sqrt(2), rel=1e-3)
    assert np.argmax(found.cone) in {255, 256}
    # At the e-folding time sqrt(2) s from a spike the power has dropped to exp(-2).
    values[256] = 1
    one = morlet(values, 2.0, np.array([20.0])).power[0]
    assert one[256 + 14] / one[256] == pytest.approx(np.exp(-((28 / 20) ** 2)), rel=0.02)


def test_thinned_coefficients_are_every_nth() -> None:
    values = red(777, 0.3, RNG)
    full, few = (morlet(values, 1.0, scales_of(2.0, 50.0, 0.5), 0.5, thin) for thin in (1, 5))
    np.testing.assert_array_equal(full.coefficients[:, ::5], few.coefficients)
    np.testing.assert_array_equal(full.cone[::5], few.cone)
    level = global_significance(few, 1.0, 0.3, count=777)
    np.testing.assert_allclose(level, global_significance(full, 1.0, 0.3))


def test_the_density_of_white_noise_is_that_of_welch() -> None:
    found = morlet(RNG.normal(0, 3, 20_000), 0.5, scales_of(2.0, 20.0, 0.25), 0.25)
    np.testing.assert_allclose(found.density.mean(1), 2 * 0.5 * 9, rtol=0.15)


def test_lag_1_of_red_noise() -> None:
    assert lag_1(red(100_000, 0.72, RNG)) == pytest.approx(0.72, abs=0.02)
    with pytest.raises(BadData, match="constant"):
        lag_1(np.ones(10))


def test_what_has_no_transform_is_refused() -> None:
    with pytest.raises(BadData, match="none missing"):
        morlet(np.array([1.0, np.nan, 2, 3, 4]), 1.0, scales_of(2, 8, 0.5))
    with pytest.raises(BadParameter, match="no scales"):
        scales_of(10.0, 5.0, 0.1)
    with pytest.raises(BadParameter, match="no scale"):
        scale_average(morlet(np.arange(64.0), 1.0, scales_of(2, 8, 0.5)), 100, 200)
