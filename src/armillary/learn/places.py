"""Where samples lie, for the leak advisor: coordinates found by name, and compact cells of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.learn.samples import RESERVED
from armillary.learn.splits import instants_of

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: Pairs of names that are a place: on a plane, or in degrees on a sphere.
PLANE: Final = (("x", "y"), ("col", "row"), ("column", "row"), ("easting", "northing"), ("pixel", "line"))
SPHERE: Final = (("lon", "lat"), ("longitude", "latitude"), ("ra", "dec"), ("l", "b"), ("raj2000", "dej2000"))
#: Rows that are looked at to find columns that could be places, and how many different values these must have.
_LOOKED_AT: Final = 20_000
_DISTINCT: Final = 30
_TIMES: Final = ("time", "epoch", "date", "datetime", "timestamp", "mjd", "jd")


def places_of(samples: "xr.Dataset", on: Sequence[str] = ()) -> dict[str, Array]:
    """Give the places of samples, by what they are called.

    Parameters
    ----------
    samples : xarray.Dataset
    on : sequence of str
        More names that are one place together.

    Returns
    -------
    dict of str to array of float, (n, d)
        ``time`` in seconds since the first sample, and where there are groups ``time in each group`` with groups so far
        apart that they are no neighbours; positions on a sphere as unit vectors; NaN where there is none.
    """
    flat = [str(name) for name, one in samples.variables.items() if one.dims == ("sample",) and name != "sample"]
    known = {name.lower(): name for name in flat if samples[name].dtype.kind in "fiuM"}
    found: dict[str, Array] = {}
    for name in _time_names(samples, flat):
        seconds = _seconds(samples, name)
        if seconds is not None:
            found |= _by_group(samples, name, seconds)
    for pair in (*PLANE, *SPHERE):
        if all(one in known and samples[known[one]].dtype.kind != "M" for one in pair):
            values = np.column_stack([samples[known[one]].values.astype(np.float64) for one in pair])
            found[" and ".join(known[one] for one in pair)] = _unit(values) if pair in SPHERE else values
    rest = [name for name in on if name in flat and not any(name in title.split(" and ") for title in found)]
    if rest and all(samples[name].dtype.kind in "fiu" for name in rest):
        found[" and ".join(rest)] = np.column_stack([samples[name].values.astype(np.float64) for name in rest])
    return {title: place for title, place in found.items() if _varies(place)}


def likely_places(samples: "xr.Dataset", rows: Array, target: Array, taken: Sequence[str] = ()) -> dict[str, Array]:
    """Give columns that could be a position or a time, whatever they are called: at most 10, (n,) each.

    Those with many different values that fill their range most evenly, and those along which the target changes least.

    Parameters
    ----------
    samples : xarray.Dataset
    rows : array of int
        Which samples are looked at.
    target : array, (n,)
    taken : sequence of str
        Names that are looked at elsewhere.
    """
    some = rows[:: max(len(rows) // _LOOKED_AT, 1)]
    found, even, smooth = {}, {}, {}
    for name, one in samples.variables.items():
        if one.dims != ("sample",) or one.dtype.kind not in "fiu" or name in RESERVED or name in taken:
            continue
        values = one.values.astype(np.float64)
        there = some[np.isfinite(values[some])]
        if len(there) < len(some) / 2 or len(np.unique(values[there])) < max(_DISTINCT, len(there) / 100):
            continue
        order = there[np.argsort(values[there], kind="stable")]
        inner = values[order][len(order) // 100 : -(len(order) // 100) or None]
        steady = np.linspace(inner[0], inner[-1], len(inner))
        even[str(name)] = float(np.abs(inner - steady).max() / max(inner[-1] - inner[0], 1e-300))
        smooth[str(name)] = float(
            np.abs(np.diff(target[order]) != 0).mean()
            if target.dtype.kind in "iu"
            else (np.diff(target[order]) ** 2).mean()
        )
        found[str(name)] = values
    chosen = sorted(even, key=lambda name: even[name])[:6]
    chosen += [name for name in sorted(smooth, key=lambda name: smooth[name]) if name not in chosen][:4]
    return {name: found[name] for name in chosen}


def ranks_of(place: Array, rows: Array) -> Array:
    """Give a place by ranks among some rows, 0..1 on each side; NaN for others.

    Examples
    --------
    >>> ranks_of(np.array([[5.0], [7.0], [900.0]]), np.arange(3)).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    made = np.full(place.shape, np.nan)
    for side in range(place.shape[1]):
        values, at = np.unique(place[rows, side], return_inverse=True)
        made[rows, side] = at.reshape(-1) / max(len(values) - 1, 1)
    return made


def cells_of(place: Array, number: int) -> Array:
    """Cut a place into about `number` cells with equally many samples, each time along the longest side.

    Returns
    -------
    array of int64, (n,)

    Notes
    -----
    O(n log n log number). Sides are measured between the 5 % and 95 % quantiles, so that strays do not count.

    Examples
    --------
    >>> cells_of(np.array([[0.0], [1.0], [10.0], [11.0]]), 2).tolist()
    [0, 0, 1, 1]
    """
    parts = [np.arange(len(place))]
    while len(parts) * 2 <= number and min(len(one) for one in parts) >= 4:
        parts = [half for rows in parts for half in _halves(place, rows)]
    cells = np.empty(len(place), np.int64)
    for cell, rows in enumerate(parts):
        cells[rows] = cell
    return cells


def thinned(place: Array | None, cells: Array, limit: int, rng: np.random.Generator) -> Array:
    """Choose at most about `limit` samples, the same number a cell, and in each those that lie closest together.

    Thinning at random would take away the close neighbours that leaks come from.

    Parameters
    ----------
    place : array, (n, d), optional
        Chosen at random in each cell if there is none.
    cells : array of int, (n,)
    limit : int
    rng : numpy.random.Generator

    Returns
    -------
    array of int64
        Row numbers, ascending.
    """
    if len(cells) <= limit:
        return np.arange(len(cells))
    order = np.argsort(cells, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(cells[order])) + 1)
    parts = [parts[at] for at in rng.permutation(len(parts))]
    most = max(limit // len(parts), 1)
    chosen = []
    for rows in parts[:limit]:
        if place is None:
            distance = rng.random(len(rows))
        else:
            distance = np.linalg.norm(place[rows] - place[rng.choice(rows)], axis=1)
        chosen.append(rows[np.argsort(distance, kind="stable")[:most]])
    return np.sort(np.concatenate(chosen))


def _time_names(samples: "xr.Dataset", flat: Sequence[str]) -> list[str]:
    dated = [name for name in flat if samples[name].dtype.kind == "M"]
    return dated or [name for name in flat if name.lower() in _TIMES]


def _seconds(samples: "xr.Dataset", name: str) -> Array | None:
    try:
        instants = instants_of(samples[name].values, name)
    except BadData:
        return None
    return np.asarray((instants - instants.min()) / 1e9).reshape(-1, 1)


def _by_group(samples: "xr.Dataset", name: str, seconds: Array) -> dict[str, Array]:
    if "group" not in samples:
        return {name: seconds}
    groups = np.unique(samples["group"].values.astype(str), return_inverse=True)[1].reshape(-1, 1)
    return {f"{name} in each group": np.column_stack([seconds, groups * 100.0 * max(float(np.ptp(seconds)), 1.0)])}


def _unit(degrees: Array) -> Array:
    across, up = np.radians(degrees).T
    return np.column_stack([np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), np.sin(up)])


def _varies(place: Array) -> bool:
    there = place[np.isfinite(place).all(axis=1)]
    return len(there) > len(place) // 2 and bool((there != there[0]).any())


def _halves(place: Array, rows: Array) -> tuple[Array, Array]:
    sides = np.subtract(*np.quantile(place[rows], [0.95, 0.05], axis=0))
    order = rows[np.argsort(place[rows, int(np.argmax(sides))], kind="stable")]
    return order[: len(order) // 2], order[len(order) // 2 :]
