"""From samples to what models see: labels made ready, features, blocks and folds."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.features import Features, build
from armillary.learn.layouts import positive_class
from armillary.learn.priors import fill_prior
from armillary.learn.samples import classes_of, codes_of, column, rows_to_judge, texts_of
from armillary.learn.splits import Fold, blocks_of, folds_of
from armillary.learn.study import LabelPart, Study

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: Labels with more different values than this, and than this share of the samples, are no classes; of broken numbers.
_MANY: Final = 10
_CLASS_SHARE: Final = 0.5
_BROKEN_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Prepared:
    """Samples ready to learn from.

    Parameters
    ----------
    samples : xarray.Dataset
    features : Features
    target : array, (n,)
        Class numbers from 0, -1 = unknown; of a regression the numbers themselves, NaN = unknown.
    classes : tuple of str
        Empty for a regression.
    judged : array of bool, (n,)
        Samples whose answers count.
    blocks : array of int, (n,)
    notes : tuple of str
        What was left out, in words.
    equal : array, (n, p), optional
        Features of rows whose bands tell no class, see :mod:`armillary.learn.equal`.
    mask_auc : float
        How well missing bands tell the class, where that was looked at.
    """

    samples: "xr.Dataset"
    features: Features
    target: Array
    classes: tuple[str, ...]
    judged: Array
    blocks: Array
    notes: tuple[str, ...] = ()
    equal: Array | None = None
    mask_auc: float = 0.0

    def __len__(self) -> int:
        """Give the number of samples."""
        return len(self.target)


def prepare(study: Study, samples: "xr.Dataset", classes: tuple[str, ...] = ()) -> Prepared:
    """Make samples ready for a study.

    Parameters
    ----------
    study : Study
    samples : xarray.Dataset
    classes : tuple of str
        Classes that a model knows already; others are then unknown. Those of the samples if empty.

    Raises
    ------
    BadData
        If nothing can be learnt: one class only, no number in any feature, no known label.
    """
    notes = [str(one) for one in samples.attrs.get("notes", ())]
    if study.task != "regression":
        samples = _with_labels(samples, study.labels, notes, choose=not classes)
    features = build(samples, study.features)
    learning = not classes
    target, classes = _target(study, samples, classes)
    known = np.isfinite(target) if study.task == "regression" else target >= 0
    judged = rows_to_judge(samples) & known
    _check(study, features, target, judged, classes, learning=learning)
    return Prepared(samples, features, target, classes, judged, blocks_of(samples, study.split), tuple(notes))


def folds(study: Study, prepared: Prepared) -> list[Fold]:
    """Cut the samples into folds; a study that only learns from rows of the role ``fit`` has one."""
    fit_only = np.flatnonzero(~rows_to_judge(prepared.samples))
    if study.task == "novelty" and len(fit_only):
        return [Fold(fit_only, np.flatnonzero(prepared.judged))]
    codes = prepared.target if study.task in {"classes", "events"} else None
    return folds_of(prepared.samples, study.split, codes)


def positive_of(study: Study, classes: tuple[str, ...]) -> str:
    """Give the class that ``precision`` and ``recall`` are about: told, or the layout's, or the last of two.

    Raises
    ------
    BadParameter
        If the study names one that does not occur; if a study of events or of novelty does not tell which it looks for.
    """
    wanted = study.labels.positive
    if wanted and wanted not in classes:
        raise BadParameter(f"[labels] positive = {wanted!r} does not occur", f"the classes are {', '.join(classes)}")
    wanted = wanted or positive_class(study.data.layout, study.data.options)
    if wanted in classes:
        return wanted
    if study.task in {"events", "novelty"}:
        problem = f"the study does not say which of the classes {', '.join(classes)} is looked for"
        raise BadParameter(
            problem, f'give below [labels] for example positive = "{classes[0] if classes else "event"}"'
        )
    return classes[-1] if len(classes) == 2 else ""


def _target(study: Study, samples: "xr.Dataset", classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    labels = column(samples, "label")
    if study.task == "regression":
        return _numbers(labels), ()
    classes = classes or classes_of(samples)
    return codes_of(labels, classes), classes


def _numbers(labels: Array) -> Array:
    """Give the numbers of a regression; whole numbers come as texts, as they may be classes."""
    try:
        return np.array([one or "nan" for one in texts_of(labels)], object).astype(np.float64)
    except ValueError:
        hint = 'name a column of numbers, or use task = "classes"'
        raise BadData("the label of a regression is no number", hint) from None


def _with_labels(samples: "xr.Dataset", part: LabelPart, notes: list[str], *, choose: bool) -> "xr.Dataset":
    told = texts_of(column(samples, "label"))
    labels = merged(told, part.merge)
    gone = set(part.drop)
    if choose:
        notes.extend(_without_effect(told, part))
        names, counts = np.unique(labels[rows_to_judge(samples)].astype(str), return_counts=True)
        rare = {str(name): int(n) for name, n in zip(names, counts, strict=True) if name and n < part.least}
        gone |= set(rare)
        if rare:
            words = ", ".join(f"{name} ({n})" for name, n in sorted(rare.items()))
            notes.append(f"classes with fewer than {part.least} samples were left out: {words}")
        there = set(names) - {""}
        if there and not there - gone:
            problem = f"no class with {part.least} or more samples is left: there are {', '.join(sorted(there))}"
            raise BadData(problem, "give a smaller least, or drop fewer classes, below [labels]")
    known = np.array([str(one) not in gone for one in labels])
    if not known.any():
        raise BadData(
            "all samples belong to classes that [labels] leaves out", "name other data, or drop fewer classes"
        )
    if not known.all():
        notes.append(f"{int((~known).sum())} of {len(known)} samples were left out with their classes")
    made = samples.assign(label=("sample", labels.astype(str)))
    return made.isel(sample=np.flatnonzero(known)) if not known.all() else made


def _without_effect(labels: Array, part: LabelPart) -> list[str]:
    """Tell the classes that are joined or left out by name but do not occur."""
    there = set(labels) | set(part.merge)
    named = [*part.drop, *(str(old) for olds in part.merge.values() for old in olds)]
    lost = sorted({one for one in named if one not in there})
    return [f"[labels] names classes that do not occur: {', '.join(lost)}"] if lost else []


def merged(labels: Array, merge: Mapping[str, Any]) -> Array:
    """Give the labels with some classes joined.

    Raises
    ------
    BadParameter
        If a class is joined into two.

    Examples
    --------
    >>> merged(np.array(["YSO1", "YSO2", "PN"], object), {"YSO": ["YSO1", "YSO2"]}).tolist()
    ['YSO', 'YSO', 'PN']
    """
    new: dict[str, str] = {}
    for name, olds in merge.items():
        for old in olds:
            if new.setdefault(str(old), name) != name:
                raise BadParameter(f"[labels] merge joins {old!r} into {new[old]!r} and {name!r}", "name it once")
    return np.array([new.get(str(one), str(one)) for one in labels], object)


def _check(
    study: Study, features: Features, target: Array, judged: Array, classes: tuple[str, ...], *, learning: bool
) -> None:
    if not judged.any():
        raise BadData("not a single sample has a known label", "look whether labels and samples cover the same part")
    # test data may be of one class: members of a cluster, whose recall is asked
    one_is_enough = study.task == "classes" and not learning
    if study.task in {"classes", "events"} and not one_is_enough and len(np.unique(target[judged])) < 2:
        only = classes[int(target[judged][0])]
        raise BadData(f"all {int(judged.sum())} labelled samples are {only!r}", "add samples of another class")
    if study.task in {"events", "novelty"}:
        positive_of(study, classes)
    if study.prior:
        fill_prior(study.prior, classes, np.ones(len(classes)))
    if study.task == "classes" and learning:
        _check_classes(target[judged], classes)
    empty = ~np.isfinite(features.matrix).any(axis=0)
    if empty.all():
        raise BadData("not a single feature has a number", "look at the columns and the fill values of the data")


def _check_classes(codes: Array, classes: tuple[str, ...]) -> None:
    """Refuse numbers that are measurements, and names of single samples."""
    there = [classes[code] for code in np.unique(codes)]
    broken = sum(map(_is_broken, there)) > len(there) / 2
    if len(there) <= _MANY or len(there) <= len(codes) * (_BROKEN_SHARE if broken else _CLASS_SHARE):
        return
    problem = f"the label has {len(there)} different values in {len(codes)} samples: these are no classes"
    numbers = all(map(_is_number, there))
    hint = 'use task = "regression"' if numbers else "name the column of the classes, or join some by [labels] merge"
    raise BadData(problem, hint)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _is_broken(text: str) -> bool:
    return _is_number(text) and not float(text).is_integer()
