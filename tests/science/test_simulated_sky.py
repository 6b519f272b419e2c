"""The simulated sky agrees with itself: rows, classes, noise, gaps, flags."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.science.healpix import cell_of_sky, cell_of_source
from armillary.science.photometry.light import extinction
from armillary.science.simulated_sky import CLASSES, SHARES, Block, blocks, simulated_sky, simulated_truth
from armillary.science.simulated_sky.bodies import GAIA_ZERO_POINTS, WAVELENGTHS, ZERO_POINTS, excess_factor, g_of
from armillary.science.simulated_sky.measuring import PARALLAX_OFFSET
from armillary.testing.gaia_layout import archive_tables

ROWS = 40_000
Sky = dict[str, np.ndarray]


def arrays(table: pa.Table) -> Sky:
    return {name: table[name].to_numpy() for name in table.column_names}


@pytest.fixture(scope="module")
def sky() -> Sky:
    return arrays(simulated_sky(3, 0, ROWS)) | arrays(simulated_truth(3, 0, ROWS))


@pytest.fixture(scope="module")
def young() -> Block:
    return next(blocks(3, 0, 4000, {"young stellar object": 1}))


@settings(max_examples=15)
@given(st.integers(0, 40_000), st.integers(0, 300))
def test_rows_are_the_same_in_any_range(start: int, count: int) -> None:
    whole = simulated_sky(3, 0, start + count) if start < 100 else simulated_sky(3, start - 100, start + count)
    assert simulated_sky(3, start, start + count).equals(whole.slice(min(start, 100)))


def test_another_seed_is_another_sky() -> None:
    assert not simulated_sky(3, 0, 10).equals(simulated_sky(4, 0, 10))


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, 2**28 + 1)])
def test_rows_that_do_not_exist_are_refused(start: int, stop: int) -> None:
    with pytest.raises(BadParameter, match="there are no rows"):
        simulated_sky(3, start, stop)


@pytest.mark.parametrize("shares", [{}, {"comet": 1.0}, {"giant": -1.0}, {"giant": float("nan")}])
def test_mixes_of_no_classes_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(BadParameter, match="no mix"):
        simulated_sky(3, 0, 10, shares)


def test_classes_come_in_their_shares(sky: Sky) -> None:
    for name, share in SHARES.items():
        assert np.mean(sky["class"] == name) == pytest.approx(share, abs=4 * np.sqrt(share / ROWS))
    even = simulated_truth(3, 0, 8000, dict.fromkeys(CLASSES, 1))["class"].to_numpy()
    assert set(even) == set(CLASSES)
    assert max(np.mean(even == name) for name in CLASSES) < 0.15


def test_identifiers_are_unique_and_hold_the_place(sky: Sky) -> None:
    assert len(set(sky["source_id"].tolist())) == ROWS
    assert (cell_of_source(sky["source_id"], 6) == cell_of_sky(sky["ra"], sky["dec"], 6)).all()
    assert sorted(sky["random_index"].tolist()) == list(range(ROWS))


def test_magnitudes_are_their_fluxes(sky: Sky) -> None:
    for band, zero in GAIA_ZERO_POINTS.items():
        flux, seen = sky[f"phot_{band}_mean_flux"], sky[f"phot_{band}_mean_mag"]
        has = ~np.isnan(seen)
        assert has.mean() > 0.9
        np.testing.assert_allclose(zero - 2.5 * np.log10(flux[has]), seen[has], atol=2e-5)
        np.testing.assert_allclose(
            sky[f"phot_{band}_mean_flux_over_error"][has],
            flux[has] / sky[f"phot_{band}_mean_flux_error"][has],
            rtol=1e-5,
        )


def test_stars_have_the_excess_of_their_colour(sky: Sky) -> None:
    star = (sky["class"] == "main sequence") & (sky["phot_g_mean_mag"] < 17)
    more = sky["phot_bp_rp_excess_factor"] - excess_factor(sky["bp_rp"])
    assert abs(np.nanmedian(more[star])) < 0.002
    assert np.nanmedian(more[sky["class"] == "galaxy"]) > 0.1


@pytest.mark.parametrize("band", ["g", "bp", "rp", "j", "h", "ks", "w1", "w2", "w3", "w4"])
def test_errors_are_as_large_as_they_say(band: str) -> None:
    block = next(blocks(5, 0, 8192))
    place = ["g", "bp", "rp", "j", "h", "ks", "w1", "w2", "w3", "w4"].index(band)
    names = {"g": "phot_g_mean_mag", "bp": "phot_bp_mean_mag", "rp": "phot_rp_mean_mag"}
    seen = block.measured[names.get(band, f"{band}mpro" if band[0] == "w" else f"{band}_m")]
    if band in {"g", "bp", "rp"}:
        error = 2.5 / np.log(10) / block.measured[f"phot_{band}_mean_flux_over_error"]
    else:
        error = block.measured[f"{band}mpro_error" if band[0] == "w" else f"{band}_msigcom"]
    own = np.ones(len(seen), bool)
    if band[0] == "w":
        own = ~block.measured["blended"] & ~block.measured["clouded"]
    # Where a tenth of a magnitude is one sigma, only the brighter half is found.
    sure = own & (error < 0.08)
    pull = (seen - block.places.magnitudes[place])[sure] / error[sure]
    assert sure.sum() > 60
    assert np.std(pull) == pytest.approx(1.0, abs=max(0.05, 3 / np.sqrt(2 * sure.sum())))


def test_parallaxes_are_those_of_the_distances(sky: Sky) -> None:
    has = ~np.isnan(sky["parallax"]) & (sky["ruwe"] < 1.2)
    true = 1000 / np.nan_to_num(sky["distance"], nan=np.inf) + PARALLAX_OFFSET
    pull = (sky["parallax"] - true)[has] / sky["parallax_error"][has]
    assert (abs(pull.mean()), pull.std()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.03))
    far = np.isin(sky["class"], ["quasar", "galaxy"])
    assert np.isnan(sky["distance"][far]).all()


def test_quality_letters_and_limits_agree(sky: Sky) -> None:
    for letters, bands in (("tmass_ph_qual", ("j_m", "h_m", "ks_m")), ("allwise_ph_qual", ("w1", "w2", "w3", "w4"))):
        has = np.array([text is not None for text in sky[letters]])
        assert 0.3 < has.mean() < 0.8
        text = sky[letters][has].astype(str)
        for place, band in enumerate(bands):
            value = sky[band if band.endswith("_m") else f"{band}mpro"]
            error = sky[band.replace("_m", "_msigcom") if band.endswith("_m") else f"{band}mpro_error"]
            limit = np.array([one[place] == "U" for one in text])
            assert (np.isnan(error[has]) == limit).all()
            assert not np.isnan(value[has]).any()
            assert np.isnan(value[~has]).all()
            best = np.array([one[place] == "A" for one in text])
            assert (error[has][best] < 0.1086).all()


def test_the_slope_of_young_stars_makes_their_class(young: Block) -> None:
    brightness = np.log10(ZERO_POINTS / WAVELENGTHS)[:, None] - 0.4 * young.places.magnitudes[1:]
    alpha = (brightness[8] - brightness[4]) / np.log10(WAVELENGTHS[8] / WAVELENGTHS[4])
    np.testing.assert_allclose(alpha, young.bodies.alpha, atol=1e-9)
    lada = np.where(alpha >= 0.3, "I", np.where(alpha >= -0.3, "flat", "II"))
    assert (lada == young.bodies.subclass).all()
    assert alpha.min() > -1.6


def test_the_cluster_of_rho_ophiuchi_stands_out(sky: Sky) -> None:
    near = sky["region"] == "rho Ophiuchi"
    good = near & (sky["parallax_over_error"] > 10)
    assert near.sum() > 50
    assert np.median(sky["parallax"][good]) == pytest.approx(1000 / 139 + PARALLAX_OFFSET, abs=0.1)
    assert np.median(sky["pmdec"][good]) == pytest.approx(-26.0, abs=0.5)


def test_dust_dims_and_reddens(young: Block) -> None:
    bare = young.bodies.magnitudes
    seen = bare + young.places.a_v * extinction(WAVELENGTHS)[:, None]
    np.testing.assert_allclose(np.diff(seen, axis=0), np.diff(young.places.magnitudes[1:], axis=0), atol=1e-9)
    assert (g_of(seen) > g_of(bare)).all()


def test_tables_of_the_archive_fit_together() -> None:
    tables = {name: one.rows for name, one in archive_tables(3, 3000).items()}
    sky = simulated_sky(3, 0, 3000)
    has = pa.compute.sum(pa.compute.is_valid(sky["w1mpro"])).as_py()
    assert tables["gaiadr1.allwise_original_valid"].num_rows == has
    names = tables["gaiadr1.tmass_original_valid"]["designation"].to_pylist()
    assert names == tables["gaiadr3.tmass_psc_xsc_join"]["original_psc_source_id"].to_pylist()
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {16}
    assert {len(name) for name in tables["gaiadr1.allwise_original_valid"]["designation"].to_pylist()} == {19}
    allwise = tables["gaiadr1.allwise_original_valid"]
    by_number = allwise.sort_by("allwise_oid")["dec"].to_numpy()
    assert (np.diff(by_number) >= -1e-6).all()
