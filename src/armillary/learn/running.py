"""Running a study: the one path from samples to a run folder.

Choices (which model, which threshold, which calibration) are made on held-out answers of the training samples only;
test data are looked at once, at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.learn.answers import Fitted, ask, fit, gives_probability, groups_of, held_out
from armillary.learn.bins import judge_bins
from armillary.learn.bootstrap import Comparison, compare, compare_classes
from armillary.learn.calibration import Calibration, choose_calibration
from armillary.learn.calibration import held_out as held_out_calibration
from armillary.learn.checks import check_names
from armillary.learn.choosing import choose_nested
from armillary.learn.conformal import measure_held_out, measure_unseen
from armillary.learn.costs import measure, pareto
from armillary.learn.deciding import Deciding, Decision, choose_deciding
from armillary.learn.equal import judge_equal, tell_equal, with_equal
from armillary.learn.event_judging import Decoding, choose_decoding, compare_events, judge_events
from armillary.learn.events.scoring import key_of
from armillary.learn.features import Features
from armillary.learn.judging import HEADLINES, SMALLER, better, judge, judge_controls, judged_rows, scorer
from armillary.learn.leaks import Finding, advise
from armillary.learn.numbering import lacking, numbered_otherwise
from armillary.learn.preparing import Prepared, folds, merged, positive_of, prepare
from armillary.learn.samples import column
from armillary.learn.splits import Fold
from armillary.learn.study import ModelPart, Study
from armillary.learn.typical import check_columns
from armillary.model import Progress, share, silent

if TYPE_CHECKING:
    import xarray as xr

    from armillary.learn.events import Decoder

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Models that no seed changes: they are run once.
SEEDLESS: Final = frozenset({"knn", "logistic", "ridge"})


@dataclass(frozen=True, slots=True)
class Trained:
    """One model after its study.

    Parameters
    ----------
    fitted : Fitted
        On all training samples.
    answer : array
        Held-out answers, calibrated.
    calibration : Calibration, optional
    decoding : Decoding, optional
        How its answers become events.
    deciding : Deciding, optional
        Which class is said, if the study asks for a rule.
    record : dict
        Scores, intervals, seeds, costs.
    """

    fitted: Fitted
    answer: Array
    calibration: "Calibration | None"
    decoding: "Decoding | None"
    record: Record
    deciding: Deciding | None = None

    @property
    def decoder(self) -> "Decoder | None":
        """How answers to new data become events."""
        return self.decoding.whole if self.decoding else None

    @property
    def decision(self) -> Decision | None:
        """Which class is said of new data."""
        return self.deciding.whole if self.deciding else None

    @property
    def said(self) -> Array | None:
        """The classes said of held-out samples; None where it is the most probable one."""
        return self.deciding.codes(self.answer) if self.deciding else None


@dataclass(frozen=True, slots=True)
class Unseen:
    """What test data said.

    Parameters
    ----------
    prepared : Prepared
    answers : tuple of array
        Of each model.
    models, controls : dict of str to dict
        Scores by name.
    notes : tuple of str
    leaks : tuple of dict
        Training rows among them, and shifts.
    """

    prepared: Prepared
    answers: tuple[Array, ...]
    models: Record
    controls: Record
    notes: tuple[str, ...]
    leaks: tuple[Record, ...]

    def to_record(self) -> Record:
        """Give the scores as plain values."""
        return {"models": self.models, "controls": self.controls, "notes": self.notes, "leaks": self.leaks}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study gave.

    Parameters
    ----------
    prepared : Prepared
        Training samples.
    trained : tuple of Trained
        In the order of the study.
    best : int
        Index of the one chosen on held-out answers.
    leaks : tuple of dict
        What the leak advisor found.
    controls : dict of str to dict
        Scores of what needs no skill.
    ties : tuple of str
        The best model against each other one, in words: better, or a tie.
    nested : dict, optional
        What the best is worth when the choice is held out too, see :mod:`armillary.learn.choosing`.
    test : Unseen, optional
    """

    prepared: Prepared
    trained: tuple[Trained, ...]
    best: int
    leaks: tuple[Record, ...]
    controls: Record
    ties: tuple[str, ...] = ()
    nested: Record | None = None
    test: Unseen | None = None


def run(
    study: Study, samples: "xr.Dataset", test: "xr.Dataset | None" = None, parts: Path | None = None,
    progress: Progress = silent,
) -> Outcome:  # fmt: skip
    """Run a study on samples.

    Parameters
    ----------
    study : Study
    samples : xarray.Dataset
        What is learnt from.
    test : xarray.Dataset, optional
        What is judged once, at the end.
    parts : Path, optional
        Folder where held-out answers are kept, so that an interrupted run goes on.
    progress : Progress

    Returns
    -------
    Outcome

    Raises
    ------
    ArmillaryError
        If the study does not fit the samples; the message says what to change.
    """
    progress(0.0, "making features")
    prepared = with_equal(study, prepare(study, samples))
    if study.checks:
        check_names(study.checks, prepared.classes)
    if study.typical:
        check_columns(study.typical, prepared.features.names, study.task)
    cut = folds(study, prepared)
    progress(0.05, "looking for leaks")
    places = [one for one in (study.split.time_on, *study.split.space_on, *study.split.sky_on) if one]
    found = advise(
        prepared.samples, prepared.features, prepared.target, cut, prepared.blocks, study.task, study.seed, on=places
    )
    trained = []
    for number, part in enumerate(study.models):
        low, high = (0.1 + 0.75 * (number + more) / len(study.models) for more in (0, 1))
        trained.append(train(study, part, prepared, cut, parts, share(progress, low, high)))
    best = _best(study, trained)
    progress(0.87, "scoring what needs no skill")
    controls = _controls(study, prepared, trained[best].answer, prepared.target)
    _mark_pareto(study, trained)
    judged = _judge_test(study, prepared, trained, test, share(progress, 0.9, 1.0)) if test is not None else None
    leaks = tuple(one.to_record() for one in [*found, *tell_equal(prepared, trained[best].record)])
    ties, nested = _ties(study, prepared, trained, best), choose_nested(study, prepared, trained, chosen_by(study))
    return Outcome(prepared, tuple(trained), best, leaks, controls, ties, nested, judged)


def train(
    study: Study, part: ModelPart, prepared: Prepared, cut: Sequence[Fold], parts: Path | None, progress: Progress
) -> Trained:
    """Train one model: held-out answers by each seed, calibration, scores, and a last fit on everything."""
    seeds = [study.seed + more for more in range(1 if part.use in SEEDLESS else study.seeds)]
    answers = []
    for number, seed in enumerate(seeds):
        step = share(progress, 0.8 * number / len(seeds), 0.8 * (number + 1) / len(seeds))
        answers.append(held_out(study, part, prepared, cut, seed, parts, step, prepared.equal))
    answers, bare = _without_bare(prepared, answers)
    progress(0.8, f"{part.title}: calibrating and scoring")
    calibration = _calibrate(study, prepared, answers[0])
    calibrated = [_crossfitted(prepared, one, calibration) for one in answers]
    decoding = choose_decoding(study, prepared, calibrated[0]) if study.task == "events" else None
    deciding = choose_deciding(study, prepared, calibrated[0])
    record = _judge(study, prepared, calibrated[0], decoding, deciding)
    record["seeds"] = _over_seeds(study, prepared, calibrated, decoding, deciding)
    progress(0.95, f"{part.title}: fitting on everything")
    everything = np.arange(len(prepared)) if study.task != "novelty" else cut[0].train
    fitted = fit(study, part, prepared, everything, study.seed)
    record |= {"use": part.use, "costs": _costs(study, prepared, fitted), "calibration": _told(calibration)}
    record["equal_masks"] = judge_equal(study, prepared, bare) if bare is not None else None
    record["decoder"] = decoding.whole.to_record() if decoding else None
    record["conformal"] = _sets(prepared, calibrated[0])
    record["decision"] = _rule(study, prepared, calibrated[0], deciding)
    record["by"] = judge_bins(study, prepared, calibrated[0], deciding.codes(calibrated[0]) if deciding else None)
    return Trained(fitted, calibrated[0], calibration, decoding, record, deciding)


def _without_bare(prepared: Prepared, answers: list[Array]) -> tuple[list[Array], Array | None]:
    """Take the answers to rows with equal bands, of the first seed, from the others."""
    wide = len(prepared.classes)
    if prepared.equal is None or answers[0].ndim == 1:
        return answers, None
    return [one[:, :wide] for one in answers], answers[0][:, wide:]


def answer_for(study: Study, trained: Trained, prepared: Prepared) -> Array:
    """Ask the model that was fitted on everything about prepared samples, and calibrate what it says."""
    fitted = trained.fitted
    classes = len(prepared.classes) if trained.answer.ndim == 2 else 0
    if isinstance(fitted.model, dict):
        # One model a group learns from rows without labels: new groups bring such rows of their own.
        fitted = fit(study, fitted.part, prepared, np.arange(len(prepared)), study.seed)
    answer = ask(fitted, prepared.features.matrix, classes, groups_of(prepared))
    return trained.calibration.apply(answer) if trained.calibration else answer


def chosen_by(study: Study) -> str:
    """Give the name of the score by which the best model is chosen."""
    if study.choose_by:
        return study.choose_by
    if study.task != "events":
        return HEADLINES[study.task][0]
    aim = study.events.aim
    return f"event_f1_{key_of(aim[0] if isinstance(aim, tuple) else aim)}"


def _best(study: Study, trained: Sequence[Trained]) -> int:
    name = chosen_by(study)
    best = 0
    for number, one in enumerate(trained):
        if better(name, _score(one.record, name), _score(trained[best].record, name)):
            best = number
    return best


def _ties(study: Study, prepared: Prepared, trained: Sequence[Trained], best: int) -> tuple[str, ...]:
    """Compare the best model with each other one on the same blocks."""
    name = chosen_by(study)
    others = [one for one in trained if one is not trained[best] and study.resamples]
    return tuple(f"{name}: {_compared(study, prepared, trained[best], one, name).text}" for one in others)


def _compared(study: Study, prepared: Prepared, a: Trained, b: Trained, name: str) -> Comparison:
    if a.decoding and b.decoding and name.startswith("event_"):
        titles = (a.fitted.part.title, b.fitted.part.title)
        return compare_events(study, prepared, (a.answer, a.decoding), (b.answer, b.decoding), titles)
    rows = np.intersect1d(judged_rows(prepared, a.answer), judged_rows(prepared, b.answer))
    blocks = prepared.blocks[rows]
    how: Any = {
        "resamples": study.resamples, "seed": study.seed, "names": (a.fitted.part.title, b.fitted.part.title),
        "higher_is_better": name not in SMALLER,
    }  # fmt: skip
    if a.answer.ndim == b.answer.ndim == 2 and not study.choose_threshold:
        positive = positive_of(study, prepared.classes)
        answers = a.answer[rows], b.answer[rows]
        return compare_classes(name, prepared.target[rows], *answers, blocks, prepared.classes, positive, **how)

    def of(one: Trained) -> Callable[[Array], float]:
        scored = scorer(study, prepared, one.said)
        return lambda some: float(scored(rows[some], one.answer[rows[some]]).get(name, np.nan))

    return compare(of(a), of(b), blocks, **how)


def _score(record: Mapping[str, Any], name: str) -> float:
    value = record["scores"].get(name)
    return float(value) if value is not None else float("nan")


def _judge(
    study: Study, prepared: Prepared, answer: Array, decoding: "Decoder | Decoding | None",
    deciding: Deciding | Decision | None = None,
) -> Record:  # fmt: skip
    record = judge(study, prepared, answer, deciding.codes(answer) if deciding else None)
    if decoding is None:
        return record
    events = judge_events(study, prepared, answer, decoding)
    record["scores"] |= events.pop("scores")
    record["intervals"] |= events.pop("intervals")
    return record | {"events": events}


def _controls(study: Study, prepared: Prepared, answer: Array, learnt: Array) -> Record:
    found: Record = dict(judge_controls(study, prepared, answer, learnt))
    if study.task == "events":
        from armillary.learn.event_judging import judge_event_controls

        found |= judge_event_controls(study, prepared, answer)
    return found


def _over_seeds(
    study: Study, prepared: Prepared, answers: Sequence[Array], decoding: "Decoding | None", deciding: Deciding | None
) -> Record:
    """Give each headline score of each seed."""
    if len(answers) < 2:
        return {}
    quick = replace(study, resamples=0)
    records = [_judge(quick, prepared, one, decoding, deciding)["scores"] for one in answers]
    names = (*HEADLINES[study.task], *(name for name in records[0] if name.startswith("event_f1")))
    return {name: [one[name] for one in records] for name in names if isinstance(records[0].get(name), float)}


def _rule(study: Study, prepared: Prepared, answer: Array, deciding: Deciding | None) -> Record | None:
    """Tell the rule for new data, beside the scores of the most probable class on held-out samples."""
    if deciding is None:
        return None
    told = {"text": deciding.whole.in_words(prepared.classes)}
    return deciding.whole.to_record() | told | {"most_probable": _most_probable(study, prepared, answer)}


def _most_probable(study: Study, prepared: Prepared, answer: Array) -> Record:
    """Give the scores of saying the most probable class."""
    plain = judge(replace(study, resamples=0), prepared, answer)["scores"]
    return {name: plain[name] for name in ("f1", "macro_f1", "accuracy") if name in plain}


def _calibrate(study: Study, prepared: Prepared, answer: Array) -> "Calibration | None":
    if answer.ndim == 1 or study.calibrate == "none":
        return None
    rows = judged_rows(prepared, answer)
    return choose_calibration(answer[rows], prepared.target[rows], prepared.blocks[rows], study.calibrate)


def _crossfitted(prepared: Prepared, answer: Array, calibration: "Calibration | None") -> Array:
    """Calibrate held-out answers by what other blocks say, so that no sample is judged by what it taught."""
    if calibration is None or calibration.kind == "none":
        return answer
    made, rows = answer.copy(), judged_rows(prepared, answer)
    made[rows] = held_out_calibration(answer[rows], prepared.target[rows], prepared.blocks[rows], calibration.kind)
    return made


def _sets(prepared: Prepared, answer: Array, learnt: tuple[Prepared, Array] | None = None) -> Record:
    """Measure how often conformal sets hold the truth, on held-out samples, or on others than they are learnt from."""
    if answer.ndim == 1:
        return {}
    rows = judged_rows(prepared, answer)
    said, codes = answer[rows], prepared.target[rows]
    if learnt is None:
        return measure_held_out(said, codes, prepared.blocks[rows], prepared.classes)
    own = judged_rows(*learnt)
    return measure_unseen((learnt[1][own], learnt[0].target[own]), said, codes, prepared.classes)


def _told(calibration: "Calibration | None") -> Any:
    return calibration.to_record() if calibration else None


def _costs(study: Study, prepared: Prepared, fitted: Fitted) -> Record:
    classes = len(prepared.classes) if gives_probability(study, fitted.part) else 0
    groups = groups_of(prepared)
    rows = np.flatnonzero(prepared.judged)
    if isinstance(fitted.model, dict) and groups is not None:
        rows = rows[groups[rows] == groups[rows[0]]]
    few = groups[rows] if groups is not None else None

    def answer(matrix: Array) -> Array:
        return ask(fitted, matrix, classes, few[: len(matrix)] if few is not None else None)

    return {"fit_s": fitted.seconds} | measure(answer, prepared.features.matrix[rows])


def _mark_pareto(study: Study, trained: Sequence[Trained]) -> None:
    name = chosen_by(study)
    rows = [{"score": _score(one.record, name)} | one.record["costs"] for one in trained]
    larger, smaller = ([], ["score"]) if name in SMALLER else (["score"], [])
    for one, flag in zip(trained, pareto(rows, larger, [*smaller, "latency_ms", "fit_s"]), strict=True):
        one.record["pareto"] = flag


def _judge_test(
    study: Study, known: Prepared, trained: Sequence[Trained], test: "xr.Dataset", progress: Progress
) -> Unseen:
    """Judge every model once on test data, and look whether they are what they say: unseen."""
    progress(0.0, "making features of the test data")
    prepared = prepare(study, test, known.classes)
    gone = lacking(prepared.target, known.classes) if study.task == "classes" else []
    notes = (*prepared.notes, *_strangers(study, known, test), *gone)
    answers, records = [], {}
    for number, one in enumerate(trained):
        progress((number + 1) / (len(trained) + 1), f"{one.fitted.part.title}: test data")
        answers.append(answer_for(study, one, prepared))
        records[one.fitted.part.title] = _judge(study, prepared, answers[-1], one.decoder, one.decision)
        if one.decision is not None:
            records[one.fitted.part.title]["most_probable"] = _most_probable(study, prepared, answers[-1])
        codes = one.decision.codes(answers[-1]) if one.decision else None
        records[one.fitted.part.title]["by"] = judge_bins(study, prepared, answers[-1], codes)
        records[one.fitted.part.title]["conformal"] = _sets(prepared, answers[-1], (known, one.answer))
    controls = _controls(study, prepared, answers[0], known.target)
    found = [*_numbering(study, prepared, trained, answers), *_seen_before(study, known, prepared)]
    leaks = tuple(one.to_record() for one in found)
    return Unseen(prepared, tuple(answers), records, controls, notes, leaks)


def _strangers(study: Study, known: Prepared, test: "xr.Dataset") -> list[str]:
    """Say which classes of the test data no answer can name: their samples are not judged."""
    if study.task not in {"classes", "events"}:
        return []
    labels = merged(column(test, "label").astype(str), study.labels.merge).astype(str)
    wanted = {*known.classes, *study.labels.drop, ""}
    names, counts = np.unique(labels, return_counts=True)
    strange = [(name, int(count)) for name, count in zip(names, counts, strict=True) if name not in wanted]
    if not strange:
        return []
    told, share = (
        ", ".join(f"{name} ({count})" for name, count in strange),
        sum(one[1] for one in strange) / len(labels),
    )
    return [f"{share:.0%} of the test samples are of classes that were not learnt, and were not judged: {told}"]


def _numbering(
    study: Study, prepared: Prepared, trained: Sequence[Trained], answers: Sequence[Array]
) -> Iterator[Finding]:
    """Look whether the test data number their classes otherwise; the first model that tells is enough."""
    for one, answer in zip(trained, answers, strict=True):
        if study.task != "classes" or answer.ndim == 1:
            continue
        said = (one.decision or Decision("", (1.0,) * answer.shape[1])).codes(answer)
        codes = np.where(prepared.judged, prepared.target, -1)
        found = numbered_otherwise(codes, said, prepared.classes)
        if found:
            yield replace(found, message=f"test data: {found.message}")
            return


def _seen_before(study: Study, known: Prepared, test: Prepared) -> list[Finding]:
    """Look for training rows among the test rows, and for a shift between both."""
    import xarray as xr

    features = Features(
        np.concatenate([known.features.matrix, test.features.matrix]), known.features.names, known.features.groups
    )
    sides = np.repeat([0, 1], [len(known), len(test)])
    rows = [np.flatnonzero(known.judged), len(known) + np.flatnonzero(test.judged)]
    nowhere = xr.Dataset({"label": ("sample", np.zeros(len(sides)))})
    target = np.concatenate([known.target, test.target])
    found = advise(nowhere, features, target, [Fold(rows[0], rows[1])], sides, study.task, study.seed)
    said = [one for one in found if one.kind in {"duplicates", "shift"}]
    return [replace(one, message=f"test data: {one.message}") for one in said]
