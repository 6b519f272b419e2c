"""Where a time axis has its marks and what they say; ``static/ticks.js`` follows the same rules."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

_S: Final = 10**9
_M: Final = 60 * _S
_H: Final = 3600 * _S
_DAY: Final = 24 * _H
_FINE: Final = tuple(k * 10**power for power in range(9) for k in (1, 2, 5))
_CLOCK: Final = tuple(k * _S for k in (1, 2, 5, 10, 15, 30)) + tuple(k * _M for k in (1, 2, 5, 10, 15, 30))
_STEPS: Final = _FINE + _CLOCK + tuple(k * _H for k in (1, 2, 3, 6, 12)) + tuple(k * _DAY for k in (1, 2, 5, 10))
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_NAMES: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark: its time in ns, what it says, and the date or year below it where that changes."""

    at: int
    label: str
    below: str = ""


def time_ticks(start: int, stop: int, most: int = 9) -> list[Tick]:
    """Give at most about `most` marks at round UTC times.

    Parameters
    ----------
    start, stop : int
        ns, ``start < stop``.

    Examples
    --------
    >>> from armillary.model import Interval
    >>> span = Interval.of("2015-10-17T05:50", "2015-10-17T07:55")
    >>> [(tick.label, tick.below) for tick in time_ticks(span.start, span.stop, 5)]
    [('06:00', '2015-10-17'), ('06:30', ''), ('07:00', ''), ('07:30', '')]
    """
    return _ticks(start, stop, most) or (time_ticks(start, stop, 2 * most) if most < 64 else [])


def _ticks(start: int, stop: int, most: int) -> list[Tick]:
    wanted = (stop - start) / max(most, 1)
    step = next((one for one in _STEPS if one >= wanted), None)
    if step is None:
        return _month_ticks(start, stop, wanted)
    if step > _DAY:
        return _day_ticks(start, stop, step // _DAY)
    first = -(-start // step) * step
    times = list(range(first, stop + 1, step))
    if step == _DAY:
        return _with_below([(at, _iso(at)[5:10]) for at in times], 4)
    return _with_below([(at, _clock(at, step)) for at in times], 10)


def _clock(at: int, step: int) -> str:
    text = _iso(at)[11:]
    if step >= _M:
        return text[:5]
    if step >= _S:
        return text[:8]
    digits = 3 if step >= 10**6 else 6 if step >= 10**3 else 9
    return text[: 9 + digits]


def _day_ticks(start: int, stop: int, step: int) -> list[Tick]:
    """Give marks on every `step`-th day of each month, leaving out those close to its end."""
    days = np.arange(-(-start // _DAY), stop // _DAY + 1)
    wanted = []
    for day in days.tolist():
        number = int(_iso(day * _DAY)[8:10]) - 1
        if number % step == 0 and number + step // 2 < 31:
            wanted.append((day * _DAY, _iso(day * _DAY)[5:10]))
    return _with_below(wanted, 4)


def _month_ticks(start: int, stop: int, wanted: float) -> list[Tick]:
    step = next((one for one in _MONTHS if one * 30.4 * _DAY >= wanted), _MONTHS[-1])
    first = int(_iso(start)[:4]) * 12
    ticks = []
    for month in range(first // step * step, 2400 * 12, step):
        year, number = divmod(month, 12)
        at = (date(year, number + 1, 1).toordinal() - 719163) * _DAY
        if at > stop:
            break
        if at >= start:
            ticks.append((at, _NAMES[number] if step < 12 else str(year)))
    return _with_below(ticks, 4) if step < 12 else [Tick(at, label) for at, label in ticks]


def _with_below(marks: list[tuple[int, str]], letters: int) -> list[Tick]:
    """Write the date or the year under the first mark and wherever it changes, never under two neighbours."""
    dates = [_iso(at)[:letters] for at, _ in marks]
    new = [True][: len(marks)] + [before != after for before, after in pairwise(dates)]
    last = [*(not follows for follows in new[1:]), True][: len(marks)]
    return [
        Tick(at, label, text if first and alone else "")
        for (at, label), text, first, alone in zip(marks, dates, new, last, strict=True)
    ]


def _iso(ns: int) -> str:
    return str(np.datetime64(int(ns), "ns"))
