"""Wind: 412 real records of ion moments, whose tensors, eigenvalues and turned temperatures must fit each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData
from armillary.missions.plasma.wind import threedp_moments, threedp_spectra
from armillary.science.plasma import ELEMENTARY_CHARGE, PROTON_MASS

EV_NPA = ELEMENTARY_CHARGE * 1e15
#: How many of the 412 records have moments.
VALID = {"P": 394, "A": 228}
TIME = np.datetime64("2005-12-24T00:00", "ns") + np.arange(4) * np.timedelta64(24, "s")


@pytest.fixture
def desk(real_data: Path, tmp_path: Path) -> Any:
    path = real_data / "plasma/wi_plsp_3dp_19990329_v02.cdf"
    (tmp_path / path.name).symlink_to(path)
    return arm.open(tmp_path)


@pytest.fixture
def raw(real_data: Path) -> Any:
    import cdflib

    file = cdflib.CDF(real_data / "plasma/wi_plsp_3dp_19990329_v02.cdf")

    def take(name: str) -> Any:
        values = file.varget(name).astype(float)
        return np.where(values < -1e30, np.nan, values)

    return take


def rounding(raw: Any, species: str, mass: float) -> Any:
    """What the 4-byte floats of the file leave of a temperature, eV: it is a difference of momentum fluxes."""
    speed2 = (raw(f"MOM.{species}.VELOCITY") ** 2).sum(1) * 1e6
    return 1e-6 * mass * speed2 / ELEMENTARY_CHARGE


@pytest.mark.real
@pytest.mark.parametrize(("species", "mass"), [("P", PROTON_MASS), ("A", 4 * PROTON_MASS)])
def test_temperatures_along_and_across_the_field(desk: Any, raw: Any, species: str, mass: float) -> None:
    found = desk.get(f"wind/3dp/{species.lower()}/temperature_along_field")["temperature"].to_numpy()
    turned = raw(f"MOM.{species}.MAGT3")
    valid = (raw(f"MOM.{species}.VALID") > 0) & np.isfinite(turned).all(1)
    assert valid.sum() == VALID[species]
    assert np.isnan(found[raw(f"MOM.{species}.VALID") == 0]).all()
    wanted = np.stack([turned[:, 2], turned[:, :2].mean(1)], 1)
    loose = rounding(raw, species, mass)[:, None] + 2e-5 * np.abs(wanted)
    assert (np.abs(found - wanted) <= loose)[valid].all()


@pytest.mark.real
@pytest.mark.parametrize(("species", "mass"), [("P", PROTON_MASS), ("A", 4 * PROTON_MASS)])
def test_the_tensor_has_the_eigenvalues_of_its_file(desk: Any, raw: Any, species: str, mass: float) -> None:
    pressure = desk.get(f"wind/3dp/{species.lower()}/pressure_gse")["pressure_gse"].to_numpy()
    density = desk.get(f"wind/3dp/{species.lower()}/density")["density"].to_numpy()
    assert pressure.shape == (412, 3, 3)
    good = np.isfinite(pressure).all((1, 2)) & (density > 0)
    values, axes = np.linalg.eigh(pressure[good] / density[good, None, None] / EV_NPA)
    wanted = np.sort(raw(f"MOM.{species}.T3")[good], axis=1)
    loose = rounding(raw, species, mass)[good, None] + 1e-4 * np.abs(wanted)
    assert good.sum() == VALID[species]
    assert (np.abs(values - wanted) <= loose).all()
    trace = raw(f"MOM.{species}.AVGTEMP")[good]
    assert (np.abs(values.mean(1) - trace) <= loose[:, 0]).all()
    # The axis of symmetry belongs to the last eigenvalue of T3, where it stands well apart.
    symmetry = raw(f"MOM.{species}.SYMM")[good]
    last = np.argmin(np.abs(values - raw(f"MOM.{species}.T3")[good, 2:]), axis=1)
    apart = np.abs(values - values[np.arange(len(last)), last][:, None])
    apart[np.arange(len(last)), last] = np.inf
    clear = apart.min(1) > 0.3 * values.mean(1).clip(1)
    cosine = np.abs((axes[np.arange(len(last)), :, last] * symmetry).sum(1))
    assert clear.sum() > 100
    assert cosine[clear].min() > 0.9999


@pytest.mark.real
def test_vectors_have_their_frame_and_units(desk: Any, raw: Any) -> None:
    for name, variable, units in (("velocity_gse", "VELOCITY", "km/s"), ("b_gse", "MAGF", "nT")):
        data = desk.get(f"wind/3dp/p/{name}")[name]
        assert (data.attrs["units"], data.attrs["COORDINATE_SYSTEM"]) == (units, "GSE")
        assert np.array_equal(data.to_numpy(), raw(f"MOM.P.{variable}"), equal_nan=True)


@pytest.mark.real
def test_the_spectrum_rises_in_energy_and_keeps_its_numbers(desk: Any, raw: Any) -> None:
    data = desk.get("wind/3dp/pl/flux")
    flux, energy = data["flux"].to_numpy(), data["energy_at_time"].to_numpy()
    # The file has a fifteenth channel without an energy.
    assert flux.shape == (412, 14)
    assert (np.diff(energy, axis=1) > 0).all()
    assert np.array_equal(flux, raw("FLUX")[:, 13::-1])
    assert np.array_equal(energy, raw("ENERGY")[:, 13::-1])


def pad(*, turned: bool = False) -> tuple[Any, Any, Any]:
    """Flux that is known in each cell, with axes that fall and change in time."""
    energy = np.geomspace(1150, 8.6, 15)[None] * (1 + 0.01 * np.arange(4))[:, None]
    angle = np.array([15.0, 35, 57, 80, 102, 123, 145, 165])[None] + 0.1 * np.arange(4)[:, None]
    flux = energy[:, :, None] * 1000 + angle[:, None, :]
    if turned:
        flux = flux.swapaxes(1, 2)
    units = {"units": "#/cm2-ster-sec-eV"}
    raw = xr.Dataset({"FLUX": (("time", "a", "b"), flux, units)}, {"time": TIME})
    energies = xr.Dataset({"ENERGY": (("time", "e"), energy, {"units": "eV"})}, {"time": TIME})
    angles = xr.Dataset({"PANGLE": (("time", "p"), angle, {"units": "deg"})}, {"time": TIME})
    return raw, energies, angles


@pytest.mark.parametrize("turned", [False, True])
def test_pitch_angles_whichever_way_round_they_come(turned: bool) -> None:
    data = threedp_spectra.pad.function(*pad(turned=turned))
    energy, angle = data["energy_at_time"].to_numpy(), data["pitch_angle_at_time"].to_numpy()
    assert data["flux"].dims == ("time", "energy", "pitch_angle")
    assert (np.diff(energy, axis=1) > 0).all()
    assert data["flux"].to_numpy() == pytest.approx(energy[:, :, None] * 1000 + angle[:, None, :])


def test_the_mean_over_pitch_angles_of_what_is_isotropic_is_itself() -> None:
    raw, energies, angles = pad()
    raw["FLUX"] = raw["FLUX"] * 0 + 7
    found = threedp_spectra.pad_omni.function(raw, energies, angles)["flux"]
    assert found.to_numpy() == pytest.approx(7.0)


def test_axes_that_nobody_says_are_refused() -> None:
    raw, energies, angles = pad()
    with pytest.raises(BadData, match="pitch angles"):
        threedp_spectra.pad.function(raw, energies, None)
    with pytest.raises(BadData, match="energies"):
        threedp_spectra.pad.function(raw, None, angles)
    with pytest.raises(BadData, match="other times"):
        threedp_spectra.pad.function(raw, energies.isel(time=slice(0, 3)), angles)
    raw["FLUX"].attrs["units"] = "counts"
    with pytest.raises(BadData, match="counts"):
        threedp_spectra.pad.function(raw, energies, angles)


def test_without_field_or_particles_there_is_no_direction() -> None:
    steps = {"time": TIME}
    six = xr.Dataset({"P": (("time", "six"), np.tile([3.0, 2, 1, 0, 0, 0], (4, 1)), {"units": ""})}, steps)
    field = xr.Dataset(
        {"B": (("time", "x"), [[5.0, 0, 0], [0, 0, 0], [0, 5, 0], [np.nan, 0, 0]], {"units": ""})}, steps
    )
    density = xr.Dataset({"n": ("time", [1.0, 1, 0, 1], {"units": ""})}, steps)
    found = threedp_moments.temperature_along_field.function(six, density, field, None)["temperature"].to_numpy()
    assert found[0].tolist() == [3.0, 1.5]
    assert np.isnan(found[1:]).all()
