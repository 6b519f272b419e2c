"""What answers are worth where classes have other shares than in training.

Probabilities, completeness and purity under a *stated* prior; formulas in docs/learn/trust.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.keys import check_shares
from armillary.learn.samples import Array
from armillary.learn.scores import check_probability

#: Draws of an interval: its ends are steady to a hundredth.
_DRAWS: Final = 4000


def prior_of(prior: Mapping[str, float], classes: Sequence[str], trained: Array) -> Array:
    """Give the stated share of each class, (K,), or that of the training classes if nothing is stated.

    Parameters
    ----------
    prior : mapping of str to float
        Share of each class where the model will be used; they sum to 1.
    classes : sequence of str
    trained : array of int
        Codes of the training rows, -1 = unknown.

    Raises
    ------
    BadParameter
        If a class is missing or unknown, a share is negative, or they do not sum to 1.

    Examples
    --------
    >>> prior_of({"quiet": 0.99, "storm": 0.01}, ("quiet", "storm"), np.array([0, 1])).tolist()
    [0.99, 0.01]
    """
    if not prior:
        known = np.asarray(trained)[np.asarray(trained) >= 0]
        return np.bincount(known, minlength=len(classes)) / max(known.size, 1)
    odd = sorted(set(prior) ^ set(classes))
    if odd:
        problem = "there is no class" if odd[0] in prior else "[prior] has no share of the class"
        raise BadParameter(f"{problem} {odd[0]!r}", f"give one share to each of {', '.join(classes)}")
    return _shares([prior[one] for one in classes], "prior")


def fill_prior(prior: Mapping[str, float], classes: Sequence[str], trained: Array) -> Array:
    """Give the share of each class, (K,), where some are stated; the others share the rest as in training.

    Parameters
    ----------
    prior : mapping of str to float
    classes : sequence of str
    trained : array of float, (K,)
        Shares of the training rows.

    Raises
    ------
    BadParameter
        If a class is unknown, a share is none, or they sum to more than 1, or of all classes to less.

    Examples
    --------
    >>> fill_prior({"storm": 0.01}, ("quiet", "storm"), np.array([0.5, 0.5])).tolist()
    [0.99, 0.01]
    """
    unknown = sorted(set(prior) - set(classes))
    if unknown:
        problem = f"there is no class {unknown[0]!r} to state a share of"
        raise BadParameter(problem, f"there are {', '.join(classes) or 'none'}")
    check_shares(prior, whole=set(classes) <= set(prior))
    shares = np.array([prior.get(one, 0.0) for one in classes])
    weight = np.where([one in prior for one in classes], 0.0, trained)
    made: Array = shares + max(1 - shares.sum(), 0.0) * weight / max(float(weight.sum()), 1e-300)
    made /= made.sum()
    return made


def prior_shift(probability: Array, train_prior: Any, new_prior: Any) -> Array:
    """Give probabilities, (n, K), as they are where the classes have other shares: p * new / old, made to sum to 1.

    Exact where rows of one class look alike in both places (Saerens, Latinne & Decaestecker 2002, eq. 2.4).

    Parameters
    ----------
    probability : array of float, (n, K)
        Calibrated.
    train_prior, new_prior : K shares that sum to 1

    Raises
    ------
    BadData, BadParameter
        Also if a class without training rows has a share in the new prior.

    Examples
    --------
    >>> prior_shift(np.array([[0.5, 0.5]]), [0.5, 0.5], [0.9, 0.1]).round(6).tolist()
    [[0.9, 0.1]]
    """
    values, old, new = (
        check_probability(probability),
        _shares(train_prior, "old prior"),
        _shares(new_prior, "new prior"),
    )
    if not len(old) == len(new) == values.shape[1]:
        problem = f"shares of {len(old)} and {len(new)} classes do not fit {values.shape[1]} columns"
        raise BadParameter(problem, "give one share a class")
    if ((old == 0) & (new > 0)).any():
        raise BadParameter("a class without training rows has a share in the new prior", "train on some of its rows")
    # a sure answer stays sure, unless its class has no share at all
    odds = np.maximum(values, np.finfo(float).tiny) * np.divide(new, old, out=np.zeros(len(old)), where=old > 0)
    shifted: Array = odds / odds.sum(axis=1, keepdims=True)
    return shifted


def purity_of(counts: Array, prior: Any) -> tuple[Array, Array]:
    """Give completeness and purity of each class, both (..., K), if classes have these shares.

    Parameters
    ----------
    counts : array, (..., K, K)
        Rows true, columns answered, as :func:`armillary.learn.scores.confusion` counts them; with a bootstrap of
        blocks in front.
    prior : K shares that sum to 1

    Returns
    -------
    tuple of array
        Completeness is the recall, of any prior; NaN for a class without rows. Purity is NaN where the class was not
        answered, and everywhere if a class that has a share has no rows: how it would be answered is not known.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> counts = np.array([[990, 10], [10, 90]])
    >>> [one.round(3).tolist() for one in purity_of(counts, [0.5, 0.5])]
    [[0.99, 0.9], [0.908, 0.989]]
    >>> purity_of(counts, [0.999, 0.001])[1].round(3).tolist()
    [1.0, 0.083]
    """
    counts, shares = np.asarray(counts, float), _shares(prior, "prior")
    total = counts.sum(axis=-1, keepdims=True)
    answered = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    expected = np.where(shares[:, None] > 0, shares[:, None] * answered, 0)
    said, right = expected.sum(axis=-2), np.diagonal(expected, axis1=-2, axis2=-1)
    purity = np.divide(right, said, out=np.full(said.shape, np.nan), where=said > 0)
    return np.diagonal(answered, axis1=-2, axis2=-1).copy(), purity


def purity_interval(counts: Array, prior: Any, *, seed: int = 0) -> tuple[Array, Array]:
    """Give 95 % intervals of completeness and purity, both (2, K), if classes have these shares.

    Parameters
    ----------
    counts : array, (K, K)
        As in `purity_of`.
    prior : K shares that sum to 1
    seed : int
        Of the draws.

    Returns
    -------
    tuple of array
        Low and high; NaN where `purity_of` is.

    Notes
    -----
    The answers of a class are drawn from what its rows leave possible: a Dirichlet distribution of the counts plus one
    half each (Jeffreys 1946, Proc. R. Soc. A 186, 453). Resampling the rows would not do: of 400 common sources none
    may have been taken for a rare one, in every resample, and a share of 0.2 % that nobody saw halves the purity.
    Rows count as if they were independent, which is the least that is not known.

    Examples
    --------
    >>> counts = np.array([[400, 0], [40, 360]])
    >>> purity_of(counts, [0.99, 0.01])[1].round(3).tolist()
    [0.999, 1.0]
    >>> purity_interval(counts, [0.99, 0.01])[1][0].round(1).tolist()
    [1.0, 0.6]
    """
    counts = np.asarray(counts, float)
    draws = np.random.default_rng(seed).gamma(counts + 0.5, size=(_DRAWS, *counts.shape))
    empty = counts.sum(axis=-1) == 0
    draws[:, empty] = 0.0
    made = []
    for drawn, told in zip(purity_of(draws, prior), purity_of(counts, prior), strict=True):
        low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
        # where nobody was mistaken the draws lie below what was counted: it belongs to the interval all the same
        made.append(np.array([np.minimum(low, told), np.maximum(high, told)]))
    return made[0], made[1]


def purity_curve(is_class: Array, score: Array, share: float) -> tuple[Array, Array, Array]:
    """Give thresholds, and completeness and purity of what scores as high or higher, if a class has this share.

    Parameters
    ----------
    is_class : array of bool, (n,)
    score : array of float, (n,)
    share : float

    Raises
    ------
    BadData
        If there are not both rows of the class and others.
    BadParameter
    """
    if not 0 < share < 1:
        raise BadParameter(f"a share of {share} is none", "give a number between 0 and 1")
    is_class, score = np.asarray(is_class, bool), np.asarray(score, float)
    if is_class.all() or not is_class.any() or np.isnan(score).any():
        raise BadData("purity needs rows of the class and others, all with a score", "look at labels and model")
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    found = np.cumsum(is_class[order])[last] / is_class.sum()
    false = np.cumsum(~is_class[order])[last] / (~is_class).sum()
    return score[order][last], found, share * found / (share * found + (1 - share) * false)


def _shares(values: Any, name: str) -> Array:
    shares = np.asarray(values, float)
    if shares.ndim != 1 or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise BadParameter(f"the {name} {np.round(shares, 6).tolist()} is none", "give shares of 0..1 that sum to 1")
    return shares
