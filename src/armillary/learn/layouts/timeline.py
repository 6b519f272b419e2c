"""One time series on a regular grid, and intervals that say what happens in it or a value that lies ahead."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, DamagedFile, one_line
from armillary.learn.keys import check_keys
from armillary.learn.study import seconds_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

_OPTIONS: Final = {
    "series": str, "events": str, "time": str, "begin": str, "end": str, "columns": tuple[str, ...],
    "names": Mapping[str, str], "missing": tuple[float, ...] | Mapping[str, tuple[float, ...]], "cadence": float | str,
    "positive": str, "negative": str, "target": str, "ahead": float | str,
    "covered": tuple[str | date, ...],
}  # fmt: skip
_NS: Final = 1_000_000_000
#: A grid with more empty cells than this for each row was asked for by mistake.
_MOST_EMPTY: Final = 1000
#: A time without events at an end of the series that is so many times the longest one between events is suspicious.
_LONG: Final = 3


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read a series, and either its events or a target some time ahead.

    Parameters
    ----------
    path : Path
        A folder with the files, or the file of the series itself. Files are CSV, plain or packed (``.gz``).
    options : mapping
        ``series``, ``events``: names of the files in the folder. ``time``: the column of the times, ``time`` if left
        out; ISO 8601, UTC if no time zone is written. ``begin``, ``end``: columns of the events. ``columns``: which
        numbers to read; all if left out. ``names``: new names of columns, ``{V = "V_km_s"}``. ``missing``: values that
        mean that nothing was measured; or a table of such lists by (new) name. ``cadence``: of the grid; the usual
        step if left out. ``positive``, ``negative``: classes in and out of events, ``event`` and ``quiet`` if left
        out. ``covered``: start and stop of the time for which the list of events is complete; outside of it there is no
        label; the whole series if left out. ``target`` and ``ahead``: the column to forecast and how far, "1h".

    Returns
    -------
    xarray.Dataset
        One sample a cell of the grid, the mean of what lies in it, NaN without any; ``time`` is where the cell starts.
        A cell that an event overlaps is ``positive``; one without any number has no label. Of a forecast ``label`` is
        the value ahead, NaN where there is none, and ``persistence`` the value now. The attribute ``notes`` says where
        the list of events may not be complete.

    Raises
    ------
    BadParameter, BadData, DamagedFile
    """
    import xarray as xr

    _check(options)
    series, intervals = _files(path, options)
    frame = _gridded(_series(series, options), options)
    times = frame.index.to_numpy().astype("datetime64[ns]")
    cadence = float(frame.attrs["cadence"])
    data: dict[str, Any] = {str(name): ("sample", frame[name].to_numpy(np.float64)) for name in frame}
    attrs: dict[str, Any] = {"columns": tuple(str(one) for one in frame), "cadence": cadence}
    if "target" in options:
        data |= _ahead(frame, str(options["target"]), seconds_of(options.get("ahead", cadence)), cadence)
    if intervals is not None:
        attrs["events"] = _intervals(intervals, options)
        found, attrs["notes"] = _labels(frame, times, attrs["events"], options)
        data |= found
    return xr.Dataset(data, coords={"time": ("sample", times)}, attrs=attrs)


def overlapped(times: Array, cadence: float, events: Array) -> Array:
    """Say which cells any event overlaps.

    Parameters
    ----------
    times : array of int, (n,)
        Starts of the cells, nanoseconds, in order.
    cadence : float
        Length of a cell, seconds.
    events : array of int, (m, 2)

    Examples
    --------
    >>> overlapped(np.arange(4) * 10**9, 1.0, np.array([[1_500_000_000, 2_000_000_000]])).tolist()
    [False, True, False, False]
    """
    change = np.zeros(len(times) + 1, np.int64)
    stops = times + round(cadence * _NS)
    np.add.at(change, np.searchsorted(stops, events[:, 0], "right"), 1)
    np.add.at(change, np.searchsorted(times, events[:, 1], "left"), -1)
    return np.cumsum(change[:-1]) > 0


def _check(options: Mapping[str, Any]) -> None:
    check_keys("layout 'timeline'", options, _OPTIONS, "options")
    if "ahead" in options and "target" not in options:
        raise BadParameter("layout 'timeline': 'ahead' needs a target", 'name a column, target = "Dst"')
    if "target" in options and "events" in options:
        raise BadParameter(
            "layout 'timeline': there cannot be both events and a target", "make two studies, one of each"
        )


def _files(path: Path, options: Mapping[str, Any]) -> tuple[Path, Path | None]:
    if path.is_dir() and "series" not in options:
        raise BadParameter(f"{path.name} is a folder, and no file is named", 'give option series = "the_file.csv"')
    folder = path if path.is_dir() else path.parent
    series = path / str(options["series"]) if path.is_dir() else path
    intervals = folder / str(options["events"]) if "events" in options else None
    for one in (series, intervals):
        if one is not None and not one.is_file():
            there = ", ".join(sorted(file.name for file in folder.iterdir())[:8]) or "nothing"
            raise BadParameter(f"there is no file {one.name} in {folder.name}", f"there is {there}")
    return series, intervals


def _table(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        frame = pd.read_csv(path)
    except Exception as failed:
        hint = "give a CSV file whose first line names the columns"
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", hint) from failed
    if not len(frame):
        raise BadData(f"{path.name} has no row", "give a file with at least one")
    return frame


def _series(path: Path, options: Mapping[str, Any]) -> "pd.DataFrame":
    names = {str(old): str(new) for new, old in dict(options.get("names", {})).items()}
    frame = _table(path)
    _need(frame, [options.get("time", "time"), *names], path)
    frame = frame.rename(columns=names)
    time = str(options.get("time", "time"))
    frame.index = _times(frame[time], path.name)
    frame = frame.drop(columns=time)
    wanted = [str(one) for one in options.get("columns", ())]
    _need(frame, wanted, path)
    frame = frame[wanted or [str(name) for name in frame if frame[name].dtype.kind in "fiub"]]
    texts = [str(name) for name in frame if frame[name].dtype.kind not in "fiub"]
    if texts or not len(frame.columns):
        problem = f"column {texts[0]!r} of {path.name} is no number" if texts else f"{path.name} has no numbers"
        raise BadParameter(problem, "leave it out of 'columns'" if texts else "name the right file")
    return _without_fills(frame.astype(np.float64), options.get("missing", ()))


def _without_fills(frame: "pd.DataFrame", missing: Mapping[str, Sequence[float]] | Sequence[float]) -> "pd.DataFrame":
    if isinstance(missing, Mapping):
        for name, values in missing.items():
            if name in frame:
                frame[name] = frame[name].mask(frame[name].isin(list(values)))
        return frame
    return frame.mask(frame.isin(list(missing))) if missing else frame


def _times(texts: "pd.Series[Any]", title: str) -> Any:
    """Read times as UTC without zone, refusing what is none and what mixes times with a zone and without one."""
    import pandas as pd

    zoned = texts.dropna().astype(str).str.slice(10).str.contains("[Zz+-]|UTC")
    if zoned.any() and not zoned.all():
        problem = f"{int(zoned.sum())} of {len(zoned)} times of {title} have a time zone, the others none"
        raise BadData(problem, "write all in UTC")
    try:
        times = pd.DatetimeIndex(pd.to_datetime(texts, utc=True, format="ISO8601").dt.tz_localize(None))
    except (ValueError, TypeError) as failed:
        problem = f"the times of {title} cannot be read: {one_line(str(failed))}"
        raise BadData(problem, "write them as 2000-01-31 23:00:00, in UTC") from None
    lost = int(np.isnat(times.to_numpy()).sum())
    if lost:
        raise BadData(f"{lost} rows of {title} have no time", "leave these rows out")
    return times.as_unit("ns")


def _gridded(frame: "pd.DataFrame", options: Mapping[str, Any]) -> "pd.DataFrame":
    """Give the mean in each cell of a regular grid, cells without rows too."""
    import pandas as pd

    frame = frame.sort_index()
    stamps = frame.index.to_numpy().astype(np.int64)
    step = round(_cadence(stamps, options) * _NS)
    cells = stamps // step
    count = int(cells[-1] - cells[0]) + 1
    if count > _MOST_EMPTY * max(len(frame), 100):
        problem = f"a grid of {step / _NS:g} s has {count} cells for {len(frame)} rows"
        raise BadParameter(problem, "look for a wrong time, or give another 'cadence'")
    grid = frame.groupby(cells).mean().reindex(np.arange(cells[0], cells[-1] + 1))
    grid.index = pd.DatetimeIndex((grid.index.to_numpy() * step).astype("datetime64[ns]"))
    grid.attrs["cadence"] = step / _NS
    return grid


def _cadence(stamps: Array, options: Mapping[str, Any]) -> float:
    if "cadence" in options:
        cadence = seconds_of(options["cadence"])
        if cadence <= 0:
            raise BadParameter(f"cadence = {options['cadence']!r} is not above 0", 'write for example "1h"')
        return cadence
    steps = np.diff(np.unique(stamps))
    if not len(steps):
        raise BadData("a series of one time has no cadence", "give the option 'cadence'")
    return float(np.median(steps)) / _NS


def _ahead(frame: "pd.DataFrame", name: str, ahead: float, cadence: float) -> dict[str, Any]:
    if name not in frame:
        raise BadParameter(f"there is no column {name!r} to forecast", f"there are {', '.join(map(str, frame))}")
    cells = round(ahead / cadence)
    if cells < 1 or abs(cells * cadence - ahead) > 1e-6 * cadence:
        raise BadParameter(
            f"ahead = {ahead:g} s is no whole number of steps of {cadence:g} s", "give one or more steps"
        )
    label = frame[name].shift(-cells).to_numpy(np.float64)
    return {"label": ("sample", label), "persistence": ("sample", frame[name].to_numpy(np.float64))}


def _intervals(path: Path, options: Mapping[str, Any]) -> Array:
    import pandas as pd

    frame = _table(path)
    begin, end = (str(options.get(name, name)) for name in ("begin", "end"))
    _need(frame, [begin, end], path)
    both = _times(pd.concat([frame[begin], frame[end]]), path.name)
    events: Array = both.to_numpy().astype(np.int64).reshape(2, -1).T
    wrong = np.flatnonzero(events[:, 1] <= events[:, 0])
    if len(wrong):
        raise BadData(f"event {wrong[0] + 1} of {path.name} does not end after it begins", "mend or leave out that row")
    return events[np.argsort(events[:, 0], kind="stable")]


def _labels(
    frame: "pd.DataFrame", times: Array, events: Array, options: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    stamps = times.astype(np.int64)
    cadence = float(frame.attrs["cadence"])
    inside = overlapped(stamps, cadence, events)
    if not inside.any():
        problem = f"none of the {len(events)} events lies in the series, {str(times[0])[:10]} to {str(times[-1])[:10]}"
        raise BadData(problem, "give events and series of the same time")
    names = [str(options.get("positive", "event")), str(options.get("negative", "quiet"))]
    label = np.where(inside, *(np.array(one, object) for one in names))
    known, notes = _covered(stamps, round(cadence * _NS), events, options)
    label[frame.isna().all(axis=1).to_numpy() | ~known] = ""
    return {"label": ("sample", label)}, notes


def _covered(stamps: Array, step: int, events: Array, options: Mapping[str, Any]) -> tuple[Array, tuple[str, ...]]:
    """Say for which cells the list of events is complete, and what is to be told about it."""
    whole = np.ones(len(stamps), bool)
    if "covered" not in options:
        return whole, _suspicious(int(stamps[0]), int(stamps[-1]) + step, events)
    start, stop = _interval(options["covered"])
    known = (stamps >= start) & (stamps + step <= stop)
    if not known.any():
        return whole, ("the time that 'covered' tells lies outside of the series and was not used",)
    return known, ()


def _interval(covered: Sequence[Any]) -> tuple[int, int]:
    import pandas as pd

    ends = [int(one) for one in _times(pd.Series([str(one) for one in covered]), "covered").to_numpy().astype(np.int64)]
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise BadParameter("layout 'timeline': covered is no interval", 'write covered = ["2000-01-01", "2005-01-01"]')
    return ends[0], ends[1]


def _suspicious(start: int, stop: int, events: Array) -> tuple[str, ...]:
    """Tell of long times before the first and after the last event, for which nobody may have looked."""
    gaps = events[1:, 0] - np.maximum.accumulate(events[:-1, 1])
    if len(gaps) < 2:
        return ()
    usual = int(gaps.max())
    ends = {"before the first": int(events[0, 0]) - start, "after the last": stop - int(events[:, 1].max())}
    day = 86400 * _NS
    return tuple(
        f"the {length / day:.0f} days {where} event are taken as without any, though between events there are at most "
        f"{usual / day:.1f}: if nobody looked there, give the layout's option 'covered'"
        for where, length in ends.items()
        if length > _LONG * max(usual, 0) and length > 0
    )


def _need(frame: "pd.DataFrame", names: Sequence[Any], path: Path) -> None:
    lost = [str(one) for one in names if str(one) not in frame]
    if lost:
        raise BadParameter(f"{path.name} has no column {lost[0]!r}", f"it has {', '.join(map(str, frame.columns))}")
