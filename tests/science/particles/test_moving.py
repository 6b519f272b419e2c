"""A distribution seen from another frame is the one that was put in there."""

import numpy as np
import pytest

from armillary.errors import BadData
from armillary.science.particles.moving import seen_from
from armillary.science.particles.pitch import pitch_angle_distribution, pitch_edges
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import bi_maxwellian


def test_a_drifting_plasma_is_gyrotropic_in_its_own_frame() -> None:
    drift, field = np.array([-250.0, 60, 30]), np.array([3.0, 4, -1])
    unit = field / np.linalg.norm(field)
    azimuth, polar = np.arange(5.625, 360, 11.25), np.arange(5.625, 180, 11.25)
    empty = Skymap(psd=np.ones((2, 32, 16, 32)), azimuth=azimuth, polar=polar, energy=np.geomspace(20, 3e4, 32))
    velocity = unit_vectors(azimuth[:, None], polar)[..., None, :] * empty.speed[:, None]
    psd = bi_maxwellian(velocity, 8.0, drift, 700.0, 350.0, unit)
    cells = Skymap(psd=np.stack([psd, psd]), azimuth=azimuth, polar=polar, energy=empty.energy)
    made = seen_from(cells, np.stack([drift, [np.nan, 0, 0]]))
    assert np.isnan(made.psd[1]).all()
    still = bi_maxwellian(velocity, 8.0, np.zeros(3), 700.0, 350.0, unit)
    strong = still > still.max() * 1e-2
    known = np.isfinite(made.psd[0]) & strong
    assert known.sum() > 0.9 * strong.sum()
    assert np.median(np.abs(made.psd[0][known] / still[known] - 1)) < 0.03
    at = 12  # 330 eV
    pad = pitch_angle_distribution(made.between(0, 1), field, pitch_edges(6)).mean[0, :, at]
    moving = pitch_angle_distribution(cells.between(0, 1), field, pitch_edges(6)).mean[0, :, at]
    assert pad == pytest.approx(pad[::-1], rel=0.05), "the same along and against the field"
    assert moving.max() / moving.min() > 2, "as measured it is not"


def test_a_velocity_of_other_times() -> None:
    cells = Skymap(
        psd=np.ones((2, 4, 2, 3)), azimuth=np.arange(4) * 90.0, polar=np.array([45.0, 135]), energy=np.r_[1.0:4]
    )
    with pytest.raises(BadData, match="does not belong"):
        seen_from(cells, np.zeros((3, 3)))
