"""Formulas against hand-made numbers, and moments against what was put in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.science import plasma


def test_a_field_of_5_nt_in_5_protons_per_cc() -> None:
    assert plasma.alfven_speed(5.0, 5.0) == pytest.approx(48.77, abs=0.01)
    assert plasma.magnetic_pressure(5.0) == pytest.approx(0.009947, rel=1e-3)
    assert plasma.beta(5.0, 10.0, 5.0) == pytest.approx(0.8053, rel=1e-3)
    assert plasma.sound_speed(20.0) == pytest.approx(56.5, abs=0.1)
    assert plasma.speed_of(1000.0) == pytest.approx(437.7, abs=0.1)


def test_the_fast_wave_between_its_limits() -> None:
    assert plasma.fast_speed(50.0, 30.0, 0.0) == pytest.approx(np.hypot(50, 30))
    assert plasma.fast_speed(50.0, 30.0, 1.0) == pytest.approx(50)
    assert plasma.fast_speed(30.0, 50.0, 1.0) == pytest.approx(50)


def test_the_expected_temperature_is_nearly_continuous() -> None:
    assert plasma.expected_temperature(499.99) == pytest.approx(float(plasma.expected_temperature(500.0)), rel=0.05)


@given(
    st.floats(0.1, 50), st.tuples(*[st.floats(-300, 300)] * 3), st.floats(50, 500), st.floats(0.5, 2),
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda one: np.hypot(*one[:2]) > 0.1),
)  # fmt: skip
def test_moments_give_back_a_bi_maxwellian(
    density: float, drift: tuple[float, ...], parallel: float, ratio: float, direction: tuple[float, ...]
) -> None:
    axis = np.linspace(-1600, 1600, 41)
    velocity = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    unit = np.array(direction) / np.linalg.norm(direction)
    bulk, perpendicular = np.array(drift), parallel * ratio
    psd = plasma.bi_maxwellian(velocity, density, bulk, parallel, perpendicular, unit)
    n, v, t = plasma.moments(psd, velocity, np.full(len(velocity), (axis[1] - axis[0]) ** 3))
    assert n == pytest.approx(density, rel=0.01)
    assert v == pytest.approx(bulk, abs=3)
    assert unit @ t @ unit == pytest.approx(parallel, rel=0.02)
    assert np.trace(t) == pytest.approx(parallel + 2 * perpendicular, rel=0.02)
