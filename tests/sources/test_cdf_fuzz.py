"""Damaged CDFs, hundreds of them: each gives a named error or an answer, soon and in bounded memory.

The mutants are made and read in child processes with a limit on their memory, so that a crash is a failed test and not
a dead run. The limit on time counts the child's own work, not that of its neighbours. To fuzz by hand:
``python tests/sources/test_cdf_fuzz.py FOLDER FIRST_SEED LAST_SEED``.
"""

import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

SECONDS = 2
MEMORY = 1 << 30
#: Numbers that break counts, sizes and offsets.
NASTY = (0, 1, -1, 8, 0x7FFF, 0x7FFFFFFF, -0x80000000, 0x10000, 0x7FFFFFFFFFFFFFFF, 1 << 40)


class Hang(BaseException):
    """One call worked longer than it may."""


def cut(data: bytearray, dice: random.Random) -> bytearray:
    return data[: dice.randrange(len(data))]


def flip(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 1, 4, 32))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return data


def flip_head(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 2, 8))):
        data[dice.randrange(min(len(data), 1500))] = dice.randrange(256)
    return data


def swap(data: bytearray, dice: random.Random) -> bytearray:
    size = min(dice.choice((8, 64, 512, 4096)), len(data) // 2)
    a, b = sorted(
        (dice.randrange(len(data) // 2 - size + 1), len(data) // 2 + dice.randrange(len(data) // 2 - size + 1))
    )
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    return data


def lie(data: bytearray, dice: random.Random) -> bytearray:
    """Overwrite fields of a record with a number that counts, sizes and offsets should not have."""
    for _ in range(dice.choice((1, 1, 3))):
        at = dice.choice(record_starts(bytes(data)))
        width = dice.choice((4, 8))
        place = at + dice.randrange(0, 100, 4)
        number = dice.choice((*NASTY, at, len(data), dice.randrange(len(data))))
        data[place : place + width] = (number % (1 << 8 * width)).to_bytes(width, "big")
    return data


def blank(data: bytearray, dice: random.Random) -> bytearray:
    at, size = dice.randrange(len(data)), dice.choice((16, 256, 2048))
    data[at : at + size] = bytes(len(data[at : at + size]))
    return data


MUTATIONS: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (cut, flip, flip_head, swap, lie, lie, blank)


def record_starts(data: bytes) -> list[int]:
    """Offsets of the records, which lie one behind the other."""
    width = 8 if data[:4] == b"\xcd\xf3\x00\x01" else 4
    at, found = 8, [8]
    while at + width < len(data) and (size := int.from_bytes(data[at : at + width], "big")) > width:
        at += size
        if at < len(data):
            found.append(at)
    return found


def opened(data: bytes) -> bytes:
    """A file that is compressed as a whole, without that compression, so that mutations reach its records."""
    if data[4:8] == b"\xcc\xcc\x00\x01" and data[40:42] == b"\x1f\x8b":
        return data[:4] + b"\0\0\xff\xff" + zlib.decompressobj(wbits=47).decompress(data[40:])
    return data


def mutant(folder: Path, seed: int) -> tuple[str, bytes]:
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    path = dice.choice(sorted(one for one in folder.rglob("*.cdf") if one.stat().st_size > 100))
    data = path.read_bytes()
    mutate = dice.choice(MUTATIONS)
    source = opened(data) if dice.random() < 0.7 else data
    return f"{seed} {mutate.__name__} {path.name}", bytes(mutate(bytearray(source), dice))


def outcome(path: Path) -> str:
    """What became of one file: ``answer``, ``damaged``, or what should not have been."""
    from armillary.errors import DamagedFile, UnknownProduct
    from armillary.model import Extent
    from armillary.model.kinds import check
    from armillary.model.protocols import silent
    from armillary.sources.files import cdf

    try:
        with_limit(lambda: cdf.describe(path))
        summary = cdf.describe(path)
        damaged = False
        asked = [(one.name, one.kind) for one in summary.variables]
        for name, kind in [*asked[:3], *asked[-2:], ("", "series")] if asked else []:
            try:
                check(kind, with_limit(lambda name=name: cdf.read(path, name, Extent(), silent)))  # type: ignore[misc]
            except DamagedFile:
                damaged = True
    except (DamagedFile, UnknownProduct):
        return "damaged"
    except Hang:
        return "hang"
    except Exception as wrong:  # noqa: BLE001 - this is what is looked for
        return f"{type(wrong).__name__}: {wrong}"
    return "partly" if damaged else "answer"


def with_limit(work: Callable[[], Any]) -> Any:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def child(folder: Path, first: int, last: int) -> None:
    """Print one line of JSON for every mutant."""
    import cdflib.epochs
    import xarray

    assert cdflib.epochs
    assert xarray
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "mutant.cdf"
        for seed in range(first, last):
            name, data = mutant(folder, seed)
            path.write_bytes(data)
            sys.stdout.write(json.dumps([name, outcome(path)]) + "\n")
            sys.stdout.flush()


def results(folder: Path, first: int, last: int) -> list[tuple[str, str]]:
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__, str(folder), str(first), str(last)],
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    lines = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died with {done.returncode} after {lines[-1:]}: {done.stderr[-500:]}"
    return lines


def judge(lines: list[tuple[str, str]], count: int) -> None:
    assert [line for line in lines if line[1] not in {"answer", "partly", "damaged"}] == []
    assert len(lines) == count
    kinds = Counter(line[1] for line in lines)
    # Mutants that are all refused, or none of them, would say that the mutations reach nothing.
    assert kinds["damaged"] > count / 20
    assert kinds["answer"] > count / 20


@pytest.mark.real
@pytest.mark.slow
def test_mutants_of_real_files_give_named_errors_or_answers(real_data: Path) -> None:
    judge(results(real_data / "plasma", 0, 700), 700)


def test_mutants_of_written_files_give_named_errors_or_answers(written_cdfs: Path) -> None:
    judge(results(written_cdfs, 10_000, 10_150), 150)


if __name__ == "__main__":
    child(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
