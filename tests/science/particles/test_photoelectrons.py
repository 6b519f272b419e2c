"""The model of photoelectrons is found by phase and table and taken away whole."""

from collections.abc import Callable

import numpy as np
import pytest

from armillary.errors import BadData
from armillary.science.particles.moments import moments
from armillary.science.particles.photoelectrons import phase_of, subtract_photoelectrons
from armillary.science.particles.skymap import Skymap

WARM = (10.0, [50.0, 20.0, 10.0], 100.0, 80.0, [1.0, 2.0, 3.0])


def test_what_was_added_is_taken_away(seen: Callable[..., Skymap]) -> None:
    clean = seen("fpi", *WARM, steps=3, electrons=True)
    random = np.random.default_rng(1)
    model = random.random((360, 32, 16, 32)) * clean.psd.max() * 0.1
    counts, scale = np.array([0, 1600, 5759]), np.array([0.5, 1.0, 2.0])
    dirty = Skymap(
        clean.psd + scale[:, None, None, None] * model[[0, 100, 359]],
        clean.azimuth,
        clean.polar,
        clean.energy,
        mass=clean.mass,
        charge=-1,
    )
    mended = subtract_photoelectrons(dirty, model, counts, scale)
    assert mended.psd == pytest.approx(clean.psd, abs=1e-12 * clean.psd.max())
    assert moments(dirty).density[0] > 1.05 * moments(clean).density[0]


def test_each_energy_table_has_its_own_model(seen: Callable[..., Skymap]) -> None:
    clean = seen("fpi", *WARM, steps=2, electrons=True)
    model = np.zeros((2, 360, 32, 16, 32))
    model[1] = 1e-27
    mended = subtract_photoelectrons(clean, model, np.array([7, 7]), 1.0, parity=np.array([0, 1]))
    assert (mended.psd[0] == clean.psd[0]).all()
    assert (clean.psd[1] - mended.psd[1]) == pytest.approx(np.full(clean.psd[1].shape, 1e-27), rel=1e-3)


def test_phases_stay_within_the_model() -> None:
    assert phase_of(np.array([5760, 16 * 361]), 360).tolist() == [0, 1]


def test_a_model_of_another_geometry_is_refused(seen: Callable[..., Skymap]) -> None:
    cells = seen("fpi", *WARM, steps=2, electrons=True)
    with pytest.raises(BadData, match="does not fit"):
        subtract_photoelectrons(cells, np.zeros((360, 16, 32, 32)), np.zeros(2), 1.0)
    with pytest.raises(BadData, match="parity of each step"):
        subtract_photoelectrons(cells, np.zeros((2, 360, 32, 16, 32)), np.zeros(2), 1.0)
    with pytest.raises(BadData, match="one per step"):
        subtract_photoelectrons(cells, np.zeros((360, 32, 16, 32)), np.zeros(3), 1.0)
