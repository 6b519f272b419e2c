"""Values at any velocity: exact at the cells, close between them, honest where there is nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.particles.directions import find_rows, regridding
from armillary.science.particles.interpolation import METHODS, Interpolator, Method
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array, bi_maxwellian, speed_of

Made = Callable[..., Skymap]

WARM = (10.0, (-220.0, 90.0, 60.0), 250.0, 400.0, (0.3, 0.5, 0.8))


def exact(velocity: Array, density: float, drift: Any, parallel: float, perpendicular: float, field: Any) -> Array:
    b = np.asarray(field) / np.linalg.norm(field)
    return bi_maxwellian(velocity, density, np.asarray(drift), parallel, perpendicular, b)


def somewhere(limit: float, count: int = 4000) -> Array:
    return np.random.default_rng(2).uniform(-limit, limit, (count, 3))


def relative(found: Array, truth: Array) -> float:
    known = np.isfinite(found)
    assert known.mean() > 0.05
    return np.sqrt(((found - truth)[known] ** 2).sum() / (truth[known] ** 2).sum())


# Linear in ln f is off by up to h^2/8 of its second derivative, here about 5 per radian^2: 0.1 for 22.5 degrees.
@pytest.mark.parametrize(
    ("geometry", "linear", "cubic"),
    [("fpi", 0.03, 5e-4), ("fpi burst", 0.03, 5e-4), ("esa", 0.12, 5e-3), ("pas", 0.02, 0.01), ("span", 0.05, 0.02)],
)
def test_a_maxwellian_is_found_again_between_the_cells(seen: Made, geometry: str, linear: float, cubic: float) -> None:
    cells = seen(geometry, *WARM, steps=2)
    where = somewhere(700.0)
    truth = exact(where, *WARM)
    for step in (0, 1):
        errors = {name: relative(Interpolator.of(cells, name).at_step(step)(where), truth) for name in METHODS}
        assert errors["cubic"] < cubic
        assert errors["linear"] < linear
        assert errors["nearest"] < 0.2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("geometry", ["fpi", "esa", "pas"])
def test_the_middle_of_a_cell_has_its_value(seen: Made, method: Method, geometry: str) -> None:
    cells = seen(geometry, *WARM)
    azimuth, polar = cells.azimuth, cells.polar
    if cells.gridded:
        azimuth, polar = azimuth[:, None], polar[None, :]
    where = unit_vectors(azimuth, polar)[..., None, :] * cells.speed[:, None]
    found = Interpolator.of(cells, method).at_step(0)(where)
    assert np.allclose(found, cells.psd[0], rtol=1e-6)


def test_order_of_angles_does_not_matter(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    turned = replace(cells, azimuth=cells.azimuth[::-1], polar=cells.polar[::-1], psd=cells.psd[:, ::-1, ::-1])
    rolled = replace(cells, azimuth=np.roll(cells.azimuth, 9), psd=np.roll(cells.psd, 9, 1))
    where = somewhere(700.0)
    for method in METHODS:
        truth = Interpolator.of(cells, method).at_step(0)(where)
        assert np.allclose(Interpolator.of(turned, method).at_step(0)(where), truth, rtol=1e-3)
        assert np.allclose(Interpolator.of(rolled, method).at_step(0)(where), truth, rtol=1e-3)


def test_the_poles_are_places_as_any_other(seen: Made) -> None:
    cells = seen("fpi", 10.0, (0.0, 0.0, 300.0), 300.0, 300.0, (0.0, 1.0, 1.0))
    around = unit_vectors(np.linspace(0, 360, 60), np.linspace(0, 5, 60)) * 350
    truth = exact(around, 10.0, (0.0, 0.0, 300.0), 300.0, 300.0, (0.0, 1.0, 1.0))
    assert np.allclose(Interpolator.of(cells, "cubic").at_step(0)(around), truth, rtol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_counted_is_zero_and_nothing_measured_is_nan(seen: Made, method: Method) -> None:
    cells = seen("fpi", *WARM)
    psd = cells.psd.copy()
    psd[0, :16], psd[0, 16:20] = 0, np.nan
    field = Interpolator.of(replace(cells, psd=psd), method).at_step(0)
    azimuth, polar, speed = np.meshgrid(np.arange(0, 360, 7), np.arange(3, 180, 9), [200, 400, 600], indexing="ij")
    found = field(unit_vectors(azimuth, polar) * speed[..., None])
    cell = azimuth // 11.25
    assert (found[cell < 16] == 0).all()
    assert np.isnan(found[(cell >= 16) & (cell < 20)]).all()
    assert (found[cell >= 20] > 0).all()


def test_a_hole_does_not_leak_into_its_neighbours(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    psd = cells.psd.copy()
    counts = psd * cells.energy**2
    psd[counts < 1e-3 * counts.max()] = 0
    where = somewhere(500.0)
    whole = Interpolator.of(cells, "cubic").at_step(0)(where)
    holed = Interpolator.of(replace(cells, psd=psd), "cubic").at_step(0)(where)
    counted = holed > 0
    ratio = holed[counted] / whole[counted]
    assert ratio.min() > 0.2
    assert ratio.max() < 3
    assert np.median(np.abs(ratio - 1)) < 1e-2


@pytest.mark.parametrize("method", METHODS)
def test_beyond_the_energies_it_is_as_asked(seen: Made, method: Method) -> None:
    cells = seen("fpi", *WARM)
    where = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 400.0], [9000.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert np.isnan(Interpolator.of(cells, method).at_step(0)(where)).tolist() == [True, False, True, True]
    assert (Interpolator.of(cells, method, 0.0).at_step(0)(where) == 0).tolist() == [True, False, True, True]


@pytest.mark.parametrize("method", METHODS)
def test_beyond_the_field_of_view_it_is_nan(seen: Made, method: Method) -> None:
    cells = seen("pas", 10.0, (-420.0, 20.0, 0.0), 20.0, 20.0, (0.0, 0.0, 1.0))
    where = np.array([[-420.0, 20.0, 0.0], [420.0, 0.0, 0.0], [0.0, 0.0, 420.0], [np.nan, 0.0, 0.0]])
    found = Interpolator.of(cells, method).at_step(0)(where)
    assert np.isfinite(found).tolist() == [True, False, False, False]


def test_all_zero_and_all_nan_are_answers(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    where = somewhere(400.0, 50)
    for method in METHODS:
        zero = Interpolator.of(replace(cells, psd=np.zeros_like(cells.psd)), method, 0.0).at_step(0)(where)
        empty = Interpolator.of(replace(cells, psd=np.full_like(cells.psd, np.nan)), method).at_step(0)(where)
        assert (zero == 0).all()
        assert np.isnan(empty).all()


def test_what_cannot_be_is_said(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    with pytest.raises(BadParameter, match="no interpolation 'quintic'"):
        Interpolator.of(cells, "quintic")
    with pytest.raises(BadData, match="negative"):
        Interpolator.of(replace(cells, psd=-cells.psd)).at_step(0)
    uneven = replace(cells, azimuth=cells.azimuth + 5 * np.sin(np.radians(cells.azimuth)))
    with pytest.raises(BadData, match="evenly"):
        Interpolator.of(uneven).at_step(0)
    with pytest.raises(BadData, match="not a number"):
        replace(cells, azimuth=np.full(32, np.nan))


def test_directions_that_turn_with_energy_are_put_on_one_grid() -> None:
    energy = np.geomspace(20, 20_000, 32)
    azimuth = np.broadcast_to((100 + 20.0 * np.arange(8))[:, None, None], (8, 8, 32)).reshape(64, 32)
    narrower = np.clip(np.sqrt(4000 / energy), None, 1)
    polar = np.broadcast_to(90 + np.linspace(-52, 52, 8)[None, :, None] * narrower, (8, 8, 32)).reshape(64, 32)
    where = unit_vectors(azimuth, polar) * speed_of(energy)[:, None]
    cells = Skymap(exact(where, *WARM)[None], azimuth, polar, energy, solid_angle=np.full((64, 32), 0.06))
    inside = unit_vectors(np.linspace(110, 230, 40), np.linspace(60, 120, 40)) * np.linspace(300, 700, 40)[:, None]
    found = Interpolator.of(cells, "cubic").at_step(0)(inside)
    assert np.allclose(found, exact(inside, *WARM), rtol=0.03)


def test_scattered_directions_are_joined_by_triangles() -> None:
    number = np.arange(120) + 0.5
    azimuth, polar = (number * 180 * (3 - 5**0.5)) % 360, np.degrees(np.arccos(1 - number / 60))
    energy = np.geomspace(10, 30_000, 24)
    where = unit_vectors(azimuth, polar)[:, None] * speed_of(energy)[:, None]
    cells = Skymap(exact(where, *WARM)[None], azimuth, polar, energy, solid_angle=np.full(120, np.pi / 30))
    assert find_rows(azimuth, polar) is None
    inside = somewhere(500.0)
    assert relative(Interpolator.of(cells, "linear").at_step(0)(inside), exact(inside, *WARM)) < 0.1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(3, 20), min_size=2, max_size=8), st.floats(0, 360), st.integers(0, 99))
def test_operators_keep_what_is_constant_and_own_all_of_the_sky(counts: list[int], first: float, seed: int) -> None:
    polar = np.concatenate([np.full(n, (k + 0.5) * 180 / len(counts)) for k, n in enumerate(counts)])
    azimuth = np.concatenate([first + np.arange(n) * 360 / n for n in counts]) % 360
    mixed = np.random.default_rng(seed).permutation(len(polar))
    cells = Skymap(np.ones((1, len(polar), 2)), azimuth[mixed], polar[mixed], np.array([1.0, 2.0]), np.ones(len(polar)))
    built = regridding(cells)
    assert np.allclose(built.linear.sum(-1), 1)
    assert np.allclose(built.smooth.sum(-1), 1)
    assert (built.linear >= -1e-9).all()
    assert set(built.owner.ravel()) == set(range(len(polar)))
