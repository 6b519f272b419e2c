"""Matches against brute force, with poles, the meridian of 0 and motion; identifiers."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.crossmatch import Pairs, Places, match_cone, match_ids

ARCSEC = 1 / 3600


def separations(first: Places, second: Places) -> np.ndarray:
    """Give all separations in arcseconds by the formula of haversines."""
    a, b = (np.radians(np.stack([one.ra, one.dec])) for one in (first, second))
    d_ra, d_dec = (a[i][:, None] - b[i][None] for i in (0, 1))
    half = np.sin(d_dec / 2) ** 2 + np.cos(a[1])[:, None] * np.cos(b[1])[None] * np.sin(d_ra / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(half))) * 3600


def crowd(seed: int, count: int, middle: tuple[float, float], width: float) -> Places:
    """Scatter sources around a place on the sky, which may be a pole."""
    rng = np.random.default_rng(seed)
    dec = middle[1] + rng.uniform(-width, width, count)
    beyond = np.abs(dec) > 90
    dec = np.where(beyond, np.sign(dec) * 180 - dec, dec)
    ra = middle[0] + rng.uniform(-width, width, count) / np.maximum(np.cos(np.radians(dec)), 1e-3) + 180 * beyond
    return Places(ra % 360, dec)


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


@given(
    seeds=st.tuples(st.integers(0, 99), st.integers(100, 199)),
    counts=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    middle=st.sampled_from([(0.0, 0.0), (359.9999, 45.0), (120.0, 90.0), (10.0, -90.0), (200.0, 30.0)]),
    radius=st.floats(0.1, 30.0),
)  # fmt: skip
def test_it_finds_what_brute_force_finds(
    seeds: tuple[int, int], counts: tuple[int, int], middle: tuple[float, float], radius: float
) -> None:
    first, second = (crowd(seed, count, middle, 20 * ARCSEC) for seed, count in zip(seeds, counts, strict=True))
    every = separations(first, second)
    safe = np.abs(every - radius) > 1e-6
    if not safe.all():
        return
    found = match_cone(first, second, radius, keep="all")
    assert as_set(found) == set(zip(*(part.tolist() for part in np.nonzero(every <= radius)), strict=True))
    np.testing.assert_allclose(found.separation, every[found.first, found.second], atol=1e-6)
    nearest = match_cone(first, second, radius, keep="nearest")
    for row, other in as_set(nearest):
        assert every[row, other] == pytest.approx(every[row].min(), abs=1e-6)
    assert set(nearest.first) == {row for row, _ in as_set(found)}
    assert as_set(match_cone(first, second, radius)) == by_hand(every, radius)


def by_hand(every: np.ndarray, radius: float) -> set[tuple[int, int]]:
    """Take the closest pair, strike both out, and so on."""
    left = np.where(every <= radius, every, np.inf)
    kept = set()
    while left.size and np.isfinite(left).any():
        row, other = (int(one) for one in np.unravel_index(left.argmin(), left.shape))
        kept.add((row, other))
        left[row], left[:, other] = np.inf, np.inf
    return kept


@pytest.mark.filterwarnings("ignore::erfa.ErfaWarning")
@given(seed=st.integers(0, 50), dec=st.sampled_from([0.0, 60.0, -89.9999, 89.99999]), years=st.floats(-100, 100))
def test_motion_is_that_of_astropy(seed: int, dec: float, years: float) -> None:
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    rng = np.random.default_rng(seed)
    ra, pmra, pmdec = rng.uniform(0, 360), rng.normal(0, 500), rng.normal(0, 500)
    star = Places(np.array([ra]), np.array([dec]), np.array([pmra]), np.array([pmdec]), 2016.0)
    moved = SkyCoord(
        ra * u.deg, dec * u.deg, pm_ra_cosdec=pmra * u.mas / u.yr, pm_dec=pmdec * u.mas / u.yr, distance=100 * u.pc,
        radial_velocity=0 * u.km / u.s, obstime=Time(2016.0, format="jyear"),
    ).apply_space_motion(Time(2016.0 + years, format="jyear"))  # fmt: skip
    ours = star.vectors(2016.0 + years)[0]
    theirs = moved.represent_as("unitspherical").to_cartesian().xyz.value
    assert np.degrees(np.linalg.norm(ours - theirs)) * 3.6e6 < 0.1  # mas; astropy lets light travel too


def test_a_fast_star_is_found_where_it_is() -> None:
    then = Places(np.array([10.0]), np.array([20.0]), epoch=2000.0)
    now = Places(np.array([10.0]), np.array([20.0 + 16 * 3 * ARCSEC]), np.array([0.0]), np.array([3000.0]), 2016.0)
    assert len(match_cone(now, then, 1.0)) == 0
    found = match_cone(now, then, 1.0, epoch=2000.0)
    assert found.separation[0] == pytest.approx(0, abs=1e-6)
    unknown = Places(now.ra, now.dec, np.array([np.nan]), np.array([np.nan]))
    assert len(match_cone(unknown, then, 60.0, epoch=2000.0)) == 1


def test_each_row_may_have_its_own_epoch() -> None:
    stars = Places(
        np.zeros(2), np.array([0.0, 10 * ARCSEC]), np.zeros(2), np.full(2, 1000.0), np.array([2000.0, 2010.0])
    )
    np.testing.assert_allclose(*stars.vectors(2010.0), atol=1e-15)


def test_positions_that_are_not_known_match_nothing() -> None:
    first = Places(np.array([np.nan, 5.0]), np.array([1.0, 5.0]))
    for keep in ("one_to_one", "nearest", "all"):
        assert as_set(match_cone(first, first, 1.0, keep=keep)) == {(1, 1)}  # type: ignore[arg-type]
    nothing = Places(np.array([np.nan]), np.array([1.0]))
    assert len(match_cone(nothing, first, 1.0)) == 0


def test_what_is_wrong_is_told() -> None:
    one = Places(np.zeros(1), np.zeros(1))
    for radius in (0.0, -1.0, 1e6, np.nan):
        with pytest.raises(BadParameter, match="radius"):
            match_cone(one, one, radius)
    with pytest.raises(BadParameter, match="kept by"):
        match_cone(one, one, 1.0, keep="best")  # type: ignore[arg-type]
    with pytest.raises(BadData, match="beyond the poles"):
        Places(np.zeros(1), np.array([91.0]))
    with pytest.raises(BadParameter, match="shapes"):
        Places(np.zeros(2), np.zeros(1))


@given(st.lists(st.integers(-3, 6), max_size=12), st.lists(st.integers(-3, 6), max_size=8, unique=True))
def test_identifiers_match_as_a_dictionary_does(first: list[int], second: list[int]) -> None:
    known = {one: at for at, one in enumerate(second)}
    expected = {(at, known[one]) for at, one in enumerate(first) if one in known}
    assert as_set(match_ids(np.array(first, int), np.array(second, int))) == expected
    texts = [np.array([f"id {one}" for one in ids], dtype="U8") for ids in (first, second)]
    assert as_set(match_ids(*texts)) == expected


def test_identifiers_that_stand_twice_are_told() -> None:
    with pytest.raises(BadData, match="stand twice, the first is 3"):
        match_ids(np.array([1]), np.array([3, 3, 1]))
    with pytest.raises(BadData, match="numbers in one table"):
        match_ids(np.array([1]), np.array(["1"]))
    largest = [2**63 - 1, 2**63 - 2]
    found = match_ids(np.array(largest), np.array(largest[::-1]))
    assert found.second.tolist() == [1, 0]


def test_one_to_one_holds_in_a_crowd() -> None:
    first, second = crowd(1, 3000, (50.0, 10.0), 120 * ARCSEC), crowd(2, 3000, (50.0, 10.0), 120 * ARCSEC)
    found = match_cone(first, second, 5.0)
    for rows in (found.first, found.second):
        assert len(np.unique(rows)) == len(rows)
    assert all(one <= other for one, other in itertools.pairwise(found.first))
