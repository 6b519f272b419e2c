"""RTN and LMN: right-handed, along what they are named for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.science import boundaries
from armillary.science.coordinates import local
from armillary.science.coordinates.frames import matrices

TIME = np.arange("1998-01-01", "2020-01-01", np.timedelta64(200, "D"), dtype="datetime64[D]")


@given(st.integers(0, 2**32))
def test_rtn_and_lmn_are_rotations(seed: int) -> None:
    place = np.random.default_rng(seed).normal(size=(5, 3))
    for found in (local.rtn_axes(place, local.solar_pole()), local.lmn_axes(place, 2.5, -3.0)):
        assert np.abs(found @ np.swapaxes(found, 1, 2) - np.eye(3)).max() < 1e-12
        assert np.abs(np.linalg.det(found) - 1).max() < 1e-12


def test_the_axis_of_the_sun_lies_as_carrington_says() -> None:
    # Inclination 7.25 degrees, node 75.76 degrees on the ecliptic (Franz and Harper 2002, table 4).
    tilt = np.radians(23.4392911)
    ecliptic = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    x, y, z = ecliptic @ local.solar_pole()
    assert np.degrees(np.arccos(z)) == pytest.approx(7.25, abs=0.01)
    assert np.degrees(np.arctan2(x, -y)) == pytest.approx(75.76, abs=0.05)


def test_rtn_at_the_earth_is_gse_turned_about_the_sun_line() -> None:
    found = local.rtn_matrices(TIME, "GSE")
    assert np.allclose(found[:, 0], [-1, 0, 0], atol=1e-9)
    # T points where the Earth goes, N to the north; the solar equator is inclined by 7.25 degrees to the ecliptic.
    assert (found[:, 1, 1] < -np.cos(np.radians(7.27))).all()
    assert (found[:, 2, 2] > np.cos(np.radians(7.27))).all()
    assert found[:, 2, 2].min() < np.cos(np.radians(7.0))


def test_rtn_follows_the_spacecraft() -> None:
    to_gse = np.swapaxes(local.rtn_matrices(TIME[:1], "GSE", np.array([[1.5e6, 6e5, 0.0]])), 1, 2)[0]
    assert to_gse[:, 0] @ [1.5e6 - 1.47e8, 6e5, 0] / np.hypot(1.5e6 - 1.47e8, 6e5) == pytest.approx(1, abs=1e-6)
    in_gsm = local.rtn_matrices(TIME[:1], "GSM") @ matrices(TIME[:1], "GSE", "GSM")
    assert np.allclose(in_gsm, local.rtn_matrices(TIME[:1], "GSE"), atol=1e-12)


def test_n_is_the_gradient_of_the_magnetopause() -> None:
    pressure, bz = 2.5, -4.0
    standoff, flaring = boundaries.magnetopause_shape(pressure, bz)

    def height(place: np.ndarray) -> np.ndarray:
        radius = np.linalg.norm(place, axis=-1)
        return np.asarray(radius / boundaries.magnetopause_distance(place[..., 0] / radius, standoff, flaring))

    direction = np.array([0.5, 0.6, 0.4])
    place = direction / np.linalg.norm(direction)
    place = place * boundaries.magnetopause_distance(place[0], standoff, flaring)
    gradient = np.array([height(place + 1e-6 * one) - height(place - 1e-6 * one) for one in np.eye(3)])
    along, across, outward = local.lmn_axes(place[None], pressure, bz)[0]
    assert outward == pytest.approx(gradient / np.linalg.norm(gradient), abs=1e-6)
    assert along[2] > 0
    assert across[2] == pytest.approx(0, abs=1e-12)
    assert across[1] < 0
