"""Parker Solar Probe: a known solar wind seen by SPAN-i; real files of FIELDS and EPI-Lo."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData
from armillary.missions.plasma.psp import epilo, spani
from armillary.science.particles.datasets import from_dataset
from armillary.science.particles.moments import moments
from armillary.science.plasma import bi_maxwellian
from armillary.sources.write import write

STEPS = 6
TIME = np.datetime64("2020-01-28T14:46:10", "ns") + np.arange(STEPS) * np.timedelta64(7, "s")
#: In the frame of the instrument: from the Sun, and some way past the edge of the heat shield.
DENSITY, DRIFT = 30.0, np.array([-330.0, 170.0, 20.0])
ALONG, ACROSS = 80.0, 50.0
FIELD = np.array([40.0, -30.0, 10.0])
QUATERNION = np.array([0.5, -0.5, -0.5, 0.5])
SPAN = ("2020-01-28T14:46:00", "2020-01-28T14:47:00")


def table(*, missing: bool = False) -> dict[str, Any]:
    """Energies fall; deflections reach less far at high energies; anodes go from the Sun outwards."""
    anode, level, deflection = np.meshgrid(np.arange(8), np.arange(32), np.arange(8), indexing="ij")
    energy = np.geomspace(20_000, 20, 32)[level]
    theta = (-52.5 + 15 * deflection) * np.where(energy > 4000, 0.6, 1.0)
    theta = np.where((level == 0) & (deflection == 7) & missing, np.nan, theta)
    return {"ENERGY": energy.ravel(), "THETA": theta.ravel(), "PHI": (174.375 - 11.25 * anode).ravel()}


def eflux(cells: dict[str, Any]) -> Any:
    """Energy flux ``f v^4 / 2`` in each of the 2048 cells, by the formulas of the public level-2 readers."""
    theta, phi = np.radians(cells["THETA"]), np.radians(cells["PHI"])
    speed = 13.8411 * np.sqrt(cells["ENERGY"])
    motion = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], -1)
    psd = bi_maxwellian(speed[:, None] * motion, DENSITY, DRIFT, ALONG, ACROSS, FIELD / np.linalg.norm(FIELD))
    return psd * (speed * 1e5) ** 4 / 2


def save(folder: Path, dataset: str, found: dict[str, Any]) -> None:
    write(xr.Dataset(found, {"time": TIME}, {"Logical_source": dataset}), folder / f"{dataset}_20200128_v04.cdf")


def archive(folder: Path, *, missing: bool = False, changed: bool = False, energy: str = "eV") -> Path:
    cells = table(missing=missing)
    flux = np.broadcast_to(eflux(cells), (STEPS, 2048))
    columns = {name: np.repeat(one[None], STEPS, 0) for name, one in cells.items()}
    if changed:
        columns["ENERGY"][4:] *= 1.1
    columns["ENERGY"] /= 1e3 if energy == "keV" else 1
    units = {"ENERGY": energy, "THETA": "Degrees", "PHI": "Degrees"}
    save(folder, "psp_swp_spi_sf00_L2_8Dx32Ex8A", {
        "EFLUX": (("time", "cell"), flux.astype("f4"), {"units": "eV/cm2-s-ster-eV", "DEPEND_1": "ENERGY"}),
        **{name: (("time", "cell"), one.astype("f4"), {"units": units[name]}) for name, one in columns.items()},
    })  # fmt: skip
    rest = (("MAGF_INST", FIELD, "nT"), ("VEL_INST", DRIFT, "km/s"), ("QUAT_SC_TO_RTN", QUATERNION, ""))
    save(folder, "psp_swp_spi_sf00_L3_mom", {
        name: (("time", f"n{len(one)}"), np.broadcast_to(one, (STEPS, len(one))), {"units": unit})
        for name, one, unit in rest
    })  # fmt: skip
    return folder


def get(folder: Path, path: str) -> Any:
    return arm.open(folder).get(path, *SPAN)


def linked(real_data: Path, tmp_path: Path, name: str) -> Path:
    (tmp_path / Path(name).name).symlink_to(real_data / "plasma" / name)
    return tmp_path


def test_spani_sees_the_wind_that_was_given(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "psp/spi/sf00/skymap")
    found = moments(from_dataset(data))
    assert found.density == pytest.approx(DENSITY, rel=0.02)
    assert found.velocity == pytest.approx(np.broadcast_to(DRIFT, (STEPS, 3)), abs=4.0)
    assert found.scalar_temperature == pytest.approx((ALONG + 2 * ACROSS) / 3, rel=0.05)


def test_the_wind_goes_outwards_in_rtn(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "psp/spi/sf00/skymap")
    turn = data["to_rtn"].to_numpy()
    flow = np.einsum("tij,tj->ti", turn, data["bulk_velocity"].to_numpy())
    # This quaternion is the attitude in which RTN is (-z, x, -y) of the spacecraft.
    z = spani.TO_SPACECRAFT @ DRIFT
    assert flow == pytest.approx(np.broadcast_to([-z[2], z[0], -z[1]], (STEPS, 3)), abs=1e-3)
    assert flow[0, 0] == pytest.approx(330.0, abs=1e-3)
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_each_cell_is_where_its_table_says(tmp_path: Path) -> None:
    data = get(archive(tmp_path), "psp/spi/sf00/skymap")
    assert data["psd"].shape == (STEPS, 64, 32)
    assert data["energy"].to_numpy() == pytest.approx(np.geomspace(20, 20_000, 32), rel=1e-5)
    # Direction 8 * anode + deflection; the highest energies reach 0.6 of the angle.
    assert data["azimuth"].to_numpy()[:, 0].reshape(8, 8)[:, 3] == pytest.approx(174.375 - 11.25 * np.arange(8))
    assert 90 - data["polar"].to_numpy()[8:16, 0] == pytest.approx(-52.5 + 15 * np.arange(8))
    assert 90 - data["polar"].to_numpy()[8:16, -1] == pytest.approx(0.6 * (-52.5 + 15 * np.arange(8)), abs=1e-5)


def test_units_of_energies_are_read(tmp_path: Path) -> None:
    (tmp_path / "kilo").mkdir()
    (tmp_path / "odd").mkdir()
    data = get(archive(tmp_path / "kilo", energy="keV"), "psp/spi/sf00/skymap")
    assert data["energy"].to_numpy() == pytest.approx(np.geomspace(20, 20_000, 32), rel=1e-5)
    with pytest.raises(BadData, match="'step', which is not known to be eV"):
        get(archive(tmp_path / "odd", energy="step"), "psp/spi/sf00/skymap")


def test_the_cells_fill_the_part_of_the_sky_between_their_outer_edges(tmp_path: Path) -> None:
    solid = get(archive(tmp_path), "psp/spi/sf00/skymap")["solid_angle"].to_numpy()
    for energy, highest in ((0, 60.0), (31, 36.0)):
        whole = np.radians(8 * 11.25) * 2 * np.sin(np.radians(highest))
        assert solid[:, energy].sum() == pytest.approx(whole, rel=1e-5)


def test_a_cell_without_an_angle_is_not_measured(tmp_path: Path) -> None:
    psd = get(archive(tmp_path, missing=True), "psp/spi/sf00/skymap")["psd"].to_numpy()
    assert np.isnan(psd[:, 7::8, -1]).all()
    assert np.isfinite(psd[..., :-1]).all()


def test_a_table_that_changes_is_told_with_the_time(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="2020-01-28T14:46:38"):
        get(archive(tmp_path, changed=True), "psp/spi/sf00/skymap")


def test_other_sizes_and_units_are_refused() -> None:
    cells = table()
    with pytest.raises(BadData, match="2048"):
        spani.cells_of(np.ones((1, 2000)), *cells.values())
    crooked = cells | {"ENERGY": cells["ENERGY"] * np.linspace(1, 1.1, 2048)}
    with pytest.raises(BadData, match="energies"):
        spani.cells_of(np.ones((1, 2048)), *crooked.values())


@pytest.mark.real
def test_the_field_of_fields_is_as_in_its_file(real_data: Path, tmp_path: Path) -> None:
    import cdflib

    name = "sunpy/psp_fld_l2_mag_rtn_1min_20200104_v02.cdf"
    data = arm.open(linked(real_data, tmp_path, name)).get("psp/fields/b_rtn_1min")["b_rtn"]
    raw = cdflib.CDF(real_data / "plasma" / name).varget("psp_fld_l2_mag_RTN_1min").astype(float)
    assert data.attrs["COORDINATE_SYSTEM"] == "RTN"
    assert data["component"].to_numpy().tolist() == ["R", "T", "N"]
    assert np.array_equal(data.to_numpy(), np.where(raw < -1e30, np.nan, raw), equal_nan=True)


@pytest.mark.real
def test_the_spectrum_of_epilo_is_the_mean_of_the_sky(real_data: Path, tmp_path: Path) -> None:
    import cdflib

    name = "spacepy/psp_isois-epilo_l2-ic_20190401_v0.0.0.cdf"
    desk = arm.open(linked(real_data, tmp_path, name))
    raw = cdflib.CDF(real_data / "plasma" / name)
    rate, energy = raw.varget("H_CountRate_ChanT").astype(float), raw.varget("H_ChanT_Energy").astype(float)
    rate[rate < -1e30], energy[energy < 0] = np.nan, np.nan
    found = desk.get("psp/epilo/h_countrate_chant/spectrum")["H_CountRate_ChanT"]
    known = np.flatnonzero(np.isfinite(energy[0]))[::-1]
    assert found["energy"].to_numpy() == pytest.approx(energy[0, known])
    # In this file all directions have the same energies.
    assert found.to_numpy() == pytest.approx(np.nanmean(rate, axis=1)[:, known], rel=1e-6, nan_ok=True)
    sky = desk.get("psp/epilo/h_countrate_chant/sky", params={"low_energy": 100.0, "high_energy": 1000.0})
    band = np.flatnonzero((energy[0] >= 100) & (energy[0] <= 1000))
    assert 0 < len(band) < len(known)
    assert sky["H_CountRate_ChanT"].to_numpy() == pytest.approx(np.nanmean(rate[:, :, band], axis=2), rel=1e-6)


def test_energies_that_differ_between_directions_go_to_the_nearest() -> None:
    energy = np.array([[10.0, 100, 1000], [12, 90, np.nan]])
    rate = np.array([[[1.0, 2, 3], [5, 6, 7]]])
    raw = xr.Dataset(
        {"rate": (("time", "look", "e"), rate, {"units": "1/s", "DEPEND_2": "E"})},
        {"time": TIME[:1], "E": (("look", "e"), energy, {"units": "keV"})},
    )
    found = epilo.energies.function(raw)["rate"]
    assert found["energy"].to_numpy().tolist() == [10.0, 100.0, 1000.0]
    assert found.to_numpy().tolist() == [[3.0, 4.0, 3.0]]
    with pytest.raises(BadData, match="energies"):
        epilo.energies.function(raw.drop_vars("E"))
