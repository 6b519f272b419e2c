"""Superpixels: small compact segments of pixels that are alike."""

from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_ROUNDS: Final = 6
#: Parts of a cluster that are smaller than this share of a cell are given to a neighbour.
_SMALL: Final = 0.25


def superpixels(bands: Array, size: int, compactness: float = 0.5) -> Array:
    """Cut an image into segments by simple linear iterative clustering (SLIC).

    Parameters
    ----------
    bands : array of float, (band, line, column)
        NaN = missing; pixels without any value belong to no segment.
    size : int
        Side of a segment in pixels, about.
    compactness : float
        Weight of the distance on the ground (in sizes) beside that of the values (in deviations of each band).

    Returns
    -------
    array of int64, (line, column)
        Numbers from 0; -1 for none. Each segment is connected (4 neighbours).

    Notes
    -----
    Achanta et al. 2012, doi:10.1109/TPAMI.2012.120: k-means on values and place, in which each pixel is compared with
    near centres only; here with those of the 3 x 3 cells around its own. O(9 rounds x numbers) time.
    """
    count, height, width = bands.shape
    values = _standard(bands).reshape(count, -1).T
    known = np.isfinite(bands).any(axis=0).reshape(-1)
    down, across = (one.reshape(-1) for one in np.mgrid[0:height, 0:width])
    rows, columns = -(-height // size), -(-width // size)
    home = np.column_stack([np.minimum(down // size, rows - 1), np.minimum(across // size, columns - 1)])
    place = np.column_stack([down, across]) * (np.sqrt(compactness) / size)
    points = np.column_stack([values, place.astype(np.float32)])
    own = home[:, 0] * columns + home[:, 1]
    for _ in range(_ROUNDS):
        centres = _means(points[known], own[known], rows * columns)
        moved = _nearest(points, centres, home, (rows, columns))
        if (moved == own).all():
            break
        own = moved
    own[~known] = -1
    return _connected(own.reshape(height, width), size)


def _standard(bands: Array) -> Array:
    """Give values in deviations of their band; the mean where they are missing."""
    flat = bands.reshape(len(bands), -1).astype(np.float64)
    known = np.isfinite(flat)
    counts = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, flat, 0).sum(axis=1, keepdims=True) / counts
    spread = np.sqrt((np.where(known, flat - mean, 0) ** 2).sum(axis=1, keepdims=True) / counts)
    scaled = np.where(known, (flat - mean) / np.where(spread > 0, spread, 1), 0)
    return np.asarray((scaled / np.sqrt(len(bands))).astype(np.float32).reshape(bands.shape))


def _means(points: Array, own: Array, count: int) -> Array:
    number = np.bincount(own, minlength=count)
    total = np.column_stack([np.bincount(own, one, count) for one in points.T])
    return np.asarray(np.where(number[:, None] > 0, total / np.maximum(number, 1)[:, None], np.inf), np.float32)


def _nearest(points: Array, centres: Array, home: Array, cells: tuple[int, int]) -> Array:
    best = np.full(len(points), np.inf, np.float32)
    found = home[:, 0] * cells[1] + home[:, 1]
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            row, column = home[:, 0] + down, home[:, 1] + across
            there = (row >= 0) & (row < cells[0]) & (column >= 0) & (column < cells[1])
            number = np.where(there, row * cells[1] + column, 0)
            distance = ((points - centres[number]) ** 2).sum(axis=1)
            nearer = there & (distance < best)
            best[nearer], found[nearer] = distance[nearer], number[nearer]
    return found


def _connected(own: Array, size: int) -> Array:
    """Give connected parts numbers, and small ones to the neighbour with which they share the longest border."""
    parts = components(own)
    for _ in range(3):
        area = np.bincount(parts[parts >= 0])
        small = area < _SMALL * size * size
        if not small.any():
            break
        into = _neighbour(parts, area)
        target = np.where(small & (into >= 0), into, np.arange(len(area)))
        # two small ones that choose each other stay apart this time
        target = np.where(small[target] & (target > np.arange(len(area))), np.arange(len(area)), target)
        parts = np.where(parts >= 0, target[parts], -1)
        parts = components(parts)
    return parts


def components(own: Array) -> Array:
    """Give numbers to the connected parts (4 neighbours) of equal values, from 0 in order; -1 stays.

    Examples
    --------
    >>> components(np.array([[5, 5, 1], [1, 1, 1], [5, -1, 5]])).tolist()
    [[0, 0, 1], [1, 1, 1], [2, -1, 3]]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    index = np.arange(own.size).reshape(own.shape)
    links = [(index[:-1][same], index[1:][same]) for same in ((own[:-1] == own[1:]) & (own[1:] >= 0),)] + [
        (index[:, :-1][same], index[:, 1:][same]) for same in ((own[:, :-1] == own[:, 1:]) & (own[:, 1:] >= 0),)
    ]
    first, second = (np.concatenate([one[at] for one in links]) for at in (0, 1))
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(own.size, own.size))
    label = connected_components(graph, directed=False)[1].reshape(own.shape)
    inside = own >= 0
    _, at, number = np.unique(label[inside], return_index=True, return_inverse=True)
    order = np.empty(len(at), np.int64)
    order[np.argsort(at)] = np.arange(len(at))
    made = np.full(own.shape, -1, np.int64)
    made[inside] = order[number.reshape(-1)]
    return made


def _neighbour(parts: Array, area: Array) -> Array:
    """Give for each part the one that it touches most; -1 for none."""
    pairs = [
        np.column_stack([a[touching], b[touching]])
        for a, b in ((parts[:-1], parts[1:]), (parts[:, :-1], parts[:, 1:]))
        for touching in ((a != b) & (a >= 0) & (b >= 0),)
    ]
    both = np.concatenate([*pairs, *(one[:, ::-1] for one in pairs)])
    found, counts = np.unique(both, axis=0, return_counts=True)
    order = np.lexsort((-counts, found[:, 0]))
    number, first = np.unique(found[order, 0], return_index=True)
    into = np.full(len(area), -1, np.int64)
    into[number] = found[order][first, 1]
    return into
