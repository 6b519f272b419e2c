"""The corrected flux excess, at the values of its paper."""

import numpy as np
import pytest

from armillary.science.photometry.excess import corrected_excess, excess_sigma


def test_a_normal_star_has_none() -> None:
    colour = np.array([-0.3, 0.2, 0.5, 1.0, 3.0, 4.0, 5.0])
    normal = [
        1.154360 + 0.033772 * c + 0.032277 * c**2 if c < 0.5
        else 1.162004 + 0.011464 * c + 0.049255 * c**2 - 0.005879 * c**3 if c < 4
        else 1.057572 + 0.140537 * c
        for c in colour
    ]  # fmt: skip
    assert corrected_excess(colour, np.array(normal)) == pytest.approx(np.zeros(7), abs=1e-12)
    assert corrected_excess(1.0, 2.0) > 0.7
    assert np.isnan(corrected_excess(np.nan, 1.2))


def test_pieces_meet() -> None:
    for edge in (0.5, 4.0):
        below, above = corrected_excess(np.array([edge - 1e-9, edge]), 1.5)
        assert below == pytest.approx(above, abs=0.015)


def test_faint_stars_scatter_more() -> None:
    # Riello et al. (2021), figure 19: about 0.006 at the bright end, 0.03 at G = 17.5, 0.08 at G = 20.
    assert excess_sigma(np.array([5.0, 17.5, 20.0])) == pytest.approx([0.006, 0.032, 0.078], abs=0.003)
