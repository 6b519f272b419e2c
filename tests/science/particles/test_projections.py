"""Reduced distributions: what is put in comes out, to the last count."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.particles.cell_volumes import cell_density
from armillary.science.particles.projections import Bins, project
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, PROTON_MASS, Array

Made = Callable[..., Skymap]

DRIFT, FIELD = np.array([-220.0, 90.0, 60.0]), np.array([0.3, 0.5, 0.8]) / np.sqrt(0.98)
WARM = (10.0, DRIFT, 250.0, 400.0, FIELD)
LINE = Bins(-2800.0, 2800.0, 200)
PLANE = (Bins(-2800.0, 2800.0, 100), Bins(-2800.0, 2800.0, 100))


def turn(seed: int) -> Array:
    turned = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return turned * np.sign(np.linalg.det(turned))


def sigma(axis: Array, parallel: float = 250.0, perpendicular: float = 400.0) -> float:
    along = (axis @ FIELD) ** 2
    return 1e-3 * np.sqrt((parallel * along + perpendicular * (1 - along)) * ELEMENTARY_CHARGE / PROTON_MASS)


def mean_and_sigma(found: Array, bins: Bins) -> tuple[float, float]:
    weight = found / found.sum()
    mean = weight @ bins.middles
    return mean, np.sqrt(weight @ (bins.middles - mean) ** 2 - bins.width**2 / 12)


@pytest.mark.parametrize("geometry", ["fpi", "fpi burst", "esa", "pas", "span"])
@pytest.mark.parametrize("bins", [(LINE,), PLANE], ids=["line", "plane"])
def test_the_sum_is_the_density_to_the_last_digit(seen: Made, geometry: str, bins: tuple[Bins, ...]) -> None:
    cells = seen(geometry, *WARM, steps=2)
    found = project(cells, np.stack([turn(0), turn(1)]), bins)
    widths = np.prod([1e5 * one.width for one in bins])
    total = found.values.reshape(2, -1).sum(1) * widths + found.outside
    assert np.allclose(total, cell_density(cells), rtol=1e-12, atol=0)
    assert np.allclose(found.density, cell_density(cells), rtol=1e-12, atol=0)


@pytest.mark.parametrize("geometry", ["fpi", "fpi burst"])
@pytest.mark.parametrize("seed", range(3))
def test_velocity_and_width_are_the_exact_ones(seen: Made, geometry: str, seed: int) -> None:
    cells = seen(geometry, *WARM, steps=2)
    basis = turn(seed)
    found = project(cells, np.stack([basis, basis]), (LINE,))
    assert np.allclose(found.density, 10, rtol=5e-3)
    for step in (0, 1):
        mean, width = mean_and_sigma(found.values[step], LINE)
        assert abs(mean - basis[0] @ DRIFT) < 0.005 * np.linalg.norm(DRIFT)
        assert abs(width / sigma(basis[0]) - 1) < 0.005


@pytest.mark.parametrize("geometry", ["fpi", "esa"])
def test_the_curve_is_the_exact_gaussian(seen: Made, geometry: str) -> None:
    basis = np.eye(3)
    found = project(seen(geometry, *WARM), basis[None], (Bins(-2800.0, 2800.0, 140),))
    bins, spread = Bins(-2800.0, 2800.0, 140), sigma(basis[0])
    exact = 10e-5 * np.exp(-((bins.middles - DRIFT[0]) ** 2) / 2 / spread**2) / np.sqrt(2 * np.pi) / spread
    assert np.linalg.norm(found.values[0] - exact) < (0.02 if geometry == "fpi" else 0.08) * np.linalg.norm(exact)


def test_a_plane_summed_is_a_line(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    line = project(cells, turn(2)[None], (PLANE[0],)).values[0]
    plane = project(cells, turn(2)[None], PLANE).values[0]
    assert np.allclose(plane.sum(1) * PLANE[1].width * 1e5, line, rtol=1e-5, atol=1e-9 * line.max())


@pytest.mark.parametrize("geometry", ["fpi", "esa"])
def test_no_bin_is_empty_where_there_are_particles_all_around(seen: Made, geometry: str) -> None:
    cells = replace(seen(geometry, *WARM), psd=np.ones_like(seen(geometry, *WARM).psd) * 1e-20)
    bins = (Bins(-1200.0, 1200.0, 100), Bins(-1200.0, 1200.0, 100))
    found = project(cells, turn(3)[None], bins).values[0]
    assert (found[5:-5, 5:-5] == 0).mean() < 1e-3


def test_what_was_not_counted_stays_nothing(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    one_sided = replace(cells, psd=np.where(np.arange(32)[:, None, None] < 16, cells.psd, 0.0))
    found = project(one_sided, np.eye(3)[None], PLANE).values[0]
    # motion towards negative y was not counted
    assert not found[:, :47].any()


def test_the_bulk_velocity_can_be_the_middle(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    basis = turn(4)
    found = project(cells, basis[None], (LINE,), centre=DRIFT[None])
    mean, width = mean_and_sigma(found.values[0], LINE)
    assert abs(mean) < 1.5
    assert abs(width / sigma(basis[0]) - 1) < 0.005


def test_limits_across_part_the_density(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    for bins in ((LINE,), PLANE):
        near, far = (project(cells, turn(1)[None], bins, across=ends) for ends in ((-250.0, 250.0), (250.0, 9e9)))
        rest = project(cells, turn(1)[None], bins, across=(-9e9, -250.0))
        whole = project(cells, turn(1)[None], bins)
        assert near.outside > 0.05 * near.density
        assert np.allclose(near.values + far.values + rest.values, whole.values, rtol=1e-5)
        inner = near.values.sum() * np.prod([1e5 * one.width for one in bins])
        assert np.allclose(inner + near.outside, near.density, rtol=1e-12)


def test_what_falls_outside_is_reported(seen: Made) -> None:
    found = project(seen("fpi", *WARM), np.eye(3)[None], (Bins(-220.0, 2800.0, 50),))
    assert 0.4 < (found.outside / found.density)[0] < 0.6


def test_it_is_the_same_every_time_and_in_pieces(seen: Made) -> None:
    cells = seen("fpi burst", *WARM, steps=3)
    basis = np.stack([turn(seed) for seed in range(3)])
    whole = project(cells, basis, (LINE,)).values
    assert np.array_equal(project(cells, basis, (LINE,)).values, whole)
    assert np.allclose(
        project(cells.between(2, 3), basis[2:], (LINE,)).values[0], whole[2], rtol=0.1, atol=1e-2 * whole.max()
    )


def test_turning_the_basis_with_the_grid_changes_nothing(seen: Made) -> None:
    cells = seen("fpi", *WARM)
    angle = np.radians(11.25 * 5)
    spin = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned = replace(cells, azimuth=cells.azimuth + 11.25 * 5)
    first, second = project(cells, turn(0)[None], (LINE,)), project(turned, (turn(0) @ spin.T)[None], (LINE,))
    assert np.allclose(first.values, second.values, rtol=1e-3, atol=1e-4 * first.values.max())


def test_missing_cells_zero_counts_and_bases_are_not_made_up(seen: Made) -> None:
    cells = seen("fpi", *WARM, steps=4)
    psd = cells.psd.copy()
    psd[0], psd[1], psd[2, :5] = np.nan, 0, np.nan
    basis = np.stack([np.eye(3)] * 3 + [np.full((3, 3), np.nan)])
    found = project(replace(cells, psd=psd), basis, (LINE,))
    assert np.isnan(found.values[[0, 3]]).all()
    assert np.isnan(found.density[[0, 3]]).all()
    assert (found.values[1] == 0).all()
    assert found.density[1] == 0
    assert np.isclose(found.density[2], cell_density(replace(cells, psd=psd))[2], rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.01, 1.0), st.integers(1, 40))
def test_random_counts_are_all_there(seed: int, filled: float, points: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(3, (1, 8, 4, 6)) * (rng.random((1, 8, 4, 6)) < filled)
    energy = np.geomspace(10, 1000, 6)
    cells = Skymap(
        counts / energy**2 * 1e-18,
        np.arange(8) * 45.0 + rng.uniform(0, 45),
        np.array([22.5, 67.5, 112.5, 157.5]),
        energy,
    )
    bins = Bins(*sorted(rng.uniform(-600, 600, 2)), int(rng.integers(1, 80)))
    found = project(cells, turn(seed)[None], (bins,), points=points)
    total = found.values.sum() * bins.width * 1e5 + found.outside[0]
    assert np.isclose(total, cell_density(cells)[0], rtol=1e-12, atol=0)
    assert (found.values >= 0).all()


@pytest.mark.parametrize(
    ("bins", "told", "words"),
    [
        ((), {}, "0 axes"),
        ((Bins(1.0, 1.0, 5),), {}, "hold nothing"),
        ((Bins(0.0, np.nan, 5),), {}, "hold nothing"),
        ((LINE,), {"across": (3.0, 3.0)}, "nothing lies between"),
    ],
)
def test_what_cannot_be_is_said(seen: Made, bins: tuple[Bins, ...], told: dict[str, Any], words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        project(seen("fpi", *WARM), np.eye(3)[None], bins, **told)
