"""Axes of known structures, the errors against many trials, and IDL's answers on real data."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.fields import variance
from armillary.science.plasma import Array

SECOND = 1_000_000_000


def sheet(n: int = 200, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """A rotation of the field through a sheet, and its axes as rows."""
    angle = np.linspace(0.2, np.pi - 0.4, n)
    lmn = np.stack([20 * np.cos(angle), 20 * np.sin(angle), np.full(n, 3.0)], 1)
    normal = np.array([0.8, 0.3, -0.2])
    axes = variance.axes_from_normal(normal, np.array([0.1, 0.2, 1.0]))
    return (lmn + noise * np.random.default_rng(seed).normal(size=lmn.shape)) @ axes, axes


def test_a_current_sheet_gives_its_axes_back() -> None:
    field, axes = sheet()
    found = variance.minimum_variance(field)
    # L of the analysis is the most varying tangential direction, not the north of the sheet: only N must agree.
    assert found.axes[2] == pytest.approx(axes[2], abs=1e-9)
    assert np.allclose(found.axes @ found.axes.T, np.eye(3))
    assert np.linalg.det(found.axes) == pytest.approx(1)
    assert found.axes[2, 0] > 0
    assert found.axes[0, 2] > 0
    assert found.mean @ found.axes[2] == pytest.approx(3)
    assert np.allclose(np.var(field @ found.axes.T, axis=0), found.eigenvalues, atol=1e-9)


def test_vectors_that_are_not_finite_are_left_out() -> None:
    field, _ = sheet()
    holed = np.concatenate([field, [[np.nan, 1, 2], [1, np.inf, 0]]])
    found, same = variance.minimum_variance(holed), variance.minimum_variance(field)
    assert found.samples == 200
    assert np.array_equal(found.axes, same.axes)


@pytest.mark.parametrize("field", [np.zeros((50, 3)), np.full((50, 3), 7.0), np.full((9, 3), np.nan), np.eye(3)])
def test_what_does_not_vary_is_refused(field: Array) -> None:
    with pytest.raises(BadData):
        variance.minimum_variance(field)


def test_errors_are_those_of_many_trials() -> None:
    clean, _ = sheet(80)
    exact = variance.minimum_variance(clean).axes
    tilts, fields, errors, bars = [], [], [], []
    for seed in range(400):
        found = variance.minimum_variance(sheet(80, 0.5, seed)[0])
        tilts.append([np.degrees(np.arcsin(found.axes[2] @ exact[other])) for other in (0, 1)])
        fields.append(found.mean @ found.axes[2])
        errors.append(variance.angular_errors(found))
        bars.append(variance.normal_field_error(found))
    spread = np.std(tilts, axis=0)
    expected = np.median(errors, axis=0)
    assert spread == pytest.approx(expected[1:], rel=0.15)
    assert np.std(fields) == pytest.approx(np.median(bars), rel=0.15)


def test_the_constraint_makes_the_normal_field_zero() -> None:
    field, _ = sheet(60, 1.0)
    mean = field.mean(0)
    found = variance.minimum_variance(field, tangential=mean)
    assert found.axes[2] @ mean == pytest.approx(0, abs=1e-12)
    assert abs(found.axes[1] @ mean) == pytest.approx(np.linalg.norm(mean))
    assert np.linalg.det(found.axes) == pytest.approx(1)
    assert np.allclose(np.var(field @ found.axes.T, axis=0), found.eigenvalues)
    angles = np.linspace(0, np.pi, 181)
    across = np.cos(angles)[:, None] * found.axes[2] + np.sin(angles)[:, None] * found.axes[0]
    assert np.var(field @ across.T, axis=0).min() == pytest.approx(found.eigenvalues[2])
    with pytest.raises(BadData):
        variance.minimum_variance(field, tangential=np.zeros(3))


def test_the_electric_field_varies_most_along_the_normal() -> None:
    profile = np.tanh(np.linspace(-3, 3, 100))
    normal = np.array([0.6, 0.0, 0.8])
    electric = 5 * profile[:, None] * normal + 0.1 * np.random.default_rng(1).normal(size=(100, 3))
    found = variance.maximum_variance(electric)
    assert found.axes[2] == pytest.approx(normal, abs=0.02)
    assert (np.diff(found.eigenvalues) > 0).all()


def test_a_moving_sheet_by_its_faraday_residue() -> None:
    field, axes = sheet()
    moves = np.array([-90.0, 30.0, 55.0])
    found = variance.minimum_faraday_residue(-1e-3 * np.cross(moves, field), field)
    assert found.normal == pytest.approx(axes[2], abs=1e-9)
    assert found.speed == pytest.approx(moves @ axes[2])
    assert found.eigenvalues[0] == pytest.approx(0, abs=1e-12)
    assert found.eigenvalues[1] > 0.01
    with pytest.raises(BadData, match="vary"):
        variance.minimum_faraday_residue(0 * field, field)
    with pytest.raises(BadData, match="0 samples"):
        variance.minimum_faraday_residue(np.nan * field, field)


def test_how_well_the_normal_is_known() -> None:
    values = np.array([[9.0, 4.0, 1.0], [9.0, 4.0, 0.0]])
    found = variance.Variance(np.zeros((2, 3, 3)), values, np.zeros((2, 3)), np.array([9, 9]))
    assert variance.ratio(found).tolist() == [4.0, np.inf]


def test_axes_from_a_normal_at_the_nose() -> None:
    axes = variance.axes_from_normal(np.array([2.0, 0, 0]), np.array([0.0, 0, 1]))
    assert (axes + 0.0).tolist() == [[0, 0, 1], [0, -1, 0], [1, 0, 0]]
    assert np.isnan(variance.axes_from_normal(np.array([0.0, 0, 2]), np.array([0.0, 0, 1]))[0]).all()


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40), st.floats(0, 0.5))
def test_each_window_is_as_if_it_were_alone(seed: int, step: int, window: int, gone: float) -> None:
    random = np.random.default_rng(seed)
    time = np.sort(random.integers(0, 300, 250))
    field = random.normal(size=(250, 3)) * [3, 2, 1] + [1e4, 0, -2e4]
    field[random.random(250) < gone] = np.nan
    starts = np.arange(-10, 300, step)
    found = variance.sliding_variance(time, field, starts, window)
    for number, start in enumerate(starts):
        inside = field[(time >= start) & (time < start + window)]
        inside = inside[np.isfinite(inside).all(1)]
        assert found.samples[number] == len(inside)
        if len(inside) < variance.LEAST_SAMPLES:
            assert np.isnan(found.axes[number]).all()
            continue
        alone = variance.minimum_variance(inside)
        assert found.eigenvalues[number] == pytest.approx(alone.eigenvalues, rel=1e-6, abs=1e-8)
        assert found.mean[number] == pytest.approx(alone.mean)
        assert np.linalg.det(found.axes[number]) == pytest.approx(1)


def test_nothing_is_lost_near_perigee() -> None:
    # 40,000 nT that change by 9 nT a second, and variations of 0.01 nT across it
    time = np.arange(40_000) * SECOND // 16
    phase = 2 * np.pi * time / (8 * 3600 * SECOND)
    field = 4e4 * np.stack([np.sin(phase), np.cos(phase), np.zeros_like(phase)], 1)
    field += np.random.default_rng(2).normal(size=field.shape) * [0.1, 0.03, 0.01]
    starts = np.arange(0, 2400 * SECOND, 7 * SECOND)
    found = variance.sliding_variance(time, field, starts, 4 * SECOND)
    for number in range(0, len(starts), 10):
        inside = (time >= starts[number]) & (time < starts[number] + 4 * SECOND)
        alone = variance.minimum_variance(field[inside])
        assert found.eigenvalues[number] == pytest.approx(alone.eigenvalues, rel=1e-8)


def test_windows_without_data_or_variation_are_nan() -> None:
    starts = np.array([0, 10, 20])
    assert np.isnan(variance.sliding_variance(np.arange(30), np.ones((30, 3)), starts, 10).axes).all()
    empty = variance.sliding_variance(np.empty(0, np.int64), np.empty((0, 3)), starts, 10)
    assert empty.samples.tolist() == [0, 0, 0]
    assert np.isnan(empty.eigenvalues).all()
    assert variance.sliding_variance(np.arange(30), np.ones((30, 3)), starts[:0], 10).axes.shape == (0, 3, 3)


@pytest.fixture(scope="module")
def idl(real_data: Path) -> dict[str, tuple[Array, Array]]:
    """IDL's variables: times and values, time first."""
    from scipy.io import readsav

    saved = readsav(real_data / "plasma" / "idl_spedas" / "mva_python_validate.tplot")["dq"]
    found = {one["NAME"].decode(): one["DH"][0] for one in saved}
    return {
        name: (np.asarray(one["X"], float), np.moveaxis(np.asarray(one["Y"], float), -1, 0))
        for name, one in found.items()
    }


def off(ours: Array, theirs: Array) -> Array:
    """Angles between axes in degrees, whatever their sign."""
    sine = np.linalg.norm(np.cross(ours, theirs), axis=-1)
    return np.asarray(np.degrees(np.arcsin(np.minimum(sine, 1))))


@pytest.mark.real
def test_themis_as_idl_has_it(idl: dict[str, tuple[Array, Array]]) -> None:
    # IDL takes means in single precision: five digits is all that can agree.
    found = variance.minimum_variance(idl["thb_fgs_gsm_mvaclipped1"][1])
    theirs = np.stack([idl[f"mva_{one}"][1][0] for one in ("max", "int", "min")])
    assert off(found.axes, theirs).max() < 1e-3
    assert found.eigenvalues == pytest.approx(idl["mva_vals"][1][0], abs=1e-5 * found.eigenvalues[0])


@pytest.mark.real
def test_mms_sliding_as_idl_has_it(idl: dict[str, tuple[Array, Array]]) -> None:
    time, field = idl["mms1_fgm_b_gsm_srvy_l2_bvec_hp4minvar"]
    middles, values = idl["mva_vals2"]
    origin = time[0]
    starts = np.round((middles - 8 - origin) * 1e9).astype(np.int64)
    found = variance.sliding_variance(np.round((time - origin) * 1e9).astype(np.int64), field, starts, 16 * SECOND)
    assert len(values) == 896
    assert (np.abs(found.eigenvalues - values) <= 1e-6 * values[:, :1]).all()
    for number, name in enumerate(("mva_max2", "mva_int2", "mva_min2")):
        assert off(found.axes[:, number], idl[name][1]).max() < 1e-3


@pytest.mark.parametrize("shape", [(10, 2), (10, 4), (30,), (2, 10, 3)])
def test_what_are_no_vectors_of_three_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadData, match=r"not \(n, 3\)"):
        variance.minimum_variance(np.random.default_rng(1).random(shape))
