"""Intervals out of answers: however the answers are cut, the intervals are those of the whole."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadRequest
from armillary.learn.answers import Fitted
from armillary.learn.applying import Answers
from armillary.learn.events import Decoder
from armillary.learn.marking import Mark, likely, marks
from armillary.learn.study import study_of
from armillary.learn.trained import Run

HOUR = 3_600_000_000_000


def run_of(decoder: Decoder | None, classes: tuple[str, ...] = ("event", "quiet")) -> Run:
    study = study_of({
        "name": "it", "task": "events" if decoder else "classes", "data": {"layout": "timeline"},
        "labels": {"positive": "".join(classes[:1])}, "split": {"time_on": "time", "block": "5d"},
        "models": [{"use": "logistic"}],
    })  # fmt: skip
    fitted = Fitted(study.models[0], None, (), 0.0)
    return Run(Path(), study, "key", fitted, classes, None, decoder, None, None, {})


def answers_of(answer: Any, times: Any, group: Any = None, states: Any = None) -> Answers:
    answer = np.asarray(answer, float)
    places = {"time": np.asarray(times, np.int64)} | ({"group": np.asarray(group)} if group is not None else {})
    known = np.zeros(len(answer), np.int8) if states is None else np.asarray(states, np.int8)
    return Answers(places, answer, answer > 0.3, known, np.arange(len(answer))[:, None].astype(np.float32))


def told(found: list[Mark]) -> list[Any]:
    return [
        (one.start, one.stop, one.group, one.class_, round(one.probability, 9), one.trust, one.classes) for one in found
    ]


decoders = st.builds(
    Decoder, smooth=st.sampled_from([0.0, 3600.0, 3 * 3600.0]), threshold=st.sampled_from([0.3, 0.5, 0.7]),
    join=st.sampled_from([0.0, 7200.0]), least=st.sampled_from([0.0, 7200.0]),
    widen=st.sampled_from([0.0, 3600.0, -1800.0]), share=st.sampled_from([0.0, 0.5]),
)  # fmt: skip


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.4, 0.6, 0.9, np.nan]), min_size=1, max_size=150),
    st.sets(st.integers(1, 149)), st.sets(st.integers(0, 149)), decoders,
)  # fmt: skip
def test_cut_answers_give_the_same_events(score: list[float], cuts: set[int], gaps: set[int], decoder: Decoder) -> None:
    times = np.arange(len(score)) * HOUR + np.isin(np.arange(len(score)), list(gaps)).cumsum() * 5 * HOUR
    whole = answers_of(np.column_stack([score, 1 - np.array(score)]), times)
    edges = [0, *sorted(one for one in cuts if one < len(score)), len(score)]
    parts = [whole.some(slice(low, high)) for low, high in pairwise(edges)]
    run = run_of(decoder)
    assert told(list(marks(run, parts, 3600.0))) == told(list(marks(run, [whole], 3600.0)))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.sets(st.integers(1, 59)))
def test_cut_answers_give_the_same_stretches(classes: list[str], cuts: set[int]) -> None:
    run = run_of(None, ("a", "b", "c"))
    answer = np.eye(3)[["abc".index(one) for one in classes]]
    whole = answers_of(answer, np.arange(len(classes)) * HOUR)
    edges = [0, *sorted(one for one in cuts if one < len(classes)), len(classes)]
    parts = [whole.some(slice(low, high)) for low, high in pairwise(edges)]
    found = list(marks(run, parts, 3600.0))
    assert told(found) == told(list(marks(run, [whole], 3600.0)))
    assert "".join(one.class_ * ((one.stop - one.start) // HOUR) for one in found) == "".join(classes)


def test_memory_does_not_grow_with_quiet_time() -> None:
    """What is decided is given at once: the first event comes before the last answers are asked for."""
    asked = []

    def parts() -> Any:
        for number in range(50):
            asked.append(number)
            score = np.full(100, 0.1)
            score[40:50] = 0.9 if number == 0 else 0.1
            yield answers_of(np.column_stack([score, 1 - score]), (np.arange(100) + 100 * number) * HOUR)

    first = next(marks(run_of(Decoder(smooth=7200.0)), parts(), 3600.0))
    assert first.start == 40 * HOUR
    assert len(asked) <= 2


def test_groups_do_not_mix() -> None:
    score = np.array([0.9] * 4)
    rows = answers_of(np.column_stack([score, 1 - score]), np.array([0, 1, 1, 2]) * HOUR, ["p", "p", "q", "q"])
    found = list(marks(run_of(Decoder()), [rows.some(slice(0, 3)), rows.some(slice(3, None))], 3600.0))
    assert [(one.group, one.start // HOUR, one.stop // HOUR) for one in found] == [("p", 0, 2), ("q", 1, 3)]


def test_a_mark_says_what_most_of_its_samples_are() -> None:
    score = np.array([0.1, 0.8, 0.9, 0.7, 0.1])
    rows = answers_of(np.column_stack([score, 1 - score]), np.arange(5) * HOUR, states=[0, 0, 2, 2, 0])
    (one,) = marks(run_of(Decoder()), [rows], 3600.0)
    assert (one.trust, one.classes, one.class_) == ("ood", ("event",), "event")
    assert one.probability == pytest.approx(0.8)
    np.testing.assert_allclose(one.point, [2.0])


def test_likely_finds_more() -> None:
    score = np.array([0.1, 0.4, 0.4, 0.1])
    rows = answers_of(np.column_stack([score, 1 - score]), np.arange(4) * HOUR)
    run = run_of(Decoder(least=3 * 3600.0))
    assert not list(marks(run, [rows], 3600.0))
    assert len(list(marks(run, [rows], 3600.0, likely(Decoder(least=3 * 3600.0))))) == 1


def test_what_is_no_event_is_told() -> None:
    with pytest.raises(BadRequest, match="without time"):
        list(marks(run_of(Decoder()), [Answers({}, *(np.zeros((1, 2)),) * 4)], 1.0))
    numbers = run_of(None, ())
    with pytest.raises(BadRequest, match="numbers along a series"):
        list(marks(numbers, [], 1.0))
