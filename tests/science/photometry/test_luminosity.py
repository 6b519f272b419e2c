"""Luminosities: of bodies whose flux is known, and against published ones."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science.photometry import photospheres as p
from armillary.science.photometry.bands import BANDS
from armillary.science.photometry.luminosity import bolometric, luminosity
from armillary.science.photometry.seds import Seds, build

PIVOT = np.array([band.pivot for band in BANDS])


def of_bodies(teff: np.ndarray, relative: float = 0.02) -> Seds:
    """Black bodies of one Sun's radius at 10 pc at the pivots themselves."""
    solid = np.pi * (p.SOLAR_RADIUS / (10 * p.PARSEC)) ** 2
    f_nu = p.planck(PIVOT, teff[:, None]) * solid
    f_lambda = f_nu * 1e-20 * p.LIGHT / PIVOT**2
    six = (f_nu, f_nu * relative, f_lambda, f_lambda * relative, f_lambda * PIVOT, f_lambda * PIVOT * relative)
    return Seds(BANDS, PIVOT, *six, np.zeros(f_nu.shape, bool))


@given(st.floats(1000, 30_000))
@settings(max_examples=40)
def test_black_bodies_have_sigma_t4(teff: float) -> None:
    found = luminosity(of_bodies(np.array([teff])), 10.0, calibrated=False)
    assert found.solar[0] == pytest.approx((teff / 5772) ** 4, rel=0.004)


def test_the_temperature_and_the_share_outside() -> None:
    found = bolometric(of_bodies(np.array([3000.0, 6000.0, 20_000.0])))
    assert found.temperature == pytest.approx([3000, 6000, 20_000], rel=0.005)
    assert found.outside[0] < 0.06 < found.outside[1]
    assert found.outside[1] < 0.35 < found.outside[2]


@given(st.floats(1, 1000), st.floats(0.1, 10))
@settings(max_examples=20)
def test_distance_is_squared(distance: float, factor: float) -> None:
    seds = of_bodies(np.array([4000.0]))
    one, other = luminosity(seds, distance), luminosity(seds, distance * factor)
    assert other.solar[0] == pytest.approx(one.solar[0] * factor**2)


def test_errors_are_the_scatter_of_many() -> None:
    random = np.random.default_rng(11)
    plain = of_bodies(np.full(3000, 4000.0), 0.1)
    noise = 1 + 0.1 * random.normal(size=plain.power.shape)
    noisy = Seds(plain.bands, plain.wavelength, *(one * noise for one in (
        plain.f_nu, plain.f_nu_error, plain.f_lambda, plain.f_lambda_error, plain.power, plain.power_error)),
        plain.limit)  # fmt: skip
    distance = 10 * (1 + 0.02 * random.normal(size=3000))
    found = luminosity(noisy, distance, 0.2)
    assert np.std(found.solar) / np.mean(found.solar) == pytest.approx(np.median(found.error / found.solar), rel=0.25)


def test_gaps_and_limits() -> None:
    seds = of_bodies(np.full(4, 5000.0))
    seds.limit[0, 8:] = True
    seds.power[1, [3, 5]] = np.nan
    seds.f_nu[1, [3, 5]] = np.nan
    seds.limit[2, 2:] = True
    found = luminosity(seds, np.array([10.0, 10.0, 10.0, np.nan]), calibrated=False)
    assert found.solar[:2] == pytest.approx(np.full(2, (5000 / 5772) ** 4), rel=0.01)
    assert np.isnan(found.solar[2:]).all()
    with pytest.raises(BadData, match="1 distances"):
        luminosity(seds, np.array([10, 10, 10, -1.0]))


@pytest.mark.real
@pytest.mark.parametrize(("logg", "metallicity", "within"), [(4.5, 0.0, 0.02), (3.0, 0.0, 0.06), (4.5, 0.5, 0.08)])
def test_models_have_sigma_t4(real_data: Path, logg: float, metallicity: float, within: float) -> None:
    grid = p.read_grid(real_data / "gaia" / "ariadne_grids" / "model_grid_CK04.dat.gz")
    models = grid.at(np.arange(3500.0, 10_001.0, 250.0), logg, metallicity)
    pivots = np.array([band.pivot for band in models.bands])
    power, none = models.flux * pivots, np.full(models.flux.shape, np.nan)
    seds = Seds(models.bands, pivots, power, none, models.flux, none, power, none, np.zeros(power.shape, bool))
    found = bolometric(seds).flux / (p.STEFAN_BOLTZMANN * models.teff**4)
    assert np.abs(found - 1).max() < within


@pytest.mark.real
def test_dwarfs_of_pecaut_and_mamajek(real_data: Path) -> None:
    magnitudes, published = _sequence(real_data / "gaia" / "mamajek" / "EEM_dwarf_UBVIJHK_colors_Teff.txt")
    found = np.log10(luminosity(build(magnitudes), 10.0).solar) - published
    assert len(found) > 35
    assert abs(np.median(found)) < 0.01
    assert np.median(np.abs(found)) < 0.015


WANTED = ("M_G", "G-Rp", "Bp-Rp", "M_J", "J-H", "M_Ks", "Ks-W1", "W1-W2", "W1-W3", "W1-W4", "Teff", "logL")


def _sequence(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Absolute magnitudes and log L of dwarfs F5 to L2."""
    lines = path.read_text("latin-1").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("#SpT"))
    names = lines[start].lstrip("#").split()
    rows, published = [], []
    for line in lines[start + 1 :]:
        row = dict(zip(names, line.split(), strict=False))
        if line.startswith("#SpT"):
            break
        n = {one: float(row[one].rstrip(":*")) if row[one].strip(".") else np.nan for one in WANTED}
        if not 2000 < n["Teff"] < 6600 or np.isnan(n["M_G"]):
            continue
        rp, w1 = n["M_G"] - n["G-Rp"], n["M_Ks"] - n["Ks-W1"]
        rows.append([n["M_G"], rp + n["Bp-Rp"], rp, n["M_J"], n["M_J"] - n["J-H"], n["M_Ks"], w1, w1 - n["W1-W2"],
                     w1 - n["W1-W3"], w1 - n["W1-W4"]])  # fmt: skip
        published.append(n["logL"])
    return np.array(rows), np.array(published)


@pytest.mark.real
def test_ultracool_dwarfs_of_sanghi(real_data: Path) -> None:
    """From J to W3 alone, as that table has no Gaia bands: late M and early L dwarfs within 3 %, scatter 5 to 8 %."""
    path = real_data / "gaia" / "ultracool_sanghi23" / "Ultracool_Fundamental_Properties_Table.csv"
    with path.open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) if row[name] not in ("", "Null") else np.nan for row in table])

    names = ["J_2MASS", "H_2MASS", "Ks_2MASS", "W1", "W2", "W3"]
    errors = ["Jerr_2MASS", "Herr_2MASS", "Kserr_2MASS", "W1err", "W2err", "W3err"]
    seds = build(np.stack([column(one) for one in names], 1), np.stack([column(one) for one in errors], 1),
                 "J H Ks W1 W2 W3")  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = luminosity(seds, column("dist_formula"), column("disterr_formula"))
    off = np.log10(found.solar) - column("log_lbol_lsun")
    kind = column("sptnum_formula")
    full = seds.measured[:, :5].all(axis=1) & np.isfinite(off)
    early, late = full & (kind >= 6) & (kind < 13), full & (kind >= 13) & (kind < 30)
    assert early.sum() > 300
    assert abs(np.median(off[early])) < 0.02
    assert np.median(np.abs(off[early] - np.median(off[early]))) < 0.025
    assert abs(np.median(off[late])) < 0.08
