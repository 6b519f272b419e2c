"""Novelty beside a background: RX, what principal components do not explain, and DEMUD. No label is looked at."""

from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.models.densities import only_novelty

Array = np.ndarray[Any, np.dtype[Any]]
#: Parts of the largest variance below which a direction has none.
_NOTHING: Final = 1e-12


def rx(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make Reed-Xiaoli's detector (1990); it has no option."""
    del seed
    only_novelty("rx", task)
    return RX(**options)


def pca_residual(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make the residual of principal components; options of `PCAResidual`."""
    del seed
    only_novelty("pca_residual", task)
    return PCAResidual(**options)


def demud(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make DEMUD; options of `DEMUD`."""
    del seed
    only_novelty("demud", task)
    return DEMUD(**options)


class RX:
    """Strangeness as the squared Mahalanobis distance from the mean of the background.

    Directions in which the background does not vary are left out.
    """

    def fit(self, x: Array, y: Array | None = None) -> "RX":
        """Learn mean and covariance of rows, (n, p)."""
        del y
        rows = whole(x, "rx")
        self.mean_ = rows.mean(axis=0)
        self.inverse_ = np.linalg.pinv(np.atleast_2d(np.cov(rows, rowvar=False)), hermitian=True)
        return self

    def novelty(self, x: Array) -> Array:
        """Give the squared distance of each row."""
        apart = whole(x, "rx") - self.mean_
        return np.asarray(np.einsum("ij,jk,ik->i", apart, self.inverse_, apart))


class PCAResidual:
    """Strangeness as what the strongest principal components of the background leave unexplained.

    Parameters
    ----------
    k : int
        Components.
    """

    def __init__(self, k: int = 3) -> None:
        self.k = _components(k, "pca_residual")

    def fit(self, x: Array, y: Array | None = None) -> "PCAResidual":
        """Learn mean and components of rows, (n, p)."""
        del y
        rows = whole(x, "pca_residual")
        self.mean_ = rows.mean(axis=0)
        self.components_ = _strongest(_scatter(rows - self.mean_), self.k)
        return self

    def novelty(self, x: Array) -> Array:
        """Give the length of what is left of each row."""
        return np.sqrt(_left(whole(x, "pca_residual") - self.mean_, self.components_))


class DEMUD:
    """Discovery by what is not yet known (Wagstaff et al. 2013): what was chosen once is no news any more.

    The row with the largest residual is chosen, joins the background, and the components are made anew; so an order of
    choice comes out, in which many alike do not stand side by side.

    Parameters
    ----------
    k : int
        Components.

    Notes
    -----
    Strangeness is relative to the rows asked about together: their number for the first chosen, 1 for the last.
    O(n p^3) for n of them.
    """

    def __init__(self, k: int = 3) -> None:
        self.k = _components(k, "demud")

    def fit(self, x: Array, y: Array | None = None) -> "DEMUD":
        """Learn the background, rows (n, p)."""
        del y
        rows = whole(x, "demud")
        self.count_ = len(rows)
        self.mean_ = rows.mean(axis=0)
        self.scatter_ = _scatter(rows - self.mean_)
        return self

    def novelty(self, x: Array) -> Array:
        """Give n for the row that is chosen first, 1 for the last."""
        order = self.select(x)[0]
        strangeness = np.empty(len(order))
        strangeness[order] = np.arange(len(order), 0, -1)
        return strangeness

    def select(self, x: Array, most: int | None = None) -> tuple[Array, Array]:
        """Choose rows one after the other: all, or so many at most.

        Returns
        -------
        order : array of int, (n,)
            Row numbers.
        residual : array of float, (n,)
            Squared residual of each when it was chosen.
        """
        rows = whole(x, "demud")
        count, mean, scatter = self.count_, self.mean_.copy(), self.scatter_.copy()
        left = np.arange(len(rows))
        order: list[int] = []
        residual: list[float] = []
        while len(left) and len(order) != most:
            unexplained = _left(rows[left] - mean, _strongest(scatter, self.k))
            best = int(unexplained.argmax())
            order.append(int(left[best]))
            residual.append(float(unexplained[best]))
            apart = rows[left[best]] - mean
            # Mean and scatter with one row more (Chan et al. 1979).
            scatter += np.outer(apart, apart) * (count / (count + 1))
            mean += apart / (count + 1)
            count += 1
            left = np.delete(left, best)
        return np.array(order, np.int64), np.array(residual)


def _components(k: int, use: str) -> int:
    if k < 1:
        raise BadParameter(f"model {use!r}: k = {k} is no number of components", "give 1 or more")
    return int(k)


def whole(x: Array, use: str) -> Array:
    """Give rows as numbers.

    Raises
    ------
    BadData
        If a value is missing.
    """
    rows = np.asarray(x, float)
    if not np.isfinite(rows).all():
        hint = 'leave these rows out, or give the model scale = "standard", which fills them'
        raise BadData(f"model {use!r} cannot do with missing values", hint)
    return rows


def _scatter(apart: Array) -> Array:
    return np.asarray(apart.T @ apart)


def _strongest(scatter: Array, k: int) -> Array:
    """Give the k directions of largest variance as columns; those without variance are no directions."""
    values, vectors = np.linalg.eigh(scatter)
    return np.asarray(vectors[:, -k:][:, values[-k:] > _NOTHING * max(float(values[-1]), 0.0)])


def _left(apart: Array, components: Array) -> Array:
    """Give the squared length of each row without its part along components."""
    rest = apart - (apart @ components) @ components.T
    return np.asarray((rest**2).sum(axis=1))
