"""How surprising telemetry is: beside what looks most like it, and beside what ridge autoregression expects.

Each channel (group) has rows of the role ``fit``, which are taken as usual; no label is looked at. What is said of a
sample is measured in the unit of its channel's usual part, so that numbers of different channels can be compared.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.features import Features
from armillary.learn.samples import column, rows_to_judge
from armillary.learn.splits import instants_of

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: Windows that are compared at a time: bounds the memory to this many rows of distances.
_PIECE: Final = 256
#: Added before the logarithm: below this share of the usual, differences do not matter.
_CALM: Final = 0.05
#: Share of the range of a channel that is no surprise at all; channels are often constant.
_FLOOR: Final = 1e-3
#: Steps back that autoregression looks at: dense near, thin far.
_LAGS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 21, 26, 31, 41, 51, 61, 71, 81, 91, 100)
#: Readings over which set command bits are counted.
_COMMANDED: Final = 10
#: Parts in which the usual errors of autoregression are measured, each by weights that have not seen it.
_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class _Channel:
    """One channel in order of time: row numbers of the usual and the judged part, and their values over the range."""

    fit: Array
    judged: Array
    usual: Array
    seen: Array


def nearest_subsequence(
    samples: "xr.Dataset",
    value: str = "value",
    windows: Sequence[int] = (25, 100),
    quantiles: Sequence[float] = (0.5, 0.9),
    *,
    apart: int = 1000,
    against: str = "own",
    group: str = "group",
    prefix: str = "nearest_",
) -> Features:
    """Say how far the window around each sample is from the window most like it.

    Parameters
    ----------
    samples : xarray.Dataset
    value : str
        The series, one a group.
    windows : sequence of int
        Lengths in samples; a series four times as long is needed, else the window is made shorter.
    quantiles : sequence of float
        For each window: the distance 1 is this quantile of the distances inside the usual part.
    apart : int
        Nearer windows than this (samples) are no comparison.
    against : str
        ``own``: the rest of the judged part, which finds what happens once even where the series has drifted away from
        its usual part; ``usual``: the part of the role ``fit``.
    group, prefix : str

    Returns
    -------
    Features
        ``log(0.05 + distance)``, a column a window.

    Notes
    -----
    Distances are root mean squares of differences, not normalised: a shift of level is a surprise (that is the matrix
    profile of Yeh et al. 2016 without its normalisation, all pairs by matrix products). O(n^2 m) work a group,
    O(256 n + n m) memory.
    """
    lengths, shares = [int(one) for one in windows], [float(one) for one in quantiles]
    if not lengths or min(lengths) < 2 or len(lengths) != len(shares):
        raise BadParameter(
            f"windows = {lengths}, quantiles = {shares}", "give one quantile for each window, of 2 or more"
        )
    if against not in {"own", "usual"}:
        raise BadParameter(f"against = {against!r} is unknown", "give own or usual")
    made = np.full((samples.sizes["sample"], len(lengths)), np.nan)
    with _one_thread():
        for one in _channels(samples, value, group):
            for at, (length, share) in enumerate(zip(lengths, shares, strict=True)):
                inside = join(one.usual, one.usual, length, length)
                found = join(one.seen, *((one.seen, length, apart) if against == "own" else (one.usual, length)))
                unit = max(_quantile(inside, share), _FLOOR)
                made[one.fit, at], made[one.judged, at] = inside / unit, found / unit
    titles = tuple(f"{prefix}{length}" for length in lengths)
    return Features(np.log(made + _CALM), titles, titles)


def ridge_ar(
    samples: "xr.Dataset",
    value: str = "value",
    commands: str = "commands",
    *,
    smooth: int = 50,
    quantile: float = 0.9,
    strength: float = 0.01,
    group: str = "group",
    prefix: str = "",
) -> Features:
    """Say how far each sample is from what ridge autoregression expects, after a running mean of the error's size.

    Parameters
    ----------
    samples : xarray.Dataset
    value : str
    commands : str
        Name of bits (sample, bit) that the value may follow; left out if the samples have none.
    smooth : int
        Samples of the centred running mean.
    quantile : float
        The error 1 is this quantile of the smoothed errors in the usual part, each by weights that have not seen it.
    strength : float
        Of the ridge, per sample.
    group, prefix : str

    Returns
    -------
    Features
        ``log(0.05 + error)``, one column ``ridge_ar``.

    Notes
    -----
    Weights are fitted on the usual part of each group. Past values of the judged part are its own, so errors do not
    grow with time. O(n p^2) a group for p lags and bits.
    """
    made = np.full(samples.sizes["sample"], np.nan)
    bits = column(samples, commands) if commands in samples else np.zeros((len(made), 0))
    with _one_thread():
        for one in _channels(samples, value, group):
            usual, seen = _errors(one, bits, strength)
            usual, seen = _running(np.abs(usual), smooth), _running(np.abs(seen), smooth)
            unit = max(_quantile(usual, quantile), _FLOOR)
            made[one.fit], made[one.judged] = usual / unit, seen / unit
    return Features(np.log(made + _CALM)[:, None], (f"{prefix}ridge_ar",), (f"{prefix}ridge_ar",))


def join(series: Array, others: Array, length: int, apart: int = 0) -> Array:
    """Give for each sample the distance of the window around it to the nearest window of another series.

    Parameters
    ----------
    series, others : array of float, (n,), (m,)
    length : int
        Samples a window; at most a quarter of the shorter series.
    apart : int
        For a series beside itself: windows that begin fewer samples apart are not compared; at most a third of it.

    Returns
    -------
    array of float, (n,)
        Root mean square difference; half a window at either end has the value of its neighbour. 0 for series of fewer
        than 8 samples.

    Examples
    --------
    >>> found = join(np.array([0.0] * 10 + [1.0] + [0.0] * 9), np.zeros(20), 4)
    >>> found.max().item(), int(found.argmax())
    (0.5, 8)
    """
    shortest = min(len(series), len(others))
    if shortest < 8:
        return np.zeros(len(series))
    length, apart = min(length, shortest // 4), min(apart, len(others) // 3)
    middle = float(others.mean())
    windows = np.lib.stride_tricks.sliding_window_view((series - middle).astype(np.float32), length)
    compared = np.lib.stride_tricks.sliding_window_view((others - middle).astype(np.float32), length)
    # |a - b|^2 = |a|^2 + (a, 1) . (-2 b, |b|^2): one matrix product and no further pass over all pairs.
    right = np.concatenate([-2 * compared, (compared**2).sum(1, keepdims=True)], axis=1)
    nearest = np.empty(len(windows))
    for at in range(0, len(windows), _PIECE):
        left = np.concatenate([piece := windows[at : at + _PIECE], np.ones((len(piece), 1), np.float32)], axis=1)
        parts = (right[: max(at - apart, 0)], right[at + len(piece) + apart :]) if apart else (right,)
        products = [(left @ part.T).min(axis=1) for part in parts if len(part)]
        nearest[at : at + _PIECE] = np.min(products, axis=0) + (piece**2).sum(1) if products else 0.0
    distance = np.sqrt(np.maximum(nearest, 0) / length)
    before = (len(series) - len(distance)) // 2
    return np.pad(distance, (before, len(series) - len(distance) - before), "edge")


def _channels(samples: "xr.Dataset", value: str, group: str) -> Iterator[_Channel]:
    """Give the channels, filled where a value is missing, in units of their range."""
    values, times = column(samples, value).astype(float), instants_of(column(samples, "time"))
    judged = rows_to_judge(samples)
    if judged.all():
        hint = "use a layout with the role 'fit', such as 'channels'"
        raise BadData("there are no rows of the role 'fit', from which the usual is learnt", hint)
    names, number = np.unique(column(samples, group).astype(str), return_inverse=True)
    order = np.lexsort((times, number))
    for name, rows in zip(names, np.split(order, np.flatnonzero(np.diff(number[order])) + 1), strict=True):
        parts = rows[~judged[rows]], rows[judged[rows]]
        if not len(parts[0]):
            raise BadData(f"group {str(name)!r} has no rows of the role 'fit'", "leave it out, or give its usual part")
        whole = _filled(values[np.concatenate(parts)])
        whole = whole / (np.ptp(whole) or 1.0)
        yield _Channel(*parts, whole[: len(parts[0])], whole[len(parts[0]) :])


def _one_thread() -> Any:
    """Hold back further threads of the matrix products: on busy cores they spin and wait for one another."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        return nullcontext()
    return threadpool_limits(1)


def _filled(values: Array) -> Array:
    """Put the last value before it in the place of a missing one."""
    there = np.isfinite(values)
    if there.all():
        return values
    if not there.any():
        return np.zeros(len(values))
    last = np.maximum.accumulate(np.where(there, np.arange(len(values)), -1))
    return np.asarray(values[np.where(last >= 0, last, int(there.argmax()))])


def _errors(one: _Channel, bits: Array, strength: float) -> tuple[Array, Array]:
    """Give the errors in the usual part, each by weights that have not seen it, and in the judged part."""
    x, seen = _design(one.usual, bits[one.fit]), _design(one.seen, bits[one.judged])
    middle, spread = x.mean(0), x.std(0)
    spread[spread < 1e-9] = 1.0
    # Columns that hardly vary in the usual part may take any value later: they are not believed beyond ten deviations.
    x, seen = (x - middle) / spread, np.clip((seen - middle) / spread, -10, 10)
    mean = float(one.usual.mean())
    usual = np.empty(len(x))
    for rows in np.array_split(np.arange(len(x)), _PARTS):
        others = np.delete(np.arange(len(x)), rows)
        usual[rows] = (
            one.usual[rows] - mean - x[rows] @ _weights(x[others], one.usual[others] - mean, strength * len(x))
        )
    weights = _weights(x, one.usual - mean, strength * len(x))
    return usual, one.seen - mean - seen @ weights


def _weights(x: Array, y: Array, strength: float) -> Array:
    return np.asarray(np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ y))


def _design(values: Array, bits: Array) -> Array:
    """Give past values, command bits, and how often these were set of late, (n, p)."""
    if not len(values):
        return np.zeros((0, len(_LAGS) + 2 * bits.shape[1]))
    past = np.concatenate([np.full(max(_LAGS), values[0]), values])
    lags = np.stack([past[max(_LAGS) - lag : len(past) - lag] for lag in _LAGS], axis=1)
    total = np.cumsum(np.concatenate([np.zeros((_COMMANDED, bits.shape[1])), bits]), axis=0)
    return np.concatenate([lags, bits, total[_COMMANDED:] - total[:-_COMMANDED]], axis=1)


def _running(values: Array, width: int) -> Array:
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))


def _quantile(values: Array, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0
