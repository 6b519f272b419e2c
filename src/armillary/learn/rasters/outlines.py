"""Connected pixels of one class, over any number of strips, and their outlines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.learn.rasters.clustering import components

Array = np.ndarray[Any, np.dtype[Any]]
#: States of trust, and one for those that are not known.
_STATES: Final = 4
_Corner = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What patches are made of, some lines of it.

    Parameters
    ----------
    code : array of int, (line, column)
        -1 where there is none.
    percent : array, (line, column)
        Probability of that class.
    trust : array of int, (line, column)
        0..2, 3 where it is not known.
    """

    code: Array
    percent: Array
    trust: Array


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Connected pixels (4 neighbours) of one class.

    Parameters
    ----------
    code : array of int, (n,)
    pixels : array of int, (n,)
    area : array of float, (n,)
        Sum of the weights of its lines.
    percent : array of float, (n,)
        Mean.
    trust : array of int, (n, 4)
        Pixels of each state.
    of : array of int
        Patch of each part of a strip, in order of strips.
    starts : array of int
        Number of the first part of each strip.
    """

    code: Array
    pixels: Array
    area: Array
    percent: Array
    trust: Array
    of: Array
    starts: Array

    def __len__(self) -> int:
        """Give the number of patches."""
        return len(self.code)


def patches_of(strips: Iterable[Layers], weights: Array) -> Patches:
    """Find the patches of a map that comes in strips from above to below.

    Parameters
    ----------
    strips : iterable of Layers
    weights : array of float
        Area of a pixel, of each line of the whole map.

    Notes
    -----
    O(pixels) time; memory of one strip and of the numbers of all patches.
    """
    rows, links, starts = [], [], [0]
    above: tuple[Array, Array] | None = None
    line = 0
    for layers in strips:
        own = components(layers.code)
        own = np.where(own >= 0, own + starts[-1], -1)
        rows.append(_rows(own, layers, starts[-1], weights[line : line + len(own)]))
        if above is not None:
            met = (above[0] == layers.code[0]) & (layers.code[0] >= 0)
            links.append(np.column_stack([above[1][met], own[0][met]]))
        above, line = (layers.code[-1], own[-1]), line + len(own)
        starts.append(starts[-1] + len(rows[-1]))
    return _joined(np.concatenate(rows), links, np.array(starts))


def outlines_of(patches: Patches, kept: Array, strips: Iterable[Array]) -> Iterator[tuple[int, list[Array]]]:
    """Trace the outlines of some patches.

    Parameters
    ----------
    patches : Patches
    kept : array of bool, (n,)
    strips : iterable of array of int, (line, column)
        The same codes again.

    Yields
    ------
    int, list of array of int, (m, 2)
        Number of the patch, and its rings, closed, corners as column and line from the upper left corner of the map:
        the outer one first, then its holes.

    Notes
    -----
    Memory of the outlines of the patches that are kept.
    """
    edges: list[Array] = []
    above: Array | None = None
    line = 0
    for number, codes in enumerate(strips):
        own = components(codes)
        inside = own >= 0
        patch: Array = np.full(own.shape, -1)
        number_of = patches.of[own[inside] + patches.starts[number]]
        patch[inside] = np.where(kept[number_of], number_of, -1)
        before = np.full(patch.shape[1], -1) if above is None else above
        edges += _edges(patch, before, line)
        above, line = patch[-1], line + len(patch)
    if above is not None:
        edges += _across(above, np.full(len(above), -1), line)
    found = np.concatenate(edges) if edges else np.zeros((0, 5), np.int64)
    found = found[np.argsort(found[:, 0], kind="stable")]
    cuts = np.flatnonzero(np.diff(found[:, 0])) + 1
    for some in np.split(found, cuts) if len(found) else ():
        yield int(some[0, 0]), rings_of(some[:, 1:])


def rings_of(edges: Array) -> list[Array]:
    """Chain the edges of one patch, (n, 4) from x, y to x, y with the patch on the right, to closed rings.

    Examples
    --------
    >>> ring, = rings_of(np.array([[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]]))
    >>> ring.tolist()
    [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
    """
    leaving: dict[_Corner, list[_Corner]] = {}
    for x, y, to_x, to_y in edges.tolist():
        leaving.setdefault((x, y), []).append((to_x, to_y))
    # the first of all corners is the left upper one of a ring: no two rings meet there
    rings = [_ring(start, leaving) for start in sorted(leaving) if start in leaving]
    return sorted(rings, key=lambda ring: -_twice_area(ring))


def _ring(start: _Corner, leaving: dict[_Corner, list[_Corner]]) -> Array:
    """Follow edges, which are taken away, back to the start; corners on straight lines are left out."""
    corners, here, came = [start], start, (0, 0)
    while not corners[1:] or here != start:
        there = _next(here, came, leaving)
        went = (there[0] - here[0], there[1] - here[1])
        if went == came:
            corners.pop()
        corners.append(there)
        here, came = there, went
    return np.array(corners, np.int64)


def _next(here: _Corner, came: _Corner, leaving: dict[_Corner, list[_Corner]]) -> _Corner:
    """Take the next edge; where two leave, the left one, so that a ring never crosses or touches itself."""
    ways = leaving[here]
    left = (here[0] + came[1], here[1] - came[0])
    chosen = left if left in ways else ways[0]
    ways.remove(chosen)
    if not ways:
        del leaving[here]
    return chosen


def _twice_area(ring: Array) -> float:
    """Give twice the area; above 0 for outer rings, below for holes."""
    x, y = ring[:, 0].astype(np.float64), ring[:, 1].astype(np.float64)
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())


def _edges(patch: Array, above: Array, line: int) -> list[Array]:
    """Give the edges between the patches of some lines, those above their first one included."""
    whole = np.vstack([above[None], patch])
    found = [one for at in range(len(patch)) for one in _across(whole[at], whole[at + 1], line + at)]
    padded = np.pad(patch, ((0, 0), (1, 1)), constant_values=-1)
    left, right = padded[:, :-1], padded[:, 1:]
    for own, begin, end in ((left, 0, 1), (right, 1, 0)):
        y, x = np.nonzero((left != right) & (own >= 0))
        found.append(np.column_stack([own[y, x], x, y + line + begin, x, y + line + end]))
    return [one for one in found if len(one)]


def _across(above: Array, below: Array, line: int) -> list[Array]:
    """Give the edges between two lines, the patch on the right as one walks."""
    differ = above != below
    found = []
    for own, begin, end in ((below, 0, 1), (above, 1, 0)):
        x = np.flatnonzero(differ & (own >= 0))
        y = np.full(len(x), line)
        found.append(np.column_stack([own[x], x + begin, y, x + end, y]))
    return found


def _rows(own: Array, layers: Layers, start: int, weights: Array) -> Array:
    """Count each part: code, pixels, area, sum of percent, pixels of each state."""
    inside = own >= 0
    at = own[inside] - start
    count = int(at.max()) + 1 if len(at) else 0
    weight = np.broadcast_to(weights[:, None], own.shape)[inside]
    code = np.zeros(count)
    code[at] = layers.code[inside]
    states = np.bincount(at * _STATES + layers.trust[inside], minlength=count * _STATES).reshape(count, _STATES)
    sums = [np.bincount(at, one, count) for one in (np.ones(len(at)), weight, layers.percent[inside].astype(float))]
    return np.column_stack([code, *sums, states])


def _joined(rows: Array, links: list[Array], starts: Array) -> Patches:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate(links) if links else np.zeros((0, 2), np.int64)
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(rows), len(rows)))
    count, of = connected_components(graph, directed=False) if len(rows) else (0, np.zeros(0, np.int64))
    sums = np.column_stack([np.bincount(of, one, count) for one in rows[:, 1:].T])
    code = np.zeros(count, np.int64)
    code[of] = rows[:, 0].astype(np.int64)
    pixels = sums[:, 0].astype(np.int64)
    percent = sums[:, 2] / np.maximum(pixels, 1)
    return Patches(code, pixels, sums[:, 1], percent, sums[:, 3:].astype(np.int64), of, starts)
