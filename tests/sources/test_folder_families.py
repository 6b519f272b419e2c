"""What each family of files gives: the right kind, numbers, times, units and missing values."""

import json
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from armillary.errors import ArmillaryError, BadData, DamagedFile
from armillary.model import Box, Extent, Interval, silent
from armillary.model.kinds import check, column_unit
from armillary.sources import files
from armillary.sources.files import instants
from armillary.sources.files.names import date_of, split_version, without_date
from armillary.sources.files.summary import Summary
from armillary.sources.write import write

TIMES = np.datetime64("2020-01-01", "ns") + np.arange(5) * np.timedelta64(1, "h")


def describe(path: Path) -> Summary:
    summary = files.describe(path)
    assert summary is not None
    assert Summary.from_record(summary.to_record()) == summary
    for variable in summary.variables:
        check(variable.kind, files.read(path, variable.name, Extent(), silent), variable.name)
    return summary


def text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def table(path: Path, extent: Extent | None = None) -> pa.Table:
    data = files.read(path, "", extent or Extent(), silent)
    assert isinstance(data, pa.Table)
    return data


def dataset(path: Path, name: str, extent: Extent | None = None) -> xr.Dataset:
    data = files.read(path, name, extent or Extent(), silent)
    assert isinstance(data, xr.Dataset)
    return data


@pytest.mark.parametrize(
    ("content", "name", "units"),
    [
        ("time,B (nT)\n2020-01-01,1\n2020-01-02,2\n", "B", "nT"),
        ("Time;B [nT]\n2020-01-01;1\n2020-01-02;2\n", "B", "nT"),
        ("# from a magnetometer\n# time B\n2020-01-01T00:00:00 1\n2020-01-02T00:00:00 2\n", "B", ""),
        ("epoch\tB\n1577836800\t1\n1577923200\t2\n", "B", ""),
        ("epoch\tB\n1577836800000\t1\n1577923200000\t2\n", "B", ""),
        ("year,doy,B\n2020,1,1\n2020,2,2\n", "B", ""),
        ("B,utc\n1,2020/01/01 00:00\n2,2020/01/02 00:00\n", "B", ""),
        ("date,B\n2020-001,1\n2020-002,2\n", "B", ""),
        ("mjd,B\n58849,1\n58850,2\n", "B", ""),
    ],
)
def test_times_and_units_of_text(tmp_path: Path, content: str, name: str, units: str) -> None:
    path = text(tmp_path / "t.csv", content)
    summary = describe(path)
    assert [(one.name, one.kind) for one in summary.variables][:1] == [("", "samples")]
    series = next(one for one in summary.variables if one.name == name)
    assert (series.kind, series.units, series.cadence) == ("series", units, 86400.0)
    data = dataset(path, name)
    assert data["time"].values.tolist() == [1577836800 * 10**9, 1577923200 * 10**9]
    assert data[name].values.tolist() == [1, 2]


@pytest.mark.parametrize("fill", ["-1e31", "-1.0E+31", "-9.9999998e+30", "-9.999999848243207e+30"])
def test_the_fill_value_of_istp_is_missing_where_a_table_declares_none(tmp_path: Path, fill: str) -> None:
    rows = "\n".join(f"2020-01-01T00:00:0{n},{n}.5,{fill if n == 2 else n / 4}" for n in range(4))
    path = text(tmp_path / "b.csv", f"time,bx [nT],n\n{rows}\n")
    values = dataset(path, "n")["n"].values
    assert np.isnan(values).tolist() == [False, False, True, False]


def test_a_hapi_header_tells_names_units_and_fill_values(tmp_path: Path) -> None:
    header = (
        '#{"HAPI": "3.0", "parameters": [{"name": "Time", "type": "isotime", "units": "UTC", "fill": null},\n'
        '#{"name": "V", "type": "double", "units": "km/s", "fill": "-1e31", "size": [2], "description": "speed"}]}\n'
    )
    path = text(tmp_path / "h.csv", f"{header}2020-01-01T00:00:00Z,1.5,-1e31\n2020-01-01T01:00:00Z,2.5,3.5\n")
    assert [one.name for one in describe(path).variables] == ["", "V_0", "V_1"]
    second = dataset(path, "V_1")["V_1"]
    assert second.attrs["units"] == "km/s"
    assert np.isnan(second.values[0])
    assert second.values[1] == 3.5


def test_a_number_is_missing_only_if_declared(tmp_path: Path) -> None:
    path = text(tmp_path / "m.csv", "time,B\n2020-01-01,-999.9\n2020-01-02,\n2020-01-03,NaN\n")
    values = dataset(path, "B")["B"].values
    assert values[0] == -999.9
    assert np.isnan(values[1:]).all()


def test_events_and_sources_get_their_promised_names(tmp_path: Path) -> None:
    events = text(tmp_path / "e.csv", ",begin,end,proba\n0,2015-09-09 08:40,2015-09-09 08:41,0.8\n")
    summary = describe(events)
    assert (summary.variables[0].kind, summary.selects) == ("events", ("time", "where"))
    assert table(events).column_names == ["start", "stop", "index", "proba"]
    assert table(events, Extent(time=Interval.of("2016", "2017"))).num_rows == 0

    sources = text(tmp_path / "s.csv", "Name,RAJ2000 (deg),DEJ2000 (deg),J (mag)\na,10.5,-3,9\nb,200,45,\n")
    assert describe(sources).variables[0].kind == "sources"
    assert table(sources).column_names == ["Name", "ra", "dec", "J"]
    assert table(sources, Extent(where="J < 10"))["Name"].to_pylist() == ["a"]
    assert column_unit(table(sources).schema.field("J")) == "mag"


def test_tables_without_names_get_numbers_for_names(tmp_path: Path) -> None:
    path = text(tmp_path / "n.csv", "0, 66, 66.0, 0.5\n1, 81, 81.0, 0.25\n")
    assert describe(path).variables[0].rows == 2
    assert table(path).column_names == ["column_1", "column_2", "column_3", "column_4"]


def test_types_may_widen_far_down(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(1_200_000))
    path = text(tmp_path / "w.csv", f"a,b\n{rows}0.5,text\n")
    summary = files.describe(path)
    assert summary is not None
    assert summary.variables[0].rows == 1_200_001
    last = table(path).slice(1_200_000)
    assert last.to_pylist() == [{"a": 0.5, "b": "text"}]


def test_a_short_row_is_damage_and_a_blank_one_is_not(tmp_path: Path) -> None:
    assert describe(text(tmp_path / "a.csv", "a,b,c\n1,2,3\n,,\n")).variables[0].rows in {1, 2}
    with pytest.raises(DamagedFile, match=r"b\.csv"):
        files.describe(text(tmp_path / "b.csv", "a,b,c\n" + "1,2,3\n" * 20 + "4,5\n"))


def test_parquet_keeps_types_units_and_missing_values(tmp_path: Path) -> None:
    fields = [pa.field("time", pa.timestamp("us", "UTC")), pa.field("n", pa.float32(), metadata={"unit": "cm-3"})]
    values = [pa.array(TIMES.astype("datetime64[us]")).cast(fields[0].type), pa.array([1, 2, None, 4, 5], pa.float32())]
    path = tmp_path / "p.parquet"
    parquet.write_table(pa.Table.from_arrays(values, schema=pa.schema(fields)), path, row_group_size=2)
    summary = describe(path)
    assert [(one.name, one.units) for one in summary.variables] == [("", ""), ("n", "cm-3")]
    part = dataset(path, "n", Extent(time=Interval.of("2020-01-01T01:00", "2020-01-01T03:00")))
    assert part["time"].values.tolist() == TIMES[1:3].astype(int).tolist()
    assert np.isnan(part["n"].values[1])


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_netcdf_series_spectrogram_and_grid(tmp_path: Path, engine: str) -> None:
    energy = ("energy", np.geomspace(10, 1e4, 8), {"units": "eV"})
    flux = np.arange(40.0).reshape(5, 8)
    flux[0, 0] = np.nan
    source = xr.Dataset(
        {
            "n": ("time", np.arange(5.0), {"units": "cm-3", "long_name": "density"}),
            "flux": (("time", "energy"), flux, {"units": "1/cm2"}),
            "v": (("time", "component"), np.ones((5, 3)), {"units": "km/s"}),
            "height": (("lat", "lon"), np.arange(6.0).reshape(2, 3), {"units": "m"}),
        },
        {"time": TIMES, "energy": energy, "lat": [46.0, 45.0], "lon": [13.0, 14.0, 15.0]},
    )
    path = tmp_path / "s.nc"
    source.to_netcdf(path, engine=engine)  # type: ignore[call-overload]
    kinds = {one.name: one.kind for one in describe(path).variables}
    assert kinds == {"n": "series", "flux": "spectrogram", "v": "series", "height": "raster"}
    part = dataset(path, "flux", Extent(time=Interval.of("2020-01-01T01:00", "2020-01-01T03:00")))
    np.testing.assert_array_equal(part["flux"].values, flux[1:3])
    assert part["flux"].attrs["DEPEND_1"] == "energy"
    assert part["energy"].attrs["units"] == "eV"
    assert dataset(path, "height").attrs["crs"] == "EPSG:4326"
    assert dataset(path, "n")["n"].attrs["units"] == "cm-3"


def test_arrays_in_netcdf_tell_their_axes(tmp_path: Path) -> None:
    angle = ("alpha", [30.0, 90.0, 150.0], {"units": "deg", "long_name": "Pitch angle"})
    source = xr.Dataset(
        {name: (("time", "energy", "alpha" if name == "f" else "look"), np.ones((5, 2, 3))) for name in ("f", "g")},
        {"time": TIMES, "energy": [10.0, 100.0], "alpha": angle},
    )
    source.to_netcdf(tmp_path / "p.nc", engine="scipy")
    found = {one.name: one for one in describe(tmp_path / "p.nc").variables}
    assert (found["f"].kind, found["f"].axes) == ("plane", ("energy", "alpha Pitch angle"))
    assert found["g"].axes == ()


def test_istp_words_in_netcdf_and_milliseconds_since_1970(tmp_path: Path) -> None:
    path = tmp_path / "icon.nc"
    with h5py.File(path, "w") as file:
        epoch = file.create_dataset("Epoch", data=(TIMES.astype(np.int64) // 10**6))
        epoch.attrs["Units"] = "milliseconds"
        brightness = file.create_dataset("ICON_Brightness", data=np.arange(5.0))
        brightness.attrs.update({"DEPEND_0": "Epoch", "Units": "Rayleigh", "CatDesc": "brightness at 83 nm"})
    variable = describe(path).variables[0]
    assert (variable.name, variable.units, variable.title) == ("ICON_Brightness", "Rayleigh", "brightness at 83 nm")
    assert dataset(path, "ICON_Brightness")["time"].values.tolist() == TIMES.astype(int).tolist()


def test_hdf5_groups_texts_as_times_and_arrays_without_any(tmp_path: Path) -> None:
    path = tmp_path / "g.h5"
    with h5py.File(path, "w") as file:
        file["a/UTC"] = [str(one) for one in TIMES]
        file["a/Dst"] = np.arange(5)
        file["a/Dst"].attrs["units"] = "nT"
        file["a/strange"] = np.zeros(5, [("x", "i4"), ("y", "f8")])
        file["plain"] = np.zeros((7, 3))
    assert [one.name for one in describe(path).variables] == ["a/Dst"]
    bare = tmp_path / "bare.h5"
    with h5py.File(bare, "w") as file:
        file["flux"] = np.zeros((5, 3))
    with pytest.raises(BadData, match=r"time axis.*flux \(5, 3\)"):
        files.describe(bare)


def test_fits_tables_and_images(tmp_path: Path) -> None:
    from astropy.io import fits
    from astropy.table import MaskedColumn, Table

    rows = Table({"RA_ICRS": [10.0, 20.0], "DE_ICRS": [-5.0, 5.0], "id": ["a", "b"]})
    rows["mag"] = MaskedColumn([9.0, 8.0], mask=[False, True], unit="mag")
    rows["sed"] = np.arange(6.0).reshape(2, 3)
    path = tmp_path / "f.fits"
    image = fits.ImageHDU(np.arange(12, dtype=">i2").reshape(3, 4), name="SKY")
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(rows, name="STARS"), image]).writeto(path)
    assert {one.name: one.kind for one in describe(path).variables} == {"": "sources", "image:2": "raster"}
    read = table(path)
    assert read["sed"].to_pylist() == [[0, 1, 2], [3, 4, 5]]
    assert read["id"].to_pylist() == ["a", "b"]
    assert column_unit(read.schema.field("mag")) == "mag"
    assert dataset(path, "image:2")["image"].values.tolist() == np.arange(12).reshape(3, 4).tolist()


def test_votable_events_and_missing_values(tmp_path: Path) -> None:
    from astropy.table import MaskedColumn, Table

    rows = Table({"Start_Time": ["2020-01-01T00:00:00"] * 2, "Stop_Time": ["2020-01-02T00:00:00"] * 2})
    rows["dst"] = MaskedColumn([-90, 0], mask=[False, True], unit="nT")
    path = tmp_path / "v.vot"
    rows.write(path, format="votable")
    assert describe(path).variables[0].kind == "events"
    assert table(path)["dst"].to_pylist() == [-90, None]


def test_vectors_of_unequal_length_become_lists(tmp_path: Path) -> None:
    path = text(
        tmp_path / "ragged.vot",
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="source_id" datatype="long"/><FIELD name="flux" datatype="double" arraysize="*" unit="Jy"/>'
        "<DATA><TABLEDATA><TR><TD>6046026394590627840</TD><TD>1 2 3</TD></TR><TR><TD>2</TD><TD>4 5</TD></TR>"
        "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>",
    )
    assert describe(path).variables[0].kind == "sources"
    assert table(path)["source_id"].to_pylist() == [6046026394590627840, 2]
    assert table(path)["flux"].to_pylist() == [[1, 2, 3], [4, 5]]


def write_image(path: Path, values: np.ndarray, **profile: object) -> Path:
    import rasterio

    bands, height, width = values.shape
    told = {"driver": "GTiff", "dtype": values.dtype, "crs": "EPSG:32633", "transform": Affine(10, 0, 4e5, 0, -10, 5e6)}
    with rasterio.open(path, "w", count=bands, height=height, width=width, **(told | profile)) as image:
        image.write(values)
    return path


def test_an_image_is_read_by_its_box(tmp_path: Path) -> None:
    values = np.arange(2 * 50 * 60, dtype=np.uint16).reshape(2, 50, 60)
    path = write_image(tmp_path / "t_20200105.tif", values, nodata=7)
    summary = describe(path)
    assert summary.coverage == Interval.of("2020-01-05", "2020-01-06")
    whole = dataset(path, "")
    assert whole["image"].dims == ("time", "band", "y", "x")
    assert np.isnan(whole["image"].values[0, 0, 0, 7])
    assert float(whole["x"][0]) == 4e5 + 5
    assert float(whole["y"][0]) == 5e6 - 5
    from pyproj import Transformer

    degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    box = Box(*degrees.transform_bounds(4e5 + 100, 5e6 - 300, 4e5 + 200, 5e6 - 200))
    part = dataset(path, "", Extent(box=box))
    assert 100 <= part["image"].values[0, 0].size <= 200
    xr.testing.assert_identical(part, whole.sel(x=part["x"], y=part["y"]))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_an_image_without_a_grid_comes_in_pixels(tmp_path: Path) -> None:
    path = write_image(tmp_path / "p.tif", np.ones((1, 4, 5), np.float32), crs=None, transform=None)
    data = dataset(path, "")
    assert data.attrs["crs"] == ""
    assert "pixel" in data.attrs["coordinates_note"]
    assert describe(path).selects == ("rows",)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_ground_control_points_come_along_and_go_back(tmp_path: Path) -> None:
    import rasterio
    from rasterio.control import GroundControlPoint

    points = [GroundControlPoint(r, c, 10 + c / 7, 50 - r / 9, 12.5, f"{r}{c}") for r in (0.0, 6) for c in (0.5, 5)]
    values = np.arange(30, dtype=np.float32).reshape(1, 6, 5)
    path = write_image(tmp_path / "g.tif", values, crs="EPSG:4326", transform=None, gcps=points)
    data = dataset(path, "")
    assert data.attrs["gcp_crs"] == "EPSG:4326"
    assert json.loads(data.attrs["gcps"])[1] == {"row": 0.0, "col": 5.0, "x": 10 + 5 / 7, "y": 50.0, "z": 12.5}
    write(data.isel(y=slice(2, None)), tmp_path / "again.tif")
    with rasterio.open(tmp_path / "again.tif") as image:
        kept, crs = image.gcps
        assert crs.to_epsg() == 4326
        assert [(p.row + 2, p.col, p.x, p.y, p.z) for p in kept] == [(p.row, p.col, p.x, p.y, p.z) for p in points]
        assert image.transform.is_identity
    plain = write_image(tmp_path / "p.tif", values, crs=None, transform=None)
    write(dataset(plain, ""), tmp_path / "plain.tif")
    with rasterio.open(tmp_path / "plain.tif") as image:
        assert image.transform.is_identity
        assert not image.gcps[0]


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("order", [0, 1])
def test_envi_cubes_of_every_order(tmp_path: Path, interleave: str, order: int) -> None:
    cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    axes = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    octets = cube.transpose(axes).astype(">f4" if order else "<f4").tobytes()
    (tmp_path / "c.img").write_bytes(b"head" + octets)
    header = text(
        tmp_path / "c.hdr",
        f"ENVI\nsamples = 4\nlines = 3\nbands = 2\nheader offset = 4\ndata type = 4\ninterleave = {interleave}\n"
        f"byte order = {order}\nwavelength units = Nanometers\nwavelength = {{400.5,\n 500}}\ndata ignore value = 5\n"
        "map info = {UTM, 1, 1, 400000, 5000000, 20, 20, 33, North, WGS-84}\n",
    )
    assert describe(header).variables[0].kind == "cube"
    data = dataset(header, "")
    expected = np.where(cube == 5, np.nan, cube)
    np.testing.assert_array_equal(data["cube"].values, expected)
    assert data["wavelength"].attrs["units"] == "nm"
    assert (data.attrs["crs"], float(data["x"][0]), float(data["y"][0])) == ("EPSG:32633", 400010.0, 4999990.0)
    (tmp_path / "c.img").write_bytes(octets[:-8])
    with pytest.raises(DamagedFile, match="promises"):
        files.describe(header)


@given(st.binary(max_size=400), st.sampled_from([".csv", ".txt", ".hdr", ".xml"]))
def test_any_octets_give_a_summary_or_our_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{end}"
    path.write_bytes(data)
    try:
        files.describe(path)
    except ArmillaryError as broken:
        assert path.name in broken.problem or "header" in broken.problem  # noqa: PT017


@given(st.dates(min_value=np.datetime64("1900-01-01").item(), max_value=np.datetime64("2099-12-31").item()))
def test_dates_in_names(day: object) -> None:
    for form in (f"{day}", f"{day}".replace("-", "")):
        stem = f"foo_{form}_bar"
        span = date_of(stem)
        assert span is not None
        assert span.start == np.datetime64(str(day), "ns").astype(int)
        assert without_date(stem) == "foo_bar"


@given(st.from_regex(r"[a-z]{1,5}(_[a-z]{1,5})?", fullmatch=True), st.integers(0, 99), st.integers(0, 99))
def test_versions_order_as_numbers(stem: str, low: int, high: int) -> None:
    (first, one), (second, two) = split_version(f"{stem}_v{low}.0"), split_version(f"{stem}_v{high}.0")
    assert first == second == stem
    assert (one < two) == (low < high)


@given(st.lists(st.integers(3 * 10**17, 4 * 10**18), min_size=1, max_size=20), st.sampled_from(["ns", "us", "ms", "s"]))
def test_counts_since_1970_are_exact(counts: list[int], unit: str) -> None:
    step = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}[unit]
    found = instants.decode(np.array([one // step for one in counts]), unit, "time")
    assert found is not None
    assert found.astype(int).tolist() == [one // step * step for one in counts]
    assert instants.decode(np.array(counts), "", "temperature") is None
