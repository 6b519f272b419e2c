"""Units, components and axes of raw variables: converted if they are known, refused if they are not."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.missions.plasma import canonical, energy_axes

TIME = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "datetime64[ns]")


def made(values: Any, units: str = "", **coords: Any) -> xr.Dataset:
    values = np.asarray(values, float)
    dims = ("time", *(f"n{n}" for n in range(1, values.ndim)))
    return xr.Dataset({"x": (dims, values, {"units": units})}, {"time": TIME[: len(values)], **coords})


@pytest.mark.parametrize(
    ("given_units", "wanted", "factor"),
    [("nT", "nT", 1), ("T", "nT", 1e9), ("Km/s", "km/s", 1), ("#/cc", "cm^-3", 1), ("Per cc", "cm^-3", 1),
     ("keV", "eV", 1e3), ("J.cm^-3", "nPa", 1e15), ("Pa", "nPa", 1e9), ("eV cm^-3", "nPa", 1.602176634e-4),
     ("s^3 m^-6", "s^3 cm^-6", 1e-12), ("s**3/m**6", "s^3 cm^-6", 1e-12), ("", "nT", 1),
     ("eV/cm2-s-ster-eV", "eV/(cm^2 s sr eV)", 1)],
)  # fmt: skip
def test_units_that_archives_spell(given_units: str, wanted: str, factor: float) -> None:
    assert canonical.in_units(np.array([2.0]), given_units, wanted)[0] == pytest.approx(2 * factor)


def test_an_archive_that_says_nothing_means_what_it_is_known_to_mean() -> None:
    assert canonical.in_units(np.array([2.0]), "", "nPa", silent="J/cm^3")[0] == pytest.approx(2e15)


@pytest.mark.parametrize("units", ["counts", "nT^2", "km", "G"])
def test_other_units_are_refused(units: str) -> None:
    with pytest.raises(BadData, match="not known to be nT"):
        canonical.vector(made(np.ones((3, 3)), units), "b", "nT", "B", frame="GSE")


@pytest.mark.parametrize("count", [2, 4, 6])
def test_vectors_and_tensors_have_their_components(count: int) -> None:
    with pytest.raises(BadData, match="not 3"):
        canonical.vector(made(np.ones((3, count)), "nT"), "b", "nT", "B", frame="GSE")
    if count != 6:
        with pytest.raises(BadData, match="xx yy zz"):
            canonical.tensor(made(np.ones((3, count)), "nPa"), "p", "nPa", "P", frame="GSE")


def test_components_of_one_vector_have_the_same_times() -> None:
    parts = [made([1.0, 2, 3], "nT"), made([4.0, 5, 6], "nT"), made([7.0, 8, 9], "nT")]
    found = canonical.composed(parts, "b", "nT", "B", frame="GSM")["b"]
    assert found.to_numpy().tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]
    parts[2] = parts[2].isel(time=slice(0, 2))
    with pytest.raises(BadData, match="other times"):
        canonical.composed(parts, "b", "nT", "B", frame="GSM")


@given(st.permutations(range(5)), st.booleans())
def test_a_spectrum_rises_whatever_the_order_of_its_channels(order: list[int], moving: bool) -> None:
    energy = 10.0 ** np.arange(5)[order]
    axis = np.repeat(energy[None], 3, 0) if moving else energy
    values = np.arange(3)[:, None] + energy
    found = energy_axes.spectrum(made(values), values, axis, "flux", "1", "Flux")
    known = found["energy_at_time" if moving else "energy"].to_numpy()
    assert (np.diff(known, axis=-1) > 0).all()
    assert found["flux"].to_numpy().tolist() == (np.arange(3)[:, None] + 10.0 ** np.arange(5)).tolist()


def test_channels_without_an_energy_are_left_out() -> None:
    energy = np.array([[100.0, np.nan, 10], [100, 1000, 10], [np.nan, np.nan, np.nan]])
    values = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    found = energy_axes.spectrum(made(values), values, energy, "flux", "1", "Flux")
    assert found["energy_at_time"].to_numpy().tolist()[1] == [10, 100, 1000]
    assert found["flux"].to_numpy()[0].tolist() == [3, 1, 2]
    assert found["energy_at_time"].to_numpy()[0, :2].tolist() == [10, 100]
    fixed = energy_axes.spectrum(made(values), values, np.array([5.0, np.nan, 1]), "flux", "1", "Flux")
    assert fixed["flux"].to_numpy()[0].tolist() == [3, 1]


def test_the_energies_may_lie_beside_and_must_fit() -> None:
    raw = made(np.ones((3, 4)), "1")
    main = raw["x"]
    beside = made(np.tile([0.001, 0.01, 0.1, 0], (3, 1)), "keV")
    found = energy_axes.energies_of(raw, main, 1, beside)
    assert found[0, :3] == pytest.approx([1, 10, 100])
    assert np.isnan(found[:, 3]).all()
    with pytest.raises(BadData, match="shape"):
        energy_axes.energies_of(raw, main, 1, made(np.ones((3, 5)), "eV"))
    with pytest.raises(BadData, match="nobody"):
        energy_axes.energies_of(raw, main, 1)
