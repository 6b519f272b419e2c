"""Pieces in, one whole out."""

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.model.kinds import check
from armillary.science.join import join


def piece(times: list[int], energies: list[float], value: float = 1.0) -> xr.Dataset:
    data = np.full((len(times), len(energies)), value) * np.array(times)[:, None]
    return xr.Dataset(
        {"flux": (("time", "energy"), data, {"units": "1", "DEPEND_1": "energy"})},
        {"time": np.array(times, "datetime64[ns]"), "energy": ("energy", energies, {"units": "eV"})},
        {"title": "toy"},
    )


@given(st.lists(st.lists(st.integers(0, 40), unique=True, max_size=8).map(sorted), min_size=1, max_size=5))
def test_every_time_once_and_in_order(pieces: list[list[int]]) -> None:
    whole = join([piece(times, [1.0, 2.0]) for times in pieces])
    expected = sorted({t for times in pieces for t in times})
    assert whole["time"].to_numpy().astype(int).tolist() == expected
    assert whole["flux"].to_numpy()[:, 0].tolist() == expected
    assert whole.attrs == {"title": "toy"}


def test_the_earlier_piece_wins() -> None:
    whole = join([piece([1, 2], [1.0], 1.0), piece([2, 3], [1.0], 10.0)])
    assert whole["flux"].to_numpy().ravel().tolist() == [1.0, 2.0, 30.0]


def test_only_what_all_pieces_say_is_said() -> None:
    pieces = [piece([n], [1.0]).assign_attrs(file=f"{n}.cdf", tags=np.array([1, 2])) for n in (1, 2)]
    attrs = join(pieces).attrs
    assert sorted(attrs) == ["tags", "title"]


def test_equal_times_within_a_piece_are_kept() -> None:
    assert join([piece([1, 1, 2], [1.0]), piece([3], [1.0])]).sizes["time"] == 4


def test_changed_energies_come_to_vary_in_time() -> None:
    whole = check("spectrogram", join([piece([1], [10.0, 20.0]), piece([2], [11.0, 22.0, 33.0])]))
    axis = whole[whole["flux"].attrs["DEPEND_1"]]
    assert axis.dims == ("time", "energy")
    np.testing.assert_array_equal(axis, [[10, 20, np.nan], [11, 22, 33]])
    np.testing.assert_array_equal(whole["flux"], [[1, 1, np.nan], [2, 2, 2]])


def test_a_variable_with_time_last_is_turned() -> None:
    turned = [piece([1], [1.0, 2.0]).transpose("energy", "time"), piece([2], [1.0, 2.0]).transpose("energy", "time")]
    assert join(turned)["flux"].dims == ("time", "energy")


def test_a_missing_variable_is_nan_and_a_missing_text_an_error() -> None:
    second = piece([2], [1.0]).assign(quality=("time", [3.0]), note=("time", ["x"]))
    whole = join([piece([1], [1.0]), second.drop_vars("note")])
    np.testing.assert_array_equal(whole["quality"], [np.nan, 3.0])
    with pytest.raises(BadData, match="no missing value"):
        join([piece([1], [1.0]), second])


def test_tables_follow_each_other() -> None:
    table = pa.table({"a": [1, 2]}).replace_schema_metadata({"armillary": "{}"})
    whole = join([table, pa.table({"a": [3]})])
    assert whole.to_pydict() == {"a": [1, 2, 3]}
    assert whole.schema.metadata == {b"armillary": b"{}"}
    with pytest.raises(BadData, match="differ"):
        join([table, pa.table({"a": ["x"]})])


def test_datasets_and_tables_do_not_mix() -> None:
    with pytest.raises(BadData, match="cannot be joined"):
        join([piece([1], [1.0]), pa.table({"a": [1]})])
