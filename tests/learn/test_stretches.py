"""Stretches of nearly constant values."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import ArmillaryError
from armillary.learn.features import Step, build
from armillary.learn.features.stretches import cut, describe, filled

Array = np.ndarray[Any, np.dtype[Any]]


def series(values: Array, group: Array | None = None) -> xr.Dataset:
    times = np.datetime64("2000-01-01", "ns") + np.arange(len(values)) * np.timedelta64(1, "h")
    data: dict[str, Any] = {"v": ("sample", values), "time": ("sample", times)}
    if group is not None:
        data["group"] = ("sample", group)
    return xr.Dataset(data)


def cost(values: Array, edges: Array, penalty: float) -> float:
    parts = [values[a:b] for a, b in pairwise(edges)]
    return sum(float(((one - one.mean(0)) ** 2).sum()) + penalty for one in parts)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9), st.floats(0.01, 20))
def test_no_other_edges_cost_less(values: list[float], penalty: float) -> None:
    column = np.array(values)[:, None]
    n = len(values)
    choices = [[at for at in range(1, n) if mask >> (at - 1) & 1] for mask in range(1 << (n - 1))]
    least = min(cost(column, np.array([0, *one, n]), penalty) for one in choices)
    assert cost(column, cut(column, penalty), penalty) == pytest.approx(least, abs=1e-9)


def test_true_edges_are_found_in_noise() -> None:
    random = np.random.default_rng(0)
    level = np.repeat([0.0, 3.0, 1.0], [40, 30, 50])
    values = np.column_stack([level, -level]) + random.normal(size=(120, 2))
    assert np.abs(cut(values, 20.0, 3, 100) - [0, 40, 70, 120]).max() <= 1


def test_lengths_are_kept() -> None:
    length = np.diff(cut(np.random.default_rng(1).normal(size=(300, 1)), 0.0, 4, 7))
    assert length[1:].min() >= 4
    assert length.max() <= 7


@pytest.mark.parametrize("bad", [(1.0, 0, 5), (1.0, 6, 5), (-1.0, 1, 5)])
def test_impossible_stretches_are_refused(bad: tuple[float, int, int]) -> None:
    with pytest.raises(ArmillaryError, match="cannot be made"):
        cut(np.zeros((3, 1)), *bad)


def test_steps_at_both_edges_are_told() -> None:
    told = describe({"v": np.array([1.0, 1, 4, 4, 2])}, np.array([0, 2, 4, 5]))
    assert told["v_here"].tolist() == [1, 1, 4, 4, 2]
    assert told["v_rise"].tolist() == [0, 0, 3, 3, -2]
    assert told["v_fall"].tolist() == [-3, -3, 2, 2, 0]
    assert np.exp(told["duration"]).round().tolist() == [2, 2, 2, 2, 1]


def test_gaps_are_bridged_and_empty_columns_are_nothing() -> None:
    made = filled(np.array([[np.nan, np.nan], [2, np.nan], [np.nan, np.nan], [4, np.nan]]))
    assert made.tolist() == [[2, 0], [2, 0], [3, 0], [4, 0]]


def test_groups_are_cut_apart() -> None:
    values = np.concatenate([np.zeros(50), np.full(50, 5.0)])
    both = build(series(values, np.repeat(["a", "b"], 50)), [Step(use="stretches", options={"penalties": [5.0]})])
    assert set(both.matrix[:, both.names.index("v_rise_5")]) == {0.0}
    assert both.groups == ("v", "v", "v", "duration")


def test_an_irregular_series_is_refused() -> None:
    samples = series(np.zeros(5)).isel(sample=[0, 1, 3, 4])
    with pytest.raises(ArmillaryError, match="not regular"):
        build(samples, [Step(use="stretches")])
