"""Bases: right-handed, orthonormal, and what their names say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.particles.bases import BASES, basis_matrix, basis_of, is_defined, read_axes
from armillary.science.particles.datasets import to_dataset
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

FIELD_ALIGNED = ("x_gse", "r_geo", "mr_geo", "phi_geo", "mphi_geo", "b_v", "b_exb", "perp1_perp2")
vectors = st.tuples(*[st.floats(-1e6, 1e6)] * 3).map(np.array)


def rotation(seed: int) -> Array:
    """A random proper rotation."""
    made, upper = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    made = made * np.sign(np.diag(upper))
    return np.asarray(made * np.sign(np.linalg.det(made)))


turns = st.integers(0, 2**32 - 1).map(rotation)


def build(name: str, **changed: Any) -> Array:
    known: dict[str, Any] = {
        "b": np.array([[1.0, 2, 3], [-4, 0, 1]]), "v": np.array([-400.0, 30, 5]), "e": np.array([0.1, -2, 0.5]),
        "to_gse": rotation(1), "to_rtn": rotation(4), "from_gse": rotation(2), "position": np.array([8.0, 4, 1]),
        "custom": rotation(3),
    }  # fmt: skip
    return basis_matrix(name, **{"steps": 2, **known, **changed})


def across(vector: Array, b: Array) -> Array:
    up = b / np.linalg.norm(b)
    found = vector - (vector @ up) * up
    return np.asarray(found / np.linalg.norm(found))


@pytest.mark.parametrize("name", BASES)
@given(b=vectors, v=vectors, e=vectors, position=vectors, to_gse=turns, from_gse=turns)
def test_axes_are_right_handed_units_or_nan(name: str, **known: Array) -> None:
    made = build(name, steps=1, **known)
    if not is_defined(made)[0]:
        assert np.isnan(made).all()
        return
    assert made[0] @ made[0].T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(made[0]) == pytest.approx(1, abs=1e-9)
    if name in FIELD_ALIGNED:
        assert made[0] @ known["b"] == pytest.approx([0, 0, np.linalg.norm(known["b"])], abs=1e-4, rel=1e-9)


@pytest.mark.parametrize("name", BASES)
def test_every_basis_is_defined_for_vectors_in_general_position(name: str) -> None:
    assert is_defined(build(name)).all()


def test_the_second_axis_of_each_field_aligned_basis() -> None:
    b, turn, to_geo = np.array([1.0, 2, 3]), rotation(1), rotation(2)
    position, v, e = np.array([8.0, 4, 1]), np.array([-400.0, 30, 5]), np.array([0.1, -2, 0.5])
    east = turn.T @ np.cross(to_geo[2], position)
    expected = {
        "x_gse": (0, turn[0]), "r_geo": (0, turn.T @ position), "mr_geo": (0, -turn.T @ position),
        "phi_geo": (1, east), "mphi_geo": (1, -east), "b_v": (0, v), "b_exb": (1, e), "perp1_perp2": (0, np.eye(3)[0]),
    }  # fmt: skip
    for name, (axis, near) in expected.items():
        assert build(name)[0, axis] == pytest.approx(across(near, b)), name
    assert build("b_exb")[0, 0] == pytest.approx(across(np.cross(e, b), b))


def test_without_an_electric_field_the_drift_is_the_flow() -> None:
    assert build("b_exb", e=None) == pytest.approx(build("b_v"))
    convected = -np.cross(np.array([-400.0, 30, 5]), np.array([1.0, 2, 3]))
    assert build("b_exb", e=convected, b=np.array([1.0, 2, 3])) == pytest.approx(build("b_v", b=np.array([1.0, 2, 3])))


def test_fixed_frames() -> None:
    assert build("instrument")[1] == pytest.approx(np.eye(3))
    assert build("gse")[1] == pytest.approx(rotation(1))
    assert build("gsm")[0] == pytest.approx(rotation(2) @ rotation(1))
    vector = np.array([1.0, -2, 0.5])
    assert build("sm")[0] @ vector == pytest.approx(rotation(2) @ (rotation(1) @ vector))


def test_undefined_times_are_nan_and_flagged() -> None:
    b = np.array([[0.0, 0, 0], [0, 0, 2], [1, 0, 0], [np.nan, 0, 1], [-1e31, np.inf, 0]])
    made = build("b_v", steps=5, b=b, v=np.array([3.0, 0, 0]))
    assert is_defined(made).tolist() == [False, True, False, False, False]
    assert np.isnan(made[~is_defined(made)]).all()
    nearly = build("b_v", steps=1, b=np.array([1.0, 1e-8, 0]), v=np.array([3.0, 0, 0]))
    assert not is_defined(nearly).any()
    assert not is_defined(build("phi_geo", position=rotation(2)[2])).any(), "over the pole there is no east"


@pytest.mark.parametrize(
    ("name", "lacking", "word"),
    [
        ("b_v", "v", "bulk velocity"), ("b_v", "b", "magnetic field"), ("gse", "to_gse", "matrix to GSE"),
        ("rtn", "to_rtn", "matrix to RTN"),
        ("gsm", "from_gse", "from GSE"), ("r_geo", "position", "position"), ("custom", "custom", "your own axes"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(name: str, lacking: str, word: str) -> None:
    with pytest.raises(BadParameter, match=word):
        build(name, **{lacking: None})


def test_what_is_missing_comes_with_what_is_possible() -> None:
    here: dict[str, Any] = {"to_rtn": rotation(4), "b": np.array([1.0, 2, 3])}
    with pytest.raises(BadParameter, match=r"here are instrument, rtn, perp1_perp2, custom$"):
        basis_matrix("gsm", steps=1, from_gse=rotation(2), **here)
    with pytest.raises(
        BadParameter, match=r"here are instrument, gse, gsm, sm, rtn, x_gse, b_exb, perp1_perp2, custom$"
    ):
        basis_matrix("b_v", steps=1, e=np.ones(3), to_gse=rotation(1), **here)


def test_the_drift_needs_a_field_or_a_flow() -> None:
    with pytest.raises(BadParameter, match="bulk velocity"):
        build("b_exb", e=None, v=None)


def test_unknown_names_and_wrong_shapes() -> None:
    with pytest.raises(BadParameter, match="no basis 'lmn'"):
        build("lmn")
    with pytest.raises(BadParameter, match="shape"):
        build("b_v", b=np.ones((3, 3)))


def test_custom_axes() -> None:
    made = build("custom", custom=read_axes("0 2 0; 0, 1, -3"))
    assert made[0] == pytest.approx(np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]]))
    assert build("custom")[1] == pytest.approx(rotation(3))
    assert read_axes(" ") is None
    for wrong in (np.diag([1.0, 1, -1]), np.eye(3) * 2, np.array([[1.0, 0, 0], [2, 0, 0]])):
        with pytest.raises(BadParameter):
            build("custom", custom=wrong)
    with pytest.raises(BadParameter, match="no axes"):
        read_axes("1 0 zero")


def test_the_basis_of_a_dataset_takes_what_lies_beside_psd() -> None:
    cells = Skymap(
        psd=np.ones((2, 4, 2, 3)), azimuth=np.arange(4) * 90.0, polar=np.array([45.0, 135]), energy=np.r_[1:4]
    )
    beside = {"magnetic_field": np.array([[0.0, 0, 5], [0, 3, 0]]), "bulk_velocity": np.array([[1.0, 0, 0]] * 2)}
    data = to_dataset(cells, np.array([0, 1], "datetime64[s]"), frame="GSE", species="ion", beside=beside)
    assert basis_of(data, "b_v")[1] == pytest.approx(np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]))
    assert basis_of(data, "gse")[0] == pytest.approx(np.eye(3)), "the frame is GSE already"
    turned = basis_of(data, "b_v", velocity=np.array([[0.0, 1, 1]] * 2))
    assert turned[0, 0] == pytest.approx([0, 1, 0])
    with pytest.raises(BadParameter, match="bulk velocity"):
        basis_of(data.drop_vars("bulk_velocity"), "b_v")
    with pytest.raises(BadParameter, match="matrix to GSE"):
        basis_of(to_dataset(cells, data["time"].to_numpy(), frame="DBCS", species="ion"), "gse")
