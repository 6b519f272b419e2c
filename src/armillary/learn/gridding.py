"""Series of several products on one regular grid, with labels from the rows of a catalogue: samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.layouts.timeline import overlapped
from armillary.learn.study import seconds_of
from armillary.model import Interval, parse_time
from armillary.science.align import align

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
Record = Mapping[str, Any]
_NS: Final = 1_000_000_000
#: Options of ``[data] layout = "products"``.
OPTIONS: Final = (
    "products", "start", "stop", "cadence", "labels", "where", "positive", "negative", "labelled", "target", "ahead",
    "test_start", "test_stop",
)  # fmt: skip
#: More cells than this were asked for by mistake.
_MOST: Final = 200_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of equal length, cut at whole multiples of it since 1970.

    Parameters
    ----------
    first : int
        Start of the first cell, nanoseconds.
    step : int
        Nanoseconds.
    count : int
    """

    first: int
    step: int
    count: int

    @property
    def times(self) -> Array:
        """Starts of the cells, int64 nanoseconds."""
        return self.first + self.step * np.arange(self.count, dtype=np.int64)

    @property
    def interval(self) -> Interval:
        """The time of all cells."""
        return Interval(self.first, self.first + self.step * self.count)

    def part(self, low: int, high: int) -> "Grid":
        """Give the cells from `low` to `high`, which may lie outside."""
        return Grid(self.first + low * self.step, self.step, high - low)


@dataclass(slots=True)
class Column:
    """One column of a grid while the blocks of its series come in.

    Parameters
    ----------
    grid : Grid
    """

    grid: Grid
    total: Array | None = None
    filled: Array | None = None
    thin: list[tuple[Array, Array]] = field(default_factory=list)

    def add(self, times: Array, values: Array) -> None:
        """Take samples, (n,) nanoseconds and (n, c); those that are sparser than the cells are kept to interpolate."""
        if self.thin or (len(times) > 1 and float(np.median(np.diff(times))) > self.grid.step):
            self.thin.append((times, values))
            return
        cells = (times - self.grid.first) // self.grid.step
        inside = (cells >= 0) & (cells < self.grid.count)
        if self.total is None or self.filled is None:
            self.total, self.filled = (np.zeros((self.grid.count, values.shape[1])) for _ in range(2))
        known = np.isfinite(values[inside])
        np.add.at(self.total, cells[inside], np.where(known, values[inside], 0.0))
        np.add.at(self.filled, cells[inside], known)

    def values(self) -> Array:
        """Give the mean of each cell, NaN without samples; (cells, c)."""
        if self.thin:
            times, values = (np.concatenate([one[at] for one in self.thin]) for at in (0, 1))
            order = np.argsort(times, kind="stable")
            middle = self.grid.times + self.grid.step // 2
            columns = [align(times[order], one, middle) for one in values[order].T]
            return np.column_stack(columns)
        if self.total is None or self.filled is None:
            return np.full((self.grid.count, 1), np.nan)
        empty = np.full(self.total.shape, np.nan)
        return np.asarray(np.divide(self.total, self.filled, out=empty, where=self.filled > 0))


def grid_of(interval: Interval, cadence: Any) -> Grid:
    """Give the cells that lie at least partly in an interval.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> grid_of(Interval(5 * 10**9, 25 * 10**9), "10s")
    Grid(first=0, step=10000000000, count=3)
    """
    step = round(seconds_of(cadence) * _NS)
    if step <= 0:
        raise BadParameter(f"cadence = {cadence!r} is not above 0", 'write for example "1h"')
    first = interval.start // step
    count = -(-interval.stop // step) - first
    if count > _MOST:
        raise BadParameter(f"a grid of {cadence} over {interval} has {count} cells", "give a longer cadence")
    return Grid(first * step, step, int(count))


def matrix_of(data: "xr.Dataset") -> tuple[Array, Array]:
    """Give the times (int64 nanoseconds) of a series and its numbers, (n, c), all variables side by side.

    Raises
    ------
    BadData
        If there is no series in it.
    """
    series = [
        one
        for one in data.data_vars.values()
        if one.dims[:1] == ("time",) and one.ndim < 3 and one.dtype.kind in "fiub"
    ]
    if not series:
        raise BadData(f"{data.attrs.get('title', 'the product')!r} is no series of numbers", "give another product")
    rows = [np.asarray(one.values, np.float64).reshape(data.sizes["time"], -1) for one in series]
    return data["time"].values.astype("M8[ns]").astype(np.int64), np.concatenate(rows, axis=1)


def samples_of(grid: Grid, columns: Mapping[str, Array]) -> "xr.Dataset":
    """Make samples of columns, (cells,) or (cells, c) each; one sample a cell."""
    import xarray as xr

    data: dict[str, Any] = {}
    for name, values in columns.items():
        one = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        data[name] = (("sample", *(f"{name}_{at}" for at in range(1, one.ndim))), one)
    attrs = {"columns": tuple(columns), "cadence": grid.step / _NS}
    return xr.Dataset(data, coords={"time": ("sample", grid.times.astype("M8[ns]"))}, attrs=attrs)


def with_events(samples: "xr.Dataset", events: Array, classes: Sequence[str], options: Record) -> "xr.Dataset":
    """Label samples with one kind of event: in one or not.

    Parameters
    ----------
    samples : xarray.Dataset
    events : array of int, (m, 2)
        Starts and stops, nanoseconds.
    classes : sequence of str
        Class of each event.
    options : mapping
        ``positive``: the class that is learnt, and its name; if there is one only, that. ``negative``: what the rest
        is called, ``quiet``. ``labelled``: intervals that somebody has looked through; what lies outside is learnt from
        where an event lies, and never judged.

    Raises
    ------
    BadData, BadParameter
    """
    name = _positive(classes, options)
    events = events[[one in {name, ""} for one in classes]]
    times, cadence = samples["time"].values.astype(np.int64), float(samples.attrs["cadence"])
    inside = overlapped(times, cadence, events)
    _check_some(inside, events, name, samples)
    label = np.where(inside, *(np.array(one, object) for one in (name, str(options.get("negative", "quiet")))))
    label[_empty(samples)] = ""
    seen = _labelled(times, options)
    label[~seen & ~inside] = ""
    judged = overlapped_by(events, times[seen], cadence)
    made = samples.assign(label=("sample", label))
    if not seen.all():
        made = made.assign(role=("sample", np.where(seen, "score", "fit").astype(object)))
    return made.assign_attrs(events=events[judged], positive=name)


def with_classes(samples: "xr.Dataset", events: Array, classes: Sequence[str], options: Record) -> "xr.Dataset":
    """Label samples with the class of the event that holds the middle of the cell; of several the one that begins last.

    What is in none is the class ``negative`` if that option is given, and has no label otherwise.

    Raises
    ------
    BadData
    """
    times, step = samples["time"].values.astype(np.int64), round(float(samples.attrs["cadence"]) * _NS)
    label = np.full(len(times), str(options.get("negative", "")), object)
    inside = np.zeros(len(times), bool)
    for (start, stop), name in sorted(zip(events.tolist(), classes, strict=True)):
        low, high = np.searchsorted(times + step // 2, (start, stop))
        label[low:high], inside[low:high] = name, True
    _check_some(inside, events, "", samples)
    label[_empty(samples) | (~_labelled(times, options) & ~inside)] = ""
    return samples.assign(label=("sample", label))


def with_ahead(samples: "xr.Dataset", options: Record) -> "xr.Dataset":
    """Label samples with the value of a column some time ahead.

    Raises
    ------
    BadParameter
    """
    name, cadence = str(options["target"]), float(samples.attrs["cadence"])
    if name not in samples.data_vars or samples[name].ndim != 1:
        raise BadParameter(
            f"there is no column {name!r} to forecast", f"there are {', '.join(samples.attrs['columns'])}"
        )
    ahead = seconds_of(options.get("ahead", cadence))
    cells = round(ahead / cadence)
    if cells < 1 or abs(cells * cadence - ahead) > 1e-6 * cadence:
        raise BadParameter(f"ahead = {ahead:g} s is no whole number of steps of {cadence:g} s", "give one step or more")
    values = samples[name].values
    later = np.full(len(values), np.nan)
    later[:-cells] = values[cells:]
    return samples.assign(label=("sample", later), persistence=("sample", values))


def interval_of(options: Record, begin: str = "start", end: str = "stop") -> Interval:
    """Read the interval of options.

    Raises
    ------
    BadParameter
        If one is missing, or one has a time zone and the other has none.
    """
    lost = [name for name in (begin, end) if name not in options]
    if lost:
        raise BadParameter(f"[data.options] has no {lost[0]!r}", f'add for example {lost[0]} = "2023-01-01"')
    zones = [_zoned(str(options[name])) for name in (begin, end)]
    if zones[0] != zones[1]:
        problem = f"{begin} and {end} of [data.options]: one has a time zone, the other has none"
        raise BadParameter(problem, "write both with Z, or both without (UTC)")
    return Interval(*(parse_time(str(options[name])) for name in (begin, end)))


def check_options(options: Record) -> None:
    """Check the options of ``[data] layout = "products"``.

    Raises
    ------
    BadParameter
    """
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise BadParameter(f"layout 'products' does not know {unknown[0]!r}", f"its options are {', '.join(OPTIONS)}")
    if not isinstance(options.get("products"), Mapping) or not options["products"]:
        hint = 'add products = {density = "simulated/wind/density"} below [data.options]'
        raise BadParameter("layout 'products' names no product", hint)
    if "cadence" not in options:
        raise BadParameter("layout 'products' has no cadence", 'add for example cadence = "5min"')
    if ("labels" in options) == ("target" in options):
        raise BadParameter("layout 'products' needs either labels or a target", 'add labels = "name of a catalogue"')


def overlapped_by(events: Array, times: Array, cadence: float) -> Array:
    """Say which events overlap any of the cells that start at `times` (in order)."""
    if not len(times):
        return np.zeros(len(events), bool)
    first = np.searchsorted(times + round(cadence * _NS), events[:, 0], "right")
    return (first < len(times)) & (times[np.minimum(first, len(times) - 1)] < events[:, 1])


def _zoned(text: str) -> bool:
    clock = text.strip().upper().replace(" ", "T").partition("T")[2]
    return text.strip().upper().endswith(("Z", "UTC")) or "+" in clock or "-" in clock


def _positive(classes: Sequence[str], options: Record) -> str:
    there = sorted({one for one in classes if one})
    wanted = str(options.get("positive", ""))
    if wanted and there and wanted not in there:
        raise BadParameter(f"no event is of the class {wanted!r}", f"the classes are {', '.join(there)}")
    if not wanted and len(there) > 1:
        problem = f"the events are of several classes: {', '.join(there[:5])}"
        raise BadParameter(problem, 'name one with positive = "...", or use task = "classes"')
    return wanted or (there[0] if there else "event")


def _check_some(inside: Array, events: Array, name: str, samples: "xr.Dataset") -> None:
    if inside.any():
        return
    times = samples["time"].values
    what = f"none of the {len(events)} labels {f'{name!r} ' if name else ''}lies in the time of the samples"
    told = f"{what}, {str(times[0])[:19]} to {str(times[-1])[:19]}"
    if len(events):
        first, last = (np.datetime64(int(one), "ns") for one in (events[:, 0].min(), events[:, 1].max()))
        told += f": they are of {str(first)[:19]} to {str(last)[:19]}"
    raise BadData(told, "give start and stop where there are labels, or another catalogue")


def _empty(samples: "xr.Dataset") -> Array:
    columns = [samples[name].values.reshape(samples.sizes["sample"], -1) for name in samples.attrs["columns"]]
    found: Array = ~np.isfinite(np.concatenate(columns, axis=1)).any(axis=1)
    return found


def _labelled(times: Array, options: Record) -> Array:
    """Say which cells lie in what somebody has looked through; all if nothing is said."""
    spans = options.get("labelled")
    if not spans:
        return np.ones(len(times), bool)
    seen = np.zeros(len(times), bool)
    for one in spans:
        start, stop = (parse_time(str(end)) for end in one)
        seen |= (times >= start) & (times < stop)
    return seen
