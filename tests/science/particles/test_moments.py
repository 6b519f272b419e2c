"""Moments against exact distributions in the geometries of real instruments, and against what missions published."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.particles import flags
from armillary.science.particles.fits import fit
from armillary.science.particles.moments import Moments, moment_errors, moments
from armillary.science.particles.quadrature import azimuth_weights, polar_weights
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import thermal_speed

Made = Callable[..., Skymap]
#: A magnetosheath, B in no special direction.
SHEATH: tuple[Any, ...] = (20.0, [-180.0, 90.0, 40.0], 220.0, 300.0, [8.0, -15.0, 12.0])


def tensor(parallel: float, perpendicular: float, field: Any) -> np.ndarray[Any, Any]:
    b = np.array(field, float) / np.linalg.norm(field)
    return np.asarray(perpendicular * np.eye(3) + (parallel - perpendicular) * np.outer(b, b))


def worst(
    found: Moments, mass: float, density: float, drift: Any, parallel: float, perpendicular: float, field: Any
) -> dict[str, float]:
    """Errors on the natural scales: n, thermal speed, T, and n T times the thermal speed."""
    t = tensor(parallel, perpendicular, field)
    scale = np.trace(t) / 3
    speed = float(thermal_speed(scale, mass))
    flow = density * 1e6 * scale * 1.602176634e-19 * speed * 1e3 * 1e3
    return {
        "n": float(np.abs(found.density / density - 1).max()),
        "V": float(np.abs(found.velocity - np.array(drift)).max() / speed),
        "T": float(np.abs(found.temperature - t).max() / scale),
        "P": float(np.abs(found.pressure - t * density * 1.602176634e-4).max() / (scale * density * 1.602176634e-4)),
        "q": float(np.abs(found.heat_flux).max() / flow),
    }


@pytest.mark.parametrize(
    ("name", "case", "electrons", "bound"),
    [
        ("fpi", SHEATH, False, 1e-4),
        ("fpi burst", SHEATH, False, 1e-4),
        ("fpi", (5.0, [-380.0, 30.0, 0.0], 60.0, 50.0, [1.0, 2.0, 3.0]), False, 1e-3),
        ("fpi", (1.0, [0.0, 0.0, 0.0], 1500.0, 1000.0, [1.0, 2.0, 3.0]), False, 1e-3),
        ("fpi burst", (20.0, [-180.0, 90.0, 40.0], 300.0, 250.0, [1.0, 2.0, 3.0]), True, 1e-3),
        ("esa", SHEATH, False, 1e-3),
        ("pas", (5.0, [-400.0, 5.0, 3.0], 14.0, 12.0, [1.0, 2.0, 3.0]), False, 5e-3),
        ("span", (5.0, [-300.0, 5.0, 3.0], 60.0, 50.0, [1.0, 2.0, 3.0]), False, 2e-2),
    ],
)
def test_every_component_of_an_exact_distribution(
    seen: Made, name: str, case: tuple[Any, ...], electrons: bool, bound: float
) -> None:
    cells = seen(name, *case, steps=4, electrons=electrons)
    errors = worst(moments(cells), cells.mass, *case)
    assert max(errors.values()) < bound, errors


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.1, 50), st.tuples(*[st.floats(-150, 150)] * 3), st.floats(150, 800), st.floats(0.7, 1.6),
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda one: np.linalg.norm(one) > 0.1),
)  # fmt: skip
def test_any_warm_bi_maxwellian_is_exact_to_a_thousandth(
    seen: Made, density: float, drift: tuple[float, ...], parallel: float, ratio: float, field: tuple[float, ...]
) -> None:
    case = (density, drift, parallel, parallel * ratio, field)
    cells = seen("fpi burst", *case, steps=2)
    found = moments(cells)
    assert max(worst(found, cells.mass, *case).values()) < 1e-3
    assert not found.flag.any()


def test_a_kappa_distribution_has_its_temperature(seen: Made) -> None:
    cells = seen("fpi", *SHEATH, kappa=8.0)
    assert max(worst(moments(cells), cells.mass, *SHEATH).values()) < 2e-3


def test_heat_flux_of_two_beams(seen: Made) -> None:
    core, beam = (
        (12.0, [-150.0, 40.0, 30.0], 200.0, 200.0, [0, 0, 1]),
        (4.0, [150.0, -60.0, 90.0], 300.0, 300.0, [0, 0, 1]),
    )
    both = replace(seen("fpi", *core), psd=seen("fpi", *core).psd + seen("fpi", *beam).psd)
    found = moments(both)
    parts = [(one[0], np.array(one[1]), one[2]) for one in (core, beam)]
    total = sum(n for n, _, _ in parts)
    bulk = sum(n * v for n, v, _ in parts) / total
    flow = np.zeros(3)
    for n, v, t in parts:
        w, pressure = v - bulk, n * 1e6 * t * 1.602176634e-19
        flow += 1e3 * w * (2.5 * pressure + 0.5 * n * 1e6 * both.mass * 1e6 * (w @ w)) * 1e3
    assert found.heat_flux[0] == pytest.approx(flow, rel=2e-3, abs=2e-3 * np.abs(flow).max())
    assert found.velocity[0] == pytest.approx(bulk, rel=1e-3)


def test_azimuths_that_drift_unevenly_give_the_same(seen: Made) -> None:
    cells = seen("fpi burst", *SHEATH, steps=3)
    bent = cells.azimuth + 2.0 * np.sin(np.radians(cells.azimuth))
    again = seen("fpi burst", *SHEATH, steps=3)
    assert moments(cells).velocity == pytest.approx(np.tile(SHEATH[1], (3, 1)), rel=1e-4)
    uneven = replace(again, azimuth=np.sort(bent % 360, axis=1))
    assert np.isfinite(moments(uneven).velocity).all()
    nearly = replace(cells, azimuth=cells.azimuth + np.arange(32) % 2 * 0.05)
    assert moments(nearly).density == pytest.approx(moments(cells).density, rel=1e-3)


def test_a_list_of_directions_is_the_grid_it_came_from(seen: Made) -> None:
    grid = seen("fpi", *SHEATH, steps=2)
    polar, azimuth = np.meshgrid(grid.polar, grid.azimuth)
    solid = (polar_weights(grid.polar) * azimuth_weights(grid.azimuth)[:, None]).ravel()
    flat = Skymap(grid.psd.reshape(2, -1, 32), azimuth.ravel(), polar.ravel(), grid.energy, solid)
    varying = replace(
        flat, **{name: np.repeat(getattr(flat, name)[:, None], 32, 1) for name in ("azimuth", "polar", "solid_angle")}
    )
    for one in (flat, varying):
        assert moments(one).temperature == pytest.approx(moments(grid).temperature, rel=1e-9, abs=1e-6)
        assert moments(one).heat_flux == pytest.approx(moments(grid).heat_flux, abs=1e-9)


def test_a_potential_is_undone(seen: Made) -> None:
    cells = seen("fpi", 20.0, [-180.0, 90.0, 40.0], 100.0, 80.0, [1.0, 2.0, 3.0], electrons=True)
    far = moments(cells)
    # what an instrument at +12 V sees of the same electrons: the same psd at energies 12 eV higher
    here = replace(cells, energy=cells.energy + 12.0)
    found = moments(here, potential=np.array([12.0]))
    assert found.density == pytest.approx(far.density, rel=0.02)
    assert found.temperature[0] == pytest.approx(far.temperature[0], rel=0.02, abs=1)
    assert moments(here).density[0] > 1.05 * far.density[0]


def test_cells_below_the_potential_are_left_out(seen: Made) -> None:
    cells = seen("fpi", 20.0, [0.0, 0.0, 0.0], 100.0, 80.0, [1.0, 2.0, 3.0], electrons=True)
    psd = cells.psd.copy()
    psd[..., :5] = 1e-20
    flooded = replace(cells, psd=psd)
    potential = np.array([cells.energy[4] + 1e-6])
    assert moments(flooded, potential=potential).density == pytest.approx(moments(cells, potential=potential).density)
    assert moments(flooded, low_energy=50).density == pytest.approx(moments(cells, low_energy=50).density)
    assert moments(cells, low_energy=50).density[0] < moments(cells, low_energy=20).density[0]
    blind = moments(cells, potential=np.array([5e4]))
    assert np.isnan(blind.density[0])
    assert blind.flag[0] == flags.NOT_MEASURED


def test_what_was_not_measured_is_left_out_and_flagged(seen: Made) -> None:
    cells = seen("fpi", *SHEATH, steps=4)
    psd = cells.psd.copy()
    psd[1, 3, 4, 5] = np.nan
    psd[2] = np.nan
    psd[3] = 0
    found = moments(replace(cells, psd=psd))
    assert found.flag.tolist() == [0, flags.NOT_MEASURED, flags.NOT_MEASURED, flags.NO_COUNTS]
    assert found.density[1] == pytest.approx(found.density[0], rel=0.01)
    assert np.isnan(found.density[2])
    assert found.density[3] == 0
    assert np.isnan(found.velocity[2:]).all()
    assert np.isnan(found.heat_flux[2:]).all()


def test_negative_density_is_no_density(seen: Made) -> None:
    cells = seen("fpi", *SHEATH, steps=4)
    psd = cells.psd.copy()
    psd[0] *= -1
    psd[1, 3, 4, 20] = -1e-12
    psd[2, ::2, :, :] *= -0.5
    psd[3, 3, 4, 20] *= -1
    found = moments(replace(cells, psd=psd))
    assert found.flag[[0, 1]].tolist() == [flags.NEGATIVE, flags.NEGATIVE]
    assert np.isnan(found.density[:2]).all()
    assert np.isnan(found.velocity[:2]).all()
    assert found.flag[2] & flags.NEGATIVE
    # a few cells below zero are what is left where a model of photoelectrons was subtracted
    assert found.flag[3] == 0
    assert found.density[3] == pytest.approx(SHEATH[0], rel=0.01)


@pytest.mark.parametrize("fill", [-1e31, 1e31, -np.inf, np.inf, 3e38])
def test_fill_values_among_cells_are_left_out_and_flagged(seen: Made, fill: float) -> None:
    cells = seen("fpi", *SHEATH, steps=2)
    psd, missing = cells.psd.copy(), cells.psd.copy()
    psd[1, 3, 4, 5], missing[1, 3, 4, 5] = fill, np.nan
    filled, nan = (replace(cells, psd=one, error=np.abs(one)) for one in (psd, missing))
    found, wanted = moments(filled), moments(nan)
    assert found.flag.tolist() == [0, flags.NOT_MEASURED]
    for name in Moments.__dataclass_fields__:
        assert np.array_equal(getattr(found, name), getattr(wanted, name))
        errors = [getattr(moment_errors(one, found), name) for one in (filled, nan)]
        assert np.array_equal(errors[0], errors[1])


@pytest.mark.parametrize("potential", [1e31, -1e31, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("electrons", [False, True])
def test_a_potential_that_no_spacecraft_has_is_not_known(seen: Made, potential: float, electrons: bool) -> None:
    cells = seen("fpi", 20.0, [-180.0, 90.0, 40.0], 220.0, 300.0, [1.0, 2.0, 3.0], electrons=electrons)
    found = moments(cells, potential=np.array([potential]))
    assert found.flag[0] == flags.NO_POTENTIAL
    assert np.isnan(found.density[0])
    assert fit(cells, potential=np.array([potential])).flag[0] & flags.NO_POTENTIAL


@pytest.mark.parametrize(
    ("which", "bend", "said"),
    [
        ("polar", lambda one: one - 90, "polar angles go from -84.375 to 84.375"),
        ("polar", lambda one: one * 1.5, "not from 0 to 180"),
        ("polar", lambda one: np.where(one > 90, one[0], one), "a polar angle is there twice"),
        ("azimuth", lambda one: one + 6.0 * (np.arange(32) >= 10), "not evenly spaced"),
        ("azimuth", lambda one: np.append(one[:-1], one[0]), "not in their order|there twice"),
        ("azimuth", lambda one: np.append(one[:-1], one[0] + 360), "there twice"),
        ("azimuth", lambda one: np.random.default_rng(1).permutation(one), "not in their order|more than once"),
        ("azimuth", lambda one: one * 2, "more than once"),
        ("polar", lambda one: np.where(one < 10, np.inf, one), "not a number"),
    ],
)  # fmt: skip
def test_angles_that_are_no_directions_are_refused(seen: Made, which: str, bend: Any, said: str) -> None:
    for name in ("fpi", "fpi burst"):
        cells = seen(name, *SHEATH, steps=2)
        bent = np.apply_along_axis(bend, -1, getattr(cells, which))
        with pytest.raises(BadData, match=said):
            replace(cells, **{which: bent})


@pytest.mark.parametrize("name", ["fpi", "esa"])
def test_radians_are_refused(seen: Made, name: str) -> None:
    cells = seen(name, *SHEATH)
    with pytest.raises(BadData, match="radians"):
        replace(cells, azimuth=np.radians(cells.azimuth), polar=np.radians(cells.polar))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.floats(-400, 400), st.floats(0.2, 1.0), st.booleans(), st.booleans())
def test_even_azimuths_are_taken_wherever_they_begin(
    count: int, first: float, share: float, wrapped: bool, falling: bool
) -> None:
    azimuth = first + share * 360 / count * np.arange(count)
    azimuth = azimuth[::-1] if falling else azimuth
    azimuth = azimuth % 360 if wrapped else azimuth
    polar = (np.arange(8) + 0.5) * 22.5
    assert Skymap(np.ones((1, count, 8, 2)), azimuth, polar, np.array([1.0, 2.0])).steps == 1


def test_energies_outside_the_limits_may_hold_anything(seen: Made) -> None:
    cells = seen("fpi", *SHEATH)
    psd = cells.psd.copy()
    psd[..., :3] = np.nan
    found = moments(replace(cells, psd=psd), low_energy=25.0)
    assert found.flag.tolist() == [0]
    assert np.isfinite(found.density).all()


def test_flags_of_beams_and_edges(seen: Made) -> None:
    cold = (5.0, [-400.0, 10.0, 10.0], 8.0, 8.0, [0, 0, 1])
    assert moments(seen("fpi", *cold)).flag[0] & flags.UNRESOLVED
    hot = (5.0, [0.0, 0.0, 0.0], 9000.0, 9000.0, [0, 0, 1])
    assert moments(seen("fpi", *hot)).flag[0] == flags.ENERGY_EDGE
    aside = (5.0, [-300.0, 90.0, 10.0], 30.0, 30.0, [0, 0, 1])
    assert moments(seen("pas", *aside)).flag[0] & flags.SKY_EDGE
    found = moments(seen("fpi", *SHEATH), potential=np.array([np.nan]))
    assert found.flag[0] == flags.NO_POTENTIAL
    assert np.isnan(found.density[0])


def test_errors_are_those_of_counting_again_and_again(seen: Made) -> None:
    cells = seen("fpi burst", 20.0, [-180.0, 90.0, 40.0], 220.0, 300.0, [8.0, -15.0, 12.0], steps=1)
    one_count = 3e-20 * (cells.energy[0] / 300.0) ** -2
    random = np.random.default_rng(3)
    counted = random.poisson(cells.psd / one_count, (300, *cells.psd.shape[1:])) * one_count
    many = {name: np.repeat(getattr(cells, name), 300, 0) for name in ("azimuth", "energy")}
    found = moments(replace(cells, psd=counted, **many))
    error = moment_errors(replace(cells, error=np.sqrt(cells.psd * one_count)), moments(cells))
    for name in ("density", "velocity", "pressure", "temperature", "heat_flux"):
        assert getattr(found, name).std(0) == pytest.approx(getattr(error, name)[0], rel=0.2), name


@pytest.mark.parametrize("name", ["fpi", "fpi burst", "esa"])
def test_no_steps_have_no_moments(seen: Made, name: str) -> None:
    cells = seen(name, *SHEATH, steps=2)
    empty = replace(cells, error=cells.psd).between(0, 0)
    found = moments(empty, potential=np.zeros(0))
    assert found.pressure.shape == moment_errors(empty, found).temperature.shape == (0, 3, 3)
    assert fit(empty, field=np.zeros((0, 3))).values["velocity"].shape == (0, 3)


def test_wrong_questions_say_what_to_do(seen: Made) -> None:
    cells = seen("fpi", *SHEATH)
    with pytest.raises(BadData, match="no energy lies between 1e\\+06"):
        moments(cells, low_energy=1e6)
    with pytest.raises(BadData, match="the potential has the shape"):
        moments(cells, potential=np.zeros(3))
    with pytest.raises(BadData, match="no errors"):
        moment_errors(cells, moments(cells))
    with pytest.raises(BadData, match="one energy only"):
        moments(replace(cells, psd=cells.psd[..., :1], energy=cells.energy[:1]))
    with pytest.raises(BadData, match="one azimuth only"):
        moments(replace(cells, psd=cells.psd[:, :1], azimuth=cells.azimuth[:1]))


@given(st.integers(2, 40), st.integers(0, 10))
def test_polar_rules_are_exact_for_polynomials(nodes: int, degree: int) -> None:
    exact = (1 + (-1) ** degree) / (degree + 1)
    for angles in ((np.arange(nodes) + 0.5) * 180 / nodes, np.arange(nodes) * 180 / (nodes - 1)):
        if degree < nodes:
            weight = polar_weights(angles[::-1])
            assert weight @ np.cos(np.radians(angles[::-1])) ** degree == pytest.approx(exact, abs=1e-12)


def test_azimuth_weights_close_the_circle_only_if_they_go_around() -> None:
    assert azimuth_weights(np.array([350.0, 10.0, 30.0])) == pytest.approx(np.radians([20, 20, 20]))
    assert azimuth_weights(
        np.sort(np.random.default_rng(0).uniform(0, 1, 36)) + np.arange(36) * 10
    ).sum() == pytest.approx(2 * np.pi)


@pytest.mark.real
def test_fpi_moments_keep_their_identities(real_data: Path) -> None:
    cdflib = pytest.importorskip("cdflib")
    for path in sorted((real_data / "plasma" / "mms1_fpi_dis_moms").glob("*.cdf")):
        file = cdflib.CDF(path)
        get = lambda name: np.asarray(file.varget(f"mms1_dis_{name}_fast"), float)  # noqa: B023, E731
        density, pressure, temperature = get("numberdensity"), get("prestensor_gse"), get("temptensor_gse")
        good = (density > 0) & np.isfinite(pressure).all((1, 2))
        assert good.sum() > 100
        assert (pressure / density[:, None, None] / 1.602176634e-4)[good] == pytest.approx(
            temperature[good], rel=2e-3, abs=0.5
        )
        other = get("prestensor_dbcs")
        own, turned = np.linalg.eigvalsh(other[good]), np.linalg.eigvalsh(pressure[good])
        assert own == pytest.approx(turned, rel=1e-3, abs=1e-4)
        assert (get("temppara") + 2 * get("tempperp"))[good] == pytest.approx(
            np.trace(temperature[good], axis1=1, axis2=2), rel=1e-3
        )
