"""Extinction against the published curves, as dust_extinction 1.7 computes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.photometry import extinction as e
from armillary.science.photometry.seds import build

PLACES = np.array([0.4, 0.55, 0.622, 0.777, 1.236, 1.646, 2.16, 3.368, 4.618, 12.07, 22.19])
GORDON = [1.42054, 0.99851, 0.86443, 0.61789, 0.27361, 0.16887, 0.10647, 0.0484, 0.03108, 0.03783, 0.03866]
GORDON_5 = [1.26302, 0.99898, 0.88986, 0.70602, 0.3742, 0.2431, 0.1621, 0.08312, 0.05592, 0.04679, 0.04336]
FITZPATRICK = [1.42329, 0.9779, 0.82352, 0.58083, 0.26163, 0.16568, 0.11198]
FITZPATRICK_5 = [1.26161, 0.98719, 0.8864, 0.6432, 0.26086, 0.16027, 0.10985]


def test_the_curves_are_those_published() -> None:
    assert e.law(PLACES) == pytest.approx(GORDON, abs=1e-5)
    assert e.law(PLACES, r_v=5.0) == pytest.approx(GORDON_5, abs=1e-5)
    assert e.law(PLACES[:7], "fitzpatrick99") == pytest.approx(FITZPATRICK, abs=1e-5)
    assert e.law(PLACES[:7], "fitzpatrick99", 5.0) == pytest.approx(FITZPATRICK_5, abs=1e-5)
    # Wang and Chen (2019), table 3: J, H, Ks.
    assert e.law([1.25, 1.65, 2.16], "wang19") == pytest.approx([0.243, 0.131, 0.078], abs=0.01)
    # Cardelli et al. (1989), table 3: B, V, J, K.
    assert e.law([0.44, 0.55, 1.25, 2.2], "ccm89") == pytest.approx([1.337, 1.0, 0.282, 0.114], abs=0.015)


@pytest.mark.parametrize("name", [*e.RANGES])
def test_laws_go_on_without_a_step(name: e.Law) -> None:
    fine = np.linspace(0.35, 31.9, 60001)
    curve = e.law(fine, name)
    assert np.isfinite(curve).all()
    assert (curve > 0).all()
    assert np.abs(np.diff(curve)).max() < 0.005
    # Silicate: 10 um is a hill between two valleys.
    valley, hill, far = e.law([6.0, 9.8, 13.5], name)
    assert hill > 1.5 * valley
    assert hill > far


@given(st.floats(0, 30), st.floats(0, 30))
def test_dust_adds_up(one: float, other: float) -> None:
    built = build(np.full((1, 10), 10.0), np.full((1, 10), 0.1))
    twice = e.deredden(e.deredden(built, one), other)
    at_once = e.deredden(built, one + other)
    assert twice.power == pytest.approx(at_once.power, rel=1e-9)
    assert twice.f_nu_error / twice.f_nu == pytest.approx(built.f_nu_error / built.f_nu)


def test_one_magnitude_at_v() -> None:
    built = build(np.full((3, 10), 10.0), np.full((3, 10), 0.1))
    free = e.deredden(built, np.array([0.0, 1.0, np.nan]), name="ccm89", a_v_error=0.2)
    gain = -2.5 * np.log10(built.f_nu / free.f_nu)
    assert gain[0] == pytest.approx(np.zeros(10))
    assert gain[1] == pytest.approx(e.extinction(built.bands, "ccm89"))
    assert np.isnan(gain[2]).all()
    shares = free.f_nu_error[1] / free.f_nu[1] * 2.5 / np.log(10)
    assert shares == pytest.approx(np.hypot(0.1, 0.2 * e.extinction(built.bands, "ccm89")))


def test_what_no_law_is_for() -> None:
    assert np.isnan(e.law([0.2, 40.0])).all()
    with pytest.raises(BadParameter, match="no extinction law"):
        e.law([1.0], "calzetti")  # type: ignore[arg-type]
    with pytest.raises(BadParameter, match="R_V 9"):
        e.law([1.0], r_v=9.0)
    with pytest.raises(BadParameter, match="R_V 4"):
        e.law([1.0], "wang19", 4.0)
    with pytest.raises(BadParameter, match="below zero in 1 rows"):
        e.deredden(build(np.ones((1, 10)) * 9), -1.0)
