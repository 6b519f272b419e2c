"""Layouts: text of series, tables and arrays of HDF5 become samples; what is wrong in a file is told by name."""

import gzip
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter, DamagedFile
from armillary.learn.layouts import read_samples
from armillary.learn.layouts.arrays import _runs

TABLE = """id,ra,mag,other,kind,site
1,10.0,12.5,1.0,star,north
2,11.0,999.9,2.0,star,south
2,11.0,999.9,2.0,star,south
3,12.0,14.5,,galaxy,north
4,13.0,15.5,3.0,,south
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def rows(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rows.txt"
    path.write_text(text)
    return path


def arrays(tmp_path: Path, **made: Any) -> Path:
    path = tmp_path / "arrays.h5"
    with h5py.File(path, "w") as file:
        for name, values in made.items():
            file[name] = values
    return path


def test_a_table_gives_numbers_labels_groups_and_the_rest_as_it_is(table: Path) -> None:
    options = {"label": "kind", "group": "site", "columns": ["mag", "other"], "missing": [999.9], "once": ["id"]}
    samples = read_samples("table", table, options)
    assert samples.sizes == {"sample": 4}
    np.testing.assert_array_equal(samples["mag"], [12.5, np.nan, 14.5, 15.5])
    np.testing.assert_array_equal(samples["other"], [1.0, 2.0, np.nan, 3.0])
    assert samples["label"].values.tolist() == ["star", "star", "galaxy", ""]
    assert samples["group"].values.tolist() == ["north", "south", "north", "south"]
    assert samples["ra"].values.tolist() == [10.0, 11.0, 12.0, 13.0]
    assert samples.attrs["columns"] == ("mag", "other")


def test_a_table_without_columns_takes_all_numbers(table: Path) -> None:
    assert read_samples("table", table, {"label": "kind"}).attrs["columns"] == ("id", "ra", "mag", "other")


def test_a_table_keeps_rows_and_renames_columns(table: Path) -> None:
    options = {"label": "kind", "names": {"where": "site"}, "keep": {"where": ["north"]}}
    samples = read_samples("table", table, options)
    assert samples["id"].values.tolist() == [1, 3]
    assert samples["where"].values.tolist() == ["north", "north"]


def test_numbers_of_a_label_are_targets_or_named_classes(table: Path) -> None:
    assert read_samples("table", table, {"label": "mag"})["label"].values[0] == 12.5
    named = read_samples("table", table, {"label": "id", "classes": {"1": "first"}})["label"].values.tolist()
    assert named == ["first", "2", "2", "3", "4"]


@pytest.mark.parametrize("kind", ["txt", "csv.gz", "parquet", "ecsv"])
def test_tables_of_other_kinds_hold_the_same(table: Path, tmp_path: Path, kind: str) -> None:
    import pandas as pd

    frame = pd.read_csv(table)[["id", "ra", "mag", "site"]]
    path = tmp_path / f"other.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    elif kind == "txt":
        path.write_text(frame.to_string(index=False))
    else:
        from astropy.table import Table

        Table.from_pandas(frame).write(path)
    samples = read_samples("table", path, {"label": "site"})
    assert samples["mag"].values.tolist() == frame["mag"].tolist()
    assert samples["label"].values.tolist() == frame["site"].tolist()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"label": "class"}, "no column 'class'"),
        ({"label": "kind", "columns": ["site"]}, "'site' of table.csv has texts"),
        ({"label": "kind", "once": ["nothing"]}, "option 'once'"),
        ({"label": "kind", "keep": {"nothing": [1]}}, "option 'keep'"),
        ({"labels": "kind"}, "does not know 'labels'"),
        ({"label": ["kind"]}, "must be a text"),
        ({"label": "kind", "columns": "abc"}, "columns = 'abc' must be a list"),
        ({"label": "kind", "missing": 9}, "missing = 9 must be a list"),
        ({"label": "kind", "missing": [["x"]]}, "a list, each a number or a text"),
    ],
)
def test_wrong_options_of_a_table_are_named(table: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadParameter, match=told):
        read_samples("table", table, options)


def test_a_table_that_is_none_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(DamagedFile, match=r"table\.parquet as a table"):
        read_samples("table", path, {"label": "kind"})


def test_rows_are_series_with_the_class_first(tmp_path: Path) -> None:
    path = rows(tmp_path, "1.0 0.1 0.2 0.3 0.4\n2.0,0.5,0.6,nan,0.8\n\nnan 1 2 3 4\n")
    samples = read_samples("rows", path, {"classes": {"1": "forest"}, "channels": 2})
    assert samples["series"].dims == ("sample", "channel", "step")
    assert samples["series"].shape == (3, 2, 2)
    assert samples["label"].values.tolist() == ["forest", "2", ""]
    np.testing.assert_array_equal(samples["series"].values[1], [[0.5, 0.6], [np.nan, 0.8]])


def test_rows_have_the_coordinates_of_a_file_beside_them(tmp_path: Path) -> None:
    path = rows(tmp_path, "1 5 6\n2 7 8\n")
    (tmp_path / "places.txt").write_text("10,20\n30,40\n")
    samples = read_samples("rows", path, {"coordinates": "places.txt"})
    assert (samples["x"].values.tolist(), samples["y"].values.tolist()) == ([10, 30], [20, 40])
    (tmp_path / "places.txt").write_text("10,20\n")
    with pytest.raises(DamagedFile, match="1 coordinates for 2 series"):
        read_samples("rows", path, {"coordinates": "places.txt"})


def test_alike_rows_are_one_group_whatever_their_label(tmp_path: Path) -> None:
    near = np.repeat([[0.0, 0, 0], [9, 9, 9], [0, 9, 0]], 4, axis=0) + 0.01 * np.arange(36).reshape(12, 3)
    near[1] = near[0]
    lines = [f"{number % 2} {' '.join(map(str, one))}" for number, one in enumerate(near)]
    groups = read_samples("rows", rows(tmp_path, "\n".join(lines)), {"alike": 3})["group"].values.reshape(3, 4)
    assert [len(set(one)) for one in groups] == [1, 1, 1]
    assert len(set(groups[:, 0])) == 3
    few = read_samples("rows", rows(tmp_path, "1 2 3\n2 2 3\n1 4 5\n"), {"alike": 9})["group"].values
    assert few[0] == few[1] != few[2]


@pytest.mark.parametrize(
    ("text", "options", "error", "told"),
    [
        ("1 2 3\n1 2\n", {}, DamagedFile, "cannot read rows.txt"),
        ("1 2 three\n", {}, DamagedFile, "cannot read rows.txt"),
        ("1\n2\n", {}, DamagedFile, "holds no series"),
        ("", {}, DamagedFile, "holds no series"),
        ("1 2 3 4\n", {"channels": 2}, BadParameter, "3 numbers a line are no 2 series"),
        ("1 2 3 4\n", {"channel": 2}, BadParameter, "does not know 'channel'"),
        ("1 2 3 4\n", {"channels": "2"}, BadParameter, "must be a whole number"),
        ("1 2 3 4\n", {"channels": 0}, BadParameter, "no 0 series"),
        ("1 2 3\n2 2 3\n", {"alike": 0}, BadParameter, "alike = 0 makes no group"),
    ],
)
def test_what_is_wrong_with_rows_is_told(
    tmp_path: Path, text: str, options: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        read_samples("rows", rows(tmp_path, text), options)


def test_arrays_keep_their_shape_and_name_their_classes(tmp_path: Path) -> None:
    flux = np.arange(24, dtype="f4").reshape(4, 3, 2)
    path = arrays(tmp_path, flux=flux, labels=[0, 0, 1, 1], title=np.bytes_(b"text"))
    samples = read_samples("arrays", path, {"label": "labels", "classes": {"0": "wind"}})
    np.testing.assert_array_equal(samples["flux"], flux)
    assert samples["flux"].dims == ("sample", "flux_1", "flux_2")
    assert samples["label"].values.tolist() == ["wind", "wind", "1", "1"]
    assert set(samples.variables) == {"flux", "label"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"label": "classes"}, "no array 'classes'"),
        ({"label": "labels", "arrays": ["field"]}, "no array 'field'"),
        ({"label": "labels"}, "'table' of arrays.h5 has not one row a label"),
        ({"label": "flux"}, "'flux' of arrays.h5 has more than one number a sample"),
        ({"label": "labels", "arrays": ["flux"], "runs": 0}, "runs = 0"),
        ({"label": "labels", "runs": 2.5}, "must be a whole number"),
        ({"label": "labels", "colour": 1}, "does not know 'colour'"),
    ],
)
def test_wrong_options_of_arrays_are_named(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    path = arrays(tmp_path, flux=np.ones((4, 2)), labels=[0, 0, 1, 1], table=np.ones((3, 4)))
    with pytest.raises(BadParameter, match=told):
        read_samples("arrays", path, options)


def test_a_file_that_is_no_hdf5_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "arrays.h5"
    path.write_bytes(b"no HDF5")
    with pytest.raises(DamagedFile, match=r"arrays\.h5 as HDF5"):
        read_samples("arrays", path, {"label": "labels"})


def test_runs_are_neighbours_with_one_label(tmp_path: Path) -> None:
    path = arrays(tmp_path, flux=np.ones((7, 2)), labels=[0, 0, 0, 1, 1, 0, 0])
    groups = read_samples("arrays", path, {"label": "labels", "runs": 2})["group"].values.tolist()
    assert groups == [f"run {number}" for number in (1, 1, 2, 3, 3, 4, 4)]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 9))
def test_runs_never_mix_labels_nor_grow_too_long(labels: list[int], most: int) -> None:
    found = _runs(np.array(labels, object), most)
    for name in set(found):
        members = np.flatnonzero(found == name)
        assert len(members) <= most
        assert len({labels[one] for one in members}) == 1
        assert np.ptp(members) == len(members) - 1
    cuts = 1 + sum(one != other for one, other in zip(labels[1:], labels[:-1], strict=True))
    assert len(set(found)) <= cuts + len(labels) // most


def test_unknown_layouts_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="no layout 'pictures'"):
        read_samples("pictures", tmp_path, {})
    with pytest.raises(BadParameter, match="nothing at"):
        read_samples("table", tmp_path / "none.csv", {})


@pytest.mark.real
def test_real_files_are_read_as_they_are(real_data: Path) -> None:
    windows = read_samples("arrays", real_data / "plasma/mms_regions/training_data.h5", {"label": "labels", "runs": 25})
    assert windows["flux"].shape == (592, 40, 32)
    assert 24 <= len(set(windows["group"].values)) <= 80
    pixels = read_samples("rows", real_data / "earth/series/brazilian-amazon_TRAIN.txt", {"alike": 200})
    assert pixels["series"].shape == (2500, 1, 23)
    assert len(set(pixels["group"].values)) == 200
