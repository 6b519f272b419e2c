"""Features along time: what a value was before, and what it did in windows around a sample. Groups do not mix."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.features.columns import columns
from armillary.learn.samples import column
from armillary.learn.splits import instants_of
from armillary.learn.study import seconds_of

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: What can be said of a window.
STATISTICS: Final = ("mean", "std", "min", "max", "slope")
#: Rows that are summed together: sums over longer pieces lose digits.
_PIECE: Final = 2048
#: A variance of less than this share of the squares is no more than lost digits.
_ROUNDING: Final = 1e-14
#: Nanoseconds that can be added to a time of 64 bits.
_LONGEST: Final = 2.0**62


def rolling(
    samples: "xr.Dataset",
    names: Sequence[str] = (),
    windows: Sequence[float | str] = ("6h",),
    of: Sequence[str] = ("mean", "std"),
    *,
    causal: bool = False,
    least: float = 0.3,
    time: str = "time",
    group: str = "group",
    prefix: str = "",
) -> Features:
    """Say what values did in windows of time around each sample.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        As for :func:`armillary.learn.features.columns.columns`.
    windows : sequence of float or str
        Lengths, seconds or "6h".
    of : sequence of str
        Of `STATISTICS`; ``slope`` is the change of the straight line over the window.
    causal : bool
        Whether windows end at the sample; else it is their middle. Both ends belong to a window.
    least : float
        Share of the values that a window without gap has; with fewer the answer is missing.
    time, group : str
        Names of the time and, where there is one, of what must not be mixed.
    prefix : str

    Notes
    -----
    Windows are measured in time, so that gaps and odd sampling do not shift them. Work n log w a window, memory n.
    """
    lengths = _durations(windows, "windows")
    asked = _asked(of)
    taken = columns(samples, names)
    made = np.full((len(taken.matrix), len(taken.names), len(lengths), len(asked)), np.nan)
    for rows, times in _groups(samples, time, group):
        for at, length in enumerate(lengths):
            low, high = _window(times, length, causal=causal)
            need = max(1.0, least * length / _step(samples, rows, times, group))
            for number in range(len(taken.names)):
                values = _Windows(times / 1e9, taken.matrix[rows, number], low, high, need, length / 1e9)
                for which, one in enumerate(asked):
                    made[rows, number, at, which] = values.give(one)
    titles = tuple(f"{prefix}{name}_{one}_{w}" for name in taken.names for w in _labels(windows) for one in asked)
    return Features(made.reshape(len(made), -1), titles, _repeat(taken.groups, len(lengths) * len(asked)))


def lags(
    samples: "xr.Dataset",
    names: Sequence[str] = (),
    lags: Sequence[float | str] = ("0s",),
    *,
    tolerance: float | str = 0.0,
    time: str = "time",
    group: str = "group",
    prefix: str = "",
) -> Features:
    """Say what values were some time before each sample.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        As for :func:`armillary.learn.features.columns.columns`.
    lags : sequence of float or str
        Seconds or "3h"; 0 is the sample itself.
    tolerance : float or str
        How far from the wanted time a value may lie; half the usual step if 0. In a gap the answer is missing.
    time, group : str
    prefix : str

    Raises
    ------
    BadParameter
        If a lag is negative: that would look into the future.
    """
    back = _durations(lags, "lags", least=0)
    taken = columns(samples, names)
    made = np.full((len(taken.matrix), len(taken.names), len(back)), np.nan)
    for rows, times in _groups(samples, time, group):
        allowed = seconds_of(tolerance) * 1e9 or _step(samples, rows, times, group) / 2
        for at, lag in enumerate(back):
            nearest = _nearest(times, times - lag)
            near = np.abs(times[nearest] - (times - lag)) <= allowed
            made[rows, :, at] = np.where(near[:, None], taken.matrix[rows[nearest]], np.nan)
    titles = tuple(f"{prefix}{name}_before_{lag}" for name in taken.names for lag in _labels(lags))
    return Features(made.reshape(len(made), -1), titles, _repeat(taken.groups, len(back)))


def reach_of_rolling(options: Mapping[str, Any], cadence: float) -> float:  # noqa: ARG001 - all are asked alike
    """Give how many seconds windows reach on either side of a sample."""
    return max(_durations(options.get("windows", "6h"), "windows")) / 1e9


def reach_of_lags(options: Mapping[str, Any], cadence: float) -> float:
    """Give how many seconds before a sample its values are looked for."""
    tolerance = seconds_of(options.get("tolerance", 0.0)) or cadence
    return max(_durations(options.get("lags", "0s"), "lags", least=0)) / 1e9 + tolerance


class _Windows:
    """Statistics of one column in windows of neighbouring rows, ``low[i]`` to ``high[i]`` without the end."""

    def __init__(self, times: Array, values: Array, low: Array, high: Array, need: float, length: float) -> None:
        self.there = np.isfinite(values)
        middle = float(np.median(values[self.there])) if self.there.any() else 0.0
        self.middle = middle
        self.values = np.where(self.there, values - middle, 0.0)
        self.times, self.low, self.high, self.length = times, low, high, length
        self.count = self._sums(self.there.astype(float))
        self.enough = self.count >= need

    def give(self, one: str) -> Array:
        """Give one statistic, NaN where there are too few values."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Array = getattr(self, f"_{one}")()
        return np.where(self.enough, found, np.nan)

    def _mean(self) -> Array:
        return np.asarray(self._sums(self.values) / self.count + self.middle)

    def _std(self) -> Array:
        mean, square = self._sums(self.values) / self.count, self._sums(self.values**2) / self.count
        spread = square - mean**2
        least = _ROUNDING * (square + (self.values**2).mean())
        return np.where(spread > least, np.sqrt(np.maximum(spread, 0.0)), 0.0)

    def _min(self) -> Array:
        return self._least(np.where(self.there, self.values, np.inf)) + self.middle

    def _max(self) -> Array:
        return self.middle - self._least(np.where(self.there, -self.values, np.inf))

    def _slope(self) -> Array:
        """Give the change over the window of the line of least squares; 0 if all values have one time."""
        made = np.empty(len(self.low))
        for rows, inside, low, high in self._pieces():
            there = self.there[inside]
            clock = np.where(there, self.times[inside] - self.times[inside].mean(), 0.0) / self.length
            values = self.values[inside]
            n, t, x, tt, tx = (
                _between(one, low, high) for one in (there.astype(float), clock, values, clock**2, clock * values)
            )
            spread = tt - t * t / n
            made[rows] = np.where(spread > 1e-9 * n, (tx - t * x / n) / np.where(spread > 0, spread, 1.0), 0.0)
        return made

    def _sums(self, values: Array) -> Array:
        made = np.empty(len(self.low))
        for rows, inside, low, high in self._pieces():
            made[rows] = _between(values[inside], low, high)
        return made

    def _pieces(self) -> Iterator[tuple[slice, slice, Array, Array]]:
        """Cut the rows into pieces: their windows, the rows these reach, and their ends counted from there."""
        for at in range(0, len(self.low), _PIECE):
            rows = slice(at, at + _PIECE)
            first, last = int(self.low[rows].min()), int(self.high[rows].max())
            yield rows, slice(first, last), self.low[rows] - first, self.high[rows] - first

    def _least(self, values: Array) -> Array:
        """Give the least value of each window from two overlapping runs whose length is a power of two."""
        made = np.full(len(self.low), np.inf)
        power = np.frexp(np.maximum(self.high - self.low, 1))[1] - 1
        run = values
        for level in range(int(power.max(initial=0)) + 1):
            if level:
                half = 1 << (level - 1)
                run = np.minimum(run[:-half], run[half:])
            rows = np.flatnonzero((power == level) & (self.high > self.low))
            made[rows] = np.minimum(run[self.low[rows]], run[self.high[rows] - (1 << level)])
        return made


def _between(values: Array, low: Array, high: Array) -> Array:
    # the digits that sums lose depend on where pieces begin, and a cut of the series moves that
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.longdouble)])
    return np.asarray(total[high] - total[low], np.float64)


def _groups(samples: "xr.Dataset", time: str, group: str) -> Iterator[tuple[Array, Array]]:
    """Give for each group its rows in order of time and their times, int64 nanoseconds."""
    times = instants_of(column(samples, time), time)
    if group in samples:
        _, number = np.unique(column(samples, group).astype(str), return_inverse=True)
    else:
        number = np.zeros(len(times), np.int64)
    order = np.lexsort((times, number))
    edges = np.flatnonzero(np.diff(number[order])) + 1
    for rows in np.split(order, edges):
        yield rows, times[rows]


def _window(times: Array, length: float, *, causal: bool) -> tuple[Array, Array]:
    back, ahead = (length, 0.0) if causal else (length / 2, length / 2)
    low = np.searchsorted(times, times - np.int64(back), "left")
    return low, np.searchsorted(times, times + np.int64(ahead), "right")


def _nearest(times: Array, wanted: Array) -> Array:
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    after = np.minimum(after, len(times) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(times[after] - wanted) < np.abs(times[before] - wanted), after, before)


def usual_steps(groups: Array, times: Array) -> dict[str, float]:
    """Give the usual step of each group, nanoseconds; `times`, (n,), are in order in each group.

    Samples that were cut out of others carry it as their attribute ``steps``: by themselves they may have another one.
    """
    return {str(name): _usual_step(times[groups == name]) for name in np.unique(groups)}


def _step(samples: "xr.Dataset", rows: Array, times: Array, group: str) -> float:
    known = samples.attrs.get("steps")
    if not known:
        return _usual_step(times)
    name = str(column(samples, group)[rows[0]]) if group in samples else ""
    return float(known.get(name, 0.0)) or _usual_step(times)


def _usual_step(times: Array) -> float:
    steps = np.diff(times)
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 1.0


def _durations(values: Sequence[float | str], option: str, least: float = 1e-9) -> list[float]:
    """Read durations as nanoseconds."""
    listed = [values] if isinstance(values, str | int | float) else list(values)
    found = [seconds_of(one) * 1e9 for one in listed]
    if not found or min(found) < least:
        problem = f"{option} = {listed} has none" if not found else f"{option} = {listed} holds one that is too short"
        raise BadParameter(problem, 'give a list such as ["1h", "6h"]')
    if not max(found) < _LONGEST:
        raise BadParameter(
            f"{option} = {listed} holds one that is longer than clocks can count", "give less than 50000d"
        )
    return found


def _asked(of: Sequence[str]) -> list[str]:
    listed = [of] if isinstance(of, str) else list(of)
    unknown = [one for one in listed if one not in STATISTICS]
    if unknown or not listed:
        raise BadParameter(f"of = {listed} is unknown", f"give some of {', '.join(STATISTICS)}")
    return listed


def _labels(values: Sequence[float | str]) -> list[str]:
    listed = [values] if isinstance(values, str | int | float) else list(values)
    return [one.replace(" ", "") if isinstance(one, str) else f"{one:g}s" for one in listed]


def _repeat(groups: Sequence[str], times: int) -> tuple[str, ...]:
    return tuple(one for one in groups for _ in range(times))
