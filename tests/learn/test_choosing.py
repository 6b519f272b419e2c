"""The choice of the best of several models is held out too."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.learn.card import card_of
from armillary.learn.choosing import choose_nested
from armillary.learn.judging import judge
from armillary.learn.outcome_files import metrics_of
from armillary.learn.preparing import prepare
from armillary.learn.running import Outcome, run
from armillary.learn.study import study_of

STUDY: dict[str, Any] = {
    "name": "it", "task": "classes", "data": {"layout": "rows"}, "seeds": 1, "resamples": 40,
    "split": {"group_on": "block", "folds": 3}, "features": [{"use": "columns", "options": {"names": ["a", "b"]}}],
    "models": [{"use": "logistic"}, {"use": "forest", "options": {"n_estimators": 20}}],
}  # fmt: skip


def samples(task: str = "classes", signal: float = 2.0) -> xr.Dataset:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 600))
    value = signal * a + rng.normal(size=600)
    label: Any = value if task == "regression" else np.array(["no", "yes"], object)[(value > 0).astype(int)]
    columns = {"a": a, "b": b, "label": label, "block": np.arange(600) // 20}
    return xr.Dataset({name: ("sample", one) for name, one in columns.items()})


@pytest.mark.parametrize(
    ("task", "use"), [("classes", ["logistic", "extra_trees"]), ("regression", ["ridge", "extra_trees"])]
)
def test_a_clear_winner_keeps_its_score(task: str, use: list[str]) -> None:
    models = [{"use": one, "options": {"max_depth": 1} if one == "extra_trees" else {}} for one in use]
    outcome = run(study_of(STUDY | {"task": task, "models": models}), samples(task))
    nested = outcome.nested
    assert nested is not None
    assert nested["chosen"] == {use[0]: nested["parts"]}
    assert nested["parts"] == 20
    best = outcome.trained[outcome.best].record
    assert nested["value"] == pytest.approx(best["scores"][nested["score"]])
    assert nested["plain"] == pytest.approx(nested["value"])
    assert nested["interval"][0] < nested["value"] < nested["interval"][1]


def test_models_that_know_nothing_are_not_flattered_by_their_number() -> None:
    study = study_of(STUDY)
    outcome = run(study, samples(signal=0.0))
    prepared, rng = outcome.prepared, np.random.default_rng(1)
    base = outcome.trained[0]
    many = []
    for number in range(40):
        p = rng.random(len(prepared))
        one = replace(base, answer=np.column_stack([1 - p, p]), fitted=replace(base.fitted, seconds=float(number)))
        many.append(replace(one, record=judge(replace(study, resamples=0), prepared, one.answer)))
    nested = choose_nested(study, prepared, many, "accuracy")
    assert nested is not None
    assert nested["plain"] > 0.53
    assert nested["value"] < nested["plain"] - 0.01
    assert nested["interval"][0] < 0.5 < nested["interval"][1]


def test_orders_of_strangeness_are_put_together_by_their_ranks() -> None:
    columns = {"group_on": "block", "folds": 3}
    models = [{"use": "rx"}, {"use": "isolation_forest", "options": {"n_estimators": 20}}]
    rng = np.random.default_rng(0)
    odd = rng.random(600) < 0.1
    known = samples().assign(
        a=("sample", rng.normal(size=600) + 5 * odd), label=("sample", np.where(odd, "odd", "usual").astype(object))
    )
    study = study_of(STUDY | {"task": "novelty", "models": models, "labels": {"positive": "odd"}, "split": columns})
    nested = run(study, known).nested
    assert nested is not None
    assert nested["score"] == "roc_auc"
    assert 0.8 < nested["value"] <= nested["plain"] + 0.02


def test_one_model_has_nothing_to_choose_from() -> None:
    outcome = run(study_of(STUDY | {"models": STUDY["models"][:1]}), samples())
    assert outcome.nested is None


def test_the_card_and_the_scores_say_it() -> None:
    study = study_of(STUDY)
    outcome: Outcome = run(study, samples())
    for one in outcome.trained:
        one.record["costs"]["size_kB"] = 1.0
    metrics = metrics_of(study, outcome)
    assert metrics["best_nested"]["models"] == 2
    text = card_of(study, {"key": "k", "data": "d", "versions": {}}, metrics)
    assert "Chosen among 2 models: macro_f1" in text
    assert prepare(study, samples()).classes == ("no", "yes")
