"""VOTables block by block beside astropy: rows, seconds, and memory at the peak.

``python benchmarks/bench_votable.py [rows]``
"""

import io
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io.votable import from_table, parse_single_table
from astropy.table import Table

from armillary.sources.tap.votable import read_votable


def measure(what: str, path: Path, read: Callable[[], int]) -> None:
    """Print rows, seconds and the peak of traced memory."""
    read()  # libraries are loaded by the first
    begun = time.perf_counter()
    rows = read()
    seconds = time.perf_counter() - begun
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = path.stat().st_size / 1e6
    print(f"{what:22} {rows:>9,} rows {seconds:8.2f} s {peak / 1e6:8.1f} MB at the peak ({size:.1f} MB file)")


def main() -> None:
    """Compare both forms."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = np.random.default_rng(1)
    table = Table({f"column{n}": rng.random(rows) for n in range(8)})
    table["source_id"] = np.arange(rows) * 2**35
    table["name"] = [f"star {n}" for n in range(rows)]
    with tempfile.TemporaryDirectory() as folder:
        for form in ("binary2", "tabledata"):
            path = Path(folder) / f"{form}.vot"
            stream = io.BytesIO()
            from_table(table).to_xml(stream, tabledata_format=form)
            path.write_bytes(stream.getvalue())
            measure(f"{form}, armillary", path, lambda path=path: sum(one.num_rows for one in read_votable(path)))
            measure(f"{form}, astropy", path, lambda path=path: len(parse_single_table(str(path)).array))


if __name__ == "__main__":
    main()
