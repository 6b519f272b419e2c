"""Areas under curves, as the leak advisor needs them: quick, and with weights."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def average_precision(positive: Array, answer: Array, weight: Array) -> float:
    """Mean precision over the positives, samples of the same answer taken together."""
    order = np.argsort(-answer, kind="stable")
    last = np.append(np.flatnonzero(np.diff(answer[order])), len(answer) - 1)
    true = np.cumsum((weight * positive)[order])[last]
    precision = true / np.maximum(np.cumsum(weight[order])[last], 1e-300)
    return float((np.diff(true, prepend=0.0) * precision).sum() / max(true[-1], 1e-300))


def roc_area(positive: Array, answer: Array) -> float:
    """Give the share of pairs, one positive and one not, that are in order; both must occur."""
    from scipy.stats import rankdata

    count = int(positive.sum())
    above = rankdata(answer)[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(positive) - count)))
