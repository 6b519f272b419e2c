"""Panels of images: rasters in their own projection, time stacks, wavelength cubes."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.plots.limits import floats
from armillary.plots.series import blank
from armillary.plots.view import Array, Axis, ColourAxis, Image, Panel
from armillary.plots.wording import tidy_units

if TYPE_CHECKING:
    import xarray as xr

    from armillary.model import Interval, Product

#: Three bands that make a picture in natural colours, by the names that bands have.
_NATURAL: Final = (("red", "green", "blue"), ("b04", "b03", "b02"), ("b4", "b3", "b2"), ("r", "g", "b"))
#: Red, green and blue light in nanometres.
_VISIBLE: Final = (650.0, 560.0, 480.0)
_NANOMETRES: Final = {"nm": 1.0, "nanometers": 1.0, "nanometres": 1.0, "nanometer": 1.0, "um": 1e3, "µm": 1e3,
                      "micrometers": 1e3, "micrometres": 1e3, "micron": 1e3, "microns": 1e3, "m": 1e9}  # fmt: skip
MAX_TIMES: Final = 6
#: More pixels than this along a side are skipped evenly before anything is computed.
MAX_PIXELS: Final = 2048


def raster_panels(product: "Product", data: "xr.Dataset", interval: "Interval | None") -> list[Panel]:
    """Arrange a raster as a map; of a stack in time at most `MAX_TIMES` maps, the first and last among them."""
    if interval is not None and "time" in data.dims:
        ns = data["time"].values.astype("datetime64[ns]").astype(np.int64)
        data = data.isel(time=(ns >= interval.start) & (ns < interval.stop))
    layers = [one for one in data.data_vars.values() if one.dims[-2:] == ("y", "x") and one.dtype.kind in "biuf"]
    if not layers or not layers[0].size:
        return [blank(product)]
    if "time" not in layers[0].dims:
        return [_map(product, data, layers, "")]
    count = layers[0].sizes["time"]
    chosen = np.unique(np.linspace(0, count - 1, min(count, MAX_TIMES)).round().astype(int))
    return [_map(product, data, [_at(one, int(k)) for one in layers], _date(data, int(k))) for k in chosen]


def cube_panels(product: "Product", data: "xr.Dataset", _interval: "Interval | None" = None) -> list[Panel]:
    """Arrange a wavelength cube as red, green and blue, or three wavelengths spread over what it has."""
    cubes = [one for one in data.data_vars.values() if one.dims == ("wavelength", "y", "x")]
    if not cubes or not cubes[0].size:
        return [blank(product)]
    cube = cubes[0]
    waves = np.asarray(cube["wavelength"].values, np.float64)
    units = str(cube["wavelength"].attrs.get("units", ""))
    guessed = (1.0 if np.nanmedian(waves) > 100 else 1e3) if not units else np.nan
    nm = waves * _NANOMETRES.get(units.lower(), guessed)
    natural = np.isfinite(nm).any() and np.nanmin(nm) <= 500 and np.nanmax(nm) >= 640
    if natural:
        chosen = [int(np.nanargmin(np.abs(nm - light))) for light in _VISIBLE]
    else:
        order = np.argsort(waves)
        chosen = [int(order[round(part * (len(waves) - 1))]) for part in (0.8, 0.5, 0.2)]
    said = ", ".join(f"{waves[k]:.4g}" for k in chosen)
    note = f"{'natural' if natural else 'false'} colours: {said} {tidy_units(units)}".rstrip()
    return [_coloured(product, data, [cube.isel(wavelength=k) for k in chosen], "", (note,))]


def _map(product: "Product", data: "xr.Dataset", layers: "list[xr.DataArray]", when: str) -> Panel:
    bands = _bands(layers)
    names = {name.lower().strip(): name for name in bands}
    for triple in _NATURAL:
        if set(triple) <= set(names):
            chosen = [bands[names[one]] for one in triple]
            return _coloured(product, data, chosen, when, (f"natural colours: {', '.join(names[t] for t in triple)}",))
    name, layer = next(iter(bands.items()))
    notes = (f"band {name}, the first of {len(bands)}",) if len(bands) > 1 else ()
    return _shaded(product, data, layer, when, notes)


def _bands(layers: "list[xr.DataArray]") -> "dict[str, xr.DataArray]":
    """Give the (y, x) layers by name, from a band dimension or from variables."""
    found: dict[str, Any] = {}
    for layer in layers:
        rest = layer.dims[:-2]
        if not rest:
            found[str(layer.attrs.get("band") or layer.name)] = layer
            continue
        flat = layer.stack(all_=rest) if len(rest) > 1 else layer.rename({rest[0]: "all_"})
        names = (
            layer.coords[rest[0]].values if len(rest) == 1 and rest[0] in layer.coords else range(flat.sizes["all_"])
        )
        for k, name in enumerate(names):
            found.setdefault(str(name), flat.isel(all_=k, drop=True))
    return found


def _coloured(
    product: "Product", data: "xr.Dataset", layers: "list[xr.DataArray]", when: str, notes: tuple[str, ...]
) -> Panel:
    pixels = [_pixels(one) for one in layers]
    known = np.all([np.isfinite(one) for one in pixels], axis=0)
    image = np.zeros((*known.shape, 4), np.uint8)
    for k, one in enumerate(pixels):
        low, high = _stretch(one[known])
        image[..., k] = np.clip((np.where(known, one, low) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    image[..., 3] = np.where(known, 255, 0)
    return _panel(product, data, layers[0], image, when, notes, None)


def _shaded(product: "Product", data: "xr.Dataset", layer: "xr.DataArray", when: str, notes: tuple[str, ...]) -> Panel:
    pixels = _pixels(layer)
    low, high = _stretch(pixels[np.isfinite(pixels)])
    label = str(layer.attrs.get("LABLAXIS") or layer.attrs.get("long_name") or product.title).replace("_", " ")
    colour = ColourAxis(label, tidy_units(str(layer.attrs.get("units", ""))), low, high, "linear", "viridis")
    return _panel(product, data, layer, pixels.astype(np.float32), when, notes, colour)


def _panel(
    product: "Product", data: "xr.Dataset", layer: "xr.DataArray", image: Array, when: str,
    notes: tuple[str, ...], colour: ColourAxis | None,
) -> Panel:  # fmt: skip
    (left, right, flip_x), (bottom, top, flip_y) = _side(layer, "x"), _side(layer, "y")
    image = image[:, ::-1] if flip_x else image
    image = image if flip_y else image[::-1]
    name, geographic = _projection(str(data.attrs.get("crs") or layer.attrs.get("crs") or ""))
    words = ("longitude", "latitude") if geographic else ("easting", "northing") if name else ("column", "row")
    units = "°" if geographic else "m" if name else ""
    x = Axis(f"{words[0]}, {name}" if name else words[0], _axis_units(layer, "x", units), left, right)
    y = Axis(words[1], _axis_units(layer, "y", units), bottom, top)
    aspect = 1 / max(float(np.cos(np.radians((bottom + top) / 2))), 0.05) if geographic else 1.0
    title = f"{product.title} {when}".strip()
    picture = Image(np.ascontiguousarray(image), left, right, bottom, top)
    return Panel("image", x, y, (picture,), colour, title, product.path, notes, aspect)


def _pixels(layer: "xr.DataArray") -> Array:
    step = max(1, -(-max(layer.shape) // MAX_PIXELS))
    values = floats(layer[::step, ::step].values)
    for name in ("_FillValue", "FILLVAL", "nodata"):
        if layer.attrs.get(name) is not None:
            values[values == float(layer.attrs[name])] = np.nan
    return values


def _stretch(known: Array) -> tuple[float, float]:
    """Give the 2nd and 98th percentile, so that a few bright pixels do not darken the rest."""
    if not known.size:
        return 0.0, 1.0
    low, high = (float(one) for one in np.percentile(known, [2, 98]))
    if high <= low:
        low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _side(layer: "xr.DataArray", name: str) -> tuple[float, float, bool]:
    """Give the outer borders of the pixels along one side and whether the coordinate falls."""
    size = layer.sizes[name]
    centres = np.asarray(layer.coords[name].values, np.float64) if name in layer.coords else np.arange(size) + 0.5
    if name not in layer.coords and name == "y":
        centres = centres[::-1]
    first, last = float(centres[0]), float(centres[-1])
    half = abs(last - first) / (size - 1) / 2 if size > 1 else 0.5
    return min(first, last) - half, max(first, last) + half, last < first


def _axis_units(layer: "xr.DataArray", name: str, otherwise: str) -> str:
    given = str(layer.coords[name].attrs.get("units", "")) if name in layer.coords else ""
    return tidy_units(given.replace("metre", "m")) if given and not given.startswith("degrees") else otherwise


def _projection(crs: str) -> tuple[str, bool]:
    """Give a short name of the CRS and whether it counts degrees."""
    if not crs:
        return "", False
    import pyproj

    try:
        found = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return crs[:40], False
    code = found.to_authority(min_confidence=90)
    return (":".join(code) if code else found.name), bool(found.is_geographic)


def _at(layer: "xr.DataArray", k: int) -> "xr.DataArray":
    return layer.isel(time=k) if "time" in layer.dims else layer


def _date(data: "xr.Dataset", k: int) -> str:
    return str(data["time"].values[k].astype("datetime64[m]")).replace("T", " ").removesuffix(" 00:00")
