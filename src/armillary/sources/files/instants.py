"""Columns of times, as files write them, into ``datetime64[ns]`` UTC."""

import re
from typing import Any, Final

import numpy as np

from armillary.model import Interval
from armillary.model.times import parse_time

#: Names that a column or variable of times goes by, in lower case and without other signs than letters and digits.
NAMES: Final = frozenset({
    "time", "times", "date", "datetime", "timestamp", "epoch", "utc", "timeutc", "utctime", "datetimeutc",
    "utcdatetime", "dateutc", "isotime", "isot", "scet", "scetut", "obstime", "unixtime", "unix", "time1", "tt2000",
    "t", "mjd", "timemjd", "jd", "dateobs", "obsdate", "dates", "acquisitiondate",
})  # fmt: skip
_UNITS: Final = {
    "ns": 1, "nanosecond": 1, "us": 10**3, "microsecond": 10**3, "ms": 10**6, "msec": 10**6, "millisecond": 10**6,
    "s": 10**9, "sec": 10**9, "second": 10**9, "unix": 10**9, "posix": 10**9,
}  # fmt: skip
#: Counts since 1970 are believed if they give a time in the space age.
_BELIEVED: Final = (parse_time("1957-10-04"), parse_time("2100-01-01"))
_MJD_1970: Final = 40587.0
_JD_1970: Final = 2440587.5
_DAY_NS: Final = 86_400 * 10**9
_SHARE: Final = 0.95


def plain(name: str) -> str:
    """Give a name in lower case without any sign but letters and digits.

    Examples
    --------
    >>> plain("Date_Time (UTC)")
    'datetimeutc'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def decode(values: Any, units: str = "", name: str = "") -> "np.ndarray[Any, Any] | None":
    """Read times from texts, dates or counts.

    Parameters
    ----------
    values : array_like, 1-D
        Texts (ISO 8601), `datetime64`, or numbers.
    units : str
        As the file has them: CF's ``seconds since 2000-01-01``, or a unit of time for counts since 1970.
    name : str
        Name of the column; counts without CF units are believed only in a column named for time.

    Returns
    -------
    ndarray of datetime64[ns] or None
        NaT where a value is missing; None if these are not times. At least 95 % of what is there must be readable.
    """
    values = np.asarray(values)
    if values.dtype.kind == "M":
        return np.asarray(values.astype("datetime64[ns]"))
    if values.dtype.kind in "SUOT":
        return _from_texts(values)
    if values.dtype.kind in "iuf":
        return _from_counts(values, units.strip(), plain(name))
    return None


def from_parts(parts: dict[str, Any]) -> "np.ndarray[Any, Any]":
    """Read times from numbers: ``year`` and ``doy``, or ``year``, ``month`` and ``day``; ``hour minute second`` add up.

    Examples
    --------
    >>> from_parts({"year": np.array([2004]), "doy": np.array([179]), "hour": np.array([9]), "minute": np.array([46])})
    array(['2004-06-27T09:46:00.000000000'], dtype='datetime64[ns]')
    """
    numbers = {name: np.asarray(one, float) for name, one in parts.items()}
    missing = ~np.isfinite(np.sum(list(numbers.values()), axis=0))
    numbers = {name: np.where(missing, 1.0, one) for name, one in numbers.items()}
    months = (numbers["year"] - 1970) * 12 + numbers.get("month", 1.0) - 1
    start = months.astype(np.int64).astype("datetime64[M]").astype("datetime64[ns]")
    days = numbers["doy"] if "doy" in numbers else numbers.get("day", 1.0)
    seconds = numbers.get("hour", 0.0) * 3600 + numbers.get("minute", 0.0) * 60 + numbers.get("second", 0.0)
    result = start + np.round(((days - 1) * 86_400 + seconds) * 1e3).astype("timedelta64[ms]")
    result[missing] = np.datetime64("NaT", "ns")
    return np.asarray(result)


def span(times: "np.ndarray[Any, Any]") -> Interval | None:
    """Give the interval from the first time to just after the last, in the coarsest unit that the last is whole in."""
    ns = times[~np.isnat(times)].astype("datetime64[ns]").astype(np.int64)
    if not ns.size:
        return None
    last = int(ns.max())
    step = next(unit for unit in (10**9, 10**6, 10**3, 1) if last % unit == 0)
    return Interval(int(ns.min()), last + step)


def cadence(times: "np.ndarray[Any, Any]") -> float | None:
    """Give the median seconds between samples that differ in time."""
    ns = times[~np.isnat(times)].astype("datetime64[ns]").astype(np.int64)
    steps = np.diff(np.sort(ns))
    steps = steps[steps > 0]
    return float(np.median(steps)) / 1e9 if steps.size else None


def _from_texts(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any] | None":
    texts = np.array([_text(value) for value in values.ravel().tolist()], object)
    there = np.array([text is not None for text in texts], bool)
    if not there.any() or not _like_time(str(texts[there][0])):
        return None
    import pandas as pd

    found = np.asarray(pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce").tz_localize(None))
    found = found.astype("datetime64[ns]")
    missed = np.flatnonzero(there & np.isnat(found))
    if missed.size > 0 and parse_or_nat(str(texts[missed[0]])) is not None:
        for place in missed:
            found[place] = parse_or_nat(str(texts[place])) or np.datetime64("NaT", "ns")
    believed = (~np.isnat(found)).sum() >= _SHARE * there.sum()
    return found if believed else None


def parse_or_nat(text: str) -> np.datetime64 | None:
    """Read one time, None if it is none; days of the year may be apart by a space (``2004 183 02 00 00.000``)."""
    spaced = re.fullmatch(r"(\d{4})[ /](\d{3})[ T](\d{2})[ :](\d{2})[ :](\d{2})(\.\d+)?", text.strip())
    if spaced:
        text = f"{spaced[1]}-{spaced[2]}T{spaced[3]}:{spaced[4]}:{spaced[5]}{spaced[6] or ''}"
    try:
        return np.datetime64(parse_time(text), "ns")
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    text = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
    return text or None


def _like_time(text: str) -> bool:
    return re.match(r"\d{4}[-/ ]?\d{1,3}", text) is not None and not re.fullmatch(r"\d{1,7}|\d{9,}|\d+\.\d*", text)


def _from_counts(values: "np.ndarray[Any, Any]", units: str, name: str) -> "np.ndarray[Any, Any] | None":
    if " since " in units:
        return _from_cf(values, units)
    if name not in NAMES:
        return None
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    unit = units.lower().rstrip(".")
    if "jd" in name or "jd" in unit:
        return _from_days(values, _MJD_1970 if "mjd" in name or "mjd" in unit else _JD_1970)
    scale = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s")) or _guess(float(np.median(finite)), unit)
    found = _scaled(values, scale) if scale else None
    return found if found is not None and _believed(found) else None


def _guess(typical: float, unit: str) -> int | None:
    """Guess the unit of a count since 1970 from its size: no two units give times in the space age."""
    if unit and unit != "utc":
        return None
    return next((scale for scale in (10**9, 10**6, 10**3, 1) if 3e8 < typical * scale / 1e9 < 4.1e9), None)


def _scaled(values: "np.ndarray[Any, Any]", scale: int) -> "np.ndarray[Any, Any] | None":
    if values.dtype.kind in "iu":
        if np.abs(values.astype(float)).max() * scale > 9e18:
            return None
        return (values.astype(np.int64) * scale).astype("datetime64[ns]")
    good = np.isfinite(values) & (np.abs(values) * scale < 9e18)
    whole = np.floor(np.where(good, values, 0.0))
    # Seconds and their fraction apart: a float of nanoseconds since 1970 is exact to 256 ns only.
    ns = whole.astype(np.int64) * scale + np.round((np.where(good, values, 0.0) - whole) * scale).astype(np.int64)
    return np.where(good, ns.astype("datetime64[ns]"), np.datetime64("NaT", "ns"))


def _from_days(values: "np.ndarray[Any, Any]", origin: float) -> "np.ndarray[Any, Any] | None":
    days = values.astype(float) - origin
    good = np.isfinite(days) & (np.abs(days) < 1e5)
    whole = np.floor(np.where(good, days, 0.0))
    rest = np.round((np.where(good, days, 0.0) - whole) * 86_400e3).astype(np.int64) * 10**6
    ns = whole.astype(np.int64) * _DAY_NS + rest
    found = np.where(good, ns.astype("datetime64[ns]"), np.datetime64("NaT", "ns"))
    return found if _believed(found) else None


def _from_cf(values: "np.ndarray[Any, Any]", units: str) -> "np.ndarray[Any, Any] | None":
    import xarray as xr

    try:
        found = xr.decode_cf(xr.Dataset({"t": ("n", values, {"units": units})}))["t"].to_numpy()
    except (ValueError, OverflowError):
        return None
    return found.astype("datetime64[ns]") if found.dtype.kind == "M" else None


def _believed(times: "np.ndarray[Any, Any]") -> bool:
    ns = times[~np.isnat(times)].astype(np.int64)
    return bool(ns.size and _BELIEVED[0] <= np.median(ns) < _BELIEVED[1])
