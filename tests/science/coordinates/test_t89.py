"""T89c: the author's numbers, no divergence, and currents where the magnetosphere has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.coordinates.t89 import t89
from armillary.science.plasma import MU_0, Array

#: geopack 1.0.13 (S. Tian's port of the Fortran): Kp level, tilt, position, field.
GEOPACK = [
    (0.0, 0.456, [7.85, 12.02, -6.87], [-0.4648701891, -6.7836818089, 19.1526798958]),
    (1.0, 0.522, [-14.26, 7.54, -6.25], [-14.9034609744, 2.7314794688, -2.0410823652]),
    (2.0, -0.07, [-25.21, -14.65, -0.82], [-2.4884024223, -1.1321224731, 2.9629414897]),
    (3.0, -0.559, [-17.5, -12.09, -2.98], [-7.4969929642, -5.1125429635, 0.0831677437]),
    (4.0, 0.16, [-4.56, 5.03, 11.13], [39.9764884052, -6.4320260226, -13.9570384424]),
    (5.0, 0.508, [3.71, 6.16, 7.51], [52.9095747674, -16.646307608, -22.0317177079]),
    (6.0, -0.175, [-22.91, -10.26, -5.86], [-27.1331247434, -8.443929966, 1.7931760551]),
]


def gradient(place: Array, tilt: float, kp: float) -> Array:
    """``dB_j/dx_i``, nT per Earth radius."""
    step = 1e-4
    around = np.concatenate([place + step * np.eye(3), place - step * np.eye(3)])
    field = t89(around, tilt, kp)
    return np.asarray((field[:3] - field[3:]) / (2 * step))


def test_the_documented_value_of_geopack() -> None:
    # Fortran, Python and IDL agree on these digits: iopt = 2, tilt -0.533585131.
    found = t89(np.array([[-5.1, 0.3, 2.8]]), -0.533585131, 1.0)[0]
    assert found == pytest.approx([20.772132, -0.646555, -15.071642], abs=2e-6)


@pytest.mark.parametrize(("kp", "tilt", "place", "expected"), GEOPACK)
def test_values_of_geopack(kp: float, tilt: float, place: list[float], expected: list[float]) -> None:
    assert t89(np.array([place]), tilt, kp)[0] == pytest.approx(expected, abs=1e-9)


@given(st.floats(-60, 9), st.floats(-20, 20), st.floats(-15, 15), st.floats(-0.6, 0.6), st.integers(0, 6))
def test_there_are_no_magnetic_charges(x: float, y: float, z: float, tilt: float, kp: int) -> None:
    found = gradient(np.array([x, y, z]), tilt, float(kp))
    assert abs(np.trace(found)) < 1e-5 * max(np.linalg.norm(found), 0.1)


def test_the_tail_current_flows_from_dawn_to_dusk_in_a_sheet() -> None:
    def current(z: float) -> float:
        # The y component of the curl, in nA/m^2.
        found = gradient(np.array([-20.0, 0.0, z]), 0.0, 3.0)
        return float((found[2, 0] - found[0, 2]) * 1e-9 / (MU_0 * 6371.2e3) * 1e9)

    assert current(0.0) > 1.0
    assert abs(current(10.0)) < 0.1 * current(0.0)


def test_the_mirror_images_of_north_and_south_and_dawn_and_dusk() -> None:
    place = np.array([[-8.0, 3.0, 2.0]])
    up, down = t89(place, 0.3, 2.0)[0], t89(place * [1, 1, -1], -0.3, 2.0)[0]
    assert down == pytest.approx(up * [-1, -1, 1], abs=1e-12)
    dusk = t89(place * [1, -1, 1], 0.3, 2.0)[0]
    assert dusk == pytest.approx(t89(place, 0.3, 2.0)[0] * [1, -1, 1], abs=1e-12)


def test_a_kp_for_each_point() -> None:
    places = np.tile([[-6.0, 1.0, 0.5]], (4, 1))
    kp, tilt = np.array([0.0, 1.33, 5.67, 9.0]), np.array([0.0, 0.1, -0.1, 0.2])
    together = t89(places, tilt, kp)
    for number, level in enumerate((0, 1, 6, 6)):
        assert together[number] == pytest.approx(t89(places[:1], tilt[number], float(level))[0], rel=1e-12)


def test_where_the_model_does_not_reach() -> None:
    found = t89(np.array([[-71.0, 0, 0], [-69.0, 0, 0], [np.nan, 0, 0]]), 0.0, 2.0)
    assert np.isnan(found[[0, 2]]).all()
    assert np.isfinite(found[1]).all()
    for kp in (-0.1, 30.0, np.nan):
        with pytest.raises(BadData, match="Kp"):
            t89(np.zeros((1, 3)), 0.0, kp)
