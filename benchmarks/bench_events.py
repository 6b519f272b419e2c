"""Matching and scoring of many events.

    python benchmarks/bench_events.py [--count 20000] [--rounds 5]

True events of varied length and predictions of them with edges moved, some missing, some in two parts, some made up;
and the same so dense that each overlaps its neighbours. The best of the rounds counts. Ends with 1 if matching 20,000
events takes longer than 0.1 s of processor time, or if it does not find as many pairs as a maximum matching has.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from armillary.learn.events import RULES, Decoder, block_counts, by_rule, choose, controls, decode, match, score
from armillary.learn.events.matching import overlaps

Array = np.ndarray[Any, np.dtype[Any]]
HOUR = 3_600_000_000_000
LIMIT = 0.1


def main() -> int:
    """Measure and print a table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--count", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=5)
    options = asked.parse_args()
    slow, wrong = False, False
    for name, gap in (("sparse", 60), ("dense", 12), ("overlapping", 5)):
        predicted, truth = made(options.count, gap)
        for iou in (0.1, 0.25, 0.5):
            pairs, took = best(partial(match, predicted, truth, iou), options.rounds)
            most = largest(predicted, truth, iou)
            print(f"match, {name}, IoU {iou}: {len(pairs):,} of {most:,} pairs, {took * 1e3:.1f} ms")
            slow, wrong = slow or took > LIMIT, wrong or len(pairs) != most
    others(options.count, options.rounds)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return int(slow or wrong)


def others(count: int, rounds: int) -> None:
    """Measure what stands on matching."""
    predicted, truth = made(count, 60)
    span = np.array([[truth[:, 0].min(), truth[:, 1].max()]])
    blocks = np.arange(0, int(span[0, 1] - span[0, 0]), 24 * HOUR)
    works: dict[str, Callable[[], object]] = {
        "score with its curve": lambda: score(predicted, truth, span),
        "controls": lambda: controls(truth, span),
        "counts by block": lambda: block_counts(
            predicted, truth, 0.25, blocks + span[0, 0], blocks // (27 * 24 * HOUR)
        ),
        **{f"rule {rule}": partial(by_rule, rule, predicted, truth, span) for rule in RULES},
    }
    for name, work in works.items():
        print(f"{name}: {best(work, rounds)[1] * 1e3:.1f} ms")
    times = HOUR * np.arange(12_000)
    true = truth[truth[:, 1] < times[-1]]
    random = np.random.default_rng(0)
    inside = ((times[:, None] >= true[:, 0]) & (times[:, None] < true[:, 1])).any(1)
    values = np.clip(0.3 + 0.35 * inside + random.normal(0, 0.15, len(times)), 0, 1)
    decoder = Decoder(smooth=6 * 3600, join=6 * 3600, least=4 * 3600)
    print(f"decode 12,000 samples: {best(lambda: decode(times, values, decoder, 3600.0), rounds)[1] * 1e3:.1f} ms")
    chosen, took = best(lambda: choose(times, values, true, None, {}, 3600.0, 0.25), 1)
    print(f"choose among 2,079 decoders, 12,000 samples, {len(true)} events: {took:.2f} s, {chosen.to_record()}")


def made(count: int, gap: int) -> tuple[Array, Array]:
    """Make events in whole hours, `gap` hours apart in the mean."""
    random = np.random.default_rng(0)
    starts = np.cumsum(random.integers(1, 2 * gap, count))
    truth = np.column_stack([starts, starts + random.integers(4, 40, count)])
    seen = truth[random.random(count) < 0.8]
    moved = np.sort(seen + random.integers(-8, 9, seen.shape), axis=1) + np.array([0, 1])
    halves = moved[random.random(len(moved)) < 0.1]
    middle = halves.mean(axis=1).astype(np.int64)
    halves = halves[middle > halves[:, 0]]
    parts = np.column_stack([halves[:, 0], halves.mean(axis=1).astype(np.int64)])
    begun = random.integers(0, starts[-1], count - len(moved) - len(parts))
    invented = np.column_stack([begun, begun + random.integers(4, 40, len(begun))])
    return np.concatenate([moved, parts, invented]) * HOUR, truth * HOUR


def largest(predicted: Array, truth: Array, iou: float) -> int:
    """Count the pairs of a maximum matching by scipy."""
    pairs = overlaps(predicted, truth, iou)
    graph = csr_array((np.ones(len(pairs.iou), bool), (pairs.predicted, pairs.truth)), shape=pairs.shape)
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def best(work: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    """Give the answer and the least processor time of some rounds."""
    took, answer = [], None
    for _ in range(rounds):
        begun = time.process_time()
        answer = work()
        took.append(time.process_time() - begun)
    return answer, min(took)


if __name__ == "__main__":
    sys.exit(main())
