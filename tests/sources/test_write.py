"""What is saved is read again by readers that nobody here wrote: values, times, units, lineage."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyarrow import parquet

from armillary import write
from armillary.errors import BadData, BadRequest, CannotWrite, NoData
from armillary.model.kinds import check, column, table_attrs, with_table_attrs
from armillary.sources.write import ENDINGS

LINEAGE = json.dumps({"recipe": "plasma/b_total", "unit": "µT"})
ATTRS = {"title": "Magnetic field", "citation": "Nobody (2026)", "licence": "CC0", "armillary_lineage": LINEAGE}
TIMES = np.array(
    # The second and third lie on both sides of a leap second.
    ["2015-10-17T04:30:00.000000001", "2016-12-31T23:59:59.999999999", "2017-01-01T00:00:00", "2020-02-29T12:00:00.5"],
    "datetime64[ns]",
)


def series() -> xr.Dataset:
    field = np.array([[1.5, np.nan, -3.25], [0.1, 2, 3], [4, 5, 6], [7, 8, 1e-30]])
    return xr.Dataset(
        {
            "b_gse": (("time", "component"), field, {"units": "nT", "long_name": "field", "VALIDMIN": -100.0}),
            "n": ("time", np.array([1.0, np.nan, 3, 4], np.float32), {"units": "cm**-3", "SCALETYP": "log"}),
            "mode": ("time", np.array([1, 2, 3, 2**40 + 1], np.int64), {"units": ""}),
            "good": ("time", np.array([True, False, True, True]), {"units": ""}),
        },
        {"time": TIMES, "component": ["x", "y", "z"]},
        ATTRS,
    )


def spectrogram() -> xr.Dataset:
    flux = np.arange(12, dtype=np.float32).reshape(4, 3)
    attrs = {"units": "1/s", "DISPLAY_TYPE": "spectrogram", "SCALETYP": "log", "DEPEND_1": "energy"}
    energy = ("energy", [10.0, 100, 1000], {"units": "eV"})
    return xr.Dataset({"flux": (("time", "energy"), flux, attrs)}, {"time": TIMES, "energy": energy}, ATTRS)


def distribution() -> xr.Dataset:
    shape = (4, 2, 3, 5)
    dims = ("time", "azimuth", "polar", "energy")
    values = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    axes = {name: (name, np.arange(float(size)), {"units": ""}) for name, size in zip(dims[1:], shape[1:], strict=True)}
    return xr.Dataset({"f": (dims, values, {"units": "s**3 m**-6"})}, {"time": TIMES, **axes}, ATTRS)


def raster() -> xr.Dataset:
    values = np.arange(4 * 2 * 5 * 6, dtype=np.float32).reshape(4, 2, 5, 6)
    values[0, 0, 0, 0] = np.nan
    coords = {
        "time": TIMES,
        "band": ["B04", "B08"],
        "y": 5_100_050 - 10.0 * np.arange(5),
        "x": 400_005 + 10.0 * np.arange(6),
    }
    variables = {"reflectance": (("time", "band", "y", "x"), values, {"units": "1"})}
    return xr.Dataset(variables, coords, ATTRS | {"crs": "EPSG:32633"})


def cube() -> xr.Dataset:
    values = np.arange(24, dtype=np.float64).reshape(4, 2, 3)
    coords = {"wavelength": ("wavelength", [0.4, 0.5, 0.6, 0.7], {"units": "um"})}
    return xr.Dataset({"radiance": (("wavelength", "y", "x"), values, {"units": "1"})}, coords, ATTRS)


def packets() -> xr.Dataset:
    return xr.Dataset(
        {
            "apid": ("time", np.array([1, 2, 1, 2]), {"units": ""}),
            "sequence": ("time", np.arange(4), {"units": ""}),
            "octets": (("time", "octet"), np.arange(32, dtype=np.uint8).reshape(4, 8), {"units": ""}),
        },
        {"time": TIMES},
        ATTRS,
    )


def sources() -> pa.Table:
    schema = pa.schema(
        [
            column("source_id", pa.int64(), "", "Gaia DR3 number"),
            column("ra", pa.float64(), "deg"),
            column("dec", pa.float64(), "deg"),
            column("parallax", pa.float64(), "mas"),
            column("name", pa.string()),
            column("members", pa.int32()),
            column("seen", pa.timestamp("us", "UTC"), "", "when"),
        ]
    )
    seen = np.array(["2016-01-01T00:00:00.000001", "NaT", "2017-05-05"], "datetime64[us]")
    rows: dict[str, Any] = {
        "source_id": [2**62 + 1, 5, 7],
        "ra": [1.5, 359.999999999999, 0.1],
        "dec": [-1.0, 2, 3],
        "parallax": [0.1, None, float("nan")],
        "name": ['a, "b"', None, "µ #1"],
        "members": [1, None, 3],
        "seen": pa.array(seen, pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
    }
    return with_table_attrs(pa.table(rows, schema=schema), ATTRS)


KINDS: dict[str, Any] = {
    "series": series,
    "spectrogram": spectrogram,
    "distribution": distribution,
    "raster": raster,
    "cube": cube,
    "packets": packets,
    "sources": sources,
}
#: What a format cannot hold; everything else it must.
REFUSED = {
    *((kind, ending) for kind in ("distribution", "raster", "cube") for ending in (".vot", ".fits")),
    *((kind, ".tif") for kind in ("series", "spectrogram", "distribution", "packets", "sources")),
}


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_to_every_format_or_is_refused_by_name(kind: str, ending: str, tmp_path: Path) -> None:
    data = check(kind, KINDS[kind]())
    target = tmp_path / f"it{ending}"
    if (kind, ending) in REFUSED:
        with pytest.raises(CannotWrite, match=r"Next step: save (it|them) as \.\w+"):
            write(data, target)
        assert list(tmp_path.iterdir()) == []
        return
    assert write(data, target) == target
    assert list(tmp_path.iterdir()) == [target]
    again = open_again(target)
    assert LINEAGE in again or json.dumps(LINEAGE)[1:-1] in again or "u00b5" in again


def open_again(path: Path) -> str:
    """Give all attributes of a file as one text."""
    ending = path.suffix
    if path.suffix in {".nc", ".zarr"}:
        return str(open_dataset(path).attrs["armillary_lineage"])
    if ending == ".tif":
        import rasterio

        with rasterio.open(path) as file:
            return str(file.tags()["armillary_lineage"])
    if ending == ".cdf":
        import pycdfpp

        return str(pycdfpp.load(str(path)).attributes["armillary_lineage"][0])
    if ending == ".parquet":
        return str(table_attrs(parquet.read_table(path))["armillary_lineage"])
    if ending == ".fits":
        from astropy.io import fits

        return str(fits.getheader(path, 1)["ARMLINE"])
    text = gzip.decompress(path.read_bytes()) if ending == ".gz" else path.read_bytes()
    return text[:20_000].decode("utf-8", "replace").replace("&quot;", '"')


def open_dataset(path: Path) -> xr.Dataset:
    if path.suffix == ".zarr":
        with xr.open_zarr(path, chunks=None) as found:
            return found.load()
    with xr.open_dataset(path, engine="h5netcdf") as found:
        return found.load()


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
@pytest.mark.parametrize("kind", ["series", "spectrogram", "distribution", "raster", "cube", "packets"])
def test_xarray_reads_the_same_dataset(kind: str, ending: str, tmp_path: Path) -> None:
    data = KINDS[kind]()
    again = open_dataset(write(data, tmp_path / f"it{ending}"))
    for name, one in data.variables.items():
        assert np.array_equal(again[name].values.astype(one.dtype), one.values, equal_nan=one.dtype.kind == "f"), name
        assert again[name].dtype == one.dtype or one.dtype.kind == "U"
        assert {k: v for k, v in again[name].attrs.items() if k in one.attrs} == one.attrs
    assert {key: again.attrs[key] for key in data.attrs} == data.attrs
    assert again.attrs["Conventions"] == "CF-1.11"
    check(kind, again.drop_vars("spatial_ref", errors="ignore"))


def test_a_map_in_netcdf_says_its_grid_mapping(tmp_path: Path) -> None:
    again = open_dataset(write(raster(), tmp_path / "it.nc"))
    assert again["reflectance"].attrs.get("grid_mapping") or again["reflectance"].encoding["grid_mapping"]
    assert "32633" in again["spatial_ref"].attrs["crs_wkt"]


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_tables_keep_numbers_and_gaps_in_array_files(ending: str, tmp_path: Path) -> None:
    again = open_dataset(write(sources(), tmp_path / f"it{ending}"))
    assert again["source_id"].values.tolist() == [2**62 + 1, 5, 7]
    assert np.array_equal(again["members"].values, [1, np.nan, 3], equal_nan=True)
    assert np.array_equal(again["parallax"].values, [0.1, np.nan, np.nan], equal_nan=True)
    assert again["parallax"].attrs["units"] == "mas"
    assert again["source_id"].attrs["long_name"] == "Gaia DR3 number"
    assert np.isnat(again["seen"].values).tolist() == [False, True, False]
    assert again["seen"].values[0] == np.datetime64("2016-01-01T00:00:00.000001")


def test_cdf_is_read_by_both_readers(tmp_path: Path) -> None:
    import cdflib
    import pycdfpp

    path = write(series(), tmp_path / "it.cdf")
    fast, safe = pycdfpp.load(str(path)), cdflib.CDF(path)
    assert (pycdfpp.to_datetime64(fast["Epoch"]) == TIMES).all()
    assert (cdflib.cdfepoch.to_datetime(safe.varget("Epoch")) == TIMES).all()
    expected = np.where(np.isnan(series()["b_gse"].values), -1e31, series()["b_gse"].values)
    assert np.array_equal(fast["b_gse"].values, expected)
    assert np.array_equal(safe.varget("b_gse"), expected)
    attrs = safe.varattsget("b_gse")
    assert (attrs["UNITS"], attrs["FILLVAL"], attrs["DEPEND_0"], attrs["LABL_PTR_1"]) == (
        "nT",
        -1e31,
        "Epoch",
        "component",
    )
    assert attrs["VALIDMIN"] == -100
    assert safe.varget("component").tolist() == ["x", "y", "z"]
    assert safe.varget("mode").tolist() == series()["mode"].values.tolist()
    assert {"Logical_source", "Logical_file_id", "TEXT", "Generation_date"} <= set(safe.globalattsget())
    missing = [(n, a) for n in safe.cdf_info().zVariables for a in ("CATDESC", "FIELDNAM", "VAR_TYPE", "FORMAT")
               if a not in safe.varattsget(n)]  # fmt: skip
    assert missing == []


def test_cdf_names_the_axes_of_spectrograms_and_distributions(tmp_path: Path) -> None:
    import cdflib

    flux = cdflib.CDF(write(spectrogram(), tmp_path / "s.cdf")).varattsget("flux")
    assert (flux["DEPEND_1"], flux["DISPLAY_TYPE"], flux["SCALETYP"]) == ("energy", "spectrogram", "log")
    file = cdflib.CDF(write(distribution(), tmp_path / "d.cdf"))
    assert [file.varattsget("f")[f"DEPEND_{n}"] for n in (1, 2, 3)] == ["azimuth", "polar", "energy"]
    assert np.array_equal(file.varget("f"), distribution()["f"].values)


def test_cdf_units_stay_true_for_readers_that_know_ascii_only(tmp_path: Path) -> None:
    import cdflib

    data = xr.Dataset({"b": ("time", np.zeros(4), {"units": "µT"})}, {"time": TIMES})
    assert cdflib.CDF(write(data, tmp_path / "it.cdf")).varattsget("b")["UNITS"] == "uT"


@pytest.mark.parametrize("ending", [".vot", ".fits"])
def test_astropy_reads_the_same_table(ending: str, tmp_path: Path) -> None:
    from astropy.table import Table

    again = Table.read(write(sources(), tmp_path / f"it{ending}"))
    assert again["source_id"].tolist() == [2**62 + 1, 5, 7]
    assert again["ra"].tolist() == sources()["ra"].to_pylist()
    assert again["parallax"].unit == "mas"
    assert again["members"].mask.tolist() == [False, True, False]
    assert again["seen"].tolist()[0] == "2016-01-01T00:00:00.000001000"
    wide = Table.read(
        write(series(), tmp_path / f"s{ending}"), **({"use_names_over_ids": True} if ending == ".vot" else {})
    )
    assert np.array_equal(np.asarray(wide["b_gse[x]"]), series()["b_gse"].values[:, 0])
    assert np.array_equal(np.ma.filled(wide["n"], np.nan), series()["n"].values, equal_nan=True)
    assert [np.datetime64(text) for text in wide["time"]] == TIMES.tolist() or (
        np.array(wide["time"].tolist(), "datetime64[ns]") == TIMES
    ).all()


def test_parquet_keeps_a_table_exactly(tmp_path: Path) -> None:
    again = parquet.read_table(write(sources(), tmp_path / "it.parquet"))
    assert again.drop_columns("parallax").equals(sources().drop_columns("parallax"), check_metadata=True)
    assert again["parallax"].null_count == 1


def test_a_series_is_wide_and_a_distribution_long(tmp_path: Path) -> None:
    wide = parquet.read_table(write(series(), tmp_path / "s.parquet"))
    assert wide.column_names == ["time", "b_gse[x]", "b_gse[y]", "b_gse[z]", "n", "mode", "good"]
    assert (wide["time"].cast(pa.int64()).to_numpy() == TIMES.astype(np.int64)).all()
    bins = parquet.read_table(write(spectrogram(), tmp_path / "f.parquet"))
    assert [json.loads(f.metadata[b"axis"])["energy"] for f in bins.schema if f.name != "time"] == [10, 100, 1000]
    assert table_attrs(bins)["constants"]["energy"]["units"] == "eV"
    long = parquet.read_table(write(KINDS["raster"](), tmp_path / "d.parquet"))
    assert long.num_rows == raster()["reflectance"].size
    expected = raster()["reflectance"].to_dataframe().reset_index()
    assert np.array_equal(long["reflectance"].to_numpy(), expected["reflectance"].to_numpy(), equal_nan=True)
    assert long["x"].to_pylist() == expected["x"].tolist()
    assert long["band"].to_pylist() == expected["band"].tolist()


def test_time_is_the_first_column_and_axes_that_change_in_time_the_last(tmp_path: Path) -> None:
    moving = np.arange(12.0).reshape(4, 3)
    coords = {"steps": (("time", "bin"), moving, {"units": "eV"}), "time": TIMES}
    flux = (("time", "bin"), -moving, {"units": "1/s"})
    data = xr.Dataset({"flux": flux}, coords).drop_indexes("time")
    wide = parquet.read_table(write(data, tmp_path / "w.parquet"))
    assert wide.column_names == ["time", *(f"{name}[{k}]" for name in ("flux", "steps") for k in range(3))]
    many = xr.Dataset({"f": (("time", "a", "b", "c"), np.arange(16.0).reshape(4, 2, 2, 1))}, {"b": [5, 6]})
    many = many.assign_coords(time=TIMES, mode=("time", list("abcd")))
    long = parquet.read_table(write(many, tmp_path / "l.parquet"))
    assert long.column_names == ["time", "a", "b", "c", "f", "mode"]
    assert long["b"].to_pylist()[:4] == [5, 6, 5, 6]
    assert long["f"].to_pylist() == list(range(16))


def test_csv_is_what_people_expect(tmp_path: Path) -> None:
    import pandas as pd

    path = write(series(), tmp_path / "it.csv")
    head, title, first, *_ = path.read_text("utf-8").splitlines()
    assert json.loads(head[2:])["attributes"]["title"] == "Magnetic field"
    assert title == "time,b_gse[x] [nT],b_gse[y] [nT],b_gse[z] [nT],n [cm**-3],mode,good"
    assert first == "2015-10-17T04:30:00.000000001Z,1.5,nan,-3.25,1,1,true"
    packed = write(series(), tmp_path / "it.csv.gz")
    assert gzip.decompress(packed.read_bytes()) == path.read_bytes()
    again = pd.read_csv(write(sources(), tmp_path / "t.csv"), comment="#", dtype_backend="pyarrow")
    assert again["source_id"].tolist() == [2**62 + 1, 5, 7]
    assert again["name"].tolist()[0::2] == ['a, "b"', "µ #1"]


def test_whole_seconds_stay_short_in_csv(tmp_path: Path) -> None:
    data = series().isel(time=[2, 2])
    assert write(data, tmp_path / "it.csv").read_text().splitlines()[2].startswith("2017-01-01T00:00:00Z,")


def test_packets_are_rows_of_hexadecimal_digits(tmp_path: Path) -> None:
    again = parquet.read_table(write(packets(), tmp_path / "it.parquet"))
    assert again["octets"].to_pylist()[0] == "0001020304050607"


def test_geotiff_has_grid_bands_and_gaps(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(write(raster(), tmp_path / "it.tif")) as file:
        assert file.crs.to_epsg() == 32633
        assert file.xy(0, 0) == (400_005, 5_100_050)
        assert file.descriptions[0] == "reflectance 2015-10-17T04:30:00.000000001Z B04"
        assert np.array_equal(file.read(), raster()["reflectance"].values.reshape(8, 5, 6), equal_nan=True)
        assert np.isnan(file.nodata)
    uneven = raster().assign_coords(x=[0.0, 1, 2, 3, 4, 9])
    with pytest.raises(CannotWrite, match="not evenly spaced along x"):
        write(uneven, tmp_path / "uneven.tif")


@pytest.mark.parametrize("ending", ENDINGS)
def test_blocks_make_the_same_file_as_the_whole(ending: str, tmp_path: Path) -> None:
    whole = raster() if ending == ".tif" else series()
    blocks = (whole.isel(time=slice(n, n + 1)) for n in range(4))
    one, many = tmp_path / f"one{ending}", tmp_path / f"many{ending}"
    write(whole, one)
    write(blocks, many)
    if ending in {".nc", ".zarr"}:
        assert open_dataset(one).drop_attrs().equals(open_dataset(many).drop_attrs())
    elif ending == ".parquet":
        assert parquet.read_table(one).to_pandas().equals(parquet.read_table(many).to_pandas())
    elif ending in {".csv", ".csv.gz", ".vot"}:
        read = gzip.decompress if ending == ".csv.gz" else bytes
        assert read(one.read_bytes()) == read(many.read_bytes())
    elif ending == ".cdf":
        import pycdfpp

        assert np.array_equal(pycdfpp.load(str(one))["b_gse"].values, pycdfpp.load(str(many))["b_gse"].values)
    else:
        assert abs(one.stat().st_size - many.stat().st_size) < 200


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".tif"])
def test_images_may_come_row_after_row(ending: str, tmp_path: Path) -> None:
    whole = raster()
    path = write((whole.isel(y=slice(n, n + 2)) for n in (0, 2, 4)), tmp_path / f"it{ending}")
    if ending == ".tif":
        rasterio = pytest.importorskip("rasterio")
        with rasterio.open(path) as file:
            again = file.read().reshape(whole["reflectance"].shape)
    else:
        again = open_dataset(path)["reflectance"].values
    assert np.array_equal(again, whole["reflectance"].values, equal_nan=True)


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv", ".parquet"])
def test_blocks_that_differ_are_refused(ending: str, tmp_path: Path) -> None:
    one, two = spectrogram(), spectrogram()
    with pytest.raises(BadData, match="differ"):
        write([one, two.rename(flux="other")], tmp_path / f"it{ending}")
    with pytest.raises(BadData, match="differ"):
        write([one, two.isel(energy=slice(2))], tmp_path / f"it{ending}")
    with pytest.raises(BadData, match="mixed"):
        write([one, sources()], tmp_path / f"it{ending}")
    with pytest.raises(NoData):
        write([], tmp_path / f"it{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv", ".parquet", ".cdf", ".vot", ".fits"])
def test_nothing_inside_the_extent_is_an_empty_file(ending: str, tmp_path: Path) -> None:
    assert write(series().isel(time=slice(0)), tmp_path / f"s{ending}").exists()
    assert write(sources().slice(0, 0), tmp_path / f"t{ending}").exists()


def test_an_unknown_ending_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"choose one of \.cdf \.csv"):
        write(series(), tmp_path / "it.xls")


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".csv", ".parquet"])
def test_memory_does_not_grow_with_the_number_of_blocks(ending: str, tmp_path: Path) -> None:
    def blocks(count: int) -> Iterator[xr.Dataset]:
        for number in range(count):
            times = np.datetime64("2020-01-01", "ns") + np.arange(number * 5000, number * 5000 + 5000).astype("m8[ns]")
            values = np.full((5000, 4), float(number))
            yield xr.Dataset({"v": (("time", "c"), values, {"units": ""})}, {"time": times})

    def peak(count: int) -> int:
        tracemalloc.start()
        write(blocks(count), tmp_path / f"it{ending}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(2)  # imports are paid here
    assert peak(50) < 1.3 * peak(5) + 300_000


# -1e31 is what CDF itself writes for a missing value.
finite = st.floats(allow_nan=True, allow_infinity=True, width=64).filter(lambda value: value != -1e31)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=hnp.arrays(np.float64, st.tuples(st.integers(0, 8), st.integers(1, 3)), elements=finite),
    ending=st.sampled_from([".nc", ".parquet", ".cdf", ".fits"]),
    data=st.data(),
)
def test_any_series_survives(values: Any, ending: str, data: st.DataObject, tmp_path: Path) -> None:
    span = st.integers(63_072_000 * 10**9, 4 * 10**18)
    ns = sorted(data.draw(st.lists(span, min_size=len(values), max_size=len(values))))
    times = np.array(ns, np.int64).view("datetime64[ns]")
    whole = xr.Dataset({"v": (("time", "c"), values, {"units": "nT"})}, {"time": times})
    again, stamps = read_values(write(whole, tmp_path / f"it{ending}"), values.shape)
    assert np.array_equal(again, values, equal_nan=True)
    assert np.array_equal(stamps, times)


def read_values(path: Path, shape: tuple[int, ...]) -> tuple[Any, Any]:
    if path.suffix == ".nc":
        found = open_dataset(path)
        return found["v"].values, found["time"].values
    if path.suffix == ".cdf":
        import pycdfpp

        file = pycdfpp.load(str(path))
        values = np.asarray(file["v"].values).reshape(shape)
        return np.where(values == -1e31, np.nan, values), pycdfpp.to_datetime64(file["Epoch"])
    if path.suffix == ".fits":
        from astropy.io import fits

        rows = fits.getdata(path, 1)
        columns = [np.asarray(rows[f"v[{n}]"]) for n in range(shape[1])]
        return np.stack(columns, 1).astype(float), np.array(rows["time"].tolist(), "datetime64[ns]")
    table = parquet.read_table(path)
    columns = [table[f"v[{n}]"].to_numpy() for n in range(shape[1])]
    return np.stack(columns, 1), table["time"].cast(pa.int64()).to_numpy().view("datetime64[ns]")
