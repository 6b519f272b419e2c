"""Parallaxes: the zero point as its authors' package gives it, and inverses that are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.photometry import distance as d

#: G, wavenumber, pseudocolour, ecliptic latitude, solution, and the answer of gaiadr3-zeropoint 0.1.0 in mas.
KNOWN = np.array([
    (13.677, 1.391, 1.317, 70.801, 31, -0.0278), (20.248, 1.474, 1.376, -58.337, 31, -0.011373),
    (8.17, 1.456, 1.307, -51.013, 95, -0.014417), (20.221, 1.355, 1.322, -25.491, 95, 0.016765),
    (10.681, 1.182, 1.409, -85.469, 31, -0.030541), (12.351, 1.87, 1.277, 63.059, 31, -0.026983),
])  # fmt: skip


def test_zero_points_are_those_of_its_authors() -> None:
    # The inputs are rounded to three digits.
    assert d.parallax_zero_point(*KNOWN.T[:5]) == pytest.approx(KNOWN[:, 5], abs=1e-4)


def test_zero_points_outside_are_none() -> None:
    outside = [(5.9, 1.5, 1.5, 0, 31), (15, 1.95, 1.5, 0, 31), (15, 1.5, 1.8, 0, 95), (15, 1.5, 1.5, 0, 3)]
    assert np.isnan(d.parallax_zero_point(*np.array(outside, float).T)).all()
    assert np.isfinite(d.parallax_zero_point(15, np.nan, 1.5, 0, 95))


@given(st.floats(0.1, 800), st.floats(0.01, 0.15))
def test_inverse_and_its_interval(parallax: float, relative: float) -> None:
    found = d.invert(np.array([parallax]), np.array([parallax * relative]))
    assert found.pc[0] == pytest.approx(1000 / parallax)
    assert found.low[0] < found.pc[0] < found.high[0]
    # The far side is the longer one.
    assert found.high[0] - found.pc[0] > found.pc[0] - found.low[0]


def test_poor_parallaxes_have_no_inverse() -> None:
    found = d.invert(np.array([1.0, -1.0, 10.0, np.nan, 10.0]), np.array([0.3, 0.1, np.nan, 0.1, 0.1]), -0.02)
    assert np.isfinite(found.pc).tolist() == [False, False, False, False, True]
    assert found.pc[4] == pytest.approx(1000 / 10.02)
    with pytest.raises(BadParameter, match="1 sigma"):
        d.invert(np.ones(1), np.ones(1), least=1)
    with pytest.raises(BadData, match="1 errors"):
        d.invert(np.ones(1), -np.ones(1))


def test_an_error_of_zero_is_no_error() -> None:
    assert np.isnan(d.invert(np.array([10.0]), np.zeros(1)).pc).all()


def test_columns_of_bailer_jones() -> None:
    good = d.bailer_jones(np.array([100.0, np.nan]), np.array([99.0, np.nan]), np.array([102.0, np.nan]))
    assert good.pc[0] == 100
    with pytest.raises(BadData, match="first in row 0"):
        d.bailer_jones(np.array([99.0]), np.array([100.0]), np.array([102.0]))
    both = d.combined(d.invert(np.array([10.0, 1.0]), np.array([0.1, 0.9])), d.Distance(*np.full((3, 2), 300.0)))
    assert both.pc.tolist() == [100, 300]
