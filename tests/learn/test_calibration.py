"""Calibrations help on held-out blocks or are not used."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn import scores
from armillary.learn.calibration import KINDS, Calibration, calibration_of, choose_calibration, fold_blocks, held_out

Array = np.ndarray[Any, np.dtype[Any]]


def softmax(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    share: Array = raised / raised.sum(axis=1, keepdims=True)
    return share


def world(
    seed: int, rows: int = 2000, classes: int = 3, power: float = 1.0, offset: float = 0.0
) -> tuple[Array, Array, Array]:
    """What a model says that is `power` times too sure and tilted to the first class; labels follow the truth."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (rows, classes))
    codes = (softmax(logits).cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1).clip(0, classes - 1)
    logits[:, 0] += offset
    return softmax(power * logits), codes, np.repeat(np.arange(20), rows // 20)


def loss(probability: Array, codes: Array) -> float:
    return float(scores.row_losses(codes, probability).mean())


@pytest.mark.parametrize("power", [0.3, 3.0])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_temperature_undoes_what_was_too_sure(power: float, classes: int) -> None:
    probability, codes, blocks = world(0, 6000, classes, power)
    chosen = choose_calibration(probability, codes, blocks, "temperature")
    assert chosen.values["temperature"] == pytest.approx(power, rel=0.12)
    assert (chosen.apply(probability).argmax(axis=1) == probability.argmax(axis=1)).all()
    fresh, truth, _ = world(1, 6000, classes, power)
    honest, _, _ = world(1, 6000, classes)
    assert loss(chosen.apply(fresh), truth) < loss(honest, truth) + 0.01


def test_offsets_undo_what_a_balanced_model_has_done() -> None:
    probability, codes, blocks = world(0, 6000, 3, 1.0, offset=2.0)
    chosen = choose_calibration(probability, codes, blocks)
    assert chosen.kind == "bias"
    fresh, truth, _ = world(1, 6000, 3, 1.0, offset=2.0)
    honest, _, _ = world(1, 6000, 3)
    assert loss(chosen.apply(fresh), truth) < loss(honest, truth) + 0.01


def test_isotonic_undoes_what_no_temperature_can() -> None:
    rng = np.random.default_rng(0)
    true = rng.random(8000)
    codes, said = (rng.random(8000) < true).astype(int), 0.5 + 0.4 * np.where(true > 0.5, 1, -1) * (2 * true - 1) ** 4
    chosen = choose_calibration(np.column_stack([1 - said, said]), codes, np.arange(8000) // 400)
    assert chosen.kind == "isotonic"
    assert np.abs(chosen.apply(np.column_stack([1 - said, said]))[:, 1] - true).mean() < 0.03


@given(st.integers(0, 1000), st.sampled_from([2, 3, 5]), st.floats(0.2, 5), st.floats(-2, 2))
@settings(max_examples=7, deadline=None)
def test_auto_is_never_worse_than_nothing_by_held_out_loss(
    seed: int, classes: int, power: float, offset: float
) -> None:
    probability, codes, blocks = world(seed, 400, classes, power, offset)
    chosen = choose_calibration(probability, codes, blocks)
    assert set(chosen.losses) == set(KINDS)
    assert chosen.losses["none"] == pytest.approx(loss(probability, codes))
    assert chosen.losses[chosen.kind] == min(chosen.losses.values())
    measured = loss(held_out(probability, codes, blocks, chosen.kind), codes)
    assert measured == pytest.approx(chosen.losses[chosen.kind])
    assert measured <= loss(probability, codes) + 1e-12


@given(st.integers(0, 1000), st.sampled_from(KINDS))
@settings(max_examples=25, deadline=None)
def test_of_two_classes_the_order_of_rows_stays(seed: int, kind: str) -> None:
    probability, codes, blocks = world(seed, 200, 2, 2.0)
    after = choose_calibration(probability, codes, blocks, kind).apply(probability)
    order = np.argsort(probability[:, 1])
    assert (np.diff(after[order, 1]) >= 0).all()
    assert scores.average_precision(codes == 1, after[:, 1]) == pytest.approx(
        scores.average_precision(codes == 1, probability[:, 1])
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 4])
def test_certain_answers_of_a_forest_stay_finite_and_travel_as_json(kind: str, classes: int) -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, classes, 400)
    said = np.where(rng.random(400) < 0.8, codes, rng.integers(0, classes, 400))
    chosen = choose_calibration(np.eye(classes)[said], codes, np.arange(400) // 20, kind)
    again = calibration_of(json.loads(json.dumps(chosen.to_record())))
    after = again.apply(np.eye(classes)[said])
    assert (after == chosen.apply(np.eye(classes)[said])).all()
    assert after.sum(axis=1) == pytest.approx(1)
    assert kind == "none" or loss(after, codes) < 1.5


def test_a_class_that_never_occurs_does_no_harm() -> None:
    probability, codes, blocks = world(0, 600, 4)
    few = codes != 2
    for kind in KINDS:
        after = choose_calibration(probability[few], codes[few], blocks[few], kind).apply(probability)
        assert np.isfinite(after).all()


def test_labels_from_1_are_refused_where_scikit_learn_gives_uniform_probabilities() -> None:
    probability, codes, blocks = world(0, 400, 3)
    with pytest.raises(BadData, match="label code 3 does not fit 3 classes"):
        choose_calibration(probability, codes + 1, blocks)
    after = choose_calibration(probability, codes, blocks, "temperature").apply(probability)
    assert after.std() > 0.1


@pytest.mark.parametrize("how", ["none", "auto", "temperature"])
def test_one_class_or_one_block_is_told(how: str) -> None:
    probability, codes, blocks = world(0, 400, 3)
    if how == "auto":
        assert "one class only" in choose_calibration(probability, np.zeros(400, int), blocks).why
        told = choose_calibration(probability, codes, np.zeros(400))
        assert (told.kind, told.why) == ("none", "not calibrated: all rows lie in one block")
    else:
        assert choose_calibration(probability, codes, np.zeros(400), how).why == "as asked"


def test_bad_input_is_refused() -> None:
    probability, codes, blocks = world(0, 400, 3)
    with pytest.raises(BadParameter, match="no calibration 'platt'"):
        choose_calibration(probability, codes, blocks, "platt")
    with pytest.raises(BadParameter, match="no calibration 'magic'"):
        Calibration("magic")
    with pytest.raises(BadData, match="have NaN"):
        choose_calibration(np.where(probability > 0.9, np.nan, probability), codes, blocks)
    with pytest.raises(BadData, match="for 3 classes, not for 2"):
        choose_calibration(probability, codes, blocks, "isotonic").apply(np.full((1, 2), 0.5))
    with pytest.raises(BadData, match="1 block cannot be held out"):
        held_out(probability, codes, np.zeros(400), "isotonic")


def test_unlabelled_rows_teach_nothing() -> None:
    probability, codes, blocks = world(0, 400, 3, 2.0)
    more = np.concatenate([probability, probability[::-1]]), np.concatenate([codes, np.full(400, -1)])
    first = choose_calibration(*more, np.concatenate([blocks, blocks]))
    assert first == choose_calibration(probability, codes, blocks)


def test_rows_without_any_answer_stay_without() -> None:
    probability, codes, blocks = world(0, 400, 3, 2.0)
    chosen = choose_calibration(probability, codes, blocks, "isotonic")
    gaps = probability.copy()
    gaps[:20] = np.nan
    for after in (chosen.apply(gaps), held_out(gaps, codes, blocks, "isotonic"), Calibration().apply(gaps)):
        assert np.isnan(after[:20]).all()
        assert after[20:].sum(axis=1) == pytest.approx(1)
    gaps[30, 0] = np.nan
    with pytest.raises(BadData, match="1 rows of probabilities have NaN"):
        chosen.apply(gaps)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=30))
@settings(max_examples=40, deadline=None)
def test_folds_keep_blocks_whole_and_are_even(sizes: list[int]) -> None:
    blocks = np.repeat(np.arange(len(sizes)), sizes)
    folds = fold_blocks(blocks)
    assert all(len(np.unique(folds[blocks == one])) == 1 for one in range(len(sizes)))
    counts = np.bincount(folds)
    assert len(counts) == min(5, len(sizes))
    assert counts.min() > 0
    assert counts.max() - counts.min() <= max(sizes)
