"""Segments of a scene as samples: given by a raster of numbers, or made by clustering near pixels that are alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.learn.keys import check_keys
from armillary.learn.rasters.clustering import superpixels
from armillary.learn.rasters.pixels import named
from armillary.learn.rasters.scene import Scene, check_same_grid
from armillary.learn.rasters.truth import Truth
from armillary.model import Progress, silent

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
_OPTIONS: Final = {"size": int, "compactness": float}


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Which pixel belongs to which segment.

    Parameters
    ----------
    lines : callable
        ``lines(first, last)`` gives numbers, (line, column) int64, -1 = none.
    strip : int
        How many lines must be asked for at once: segments that are made here end at the borders of such strips.
    whole : bool
        Whether no segment crosses the border of a strip.
    """

    lines: Callable[[int, int], Array]
    strip: int
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over the pixels of segments; those of strips add up.

    Parameters
    ----------
    number : array of int, (n,)
    moments : array, (n, 6)
    bands : array, (n, 5, band)
        Count, sum, sum of squares, smallest, largest of the values that are there.
    box : array, (n, 4)
        First and last line and column.
    """

    number: Array
    moments: Array
    bands: Array
    box: Array

    def __add__(self, other: "Sums") -> "Sums":
        number, at = np.unique(np.concatenate([self.number, other.number]), return_inverse=True)
        moments = _added(at, len(number), np.concatenate([self.moments, other.moments]))
        bands = np.concatenate([self.bands, other.bands])
        low, high = (np.full((len(number), bands.shape[2]), end) for end in (np.inf, -np.inf))
        np.minimum.at(low, at, bands[:, 3])
        np.maximum.at(high, at, bands[:, 4])
        box = np.concatenate([self.box, other.box])
        first, last = np.full((len(number), 2), np.inf), np.full((len(number), 2), -np.inf)
        np.minimum.at(first, at, box[:, :2])
        np.maximum.at(last, at, box[:, 2:])
        total = _added(at, len(number), bands[:, :3])
        return Sums(
            number, moments, np.concatenate([total, low[:, None], high[:, None]], 1), np.concatenate([first, last], 1)
        )


def segments_of(scene: Scene, numbers: Scene | None, options: Mapping[str, Any] | None = None) -> Segments:
    """Take segments from a raster of their numbers, or make them.

    Parameters
    ----------
    scene : Scene
    numbers : Scene, optional
        Raster of segment numbers on the same grid; 0 and missing values are no segment.
    options : mapping
        Of those that are made, ``size``: side in pixels, 10 if left out; ``compactness``: how much the place counts
        beside the values, 0.5 if left out.

    Raises
    ------
    BadData, BadParameter
    """
    if numbers is not None:
        check_same_grid(scene, numbers)

        def given(first: int, last: int) -> Array:
            found = numbers.lines(first, last)[0]
            return np.where(np.isfinite(found) & (found != 0), found, -1).astype(np.int64)

        return Segments(given, scene.strip_lines, whole=False)
    asked = dict(options or {})
    check_keys("[data.options.segments]", asked, _OPTIONS, "options")
    size, compactness = int(asked.get("size", 10)), float(asked.get("compactness", 0.5))
    strip = max(scene.strip_lines // size, 1) * size

    def made(first: int, last: int) -> Array:
        own = superpixels(scene.lines(first, last), size, compactness)
        # numbers of strips above are below: none has more segments than pixels
        return np.where(own >= 0, own + first * len(scene.x), -1)

    return Segments(made, strip, whole=True)


def sums_of(scene: Scene, rows: tuple[int, int], numbers: Array) -> Sums:
    """Sum up the pixels of some lines by segment; `numbers` are theirs, see `Segments`."""
    inside = numbers >= 0
    number, at = np.unique(numbers[inside], return_inverse=True)
    down, across = (one.astype(np.float64) for one in np.nonzero(inside))
    down += rows[0]
    moments = np.column_stack([np.ones(len(at)), across, down, across**2, down**2, across * down])
    values = scene.lines(*rows)[:, inside].T.astype(np.float64)
    known = np.isfinite(values)
    plain = np.where(known, values, 0.0)
    totals = [_added(at, len(number), one) for one in (known.astype(np.float64), plain, plain**2)]
    low, high = (np.full((len(number), values.shape[1]), end) for end in (np.inf, -np.inf))
    np.minimum.at(low, at, np.where(known, values, np.inf))
    np.maximum.at(high, at, np.where(known, values, -np.inf))
    box = _boxes(at, len(number), np.column_stack([down, across]))
    return Sums(number, _added(at, len(number), moments), np.stack([*totals, low, high], 1), box)


def strips_of(scene: Scene, segments: Segments) -> Iterator[tuple[int, int]]:
    """Give the strips in which segments are asked for."""
    return scene.strips(segments.strip)


def dataset_of(scene: Scene, sums: Sums) -> "xr.Dataset":
    """Make samples of sums, one a segment.

    Returns
    -------
    xarray.Dataset
        ``<band>_mean, _std, _min, _max`` of each band; ``area`` (pixels), ``elongation`` (ratio of the axes of the
        ellipse with the same second moments, 1 = round), ``filling`` (of its box); ``x``, ``y`` of the middle and the
        number ``segment``.
    """
    import xarray as xr

    count, total, square, low, high = (sums.bands[:, at] for at in range(5))
    seen = np.where(count > 0, count, np.nan)
    mean = total / seen
    spread = np.sqrt(np.maximum(square / seen - mean**2, 0))
    parts = {"mean": mean, "std": spread, "min": low, "max": high}
    data: dict[str, Any] = {
        f"{band}_{name}": ("sample", np.where(np.isfinite(one[:, at]), one[:, at], np.nan))
        for at, band in enumerate(scene.names)
        for name, one in parts.items()
    }
    data |= {name: ("sample", one) for name, one in _shapes(sums).items()}
    columns = tuple(data)
    x, y = (sums.moments[:, at] / sums.moments[:, 0] for at in (1, 2))
    high_, wide = scene.pixel
    coords = {"x": ("sample", scene.x[0] + wide * x), "y": ("sample", scene.y[0] + high_ * y)}
    coords["segment"] = ("sample", sums.number)
    return xr.Dataset(data, coords, {"columns": columns, "crs": scene.crs})


def segment_samples(
    scene: Scene, segments: Segments, truth: Truth | None, least_share: float = 0.5, progress: Progress = silent
) -> "xr.Dataset":
    """Make samples of segments; the label is that of most of the labelled pixels.

    Parameters
    ----------
    least_share : float
        The class must have more than this share of the labelled pixels.

    Returns
    -------
    xarray.Dataset
        As :func:`dataset_of`, and of those with labels only the labelled segments, with ``label``, ``label_share``
        (of its labelled pixels), ``labelled`` (share of its pixels) and ``group``.

    Raises
    ------
    BadData
        If no segment has a label.

    Notes
    -----
    O(pixels) time; memory of one strip and of the sums of all segments.
    """
    sums, votes = None, _Votes()
    for rows in strips_of(scene, segments):
        progress(rows[0] / len(scene.y), f"segments: lines {rows[0]} to {rows[1]} of {len(scene.y)}")
        numbers = segments.lines(*rows)
        found = sums_of(scene, rows, numbers)
        sums = found if sums is None else sums + found
        if truth:
            votes.add(numbers, *truth.lines(*rows))
    if sums is None or not len(sums.number):
        raise BadData(f"there is not a single segment on {scene.title}", "look at the raster of segment numbers")
    samples = dataset_of(scene, sums)
    return _labelled(samples, votes, truth, least_share) if truth else samples


class _Votes:
    """Labelled pixels of each segment, counted by class and by area."""

    def __init__(self) -> None:
        self.classes: list[Array] = []
        self.areas: list[Array] = []

    def add(self, numbers: Array, values: Array, areas: Array | None) -> None:
        known = (numbers >= 0) & np.isfinite(values)
        self.classes.append(_counted(numbers[known], values[known]))
        if areas is not None:
            self.areas.append(_counted(numbers[known], areas[known].astype(np.float64)))


def _labelled(samples: "xr.Dataset", votes: _Votes, truth: Truth, least_share: float) -> "xr.Dataset":
    number, value, share, count = _winners(votes.classes)
    kept = share > least_share
    if not kept.any():
        raise BadData("no segment has a label", "look whether labels and map cover the same part")
    own = samples["segment"].values
    rows = np.searchsorted(own, number[kept])
    made = samples.isel(sample=rows)
    part = count[kept] / made["area"].values
    made = made.assign(label=("sample", named(truth, value[kept])), label_share=("sample", share[kept]))
    made = made.assign(labelled=("sample", part))
    if truth.areas:
        area = _winners(votes.areas)[1][kept].astype(np.int64)
        made = made.assign(group=("sample", np.array(truth.areas, object)[area]))
    torn = int((~kept).sum())
    note = (f"{torn} segments have no class with more than {least_share:.0%} of their labelled pixels",) if torn else ()
    return made.assign_attrs(notes=(*truth.notes, *note))


def _counted(numbers: Array, values: Array) -> Array:
    pairs, counts = np.unique(np.column_stack([numbers, values]), axis=0, return_counts=True)
    return np.column_stack([pairs, counts]) if len(pairs) else np.zeros((0, 3))


def _winners(votes: list[Array]) -> tuple[Array, Array, Array, Array]:
    """Give segments in order, the value with most votes, its share, and all votes."""
    rows = np.concatenate(votes)
    pairs, at = np.unique(rows[:, :2], axis=0, return_inverse=True)
    counts = np.bincount(at.reshape(-1), rows[:, 2], len(pairs))
    order = np.lexsort((-counts, pairs[:, 0]))
    number, first = np.unique(pairs[order, 0], return_index=True)
    total = np.bincount(np.searchsorted(number, pairs[:, 0]), counts, len(number))
    best = order[first]
    return number.astype(np.int64), pairs[best, 1], counts[best] / np.maximum(total, 1), total


def _shapes(sums: Sums) -> dict[str, Array]:
    area, x, y, xx, yy, xy = sums.moments.T
    # a pixel is a square, not a point: its own second moment is 1/12
    a, b, c = xx / area - (x / area) ** 2 + 1 / 12, yy / area - (y / area) ** 2 + 1 / 12, xy / area - x * y / area**2
    root = np.hypot(a - b, 2 * c)
    box = (sums.box[:, 2] - sums.box[:, 0] + 1) * (sums.box[:, 3] - sums.box[:, 1] + 1)
    return {
        "area": area,
        "elongation": np.sqrt((a + b + root) / np.maximum(a + b - root, 1e-12)),
        "filling": area / box,
    }


def _boxes(at: Array, count: int, place: Array) -> Array:
    first, last = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(first, at, place)
    np.maximum.at(last, at, place)
    return np.concatenate([first, last], 1)


def _added(at: Array, count: int, values: Array) -> Array:
    """Sum rows of values by where they belong."""
    flat = values.reshape(len(values), -1)
    made = np.column_stack([np.bincount(at, one, count) for one in flat.T]) if flat.shape[1] else flat[:0]
    return np.asarray(made.reshape(count, *values.shape[1:]))
