"""Models with one door: `make_model` gives anything that has `fit` and `predict`, by name.

A factory is ``function(options, task, seed) -> estimator`` with the methods of scikit-learn; what is true of all models
(missing values, classes that a fold lacks, class weights, dropped bands) is done once, in
:mod:`armillary.learn.models.learner`.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadParameter, MissingExtra

if TYPE_CHECKING:
    from armillary.learn.models.learner import Learner

#: Name of each model and the factory that makes it, "module:function".
MODELS: Final[dict[str, str]] = {
    "boosting": "trees:boosting",
    "demud": "novelty:demud",
    "ensemble": "voting:ensemble",
    "extra_trees": "trees:extra_trees",
    "forest": "trees:forest",
    "gmm": "densities:gmm",
    "isolation_forest": "densities:isolation_forest",
    "knn": "neighbours:knn",
    "lightgbm": "trees:lightgbm",
    "logistic": "scaled:logistic",
    "lrx": "surroundings:lrx",
    "mlp": "scaled:mlp",
    "negative_sampling": "negatives:negative_sampling",
    "network": "network:network",
    "residual": "residual:residual",
    "pca_residual": "novelty:pca_residual",
    "ridge": "scaled:ridge",
    "rx": "novelty:rx",
}
#: Models that need rows without gaps and columns of like size, and how these are scaled unless ``scale`` says so.
SCALED: Final[dict[str, str]] = {
    "gmm": "standard",
    "knn": "robust",
    "logistic": "standard",
    "mlp": "standard",
    "network": "standard",
    "ridge": "standard",
}
#: What a model needs that is not always installed.
EXTRAS: Final[dict[str, str]] = {
    "lightgbm": "armillary[boosting]",
    "skl2onnx": "armillary[onnx]",
    "onnxmltools": "armillary[onnx]",
    "onnxruntime": "armillary[onnx]",
    "torch": "armillary[torch]",
}


def make_model(
    use: str, options: Mapping[str, Any], *, task: str, seed: int, groups: Sequence[str] = (), classes: int = 0
) -> "Learner":
    """Make one model that can be fitted.

    Parameters
    ----------
    use : str
        A name of `MODELS`, or ``package.module:Class`` of anything that has `fit` and `predict`.
    options : mapping
        ``scale``, ``flags``, ``class_weight``, ``dropout``, ``copies`` and ``drop`` are those of
        :class:`~armillary.learn.models.learner.Learner`; all others go to the model itself.
    task : str
        ``events`` and ``classes`` give `predict_proba`, ``regression`` gives `predict`, ``novelty`` gives `novelty`.
    seed : int
    groups : sequence of str
        Feature group of each column, for ``dropout``.
    classes : int
        How many classes there are, if the rows that are fitted may lack some; found in them if 0.

    Raises
    ------
    BadParameter
        If the model is unknown, is not for the task or does not take an option.
    MissingExtra
        If it stands on a package that is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0], [0.1], [np.nan], [0.9], [1.0]])
    >>> model = make_model("extra_trees", {"n_estimators": 20}, task="classes", seed=0)
    >>> model.fit(x, np.array([0, 0, 0, 1, 1])).predict(np.array([[0.05], [0.95]])).tolist()
    [0, 1]
    """
    from armillary.learn.models.learner import COMMON, Learner

    own = {name: value for name, value in options.items() if name not in COMMON}
    common = {"scale": SCALED.get(use, "none")} | {name: one for name, one in options.items() if name in COMMON}
    estimator = _estimator(use, own, task, seed)
    return Learner(estimator, use=use, task=task, seed=seed, groups=tuple(groups), classes=classes, **common)


def _estimator(use: str, options: dict[str, Any], task: str, seed: int) -> Any:
    try:
        return _foreign(use, options, seed) if ":" in use else _known(use)(options, task, seed)
    except TypeError as failed:
        raise BadParameter(f"model {use!r}: {failed}", "look at its options in the docs") from failed
    except ModuleNotFoundError as failed:
        missing = str(failed.name).partition(".")[0]
        extra = EXTRAS.get(missing, "armillary[learn]" if missing in {"sklearn", "skops"} else missing)
        raise MissingExtra(f"model {use!r} needs {missing}", f"pip install '{extra}'") from failed


def _known(use: str) -> Any:
    if use not in MODELS:
        hint = f"give one of {', '.join(MODELS)}, or package.module:Class"
        raise BadParameter(f"there is no model {use!r}", hint)
    module, _, name = MODELS[use].partition(":")
    return getattr(import_module(f"armillary.learn.models.{module}"), name)


def _foreign(use: str, options: dict[str, Any], seed: int) -> Any:
    """Make anything with `fit` and `predict`; it gets the seed if it takes one."""
    module, _, name = use.partition(":")
    kind = getattr(import_module(module), name, None)
    if not isinstance(kind, type) or not callable(getattr(kind, "fit", None)):
        raise BadParameter(f"{use!r} names no class with a method fit", "give package.module:Class")
    from inspect import signature

    seeded = {"random_state": seed} if "random_state" in signature(kind).parameters else {}
    return kind(**seeded | options)
