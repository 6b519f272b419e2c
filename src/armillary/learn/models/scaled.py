"""Models that need numbers of like size without gaps: logistic, ridge, small perceptron.

What stands before them, filling and scaling, is common to all models: see
:mod:`armillary.learn.models.learner`.
"""

from typing import Any

from armillary.learn.models.trees import by_task


def logistic(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make logistic regression; options of `sklearn.linear_model.LogisticRegression`."""
    from sklearn.linear_model import LogisticRegression

    kind = by_task("logistic", task, LogisticRegression, None)
    return kind(**{"max_iter": 2000, "random_state": seed} | options)


def ridge(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make ridge regression; ``alphas`` are tried by leave-one-out. On columns of ``lags`` it is autoregression."""
    del seed
    from sklearn.linear_model import RidgeCV

    kind = by_task("ridge", task, None, RidgeCV)
    alphas = options.pop("alphas", (0.1, 1.0, 10.0, 100.0, 1000.0))
    return kind(**{"alphas": tuple(alphas)} | options)


def mlp(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make a small perceptron; options of `sklearn.neural_network.MLPClassifier` or `MLPRegressor`."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = by_task("mlp", task, MLPClassifier, MLPRegressor)
    layers = tuple(options.pop("hidden_layer_sizes", (64, 32)))
    own = {"hidden_layer_sizes": layers, "alpha": 1e-3, "max_iter": 200, "random_state": seed}
    return kind(**own | options)
