"""Models of the nearest rows."""

from typing import Any

import numpy as np

from armillary.learn.models.trees import by_task

Array = np.ndarray[Any, np.dtype[Any]]


def knn(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make nearest neighbours: a vote, a mean, or for novelty the mean distance.

    Its options are those of `sklearn.neighbors.KNeighborsClassifier`, `Regressor` or `NearestNeighbors`.
    """
    del seed
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    own = {"n_neighbors": 10} | options
    if task == "novelty":
        return Distances(**own)
    kind = by_task("knn", task, KNeighborsClassifier, KNeighborsRegressor)
    return kind(**{"weights": "distance"} | own)


class Distances:
    """Strangeness as the mean distance to the nearest training rows.

    Parameters
    ----------
    n_neighbors : int
    **options
        Of `sklearn.neighbors.NearestNeighbors`.
    """

    def __init__(self, n_neighbors: int = 10, **options: Any) -> None:
        from sklearn.neighbors import NearestNeighbors

        self.n_neighbors = n_neighbors
        self.neighbours = NearestNeighbors(n_neighbors=n_neighbors, **options)

    def fit(self, x: Array, y: Array | None = None) -> "Distances":
        """Keep the rows."""
        del y
        self.neighbours.set_params(n_neighbors=min(self.n_neighbors, len(x)))
        self.neighbours.fit(x)
        return self

    def score_samples(self, x: Array) -> Array:
        """Give the negative mean distance, as densities do: higher is more usual."""
        distance, _ = self.neighbours.kneighbors(x)
        scores: Array = -distance.mean(axis=1)
        return scores
