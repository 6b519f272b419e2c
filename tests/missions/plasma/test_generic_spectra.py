"""Recipes of skymaps and pitch-angle planes: what they promise, what they refuse, and the real planes of HOPE."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import skymaps, spectra
from armillary.model import Recipe
from armillary.model.kinds import check
from armillary.science.particles.datasets import to_dataset
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array, bi_maxwellian

B: Array = np.array([[3.0, 4, -1], [0, 0, 5], [2, 0, 0]])
V: Array = np.array([[-250.0, 60, 30], [-300, 0, 0], [0, 100, 50]])
TURN: Array = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
TIME = np.datetime64("2015-10-17T04:00", "ns") + np.arange(3) * np.timedelta64(4500, "ms")


def distribution(frame: str = "GSE", *, beside: dict[str, Array] | None = None, drifting: bool = False) -> xr.Dataset:
    """Three times of a bi-Maxwellian, its angles drifting from time to time if asked."""
    azimuth, polar = np.arange(5.625, 360, 11.25), np.arange(5.625, 180, 11.25)
    energy = np.geomspace(20, 3e4, 24)
    speed = Skymap(psd=np.ones((1, 32, 16, 24)), azimuth=azimuth, polar=polar, energy=energy).speed
    velocity = unit_vectors(azimuth[:, None], polar)[..., None, :] * speed[:, None]
    unit = B / np.linalg.norm(B, axis=1)[:, None]
    psd = np.stack(
        [bi_maxwellian(velocity, 8.0, drift, 700.0, 350.0, along) for drift, along in zip(V, unit, strict=True)]
    )
    if drifting:
        azimuth, energy = (azimuth + np.arange(3)[:, None]) % 360, np.stack([energy, energy * 1.1, energy])
    cells = Skymap(psd=psd, azimuth=azimuth, polar=polar, energy=energy)
    known = {"magnetic_field": B, "bulk_velocity": V} if beside is None else beside
    return to_dataset(cells, TIME, frame=frame, species="ion", beside=known)


def vectors(values: Array, units: str, name: str = "b", frame: str = "") -> xr.Dataset:
    attrs = {"units": units} | ({"COORDINATE_SYSTEM": frame} if frame else {})
    return xr.Dataset({name: (("time", "component"), values, attrs)}, {"time": TIME})


def made(recipe: Recipe, data: xr.Dataset, **given: Any) -> xr.Dataset:
    """What a recipe gives with the rest of its parameters at their defaults, checked against its kind."""
    usual = {one.name: (None if one.type == "product" else one.default) for one in recipe.parameters}
    (argument,) = recipe.inputs
    for one in recipe.parameters:
        if one.name in given and one.type != "product":
            given[one.name] = one.read(given[one.name])
    found = recipe.function(**{argument: data}, **{**usual, **given})
    assert isinstance(found, xr.Dataset)
    check(recipe.kind, found, recipe.output)
    first = next(iter(found.data_vars.values()))
    assert first.attrs["long_name"]
    assert first.attrs["LABLAXIS"]
    assert first.sizes["time"] == data.sizes["time"]
    return found


OF_SKYMAPS = [one for one in spectra.RECIPES if one.generic and "skymap" in one.generic.kinds]
OF_PLANES = [one for one in spectra.RECIPES if one.generic and "plane" in one.generic.kinds]


def test_every_recipe_is_generic() -> None:
    assert len(OF_SKYMAPS) == 7
    assert len(OF_PLANES) == 4
    assert len(OF_SKYMAPS + OF_PLANES) == len(spectra.RECIPES)


@pytest.mark.parametrize("recipe", OF_SKYMAPS, ids=lambda one: one.output)
@pytest.mark.parametrize("drifting", [False, True])
def test_spectrograms_keep_their_promise_and_can_be_cut_in_time(recipe: Recipe, drifting: bool) -> None:
    data = distribution(drifting=drifting)
    whole = made(recipe, data)
    assert np.isfinite(next(iter(whole.data_vars.values()))).any()
    assert whole[next(iter(whole.data_vars))].attrs["units"] == recipe.units
    last = made(recipe, data.isel(time=slice(1, 3)))
    for name in whole.data_vars:
        assert last[name].to_numpy() == pytest.approx(whole[name].to_numpy()[1:], rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("recipe", OF_SKYMAPS, ids=lambda one: one.output)
@pytest.mark.parametrize("quantity", ["psd", "flux"])
def test_quantities_differ_by_powers_of_energy(recipe: Recipe, quantity: str) -> None:
    found = made(recipe, distribution(), quantity=quantity)
    first = next(iter(found.data_vars.values()))
    assert first.attrs["units"] == {"psd": "s^3 cm^-6", "flux": "cm^-2 s^-1 sr^-1 eV^-1"}[quantity]
    with pytest.raises(BadParameter, match="cannot be 'counts'"):
        made(recipe, distribution(), quantity="counts")


def test_the_first_axis_of_a_pitch_angle_is_the_field() -> None:
    """Seen from the plasma the distribution is even about 90 degrees; as measured it leans to where the plasma goes."""
    plasma = made(spectra.pitch_angles, distribution(), frame="plasma", bins=6, low_energy=100, high_energy=3000)
    values = plasma["eflux"].to_numpy()
    assert values == pytest.approx(values[:, ::-1], rel=0.05)
    assert (values[:, 0] > values[:, 2]).all(), "hotter along the field"
    measured = made(spectra.pitch_angles, distribution(), bins=6, low_energy=100, high_energy=3000)["eflux"].to_numpy()
    along = np.einsum("ti,ti->t", B, V)
    assert np.sign(measured[:, 0] - measured[:, -1])[[0]] == np.sign(along)[[0]]
    assert plasma["measured"].to_numpy() == pytest.approx(1, abs=0.1)


def test_the_plane_holds_the_spectrogram() -> None:
    plane = made(spectra.energy_pitch_angle, distribution(), bins=9)
    cut = made(spectra.pitch_angles_at_energy, plane, low_energy=300, high_energy=2000)
    direct = made(spectra.pitch_angles, distribution(), bins=9, low_energy=300, high_energy=2000)
    assert cut["pitch_angles"].to_numpy() == pytest.approx(direct["eflux"].to_numpy(), rel=1e-12)
    omni = made(spectra.omni, plane)["omni"].to_numpy()
    assert omni == pytest.approx(made(spectra.energy_spectrogram, distribution())["omni"].to_numpy(), rel=0.02)


def test_a_field_that_is_chosen_is_turned_into_the_frame() -> None:
    own = distribution("DBCS", beside={"to_gse": np.tile(TURN, (3, 1, 1))})
    expected = made(spectra.pitch_angles, distribution("DBCS"))["eflux"].to_numpy()
    for field in (
        vectors(B, "nT", frame="DMPA"), vectors(B * 1e-9, "T", name="b_dbcs"), vectors(B @ TURN.T, "nT", frame="GSE"),
        vectors(B @ TURN.T, "nT", name="b_gse"),
    ):  # fmt: skip
        found = made(spectra.pitch_angles, own, field=field)["eflux"].to_numpy()
        assert found == pytest.approx(expected, rel=1e-9)
    gsm = skymaps.field_of(distribution("GSE"), vectors(B, "nT", frame="GSM"), 60.0)
    assert gsm[:, 0] == pytest.approx(B[:, 0])
    assert gsm[:, 1] != pytest.approx(B[:, 1])
    with pytest.raises(BadData, match="RTN, which cannot be turned into DBCS"):
        made(spectra.pitch_angles, own, field=vectors(B, "nT", frame="RTN"))
    with pytest.raises(BadData, match="GSE, which cannot be turned into DBCS"):
        made(spectra.pitch_angles, distribution("DBCS"), field=vectors(B, "nT", frame="GSE"))


def test_what_is_missing_is_named() -> None:
    bare = distribution(beside={})
    with pytest.raises(BadData, match=r"no magnetic_field.*parameter field"):
        made(spectra.pitch_angles, bare)
    with pytest.raises(BadData, match=r"no bulk_velocity.*parameter velocity"):
        made(spectra.pitch_angles, distribution(beside={"magnetic_field": B}), frame="plasma")
    with pytest.raises(BadParameter, match="the magnetic field, the bulk velocity"):
        made(spectra.gyro_phase, bare)
    with pytest.raises(BadData, match="missing or zero at all times"):
        made(spectra.pitch_angles, distribution(beside={"magnetic_field": B * np.nan}))
    with pytest.raises(BadData, match="cannot be made nT"):
        made(spectra.pitch_angles, bare, field=vectors(B, "km"))
    some = distribution(beside={"magnetic_field": np.where(np.arange(3)[:, None] == 1, np.nan, B)})
    assert np.isnan(made(spectra.pitch_angles, some)["eflux"]).all("pitch_angle").to_numpy().tolist() == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("basis", ["b_v", "b_exb", "perp1_perp2", "x_gse", "gsm", "r_geo", "phi_geo", "custom"])
def test_gyro_phases_in_any_basis(basis: str) -> None:
    place = vectors(np.array([[8.0, 3, 1]] * 3) * 6371, "km", "r", "GSE")
    found = made(spectra.gyro_phase, distribution(), basis=basis, position=place, axes="1 0 0; 0 1 1", bins=8)
    known = np.isfinite(found["eflux"]).all("gyro_phase").to_numpy().tolist()
    assert known == [True, True, basis not in {"perp1_perp2", "x_gse"}], "the third field lies along x"
    assert found["gyro_phase"].to_numpy().tolist() == [22.5 + 45 * n for n in range(8)]
    if basis in {"b_v", "b_exb"}:
        assert found["eflux"].argmax("gyro_phase").to_numpy()[:2].tolist() in ([0, 0], [0, 7], [7, 0], [7, 7])


def test_planes_that_are_no_pitch_angles_are_refused() -> None:
    plane = made(spectra.energy_pitch_angle, distribution()).rename(pitch_angle="v2")
    plane["eflux"].attrs["DEPEND_2"] = "v2"
    plane["v2"].attrs = {"units": "km/s"}
    for recipe in OF_PLANES:
        with pytest.raises(BadData, match="no distribution of energies and pitch angles"):
            made(recipe, plane)


@pytest.mark.parametrize("recipe", OF_PLANES, ids=lambda one: one.output)
def test_planes_in_any_order_of_axes(recipe: Recipe) -> None:
    plane = made(spectra.energy_pitch_angle, distribution(drifting=True))
    turned = plane.transpose("time", "pitch_angle", "energy").isel(pitch_angle=slice(None, None, -1))
    turned["eflux"].attrs |= {"DEPEND_1": "pitch_angle", "DEPEND_2": "energy_at_time"}
    one, other = made(recipe, plane), made(recipe, turned)
    for name in one.data_vars:
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), rel=1e-12, nan_ok=True)


@pytest.mark.real
def test_the_omni_of_hope_is_the_one_that_it_ships(real_data: Path, tmp_path: Path) -> None:
    import armillary

    desk = armillary.open(real_data / "plasma" / "spacepy", home=tmp_path)
    for species in ("P", "E"):
        pad, omni = (desk.search(f"F{species}D{kind}")[0] for kind in "UO")
        raw = desk.get(pad.path, pad.start, pad.stop)
        shipped = desk.get(omni.path, omni.start, omni.stop)[f"F{species}DO"].to_numpy()
        found = made(spectra.omni, raw)
        assert found["omni"].to_numpy() == pytest.approx(shipped, rel=2e-6)
        assert found["omni"].attrs["units"] == pad.units
        lean = made(spectra.anisotropy, raw)["anisotropy"].to_numpy()
        assert (lean >= -1).all()
        ahead, across = (
            made(spectra.energies_at_pitch_angle, raw, low_pitch=low, high_pitch=low + 30)["energies"].to_numpy()
            for low in (0, 75)
        )
        both = (ahead > 0) & (across > 0)
        assert np.corrcoef(np.log(across[both] / ahead[both]), lean[both])[0, 1] > 0.5
        cut = made(spectra.pitch_angles_at_energy, raw, low_energy=1000, high_energy=1000)["pitch_angles"]
        assert np.isfinite(cut.to_numpy()[:, 1:-1]).all()
