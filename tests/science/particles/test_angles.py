"""Bounds, solid angles and energy channels against hand-made numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.particles.angles import (
    azimuth_step,
    bounds_between,
    energy_edges,
    energy_share,
    over_energy,
    solid_angles,
)
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array


def cells(azimuth: Array, polar: Array, times: int = 1) -> Skymap:
    shape = (times, azimuth.shape[-1], polar.shape[-1], 3)
    return Skymap(psd=np.ones(shape), azimuth=azimuth, polar=polar, energy=np.array([1.0, 10, 100]))


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20))
def test_bins_that_fill_the_half_circle_are_found_from_their_centres(widths: list[float]) -> None:
    edges = np.concatenate([[0], np.cumsum(widths)]) * 180 / sum(widths)
    lower, upper = bounds_between((edges[1:] + edges[:-1]) / 2)
    assert lower == pytest.approx(edges[:-1], abs=1e-9)
    assert upper == pytest.approx(edges[1:], abs=1e-9)


def test_others_are_cut_midway() -> None:
    lower, upper = bounds_between(np.array([70.0, 80, 100]))
    assert lower.tolist() == [65, 75, 90]
    assert upper.tolist() == [75, 90, 110]
    assert bounds_between(np.array([2.0, 10]))[0].tolist() == [0, 6], "never below 0"
    assert bounds_between(np.array([100.0, 80, 70]))[0].tolist() == [90, 75, 65], "falling ones fall"


@pytest.mark.parametrize("wrong", [[10.0, 10], [10, 30, 20], [-5, 10], [100, 190], [10, np.nan]])
def test_centres_that_are_no_polar_angles(wrong: list[float]) -> None:
    with pytest.raises(BadData, match="do not go one way"):
        bounds_between(np.array(wrong))


def test_a_whole_sky_is_four_pi_and_a_part_is_less() -> None:
    whole = cells(np.arange(0, 360, 11.25), np.arange(5.625, 180, 11.25))
    assert solid_angles(whole).sum() * 32 == pytest.approx(4 * np.pi, rel=1e-14)
    part = cells(np.array([170.0, 176, 182]), np.array([85.0, 95]), times=2)
    assert solid_angles(part) == pytest.approx(np.full((1, 1, 2, 1), np.sin(np.pi / 18) * np.deg2rad(6)))
    drifting = cells(np.arange(4) * 90.0, np.array([[45.0, 135], [30, 120]]), times=2)
    assert solid_angles(drifting).shape == (2, 1, 2, 1)


def test_azimuths_may_wrap_and_fall_but_not_be_uneven() -> None:
    assert azimuth_step(cells(np.array([315.0, 45, 135, 225]), np.array([90.0]))) == pytest.approx(90)
    assert azimuth_step(cells(np.array([[20.0, 10, 0, 350]]), np.array([90.0]))) == pytest.approx(-10)
    with pytest.raises(BadData, match="not evenly spaced"):
        azimuth_step(cells(np.array([0.0, 10, 40]), np.array([90.0])))
    with pytest.raises(BadData, match="more than once"):
        azimuth_step(cells(np.arange(5) * 90.0, np.array([90.0])))


def test_energy_channels() -> None:
    assert energy_edges(np.array([1.0, 100, 10_000])) == pytest.approx([0.1, 10, 1000, 1e5])
    share = energy_share(np.array([1.0, 100, 10_000]), 10, 100)
    assert share == pytest.approx([0, np.log(10), 0])
    assert energy_share(np.array([1.0, 100]), 0, 0) == pytest.approx(np.log([100, 100]))
    assert energy_share(np.array([7.0]), 0, 0) == pytest.approx([1])
    with pytest.raises(BadParameter, match="no energy lies"):
        energy_share(np.array([1.0, 100]), 50, 20)
    with pytest.raises(BadParameter, match="no channel lies between 50000 and 60000"):
        energy_share(np.array([1.0, 100]), 5e4, 6e4)


def test_the_mean_over_energy_leaves_out_what_is_missing() -> None:
    values = np.array([[[1.0, 2, 6], [np.nan, 2, 6], [np.nan] * 3]])
    energy = np.array([1.0, 10, 100])
    assert over_energy(values, energy)[0, :2] == pytest.approx([3, 4])
    assert np.isnan(over_energy(values, energy)[0, 2])
    assert over_energy(values, energy[None], high=10)[0, :2] == pytest.approx([4 / 3, 2])
