"""Values of one series at the times of another."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from armillary.science.align import align

SECOND = 10**9


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=40, unique=True), st.integers(0, 10**6))
def test_a_straight_line_stays_one(times: list[int], asked: int) -> None:
    have = np.sort(np.array(times)) * SECOND
    want = np.array([asked]) * SECOND
    found = align(have, have / SECOND * 2 + 1, want, largest_gap=1e9)
    inside = have[0] <= want[0] <= have[-1]
    expected = asked * 2 + 1 if inside else np.clip(asked, have[0] / SECOND, have[-1] / SECOND) * 2 + 1
    assert np.allclose(found, expected)


def test_a_gap_stays_a_gap_and_vectors_go_together() -> None:
    have = np.array([0, 1, 2, 20, 21]) * SECOND
    values = np.stack([np.arange(5.0), [0, np.nan, 2, 3, 4]], 1)
    found = align(have, values, np.array([0, 1, 10, 20, 30]) * SECOND)
    assert found[[0, 1, 3]].tolist() == [[0, 0], [1, 1], [3, 3]]
    assert np.isnan(found[[2, 4]]).all()


def test_one_sample_holds_around_itself() -> None:
    assert np.array_equal(
        align(np.array([0]), np.array([7.0]), np.array([SECOND, 100 * SECOND])), [7.0, np.nan], equal_nan=True
    )
    assert np.isnan(align(np.array([0]), np.array([np.nan]), np.array([0]))).all()


def test_without_samples_there_is_nothing() -> None:
    found = align(np.zeros(0, np.int64), np.zeros((0, 3)), np.arange(2))
    assert found.shape == (2, 3)
    assert np.isnan(found).all()
