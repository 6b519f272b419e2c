"""Drift is reported where there is some, not where training blocks differ as much among themselves."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.learn.drift import Profile, drift, profile_of, tally

stats = pytest.importorskip("scipy.stats")
Array = np.ndarray[Any, np.dtype[Any]]
NAMES = ("speed", "density", "flag", "gaps")


def world(seed: int, rows: int = 4000) -> Array:
    rng = np.random.default_rng(seed)
    flag = (rng.random(rows) < 0.3).astype(float)
    gaps = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))
    return np.column_stack([rng.normal(400, 80, rows), rng.lognormal(1, 1, rows), flag, gaps])


@pytest.fixture
def profile() -> Profile:
    return profile_of(world(0), np.arange(4000) // 100, NAMES)


def report(profile: Profile, matrix: Array, state: str = "ok") -> dict[str, Any]:
    return drift(profile, tally(profile, matrix, np.full(len(matrix), state)))


@pytest.mark.parametrize("rows", [40, 400, 4000])
def test_no_drift_is_reported_where_there_is_none(profile: Profile, rows: int) -> None:
    found = [report(profile, world(seed, rows)) for seed in range(1, 9)]
    assert [one["verdict"] for one in found].count("none") >= 7
    assert max(one["features"][-1]["psi"] for one in found) < 0.1


def test_a_feature_that_moved_comes_first(profile: Profile) -> None:
    moved = world(1)
    moved[:, 1] *= 2
    found = report(profile, moved)
    assert (found["verdict"], found["features"][0]["name"], found["features"][0]["verdict"]) == (
        "some",
        "density",
        "strong",
    )
    assert [one["verdict"] for one in found["features"][1:]] == ["none"] * 3
    assert "1 of 4 features moved, most density" in found["text"]


def test_raw_columns_that_moved_are_not_diluted_by_what_cancels_the_move() -> None:
    rng = np.random.default_rng(0)
    bands = rng.normal(size=(3000, 2))
    noise = rng.normal(size=(3000, 38))
    profile = profile_of(np.hstack([bands, noise])[:1500], np.arange(1500) // 50)
    for shift, verdict in ((0.0, "none"), (0.3, "none"), (2.0, "strong")):
        assert report(profile, np.hstack([bands + shift, noise])[1500:])["verdict"] == verdict
        few = np.hstack([bands + shift, noise])[1500:1530]
        assert report(profile, few)["verdict"] == verdict
    wide = profile_of(np.hstack([bands, noise, noise, noise])[:1500], np.arange(1500) // 50)
    one = np.hstack([bands + np.array([2.0, 0.0]), noise, noise, noise])[1500:]
    assert report(wide, one)["verdict"] == "some"


@pytest.mark.parametrize("column", range(4))
def test_missing_values_and_values_out_of_range_are_drift(profile: Profile, column: int) -> None:
    for value in (np.nan, 1e9, -1e9):
        moved = world(1)
        moved[:2000, column] = value
        first = report(profile, moved)["features"][0]
        assert (first["name"], first["verdict"]) == (NAMES[column], "strong")
        if np.isnan(value):
            assert first["missing_applied"] > 0.45
            assert first["missing_applied"] > first["missing_trained"] + 0.35


def test_strange_rows_alone_are_drift_too(profile: Profile) -> None:
    found = report(profile, world(1), "ood")
    assert found["verdict"] == "strong"
    assert found["states"] == {"ok": 0, "shifted": 0, "ood": 1}


def test_what_training_blocks_do_among_themselves_is_no_drift() -> None:
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(40), 100)
    rows = (rng.normal(0, 2, 40)[blocks] + rng.normal(size=4000)).reshape(-1, 1)
    one_more = (1.0 + rng.normal(size=100)).reshape(-1, 1)
    by_block, by_row = profile_of(rows, blocks), profile_of(rows, np.zeros(4000))
    assert report(by_block, one_more)["features"][0]["verdict"] == "none"
    assert report(by_row, one_more)["features"][0]["verdict"] == "strong"
    assert report(by_block, one_more + 20)["features"][0]["verdict"] == "strong"


def test_ks_is_that_of_scipy_at_the_edges(profile: Profile) -> None:
    moved = world(1)
    moved[:, 0] += 60
    found = {one["name"]: one["ks"] for one in report(profile, moved)["features"]}
    exact = stats.ks_2samp(world(0)[:, 0], moved[:, 0]).statistic
    assert exact - 0.05 <= found["speed"] <= exact + 1e-9


@given(st.lists(st.integers(0, 400), min_size=1, max_size=4), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_tallies_of_blocks_add_up(cuts: list[int], seed: int) -> None:
    profile, rows = profile_of(world(0, 400), np.arange(400) // 20), world(seed, 400)
    states = np.random.default_rng(seed).choice(["ok", "shifted", "ood"], 400)
    edges = [0, *sorted(cuts), 400]
    parts = [tally(profile, rows[a:b], states[a:b]) for a, b in pairwise(edges)]
    together = parts[0]
    for part in parts[1:]:
        together = together + part
    assert drift(profile, together) == drift(profile, tally(profile, rows, states))


def test_bad_input_is_refused(profile: Profile) -> None:
    with pytest.raises(BadData, match="no row to look for drift"):
        report(profile, np.empty((0, 4)))
    with pytest.raises(BadData, match="do not fit 4 features"):
        report(profile, np.zeros((3, 2)))
    with pytest.raises(BadData, match="2 states do not fit 3 rows"):
        tally(profile, np.zeros((3, 4)), np.array(["ok", "ok"]))
    assert np.isnan(report(profile_of(np.full((30, 1), np.nan), np.zeros(30)), np.ones((5, 1)))["features"][0]["ks"])
