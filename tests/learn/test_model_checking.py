"""Options of models are looked at before anything is read or trained."""

from pathlib import Path
from typing import Any

import pytest

from armillary.errors import BadParameter
from armillary.learn.models.checking import check_models
from armillary.learn.publishing import publish
from armillary.learn.study import study_of

WRONG: Any = [
    ("logistic", {"C": "big"}, "'C' parameter"),
    ("extra_trees", {"n_estimators": -3}, "'n_estimators' parameter"),
    ("boosting", {"learning_rate": -1.0}, "'learning_rate'"),
    ("logistic", {"zzz": 1}, "zzz"),
    ("logistic", {"scale": "huge"}, "scale = 'huge'"),
    ("ensemble", {"members": [{"use": "forest", "n_estimators": 0}]}, "'n_estimators' parameter"),
]


@pytest.mark.parametrize(("use", "options", "said"), WRONG)
def test_a_wrong_value_is_told(use: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        check_models([("it", use, options)], "classes")


def test_lightgbm_is_asked_too() -> None:
    pytest.importorskip("lightgbm")
    check_models([("it", "lightgbm", {"n_estimators": 3})], "classes")
    with pytest.raises(BadParameter):
        check_models([("it", "lightgbm", {"num_leaves": -3})], "classes")


def test_right_options_pass_whatever_the_task() -> None:
    check_models([("a", "logistic", {"dropout": 0.5, "class_weight": "balanced"}), ("b", "mlp", {})], "classes")
    check_models([("a", "ridge", {}), ("b", "knn", {"n_neighbors": 3})], "regression")
    check_models([("a", "knn", {}), ("b", "rx", {}), ("c", "isolation_forest", {})], "novelty")
    check_models([("a", "isolation_forest", {"each_group": True})], "events")


def test_a_study_stops_before_it_reads_its_data(tmp_path: Path) -> None:
    models = [{"use": "logistic"}, {"use": "forest", "name": "wood", "options": {"max_depth": -1}}]
    asked = study_of(
        {"name": "it", "task": "classes", "data": {"layout": "table"}, "split": {"random": True}, "models": models}
    )
    with pytest.raises(BadParameter, match="model 'wood' does not take its options"):
        publish(asked, tmp_path / "run", data=tmp_path / "nothing.csv")
    assert not (tmp_path / "run").exists()
