"""Fits give back what distributions were made of, where moments cannot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter
from armillary.science.particles import flags
from armillary.science.particles.cells import cells_at
from armillary.science.particles.fits import fit
from armillary.science.particles.moments import moments
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array, bi_maxwellian

Made = Callable[..., Skymap]
B = np.array([8.0, -15.0, 12.0])
SHEATH: tuple[Any, ...] = (20.0, [-180.0, 90.0, 40.0], 220.0, 300.0, B)
COLD: tuple[Any, ...] = (5.0, [-400.0, 30.0, 10.0], 10.0, 8.0, B)


def averaged(cells: Skymap, density: float, drift: Any, parallel: float, perpendicular: float, field: Any) -> Skymap:
    """What cells hold that average over their width, by many more points than a fit takes."""
    b = np.array(field) / np.linalg.norm(field)
    rows = []
    for step in range(cells.steps):
        velocity, weight = cells_at(cells, step).points(5, cells.mass)
        psd = bi_maxwellian(velocity, density, np.array(drift), parallel, perpendicular, b, cells.mass)
        rows.append((psd * weight).sum(0).reshape(cells.psd.shape[1:]))
    return replace(cells, psd=np.array(rows))


def counted(cells: Skymap, level: float, seed: int = 0) -> Skymap:
    """Poisson numbers, the fullest cell having `level` counts on average."""
    power = cells.psd * cells.energy**2
    one = power.max() / level / cells.energy**2
    psd = np.random.default_rng(seed).poisson(cells.psd / one) * one
    return replace(cells, psd=psd, error=np.sqrt(np.maximum(psd, one) * one))


def along(steps: int) -> Array:
    return np.tile(B, (steps, 1))


@pytest.mark.parametrize("case", [SHEATH, COLD])
@pytest.mark.parametrize("wide", [False, True])
def test_a_maxwellian_is_found_whether_cells_average_or_not(seen: Made, case: tuple[Any, ...], wide: bool) -> None:
    cells = seen("fpi", *case)
    found = fit(averaged(cells, *case) if wide else cells, field=along(1))
    assert found.values["density"][0] == pytest.approx(case[0], rel=2e-3)
    assert found.values["velocity"][0] == pytest.approx(case[1], abs=0.1)
    assert found.values["parallel"][0] == pytest.approx(case[2], rel=2e-3)
    assert found.values["perpendicular"][0] == pytest.approx(case[3], rel=2e-3)
    assert found.averaged[0] == wide
    assert found.flag[0] == 0
    assert found.misfit[0] < 1e-3


def test_moments_of_a_cold_beam_are_wrong_where_the_fit_is_right(seen: Made) -> None:
    cells = seen("fpi", *COLD)
    plain = moments(cells)
    assert abs(plain.density[0] / 5 - 1) > 0.02
    assert abs(plain.scalar_temperature[0] / (26 / 3) - 1) > 0.02
    assert plain.flag[0] & flags.UNRESOLVED
    wide = averaged(cells, *COLD)
    assert moments(wide).scalar_temperature[0] > 1.3 * 26 / 3
    assert fit(wide, field=along(1)).values["perpendicular"][0] == pytest.approx(8, rel=2e-3)


def test_without_a_field_the_temperature_is_one(seen: Made) -> None:
    found = fit(seen("fpi burst", 20.0, [-180.0, 90.0, 40.0], 250.0, 250.0, B, steps=2))
    assert set(found.values) == {"density", "velocity", "temperature"}
    assert found.values["temperature"] == pytest.approx([250, 250], rel=1e-3)


def test_kappa_is_found(seen: Made) -> None:
    found = fit(seen("fpi", *SHEATH, kappa=4.5), "kappa", field=along(1))
    assert found.values["kappa"][0] == pytest.approx(4.5, rel=1e-2)
    assert found.values["parallel"][0] == pytest.approx(220, rel=1e-2)
    plain = fit(seen("fpi", *SHEATH, kappa=4.5), field=along(1))
    assert plain.misfit[0] > 20 * found.misfit[0]


@pytest.mark.parametrize("drift", [60.0, -60.0])
def test_a_beam_beside_the_core_is_found(seen: Made, drift: float) -> None:
    bulk, b = np.array([-400.0, 10.0, 10.0]), B / np.linalg.norm(B)
    core, beam = seen("pas", 5.0, bulk, 14.0, 12.0, B), seen("pas", 0.6, bulk + drift * b, 20.0, 18.0, B)
    found = fit(replace(core, psd=core.psd + beam.psd), "core and beam", field=along(1)).values
    assert found["density"][0] == pytest.approx(5, rel=0.01)
    assert found["velocity"][0] == pytest.approx(bulk, abs=0.5)
    assert found["beam_density"][0] == pytest.approx(0.6, rel=0.02)
    assert found["beam_drift"][0] == pytest.approx(drift, rel=0.02)
    assert found["beam_parallel"][0] == pytest.approx(20, rel=0.05)


@pytest.fixture(scope="module")
def sheath(seen: Made) -> Skymap:
    return averaged(seen("fpi", *SHEATH), *SHEATH)


@pytest.mark.parametrize("seed", range(5))
def test_errors_and_chi2_are_those_of_counts(sheath: Skymap, seed: int) -> None:
    cells = counted(sheath, 60.0, seed)
    found = fit(cells, field=along(1), averaged=True)
    truth = {"density": 20.0, "velocity": [-180.0, 90.0, 40.0], "parallel": 220.0, "perpendicular": 300.0}
    for name, exact in truth.items():
        score = np.abs(found.values[name][0] - exact) / found.errors[name][0]
        assert np.max(score) < 5, name
    assert found.chi2[0] == pytest.approx(1, abs=0.25)
    assert found.errors["density"][0] / 20 == pytest.approx(1 / np.sqrt(cells_total(cells)), rel=1)


def cells_total(cells: Skymap) -> float:
    assert cells.error is not None
    return float(((cells.psd / cells.error) ** 2).sum())


def test_a_few_counts_of_something_else_do_not_matter(seen: Made) -> None:
    cells = counted(averaged(seen("fpi", *COLD), *COLD), 300.0)
    psd, one = cells.psd.copy(), cells.error.min((0, 1, 2)) if cells.error is not None else np.ones(32)
    for place in ((5, 8, 28), (20, 3, 25), (30, 12, 22)):
        psd[0][place] = one[place[2]]
    clean, dirty = (fit(one_, field=along(1)).values for one_ in (cells, replace(cells, psd=psd)))
    assert dirty["perpendicular"][0] == pytest.approx(clean["perpendicular"][0], rel=0.02)


def test_steps_that_cannot_be_fitted_are_nan_and_flagged(seen: Made) -> None:
    cells = seen("fpi", *SHEATH, steps=4)
    psd, field = cells.psd.copy(), along(4)
    psd[1], psd[2], field[3] = 0, np.nan, np.nan
    found = fit(replace(cells, psd=psd), field=field)
    assert np.isnan(found.values["density"]).tolist() == [False, True, True, True]
    assert [bool(one & flags.NOT_CONVERGED) for one in found.flag] == [False, True, True, True]
    assert found.flag[1] & flags.NO_COUNTS
    assert found.flag[2] & flags.NOT_MEASURED
    assert np.isnan(found.values["velocity"][1:]).all()


def test_a_potential_is_undone(seen: Made) -> None:
    cells = seen("fpi", 20.0, [-180.0, 90.0, 40.0], 100.0, 80.0, B, electrons=True)
    here = replace(cells, energy=cells.energy + 12.0)
    found = fit(here, field=along(1), potential=np.array([12.0]), averaged=False).values
    assert found["parallel"][0] == pytest.approx(100, rel=1e-3)
    assert found["density"][0] == pytest.approx(20, rel=1e-3)


def test_wrong_questions_say_what_to_do(seen: Made) -> None:
    cells = seen("fpi", *SHEATH)
    with pytest.raises(BadParameter, match="no shape 'gaussian'"):
        fit(cells, "gaussian")
    with pytest.raises(BadData, match="needs a magnetic field"):
        fit(cells, "core and beam")
    with pytest.raises(BadData, match="the field has the shape"):
        fit(cells, field=np.zeros((5, 3)))


def test_a_beam_that_is_not_there_is_no_beam(seen: Made) -> None:
    # in so few cells a second population is whatever is left
    cells = replace(seen("fpi", *COLD, steps=3), error=None)
    noisy = counted(cells, 40.0, seed=3)
    found = fit(noisy, "core and beam", field=along(3))
    lost = (found.flag & flags.NOT_CONVERGED) > 0
    for name, one in found.values.items():
        assert (np.isnan(one.reshape(3, -1)).all(1) == lost).all(), name
    kept = ~lost
    assert (found.errors["beam_density"][kept] < 2 * found.values["beam_density"][kept]).all()
    assert (found.errors["beam_drift"][kept] < 100).all()


def test_what_did_not_converge_is_not_a_number(seen: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("armillary.science.particles.fits._ITERATIONS", 1)
    found = fit(seen("fpi", *SHEATH), "kappa", field=along(1))
    assert found.flag[0] & flags.NOT_CONVERGED
    assert all(np.isnan(one).all() for one in (*found.values.values(), *found.errors.values()))
