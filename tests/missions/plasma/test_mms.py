"""MMS: maps turned the right way round, fields beside them, and the current between the four craft."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData
from armillary.missions.plasma.mms import MISSION
from armillary.missions.plasma.mms.fields import dbcs_to_gse
from armillary.missions.plasma.mms.fpi import skymap
from armillary.model import Archive, silent
from armillary.science.particles.datasets import from_dataset
from armillary.science.particles.moments import moments
from armillary.sources.connect import connect
from armillary.testing.plasma_archives import (
    ELECTRONS,
    IONS,
    SLOPES,
    TO_DBCS,
    TO_GSE,
    Plasma,
    rotation,
    times,
    unit_vectors,
    write_mms,
)
from armillary.tree import Recipes, derive

TURN = rotation(TO_GSE) @ rotation(TO_DBCS).T
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(opened: Any) -> Ask:
    found: Ask = opened(MISSION, write_mms).ask
    return found


def temperature(plasma: Plasma) -> Any:
    b = np.array(plasma.field) / np.linalg.norm(plasma.field)
    return plasma.perpendicular * np.eye(3) + (plasma.parallel - plasma.perpendicular) * np.outer(b, b)


@pytest.mark.parametrize(
    ("path", "seconds", "plasma"),
    [("dis/brst", 2, IONS), ("dis/fast", 50, IONS), ("dis/slow", 480, IONS), ("des/brst", 0.5, ELECTRONS)],
)
def test_a_map_gives_back_the_plasma_that_was_put_in(ask: Ask, path: str, seconds: float, plasma: Plasma) -> None:
    """A wrong look direction would turn the drift over, a wrong energy table change the density."""
    data = ask(f"mms/mms1/{path}/skymap", 0, seconds)
    assert data["psd"].attrs["COORDINATE_SYSTEM"] == "DBCS"
    cells = from_dataset(data)
    assert (cells.mass, cells.charge) == (plasma.mass, 1 if plasma is IONS else -1)
    assert np.isnan(cells.psd).sum() == 1
    found = moments(cells)
    assert found.density == pytest.approx(plasma.density, rel=1e-3)
    # Electrons are much faster than their drift; the record with the missing cell is the worst.
    assert found.velocity == pytest.approx(np.tile(plasma.drift, (cells.steps, 1)), abs=0.5)
    assert found.temperature[0] == pytest.approx(temperature(plasma), rel=0.02, abs=plasma.parallel * 2e-3)
    assert cells.error is not None
    assert cells.error == pytest.approx(0.1 * cells.psd, rel=1e-5, nan_ok=True)


def test_all_axes_of_a_map_rise(ask: Ask) -> None:
    cells = from_dataset(ask("mms/mms1/dis/brst/skymap", 0, 2))
    for axis in (cells.azimuth, cells.polar, cells.energy):
        assert (np.diff(axis, axis=-1) > 0).all()
    assert ((cells.azimuth >= 0) & (cells.azimuth < 360)).all()
    # Two energy tables take turns.
    assert cells.energy[0] != pytest.approx(cells.energy[1], rel=0.05)
    assert cells.energy[0] == pytest.approx(cells.energy[2])


def test_what_lies_beside_a_map_is_in_its_frame(ask: Ask) -> None:
    data = ask("mms/mms1/dis/fast/skymap", 0, 50)
    for name, truth in (
        ("magnetic_field", IONS.field),
        ("bulk_velocity", IONS.drift),
        ("electric_field", (2, -1, 0.25)),
    ):
        assert data[name].to_numpy() == pytest.approx(np.tile(truth, (data.sizes["time"], 1)), rel=1e-5)
    assert data["spacecraft_potential"].to_numpy() == pytest.approx(4.0)
    assert data["to_gse"].to_numpy() == pytest.approx(np.tile(TURN, (data.sizes["time"], 1, 1)), abs=1e-9)
    assert data["error_flags"].to_numpy().tolist() == list(range(10))


def test_a_very_short_question_has_its_attitude_too(ask: Ask) -> None:
    """Quaternions come every 30 s, one burst map of electrons takes 0.03 s."""
    data = ask("mms/mms1/des/brst/skymap", 0.05, 0.1)
    assert data.sizes["time"] == 2
    assert np.isfinite(data["to_gse"].to_numpy()).all()


def test_fields_lose_their_fourth_component_and_their_bad_samples(ask: Ask) -> None:
    field = ask("mms/mms1/fgm/srvy/b_gse", -10, 0)
    assert field["b_gse"].shape == (80, 3)
    assert field["b_gse"].attrs["COORDINATE_SYSTEM"] == "GSE"
    assert np.flatnonzero(np.isnan(field["b_gse"].to_numpy()).any(1)).tolist() == [7]
    kept = ask("mms/mms1/fgm/srvy/b_gse", -10, 0, keep_flagged=True)
    assert np.isfinite(kept["b_gse"].to_numpy()).all()
    electric = ask("mms/mms1/edp/fast/e_gse", -2, 0)
    assert np.flatnonzero(np.isnan(electric["e_gse"].to_numpy()).any(1)).tolist() == [5]
    assert np.isfinite(ask("mms/mms1/edp/fast/e_gse", -2, 0, lowest_quality=0)["e_gse"].to_numpy()).all()
    assert ask("mms/mms1/scm/srvy/scsrvy/acb_gse", 0, 1)["acb_gse"].sizes == {"time": 32, "component": 3}


def test_moments_are_those_of_the_file(ask: Ask) -> None:
    assert ask("mms/mms1/dis/brst/density", 0, 2)["density"].to_numpy() == pytest.approx(IONS.density)
    velocity = ask("mms/mms1/dis/brst/velocity_gse", 0, 2)["velocity_gse"]
    assert velocity.to_numpy()[0] == pytest.approx(TURN @ IONS.drift, rel=1e-5)
    assert velocity.attrs["COORDINATE_SYSTEM"] == "GSE"
    tensor = ask("mms/mms1/dis/brst/temperature_gse", 0, 2)["temperature_gse"].to_numpy()
    assert np.linalg.eigvalsh(tensor[0]) == pytest.approx([400, 400, 700], rel=1e-5)
    assert ask("mms/mms1/edp/fast/potential", 0, 2)["potential"].to_numpy() == pytest.approx(4.0)


def test_the_curlometer_gives_the_current_of_a_field_with_known_slopes(ask: Ask) -> None:
    found = ask("mms/curlometer/srvy", 0, 10)
    curl = [SLOPES[1, 2] - SLOPES[2, 1], SLOPES[2, 0] - SLOPES[0, 2], SLOPES[0, 1] - SLOPES[1, 0]]
    expected = np.array(curl) * 1e-12 / (4e-7 * np.pi) * 1e9
    assert found["current"].to_numpy() == pytest.approx(np.tile(expected, (80, 1)), rel=1e-5, abs=1e-3)
    assert found["divergence"].to_numpy() == pytest.approx(0, abs=1e-6)


def maps(count: int = 4, *, mode: str = "fast", **more: Any) -> xr.Dataset:
    """A small distribution as `skymap` is given it."""
    energy = np.geomspace(10, 30000, 32)
    phi, theta = 5.625 + 11.25 * np.arange(32), 5.625 + 11.25 * np.arange(16)
    psd = IONS.psd(-unit_vectors(phi[:, None], theta)[:, :, None, :], energy)
    name = f"mms1_dis_dist_{mode}"
    axes = {
        "DEPEND_1": f"mms1_dis_phi_{mode}",
        "DEPEND_2": f"mms1_dis_theta_{mode}",
        "DEPEND_3": f"mms1_dis_energy_{mode}",
    }
    values = np.broadcast_to(psd, (count, 32, 16, 32)).copy()
    given = {name: (("time", "p", "t", "e"), values, {"units": "s^3/cm^6", **axes})}
    coords = {"time": times(count, 4.5), axes["DEPEND_1"]: ("p", phi), axes["DEPEND_2"]: ("t", theta),
              axes["DEPEND_3"]: (("time", "e"), np.tile(energy, (count, 1)))}  # fmt: skip
    return xr.Dataset(given, coords | more)


def bare(distribution: xr.Dataset, **given: Any) -> xr.Dataset:
    names = ("error", "energy", "phi", "parity", "flags", "b", "velocity", "potential", "e", "attitude")
    return skymap(distribution, **(dict.fromkeys(names) | given))


def test_a_beam_along_x_is_seen_by_the_sectors_that_look_along_minus_x() -> None:
    data = bare(maps())
    densest = data["psd"].isel(time=0).argmax(("azimuth", "polar", "energy"))  # type: ignore[arg-type]
    found = {str(name): int(one) for name, one in densest.items()}
    azimuth = float(data["azimuth"][found["azimuth"]])
    assert abs((azimuth - np.degrees(np.arctan2(-60, 300)) + 180) % 360 - 180) < 12
    assert float(data["polar"][found["polar"]]) == pytest.approx(np.degrees(np.arccos(90 / 319)), abs=12)


def test_without_anything_beside_it_there_is_still_a_map() -> None:
    assert set(bare(maps()).data_vars) == {"psd"}
    nothing = bare(maps().isel(time=slice(0)))
    assert nothing.sizes["time"] == 0


def test_a_record_without_energies_is_no_record() -> None:
    data = maps()
    energy = data["mms1_dis_energy_fast"].to_numpy().copy()
    energy[2, 5] = np.nan
    found = bare(data.assign_coords(mms1_dis_energy_fast=(("time", "e"), energy)))
    missing = np.isnan(found["psd"].to_numpy()).all((1, 2, 3))
    assert missing.tolist() == [False, False, True, False]
    assert from_dataset(found).energy[2] == pytest.approx(from_dataset(found).energy[0])
    with pytest.raises(BadData, match="fill"):
        bare(data.assign_coords(mms1_dis_energy_fast=(("time", "e"), energy * np.nan)))


def test_a_negative_density_is_not_measured_and_none_is_none() -> None:
    data = maps()
    data["mms1_dis_dist_fast"][1, 0, 0, 0] = -1e-30
    data["mms1_dis_dist_fast"][1, 1, 0, 0] = 0.0
    psd = bare(data)["psd"].to_numpy()
    assert np.isnan(psd).sum() == 1
    assert (psd[1] == 0).sum() == 1


def test_other_geometry_is_refused() -> None:
    with pytest.raises(BadData, match=r"\(32, 16, 32\)"):
        bare(maps().isel(p=slice(16)))
    with pytest.raises(BadData, match="no FPI distribution"):
        bare(maps().rename(mms1_dis_dist_fast="mms1_dis_other_fast"))
    with pytest.raises(BadData, match="does not say its phi"):
        bare(maps().drop_vars("mms1_dis_phi_fast"))
    counts = maps()
    counts["mms1_dis_dist_fast"].attrs["units"] = "counts"
    with pytest.raises(BadData, match="not known to be"):
        bare(counts)


def test_units_of_metres_are_turned_into_centimetres() -> None:
    data = maps()
    data["mms1_dis_dist_fast"] = data["mms1_dis_dist_fast"] * 1e12
    data["mms1_dis_dist_fast"].attrs = maps()["mms1_dis_dist_fast"].attrs | {"units": "s^3 m^-6"}
    assert bare(data)["psd"].to_numpy() == pytest.approx(bare(maps())["psd"].to_numpy())


def test_units_of_energies_and_angles_are_read() -> None:
    data, wanted = maps(), bare(maps())
    kilo = data["mms1_dis_energy_fast"] / 1e3
    given = data.assign_coords(
        mms1_dis_energy_fast=kilo.assign_attrs(units="keV"),
        mms1_dis_phi_fast=np.radians(data["mms1_dis_phi_fast"]).assign_attrs(units="radians"),
        mms1_dis_theta_fast=np.radians(data["mms1_dis_theta_fast"]).assign_attrs(units="rad"),
    )
    # one table beside it, as those servers have it that keep no axes
    beside = xr.Dataset({"energy": (("time", "e"), kilo.to_numpy(), {"units": "keV"})}, {"time": data["time"]})
    for found in (bare(given), bare(data, energy=beside)):
        assert moments(from_dataset(found)).density == pytest.approx(moments(from_dataset(wanted)).density)
    odd = data.assign_coords(mms1_dis_energy_fast=kilo.assign_attrs(units="step"))
    with pytest.raises(BadData, match="'step', which is not known to be eV"):
        bare(odd)


def test_one_energy_table_for_two_is_refused() -> None:
    """A server that gives the first record's energies for all of a burst would shift every second spectrum."""
    data = maps(mode="brst")
    flat = data.assign_coords(mms1_dis_energy_brst=("e", data["mms1_dis_energy_brst"].to_numpy()[0]))
    parity = xr.Dataset({"parity": ("time", np.array([0, 1, 0, 1]), {"units": ""})}, {"time": data["time"]})
    with pytest.raises(BadData, match="two energy tables"):
        bare(flat, parity=parity)
    assert "psd" in bare(flat, parity=parity * 0)
    given = xr.Dataset({"e": (("time", "n"), data["mms1_dis_energy_brst"].to_numpy())}, {"time": data["time"]})
    assert "psd" in bare(flat, parity=parity, energy=given)


def test_errors_of_other_records_are_refused() -> None:
    data = maps()
    later = data.assign_coords(time=data["time"] + np.timedelta64(1, "s"))
    with pytest.raises(BadData, match="other times"):
        bare(data, error=later)


@pytest.mark.parametrize(("version", "sign"), [("2.2.2", 1), ("1.3.0", -1), ("", 1)])
def test_quaternions_of_the_first_version_turn_the_axes(version: str, sign: int) -> None:
    time = times(3, 30.0)

    def quaternions(value: Any) -> xr.Dataset:
        turned = np.tile(value * [sign, sign, sign, 1], (3, 1))
        return xr.Dataset({"q": (("time", "n"), turned)}, {"time": time}, {"Data_version": version})

    found = dbcs_to_gse.function(quaternions(TO_DBCS), quaternions(TO_GSE), step=10.0)
    assert found["dbcs_to_gse"].shape == (7, 3, 3)
    assert found["dbcs_to_gse"].to_numpy() == pytest.approx(np.tile(TURN, (7, 1, 1)), abs=1e-12)
    with pytest.raises(BadData, match="no quaternions"):
        dbcs_to_gse.function(quaternions(TO_DBCS).isel(n=slice(3)), quaternions(TO_GSE), step=10.0)


@pytest.mark.real
def test_real_moments_become_leaves(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "plasma" / "mms1_fpi_dis_moms"
    raw = list(connect(Archive(name="local", protocol="folder", address=str(folder)), tmp_path).inventory(silent))
    found = {one.path for one in derive(raw, Recipes({one.output: one for one in MISSION.recipes}))}
    names = ("density", "velocity_gse", "velocity_dbcs", "pressure_gse", "temperature_gse", "temperature_parallel",
             "temperature_perpendicular", "heat_flux_gse")  # fmt: skip
    assert found == {f"mms/mms1/dis/fast/{name}" for name in names}


@pytest.mark.real
def test_real_moments_agree_with_each_other(real_data: Path, tmp_path: Path) -> None:
    """T = P / n, and the parallel and perpendicular temperatures have the trace of T."""
    folder = real_data / "plasma" / "mms1_fpi_dis_moms"
    source = connect(Archive(name="local", protocol="folder", address=str(folder)), tmp_path)
    recipes = Recipes({one.output: one for one in MISSION.recipes})
    leaves = {one.path: one for one in source.inventory(silent)}
    leaves |= {one.path: one for one in derive(list(leaves.values()), recipes)}

    def ask_real(name: str) -> Any:
        from armillary.cache import Cache
        from armillary.model import Extent, Interval, Request
        from armillary.products import Workshop, make, plan

        span = Extent(time=Interval.of("2015-10-17T06:30", "2015-10-17T06:40"))
        asked = plan(Request(f"mms/mms1/dis/fast/{name}", span), leaves.__getitem__, recipes.of)
        return make(asked, Workshop(lambda _: source, Cache(tmp_path / "cache")), silent)[name].to_numpy()

    density, pressure, warmth = ask_real("density"), ask_real("pressure_gse"), ask_real("temperature_gse")
    assert pressure / density[:, None, None] / 1.602176634e-4 == pytest.approx(warmth, rel=2e-3, abs=0.5)
    trace = ask_real("temperature_parallel") + 2 * ask_real("temperature_perpendicular")
    assert np.trace(warmth, axis1=1, axis2=2) == pytest.approx(trace, rel=1e-3)
