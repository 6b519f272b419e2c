"""Labels as people write them: gaps, nullable columns, names like NA, numbers that are no classes, wrong priors."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.learn.features.along import rolling
from armillary.learn.layouts import read_samples
from armillary.learn.preparing import prepare
from armillary.learn.samples import classes_of, texts_of
from armillary.learn.study import Study, study_of

ROWS = 60
PLAIN: Any = {
    "name": "it", "task": "classes", "data": {"layout": "table"}, "split": {"random": True, "folds": 3},
    "models": [{"use": "logistic"}],
}  # fmt: skip


def study(**more: Any) -> Study:
    return study_of(PLAIN | more)


def written(tmp_path: Path, label: Any, ending: str = "parquet", **columns: Any) -> Path:
    frame = pd.DataFrame({"a": np.arange(len(label)) * 0.1, **columns, "label": label})
    path = tmp_path / f"table.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    return path


def classes(path: Path, **options: Any) -> dict[str, int]:
    """Prepare a study of the file, and count its classes; "" = unknown."""
    seen = prepare(study(), read_samples("table", path, {"label": "label", **options}))
    names = np.array([*seen.classes, ""])[seen.target]
    assert set(names[seen.judged]) == set(seen.classes)
    return {str(name): int(count) for name, count in zip(*np.unique(names, return_counts=True), strict=True)}


def gapped(*kinds: Any) -> list[Any]:
    return [None if at % 4 == 0 else kinds[at % len(kinds)] for at in range(ROWS)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("dtype", ["float64", "Int64", "Int8", "Float32", "category"])
def test_blanks_among_whole_numbers_are_unknown(tmp_path: Path, ending: str, dtype: str) -> None:
    path = written(tmp_path, pd.Series(gapped(1, 2, 3), dtype=dtype), ending)
    assert classes(path) == {"": 15, "1": 15, "2": 15, "3": 15}
    assert classes(path, classes={"1": "one"}) == {"": 15, "one": 15, "2": 15, "3": 15}
    (said,) = read_samples("table", path, {"label": "label"}).attrs["notes"]
    assert said.startswith("15 of 60 rows have no label")


@pytest.mark.parametrize("dtype", ["boolean", object, "category"])
def test_gaps_among_true_and_false_are_unknown(tmp_path: Path, dtype: Any) -> None:
    path = written(tmp_path, pd.Series(gapped(True, False, True), dtype=dtype))
    assert classes(path) == {"": 15, "False": 15, "True": 30}


def test_texts_of_a_dictionary_and_of_pandas_keep_their_gaps(tmp_path: Path) -> None:
    for dtype in ("category", "string"):
        path = written(tmp_path, pd.Series(gapped("x", "y", "y"), dtype=dtype))
        assert classes(path) == {"": 15, "x": 15, "y": 30}


def test_gaps_of_nullable_features_are_missing_values(tmp_path: Path) -> None:
    b, c = pd.Series(gapped(5, 6), dtype="Int64"), pd.Series(gapped(True, False, True), dtype="boolean")
    samples = read_samples("table", written(tmp_path, ["x", "y"] * 30, b=b, c=c), {"label": "label"})
    assert samples.attrs["columns"] == ("a", "b", "c")
    assert np.isnan(samples["b"]).sum() == np.isnan(samples["c"]).sum() == 15


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_class_may_be_called_na(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path, gapped("A", "NA", "nan"), ending)
    assert classes(path) == {"": 15, "A": 15, "NA": 15, "nan": 15}
    notes = read_samples("table", path, {"label": "label"}).attrs["notes"]
    assert any("'NA' is taken as the name of a class (15 rows)" in one for one in notes)
    with pytest.raises(BadData, match="all 15 labelled samples are 'A'"):
        classes(path, missing=["NA", "nan"])


def test_words_for_missing_are_named_and_leave_numbers(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    lines = [f"{'?' if at % 4 == 0 else at},{'?' if at % 5 == 0 else at % 2}" for at in range(ROWS)]
    path.write_text("\n".join(["a,label", *lines]))
    with pytest.raises(BadParameter, match=r"'\?' in 15 of 60 cells.*missing = "):
        read_samples("table", path, {"label": "label", "columns": ["a"]})
    assert classes(path, missing=["?"]) == {"": 12, "0": 24, "1": 24}


def test_relabelled_rows_without_a_label_stay_unknown(tmp_path: Path) -> None:
    path = written(tmp_path, gapped("x", "y"), "csv", kind=["L2", "M"] * 30)
    samples = read_samples("table", path, {"label": "label", "relabel": {"cold": {"kind": "L.*"}}})
    assert classes_of(samples) == ("cold", "y")


def test_texts_of_all_that_labels_are() -> None:
    assert texts_of(np.array([1.5, -2.0, np.nan, 1e300])).tolist() == ["1.5", "-2", "", str(int(1e300))]
    assert texts_of(np.array([b"a", pd.NA, pd.NaT, float("nan"), 3.0, ""], object)).tolist() == [
        "a",
        "",
        "",
        "",
        "3",
        "",
    ]
    assert texts_of(np.array([True, False])).tolist() == ["True", "False"]


def test_real_numbers_are_no_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(BadData, match='use task = "regression"'):
        classes(written(tmp_path, rng.normal(size=ROWS)))
    with pytest.raises(BadData, match="name the column of the classes"):
        classes(written(tmp_path, [f"id{at}" for at in range(ROWS)]))
    assert len(classes(written(tmp_path, [at % 20 for at in range(ROWS)]))) == 20


def test_whole_numbers_are_targets_of_a_regression(tmp_path: Path) -> None:
    for label in (list(range(ROWS)), pd.Series(gapped(1, 2, 3), dtype="Int64")):
        samples = read_samples("table", written(tmp_path, label), {"label": "label"})
        target = prepare(study(task="regression"), samples).target
        assert target.dtype == np.float64
        np.testing.assert_array_equal(target, pd.Series(label, dtype="float64"))


@pytest.mark.parametrize("prior", [{"1": 0.9, "2": 0.9}, {"1": float("nan")}, {"1": -0.1, "2": 1.1}])
def test_shares_that_are_none_are_refused_at_once(prior: Any) -> None:
    with pytest.raises(BadParameter, match=r"sum to 1\.8|no share"):
        study(prior=prior)


def test_a_prior_is_checked_against_the_classes_before_training(tmp_path: Path) -> None:
    samples = read_samples("table", written(tmp_path, [1, 2, 3] * 20), {"label": "label"})
    prepare(study(prior={"1": 0.5}), samples)
    for prior, said in (({"1": 0.3, "2": 0.3, "3": 0.3}, "sum to 0.9"), ({"9": 0.3}, "no class '9'")):
        with pytest.raises(BadParameter, match=said):
            prepare(study(prior=prior), samples)


@pytest.mark.parametrize("split", [{"block": "9999999999d"}, {"block": "1d", "embargo": 1e10}])
def test_lengths_that_no_clock_counts_are_refused(split: Any) -> None:
    with pytest.raises(BadParameter, match="longer than clocks can count"):
        study(split={"time_on": "time", **split})


def test_too_few_resamples_are_refused_before_training() -> None:
    assert study(resamples=0).resamples == 0
    with pytest.raises(BadParameter, match="10 resamples give no interval"):
        study(resamples=10)


def test_a_window_longer_than_clocks_can_count_is_refused() -> None:
    times = np.datetime64("2020-01-01", "ns") + np.arange(3) * np.timedelta64(1, "h")
    samples = xr.Dataset({"a": ("sample", np.arange(3.0)), "time": ("sample", times)})
    with pytest.raises(BadParameter, match="longer than clocks can count"):
        rolling(samples, ["a"], ["9999999999d"])


@pytest.mark.parametrize(
    ("lost", "hint"),
    [("split", r"add \[split\]"), ("task", "add task ="), ("data", r"add \[data\]"), ("models", r"add \[\[models")],
)
def test_what_a_study_lacks_is_told_with_an_example(lost: str, hint: str) -> None:
    with pytest.raises(BadParameter, match=hint) as told:
        study_of({name: one for name, one in PLAIN.items() if name != lost})
    assert "__init__" not in str(told.value)
