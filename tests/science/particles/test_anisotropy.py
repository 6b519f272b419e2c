"""Tensors along the field: against invariants, hand-made tensors and what Wind published."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.science.particles import anisotropy
from armillary.science.plasma import Array

FIELDS = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda one: np.linalg.norm(one) > 0.1)
SEEDS = st.integers(0, 10_000)


def any_tensor(seed: int) -> Array:
    half = np.random.default_rng(seed).normal(size=(1, 3, 5))
    return np.asarray(half @ half.transpose(0, 2, 1))


@given(SEEDS, FIELDS)
def test_sqrt_q_by_the_invariants_of_the_tensor(seed: int, field: tuple[float, ...]) -> None:
    p, b = any_tensor(seed), np.array([field]) / np.linalg.norm(field)
    along = float((b[0] @ p[0]) @ b[0])
    first = np.trace(p[0])
    second = (first**2 - np.trace(p[0] @ p[0])) / 2
    exact = 1 - 4 * second / ((first - along) * (first + 3 * along))
    assert anisotropy.agyrotropy_swisdak(p, b)[0] == pytest.approx(np.sqrt(max(exact, 0)), abs=1e-7)


@given(SEEDS, FIELDS)
def test_aunai_by_its_definition(seed: int, field: tuple[float, ...]) -> None:
    p, b = any_tensor(seed), np.array(field) / np.linalg.norm(field)
    along = b @ p[0] @ b
    across = (np.trace(p[0]) - along) / 2
    rest = p[0] - across * np.eye(3) - (along - across) * np.outer(b, b)
    exact = 2 * np.sqrt((rest**2).sum()) / np.trace(p[0])
    assert anisotropy.agyrotropy_aunai(p, b[None])[0] == pytest.approx(exact, rel=1e-9)


@given(SEEDS, FIELDS)
def test_scudder_by_the_eigenvalues_across_the_field(seed: int, field: tuple[float, ...]) -> None:
    p, b = any_tensor(seed), np.array(field) / np.linalg.norm(field)
    across = np.eye(3) - np.outer(b, b)
    values = np.sort(np.linalg.eigvalsh(across @ p[0] @ across))[1:]
    exact = 2 * (values[1] - values[0]) / values.sum()
    assert anisotropy.agyrotropy_scudder(p, b[None])[0] == pytest.approx(exact, abs=1e-9)


@given(st.floats(0.1, 10), st.floats(0.1, 10), FIELDS)
def test_a_gyrotropic_tensor(parallel: float, perpendicular: float, field: tuple[float, ...]) -> None:
    b = np.array(field) / np.linalg.norm(field)
    p = (perpendicular * np.eye(3) + (parallel - perpendicular) * np.outer(b, b))[None]
    split = anisotropy.gyrotropic(p, b[None] * 37.0)
    assert split.parallel[0] == pytest.approx(parallel)
    assert split.perpendicular[0] == pytest.approx(perpendicular)
    assert anisotropy.anisotropy(p, b[None])[0] == pytest.approx(perpendicular / parallel)
    for one in (anisotropy.agyrotropy_swisdak, anisotropy.agyrotropy_scudder, anisotropy.agyrotropy_aunai):
        assert one(p, b[None])[0] == pytest.approx(0, abs=1e-6)


def test_the_extremes() -> None:
    field, flat = np.array([[0.0, 0.0, 3.0]]), np.diag([2.0, 0.0, 0.0])[None]
    assert anisotropy.agyrotropy_scudder(flat, field)[0] == pytest.approx(2)
    assert anisotropy.agyrotropy_swisdak(flat, field)[0] == pytest.approx(1)
    tilted = np.diag([1.0, 1.0, 4.0])[None]
    assert anisotropy.agyrotropy_swisdak(tilted, np.array([[1.0, 0.0, 1.0]]))[0] > 0.3


def test_no_field_or_no_tensor_is_nan() -> None:
    p = np.stack([np.eye(3), np.eye(3), np.full((3, 3), np.nan), -np.eye(3)])
    b = np.array([[0.0, 0.0, 0.0], [np.nan, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    for one in (
        anisotropy.anisotropy,
        anisotropy.agyrotropy_swisdak,
        anisotropy.agyrotropy_scudder,
        anisotropy.agyrotropy_aunai,
    ):
        assert np.isnan(one(p, b)).all()


@pytest.mark.real
@pytest.mark.parametrize("species", ["P", "A"])
def test_tensors_of_wind_against_what_wind_made_of_them(real_data: Path, species: str) -> None:
    cdflib = pytest.importorskip("cdflib")
    file = cdflib.CDF(real_data / "plasma" / "wi_plsp_3dp_19990329_v02.cdf")
    get = {
        name: np.asarray(file.varget(f"MOM.{species}.{name}"), float)
        for name in ("PTENS", "DENSITY", "MAGF", "T3", "MAGT3", "SYMM")
    }
    good = np.isfinite(get["PTENS"]).all(1) & np.isfinite(get["T3"]).all(1) & (get["DENSITY"] > 0)
    assert good.sum() > 200
    get = {name: one[good] for name, one in get.items()}
    tensor = get["PTENS"][:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3) / get["DENSITY"][:, None, None]
    values, axes = np.linalg.eigh(tensor)
    assert values == pytest.approx(np.sort(get["T3"], 1), rel=1e-4, abs=2e-3)
    split = anisotropy.gyrotropic(tensor, get["MAGF"])
    # the published parallel one is the third; some temperatures are nothing but the rounding of float32
    assert split.parallel == pytest.approx(get["MAGT3"][:, 2], rel=1e-3, abs=2e-3)
    assert 2 * split.perpendicular == pytest.approx(get["MAGT3"][:, :2].sum(1), rel=1e-3, abs=4e-3)
    alone = np.where(values[:, 1] < (values[:, 0] + values[:, 2]) / 2, 2, 0)
    axis = np.take_along_axis(axes, alone[:, None, None], 2)[:, :, 0]
    clear = (np.abs(np.diff(values, axis=1)).min(1) > 0.02 * values[:, 2]) & (values[:, 2] > 0.1)
    assert clear.sum() > 100
    assert np.abs((axis * get["SYMM"]).sum(1))[clear].min() > 0.999
