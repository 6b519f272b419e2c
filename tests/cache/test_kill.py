"""Real processes on one cache: killed at random moments, racing for the same samples, dying while others wait.

This file is run as a program that imports everything once and forks the processes that are killed: each costs
milliseconds, and no thread of the test session is forked along.
"""

import contextlib
import faulthandler
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pytest
import xarray as xr

from armillary.cache import Cache
from armillary.model import Extent, Interval, Product, Request

KILLS = 60
#: Seconds after which every process of the program prints where it stands, and ends.
TOO_LONG = 80.0
BEGUN = time.monotonic()
PRODUCT = Product(path="test/noise", title="n", kind="series")


def samples(start: int, stop: int) -> xr.Dataset:
    """Values that do not compress, known for every time."""
    times = np.arange(start, stop)
    values = (times.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(0xABCDEF)
    return xr.Dataset({"v": ("time", values, {"units": ""})}, {"time": times.astype("datetime64[ns]")})


def request(start: int, stop: int) -> Request:
    return Request(PRODUCT.path, Extent(time=Interval(start, stop)))


def fetch(asked: Request, progress: Any) -> xr.Dataset:
    progress(0.5, "fetching")
    assert asked.extent.time
    return samples(asked.extent.time.start, asked.extent.time.stop)


def end_if_too_long(after: float = 0.0) -> None:
    """Let an alarm print where every thread stands and end the process; it works inside a library that hangs, too."""
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(max(int(BEGUN + TOO_LONG + after - time.monotonic()), 1))


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a forked process; never return there."""
    with warnings.catch_warnings():
        # the compression library and SQLite's callers may keep threads; none of ours is left after a call
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        end_if_too_long()
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def serve_for_ever(folder: Path, seed: int, pipe: int) -> NoReturn:
    cache, dice = Cache(folder), random.Random(seed)  # noqa: S311
    while True:
        start = dice.randrange(0, 2_000_000)
        stop = start + dice.randrange(1, 20_000)
        answer = cache.serve(PRODUCT, request(start, stop), fetch)
        assert answer.sizes["time"] == stop - start
        os.write(pipe, f"{start} {stop}\n".encode())


def kill_9_at_random_moments_loses_nothing_and_gives_nothing_wrong(tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311
    reported = list[tuple[int, int]]()
    for kill in range(KILLS):
        ours, theirs = os.pipe()
        pid = fork(lambda kill=kill, pipe=theirs: serve_for_ever(tmp_path, kill, pipe))
        os.close(theirs)
        select.select([ours], [], [], 60)
        time.sleep(dice.random() * 0.06)
        os.kill(pid, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        with os.fdopen(ours) as lines:
            fresh = [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
        reported += [(start, stop) for start, stop in fresh]
        cache = Cache(tmp_path)
        if kill % 10 == KILLS % 10:
            assert cache.verify() == []
        for start, stop in fresh + dice.sample(reported, min(2, len(reported))):
            stored = cache.read(PRODUCT, request(start, stop))
            assert isinstance(stored, xr.Dataset)
            xr.testing.assert_identical(stored, samples(start, stop))
        low = dice.randrange(0, 2_000_000)
        again = cache.serve(PRODUCT, request(low, low + 30), fetch)
        xr.testing.assert_identical(again, samples(low, low + 30))
        cache.close()
    assert len(reported) >= KILLS
    assert Cache(tmp_path).verify() == []
    assert not list(tmp_path.glob("*.damaged"))


def four_processes_fetch_each_sample_once(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    def noted(asked: Request, progress: Any) -> xr.Dataset:
        assert asked.extent.time
        with notes.open("a") as file:
            file.write(json.dumps([asked.extent.time.start, asked.extent.time.stop]) + "\n")
        time.sleep(0.01)
        return fetch(asked, progress)

    def work(seed: int) -> None:
        cache, dice = Cache(tmp_path / "cache"), random.Random(seed)  # noqa: S311
        for _ in range(15):
            start = dice.randrange(0, 900)
            stop = start + dice.randrange(1, 200)
            xr.testing.assert_identical(cache.serve(PRODUCT, request(start, stop), noted), samples(start, stop))

    pids = [fork(lambda seed=seed: work(seed)) for seed in range(4)]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    brought = [t for line in notes.read_text().splitlines() for t in range(*json.loads(line))]
    assert len(brought) > 700
    assert len(brought) == len(set(brought))
    assert Cache(tmp_path / "cache").verify() == []


def a_waiter_takes_over_from_an_owner_that_was_killed(tmp_path: Path) -> None:
    ours, theirs = os.pipe()

    def hang(_: Request, __: Any) -> xr.Dataset:
        os.write(theirs, b"x")
        time.sleep(600)
        raise AssertionError

    owner = fork(lambda: Cache(tmp_path).serve(PRODUCT, request(0, 100), hang))
    assert os.read(ours, 1) == b"x"
    waited = list[str]()

    def progress(_: float, message: str = "") -> None:
        waited.append(message)
        if len(waited) == 3:
            os.kill(owner, signal.SIGKILL)
            os.waitpid(owner, 0)

    answer = Cache(tmp_path).serve(PRODUCT, request(50, 150), fetch, progress)
    xr.testing.assert_identical(answer, samples(50, 150))
    assert sum("waiting for test/noise" in message for message in waited) >= 1


def a_waiter_is_served_what_the_owner_stored(tmp_path: Path) -> None:
    ours, theirs = os.pipe()

    def slow(asked: Request, progress: Any) -> xr.Dataset:
        os.write(theirs, b"x")
        time.sleep(0.2)
        return fetch(asked, progress)

    owner = fork(lambda: Cache(tmp_path).serve(PRODUCT, request(0, 100), slow))
    assert os.read(ours, 1) == b"x"
    cache = Cache(tmp_path)
    answer = cache.serve(PRODUCT, request(20, 80), lambda *_: pytest.fail("fetched twice"))
    xr.testing.assert_identical(answer, samples(20, 80))
    assert os.waitpid(owner, 0)[1] == 0


def a_child_forked_right_after_a_fetch_does_not_hang(tmp_path: Path) -> None:
    for turn in range(25):
        Cache(tmp_path / f"{turn}").serve(PRODUCT, request(0, 9), fetch)
        # one that ended late would be closing the database while we fork
        assert [one.name for one in threading.enumerate()] == ["MainThread"]
        child = fork(lambda turn=turn: Cache(tmp_path / f"of {turn}").serve(PRODUCT, request(0, 9), fetch))
        assert os.waitpid(child, 0)[1] == 0


def a_cache_opened_before_a_fork_works_in_both(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for _ in range(3):
        cache.serve(PRODUCT, request(0, 10), fetch)
    from_child, to_parent = os.pipe()
    from_parent, to_child = os.pipe()

    def work() -> None:
        cache.serve(PRODUCT, request(5, 20), fetch)
        os.write(to_parent, b"x")
        assert os.read(from_parent, 1) == b"x"
        # the parent has closed the file, and with it must not have taken away what the child writes into
        cache.serve(PRODUCT, request(30, 40), fetch)
        cache.close()

    child = fork(work)
    assert os.read(from_child, 1) == b"x"
    assert cache.has(PRODUCT, request(0, 20))
    cache.close()
    os.write(to_child, b"x")
    assert os.waitpid(child, 0)[1] == 0
    assert cache.stored(PRODUCT, request(0, 50)) == [Interval(0, 20), Interval(30, 40)]
    counts = cache.totals()
    assert (counts["hits"], counts["misses"]) == (2, 3)


SCENARIOS: Final = (
    kill_9_at_random_moments_loses_nothing_and_gives_nothing_wrong,
    four_processes_fetch_each_sample_once,
    a_waiter_takes_over_from_an_owner_that_was_killed,
    a_waiter_is_served_what_the_owner_stored,
    a_child_forked_right_after_a_fetch_does_not_hang,
    a_cache_opened_before_a_fork_works_in_both,
)


@pytest.mark.parametrize("scenarios", [SCENARIOS[:1], SCENARIOS[1:]], ids=["kills", "races"])
def test_processes(scenarios: tuple[Callable[[Path], None], ...], tmp_path: Path) -> None:
    command = [sys.executable, __file__, str(tmp_path), *(one.__name__ for one in scenarios)]
    program = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        told, _ = program.communicate(timeout=TOO_LONG + 20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
    assert program.returncode == 0, told.decode()
    assert told.decode().split() == [one.__name__ for one in scenarios]


if __name__ == "__main__":
    end_if_too_long(after=5.0)
    # what is imported late is imported here, once, and not in every child
    xr.testing.assert_identical(Cache(Path(sys.argv[1]) / "warm").serve(PRODUCT, request(0, 9), fetch), samples(0, 9))
    for scenario in SCENARIOS:
        if scenario.__name__ in sys.argv[2:]:
            place = Path(sys.argv[1]) / scenario.__name__
            place.mkdir()
            scenario(place)
            print(scenario.__name__, flush=True)  # noqa: T201
