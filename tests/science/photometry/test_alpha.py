"""Spectral indices and classes, against published ones."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.photometry import alpha as a
from armillary.science.photometry import seds
from armillary.science.photometry.bands import Band

NAMES = "J H Ks W1 W2 W3 W4"


def of_slope(slope: float, error: float = 0.05) -> seds.Seds:
    """A power law in the five infrared bands."""
    found = seds.build(np.full((1, 5), 10.0), np.full((1, 5), error), "Ks W1 W2 W3 W4")
    power = 1e-15 * found.wavelength[None] ** slope
    return seds.Seds(
        found.bands, found.wavelength, found.f_nu, found.f_nu_error, found.f_lambda, found.f_lambda_error,
        power, power * error, found.limit,
    )  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize(("blue", "red", "column"), [("Ks", "W4", "kw4"), ("W1", "W4", "w14"), ("W3", "W4", "w34")])
def test_indices_of_canovas(canovas: dict[str, Any], blue: str, red: str, column: str) -> None:
    mags = np.stack([canovas[f"{name}mag"] for name in NAMES.split()], axis=1)
    built = seds.build(mags, None, NAMES, colour_correction="table")
    found = a.index_between(built, blue, red)
    published = canovas[f"alpha_{column}"]
    assert np.isfinite(found.alpha).all()
    assert np.median(np.abs(found.alpha - published)) <= 0.003
    assert (a.classes(found.alpha) == a.classes(published)).mean() >= 0.95


@pytest.mark.real
def test_classes_of_canovas(canovas: dict[str, Any]) -> None:
    mags = np.stack([canovas[f"{name}mag"] for name in NAMES.split()], axis=1)
    built = seds.build(mags, None, NAMES, colour_correction="table")
    found = a.classes(a.index_between(built, "Ks", "W4").alpha)
    # What is called a photosphere there is class III here.
    published = np.array([one.split()[-1] if "Class" in one else "III" for one in canovas["SED_Class"]])
    assert (found == published).mean() >= 0.95


@pytest.mark.real
@pytest.mark.parametrize(("weighed", "same"), [(False, 0.91), (True, 0.93)])
def test_classes_of_dunham(real_data: Path, weighed: bool, same: float) -> None:
    """The published errors are not in the table.

    Equal weights give 92 % of the classes; 10 % for 2MASS and MIPS and 5 % for IRAC give 96 %, and the indices too
    (median difference 0.013), so these or alike are the weights of the paper.
    """
    from astropy.table import Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = Table.read(real_data / "gaia" / "canovas2019_oph" / "sample_initial" / "2015_dunham_OPH_YSO.vot")
    places = {"F2.17": 2.159, "F3.6": 3.55, "F4.5": 4.493, "F5.8": 5.731, "F8.0": 7.872, "F24": 23.68}
    chosen = [Band(name, place, place, place, 1.0) for name, place in places.items()]
    fluxes = np.stack([np.ma.filled(table[name].astype(float), np.nan) for name in places], axis=1)
    errors = fluxes * np.array([0.1, 0.05, 0.05, 0.05, 0.05, 0.1]) if weighed else None
    found = a.index_fit(seds.from_fluxes(fluxes, errors, chosen, unit="mJy"), [*places], least=2)
    published = np.ma.filled(table["alpha"].astype(float), np.nan)
    known = np.isfinite(published)
    assert known.sum() > 250
    assert (a.classes(found.alpha) == a.classes(published))[known].mean() >= same


@given(st.floats(-4, 4))
def test_a_power_law_has_its_slope(slope: float) -> None:
    built = of_slope(slope)
    for found in (a.index_between(built, "Ks", "W4"), a.index_between(built, "W3", "W4"), a.index_fit(built)):
        assert found.alpha[0] == pytest.approx(slope, abs=1e-9)
        assert 0 < found.error[0] < 0.4
    assert a.index_fit(built).bands[0] == 5


def test_the_error_is_the_scatter_of_many() -> None:
    random = np.random.default_rng(7)
    errors = np.array([0.03, 0.03, 0.02, 0.1, 0.2])
    mags = np.array([10, 9.5, 9.0, 6.5, 4.5]) + random.normal(size=(4000, 5)) * errors
    built = seds.build(mags, np.broadcast_to(errors, mags.shape), "Ks W1 W2 W3 W4")
    two = a.index_between(built, "Ks", "W4")
    assert np.std(two.alpha) == pytest.approx(np.median(two.error), rel=0.06)


def test_upper_limits_never_classify() -> None:
    mags = np.array([[10.0, 5.0], [10.0, 5.0], [10.0, np.nan]])
    errors = np.array([[0.02, np.nan], [np.nan, 0.1], [0.02, np.nan]])
    found = a.index_between(seds.build(mags, errors, "Ks W4"), "Ks", "W4")
    assert np.isnan(found.alpha).all()
    assert a.classes(found.alpha).tolist() == ["", "", ""]
    assert np.isfinite(found.most).tolist() == [True, False, False]
    assert np.isfinite(found.least).tolist() == [False, True, False]


def test_a_fit_leaves_limits_and_gaps_out() -> None:
    built = of_slope(-1.0)
    built.limit[0, 4] = True
    built.power[0, 4] *= 100
    built.power[0, 1] = np.nan
    built.f_nu[0, 1] = np.nan
    found = a.index_fit(built)
    assert found.alpha[0] == pytest.approx(-1.0)
    assert found.bands[0] == 3
    assert np.isnan(a.index_fit(built, least=4).alpha[0])
    assert a.index_fit(built, least=4).bands[0] == 0


def test_without_errors_all_bands_count_alike() -> None:
    built = seds.build(np.array([[10.0, 9.6, 9.0, 7.0, 5.0]]), None, "Ks W1 W2 W3 W4")
    found = a.index_fit(built)
    slope = np.polyfit(np.log10(built.wavelength), np.log10(built.power[0]), 1)[0]
    assert found.alpha[0] == pytest.approx(slope)
    assert found.error[0] > 0


def test_shares_of_classes_add_up() -> None:
    index = a.Index(np.array([-0.3, 5.0, np.nan]), np.array([0.1, 0.1, 0.1]), *np.full((2, 3), np.nan), np.zeros(3))
    shares = a.class_shares(index)
    assert shares[0] == pytest.approx([0, 0.5, 0.5, 0], abs=1e-6)
    assert shares[1] == pytest.approx([1, 0, 0, 0])
    assert np.isnan(shares[2]).any()


def test_bands_in_the_wrong_order() -> None:
    with pytest.raises(BadParameter, match="not shorter"):
        a.index_between(of_slope(0), "W4", "Ks")
    with pytest.raises(BadParameter, match="not among"):
        a.index_between(of_slope(0), "J", "W4")
    with pytest.raises(BadParameter, match="a line through"):
        a.index_fit(of_slope(0), "Ks W1", least=3)
