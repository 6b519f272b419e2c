"""Options of models, checked before anything is read or trained."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from armillary.errors import ArmillaryError, BadParameter, one_line
from armillary.learn.models import make_model

#: Options that are about feature groups, or about how a model is used: they are checked when features are there.
_LATER = frozenset({"each_group", "dropout", "drop"})


def check_models(models: Iterable[tuple[str, str, Mapping[str, Any]]], task: str) -> None:
    """Make each model once, and let its library look at its options.

    Parameters
    ----------
    models : iterable of tuple
        Name in messages, name in `MODELS` and options of each.
    task : str

    Raises
    ------
    BadParameter
        If a model is unknown, is not for the task, or does not take an option or its value.
    MissingExtra

    Examples
    --------
    >>> check_models([("trees", "forest", {"n_estimators": -3})], "classes")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    armillary.errors.BadParameter: model 'trees' does not take its options: The 'n_estimators' parameter of ...
    """
    for title, use, options in models:
        own = {name: one for name, one in options.items() if name not in _LATER}
        try:
            learner = make_model(use, own, task="novelty" if options.get("each_group") else task, seed=0)
            _check_values(learner.estimator)
        except ArmillaryError:
            raise
        except Exception as failed:
            problem = f"model {title!r} does not take its options: {one_line(str(failed))[:300]}"
            raise BadParameter(problem, "mend [models.options]") from failed


def _check_values(estimator: Any) -> None:
    """Ask the estimator itself, or each member of several; LightGBM says it only when it learns, from a few rows."""
    for one in getattr(estimator, "members", ()):
        _check_values(getattr(one, "estimator", one))
    if type(estimator).__module__.startswith("lightgbm"):
        estimator.fit(np.arange(40.0).reshape(-1, 1), np.arange(40) % 2)
    elif type(estimator).__module__.startswith("sklearn."):
        estimator._validate_params()  # noqa: SLF001 - its only way to look without learning
