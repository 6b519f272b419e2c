"""Features of photometry: what they say of known bodies, and that they are made of fixed bands."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadParameter
from armillary.learn.features import build
from armillary.learn.features.photometry import TOLD, photometry
from armillary.learn.models.learner import drop_groups
from armillary.learn.study import Step
from armillary.science.photometry.bands import BANDS
from armillary.science.photometry.extinction import extinction

NAMES = [band.name for band in BANDS]
COLUMNS = [
    "phot_g_mean_mag",
    "phot_bp_mean_mag",
    "phot_rp_mean_mag",
    "j_m",
    "h_m",
    "ks_m",
    *[f"w{n}mpro" for n in range(1, 5)],
]
ERRORS = ["j_msigcom", "h_msigcom", "ks_msigcom", *[f"w{n}mpro_error" for n in range(1, 5)]]


def samples(magnitudes: np.ndarray, **others: Any) -> xr.Dataset:
    found = {name: ("sample", values) for name, values in zip(COLUMNS, magnitudes.T, strict=True)}
    found |= {name: ("sample", np.full(len(magnitudes), 0.03)) for name in ERRORS}
    return xr.Dataset(found | {name: ("sample", np.asarray(values, float)) for name, values in others.items()})


def stars(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 12 + np.cumsum(rng.normal(-0.3, 0.3, (count, 10)), axis=1)


def test_colours_are_differences_and_know_no_distance() -> None:
    near, far = stars(50), stars(50) + 5.0
    tell = ("colours", "chain", "unreddened", "slope", "excess")
    one = photometry(samples(near), tell=["colours"])
    assert one.names[:2] == ("G-BP", "G-RP")
    assert np.allclose(one.matrix[:, 0], near[:, 0] - near[:, 1])
    for kind in tell:
        a, b = (photometry(samples(part), tell=[kind]) for part in (near, far))
        assert np.allclose(a.matrix, b.matrix, equal_nan=True), kind


def test_unreddened_colours_do_not_change_with_dust() -> None:
    bare = stars(20)
    dusty = bare + 3.0 * extinction(" ".join(NAMES))
    one, other = (photometry(samples(part), tell=["unreddened"]) for part in (bare, dusty))
    assert np.allclose(one.matrix, other.matrix, atol=1e-9)
    plain, red = (photometry(samples(part), tell=["colours"]).matrix for part in (bare, dusty))
    assert not np.allclose(plain, red)


def test_a_disc_has_slope_and_excess_that_a_photosphere_lacks() -> None:
    from armillary.science.photometry.photospheres import black_bodies

    body = black_bodies(np.array([4000.0])).flux[0]
    zero = np.array([band.zero_point * 299792458.0 / band.pivot**2 for band in BANDS])
    star = -2.5 * np.log10(body / zero)
    disc = star.copy()
    disc[8:] -= [3.0, 5.0]
    made = photometry(samples(np.stack([star, disc])), tell=["slope", "excess"])
    told = dict(zip(made.names, made.matrix.T, strict=True))
    assert told["alpha_Ks_W4"][0] < -2.2
    assert told["alpha_Ks_W4"][1] > -1.6
    assert abs(told["excess_W4"][0]) < 0.2
    assert told["excess_W4"][1] == pytest.approx(5.0, abs=0.2)
    assert told["excess_W4_sigma"][1] > np.arcsinh(20)


def test_a_column_is_missing_with_each_of_its_bands_as_dropout_makes_it() -> None:
    whole = samples(stars(200), parallax=np.full(200, 5.0), parallax_error=np.full(200, 0.1))
    tell = ["colours", "unreddened", "slope", "excess"]
    steps = [Step(use="photometry", options={"tell": tell})]
    made = build(whole, steps)
    lacking = build(whole.assign(w4mpro=whole.w4mpro * np.nan), steps)
    dropped = drop_groups(made.matrix, made.groups, 0.999, np.random.default_rng(0), ["W4"])
    gone = np.asarray(np.isnan(lacking.matrix).all(axis=0))
    assert gone.any()
    assert all(("W4" in group) == lost for group, lost in zip(made.groups, gone.tolist(), strict=True))
    assert np.array_equal(np.isnan(dropped).all(axis=0), gone)
    assert set(made.kinds) == {"colour", "unreddened", "slope", "excess", "photosphere"}
    assert made.only(["slope"]).kinds == ("slope",) * len(made.only(["slope"]).names)


def test_an_infrared_magnitude_without_error_is_a_limit() -> None:
    table = samples(stars(4))
    errors = table.w4mpro_error.values.copy()
    errors[1] = np.nan
    table = table.assign(w4mpro_error=("sample", errors))
    for limits, missing in (("missing", True), ("value", False)):
        made = photometry(table, bands=["W3", "W4", "J"], tell=["colours"], limits=limits)
        assert bool(np.isnan(made.matrix[1, made.names.index("W3-W4")])) == missing
    assert np.isfinite(photometry(table, tell=["colours"]).matrix[0]).all()


def test_luminosity_needs_a_good_parallax_but_says_something_without() -> None:
    table = samples(np.full((2, 10), 12.0), parallax=[10.0, -0.1], parallax_error=[0.1, 0.1])
    made = photometry(table, tell=["luminosity"])
    told = dict(zip(made.names, made.matrix.T, strict=True))
    assert told["M_G"][0] == pytest.approx(7.0)
    assert np.isnan(told["M_G"][1])
    assert told["abl_G"][1] == pytest.approx(-0.1 * 10**0.4)
    assert np.isnan(told["log_l"][1])


def test_all_that_can_be_told_and_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = dict.fromkeys(("parallax", "pmra", "pmdec", "ruwe", "phot_bp_rp_excess_factor"), np.ones(90))
    table = samples(stars(90), parallax_error=np.full(90, 0.1), **ones)
    tell = [one for one in TOLD if one != "chain"]
    whole = photometry(table, tell=tell)
    monkeypatch.setattr("armillary.learn.features.photometry._ROWS", 7)
    assert np.allclose(photometry(table, tell=tell).matrix, whole.matrix, equal_nan=True)
    assert len(set(whole.names)) == len(whole.names)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"tell": ["magic"]}, "magic"),
        ({"limits": "maybe"}, "limits"),
        ({"bands": ["J"]}, "two"),
        ({"bands": ["J", "u"]}, "'u'"),
    ],
)
def test_what_is_not_known_is_refused_by_name(options: dict[str, object], word: str) -> None:
    with pytest.raises(BadParameter, match=word):
        photometry(samples(stars(3)), **options)  # type: ignore[arg-type]
