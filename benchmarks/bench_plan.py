"""Plan a request, key it, and serve it from the cache.

Run: python benchmarks/bench_plan.py
"""

import statistics
import tempfile
import time
from collections.abc import Callable

import armillary as arm
from armillary.services.desk import ask

DAY = ("2020-01-01", "2020-01-02")


def milliseconds(work: Callable[[], object], times: int = 50) -> float:
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(spent)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        desk = arm.open(home=home)
        request = ask("simulated/wind/b_gse", *DAY)
        derived = ask("simulated/wind/beta", *DAY)
        rows: list[tuple[str, Callable[[], object], int]] = [
            ("key of a request", lambda: request.key, 1000),
            ("plan of a raw product", lambda: desk.plan(request), 50),
            ("plan of a derived product (two inputs)", lambda: desk.plan(derived), 50),
            ("first answer, one day of 1 min", lambda: desk.answer(request), 1),
            ("the same from the cache", lambda: desk.answer(request), 50),
        ]
        for name, work, times in rows:
            print(f"{name:44}{milliseconds(work, times):10.3f} ms")


if __name__ == "__main__":
    main()
