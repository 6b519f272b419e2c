"""Recorded answers of real HAPI servers, served again byte by byte, against decodings made here by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadAnswer
from armillary.model import Request, silent
from armillary.model.kinds import check
from armillary.sources.hapi import HapiSource
from armillary.testing.hapi_server import HapiServer, Served

pytestmark = pytest.mark.real

CDAWEB, SSCWEB, TESTDATA = (
    "cdaweb.gsfc.nasa.gov_hapi",
    "hapi-server.org_servers_SSCWeb_hapi",
    "hapi-server.org_servers_TestData2.0_hapi",
)
#: folder, dataset, parameters in the body, the body, bytes of the time
RECORDED = [
    (CDAWEB, "AC_K0_EPM", ["H_lo", "Electron_lo", "Electron_hi"], "20211125T000000_20211205T000000"),
    (CDAWEB, "DSCOVR_ORBIT_PRE", ["GSE_POS", "MOON_GSE_POS"], "20211125T000000_20211205T000000"),
    (CDAWEB, "OMNI2_H0_MRG1HR", ["DST1800", "Proton_QI1800"], "20211025T000000_20211201T000000"),
    (CDAWEB, "STA_L1_SIT", ["H_Intensity"], "20211125T000000_20211205T000000"),
    (CDAWEB, "THB_L2_SST@1", ["thb_psef_densityQ"], "20211125T000000_20211205T000000"),
    (CDAWEB, "WI_EHSP_3DP", ["FLUX"], "20211125T000000_20211205T000000"),
    (SSCWEB, "moon", ["X_GEO", "Y_GEO", "Z_GEO"], "20220101T000000000_20220110T000000000"),
    (TESTDATA, "dataset1", ["scalar", "vector"], "19700101T000000_19700101T000010"),
]


def recorded(folder: Path, dataset: str, names: list[str], span: str) -> tuple[dict[str, Any], bytes]:
    info = json.loads((folder / f"{dataset}___.json").read_text("utf-8"))
    first, *rest = info["parameters"]
    info["parameters"] = [first, *(one for one in rest if one["name"] in names)]
    body = (folder / f"{dataset}_{'-'.join(names)}_{span}.bin").read_bytes()
    return {name: value for name, value in info.items() if name not in {"HAPI", "status"}}, body


def by_hand(info: dict[str, Any], body: bytes) -> Any:
    codes = {"double": "<f8", "integer": "<i4"}
    fields = [
        (one["name"], codes.get(one["type"], f"S{one.get('length')}"), tuple(one.get("size", ())))
        for one in info["parameters"]
    ]
    return np.frombuffer(body, np.dtype(fields))


@pytest.mark.parametrize(("server", "dataset", "names", "span"), RECORDED, ids=[one[1] for one in RECORDED])
def test_recorded_binary(
    real_data: Path, tmp_path: Path, server: str, dataset: str, names: list[str], span: str
) -> None:
    info, body = recorded(real_data / "plasma" / "hapi_recordings" / server, dataset, names, span)
    records = by_hand(info, body)
    with HapiServer({dataset: Served.of_binary(info, body)}, version="2.0") as loopback:
        source = HapiSource("demo", loopback.url, tmp_path, piece_bytes=400_000)
        products = source.inventory(silent)
        data = source.fetch(products[0], Request(products[0].path), silent)
        leaves = {one.address: source.fetch(one, Request(one.path), silent) for one in products[1:]}
    assert len(records) > 5
    kinds = {one.address: one.kind for one in products}
    for address, one in leaves.items():
        check(kinds[address], one)
    assert data["time"].size == len(records)
    first, last = (np.datetime64(iso(records["Time"][at]), "ns") for at in (0, -1))
    assert (data["time"].to_numpy()[0], data["time"].to_numpy()[-1]) == (first, last)
    for parameter in info["parameters"][1:]:
        raw = records[parameter["name"]].astype(float)
        fill = float(parameter["fill"] or "nan")
        expected = np.where((raw == fill) | np.isclose(raw, fill, rtol=1e-7, atol=0), np.nan, raw)
        np.testing.assert_array_equal(data[parameter["name"]].to_numpy(), expected)
        alone = leaves[json.dumps([dataset, parameter["name"]])]
        np.testing.assert_array_equal(alone[parameter["name"]].to_numpy(), expected)
        assert data[parameter["name"]].attrs["units"] == parameter["units"].strip()


def iso(cell: bytes) -> str:
    """A calendar date from a calendar or day-of-year date."""
    text = cell.decode().rstrip("\0Z")
    date, _, clock = text.partition("T")
    if len(date) != 8:
        return text
    day = np.datetime64(date[:4], "D") + np.timedelta64(int(date[5:]) - 1, "D")
    return f"{day}T{clock}"


def test_recorded_bins_make_a_spectrogram(real_data: Path, tmp_path: Path) -> None:
    info, body = recorded(real_data / "plasma" / "hapi_recordings" / CDAWEB, *RECORDED[3][1:])
    with HapiServer({"STA_L1_SIT": Served.of_binary(info, body)}, version="2.0") as loopback:
        source = HapiSource("demo", loopback.url, tmp_path)
        _, intensity = source.inventory(silent)
        data = source.fetch(intensity, Request(intensity.path), silent)
    assert intensity.kind == "spectrogram"
    energy = data[data["H_Intensity"].attrs["DEPEND_1"]]
    assert energy.to_numpy().tolist() == info["parameters"][1]["bins"][0]["centers"]
    assert energy.attrs["units"] == "MeV/nuc"


def fixture(folder: Path, name: str) -> tuple[dict[str, Any], bytes]:
    """Take header and data of a fixture apart, by hand."""
    body = (folder / "plasma" / "speasy_fixtures" / name).read_bytes()
    lines = body.split(b"\n")
    count = next(i for i, line in enumerate(lines) if not line.startswith(b"#"))
    info = json.loads(b"\n".join(line[1:] for line in lines[:count]))
    info = {key: value for key, value in info.items() if key not in {"HAPI", "status", "format"}}
    info.setdefault("startDate", "1997-09-02Z")
    info.setdefault("stopDate", "1997-09-05Z")
    return info, b"\n".join(lines[count:])


def without_fill(values: Any) -> Any:
    return np.where(values == -1e31, np.nan, values)


BINARY = [
    "HAPI_amda_imf_all.binary",
    "HAPI_ndData_TimeIndependent_Axis.binary",
    "HAPI_ndData_TimeVarying_Axis.binary",
    "HAPI_sample_TestData3.3.binary",
]


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("name", BINARY)
def test_binary_fixture(real_data: Path, tmp_path: Path, name: str, header: bool) -> None:
    info, body = fixture(real_data, name)
    records = by_hand(info, body)
    with HapiServer({"d": Served.of_binary(info, body)}, version="3.3", header=header) as loopback:
        source = HapiSource("demo", loopback.url, tmp_path)
        whole, *leaves = source.inventory(silent)
        data = source.fetch(whole, Request(whole.path), silent)
        for one in leaves:
            check(one.kind, source.fetch(one, Request(one.path), silent))
    rows = data["time"].size
    assert rows >= len(records) - 1
    for parameter in info["parameters"][1:]:
        np.testing.assert_array_equal(data[parameter["name"]], without_fill(records[parameter["name"]][:rows]))


def test_time_varying_bins(real_data: Path, tmp_path: Path) -> None:
    info, body = fixture(real_data, "HAPI_ndData_TimeVarying_Axis.binary")
    records = by_hand(info, body)
    with HapiServer({"d": Served.of_binary(info, body)}, version="3.0") as loopback:
        source = HapiSource("demo", loopback.url, tmp_path)
        leaf = {one.path: one for one in source.inventory(silent)}["demo/d/spectra_time_dependent_bins"]
        data = source.fetch(leaf, Request(leaf.path), silent)
    assert leaf.kind == "spectrogram"
    spectra = data["spectra_time_dependent_bins"]
    centers = data[spectra.attrs["DEPEND_1"]]
    assert list(data.data_vars) == ["spectra_time_dependent_bins"]
    assert centers.dims == spectra.dims
    expected = without_fill(records["frequency_centers_time_varying"][: data["time"].size])
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(centers, expected)
    assert centers.attrs["units"] == "Hz"
    assert data["frequency_ranges_time_varying"].dims == (*spectra.dims, "bound")


@pytest.mark.parametrize(
    "name", ["HAPI_sample_csv.csv", "HAPI_sample_csv_multiple_vars.csv", "HAPI_ndData_TimeIndependent_Axis.csv"]
)
def test_csv_fixture(real_data: Path, tmp_path: Path, name: str) -> None:
    info, body = fixture(real_data, name)
    rows = [line.split(",") for line in body.decode().splitlines() if line]
    with HapiServer({"d": Served.of_csv(info, body)}, version="2.0", formats=("csv",), header=True) as loopback:
        source = HapiSource("demo", loopback.url, tmp_path)
        whole, *_ = source.inventory(silent)
        data = source.fetch(whole, Request(whole.path), silent)
    kept = data["time"].size
    assert kept >= len(rows) - 1
    expected = np.array([[float(cell) for cell in row[1:]] for row in rows[:kept]])
    flat = [data[one["name"]].to_numpy().reshape(kept, -1) for one in info["parameters"][1:]]
    np.testing.assert_array_equal(np.column_stack(flat), expected)


def test_csv_and_binary_of_the_same_agree(real_data: Path, tmp_path: Path) -> None:
    answers = []
    for name, formats in (("csv", ("csv",)), ("binary", ("csv", "binary"))):
        info, body = fixture(real_data, f"HAPI_ndData_TimeIndependent_Axis.{name}")
        served = Served.of_csv(info, body) if name == "csv" else Served.of_binary(info, body)
        with HapiServer({"d": served}, version="2.0", formats=formats) as loopback:
            source = HapiSource("demo", loopback.url, tmp_path / name)
            leaf = source.inventory(silent)[1]
            answers.append(source.fetch(leaf, Request(leaf.path), silent))
    text, packed = answers
    packed = packed.sel(time=text["time"])
    assert text["time"].size == 18
    assert text.equals(packed)
    assert leaf.kind == "spectrogram"
    assert text["Energy_bounds"].to_numpy().tolist()[0] == [0.038, 0.053]


def test_a_recorded_answer_with_a_cut_record_is_refused(real_data: Path, tmp_path: Path) -> None:
    info, body = fixture(real_data, "HAPI_ndData_TimeVarying_Axis.csv")
    info["stopDate"] = "1970-01-02Z"
    from armillary.model import Interval
    from armillary.sources.hapi.client import Body, Dialect
    from armillary.sources.hapi.info import read_info
    from armillary.sources.hapi.pieces import Question, decode

    question = Question(
        server=None,  # type: ignore[arg-type]
        dialect=Dialect("3.0"),
        dataset="d",
        info=(told := read_info(info, "d")),
        columns=told.columns,
        all_columns=True,
        piece_bytes=1,
    )
    span = Interval.of("1970-01-01", "1970-01-02")
    with pytest.raises(BadAnswer, match="cut short"):
        decode(question, Body(1200, body, {}, "u"), span)
    whole_rows = body[: body.rindex(b"\n") + 1]
    data = decode(question, Body(1200, whole_rows, {}, "u"), span)
    assert data["frequency_centers_time_varying"].tolist() == [[11, 13, 15, 17, 19, 21, 23, 25, 27, 29]]
