"""Catalogues against tscat 0.5, side by side in one run.

    python benchmarks/bench_catalogues.py [--events 10000] [--rounds 3]

tscat (GPL) is installed into an environment of its own under a temporary folder and run there in a process of its own:
nothing of it is imported here or kept. Both sides make the same events (three attributes and a tag each) from Python
values, save them durably, read all, filter by an attribute and write a VOTable, each step in a fresh process that has
opened the store; the best of the rounds counts. The attribute that is filtered has two digits before the point, because
tscat compares numbers as texts. The table gives seconds and how many times faster Armillary is.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

GOAL = 5.0
STEPS = ("create", "read", "filter 10 %", "filter 1 %", "votable")

DATA = """
import datetime as dt, json, random, sys, time
from pathlib import Path
count, folder = int(sys.argv[1]), Path(sys.argv[2])
random.seed(1)
zero = dt.datetime(2010, 1, 1)
EVENTS = [
    (zero + dt.timedelta(hours=n), zero + dt.timedelta(hours=n, minutes=9), 10 + 30 * random.random(), n, f"k{n % 7}")
    for n in range(count)
]
clock = time.perf_counter
"""

OPEN = """
from armillary.catalogues import Entry, Store
from armillary.catalogues.exchange import take
from armillary.catalogues.formats import to_text
store = Store(folder / "c.sqlite", "bench")
store.catalogues()
began = clock()
"""
OURS = {
    "create": """
store.new("c")
result = store.add("c", [
    Entry.event(start, stop, tags=("t",), attributes={"b": b, "n": n, "kind": kind})
    for start, stop, b, n, kind in EVENTS
])
""",
    "read": 'result = store.rows("c")',
    "filter 10 %": 'result = store.rows("c", where="b > 37")',
    "filter 1 %": 'result = store.rows("c", where="b > 39.7")',
    "votable": 'result = EVENTS; text = to_text(take(store, "c"), "votable")',
}
OPEN_THEIRS = """
import tscat
from tscat.filtering import Attribute, Comparison
catalogue = (tscat.get_catalogues() or [None])[0]
began = clock()
"""
THEIRS = {
    "create": """
with tscat.Session() as session:
    catalogue = session.create_catalogue("c", "bench")
    result = [
        session.create_event(start, stop, "bench", tags=["t"], b=b, n=n, kind=kind)
        for start, stop, b, n, kind in EVENTS
    ]
    session.add_events_to_catalogue(catalogue, result)
tscat.save()
""",
    "read": "result = tscat.get_events(catalogue)[0]",
    "filter 10 %": 'result = tscat.get_events(Comparison(">", Attribute("b"), 37))',
    "filter 1 %": 'result = tscat.get_events(Comparison(">", Attribute("b"), 39.7))',
    "votable": "result = EVENTS; text = tscat.export_votable_str(catalogue)",
}
TOLD = """
print(json.dumps([clock() - began, len(result)]))
"""


def make_environment(folder: Path) -> str:
    """Install tscat into a throw-away environment and give its interpreter."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-qq", "tscat==0.5.0"], check=True)
    return python


def run(python: str, code: str, count: int, folder: Path) -> tuple[float, int]:
    """Run one step in a process of its own and give its seconds and how many rows it had."""
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = [python, "-W", "ignore", "-c", DATA + code + TOLD, str(count), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    seconds, rows = json.loads(done.stdout.splitlines()[-1])
    return seconds, rows


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = make_environment(folder / "tscat")
        best: dict[str, dict[str, float]] = {"ours": {}, "theirs": {}}
        for at in range(asked.rounds):
            for step in STEPS:
                ours = keep(best["ours"], step, sys.executable, OPEN + OURS[step], folder / f"ours{at}", asked.events)
                other = keep(
                    best["theirs"], step, theirs, OPEN_THEIRS + THEIRS[step], folder / f"tscat{at}", asked.events
                )
                assert ours == other, f"{step} gives {ours} rows here and {other} there"
        tell(asked.events, best["ours"], best["theirs"])


def keep(best: dict[str, float], step: str, python: str, code: str, place: Path, count: int) -> int:
    """Run a step, keep its time if it is the shortest, and give its number of rows."""
    place.mkdir(exist_ok=True)
    seconds, rows = run(python, code, count, place)
    best[step] = min(seconds, best.get(step, seconds))
    return rows


def tell(count: int, ours: dict[str, float], theirs: dict[str, float]) -> None:
    """Print the table; exit status 1 if one step is not fast enough."""
    print(f"{count} events    armillary s      tscat s    times faster")
    ratios = {step: theirs[step] / ours[step] for step in STEPS}
    for step in STEPS:
        print(f"{step:12} {ours[step]:13.4f} {theirs[step]:12.4f} {ratios[step]:13.1f}x")
    if min(ratios.values()) < GOAL:
        sys.exit(f"less than {GOAL:.0f} times faster in one step")


if __name__ == "__main__":
    main()
