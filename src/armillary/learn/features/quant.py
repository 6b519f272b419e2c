"""Features of short series: quantiles over dyadic intervals of the series, its differences and its spectrum.

The method is QUANT (Dempster, Schmidt & Webb 2024, Data Mining and Knowledge Discovery); with extra trees it is as good
as far heavier ones.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.features.columns import numbers_of
from armillary.learn.samples import column

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: What quantiles are taken of.
FORMS: Final = ("series", "first", "second", "spectrum")
_ROWS: Final = 2048


def quant(
    samples: "xr.Dataset",
    names: Sequence[str] = (),
    depth: int = 6,
    per: int = 4,
    forms: Sequence[str] = FORMS,
    prefix: str = "",
) -> Features:
    """Take quantiles of dyadic intervals of series.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        Variables (sample, time) or (sample, channel, time); if empty all of more than one dimension.
    depth : int
        Halvings: the series is cut into 1, 2, 4 ... 2^(depth-1) intervals, and again shifted by half an interval.
    per : int
        An interval of m values gives 1 + (m - 1) // per quantiles.
    forms : sequence of str
        Of `FORMS`: the series, its first difference smoothed over 5 steps, its second difference, and the absolute
        values of its Fourier transform.
    prefix : str

    Notes
    -----
    From every second quantile the mean of the interval is taken off, which tells form from level. A value that is
    missing lies on the line between its neighbours; a series without any value gives none. Each channel is a feature
    group. Work n m log m for series of m values, 4 forms and `depth`.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    wanted = wanted or [name for name in numbers_of(samples) if samples[name].ndim > 1]
    if not wanted or depth < 1 or per < 1:
        hint = "name variables of the dimensions (sample, time), and give depth and per of 1 or more"
        raise BadParameter("quant has no series to look at" if not wanted else "depth and per must be 1 or more", hint)
    parts = [part for name in wanted for part in _of_variable(samples, name, depth, per, _forms(forms), prefix)]
    matrix, titles, groups = zip(*parts, strict=True)
    flat = [tuple(one for part in parts_of for one in part) for parts_of in (titles, groups)]
    return Features(np.concatenate(matrix, axis=1), *flat)


def quantiles(series: Array, depth: int = 6, per: int = 4) -> Array:
    """Give the quantiles of all intervals of series.

    Parameters
    ----------
    series : array of float, (n, m)
    depth, per : int

    Returns
    -------
    array of float, (n, q)

    Examples
    --------
    >>> quantiles(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]), depth=1).tolist()
    [[1.0, 2.0]]
    """
    return np.concatenate([_of_interval(series[:, a:b], per) for a, b in intervals(series.shape[1], depth)], axis=1)


def intervals(length: int, depth: int) -> list[tuple[int, int]]:
    """Give the dyadic intervals of a series, those shifted by half an interval included.

    Examples
    --------
    >>> intervals(8, 2)
    [(0, 8), (0, 4), (4, 8), (2, 6)]
    """
    found: list[tuple[int, int]] = []
    for level in range(min(depth, int(np.log2(length)) + 1)):
        edges = np.linspace(0, length, 2**level + 1).astype(int)
        found += list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        usual = int(np.sort(np.diff(edges))[(2**level - 1) // 2])
        if level and usual > 1:
            shifted = edges + int(np.ceil(length / 2**level / 2))
            found += list(zip(shifted[:-2].tolist(), shifted[1:-1].tolist(), strict=True))
    return found


def _of_variable(
    samples: "xr.Dataset", name: str, depth: int, per: int, forms: Sequence[str], prefix: str
) -> list[tuple[Array, tuple[str, ...], tuple[str, ...]]]:
    values = column(samples, name)
    if values.ndim not in {2, 3} or values.shape[-1] < 3:
        problem = f"{name!r} of shape {values.shape} is no series of 3 steps or more"
        raise BadParameter(problem, "name variables of the dimensions (sample, time) or (sample, channel, time)")
    channels = values[:, None] if values.ndim == 2 else values
    made = []
    for at in range(channels.shape[1]):
        group = name if values.ndim == 2 else f"{name}_{at}"
        matrix, counts = _of_channel(channels[:, at], depth, per, forms)
        titles = tuple(
            f"{prefix}{group}_{form}_q{number}"
            for form, count in zip(forms, counts, strict=True)
            for number in range(count)
        )
        made.append((matrix, titles, (group,) * len(titles)))
    return made


def _of_channel(series: Array, depth: int, per: int, forms: Sequence[str]) -> tuple[Array, list[int]]:
    """Give the features of one channel, some rows at a time, and how many each form has."""
    rows: list[Array] = []
    counts: list[int] = []
    for at in range(0, len(series), _ROWS):
        full, there = _filled(series[at : at + _ROWS].astype(float))
        parts = [quantiles(_form(full, one), depth, per) for one in forms]
        counts = [part.shape[1] for part in parts]
        rows.append(np.where(there[:, None], np.concatenate(parts, axis=1), np.nan))
    return np.concatenate(rows), counts


def _form(series: Array, form: str) -> Array:
    if form == "series":
        return series
    if form == "second":
        return np.diff(series, n=2)
    if form == "spectrum":
        return np.abs(np.fft.rfft(series))
    steps = np.pad(np.diff(series), ((0, 0), (2, 2)), mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(steps, 5, axis=1).mean(axis=-1))


def _of_interval(part: Array, per: int) -> Array:
    size = part.shape[1]
    if size == 1:
        return part
    count = 1 + (size - 1) // per
    place = np.linspace(0, 1, count) * (size - 1) if count > 1 else np.array([(size - 1) / 2])
    ordered = np.sort(part, axis=1)
    below = np.minimum(place.astype(int), size - 2)
    low = ordered[:, below]
    found: Array = low + (ordered[:, below + 1] - low) * (place - below)
    found[:, 1::2] -= part.mean(axis=1, keepdims=True)
    return found


def _filled(series: Array) -> tuple[Array, Array]:
    """Fill gaps on the line between neighbours; say which series have any value."""
    gone = ~np.isfinite(series)
    there = np.asarray(~gone.all(axis=1))
    steps = np.arange(series.shape[1])
    for row in np.flatnonzero(gone.any(axis=1)):
        known = ~gone[row]
        series[row] = np.interp(steps, steps[known], series[row, known]) if there[row] else 0.0
    return series, there


def _forms(forms: Sequence[str]) -> list[str]:
    listed = [forms] if isinstance(forms, str) else list(forms)
    unknown = [one for one in listed if one not in FORMS]
    if unknown or not listed:
        raise BadParameter(f"forms = {listed} is unknown", f"give some of {', '.join(FORMS)}")
    return listed
