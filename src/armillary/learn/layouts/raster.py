"""Maps: one sample a pixel, or one a segment, with labels from a raster or from areas that somebody drew."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadParameter
from armillary.learn.keys import check_keys
from armillary.learn.rasters.opening import arrays_of, open_scene
from armillary.learn.rasters.pixels import pixel_samples
from armillary.learn.rasters.polygons import read_areas
from armillary.learn.rasters.scene import Scene, joined, only
from armillary.learn.rasters.segments import Segments, segment_samples, segments_of
from armillary.learn.rasters.truth import Truth, of_areas, of_raster

if TYPE_CHECKING:
    import xarray as xr

_OPTIONS: Final = {
    "image": str, "images": Mapping[str, str], "variables": tuple[str, ...], "bands": tuple[str, ...], "labels": str,
    "label": str, "attribute": str, "classes": Mapping[str, str], "unlabelled": tuple[float, ...], "numbers": bool,
    "every": int, "most": int, "together": str, "segments": Mapping[str, Any] | str, "least_share": float,
}  # fmt: skip
_AREAS: Final = (".geojson", ".json", ".gpkg")


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read a map as samples.

    Parameters
    ----------
    path : Path
        The map, see :func:`armillary.learn.rasters.opening.open_scene`, or a folder.
    options : mapping
        ``image``: the map in the folder; or ``images``: names and files of several on one grid. ``variables``: which of
        the file's. ``bands``: which bands; all if left out. ``labels``: file of the labels, beside the map: a raster on
        the same grid, or areas (GeoJSON, GeoPackage) whose property ``attribute`` is the class (``class`` if left out);
        ``label``: or a variable of the map's own file. ``classes``: names of values. ``unlabelled``: values that mean
        that nobody knows. ``numbers``: labels are numbers to learn. ``every``, ``most``: thinning of pixels.
        ``together``: one variable of all bands. ``segments``: a raster of segment numbers, or ``{size = 10}`` to make
        segments of about that many pixels on a side. ``least_share``: of the labelled pixels of a segment that must be
        of one class, above 0.5 if left out.

    Returns
    -------
    xarray.Dataset
        Samples with ``x`` and ``y``, with labels only those that have one; ``group`` is the area.

    Raises
    ------
    ArmillaryError
    """
    check_options(options)
    scene, truth = scene_at(path, options), _truth(path, options)
    known = truth(scene) if truth else None
    if "segments" in options:
        share = float(options.get("least_share", 0.5))
        return segment_samples(scene, segments_at(path, options, scene), known, share)
    thin = {name: options[name] for name in ("every", "most", "together", "numbers") if name in options}
    return pixel_samples(scene, known, **thin)


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that the layout does not know or cannot use together.

    Raises
    ------
    BadParameter
    """
    check_keys("layout 'raster'", options, _OPTIONS, "options")
    for one, least in (("every", 1), ("most", 0)):
        if options.get(one, least) < least:
            raise BadParameter(f"layout 'raster': {one} = {options[one]}", f"give {least} or more")
    both = [one for one in ("every", "most", "together", "numbers") if one in options]
    if "segments" in options and both:
        raise BadParameter(f"layout 'raster': {both[0]!r} is of pixels, not of segments", "leave one of both out")
    if "image" in options and "images" in options:
        raise BadParameter("layout 'raster': give 'image' or 'images', not both", "leave one out")


def scene_at(path: Path, options: Mapping[str, Any]) -> Scene:
    """Open the map that a study names, or another one at `path` in the same layout.

    Raises
    ------
    ArmillaryError
    """
    variables = tuple(options.get("variables", ()))
    folder = path if _is_folder(path) else path.parent
    if options.get("images") and _is_folder(path):
        named = dict(options["images"])
        found = joined({name: open_scene(_there(folder, str(file)), variables) for name, file in named.items()})
    else:
        alone = _there(path, str(options["image"])) if _is_folder(path) and "image" in options else path
        label = {str(options["label"])} if "label" in options else set()
        found = open_scene(alone, variables or _without(alone, label))
    return only(found, [str(one) for one in options["bands"]]) if options.get("bands") else found


def segments_at(path: Path, options: Mapping[str, Any], scene: Scene) -> Segments:
    """Give the segments that a study names, or how they are made.

    Raises
    ------
    ArmillaryError
    """
    wanted = options["segments"]
    if isinstance(wanted, str):
        folder = path if _is_folder(path) else path.parent
        return segments_of(scene, open_scene(_there(folder, wanted)))
    return segments_of(scene, None, wanted)


def _truth(path: Path, options: Mapping[str, Any]) -> Any:
    """Give what makes labels for a scene; None if the study names none."""
    folder = path if _is_folder(path) else path.parent
    classes, unlabelled = dict(options.get("classes", {})), tuple(options.get("unlabelled", ()))

    def of(scene: Scene) -> Truth:
        if "label" in options:
            own = _there(path, str(options["image"])) if _is_folder(path) and "image" in options else path
            return of_raster(scene, open_scene(own, (str(options["label"]),)), classes, unlabelled)
        file = _there(folder, str(options["labels"]))
        if file.suffix.lower() in _AREAS:
            return of_areas(scene, read_areas(file, str(options.get("attribute", "class"))))
        return of_raster(scene, open_scene(file), classes, unlabelled)

    return of if "label" in options or "labels" in options else None


def _without(path: Path, label: set[str]) -> tuple[str, ...]:
    """Name the images of a file but the labels; nothing where the file decides."""
    if not label or path.suffix.lower() == ".mat":
        return _largest_without(path, label) if label else ()
    import xarray as xr

    with xr.open_dataset(path, decode_times=False) as whole:
        return tuple(str(name) for name, one in whole.data_vars.items() if name not in label and one.ndim > 1)


def _largest_without(path: Path, label: set[str]) -> tuple[str, ...]:
    sizes = {name: one.size for name, one in arrays_of(path).items() if name not in label}
    return (max(sizes, key=lambda name: sizes[name]),) if sizes else ()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and path.suffix.lower() != ".zarr"


def _there(folder: Path, name: str) -> Path:
    found = folder / name
    if not found.exists():
        there = ", ".join(sorted(one.name for one in folder.iterdir())[:8]) or "nothing"
        raise BadParameter(f"there is no {name} in {folder.name}", f"there is {there}")
    return found
