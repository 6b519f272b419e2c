"""A model of what another leaves: a simple one for the law, a flexible one for what is not in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.models.trees import by_task

Array = np.ndarray[Any, np.dtype[Any]]


def residual(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make a regression whose second model learns the errors of the first; options of `Residual`."""
    kind = by_task("residual", task, None, Residual)
    return kind(seed=seed, **options)


class Residual:
    """Two regressions; the answer is the sum of theirs.

    Trees alone cannot say more than they have seen; beside a straight line they only bend it.

    Parameters
    ----------
    seed : int
    first, then : mapping
        ``use`` and options of each model: ``{use = "ridge"}``.
    share : float
        What part of the second answer is added.

    Raises
    ------
    BadParameter
        If one of them names no model.
    """

    def __init__(
        self, seed: int, first: Mapping[str, Any] | None = None, then: Mapping[str, Any] | None = None,
        share: float = 1.0,
    ) -> None:  # fmt: skip
        self.share = float(share)
        self.first = _member(first or {"use": "ridge"}, seed)
        self.then = _member(then or {"use": "extra_trees", "min_samples_leaf": 10}, seed)

    def fit(self, x: Array, y: Array, sample_weight: Array | None = None) -> "Residual":
        """Learn from rows: the first model from `y`, the second from what is left.

        Parameters
        ----------
        x : array of float, (n, p)
            NaN = missing.
        y : array of float, (n,)
        sample_weight : array of float, (n,)
        """
        self.first.fit(x, y, sample_weight)
        self.then.fit(x, y - self.first.predict(x), sample_weight)
        return self

    def predict(self, x: Array) -> Array:
        """Give numbers, (n,)."""
        return np.asarray(self.first.predict(x) + self.share * self.then.predict(x))


def _member(options: Any, seed: int) -> Any:
    from armillary.learn.models import make_model

    if not isinstance(options, Mapping) or not options.get("use"):
        raise BadParameter(f"model 'residual': {options!r} names no model", 'write first = {use = "ridge"}')
    own = {name: value for name, value in options.items() if name != "use"}
    return make_model(str(options["use"]), own, task="regression", seed=seed)
