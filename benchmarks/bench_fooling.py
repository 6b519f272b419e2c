"""How one fools oneself, on real data: neighbours on both sides of a split, and scores that need no skill.

    python benchmarks/bench_fooling.py [--seed 0]

Table 1: the same model judged twice, with shuffled samples and with whole blocks held out: interplanetary coronal mass
ejections (ICMEs) in hourly OMNI data, land cover from nothing but coordinates, and made-up samples without a leak.
Below each stands what the leak advisor says unasked. Table 2: published rules for events, asked about events that need
no skill. The data are found as in the tests: ARMILLARY_DATA, or ../shared/data. About 40 s of one core. Exits with 1 if
shuffling does not flatter, if the advisor is silent where it must speak or speaks where it must not, or if "the whole
series is one event" is not perfect by a published rule; with 2 if the data are not there.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from armillary.learn.bootstrap import interval
from armillary.learn.events import RULES, by_rule, controls, grouped
from armillary.learn.features import Features, build
from armillary.learn.leaks import advise
from armillary.learn.models import make_model
from armillary.learn.splits import blocks_of, folds_of
from armillary.learn.study import Split, Step

Array = np.ndarray[Any, np.dtype[Any]]
DAY = 86_400.0
MINUTE, HOUR = 60_000_000_000, 3_600_000_000_000
SHUFFLED = Split(random=True)
#: Rules by which one event over everything must be perfect, and how much shuffling must flatter.
FOOLED = ("nguyen2019", "ramp", "telemanom")
FLATTERY = 0.2


@dataclass(frozen=True)
class Case:
    """Samples, what a model sees of them, and how they are held out honestly."""

    title: str
    score: str
    samples: xr.Dataset
    features: Features
    target: Array
    split: Split
    model: str
    leaks: bool


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seed", type=int, default=0, help="of shuffling, models and controls")
    seed = words.parse_args().seed
    root = Path(os.environ.get("ARMILLARY_DATA", Path(__file__).parents[2] / "shared" / "data"))
    needed = ("plasma/omni_icme", "earth/series/coord_training.txt", "onboard/smap_msl/channels.npz")
    absent = [name for name in needed if not (root / name).exists()]
    if absent:
        print(f"!!! NOTHING WAS MEASURED: no {', '.join(absent)} in {root}", file=sys.stderr)
        print("!!! set ARMILLARY_DATA to the folder of real data", file=sys.stderr)
        return 2
    good = [leakage(case, seed) for case in (icme(root), land_cover(root), clean(seed))]
    good.append(rules(root, seed))
    return 0 if all(good) else 1


def leakage(case: Case, seed: int) -> bool:
    """Print one row of table 1 and what the advisor says, for both ways to hold out."""
    print(f"\n{case.title}: {len(case.target):,} samples, {case.score} of {case.model}")
    flattered, told = [], []
    for name, split in (("shuffled", SHUFFLED), ("whole blocks", case.split)):
        folds, blocks = folds_of(case.samples, split, case.target, seed), blocks_of(case.samples, split)
        answer = held_out(case, folds, seed)
        value = scorer(case)
        low, high = interval(lambda rows, a=answer, v=value: v(rows, a), blocks_of(case.samples, case.split), 50, seed)
        flattered.append(value(np.arange(len(answer)), answer))
        began = time.perf_counter()
        findings = advise(case.samples, case.features, case.target, folds, blocks, "classes", seed)
        took = time.perf_counter() - began
        print(f"  {name:14}{flattered[-1]:7.3f}   95 %: {low:.3f} to {high:.3f}   advisor, {took:.1f} s:")
        for one in findings:
            print(f"    {'SERIOUS' if one.serious else 'note':8}{one.kind}: {one.message}")
        if not findings:
            print("    silent")
        told.append({one.kind for one in findings if one.serious})
    prior = np.bincount(case.target).max() / len(case.target)
    print(f"  {'no skill':14}{case.target.mean() if case.score == 'AP' else prior:7.3f}")
    if case.leaks:
        return flattered[0] - flattered[1] >= FLATTERY and all("coordinates-alone" in one for one in told)
    return abs(flattered[0] - flattered[1]) < 0.05 and told == [set(), set()]


def held_out(case: Case, folds: Any, seed: int) -> Array:
    """Give answers, (n, K), by models that have not seen the fold."""
    answer = np.zeros((len(case.target), int(case.target.max()) + 1))
    for fold in folds:
        options = {"n_neighbors": 1, "scale": "none"} if case.model == "knn" else {}
        model = make_model(case.model, options, task="classes", seed=seed)
        model.fit(case.features.matrix[fold.train], case.target[fold.train])
        answer[fold.test] = model.predict_proba(case.features.matrix[fold.test])
    return answer


def scorer(case: Case) -> Callable[[Array, Array], float]:
    from sklearn.metrics import average_precision_score

    if case.score == "AP":
        return lambda rows, answer: float(average_precision_score(case.target[rows], answer[rows, 1]))
    return lambda rows, answer: float((answer[rows].argmax(axis=1) == case.target[rows]).mean())


def icme(root: Path) -> Case:
    samples, truth = omni(root)
    at = samples["time"].to_numpy().astype(np.int64)
    target = ((at[:, None] >= truth[:, 0]) & (at[:, None] < truth[:, 1])).any(axis=1).astype(np.int64)
    steps = (Step(use="columns"), Step(use="rolling", options={"windows": ["12h", "36h"]}))
    split = Split(time_on="time", block=27 * DAY, embargo=2 * DAY)
    title = "ICMEs in hourly OMNI data 1999-07 to 2000-11, blocks of 27 d, embargo of 2 d"
    return Case(title, "AP", samples, build(samples, steps), target, split, "extra_trees", leaks=True)


def omni(root: Path) -> tuple[xr.Dataset, Array]:
    """Read the hours and the true events."""
    import pandas as pd

    hours = pd.read_csv(root / "plasma/omni_icme/omni_hourly.csv.gz", parse_dates=["time"])
    names = ["V_km_s", "N_cm3", "By_nT", "Bz_nT", "Pdyn_nPa", "Dst_nT", "Kp"]
    columns = {name: ("sample", hours[name].to_numpy(float)) for name in names}
    samples = xr.Dataset(columns, coords={"time": ("sample", hours["time"].to_numpy("datetime64[ns]"))})
    events = pd.read_csv(root / "plasma/omni_icme/icme_list.csv", parse_dates=["begin", "end"])
    edges = [events[name].to_numpy("datetime64[ns]").astype(np.int64) for name in ("begin", "end")]
    return samples, np.column_stack(edges)


def land_cover(root: Path) -> Case:
    place = np.loadtxt(root / "earth/series/coord_training.txt", delimiter=",")
    target = np.unique(np.loadtxt(root / "earth/series/training_class.txt"), return_inverse=True)[1]
    samples = xr.Dataset({name: ("sample", place[:, at]) for at, name in enumerate(("row", "col"))})
    features = Features(place, ("row", "col"), ("place", "place"))
    split = Split(space_on=("row", "col"), size=400)
    title = "Land cover of TiSeLaC from coordinates alone, blocks of 400 pixels"
    return Case(title, "accuracy", samples, features, target, split, "knn", leaks=True)


def clean(seed: int) -> Case:
    """Make samples whose neighbours know nothing."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, 6000)
    matrix = rng.normal(size=(6000, 5)) + target[:, None] * [1, 0.5, 0, 0, 0]
    place = rng.uniform(0, 2000, (6000, 2))
    samples = xr.Dataset({name: ("sample", place[:, at]) for at, name in enumerate(("x", "y"))})
    names = tuple(f"f{number}" for number in range(5))
    split = Split(space_on=("x", "y"), size=400)
    title = "Made-up samples without a leak, blocks of 400"
    return Case(title, "accuracy", samples, Features(matrix, names, names), target, split, "extra_trees", leaks=False)


def rules(root: Path, seed: int) -> bool:
    """Print table 2."""
    samples, truth = omni(root)
    at = samples["time"].to_numpy().astype(np.int64)
    hours = np.array([[at[0], at[-1] + HOUR]])
    good = True
    for title, events, span in (("ICMEs in OMNI", truth, hours), ("anomalies in SMAP", *smap(root))):
        print(f"\nF1 of what needs no skill, {len(events)} {title}\n  {'':14}" + "".join(f"{one:>12}" for one in RULES))
        for name, made in controls(events, span, seed).items():
            f1 = {rule: by_rule(rule, made, events, span).f1 for rule in RULES}
            print(f"  {name:14}" + "".join(f"{one:12.2f}" for one in f1.values()))
            good &= name != "whole series" or all(f1[rule] == 1 for rule in FOOLED)
    return good


def smap(root: Path) -> tuple[Array, Array]:
    """Read true events and spans of all channels, one row a minute because the files have no time."""
    events, spans = [], []
    shapes = np.load(root / "onboard/smap_msl/channels.npz", allow_pickle=False)
    with (root / "onboard/smap_msl/labeled_anomalies.csv").open(encoding="utf-8") as file:
        rows = [one for one in csv.DictReader(file) if one["spacecraft"] == "SMAP"]
    channels = sorted({one["chan_id"] for one in rows if f"test_{one['chan_id']}_shape" in shapes})
    for number, channel in enumerate(channels):
        length = int(shapes[f"test_{channel}_shape"][0])
        spans.append(grouped(np.array([[0, length]]) * MINUTE, number))
        # A channel may stand twice in the table.
        for text in {one["anomaly_sequences"] for one in rows if one["chan_id"] == channel}:
            pairs = np.array(text.replace("[", " ").replace("]", " ").replace(",", " ").split(), np.int64)
            events.append(grouped((pairs.reshape(-1, 2) + np.array([0, 1])) * MINUTE, number))
    return np.concatenate(events), np.concatenate(spans)


if __name__ == "__main__":
    sys.exit(main())
