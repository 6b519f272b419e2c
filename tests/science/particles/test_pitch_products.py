"""What follows from pitch-angle distributions, by hand and on the real ones of RBSP HOPE."""

from pathlib import Path

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter
from armillary.science.particles.pitch_products import (
    at_energy,
    at_pitch_angles,
    pitch_anisotropy,
    pitch_omni,
    pitch_solid_angles,
)

PITCH = np.arange(5.0, 180, 10)
MEAN_COS2 = np.array([
    (a**3 - b**3) / 3 / (a - b) for a, b in zip(
        np.cos(np.deg2rad(np.arange(0, 180, 10))), np.cos(np.deg2rad(np.arange(10, 190, 10))), strict=True)
])  # fmt: skip


def test_the_bins_fill_the_sky() -> None:
    assert pitch_solid_angles(PITCH).sum() == pytest.approx(4 * np.pi)
    hope = np.array([4.5, *np.arange(18, 180, 18), 175.5])
    assert pitch_solid_angles(hope).sum() == pytest.approx(4 * np.pi)
    assert pitch_solid_angles(hope)[0] == pytest.approx(2 * np.pi * (1 - np.cos(np.deg2rad(9))))


def test_omni_of_a_known_function() -> None:
    values = (1 + MEAN_COS2)[None, :, None] * np.array([1.0, 3])
    assert pitch_omni(values, PITCH) == pytest.approx(np.array([[4 / 3, 4]]))
    values[0, 3] = np.nan
    assert np.isfinite(pitch_omni(values, PITCH)).all()
    assert np.isnan(pitch_omni(np.full((1, 18), np.nan), PITCH)).all()
    both = np.stack([PITCH, PITCH + 1])
    assert pitch_omni(np.ones((2, 18, 3)) * np.array([2.0, 5])[:, None, None], both)[1] == pytest.approx([5, 5, 5])
    with pytest.raises(BadData, match="do not belong"):
        pitch_omni(values, PITCH[:4])


def test_anisotropy_of_known_functions() -> None:
    flat = np.ones((1, 18, 2))
    assert pitch_anisotropy(flat, PITCH) == pytest.approx(np.zeros((1, 2)), abs=1e-12)
    flat[0, :9, 0], flat[0, 17, 1] = np.nan, np.nan
    assert pitch_anisotropy(flat, PITCH) == pytest.approx(np.zeros((1, 2)), abs=1e-12), "holes are not anisotropic"
    fine = np.arange(0.25, 180, 0.5)
    pancake = np.sin(np.deg2rad(fine))[None] ** 2
    assert pitch_anisotropy(pancake, fine) == pytest.approx(1, abs=1e-3), "sin^2: 16/15 over 2 x 4/15, minus 1"
    assert pitch_anisotropy(np.cos(np.deg2rad(fine))[None] ** 2, fine) == pytest.approx(-2 / 3, abs=1e-3)
    alone = np.full((1, 18), np.nan)
    alone[0, 4] = 1
    assert np.isnan(pitch_anisotropy(alone, PITCH))
    assert np.isnan(pitch_anisotropy(np.zeros((1, 18)), PITCH))


def test_cuts() -> None:
    energy = np.array([[10.0, 100, 1000], [20, 200, 2000]])
    values = np.arange(2 * 4 * 3, dtype=float).reshape(2, 4, 3)
    assert at_energy(values, energy, 250).tolist() == [[1, 4, 7, 10], [13, 16, 19, 22]]
    assert np.isnan(at_energy(values, energy, 4)).all(1).tolist() == [False, True], "below 20 / sqrt(10) at the second"
    with pytest.raises(BadParameter, match="no channel holds"):
        at_energy(values, energy, 1e6)
    pitch = np.array([22.5, 67.5, 112.5, 157.5])
    assert at_pitch_angles(values, pitch, 0, 45) == pytest.approx(values[:, 0])
    edge = np.cos(np.deg2rad([0, 45, 60]))
    weights = -np.diff(edge)
    assert at_pitch_angles(values, pitch, 0, 60) == pytest.approx(
        np.tensordot(weights, values[:, :2], (0, 1)) / weights.sum()
    )
    assert at_pitch_angles(values, pitch, 0, 180) == pytest.approx(pitch_omni(values, pitch))
    with pytest.raises(BadParameter, match="no pitch angle"):
        at_pitch_angles(values, pitch, 90, 90)


@pytest.mark.real
@pytest.mark.parametrize("species", ["P", "E"])
def test_the_shipped_omni_of_hope_follows_from_its_pitch_angles(real_data: Path, species: str) -> None:
    """By solid angle to the float32 of the files, where the mission left the two loss cones unmeasured."""
    import cdflib

    shipped = cdflib.CDF(next((real_data / "plasma" / "spacepy").glob("rbspa_*hope-PA-L3*.cdf")))
    pad, omni = (shipped.varget(f"F{species}D{kind}").astype(float) for kind in "UO")
    pad[pad < 0] = np.nan
    assert np.isnan(pad[:, [0, -1]]).all()
    found = pitch_omni(pad, shipped.varget("PITCH_ANGLE").astype(float))
    assert found == pytest.approx(omni, rel=2e-6)
    assert np.abs(np.nanmean(pad, axis=1) / omni - 1).max() > 0.1, "a plain mean is another thing"
