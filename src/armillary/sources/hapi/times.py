"""Times and durations as HAPI servers write them."""

import re
import time
from typing import Any, Final

import numpy as np

from armillary.errors import BadAnswer, BadTime
from armillary.model.times import NS_PER_SECOND, parse_time

_DURATION: Final = re.compile(
    r"P(?:(?P<Y>[\d.]+)Y)?(?:(?P<M>[\d.]+)M)?(?:(?P<W>[\d.]+)W)?(?:(?P<D>[\d.]+)D)?"
    r"(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?",
    re.IGNORECASE,
)
#: Years and months are mean ones; a cadence or a limit needs no more.
_SECONDS: Final = {"Y": 31_557_600.0, "M": 2_629_800.0, "W": 604_800.0, "D": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_RELATIVE: Final = re.compile(r"(?P<from>now|last\w+)(?:(?P<sign>[+-])(?P<by>P.+))?", re.IGNORECASE)
_FLOORS: Final = {"lastminute": "m", "lasthour": "h", "lastday": "D", "lastmonth": "M", "lastyear": "Y"}
_DASH, _COLON, _DOT, _T, _ZERO = b"-:.T0"
_NEXT: Final = "tell the maintainer of the server"
Ints = np.ndarray[Any, np.dtype[np.int64]]


def read_duration(text: str) -> float | None:
    """Read an ISO 8601 duration as seconds; None if it is not one or is zero.

    Examples
    --------
    >>> read_duration("PT1M30S"), read_duration("P1D"), read_duration("16 s")
    (90.0, 86400.0, None)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    try:
        parts = {name: float(value) for name, value in match.groupdict().items() if value}
    except ValueError:
        return None
    return sum(_SECONDS[name] * value for name, value in parts.items()) or None


def read_date(text: str, now: int) -> int:
    """Read a date of a server's information: a time, or one that is relative such as ``now-P1D`` or ``lastday``.

    Parameters
    ----------
    now : int
        When the information was asked for; nanoseconds since 1970.

    Raises
    ------
    BadTime
        If it is none of these.

    Examples
    --------
    >>> read_date("lastday-P1D", parse_time("2020-01-03T04:00")) == parse_time("2020-002")
    True
    """
    match = _RELATIVE.fullmatch(text.strip())
    if match is None:
        return parse_time(text)
    unit = _FLOORS.get(match["from"].lower())
    origin = int(np.datetime64(now, "ns").astype(f"M8[{unit}]").astype("M8[ns]").astype(np.int64)) if unit else now
    shift = read_duration(match["by"]) if match["by"] else 0.0
    if shift is None:
        raise BadTime(f"{text!r} is not a time", _NEXT)
    return origin + int(shift * NS_PER_SECOND) * (-1 if match["sign"] == "-" else 1)


def clock() -> int:
    """Give the present, nanoseconds since 1970."""
    return time.time_ns()


def decode_times(cells: Any) -> Ints:
    """Read a column of HAPI times at once.

    Parameters
    ----------
    cells : numpy array of bytes, shape (n,)
        Calendar or day-of-year dates, truncated at any field, padded with zeros or blanks; lengths may differ.

    Returns
    -------
    numpy array of int64, shape (n,)
        Nanoseconds since 1970 UTC. A time within a leap second is the first instant after it.

    Raises
    ------
    BadAnswer
        Naming the first that is not a time.

    Examples
    --------
    >>> decode_times(np.array([b"1970-001T00:00:01Z", b"1970-01-01T00:00:01.5Z"])).tolist()
    [1000000000, 1500000000]
    """
    cells = np.char.rstrip(np.char.strip(np.ascontiguousarray(cells, "S")), b"Zz")
    out = np.zeros(len(cells), np.int64)
    lengths = np.char.str_len(cells)
    splits = np.where((at := np.char.find(cells, b"T")) < 0, lengths, at)
    # one pass for each layout; a well behaved server has one
    layouts = splits * 1000 + lengths
    for layout in np.unique(layouts):
        rows = layouts == layout
        date, length = divmod(int(layout), 1000)
        out[rows] = _decode_layout(cells[rows], date, length)
    return out


def _decode_layout(cells: Any, date: int, length: int) -> Ints:
    text = np.ascontiguousarray(cells, f"S{max(length, 1)}").view(np.uint8).reshape(len(cells), -1)
    if date not in {4, 7, 8, 10}:
        raise _not_times(cells[:1])
    good = np.ones(len(cells), bool)
    days = _days(text[:, :date], good)
    seconds, ns = _clock_part(text[:, date:length], good)
    if not good.all():
        raise _not_times(cells[~good])
    return (days * 86_400 + seconds) * NS_PER_SECOND + ns


def _days(text: Any, good: Any) -> Ints:
    """Days since 1970 of a date of 4, 7, 8 or 10 characters; clears `good` where it is none."""
    year = _number(text, 0, 4, good)
    good &= (year >= 1678) & (year < 2262)
    years = np.where(good, year, 1970) - 1970
    first: Any = years.astype("M8[Y]")
    width = text.shape[1]
    if width == 4:
        return _number_of(first)
    good &= text[:, 4] == _DASH
    if width == 8:
        day = _number(text, 5, 8, good)
        length = _number_of((years + 1).astype("M8[Y]")) - _number_of(first)
        good &= (day >= 1) & (day <= length)
        return _number_of(first) + day - 1
    month = _number(text, 5, 7, good)
    good &= (month >= 1) & (month <= 12)
    months = 12 * years + np.where(good, month, 1) - 1
    if width == 7:
        return _number_of(months.astype("M8[M]"))
    good &= text[:, 7] == _DASH
    day = _number(text, 8, 10, good)
    good &= (day >= 1) & (day <= _number_of((months + 1).astype("M8[M]")) - _number_of(months.astype("M8[M]")))
    return _number_of(months.astype("M8[M]")) + day - 1


def _number_of(dates: Any) -> Ints:
    """Days since 1970 of datetime64 values of any unit."""
    return np.asarray(dates.astype("M8[D]").astype(np.int64))


def _clock_part(text: Any, good: Any) -> tuple[Ints, Ints]:
    """Seconds and nanoseconds of ``Thh:mm:ss.f``, truncated at any field."""
    width = text.shape[1]
    zero = np.zeros(len(text), np.int64)
    if width == 0:
        return zero, zero
    if width not in {1, 3, 6, 9} and width < 10:
        good &= False
        return zero, zero
    hour = _number(text, 1, 3, good) if width >= 3 else zero
    minute = _field(text, 3, _COLON, good) if width >= 6 else zero
    second = _field(text, 6, _COLON, good) if width >= 9 else zero
    good &= (hour <= 24) & (minute <= 59) & (second <= 60)
    ns = zero
    if width > 9:
        good &= text[:, 9] == _DOT
        digits = min(width - 10, 9)
        ns = _number(text, 10, 10 + digits, good) * 10 ** (9 - digits) if digits else zero
    # inside a leap second the next second has not begun; clamped, so that the order stays
    ns = np.where(second == 60, 0, ns)
    return hour * 3600 + minute * 60 + second, ns


def _field(text: Any, at: int, mark: int, good: Any) -> Ints:
    good &= text[:, at] == mark
    return _number(text, at + 1, at + 3, good)


def _number(text: Any, low: int, high: int, good: Any) -> Ints:
    digits = text[:, low:high].astype(np.int64) - _ZERO
    good &= ((digits >= 0) & (digits <= 9)).all(axis=1)
    return np.asarray(digits @ (10 ** np.arange(high - low - 1, -1, -1, dtype=np.int64)), np.int64)


def _not_times(cells: Any) -> BadAnswer:
    return BadAnswer(f"{bytes(cells[0])[:40]!r} is not a HAPI time", _NEXT)
