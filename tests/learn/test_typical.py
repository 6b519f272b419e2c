"""Typicality by class: p-values are fair, thin classes are not strange, unseen ones are."""

import numpy as np
import pytest

from armillary.errors import BadData
from armillary.learn.typical import fit_typical


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Give a crowded class and a wide, thin one."""
    rng = np.random.default_rng(seed)
    codes = (rng.random(count) < 0.1).astype(int)
    made = rng.normal(size=(count, 3)) * np.where(codes, 3.0, 0.3)[:, None] + 20.0 * codes[:, None]
    return made, codes


def test_held_out_rows_of_each_class_are_usual_as_often_as_said() -> None:
    made, codes = rows(4000)
    typical = fit_typical(made, codes, np.arange(4000) // 40)
    new, kinds = rows(4000, 1)
    tail = typical.tail(new)
    for code in (0, 1):
        assert 0.04 < (tail[kinds == code] < 0.1).mean() < 0.17


def test_a_class_that_nobody_taught_is_strange_also_where_bands_lack() -> None:
    made, codes = rows(2000)
    typical = fit_typical(made, codes, np.arange(2000) // 40)
    between = np.random.default_rng(3).normal(size=(200, 3)) + 8.0
    assert (typical.tail(between) < 0.02).all()
    between[:, 0] = np.nan
    assert (typical.tail(between) < 0.05).mean() > 0.9
    assert (typical.tail(np.full((2, 3), np.nan)) <= 0.02).all()


def test_farther_out_is_stranger_beyond_all_that_was_seen() -> None:
    made, codes = rows(500)
    tail = fit_typical(made, codes, np.arange(500) // 10).tail(np.array([[100.0] * 3, [1000.0] * 3]))
    assert tail[0] > tail[1] > 0


@pytest.mark.parametrize("codes", [np.full(30, -1), np.arange(30)])
def test_too_few_rows_are_refused(codes: np.ndarray) -> None:
    with pytest.raises(BadData, match="20 rows"):
        fit_typical(np.ones((30, 2)), codes, np.arange(30))


def test_other_columns_are_refused() -> None:
    made, codes = rows(300)
    with pytest.raises(BadData, match="3 columns"):
        fit_typical(made, codes, np.arange(300) // 10).tail(np.ones((2, 4)))
