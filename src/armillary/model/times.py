"""Times are integers: nanoseconds since 1970-01-01 UTC, as `numpy.datetime64[ns]` counts them.

Leap seconds are not counted: a time within one is read as the first instant after it.
"""

import re
from datetime import UTC, datetime
from typing import Final

import numpy as np

from armillary.errors import BadTime

NS_PER_SECOND: Final = 1_000_000_000
#: What a time may be given as; integers are refused because nobody can know their unit.
TimeLike = str | datetime | np.datetime64

_ISO: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}(-\d{2})?|\d{4}-\d{3}|\d{8}|\d{4})"
    r"([T ](?P<hour>\d{2})(:?(?P<minute>\d{2})(:?(?P<second>\d{2})([.,](?P<fraction>\d{1,9})\d*)?)?)?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}(:?\d{2})?)?",
    re.IGNORECASE,
)
_LIMITS: Final = (np.datetime64("1678-01-01", "s"), np.datetime64("2262-01-01", "s"))
_EXAMPLE: Final = "write it like 2015-10-17T04:30:00 (UTC), 2015-10-17 or 2015-290"


def parse_time(value: TimeLike) -> int:
    """Read a time as nanoseconds since 1970 UTC.

    Parameters
    ----------
    value : str, datetime or numpy.datetime64
        ISO 8601: calendar or day-of-year dates, down to nanoseconds, ``Z`` or an offset; without a zone it is UTC.

    Raises
    ------
    BadTime
        If it is not a time, or outside 1678..2262.

    Examples
    --------
    >>> parse_time("1970-01-01T00:00:01.5Z")
    1500000000
    >>> parse_time("2015-290") == parse_time("2015-10-17") == parse_time("2015-10-17T02:00+02:00")
    True
    """
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, np.datetime64):
        return _from_datetime64(value)
    if not isinstance(value, str):
        raise BadTime(f"{value!r} is not a time", _EXAMPLE)
    match = _ISO.fullmatch(value.strip())
    if match is None:
        raise BadTime(f"{value!r} is not a time", _EXAMPLE)
    try:
        return _from_parts(match)
    except BadTime:
        raise
    except ValueError as broken:
        raise BadTime(f"{value!r} is not a time: {broken}", _EXAMPLE) from None


def format_time(ns: int) -> str:
    """Write a time as ISO 8601 with ``Z``, as short as it stays exact (whole seconds at least).

    Examples
    --------
    >>> format_time(1_500_000_000)
    '1970-01-01T00:00:01.500Z'
    """
    seconds, fraction = divmod(int(ns), NS_PER_SECOND)
    text = str(np.datetime64(seconds, "s"))
    if fraction == 0:
        return f"{text}Z"
    digits = f"{fraction:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z"


def to_datetime64(ns: int) -> np.datetime64:
    """Give the same instant as `numpy.datetime64[ns]`."""
    return np.datetime64(int(ns), "ns")


def _from_parts(match: re.Match[str]) -> int:
    seconds = (_day(match["date"]) - np.datetime64("1970-01-01", "D")).astype(int).item() * 86_400
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("hour, minute or second out of range")
    seconds += hour * 3600 + minute * 60 + second - _offset(match["zone"])
    fraction = 0 if second == 60 else int((match["fraction"] or "0").ljust(9, "0"))
    return _from_datetime64(np.datetime64(seconds, "s")) + fraction


def _day(date: str) -> np.datetime64:
    if re.fullmatch(r"\d{4}-\d{3}", date):
        year, day = int(date[:4]), int(date[5:])
        first = np.datetime64(f"{year:04d}-01-01", "D")
        if not 1 <= day <= (np.datetime64(f"{year + 1:04d}-01-01", "D") - first).astype(int):
            raise ValueError("no such day of the year")
        return first + np.timedelta64(day - 1, "D")
    if len(date) == 8 and date.isdigit():
        date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return np.datetime64(date, "D")


def _offset(zone: str | None) -> int:
    if zone is None or zone.upper() in {"Z", "UTC"}:
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _from_datetime64(value: np.datetime64) -> int:
    if np.isnat(value):
        raise BadTime("NaT is not a time", _EXAMPLE)
    if not _LIMITS[0] <= value.astype("datetime64[s]") < _LIMITS[1]:
        raise BadTime(f"{value} is outside 1678..2262", "ask for a time that nanoseconds can count")
    return int(value.astype("datetime64[ns]").astype(np.int64))
