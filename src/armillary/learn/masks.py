"""Which bands a source has, and how that is kept from telling its class.

A catalogue of young stars holds what WISE saw, one of white dwarfs what it did not: a model may learn the survey
instead of the class. Bands cannot be added, but taken away until the pattern of missing bands is the same for all
classes.
"""

from typing import Any, Final, Literal, TypeAlias

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Equalise: TypeAlias = Literal["full", "drawn"]

_FOLDS: Final = 5


def equalised(masks: Array, codes: Array, how: Equalise = "full", seed: int = 0) -> Array:
    """Give for each source which of its bands may stay, so that masks tell its class less, or not at all.

    Parameters
    ----------
    masks : array of bool, (n, b)
        Which bands each source has.
    codes : array of int, (n,)
        Class numbers.
    how : {"full", "drawn"}
        "full": masks are distributed alike in all classes; a band that one class never has is lost to all. "drawn":
        each source is given a mask of the common mix, in which every class weighs the same, and keeps what both have:
        classes with more bands than the mix come down to it, those with fewer stay as they are.
    seed : int
        Of the order among sources with equal masks.

    Returns
    -------
    array of bool, (n, b)
        Never more than `masks`.

    Notes
    -----
    The sources of each class are ordered by their masks, scarce bands first, and each is given its rank u in 0..1. What
    stays in "full" is what is there at rank u in *every* class: the intersection of one mask from each. As u is uniform
    in every class, the result is distributed alike in all of them, but for the steps of finite classes; the scarcest
    band keeps its least share of all classes. In "drawn" it is the intersection with the mix at rank u.
    O(n b log n + n b K).
    """
    rng = np.random.default_rng(seed)
    kept = masks.astype(bool).copy()
    classes = np.unique(codes)
    shares = np.array([masks[codes == one].mean(axis=0) for one in classes])
    order = np.argsort(shares.min(axis=0), kind="stable")
    ranked = {one: _ranked(masks, np.flatnonzero(codes == one), order, rng) for one in classes}
    mix = _ranked(masks, np.arange(len(codes)), order, rng)
    weight = np.cumsum((1 / np.bincount(np.searchsorted(classes, codes)))[np.searchsorted(classes, codes[mix])])
    for one, rows in ranked.items():
        place = (np.arange(len(rows)) + 0.5) / len(rows)
        if how == "drawn":
            kept[rows] &= masks[mix[np.minimum(np.searchsorted(weight / weight[-1], place), len(mix) - 1)]]
            continue
        for other, others in ranked.items():
            if other != one:
                kept[rows] &= masks[others[(place * len(others)).astype(np.int64)]]
    return kept


def mask_auc(masks: Array, codes: Array, seed: int = 0) -> float:
    """Give the mean area under the ROC curve, one class against the rest, of telling the class by the mask alone.

    0.5 or less: masks tell nothing. Each mask's shares of the classes are counted in four fifths of the sources and
    asked of the last. NaN with fewer than two classes or ten sources.

    Examples
    --------
    >>> masks = np.repeat([[True, True], [True, False]], 50, axis=0)
    >>> mask_auc(masks, np.repeat([0, 1], 50)), mask_auc(masks, np.tile([0, 1], 50)) < 0.7
    (1.0, True)
    """
    kinds, codes = np.unique(codes, return_inverse=True)
    if len(kinds) < 2 or len(codes) < 10:
        return float("nan")
    pattern = np.unique(masks, axis=0, return_inverse=True)[1].reshape(-1)
    fold = _folds(codes, np.random.default_rng(seed))
    share = np.zeros((len(codes), len(kinds)))
    prior = np.bincount(codes, minlength=len(kinds)) / len(codes)
    for one in range(_FOLDS):
        learnt = fold != one
        counted = np.zeros((pattern.max() + 1, len(kinds)))
        np.add.at(counted, (pattern[learnt], codes[learnt]), 1)
        # One source's worth of the mix of all, so that masks never seen tell nothing.
        counted = (counted + prior) / (counted.sum(axis=1, keepdims=True) + 1)
        share[~learnt] = counted[pattern[~learnt]]
    return float(np.mean([_area(codes == one, share[:, one]) for one in range(len(kinds))]))


def _folds(codes: Array, rng: np.random.Generator) -> Array:
    """Share the sources of each class out evenly."""
    order = np.lexsort((rng.random(len(codes)), codes))
    fold = np.empty(len(codes), np.int64)
    fold[order] = np.arange(len(codes)) % _FOLDS
    return fold


def _ranked(masks: Array, rows: Array, order: Array, rng: np.random.Generator) -> Array:
    """Sort rows by their masks, the scarcest band first, in any order where they are equal."""
    rows = rng.permutation(rows)
    return rows[np.lexsort(tuple(masks[rows][:, place] for place in order[::-1]))]


def _area(positive: Array, answer: Array) -> float:
    from scipy.stats import rankdata

    count = int(positive.sum())
    above = rankdata(answer)[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(positive) - count)))
