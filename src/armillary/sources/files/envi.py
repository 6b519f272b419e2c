"""ENVI cubes, images and spectral libraries: a text header beside raw numbers, which are mapped and not loaded."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, DamagedFile
from armillary.model import Data, Extent, Progress
from armillary.science.trim import trim
from armillary.sources.files.names import date_of
from armillary.sources.files.summary import Summary, Variable

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

#: Numbers of ENVI's data types, https://www.nv5geospatialsoftware.com/docs/enviheaderfiles.html
_TYPES: Final = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_ENDINGS: Final = ("", ".img", ".dat", ".lut", ".raw", ".bin", ".bsq", ".bil", ".bip", ".sli")
_UNITS: Final = {
    "nanometers": "nm", "nanometer": "nm", "nm": "nm", "micrometers": "um", "micrometer": "um", "microns": "um",
    "um": "um", "wavenumber": "cm-1", "angstroms": "Angstrom", "unknown": "", "index": "",
}  # fmt: skip
_FIELD: Final = re.compile(r"^\s*([^=\n{}]+?)\s*=\s*(\{[^}]*\}|[^\n]*)", re.MULTILINE)
#: The position of each dimension in the file, by interleave.
_ORDER: Final = {"bsq": ("wavelength", "y", "x"), "bil": ("y", "wavelength", "x"), "bip": ("y", "x", "wavelength")}


def describe(path: Path) -> Summary:
    """Say what an ENVI header and its data file hold; no number is read.

    Raises
    ------
    DamagedFile
        If the header is not understood, the data file is missing or shorter than the header says.
    """
    header = _header(path)
    data = _data_file(path, header)
    sizes = _sizes(header)
    octets = _type(header, path).itemsize
    kind = _kind(header)
    lines, others = (sizes["x"], sizes["y"]) if kind == "samples" else (sizes["y"], sizes["x"] * sizes["wavelength"])
    title = _text(header, "description") or data.stem
    variable = Variable(name="", title=title[:200], kind=kind, rows=lines, row_bytes=octets * others)
    selects = {"samples": ("where",)}.get(kind, ("box", "rows") if _grid(header, sizes)[1] else ("rows",))
    coverage = date_of(path.stem) if kind == "raster" else None
    shape = f"{sizes} {header.get('wavelength', '')[:200]} {header.get('map info', '')}"
    return Summary(
        format="ENVI", variables=(variable,), title=title[:200], coverage=coverage, shape=shape, selects=selects
    )


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data:
    """Read a cube (wavelength, y, x), an image without wavelengths (band, y, x), or a library as a table of spectra.

    Notes
    -----
    Only the lines and columns inside the box are read from the disk.
    """
    del variable  # a header is one cube
    header = _header(path)
    sizes = _sizes(header)
    values = _mapped(path, header, sizes)
    progress(0.2, path.name)
    if _kind(header) == "samples":
        return trim(_library(header, values), extent.only("where"))
    return _cube(header, sizes, values, extent)


def _header(path: Path) -> dict[str, str]:
    text = path.read_text("latin-1")
    if not text.lstrip().startswith("ENVI"):
        raise DamagedFile(f"{path.name} is not an ENVI header", "rename it, or fetch it again")
    fields = {name.lower(): value.strip().strip("{}").strip() for name, value in _FIELD.findall(text)}
    missing = [name for name in ("samples", "lines", "data type") if name not in fields]
    if missing or text.count("{") != text.count("}"):
        problem = f"does not say its {missing[0]}" if missing else "is cut off inside braces"
        raise DamagedFile(f"{path.name} {problem}", "fetch it again")
    return fields


def _sizes(header: dict[str, str]) -> dict[str, int]:
    names = {"wavelength": "bands", "y": "lines", "x": "samples"}
    try:
        sizes = {dim: int(header.get(name, "1")) for dim, name in names.items()}
    except ValueError as broken:
        raise DamagedFile(f"an ENVI header has a size that is no number: {broken}", "fetch it again") from None
    if min(sizes.values()) < 1:
        raise DamagedFile(f"an ENVI header has the sizes {sizes}", "fetch it again")
    return sizes


def _type(header: dict[str, str], path: Path) -> "np.dtype[Any]":
    known = _TYPES.get(_integer(header, "data type", path))
    if known is None:
        raise BadData(f"{path.name} has the ENVI data type {header['data type']}, which is not read", "convert it")
    return np.dtype(known).newbyteorder(">" if _integer(header, "byte order", path) else "<")


def _integer(header: dict[str, str], name: str, path: Path) -> int:
    try:
        return int(header.get(name, "0"))
    except ValueError:
        raise DamagedFile(f"{path.name}: {name} is no number", "fetch it again") from None


def _data_file(path: Path, header: dict[str, str]) -> Path:
    stem = path.with_suffix("")
    candidates = [stem.with_name(stem.name + end) for end in (*_ENDINGS, *map(str.upper, _ENDINGS))]
    data = next((one for one in candidates if one.is_file()), None)
    if data is None:
        raise DamagedFile(f"{path.name} has no data file beside it", "fetch the file of the same name too")
    needed = _integer(header, "header offset", path) + _type(header, path).itemsize * int(
        np.prod([*_sizes(header).values()])
    )
    if data.stat().st_size < needed:
        problem = f"{data.name} has {data.stat().st_size} octets, its header promises {needed}"
        raise DamagedFile(problem, "fetch it again")
    return data


def _mapped(path: Path, header: dict[str, str], sizes: dict[str, int]) -> "np.ndarray[Any, Any]":
    """Map the numbers as (wavelength, y, x), whatever their order in the file."""
    order = _ORDER.get(header.get("interleave", "bsq").lower())
    if order is None:
        raise DamagedFile(f"{path.name} has the unknown interleave {header['interleave']!r}", "fetch it again")
    shape = tuple(sizes[dim] for dim in order)
    offset = _integer(header, "header offset", path)
    raw = np.memmap(_data_file(path, header), _type(header, path), "r", offset, shape)
    return np.transpose(raw, [order.index(dim) for dim in ("wavelength", "y", "x")])


def _kind(header: dict[str, str]) -> str:
    if "spectral library" in header.get("file type", "").lower():
        return "samples"
    return "cube" if len(_numbers(header, "wavelength")) == int(header.get("bands", "1")) else "raster"


def _numbers(header: dict[str, str], name: str) -> "np.ndarray[Any, Any]":
    try:
        return np.array([float(part) for part in header.get(name, "").split(",") if part.strip()])
    except ValueError:
        return np.array([])


def _text(header: dict[str, str], name: str) -> str:
    return " ".join(header.get(name, "").split())


def _cube(
    header: dict[str, str], sizes: dict[str, int], values: "np.ndarray[Any, Any]", extent: Extent
) -> "xr.Dataset":
    import xarray as xr

    axes, crs = _grid(header, sizes)
    frame: Any = xr.Dataset(
        coords=axes, attrs={"crs": crs} if crs else {"crs": "", "coordinates_note": "pixel numbers from 0"}
    )
    down = across = slice(None)
    if extent.rows:
        down = slice(extent.rows.start, extent.rows.stop)
        frame = frame.isel(y=down)
    if crs and extent.box:
        frame = trim(frame, extent.only("box"))
        down, across = (_stretch(axes[dim], frame[dim].to_numpy()) for dim in ("y", "x"))
    data = _filled(np.array(values[:, down, across]), header)
    first = "wavelength" if _kind(header) == "cube" else "band"
    attrs = {"units": "", "long_name": _text(header, "description") or "value"}
    cube = xr.Dataset({"cube": ((first, "y", "x"), data, attrs)}, frame.coords, frame.attrs)
    return cube.assign_coords(_spectral(header, first, sizes["wavelength"]))


def _stretch(axis: "np.ndarray[Any, Any]", kept: "np.ndarray[Any, Any]") -> slice:
    if not kept.size:
        return slice(0, 0)
    first = int(np.flatnonzero(axis == kept[0])[0])
    return slice(first, first + kept.size)


def _filled(data: "np.ndarray[Any, Any]", header: dict[str, str]) -> "np.ndarray[Any, Any]":
    data = data.astype(data.dtype.newbyteorder("="))
    missing = _numbers(header, "data ignore value")
    if missing.size == 0:
        return data
    if data.dtype.kind in "iu":
        data = data.astype(np.float32 if data.dtype.itemsize <= 2 else np.float64)
    data[data == data.dtype.type(missing[0])] = np.nan
    return data


def _spectral(header: dict[str, str], dim: str, bands: int) -> dict[str, Any]:
    if dim == "band":
        names = [part.strip() for part in header.get("band names", "").split(",") if part.strip()]
        return {"band": names if len(set(names)) == bands else np.arange(1, bands + 1)}
    told = header.get("wavelength units", "").strip().lower()
    attrs = {"units": _UNITS.get(told, told), "long_name": "wavelength"}
    found: dict[str, Any] = {dim: (dim, _numbers(header, "wavelength"), attrs)}
    for name, long_name in (("fwhm", "full width at half maximum"), ("bbl", "good band (1) or not (0)")):
        values = _numbers(header, name)
        if values.size == bands:
            units = attrs["units"] if name == "fwhm" else ""
            found[name] = (dim, values, {"units": units, "long_name": long_name})
    return found


def _grid(header: dict[str, str], sizes: dict[str, int]) -> tuple[dict[str, Any], str]:
    """Give the pixel centres and the CRS from ``map info``; pixel numbers and "" where there is none."""
    pixels = {dim: np.arange(sizes[dim], dtype=float) for dim in ("y", "x")}
    parts = [part.strip() for part in header.get("map info", "").split(",")]
    crs = _crs(header, parts)
    try:
        column, line, east, north, width, height = (float(part) for part in parts[1:7])
    except ValueError:
        return pixels, ""
    if not crs or any("rotation" in part.lower() and not part.rstrip().endswith("=0") for part in parts):
        return pixels, ""
    x = east + (np.arange(sizes["x"]) + 1.5 - column) * width
    return {"y": north - (np.arange(sizes["y"]) + 1.5 - line) * height, "x": x}, crs


def _crs(header: dict[str, str], parts: list[str]) -> str:
    wkt = header.get("coordinate system string", "").strip()
    if wkt:
        return wkt
    if parts[0].lower().startswith("geographic"):
        return "EPSG:4326"
    if parts[0].upper() == "UTM" and len(parts) > 8 and parts[7].isdigit() and "84" in "".join(parts[9:10]):
        return f"EPSG:{326 if parts[8].lower().startswith('n') else 327}{int(parts[7]):02d}"
    return ""


def _library(header: dict[str, str], values: "np.ndarray[Any, Any]") -> "pa.Table":
    import pyarrow as pa

    from armillary.model.kinds import column

    spectra = np.asarray(values[0].astype(values.dtype.newbyteorder("=")))
    names = [part.strip() for part in header.get("spectra names", "").split(",")]
    if len(set(names)) != len(spectra):
        names = [f"spectrum_{number + 1}" for number in range(len(spectra))]
    told = header.get("wavelength units", "").strip().lower()
    wavelength = _numbers(header, "wavelength")
    axis = wavelength if wavelength.size == spectra.shape[1] else np.arange(spectra.shape[1], dtype=float)
    fields = [
        column("wavelength", pa.float64(), _UNITS.get(told, told)),
        *(column(name, pa.float64()) for name in names),
    ]
    return pa.Table.from_arrays([pa.array(one, pa.float64()) for one in (axis, *spectra)], schema=pa.schema(fields))
