"""THEMIS: 88 directions of two analysers, moments with their quality, and the spin axis."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData
from armillary.missions.plasma.themis import MISSION
from armillary.missions.plasma.themis.esa import skymap
from armillary.missions.plasma.themis.fields import despun_axes
from armillary.missions.plasma.themis.geometry import directions
from armillary.model import Product
from armillary.science.coordinates.frames import matrices
from armillary.science.particles.datasets import from_dataset
from armillary.science.particles.moments import moments
from armillary.sources.files import cdf
from armillary.testing.plasma_archives import ELECTRONS, FIELD, IONS, PLACES, Plasma, times
from armillary.testing.plasma_spinners import SPIN_AXIS, write_themis
from armillary.tree import Recipes, derive

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(opened: Any) -> Ask:
    found: Ask = opened(MISSION, write_themis).ask
    return found


@pytest.mark.parametrize("species", ["ion", "electron"])
def test_the_directions_cover_the_sky_once(species: str) -> None:
    found = directions(species)
    assert found.solid_angle.sum() == pytest.approx(4 * np.pi)
    rows, counts = np.unique(found.polar[:, 0], return_counts=True)
    assert rows.tolist() == [11.25, 33.75, 56.25, 78.75, 101.25, 123.75, 146.25, 168.75]
    assert counts.tolist() == [4, 8, 16, 16, 16, 16, 8, 4]
    for row, count in zip(rows, counts, strict=True):
        azimuth = np.sort(found.azimuth[found.polar[:, 0] == row, 0])
        assert np.diff(azimuth) == pytest.approx(360 / count)
    # A sweep goes from high to low energy while the body turns by one sector.
    turned = (found.azimuth[:, 0] - found.azimuth[:, -1]) % 360
    assert turned == pytest.approx(11.25 * 31 / 32)


def test_the_rows_of_ions_and_electrons_come_in_another_order() -> None:
    ions, electrons = directions("ion").polar[:, 0], directions("electron").polar[:, 0]
    assert ions[:24].tolist() == electrons[:24].tolist()
    assert ions[24::16].tolist() == [123.75, 56.25, 101.25, 78.75]
    assert electrons[24::16].tolist() == [123.75, 101.25, 78.75, 56.25]


@pytest.mark.parametrize(("kind", "plasma"), [("peif", IONS), ("peib", IONS), ("peef", ELECTRONS), ("peeb", ELECTRONS)])
def test_a_distribution_gives_back_the_plasma_that_was_put_in(ask: Ask, kind: str, plasma: Plasma) -> None:
    data = ask(f"themis/tha/{kind}/skymap", 0, 60)
    assert data["psd"].attrs["COORDINATE_SYSTEM"] == "DSL"
    found = moments(from_dataset(data).between(0, 15))
    assert found.density == pytest.approx(plasma.density, rel=0.01)
    assert found.velocity == pytest.approx(np.tile(plasma.drift, (15, 1)), rel=0.02)
    assert np.trace(found.temperature[0]) == pytest.approx(plasma.parallel + 2 * plasma.perpendicular, rel=0.01)


def test_records_in_another_angle_map_are_missing_and_say_so(ask: Ask) -> None:
    data = ask("themis/tha/peif/skymap", 0, 60)
    assert data["angle_map"].to_numpy().tolist() == [1] * 15 + [2]
    assert np.isnan(data["psd"].to_numpy()).all((1, 2)).tolist() == [False] * 15 + [True]
    # The highest energy is the one at which the voltage flies back.
    assert np.isnan(data["psd"].to_numpy()[0]).all(0).tolist() == [False] * 31 + [True]


def test_what_lies_beside_a_distribution(ask: Ask) -> None:
    data = ask("themis/tha/peif/skymap", 0, 60)
    assert data["magnetic_field"].to_numpy() == pytest.approx(np.tile(IONS.field, (16, 1)))
    assert data["bulk_velocity"].to_numpy() == pytest.approx(np.tile(IONS.drift, (16, 1)))
    assert data["spacecraft_potential"].to_numpy() == pytest.approx(6.0)
    turn = data["to_gse"].to_numpy()
    assert turn @ turn.swapaxes(1, 2) == pytest.approx(np.tile(np.eye(3), (16, 1, 1)), abs=1e-9)
    ascension, declination = np.radians(SPIN_AXIS)
    axis = [np.cos(declination) * np.cos(ascension), np.cos(declination) * np.sin(ascension), np.sin(declination)]
    to_gse = matrices(data["time"].to_numpy(), "GEI", "GSE")
    assert turn[:, :, 2] == pytest.approx(to_gse @ axis, abs=1e-6)
    # x is as near to the Sun as the spin axis lets it be, y across the Sun.
    assert turn[:, 0, 1] == pytest.approx(0, abs=1e-6)
    assert (turn[:, 0, 0] > 0.9).all()


def test_despun_axes_are_right_handed() -> None:
    (axes,) = despun_axes(np.array([[0.1, 0.2, 2.0]]), np.array([[3.0, 1.0, 0.0]]))
    assert np.cross(axes[0], axes[1]) == pytest.approx(axes[2])
    assert axes[0] @ [3, 1, 0] > 0


def test_moments_are_in_known_units_and_bad_ones_are_missing(ask: Ask) -> None:
    density = ask("themis/tha/peif/density", 0, 60)["density"]
    assert density.attrs["units"] == "cm^-3"
    assert np.flatnonzero(np.isnan(density.to_numpy())).tolist() == [2]
    assert ask("themis/tha/peif/density", 0, 60, good_only=False)["density"].to_numpy() == pytest.approx(IONS.density)
    tensor = ask("themis/tha/peif/pressure_dsl", 0, 6)["pressure_dsl"].to_numpy()
    assert np.linalg.eigvalsh(tensor[0]) / 1.602176634e-4 / IONS.density == pytest.approx([400, 400, 700])
    assert ask("themis/tha/peef/velocity_gse", 0, 3)["velocity_gse"].to_numpy()[0] == pytest.approx(ELECTRONS.drift)
    assert ask("themis/tha/fgm/fgs/b_gsm", 0, 3)["b_gsm"].to_numpy()[0] == pytest.approx(FIELD)
    assert ask("themis/tha/r_gse", -100, 100)["r_gse"].to_numpy()[0] == pytest.approx(PLACES[0])


def flat(count: int = 3, energies: int = 32, cells: int = 88, **told: Any) -> dict[str, Any]:
    """What `skymap` is given, with one eV/(cm^2 s sr eV) everywhere."""
    time = times(count, 3.0)

    def one(dims: tuple[str, ...], values: Any, units: str = "", **attrs: Any) -> xr.Dataset:
        coords = {"time": time} | ({"levels": (("time", "e"), told["levels"])} if "levels" in told else {})
        return xr.Dataset({"v": (dims, values, {"units": units} | attrs)}, coords)

    told.setdefault("levels", np.tile(np.geomspace(25000, 6, 32), (count, 1)))
    flux = one(("time", "k", "d"), np.ones((count, energies, cells)), "eV/(cm^2-s-sr-eV) (All Qs)")
    spectrum = one(("time", "e"), np.ones((count, 32)), "", DEPEND_1="levels")
    return {"eflux": flux, "spectrum": spectrum, "angle_map": one(("time",), np.ones(count)),
            "phase": one(("time",), told.get("phase", np.zeros(count))), "used": None, "beside": {}}  # fmt: skip


def test_either_order_of_energies_and_directions_is_read() -> None:
    given = flat()
    turned = given | {"eflux": given["eflux"].transpose("time", "d", "k", ...)}
    assert skymap("ion", **given).identical(skymap("ion", **turned))
    wide = flat(cells=176)
    assert skymap("ion", **wide)["psd"].identical(skymap("ion", **given)["psd"])


def test_units_of_energies_are_read() -> None:
    wanted, given = skymap("ion", **flat()), flat(levels=np.tile(np.geomspace(25, 6e-3, 32), (3, 1)))
    given["spectrum"]["levels"].attrs["units"] = "keV"
    found = skymap("ion", **given)
    assert found["psd"].to_numpy() == pytest.approx(wanted["psd"].to_numpy(), rel=1e-5, nan_ok=True)
    given["spectrum"]["levels"].attrs["units"] = "DAC"
    with pytest.raises(BadData, match="'DAC', which is not known to be eV"):
        skymap("ion", **given)


def test_other_geometry_is_refused() -> None:
    with pytest.raises(BadData, match="not 32 energies by 88"):
        skymap("ion", **flat(energies=16))
    with pytest.raises(BadData, match="not 32 energies by 88"):
        skymap("ion", **flat(cells=50))
    given = flat()
    with pytest.raises(BadData, match="does not tell 32 energies"):
        skymap("ion", **given | {"spectrum": given["spectrum"].drop_vars("levels")})
    with pytest.raises(BadData, match="other times"):
        skymap("ion", **given | {"angle_map": given["angle_map"].isel(time=slice(2))})
    with pytest.raises(BadData, match="no energies"):
        skymap("ion", **flat(levels=np.zeros((3, 32))))


def test_the_phase_of_the_spin_turns_the_cells_but_must_be_steady() -> None:
    turned = skymap("ion", **flat(phase=np.full(3, 4.0)))["azimuth"].to_numpy()
    assert (turned - directions("ion").azimuth) % 360 == pytest.approx(4.0)
    with pytest.raises(BadData, match="spin phase"):
        skymap("ion", **flat(phase=np.array([0, 1, 2.0])))


def test_nothing_in_nothing_out() -> None:
    assert skymap("ion", **flat(count=1) | {})["psd"].shape == (1, 88, 32)


@pytest.mark.real
def test_the_real_list_of_variables_gives_every_moment(real_data: Path) -> None:
    """The master file of THA_L2_ESA has no data, but all names; what it lacks are the distributions."""
    summary = cdf.describe(real_data / "plasma" / "tha_l2_esa_00000000_v01.cdf")
    place = "local/" + summary.dataset.lower().replace("_", "/")
    leaf = Product(path="", title="", kind="series")
    leaves = [replace(leaf, path=f"{place}/{one.name}", title=one.title) for one in summary.variables]
    found = {one.path for one in derive(leaves, Recipes({one.output: one for one in MISSION.recipes}))}
    names = ("density", "temperature", "potential", "velocity_dsl", "velocity_gse", "velocity_gsm", "pressure_dsl")
    kinds = ("peif", "peir", "peib", "peef", "peer", "peeb")
    assert found == {f"themis/tha/{kind}/{name}" for kind in kinds for name in names}
