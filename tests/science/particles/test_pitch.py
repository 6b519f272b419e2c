"""Pitch-angle and gyro-phase distributions against what is known exactly."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.particles.angles import solid_angles
from armillary.science.particles.bases import basis_matrix
from armillary.science.particles.gyrophase import gyro_phase_distribution, phase_centres
from armillary.science.particles.pitch import pitch_angle_distribution, pitch_edges
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array, bi_maxwellian

ENERGY = np.geomspace(10, 3e4, 8)
fields = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda b: np.linalg.norm(b) > 1e-3).map(np.array)


def directions(cells: Skymap, step: int = 0) -> Array:
    """Unit vectors of a grid, (azimuth, polar, 3), or of a list."""
    azimuth, polar = (np.deg2rad(one[step] if cells.gridded and one.ndim == 2 else one)
                      for one in (cells.azimuth, cells.polar))  # fmt: skip
    if cells.gridded:
        azimuth, polar = np.meshgrid(azimuth, polar, indexing="ij")
    return np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], -1)


def grid(times: int = 1, azimuths: int = 32, polars: int = 16, first: float = 0.0) -> Skymap:
    azimuth = (first + (np.arange(azimuths) + 0.5) * 360 / azimuths) % 360
    polar = (np.arange(polars) + 0.5) * 180 / polars
    return Skymap(psd=np.ones((times, azimuths, polars, 8)), azimuth=azimuth, polar=polar, energy=ENERGY)


def listed(times: int = 1) -> Skymap:
    """Directions as THEMIS ESA has them: 4, 8, 16 and 16 in each half, and so on to the other pole."""
    rows = ((11.25, 4), (33.75, 8), (56.25, 16), (78.75, 16), (101.25, 16), (123.75, 16), (146.25, 8), (168.75, 4))
    polar = np.concatenate([np.full(n, at) for at, n in rows])
    azimuth = np.concatenate([(np.arange(n) + 0.5) * 360 / n for _, n in rows])
    solid = np.concatenate([
        np.full(n, 2 * np.pi / n * (np.cos(np.deg2rad(at - 11.25)) - np.cos(np.deg2rad(at + 11.25)))) for at, n in rows
    ])  # fmt: skip
    return Skymap(
        psd=np.ones((times, 88, 8)), azimuth=azimuth, polar=polar, energy=ENERGY, solid_angle=solid
    )  # fmt: skip


def filled(cells: Skymap, value: Callable[[Array], Array], field: Array) -> Skymap:
    """The same cells with a function of the cosine of the pitch angle, times a spectrum."""
    cosine = directions(cells) @ (field / np.linalg.norm(field))
    psd = np.broadcast_to(value(cosine)[None, ..., None] * 1e-20 * np.exp(-cells.energy / 1e3), cells.psd.shape)
    return replaced(cells, psd=np.array(psd))


def replaced(cells: Skymap, **changed: Any) -> Skymap:
    known = {name: getattr(cells, name) for name in ("psd", "azimuth", "polar", "energy", "solid_angle", "mass")}
    return Skymap(**{**known, **changed})


def exact_mean(value: Callable[[Array], Array], bins: int) -> Array:
    """Means over equally wide bins of pitch angle, by many points."""
    fine = np.cos(np.deg2rad((np.arange(bins * 200) + 0.5) * 180 / (bins * 200)))
    weight = np.sqrt(1 - fine**2).reshape(bins, -1)
    return np.asarray((value(fine).reshape(bins, -1) * weight).sum(1) / weight.sum(1))


@settings(max_examples=40)
@given(field=fields, bins=st.integers(1, 60), gridded=st.booleans())
def test_isotropic_particles_have_a_flat_distribution(field: Array, bins: int, gridded: bool) -> None:
    made = pitch_angle_distribution(grid() if gridded else listed(), field, pitch_edges(bins))
    assert made.mean[np.isfinite(made.mean)] == pytest.approx(1, rel=1e-12)
    assert made.solid_angle.sum(1) == pytest.approx(4 * np.pi, rel=1e-9)
    if gridded:
        area = 2 * np.pi * -np.diff(np.cos(np.deg2rad(pitch_edges(bins))))
        ring = 2 * np.pi * (np.pi / 16) / 4
        assert made.solid_angle[0, :, 0] == pytest.approx(area, abs=ring), "whole bins, to one ring about the pole"


@settings(max_examples=20)
@given(field=fields, seed=st.integers(0, 2**32 - 1), gridded=st.booleans())
def test_the_mean_over_the_sky_is_kept(field: Array, seed: int, gridded: bool) -> None:
    cells = grid() if gridded else listed()
    rng = np.random.default_rng(seed)
    psd = np.where(rng.random(cells.psd.shape) < 0.2, np.nan, rng.lognormal(sigma=3, size=cells.psd.shape))
    cells = replaced(cells, psd=psd)
    made = pitch_angle_distribution(cells, field, pitch_edges(18))
    weight = np.broadcast_to(solid_angles(cells), psd.shape)
    whole = (np.nan_to_num(psd) * weight).reshape(1, -1, 8).sum(1)
    assert np.nansum(made.mean * made.solid_angle, axis=1) == pytest.approx(whole, rel=1e-9)
    known = (np.isfinite(psd) * weight).reshape(1, -1, 8).sum(1)
    assert made.solid_angle.sum(1) == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("field", [[0.0, 0, 1], [0, 0, -3], [1, 0, 0], [0.3, -0.5, 0.8], [1e-9, 0, 1]])
@pytest.mark.parametrize(("gridded", "tolerance"), [(True, 0.01), (False, 0.05)])
def test_a_known_function_of_the_pitch_angle(field: list[float], gridded: bool, tolerance: float) -> None:
    def value(cosine: Array) -> Array:
        return 1 + 0.5 * cosine + cosine**2

    cells = filled(grid() if gridded else listed(), value, np.array(field))
    made = pitch_angle_distribution(cells, np.array(field), pitch_edges(12))
    spectrum = 1e-20 * np.exp(-ENERGY / 1e3)
    assert made.mean[0] / spectrum == pytest.approx(exact_mean(value, 12)[:, None] * np.ones(8), rel=tolerance)


def test_a_bi_maxwellian_in_its_own_frame() -> None:
    field, cells = np.array([2.0, -1, 1.5]), grid()
    unit = field / np.linalg.norm(field)
    velocity = directions(cells)[..., None, :] * cells.speed[:, None]
    psd = bi_maxwellian(velocity, 5.0, np.zeros(3), 1000.0, 400.0, unit)[None]
    made = pitch_angle_distribution(replaced(cells, psd=psd), field, pitch_edges(12))
    for level in range(6):

        def value(cosine: Array, energy: float = ENERGY[level]) -> Array:
            return np.asarray(np.exp(-energy * (cosine**2 / 1000 + (1 - cosine**2) / 400)))

        shape = made.mean[0, :, level] / made.mean[0, :, level].sum()
        exact = exact_mean(value, 12)
        assert shape == pytest.approx(exact / exact.sum(), rel=0.06 if level > 4 else 0.02)


def test_against_many_points_in_every_cell() -> None:
    """The areas by arcs against areas by counting: they share no formula."""
    rng = np.random.default_rng(4)
    cells = replaced(grid(azimuths=8, polars=5, first=17.0), psd=rng.random((1, 8, 5, 8)))
    field, n = np.array([0.4, 0.7, -0.2]), 120
    made = pitch_angle_distribution(cells, field, pitch_edges(9), rings=32)
    phi = np.deg2rad(17 + (np.arange(8 * n) + 0.5) * 45 / n)
    borders = np.cos(np.deg2rad(np.arange(6) * 36.0))
    cosine = (borders[:-1, None] + np.diff(borders)[:, None] * (np.arange(n) + 0.5) / n).ravel()
    sine = np.sqrt(1 - cosine**2)
    across = field[0] * np.cos(phi)[:, None] * sine + field[1] * np.sin(phi)[:, None] * sine + field[2] * cosine
    number = (np.rad2deg(np.arccos(across / np.linalg.norm(field))) // 20).astype(int)
    area = np.broadcast_to(np.repeat(np.repeat(solid_angles(cells)[0, 0, :, 0], n)[None], 8 * n, 0), number.shape)
    values = np.repeat(np.repeat(cells.psd[0, :, :, 3], n, 0), n, 1)
    for k in range(9):
        at = number == k
        assert made.mean[0, k, 3] == pytest.approx(np.average(values[at], weights=area[at]), rel=5e-3)


def test_a_grid_that_drifts_or_falls_is_the_same_sky() -> None:
    field = np.array([0.4, 0.7, -0.2])
    cells = filled(grid(), lambda cosine: 1 + cosine**4, field)
    plain = pitch_angle_distribution(cells, field, pitch_edges(12))
    back = replaced(cells, psd=cells.psd[:, ::-1, ::-1], azimuth=cells.azimuth[::-1], polar=cells.polar[::-1])
    assert pitch_angle_distribution(back, field, pitch_edges(12)).mean == pytest.approx(plain.mean, rel=1e-12)
    turned = np.deg2rad(33.0)
    ahead = np.array([[np.cos(turned), -np.sin(turned), 0], [np.sin(turned), np.cos(turned), 0], [0, 0, 1]]) @ field
    twice = replaced(
        cells, psd=np.repeat(cells.psd, 2, 0), azimuth=np.stack([cells.azimuth, (cells.azimuth + 33) % 360])
    )  # fmt: skip
    made = pitch_angle_distribution(twice, np.stack([field, ahead]), pitch_edges(12))
    assert made.mean[1] == pytest.approx(plain.mean[0], rel=1e-9)
    basis = basis_matrix("perp1_perp2", steps=2, b=np.stack([field, ahead]))
    basis[1, 0] = (
        np.array([[np.cos(turned), -np.sin(turned), 0], [np.sin(turned), np.cos(turned), 0], [0, 0, 1]]) @ basis[0, 0]
    )
    basis[1, 1] = np.cross(basis[1, 2], basis[1, 0])
    phase = gyro_phase_distribution(twice, basis, 8)
    assert phase.mean[1] == pytest.approx(phase.mean[0], rel=1e-3)


def test_bins_that_nothing_reaches_are_nan() -> None:
    azimuth, polar = np.array([170.0, 176, 182, 188]), np.array([85.0, 95])
    cells = Skymap(psd=np.ones((1, 4, 2, 8)), azimuth=azimuth, polar=polar, energy=ENERGY)
    made = pitch_angle_distribution(cells, np.array([1.0, 0, 0]), pitch_edges(18))
    seen = np.flatnonzero(np.isfinite(made.mean[0, :, 0]))
    assert seen.tolist() == [16, 17], "170 degrees and more, and the corners"
    assert (made.solid_angle[0, :16] == 0).all()
    empty = pitch_angle_distribution(replaced(grid(), psd=np.full((1, 32, 16, 8), np.nan)), azimuth[:3], pitch_edges(6))
    assert np.isnan(empty.mean).all()
    zero = pitch_angle_distribution(replaced(grid(), psd=np.zeros((1, 32, 16, 8))), azimuth[:3], pitch_edges(6))
    assert (zero.mean == 0).all(), "no count is no hole"


def test_times_without_a_field_are_nan_and_no_field_is_an_error() -> None:
    field = np.array([[0.0, 0, 0], [1, 2, 3], [np.nan, 1, 1]])
    made = pitch_angle_distribution(grid(3), field, pitch_edges(6))
    assert np.isfinite(made.mean).all((1, 2)).tolist() == [False, True, False]
    assert np.isnan(made.mean[[0, 2]]).all()
    assert (made.solid_angle[[0, 2]] == 0).all()
    with pytest.raises(BadData, match="missing or zero at all times"):
        pitch_angle_distribution(grid(3), field[[0, 2, 2]], pitch_edges(6))
    with pytest.raises(BadData, match="does not belong"):
        pitch_angle_distribution(grid(2), field, pitch_edges(6))
    for wrong in ([0, 90, 90], [10, 5], [0, 200], [90]):
        with pytest.raises(BadParameter, match="edges"):
            pitch_angle_distribution(grid(), field[1], np.array(wrong, float))


def test_many_times_are_each_as_if_alone() -> None:
    rng = np.random.default_rng(9)
    field, cells = rng.normal(size=(40, 3)), replaced(grid(40), psd=rng.random((40, 32, 16, 8)))
    made = pitch_angle_distribution(cells, field, pitch_edges(18))
    alone = pitch_angle_distribution(cells.between(31, 32), field[31], pitch_edges(18))
    assert made.mean[31] == pytest.approx(alone.mean[0], rel=1e-12)
    basis = basis_matrix("perp1_perp2", steps=40, b=field)
    phases, single = (
        gyro_phase_distribution(cells, basis, 16),
        gyro_phase_distribution(cells.between(31, 32), basis[31:32], 16),
    )
    assert phases.mean[31] == pytest.approx(single.mean[0], rel=1e-12)
    assert pitch_angle_distribution(cells.between(0, 0), field[:0], pitch_edges(18)).mean.shape == (0, 18, 8)


def test_directions_that_change_with_energy() -> None:
    cells, field = listed(), np.array([0.3, -0.5, 0.8])
    wide = replaced(
        cells, azimuth=np.repeat(cells.azimuth[:, None], 8, 1), polar=np.repeat(cells.polar[:, None], 8, 1),
        psd=np.random.default_rng(2).random((1, 88, 8)),
    )  # fmt: skip
    narrow = replaced(cells, psd=wide.psd)
    made, plain = (pitch_angle_distribution(one, field, pitch_edges(9)) for one in (wide, narrow))
    assert made.mean == pytest.approx(plain.mean, rel=1e-9)
    assert made.solid_angle == pytest.approx(plain.solid_angle, rel=1e-9)
    basis = basis_matrix("perp1_perp2", steps=1, b=field)
    made, plain = (gyro_phase_distribution(one, basis, 9) for one in (wide, narrow))
    assert made.mean == pytest.approx(plain.mean, rel=1e-9)


@settings(max_examples=15)
@given(field=fields, gridded=st.booleans(), bins=st.integers(1, 36))
def test_isotropic_particles_have_no_gyro_phase(field: Array, gridded: bool, bins: int) -> None:
    cells = grid() if gridded else listed()
    basis = basis_matrix("perp1_perp2", steps=1, b=field)
    if np.isnan(basis).any():
        return
    made = gyro_phase_distribution(cells, basis, bins)
    assert made.mean[np.isfinite(made.mean)] == pytest.approx(1, rel=1e-12)
    assert made.solid_angle.sum(1) == pytest.approx(4 * np.pi, rel=1e-9)


@pytest.mark.parametrize("gridded", [True, False])
def test_a_bunch_of_particles_has_its_phase(gridded: bool) -> None:
    """``1 + cos(phase - 60) sin(alpha)`` in a tilted basis: the mean of the sine over a phase bin is pi/4."""
    cells = grid() if gridded else listed()
    basis = basis_matrix("custom", steps=1, custom=np.array([[1.0, 2, 0.5], [0, 1, -1]]))
    local = directions(cells) @ basis[0].T
    wave = 1 + local[..., 0] * np.cos(np.pi / 3) + local[..., 1] * np.sin(np.pi / 3)
    psd = np.broadcast_to(wave[None, ..., None], cells.psd.shape)
    made = gyro_phase_distribution(replaced(cells, psd=np.array(psd)), basis, 12)
    exact = 1 + np.pi / 4 * np.cos(np.deg2rad(phase_centres(12) - 60)) * np.sinc(1 / 12)
    assert made.mean[0, :, 0] == pytest.approx(exact, abs=0.03)
    half = gyro_phase_distribution(replaced(cells, psd=np.array(psd)), basis, 12, lowest=60, highest=120)
    assert half.solid_angle.sum(1) == pytest.approx(2 * np.pi, rel=0.05)
    assert np.nanmax(half.mean) > np.nanmax(made.mean)


def test_phases_of_wrong_bases_and_limits() -> None:
    basis = basis_matrix("perp1_perp2", steps=2, b=np.array([[0.0, 1, 1], [0, 0, 0]]))
    made = gyro_phase_distribution(grid(2), basis, 4)
    assert np.isfinite(made.mean).all((1, 2)).tolist() == [True, False]
    with pytest.raises(BadParameter, match="no pitch angle"):
        gyro_phase_distribution(grid(2), basis, 4, lowest=90, highest=20)
    with pytest.raises(BadData, match="not defined at any time"):
        gyro_phase_distribution(grid(1), basis[1:], 4)
    with pytest.raises(BadData, match="does not belong"):
        gyro_phase_distribution(grid(1), basis, 4)


def test_polar_angles_that_change_in_time() -> None:
    rng = np.random.default_rng(3)
    polar = np.array([[30.0, 90, 150], [20, 70, 140], [30, 90, 150]])
    cells = Skymap(psd=rng.random((3, 6, 3, 8)), azimuth=np.arange(6) * 60.0, polar=polar, energy=ENERGY)
    field = rng.normal(size=(3, 3))
    basis = basis_matrix("perp1_perp2", steps=3, b=field)
    for step in range(3):
        alone = replaced(cells.between(step, step + 1), polar=polar[step])
        one = pitch_angle_distribution(alone, field[step], pitch_edges(9))
        assert pitch_angle_distribution(cells, field, pitch_edges(9)).mean[step] == pytest.approx(
            one.mean[0], nan_ok=True
        )
        phase = gyro_phase_distribution(alone, basis[step : step + 1], 6)
        assert gyro_phase_distribution(cells, basis, 6).mean[step] == pytest.approx(phase.mean[0])
