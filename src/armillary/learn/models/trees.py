"""Models of trees, which take missing values as they are: forests and boosting."""

from typing import Any

from armillary.errors import BadParameter


def forest(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make a random forest (Breiman 2001); options of `sklearn.ensemble.RandomForestClassifier` or `Regressor`."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = by_task("forest", task, RandomForestClassifier, RandomForestRegressor)
    return kind(**{"n_estimators": 200, "min_samples_leaf": 2, "n_jobs": 1, "random_state": seed} | options)


def extra_trees(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make extremely random trees (Geurts 2006); options of `sklearn.ensemble.ExtraTreesClassifier` or `Regressor`."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = by_task("extra_trees", task, ExtraTreesClassifier, ExtraTreesRegressor)
    return kind(**{"n_estimators": 200, "n_jobs": 1, "random_state": seed} | options)


def boosting(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make boosting on histograms; options of `sklearn.ensemble.HistGradientBoostingClassifier` or `Regressor`.

    Early stopping is off: it would hold out random rows, which look better than held-out blocks do.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = by_task("boosting", task, HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    own = {"max_iter": 200, "learning_rate": 0.05, "l2_regularization": 1.0, "early_stopping": False}
    return kind(**own | {"random_state": seed} | options)


def lightgbm(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make LightGBM with one thread; options of `lightgbm.LGBMClassifier` or `LGBMRegressor`.

    It sees columns by number: it refuses names such as "[4.5]".
    """
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = by_task("lightgbm", task, LGBMClassifier, LGBMRegressor)
    own = {"n_estimators": 200, "learning_rate": 0.05, "num_leaves": 31, "reg_lambda": 1.0, "subsample_freq": 1}
    fixed = {"n_jobs": 1, "verbose": -1, "deterministic": True, "force_col_wise": True, "random_state": seed}
    return kind(**own | fixed | options)


def by_task(use: str, task: str, classes: Any, regression: Any) -> Any:
    """Choose the class or the regression kind of a model.

    Raises
    ------
    BadParameter
        If it does neither.
    """
    kind = {"classes": classes, "events": classes, "regression": regression}.get(task)
    if kind is None:
        raise BadParameter(
            f"model {use!r} is not made for the task {task!r}", "choose a model from the table in the docs"
        )
    return kind
