"""Rules that say a class: chosen on held-out answers, judged without the blocks they were chosen on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.learn.applying import answer_block, cut
from armillary.learn.deciding import Deciding, Decision, choose_decision, decision_of
from armillary.learn.preparing import prepare
from armillary.learn.publishing import publish
from armillary.learn.running import run
from armillary.learn.study import study_of
from armillary.learn.trained import load_run
from armillary.services.applying import table_of

STUDY: dict[str, Any] = {
    "name": "it", "task": "classes", "data": {"layout": "rows"}, "seeds": 2, "resamples": 30,
    "labels": {"positive": "rare"}, "split": {"group_on": "block", "folds": 3}, "choose_threshold": "f1",
    "features": [{"use": "columns", "options": {"names": ["a", "b"]}}],
    "models": [{"use": "logistic"}, {"use": "forest", "options": {"n_estimators": 30}}],
}  # fmt: skip


def rare(rows: int = 900, seed: int = 0) -> xr.Dataset:
    """One row in twelve is rare, and moved by a deviation: it is seldom the most probable class."""
    rng = np.random.default_rng(seed)
    kinds = (rng.random(rows) < 1 / 12).astype(int)
    a, b = rng.normal(size=(2, rows)) + 1.1 * kinds
    label = np.array(["common", "rare"], object)[kinds]
    columns = {"a": a, "b": b, "label": label, "block": np.arange(rows) // 30}
    return xr.Dataset({name: ("sample", one) for name, one in columns.items()})


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_no_other_threshold_has_a_better_f1(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), 40).round(2)
    codes = rng.integers(0, classes, 40)
    at = int(rng.integers(0, classes))

    def f1(weight: float) -> float:
        said = (p * np.where(np.arange(classes) == at, weight, 1.0)).argmax(axis=1) == at
        return 2 * float((said & (codes == at)).sum()) / max(float(said.sum() + (codes == at).sum()), 1)

    rule = choose_decision(codes, p, "f1", at)
    said = rule.codes(p) == at
    found = 2 * float((said & (codes == at)).sum()) / max(float(said.sum() + (codes == at).sum()), 1)
    assert found >= max(f1(weight) for weight in np.geomspace(0.02, 50, 60)) - 1e-9
    assert rule.weights.count(1.0) >= classes - 1


def test_a_macro_rule_is_never_worse_where_it_is_chosen() -> None:
    from armillary.learn.scores import confusion, confusion_scores

    rng = np.random.default_rng(1)
    codes = rng.choice(4, 500, p=[0.7, 0.2, 0.06, 0.04])
    p = rng.dirichlet([2, 1, 1, 1], 500) + 0.4 * np.eye(4)[codes]
    p /= p.sum(axis=1, keepdims=True)
    rule = choose_decision(codes, p, "macro_f1")
    scores = [confusion_scores(confusion(codes, said, 4))["macro_f1"] for said in (rule.codes(p), p.argmax(axis=1))]
    assert scores[0] > scores[1]


def test_missing_probabilities_say_no_class_and_rules_go_through_json() -> None:
    rule = Decision("f1", (1.0, 3.0))
    assert rule.codes(np.array([[0.74, 0.26], [0.76, 0.24], [np.nan, 1]])).tolist() == [1, 0, -1]
    assert decision_of(json.loads(json.dumps(rule.to_record()))) == rule
    assert "probability of 0.250" in rule.in_words(("quiet", "storm"))
    assert Decision("f1", (1.0, 1.0)).in_words(("a", "b")) == "the most probable class is said"


def test_each_held_out_sample_is_judged_by_a_rule_that_has_not_seen_it() -> None:
    always, never = Decision("f1", (1e-9, 1.0)), Decision("f1", (1.0, 1e-9))
    deciding = Deciding(always, (always, never), np.array([0, 1, 1, 0]))
    assert deciding.codes(np.full((4, 2), 0.5)).tolist() == [1, 0, 0, 1]


def test_a_study_is_judged_by_its_rule_beside_the_most_probable_class() -> None:
    study = study_of(STUDY)
    outcome = run(study, rare(), rare(seed=1))
    assert outcome.test is not None
    for one in outcome.trained:
        rule, scores = one.record["decision"], one.record["scores"]
        assert scores["f1"] > rule["most_probable"]["f1"] + 0.05
        assert len(set(one.deciding.others)) > 1 if one.deciding else False
        test = outcome.test.models[one.fitted.part.title]
        assert test["scores"]["f1"] > test["most_probable"]["f1"] + 0.05
        low, high = one.record["intervals"]["f1"]
        assert low < scores["f1"] < high
    plain = run(study_of(STUDY | {"choose_threshold": ""}), rare())
    first = outcome.trained[0].record
    assert plain.trained[0].record["scores"]["f1"] == pytest.approx(first["decision"]["most_probable"]["f1"])
    assert plain.trained[0].record["scores"]["ap"] == pytest.approx(first["scores"]["ap"])
    assert plain.trained[0].record["decision"] is None


def test_a_rule_on_labels_that_nothing_predicts_does_not_flatter() -> None:
    samples = rare()
    random = np.random.default_rng(3).permutation(samples.label.values)
    found = run(study_of(STUDY | {"models": STUDY["models"][:1]}), samples.assign(label=("sample", random)))
    share = float((random == "rare").mean())
    assert found.trained[0].record["scores"]["f1"] < 2 * share / (1 + share) + 0.06


def test_rows_a_model_is_applied_to_follow_the_rule(tmp_path: Path) -> None:
    study = study_of(STUDY)
    metrics = publish(study, tmp_path / "run", data=rare(), test_data=rare(seed=1))
    assert "Rule of" in (tmp_path / "run" / "card.md").read_text()
    applied = load_run(tmp_path / "run")
    fresh = rare(seed=1)
    answers, _ = answer_block(applied, cut(applied, fresh)[0]())
    classes = table_of(applied, answers)["class"]
    table = pq.read_table(tmp_path / "run" / "test_predictions.parquet")
    assert table[f"{metrics['best']} (class)"].to_pylist() == classes.tolist()
    prepared = prepare(study, fresh, applied.classes)
    assert (classes == "rare").sum() > (answers.answer.argmax(axis=1) == prepared.classes.index("rare")).sum()


@pytest.mark.parametrize("wrong", [{"choose_threshold": "accuracy"}, {"task": "regression"}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadParameter, match="choose_threshold"):
        study_of(STUDY | wrong)
