"""What an answer costs: time, memory, size, and which models no other beats in everything."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: Rows that the throughput is measured with, at most.
_ROWS: Final = 2000
_TRIES: Final = 5


def measure(answer: Callable[[Array], Array], matrix: Array) -> dict[str, float]:
    """Measure how long one row takes, and how many rows a second are answered.

    Parameters
    ----------
    answer : callable
        From features to answers.
    matrix : array, (n, p)
        Some features, n >= 1.

    Returns
    -------
    dict
        ``latency_ms`` of one row, the median of five; ``rows_per_s`` for up to 2,000 rows at once.
    """
    some = matrix[:_ROWS]
    one = [_seconds(answer, some[:1]) for _ in range(_TRIES)]
    return {"latency_ms": 1e3 * float(np.median(one)), "rows_per_s": len(some) / max(_seconds(answer, some), 1e-9)}


def pareto(rows: Sequence[Mapping[str, float]], larger: Sequence[str], smaller: Sequence[str]) -> list[bool]:
    """Say of each row whether no other is at least as good in everything and better in something.

    Missing numbers count as worst. O(n^2).

    Examples
    --------
    >>> pareto([{"f1": 0.9, "ms": 5}, {"f1": 0.8, "ms": 1}, {"f1": 0.8, "ms": 6}], ["f1"], ["ms"])
    [True, True, False]
    """
    if not rows:
        return []
    signed = [[_number(row, name) for name in larger] + [-_number(row, name, 1) for name in smaller] for row in rows]
    values = np.array(signed, np.float64)
    beaten = [bool(((values >= one).all(axis=1) & (values > one).any(axis=1)).any()) for one in values]
    return [not one for one in beaten]


def _number(row: Mapping[str, float], name: str, sign: int = -1) -> float:
    value = row.get(name)
    return float(value) if value is not None and np.isfinite(value) else sign * np.inf


def _seconds(answer: Callable[[Array], Array], matrix: Array) -> float:
    begun = time.perf_counter()
    answer(matrix)
    return time.perf_counter() - begun
