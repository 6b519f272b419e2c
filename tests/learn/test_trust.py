"""Strange rows are recognised, and rows like the training rows are let alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, CannotWrite, DamagedFile
from armillary.learn.trust import Reference, fit_reference, load_reference, save_reference

Array = np.ndarray[Any, np.dtype[Any]]


def world(seed: int, rows: int = 2000, features: int = 6) -> Array:
    """Rows on a curved sheet, with gaps, a constant column and one of heavy tails."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 2))
    mixed = hidden @ np.random.default_rng(99).normal(size=(2, features)) + 0.3 * rng.normal(size=(rows, features))
    mixed[:, 0] = hidden[:, 0] ** 2 + 0.1 * rng.normal(size=rows)
    mixed[:, 1] = np.exp(2 * hidden[:, 1]) * 1e5
    mixed[:, 2] = 5.0
    mixed[:, 3] = np.where(rng.random(rows) < 0.2, np.nan, mixed[:, 3])
    return mixed


def shares(reference: Reference, matrix: Array) -> tuple[float, float]:
    states = reference.trust(matrix)
    return float((states != "ok").mean()), float((states == "ood").mean())


@pytest.mark.parametrize("features", [6, 60])
def test_rows_like_those_learnt_from_are_mostly_ok(features: int) -> None:
    found = []
    for seed in range(2):
        reference = fit_reference(world(seed, features=features), np.arange(2000) // 50)
        found.append(shares(reference, world(100 + seed, features=features)))
    strange, ood = np.mean(found, axis=0)
    assert 0.01 < strange < 0.09
    assert ood < 0.03


@pytest.mark.parametrize("features", [6, 60])
def test_rows_from_elsewhere_are_not(features: int) -> None:
    reference = fit_reference(world(0, features=features), np.arange(2000) // 50)
    fresh = world(1, 500, features)
    off_the_sheet = fresh.copy()
    off_the_sheet[:, 4:] = fresh[::-1, 4:] + 4 * np.nanstd(fresh[:, 4:], axis=0)
    assert shares(reference, off_the_sheet)[0] > 0.9
    other_constant = fresh.copy()
    other_constant[:, 2] = 9.0
    assert features > 6 or shares(reference, other_constant)[0] > 0.9
    far = np.where(np.isnan(fresh), np.nan, fresh + 1e9)
    assert shares(reference, far) == (1, 1)


def test_a_value_that_was_never_missing_is_missed_and_one_that_often_was_is_not() -> None:
    reference = fit_reference(world(0), np.arange(2000) // 50)
    fresh = world(1, 1000)
    often, never, nothing = fresh.copy(), fresh.copy(), np.full((3, 6), np.nan)
    often[:, 3] = np.nan
    never[:, 4] = np.inf
    assert shares(reference, often)[0] < 0.15
    assert shares(reference, never)[0] > 0.9
    assert reference.trust(nothing).tolist() == [""] * 3
    assert np.isinf(reference.distance(nothing)).all()


def test_neighbours_of_the_same_block_do_not_count() -> None:
    """Each block is a tight cloud: a fresh block lies no farther from the others than they from each other."""
    rng = np.random.default_rng(0)
    centres, blocks = rng.normal(size=(60, 3)), np.repeat(np.arange(50), 40)
    rows = centres[blocks] + 0.01 * rng.normal(size=(2000, 3))
    fresh = centres[np.repeat(np.arange(50, 60), 40)] + 0.01 * rng.normal(size=(400, 3))
    by_block, by_row = fit_reference(rows, blocks), fit_reference(rows, np.arange(2000))
    assert shares(by_block, fresh)[0] < 0.35
    assert shares(by_row, fresh)[1] > 0.9


def test_p_values_of_fresh_rows_are_even() -> None:
    reference = fit_reference(world(0), np.arange(2000) // 50)
    tail = np.sort(reference.tail(world(7)))
    assert tail.min() > 0
    assert np.abs(tail - np.linspace(0, 1, len(tail))).max() < 0.08


def test_one_block_only_is_told() -> None:
    reference = fit_reference(world(0, 500), np.zeros(500))
    assert "one block only" in str(reference.note)
    assert shares(reference, world(1))[0] < 0.1
    assert str(fit_reference(world(0, 500), np.arange(500)).note) == ""


def test_a_reference_travels_as_a_file(tmp_path: Path) -> None:
    reference = fit_reference(world(0, 400, 40), np.arange(400), [f"b{at}" for at in range(40)])
    save_reference(reference, tmp_path / "trust.npz")
    again = load_reference(tmp_path / "trust.npz")
    fresh = world(1, 50, 40)
    assert (again.distance(fresh) == reference.distance(fresh)).all()
    assert again.profile.names.tolist() == reference.profile.names.tolist()
    assert [one.name for one in tmp_path.iterdir()] == ["trust.npz"]


def test_files_that_are_no_reference_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trust.npz"
    save_reference(fit_reference(world(0, 400), np.arange(400)), path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DamagedFile, match="is no reference"):
        load_reference(path)
    np.savez(path, centre=np.array([{}], dtype=object))
    with pytest.raises(DamagedFile, match="is no reference"):
        load_reference(path)
    with pytest.raises(CannotWrite, match="cannot write"):
        save_reference(fit_reference(world(0, 400), np.arange(400)), tmp_path / "no" / "trust.npz")


def test_a_feature_without_any_value_and_a_huge_one_do_no_harm() -> None:
    rows = world(0, 300)
    rows[:, 5], rows[0, 0] = np.nan, 1e300
    reference = fit_reference(rows, np.arange(300) // 10)
    fresh = rows.copy()
    fresh[:, 5] = 1e30
    assert np.isfinite(reference.distance(rows)).all()
    assert (reference.distance(fresh) > reference.distance(rows)).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(BadData, match="9 rows of 6 features say too little"):
        fit_reference(world(0, 9), np.arange(9))
    with pytest.raises(BadData, match="say too little"):
        fit_reference(np.full((20, 2), np.nan), np.arange(20))
    with pytest.raises(BadData, match="do not fit 6 features"):
        fit_reference(world(0, 100), np.arange(100)).trust(np.zeros((3, 5)))


def magnitudes(seed: int, rows: int = 3000) -> tuple[Array, list[str]]:
    """Eight magnitudes along one line of brightness, gaps, and the colours of them, after the features of a study."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, rows)
    bright = rng.normal(12, 1.2, rows) + kind
    slope = np.array([[0.0], [0.4], [0.8], [1.2]])[kind] * np.arange(8)
    mags = bright[:, None] - slope + 0.15 * rng.normal(size=(rows, 8))
    mags[rng.random(mags.shape) < 0.1] = np.nan
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    return mags, [*(f"m{at}" for at in range(8)), *(f"m{a}-m{b}" for a, b in pairs)]


def with_colours(mags: Array) -> Array:
    return np.column_stack([mags, *(mags[:, a] - mags[:, b] for a in range(8) for b in range(a + 1, 8))])


def test_inputs_that_all_moved_are_seen_though_their_differences_stay() -> None:
    mags, names = magnitudes(0)
    reference = fit_reference(with_colours(mags), np.arange(3000) // 60, names, inputs=names[:8])
    bare = fit_reference(with_colours(mags), np.arange(3000) // 60, names)
    fresh = magnitudes(1)[0]
    assert shares(reference, with_colours(fresh))[0] < 0.1
    assert shares(reference, with_colours(fresh + 4))[0] > 0.75
    assert shares(reference, with_colours(fresh + 4))[0] > shares(bare, with_colours(fresh + 4))[0]


def test_a_row_is_judged_alike_whatever_stands_beside_it() -> None:
    reference = fit_reference(world(0, features=40), np.arange(2000) // 50)
    fresh = world(3, 1000, 40)
    whole = reference.tail(fresh)
    for rows in (slice(0, 1), slice(313, 700), slice(990, 1000)):
        assert (reference.tail(fresh[rows]) == whole[rows]).all()
