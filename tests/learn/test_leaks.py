"""The leak advisor warns unasked where neighbours or copies tell the answer, and is silent where nothing is."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.learn.features import Features
from armillary.learn.leaks import Finding, advise
from armillary.learn.places import cells_of, places_of, thinned
from armillary.learn.splits import blocks_of, folds_of
from armillary.learn.study import Split

HOUR = np.timedelta64(3_600_000_000_000, "ns")
DAY = 86400.0
BEGIN = np.datetime64("2001-01-01", "ns")


def features_of(matrix: Any) -> Features:
    names = tuple(f"f{number}" for number in range(matrix.shape[1]))
    return Features(np.asarray(matrix, float), names, names)


def found(samples: xr.Dataset, matrix: Any, target: Any, split: Split, task: str = "classes", seed: int = 0) -> Any:
    codes = None if task == "regression" else target
    folds, blocks = folds_of(samples, split, codes), blocks_of(samples, split)
    return advise(samples, features_of(matrix), target, folds, blocks, task, seed)


def patchwork(number: int, seed: int = 0) -> tuple[xr.Dataset, Any, Any]:
    """Fields of one class each, 60 units wide; what is measured knows the class only weakly."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 1200, (2, number))
    field = (x // 60).astype(int) * 20 + (y // 60).astype(int)
    target = rng.integers(0, 5, 400)[field]
    shades = rng.normal(size=(400, 3))[field] + rng.normal(0, 0.05, (number, 3))
    matrix = np.column_stack([shades, target + rng.normal(0, 3, number)])
    return xr.Dataset({"x": ("sample", x), "y": ("sample", y)}), matrix, target


def series(number: int, seed: int = 0) -> tuple[xr.Dataset, Any, Any]:
    """Hours with an event of 20 h every few days, and slow measurements."""
    rng = np.random.default_rng(seed)
    target = np.zeros(number, int)
    for begin in np.cumsum(rng.integers(60, 200, number // 60)):
        target[begin : begin + 20] = 1
    slow = np.cumsum(rng.normal(size=(number, 4)), axis=0) * 0.1
    matrix = np.column_stack([slow, target + rng.normal(0, 2, number)])
    return xr.Dataset({"time": ("sample", BEGIN + np.arange(number) * HOUR)}), matrix, target


def clean(number: int, seed: int) -> tuple[xr.Dataset, Any, Any]:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, (2, 3, 5)[seed % 3], number) if seed % 2 else (rng.random(number) < 0.2).astype(int)
    matrix = rng.normal(size=(number, 4)) + 0.7 * target[:, None] * [1, 0.5, 0, 0]
    matrix[rng.random(matrix.shape) < 0.05] = np.nan
    hours = np.sort(rng.integers(0, 20_000, number))
    samples = xr.Dataset(
        {
            "time": ("sample", BEGIN + hours * HOUR),
            "x": ("sample", rng.uniform(0, 1000, number)),
            "y": ("sample", rng.uniform(0, 1000, number)),
            "group": ("sample", rng.integers(0, 15, number)),
        }
    )
    return samples, matrix, target


def kinds(findings: list[Finding], *, serious: bool = True) -> set[str]:
    return {one.kind for one in findings if one.serious == serious}


def test_coordinates_that_know_the_answer_are_told_in_a_random_split() -> None:
    findings = found(*patchwork(3000), Split(random=True))
    assert kinds(findings) == {"coordinates-alone", "random-gap"}
    for one in findings:
        assert one.numbers["guarded"] == 0
        assert one.numbers["declared"] > 0.6
        assert "both sides" in one.message


def test_blocks_that_keep_neighbours_apart_are_said_to_do_so() -> None:
    findings = found(*patchwork(3000), Split(space_on=("x", "y"), size=240))
    assert kinds(findings) == {"coordinates-alone", "random-gap"}
    for one in findings:
        assert one.numbers["guarded"] == 1
        assert one.numbers["declared"] < one.numbers["shuffled"] - 0.3
        assert "keeps neighbours apart" in one.message


def test_blocks_that_are_too_small_are_told() -> None:
    findings = found(*patchwork(3000), Split(space_on=("x", "y"), size=5))
    assert [one.numbers["guarded"] for one in findings] == [0, 0]


@pytest.mark.parametrize(("split", "guarded"), [
    (Split(random=True), 0), (Split(time_on="time", block=10 * DAY), 1), (Split(time_on="time", block=7200), 0),
])  # fmt: skip
def test_a_series_of_hours_is_told(split: Split, guarded: int) -> None:
    findings = found(*series(3000), split, "events")
    assert kinds(findings) >= {"coordinates-alone", "random-gap"}
    assert {one.numbers["guarded"] for one in findings if one.kind != "shift"} == {guarded}


def test_time_is_asked_channel_by_channel() -> None:
    several = [series(800, seed) for seed in range(4)]
    samples = xr.concat([one[0] for one in several], "sample").assign(group=("sample", np.repeat(list("abcd"), 800)))
    matrix, target = (np.concatenate([one[at] for one in several]) for at in (1, 2))
    for split, guarded in ((Split(random=True), 0), (Split(group_on="group", folds=4), 1)):
        (alone,) = [one for one in found(samples, matrix, target, split, "events") if one.kind == "coordinates-alone"]
        assert alone.message.startswith("time in each group alone")
        assert alone.numbers["shuffled"] > 0.9
        assert alone.numbers["guarded"] == guarded


def test_numbers_that_neighbours_know_are_told() -> None:
    samples, matrix, _ = series(3000)
    target = matrix[:, 0] + np.random.default_rng(1).normal(0, 0.1, 3000)
    findings = found(samples, matrix[:, 1:], target, Split(random=True), "regression")
    assert "coordinates-alone" in kinds(findings)
    assert all("R2" in one.message for one in findings)


def test_positions_on_the_sky_are_places() -> None:
    samples, matrix, target = patchwork(3000)
    sky = xr.Dataset({"RA": samples["x"] / 10 + 300, "Dec": samples["y"] / 10 - 60})
    (alone,) = [one for one in found(sky, matrix, target, Split(random=True)) if one.kind == "coordinates-alone"]
    assert alone.message.startswith("RA and Dec alone")


CLEAN_SPLITS = (
    Split(random=True), Split(time_on="time", block=40 * DAY), Split(space_on=("x", "y"), size=200),
    Split(group_on="group"), Split(time_on="time", block=30 * DAY, embargo=5 * DAY),
)  # fmt: skip


@pytest.mark.parametrize("split", CLEAN_SPLITS, ids=["random", "time", "space", "group", "embargo"])
def test_nothing_is_said_where_nothing_is(split: Split) -> None:
    said = [one for seed in range(3) for one in found(*clean(150 + 150 * seed, seed), split, seed=seed)]
    assert said == []


def test_nothing_is_said_of_clean_numbers_and_clean_whole_numbers() -> None:
    samples, matrix, target = clean(600, 1)
    assert found(samples, matrix, target + np.nan_to_num(matrix[:, 3]), CLEAN_SPLITS[1], "regression") == []
    few = np.round(np.nan_to_num(matrix[:, :2]) * 2)
    assert found(samples, few, target, Split(random=True)) == []


@pytest.mark.parametrize("copies", [0.1, 1.0])
def test_copies_across_a_split_are_told(copies: float) -> None:
    samples, matrix, target = clean(600, 1)
    rows = np.concatenate([np.arange(600), np.arange(int(600 * copies))])
    matrix = np.where(np.isnan(matrix), np.nan, matrix)
    (twins,) = found(samples[["group"]].isel(sample=rows), matrix[rows], target[rows], Split(random=True))
    assert twins.kind == "duplicates"
    assert twins.serious
    assert twins.numbers["same_label"] == 1
    assert twins.numbers["share"] == pytest.approx(2 * copies * 0.8 / (1 + copies), rel=0.2)


def test_copies_that_stay_together_are_no_leak() -> None:
    samples, matrix, target = clean(600, 1)
    rows = np.concatenate([np.arange(600), np.arange(600)])
    doubled = samples[["group"]].isel(sample=rows)
    said = found(doubled, matrix[rows], target[rows], Split(group_on="group"))
    assert [(one.kind, one.numbers["guarded"]) for one in said] == [("random-gap", 1)]


def test_rows_without_a_number_are_no_copies() -> None:
    samples, matrix, target = clean(400, 2)
    matrix[::3] = np.nan
    assert found(samples, matrix, target, Split(random=True)) == []


def test_held_out_samples_of_another_kind_are_told() -> None:
    rng = np.random.default_rng(0)
    number = 1000
    group = np.repeat(np.arange(50), 20)
    matrix = rng.normal(size=(number, 3))
    matrix[:, 0] += 4 * (group % 2)
    samples = xr.Dataset({"group": ("sample", group)})
    target = rng.integers(0, 2, number)
    split = Split(group_on="group", folds=2)
    train, test = np.flatnonzero(group % 2 == 0), np.flatnonzero(group % 2 == 1)
    folds = [type(folds_of(samples, split)[0])(train, test)]
    (shift,) = advise(samples, features_of(matrix), target, folds, blocks_of(samples, split), "classes")
    assert shift.kind == "shift"
    assert shift.numbers["roc_auc"] > 0.9
    assert shift.serious


def test_novelty_and_tiny_sets_are_only_looked_at_for_copies() -> None:
    samples, matrix, target = patchwork(400)
    assert found(samples, matrix, target, Split(random=True), "novelty") == []
    few = samples.isel(sample=slice(30))
    assert found(few, matrix[:30], np.arange(30) % 2, Split(random=True)) == []
    nothing = np.full((400, 2), np.nan)
    assert kinds(found(samples, nothing, target, Split(random=True)), serious=False) <= {"coordinates-alone"}


def test_the_same_is_said_each_time_and_can_be_written() -> None:
    import json

    one, other = (found(*series(2000), Split(random=True), "events") for _ in range(2))
    assert one == other
    record = json.loads(json.dumps([finding.to_record() for finding in one]))
    assert record[0]["kind"] == one[0].kind
    assert record[0]["serious"] is True


def test_places_are_found_by_name_and_type() -> None:
    rng = np.random.default_rng(0)
    names = ("x", "y", "lat", "Lon", "row", "flux", "s")
    samples = xr.Dataset({name: ("sample", rng.uniform(-80, 80, 50)) for name in names})
    samples["when"] = ("sample", BEGIN + np.arange(50) * HOUR)
    samples["epoch"] = ("sample", np.arange(50.0))
    samples["series"] = (("sample", "step"), np.zeros((50, 3)))
    places = places_of(samples, on=("s", "x"))
    assert set(places) == {"when", "x and y", "Lon and lat", "s"}
    assert places["when"][-1] == 49 * 3600
    assert np.linalg.norm(places["Lon and lat"], axis=1) == pytest.approx(1)
    constant = samples[["x", "y"]].assign(x=("sample", np.zeros(50)), y=("sample", np.zeros(50)))
    assert places_of(constant) == {}


def test_cells_are_equally_full_and_compact() -> None:
    place = np.random.default_rng(0).uniform(0, [100, 10], (3200, 2))
    cells = cells_of(place, 32)
    assert set(np.bincount(cells)) == {100}
    assert max(np.ptp(place[cells == cell, 0]) for cell in range(32)) < 15


def test_thinning_keeps_neighbours() -> None:
    place = np.arange(10_000.0).reshape(-1, 1)
    kept = thinned(place, cells_of(place, 16), 1600, np.random.default_rng(0))
    assert len(kept) == 1600
    assert np.mean(np.diff(kept) == 1) > 0.95
    assert len(thinned(None, np.arange(10_000), 1000, np.random.default_rng(0))) == 1000


@pytest.mark.real
def test_coordinates_of_land_cover_are_told_unasked(real_data: Any) -> None:
    place = np.loadtxt(real_data / "earth/series/coord_training.txt", delimiter=",")
    names, target = np.unique(np.loadtxt(real_data / "earth/series/training_class.txt"), return_inverse=True)
    land = xr.Dataset({"x": ("sample", place[:, 0]), "y": ("sample", place[:, 1])})
    assert len(names) == 9
    findings = found(land, place, target, Split(space_on=("x", "y"), size=400))
    assert kinds(findings) >= {"coordinates-alone", "random-gap"}
    assert findings[0].numbers["shuffled"] > 0.95


@pytest.mark.real
def test_hours_of_the_solar_wind_are_told_unasked(real_data: Any) -> None:
    import pandas as pd

    hours = pd.read_csv(real_data / "plasma/omni_icme/omni_hourly.csv.gz", parse_dates=["time"])
    events = pd.read_csv(real_data / "plasma/omni_icme/icme_list.csv", parse_dates=["begin", "end"])
    time_of = hours["time"].to_numpy("datetime64[ns]")
    inside = [(time_of >= begin) & (time_of <= end) for begin, end in zip(events.begin, events.end, strict=True)]
    target = np.any(inside, axis=0).astype(int)
    samples = xr.Dataset({"time": ("sample", time_of)})
    matrix = hours.iloc[:, 1:8].rolling(25, center=True, min_periods=1).mean().to_numpy()
    findings = found(samples, matrix, target, Split(time_on="time", block=27 * DAY, embargo=2 * DAY), "events")
    assert kinds(findings) >= {"coordinates-alone", "random-gap"}
    assert {one.numbers["guarded"] for one in findings if one.kind != "shift"} == {1}


def renamed(samples: xr.Dataset, matrix: Any, names: dict[str, str]) -> xr.Dataset:
    """Give samples whose coordinates have names that say nothing, beside their measurements."""
    measured = {f"band{at}": ("sample", column) for at, column in enumerate(matrix.T)}
    told = {new: ("sample", samples[old].values) for old, new in names.items()}
    return xr.Dataset(measured | told)


@pytest.mark.parametrize("names", [{"x": "u", "y": "w"}, {"x": "0", "y": "1"}])
@pytest.mark.parametrize("whole", [True, False])
def test_positions_of_any_name_are_told(names: dict[str, str], whole: bool) -> None:
    samples, matrix, target = patchwork(6000)
    if whole:
        samples = np.floor(samples)
    extra = np.random.default_rng(1).normal(size=(6000, 30)) + 0.3 * target[:, None]
    hidden = renamed(samples, np.column_stack([matrix, extra]), names)
    findings = found(hidden, np.column_stack([matrix, extra]), target, Split(random=True))
    (said,) = [one for one in findings if one.kind == "coordinates-alone"]
    assert said.serious
    assert set(said.message.split(" alone")[0].split(" and ")) == set(names.values())
    assert said.numbers["shuffled"] - said.numbers["cells"] > 0.3
    guarded = Split(space_on=tuple(names.values()), size=200.0, folds=4)
    assert all(one.numbers["guarded"] == 1 for one in found(hidden, matrix, target, guarded) if one.kind[0] == "c")


def test_a_time_of_any_name_is_told() -> None:
    samples, matrix, target = series(3000)
    hidden = renamed(samples.assign(hour=("sample", np.arange(3000.0))), matrix, {"hour": "n"})
    findings = found(hidden, matrix, target, Split(random=True))
    assert "n alone" in next(one for one in findings if one.kind == "coordinates-alone").message


@pytest.mark.parametrize("seed", range(4))
def test_measurements_that_know_the_class_are_no_places(seed: int) -> None:
    from sklearn import datasets

    made = [
        datasets.make_classification(1200, 8, n_informative=5, n_clusters_per_class=1 + seed % 4, random_state=seed),
        datasets.make_blobs(1200, centers=3 + 4 * seed, n_features=2 + seed, random_state=seed),
    ]
    for matrix, target in made:
        samples = xr.Dataset({f"c{at}": ("sample", column) for at, column in enumerate(matrix.T)})
        assert found(samples, matrix, target % 3, Split(random=True)) == []
