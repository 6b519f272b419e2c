"""Synthetic photometry: of light that is known, and of a real spectrum."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter
from armillary.science.photometry.bands import Curve, band_from_curve, read_svo
from armillary.science.photometry.vega import GAIA_SCALE, vega
from armillary.science.photometry.xp import SAMPLED, synthesise


def box(first: float, last: float, detector: str = "photon") -> Curve:
    place = np.linspace(first, last, 301)
    return Curve("box", place, np.exp(-0.5 * ((place - (first + last) / 2) / (last - first) * 6) ** 2), detector, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("detector", ["photon", "energy"])
def test_vega_has_magnitude_zero_and_a_flat_source_its_ab(detector: str) -> None:
    curves = [box(0.4, 0.6, detector), box(0.6, 0.9, detector)]
    light = GAIA_SCALE * vega(SAMPLED * 1e-3) * 1e-3
    found = synthesise(SAMPLED, np.stack([light, light / 100]), None, curves)
    assert found.vega == pytest.approx(np.array([[0, 0], [5, 5]]), abs=0.003)
    flat = 3631e-26 * 299_792_458 / (SAMPLED * 1e-9) ** 2 * 1e-9
    assert synthesise(SAMPLED, flat, None, curves).ab == pytest.approx(np.zeros((1, 2)), abs=1e-3)


def test_fluxes_are_linear_and_errors_scale() -> None:
    random = np.random.default_rng(1)
    one, other = random.uniform(1, 2, (2, 5, len(SAMPLED)))
    curves = [box(0.5, 0.8)]
    a, b, both = (synthesise(SAMPLED, flux, 0.1 * flux, curves) for flux in (one, other, one + other))
    assert both.f_lambda == pytest.approx(a.f_lambda + b.f_lambda)
    constant = synthesise(SAMPLED, np.full(len(SAMPLED), 3.0), np.full(len(SAMPLED), 0.3), curves)
    assert constant.f_lambda[0, 0] == pytest.approx(3000)
    noisy = 3 + 0.3 * random.normal(size=(4000, len(SAMPLED)))
    assert synthesise(SAMPLED, noisy, None, curves).f_lambda.std() == pytest.approx(
        constant.f_lambda_error[0, 0], rel=0.05
    )
    pivot = band_from_curve("box", curves[0].wavelength, curves[0].response).pivot
    assert constant.f_nu[0, 0] == pytest.approx(3000 * pivot**2 * 1e20 / 299_792_458, rel=1e-4)


def test_what_is_not_seen_is_refused() -> None:
    light = np.ones((1, len(SAMPLED)))
    with pytest.raises(BadParameter, match="lies outside of the spectra"):
        synthesise(SAMPLED, light, None, [box(0.3, 0.5)])
    assert np.isfinite(synthesise(SAMPLED, light, None, [box(0.3, 0.5)], missing=0.3).f_lambda).all()
    with pytest.raises(BadParameter, match="ascending"):
        synthesise(SAMPLED[::-1], light, None, [box(0.4, 0.5)])
    with pytest.raises(BadData, match="below zero"):
        synthesise(SAMPLED, light, -light, [box(0.4, 0.5)])
    assert np.isnan(synthesise(SAMPLED, -light, None, [box(0.4, 0.5)]).vega).all()


@pytest.mark.real
def test_a_real_spectrum(real_data: Path) -> None:
    """G of it, by the part of the band that is seen, agrees with a black body's relation of G, BP and RP."""
    folder = real_data / "gaia"
    with zipfile.ZipFile(
        folder / "astroquery_gaia" / "gaia_dr3_source_id_5937083312263887616_dl_products_csv.zip"
    ) as file:
        name = next(one for one in file.namelist() if one.startswith("XP_SAMPLED"))
        rows = np.loadtxt(file.read(name).decode().splitlines()[1:], delimiter=",", usecols=(4, 5, 6))
    assert rows[:, 0] == pytest.approx(SAMPLED)
    curves = [read_svo(folder / "svo_filters_votable" / f"GAIA.GAIA3.{one}.xml") for one in ("G", "Gbp", "Grp")]
    with pytest.raises(BadParameter, match=r"GAIA/GAIA3\.G "):
        synthesise(rows[:, 0], rows[:, 1], rows[:, 2], curves)
    g, bp, rp = synthesise(rows[:, 0], rows[:, 1], rows[:, 2], curves, missing=0.05).vega[0]
    colour = bp - rp
    assert 0.5 < colour < 3
    # Riello et al. (2021): fluxes of BP and RP add up to G times a known factor of the colour.
    photons = 10 ** (-0.4 * (np.array([bp, rp]) - [25.3385422158, 24.7478955012]))
    factor = photons.sum() / 10 ** (-0.4 * (g - 25.6873668671))
    normal = 1.162004 + 0.011464 * colour + 0.049255 * colour**2 - 0.005879 * colour**3
    assert factor == pytest.approx(normal, abs=0.03)
