"""Rows a second and peak memory of applying a model to tables of growing length, to see that memory does not grow.

    python benchmarks/bench_apply.py [ROWS...]

A Parquet table of 10 features, boosting of three classes, answers written to Parquet; each length in a process of its
own. Seconds are those of the processor, so that other work on the machine hardly counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FEATURES = [f"f{at}" for at in range(10)]
STUDY = {
    "name": "bench", "task": "classes", "seeds": 1, "resamples": 20,
    "data": {"layout": "table", "options": {"label": "class", "columns": FEATURES}},
    "split": {"sky_on": ["ra", "dec"], "level": 4, "folds": 3}, "features": [{"use": "columns"}],
    "models": [{"use": "boosting"}],
}  # fmt: skip


def main() -> None:
    """Train once, then measure each length."""
    lengths = [int(one) for one in sys.argv[1:]] or [200_000, 1_000_000, 2_000_000]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train(folder)
        for rows in lengths:
            write(folder / "new.parquet", rows)
            words = [sys.executable, __file__, "--one", str(folder)]
            told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True, env=one_core()).stdout)
            print(
                f"{rows:>9} rows: {rows / told['seconds']:8.0f} rows/s, of them trust {told['trust']:.0%}, "
                f"peak {told['before']:.0f} + {told['peak'] - told['before']:.0f} MB"
            )


def one_core() -> dict[str, str]:
    """Give the environment in which libraries start no threads of their own."""
    return os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def train(folder: Path) -> None:
    """Write a run folder."""
    from armillary.learn.publishing import publish
    from armillary.learn.study import study_of

    write(folder / "train.parquet", 5000)
    publish(study_of(STUDY), folder / "run", data=folder / "train.parquet")


def write(path: Path, rows: int) -> None:
    """Write a table, piece by piece."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, writer = np.random.default_rng(rows), None
    for at in range(0, rows, 100_000):
        count = min(100_000, rows - at)
        number = rng.integers(0, 3, count)
        columns = {name: rng.normal(size=count) + number * (place < 3) for place, name in enumerate(FEATURES)}
        columns |= {"ra": rng.uniform(0, 90, count), "dec": rng.uniform(-45, 45, count)}
        table = pa.table({**columns, "class": np.array(["x", "y", "z"])[number]})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def one(folder: Path) -> None:
    """Apply once and print seconds and megabytes as JSON."""
    from armillary.learn.applying import apply
    from armillary.learn.trained import load_run
    from armillary.learn.trust import Reference
    from armillary.services.applying import write_rows
    from armillary.services.samples import blocks_of_file

    spent = [0.0]
    plain = Reference.tail

    def timed(self: Reference, matrix: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        begun = time.process_time()
        made = plain(self, matrix)
        spent[0] += time.process_time() - begun
        return made

    Reference.tail = timed  # type: ignore[method-assign]
    run = load_run(folder / "run")
    before, begun = peak(), time.process_time()
    applied = apply(run, blocks_of_file(run, folder / "new.parquet"), folder / f"parts{time.time_ns()}")
    write_rows(applied, folder / "rows.parquet")
    seconds = time.process_time() - begun
    print(json.dumps({"seconds": seconds, "trust": spent[0] / seconds, "before": before, "peak": peak()}))


def peak() -> float:
    """Give the peak memory of this process, MB; what it was before the program was replaced does not count."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    one(Path(sys.argv[2])) if sys.argv[1:2] == ["--one"] else main()
