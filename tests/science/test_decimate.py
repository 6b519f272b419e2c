"""Fewer points, the same picture."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from armillary.science.decimate import Array, block_mean, column_groups, extremes, join_columns

VALUES = arrays.arrays(np.float64, st.integers(2, 400), elements=st.floats(-1e6, 1e6) | st.just(np.nan))


@given(VALUES, st.integers(1, 30), st.booleans())
def test_extremes_of_every_column_stay(y: Array, columns: int, even: bool) -> None:
    x = np.arange(len(y)) if even else np.cumsum(np.abs(np.nan_to_num(y)) % 7)
    keep = extremes(x, y, columns)
    assert (np.diff(keep) > 0).all()
    assert len(keep) <= 5 * columns
    assert keep[0] == 0
    assert keep[-1] == len(y) - 1
    span = (x[-1] - x[0]) or 1.0
    column = np.minimum(((x - x[0]) / span * columns).astype(int), columns - 1)
    for one in np.unique(column):
        all_of, kept = y[column == one], y[keep][column[keep] == one]
        assert np.isnan(all_of).any() == np.isnan(kept).any()
        if not np.isnan(all_of).all():
            assert (np.nanmin(all_of), np.nanmax(all_of)) == (np.nanmin(kept), np.nanmax(kept))


@given(st.integers(2, 200), st.integers(1, 50), st.sets(st.integers(1, 199)))
def test_joined_columns_cover_the_same_and_keep_gaps(n: int, columns: int, gaps: set[int]) -> None:
    left = np.arange(n) * 10
    right = left + 10
    holes = np.array([i for i in gaps if i < n], int)
    left[holes] += 3
    values = np.arange(n, dtype=float)[:, None]
    starts = column_groups(left, right, columns)
    new_left, new_right, edges, joined = join_columns(left, right, np.array([0.0, 1.0]), values, starts)
    assert (new_right - new_left).sum() == (right - left).sum()
    assert (new_left[1:] > new_right[:-1]).sum() == len(holes)
    assert len(new_left) <= columns + len(holes)
    assert edges.shape == (2,)
    assert values.min() <= joined.min() <= joined.max() <= values.max()


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(-9, 9)))
def test_block_mean_is_the_mean_of_each_block(image: Array) -> None:
    found = block_mean(image, 3)
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            block = image[3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            assert np.isclose(found[row, column], block.mean())
