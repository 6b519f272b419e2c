"""Models of what is usual, which rank by strangeness: isolation forest and mixtures of Gaussians."""

from typing import Any

from armillary.errors import BadParameter


def isolation_forest(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make an isolation forest (Liu 2008); options of `sklearn.ensemble.IsolationForest`."""
    from sklearn.ensemble import IsolationForest

    only_novelty("isolation_forest", task)
    return IsolationForest(**{"n_estimators": 200, "n_jobs": 1, "random_state": seed} | options)


def gmm(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make a mixture of Gaussians; options of `sklearn.mixture.GaussianMixture`."""
    from sklearn.mixture import GaussianMixture

    only_novelty("gmm", task)
    own = {"n_components": 4, "reg_covar": 1e-3, "random_state": seed}
    return GaussianMixture(**own | options)


def only_novelty(use: str, task: str) -> None:
    """Refuse other tasks.

    Raises
    ------
    BadParameter
    """
    if task != "novelty":
        hint = "choose a model from the table in the docs"
        raise BadParameter(f"model {use!r} is not made for the task {task!r}", hint)
