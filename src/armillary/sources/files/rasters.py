"""GeoTIFF, Cloud Optimized GeoTIFF and JPEG 2000, by rasterio; only the pixels of the asked box are read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import DamagedFile, MissingExtra
from armillary.model import Data, Extent, Progress
from armillary.model.times import to_datetime64
from armillary.science.trim import trim
from armillary.sources.files.names import date_of
from armillary.sources.files.summary import Summary, Variable

if TYPE_CHECKING:
    import xarray as xr

_JPEG2000: Final = b"\x00\x00\x00\x0cjP  "
_NOTE: Final = "pixel numbers from 0: the file has no map coordinates on a north-up grid"


def describe(path: Path) -> Summary:
    """Say what an image holds; reads its header only.

    Raises
    ------
    DamagedFile
        If GDAL cannot open it.
    MissingExtra
        If rasterio is not installed.
    """
    with _opened(path) as image:
        octets = np.dtype(image.dtypes[0]).itemsize * image.count * image.width
        shape = f"{image.width}x{image.height}x{image.count} {image.dtypes[0]} {image.crs} {tuple(image.transform)[:6]}"
        variable = Variable(
            name="",
            title=_title(image, path),
            kind="raster",
            units=_unit(image),
            rows=image.height,
            row_bytes=octets,
        )
        _touch_the_end(image)
        driver = "GeoTIFF" if image.driver == "GTiff" else "JPEG 2000"
        boxed = _north_up(image)
    date = date_of(path.stem)
    selects = (*(("time",) if date else ()), *(("box",) if boxed else ()), "rows")
    return Summary(
        format=driver, variables=(variable,), title=variable.title, coverage=date, shape=shape, selects=selects
    )


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data:
    """Read the part of an image inside a box, in its own projection.

    Returns
    -------
    Dataset
        ``image`` with dimensions ``[time,] [band,] y, x``: time if the name has a date, band if there are several.
        Integers with a declared missing value become floats with NaN. Ground control points of an image without a
        grid are in the attributes ``gcps`` (JSON: row, col, x, y, z of each) and ``gcp_crs``.

    Notes
    -----
    Reads and holds the window only: O(pixels inside the box).
    """
    del variable  # a file is one image
    import xarray as xr

    with _opened(path) as image:
        frame = _frame(image, extent)
        data = _pixels(image, frame, progress, path.name)
        dims: tuple[str, ...] = ("y", "x") if image.count == 1 else ("band", "y", "x")
        if image.count == 1:
            data = data[0]
        attrs = {"units": _unit(image), "long_name": _title(image, path)}
        dataset = xr.Dataset({"image": (dims, data, attrs)}, frame.coords, frame.attrs)
        if image.count > 1:
            dataset = dataset.assign_coords(band=_bands(image))
    date = date_of(path.stem)
    return dataset.expand_dims(time=[to_datetime64(date.start)]) if date else dataset


def _touch_the_end(image: Any) -> None:
    """Read the last pixel: a file that was cut short has a sound header."""
    from rasterio.windows import Window

    image.read(image.count, window=Window(image.width - 1, image.height - 1, 1, 1))


def _frame(image: Any, extent: Extent) -> "xr.Dataset":
    """Give the coordinates of the pixels to read, without any pixel."""
    import xarray as xr

    across, down = np.arange(image.width) + 0.5, np.arange(image.height) + 0.5
    if not _north_up(image):
        attrs = {"crs": "", "coordinates_note": _NOTE} | _control_points(image)
        return _lines(xr.Dataset(coords={"y": down - 0.5, "x": across - 0.5}, attrs=attrs), extent)
    grid = image.transform
    crs = image.crs.to_string()
    whole = xr.Dataset(coords={"y": grid.f + grid.e * down, "x": grid.c + grid.a * across}, attrs={"crs": crs})
    lines = _lines(whole, extent)
    return lines if extent.box is None else _inside(lines, extent)


def _control_points(image: Any) -> dict[str, str]:
    """Give the ground control points as JSON, with `row` and `col` in pixels from the corner of the whole image."""
    points, crs = image.gcps
    if not points:
        return {}
    listed = [{name: getattr(one, name) for name in ("row", "col", "x", "y", "z")} for one in points]
    return {"gcps": json.dumps(listed), "gcp_crs": crs.to_string() if crs else ""}


def _lines(whole: "xr.Dataset", extent: Extent) -> "xr.Dataset":
    return whole.isel(y=slice(extent.rows.start, extent.rows.stop)) if extent.rows else whole


def _inside(whole: "xr.Dataset", extent: Extent) -> "xr.Dataset":
    found: Any = trim(whole, extent.only("box"))
    return found  # type: ignore[no-any-return]


def _pixels(image: Any, frame: "xr.Dataset", progress: Progress, name: str) -> "np.ndarray[Any, Any]":
    from rasterio.windows import Window

    height, width = frame.sizes["y"], frame.sizes["x"]
    kind = _result_type(image)
    result = np.empty((image.count, height, width), kind)
    if not result.size:
        return result
    left, top = _offset(image, frame)
    for band in range(image.count):
        progress(band / image.count, f"{name}: band {band + 1} of {image.count}")
        raw = image.read(band + 1, window=Window(left, top, width, height))
        result[band] = _scaled(raw, image, band, kind)
    return result


def _offset(image: Any, frame: "xr.Dataset") -> tuple[int, int]:
    if not _north_up(image):
        return 0, round(float(frame["y"][0]))
    grid = image.transform
    left = (float(frame["x"][0]) - grid.c) / grid.a - 0.5
    top = (float(frame["y"][0]) - grid.f) / grid.e - 0.5
    return round(left), round(top)


def _result_type(image: Any) -> "np.dtype[Any]":
    raw: np.dtype[Any] = np.dtype(image.dtypes[0])
    scaled = any(one != 1 for one in image.scales) or any(one != 0 for one in image.offsets)
    if raw.kind in "iu" and (scaled or image.nodata is not None):
        return np.dtype(np.float32 if raw.itemsize <= 2 else np.float64)
    return raw


def _scaled(raw: "np.ndarray[Any, Any]", image: Any, band: int, kind: "np.dtype[Any]") -> "np.ndarray[Any, Any]":
    values = (
        raw.astype(kind) * kind.type(image.scales[band]) + kind.type(image.offsets[band]) if kind.kind == "f" else raw
    )
    missing = image.nodatavals[band]
    if missing is not None and kind.kind == "f" and not np.isnan(missing):
        values[raw == missing] = np.nan
    return np.asarray(values)


def _north_up(image: Any) -> bool:
    grid = image.transform
    return image.crs is not None and grid.b == 0 and grid.d == 0 and not grid.is_identity


def _bands(image: Any) -> "np.ndarray[Any, Any]":
    names = [text or "" for text in image.descriptions]
    return np.array(names) if all(names) and len(set(names)) == len(names) else np.arange(1, image.count + 1)


def _title(image: Any, path: Path) -> str:
    return next((text for text in image.descriptions if text), path.stem) if image.count == 1 else path.stem


def _unit(image: Any) -> str:
    return next((text for text in image.units if text), "")


def _driver(path: Path) -> str:
    """Name the one driver to use: some of GDAL's others follow names inside a file to the network."""
    with path.open("rb") as file:
        return "JP2OpenJPEG" if file.read(8) == _JPEG2000 else "GTiff"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import logging
    import warnings

    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
    except ImportError:
        raise MissingExtra(f"{path.name} needs rasterio", "pip install 'armillary[earth]'") from None
    logging.getLogger("rasterio").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver=_driver(path)) as image:
                yield image
    except RasterioError as broken:
        if not path.exists():
            raise FileNotFoundError(path) from None
        raise DamagedFile(f"{path.name}: {str(broken)[:200]}", "fetch it again") from None
