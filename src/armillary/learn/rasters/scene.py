"""A scene: bands on one grid, of which only some lines are in memory at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: Numbers of a scene that are read at once: 16 MB in single precision.
STRIP_NUMBERS: Final = 4_000_000
#: Pixels may lie this part of a pixel beside each other on grids that are called the same.
_NEAR: Final = 0.01
_DIMS: Final = ("y", "x")


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Bands on one grid.

    Parameters
    ----------
    title : str
        For messages.
    names : tuple of str
        Of the bands.
    y, x : array of float
        Pixel centres; pixel numbers from 0 where there is no map.
    crs : str
        Of `y` and `x`; "" where it is not known.
    lines : callable
        ``lines(first, last)`` gives those lines, (band, line, column), float32, NaN = missing.
    meanings : mapping of float to str
        Names of the values, where the only band is one of classes.
    """

    title: str
    names: tuple[str, ...]
    y: Array
    x: Array
    crs: str
    lines: Callable[[int, int], Array]
    meanings: Mapping[float, str] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and columns."""
        return len(self.y), len(self.x)

    @property
    def pixel(self) -> tuple[float, float]:
        """Height and width of a pixel in units of the grid; 1 where there is one line or column."""
        return step_of(self.y), step_of(self.x)

    def strips(self, lines: int = 0) -> Iterator[tuple[int, int]]:
        """Give first and last line of strips from above to below."""
        lines = lines or self.strip_lines
        height = len(self.y)
        return ((first, min(first + lines, height)) for first in range(0, height, lines))

    @property
    def strip_lines(self) -> int:
        """How many lines are read at once: multiples of 64 where so many fit, because files are tiled."""
        fit = max(STRIP_NUMBERS // (len(self.x) * len(self.names)), 1)
        return min(fit - fit % 64 if fit > 64 else fit, 1024)

    def told(self) -> str:
        """Say what grid it is."""
        high, wide = self.pixel
        return f"{len(self.y)} x {len(self.x)} pixels of {abs(high):g} x {abs(wide):g}, {self.crs or 'no projection'}"


def step_of(centres: Array) -> float:
    """Give the distance of pixel centres.

    Examples
    --------
    >>> step_of(np.array([10.0, 8.0, 6.0])), step_of(np.array([3.0]))
    (-2.0, 1.0)
    """
    return float(centres[-1] - centres[0]) / (len(centres) - 1) if len(centres) > 1 else 1.0


def scene_of(title: str, height: int, read: Callable[[int, int], "xr.Dataset"], y: Array | None = None) -> Scene:
    """Make a scene of what gives lines of a raster.

    Parameters
    ----------
    title : str
    height : int
        Lines of the whole.
    read : callable
        ``read(first, last)`` gives those lines as a dataset of the kind raster or cube; more dimensions (band,
        wavelength, time) become bands.
    y : array, optional
        Centres of all lines; evenly on from the first two if not given.

    Raises
    ------
    BadData
        If there is no image in it.
    """
    head = read(0, min(2, height))
    images = _images(head, title)
    if y is None:
        first = np.asarray(head["y"].values, np.float64)
        y = first[0] + step_of(first) * np.arange(height)
    names = tuple(name for one in images for name in _names(head[one], one if len(images) > 1 else ""))
    x = np.asarray(head["x"].values, np.float64)

    def lines(first: int, last: int) -> Array:
        found = read(first, last)
        flat = [_filled(found[one]).reshape(-1, last - first, len(x)) for one in images]
        return np.concatenate(flat) if len(flat) > 1 else flat[0]

    crs = str(head.attrs.get("crs") or "")
    return Scene(title, names, np.asarray(y, np.float64), x, crs, lines, _meanings(head[images[0]]))


def joined(scenes: Mapping[str, Scene]) -> Scene:
    """Put the bands of scenes on one grid side by side; ``name_band``, or ``name`` of one band.

    Raises
    ------
    BadData
        If the grids are not the same.
    """
    if len(scenes) == 1:
        return next(iter(scenes.values()))
    first = next(iter(scenes.values()))
    for one in scenes.values():
        check_same_grid(first, one)
    names = [name if len(one.names) == 1 else f"{name}_{band}" for name, one in scenes.items() for band in one.names]

    def lines(low: int, high: int) -> Array:
        return np.concatenate([one.lines(low, high) for one in scenes.values()])

    title = " and ".join(one.title for one in scenes.values())
    return replace(first, title=title, names=tuple(names), lines=lines, meanings={})


def only(scene: Scene, names: Sequence[str]) -> Scene:
    """Give some bands of a scene, in this order.

    Raises
    ------
    BadData
        If there is no such band.
    """
    lost = [name for name in names if name not in scene.names]
    if lost:
        there = ", ".join(scene.names[:12]) + (" ..." if len(scene.names) > 12 else "")
        raise BadData(f"{scene.title} has no band {lost[0]!r}", f"it has {there}")
    if tuple(names) == scene.names:
        return scene
    at = [scene.names.index(name) for name in names]
    return replace(scene, names=tuple(names), lines=lambda low, high: scene.lines(low, high)[at])


def check_same_grid(first: Scene, second: Scene) -> None:
    """Refuse scenes whose pixels do not lie on each other.

    Raises
    ------
    BadData
        Telling both grids.
    """
    same = first.shape == second.shape and all(
        np.abs(a - b).max() <= _NEAR * abs(step)
        for a, b, step in zip((first.y, first.x), (second.y, second.x), first.pixel, strict=True)
    )
    if same and _same_crs(first.crs, second.crs):
        return
    problem = f"{first.title} ({first.told()}) and {second.title} ({second.told()}) lie on different grids"
    raise BadData(problem, "put them on one grid first: nothing is resampled here")


def _same_crs(first: str, second: str) -> bool:
    if first == second or not (first and second):
        return True
    from pyproj import CRS

    return bool(CRS.from_user_input(first).equals(CRS.from_user_input(second), ignore_axis_order=True))


def _images(head: "xr.Dataset", title: str) -> list[str]:
    found = [str(name) for name, one in head.data_vars.items() if one.dims[-2:] == _DIMS and one.dtype.kind in "iufb"]
    if not found:
        raise BadData(f"{title} has no image of lines and columns", "give a raster or cube")
    return found


def _names(one: "xr.DataArray", name: str) -> list[str]:
    """Name the bands of one variable by the values along its other dimensions; times by their place in order."""
    others = [str(dim) for dim in one.dims[:-2] if one.sizes[dim] > 1 or dim != "time"]
    words = [[_word(one, dim, number) for number in range(one.sizes[dim])] for dim in others]
    found = ["_".join(filter(None, (name, *some))) for some in product(*words)]
    return [text or str(one.name) for text in found]


def _word(one: "xr.DataArray", dim: str, number: int) -> str:
    value = one.coords[dim].values[number] if dim in one.coords and dim != "time" else number
    return value if isinstance(value, str) else f"{dim}_{value:g}" if dim != "time" else str(value)


def _filled(one: "xr.DataArray") -> Array:
    values = np.asarray(one.values)
    missing = one.attrs.get("nodata", one.attrs.get("_FillValue"))
    made = values.astype(np.float32)
    if missing is not None and values.dtype.kind in "iu":
        made[values == int(missing)] = np.nan
    return made


def _meanings(one: "xr.DataArray") -> dict[float, str]:
    """Read the classes of a map as CF tells them (``flag_values``, ``flag_meanings``)."""
    values, words = one.attrs.get("flag_values"), str(one.attrs.get("flag_meanings", "")).split()
    if isinstance(values, str):
        values = [part for part in values.strip("[]").replace(",", " ").split() if part]
    listed = [] if values is None else [float(part) for part in np.atleast_1d(np.asarray(values))]
    return dict(zip(listed, words, strict=True)) if listed and len(listed) == len(words) else {}
