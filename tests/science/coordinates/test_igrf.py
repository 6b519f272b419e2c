"""The main field: known values, the identities of a potential field, and its edges in time and space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.coordinates import igrf

DAY = np.array(["2015-01-01"], "datetime64[ns]")
#: ppigrf 2.1 (Laundal 2021), a synthesis in spherical coordinates, at the places and times of the test below.
PPIGRF = [
    [20400.1993606, 825.1461181, 1360.6338392],
    [6036.1880056, -3583.8901027, -48604.9366866],
    [243.4422172, -215.4749881, 533.186599],
]


def test_the_table_is_the_published_one() -> None:
    table = igrf.coefficients()
    at = {(int(n), int(m)): column for n, m, column in zip(table.degree, table.order, table.values.T, strict=True)}
    years = table.epoch.astype("datetime64[ns]").astype("datetime64[Y]").astype(int) + 1970
    assert years.tolist() == list(range(1900, 2031, 5))
    assert len(at) == 13 * 15
    # IGRF-14, epoch 2025.0 and its secular variation (Table 2 of the release); DGRF 2000 and 2020.
    assert at[1, 0][-2] == -29350.0
    assert at[1, 0][-1] == pytest.approx(-29350.0 + 5 * 12.6)
    assert at[1, 1][-2] == -1410.3
    assert at[1, -1][-2] == 4545.5
    assert at[1, 0][24] == -29403.41
    assert at[1, 0][20] == -29619.4
    assert at[1, 0][0] == -31543
    assert at[13, -13][19:] == pytest.approx(
        [0, -0.9, -0.82, -0.79, -0.71, -0.60, -0.5, -0.5][-len(at[13, -13][19:]) :]
    )


def test_field_values_of_an_independent_program() -> None:
    places = np.array([[1.0, 0.2, -0.5], [-0.1, 0.05, 1.05], [-3.0, 2.0, 1.0]])
    time = np.array(["1987-06-05T12:00", "2003-01-31", "2027-08-01"], "datetime64[ns]")
    assert igrf.field(places, time) == pytest.approx(np.array(PPIGRF), abs=1e-6)


def test_geopack_gives_the_same() -> None:
    from armillary.science.coordinates.geomagnetic import magnetic_field

    time = np.array(["2001-01-01T02:03:04"], "datetime64[ns]")
    place = np.array([[-5.1, 0.3, 2.8]])
    assert magnetic_field(place, time, model="igrf")[0] == pytest.approx([262.8296, -19.3059, -50.3460], abs=2e-3)
    assert magnetic_field(place, time, model="dipole")[0] == pytest.approx([266.0406, -20.2042, -57.4925], abs=2e-3)


@given(st.integers(0, 2**32), st.floats(1.0, 20.0))
def test_the_field_has_no_divergence_and_no_curl(seed: int, radius: float) -> None:
    direction = np.random.default_rng(seed).normal(size=3)
    place, step = direction / np.linalg.norm(direction) * radius, 1e-4 * radius
    around = np.concatenate([place + step * np.eye(3), place - step * np.eye(3)])
    field = igrf.field(around, DAY)
    gradient = (field[:3] - field[3:]) / (2 * step)
    size = np.linalg.norm(gradient)
    assert abs(np.trace(gradient)) < 1e-6 * size
    assert np.abs(gradient - gradient.T).max() < 1e-6 * size


def test_the_pole_is_a_place_like_any_other() -> None:
    near = igrf.field(np.array([[0, 0, 1.0], [1e-9, 0, 1.0], [0, -1e-9, 1.0], [0, 0, -1.0]]), DAY)
    assert np.abs(near[1:3] - near[0]).max() < 1e-3
    assert near[0, 2] < -50_000
    assert near[3, 2] < -45_000


@given(st.floats(0, 1))
def test_between_epochs_the_field_is_linear(part: float) -> None:
    first, last = (np.datetime64(f"{year}-01-01", "ns").astype(np.int64) for year in (2010, 2015))
    place = np.array([[1.2, -0.3, 0.6]])
    between = igrf.field(place, np.array([first + round(float(last - first) * part)]))
    start, stop = igrf.field(place, np.array([first])), igrf.field(place, np.array([last]))
    assert np.abs(start + part * (stop - start) - between).max() < 1e-6


def test_the_dipole_is_the_first_degree() -> None:
    moment = igrf.dipole(np.array(["2020-01-01"], "datetime64[ns]"))[0]
    assert moment == pytest.approx([1451.37, -4653.35, 29403.41])
    far = np.array([[300.0, 400.0, 0.0]])
    expected = (moment - 3 * far[0] * (moment @ far[0]) / 500**2) / 500**3
    assert igrf.field(far, np.array(["2020-01-01"], "datetime64[ns]"))[0] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("error", [1e-4, 1e-2, 1.0])
def test_what_is_neglected_far_away_is_as_small_as_asked(error: float) -> None:
    rng = np.random.default_rng(4)
    place = rng.normal(size=(2000, 3))
    place *= rng.uniform(1, 30, (2000, 1)) / np.linalg.norm(place, axis=1)[:, None]
    difference = np.linalg.norm(igrf.field(place, DAY, error) - igrf.field(place, DAY), axis=1)
    assert 0 < difference.max() < error


def test_outside_its_years_and_below_the_crust() -> None:
    place = np.array([[1.0, 0.0, 0.0]])
    for year in ("1899-12-31", "2030-01-02"):
        with pytest.raises(BadData, match="1900 to 2030"):
            igrf.field(place, np.array([year], "datetime64[ns]"))
    assert np.isfinite(igrf.field(place, np.array(["2030-01-01"], "datetime64[ns]"))).all()
    odd = igrf.field(np.array([[0.1, 0, 0], [np.nan, 1, 1], [0, 0, 0], [2, 0, 0]]), DAY)
    assert np.isnan(odd[:3]).all()
    assert np.isfinite(odd[3]).all()


def test_many_points_at_many_times() -> None:
    rng = np.random.default_rng(5)
    place = rng.normal(size=(5000, 3)) + 3
    time = rng.integers(0, 1_800_000_000, 5000) * 10**9
    whole = igrf.field(place, time)
    for number in (0, 17, 4999):
        assert whole[number] == pytest.approx(
            igrf.field(place[number : number + 1], time[number : number + 1])[0], rel=1e-12
        )
