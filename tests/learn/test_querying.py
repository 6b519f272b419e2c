"""What to ask a person: what is unsure, and not the same thing twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn.querying import choose, uncertainty_of


def test_unsure_and_unlike() -> None:
    """Twenty copies of one unsure case do not fill the list."""
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.01, (20, 3)), rng.normal(8, 3, (10, 3))])
    urgency = np.concatenate([np.full(20, 0.9), np.full(10, 0.6)])
    chosen = choose(urgency, points, 6)
    assert (chosen < 20).sum() == 1
    assert (choose(urgency, points[:, :0], 6) < 20).all()


def test_what_was_seen_is_far_from_what_is_asked() -> None:
    points = np.array([[0.0], [1.0], [9.0]])
    assert choose(np.ones(3), points, 1, seen=np.array([[0.1]])).tolist() == [2]


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(1, 8))
def test_each_row_is_asked_once(urgency: list[float], count: int) -> None:
    points = np.random.default_rng(0).normal(size=(len(urgency), 2))
    chosen = choose(np.array(urgency), points, count)
    assert len(set(chosen.tolist())) == len(chosen) == min(count, len(urgency))


def test_unknown_is_never_asked() -> None:
    assert choose(np.array([np.nan, 0.2]), np.zeros((2, 1)), 5).tolist() == [1]


def test_wrong_numbers_are_told() -> None:
    with pytest.raises(BadParameter, match="0 proposals"):
        choose(np.ones(2), np.zeros((2, 1)), 0)
    with pytest.raises(BadData, match="do not fit 2 rows"):
        choose(np.ones(2), np.zeros((3, 1)), 1)
    with pytest.raises(BadData, match="no probabilities"):
        uncertainty_of(np.array([[-0.1, 1.1]]))
