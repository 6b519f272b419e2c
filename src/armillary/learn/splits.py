"""Splits: samples fall into blocks of time, ground, sky or group, and whole blocks are held out.

A block is what must not be torn apart. With `group_on` beside another way, blocks that share a group become one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, BadTime
from armillary.learn.samples import column, rows_to_judge
from armillary.learn.study import Split
from armillary.model.times import NS_PER_SECOND, parse_time
from armillary.science.healpix import cell_of_sky, cell_of_source

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: Numbers larger than this are no seconds since 1970 (year 2262).
_LAST_SECOND: Final = 9.2e9
#: A column of numbers to stratify on is cut into this many equally full parts.
_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Fold:
    """Who learns and who is asked.

    Parameters
    ----------
    train, test : array of int64
        Row numbers, ascending.
    """

    train: Array
    test: Array


def blocks_of(samples: "xr.Dataset", split: Split) -> Array:
    """Give the number of the block that each sample lies in.

    Parameters
    ----------
    samples : xarray.Dataset
    split : Split
        With `random` each sample (or each group) is a block.

    Returns
    -------
    array of int64, (n,)
        0..B-1 without holes; blocks are cut at whole multiples of their length, so more samples do not move them.

    Raises
    ------
    BadParameter
        If a column is missing.
    BadData
        If a sample has no place: NaN, no group, a time zone beside none.
    """
    place = _places(samples, split)
    return _tied(place, _numbered(_groups(samples, split.group_on))) if split.group_on else place


def folds_of(samples: "xr.Dataset", split: Split, codes: Array | None = None, seed: int = 0) -> list[Fold]:
    """Cut samples into folds: each is held out once, with its whole block.

    Rows of the role ``fit`` are never held out. They are learnt from in all folds, also beside held-out rows of their
    own group, but not in a held-out block of time, ground or sky. Rows without a label are held out with their block.

    Parameters
    ----------
    samples : xarray.Dataset
    split : Split
    codes : array of int, (n,), optional
        Class numbers, -1 = unknown; blocks are shared out by how many known rows they hold.
    seed : int
        Another seed shares the blocks out in another way.

    Raises
    ------
    BadParameter
        If there are fewer blocks than folds, or a column is missing.
    BadData
        If a fold would have nothing, or one class only, to learn from; and as :func:`blocks_of`.

    Notes
    -----
    O(n log n) time, O(n) memory. Each block goes to the fold that has the least of what it holds, the largest first.
    """
    if split.embargo and not split.time_on:
        raise BadParameter("[split] embargo needs time_on", "name the time, or leave embargo out")
    place, blocks = _places(samples, split), blocks_of(samples, split)
    judged = rows_to_judge(samples)
    known = judged & (np.ones(len(blocks), bool) if codes is None else codes >= 0)
    _check_enough(blocks[known], split)
    fold = _fold_of_block(blocks, known, _strata(samples, split, codes), split.folds, seed)[blocks]
    instants = instants_of(column(samples, split.time_on), split.time_on) if split.embargo else None
    grouped = bool(split.group_on) and not (split.time_on or split.space_on or split.sky_on)
    cut = []
    for number in range(split.folds):
        test = judged & (fold == number)
        own = np.zeros(len(blocks), bool) if grouped else np.isin(place, place[test])
        train = np.where(judged, fold != number, ~own)
        if instants is not None:
            train &= ~_near(instants, instants[test], split.embargo)
        _check_fold(number, train, codes, split)
        cut.append(Fold(np.flatnonzero(train), np.flatnonzero(test)))
    return cut


def instants_of(values: Array, name: str = "time") -> Array:
    """Give times as int64 nanoseconds since 1970.

    Parameters
    ----------
    values : array, (n,)
        ``datetime64``, seconds as numbers, or an object array of texts or `datetime`.
    name : str
        For the message.

    Raises
    ------
    BadData
        If a time is missing or none, or some have a time zone and others not.

    Examples
    --------
    >>> instants_of(np.array(["1970-01-01", "1970-01-01T00:00:02"], "datetime64[s]")).tolist()
    [0, 2000000000]
    >>> instants_of(np.array([0.5])).tolist()
    [500000000]
    """
    if values.dtype.kind == "M":
        _refuse(np.isnat(values), name, "has no time")
        return values.astype("datetime64[ns]").astype(np.int64)
    if values.dtype.kind in "fiu":
        _refuse(~np.isfinite(values), name, "has no time")
        _refuse(np.abs(values.astype(np.float64)) > _LAST_SECOND, name, "is too large for seconds since 1970")
        return np.rint(values.astype(np.float64) * NS_PER_SECOND).astype(np.int64)
    zoned = np.array([_has_zone(one) for one in values], bool)
    if zoned.any() and not zoned.all():
        raise BadData(
            f"{int(zoned.sum())} of {len(zoned)} {name!r} have a time zone, the others none", "give all in UTC"
        )
    return np.fromiter(_parsed(values, name), np.int64, len(values))


def share_out(counts: Array, folds: int, seed: int = 0) -> Array:
    """Share blocks out to folds so that each has about the same of everything.

    Parameters
    ----------
    counts : array, (B,) or (B, K)
        How much each block holds, of each kind.
    folds : int
    seed : int

    Returns
    -------
    array of int64, (B,)
        The fold of each block.

    Examples
    --------
    >>> np.bincount(share_out(np.array([4, 1, 1, 2]), 2), weights=[4, 1, 1, 2]).tolist()
    [4.0, 4.0]
    """
    counts = counts.reshape(len(counts), -1).astype(np.float64)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    order = np.random.default_rng(seed).permutation(len(shares))
    order = order[np.argsort(-shares[order].sum(axis=1), kind="stable")]
    held = np.zeros((folds, shares.shape[1]))
    fold = np.empty(len(shares), np.int64)
    for block in order:
        # Least squares: the sum of squared shares grows by twice this product.
        fold[block] = np.lexsort((held.sum(axis=1), held @ shares[block]))[0]
        held[fold[block]] += shares[block]
    return fold


def _places(samples: "xr.Dataset", split: Split) -> Array:
    """Give the blocks before groups tie them together."""
    if split.time_on:
        length = max(round(split.block * NS_PER_SECOND), 1)
        return _numbered(instants_of(column(samples, split.time_on), split.time_on) // length)
    if split.space_on:
        cells = [np.floor(_numbers(samples, name) / split.size).astype(np.int64) for name in split.space_on]
        return _numbered(np.column_stack(cells))
    if split.sky_on:
        return _numbered(_sky(samples, split))
    if split.random:
        return np.arange(samples.sizes["sample"])
    return _numbered(_groups(samples, split.group_on))


def _sky(samples: "xr.Dataset", split: Split) -> Array:
    if len(split.sky_on) == 1:
        source = column(samples, split.sky_on[0])
        if source.dtype.kind == "f":
            hint = "read the column as integers: a float keeps 53 of its 63 bits"
            raise BadData(f"{split.sky_on[0]!r} was read as floating point numbers", hint)
        return cell_of_source(source, split.level)
    if len(split.sky_on) != 2:
        raise BadParameter("[split] sky_on needs right ascension and declination, or one source_id", "name two, or one")
    ra, dec = (_numbers(samples, name) for name in split.sky_on)
    _refuse(np.abs(dec) > 90, split.sky_on[1], "lies outside -90..90 degrees")
    return cell_of_sky(ra, dec, split.level)


def _numbers(samples: "xr.Dataset", name: str) -> Array:
    values = column(samples, name)
    if values.dtype.kind not in "fiu":
        raise BadData(f"{name!r} holds no numbers", "name a coordinate")
    _refuse(~np.isfinite(values), name, "has no place")
    return values.astype(np.float64)


def _groups(samples: "xr.Dataset", name: str) -> Array:
    values = column(samples, name)
    missing = ~np.isfinite(values) if values.dtype.kind == "f" else np.isin(values.astype(str), ["", "nan", "None"])
    _refuse(missing, name, "belongs to no group")
    return values.astype(str)


def _numbered(values: Array) -> Array:
    if values.ndim == 2:
        return _numbered(_numbered(values[:, 0]) * (values[:, 1].max() - values[:, 1].min() + 1) + values[:, 1])
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _tied(place: Array, group: Array) -> Array:
    """Make one block of all blocks that a chain of groups connects."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    places, groups = place.max() + 1, group.max() + 1
    links = coo_array((np.ones(len(place), bool), (place, places + group)), shape=(places + groups,) * 2)
    return _numbered(connected_components(links, directed=False)[1][place])


def _strata(samples: "xr.Dataset", split: Split, codes: Array | None) -> Array:
    """Give the number of what should be alike in all folds; all zeros if nothing was named."""
    if not split.stratify_on:
        return np.zeros(samples.sizes["sample"], np.int64)
    if split.stratify_on == "label" and codes is not None:
        return np.maximum(codes, 0)
    values = column(samples, split.stratify_on)
    if values.dtype.kind == "f":
        edges = np.nanquantile(values, np.linspace(0, 1, _PARTS + 1)[1:-1])
        values = np.where(np.isnan(values), _PARTS, np.searchsorted(edges, values))
    return _numbered(values.astype(str) if values.dtype.kind == "O" else values)


def _fold_of_block(blocks: Array, known: Array, strata: Array, folds: int, seed: int) -> Array:
    number = int(blocks.max()) + 1
    if number == len(blocks):
        # Each sample is a block: deal them out, stratum by stratum.
        order = np.random.default_rng(seed).permutation(number)
        order = order[np.lexsort((strata[order], ~known[order]))]
        fold = np.empty(number, np.int64)
        fold[blocks[order]] = np.arange(number) % folds
        return fold
    counts = np.zeros((number, int(strata.max()) + 1))
    np.add.at(counts, (blocks, strata), known)
    return share_out(counts, folds, seed)


def _near(instants: Array, held_out: Array, embargo: float) -> Array:
    """Say which instants are nearer than the embargo to a held-out one."""
    held_out = np.sort(held_out)
    after = np.searchsorted(held_out, instants)
    distances = [np.abs(held_out[np.clip(after - back, 0, len(held_out) - 1)] - instants) for back in (0, 1)]
    near: Array = np.minimum(*distances) < round(embargo * NS_PER_SECOND)
    return near


def _check_enough(blocks: Array, split: Split) -> None:
    number = len(np.unique(blocks))
    if number >= split.folds:
        return
    if not number:
        raise BadData("not a single sample can be judged", "give labelled samples that do not have the role 'fit'")
    tied = split.group_on and (split.time_on or split.space_on or split.sky_on)
    smaller = f"leave out group_on = {split.group_on!r}, which ties blocks together" if tied else "give smaller blocks"
    hint = f"{smaller}, or folds = {number}" if number > 1 else f"{smaller}, or more data"
    raise BadParameter(f"the labelled samples fall into {number} block(s), too few for {split.folds} folds", hint)


def _check_fold(number: int, train: Array, codes: Array | None, split: Split) -> None:
    if not train.any():
        hint = "give a shorter embargo, or more and smaller blocks"
        raise BadData(f"nothing is left to learn from in fold {number + 1} of {split.folds}", hint)
    if codes is None or not np.issubdtype(codes.dtype, np.integer):
        return
    if len(np.unique(codes[codes >= 0])) > 1 >= len(np.unique(codes[train & (codes >= 0)])):
        hint = 'give more and smaller blocks, or stratify_on = "label"'
        raise BadData(f"only one class is left to learn from in fold {number + 1} of {split.folds}", hint)


def _refuse(wrong: Array, name: str, what: str) -> None:
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        problem = f"{name!r}: sample {first} {what} ({int(wrong.sum())} of {len(wrong)} samples)"
        raise BadData(problem, "leave these samples out, or mend the column")


def _has_zone(value: Any) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    text = str(value).strip()
    return text.upper().endswith(("Z", "UTC")) or "+" in text[10:] or "-" in text[10:]


def _parsed(values: Array, name: str) -> Iterator[int]:
    for number, value in enumerate(values):
        try:
            yield parse_time(value if isinstance(value, datetime | np.datetime64) else str(value))
        except BadTime as failed:
            raise BadData(f"{name!r}: sample {number}: {failed.problem}", failed.next_step) from None
