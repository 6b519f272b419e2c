"""Whether test data number their classes as the training data do: another numbering makes all scores wrong."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from armillary.learn.leaks import Finding
from armillary.learn.scores import confusion

Array = np.ndarray[Any, np.dtype[Any]]
#: What another numbering must gain in the share of right answers, and reach in each class that it renames.
_GAIN: Final = 0.15
_SURE: Final = 0.5


def numbered_otherwise(codes: Array, said: Array, classes: Sequence[str]) -> Finding | None:
    """Look whether answers agree far better with the labels if classes of the test data had other names.

    Only a numbering in which most rows of *each* renamed class are answered with one and the same other class counts:
    bad models are not that consistent.

    Parameters
    ----------
    codes, said : array of int, (n,)
        Labels of the test data and answers; rows of -1 are left out.
    classes : sequence of str

    Returns
    -------
    Finding, optional
        Serious; of the kind ``numbering``.
    """
    from scipy.optimize import linear_sum_assignment

    known = (codes >= 0) & (said >= 0)
    counts = confusion(codes[known].astype(np.int64), said[known].astype(np.int64), len(classes))
    there = np.flatnonzero(counts.sum(axis=1))
    rows, columns = linear_sum_assignment(-counts[there])
    renamed = {int(there[row]): int(at) for row, at in zip(rows, columns, strict=True) if there[row] != at}
    total = max(int(counts.sum()), 1)
    now, then = float(np.trace(counts)) / total, float(counts[there[rows], columns].sum()) / total
    shares = [counts[old, new] / counts[old].sum() for old, new in renamed.items()]
    if not renamed or then - now < _GAIN or min(shares) < _SURE:
        return None
    names = ", ".join(f"{classes[old]!r} look like {classes[new]!r}" for old, new in renamed.items())
    message = (
        f"the classes of the test data seem to be numbered otherwise: {now:.0%} of the answers agree with the labels, "
        f"{then:.0%} would if rows labelled {names}: look at the file, and give its classes in [data.test_options]"
    )
    return Finding("numbering", True, message, {"agree": now, "renamed": then})


def lacking(codes: Array, classes: Sequence[str]) -> list[str]:
    """Say which classes the test data lack."""
    gone = [name for code, name in enumerate(classes) if not (codes == code).any()]
    if not gone:
        return []
    return [f"no test sample is labelled {', '.join(map(repr, gone))}: if classes are numbers, look at their numbering"]
