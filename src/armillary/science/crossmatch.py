"""Which rows of two tables are the same source: by position with proper motion, or by identifier."""

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.plasma import Array, Numbers

Keep: TypeAlias = Literal["one_to_one", "nearest", "all"]
#: Rows of the first table that are looked up at a time.
_PORTION: Final = 50_000
#: More pairs than this are no match of sources.
_MOST: Final = 50_000_000
#: Degrees; beyond it two sources are not one.
_WIDEST: Final = 10.0
_MAS: Final = np.pi / 180 / 3.6e6


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Positions of n sources, and how they move.

    Parameters
    ----------
    ra, dec : array, shape (n,)
        Degrees, ICRS; NaN is nowhere and matches nothing.
    pmra, pmdec : array, shape (n,), optional
        Proper motion, mas a year; that in right ascension holds cos(dec), as in Gaia. NaN counts as 0.
    epoch : float or array, shape (n,)
        Julian year of the positions.
    """

    ra: Array
    dec: Array
    pmra: Array | None = None
    pmdec: Array | None = None
    epoch: Numbers = 2016.0

    def __post_init__(self) -> None:
        ra, dec = np.asarray(self.ra, float), np.asarray(self.dec, float)
        shapes = {ra.shape, dec.shape, *(np.shape(one) for one in (self.pmra, self.pmdec) if one is not None)}
        if len(shapes) > 1 or ra.ndim != 1:
            raise BadParameter(f"positions and motions have shapes {sorted(shapes)}", "give columns of one table")
        if (np.abs(dec) > 90).any():
            raise BadData(f"{int((np.abs(dec) > 90).sum())} declinations lie beyond the poles", "give degrees")

    def __len__(self) -> int:
        return len(self.ra)

    def vectors(self, epoch: float | None = None) -> Array:
        """Give unit vectors, shape (n, 3), at an epoch; without one at their own.

        Stars move along great circles, with the speed that they have at their own epoch.

        Examples
        --------
        >>> Places(np.array([0.0]), np.array([0.0])).vectors().tolist()
        [[1.0, 0.0, 0.0]]
        """
        ra, dec = np.radians(np.asarray(self.ra, float)), np.radians(np.asarray(self.dec, float))
        place = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
        if epoch is None or self.pmra is None or self.pmdec is None:
            return place
        years = epoch - np.asarray(self.epoch, float)
        east = np.stack([-np.sin(ra), np.cos(ra), np.zeros(len(ra))], axis=1)
        north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=1)
        speed = np.nan_to_num(self.pmra)[:, None] * east + np.nan_to_num(self.pmdec)[:, None] * north
        way = np.linalg.norm(speed, axis=1) * np.abs(years) * _MAS
        ahead = speed * np.sign(np.broadcast_to(years, way.shape))[:, None]
        ahead = ahead / np.maximum(np.linalg.norm(speed, axis=1), 1e-300)[:, None]
        return np.asarray(np.cos(way)[:, None] * place + np.sin(way)[:, None] * ahead)


class Pairs(NamedTuple):
    """Pairs of rows, sorted by the first.

    Parameters
    ----------
    first, second : array of int, shape (pairs,)
        Row numbers.
    separation : array, shape (pairs,)
        Arcseconds at the epoch of the match; 0 for a match by identifier.
    """

    first: Array
    second: Array
    separation: Array

    def __len__(self) -> int:
        return int(self.first.size)


def match_cone(
    first: Places, second: Places, radius: float = 1.0, *, epoch: float | None = None, keep: Keep = "one_to_one"
) -> Pairs:
    """Match by position.

    Parameters
    ----------
    radius : float
        Arcseconds.
    epoch : float, optional
        Julian year that both are brought to by their motions. Without it positions are taken as they are.
    keep : {"one_to_one", "nearest", "all"}
        "one_to_one": the closest pair first, then the closest of the rest: no row stands in two pairs. "nearest": the
        nearest to each row of the first table; rows of the second may come again. "all": every pair within the radius.

    Returns
    -------
    Pairs
        Of equally close pairs the one with the lower row numbers comes first.

    Raises
    ------
    BadParameter
        For a radius that is no match of sources.

    Notes
    -----
    KD-trees of unit vectors, so poles and the meridian of 0 are as any other place. O((n + m) log m); memory: the
    second table's vectors and tree, the pairs, and 50,000 rows of the first. 100,000 by 100,000 takes some 0.4 s.

    Examples
    --------
    >>> one = Places(np.array([359.9999, 10.0]), np.array([0.0, 5.0]))
    >>> other = Places(np.array([0.0001, 200.0]), np.array([0.0, 5.0]))
    >>> pairs = match_cone(one, other, 1.0)
    >>> pairs.first.tolist(), pairs.second.tolist(), pairs.separation.round(3).tolist()
    ([0], [0], [0.72])
    """
    if not 0 < radius <= _WIDEST * 3600:
        raise BadParameter(f"a radius of {radius:g} arcsec matches no sources", "give arcseconds, above 0")
    if keep not in ("one_to_one", "nearest", "all"):
        raise BadParameter(f"matches cannot be kept by {keep!r}", "use one_to_one, nearest or all")
    chord = 2 * np.sin(np.radians(radius / 3600) / 2)
    places = [_known(one.vectors(epoch)) for one in (first, second)]
    (rows, here), (others, there) = places
    if not rows.size or not others.size:
        return _pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    near = _nearest(here, there, chord) if keep == "nearest" else _all(here, there, chord)
    found = _pairs(rows[near[0]], others[near[1]], near[2])
    return _once(found) if keep == "one_to_one" else found


def match_ids(first: Array, second: Array) -> Pairs:
    """Match by identifier; each may stand in the first as often as it likes, in the second once.

    Raises
    ------
    BadData
        If an identifier stands twice in the second, or one table has numbers and the other texts.

    Examples
    --------
    >>> match_ids(np.array([7, 5, 7]), np.array([5, 6, 7])).second.tolist()
    [2, 0, 2]
    """
    one, other = np.asarray(first), np.asarray(second)
    kinds = {"U" if values.dtype.kind in "SUO" else "i" for values in (one, other) if values.size}
    if len(kinds) > 1:
        raise BadData("identifiers are numbers in one table and texts in the other", "convert one of them")
    order = np.argsort(other, kind="stable")
    ranked = other[order]
    if (ranked[1:] == ranked[:-1]).any():
        twice = ranked[1:][ranked[1:] == ranked[:-1]]
        raise BadData(f"{len(np.unique(twice))} identifiers stand twice, the first is {twice[0]}", "keep one row each")
    place = np.searchsorted(ranked, one) if other.size else np.zeros(one.shape, int)
    inside = place < len(ranked)
    inside[inside] = ranked[place[inside]] == one[inside]
    rows = np.flatnonzero(inside)
    return Pairs(rows, order[place[rows]], np.zeros(rows.size))


def _known(vectors: Array) -> tuple[Array, Array]:
    rows = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    return rows, vectors[rows]


def _nearest(here: Array, there: Array, chord: float) -> tuple[Array, Array, Array]:
    from scipy.spatial import cKDTree

    # One ulp more: query leaves out what lies exactly at its bound.
    distance, at = cKDTree(there).query(here, distance_upper_bound=np.nextafter(chord, 1))
    found = np.flatnonzero(np.isfinite(distance))
    return found, at[found], distance[found]


def _all(here: Array, there: Array, chord: float) -> tuple[Array, Array, Array]:
    from scipy.spatial import cKDTree

    tree, total = cKDTree(there), 0
    parts: list[Any] = []
    for begin in range(0, len(here), _PORTION):
        some = cKDTree(here[begin : begin + _PORTION])
        total += int(some.count_neighbors(tree, chord))
        if total > _MOST:
            raise BadParameter(f"more than {_MOST:,} pairs lie within the radius", "give a smaller radius")
        part = some.sparse_distance_matrix(tree, chord, output_type="ndarray")
        part["i"] += begin
        parts.append(part)
    found = np.concatenate(parts)
    return found["i"], found["j"], found["v"]


def _pairs(first: Array, second: Array, chord: Array) -> Pairs:
    order = np.lexsort((second, chord, first))
    separation = np.degrees(2 * np.arcsin(np.minimum(chord[order] / 2, 1))) * 3600
    return Pairs(first[order], second[order], separation)


def _once(found: Pairs) -> Pairs:
    """Take the closest pairs first, none with a row that was taken; in rounds of all that nothing closer disputes."""
    order = np.lexsort((found.second, found.first, found.separation))
    kept: list[Array] = []
    while order.size:
        first, second = found.first[order], found.second[order]
        alone = np.intersect1d(np.unique(first, return_index=True)[1], np.unique(second, return_index=True)[1])
        kept.append(order[alone])
        taken = np.isin(first, first[alone]) | np.isin(second, second[alone])
        order = order[~taken]
    rows = np.sort(np.concatenate(kept)) if kept else np.zeros(0, int)
    return Pairs(found.first[rows], found.second[rows], found.separation[rows])
