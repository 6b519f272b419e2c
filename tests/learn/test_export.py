"""ONNX files answer as the models do on all test rows, or there is none."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter, MissingExtra
from armillary.learn import export
from armillary.learn.export import check_exportable, export_onnx
from armillary.learn.models import make_model
from armillary.learn.study import Step

SMALL = {
    "extra_trees": {"n_estimators": 20},
    "forest": {"n_estimators": 20},
    "lightgbm": {"n_estimators": 20},
    "mlp": {"hidden_layer_sizes": [8], "max_iter": 20},
}
NAMES = ["a", "[4.5]", "c", "empty", "e"]


def rows(n: int = 400) -> Any:
    random = np.random.default_rng(0)
    x = random.normal(size=(n, 5)) * [1, 10, 100, 1, 1e4]
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 8)
    x[random.random(x.shape) < 0.1] = np.nan
    x[:, 3] = np.nan
    x[5, 2] = -np.inf
    return x, y


def answers_of(path: Any, x: Any) -> Any:
    """Answers of the two files alone, as somebody without Armillary would ask for them."""
    import onnxruntime

    asked = json.loads(path.with_suffix(".json").read_text())["input"]
    columns = [NAMES.index(name) for name in asked["columns"]]
    given = np.where(np.isinf(x), np.nan, x)[:, columns].astype(asked["dtype"])
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {asked["name"]: given})


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("use", ["extra_trees", "forest", "lightgbm", "logistic", "mlp"])
def test_classifiers_give_the_same_labels_from_the_files_alone(use: str, classes: Any, tmp_path: Path) -> None:
    x, y = rows()
    y = np.minimum(y, classes - 1)
    model = make_model(use, SMALL.get(use, {}), task="classes", seed=0).fit(x[:200], y[:200])
    path = tmp_path / "model.onnx"
    parity = export_onnx(model, x, path, names=NAMES, classes=["p", "q", "r"], steps=[Step(use="columns")])
    label, probability = answers_of(path, x)
    recipe = json.loads(path.with_suffix(".json").read_text())
    assert recipe["classes"] == ["p", "q", "r"][:classes]
    assert recipe["steps"] == [{"use": "columns", "options": {}}]
    assert recipe["input"]["columns"] == ["a", "[4.5]", "c", "e"]
    assert np.array_equal(label, model.predict(x))
    np.testing.assert_allclose(probability, model.predict_proba(x), atol=1e-5)
    assert parity["labels_equal"]
    assert parity["rows"] == 400


@pytest.mark.parametrize("use", ["extra_trees", "forest", "lightgbm", "mlp", "ridge"])
def test_regressions_give_the_same_numbers(use: str, tmp_path: Path) -> None:
    x, _ = rows()
    target = 1e5 + np.nan_to_num(x[:, 0])
    model = make_model(use, SMALL.get(use, {}), task="regression", seed=0).fit(x, target)
    export_onnx(model, x, tmp_path / "model.onnx", names=NAMES)
    answer = answers_of(tmp_path / "model.onnx", x)[0].ravel()
    np.testing.assert_allclose(answer, model.predict(x), atol=0.1)


def test_ties_of_an_even_number_of_trees_break_alike() -> None:
    # The usual converter gave 12 other labels on 2000 rows here.
    random = np.random.default_rng(0)
    x = random.normal(size=(2000, 3))
    model = make_model("extra_trees", {"n_estimators": 6}, task="classes", seed=0)
    model.fit(x[:200], random.integers(0, 2, 200))
    assert np.mean(model.predict_proba(x)[:, 0] == 0.5) > 0.1
    assert export.compare(model, x)[1]["labels_equal"]


def test_a_fold_that_lacked_a_class_keeps_its_names(tmp_path: Path) -> None:
    x, y = rows()
    seen = y != 1
    model = make_model("forest", SMALL["forest"], task="classes", seed=0, classes=3).fit(x[seen], y[seen])
    export_onnx(model, x, tmp_path / "model.onnx", names=NAMES, classes=["p", "q", "r"])
    recipe = json.loads((tmp_path / "model.json").read_text())
    assert recipe["classes"] == ["p", "r"]
    label = answers_of(tmp_path / "model.onnx", x)[0]
    assert np.array_equal(np.array(["p", "r"])[label], np.array(["p", "q", "r"])[model.predict(x)])


def test_another_label_on_one_row_fails_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows()
    model = make_model("forest", SMALL["forest"], task="classes", seed=0).fit(x, y)
    ask = export._answers

    def wrong(*args: Any) -> Any:
        label, probability = ask(*args)
        label[123] = (label[123] + 1) % 3
        return label, probability

    monkeypatch.setattr(export, "_answers", wrong)
    with pytest.raises(BadData, match="another label on 1 of 400 test rows"):
        export_onnx(model, x, tmp_path / "model.onnx", names=NAMES)
    assert not list(tmp_path.iterdir())


def test_another_number_on_one_row_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = rows()
    model = make_model("ridge", {}, task="regression", seed=0).fit(x, np.arange(400.0))
    ask = export._answers
    monkeypatch.setattr(export, "_answers", lambda *args: (ask(*args)[0] + np.eye(400)[7], None))
    with pytest.raises(BadData, match="answers 1 off"):
        export.compare(model, x)


MEMBERS = [{"use": "extra_trees", "n_estimators": 9, "weight": 2}, {"use": "boosting", "max_iter": 9}]
ENSEMBLE = {"members": [*MEMBERS, {"use": "lightgbm", "n_estimators": 9}, {"use": "network", "epochs": 1}]}
OWN: list[tuple[str, dict[str, Any]]] = [
    ("boosting", {"max_iter": 20}),
    ("knn", {}),
    ("knn", {"weights": "uniform", "scale": "standard"}),
    ("ensemble", ENSEMBLE),
    ("network", {"epochs": 2}),
    ("network", {"epochs": 2, "channels": 2, "width": 4}),
]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("use", "options"), OWN)
def test_models_that_no_converter_takes_answer_alike_with_gaps(
    use: str, options: dict[str, Any], classes: int, tmp_path: Path
) -> None:
    x, y = rows()
    model = make_model(use, options, task="classes", seed=0, classes=4).fit(x[:200], np.minimum(y, classes - 1)[:200])
    parity = export_onnx(model, x, tmp_path / "model.onnx", names=NAMES)
    assert parity["rows"] == 400
    assert parity["greatest_difference"] < 1e-5
    label, probability = answers_of(tmp_path / "model.onnx", x)
    assert np.array_equal(label, model.predict(x))
    np.testing.assert_allclose(probability, model.predict_proba(x)[:, :classes], atol=1e-5)


def test_missing_values_of_boosting_go_where_they_were_learnt_to_go() -> None:
    x = np.random.default_rng(0).normal(size=(400, 2))
    gone = np.arange(400) % 4 == 0
    for side in (-10.0, 10.0):  # what is missing is like the smallest, then like the largest values
        y = ((x[:, 0] < 0) if side < 0 else (x[:, 0] > 0)) | gone
        model = make_model("boosting", {"max_iter": 5}, task="classes", seed=0)
        model.fit(np.where(gone[:, None] & (np.arange(2) == 0), np.nan, x), y.astype(int))
        asked = np.full((5, 2), np.nan)
        assert (model.predict_proba(asked)[:, 1] > 0.5).all()
        assert export.compare(model, asked)[1]["labels_equal"]


@pytest.mark.parametrize(
    ("use", "options"),
    [
        ("boosting", {"max_iter": 20}),
        ("knn", {}),
        ("network", {"epochs": 2}),
        ("residual", {"then": {"use": "extra_trees", "n_estimators": 5}}),
        ("ensemble", {"members": [*MEMBERS, {"use": "ridge"}]}),
    ],
)
def test_regressions_of_our_own_graphs_give_the_same_numbers(use: str, options: dict[str, Any], tmp_path: Path) -> None:
    x, _ = rows()
    target = 1e5 + np.nan_to_num(x[:, 0])
    model = make_model(use, options, task="regression", seed=0).fit(x, target)
    export_onnx(model, x, tmp_path / "model.onnx", names=NAMES)
    np.testing.assert_allclose(answers_of(tmp_path / "model.onnx", x)[0].ravel(), model.predict(x), atol=0.05)


@pytest.mark.parametrize(
    ("use", "options"),
    [
        ("isolation_forest", {"n_estimators": 20}),
        ("isolation_forest", {"n_estimators": 20, "max_features": 0.5}),
        ("knn", {}),
        ("gmm", {}),
        ("rx", {}),
        ("pca_residual", {"k": 2}),
        ("rx", {"scale": "standard"}),
        ("negative_sampling", {"n_estimators": 20}),
    ],
)
def test_orders_of_strangeness_are_the_same(use: str, options: dict[str, Any], tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(300, 5)) * [1, 2, 3, 4, 5]
    model = make_model(use, options, task="novelty", seed=0).fit(x[:200])
    export_onnx(model, x, tmp_path / "model.onnx", names=NAMES)
    wanted = model.novelty(x)
    given = -answers_of(tmp_path / "model.onnx", x)[-1].ravel()
    np.testing.assert_allclose(given, wanted, atol=2e-4 * wanted.std())


@pytest.mark.parametrize(
    ("use", "options", "task", "told"),
    [
        ("demud", {}, "novelty", "asked about together"),
        ("ensemble", {"members": [{"use": "rx"}]}, "novelty", "asked about together"),
        ("lrx", {}, "novelty", "around each pixel"),
        ("rx", {"each_group": True}, "novelty", "one model a group"),
        ("knn", {"metric": "manhattan"}, "classes", "metric or weights of its own"),
        ("knn", {"scale": "rank"}, "classes", "rank"),
        ("boosting", {"loss": "poisson"}, "regression", "poisson"),
    ],
)
def test_what_cannot_be_exported_is_told_before_training(
    use: str, options: dict[str, Any], task: str, told: str
) -> None:
    with pytest.raises(BadParameter, match=told) as caught:
        check_exportable(use, options, task=task, classes=2)
    assert use in caught.value.problem


@pytest.mark.parametrize(
    ("use", "options", "task"),
    [
        ("boosting", {"max_iter": 10**6}, "classes"),
        ("ensemble", {"members": [{"use": "forest", "n_estimators": 10**6, "repeats": 2}]}, "classes"),
        ("residual", {"then": {"use": "extra_trees", "n_estimators": 10**6}}, "regression"),
        ("network", {"epochs": 10**6, "hidden": [10**4]}, "classes"),
        ("pca_residual", {}, "novelty"),
    ],
)
def test_the_trial_of_big_models_is_small(use: str, options: dict[str, Any], task: str) -> None:
    check_exportable(use, options, task=task, classes=5)


@pytest.mark.parametrize("use", ["extra_trees", "forest", "lightgbm", "logistic", "mlp"])
def test_what_can_be_exported_passes_the_trial_with_big_options(use: str) -> None:
    options = {"n_estimators": 10**6} if use in {"extra_trees", "forest", "lightgbm"} else {}
    check_exportable(use, options | {"dropout": 0.2, "class_weight": [1, 2, 3, 4]}, task="classes", classes=4)


def test_a_model_of_your_own_is_told(tmp_path: Path) -> None:
    x, y = rows()
    model = make_model("sklearn.dummy:DummyClassifier", {}, task="classes", seed=0).fit(x, y)
    with pytest.raises(BadParameter, match="cannot be converted to ONNX"):
        export_onnx(model, x, tmp_path / "model.onnx", names=NAMES)
    with pytest.raises(BadParameter, match="2 names for 5 columns"):
        export_onnx(model, x, tmp_path / "model.onnx", names=["a", "b"])
    with pytest.raises(BadData, match="no test row"):
        export_onnx(model, x[:0], tmp_path / "model.onnx", names=NAMES)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    monkeypatch.setitem(sys.modules, "skl2onnx.common.data_types", None)
    with pytest.raises(MissingExtra, match=r"armillary\[onnx\]"):
        check_exportable("logistic", {}, task="classes", classes=2)
