"""Solar Orbiter: a solar wind of known density, direction and temperature seen by PAS; real files of EPT and PAS."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.solo import pas
from armillary.missions.plasma.solo.ept import bins_of
from armillary.science.particles.datasets import from_dataset
from armillary.science.particles.moments import moments
from armillary.science.plasma import bi_maxwellian
from armillary.sources.write import write

AZIMUTH = np.arange(11) * 6.0 - 21
ELEVATION = np.arange(9) * 5.0 - 20
ENERGY = np.geomspace(20_000, 200, 96)
DENSITY, DRIFT = 8.0, np.array([430.0, -60.0, -25.0])
ALONG, ACROSS = 32.0, 18.0
FIELD = np.array([4.0, -3.0, 1.0])
TIME = np.datetime64("2022-04-03T00:00:02", "ns") + np.arange(6) * np.timedelta64(4, "s")
SPAN = ("2022-04-03T00:00:00", "2022-04-03T00:00:30")


def turns() -> Any:
    """PAS -> RTN, as for a spacecraft that looks at the Sun and rolls a little more each time."""
    angle = np.radians(np.arange(len(TIME)) * 2.0)
    roll = np.zeros((len(TIME), 3, 3))
    roll[:, 0, 0] = 1
    roll[:, 1, 1] = roll[:, 2, 2] = np.cos(angle)
    roll[:, 2, 1] = np.sin(angle)
    roll[:, 1, 2] = -np.sin(angle)
    return roll @ np.diag([-1.0, 1.0, -1.0])


def distribution(turn: Any) -> Any:
    """Phase space density, s^3 m^-6, at the directions that the PAS team's user guide writes out."""
    az, el, energy = np.meshgrid(np.radians(AZIMUTH), np.radians(ELEVATION), ENERGY, indexing="ij")
    speed = 13.8411 * np.sqrt(energy)
    motion = speed[..., None] * np.stack([-np.cos(el) * np.cos(az), -np.cos(el) * np.sin(az), np.sin(el)], -1)
    velocity = np.einsum("ij,...j->...i", turn, motion)
    return 1e12 * bi_maxwellian(velocity, DENSITY, DRIFT, ALONG, ACROSS, FIELD / np.linalg.norm(FIELD))


def save(folder: Path, dataset: str, found: dict[str, Any], time: Any = TIME) -> None:
    data = xr.Dataset(found, {"time": time}, {"Logical_source": dataset})
    data = data.set_coords([name for name, one in data.variables.items() if "time" not in one.dims])
    write(data, folder / f"{dataset}_20220403_V02.cdf")


def archive(folder: Path, energies: int = 96, *, with_rest: bool = True) -> Path:
    """Fill a folder as ESA's archive has it."""
    turn = turns()
    vdf = np.stack([distribution(one) for one in turn])
    vdf[..., energies:] = 0
    steps = len(TIME)
    axes = {"DEPEND_1": "Azimuth", "DEPEND_2": "Elevation", "DEPEND_3": "Energy", "units": "s^3 m^-6"}
    windows = {"start_CEM": 0, "nb_CEM": 11, "start_elevation": 0, "nb_elevation": 9, "start_energy": 0,
               "nb_energy": energies}  # fmt: skip
    save(folder, "solo_L2_swa-pas-vdf", {
        "vdf": (("time", "Azimuth", "Elevation", "Energy"), vdf.astype("f4"), axes),
        "Azimuth": ("Azimuth", AZIMUTH, {"units": "deg"}), "Elevation": ("Elevation", ELEVATION, {"units": "deg"}),
        "Energy": ("Energy", ENERGY, {"units": "eV"}), "PAS_to_RTN": (("time", "rtn", "pas"), turn, {"units": ""}),
        "Info": ("time", np.array([1, 1, 2, 3, 1, 5], "u1"), {"units": ""}),
        **{name: ("time", np.full(steps, value, "i2"), {"units": ""}) for name, value in windows.items()},
    })  # fmt: skip
    if with_rest:
        often = TIME[0] - np.timedelta64(2, "s") + np.arange(220) * np.timedelta64(125, "ms")
        field = np.broadcast_to(FIELD, (len(often), 3))
        save(folder, "solo_L2_mag-rtn-normal", {"B_RTN": (("time", "rtn"), field, {"units": "nT"})}, often)
        flow = np.broadcast_to(DRIFT, (steps, 3))
        save(folder, "solo_L2_swa-pas-grnd-mom", {
            "V_RTN": (("time", "rtn"), flow, {"units": "km/s"}), "N": ("time", np.full(steps, 8.0), {"units": "cm^-3"}),
            "P_RTN": (("time", "six"), np.broadcast_to([1e-16, 2e-16, 3e-16, 4e-17, 5e-17, 6e-17], (steps, 6)),
                      {"units": "J/cm^3"}),
        })  # fmt: skip
    return folder


def get(folder: Path, path: str) -> Any:
    return arm.open(folder).get(path, *SPAN)


def test_pas_sees_the_wind_that_was_given(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "solo/pas/skymap")
    found = moments(from_dataset(data.isel(time=slice(0, 5))))
    turn = data["to_rtn"].to_numpy()[:5]
    assert found.density == pytest.approx(DENSITY, rel=2e-3)
    velocity = np.einsum("tij,tj->ti", turn, found.velocity)
    assert velocity == pytest.approx(np.broadcast_to(DRIFT, (5, 3)), abs=0.3)
    b = data["magnetic_field"].to_numpy()[:5] / np.linalg.norm(FIELD)
    along = np.einsum("ti,tij,tj->t", b, found.temperature, b)
    across = (np.trace(found.temperature, axis1=1, axis2=2) - along) / 2
    assert along == pytest.approx(ALONG, rel=0.01)
    assert across == pytest.approx(ACROSS, rel=0.01)


def test_field_and_flow_lie_in_the_frame_of_the_instrument(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "solo/pas/skymap")
    turn = data["to_rtn"].to_numpy()
    for name, vector in (("magnetic_field", FIELD), ("bulk_velocity", DRIFT)):
        back = np.einsum("tij,tj->ti", turn, data[name].to_numpy())
        assert back == pytest.approx(np.broadcast_to(vector, back.shape), abs=1e-3)
    assert data["psd"].attrs["COORDINATE_SYSTEM"] == "SOLO_SWA_PAS"


def test_a_slice_in_rtn_shows_the_wind_that_was_given(tmp_path: Path) -> None:
    """The spacecraft rolls from map to map; in RTN the wind stays where it is."""
    knobs = {"basis": "rtn", "plane": "xy", "size": 60, "limit": 600}
    data = arm.open(archive(tmp_path)).get("solo/pas/skymap/reduced_2d", *SPAN, params=knobs)
    values, (first, second) = data["f"].to_numpy()[:5], (data[name].to_numpy() for name in ("v1", "v2"))
    weight = np.nansum(values, (1, 2))
    assert np.nansum(values * first[:, None], (1, 2)) / weight == pytest.approx(np.full(5, DRIFT[0]), abs=3)
    assert np.nansum(values * second, (1, 2)) / weight == pytest.approx(np.full(5, DRIFT[1]), abs=3)
    arrows = data["arrow_magnetic_field"].to_numpy()[:5]
    assert arrows == pytest.approx(np.tile(FIELD[:2], (5, 1)), abs=1e-3)


def test_a_field_in_rtn_is_turned_into_the_frame_of_the_instrument(tmp_path: Path) -> None:
    desk = arm.open(archive(tmp_path))
    chosen = desk.get("solo/pas/skymap/energy_pitch_angle", *SPAN, params={"field": "solo/mag/normal/b_rtn"})
    beside = desk.get("solo/pas/skymap/energy_pitch_angle", *SPAN)
    name = next(iter(beside.data_vars))
    assert chosen[name].to_numpy() == pytest.approx(beside[name].to_numpy(), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("basis", ["gse", "gsm", "x_gse", "r_geo"])
def test_there_is_no_way_from_pas_to_gse_and_the_error_tells_what_there_is(tmp_path: Path, basis: str) -> None:
    with pytest.raises(
        BadParameter, match=r"matrix to GSE.*here are instrument, rtn, b_v, b_exb, perp1_perp2, custom$"
    ):
        arm.open(archive(tmp_path)).get("solo/pas/skymap/slice", *SPAN, params={"basis": basis})


def test_every_axis_rises_and_is_of_motion(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "solo/pas/skymap")
    assert data["azimuth"].to_numpy().tolist() == [159 + 6 * n for n in range(11)]
    assert data["polar"].to_numpy().tolist() == [70 + 5 * n for n in range(9)]
    assert data["energy"].to_numpy() == pytest.approx(ENERGY[::-1])


def test_what_was_not_swept_or_not_measured_for_science_is_missing(tmp_path: Path) -> None:
    psd = get(archive(tmp_path, energies=70), "solo/pas/skymap")["psd"].to_numpy()
    assert np.isnan(psd[5]).all()  # a calibration
    assert np.isnan(psd[:5, ..., :26]).all()
    assert np.isfinite(psd[:5, ..., 26:]).all()


def test_without_field_and_moments_there_are_still_distributions(tmp_path: Path) -> None:
    data = get(archive(tmp_path, with_rest=False), "solo/pas/skymap")
    assert "magnetic_field" not in data
    assert np.isfinite(data["psd"].to_numpy()[0]).all()


def test_another_geometry_and_other_units_are_refused(tmp_path: Path) -> None:
    raw = get(archive(tmp_path), "local/solo/l2/swa-pas-vdf/vdf")
    rest = dict.fromkeys(pas.skymap.optional)
    with pytest.raises(BadData, match="PAS has"):
        pas.skymap.function(raw.isel(Azimuth=slice(0, 9)), **rest)
    raw["vdf"].attrs["units"] = "counts"
    with pytest.raises(BadData, match="counts"):
        pas.skymap.function(raw, **rest)


def test_units_of_energies_and_angles_are_read(tmp_path: Path) -> None:
    raw = get(archive(tmp_path), "local/solo/l2/swa-pas-vdf/vdf")
    rest = dict.fromkeys(pas.skymap.optional)
    wanted = pas.skymap.function(raw, **rest)
    given = raw.assign_coords(Energy=(raw["Energy"] / 1e3).assign_attrs(units="keV"),
                              Azimuth=np.radians(raw["Azimuth"]).assign_attrs(units="rad"))  # fmt: skip
    found = pas.skymap.function(given, **rest)
    for name in ("energy", "polar", "azimuth"):
        assert found[name].to_numpy() == pytest.approx(wanted[name].to_numpy())
    with pytest.raises(BadData, match="'index', which is not known to be eV"):
        pas.skymap.function(raw.assign_coords(Energy=raw["Energy"].assign_attrs(units="index")), **rest)


def test_the_pressure_tensor_is_in_nanopascal_and_symmetric(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "solo/pas/pressure_rtn")["pressure_rtn"]
    assert data.attrs["units"] == "nPa"
    assert data.to_numpy()[0] == pytest.approx(np.array([[0.1, 0.04, 0.05], [0.04, 0.2, 0.06], [0.05, 0.06, 0.3]]))


def test_a_text_that_is_of_other_bins_is_not_believed() -> None:
    assert bins_of(np.array(["0.1 - 0.2 MeV"]), np.array([0.3])) is None
    assert bins_of(np.array(["nothing"]), np.array([0.3])) is None
    assert bins_of(np.array(["51.8 - 67.5 keV"]), np.array([0.0518])).tolist() == [[0.0518, 0.0675]]


@pytest.mark.real
def test_the_flux_of_ept_is_as_in_its_file(real_data: Path, tmp_path: Path) -> None:
    import cdflib

    path = real_data / "plasma/sunpy/solo_L2_epd-ept-north-hcad_20200713_V02.cdf"
    (tmp_path / path.name).symlink_to(path)
    desk = arm.open(tmp_path)
    raw = cdflib.CDF(path)
    for name, variable in (("ion_flux", "Ion_Flux"), ("electron_flux", "Electron_Flux")):
        data = desk.get(f"solo/ept/north/hcad/{name}", "2020-07-13T03:00", "2020-07-13T04:00")
        kind = variable.split("_")[0]
        low, width = (raw.varget(f"{kind}_Bins_{end}").astype(float) for end in ("Low_Energy", "Width"))
        assert data["energy"].to_numpy() == pytest.approx(np.sqrt(low * (low + width)), rel=1e-3)
        assert data["energy_high"].to_numpy() == pytest.approx(low + width, rel=5e-3)
        assert data[name].attrs["units"] == "1/(cm^2 s sr MeV)"
        flux = raw.varget(variable).astype(float)
        times = (raw.varget("EPOCH") - 69_184_000_000) + 946_728_000_000_000_000  # 37 + 32.184 s
        inside = (times >= data["time"].to_numpy()[0].astype(np.int64)) & (
            times <= data["time"].to_numpy()[-1].astype(np.int64)
        )
        assert inside.sum() == data.sizes["time"] > 1000
        assert np.array_equal(data[name].to_numpy(), np.where(flux[inside] < 0, np.nan, flux[inside]), equal_nan=True)


@pytest.mark.real
def test_where_ept_looks_is_a_unit_vector(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "plasma/sunpy/solo_L2_epd-ept-north-hcad_20200713_V02.cdf"
    (tmp_path / path.name).symlink_to(path)
    data = arm.open(tmp_path).get("solo/ept/north/hcad/flow_direction_rtn")["flow_direction_rtn"]
    assert data.attrs["COORDINATE_SYSTEM"] == "RTN"
    assert np.linalg.norm(data.to_numpy(), axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.real
def test_an_empty_file_of_moments_gives_products_without_samples(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "plasma/sunpy/solo_L1_swa-pas-mom_20200706_V01.cdf"
    (tmp_path / path.name).symlink_to(path)
    desk = arm.open(tmp_path)
    for name in ("density", "velocity", "pressure", "temperature"):
        data = desk.get(f"solo/pas/onboard/{name}", "2020-07-06", "2020-07-07")
        assert data.sizes["time"] == 0
