"""What an answer costs: time, memory, size, and which models no other beats in everything."""

import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: Rows that the throughput is measured with, at most.
_ROWS: Final = 2000
_TRIES: Final = 5
#: Of one busy core; the proxy compares models, it is no measurement.
_WATT: Final = 10.0


def measure(answer: Callable[[Array], Array], matrix: Array) -> dict[str, float]:
    """Measure how long one row takes, and what many rows cost.

    Parameters
    ----------
    answer : callable
        From features to answers.
    matrix : array, (n, p)
        Some features, n >= 1.

    Returns
    -------
    dict
        ``latency_ms`` of one row, the median of five; ``rows_per_s`` for up to 2,000 rows at once; ``memory_MB``, what
        Python and numpy allocate at most while they are answered; ``energy_J_per_1000``, a proxy: processor time of
        1,000 rows at 10 W a core.
    """
    some = matrix[:_ROWS]
    one = [_seconds(answer, some[:1]) for _ in range(_TRIES)]
    begun = time.process_time()
    seconds = _seconds(answer, some)
    joules = _WATT * (time.process_time() - begun) * 1000 / len(some)
    speed = {"latency_ms": 1e3 * float(np.median(one)), "rows_per_s": len(some) / max(seconds, 1e-9)}
    return speed | {"memory_MB": _memory(answer, some), "energy_J_per_1000": joules}


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


def _memory(answer: Callable[[Array], Array], matrix: Array) -> float:
    running = tracemalloc.is_tracing()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        answer(matrix)
        return max(tracemalloc.get_traced_memory()[1] - before, 0) / 1e6
    finally:
        if not running:
            tracemalloc.stop()


def _seconds(answer: Callable[[Array], Array], matrix: Array) -> float:
    begun = time.perf_counter()
    answer(matrix)
    return time.perf_counter() - begun
