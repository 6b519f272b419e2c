"""Values, times and metadata of CDFs, against two other readers and against what was written."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import Cancelled, DamagedFile, UnknownProduct
from armillary.model import Extent, Interval
from armillary.model.kinds import check
from armillary.model.protocols import silent
from armillary.sources.files import cdf
from armillary.sources.files.cdf_istp import is_missing, plain_units
from armillary.sources.files.cdf_octets import Broken, inflate
from armillary.sources.files.cdf_records import EPOCH, EPOCH16, TT2000, survey
from armillary.sources.files.cdf_values import utc, utc_of_unix, values

WRITTEN = ("plain", "column", "gzip", "whole", "epoch")
MMS = "mms1_fpi_dis_moms/mms1_fpi_fast_l2_dis-moms_20151017060000_v3.4.0.cdf"
HOPE = "spacepy/rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf"
EPILO = "spacepy/psp_isois-epilo_l2-ic_20190401_v0.0.0.cdf"
CORPUS = "cdf_corpus/cdfpp"


def everything(path: Path, name: str) -> Any:
    return cdf.read(path, name, Extent(), silent)


def real_files(real_data: Path) -> list[Path]:
    return sorted(path for path in real_data.rglob("*.cdf") if path.name != "not_a_cdf.cdf")


def same(ours: Any, theirs: Any) -> bool:
    return bool(np.array_equal(np.squeeze(ours), np.squeeze(theirs), equal_nan=ours.dtype.kind == "f"))


# --- what was written ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", WRITTEN)
def test_description_is_the_same_however_the_file_is_laid_out(written_cdfs: Path, layout: str) -> None:
    summary = cdf.describe(written_cdfs / f"{layout}.cdf")
    assert (summary.format, summary.dataset, summary.title) == ("CDF", "toy_l2_ions", "Ions of a toy")
    assert summary.citation == "Thank the toy maker 10.1000/toy"
    assert {one.name: one.kind for one in summary.variables} == {
        "density": "series", "velocity": "series", "flux": "spectrogram", "phase_density": "distribution",
        "unwritten": "series", "energy": "series",
    }  # fmt: skip
    # TT2000 has the second 23:59:60 (its sample is read as 00:00:00), CDF_EPOCH counts on without it.
    last = "2017-01-01T00:00:24" if layout == "epoch" else "2017-01-01T00:00:23"
    assert summary.coverage == Interval.of("2016-12-31T23:59:45", f"{last}.000000001")
    by_name = {one.name: one for one in summary.variables}
    assert by_name["density"].units == "cm^-3"
    assert by_name["density"].rows == (39 if layout == "epoch" else 38)
    assert by_name["density"].cadence == 1.0
    assert (by_name["unwritten"].rows, by_name["unwritten"].units) == (0, "")


@pytest.mark.parametrize("layout", WRITTEN)
def test_values_are_those_written(written_cdfs: Path, layout: str) -> None:
    import cdflib

    path = written_cdfs / f"{layout}.cdf"
    theirs = cdflib.CDF(path)
    with survey(path) as file:
        for name in ("density", "velocity", "flux", "energy", "phase_density"):
            ours = values(file, file.variables[name])
            assert same(ours, theirs.varget(name)), name
            assert ours.flags.writeable


def test_a_series_is_sorted_without_fills_and_twins(written_cdfs: Path) -> None:
    data = check("series", everything(written_cdfs / "plain.cdf", "density"))
    # Record 3 has no time, 5 no value, 16 the time of 15 (the leap second), the last two are exchanged.
    expected = [n for n in range(40) if n not in {3, 16, 38, 39}] + [39, 38]
    found = data["density"].to_numpy()
    assert np.isnan(found[4])
    assert [int(one) for one in np.delete(found, 4)] == [n for n in expected if n != 5]
    attrs = data["density"].attrs
    assert (attrs["units"], attrs["long_name"], attrs["SCALETYP"]) == ("cm^-3", "Ion density", "log")
    assert (attrs["VALIDMIN"], attrs["FILLVAL"], attrs["LABLAXIS"]) == (0, -32768, "n")


def test_whole_numbers_stay_whole_without_fills(written_cdfs: Path) -> None:
    extent = Extent(time=Interval.of("2017-01-01T00:00:05", "2017-01-01T00:00:10"))
    data = cdf.read(written_cdfs / "gzip.cdf", "density", extent, silent)
    assert data["density"].dtype == np.int16
    assert data["density"].to_numpy().tolist() == [21, 22, 23, 24, 25]


@given(a=st.integers(-5, 45), b=st.integers(-5, 45))
def test_a_part_is_the_same_part_of_the_whole(written_cdfs: Path, a: int, b: int) -> None:
    start = Interval.of("2016-12-31T23:59:45", "2017-01-01").start
    low, high = start + min(a, b) * 10**9, start + max(a, b) * 10**9 + 1
    extent = Extent(time=Interval(low, high))
    path = written_cdfs / "gzip.cdf"
    whole = everything(path, "flux")
    inside = [low <= int(one) < high for one in whole["time"].to_numpy().astype(np.int64)]
    assert cdf.read(path, "flux", extent, silent).identical(whole.isel(time=np.flatnonzero(inside)))


def test_axes_and_labels_come_along(written_cdfs: Path) -> None:
    flux = check("spectrogram", everything(written_cdfs / "plain.cdf", "flux"))
    assert flux["flux"].attrs["DEPEND_1"] == "energy"
    assert flux["energy"].dims == ("time", "energy_bin")
    assert flux["energy"].attrs["units"] == "eV"
    assert int(np.isnan(flux["flux"]).sum()) == 1
    velocity = everything(written_cdfs / "plain.cdf", "velocity")["velocity"]
    assert velocity["velocity_labels"].to_numpy().tolist() == ["Vx", "Vy", "Vz"]
    dist = check("distribution", everything(written_cdfs / "plain.cdf", "phase_density"))
    assert dist["phase_density"].dims == ("time", "azimuth", "polar", "steps")


def test_one_axis_of_two_dimensions_is_there_for_both(tmp_path: Path) -> None:
    from cdflib.cdfwrite import CDF

    file = CDF(tmp_path / "tensor.cdf")
    file.write_globalattrs({"Logical_source": {0: "toy"}})

    def add(name: str, data_type: int, data: Any, sizes: list[int], *, varies: bool = True, **attrs: str) -> None:
        spec = {"Variable": name, "Data_Type": data_type, "Num_Elements": 1, "Rec_Vary": varies, "Dim_Sizes": sizes}
        file.write_var(spec, var_attrs=attrs, var_data=data)

    add("Epoch", 31, 6.3e13 + np.arange(4.0), [])
    add("xyz", 51, ["x", "y", "z"], [3], varies=False, VAR_TYPE="metadata")
    add("angle", 45, np.arange(3.0), [3], varies=False, VAR_TYPE="support_data")
    for name, axis in (("stress", "xyz"), ("spread", "angle")):
        about = {"VAR_TYPE": "data", "DEPEND_0": "Epoch", "DEPEND_1": axis, "DEPEND_2": axis}
        add(name, 45, np.arange(36.0).reshape(4, 3, 3), [3, 3], **about)
    file.close()
    for name, axis in (("stress", "xyz"), ("spread", "angle")):
        data = everything(tmp_path / "tensor.cdf", name)
        assert data[name].dims == ("time", axis, f"{axis}_2")
        assert data[f"{axis}_2"].dims == (f"{axis}_2",)
        assert data[f"{axis}_2"].values.tolist() == data[axis].values.tolist()
    assert everything(tmp_path / "tensor.cdf", "spread")["spread"].attrs["DEPEND_2"] == "angle_2"


def test_the_whole_file_is_every_product_of_one_epoch(written_cdfs: Path) -> None:
    data = check("series", everything(written_cdfs / "plain.cdf", ""))
    assert set(data.data_vars) == {"density", "velocity", "flux", "phase_density"}
    assert "energy" in data.coords
    assert data.attrs["citation"] == "Thank the toy maker 10.1000/toy"


def test_what_was_never_written_is_empty(written_cdfs: Path) -> None:
    data = check("series", everything(written_cdfs / "plain.cdf", "unwritten"))
    assert data.sizes["time"] == 0


def test_an_unknown_variable_is_named(written_cdfs: Path) -> None:
    with pytest.raises(UnknownProduct, match=r"plain\.cdf has no product 'mode'"):
        everything(written_cdfs / "plain.cdf", "mode")


def test_progress_may_cancel(written_cdfs: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled("stopped", "ask again")

    with pytest.raises(Cancelled):
        cdf.read(written_cdfs / "plain.cdf", "flux", Extent(), stop)


@pytest.mark.parametrize(
    "content", [b"", b"\xcd\xf3\x00\x01", b"not a CDF at all", b"\xcd\xf3\x00\x01\xcc\xcc\x00\x01" * 9]
)
def test_what_is_no_cdf_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.cdf"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"^bad\.cdf is damaged: "):
        cdf.describe(path)
    with pytest.raises(DamagedFile, match=r"^missing\.cdf cannot be read: "):
        cdf.describe(tmp_path / "missing.cdf")


def test_a_flipped_bit_in_compressed_values_is_noticed(written_cdfs: Path, tmp_path: Path) -> None:
    data = bytearray((written_cdfs / "gzip.cdf").read_bytes())
    with survey(written_cdfs / "gzip.cdf") as file:
        from armillary.sources.files.cdf_records import blocks

        block = blocks(file, file.variables["flux"])[0]
    assert block.compression == 5
    data[block.at + block.size // 2] ^= 4
    path = tmp_path / "flipped.cdf"
    path.write_bytes(data)
    assert cdf.describe(path).variables
    with pytest.raises(DamagedFile, match="compressed record"):
        everything(path, "flux")


def test_times_in_seconds_since_1970_stand_in_for_an_epoch_to_be_computed(tmp_path: Path) -> None:
    """As THEMIS keeps its times."""
    from cdflib.cdfwrite import CDF

    file = CDF(tmp_path / "themis.cdf")
    spec = {"Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": []}
    file.write_var({**spec, "Variable": "epoch", "Data_Type": 31}, {"VAR_TYPE": "support_data", "VIRTUAL": "TRUE"})
    seconds = np.array([0.0, 1.5, 3.0])
    file.write_var({**spec, "Variable": "time", "Data_Type": 45}, {"VAR_TYPE": "support_data", "UNITS": "sec"}, seconds)
    attrs = {"VAR_TYPE": "data", "DEPEND_0": "epoch", "DEPEND_TIME": "time", "UNITS": "nT"}
    file.write_var({**spec, "Variable": "b", "Data_Type": 45}, attrs, np.arange(3.0))
    file.close()
    summary = cdf.describe(tmp_path / "themis.cdf")
    assert [(one.name, one.rows, one.cadence) for one in summary.variables] == [("b", 3, 1.5)]
    assert summary.coverage == Interval.of("1970-01-01", "1970-01-01T00:00:03.000000001")
    extent = Extent(time=Interval.of("1970-01-01T00:00:01", "1970-01-01T00:00:03"))
    assert cdf.read(tmp_path / "themis.cdf", "b", extent, silent)["b"].to_numpy().tolist() == [1.0]


@pytest.mark.parametrize("sparse", ["pad_sparse", "prev_sparse"])
def test_records_that_are_not_there_are_padded_or_repeated(tmp_path: Path, sparse: str) -> None:
    from cdflib.cdfwrite import CDF

    file = CDF(tmp_path / "sparse.cdf")
    spec = {"Variable": "x", "Data_Type": 4, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": [], "Sparse": sparse,
            "Pad": np.array([-5], np.int32), "Compress": 0}  # fmt: skip
    file.write_var(spec, var_data=[[1, 2, 5], np.array([10, 20, 50], np.int32)])
    file.close()
    expected = [-5, 10, 20, -5, -5, 50] if sparse == "pad_sparse" else [-5, 10, 20, 20, 20, 50]
    with survey(tmp_path / "sparse.cdf") as opened:
        one = opened.variables["x"]
        assert values(opened, one).tolist() == expected
        for first in range(7):
            for stop in range(first, 7):
                assert values(opened, one, first, stop).tolist() == expected[first:stop]


# --- pieces -------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_runs_of_zeros_go_there_and_back(plain: bytes) -> None:
    packed, at = bytearray(), 0
    while at < len(plain):
        if plain[at]:
            packed.append(plain[at])
            at += 1
            continue
        run = len(plain[at:]) - len(plain[at:].lstrip(b"\0"))
        packed += bytes((0, min(run, 256) - 1))
        at += min(run, 256)
    assert inflate(bytes(packed), 1, len(plain)) == plain


def test_a_bomb_is_not_inflated() -> None:
    import gzip

    with pytest.raises(Broken, match="cannot become"):
        inflate(gzip.compress(bytes(100)), 5, 1 << 40)
    assert len(inflate(gzip.compress(bytes(1 << 20)), 5, 100)) == 100


@given(st.integers(-8 * 10**18, 8 * 10**18))
def test_tt2000_agrees_with_cdflib_outside_leap_seconds(tick: int) -> None:
    from cdflib import cdfepoch

    parts = cdfepoch.breakdown_tt2000(np.array([tick]))
    theirs = cdfepoch.to_datetime(np.array([tick])).astype("datetime64[ns]").astype(np.int64)
    ours = utc(np.array([tick]), TT2000)
    if np.atleast_2d(parts)[0, 5] < 60:
        assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize(("ticks", "when"), [
    (0, "2000-01-01T11:58:55.816"),
    (536500868184000000 - 10**9, "2016-12-31T23:59:59.000"),
    (536500868184000000 + 5 * 10**8, "2017-01-01T00:00:00.000"),
    (536500869184000000, "2017-01-01T00:00:00.000"),
    (536500869184000001, "2017-01-01T00:00:00.000000001"),
])  # fmt: skip
def test_leap_seconds_of_tt2000(ticks: int, when: str) -> None:
    assert utc(np.array([ticks]), TT2000).view("datetime64[ns]")[0] == np.datetime64(when, "ns")


def test_tt2000_agrees_with_astropy() -> None:
    from astropy.time import Time

    days = np.array(["1975-03-01T00:00:00", "1999-01-01T12:00:00", "2012-07-01T00:00:00", "2024-02-29T01:02:03"])
    since = (Time(days, scale="utc").tt - Time("2000-01-01T12:00:00", scale="tt")).to_value("s")
    ticks = np.rint(since * 1e3).astype(np.int64) * 10**6
    assert utc(ticks, TT2000).view("datetime64[ns]").tolist() == days.astype("datetime64[ns]").tolist()


def test_the_other_epochs_and_their_fills() -> None:
    nat = np.iinfo(np.int64).min
    assert utc(np.array([62167219200000.5, -1e31, 0.0, np.nan, np.inf]), EPOCH).tolist() == [500_000, *[nat] * 4]
    pairs = np.array([[62167219200.0, 1234567.0], [-1e31, -1e31], [62167219199.0, 999_999_999_999.0]])
    assert utc(pairs, EPOCH16).tolist() == [1234, nat, -1]
    assert utc(np.array([-(2**63), -(2**63) + 1, 2**63 - 1]), TT2000).tolist() == [nat] * 3
    assert utc_of_unix(np.array([0.25, np.nan, 1e300])).tolist() == [250_000_000, nat, nat]


def test_fill_values_are_met_in_the_precision_of_the_data() -> None:
    assert is_missing(np.array([1, -1e31], np.float32), -1e31).tolist() == [False, True]
    assert is_missing(np.array([1, -1e31], np.float32), float(np.float32(-1e31))).tolist() == [False, True]
    assert is_missing(np.array([255, 3], np.uint8), -128).tolist() == [False, False]
    assert is_missing(np.array([255, 3], np.uint8), 255.0).tolist() == [True, False]
    assert is_missing(np.array([1.0]), float("nan")).tolist() == [False]
    assert is_missing(np.array([1]), float("inf")).tolist() == [False]


def test_units_lose_their_typesetting() -> None:
    assert plain_units("s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N") == "s^-1 cm^-2 ster^-1 keV^-1"
    assert plain_units("km/s") == "km/s"


# --- real files ---------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_every_value_of_every_real_file_is_that_of_cdflib(real_data: Path) -> None:
    import cdflib

    compared = 0
    for path in real_files(real_data):
        with survey(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = cdflib.CDF(path, string_encoding="utf8")
            for one in file.variables.values():
                # cdflib gives no previous value for records of a sparse variable that are not there
                if one.records and not one.is_text and not one.is_time and not one.sparse:
                    assert same(values(file, one), theirs.varget(one.name)), (path.name, one.name)
                    compared += 1
    assert compared > 500


@pytest.mark.real
def test_every_value_and_time_of_every_real_file_is_that_of_pycdfpp(real_data: Path) -> None:
    pycdfpp = pytest.importorskip("pycdfpp", reason="needs the extra plasma")
    compared = 0
    for path in real_files(real_data):
        theirs = pycdfpp.load(str(path))
        with survey(path) as file:
            assert set(file.variables) == set(theirs)
            for one in file.variables.values():
                ours = values(file, one)
                if one.is_time:
                    ours = utc(ours, one.data_type)
                    other = pycdfpp.to_datetime64(theirs[one.name]).astype("datetime64[ns]").astype(np.int64)
                    other = other.reshape(ours.shape)
                    # The model reads a time within a leap second as the first instant after it.
                    assert np.abs(ours - other).max(initial=0) < 10**9, (path.name, one.name)
                    assert (ours != other).sum() <= 1, (path.name, one.name)
                elif not one.is_text:
                    assert same(ours, theirs[one.name].values), (path.name, one.name)
                compared += 1
    assert compared > 1000


@pytest.mark.real
def test_a_part_of_a_real_variable_is_that_part_of_the_whole(real_data: Path) -> None:
    for path in real_files(real_data):
        with survey(path) as file:
            for one in list(file.variables.values())[::5]:
                whole, third = values(file, one), one.records // 3
                for first, stop in ((0, third), (third, 2 * third + 1), (one.records - 1, one.records)):
                    part = values(file, one, max(first, 0), stop)
                    assert part.tobytes() == whole[max(first, 0) : stop].tobytes(), (path.name, one.name)


@pytest.mark.real
def test_every_real_product_keeps_its_promise(real_data: Path) -> None:
    products = 0
    for path in real_files(real_data):
        summary = cdf.describe(path)
        shown = summary.variables if len(summary.variables) < 60 else summary.variables[::9]
        for one in shown:
            data = check(one.kind, everything(path, one.name), f"{path.name} {one.name}")
            assert data.sizes["time"] == one.rows
            assert one.name in data.data_vars
            products += 1
        if summary.variables:
            check("series", everything(path, ""), path.name)
    assert products > 300


@pytest.mark.real
def test_mms_ion_moments(real_data: Path) -> None:
    path = real_data / "plasma" / MMS
    summary = cdf.describe(path)
    assert summary.dataset == "mms1_fpi_fast_l2_dis-moms"
    assert summary.coverage == Interval.of("2015-10-17T06:00:01.269135", "2015-10-17T07:59:56.817092001")
    omni = everything(path, "mms1_dis_energyspectr_omni_fast")
    check("spectrogram", omni)
    energy = omni["mms1_dis_energy_fast"]
    assert (energy.dims[0], energy.attrs["units"], energy.attrs["SCALETYP"]) == ("time", "eV", "log")
    assert 1 < float(energy.min()) < 30
    assert 20_000 < float(energy.max()) < 40_000
    velocity = everything(path, "mms1_dis_bulkv_gse_fast")["mms1_dis_bulkv_gse_fast"]
    labels = velocity[velocity.dims[1]].to_numpy().tolist()
    assert len(labels) == 3
    assert "x" in labels[0].lower()
    assert velocity.attrs["units"] == "km/s"
    tensor = everything(path, "mms1_dis_prestensor_gse_fast")["mms1_dis_prestensor_gse_fast"]
    assert [tensor[dim].values.tolist() for dim in tensor.dims[1:]] == [["x", "y", "z"]] * 2


@pytest.mark.real
def test_axes_of_two_dimensions(real_data: Path) -> None:
    hope = everything(real_data / "plasma" / HOPE, "FPDU")
    assert hope["FPDU"].dims[:2] == ("time", "PITCH_ANGLE")
    assert hope["FPDU"].attrs["units"] == "s^-1 cm^-2 ster^-1 keV^-1"
    assert hope["PITCH_ANGLE"].to_numpy()[[0, -1]].tolist() == [4.5, 175.5]
    assert hope["HOPE_ENERGY_Ion"].dims == ("time", hope["FPDU"].dims[2])
    epilo = everything(real_data / "plasma" / EPILO, "H_CountRate_ChanT")
    assert epilo["H_ChanT_Energy"].dims == epilo["H_CountRate_ChanT"].dims[1:]
    assert epilo["H_ChanT_Energy"].attrs["units"] == "keV/nuc"


@pytest.mark.real
def test_the_corpus_holds_the_same_in_every_layout(real_data: Path) -> None:
    names = ("a_cdf", "a_cdf_with_compressed_vars", "a_compressed_cdf", "a_rle_compressed_cdf", "a_col_major_cdf")
    read = [everything(real_data / "plasma" / CORPUS / f"{name}.cdf", "var") for name in names]
    assert all(one.identical(read[0]) for one in read)
    folder = real_data / "plasma" / CORPUS
    found = []
    for name, variable in (("fragmented", "split_zvar"), ("contiguous", "")):
        with survey(folder / f"{name}.cdf") as file:
            one = file.variables.get(variable) or next(iter(file.variables.values()))
            found.append(values(file, one).tolist())
    assert found[0] == list(range(found[0][0], found[0][0] + len(found[0]))) or found[0] == found[1]
