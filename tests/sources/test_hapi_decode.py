"""From any schema and values through the server to the client and back; times, texts and axes in their odd forms."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadAnswer
from armillary.model import Request, parse_time, silent
from armillary.sources.hapi import HapiSource
from armillary.sources.hapi.dataset import build, kind_of
from armillary.sources.hapi.decode import decode_binary, decode_csv, split_header
from armillary.sources.hapi.info import read_info
from armillary.sources.hapi.products import coverage, name_of, segment
from armillary.sources.hapi.products import products as leaves_of
from armillary.sources.hapi.times import decode_times, read_date
from armillary.testing.hapi_server import HapiServer, Served

TIME = {"name": "Time", "type": "isotime", "length": 27, "units": "UTC", "fill": None}
START = np.datetime64("2016-02-28T23:59:58", "ns")
DOUBLES = st.one_of(st.floats(allow_nan=True, allow_infinity=True, width=64), st.just(-1e31))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=5)


@st.composite
def schemas(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An ``/info`` and the columns it describes."""
    n = draw(st.integers(0, 6))
    steps = draw(st.lists(st.integers(1, 10**9), min_size=n, max_size=n))
    ns = START + np.cumsum(np.array(steps, "m8[us]"), dtype="m8[us]")
    parameters, columns = [TIME], {"Time": [f"{t}Z" for t in ns.astype("M8[us]")]}
    for i in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["double", "integer", "string"]))
        size = draw(st.sampled_from([None, [1], [3], [2, 3], [2, 1, 2]]))
        values = {"double": DOUBLES, "integer": st.integers(-(2**31), 2**31 - 1), "string": TEXTS}[kind]
        shape = (n, *(size or ()))
        cells = draw(st.lists(values, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        type_ = {"double": np.float64, "integer": np.int32, "string": "U5"}[kind]
        one = {"name": f"p{i}", "type": kind, "units": None, "fill": draw(st.sampled_from(FILLS[kind]))}
        one |= ({"size": size} if size else {}) | ({"length": 20} if kind == "string" else {})
        parameters.append(one)
        columns[f"p{i}"] = np.array(cells, type_).reshape(shape)
    return {"startDate": "2000Z", "stopDate": "2100Z", "parameters": parameters}, columns


FILLS = {"double": ["-1e31", "NaN", None], "integer": ["7", "-2147483648", "-1e31", None], "string": ["", "x", None]}


@given(schemas(), st.sampled_from([("csv",), ("csv", "binary")]), st.sampled_from(["2.0", "3.3"]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_what_goes_in_comes_out(case: Any, formats: tuple[str, ...], version: str, header: bool) -> None:
    info, columns = case
    served = {"d": Served.of(info, columns)}
    with (
        tempfile.TemporaryDirectory() as folder,
        HapiServer(served, version=version, formats=formats, header=header) as server,
    ):
        source = HapiSource("demo", server.url, Path(folder), piece_bytes=1_000_000)
        for product in source.inventory(silent):
            data = source.fetch(product, Request(product.path), silent)
            assert data["time"].size == len(columns["Time"])
            for one in info["parameters"][1:]:
                if one["name"] in data:
                    np.testing.assert_array_equal(
                        data[one["name"]].to_numpy(), expected(columns[one["name"]], one), strict=False
                    )


def expected(values: Any, one: dict[str, Any]) -> Any:
    values = values[..., 0] if one.get("size") == [1] else values
    fill = one["fill"]
    if one["type"] == "string":
        return np.where(values == fill, "", values) if fill else values
    if fill is None or fill == "NaN":
        return values
    return np.where(values == float(fill), np.nan, values)


FORMS = [
    ("2016Z", "2016-01-01"), ("2016-03Z", "2016-03-01"), ("2016-060Z", "2016-02-29"), ("2016-02-29Z", "2016-02-29"),
    ("2016-060T23Z", "2016-02-29T23:00"), ("2016-02-29T23:59Z", "2016-02-29T23:59"), ("1970-01-01", "1970-01-01"),
    ("2016-366T01:02:03.5Z", "2016-12-31T01:02:03.5"), ("2016-12-31T24:00:00Z", "2017-01-01"),
    ("2016-12-31T23:59:60Z", "2017-01-01"), ("2016-12-31T23:59:60.7Z", "2017-01-01"),
    ("2016-01-01T00:00:00.1234567891Z", "2016-01-01T00:00:00.123456789"), ("1900-01-01T00:00:00.Z", "1900-01-01"),
]  # fmt: skip


def test_times_in_every_form_and_mixed() -> None:
    cells = np.array([text.encode() for text, _ in FORMS])
    assert decode_times(cells).astype("M8[ns]").tolist() == [
        np.datetime64(calendar, "ns").astype(np.int64) for _, calendar in FORMS
    ]


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1), st.sampled_from(["s", "ms", "us", "ns"]))
def test_times_agree_with_numpy(ns: list[int], unit: str) -> None:
    times = np.array(ns, "M8[ns]").astype(f"M8[{unit}]")
    cells = np.char.encode(np.char.add(times.astype(str), "Z"), "ascii")
    np.testing.assert_array_equal(decode_times(cells), times.astype("M8[ns]").astype(np.int64))


@pytest.mark.parametrize(
    "text", ["2015-366Z", "2016-13Z", "2016-02-30Z", "2016-1-1Z", "nonsense", "", "2016-01-01T25Z", "2016-01-01T00:61Z",
             "2016/01/01Z", "1500Z", "2016-01-01T00:00:61Z", "20160101Z", "2016-01-01T0Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadAnswer, match="not a HAPI time"):
        decode_times(np.array([b"2016-01-01Z", text.encode()]))


def test_relative_dates() -> None:
    now = parse_time("2020-03-04T05:06:07")
    assert read_date("now", now) == now
    assert read_date("now-PT6H", now) == parse_time("2020-03-03T23:06:07")
    assert read_date("lastday+P1D", now) == parse_time("2020-03-05")
    assert read_date("lasthour", now) == parse_time("2020-03-04T05:00")
    assert read_date("1998-001Z", now) == parse_time("1998-01-01")


@given(st.text(min_size=1))
def test_any_name_is_one_reversible_segment(name: str) -> None:
    part = segment(name)
    assert name_of(part) == name
    assert "/" not in part
    assert part.isprintable()
    assert part.strip(".")


def info_of(*parameters: dict[str, Any], **more: Any) -> Any:
    return read_info({"startDate": "2020Z", "stopDate": "2021Z", "parameters": [TIME, *parameters], **more}, "d")


def test_the_kind_follows_the_axes() -> None:
    def one(size: list[int], *bins: Any) -> str:
        return kind_of(
            info_of({"name": "f", "type": "double", "units": "m", "size": size, "bins": list(bins)}).columns[1]
        )

    energy = {"name": "energy", "units": "eV", "centers": [1.0, 10.0]}
    assert one([2], energy) == "spectrogram"
    assert one([2], {"name": "e", "units": "eV", "ranges": [[0, 1], [1, 2]]}) == "spectrogram"
    assert one([3], {"name": "compno", "units": None, "centers": [1, 2, 3]}) == "series"
    assert one([2], {"name": "e", "units": "eV", "centers": None}) == "series"
    assert one([2], {"name": "e", "units": "eV", "centers": "nowhere"}) == "series"
    assert one([2, 2], energy, energy) == "plane"
    assert one([2, 2, 2], energy, energy, energy) == "distribution"


def test_a_leaf_tells_its_axes_if_all_are_known() -> None:
    energy = {"name": "energy", "units": "eV", "label": "E", "centers": [1.0, 10.0]}
    pitch = {"name": "alpha", "units": "deg", "centers": "pitch_angles"}
    flux = {"name": "f", "type": "double", "units": "m", "fill": None, "size": [2, 3]}
    angles = {"name": "pitch_angles", "type": "double", "units": "deg", "fill": None, "size": [3]}
    _, known, moving = leaves_of("a", "d", "", info_of(flux | {"bins": [energy, pitch]}, angles), 0)
    assert (known.axes, moving.axes) == (("energy E", "alpha pitch_angles"), ())
    blank = {"name": "look", "units": None, "centers": None}
    _, bare = leaves_of("a", "d", "", info_of(flux | {"bins": [energy, blank]}), 0)
    assert bare.axes == ()


def test_references_are_followed_and_circles_refused() -> None:
    flux = {"name": "f", "type": "double", "units": {"$ref": "#/definitions/u"}, "size": [2], "bins": [
        {"$ref": "#/definitions/e~1v"}]}  # fmt: skip
    told = info_of(flux, definitions={"u": "1/cm^2", "e/v": {"name": "e", "units": "eV", "centers": [1, 5]}})
    assert told.columns[1].units == "1/cm^2"
    assert told.columns[1].axes[0].centers == (1.0, 5.0)
    with pytest.raises(BadAnswer, match="not understood"):
        info_of({"$ref": "#/definitions/a"}, definitions={"a": {"$ref": "#/definitions/a"}})


@pytest.mark.parametrize(
    "parameters", [None, [], 3, [{"name": "x"}], [TIME, TIME], [TIME, {"name": "x", "type": "quad"}],
                   [TIME, {"name": "x", "type": "double", "size": [-1]}], [{**TIME, "length": 10**9}],
                   [TIME, {"name": "x", "type": "double", "size": [10**6, 10**6]}]],
)  # fmt: skip
def test_wrong_information_is_refused(parameters: Any) -> None:
    with pytest.raises(BadAnswer, match="d "):
        read_info({"startDate": "2020Z", "stopDate": "2021Z", "parameters": parameters}, "d ")


def test_axes_share_a_name_only_if_they_are_the_same() -> None:
    def spectrum(name: str, *centers: float) -> dict[str, Any]:
        bins = [{"name": "f", "units": "Hz", "centers": list(centers)}]
        return {"name": name, "type": "double", "units": "m", "size": [len(centers)], "bins": bins}

    told = info_of(spectrum("a", 1, 5), spectrum("b", 1, 5), spectrum("c", 2, 3, 9), spectrum("g", 8, 9))
    data = build(decode_csv(b"2020Z,1,2,3,4,5,6,7,8,9\n", told.columns, "d"), told, told.columns)
    assert (data["a"].dims, data["b"].dims) == (("time", "f"), ("time", "f"))
    assert data["c"].to_numpy().tolist() == [[5, 6, 7]]
    for name, centers in (("a", [1, 5]), ("c", [2, 3, 9]), ("g", [8, 9])):
        assert data[data[name].attrs["DEPEND_1"]].to_numpy().tolist() == centers


def test_an_axis_named_as_a_variable_gets_another_name() -> None:
    bins = [{"name": "f", "units": "Hz", "centers": [1, 5]}]
    told = info_of({"name": "f", "type": "double", "units": "m", "size": [2], "bins": bins})
    data = build(decode_csv(b"2020Z,1,2\n", told.columns, "d"), told, told.columns)
    assert data["f"].to_numpy().tolist() == [[1, 2]]
    assert data[data["f"].attrs["DEPEND_1"]].to_numpy().tolist() == [1, 5]


def test_moving_edges_make_moving_centres() -> None:
    bins = [{"name": "e", "units": "eV", "ranges": "edges"}]
    told = info_of(
        {"name": "f", "type": "double", "units": "m", "size": [2], "bins": bins},
        {"name": "edges", "type": "double", "units": "eV", "size": [2, 2], "fill": "-1"},
    )
    data = build(decode_csv(b"2020Z,1,2,0,2,2,6\n2020-02Z,1,2,0,4,-1,-1", told.columns, "d"), told, told.columns)
    centres = data[data["f"].attrs["DEPEND_1"]]
    np.testing.assert_array_equal(centres, [[1, 4], [2, np.nan]])
    assert centres.attrs["units"] == "eV"


def test_a_fill_that_went_through_32_bits_is_found() -> None:
    told = info_of({"name": "x", "type": "double", "units": "m", "fill": "-1.0E31"})
    body = b"2020Z".ljust(27, b"\0") + np.float64(np.float32(-1e31)).tobytes()
    assert np.isnan(decode_binary(body, told.columns, "d")["x"]).all()


@pytest.mark.parametrize(
    "body", [b"2020Z,1\n", b"2020Z,1,x\n", b"2020Z,1,2,3\n", b"2020Z,1,2\n2020-02Z,1", b"2020Z,1.5,2\n", b"x,1,2\n",
             b"2020Z,99999999999,2\n", b"\xff\xfe,1,2\n", b"2020Z,,2\n"],
)  # fmt: skip
def test_broken_csv_is_refused(body: bytes) -> None:
    told = info_of(
        {"name": "i", "type": "integer", "units": "m", "fill": None},
        {"name": "x", "type": "double", "units": "m", "fill": None},
    )
    with pytest.raises(BadAnswer):
        decode_csv(body, told.columns, "d")


def test_headers_of_one_line_or_many() -> None:
    assert split_header(b'#{\n# "a": 1\n#}\n2020Z') == ({"a": 1}, b"2020Z")
    assert split_header(b"# not json\n2020Z") == ({}, b"2020Z")
    assert split_header(b"#{}") == ({}, b"")


def test_a_coverage_of_one_record_and_of_none() -> None:
    assert coverage(info_of(), 0) is not None
    one = read_info({"startDate": "2020Z", "stopDate": "2020Z", "parameters": [TIME]}, "d")
    assert coverage(one, 0) is not None
    for start, stop in (("2021Z", "2020Z"), ("soon", "2020Z"), ("", "")):
        assert coverage(read_info({"startDate": start, "stopDate": stop, "parameters": [TIME]}, "d"), 0) is None
