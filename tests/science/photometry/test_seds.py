"""Fluxes from magnitudes, against published ones and the algebra they obey."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.photometry import seds
from armillary.science.photometry.bands import BANDS, bands
from armillary.science.photometry.colour_corrections import INDICES, POWER_LAWS, black_body_factor, corrections

INFRARED = "J H Ks W1 W2 W3 W4"
numbers = st.floats(-5, 25)


def magnitudes(table: dict[str, Any], names: str = INFRARED) -> np.ndarray:
    return np.stack([table[f"{name}mag"] for name in names.split()], axis=1)


def worst(found: np.ndarray, published: np.ndarray) -> float:
    return float(np.nanmedian(np.abs(found / published - 1)))


@pytest.mark.real
@pytest.mark.parametrize("correction", ["none", "table"])
def test_fluxes_of_canovas(canovas: dict[str, Any], correction: Any) -> None:
    found = seds.build(magnitudes(canovas), None, INFRARED, colour_correction=correction)
    for place, name in enumerate(INFRARED.split()):
        if name != "W3" or correction == "table":
            assert worst(found.f_nu[:, place], canovas[f"{name}Flux"]) < 0.01, name


@pytest.mark.real
def test_powers_of_canovas(canovas: dict[str, Any]) -> None:
    found = seds.build(magnitudes(canovas), None, INFRARED, colour_correction="table")
    for place, name in enumerate(INFRARED.split()):
        published = canovas[f"{name}_lFlambda"]
        assert worst(found.power[:, place], published) < (0.011 if name == "H" else 0.01), name


@given(st.lists(st.tuples(numbers, st.floats(0.001, 1)), min_size=1, max_size=5), st.floats(-3, 3))
def test_a_shift_in_magnitude_is_a_factor_in_flux(rows: list[tuple[float, float]], shift: float) -> None:
    values = np.array(rows)
    one = seds.build(values[:, :1], values[:, 1:], "Ks")
    other = seds.build(values[:, :1] + shift, values[:, 1:], "Ks")
    factor = 10 ** (-0.4 * shift)
    for name in ("f_nu", "f_nu_error", "f_lambda", "f_lambda_error", "power", "power_error"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) * factor, rel=1e-9)


@given(st.lists(numbers, min_size=10, max_size=10))
def test_the_three_forms_agree_with_astropy_units(row: list[float]) -> None:
    from astropy import units as u

    found = seds.build(np.array([row]), np.full((1, 10), 0.1))
    for place, band in enumerate(BANDS):
        jansky = found.f_nu[0, place] * u.Jy
        per_wave = jansky.to(u.W / u.m**2 / u.um, u.spectral_density(band.pivot * u.um))
        assert found.f_lambda[0, place] == pytest.approx(per_wave.value, rel=1e-9)
        assert found.power[0, place] == pytest.approx((per_wave * band.pivot * u.um).value, rel=1e-9)
    assert found.f_nu_error / found.f_nu == pytest.approx(0.1 * np.log(10) / 2.5)


@given(st.integers(1, 9000), st.integers(0, 8999))
def test_a_row_does_not_depend_on_its_neighbours(rows: int, which: int) -> None:
    mags = np.linspace(5, 15, rows)[:, None] + np.arange(4.0)
    errors = np.full(mags.shape, 0.05)
    which %= rows
    whole = seds.build(mags, errors, "W1 W2 W3 W4", colour_correction="table")
    alone = seds.build(mags[which : which + 1], errors[which : which + 1], "W1 W2 W3 W4", colour_correction="table")
    assert whole.power[which].tolist() == alone.power[0].tolist()


def test_missing_and_limits_are_told_apart() -> None:
    mags = np.array([[10.0, 9.0, np.nan, 7.0]])
    errors = np.array([[0.02, np.nan, np.nan, 0.0]])
    found = seds.build(mags, errors, "Ks W1 W2 W3")
    assert found.limit.tolist() == [[False, True, False, True]]
    assert found.measured.tolist() == [[True, False, False, False]]
    assert np.isfinite(found.f_nu).tolist() == [[True, True, False, True]]
    assert np.isnan(found.f_nu_error).tolist() == [[False, True, True, True]]
    flagged = seds.build(mags, errors, "Ks W1 W2 W3", limits=np.array([[True, False, False, False]]))
    assert flagged.limit[0, 0]
    assert np.isnan(flagged.power_error[0, 0])
    assert not seds.build(mags, None, "Ks W1 W2 W3").limit.any()


def test_masked_values_are_missing() -> None:
    found = seds.build(np.ma.masked_invalid([[10.0, np.nan]]), None, "Ks W1")
    assert np.isnan(found.f_nu[0]).tolist() == [False, True]


def test_floors_add_in_quadrature() -> None:
    band = bands("Ks")[0]
    found = seds.build(np.array([[10.0]]), np.array([[0.02]]), "Ks", floors=True)
    assert found.f_nu_error / found.f_nu == pytest.approx(np.hypot(0.02, band.floor) * np.log(10) / 2.5)


def test_ab_magnitudes() -> None:
    ab = seds.build(np.array([[16.4]]), None, "W1", system="ab")
    assert ab.f_nu[0, 0] == pytest.approx(3631e-6 * 10 ** (0.4 * (15 - 16.4)), rel=1e-9)


@pytest.mark.parametrize("value", [99.0, -999.0, np.inf])
def test_magnitudes_that_are_none(value: float) -> None:
    with pytest.raises(BadData, match=r"1 values cannot be.*in W1, row 1"):
        seds.build(np.array([[10.0, 9.0], [10.0, value]]), None, "Ks W1")


def test_other_bad_input() -> None:
    with pytest.raises(BadData, match=r"-0\.1 in Ks"):
        seds.build(np.array([[10.0]]), np.array([[-0.1]]), "Ks")
    with pytest.raises(BadParameter, match="2 bands"):
        seds.build(np.ones((3, 4)), None, "Ks W1")
    with pytest.raises(BadParameter, match="twice"):
        seds.build(np.ones((3, 2)), None, "Ks ks")
    with pytest.raises(BadParameter, match="no colour correction"):
        seds.build(np.ones((3, 1)), None, "W1", colour_correction="some")  # type: ignore[arg-type]
    with pytest.raises(BadParameter, match="'mag'"):
        seds.from_fluxes(np.ones((3, 1)), None, "W1", unit="mag")


def test_no_rows_are_no_rows() -> None:
    found = seds.build(np.empty((0, 10)), np.empty((0, 10)), colour_correction="table")
    assert len(found) == 0
    assert found.power.shape == (0, 10)


@given(st.sampled_from(seds.UNITS), st.floats(0.001, 100))
def test_units_of_flux_agree_with_astropy(unit: str, value: float) -> None:
    from astropy import units as u

    band = bands("W2")[0]
    found = seds.from_fluxes(np.array([[value]]), np.array([[value / 10]]), "W2", unit=unit)
    asked = (value * u.Unit(unit)).to(u.Jy, u.spectral_density(band.pivot * u.um))
    assert found.f_nu[0, 0] == pytest.approx(asked.value, rel=1e-9)
    assert found.f_nu_error[0, 0] == pytest.approx(asked.value / 10, rel=1e-9)


def test_a_flux_below_zero_is_a_limit_of_three_errors() -> None:
    found = seds.from_fluxes(np.array([[-1.0, 5.0, -2.0]]), np.array([[2.0, 1.0, np.nan]]), "W1 W2 W3", unit="mJy")
    assert found.limit.tolist() == [[True, False, False]]
    assert found.f_nu[0, :2].tolist() == pytest.approx([0.006, 0.005])
    assert np.isnan(found.f_nu[0, 2])


def test_colour_corrections_give_power_laws_back() -> None:
    """Magnitudes of F_nu ~ nu^beta, made with the table, must give a straight line of this slope."""
    chosen = bands("W1 W2 W3 W4")
    for row, beta in enumerate(INDICES):
        factor = np.array([POWER_LAWS[band.name][row] / POWER_LAWS[band.name][4] for band in chosen])
        flux = np.array([band.reference**-beta for band in chosen])
        mags = -2.5 * np.log10(flux * factor / [band.zero_point for band in chosen])
        for correction in ("table", "interpolated"):
            found = seds.build(mags[None], None, chosen, colour_correction=correction)  # type: ignore[arg-type]
            assert found.f_nu[0] == pytest.approx(flux, rel=1e-6), (beta, correction)
            assert found.wavelength.tolist() == [band.reference for band in chosen]


def test_unknown_colours_are_those_of_photospheres() -> None:
    alone = corrections({"W3": np.array([8.0])}, "table")["W3"]
    assert alone == pytest.approx(0.9169 / 1.0088)
    helped = corrections({"W2": np.array([8.0]), "W3": np.array([8.0]), "W4": np.array([np.nan])}, "table")
    assert helped["W3"] == pytest.approx(alone)


def test_black_bodies_join_the_rayleigh_jeans_law() -> None:
    assert black_body_factor("W3", 1e7) == pytest.approx(0.9169 / 1.0088, rel=1e-3)
    assert black_body_factor("W2", 200.0) == pytest.approx(0.9935 / 1.3448)
    assert np.isnan(black_body_factor("W2", 50.0))


def test_red_sources_in_w4() -> None:
    mags = np.array([[8.0, 4.0], [8.0, 7.0]])
    plain = seds.build(mags, None, "W3 W4").f_nu[:, 1]
    supplement = seds.build(mags, None, "W3 W4", w4_red="supplement").f_nu[:, 1]
    assert supplement / plain == pytest.approx([0.92, 1.0])
    brown = seds.build(mags, None, "W3 W4", w4_red="brown")
    assert brown.wavelength[1] == 22.8
    assert brown.f_nu[:, 1] / plain == pytest.approx(0.941, abs=0.001)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("W.m-2.um-1", "W m-2 um-1"), ("W m^-2 um^-1", "W m-2 um-1"), ("W/m2/um", "W m-2 um-1"),
        ("W / m**2 / micron", "W m-2 um-1"), ("erg.s**-1.cm**-2.Angstrom**-1", "erg s-1 cm-2 AA-1"),
        ("erg/s/cm2/A", "erg s-1 cm-2 AA-1"), ("W/m^2/Hz", "W m-2 Hz-1"), ("mJy", "mJy"), ("K", "K"), ("", ""),
        ("W m-2", "W m-2"), ("/", "/"), ("km/s", "km/s"),
    ],
)  # fmt: skip
def test_units_are_known_as_they_are_written(written: str, plain: str) -> None:
    assert seds.plain_unit(written) == plain
