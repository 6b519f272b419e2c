"""Units of cells: there and back, and against the formulas written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.particles.units import UNITS, convert, poisson_error, response_of
from armillary.science.plasma import ELECTRON_MASS, ELEMENTARY_CHARGE, PROTON_MASS

NAMES = st.sampled_from(sorted(UNITS))
MASSES = st.sampled_from([PROTON_MASS, ELECTRON_MASS, 4 * PROTON_MASS, 16 * PROTON_MASS])


@given(NAMES, NAMES, NAMES, st.floats(1e-35, 1e12), st.floats(1, 1e6), MASSES, st.floats(1e-9, 1e3))
def test_there_and_back_and_by_way_of_another(
    first: str, second: str, third: str, value: float, energy: float, mass: float, response: float
) -> None:
    given_ = {"energy": energy, "mass": mass, "response": response}
    over = convert(np.array([value]), first, second, **given_)
    assert convert(over, second, first, **given_)[0] == pytest.approx(value, rel=1e-12)
    assert convert(over, second, third, **given_) == pytest.approx(
        convert(np.array([value]), first, third, **given_), rel=1e-12
    )


@given(st.floats(1, 1e5), MASSES)
def test_energy_flux_is_half_f_v_to_the_fourth(energy: float, mass: float) -> None:
    speed = 100 * np.sqrt(2 * ELEMENTARY_CHARGE * energy / mass)  # cm/s
    eflux = convert(np.array([1e-25]), "psd", "eflux", energy=energy, mass=mass)
    assert eflux[0] == pytest.approx(1e-25 * speed**4 / 2, rel=1e-12)
    assert convert(eflux, "eflux", "flux", energy=energy, mass=mass)[0] == pytest.approx(eflux[0] / energy)


def test_counts_follow_the_geometric_factor() -> None:
    response = response_of(2e-4, 0.035, 0.5)
    counts = convert(np.array([1e7]), "eflux", "counts", energy=100.0, mass=PROTON_MASS, response=response)
    assert counts[0] == pytest.approx(1e7 * 2e-4 * 0.035 * 0.5)


def test_energies_run_along_the_last_axis() -> None:
    energy = np.array([10.0, 100.0, 1000.0])
    flux = convert(np.ones((4, 5, 3)), "psd", "flux", energy=energy, mass=PROTON_MASS)
    assert flux[2, 3] / flux[0, 0, 0] == pytest.approx([1, 10, 100])


def test_the_error_of_counts_is_their_root_and_never_zero() -> None:
    given_ = {"energy": 500.0, "mass": PROTON_MASS, "response": 1e-6}
    psd = convert(np.array([0.0, 1.0, 100.0]), "counts", "psd", **given_)
    error = convert(poisson_error(psd, **given_), "psd", "counts", **given_)
    assert error == pytest.approx([1, 1, 10])


def test_what_cannot_be_converted_says_so() -> None:
    with pytest.raises(BadParameter, match="'joules'"):
        convert(np.ones(1), "psd", "joules", energy=1.0, mass=PROTON_MASS)
    with pytest.raises(BadParameter, match="response"):
        convert(np.ones(1), "counts", "psd", energy=1.0, mass=PROTON_MASS)


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan")])
def test_a_mass_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(BadParameter, match="mass"):
        convert(np.ones(3), "psd", "eflux", energy=100.0, mass=wrong)


@pytest.mark.parametrize("wrong", [0.0, -100.0])
def test_an_energy_or_response_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(BadParameter, match="energy"):
        convert(np.ones(3), "psd", "eflux", energy=np.array([10.0, wrong, 20.0]), mass=PROTON_MASS)
    with pytest.raises(BadParameter, match="response"):
        poisson_error(np.ones(3), energy=100.0, mass=PROTON_MASS, response=wrong)
    off = poisson_error(np.ones(2), energy=100.0, mass=PROTON_MASS, response=np.array([np.nan, 1e-5]))
    assert np.isnan(off).tolist() == [True, False]
