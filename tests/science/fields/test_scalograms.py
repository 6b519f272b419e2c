"""Wavelet power of series with gaps: stretches by themselves, against red noise."""

import numpy as np
import pytest

from armillary.errors import BadData
from armillary.science.fields.scalograms import scalogram
from armillary.science.fields.wavelets import morlet, scales_of

SCALE = scales_of(2.0, 32.0, 0.25)


def times(count: int) -> np.ndarray:
    return np.datetime64("2020-01-01", "ns") + (np.arange(count) * 500_000_000).astype("timedelta64[ns]")


def test_each_stretch_is_transformed_by_itself() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    values[400] = np.nan
    kept = np.delete(np.arange(1000), np.s_[700:710])
    found = scalogram(times(1000)[kept], values[kept], SCALE, 0.25)
    assert found.time.size == 989
    for part in (slice(0, 400), slice(401, 700), slice(710, 1000)):
        alone = morlet(values[part], 0.5, SCALE, 0.25)
        rows = np.isin(found.time, times(1000)[part])
        np.testing.assert_allclose(found.density[rows], alone.density.T, rtol=1e-9)
        np.testing.assert_array_equal(found.cone[rows], alone.cone)
    np.testing.assert_allclose(found.mean, found.density[:400].mean(0), rtol=1e-9)


def test_a_vector_has_the_sum_of_its_components_and_limits() -> None:
    values = np.random.default_rng(1).normal(size=(600, 3)) * [1, 2, 0]
    both = scalogram(times(600), values, SCALE, 0.25)
    parts = [scalogram(times(600), values[:, one], SCALE, 0.25) for one in (0, 1)]
    np.testing.assert_allclose(both.density, parts[0].density + parts[1].density)
    np.testing.assert_allclose(both.limit, parts[0].limit + parts[1].limit)
    np.testing.assert_allclose(both.mean_limit, parts[0].mean_limit + parts[1].mean_limit)


def test_thinning_keeps_every_nth_time_of_a_stretch() -> None:
    values = np.random.default_rng(2).normal(size=500)
    full, few = (scalogram(times(500), values, SCALE, 0.25, thin) for thin in (1, 7))
    np.testing.assert_array_equal(few.time, full.time[::7])
    np.testing.assert_array_equal(few.density, full.density[::7])


def test_what_cannot_be_transformed_is_refused() -> None:
    with pytest.raises(BadData, match="constant"):
        scalogram(times(100), np.ones((100, 3)), SCALE, 0.25)
    with pytest.raises(BadData, match="32 samples"):
        scalogram(times(20), np.arange(20.0), SCALE, 0.25)
