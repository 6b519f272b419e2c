"""Linear fields are reproduced exactly; tetrahedra of known shape; planes of known motion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.fields import multipoint
from armillary.science.plasma import MU_0, Array

REGULAR = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


def craft(seed: int, n: int = 6) -> Array:
    """Four spacecraft about 20 km apart, 60,000 km from the Earth, at n times."""
    random = np.random.default_rng(seed)
    return np.asarray([6e4, 3e3, -8e3] + 8 * REGULAR + random.normal(size=(n, 4, 3)))


@given(st.integers(0, 10**6))
def test_linear_fields_are_exact(seed: int) -> None:
    random = np.random.default_rng(seed)
    positions = craft(seed) - craft(seed).mean((0, 1))
    slopes, at_zero = random.normal(size=(3, 3)), random.normal(size=3)
    field = at_zero + positions @ slopes
    assert multipoint.gradient(positions, field) == pytest.approx(np.broadcast_to(slopes, (6, 3, 3)), abs=1e-12)
    assert multipoint.gradient(positions, field[..., 0]) == pytest.approx(np.tile(slopes[:, 0], (6, 1)), abs=1e-12)
    found = multipoint.curlometer(positions, field)
    curl = np.array([slopes[1, 2] - slopes[2, 1], slopes[2, 0] - slopes[0, 2], slopes[0, 1] - slopes[1, 0]])
    assert found.current == pytest.approx(np.tile(curl * 1e-12 / MU_0 * 1e9, (6, 1)), rel=1e-12, abs=1e-9)
    assert found.divergence == pytest.approx(np.full(6, np.trace(slopes)), abs=1e-12)
    assert found.quality == pytest.approx(abs(np.trace(slopes)) / np.linalg.norm(curl), abs=1e-11)
    assert found.field == pytest.approx(field.mean(1))


@given(st.integers(0, 10**6))
def test_reciprocal_vectors_are_reciprocal(seed: int) -> None:
    positions = craft(seed)
    vectors = multipoint.reciprocal_vectors(positions)
    assert vectors.sum(1) == pytest.approx(np.zeros((6, 3)), abs=1e-13)
    apart = positions - positions[:, :1]
    assert np.einsum("nai,nbi->nab", vectors[:, 1:], apart[:, 1:]) == pytest.approx(
        np.tile(np.eye(3), (6, 1, 1)), abs=1e-10
    )


def test_a_sheet_of_known_current() -> None:
    # 10 nT in 100 km: 10e-9 / 1e5 / mu_0 = 79.6 nA/m^2
    positions = craft(1)
    field = np.zeros_like(positions)
    field[..., 2] = 0.1 * (positions[..., 0] - 6e4)
    assert multipoint.curlometer(positions, field).current[0] == pytest.approx([0, -79.577, 0], abs=0.01)


def test_craft_in_one_plane_have_no_gradient() -> None:
    flat = REGULAR * [1, 1, 0]
    assert np.isnan(multipoint.gradient(flat, REGULAR)).all()
    with pytest.raises(BadData, match="values of the shape"):
        multipoint.gradient(REGULAR, np.ones((4, 2)))
    with pytest.raises(BadData, match="four craft"):
        multipoint.reciprocal_vectors(REGULAR[:3])


def test_missing_values_stay_missing() -> None:
    positions, field = craft(2), craft(3)
    field[2, 1, 0] = np.nan
    found = multipoint.curlometer(positions, field)
    assert np.isnan(found.current[2]).any()
    assert np.isfinite(found.current[[0, 1, 3, 4, 5]]).all()


def test_field_lines_that_are_circles() -> None:
    positions = 0.01 * REGULAR + [50.0, 0, 0]
    x, y = positions[:, 0], positions[:, 1]
    field = 7 * np.stack([-y, x, 0 * x], 1)
    assert multipoint.curvature(positions, field) == pytest.approx([-1 / 50, 0, 0], abs=1e-6)


def test_shapes() -> None:
    regular = multipoint.shape(3 * REGULAR)
    assert [float(one) for one in regular] == pytest.approx([6, 0, 0, 3, 1])
    line = multipoint.shape(np.outer([0, 1, 2, 3], [1.0, 0, 0]))
    assert (line.elongation, line.quality) == pytest.approx((1, 1))
    plane = multipoint.shape(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]))
    assert (plane.elongation, plane.planarity, plane.volume_ratio) == pytest.approx((0, 1, 0), abs=1e-9)
    assert 1.8 < plane.quality < 2.4
    assert multipoint.shape(craft(1)).size.shape == (6,)


@given(st.integers(0, 10**6), st.floats(5, 500))
def test_a_plane_is_timed(seed: int, speed: float) -> None:
    positions = craft(seed, 1)[0]
    normal = np.random.default_rng(seed).normal(size=3)
    normal /= np.linalg.norm(normal)
    found = multipoint.timing(positions, positions @ normal / speed + 77)
    assert found.normal == pytest.approx(normal, abs=1e-6)
    assert found.speed == pytest.approx(speed, rel=1e-6)
    assert found.misfit == pytest.approx(0, abs=1e-8)


def test_planes_that_cannot_be_timed() -> None:
    with pytest.raises(BadData, match="at once"):
        multipoint.timing(REGULAR, np.ones(4))
    with pytest.raises(BadData, match="one plane"):
        multipoint.timing(REGULAR * [1, 1, 0], np.arange(4))
    with pytest.raises(BadData, match="not known"):
        multipoint.timing(REGULAR, np.array([1, 2, 3, np.nan]))


def test_lags_of_a_part_of_a_sample() -> None:
    time = np.arange(0, 60, 0.125)
    later = np.array([0.0, 0.31, -1.27, 2.04])
    signals = np.tanh((time - 30 - later[:, None]) / 2)
    found, worst = multipoint.arrival_times(signals, 0.125, 6.0)
    assert found == pytest.approx(later - later.mean(), abs=0.02)
    assert worst > 0.99


@given(st.integers(0, 10**6), st.integers(-8, 8))
def test_the_correlation_is_that_of_what_overlaps(seed: int, shift: int) -> None:
    random = np.random.default_rng(seed)
    wave = random.normal(size=64).cumsum() + 1e3
    first, second = wave[10:50], wave[10 - shift : 50 - shift] + 0.05 * random.normal(size=40)
    found, correlation = multipoint.lag(first, second, 0.5, 6.0)
    a = first[max(-shift, 0) : 40 - max(shift, 0)]
    b = second[max(shift, 0) : 40 - max(-shift, 0)]
    if abs(found / 0.5 - shift) <= 0.5:
        assert correlation == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
    else:  # a random walk may be more like itself elsewhere, never less
        assert correlation >= np.corrcoef(a, b)[0, 1] - 1e-9


def test_lags_that_cannot_be_found() -> None:
    wave = np.sin(np.arange(200.0) / 7)
    with pytest.raises(BadData, match="no lag"):
        multipoint.lag(np.ones(200), np.ones(200), 1.0, 20.0)
    with pytest.raises(BadData, match="no lag"):
        multipoint.lag(np.arange(200.0) ** 2, np.roll(wave, 3), 1.0, 0.5)
    with pytest.raises(BadData, match="gaps"):
        multipoint.lag(wave, np.full(200, np.nan), 1.0, 20.0)
