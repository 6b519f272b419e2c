"""Events of a study: thresholds never see what they are judged on, and ties are of the score that chose."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.learn.event_judging import choose_decoding, events_across, judge_events
from armillary.learn.preparing import prepare
from armillary.learn.running import chosen_by, run
from armillary.learn.study import Study, study_of

HOUR = 3_600_000_000_000


def series(seed: int, skill: float, hours: int = 2400) -> xr.Dataset:
    """Events of 10 h every 60 h or so, and a number that is larger inside by `skill` standard deviations."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.integers(40, 80, hours // 60))
    starts = starts[starts < hours - 10]
    inside = np.zeros(hours, bool)
    for start in starts:
        inside[start : start + 10] = True
    times = np.arange(hours) * HOUR
    named = {"a": rng.normal(size=hours) + skill * inside, "label": np.where(inside, "event", "quiet")}
    events = np.column_stack([starts, starts + 10]) * HOUR
    variables: dict[str, Any] = {name: ("sample", values) for name, values in named.items()}
    variables["time"] = ("sample", times.astype("datetime64[ns]"))
    return xr.Dataset(variables, attrs={"events": events, "cadence": 3600.0, "positive": "event"})


def study(**change: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "it", "task": "events", "data": {"layout": "timeline", "path": "it"}, "seeds": 1, "resamples": 30,
        "labels": {"positive": "event"}, "features": [{"use": "columns", "options": {"names": ["a"]}}],
        "split": {"time_on": "time", "block": "5d", "embargo": "6h", "folds": 4}, "models": [{"use": "logistic"}],
        "events": {"decoder": {"smooth": [0, "5h"], "threshold": [0.2, 0.4, 0.6], "least": ["2h", "5h"]}},
    }  # fmt: skip
    return study_of(plain | change)


def test_events_with_skill_are_found_and_beside_controls() -> None:
    outcome = run(study(models=[{"use": "logistic"}, {"use": "knn"}]), series(0, 3.0))
    best = outcome.trained[outcome.best].record
    assert best["scores"]["event_f1_iou25"] > 0.8
    assert best["intervals"]["event_f1_iou25"][0] > 0.6
    assert all("event_f1_iou25" in scores for name, scores in outcome.controls.items() if name in {"boxes", "random"})
    assert outcome.ties[0].startswith("event_f1_iou25")


def test_each_event_is_decoded_without_its_own_block() -> None:
    """Answers that are good in one fold only: its own decoder may not be chosen by it."""
    asked, prepared = study(), prepare(study(), series(1, 0.0))
    inside = prepared.target == prepared.classes.index("event")
    answer = np.where(inside, 0.9, 0.1)
    answer = np.column_stack([answer, 1 - answer])[
        :, [prepared.classes.index("event"), 1 - prepared.classes.index("event")]
    ]
    decoding = choose_decoding(asked, prepared, answer)
    found = events_across(asked, prepared, answer, decoding)
    assert len(found) == len(prepared.samples.attrs["events"])
    assert judge_events(asked, prepared, answer, decoding)["scores"]["event_f1_iou50"] == pytest.approx(1.0)
    for fold, decoder in enumerate(decoding.others):
        other = answer.copy()
        other[decoding.folds == fold] = 0.5
        assert choose_decoding(asked, prepared, other).others[fold] == decoder


def test_a_small_overlap_is_named_as_its_score_is() -> None:
    asked = study(events={"aim": 0.05, "iou": [0.05, 0.5]})
    outcome = run(asked, series(0, 3.0, hours=1200))
    assert chosen_by(asked) in outcome.trained[0].record["scores"]


def test_noise_does_not_look_skilled() -> None:
    scores = [run(study(), series(seed, 0.0)).trained[0].record["scores"]["event_f1_iou50"] for seed in range(2)]
    assert np.mean(scores) < 0.15


def test_the_choice_among_models_of_events_is_held_out_too() -> None:
    models = [{"use": "logistic"}, {"use": "forest", "options": {"n_estimators": 10}}]
    outcome = run(study(models=models), series(0, 2.0))
    nested = outcome.nested
    assert nested is not None
    assert nested["score"] == "event_f1_iou25"
    assert sum(nested["chosen"].values()) == nested["parts"] == 20
    assert nested["interval"][0] < nested["value"] < nested["interval"][1]
    assert nested["value"] <= nested["plain"] + 0.05
    if len(nested["chosen"]) == 1:
        assert nested["value"] == pytest.approx(nested["plain"])
