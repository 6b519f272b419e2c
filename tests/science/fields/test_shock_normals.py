"""Normals and strengths of shocks that obey the Rankine-Hugoniot relations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science import plasma
from armillary.science.fields import shock_normals
from armillary.science.plasma import Array
from armillary.science.shocks import fast_jump


def shock(
    seed: int, theta: float, mach: float, beta: float, shock_speed: float = 0.0
) -> tuple[shock_normals.Sides, Array, tuple[float, float], float]:
    """Both sides of an exact oblique shock, its normal towards upstream, its densities and upstream temperature."""
    random = np.random.default_rng(seed)
    normal = random.normal(size=3)
    normal /= np.linalg.norm(normal)
    tangent = np.cross(normal, random.normal(size=3))
    tangent /= np.linalg.norm(tangent)
    density, size = 6.0, 5.0
    cosine, sine = np.cos(np.radians(theta)), np.sin(np.radians(theta))
    alfven = float(plasma.alfven_speed(size, density))
    temperature = float(beta * plasma.magnetic_pressure(size) / plasma.thermal_pressure(density, 1.0))
    jump = fast_jump(mach, beta, cosine)
    flow = mach * alfven
    # fast_jump counts the normal along the flow; ours points against it.
    field = size * (-cosine * normal + sine * tangent)
    behind = size * (-cosine * normal + sine * float(jump.field) * tangent)
    drift = 90 * np.cross(normal, tangent) + 35 * tangent + shock_speed * normal
    velocity = drift - flow * normal
    after = drift - flow / float(jump.compression) * normal + flow * float(jump.slip) * tangent
    sides = shock_normals.Sides(field, behind, velocity, after)
    return sides, normal, (density, density * float(jump.compression)), temperature


@given(st.integers(0, 10**6), st.floats(20, 80), st.floats(3, 10), st.floats(0.1, 3), st.floats(-200, 300))
def test_the_normal_comes_out(seed: int, theta: float, mach: float, beta: float, shock_speed: float) -> None:
    sides, normal, densities, temperature = shock(seed, theta, mach, beta, shock_speed)
    for method in ("magnetic", "mixed_1", "mixed_2", "mixed_3"):
        assert shock_normals.normal(sides, method) == pytest.approx(normal, abs=1e-5)
    assert shock_normals.normal(sides, "velocity") @ normal > np.cos(np.radians(25))
    assert shock_normals.speed(sides, *densities, normal) == pytest.approx(shock_speed, abs=1e-4)
    found = shock_normals.strength(sides, densities[0], temperature, normal, shock_speed)
    assert found.theta == pytest.approx(theta)
    assert found.alfven == pytest.approx(mach)
    assert found.sonic == pytest.approx(mach / np.sqrt(plasma.GAMMA * beta / 2))
    assert found.sonic > found.fast
    assert found.alfven > found.fast


def test_a_perpendicular_shock_by_its_velocity() -> None:
    sides, normal, _, _ = shock(3, 90.0, 6.0, 1.0)
    assert shock_normals.normal(sides, "velocity") == pytest.approx(normal)
    assert np.isnan(shock_normals.normal(sides, "magnetic")).all()


def test_a_parallel_shock_has_no_mixed_normal() -> None:
    sides, _, _, _ = shock(3, 0.0, 6.0, 1.0)
    assert np.isnan(shock_normals.normal(sides, "mixed_3")).all()
    same = shock_normals.Sides(*[np.ones(3)] * 4)
    assert np.isnan(shock_normals.normal(same, "velocity")).all()
    assert np.isnan(shock_normals.speed(same, 5.0, 5.0, np.array([1.0, 0, 0])))


def test_all_pairs_of_samples_show_the_spread() -> None:
    sides, normal, _, _ = shock(8, 55.0, 5.0, 0.8)
    random = np.random.default_rng(0)
    noise = [0.2, 0.2, 5.0, 5.0]
    up = [one + size * random.normal(size=(30, 1, 3)) for one, size in zip(sides, noise, strict=True)]
    down = [one + size * random.normal(size=(1, 30, 3)) for one, size in zip(sides, noise, strict=True)]
    pairs = shock_normals.Sides(up[0], down[1], up[2], down[3])
    normals = shock_normals.normal(pairs)
    assert normals.shape == (30, 30, 3)
    mean, angle = shock_normals.spread(normals)
    assert mean @ normal > np.cos(np.radians(2))
    assert 0.2 < angle < 6
    assert np.isnan(shock_normals.spread(np.full((4, 3), np.nan))[1])


def test_an_unknown_method() -> None:
    with pytest.raises(BadParameter, match="mixed_3"):
        shock_normals.normal(shock(1, 45.0, 4.0, 1.0)[0], "best")
