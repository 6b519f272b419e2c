"""Photospheres and templates: what was put in comes out, and the Sun is the Sun."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.photometry import photospheres as p
from armillary.science.photometry.bands import BANDS
from armillary.science.photometry.extinction import extinction
from armillary.science.photometry.light import PARSEC, SOLAR_RADIUS
from armillary.science.photometry.seds import Seds, build

PIVOT = np.array([band.pivot for band in BANDS])


def of_flux(f_lambda: np.ndarray, relative: float = 0.02) -> Seds:
    """Seds in the ten bands from W m-2 um-1."""
    f_nu, power = f_lambda * PIVOT**2 * 1e20 / 299_792_458, f_lambda * PIVOT
    six = (f_nu, f_nu * relative, f_lambda, f_lambda * relative, power, power * relative)
    return Seds(BANDS, PIVOT, *six, np.zeros(f_lambda.shape, bool))


def stars(teff: np.ndarray, a_v: np.ndarray | float = 0.0) -> np.ndarray:
    """Black bodies of one Sun's radius at 100 pc behind dust, W m-2 um-1."""
    dust = 10 ** (-0.4 * np.atleast_1d(a_v)[:, None] * extinction(BANDS))
    return p.black_bodies(teff).flux * dust * (SOLAR_RADIUS / (100 * PARSEC)) ** 2


@pytest.fixture(scope="module")
def grid(real_data: Path) -> p.Grid:
    return p.read_grid(real_data / "gaia" / "ariadne_grids" / "model_grid_CK04.dat.gz")


@given(st.floats(2500, 12_000), st.floats(0.001, 1000))
@settings(max_examples=30)
def test_a_black_body_is_found_again(teff: float, brightness: float) -> None:
    fit = p.fit_photosphere(of_flux(stars(np.array([teff])) * brightness))
    assert fit.teff[0] == pytest.approx(teff, rel=0.012)
    # of eight degrees of freedom, without any noise: what is left is the step of the grid, most in BP of the coolest
    assert fit.chi2[0] < 2
    assert fit.radius(np.array([100.0]))[0] == pytest.approx(np.sqrt(brightness), rel=0.02)
    assert fit.luminosity(np.array([100.0]))[0] == pytest.approx(brightness * (teff / 5772) ** 4, rel=0.03)


def test_dust_is_fitted_along() -> None:
    teff, a_v = np.array([4000.0, 6000.0, 9000.0]), np.array([0.0, 1.5, 5.0])
    seds = of_flux(stars(teff, a_v), 0.005)
    fit = p.fit_photosphere(seds, a_v=np.arange(0, 8.1, 0.25), model_error=0.005)
    assert fit.a_v == pytest.approx(a_v, abs=0.26)
    assert fit.teff == pytest.approx(teff, rel=0.06)
    given = p.fit_photosphere(seds, a_v=1.5)
    assert given.a_v.tolist() == [1.5, 1.5, 1.5]


def test_a_disc_is_an_excess() -> None:
    flux = stars(np.array([4000.0, 4000.0]))
    flux[0, 8:] *= [20, 60]
    seds = of_flux(flux)
    sigma, magnitudes = p.excess(seds, p.fit_photosphere(seds))
    assert (sigma[0, 8:] > 5).all()
    assert magnitudes[0, 8:] == pytest.approx(2.5 * np.log10([20, 60]), abs=0.1)
    assert (np.abs(sigma[1]) < 3).all()


def test_too_few_bands_are_not_fitted() -> None:
    flux = stars(np.array([4000.0, 4000.0]))
    flux[0, :4] = np.nan
    fit = p.fit_photosphere(of_flux(flux))
    assert np.isnan(fit.teff).tolist() == [True, False]
    assert np.isnan(fit.f_lambda[0]).all()
    assert fit.bands.tolist() == [2, 6]


def test_scale_and_error_do_what_they_say() -> None:
    """Chi^2 of many noisy stars is that of its degrees of freedom, and the temperature errors cover."""
    random = np.random.default_rng(3)
    flux = np.repeat(stars(np.array([5000.0])), 400, axis=0)
    noisy = of_flux(flux * (1 + 0.03 * random.normal(size=flux.shape)), 0.03)
    fit = p.fit_photosphere(noisy, step=10, model_error=0.0)
    assert np.median(fit.chi2) == pytest.approx(3.4, abs=0.6)
    inside = np.abs(fit.teff - 5000) < fit.teff_error
    assert 0.58 < inside.mean() < 0.78


def test_templates_of_any_kind() -> None:
    random = np.random.default_rng(5)
    templates = random.uniform(1, 5, (40, 10))
    which = random.integers(0, 40, 200)
    fit = p.fit_templates(of_flux(templates[which] * 1e-14), templates, BANDS, use="G BP RP J H Ks W1 W2 W3 W4")
    assert (fit.template == which).all()
    assert fit.scale == pytest.approx(np.full(200, 1e-14))
    assert fit.model == pytest.approx(templates[which] * 1e-14)
    assert (fit.low <= which).all()
    assert (fit.high >= which).all()


def test_what_cannot_be_fitted() -> None:
    corrected = build(np.full((1, 10), 8.0), np.full((1, 10), 0.1), colour_correction="table")
    with pytest.raises(BadParameter, match="colour corrected"):
        p.fit_photosphere(corrected)
    with pytest.raises(BadParameter, match="cannot be fitted"):
        p.fit_templates(of_flux(stars(np.array([4000.0]))), np.ones((3, 1)), BANDS[:1])


@pytest.mark.real
def test_the_sun_of_castelli_and_kurucz(grid: p.Grid) -> None:
    sun = grid.at(np.array([5772.0]), 4.44, 0.0)
    names = [band.name for band in sun.bands]
    far = (SOLAR_RADIUS / (10 * PARSEC)) ** 2
    pivots = np.array([band.pivot for band in sun.bands])
    zero = np.array([band.zero_point for band in sun.bands])
    magnitudes = dict(
        zip(names, -2.5 * np.log10(sun.flux[0] * far * pivots**2 * 1e20 / 299_792_458 / zero), strict=True)
    )
    # Casagrande and VandenBerg (2018) for Gaia; Willmer (2018) for 2MASS and WISE.
    known = {"G": 4.67, "BP": 4.99, "RP": 4.18, "J": 3.67, "H": 3.32, "Ks": 3.27, "W1": 3.26, "W2": 3.28, "W3": 3.26}
    assert {one: magnitudes[one] for one in known} == pytest.approx(known, abs=0.06)


@pytest.mark.real
def test_photospheres_have_no_colour_in_the_far_infrared(grid: p.Grid) -> None:
    """As tabulated, W3 and W4 would be 0.5 and 0.2 magnitudes too bright."""
    stars_ = grid.at(np.arange(4000.0, 7001.0, 500.0), 4.5, 0.0)
    zero = np.array([band.zero_point for band in stars_.bands])
    pivots = np.array([band.pivot for band in stars_.bands])
    magnitudes = -2.5 * np.log10(stars_.flux * pivots**2 / zero)
    names = [band.name for band in stars_.bands]
    w1, w3, w4 = (magnitudes[:, names.index(one)] for one in ("W1", "W3", "W4"))
    assert np.abs(w1 - w3).max() < 0.08
    assert np.abs(w3 - w4).max() < 0.06


@pytest.mark.real
def test_models_are_found_again(grid: p.Grid) -> None:
    teff = np.array([3600.0, 4500.0, 5800.0, 8000.0])
    wide = np.full((4, 10), np.nan)
    drawn = grid.at(teff, 4.5, 0.0)
    for place, band in enumerate(drawn.bands):
        wide[:, [one.name for one in BANDS].index(band.name)] = drawn.flux[:, place]
    fit = p.fit_photosphere(of_flux(wide * 1e-19), grid)
    assert fit.teff == pytest.approx(teff, abs=26)
    assert fit.scale == pytest.approx(np.full(4, 1e-19), rel=0.03)
    with pytest.raises(BadParameter, match="outside of"):
        grid.at(teff, 7.0, 0.0)


def test_files_that_are_no_grid(tmp_path: Path) -> None:
    text = tmp_path / "a.dat"
    text.write_text("# Teff\tlogg\t[Fe/H]\tother\n5000\t4\t0\t1\n", "utf-8")
    half = tmp_path / "b.dat.gz"
    half.write_bytes(gzip.compress(b"# Teff\tlogg\t[Fe/H]\t2MASS_J\n" + b"5000\t4\t0\t1\n" * 9000)[:60])
    for path in (text, half, tmp_path / "none"):
        with pytest.raises(BadData, match=path.name):
            p.read_grid(path)
