"""Polarisation: the answers of IDL SPEDAS on real data, and waves whose angles and handedness are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.fields.polarisation import Polarisation, idl_windows, polarisation, svd_polarisation

RATE = 64.0
WAVE = 32  # the row of 8 Hz in windows of 256 samples


def turned(polar: float, azimuth: float) -> np.ndarray:
    """Matrix whose third column points to these angles."""
    c, s, cp, sp = np.cos(polar), np.sin(polar), np.cos(azimuth), np.sin(azimuth)
    return np.array([[c * cp, -sp, s * cp], [c * sp, cp, s * sp], [-s, 0, c]])


def wave(axes: tuple[float, float], polar: float, azimuth: float, noise: float = 0.0) -> np.ndarray:
    """An elliptical wave of 8 Hz that goes to (polar, azimuth), right-handed about there."""
    phase = 2 * np.pi * 8 * np.arange(2048) / RATE
    flat = np.stack([axes[0] * np.cos(phase), axes[1] * np.sin(phase), 0 * phase], axis=1)
    return flat @ turned(polar, azimuth).T + noise * np.random.default_rng(0).normal(size=flat.shape)


@pytest.fixture(scope="module")
def idl(real_data: Path) -> dict[str, Any]:
    from scipy.io import readsav

    saved = readsav(real_data / "plasma" / "idl_spedas" / "thc_twavpol_validate.tplot")["dq"]
    return {one["NAME"].decode(): one["DH"][0] for one in saved}


@pytest.mark.real
def test_the_answers_of_idl_on_a_day_of_themis(idl: dict[str, Any]) -> None:
    field = np.asarray(idl["thc_scf_fac"]["Y"], float).T
    # IDL's last window runs over the end into the beginning; so must ours to be compared.
    found = polarisation(idl_windows(np.concatenate([field, field[:256]]))[:218], 8.0)
    limits = {"powspec": 1e-12, "degpol": 1e-12, "waveangle": 1e-6, "elliptict": 1e-6, "helict": 1e-6}
    ours = (found.power, found.degree, found.wave_normal, found.ellipticity, found.helicity)
    for (name, limit), one in zip(limits.items(), ours, strict=True):
        theirs = np.asarray(idl[f"thc_scf_fac_{name}"]["Y"], float).T[:218]
        assert np.isnan(one[:, [0, -1]]).all()
        assert np.abs(one - theirs)[:, 1:-1].max() <= limit, name


@pytest.mark.real
def test_windows_of_the_same_data_without_the_end_are_the_same(idl: dict[str, Any]) -> None:
    field = np.asarray(idl["thc_scf_fac"]["Y"], float).T
    windows = idl_windows(field)
    assert len(windows) == (28_014 - 256) // 128 + 1
    one, other = polarisation(windows[100:170], 8.0), polarisation(windows, 8.0)
    np.testing.assert_array_equal(one.degree, other.degree[100:170])


@given(st.floats(0.1, 1.4), st.floats(-3, 3))
def test_a_circular_wave_at_a_known_angle(polar: float, azimuth: float) -> None:
    windows = idl_windows(wave((1, 1), polar, azimuth))
    one, other = polarisation(windows, RATE), svd_polarisation(windows, RATE)
    np.testing.assert_allclose(one.wave_normal[:, WAVE], polar, atol=1e-9)
    np.testing.assert_allclose(one.degree[:, WAVE], 1, atol=1e-9)
    np.testing.assert_allclose(one.helicity[:, WAVE], 1, atol=1e-7)
    np.testing.assert_allclose(other.polar[:, WAVE], polar, atol=1e-6)
    np.testing.assert_allclose(other.azimuth[:, WAVE], azimuth, atol=1e-6)
    np.testing.assert_allclose(other.planarity[:, WAVE], 1, atol=1e-6)
    np.testing.assert_allclose(other.ellipticity[:, WAVE], 1, atol=1e-7)
    # The circle has power 2 * 1/2; smoothing moves a little of it to the neighbours but loses none.
    np.testing.assert_allclose(np.nansum(one.power, axis=1) * RATE / 256, 1, rtol=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 0.6, 0.2])
def test_the_sign_is_that_of_the_rotation_about_z(ratio: float) -> None:
    for sign in (1, -1):
        windows = idl_windows(wave((1, sign * ratio), 0.3, 0.5))
        one, other = polarisation(windows, RATE), svd_polarisation(windows, RATE)
        assert (np.sign(one.ellipticity[:, WAVE]) == sign).all()
        np.testing.assert_allclose(other.ellipticity[:, WAVE], sign * ratio, atol=1e-6)
        np.testing.assert_allclose(one.helicity[:, WAVE], ratio, atol=1e-6)


def test_ions_gyrate_left_handed() -> None:
    """d v/dt = (q/m) v x B turns a positive charge from y to x when B is along z."""
    phase = 2 * np.pi * 8 * np.arange(2048) / RATE
    ion = np.stack([np.sin(phase), np.cos(phase), 0 * phase], axis=1)
    assert (svd_polarisation(idl_windows(ion), RATE).ellipticity[:, WAVE] < -0.99).all()
    assert (polarisation(idl_windows(ion + wave((0, 0), 0, 0, 1e-9)), RATE).ellipticity[:, WAVE] < -0.5).all()


def test_noise_has_no_polarisation() -> None:
    windows = idl_windows(np.random.default_rng(7).normal(size=(256 * 200, 3)))
    wide, svd = polarisation(windows, RATE, 31), svd_polarisation(windows, RATE, 31)
    inner = slice(15, -15)
    assert wide.degree[:, inner].mean() < 0.15
    assert svd.planarity[:, inner].mean() < 0.4
    # One-sided density of three components of variance 1, but for the taper's loss of nothing.
    assert wide.power[:, inner].mean() == pytest.approx(3 * 2 / RATE, rel=0.01)


@given(st.integers(0, 20))
def test_turning_the_frame_turns_the_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    field = rng.normal(size=(512, 3)).cumsum(0)
    turn = turned(0.7, 1.1)
    one, other = (svd_polarisation(idl_windows(part), RATE, 5) for part in (field, field @ turn.T))
    np.testing.assert_allclose(one.planarity, other.planarity, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(np.abs(one.ellipticity), np.abs(other.ellipticity), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one.degree, other.degree, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(one.power, other.power, rtol=1e-9)


def test_missing_values_stay_in_their_window_and_silence_says_nothing() -> None:
    field = wave((1, 0.5), 0.4, 0.2, 1e-3)
    field[300] = np.nan
    quiet = np.zeros((512, 3))
    one: Polarisation = polarisation(idl_windows(field), RATE)
    assert np.isnan(one.degree).all(1).tolist() == [False, True, True] + [False] * 12
    svd = svd_polarisation(idl_windows(field), RATE)
    assert np.isnan(svd.planarity).all(1).tolist() == [False, True, True] + [False] * 12
    none = polarisation(idl_windows(quiet), RATE)
    assert np.nanmax(none.power) == 0
    assert all(np.isnan(part).all() for part in (none.degree, none.wave_normal, none.ellipticity, none.helicity))
    assert np.isnan(svd_polarisation(idl_windows(quiet), RATE).polar).all()


def test_what_cannot_be_analysed_is_refused() -> None:
    windows = idl_windows(np.zeros((512, 3)))
    for smoothing in (0, 2, 127):
        with pytest.raises(BadParameter, match="averaged"):
            polarisation(windows, RATE, smoothing)
    with pytest.raises(BadData, match="three components"):
        polarisation(windows[..., :2], RATE)
    with pytest.raises(BadData, match="fewer than one window"):
        idl_windows(np.zeros((100, 3)))


def test_smoothing_of_one_leaves_every_state_pure() -> None:
    found = polarisation(idl_windows(np.random.default_rng(1).normal(size=(512, 3))), RATE, 1)
    np.testing.assert_allclose(found.degree, 1, atol=1e-9)
    assert np.isfinite(found.power).all()
