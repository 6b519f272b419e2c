"""Recipes of slices, reduced distributions, cuts and volumes: what they promise and what they refuse."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadParameter
from armillary.missions.plasma.generic import slices
from armillary.model import Recipe
from armillary.model.kinds import check
from armillary.science.particles.datasets import to_dataset
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array, bi_maxwellian

B: Array = np.array([[3.0, 4, -1], [0, 0, 5], [2, 0, 1]])
V: Array = np.array([[-250.0, 60, 30], [-300, 0, 0], [0, 100, 50]])
UNIT: Array = B / np.linalg.norm(B, axis=1)[:, None]
TIME = np.datetime64("2015-10-17T04:00", "ns") + np.arange(3) * np.timedelta64(4500, "ms")
SMALL = {"size": 24, "limit": 1500.0}


def distribution(**beside: Array) -> xr.Dataset:
    azimuth, polar = np.arange(5.625, 360, 11.25), np.arange(5.625, 180, 11.25)
    energy = np.geomspace(20, 3e4, 32)
    speed = Skymap(psd=np.ones((1, 32, 16, 32)), azimuth=azimuth, polar=polar, energy=energy).speed
    velocity = unit_vectors(azimuth[:, None], polar)[..., None, :] * speed[:, None]
    psd = np.stack([bi_maxwellian(velocity, 8.0, v, 700.0, 350.0, b) for v, b in zip(V, UNIT, strict=True)])
    cells = Skymap(psd=psd, azimuth=azimuth, polar=polar, energy=energy)
    known = beside or {"magnetic_field": B, "bulk_velocity": V}
    return to_dataset(cells, TIME, frame="GSE", species="ion", beside=known)


def made(recipe: Recipe, data: xr.Dataset, **given: Any) -> xr.Dataset:
    usual = {one.name: (None if one.type == "product" else one.default) for one in recipe.parameters}
    for one in recipe.parameters:
        if one.name in given and one.type != "product":
            given[one.name] = one.read(given[one.name])
    found = recipe.function(distribution=data, **{**usual, **given})
    assert isinstance(found, xr.Dataset)
    check(recipe.kind, found, recipe.output)
    assert found["f"].attrs["units"] == recipe.units
    assert found["f"].attrs["long_name"]
    assert next(iter(found.data_vars)) == "f"
    return found


@pytest.mark.parametrize("recipe", slices.RECIPES, ids=lambda one: one.output)
@pytest.mark.parametrize("frame", ["spacecraft", "plasma"])
def test_pieces_agree_with_the_whole(recipe: Recipe, frame: str) -> None:
    data = distribution()
    whole = made(recipe, data, frame=frame, **SMALL)
    piece = made(recipe, data.isel(time=slice(1, 3)), frame=frame, **SMALL)
    assert np.isfinite(whole["f"]).any()
    for name in whole.data_vars:
        assert np.allclose(whole[name][1:], piece[name], rtol=1e-5, atol=0, equal_nan=True)


@pytest.mark.parametrize("frame", ["spacecraft", "plasma"])
def test_a_slice_shows_the_distribution_along_the_field(frame: str) -> None:
    found = made(slices.plane_slice, distribution(), frame=frame, **SMALL)
    assert found["v1"].attrs["LABLAXIS"] == "v par"
    assert found["v2"].attrs["LABLAXIS"] == "v perp (V)"
    for step in range(3):
        across = V[step] - (V[step] @ UNIT[step]) * UNIT[step]
        rows = np.stack([UNIT[step], across / np.linalg.norm(across)])
        plane = np.stack(np.meshgrid(found["v1"], found["v2"], indexing="ij"), -1) @ rows
        truth = bi_maxwellian(plane + (V[step] if frame == "plasma" else 0), 8.0, V[step], 700.0, 350.0, UNIT[step])
        known = np.isfinite(found["f"][step].to_numpy())
        assert known.mean() > 0.95
        assert np.allclose(found["f"][step].to_numpy()[known], truth[known], rtol=0.02, atol=1e-4 * truth.max())
        assert np.allclose(found["arrow_magnetic_field"][step], [np.linalg.norm(B[step]), 0], atol=1e-9)
    assert ("arrow_bulk_velocity" in found) == (frame == "spacecraft")


def test_reduced_distributions_hold_the_density() -> None:
    line = made(slices.reduced_1d, distribution(), size=100, limit=2500.0)
    plane = made(slices.reduced_2d, distribution(), size=60, limit=2500.0)
    for found, power, step in ((line, 1, 50e5), (plane, 2, 2500 / 30 * 1e5)):
        total = found["f"].sum(found["f"].dims[1:]) * step**power + found["outside"]
        assert np.allclose(total, found["density"], rtol=1e-6)
        assert np.allclose(found["density"], 8.0, rtol=0.01)
    assert np.allclose((line["f"] * line["v"]).sum("v") / line["f"].sum("v"), (V * UNIT).sum(1), atol=2)
    some = made(slices.reduced_1d, distribution(), high_across=300.0)
    assert (some["outside"] > 0.2 * some["density"]).all()


def test_each_cut_says_along_what_it_is() -> None:
    found = made(slices.cuts, distribution(), axis="x", size=41, limit=800.0)
    axes = [found[name].attrs["DEPEND_1"] for name in ("f", "f_2", "f_3")]
    labels = [found[axis].attrs["LABLAXIS"] for axis in axes]
    assert len(set(labels)) == 3
    for name, axis, label in zip(("f", "f_2", "f_3"), axes, labels, strict=True):
        assert found[name].dims == ("time", axis)
        assert found[name].attrs["long_name"] == f"f along {label}"
    reduced = made(slices.reduced_1d, distribution(), size=41)
    assert reduced["density"].attrs["LABLAXIS"] != reduced["outside"].attrs["LABLAXIS"]


def test_cuts_lie_on_the_axes() -> None:
    found = made(slices.cuts, distribution(), frame="plasma", size=41, limit=800.0)
    truth = bi_maxwellian(found["v"].to_numpy()[:, None] * UNIT[0] + V[0], 8.0, V[0], 700.0, 350.0, UNIT[0])
    assert np.allclose(found["f"][0], truth, rtol=0.01, atol=1e-4 * truth.max())
    assert {"f_2", "f_3"} <= set(found.data_vars)


def test_a_volume_has_axes_and_arrows() -> None:
    found = made(slices.volume, distribution(), size=9)
    assert found["f"].shape == (3, 9, 9, 9)
    assert np.allclose(np.linalg.norm(found["arrow_bulk_velocity"], axis=1), np.linalg.norm(V, axis=1))
    assert np.allclose(found["arrow_magnetic_field"][:, 2], np.linalg.norm(B, axis=1))


def test_windows_average_in_each_basis_and_count() -> None:
    single = made(slices.plane_slice, distribution(), **SMALL)
    found = made(slices.plane_slice, distribution(), window=9.0, **SMALL)
    assert found["times_in_window"].to_numpy().tolist() == [2, 1]
    assert np.allclose(found["f"][0], single["f"][:2].mean("time", skipna=True), rtol=1e-5, equal_nan=True)
    assert found["time"].to_numpy()[0] == TIME[0] + np.timedelta64(4500, "ms")


def test_axes_of_energy_say_what_they_are() -> None:
    log = made(slices.plane_slice, distribution(), scale="log_energy", size=20)
    assert "log10(E / 10 eV)" in log["v1"].attrs["long_name"]
    assert np.isclose(log["v1"][-1], 3 * 19 / 20)
    assert made(slices.plane_slice, distribution(), scale="energy", size=8)["v1"].attrs["units"] == "eV"
    with pytest.raises(BadParameter, match="logarithmic"):
        made(slices.plane_slice, distribution(), scale="log_energy", limit=5.0)


def test_without_a_bulk_velocity_the_moment_is_taken_and_said() -> None:
    found = made(slices.plane_slice, distribution(magnetic_field=B), **SMALL)
    truth = made(slices.plane_slice, distribution(), **SMALL)
    assert "moment" in found["arrow_bulk_velocity"].attrs["long_name"]
    assert "moment" not in truth["arrow_bulk_velocity"].attrs["long_name"]
    assert np.allclose(found["arrow_bulk_velocity"], truth["arrow_bulk_velocity"], atol=1)


@pytest.mark.parametrize("recipe", slices.RECIPES, ids=lambda one: one.output)
def test_what_is_missing_is_said_or_not_a_number(recipe: Recipe) -> None:
    with pytest.raises(BadParameter, match="magnetic field"):
        made(recipe, distribution(bulk_velocity=V), **SMALL)
    with pytest.raises(BadParameter, match="twice largest_gap"):
        made(recipe, distribution(), window=60.0, **SMALL)
    field = B.copy()
    field[1] = np.nan
    found = made(recipe, distribution(magnetic_field=field, bulk_velocity=V), **SMALL)
    assert np.isnan(found["f"][1]).all()
    assert np.isfinite(found["f"][2]).any()
    missing = distribution()
    missing["psd"][0], missing["psd"][1] = np.nan, 0.0
    found = made(recipe, missing, **SMALL)
    values = found["f"].to_numpy()
    assert not (values[0] > 0).any()
    assert not (values[1] > 0).any()


def test_an_instrument_basis_needs_nothing() -> None:
    bare = distribution().drop_vars(["magnetic_field", "bulk_velocity"])
    for recipe in slices.RECIPES:
        assert np.isfinite(made(recipe, bare, basis="instrument", **SMALL)["f"]).any()
