"""Maps of the tree as scenes and as samples: several products on one grid, several times as one image."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, BadRequest, UnknownCatalogue, UnknownProduct
from armillary.model import Product, Progress, silent
from armillary.services.desk import Desk

if TYPE_CHECKING:
    import xarray as xr

    from armillary.learn.rasters.scene import Scene
    from armillary.learn.rasters.segments import Segments
    from armillary.learn.rasters.truth import Truth
    from armillary.learn.study import Study

#: Kinds of products that are maps.
KINDS: Final = frozenset({"raster", "cube"})
#: Options of ``[data] layout = "products"`` where the products are maps.
_OPTIONS: Final[dict[str, Any]] = {
    "products": Mapping[str, str], "start": Any, "stop": Any, "composite": str, "mask": str,
    "clear": tuple[float, ...], "labels": str, "where": str,
    "classes": Mapping[str, str], "unlabelled": tuple[float, ...], "every": int, "most": int, "segments":
    Mapping[str, Any] | str, "least_share": float, "test_start": Any, "test_stop": Any,
}  # fmt: skip
_COMPOSITES: Final = ("median", "mean", "each")


@dataclass(frozen=True, slots=True)
class Way:
    """How maps of several times become one.

    Parameters
    ----------
    start, stop : str, optional
        Which times.
    composite : str
        ``median``, ``mean``, or ``each`` for itself.
    mask : str
        Product of the same times and pixels that says which pixels are clear; "" for all.
    clear : tuple of float
        Its values for that.
    """

    start: str | None = None
    stop: str | None = None
    composite: str = "median"
    mask: str = ""
    clear: tuple[float, ...] = (0.0,)


def are_maps(desk: Desk, options: Mapping[str, Any]) -> bool:
    """Say whether the products of a study are maps.

    Raises
    ------
    BadRequest
        If some are and some are not.
    """
    named = options.get("products", {})
    paths = [str(one) for one in (named.values() if isinstance(named, Mapping) else ())]
    kinds = {path: desk.product(path).kind for path in paths}
    maps = [path for path, kind in kinds.items() if kind in KINDS]
    if maps and len(maps) < len(kinds):
        other = next(path for path in kinds if path not in maps)
        raise BadRequest(f"{maps[0]} is a map and {other} is of the kind {kinds[other]}", "learn from one kind only")
    return bool(maps)


def samples_of_maps(desk: Desk, study: "Study", progress: Progress = silent, which: str = "") -> "xr.Dataset":
    """Make samples of rasters on one grid, labelled by a catalogue of areas or another raster of the tree.

    Parameters
    ----------
    which : str
        ``test_`` for the interval of the test data.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.keys import check_keys
    from armillary.learn.rasters.pixels import pixel_samples
    from armillary.learn.rasters.segments import segment_samples

    options = study.data.options
    check_keys("[data.options]", options, _OPTIONS, "options of maps")
    scene = scene_of_products(desk, options["products"], way_of(options, which))
    truth = truth_of(desk, options, scene)
    if "segments" in options:
        segments = segments_named(desk, options["segments"], scene)
        return segment_samples(scene, segments, truth, float(options.get("least_share", 0.5)), progress)
    thin: dict[str, Any] = {name: int(options[name]) for name in ("every", "most") if name in options}
    return pixel_samples(scene, truth, **thin, progress=progress)


def truth_of(desk: Desk, options: Mapping[str, Any], scene: "Scene") -> "Truth | None":
    """Take labels from what the option ``labels`` names: a catalogue of areas, or a raster of the tree.

    Raises
    ------
    UnknownCatalogue
        If it is neither.
    BadData
        If the catalogue has no area.
    """
    from armillary.learn.rasters.polygons import Area, rings_of
    from armillary.learn.rasters.truth import of_areas, of_raster

    name = str(options.get("labels", ""))
    if not name:
        return None
    catalogues = {one.name for one in desk.catalogues.catalogues()}
    if name not in catalogues and is_product(desk, name):
        labels = scene_of_product(desk, desk.product(name), Way())
        return of_raster(scene, labels, dict(options.get("classes", {})), tuple(options.get("unlabelled", ())))
    if name not in catalogues:
        there = ", ".join(sorted(catalogues)) or "none"
        raise UnknownCatalogue(f"{name!r} is neither a catalogue nor a map of the tree", f"the catalogues: {there}")
    rows = desk.catalogues.rows(name, None, options.get("where"))
    areas = [
        Area(one.id, one.class_, rings) for one in rows if one.geometry for rings in (rings_of(one.geometry),) if rings
    ]
    if not areas:
        raise BadData(f"catalogue {name!r} has no area", "import polygons: armillary catalogue import AREAS.geojson")
    return of_areas(scene, areas)


def way_of(options: Mapping[str, Any], which: str = "", start: Any = None, stop: Any = None) -> Way:
    """Read how a study puts times together; other times may be given.

    Raises
    ------
    BadParameter
        If the way to join times is unknown.
    """
    span = [
        one if one is not None else options.get(f"{which}{name}") for one, name in ((start, "start"), (stop, "stop"))
    ]
    composite = str(options.get("composite", "median"))
    if composite not in _COMPOSITES:
        raise BadParameter(f"composite = {composite!r} is unknown", f"give one of {', '.join(_COMPOSITES)}")
    first, last = (None if one is None else str(one) for one in span)
    return Way(first, last, composite, str(options.get("mask", "")), tuple(options.get("clear", (0.0,))))


def scene_of_products(desk: Desk, products: Mapping[str, str], way: Way) -> "Scene":
    """Put maps of the tree on one grid side by side.

    Raises
    ------
    BadData
        If the grids differ.
    """
    from armillary.learn.rasters.scene import joined

    return joined({name: scene_of_product(desk, desk.product(str(path)), way) for name, path in products.items()})


def scene_of_product(desk: Desk, product: Product, way: Way) -> "Scene":
    """Make a scene of one map of the tree; a source that does not say its lines is read whole."""
    from armillary.learn.rasters.scene import scene_of

    if product.kind not in KINDS:
        raise BadRequest(f"{product.path} is of the kind {product.kind}, no map", "name a raster or a cube")

    def read(first: int, last: int) -> "xr.Dataset":
        return _composed(_clear(desk, _dataset(desk, product, way, rows=(first, last)), way, (first, last)), way)

    if product.rows is None or "rows" not in product.selects:
        whole = _composed(_clear(desk, _dataset(desk, product, way), way, None), way)
        return scene_of(product.path, whole.sizes["y"], partial(_lines, whole), np.asarray(whole["y"].values))
    return scene_of(product.path, product.rows, read)


def segments_named(desk: Desk, wanted: Any, scene: "Scene") -> "Segments":
    """Give the segments that a study names by a raster of the tree, or how they are made."""
    from armillary.learn.rasters.segments import segments_of

    if isinstance(wanted, str):
        return segments_of(scene, scene_of_product(desk, desk.product(wanted), Way()))
    return segments_of(scene, None, wanted)


def is_product(desk: Desk, path: str) -> bool:
    """Say whether there is a leaf at a path."""
    try:
        desk.product(path)
    except UnknownProduct:
        return False
    return True


def _dataset(desk: Desk, product: Product, way: Way, **parts: Any) -> "xr.Dataset":
    span = (way.start, way.stop) if product.coverage else (None, None)
    found: Any = desk.get(product.path, *span, **parts)
    if "time" in found.dims and not found.sizes["time"]:
        problem = f"{product.path} has no image between {way.start} and {way.stop}"
        raise BadData(problem, f"its coverage is {product.coverage}")
    return found  # type: ignore[no-any-return]


def _clear(desk: Desk, data: "xr.Dataset", way: Way, rows: tuple[int, int] | None) -> "xr.Dataset":
    """Let only pixels count that a mask of the same times calls clear."""
    if not way.mask or "time" not in data.dims:
        return data
    mask = _dataset(desk, desk.product(way.mask), way, **({"rows": rows} if rows else {}))
    name = next(iter(mask.data_vars))
    if not mask.indexes["time"].equals(data.indexes["time"]) or not _alike(mask, data):
        raise BadData(f"the mask {way.mask} has other times or pixels than the map", "name the mask of that map")
    return data.where(mask[name].isin(list(way.clear)))


def _composed(data: "xr.Dataset", way: Way) -> "xr.Dataset":
    """Give one image of all times: their median or mean, or each for itself."""
    if "time" not in data.dims or way.composite == "each":
        return data
    if data.sizes["time"] == 1:
        return data.isel(time=0)
    with warnings.catch_warnings():
        # pixels that were never clear have no median
        warnings.simplefilter("ignore", RuntimeWarning)
        join = data.median if way.composite == "median" else data.mean
        return join("time", skipna=True, keep_attrs=True)


def _alike(one: "xr.Dataset", other: "xr.Dataset") -> bool:
    return all(np.array_equal(one[dim].values, other[dim].values) for dim in ("y", "x"))


def _lines(whole: "xr.Dataset", first: int, last: int) -> "xr.Dataset":
    return whole.isel(y=slice(first, last))
