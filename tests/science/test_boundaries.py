"""Boundaries of the magnetosphere against the papers' own statements."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.science import boundaries as b


def test_pressure_pushes_and_a_southward_field_erodes() -> None:
    usual, flaring = b.magnetopause_shape(2.0, 0.0)
    assert b.magnetopause_shape(8.0, 0.0)[0] == pytest.approx(usual * 4 ** (-1 / 6.6))
    assert b.magnetopause_shape(2.0, -10.0)[0] < usual - 0.5
    assert b.magnetopause_shape(2.0, -10.0)[1] > flaring


def test_the_strong_shock_limit_of_the_standoff() -> None:
    assert b.bow_shock_standoff(10.0, 1e6) == pytest.approx(10 * (1 + 1.1 / 4))
    assert b.bow_shock_standoff(10.0, 2.0) > b.bow_shock_standoff(10.0, 8.0)
    assert np.isfinite(b.bow_shock_standoff(10.0, 0.5))


@given(st.floats(-0.6, 0.999), st.floats(0, 2 * np.pi), st.booleans())
def test_the_normal_is_across_the_surface(cosine: float, turn: float, pause: bool) -> None:
    def point(c: float, phi: float) -> np.ndarray:
        radius = b.magnetopause_distance(c, 10.0, 0.6) if pause else b.bow_shock_distance(c, 13.0)
        sine = np.sqrt(1 - c * c)
        return np.array([c, sine * np.cos(phi), sine * np.sin(phi)]) * radius

    here = point(cosine, turn)
    slope = b.magnetopause_slope(cosine, 0.6) if pause else b.bow_shock_slope(cosine)
    normal = b.normal(here[None], np.atleast_1d(slope))[0]
    for step in (point(cosine - 1e-5, turn), point(cosine, turn + 1e-4)):
        along = step - here
        assert abs(normal @ along) < 1e-3 * np.linalg.norm(along)
    assert normal @ here > 0
