"""Splits keep what belongs together on one side: properties over any samples, and errors that say what to do."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn.samples import rows_to_judge
from armillary.learn.splits import Fold, blocks_of, folds_of, instants_of, share_out
from armillary.learn.study import Split

DAY = 86400.0
SPLITS = (
    Split(time_on="time", block=3 * DAY, folds=3),
    Split(time_on="time", block=2 * DAY, embargo=DAY, folds=3),
    Split(time_on="time", block=2 * DAY, stratify_on="label", folds=2),
    Split(space_on=("x", "y"), size=20, folds=4),
    Split(sky_on=("ra", "dec"), level=1, folds=3),
    Split(sky_on=("source_id",), level=1, folds=3),
    Split(group_on="group", folds=3),
    Split(group_on="group", stratify_on="label", folds=3),
    Split(random=True, folds=5),
    Split(random=True, stratify_on="label", folds=5),
    Split(random=True, group_on="group", folds=3),
)


def samples_of(number: int, seed: int, fit: float = 0.0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.integers(0, 24 * 60, number))
    role = np.where(rng.random(number) < fit, "fit", "score")
    return xr.Dataset(
        {
            "label": ("sample", rng.choice(["a", "b", "c"], number, p=[0.6, 0.3, 0.1])),
            "time": ("sample", np.datetime64("2001-01-01", "ns") + hours * np.timedelta64(3_600_000_000_000, "ns")),
            "x": ("sample", rng.uniform(-50, 50, number)),
            "y": ("sample", rng.uniform(-50, 50, number)),
            "ra": ("sample", rng.uniform(0, 360, number)),
            "dec": ("sample", np.degrees(np.arcsin(rng.uniform(-1, 1, number)))),
            "source_id": ("sample", rng.integers(0, 12 * 4**12, number) << 35),
            "group": ("sample", rng.choice([f"g{one}" for one in range(12)], number)),
            "role": ("sample", role),
        }
    )


def codes_in(samples: xr.Dataset) -> Any:
    return np.searchsorted(["a", "b", "c"], samples["label"].values)


def times_of(samples: xr.Dataset, rows: Any) -> Any:
    return samples["time"].values[rows].astype(np.int64)


@settings(max_examples=60)
@given(st.sampled_from(SPLITS), st.integers(150, 300), st.integers(0, 1000), st.sampled_from([0.0, 0.2]))
def test_each_judged_sample_is_held_out_once_with_its_whole_block(
    split: Split, number: int, seed: int, fit: float
) -> None:
    samples = samples_of(number, seed, fit)
    judged, blocks = rows_to_judge(samples), blocks_of(samples, split)
    folds = folds_of(samples, split, codes_in(samples))
    asked = np.concatenate([fold.test for fold in folds])
    assert sorted(asked) == list(np.flatnonzero(judged))
    assert len(folds) == split.folds
    for fold in folds:
        assert len(fold.train)
        assert len(fold.test)
        assert not set(blocks[fold.train[judged[fold.train]]]) & set(blocks[fold.test])
        if split.time_on or split.space_on or split.sky_on:
            assert not set(blocks[fold.train]) & set(blocks[fold.test])
        else:
            assert set(np.flatnonzero(~judged)) <= set(fold.train)


@settings(max_examples=30)
@given(st.integers(100, 300), st.integers(0, 1000), st.floats(0, 5 * DAY))
def test_embargo_is_kept_and_takes_no_more(number: int, seed: int, embargo: float) -> None:
    samples = samples_of(number, seed)
    free = Split(time_on="time", block=10 * DAY, folds=3)
    held = Split(time_on="time", block=10 * DAY, embargo=embargo, folds=3)
    for wide, narrow in zip(folds_of(samples, free), folds_of(samples, held), strict=True):
        gaps = np.abs(times_of(samples, wide.train)[:, None] - times_of(samples, wide.test)).min(axis=1) / 1e9
        assert np.array_equal(narrow.test, wide.test)
        assert np.array_equal(narrow.train, wide.train[gaps >= round(embargo, 9)])


@settings(max_examples=20)
@given(st.sampled_from(SPLITS), st.integers(0, 100))
def test_folds_are_the_same_each_time(split: Split, seed: int) -> None:
    samples = samples_of(200, seed)
    for one, other in zip(folds_of(samples, split), folds_of(samples, split), strict=True):
        assert np.array_equal(one.train, other.train)
        assert np.array_equal(one.test, other.test)


@settings(max_examples=20)
@given(st.sampled_from(SPLITS[:7]), st.integers(0, 100))
def test_order_of_the_rows_changes_nothing(split: Split, seed: int) -> None:
    samples = samples_of(200, seed)
    order = np.random.default_rng(seed).permutation(200)
    for one, other in zip(folds_of(samples, split), folds_of(samples.isel(sample=order), split), strict=True):
        assert set(one.test) == set(order[other.test])
        assert set(one.train) == set(order[other.train])


def test_another_seed_shares_out_in_another_way() -> None:
    samples, split = samples_of(300, 0), SPLITS[3]
    assert any(
        not np.array_equal(one.test, other.test)
        for one, other in zip(folds_of(samples, split), folds_of(samples, split, seed=1), strict=True)
    )


@given(st.lists(st.integers(0, 30), min_size=12, max_size=60), st.integers(2, 5))
def test_folds_are_about_equal(counts: list[int], folds: int) -> None:
    fold = share_out(np.array(counts), folds)
    sizes = np.bincount(fold, weights=counts, minlength=folds)
    assert sizes.max() - sizes.min() <= max(counts)


def test_stratified_blocks_hold_every_class() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 10)
    label = np.where(group < 5, "rare", rng.choice(["a", "b"], 400))
    samples = xr.Dataset({"label": ("sample", label), "group": ("sample", group)})
    for fold in folds_of(samples, Split(group_on="group", stratify_on="label", folds=5)):
        assert (label[fold.test] == "rare").sum() == 10


def test_stratify_on_numbers_cuts_them_into_parts() -> None:
    samples = xr.Dataset({"label": ("sample", np.arange(100.0)), "z": ("sample", np.arange(100.0))})
    for fold in folds_of(samples, Split(random=True, stratify_on="z", folds=5)):
        assert np.histogram(fold.test, [0, 20, 40, 60, 80, 100])[0].tolist() == [4, 4, 4, 4, 4]


def test_more_samples_do_not_move_blocks() -> None:
    samples = samples_of(300, 1)
    split = Split(space_on=("x", "y"), size=25)
    some = np.flatnonzero(samples["x"].values > -20)
    apart, whole = blocks_of(samples.isel(sample=some), split), blocks_of(samples, split)[some]
    assert len({*zip(apart, whole, strict=True)}) == len(set(apart)) == len(set(whole))


def test_groups_tie_blocks_together() -> None:
    samples = xr.Dataset(
        {"time": ("sample", np.arange(8.0)), "event": ("sample", ["a", "a", "a", "b", "c", "c", "d", "d"])}
    )
    # blocks of two seconds: 01 23 45 67; "a" ties 01 to 23
    assert blocks_of(samples, Split(time_on="time", block=2, group_on="event")).tolist() == [0] * 4 + [1, 1, 2, 2]


def test_squares_do_not_mix_up_their_two_numbers() -> None:
    x, y = np.array([*product(np.arange(-3, 4), np.arange(-5, 2))], float).T
    samples = xr.Dataset({"x": ("sample", x), "y": ("sample", y)})
    assert len(set(blocks_of(samples, Split(space_on=("x", "y"), size=1)))) == 49


def test_rows_to_learn_from_stay_with_their_group_but_not_in_held_out_time() -> None:
    samples = xr.Dataset(
        {
            "group": ("sample", np.repeat(["a", "b", "c"], 4)),
            "time": ("sample", np.tile([0.0, 1.0, 10.0, 11.0], 3)),
            "role": ("sample", np.tile(["fit", "fit", "score", "score"], 3)),
        }
    )
    fit = {0, 1, 4, 5, 8, 9}
    for fold in folds_of(samples, Split(group_on="group", folds=3)):
        assert fit <= set(fold.train)
        assert len(fold.train) == 10
    samples["time"][0] = 10.5
    folds = folds_of(samples.assign(label=("sample", ["x"] * 12)), Split(time_on="time", block=1, folds=2))
    assert [0 in fold.train for fold in folds].count(False) == 1


def test_unknown_rows_are_asked_but_not_counted() -> None:
    samples = xr.Dataset({"time": ("sample", np.arange(100.0))})
    codes = np.where(np.arange(100) < 60, -1, np.arange(100) % 2)
    folds = folds_of(samples, Split(time_on="time", block=10, folds=4), codes)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(100))
    assert [int((codes[fold.test] >= 0).sum()) for fold in folds] == [10] * 4


def test_gaia_identifiers_and_positions_give_the_same_cells() -> None:
    from astropy import units
    from astropy_healpix import HEALPix

    cells = np.arange(0, 12 * 4**4, 7)
    at = HEALPix(16, order="nested").healpix_to_lonlat(cells)
    position = {"ra": ("sample", at[0].to_value(units.deg)), "dec": ("sample", at[1].to_value(units.deg))}
    samples = xr.Dataset({**position, "source_id": ("sample", (cells << (35 + 16)) + 12345)})
    sky, bits = (Split(sky_on=on, level=3) for on in (("ra", "dec"), ("source_id",)))
    assert np.array_equal(blocks_of(samples, sky), blocks_of(samples, bits))


@pytest.mark.parametrize(
    "values",
    [
        np.array(["2001-01-01", "2001-01-02T00:00:00.5"], "datetime64[ms]"),
        np.array([978307200.0, 978393600.5]),
        np.array(["2001-01-01", "2001-01-02T00:00:00.5"], object),
        np.array(["2001-01-01T00:00Z", "2001-01-02T02:00:00.5+02:00"], object),
        np.array([datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, 0, 0, 0, 500000, tzinfo=UTC)]),
    ],
    ids=["datetime64", "seconds", "texts", "zoned texts", "datetime"],
)
def test_times_of_any_kind_are_instants(values: Any) -> None:
    assert instants_of(values).tolist() == [978307200_000000000, 978393600_500000000]


def one_column(name: str, values: Any) -> xr.Dataset:
    return xr.Dataset({name: ("sample", np.asarray(values)), "y": ("sample", np.arange(float(len(values))))})


NAIVE = datetime(2001, 1, 1)  # noqa: DTZ001 - a clash of zones is what is tested
CLASH = np.array([NAIVE, NAIVE.replace(tzinfo=UTC) + timedelta(1)], object)


@pytest.mark.parametrize(
    ("samples", "split", "told"),
    [
        (one_column("t", [1.0]), Split(time_on="time", block=1), "'time'"),
        (one_column("t", [1.0, np.nan]), Split(time_on="t", block=1), "sample 1 has no time (1 of 2"),
        (one_column("t", np.array(["2001", "NaT"], "M8[ns]")), Split(time_on="t", block=1), "sample 1 has no time"),
        (one_column("t", [1, 10**18]), Split(time_on="t", block=1), "too large for seconds"),
        (one_column("t", CLASH), Split(time_on="t", block=1), "time zone"),
        (one_column("t", np.array(["2001Z", "2001-01-02"], object)), Split(time_on="t", block=1), "time zone"),
        (one_column("t", np.array(["noon"], object)), Split(time_on="t", block=1), "sample 0: 'noon' is not a time"),
        (one_column("x", [1.0, np.inf]), Split(space_on=("x", "y"), size=1), "sample 1 has no place"),
        (one_column("x", ["a"]), Split(space_on=("x", "y"), size=1), "no numbers"),
        (one_column("x", [1.0, np.nan]), Split(sky_on=("y", "x")), "sample 1 has no place"),
        (one_column("x", [1.0, 91.0]), Split(sky_on=("y", "x")), "sample 1 lies outside"),
        (one_column("s", [1.0]), Split(sky_on=("s",)), "floating point"),
        (one_column("s", [-1]), Split(sky_on=("s",)), "negative"),
        (one_column("s", ["no"]), Split(sky_on=("s",)), "integer"),
        (one_column("s", [1]), Split(sky_on=("s",), level=13), "level 13"),
        (one_column("s", [1]), Split(sky_on=("s", "y"), level=30), "level 30"),
        (one_column("s", [1]), Split(sky_on=("s", "y", "s")), "one source_id"),
        (one_column("g", ["a", ""]), Split(group_on="g"), "sample 1 belongs to no group"),
        (one_column("g", [1.0, np.nan]), Split(group_on="g"), "sample 1 belongs to no group"),
    ],
)
def test_what_has_no_block_is_named(samples: xr.Dataset, split: Split, told: str) -> None:
    with pytest.raises((BadData, BadParameter)) as failed:
        blocks_of(samples, split)
    assert told in failed.value.problem
    assert failed.value.next_step


@pytest.mark.parametrize(
    ("split", "codes", "told"),
    [
        (Split(time_on="t", block=50, folds=3), None, "2 block(s), too few for 3"),
        (Split(time_on="t", block=1000), None, "1 block(s), too few for 5"),
        (Split(time_on="t", block=10, group_on="g"), None, "1 block(s)"),
        (Split(time_on="t", block=10, embargo=500), None, "nothing is left to learn from in fold 1"),
        (Split(time_on="t", block=10), np.arange(100) // 95, "only one class is left"),
        (Split(time_on="t", block=10), np.full(100, -1), "not a single sample"),
        (Split(group_on="t", embargo=5), None, "embargo needs time_on"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(split: Split, codes: Any, told: str) -> None:
    samples = xr.Dataset({"t": ("sample", np.arange(100.0)), "g": ("sample", ["one"] * 100)})
    with pytest.raises((BadData, BadParameter)) as failed:
        folds_of(samples, split, codes)
    assert told in str(failed.value)


def test_hundred_thousand_single_samples_are_shared_out() -> None:
    samples = xr.Dataset({"x": ("sample", np.arange(100_000.0))})
    folds = folds_of(samples, Split(random=True))
    assert isinstance(folds[0], Fold)
    assert {len(fold.test) for fold in folds} == {20_000}
