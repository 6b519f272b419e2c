"""Dates and versions that people write into the names of files."""

import re
from typing import Final

import numpy as np

from armillary.model import Interval
from armillary.model.times import NS_PER_SECOND, parse_time

_DATE: Final = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
    r"(?:[T_-]?([01]\d|2[0-3]):?([0-5]\d):?([0-5]\d)?(?:\d{3})?(?!-?\d))?Z?(?!\d)",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r"[_.-]v(\d+(?:[._-]\d+)*)$", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[_.-]*[_.](?=[_.-])[_.-]*|[_.-]{2,}")


def date_of(stem: str) -> Interval | None:
    """Give the first date in a name: one day, or one second where it has a time of day.

    Examples
    --------
    >>> date_of("rgbn_20160101"), date_of("S2A_20180101T105441_B01"), date_of("cog")
    (Interval.of('2016-01-01T00:00:00Z', '2016-01-02T00:00:00Z'), \
Interval.of('2018-01-01T10:54:41Z', '2018-01-01T10:54:42Z'), None)
    """
    for match in _DATE.finditer(stem):
        year, _, month, day, hour, minute, second = match.groups()
        try:
            np.datetime64(f"{year}-{month}-{day}")
        except ValueError:
            continue
        clock = f"T{hour}:{minute}:{second or '00'}" if hour else ""
        start = parse_time(f"{year}-{month}-{day}{clock}")
        return Interval(start, start + (1 if clock else 86_400) * NS_PER_SECOND)
    return None


def without_date(stem: str) -> str:
    """Leave dates out of a name, and the separators that held them.

    Examples
    --------
    >>> without_date("LC08_224077_20200518_20200519_01_B2"), without_date("rgbn_20160101"), without_date("20160101")
    ('LC08_224077_01_B2', 'rgbn', '20160101')
    """
    bare = _DATE.sub("", stem)
    tidy = _SEPARATORS.sub("_", bare).strip("_.- ")
    return (tidy if bare != stem else stem) or stem


def split_version(stem: str) -> tuple[str, tuple[int, ...]]:
    """Split a version off the end of a name; the empty version is lowest.

    Examples
    --------
    >>> split_version("foo_20200101_v3.4.0"), split_version("foo_v02"), split_version("foo")
    (('foo_20200101', (3, 4, 0)), ('foo', (2,)), ('foo', ()))
    """
    match = _VERSION.search(stem)
    if not match:
        return stem, ()
    return stem[: match.start()], tuple(int(part) for part in re.split(r"[._-]", match[1]))
