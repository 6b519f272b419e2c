"""Models applied to maps of a desk or of files, and what is made of their answers: maps, and areas in a catalogue."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.catalogues import Entry, Store
from armillary.errors import BadRequest
from armillary.model import Progress, share, silent
from armillary.services.desk import Desk
from armillary.services.kept_answers import identity_of, stamps_of, tidy
from armillary.services.scenes import is_product, scene_of_products, segments_named, way_of

if TYPE_CHECKING:
    from armillary.learn.mapping import Mapped
    from armillary.learn.rasters.outlines import Layers, Patches
    from armillary.learn.rasters.scene import Scene
    from armillary.learn.rasters.segments import Segments
    from armillary.learn.trained import Run
    from armillary.services.applying import Target

Array = np.ndarray[Any, np.dtype[Any]]
#: Endings of maps that a model can make.
ENDINGS: Final = (".tif", ".nc", ".zarr")
#: Mean radius of the Earth, metres (IUGG).
_RADIUS: Final = 6_371_008.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which areas become rows.

    Parameters
    ----------
    classes : tuple of str
        All if empty.
    probability : float
        Smallest mean probability.
    area : float
        Smallest area, square metres.
    """

    classes: tuple[str, ...] = ()
    probability: float = 0.0
    area: float = 0.0


def of_maps(run: "Run") -> bool:
    """Say whether a model has learnt from maps: its answers are maps then."""
    layout = run.study.data.layout
    return layout == "raster" or (layout == "products" and not run.recipe["cadence"])


def apply_to_map(
    desk: Desk, run: "Run", things: Sequence[str] = (), *, columns: Mapping[str, str] | None = None,
    span: tuple[Any, Any] = (None, None), prior: Mapping[str, float] | None = None, progress: Progress = silent,
) -> "Mapped":  # fmt: skip
    """Apply a model to a map; a call that was interrupted goes on where it stopped when it is repeated.

    Parameters
    ----------
    things : sequence of str
        A file or folder in the layout of the study, or maps of the tree; nothing for the products of the study.
    columns : mapping of str to str
        Name in the study and product, where the last part of its path is another name.
    span : tuple
        Start and stop of products; those of the study if not given.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.mapping import map_scene

    scene, segments, about = _question(desk, run, things, dict(columns or {}), span)
    about |= {"run": identity_of(run), "model": run.name, "prior": dict(prior or {}), "lines": scene.strip_lines}
    name = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:20]
    folder = desk.home / "applied" / name
    tidy(folder.parent)
    return map_scene(run, scene, folder, segments=segments, prior=prior, progress=share(progress, 0.0, 0.9))


def find_areas(
    desk: Desk, run: "Run", target: "Target", name: str, wanted: Wanted, *,
    prior: Mapping[str, float] | None = None, progress: Progress = silent,
) -> dict[str, Any]:  # fmt: skip
    """Apply a model to a map and put the areas that it finds into a catalogue; give what is to be told.

    Raises
    ------
    ArmillaryError
    """
    span = (target.start, target.stop)
    mapped = apply_to_map(desk, run, target.things, columns=target.columns, span=span, prior=prior, progress=progress)
    record = told_of_map(mapped)
    record["added"], record["already"] = to_catalogue(desk.catalogues, name, mapped, wanted)
    forget(mapped)
    return record | {"catalogue": name}


def write_map(mapped: "Mapped", path: Path, progress: Progress = silent) -> Path:
    """Write the answers as a map, strip by strip: ``.tif`` (cloud-optimised GeoTIFF), ``.nc`` or ``.zarr``.

    Raises
    ------
    BadRequest, CannotWrite
    """
    from armillary.learn.mapping import datasets
    from armillary.sources.write import write

    check_map_path(path)
    return write(datasets(mapped), path, progress)


def check_map_path(path: Path) -> None:
    """Refuse a path that no map can be written to, before any work is done.

    Raises
    ------
    BadRequest, CannotWrite
    """
    from armillary.sources.write import check_path

    if path.suffix.lower() not in ENDINGS:
        problem = f"this model answers with maps, which are not written as {path.suffix or path.name!r}"
        raise BadRequest(problem, f"give -o FILE with the ending {', '.join(ENDINGS)}")
    check_path(path)


def to_catalogue(store: Store, name: str, mapped: "Mapped", wanted: Wanted) -> tuple[int, int]:
    """Write connected pixels of one class as areas into a catalogue, all of them or none.

    Returns
    -------
    tuple of int
        How many rows were added, and how many were there already because this was done before.

    Raises
    ------
    BadRequest
        If the answers are numbers, the map has no projection, or the catalogue holds something else.
    """
    _check_catalogue(store, name, mapped)
    rows = list(entries_of(mapped, name, wanted))
    if name not in {one.name for one in store.catalogues()}:
        store.new(name, "areas", description=f"Found by {mapped.run.name}")
    known = {one.id for one in store.rows(name)}
    fresh = [one for one in rows if one.id not in known]
    store.add(name, fresh)
    return len(fresh), len(rows) - len(fresh)


def entries_of(mapped: "Mapped", name: str, wanted: Wanted) -> Iterator[Entry]:
    """Give the areas that answers become; the same answers have the same ids in the same catalogue.

    Notes
    -----
    Two passes over the strips; memory of one strip, of a few numbers a patch, and of the outlines that are wanted.
    """
    from armillary.learn.rasters.outlines import outlines_of, patches_of

    patches = patches_of(map(_layers, (one for *_, one in mapped.strips())), weights_of(mapped.scene))
    named = np.array([not wanted.classes or one in wanted.classes for one in mapped.run.classes])
    kept = named[patches.code] & (patches.percent >= 100 * wanted.probability) & (patches.area >= wanted.area)
    codes = (_layers(one).code for *_, one in mapped.strips())
    to_degrees, identity = _to_degrees(mapped.scene), identity_of(mapped.run)
    for number, rings in outlines_of(patches, kept, codes):
        geometry = {"type": "Polygon", "coordinates": [to_degrees(ring) for ring in rings]}
        text = json.dumps([name, identity, mapped.run.name, geometry])
        yield _entry(mapped, patches, number, geometry, hashlib.sha256(text.encode()).hexdigest()[:26])


def told_of_map(mapped: "Mapped") -> dict[str, Any]:
    """Say what a model answered, how far the data drifted, and what the answers are worth; JSON values."""
    from armillary.learn.folder import plain

    drifted = bool(mapped.purity) and (mapped.drift or {}).get("verdict", "none") != "none"
    about = {
        "model": mapped.run.name, "model_version": mapped.run.key, "rows": mapped.pixels, "classes": mapped.classes,
        "drift": mapped.drift, "purity": mapped.purity, "map": mapped.scene.told(),
        "caveat": "completeness and purity were measured on held-out samples; this map drifted from them"
        if drifted else "",
    }  # fmt: skip
    told: dict[str, Any] = plain(about)
    return told


def forget(mapped: "Mapped") -> None:
    """Remove the answers, once they are where they should be."""
    shutil.rmtree(mapped.parts[0][0].parent, ignore_errors=True)


def weights_of(scene: "Scene") -> Array:
    """Give the area of a pixel in square metres, of each line; on a sphere where the map is in degrees."""
    from pyproj import CRS

    high, wide = (abs(one) for one in scene.pixel)
    if not scene.crs:
        return np.full(len(scene.y), high * wide)
    crs = CRS.from_user_input(scene.crs)
    if crs.is_geographic:
        square = np.radians(high) * np.radians(wide) * _RADIUS**2
        return np.asarray(square * np.cos(np.radians(scene.y)))
    factor = float(crs.axis_info[0].unit_conversion_factor or 1.0)
    return np.full(len(scene.y), high * wide * factor**2)


def _entry(mapped: "Mapped", patches: "Patches", number: int, geometry: Mapping[str, Any], identity: str) -> Entry:
    from armillary.learn.drift import STATES

    states = (*STATES, "")
    about = {
        "probability": float(patches.percent[number]) / 100,
        "trust": states[int(patches.trust[number].argmax())] or None,
        "area": float(patches.area[number]),
        "pixels": int(patches.pixels[number]),
    }
    known: dict[str, Any] = {key: value for key, value in about.items() if value is not None}
    return Entry(
        id=identity, geometry=geometry, class_=mapped.run.classes[int(patches.code[number])], attributes=known,
        model=mapped.run.name, model_version=mapped.run.key,
    )  # fmt: skip


def _layers(strip: Any) -> "Layers":
    from armillary.learn.mapping import NOTHING
    from armillary.learn.rasters.outlines import Layers

    known = strip.answer != NOTHING
    code = np.where(known, strip.answer, -1).astype(np.int64)
    own = np.take_along_axis(strip.percent, np.where(known, code, 0)[None], 0)[0]
    trust = np.where(strip.trust == NOTHING, 3, strip.trust).astype(np.int64)
    return Layers(code, np.where(known, own, 0), trust)


def _check_catalogue(store: Store, name: str, mapped: "Mapped") -> None:
    if not mapped.run.classes:
        raise BadRequest("this model answers with numbers, which are no areas", "write a map, with -o FILE.tif")
    if not mapped.scene.crs:
        problem = f"{mapped.scene.title} has no projection, so its areas have no place on Earth"
        raise BadRequest(problem, "write a map, with -o FILE.tif")
    known = {one.name: one.kind for one in store.catalogues()}
    if known.get(name, "areas") != "areas":
        raise BadRequest(f"{name!r} holds {known[name]}, the model finds areas", "name another catalogue")


def _to_degrees(scene: "Scene") -> Any:
    """Give what turns corners of pixels into closed rings of longitude and latitude, outer ones counter-clockwise."""
    from pyproj import Transformer

    moved = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
    high, wide = scene.pixel
    # rings run clockwise where lines go down the map, as they do where y falls and x rises
    turned = high * wide < 0

    def to_degrees(ring: Array) -> list[list[float]]:
        x, y = scene.x[0] + wide * (ring[:, 0] - 0.5), scene.y[0] + high * (ring[:, 1] - 0.5)
        places = np.round(np.column_stack(moved.transform(x, y)), 9)
        listed: list[list[float]] = (places[::-1] if turned else places).tolist()
        return listed

    return to_degrees


def _question(
    desk: Desk, run: "Run", things: Sequence[str], columns: dict[str, str], span: tuple[Any, Any]
) -> tuple["Scene", "Segments | None", dict[str, Any]]:
    """Find the map that is asked about, its segments, and what tells this question from others."""
    options = run.study.data.options
    if len(things) == 1 and Path(things[0]).exists() and not is_product(desk, things[0]):
        if columns or any(span):
            raise BadRequest("--column, --start and --stop cannot be asked of a file", "leave them out")
        return _of_file(desk, run, Path(things[0]))
    known = {name: str(path) for name, path in dict(options.get("products", {})).items()}
    products = _products(desk, known, things, columns)
    way = way_of(options, "", *span)
    scene = scene_of_products(desk, products, way)
    segments = segments_named(desk, options["segments"], scene) if "segments" in options else None
    stamps = {name: [path, desk.product(path).version] for name, path in products.items()}
    return scene, segments, {"products": stamps, "way": asdict(way)}


def _products(
    desk: Desk, known: Mapping[str, str], things: Sequence[str], columns: Mapping[str, str]
) -> dict[str, str]:
    paths = [desk.product(one).path for one in things]
    if len(paths) == 1 and len(known) <= 1 and not columns:
        return {next(iter(known), "map"): paths[0]}
    found = {**known, **{path.rpartition("/")[2]: path for path in paths}, **columns}
    odd = sorted(set(found) - set(known)) if known else []
    if odd:
        problem = f"the study has no product {odd[0]!r}"
        raise BadRequest(problem, f"write --column NAME=PRODUCT for each of {', '.join(known)}")
    if not found:
        raise BadRequest("nothing says which map the model is applied to", "give a file, or a map of the tree")
    return {name: desk.product(path).path for name, path in found.items()}


def _of_file(desk: Desk, run: "Run", path: Path) -> tuple["Scene", "Segments | None", dict[str, Any]]:
    from armillary.learn.layouts.raster import scene_at, segments_at

    options = run.study.data.options if run.study.data.layout == "raster" else {}
    scene = scene_at(path, options)
    segments = segments_at(path, options, scene) if "segments" in options else None
    if segments is None and "segments" in run.study.data.options:
        segments = segments_named(desk, run.study.data.options["segments"], scene)
    return scene, segments, {"file": stamps_of(path)}
