"""Search and browse a tree of 70,000 leaves; cold start of the command line.

Run: python benchmarks/bench_tree.py
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from armillary.model import Interval, Product
from armillary.tree import Inventory

WORDS = ["density", "velocity", "bulk", "flux", "electron", "ion", "proton", "temperature", "field", "gse", "energy"]
LEAVES = 70_000


def leaf(number: int, chance: random.Random) -> Product:
    title = " ".join(chance.choices(WORDS, k=8))
    path = f"server/DATASET_{number // 40}/{chance.choice(WORDS)}_{number}"
    return Product(path=path, title=title, kind="series", coverage=Interval(0, 10**18), units="nT", description=title)


def milliseconds(work: Callable[[], object], times: int = 20) -> float:
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(spent)


def main() -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as folder:
        inventory = Inventory(Path(folder) / "inventory.sqlite", {"k": "server"})
        begin = time.perf_counter()
        inventory.replace("k", "1", [leaf(number, chance) for number in range(LEAVES)])
        print(f"{'list ' + format(LEAVES, ',') + ' leaves':44}{time.perf_counter() - begin:10.2f} s")
        for words in ("density", "density ion gse", "flux_69", "dataset_1700", "no such thing", "b n", "nT"):
            found = len(inventory.search(words))
            spent = milliseconds(lambda w=words: inventory.search(w))
            print(f"{f'search {words!r} ({found} shown)':44}{spent:10.2f} ms")
        print(f"{'children of the server':44}{milliseconds(lambda: inventory.children('server'), 3):10.2f} ms")
        print(f"{'one product':44}{milliseconds(lambda: inventory.find('server/DATASET_5/density_200')):10.2f} ms")
    for name, command in (("python -c pass", ["-c", "pass"]), ("import armillary", ["-c", "import armillary"]),
                          ("armillary tree --json", ["-m", "armillary", "tree", "--json"])):  # fmt: skip
        run = [sys.executable, *command]
        spent = milliseconds(lambda run=run: subprocess.run(run, check=True, capture_output=True), 7)
        print(f"{'fresh process: ' + name:44}{spent:10.0f} ms")


if __name__ == "__main__":
    main()
