"""What was measured while a particle instrument counted."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.missions.plasma.accumulation import averaged, turning
from armillary.science.coordinates.quaternions import rotation_matrices
from armillary.testing.plasma_archives import times


def series(values: Any, step: float, begin: float = 0.0) -> xr.Dataset:
    values = np.asarray(values, float)
    dims = ("time", *(f"n{n}" for n in range(1, values.ndim)))
    return xr.Dataset({"v": (dims, values, {"units": ""})}, {"time": times(len(values), step, begin)})


def test_many_samples_give_their_mean() -> None:
    data = series(np.arange(100.0), 0.1)
    assert averaged(data, times(3, 1.0), 0.5).tolist() == [2.0, 12.0, 22.0]


def test_the_end_of_an_accumulation_belongs_to_the_next_one() -> None:
    assert averaged(series([0, 1, 2, 3.0], 1.0), times(2, 2.0), 2.0).tolist() == [0.5, 2.5]


def test_few_samples_are_joined_by_lines() -> None:
    data = series([[0, 0, 0], [10, 20, 30]], 10.0)
    assert averaged(data, times(3, 2.0, 1.0), 1.0) == pytest.approx(np.outer([1.5, 3.5, 5.5], [1, 2, 3]))


def test_a_sample_with_a_missing_component_does_not_count() -> None:
    data = series([[1, 1, 1], [np.nan, 5, 5], [3, 3, 3], [5, 5, 5]], 0.25)
    assert averaged(data, times(1, 1.0), 1.0).tolist() == [[3, 3, 3]]


def test_far_from_all_samples_there_is_nothing() -> None:
    found = averaged(series([1, 2.0], 1.0), times(3, 100.0), 1.0)
    assert found[0] == 1.0
    assert np.isnan(found[1:]).all()
    assert np.isnan(averaged(series(np.zeros((0, 3)), 1.0), times(2, 1.0), 1.0)).all()


def test_matrices_stay_rotations() -> None:
    half = np.radians([0, 2]) / 2
    nil = 0 * half
    data = series(rotation_matrices(np.stack([nil, nil, np.sin(half), np.cos(half)], 1)), 10.0)
    (found,) = turning(data, times(1, 1.0, 4.5), 1.0)
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.degrees(np.arctan2(found[1, 0], found[0, 0])) == pytest.approx(1.0, abs=1e-6)
