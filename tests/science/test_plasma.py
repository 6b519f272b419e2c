"""Formulas against hand-made numbers, and distributions against their moments."""

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
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda one: np.hypot(*one[:2]) > 0.1), st.sampled_from([None, 12.0]),
)  # fmt: skip
def test_distributions_have_the_moments_they_are_made_of(
    density: float,
    drift: tuple[float, ...],
    parallel: float,
    ratio: float,
    direction: tuple[float, ...],
    kappa: float | None,
) -> None:
    axis = np.linspace(-1600, 1600, 65)  # 50 km/s: the coolest core is 69 km/s wide
    velocity = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    unit = np.array(direction) / np.linalg.norm(direction)
    bulk, perpendicular = np.array(drift), parallel * ratio
    given_ = (velocity, density, bulk, parallel, perpendicular, unit)
    psd = plasma.bi_maxwellian(*given_) if kappa is None else plasma.bi_kappa(*given_, kappa)
    weight = psd * (axis[1] - axis[0]) ** 3 * 1e15
    n = weight.sum()
    v = weight @ velocity / n
    t = (velocity - v).T * weight @ (velocity - v) / n * 1e6 * plasma.PROTON_MASS / plasma.ELEMENTARY_CHARGE
    assert n == pytest.approx(density, rel=0.01)
    assert v == pytest.approx(bulk, abs=3)
    loss = 0.02 if kappa is None else 0.05  # of a power law some lies outside the box
    assert unit @ t @ unit == pytest.approx(parallel, rel=loss)
    assert np.trace(t) == pytest.approx(parallel + 2 * perpendicular, rel=loss)


def test_scales_of_a_plasma_against_the_nrl_formulary() -> None:
    # 2019 edition, p. 28: n in cm^-3, T in eV, B in gauss; rad/s, cm/s and cm
    n, t, gauss = 8.0, 25.0, 12e-5
    two_pi = 2 * np.pi
    assert two_pi * plasma.gyro_frequency(12.0, plasma.ELECTRON_MASS, -1) == pytest.approx(1.76e7 * gauss, rel=1e-3)
    assert two_pi * plasma.gyro_frequency(12.0) == pytest.approx(9.58e3 * gauss, rel=1e-3)
    assert two_pi * plasma.plasma_frequency(n) == pytest.approx(5.64e4 * np.sqrt(n), rel=1e-3)
    assert two_pi * plasma.plasma_frequency(n, plasma.PROTON_MASS) == pytest.approx(1.32e3 * np.sqrt(n), rel=4e-3)
    assert plasma.inertial_length(n) == pytest.approx(2.28e2 / np.sqrt(n), rel=2e-3)
    assert plasma.inertial_length(n, plasma.ELECTRON_MASS) == pytest.approx(5.31 / np.sqrt(n), rel=1e-3)
    assert plasma.debye_length(n, t) == pytest.approx(7.43 * np.sqrt(t / n), rel=1e-3)
    # the formulary's radius has sqrt(k T / m) for its speed, ours sqrt(2 k T / m)
    assert plasma.gyroradius(t, 12.0) == pytest.approx(np.sqrt(2) * 1.02e-3 * np.sqrt(t) / gauss, rel=3e-3)


def test_the_drift_is_the_velocity_that_makes_no_field() -> None:
    velocity, b = np.array([[-300.0, 40.0, 10.0]]), np.array([[2.0, -3.0, 6.0]])
    along, across = plasma.along_and_across(velocity, b)
    assert np.allclose(plasma.exb_drift(-1e-3 * np.cross(velocity, b), b), across)
    assert np.allclose(along[:, None] * b / 7 + across, velocity)
    assert np.isnan(plasma.exb_drift(velocity, 0 * b)).all()
    assert np.isnan(plasma.along_and_across(velocity, 0 * b)[0]).all()


def test_heating_without_entropy_leaves_the_entropy() -> None:
    assert plasma.entropy(10.0, 100.0) == pytest.approx(float(plasma.entropy(80.0, 400.0)))
