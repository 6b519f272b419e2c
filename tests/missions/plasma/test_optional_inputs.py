"""What lies beside a distribution may be shorter than it: the distribution stays whole, with NaN beside it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData
from armillary.missions.plasma.psp.spani import skymap as psp_skymap
from armillary.missions.plasma.solo.pas import skymap as pas_skymap
from armillary.science.particles import flags
from armillary.services.desk import Desk
from armillary.testing.plasma_archives import BEGIN, IONS, TO_DBCS, TO_GSE, times, unit_vectors, write_file

MAP = "mms/mms1/dis/fast/skymap"
STEP, COUNT = 4.5, 40
#: Of the maps, so many have all that can lie beside them.
WITH_ALL = 4
SHORT = {"magnetic_field", "electric_field", "spacecraft_potential", "bulk_velocity", "to_gse"}


def write_maps(folder: Path) -> None:
    energy = np.geomspace(10, 30000, 32)
    phi, theta = 5.625 + 11.25 * np.arange(32), 5.625 + 11.25 * np.arange(16)
    psd = IONS.psd(-unit_vectors(phi[:, None], theta)[:, :, None, :], energy)
    coords = {
        f"mms1_dis_{name}_fast": ((f"mms1_dis_{name}_fast",), values.astype("f4"), {"units": units})
        for name, values, units in (("phi", phi, "deg"), ("theta", theta, "deg"), ("energy", energy, "eV"))
    }
    depends = {f"DEPEND_{number}": name for number, name in enumerate(coords, 1)}
    values = np.broadcast_to(psd, (COUNT, *psd.shape)).astype("f4")
    found = {"mms1_dis_dist_fast": (("time", *coords), values, {"units": "s^3/cm^6", **depends})}
    write_file(folder, "mms1_fpi_fast_l2_dis-dist", times(COUNT, STEP), found, coords)


def write_rest(folder: Path) -> None:
    """Write fields, moments and attitude that end after the first maps; none begins after the maps."""
    seconds = WITH_ALL * STEP

    def save(dataset: str, step: float, found: dict[str, tuple[Any, str]]) -> None:
        time = times(round((seconds + 60) / step), step, -60)
        rows = {
            name: (("time", f"of_{name}")[: 1 + np.ndim(value)], np.broadcast_to(value, (len(time), *np.shape(value))),
                   {"units": units}) for name, (value, units) in found.items()
        }  # fmt: skip
        write_file(folder, dataset, time, rows, version="2.2.2")

    save("mms1_fgm_srvy_l2", 0.125, {"mms1_fgm_b_dmpa_srvy_l2": (np.array([*IONS.field, 1.0]), "nT")})
    save("mms1_edp_fast_l2_dce", 0.125, {"mms1_edp_dce_dsl_fast_l2": (np.array([2.0, -1.0, 0.25]), "mV/m")})
    save("mms1_edp_fast_l2_scpot", 0.125, {"mms1_edp_scpot_fast_l2": (np.array(4.0), "V")})
    save("mms1_fpi_fast_l2_dis-moms", STEP, {"mms1_dis_bulkv_dbcs_fast": (np.array(IONS.drift), "km/s")})
    quaternions = {f"mms1_mec_quat_eci_to_{name}": (one, "") for name, one in (("dbcs", TO_DBCS), ("gse", TO_GSE))}
    save("mms1_mec_srvy_l2_epht89d", 1.0, quaternions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mms")
    write_maps(made)
    write_rest(made)
    return made


@pytest.fixture
def desk(folder: Path, tmp_path: Path) -> Desk:
    return arm.open(folder, home=tmp_path / "home")


def ask(desk: Desk, path: str, first: int, last: int) -> Any:
    """Ask for these maps, by their numbers."""
    begin, end = (str(BEGIN + np.timedelta64(round(one * STEP * 1000), "ms")) for one in (first, last))
    return desk.get(path, begin, end)


def test_the_distribution_covers_all_its_maps(desk: Desk) -> None:
    span = desk.product(MAP).coverage
    assert span
    assert span.seconds == pytest.approx((COUNT - 1) * STEP, abs=1e-6)
    assert desk.get(MAP).sizes["time"] == COUNT


def test_what_is_beside_it_is_nan_where_it_was_not_measured(desk: Desk) -> None:
    data = ask(desk, MAP, 0, COUNT)
    assert set(data.data_vars) >= SHORT
    for name in SHORT:
        known = np.isfinite(data[name].to_numpy().reshape(COUNT, -1)).all(1)
        assert known[: WITH_ALL - 1].all(), name
        assert not known[WITH_ALL + 2 :].any(), name
    assert np.isfinite(data["psd"].to_numpy()).all()


def test_pieces_with_and_without_the_rest_become_one(desk: Desk) -> None:
    late, early = ask(desk, MAP, 20, COUNT), ask(desk, MAP, 0, 20)
    assert set(late.data_vars) == set(early.data_vars)
    xr.testing.assert_equal(ask(desk, MAP, 0, COUNT), xr.concat([early, late], "time", data_vars="minimal"))


def test_moments_without_a_field_say_so_and_are_right(desk: Desk) -> None:
    early, late = ask(desk, f"{MAP}/moments", 0, 3), ask(desk, f"{MAP}/moments", 20, 30)
    assert late["density"].to_numpy() == pytest.approx(np.full(10, IONS.density), rel=1e-3)
    assert np.isfinite(early["anisotropy"].to_numpy()).all()
    assert np.isnan(late["anisotropy"].to_numpy()).all()
    assert not (early["flag"].to_numpy() & flags.NO_FIELD).any()
    assert (late["flag"].to_numpy() & flags.NO_FIELD).all()
    # The potential has ended, too: ions are hardly touched by it.
    assert (late["flag"].to_numpy() & flags.NO_POTENTIAL).all()
    assert not (early["flag"].to_numpy() & flags.NO_POTENTIAL).any()


def test_what_cannot_be_without_a_field_is_refused_or_empty(desk: Desk) -> None:
    with pytest.raises(BadData, match="magnetic field is missing"):
        ask(desk, f"{MAP}/energy_pitch_angle", 20, 30)
    assert np.isnan(ask(desk, f"{MAP}/slice", 20, 22)["f"].to_numpy()).all()


def nothing(*shape: int, units: str = "") -> xr.Dataset:
    """Give an input that has no sample in the interval, as sources do."""
    dims = ("time", *(f"n{number}" for number in range(len(shape))))
    return xr.Dataset({"v": (dims, np.zeros((0, *shape)), {"units": units})}, {"time": times(0, 1.0)})


def test_pas_has_its_maps_when_field_and_moments_are_silent() -> None:
    axes = {"Azimuth": np.arange(11.0), "Elevation": np.arange(9.0), "Energy": np.geomspace(200, 20_000, 96)}
    attrs = {"units": "s^3 m^-6", "DEPEND_1": "Azimuth", "DEPEND_2": "Elevation", "DEPEND_3": "Energy"}
    psd = xr.Dataset({"vdf": (("time", *axes), np.ones((3, 11, 9, 96)), attrs)}, {"time": times(3, 4.0), **axes})
    turn = xr.Dataset({"m": (("time", "a", "b"), np.tile(np.eye(3), (3, 1, 1)), {"units": ""})}, {"time": psd["time"]})
    given: dict[str, Any] = dict.fromkeys(pas_skymap.optional)
    given |= {"to_rtn": turn, "field": nothing(3, units="nT"), "velocity": nothing(3, units="km/s")}
    data = pas_skymap.function(psd, **given)
    assert np.isfinite(data["psd"].to_numpy()).all()
    assert np.isnan(data["magnetic_field"].to_numpy()).all()
    assert np.isnan(data["bulk_velocity"].to_numpy()).all()


def test_spani_has_its_maps_when_the_moments_are_silent() -> None:
    anode, level, deflection = np.meshgrid(np.arange(8), np.arange(32), np.arange(8), indexing="ij")
    table = {
        "ENERGY": np.geomspace(20_000, 20, 32)[level],
        "THETA": -52.5 + 15.0 * deflection,
        "PHI": 174.0 - 11 * anode,
    }
    units = {"ENERGY": "eV", "THETA": "Degrees", "PHI": "Degrees", "EFLUX": "eV/cm2-s-ster-eV"}
    given = {
        name: xr.Dataset({name: (("time", "cell"), np.tile(one.ravel(), (3, 1)), {"units": units[name]})},
                         {"time": times(3, 7.0)})
        for name, one in {**table, "EFLUX": np.ones((8, 32, 8))}.items()
    }  # fmt: skip
    data = psp_skymap.function(
        given["EFLUX"], given["ENERGY"], given["THETA"], given["PHI"], nothing(3, units="nT"),
        nothing(3, units="km/s"), nothing(4),
    )  # fmt: skip
    assert np.isfinite(data["psd"].to_numpy()).all()
    for name in ("magnetic_field", "bulk_velocity", "to_rtn"):
        assert np.isnan(data[name].to_numpy()).all()
