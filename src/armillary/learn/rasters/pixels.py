"""Pixels of a scene as samples, strip by strip, thinned so that any map fits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.learn.rasters.scene import Scene
from armillary.learn.rasters.truth import Truth
from armillary.model import Progress, silent

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: More numbers than this do not become samples: 1 GB in single precision.
MOST_NUMBERS: Final = 250_000_000


@dataclass(slots=True)
class _Gathered:
    """Pixels that were kept so far: line and column, bands, label, area."""

    most: int
    parts: list[tuple[Array, Array, Array, Array]] = field(default_factory=list)

    def add(self, place: Array, bands: Array, label: Array, area: Array) -> None:
        self.parts.append((place, bands, label, area))
        if self.most and sum(len(one[0]) for one in self.parts[1:]) > self.most:
            self.thin()

    def all(self) -> tuple[Array, Array, Array, Array]:
        place, bands, label, area = (np.concatenate(one) for one in zip(*self.parts, strict=True))
        return place, bands, label, area

    def thin(self) -> None:
        """Keep of each class those pixels whose shuffled number is smallest: the same ones however strips are cut."""
        found = self.all()
        rank = _shuffled(found[0])
        kept = np.zeros(len(rank), bool)
        for value in np.unique(found[2][np.isfinite(found[2])]):
            rows = np.flatnonzero(found[2] == value)
            kept[rows[np.argsort(rank[rows], kind="stable")[: self.most]]] = True
        unknown = np.flatnonzero(np.isnan(found[2]))
        kept[unknown[np.argsort(rank[unknown], kind="stable")[: self.most]]] = True
        place, bands, label, area = (one[kept] for one in found)
        self.parts = [(place, bands, label, area)]


def pixel_samples(
    scene: Scene, truth: Truth | None, *, every: int = 1, most: int = 0, together: str = "", numbers: bool = False,
    progress: Progress = silent,
) -> "xr.Dataset":  # fmt: skip
    """Make samples of the pixels of a scene.

    Parameters
    ----------
    scene : Scene
    truth : Truth, optional
        Only pixels that have a label are taken; all if there is none.
    every : int
        Take each so many-th line and column.
    most : int
        At most so many pixels of each class, spread over the map; 0 for all.
    together : str
        Name of one variable of all bands, (sample, band), instead of one variable a band.
    numbers : bool
        Labels are numbers to learn, not classes.

    Raises
    ------
    BadData
        If nothing is left, or more than fits into memory.
    """
    gathered = _Gathered(0 if numbers else most)
    lost = 0
    for first, last in scene.strips():
        progress(first / len(scene.y), f"lines {first} to {last} of {len(scene.y)}")
        lost += _gather(gathered, scene, truth, (first, last), every)
        held = sum(one[1].size for one in gathered.parts)
        if held > MOST_NUMBERS:
            problem = f"the samples of {scene.title} hold more than {MOST_NUMBERS:,} numbers"
            raise BadData(problem, "give 'most' (pixels of each class) or 'every' (each so many-th line and column)")
    if not gathered.parts:
        raise BadData(
            f"not a single pixel of {scene.title} has a label and a value", "look at labels and missing values"
        )
    if most and not numbers:
        gathered.thin()
    return _dataset(scene, truth, gathered.all(), lost, together, numbers=numbers)


def bands_as_variables(scene_names: Sequence[str], bands: Array, together: str = "") -> dict[str, Any]:
    """Name the columns of pixels, (n, band), as samples have them."""
    if together:
        return {together: (("sample", f"{together}_band"), bands)}
    return {name: ("sample", bands[:, at]) for at, name in enumerate(scene_names)}


def _gather(gathered: _Gathered, scene: Scene, truth: Truth | None, rows: tuple[int, int], every: int) -> int:
    """Take the pixels of a strip, and give how many with a label had no value."""
    first, last = rows
    values, areas = truth.lines(first, last) if truth else (np.zeros((last - first, len(scene.x))), None)
    wanted = np.zeros(values.shape, bool)
    wanted[-first % every :: every, ::every] = True
    wanted &= np.isfinite(values)
    if not wanted.any():
        return 0
    bands = scene.lines(first, last)[:, wanted].T
    known = np.isfinite(bands).any(axis=1)
    down, across = (one[known] for one in np.nonzero(wanted))
    area = areas[wanted][known] if areas is not None else np.full(len(down), -1)
    label = values[wanted][known] if truth else np.full(len(down), np.nan)
    if len(down):
        gathered.add(np.column_stack([down + first, across]), bands[known], label, area)
    return int((~known).sum())


def _dataset(
    scene: Scene, truth: Truth | None, found: tuple[Array, Array, Array, Array], lost: int, together: str, *,
    numbers: bool,
) -> "xr.Dataset":  # fmt: skip
    import xarray as xr

    place, bands, label, area = found
    data = bands_as_variables(scene.names, bands, together)
    columns = tuple(data)
    if truth:
        data["label"] = ("sample", label if numbers else named(truth, label))
    if truth and truth.areas:
        data["group"] = ("sample", np.array(truth.areas, object)[area])
    notes = list(truth.notes) if truth else []
    notes += [f"{lost} labelled pixels have no value in any band and were left out"] if lost else []
    coords = {"x": ("sample", scene.x[place[:, 1]]), "y": ("sample", scene.y[place[:, 0]])}
    return xr.Dataset(data, coords, {"columns": columns, "crs": scene.crs, "notes": tuple(notes)})


def named(truth: Truth, values: Array) -> Array:
    """Give the classes of values as texts; "" for NaN."""
    made = np.full(len(values), "", object)
    for value in np.unique(values[np.isfinite(values)]):
        made[values == value] = truth.name(float(value))
    return made


def _shuffled(place: Array) -> Array:
    """Give each pixel a number that looks random and is always the same (the finaliser of SplitMix64).

    Steele et al. 2014, doi:10.1145/2660193.2660195.
    """
    mixed = (place[:, 0].astype(np.uint64) << np.uint64(32)) + place[:, 1].astype(np.uint64)
    mixed += np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
