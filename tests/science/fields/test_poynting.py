"""Energy flux: units, plane waves of known flux, Parseval, and a missing component."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.fields.poynting import completed, poynting_flux, poynting_spectra
from armillary.science.fields.spectra import taper_of

LIGHT = 299_792_458.0
TIME = np.datetime64("2020-01-01", "ns") + (np.arange(4096) * 31_250_000).astype("timedelta64[ns]")


def test_a_wave_in_vacuum_carries_its_energy_with_the_speed_of_light() -> None:
    electric = 3e-3  # V/m
    flux = poynting_flux(np.array([3.0, 0, 0]), np.array([0, electric / LIGHT * 1e9, 0]))
    density = 8.8541878128e-12 * electric**2  # half electric, half magnetic
    np.testing.assert_allclose(flux, [0, 0, density * LIGHT * 1e6], rtol=1e-9)


@given(st.integers(0, 50))
def test_the_flux_is_across_both_fields_and_turns_with_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(2, 7, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    flux = poynting_flux(one, other)
    np.testing.assert_allclose((flux * one).sum(1), 0, atol=1e-12)
    np.testing.assert_allclose(poynting_flux(one @ turn.T, other @ turn.T), flux @ turn.T, atol=1e-10)


def test_a_circular_wave_goes_where_it_goes_at_its_frequency() -> None:
    phase = 2 * np.pi * 4 * np.arange(4096) / 32
    electric = np.stack([2 * np.cos(phase), 2 * np.sin(phase), 0 * phase], axis=1)
    magnetic = np.stack([-np.sin(phase), np.cos(phase), 0 * phase], axis=1)
    found = poynting_spectra(TIME, electric, magnetic, 8.0)
    one = found.density[3]
    assert found.frequency[one[:, 2].argmax()] == 4.0
    np.testing.assert_allclose(one.sum(0) * found.frequency[1], poynting_flux(electric, magnetic)[0], atol=1e-9)


def test_the_sum_over_frequencies_is_the_mean_flux() -> None:
    rng = np.random.default_rng(0)
    electric, magnetic = rng.normal(size=(2, 4096, 3))
    found = poynting_spectra(TIME, electric, magnetic, 8.0, 0.0, "hann", "none")
    weights = taper_of("hann", 256) ** 2
    flux = poynting_flux(electric, magnetic).reshape(16, 256, 3)
    want = (flux * weights[:, None]).sum(1) / weights.sum()
    np.testing.assert_allclose(found.density.sum(1) * found.frequency[1], want, rtol=1e-9)


def test_a_missing_value_of_either_field_leaves_a_nan_column() -> None:
    electric, magnetic = np.random.default_rng(0).normal(size=(2, 4096, 3))
    electric[1000, 2] = np.nan
    magnetic[3000, 0] = np.nan
    lost = np.isnan(poynting_spectra(TIME, electric, magnetic, 8.0, 0.0).density).all((1, 2))
    assert np.flatnonzero(lost).tolist() == [3, 11]


@given(st.integers(0, 50))
def test_the_third_component_makes_the_fields_perpendicular(seed: int) -> None:
    rng = np.random.default_rng(seed)
    electric, magnetic = rng.normal(size=(2, 30, 3))
    found = completed(electric, magnetic, 10.0)
    good = np.isfinite(found[:, 2])
    angle = np.degrees(np.arcsin(np.abs(magnetic[:, 2]) / np.linalg.norm(magnetic, axis=1)))
    assert (good == (angle > 10)).all()
    np.testing.assert_allclose((found * magnetic).sum(1)[good], 0, atol=1e-9)
    np.testing.assert_array_equal(found[:, :2], electric[:, :2])


def test_without_a_magnetic_field_there_is_no_third_component() -> None:
    assert np.isnan(completed(np.ones((1, 2)), np.zeros((1, 3)))[0, 2])
    assert np.isnan(completed(np.ones((1, 2)), np.array([[1, np.nan, 1]]))[0, 2])


def test_fields_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadData, match="energy flux"):
        poynting_spectra(TIME, np.zeros((4096, 3)), np.zeros((100, 3)), 8.0)
