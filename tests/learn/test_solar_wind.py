"""Features of the solar wind: what they say of a known series, and that forecasts see nothing of the future."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import ArmillaryError
from armillary.learn.features import Features, Step, build
from armillary.learn.features.solar_wind import COLUMNS, ring_current, solar_wind

Array = np.ndarray[Any, np.dtype[Any]]
SIZE = 1200


def quiet(size: int = SIZE, seed: int = 0) -> xr.Dataset:
    random = np.random.default_rng(seed)
    times = np.datetime64("2000-01-01", "ns") + np.arange(size) * np.timedelta64(1, "h")
    values = {
        "V_km_s": 400 + 5 * random.normal(size=size), "N_cm3": 5 * np.exp(0.2 * random.normal(size=size)),
        "By_nT": 2 * random.normal(size=size), "Bz_nT": 2 * random.normal(size=size),
        "Pdyn_nPa": 2 * np.exp(0.2 * random.normal(size=size)), "Dst_nT": -10 + random.normal(size=size),
        "Kp": np.repeat(random.integers(0, 5, size // 3 + 1), 3)[:size].astype(float),
    }  # fmt: skip
    return xr.Dataset({name: ("sample", one) for name, one in values.items()} | {"time": ("sample", times)})


def with_cloud() -> xr.Dataset:
    """A shock at 580, then from 600 to 630 a strong field that turns smoothly, and a falling speed."""
    samples = quiet()
    turn = np.linspace(0, np.pi, 30)
    samples["V_km_s"].values[580:] += 150
    samples["N_cm3"].values[580:600] *= 4
    samples["Bz_nT"].values[580:600] *= 4
    samples["Bz_nT"].values[600:630] = -20 * np.cos(turn)
    samples["By_nT"].values[600:630] = 20 * np.sin(turn)
    samples["V_km_s"].values[600:630] -= np.linspace(0, 100, 30)
    samples["N_cm3"].values[600:630] = 2.0
    return samples


def named(made: Features, name: str) -> Array:
    return made.matrix[:, made.names.index(name)]


def test_a_magnetic_cloud_stands_out() -> None:
    made = solar_wind(with_cloud())
    inside, outside = slice(608, 622), np.r_[100:500, 700:1100]
    higher = ("strength_13", "field_7_over_97", "shock_all_before_48", "stretch_field_here_16")
    for name in ("roughness_13", "slope_speed_13", "unrest_13", "beta_13"):
        assert named(made, name)[inside].max() < np.quantile(named(made, name)[outside], 0.05), name
    for name in higher:
        assert named(made, name)[inside].min() > np.quantile(named(made, name)[outside], 0.95), name


def test_columns_are_named_once_and_grouped() -> None:
    made = build(quiet(), [Step(use="solar_wind"), Step(use="ring_current")])
    assert made.matrix.shape == (SIZE, len(made.names))
    assert set(made.groups) >= {"level", "spread", "shock", "stretch", "past", "force", "memory"}


def test_slopes_are_those_of_least_squares() -> None:
    samples = quiet()
    samples["V_km_s"].values[:] = 400 + 2.5 * np.arange(SIZE)
    made = named(solar_wind(samples, penalties=()), "slope_speed_13")
    np.testing.assert_allclose(made[6:-6], 2.5)
    assert np.isnan(made[[0, -1]]).all()


def test_a_forecast_sees_nothing_of_the_future() -> None:
    samples, now = with_cloud(), 610
    before = ring_current(samples).matrix[: now + 1]
    changed = samples.copy(deep=True)
    for name in COLUMNS.values():
        changed[name].values[now + 1 :] = 77.0
    # Kp of an interval of three hours is one number, that tells of its last hour in its first.
    start = 3 * ((now + 1) // 3)
    changed["Kp"].values[start:] = 9.0
    np.testing.assert_array_equal(before, ring_current(changed).matrix[: now + 1])


def test_kp_is_that_of_the_last_three_hours_that_are_over() -> None:
    samples = quiet(12)
    samples["Kp"].values[:] = np.repeat([1.0, 2.0, 3.0, 4.0], 3)
    known = named(ring_current(samples), "kp_known")
    np.testing.assert_array_equal(known, [np.nan, np.nan, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4])


def test_the_driver_is_the_dawn_dusk_electric_field() -> None:
    samples = quiet(24)
    samples["V_km_s"].values[:] = 500.0
    samples["Bz_nT"].values[:] = np.where(np.arange(24) < 12, -10.0, 10.0)
    driver = named(ring_current(samples), "driver_before_0")
    np.testing.assert_allclose(driver, np.where(np.arange(24) < 12, 5.0, 0.0))


def test_spacecraft_do_not_mix() -> None:
    one, two = quiet(400, 1), quiet(400, 2)
    both = xr.concat([one, two], "sample").assign(group=("sample", np.repeat(["a", "b"], 400)))
    shuffled = both.isel(sample=np.random.default_rng(0).permutation(800))
    made = solar_wind(shuffled)
    rows = np.flatnonzero(shuffled["group"].values == "b")
    rows = rows[np.argsort(shuffled["time"].values[rows])]
    np.testing.assert_allclose(made.matrix[rows], solar_wind(two).matrix)


def test_gaps_and_impossible_values_give_missing_numbers_only_near_them() -> None:
    samples = quiet()
    samples["N_cm3"].values[300] = 0.0
    samples["Bz_nT"].values[500:560] = np.nan
    made = solar_wind(samples)
    assert not np.isinf(made.matrix).any()
    assert np.isnan(named(made, "bz_7")[530])
    assert np.isfinite(named(made, "density_7")[300])


def test_one_window_is_enough() -> None:
    made = build(quiet(200), [Step(use="solar_wind", options={"windows": ["13h"], "penalties": []})])
    assert "field_13_over_97" in made.names


def test_an_unknown_quantity_is_named() -> None:
    with pytest.raises(ArmillaryError, match="no quantity 'temperature'"):
        solar_wind(quiet(24), names={"temperature": "T"})
    with pytest.raises(ArmillaryError, match="no 'V'"):
        solar_wind(quiet(24), names={"speed": "V"})
