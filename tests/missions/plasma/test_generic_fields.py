"""Recipes for any vector and for fields: against hand-made numbers; bad input is refused or missing."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import beside, fields
from armillary.model.kinds import check
from armillary.science import plasma

START = np.datetime64("2020-01-01T00:00:00", "ns")


def vector(values: Any, units: str, step: float = 1.0, name: str = "v") -> xr.Dataset:
    values = np.asarray(values, float)
    time = START + (np.arange(len(values)) * round(step * 1e9)).astype("timedelta64[ns]")
    attrs = {"units": units, "LABLAXIS": name, "COORDINATE_SYSTEM": "GSE"}
    return xr.Dataset({name: (("time", "component"), values, attrs)}, {"time": time})


def number(values: Any, units: str, step: float = 1.0) -> xr.Dataset:
    return vector(np.asarray(values, float)[:, None], units, step).isel(component=0)


def made(recipe: Any, *inputs: Any, **params: Any) -> Any:
    """Call a recipe's function with defaults and check what it promises."""
    named = dict(zip(recipe.inputs, inputs, strict=True))
    knobs = {one.name: None if one.type == "product" else one.default for one in recipe.parameters}
    found = check(recipe.kind, recipe.function(**named, **knobs | params), recipe.output)
    if recipe.shape is not None:
        assert next(iter(found.data_vars.values())).shape[1:] == recipe.shape
    return found


B = vector([[3, 0, 4], [0, 0, 5], [0, 0, 0], [np.nan, 0, 5]], "nT", name="b")
FLOW = vector([[-400, 0, 0]] * 4, "km/s")
DENSITY = number([5, 5, 0, 5], "cm^-3")


def test_a_length() -> None:
    found = made(fields.magnitude, B)["magnitude"]
    assert found.attrs["units"] == "nT"
    assert found.attrs["LABLAXIS"] == "|b|"
    assert found.to_numpy()[:3].tolist() == [5, 5, 0]
    assert np.isnan(found[3])


def test_parts_along_a_field() -> None:
    found = made(fields.components, FLOW, field=B)
    assert found["components"].to_numpy()[:2] == pytest.approx(np.array([[-240, 320], [0, 400]]))
    assert found["components"].attrs["units"] == "km/s"
    assert list(found["part"].to_numpy()) == ["parallel", "perpendicular"]
    assert np.isnan(found["components"].to_numpy()[2]).all()
    assert found["perpendicular"].to_numpy()[0] == pytest.approx([-256, 0, 192])


def test_the_field_is_brought_to_the_times_of_the_vector() -> None:
    slow = vector([[0, 0, 2], [0, 0, 6]], "nT", 3.0)
    found = made(fields.alfven_speed, slow, density=number([4, 16], "1/cm^3", 3.0))["alfven_speed"]
    assert found.to_numpy() == pytest.approx(plasma.alfven_speed(np.array([2.0, 6.0]), np.array([4.0, 16.0])))
    # no sample within half of the longest gap
    far = FLOW.assign_coords(time=FLOW["time"] + np.timedelta64(100, "s"))
    assert np.isnan(made(fields.components, far, field=B)["components"]).all()


def test_drift_and_convection_are_each_others_inverse() -> None:
    field = vector([[1, 2, -5]] * 4, "nT")
    electric = made(fields.convection_field, FLOW, field=field)
    found = made(fields.exb, electric, field=field)["exb"].to_numpy()
    assert found == pytest.approx(plasma.along_and_across(np.array([[-400.0, 0, 0]] * 4), np.array([1.0, 2, -5]))[1])


def test_beta_takes_a_temperature_however_it_is_told() -> None:
    wanted = made(fields.plasma_beta, B, density=DENSITY, temperature=number([10] * 4, "eV"))["plasma_beta"].to_numpy()
    time = {"time": B["time"].to_numpy()}
    both = xr.Dataset({"t": (("time", "c"), np.tile([16.0, 7.0], (4, 1)), {"units": "eV"})}, time)
    kelvin = np.tile(np.diag([16.0, 9.0, 5.0]) * plasma.KELVIN_PER_EV, (4, 1, 1))
    tensor = xr.Dataset({"t": (("time", "i", "j"), kelvin, {"units": "K"})}, time)
    apart = {"parallel": number([16] * 4, "eV"), "perpendicular": number([7] * 4, "eV")}
    for given in ({"temperature": both}, {"temperature": tensor}, apart):
        found = made(fields.plasma_beta, B, density=DENSITY, **given)["plasma_beta"].to_numpy()
        assert found == pytest.approx(wanted, nan_ok=True)
    with pytest.raises(BadParameter, match="by half"):
        made(fields.plasma_beta, B, density=DENSITY, parallel=apart["parallel"])
    with pytest.raises(BadParameter, match="twice"):
        made(fields.plasma_beta, B, density=DENSITY, temperature=both, **apart)


def test_numbers_of_a_field_and_a_density() -> None:
    warm = number([10, 10, 10, 10], "eV")
    assert made(fields.plasma_beta, B, density=DENSITY, temperature=warm)["plasma_beta"][0] == pytest.approx(
        0.8053, rel=1e-3
    )
    assert made(fields.magnetic_pressure, B)["magnetic_pressure"][1] == pytest.approx(0.009947, rel=1e-3)
    assert made(fields.gyro_frequency, B, species="electron")["gyro_frequency"][0] == pytest.approx(139.96, rel=1e-3)
    assert made(fields.plasma_frequency, DENSITY, species="electron")["plasma_frequency"][0] == pytest.approx(
        2.008e4, rel=1e-3
    )
    lengths = made(fields.inertial_length, DENSITY)["inertial_length"].to_numpy()
    assert lengths[0] == pytest.approx(101.8, abs=0.1)
    assert np.isnan(lengths[2])
    kelvin = number(10 * plasma.KELVIN_PER_EV * np.ones(4), "K")
    assert made(fields.entropy, DENSITY, temperature=kelvin)["entropy"][0] == pytest.approx(10 / 5 ** (2 / 3))


def test_a_current_of_two_species() -> None:
    electrons = vector([[-400, -100, 0]] * 4, "km/s")
    found = made(fields.current, FLOW, electrons=electrons, density=DENSITY)["current"].to_numpy()
    assert found[0] == pytest.approx([0, 5 * 100 * 0.16021766, 0], rel=1e-6)
    assert np.isnan(found[2]).all()


def test_what_is_not_given_is_asked_for() -> None:
    with pytest.raises(BadParameter, match="'field' is empty"):
        made(fields.exb, vector([[0, 1, 0]], "mV/m"))
    with pytest.raises(BadParameter, match="'density' is empty"):
        made(fields.alfven_speed, B)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadData, match="cannot be made cm"):
        made(fields.alfven_speed, B, density=number([1, 2, 3, 4], "counts"))
    with pytest.raises(BadData, match="4 components"):
        made(fields.components, FLOW, field=vector(np.ones((4, 4)), "nT"))
    with pytest.raises(BadData, match="dimensions after time"):
        made(fields.components, FLOW, field=DENSITY)


def test_units_of_many_spellings() -> None:
    assert beside.in_units(np.array([1.0]), "m/s", "km/s", "v") == pytest.approx([1e-3])
    assert beside.in_units(np.array([1.0]), "R_E", "km", "r") == pytest.approx([6371.2])


def test_names_are_unique_and_every_choice_has_a_unit_or_says_so() -> None:
    names = [one.output for one in fields.RECIPES]
    assert len(set(names)) == len(names)
    assert all(one.generic and one.description for one in fields.RECIPES)
