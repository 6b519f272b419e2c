"""Moments and fits as products: of the simulated sentry, whose truth is known, and of what is not as it should be."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData
from armillary.missions.plasma.generic import moments
from armillary.missions.simulated import recipes as simulated
from armillary.model.kinds import check
from armillary.science.particles import flags

TIME = ("2024-03-21T02:00", "2024-03-21T02:02")


def made(recipe: Any, distribution: xr.Dataset, **params: Any) -> Any:
    """Call a recipe's function with defaults and check what it promises."""
    knobs = {one.name: None if one.type == "product" else one.default for one in recipe.parameters}
    found = check(recipe.kind, recipe.function(distribution, **knobs | params), recipe.output)
    main = next(iter(found.data_vars.values()))
    assert main.shape[1:] == recipe.shape
    assert main.attrs["units"] == recipe.units
    assert "long_name" in main.attrs
    return found


@pytest.fixture
def ions(ask: Callable[..., Any]) -> xr.Dataset:
    given = (ask(f"sentry/{name}", *TIME) for name in ("ion_skymap", "b_gse", "ion_velocity_gse"))
    found: xr.Dataset = simulated.ions.function(*given)
    return found


def truth(ask: Callable[..., Any], name: str, like: xr.Dataset) -> Any:
    given = ask(f"sentry/truth/{name}", *TIME)
    values = given[next(iter(given.data_vars))]
    return values.interp(time=like["time"]).to_numpy()


def test_moments_of_the_sentry_are_its_truth_within_their_errors(ask: Callable[..., Any], ions: xr.Dataset) -> None:
    found = made(moments.all_moments, ions)
    score = (found["density"] - truth(ask, "density", found)) / found["density_error"]
    assert np.abs(score).median() < 2
    # cells that average make the plasma a little warmer than it is
    assert float((found["density"] / truth(ask, "density", found)).median()) == pytest.approx(1, abs=0.02)
    parallel = found["temperature_parallel"] + 2 * found["temperature_perpendicular"]
    assert parallel.to_numpy() == pytest.approx(3 * found["temperature"].to_numpy())
    assert found["pressure_tensor"].dims == ("time", "row", "column")
    assert found["velocity"].attrs["COORDINATE_SYSTEM"] == "GSE"
    assert "1: some cells" in found["flag"].attrs["meanings"]
    assert not (found["flag"] & flags.NO_FIELD).any()


@pytest.mark.parametrize(
    "recipe", [moments.density, moments.velocity, moments.temperature, moments.pressure_tensor, moments.heat_flux]
)
def test_single_moments_are_those_of_all(ions: xr.Dataset, recipe: Any) -> None:
    everything, one = made(moments.all_moments, ions), made(recipe, ions)
    name = next(iter(one.data_vars))
    assert one[name].to_numpy() == pytest.approx(everything[name].to_numpy(), nan_ok=True)
    assert (one["flag"] == everything["flag"]).all()
    assert (f"{name}_error" in one) == (name != "temperature")


def test_anisotropy_has_its_temperatures_and_agyrotropies(ions: xr.Dataset) -> None:
    found = made(moments.anisotropy, ions)
    ratio = found["temperature_perpendicular"] / found["temperature_parallel"]
    assert found["anisotropy"].to_numpy() == pytest.approx(ratio.to_numpy())
    assert float(found["agyrotropy"].max()) < 0.2


def test_a_fit_of_the_sentry(ask: Callable[..., Any], ions: xr.Dataset) -> None:
    few = ions.isel(time=slice(0, 4))
    found = made(moments.fitted, few)
    ratio = found["density"].to_numpy() / truth(ask, "density", few)
    assert ratio == pytest.approx(np.ones(4), abs=0.05)
    score = np.abs(found["velocity"].to_numpy() - truth(ask, "velocity_gse", few)) / found["velocity_error"].to_numpy()
    assert np.median(score) < 2
    assert found["chi2"].to_numpy() == pytest.approx(np.ones(4), abs=0.5)
    assert not found["flag"].any()


def test_pieces_of_time_are_the_whole(ions: xr.Dataset) -> None:
    whole = made(moments.all_moments, ions)
    parts = [made(moments.all_moments, ions.isel(time=part)) for part in (slice(0, 11), slice(11, None))]
    xr.testing.assert_allclose(xr.concat(parts, "time"), whole)


def test_another_field_and_limits(ions: xr.Dataset) -> None:
    time = ions["time"].to_numpy()
    vectors = np.tile([0.0, 0.0, 5.0], (len(time), 1))
    attrs = {"units": "nT", "COORDINATE_SYSTEM": "GSE"}
    field = xr.Dataset({"b": (("time", "component"), vectors, attrs)}, {"time": time})
    found = made(moments.all_moments, ions.drop_vars("magnetic_field"), field=field)
    assert found["temperature_parallel"].to_numpy() == pytest.approx(found["temperature_tensor"].to_numpy()[:, 2, 2])
    high = made(moments.density, ions, low_energy=500.0, high_energy=5000.0)
    assert (high["density"].to_numpy() < found["density"].to_numpy()).all()


def test_without_a_field_nothing_is_known_along_it(ions: xr.Dataset) -> None:
    bare = ions.drop_vars("magnetic_field")
    found = made(moments.all_moments, bare)
    assert np.isnan(found["temperature_parallel"]).all()
    assert ((found["flag"] & flags.NO_FIELD) > 0).all()
    assert np.isfinite(found["temperature"]).all()
    with pytest.raises(BadData, match="no magnetic_field"):
        made(moments.anisotropy, bare)
    fit = made(moments.fitted, bare.isel(time=slice(0, 1)))
    assert "temperature" in fit
    assert "temperature_parallel" not in fit


def test_electrons_without_a_potential_are_flagged_and_with_one_corrected(ions: xr.Dataset) -> None:
    electrons = ions.copy()
    electrons["psd"] = ions["psd"].assign_attrs(mass=9.1093837015e-31, charge=-1)
    plain = made(moments.density, electrons)
    assert ((plain["flag"] & flags.NO_POTENTIAL) > 0).all()
    volts = np.full(ions.sizes["time"], 15.0)
    volts[3] = np.nan
    beside = electrons.assign(spacecraft_potential=("time", volts, {"units": "V"}))
    found = made(moments.density, beside)
    assert np.isnan(found["density"].to_numpy()).nonzero()[0].tolist() == [3]
    assert found["flag"].to_numpy()[3] == flags.NO_POTENTIAL
    time = ions["time"].to_numpy()
    chosen = xr.Dataset({"u": ("time", volts / 1e3, {"units": "kV"})}, {"time": time}).isel(time=[0, 1, 2, 4, 5, 6])
    again = made(moments.density, electrons, potential=chosen)
    assert again["density"].to_numpy()[:3] == pytest.approx(found["density"].to_numpy()[:3])
    assert again["density"].to_numpy()[0] != pytest.approx(plain["density"].to_numpy()[0], rel=1e-6)


def test_all_recipes_hang_under_skymaps_only() -> None:
    assert len({one.output for one in moments.RECIPES}) == len(moments.RECIPES) == 8
    assert all(one.generic is not None and one.generic.kinds == ("skymap",) for one in moments.RECIPES)


def test_steps_at_which_the_chosen_field_is_missing_are_flagged(ions: xr.Dataset) -> None:
    b = ions["magnetic_field"].to_numpy().copy()
    b[0], b[1] = np.nan, 0.0
    attrs = {"units": "nT", "COORDINATE_SYSTEM": "GSE"}
    field = xr.Dataset({"b": (("time", "xyz"), b, attrs)}, {"time": ions["time"]})
    for recipe, knobs in ((moments.all_moments, {}), (moments.anisotropy, {}), (moments.fitted, {"cells": "centres"})):
        found = made(recipe, ions.isel(time=slice(3)), field=field.isel(time=slice(3)), largest_gap=0.1, **knobs)
        assert (found["flag"] & flags.NO_FIELD).to_numpy().astype(bool).tolist() == [True, True, False]


def test_a_chosen_potential_is_the_mean_over_the_accumulation(ions: xr.Dataset) -> None:
    few = ions.isel(time=slice(3))
    few = few.assign(psd=few["psd"].assign_attrs(accumulation=2.0))
    time = few["time"].to_numpy()[0] + np.arange(-40, 400) * np.timedelta64(250, "ms")
    volts = np.where((np.arange(-40, 400) % 8) < 4, 0.0, 40.0)
    potential = xr.Dataset({"v": (("time",), volts, {"units": "V"})}, {"time": time})
    mean = potential.assign(v=potential["v"] * 0 + 20.0)
    mean["v"].attrs["units"] = "V"
    found = made(moments.density, few, potential=potential)["density"].to_numpy()
    assert found == pytest.approx(made(moments.density, few, potential=mean)["density"].to_numpy())
