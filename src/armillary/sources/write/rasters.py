"""Saving images as cloud-optimised GeoTIFF: strips of lines one after the other, other blocks joined first."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import CannotWrite, MissingExtra
from armillary.model.times import format_time
from armillary.sources.write.blocks import Blocks, joined
from armillary.sources.write.variables import Array, simple

if TYPE_CHECKING:
    import xarray as xr
    from rasterio import Affine

_HINT: Final = "save it as .nc, .zarr, .csv or .parquet"
#: GeoTIFF counts its bands with two bytes.
_MOST_BANDS: Final = 65_535
#: How it is packed; averages of class numbers would be other classes.
_COG: Final = {"compress": "deflate", "overview_resampling": "nearest", "bigtiff": "if_safer"}
#: Numbers that are moved at once from raw lines to an image.
_AT_ONCE: Final = 8_000_000
#: Attributes that become ground control points.
_POINTS: Final = ("gcps", "gcp_crs")


def save(blocks: Blocks, aside: Path) -> None:
    """Save images as one GeoTIFF: one band for each variable, time and band; readers call them by their description.

    It is cloud-optimised: tiled, packed without loss, with overviews. NaN, or the integer that the variable names as
    ``nodata`` or ``_FillValue``, is the missing value. Attributes are tags of the file, those of variables of the band;
    ``gcps`` become its ground control points.

    Parameters
    ----------
    blocks : Blocks
        Rasters or cubes on an even grid. Blocks that continue each other in ``y`` go through two uncompressed files
        beside `aside`, so that one block is in memory at a time; others are joined in memory.
    aside : Path
        File to make.

    Raises
    ------
    CannotWrite
        If the data are no images or their grid is not even.
    MissingExtra
        If rasterio is not installed.
    """
    try:
        import rasterio
    except ImportError:
        raise MissingExtra("saving a GeoTIFF needs rasterio", "pip install 'armillary[earth]'") from None
    try:
        # 64 MB of GDAL's own cache: else it takes a twentieth of the memory
        with rasterio.Env(GDAL_CACHEMAX=64), _silent():
            if blocks.several and blocks.along == "y" and {"y", "x"} <= set(_images(blocks.first).coords):
                _save_lines(blocks, aside)
            else:
                _save_whole(_images(joined(blocks)), aside)
    except Exception as broken:
        # GDAL's own errors share no public parent.
        if isinstance(broken, rasterio.errors.RasterioError) or type(broken).__module__ == "rasterio._err":
            raise OSError(f"GDAL: {broken}") from broken
        raise


def _save_whole(data: "xr.Dataset", aside: Path) -> None:
    import rasterio

    images, bands = _listed(data)
    with rasterio.open(aside, "w", **_profile(data, data, images, len(bands))) as file:
        for number, (name, place, _) in enumerate(bands, 1):
            file.write(_plain(data[name].isel(place).to_numpy()), number)
        _describe(file, data, bands)


def _save_lines(blocks: Blocks, aside: Path) -> None:
    """Save strips of lines, whose number is known at the end only: as raw lines, then as an image, then in tiles."""
    import rasterio
    import xarray as xr
    from rasterio.shutil import copy

    spool, striped = (aside.with_name(f"{aside.name}{end}") for end in (".lines", ".strips"))
    first = _images(blocks.first)
    images, bands = _listed(first)
    y = _spooled(blocks, spool, bands, _type(first, images))
    grid = xr.Dataset(coords={"y": y, "x": first["x"]}, attrs=first.attrs)
    profile = _profile(first, grid, images, len(bands)) | {"driver": "GTiff", "interleave": "band"}
    del profile["compress"], profile["overview_resampling"]
    with rasterio.open(striped, "w", **profile) as file:
        _fill(file, spool)
        _describe(file, first, bands)
    spool.unlink()
    copy(striped, aside, driver="COG", **_COG)
    striped.unlink()


def _spooled(blocks: Blocks, spool: Path, bands: list[Any], kind: "np.dtype[Any]") -> Array:
    """Write line after line, of each all bands, and give where the lines are."""
    places = []
    with spool.open("wb") as out:
        for block in blocks:
            data = _images(block)
            strip = [_plain(data[name].isel(place).to_numpy()).astype(kind, copy=False) for name, place, _ in bands]
            np.stack(strip, axis=1).tofile(out)
            places.append(data["y"].to_numpy())
    return np.concatenate(places)


def _fill(file: Any, spool: Path) -> None:
    from rasterio.windows import Window

    line = file.count * file.width
    lines = max(_AT_ONCE // line, 1)
    for top in range(0, file.height, lines):
        count = min(lines, file.height - top)
        with spool.open("rb") as raw:
            raw.seek(top * line * np.dtype(file.dtypes[0]).itemsize)
            values = np.fromfile(raw, file.dtypes[0], count * line).reshape(count, file.count, file.width)
        file.write(values.transpose(1, 0, 2), window=Window(0, top, file.width, count))


def _listed(data: "xr.Dataset") -> tuple[list[Any], list[tuple[str, dict[str, int], str]]]:
    """Name the variables that are images, and all their bands."""
    images = [name for name, one in data.data_vars.items() if one.dims[-2:] == ("y", "x")]
    bands = [band for name in images for band in _bands(data[name])]
    if len(bands) > _MOST_BANDS:
        raise CannotWrite(f"a GeoTIFF cannot hold {len(bands):,} bands", _HINT)
    return images, bands


def _describe(file: Any, data: "xr.Dataset", bands: list[Any]) -> None:
    file.update_tags(**_tags({name: value for name, value in data.attrs.items() if name not in _POINTS}))
    for number, (name, _, text) in enumerate(bands, 1):
        file.set_band_description(number, text)
        file.set_band_unit(number, str(data[name].attrs.get("units", "")))
        file.update_tags(number, **_tags(data[name].attrs))


def _images(data: Any) -> "xr.Dataset":
    import xarray as xr

    if not isinstance(data, xr.Dataset):
        raise CannotWrite("a table is no image, GeoTIFF cannot hold it", "save it as .csv, .parquet, .vot or .fits")
    if not any(one.dims[-2:] == ("y", "x") and one.size for one in data.data_vars.values()):
        shapes = ", ".join(f"{name}{one.dims}" for name, one in list(data.data_vars.items())[:3])
        raise CannotWrite(f"GeoTIFF holds images (y, x) only, not {shapes}", _HINT)
    return data


def _bands(one: "xr.DataArray") -> Iterator[tuple[str, dict[str, int], str]]:
    """Give for each band the variable, the place in its first dimensions and the description."""
    others = [str(dim) for dim in one.dims[:-2]]
    for place in product(*(range(one.sizes[dim]) for dim in others)):
        words = [_word(one, dim, number) for dim, number in zip(others, place, strict=True)]
        yield str(one.name), dict(zip(others, place, strict=True)), " ".join([str(one.name), *words])


def _word(one: "xr.DataArray", dim: str, number: int) -> str:
    if dim not in one.coords:
        return f"{dim}={number}"
    value = one.coords[dim].to_numpy()[number]
    return format_time(value.astype("datetime64[ns]").astype(np.int64)) if value.dtype.kind == "M" else str(value)


@contextmanager
def _silent() -> Iterator[None]:
    """Let images in pixels pass without GDAL's warning that they have no map coordinates."""
    import warnings

    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def _profile(data: "xr.Dataset", grid: "xr.Dataset", images: list[Any], count: int) -> dict[str, Any]:
    dtype = _type(data, images)
    crs = data.attrs.get("crs") or data.attrs.get("gcp_crs")
    return {
        "driver": "COG",
        "height": grid.sizes["y"],
        "width": grid.sizes["x"],
        "count": count,
        "dtype": dtype.name,
        "crs": _crs(str(crs)) if crs else None,
        **_place(grid),
        "nodata": _nodata(data, images, dtype),
        **_COG,
    }


def _type(data: "xr.Dataset", images: list[Any]) -> "np.dtype[Any]":
    return np.result_type(*(_plain(np.empty(0, data[name].dtype)).dtype for name in images))


def _crs(text: str) -> Any:
    import rasterio

    try:
        return rasterio.CRS.from_user_input(text)
    except rasterio.errors.CRSError as broken:
        raise CannotWrite(f"the CRS {text!r} is not understood: {broken}", _HINT) from None


def _plain(values: Array) -> Array:
    """Give values of a type that GeoTIFF holds."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise CannotWrite(f"GeoTIFF cannot hold values of type {values.dtype}", _HINT)
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _nodata(data: "xr.Dataset", images: list[Any], dtype: "np.dtype[Any]") -> float | int | None:
    if dtype.kind == "f":
        return float("nan")
    named = {data[name].attrs.get("nodata", data[name].attrs.get("_FillValue")) for name in images}
    found = named.pop() if len(named) == 1 else None
    return int(found) if found is not None else None


def _place(data: "xr.Dataset") -> dict[str, Any]:
    """Say where the pixels are: by a grid, by ground control points, or not at all where coordinates are pixels."""
    if data.attrs.get("gcps") and not data.attrs.get("crs"):
        return {"gcps": _control_points(data)}
    in_pixels = str(data.attrs.get("coordinates_note", "")).startswith("pixel numbers")
    return {} if in_pixels else {"transform": _transform(data)}


def _control_points(data: "xr.Dataset") -> list[Any]:
    """Give the points with their places counted from the first pixel that is saved."""
    from rasterio.control import GroundControlPoint

    left, top = (float(data[axis][0]) if axis in data.coords else 0.0 for axis in ("x", "y"))
    try:
        points = json.loads(data.attrs["gcps"])
        return [
            GroundControlPoint(one["row"] - top, one["col"] - left, one["x"], one["y"], one.get("z")) for one in points
        ]
    except (ValueError, TypeError, LookupError, AttributeError):
        raise CannotWrite(
            "the attribute 'gcps' is no list of ground control points", f"leave it out, or {_HINT}"
        ) from None


def _transform(data: "xr.Dataset") -> "Affine | None":
    """Give the map from pixel corners to coordinates, from the pixel centres; None where there are no coordinates."""
    from rasterio import Affine

    if not {"y", "x"} <= set(data.coords):
        return None
    steps = {axis: _step(data, axis) for axis in ("y", "x")}
    dy, dx = steps["y"] or -abs(steps["x"] or 1.0), steps["x"] or abs(steps["y"] or 1.0)
    return Affine(dx, 0, float(data["x"][0]) - dx / 2, 0, dy, float(data["y"][0]) - dy / 2)


def _step(data: "xr.Dataset", axis: str) -> float | None:
    """Give the distance of the pixel centres, None if there is only one."""
    centres = np.asarray(data[axis], np.float64)
    if centres.size == 1:
        return None
    steps = np.diff(centres)
    step = (centres[-1] - centres[0]) / (centres.size - 1)
    if not step or np.abs(steps - step).max() > 1e-3 * abs(step):
        raise CannotWrite(f"the pixels are not evenly spaced along {axis}, as GeoTIFF needs", _HINT)
    return float(step)


def _tags(attrs: Any) -> dict[str, str]:
    return {name: str(value) for name, value in simple(attrs).items()}
