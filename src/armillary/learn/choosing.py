"""What the best of several models is worth when the choice itself is held out.

The best of M models on some blocks looks better there than it is: it was chosen for it. So it is chosen once more
without each part of the blocks, and what was chosen answers for that part (Cawley & Talbot 2010, J. Mach. Learn. Res.
11, 2079). No model is trained again.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from armillary.learn.bootstrap import interval_of_sums
from armillary.learn.calibration import fold_blocks
from armillary.learn.event_judging import counts_of_events
from armillary.learn.events import rates
from armillary.learn.events.scoring import key_of
from armillary.learn.judging import better, judge, judged_rows, scorer
from armillary.learn.preparing import Prepared
from armillary.learn.study import Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Parts of the blocks at most: single blocks up to so many, groups of them beyond.
PARTS: Final = 20


def choose_nested(study: Study, prepared: Prepared, trained: Sequence[Any], name: str) -> Record | None:
    """Choose the best model without each part of the blocks, and score what was chosen on that part.

    Parameters
    ----------
    study : Study
    prepared : Prepared
    trained : sequence of Trained
    name : str
        The score by which the best model is chosen.

    Returns
    -------
    dict, optional
        ``score`` (its name), ``value``, ``interval``, ``models``, ``parts``, ``chosen`` (in how many parts each was
        chosen), ``plain`` (the score of the best model without this); None if there is one model, one block, or the
        models' answers are of different kinds.
    """
    if len(trained) < 2:
        return None
    kept = [judged_rows(prepared, one.answer) for one in trained]
    rows = kept[0]
    if any(not np.array_equal(one, rows) for one in kept) or len(np.unique(prepared.blocks[rows])) < 2:
        return None
    if name.startswith("event_"):
        return _of_events(study, prepared, trained, name)
    if len({one.answer.ndim for one in trained}) > 1:
        return None
    parts = fold_blocks(prepared.blocks[rows], PARTS)
    scored = [scorer(study, prepared, one.said) for one in trained]
    picked = []
    for part in range(int(parts.max()) + 1):
        others = rows[parts != part]
        picked.append(_best(name, [_value(score(others, one.answer[others]), name) for score, one in
                                   zip(scored, trained, strict=True)]))  # fmt: skip
    which = np.array(picked)[parts]
    record = judge(study, prepared, *_pooled(study, trained, rows, which))
    edges = record["intervals"].get(name)
    return _told(name, _value(record["scores"], name), edges, trained, picked)


def _pooled(study: Study, trained: Sequence[Any], rows: Array, which: Array) -> tuple[Array, Array | None]:
    """Put the answers of the chosen models together; orders of strangeness as ranks, which alone can be compared."""
    answers = [one.answer for one in trained]
    if study.task == "novelty":
        answers = [_ranked(one, rows) for one in answers]
    answer = np.full_like(answers[0], np.nan)
    said = None if trained[0].said is None else trained[0].said.copy()
    for number, one in enumerate(trained):
        mine = rows[which == number]
        answer[mine] = answers[number][mine]
        if said is not None:
            said[mine] = one.said[mine]
    return answer, said


def _ranked(answer: Array, rows: Array) -> Array:
    from scipy.stats import rankdata

    ranks = np.full_like(answer, np.nan)
    ranks[rows] = rankdata(answer[rows]) / len(rows)
    return ranks


def _of_events(study: Study, prepared: Prepared, trained: Sequence[Any], name: str) -> Record | None:
    """Choose by counts of events in the other blocks."""
    kinds = {"event_precision": 0, "event_recall": 1, "event_f1": 2}
    kind, _, end = name.rpartition("_")
    iou = next(one for one in study.events.iou if key_of(one) == end)
    counts = [counts_of_events(study, prepared, one.answer, one.decoding, iou) for one in trained]
    blocks = len(counts[0])
    if blocks < 2:
        return None
    parts = fold_blocks(np.arange(blocks), PARTS)
    picked = [
        _best(name, [float(rates(one[parts != part].sum(axis=0))[kinds[kind]]) for one in counts])
        for part in range(int(parts.max()) + 1)
    ]
    pooled = np.stack(counts)[np.array(picked)[parts], np.arange(blocks)]
    at = kinds[kind]
    value = float(rates(pooled.sum(axis=0))[at])
    edges = None
    if study.resamples:
        edges = interval_of_sums(lambda sums: rates(sums)[..., at : at + 1], pooled, study.resamples, study.seed)[0]
    return _told(name, value, edges, trained, picked)


def _best(name: str, values: Sequence[float]) -> int:
    best = 0
    for number, value in enumerate(values):
        if better(name, value, values[best]):
            best = number
    return best


def _value(scores: Record, name: str) -> float:
    value = scores.get(name)
    return float(value) if value is not None else float("nan")


def _told(name: str, value: float, edges: Any, trained: Sequence[Any], picked: Sequence[int]) -> Record:
    titles = [one.fitted.part.title for one in trained]
    counted = Counter(titles[one] for one in picked)
    plain = [_value(one.record["scores"], name) for one in trained]
    return {
        "score": name, "value": value, "interval": [float(one) for one in edges] if edges is not None else None,
        "models": len(trained), "parts": len(picked), "chosen": dict(counted.most_common()),
        "plain": plain[_best(name, plain)],
    }  # fmt: skip
