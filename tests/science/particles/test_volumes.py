"""Volumes and surfaces: closed, oriented, of the right size."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.particles.interpolation import METHODS, Field, Interpolator, Method
from armillary.science.particles.skymap import Skymap
from armillary.science.particles.slices import centres, slices
from armillary.science.particles.volumes import Surface, enclosed_volume, euler_characteristic, isosurface, volume
from armillary.science.plasma import Array, bi_maxwellian, thermal_speed

Made = Callable[..., Skymap]

WARM = (10.0, np.array([-220.0, 90.0, 60.0]), 250.0, 400.0, np.array([0.3, 0.5, 0.8]) / np.sqrt(0.98))


def grid(count: int = 32, limit: float = 1.5) -> tuple[Array, list[Array]]:
    axis = np.linspace(-limit, limit, count)
    return axis, np.meshgrid(axis, axis, axis, indexing="ij")


def is_closed(surface: Surface) -> bool:
    """Say whether each side is used by two triangles, once in each direction."""
    sides = surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    forward = {tuple(side) for side in sides.tolist()}
    return len(forward) == len(sides) and all((b, a) in forward for a, b in forward)


def test_a_ball_has_its_volume_and_is_one_closed_surface() -> None:
    axis, (x, y, z) = grid()
    ball = isosurface(1 - np.sqrt(x**2 + y**2 + z**2), (axis, axis, axis), 0.0)
    assert ball.vertices.dtype == np.float32
    assert ball.faces.dtype == np.int32
    assert is_closed(ball)
    assert euler_characteristic(ball) == 2
    assert enclosed_volume(ball) == pytest.approx(4 / 3 * np.pi, rel=0.01)
    assert np.allclose(np.linalg.norm(ball.vertices, axis=1), 1, atol=0.01)


def test_a_ring_has_a_hole_and_two_balls_are_two() -> None:
    axis, (x, y, z) = grid()
    ring = isosurface(0.3 - np.hypot(np.hypot(x, y) - 0.9, z), (axis, axis, axis), 0.0)
    assert is_closed(ring)
    assert euler_characteristic(ring) == 0
    assert enclosed_volume(ring) == pytest.approx(2 * np.pi**2 * 0.9 * 0.3**2, rel=0.04)
    two = isosurface(
        0.4 - np.minimum(np.hypot(np.hypot(x - 0.7, y), z), np.hypot(np.hypot(x + 0.7, y), z)), (axis,) * 3, 0.0
    )
    assert euler_characteristic(two) == 4


def test_what_reaches_the_border_is_capped() -> None:
    axis, (x, _, _) = grid(8)
    half = isosurface(x, (axis, axis, axis), 0.0)
    assert is_closed(half)
    assert euler_characteristic(half) == 2
    assert enclosed_volume(half) == pytest.approx(1.5 * 9, rel=1e-5)


def test_axes_of_their_own_stretch_it() -> None:
    axis, (x, y, z) = grid()
    stretched = isosurface(1 - x**2 - y**2 - z**2, (axis * 10, axis, axis + 5), 0.0)
    assert enclosed_volume(stretched) == pytest.approx(40 / 3 * np.pi, rel=0.02)
    assert stretched.vertices[:, 2].min() > 3.9


def test_nothing_above_gives_nothing() -> None:
    axis, (x, _, _) = grid(4)
    empty = isosurface(x, (axis, axis, axis), 9.0)
    assert empty.vertices.shape == (0, 3)
    assert empty.faces.shape == (0, 3)
    missing = isosurface(np.full_like(x, np.nan), (axis, axis, axis), 0.0)
    assert len(missing.faces) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6), st.booleans(), st.booleans())
def test_any_surface_is_closed_and_turned_outwards(seed: int, count: int, ties: bool, holes: bool) -> None:
    rng = np.random.default_rng(seed)
    values = (
        rng.integers(-2, 3, (count, count + 1, 3)).astype(float) if ties else rng.normal(size=(count, count + 1, 3))
    )
    if holes:
        values[rng.random(values.shape) < 0.2] = np.nan
    axes = (np.arange(count) * 1.0, np.arange(count + 1) * 1.0, np.arange(3) * 1.0)
    found = isosurface(values, axes, 0.25)
    assert is_closed(found)
    assert euler_characteristic(found) % 2 == 0
    assert enclosed_volume(found) >= -1e-6
    assert np.isfinite(found.vertices).all()


def test_a_level_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadParameter, match="no surface"):
        isosurface(np.zeros((2, 2, 2)), (np.arange(2.0),) * 3, np.nan)
    with pytest.raises(BadParameter, match="no surface"):
        isosurface(np.zeros((2, 2, 2)), (np.arange(3.0),) * 3, 0.0)


def test_a_volume_is_f_and_its_surface_the_ellipsoid(seen: Made) -> None:
    cells = seen("fpi", *WARM, steps=2)
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    axis = centres(800, 33)
    found = volume(
        cells, np.stack([basis, np.full((3, 3), np.nan)]), axis, method="cubic", centre=WARM[1] * np.ones((2, 1))
    )
    assert found.dtype == np.float32
    assert np.isnan(found[1]).all()
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    exact = bi_maxwellian(np.stack([x, y, z], -1) @ basis + WARM[1], *WARM)
    # Below the lowest energy nothing is known; a volume is 0 there unless told otherwise.
    speed = np.linalg.norm(np.stack([x, y, z], -1) @ basis + WARM[1], axis=-1)
    assert np.allclose(found[0][speed > 50], exact[speed > 50], rtol=0.02, atol=2e-3 * exact.max())
    assert (found[0][speed < 40] == 0).all()
    # A surface that does not reach the hole around rest, on a grid fine enough for its curvature.
    fine = centres(250, 41)
    near = volume(cells.between(0, 1), basis[None], fine, centre=WARM[1][None])[0]
    with np.errstate(divide="ignore"):
        surface = isosurface(np.log(near), (fine, fine, fine), np.log(exact.max()) - 0.5)
    speeds = [np.sqrt(0.5) * thermal_speed(t) for t in (250.0, 400.0, 400.0)]
    assert is_closed(surface)
    assert euler_characteristic(surface) == 2
    assert enclosed_volume(surface) == pytest.approx(4 / 3 * np.pi * np.prod(speeds), rel=0.01)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("geometry", ["fpi", "esa", "span"])
def test_a_volume_is_a_pile_of_slices(seen: Made, geometry: str, method: Method) -> None:
    cells = seen(geometry, *WARM, steps=2)
    counts = cells.psd * cells.energy**2
    cells = replace(cells, psd=np.where(counts < 1e-3 * counts.max(), 0, cells.psd))
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(2, 3, 3)))[0]
    axis, centre = centres(900, 9), WARM[1] * np.array([[1.0], [0.5]])
    found = volume(cells, basis, axis, method=method, centre=centre)
    flat = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    for layer, height in enumerate(axis):
        at = centre + height * basis[:, 2]
        cut = slices(cells, basis, flat, method=method, centre=at, outside=0.0)
        assert np.allclose(found[..., layer], cut, rtol=1e-5, atol=0, equal_nan=True)
    assert np.isfinite(found).mean() > 0.05
    assert (found > 0).any()


def test_each_step_is_prepared_once(seen: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, prepared = seen("esa", *WARM, steps=3), []
    at_step = Interpolator.at_step

    def counted(asked: Interpolator, step: int) -> Field:
        prepared.append(step)
        return at_step(asked, step)

    monkeypatch.setattr(Interpolator, "at_step", counted)
    basis = np.stack([np.eye(3), np.full((3, 3), np.nan), np.eye(3)])
    volume(cells, basis, centres(900, 16))
    assert prepared == [0, 2]
