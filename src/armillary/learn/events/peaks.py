"""Stretches of a score cut into one event a peak, whose edges lie where the score has fallen to a share of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def around_peaks(values: Array, first: Array, last: Array, share: float) -> Array:
    """Cut stretches into events around their peaks.

    The highest peak takes all samples around it down to `share` of it; the highest of what is left does the same, and
    so on. What only touches an event that was made before is its shoulder, no event.

    Parameters
    ----------
    values : array of float, (n,)
        Positive in the stretches.
    first, last : array of int, (m,)
        First and last sample of each stretch, both in it.
    share : float
        0 < share <= 1; at .5 events are as wide as their half maximum.

    Returns
    -------
    array of int, (k, 2)
        First and last sample of each event, in order.

    Examples
    --------
    >>> score = np.array([1.0, 9.0, 5.0, 1.0, 4.0, 1.0])
    >>> around_peaks(score, np.array([0]), np.array([5]), 0.5).tolist()
    [[1, 2], [4, 4]]
    """
    found = [event for a, b in zip(first, last, strict=True) for event in _events(values, int(a), int(b), share)]
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def _events(values: Array, first: int, last: int, share: float) -> Iterator[tuple[int, int]]:
    left = [(first, last, False, False)]
    while left:
        start, stop, taken_before, taken_after = left.pop()
        part = values[start : stop + 1]
        top = int(part.argmax())
        low = np.flatnonzero(part < share * part[top])
        place = int(np.searchsorted(low, top))
        a = start + (int(low[place - 1]) + 1 if place else 0)
        b = start + (int(low[place]) - 1 if place < len(low) else len(part) - 1)
        if not (a == start and taken_before) and not (b == stop and taken_after):
            yield a, b
        if a > start:
            left.append((start, a - 1, taken_before, True))
        if b < stop:
            left.append((b + 1, stop, True, taken_after))
