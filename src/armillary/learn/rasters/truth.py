"""Labels on a scene: a raster of classes on the same grid, shares of classes, or areas drawn by people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from armillary.errors import BadData
from armillary.learn.rasters.polygons import Area, burnt, on_grid
from armillary.learn.rasters.scene import Scene, check_same_grid

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known of the pixels of a scene.

    Parameters
    ----------
    lines : callable
        ``lines(first, last)`` gives values, (line, column) float64 with NaN where nothing is known, and the number of
        the area that each pixel lies in, -1 = none; None where there are no areas.
    name : callable
        Gives the class of a value.
    areas : tuple of str
        Names of the areas.
    notes : tuple of str
    """

    lines: Callable[[int, int], tuple[Array, Array | None]]
    name: Callable[[float], str]
    areas: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def of_raster(scene: Scene, labels: Scene, classes: Mapping[str, str], unlabelled: Sequence[float] = ()) -> Truth:
    """Take labels from a raster on the same grid.

    Parameters
    ----------
    scene, labels : Scene
        Of labels with one band its values are the classes; with several, they are the shares of classes in the pixel,
        and the class is the one with more than half of all.
    classes : mapping of str to str
        Names of the values, or of the numbers of the bands, from 1.
    unlabelled : sequence of float
        Values that mean that nobody knows.

    Raises
    ------
    BadData
        If it lies on another grid.
    """
    check_same_grid(scene, labels)
    several = len(labels.names) > 1

    def lines(first: int, last: int) -> tuple[Array, None]:
        found = labels.lines(first, last).astype(np.float64)
        values = _largest(found) if several else found[0]
        values[np.isin(values, np.asarray(unlabelled, np.float64))] = np.nan
        return values, None

    def name(value: float) -> str:
        text = f"{value:g}"
        return str(classes.get(text) or labels.meanings.get(value) or text)

    return Truth(lines, name)


def of_areas(scene: Scene, areas: Sequence[Area]) -> Truth:
    """Take labels from areas: a pixel belongs to the one that holds its centre.

    Where areas of different classes overlap nothing is known; where those of one class do, the first counts.

    Raises
    ------
    BadData
        If none of them holds a pixel.
    """
    placed = on_grid(areas, scene)
    known = sorted({one.class_ for one in areas if one.class_})
    code = np.array([known.index(one.class_) if one.class_ in known else -1 for one in areas], np.int64)

    def lines(first: int, last: int) -> tuple[Array, Array]:
        values, numbers = np.full((last - first, len(scene.x)), np.nan), np.full((last - first, len(scene.x)), -1)
        torn = np.zeros(values.shape, bool)
        for number, rings in enumerate(placed):
            found = burnt(rings, scene.y[first:last], scene.x) if code[number] >= 0 else None
            if found is None:
                continue
            down, across, inside = found
            before, own = values[down, across], numbers[down, across]
            torn[down, across] |= inside & np.isfinite(before) & (before != code[number])
            fresh = inside & np.isnan(before)
            before[fresh], own[fresh] = code[number], number
        values[torn] = np.nan
        return values, np.where(torn, -1, numbers)

    names = [one.name or f"area {number}" for number, one in enumerate(areas)]
    if not any(burnt(rings, scene.y, scene.x) is not None for rings in placed):
        hint = "look at the projection: GeoJSON is in degrees of longitude and latitude"
        raise BadData(f"none of the {len(areas)} areas lies on {scene.title}", hint)
    return Truth(lines, lambda value: known[int(value)], tuple(names))


def _largest(shares: Array) -> Array:
    """Give the number, from 1, of the class with more than half of all; NaN where there is none."""
    total = shares.sum(axis=0)
    best = shares.argmax(axis=0)
    clear = np.take_along_axis(shares, best[None], 0)[0] > 0.5 * total
    return np.where(clear & (total > 0), best + 1.0, np.nan)
