"""Spectrograms: weights, units, the six directions, and identities on real records."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.particles.angles import solid_angles
from armillary.science.particles.skymap import Skymap
from armillary.science.particles.spectra import (
    DIRECTIONS,
    azimuth_spectrogram,
    direction_spectrograms,
    energy_spectrogram,
    in_units,
    polar_spectrogram,
)
from armillary.science.plasma import ELECTRON_MASS, Array

ENERGY = np.geomspace(10, 3e4, 6)
#: The share of the sky of each of the six directions.
SHARES = np.array([np.sqrt(2) / 8] * 4 + [(2 - np.sqrt(2)) / 4] * 2)


def grid(psd: Array | None = None, first: float = 5.625) -> Skymap:
    azimuth = (first + np.arange(32) * 11.25) % 360
    values = np.ones((1, 32, 16, 6)) if psd is None else psd
    return Skymap(psd=values, azimuth=azimuth, polar=np.arange(5.625, 180, 11.25), energy=ENERGY)


def listed(psd: Array | None = None) -> Skymap:
    whole = grid()
    azimuth, polar = (one.ravel() for one in np.meshgrid(whole.azimuth, whole.polar, indexing="ij"))
    solid = np.broadcast_to(solid_angles(whole)[0, 0, :, 0], (32, 16)).ravel()
    values = np.ones((1, 512, 6)) if psd is None else psd.reshape(len(psd), 512, 6)
    return Skymap(psd=values, azimuth=azimuth, polar=polar, energy=ENERGY, solid_angle=solid)


def test_units_against_the_constants_of_the_field() -> None:
    """``f = 0.5449e-24 j / E`` of protons (E in eV) and the flux of electrons by hand."""
    cells = grid()
    flux, eflux = (in_units(np.ones((1, 6)), cells, name)[0] for name in ("flux", "eflux"))
    assert flux * 5.449e-25 / ENERGY == pytest.approx(np.ones(6), rel=1e-3)
    assert eflux == pytest.approx(flux * ENERGY)
    assert in_units(np.ones((1, 6)), cells, "psd").tolist() == [[1] * 6]
    light = Skymap(
        psd=cells.psd, azimuth=cells.azimuth, polar=cells.polar, energy=ENERGY[None], mass=ELECTRON_MASS, charge=-1
    )
    speed = light.speed[0] * 1e5
    assert in_units(np.ones((1, 3, 6)), light, "flux")[0, 1] == pytest.approx(
        speed**2 / (ELECTRON_MASS * 1e3) * 1.602177e-12
    )
    with pytest.raises(BadParameter, match="choose one of eflux, flux, psd"):
        in_units(np.ones((1, 6)), cells, "counts")


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), first=st.floats(0, 360), holes=st.booleans())
def test_everything_is_a_mean_by_solid_angle(seed: int, first: float, holes: bool) -> None:
    rng = np.random.default_rng(seed)
    psd = rng.lognormal(sigma=2, size=(2, 32, 16, 6))
    if holes:
        psd[rng.random(psd.shape) < 0.3] = np.nan
    cells = grid(psd, first)
    weight = np.broadcast_to(solid_angles(cells), psd.shape) * np.isfinite(psd)
    omni = (np.nan_to_num(psd) * weight).sum((1, 2)) / weight.sum((1, 2))
    assert energy_spectrogram(cells, "psd") == pytest.approx(omni, rel=1e-12)
    assert energy_spectrogram(cells) == pytest.approx(in_units(omni, cells, "eflux"), rel=1e-12)
    if not holes:
        six = direction_spectrograms(cells, "psd")
        assert np.einsum("tde,d->te", six, SHARES) == pytest.approx(omni, rel=1e-12), "they fill the sky"


def test_a_list_of_directions_is_the_same_sky() -> None:
    psd = np.random.default_rng(1).random((2, 32, 16, 6))
    psd[0, :5, 3] = np.nan
    whole, flat = grid(psd), listed(psd)
    assert energy_spectrogram(flat) == pytest.approx(energy_spectrogram(whole), rel=1e-12)
    smooth = (
        1
        + np.cos(np.deg2rad(whole.azimuth))[:, None] * np.sin(np.deg2rad(whole.polar))
        + np.cos(np.deg2rad(whole.polar))
    )
    psd = np.broadcast_to(smooth[None, :, :, None], (1, 32, 16, 6))
    whole, flat = grid(psd), listed(psd)
    assert direction_spectrograms(flat) == pytest.approx(direction_spectrograms(whole), rel=0.03)
    values, azimuth = azimuth_spectrogram(whole)
    found, centres = azimuth_spectrogram(flat, bins=32)
    assert centres == pytest.approx(azimuth)
    assert found == pytest.approx(values, rel=0.05)
    assert azimuth_spectrogram(flat)[0].shape[1] == 16
    for spectrogram, own in ((azimuth_spectrogram, 32), (polar_spectrogram, 16)):
        assert np.array_equal(spectrogram(whole)[0], spectrogram(whole, bins=own)[0])
        with pytest.raises(BadParameter, match=f"a grid of {own} .*, not of 7"):
            spectrogram(whole, bins=7)
    values, polar = polar_spectrogram(whole)
    found, centres = polar_spectrogram(flat, bins=16)
    assert centres == pytest.approx(polar)
    assert found == pytest.approx(values, rel=0.1)
    wide = Skymap(
        psd=flat.psd, energy=ENERGY, azimuth=np.repeat(flat.azimuth[:, None], 6, 1),
        polar=np.repeat(flat.polar[:, None], 6, 1), solid_angle=flat.solid_angle,
    )  # fmt: skip
    assert energy_spectrogram(wide) == pytest.approx(energy_spectrogram(flat))


@pytest.mark.parametrize("gridded", [True, False])
def test_a_beam_is_seen_in_its_direction_of_motion_only(gridded: bool) -> None:
    for name, axis in zip(DIRECTIONS, np.concatenate([np.eye(3), -np.eye(3)])[[0, 3, 1, 4, 2, 5]], strict=True):
        whole = grid()
        azimuth, polar = np.meshgrid(np.deg2rad(whole.azimuth), np.deg2rad(whole.polar), indexing="ij")
        motion = np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], -1)
        psd = np.repeat((motion @ axis > np.cos(np.deg2rad(30)))[None, ..., None].astype(float), 6, -1)
        six = direction_spectrograms(grid(psd) if gridded else listed(psd), "psd")[0, :, 0]
        assert DIRECTIONS[int(six.argmax())] == name
        assert np.delete(six, six.argmax()) == pytest.approx(np.zeros(5))


def test_borders_of_the_six_directions_cut_cells() -> None:
    """One hot cell centred on 45 degrees of azimuth is half in +x and half in +y."""
    psd = np.zeros((1, 32, 16, 6))
    psd[0, 4, 8] = 1
    six = direction_spectrograms(grid(psd, first=0.0), "psd")[0, :, 0]
    assert six[0] == pytest.approx(six[2])
    assert six[0] > 0
    assert six[[1, 3, 4, 5]].tolist() == [0, 0, 0, 0]


def test_azimuths_come_back_rising_with_their_values() -> None:
    psd = np.zeros((2, 32, 16, 6))
    azimuth = np.stack([np.arange(32) * 11.25 + 180, np.arange(32) * 11.25 + 191]) % 360
    psd[0, 3], psd[1, 20] = 1, 1
    cells = Skymap(psd=psd, azimuth=azimuth, polar=np.arange(174.375, 0, -11.25), energy=ENERGY)
    values, centres = azimuth_spectrogram(cells, "psd")
    assert (np.diff(centres, axis=1) > 0).all()
    for step, at in ((0, azimuth[0, 3]), (1, azimuth[1, 20])):
        assert centres[step, values[step].argmax()] == pytest.approx(at)
        assert values[step].max() == pytest.approx(1)
    psd = np.zeros((1, 32, 16, 6))
    psd[:, :, 2] = 1
    turned = Skymap(psd=psd, azimuth=azimuth[0], polar=cells.polar, energy=ENERGY)
    values, polar = polar_spectrogram(turned, "psd")
    assert (np.diff(polar) > 0).all()
    assert polar[values[0].argmax()] == pytest.approx(cells.polar[2])


def test_limits_of_energy() -> None:
    psd = np.ones((1, 32, 16, 6)) * np.arange(6)
    values, _ = azimuth_spectrogram(grid(psd), "psd", low=ENERGY[3] * 0.999, high=ENERGY[3] * 1.001)
    assert values == pytest.approx(3 * np.ones((1, 32)))
    with pytest.raises(BadParameter, match="no channel"):
        polar_spectrogram(grid(), low=1e6, high=2e6)


def test_an_empty_sky_is_nan_and_no_count_is_zero() -> None:
    for cells in (grid(np.full((1, 32, 16, 6), np.nan)), listed(np.full((1, 32, 16, 6), np.nan))):
        assert np.isnan(energy_spectrogram(cells)).all()
        assert np.isnan(direction_spectrograms(cells)).all()
        assert np.isnan(azimuth_spectrogram(cells)[0]).all()
    assert (energy_spectrogram(grid(np.zeros((1, 32, 16, 6)))) == 0).all()


@pytest.mark.real
def test_the_shipped_spectra_of_fpi_fill_the_sky(real_data: Path) -> None:
    """What the mission ships obeys the definition used here, to the float32 of its files; a plain mean does not."""
    import cdflib

    files = sorted((real_data / "plasma" / "mms1_fpi_dis_moms").glob("*.cdf"))
    assert files
    for path in files:
        shipped = cdflib.CDF(path)
        six = np.stack([shipped.varget(f"mms1_dis_energyspectr_{name}_fast") for name in DIRECTIONS], 1).astype(float)
        omni = shipped.varget("mms1_dis_energyspectr_omni_fast").astype(float)
        known = (omni > 0) & (six >= 0).all(1)
        assert known.sum() > 1000
        assert np.einsum("tde,d->te", six, SHARES)[known] == pytest.approx(omni[known], rel=5e-7)
        assert np.abs(six.mean(1)[known] / omni[known] - 1).max() > 0.01
