"""Models behind one door: missing values, classes, weights, dropped groups; and the traps of the libraries."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter, MissingExtra
from armillary.learn.models import MODELS, make_model
from armillary.learn.models.learner import drop_groups

SMALL = {
    "boosting": {"max_iter": 15, "min_samples_leaf": 5},
    "ensemble": {"members": [{"use": "extra_trees", "n_estimators": 5}]},
    "extra_trees": {"n_estimators": 15},
    "forest": {"n_estimators": 15},
    "isolation_forest": {"n_estimators": 15},
    "lightgbm": {"n_estimators": 15, "min_child_samples": 5},
    "mlp": {"hidden_layer_sizes": [8], "max_iter": 150, "learning_rate_init": 0.02},
    "network": {"hidden": [8], "epochs": 12, "batch": 32, "rate": 0.02},
}
CLASSIFIERS = ["boosting", "extra_trees", "forest", "knn", "lightgbm", "logistic", "mlp", "network"]
REGRESSIONS = ["boosting", "extra_trees", "forest", "knn", "lightgbm", "mlp", "network", "ridge"]
NOVELTIES = ["gmm", "isolation_forest", "knn"]


def rows(n: int = 240, seed: int = 0) -> Any:
    """Rows of which the first column tells three classes, with gaps, an empty column and an infinite value."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = random.normal(size=(n, 5)) * [0.3, 1, 10, 100, 1]
    x[:, 0] += 2 * y
    x[:, 1] -= 2 * (y == 2)
    x[random.random(x.shape) < 0.05] = np.nan
    x[:, 4] = np.nan
    x[7, 2] = np.inf
    return x, y


@pytest.mark.parametrize("use", CLASSIFIERS)
def test_classifiers_learn_through_gaps(use: str) -> None:
    x, y = rows()
    model = make_model(use, SMALL.get(use, {}), task="classes", seed=0).fit(x, y)
    probability = model.predict_proba(rows(seed=1)[0])
    assert probability.shape == (240, 3)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-6)
    assert np.mean(model.predict(rows(seed=1)[0]) == y) > 0.8


@pytest.mark.parametrize("use", REGRESSIONS)
def test_regressions_learn_numbers_of_any_size(use: str) -> None:
    x, _ = rows()
    x[:, 1:] = np.where(np.isnan(x[:, 1:]), np.nan, 0.1 * x[:, 1:])
    target = 1e5 + 1e3 * np.nan_to_num(x[:, 0], nan=2.0)
    answers = make_model(use, SMALL.get(use, {}), task="regression", seed=0).fit(x, target).predict(x)
    assert np.sqrt(np.mean((answers - target) ** 2)) < 0.5 * target.std()


@pytest.mark.parametrize("use", NOVELTIES)
def test_what_lies_far_off_is_stranger(use: str) -> None:
    x, _ = rows()
    far = np.full((1, 5), 50.0)
    model = make_model(use, SMALL.get(use, {}), task="novelty", seed=0).fit(x)
    assert model.novelty(far)[0] > np.quantile(model.novelty(x), 0.99)


@pytest.mark.parametrize("use", ["extra_trees", "lightgbm", "mlp"])
def test_the_same_seed_gives_the_same_answers(use: str) -> None:
    x, y = rows()
    one, two = (make_model(use, SMALL[use], task="classes", seed=3).fit(x, y).predict_proba(x) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("use", CLASSIFIERS)
def test_a_fold_may_lack_a_class(use: str) -> None:
    x, y = rows()
    seen = y != 1
    model = make_model(use, SMALL.get(use, {}), task="classes", seed=0, classes=4).fit(x[seen], y[seen])
    probability = model.predict_proba(x)
    assert probability.shape == (240, 4)
    assert not probability[:, [1, 3]].any()
    assert set(model.predict(x[seen])) == {0, 2}


def test_labels_of_any_numbers_are_gapless_inside() -> None:
    # scikit-learn 1.9 calibrates to uniform probabilities where integer labels begin at 1: no estimator may see such.
    x, y = rows()
    model = make_model("extra_trees", SMALL["extra_trees"], task="classes", seed=0).fit(x, y + 1)
    assert model.estimator.classes_.tolist() == [0, 1, 2]
    assert set(model.predict(x)) == {1, 2, 3}


def test_lightgbm_never_sees_the_names_it_refuses() -> None:
    # LightGBM: "Do not support special JSON characters in feature name" for Spitzer's "[4.5]".
    import xarray as xr

    from armillary.learn.features import build

    x, y = rows()
    samples = xr.Dataset({"[4.5]": ("sample", x[:, 0]), '{"a": 1}': ("sample", x[:, 1])})
    features = build(samples, [])
    assert features.names[0] == "[4.5]"
    model = make_model("lightgbm", SMALL["lightgbm"], task="classes", seed=0, groups=features.groups)
    assert np.mean(model.fit(features.matrix, y).predict(features.matrix) == y) > 0.8


@pytest.mark.parametrize("use", ["extra_trees", "forest", "isolation_forest", "lightgbm"])
def test_models_use_one_thread(use: str) -> None:
    # Two threads of LightGBM on a machine with two busy cores took 20 times as long as one.
    task = "novelty" if use == "isolation_forest" else "classes"
    assert make_model(use, {}, task=task, seed=0).estimator.n_jobs == 1


def test_openmp_is_held_to_one_thread_while_boosting_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    from threadpoolctl import threadpool_info

    x, y = rows()
    model = make_model("boosting", {"max_iter": 2}, task="classes", seed=0)
    learn, seen = model.estimator.fit, []

    def watched(*args: Any) -> Any:
        seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "openmp")
        return learn(*args)

    monkeypatch.setattr(model.estimator, "fit", watched)
    model.fit(x, y)
    assert seen
    assert set(seen) == {1}


def test_boosting_takes_a_column_without_values() -> None:
    # scikit-learn 1.9 ends with "window shape cannot be larger than input array shape".
    x, y = rows()
    model = make_model("boosting", SMALL["boosting"], task="classes", seed=0).fit(x, y)
    assert model.columns_.tolist() == [0, 1, 2, 3]
    x[:, 4] = 1.0
    assert np.isfinite(model.predict_proba(x)).all()


@pytest.mark.parametrize("use", ["extra_trees", "lightgbm", "logistic", "mlp", "network"])
def test_balanced_weights_find_more_of_the_rare_class(use: str) -> None:
    random = np.random.default_rng(0)
    y = (np.arange(600) % 12 == 0).astype(int)
    x = random.normal(size=(600, 2)) + 1.2 * y[:, None]
    options = SMALL.get(use, {}) | ({"min_samples_leaf": 10} if use == "extra_trees" else {})
    found = [
        np.mean(make_model(use, options | {"class_weight": how}, task="classes", seed=0).fit(x, y).predict(x)[y == 1])
        for how in ("none", "balanced")
    ]
    assert found[1] > found[0] + 0.1


def test_one_weight_a_class() -> None:
    x, y = rows()
    model = make_model("logistic", {"class_weight": [1, 1e6, 1]}, task="classes", seed=0).fit(x, y)
    assert np.mean(model.predict(x) == 1) > 0.4
    with pytest.raises(BadParameter, match="2 numbers"):
        make_model("logistic", {"class_weight": [1, 2]}, task="classes", seed=0).fit(x, y)


def test_dropout_teaches_to_do_without_a_group() -> None:
    random = np.random.default_rng(0)
    y = np.arange(600) % 2
    x = np.column_stack([y * 4.0, y * 2.0]) + random.normal(size=(600, 2)) * [0.1, 0.8]
    blind = np.column_stack([np.full(600, np.nan), x[:, 1]])
    found = []
    for dropout in (0.0, 0.4):
        options = {"n_estimators": 40, "max_features": None, "dropout": dropout}
        model = make_model("extra_trees", options, task="classes", seed=0, groups=("a", "b")).fit(x, y)
        found.append(np.mean(model.predict(blind) == y))
    assert found[1] > 0.8
    assert found[1] > found[0]


@given(st.lists(st.sampled_from(["a", "b", "c", "a|b"]), min_size=2, max_size=8), st.floats(0, 1), st.integers(0, 99))
def test_groups_drop_as_a_whole_and_never_all(groups: list[str], share: float, seed: int) -> None:
    x = drop_groups(np.ones((20, len(groups))), groups, share, np.random.default_rng(seed))
    gone = np.isnan(x)
    assert not gone.all(axis=1).any()
    for name in groups:
        same = [at for at, one in enumerate(groups) if one == name]
        assert np.array_equal(gone[:, same].all(axis=1), gone[:, same].any(axis=1))
    if {"a", "a|b"} <= set(groups):
        assert not (gone[:, groups.index("a")] & ~gone[:, groups.index("a|b")]).any()


class Votes:
    """A stranger's model without probabilities."""

    def __init__(self, keen: int = 1) -> None:
        self.keen = keen

    def fit(self, x: Any, y: Any) -> Any:
        self.width_ = x.shape[1]
        self.y_ = y[0]
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.y_)


def test_anything_with_fit_and_predict_by_dotted_name(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows()
    monkeypatch.setitem(sys.modules, "strangers", sys.modules[__name__])
    model = make_model("strangers:Votes", {"keen": 2}, task="classes", seed=0).fit(x, y)
    assert model.estimator.keen == 2
    assert model.predict_proba(x)[0].tolist() == [1, 0, 0]
    with pytest.raises(BadParameter, match="cannot weigh rows"):
        make_model("strangers:Votes", {"class_weight": "balanced"}, task="classes", seed=0).fit(x, y)
    tree = make_model("sklearn.tree:DecisionTreeClassifier", {"scale": "rank"}, task="classes", seed=5).fit(x, y)
    assert tree.estimator.random_state == 5
    assert np.mean(tree.predict(x) == y) == 1


@pytest.mark.parametrize(
    ("use", "options", "task", "problem"),
    [
        ("oracle", {}, "classes", "no model 'oracle'"),
        ("forest", {"trees": 3}, "classes", "trees"),
        ("ridge", {}, "classes", "not made for the task"),
        ("forest", {}, "novelty", "not made for the task"),
        ("gmm", {}, "regression", "not made for the task"),
        ("forest", {"dropout": 2}, "classes", "no probability"),
        ("forest", {"dropout": 0.2}, "classes", "two feature groups"),
        ("forest", {"scale": "loud"}, "classes", "scale = 'loud'"),
        ("os:system", {}, "classes", "no class with a method fit"),
        ("os:getcwd", {}, "classes", "no class with a method fit"),
    ],
)
def test_a_wrong_wish_is_told_before_training(use: str, options: dict[str, Any], task: str, problem: str) -> None:
    with pytest.raises(BadParameter, match=problem):
        make_model(use, options, task=task, seed=0)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match=r"armillary\[boosting\]"):
        make_model("lightgbm", {}, task="classes", seed=0)


def test_rows_without_sense_are_refused() -> None:
    x, y = rows()
    model = make_model("forest", {}, task="classes", seed=0)
    with pytest.raises(BadData, match="one class only"):
        model.fit(x, np.zeros(240, int))
    with pytest.raises(BadData, match="all values of all features"):
        model.fit(np.full((4, 2), np.nan), np.array([0, 1, 0, 1]))
    with pytest.raises(BadData, match="no row"):
        model.fit(x[:0], y[:0])
    with pytest.raises(BadParameter, match="not learnt anything"):
        make_model("forest", {}, task="classes", seed=0).predict(x)
    with pytest.raises(BadParameter, match="class_weight = 'heavy'"):
        make_model("forest", {"class_weight": "heavy"}, task="classes", seed=0).fit(x, y)
    with pytest.raises(BadParameter, match="cannot learn from these rows"):
        make_model("forest", {"n_estimators": -1}, task="classes", seed=0).fit(x, y)


def test_every_listed_model_is_tested() -> None:
    assert {*CLASSIFIERS, *REGRESSIONS, *NOVELTIES} <= set(MODELS)


def test_the_door_loads_numpy_only() -> None:
    code = (
        "import sys, armillary.learn.models, armillary.learn.models.learner, armillary.learn.models.keeping,"
        "armillary.learn.export, armillary.learn.features.columns, armillary.learn.features.along,"
        "armillary.learn.features.quant;"
        "print(sorted({'sklearn','skops','lightgbm','torch','onnx','xarray','pandas','scipy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
