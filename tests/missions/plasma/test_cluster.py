"""Cluster: ions by direction of motion, electrons by direction of looking, and the current between the four craft."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData
from armillary.missions.plasma.cluster import MISSION
from armillary.missions.plasma.cluster.distributions import _KINDS, skymap
from armillary.science.particles.datasets import from_dataset
from armillary.science.particles.moments import moments
from armillary.testing.plasma_archives import ELECTRONS, FIELD, IONS, PLACES, SLOPES, times, unit_vectors
from armillary.testing.plasma_spinners import write_cluster

Ask = Callable[..., Any]
HIA, PEACE = _KINDS[0], _KINDS[-1]


def both(folder: Path) -> Path:
    write_cluster(folder, long=False)
    return write_cluster(folder)


@pytest.fixture(scope="module")
def ask(opened: Any) -> Ask:
    found: Ask = opened(MISSION, both).ask
    return found


@pytest.mark.parametrize("top", ["cluster", "cluster/csa"])
@pytest.mark.parametrize("kind", ["hia/mag", "codif/o1", "peace/high"])
def test_a_distribution_gives_back_the_plasma_that_was_put_in(ask: Ask, top: str, kind: str) -> None:
    data = ask(f"{top}/c1/{kind}/skymap", 0, 60)
    assert data["psd"].attrs["COORDINATE_SYSTEM"] == "ISR2"
    cells = from_dataset(data)
    assert cells.psd.dtype == float
    for axis in (cells.azimuth, cells.polar, cells.energy):
        assert (np.diff(axis, axis=-1) > 0).all()
    found = moments(cells)
    drift = ELECTRONS.drift if kind == "peace/high" else (200.0, -60.0, 90.0)
    assert found.density == pytest.approx(8, rel=5e-3)
    assert found.velocity == pytest.approx(np.tile(drift, (15, 1)), abs=1)


def test_masses_are_those_of_the_ions(ask: Ask) -> None:
    weights = [ask(f"cluster/c1/codif/{ion}/skymap", 0, 4)["psd"].attrs["mass"] for ion in ("h1", "he1", "o1")]
    assert np.array(weights) / weights[0] == pytest.approx([1, 3.97, 15.88], rel=2e-3)
    assert ask("cluster/c1/peace/low/skymap", 0, 4)["psd"].attrs["charge"] == -1


def test_what_lies_beside_a_distribution(ask: Ask) -> None:
    data = ask("cluster/c1/hia/mag/skymap", 0, 20)
    assert data["magnetic_field"].to_numpy() == pytest.approx(np.tile(IONS.field, (5, 1)))
    assert data["bulk_velocity"].to_numpy() == pytest.approx(np.tile(IONS.drift, (5, 1)))


@pytest.mark.parametrize("top", ["cluster", "cluster/csa"])
def test_fields_orbits_moments_and_the_current(ask: Ask, top: str) -> None:
    field = ask(f"{top}/c1/fgm/spin/b_gse", 0, 20)["b_gse"]
    assert field.to_numpy()[0] == pytest.approx(FIELD + (PLACES[0] - PLACES.mean(0)) @ SLOPES)
    assert ask(f"{top}/c1/fgm/spin/b_isr2", 0, 20)["b_isr2"].attrs["COORDINATE_SYSTEM"] == "ISR2"
    assert ask(f"{top}/c2/fgm/spin/r_gse", 0, 20)["r_gse"].to_numpy()[0] == pytest.approx(PLACES[1])
    assert ask(f"{top}/c1/hia/velocity_isr2", 0, 20)["velocity_isr2"].to_numpy()[0] == pytest.approx(IONS.drift)
    assert ask(f"{top}/c1/hia/density", 0, 20)["density"].to_numpy() == pytest.approx(IONS.density)
    found = ask(f"{top}/curlometer/spin", 0, 20)["current"].to_numpy()
    curl = np.array([SLOPES[1, 2] - SLOPES[2, 1], SLOPES[2, 0] - SLOPES[0, 2], SLOPES[0, 1] - SLOPES[1, 0]])
    assert found[0] == pytest.approx(curl * 1e-3 / (4e-7 * np.pi))


def cells(count: int = 2, **more: Any) -> xr.Dataset:
    """A CIS distribution of one s^3 km^-6 everywhere, its axes as the archive has them."""
    axes = {
        "theta": -78.75 + 22.5 * np.arange(8),
        "phi": 168.75 - 22.5 * np.arange(16),
        "energy": np.geomspace(3e4, 6, 31),
    }
    shape = {"time": count, "theta": 8, "phi": 16, "energy": 31}
    values = more.pop("values", np.ones(tuple(shape.values())))
    attrs = {"units": more.pop("units", "s^3 km^-6"), **{f"DEPEND_{n}": name for n, name in enumerate(axes, 1)}}
    coords = {name: (name, one, {"units": ""}) for name, one in axes.items()}
    return xr.Dataset({"3d_ions": (tuple(shape), values, attrs)}, {"time": times(count, 4.0), **coords} | more)


@pytest.mark.parametrize("units", ["s^3 km^-6", "s^3/km^6", "particles s^3 km^-6", "s3/km6"])
def test_units_become_those_of_skymaps(units: str) -> None:
    assert skymap(HIA, cells(units=units), {})["psd"].to_numpy() == pytest.approx(1e-30, rel=1e-9)


def test_units_of_energies_and_angles_are_read() -> None:
    data, wanted = cells(), skymap(HIA, cells(), {})
    given = data.assign_coords(energy=(data["energy"] / 1e3).assign_attrs(units="keV"),
                               theta=np.radians(data["theta"]).assign_attrs(units="rad"))  # fmt: skip
    found = skymap(HIA, given, {})
    for name in ("energy", "polar", "azimuth"):
        assert found[name].to_numpy() == pytest.approx(wanted[name].to_numpy())
    with pytest.raises(BadData, match="'channel', which is not known to be eV"):
        skymap(HIA, data.assign_coords(energy=data["energy"].assign_attrs(units="channel")), {})


def test_a_beam_of_ions_moves_where_its_cell_says() -> None:
    values = np.zeros((1, 8, 16, 31))
    values[0, 6, 0, 10] = 1.0
    data = skymap(HIA, cells(1, values=values), {})
    place = np.unravel_index(int(data["psd"].to_numpy().argmax()), data["psd"].shape)
    assert float(data["azimuth"][place[1]]) == 168.75
    assert float(data["polar"][place[2]]) == 90 - 56.25
    assert float(data["energy"][place[3]]) == pytest.approx(np.geomspace(3e4, 6, 31)[10])


def test_a_beam_of_electrons_moves_against_the_look_and_isr2_is_upside_down() -> None:
    phi, theta = np.arange(12) * 30.0, np.array([30.0, 90, 150])
    values = np.zeros((1, 12, 3, 2))
    values[0, 2, 0, 0] = 1.0
    attrs = {"units": "s^3 km^-6", "DEPEND_1": "a", "DEPEND_2": "p", "DEPEND_3": "e"}
    coords = {"time": times(1, 4.0), "a": phi, "p": theta, "e": [20.0, 10.0]}
    data = skymap(PEACE, xr.Dataset({"Data": (("time", "a", "p", "e"), values, attrs)}, coords), {})
    place = np.unravel_index(int(data["psd"].to_numpy().argmax()), data["psd"].shape)
    motion = unit_vectors(data["azimuth"][place[1]].to_numpy(), data["polar"][place[2]].to_numpy())
    assert motion == pytest.approx(-unit_vectors(60.0, 30.0) * [1, -1, -1])
    assert float(data["energy"][place[3]]) == 20.0


def test_a_record_without_its_energies_is_missing_but_a_row_without_any_goes() -> None:
    energy = np.tile(np.geomspace(3e4, 6, 31), (3, 1))
    energy[:, 0] = np.nan
    energy[1] = np.nan
    data = cells(3, energy=(("time", "energy"), energy))
    data["3d_ions"][1] = np.nan
    found = from_dataset(skymap(HIA, data, {}))
    assert found.psd.shape == (3, 16, 8, 30)
    assert np.isnan(found.psd).all((1, 2, 3)).tolist() == [False, True, False]
    assert found.energy[1] == pytest.approx(found.energy[0])
    data = cells(3, energy=(("time", "energy"), energy * np.nan))
    with pytest.raises(BadData, match="fill values only"):
        skymap(HIA, data, {})


def test_what_is_no_phase_space_density_is_refused() -> None:
    with pytest.raises(BadData, match="not in s"):
        skymap(HIA, cells(units="Particles s^-1"), {})
    with pytest.raises(BadData, match="does not say what its dimension 2 is"):
        skymap(HIA, cells().drop_vars("phi"), {})
    with pytest.raises(BadData, match="no variable with 3 dimensions"):
        skymap(HIA, cells().isel(phi=0), {})


def test_nothing_counted_is_zero_and_nothing_measured_is_missing() -> None:
    values = np.zeros((2, 8, 16, 31))
    values[0, 0, 0, 0] = np.nan
    psd = skymap(HIA, cells(values=values), {})["psd"].to_numpy()
    assert np.isnan(psd).sum() == 1
    assert np.nansum(psd) == 0
    empty = skymap(HIA, cells().isel(time=slice(0)), {})
    assert empty["psd"].shape == (0, 16, 8, 31)
