"""Rasters of the observatory: scenes of the tile, cut to lines, box and time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.simulated import tile_series as tile
from armillary.missions.simulated.tile_series import Window
from armillary.model import Box, Extent, Product, Progress
from armillary.science.noise import Array

if TYPE_CHECKING:
    import xarray as xr

_MEANINGS: Final = {
    "mask": ("clear", "cloud", "shadow"),
    "land_cover": tuple(name.replace(" ", "_") for name in tile.CLASSES),
}


def raster(seed: int, product: Product, extent: Extent, progress: Progress) -> "xr.Dataset":
    """Give the scenes of an extent, dimensions (time, band, y, x) as far as the product has them.

    There may be more lines and columns than asked for: :func:`cut` takes them away.
    """
    name = product.address.rpartition("/")[2]
    window = _window(extent)
    if name == "land_cover":
        return _dataset(product, name, ("y", "x"), tile.land(seed).kind[window], window)
    sampling = tile.RADAR if name == "sar" else tile.OPTICAL
    scenes = sampling.blocks(extent.time)
    times = np.array([sampling.times(scene)[0] for scene in scenes], np.int64)
    inside = [not extent.time or int(time) in extent.time for time in times]
    chosen = [scene for scene, good in zip(scenes, inside, strict=True) if good]
    values = _scenes(_MAKERS[name], seed, chosen, window, progress)
    coords: dict[str, Any] = {"time": ("time", times[inside].astype("datetime64[ns]"), {"long_name": "time"})}
    bands = _bands(name)
    if bands:
        coords |= bands
    dims = ("time", "band", "y", "x") if bands else ("time", "y", "x")
    return _dataset(product, name, dims, values, window, coords)


def cut(found: "xr.Dataset", extent: Extent) -> "xr.Dataset":
    """Cut a raster to exactly the lines and the box of an extent; perhaps to nothing."""
    from armillary.science.trim import trim

    if extent.rows:
        line = np.round((tile.TOP - found["y"].to_numpy()) / tile.PIXEL - 0.5)
        found = found.isel(y=np.flatnonzero((line >= extent.rows.start) & (line < extent.rows.stop)))
    return trim(found, Extent(box=extent.box)) if extent.box else found


def _scenes(
    make: Callable[[int, int, Window], Array], seed: int, chosen: list[int], window: Window, progress: Progress
) -> Array:
    parts = []
    for done, scene in enumerate(chosen):
        progress(done / len(chosen), "simulating scenes")
        parts.append(make(seed, scene, window))
    return np.concatenate(parts) if parts else make(seed, 0, window)[:0]


def _truth_cloud(seed: int, scene: int, window: Window) -> Array:
    return np.stack([one[window] for one in tile.clouds(seed, scene)])[None].astype(np.float32)


def _truth_green(seed: int, scene: int, window: Window) -> Array:
    return tile.greenness(seed, int(tile.OPTICAL.times(scene)[0]), window).astype(np.float32)[None]


_MAKERS: Final[dict[str, Callable[[int, int, Window], Array]]] = {
    "optical": tile.optical,
    "mask": tile.mask,
    "sar": tile.radar,
    "cloud": _truth_cloud,
    "greenness": _truth_green,
}


def _bands(name: str) -> dict[str, Any]:
    names = {"optical": tile.BANDS, "sar": ("VV", "VH"), "cloud": ("thickness", "shadow")}.get(name)
    if names is None:
        return {}
    found: dict[str, Any] = {"band": ("band", np.array(names), {"long_name": "band"})}
    if name == "optical":
        found["wavelength"] = ("band", np.array(tile.WAVELENGTHS), {"units": "um", "long_name": "Central wavelength"})
    return found


def _dataset(
    product: Product,
    name: str,
    dims: tuple[str, ...],
    values: Array,
    window: Window,
    coords: dict[str, Any] | None = None,
) -> "xr.Dataset":
    import xarray as xr

    x, y = _axes()
    grid = {
        "y": ("y", y[window.rows], {"units": "m", "long_name": "Northing", "standard_name": "projection_y_coordinate"}),
        "x": (
            "x",
            x[window.columns],
            {"units": "m", "long_name": "Easting", "standard_name": "projection_x_coordinate"},
        ),
    }
    attrs: dict[str, Any] = {"units": product.units, "long_name": product.title, "CATDESC": product.description}
    if name in _MEANINGS:
        attrs |= {"flag_values": list(range(len(_MEANINGS[name]))), "flag_meanings": " ".join(_MEANINGS[name])}
    about = {"title": product.title, "crs": tile.CRS, "citation": product.citation, "description": product.description}
    return xr.Dataset({name: (dims, values, attrs)}, coords={**(coords or {}), **grid}, attrs=about)


def _axes() -> tuple[Array, Array]:
    step = (np.arange(tile.SIZE) + 0.5) * tile.PIXEL
    return tile.LEFT + step, tile.TOP - step


def _window(extent: Extent) -> Window:
    """Give the pixels that may lie in the lines and the box; at least one, so that scenes keep a shape."""
    rows, columns = slice(0, tile.SIZE), slice(0, tile.SIZE)
    if extent.box:
        rows, columns = _box_window(extent.box)
    if extent.rows:
        rows = slice(max(rows.start, extent.rows.start), min(rows.stop, extent.rows.stop))
    return Window(_least(rows), _least(columns))


def _least(part: slice) -> slice:
    start = min(max(part.start, 0), tile.SIZE - 1)
    return slice(start, min(max(part.stop, start + 1), tile.SIZE))


def _box_window(box: Box) -> tuple[slice, slice]:
    from pyproj import Transformer

    transformer = Transformer.from_crs("EPSG:4326", tile.CRS, always_xy=True)
    east = box.east if box.east > box.west else box.east + 360
    west, south, east, north = transformer.transform_bounds(box.west, box.south, east, box.north, densify_pts=41)
    across = [(edge - tile.LEFT) / tile.PIXEL for edge in (west, east)]
    down = [(tile.TOP - edge) / tile.PIXEL for edge in (north, south)]
    return _pixels(down), _pixels(across)


def _pixels(edges: list[float]) -> slice:
    low, high = (min(max(edge, -1.0), tile.SIZE + 1.0) if edge == edge else 0.0 for edge in edges)  # noqa: PLR0124 - NaN
    return slice(int(np.floor(low)), int(np.ceil(high)) + 1)
