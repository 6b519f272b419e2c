"""Regular samples made in blocks of fixed length, so that any part is bit for bit the same in any larger answer."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Self

import numpy as np

from armillary.model import Interval, Progress
from armillary.science.noise import Array


class Sampling(NamedTuple):
    """When an instrument looks: a grid of times in nanoseconds since 1970, and how many are made at once."""

    start: int
    stop: int
    step: int
    length: int

    @classmethod
    def of(cls, start: str, stop: str, seconds: float, length: int) -> Self:
        """Make one from ISO times and the seconds between samples."""
        span = Interval.of(start, stop)
        return cls(span.start, span.stop, round(seconds * 1e9), length)

    @property
    def span(self) -> Interval:
        """From the first sample to the end of the last."""
        return Interval(self.start, self.stop)

    @property
    def seconds(self) -> float:
        """Between samples."""
        return self.step / 1e9

    def times(self, block: int) -> Array:
        """Give the times of a block, int64 nanoseconds."""
        first = self.start + block * self.length * self.step
        return first + np.arange(self.length, dtype=np.int64) * self.step

    def blocks(self, interval: Interval | None) -> range:
        """Give the numbers of the blocks that have samples in the interval (None: all)."""
        part = self.span & (interval or self.span)
        if part is None:
            return range(0)
        each = self.length * self.step
        return range((part.start - self.start) // each, -(-(part.stop - self.start) // each))

    def cut(self, interval: Interval | None) -> Interval | None:
        """Give the part of the interval that is covered."""
        return self.span & (interval or self.span)


def collect(
    sampling: Sampling, interval: Interval | None, make: Callable[[int], dict[str, Array]], progress: Progress
) -> dict[str, Array]:
    """Give the arrays of an interval by name, and ``time``, from what `make` gives for each whole block.

    All arrays have time as their first dimension; `make` may give a ``time`` of its own within the block. Outside of
    the coverage they have length 0.
    """
    parts = list(_parts(sampling, interval, make, progress))
    if not parts:
        return {name: one[:0] for name, one in _timed(sampling, 0, make).items()}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _parts(
    sampling: Sampling, interval: Interval | None, make: Callable[[int], dict[str, Array]], progress: Progress
) -> Iterator[dict[str, Array]]:
    blocks, asked = sampling.blocks(interval), sampling.cut(interval)
    for done, block in enumerate(blocks):
        progress(done / len(blocks), "simulating")
        arrays = _timed(sampling, block, make)
        time = arrays["time"]
        if asked is None:
            return
        low, high = np.searchsorted(time, [asked.start, asked.stop])
        yield {name: one[low:high] for name, one in arrays.items()}


def _timed(sampling: Sampling, block: int, make: Callable[[int], dict[str, Array]]) -> dict[str, Array]:
    return {"time": sampling.times(block), **make(block)}
