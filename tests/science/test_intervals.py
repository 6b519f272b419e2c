"""Interval algebra against sets of integers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from armillary.science import intervals as algebra

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda p: (p[0], p[0] + p[1])), max_size=8)


def points(pairs: object) -> set[int]:
    return {x for a, b in np.asarray(pairs).reshape(-1, 2).tolist() for x in range(a, b)}


def is_normal(pairs: algebra.Intervals) -> bool:
    return pairs.shape[1:] == (2,) and bool((np.diff(pairs.ravel()) > 0).all())


@given(PAIRS, PAIRS)
def test_set_operations(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    x, y = algebra.intervals(a), algebra.intervals(b)
    for result, expected in (
        (algebra.union(x, y), points(a) | points(b)),
        (algebra.intersect(x, y), points(a) & points(b)),
        (algebra.subtract(x, y), points(a) - points(b)),
        (algebra.gaps(x, 3, 25), set(range(3, 25)) - points(a)),
    ):
        assert is_normal(result)
        assert points(result) == expected
    assert algebra.coverage(x, 3, 25) == len(points(a) & set(range(3, 25))) / 22


@given(PAIRS, PAIRS)
def test_relations(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    x, y = algebra.intervals(a), algebra.intervals(b)
    assert algebra.overlapping(x, y).tolist() == [bool(points([one]) & points(b)) for one in a]
    assert algebra.within(x, y).tolist() == [points([one]) <= points(b) for one in a]
