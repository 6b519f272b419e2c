"""Novelty as a question of two classes: rows at hand, or rows drawn anywhere."""

from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.models.densities import only_novelty
from armillary.learn.models.novelty import whole

Array = np.ndarray[Any, np.dtype[Any]]


def negative_sampling(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make negative sampling (Sipple 2020); options of `NegativeSampling`."""
    only_novelty("negative_sampling", task)
    return NegativeSampling(seed=seed, **options)


class NegativeSampling:
    """Strangeness as the probability that a row was drawn at random, not observed (Sipple 2020, ICML).

    A random forest learns to tell the rows of the background from rows whose values are drawn uniformly and
    independently from the range of each column, made wider.

    Parameters
    ----------
    seed : int
    wider : float
        Part of each range that is added at either end.
    ratio : float
        Drawn rows for each row of the background.
    **options
        Of `sklearn.ensemble.RandomForestClassifier`.

    Notes
    -----
    Rows that no split tells apart share one value: there are many ties among usual rows.
    """

    def __init__(self, seed: int, *, wider: float = 0.1, ratio: float = 1.0, **options: Any) -> None:
        from sklearn.ensemble import RandomForestClassifier

        if not wider >= 0 or not ratio > 0:
            problem = f"model 'negative_sampling': wider = {wider:g}, ratio = {ratio:g}"
            raise BadParameter(problem, "give wider = 0 or more, and a ratio above 0")
        self.seed = seed
        self.wider = float(wider)
        self.ratio = float(ratio)
        own = {"n_estimators": 200, "max_depth": 6, "n_jobs": 1, "random_state": seed}
        self.forest = RandomForestClassifier(**own | options)

    def fit(self, x: Array, y: Array | None = None) -> "NegativeSampling":
        """Learn the background, rows (n, p)."""
        del y
        rows = whole(x, "negative_sampling")
        low, high = rows.min(axis=0), rows.max(axis=0)
        more = self.wider * (high - low)
        count = max(round(self.ratio * len(rows)), 1)
        drawn = np.random.default_rng(self.seed).uniform(low - more, high + more, (count, rows.shape[1]))
        self.forest.fit(np.concatenate([rows, drawn]), np.repeat([0, 1], [len(rows), count]))
        return self

    def novelty(self, x: Array) -> Array:
        """Give the probability of having been drawn, (n,)."""
        return np.asarray(self.forest.predict_proba(whole(x, "negative_sampling"))[:, 1])
