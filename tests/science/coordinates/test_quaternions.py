"""Quaternions turn vectors as they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.science.coordinates.quaternions import nearest_rotations, rotation_matrices

PARTS = st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda one: np.linalg.norm(one) > 0.01)


@given(PARTS)
def test_a_quaternion_gives_a_rotation_about_its_axis(parts: list[float]) -> None:
    matrix = rotation_matrices(np.array([parts]))[0]
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    axis = np.array(parts[:3])
    assert matrix @ axis == pytest.approx(axis, abs=1e-12)
    unit = np.array(parts) / np.linalg.norm(parts)
    assert np.trace(matrix) == pytest.approx(4 * unit[3] ** 2 - 1, abs=1e-12)


def test_it_turns_by_the_right_hand() -> None:
    angle = np.radians(30)
    about_x = np.array([[np.sin(angle / 2), 0, 0, np.cos(angle / 2)]])
    turned = rotation_matrices(about_x)[0] @ [0, 1, 0]
    assert turned == pytest.approx([0, np.cos(angle), np.sin(angle)])


def test_nothing_is_made_of_nothing() -> None:
    found = rotation_matrices(np.array([[0, 0, 0, 0.0], [np.nan, 0, 0, 1], [0, 0, 0, 2]]))
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(np.eye(3))


def test_a_mean_of_two_rotations_becomes_the_one_between() -> None:
    half = np.radians([0, 10, 5]) / 2
    turns = rotation_matrices(np.stack([0 * half, 0 * half, np.sin(half), np.cos(half)], 1))
    found = nearest_rotations(np.stack([turns[:2].mean(0), np.full((3, 3), np.nan)]))
    assert found[0] == pytest.approx(turns[2])
    assert np.isnan(found[1]).all()
