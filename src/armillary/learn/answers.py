"""What models answer: fitted on some samples, asked about others; held-out answers are kept so that a run resumes."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from armillary.errors import ArmillaryError, BadData, BrokenPlugin, one_line
from armillary.learn.equal import equal_rows
from armillary.learn.features import Features
from armillary.learn.folder import file_name
from armillary.learn.models import make_model
from armillary.learn.preparing import Prepared
from armillary.learn.samples import column, rows_to_judge
from armillary.learn.splits import Fold
from armillary.learn.study import ModelPart, Study
from armillary.model import Progress, silent

Array = np.ndarray[Any, np.dtype[Any]]
#: Option of any model: one model a group, fitted on that group's rows of the role ``fit``.
EACH_GROUP = "each_group"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model and how it is asked.

    Parameters
    ----------
    part : ModelPart
    model : object
        Has `predict_proba`, `predict` or `novelty`; for one model a group a mapping by the group's name.
    columns : tuple of int
        Columns of the features that it sees.
    seconds : float
        Time of fitting.
    """

    part: ModelPart
    model: Any
    columns: tuple[int, ...]
    seconds: float


def fit(study: Study, part: ModelPart, prepared: Prepared, rows: Array, seed: int) -> Fitted:
    """Train one model on some rows.

    Raises
    ------
    BrokenPlugin
        If the model fails; the message says which.
    """
    features = prepared.features.only(part.features)
    at = {name: number for number, name in enumerate(prepared.features.names)}
    columns = tuple(at[name] for name in features.names)
    options = {name: value for name, value in part.options.items() if name != EACH_GROUP}
    begun = time.perf_counter()
    try:
        if part.options.get(EACH_GROUP):
            model: Any = _fit_groups(part, options, prepared, features, seed)
        else:
            rows = rows if study.task == "novelty" else rows[_known(study, prepared)[rows]]
            model = make_model(
                part.use, options, task=study.task, seed=seed, groups=features.groups, classes=len(prepared.classes)
            )
            matrix, target = features.matrix[rows], prepared.target[rows]
            if study.labels.equal_masks:
                seen = Features(matrix, features.names, features.groups)
                bare = equal_rows(seen, target, study.labels.equal_masks, seed)
                matrix, target = np.concatenate([matrix, bare]), np.tile(target, 2)
            model.fit(matrix, None if study.task == "novelty" else target)
    except ArmillaryError:
        raise
    except Exception as failed:
        hint = "look at its options, or at the features it was given"
        raise BrokenPlugin(f"model {part.title!r} failed: {one_line(str(failed))}", hint) from failed
    return Fitted(part, model, columns, time.perf_counter() - begun)


def ask(fitted: Fitted, matrix: Array, classes: int, groups: Array | None = None) -> Array:
    """Ask a trained model about rows of features.

    Parameters
    ----------
    fitted : Fitted
    matrix : array, (n, p)
        All features of the study; the model sees its own columns.
    classes : int
        K; 0 for numbers and novelty.
    groups : array of str, (n,), optional
        Needed where there is one model a group.

    Returns
    -------
    array, (n, K) or (n,)
        Probabilities, or numbers.
    """
    seen = matrix[:, list(fitted.columns)]
    if not isinstance(fitted.model, dict):
        return _answer(fitted.model, seen, classes)
    answer = np.full(len(seen), np.nan)
    if groups is None:
        raise BadData("these models are one for each group, and the samples have no group", "name the group's column")
    for name, model in fitted.model.items():
        mine = groups.astype(str) == name
        if mine.any():
            answer[mine] = _answer(model, seen[mine], 0)
    return answer


def held_out(
    study: Study, part: ModelPart, prepared: Prepared, folds: Sequence[Fold], seed: int, folder: Path | None = None,
    progress: Progress = silent, also: Array | None = None,
) -> Array:  # fmt: skip
    """Give the answer for each sample by a model that has not seen its block; NaN where none was asked for.

    Parameters
    ----------
    folder : Path, optional
        Where the answers of each fold are kept; those there already are not made again.
    also : array, (n, p), optional
        Other features of the same samples that are asked about too: their answers stand behind the first, (n, 2 K).
    """
    classes = len(prepared.classes) if gives_probability(study, part) else 0
    asked = [prepared.features.matrix, *([] if also is None or not classes else [also])]
    answer = np.full((len(prepared), classes * len(asked)) if classes else len(prepared), np.nan)
    folds = folds_for(part, prepared, folds)
    for number, fold in enumerate(folds):
        progress(number / len(folds), f"{part.title}: fold {number + 1} of {len(folds)}, seed {seed}")
        kept = folder / f"{file_name(part.title)}-{seed}-{number}.npy" if folder else None
        if kept and kept.exists():
            answer[fold.test] = np.load(kept, allow_pickle=False)
            continue
        fitted = fit(study, part, prepared, fold.train, seed)
        groups = groups_of(prepared, fold.test)
        found = [ask(fitted, one[fold.test], classes, groups) for one in asked]
        answer[fold.test] = np.concatenate(found, axis=1) if classes else found[0]
        if kept:
            _keep(kept, answer[fold.test])
    return answer


def folds_for(part: ModelPart, prepared: Prepared, folds: Sequence[Fold]) -> Sequence[Fold]:
    """Give the folds of a model: of one model a group a single one, as it learns from rows that are never judged."""
    if not part.options.get(EACH_GROUP):
        return folds
    return [Fold(np.flatnonzero(~rows_to_judge(prepared.samples)), np.flatnonzero(prepared.judged))]


def groups_of(prepared: Prepared, rows: Array | slice = slice(None)) -> Array | None:
    """Give the groups of some rows, if the samples have any."""
    return column(prepared.samples, "group")[rows].astype(str) if "group" in prepared.samples else None


def gives_probability(study: Study, part: ModelPart) -> bool:
    """Say whether a model answers with probabilities of classes; one a group has seen no label and cannot."""
    return study.task in {"classes", "events"} and not part.options.get(EACH_GROUP)


def _answer(model: Any, matrix: Array, classes: int) -> Array:
    if classes:
        return np.asarray(model.predict_proba(matrix), np.float64)
    way = model.novelty if model.task == "novelty" else model.predict
    return np.asarray(way(matrix), np.float64)


def _known(study: Study, prepared: Prepared) -> Array:
    return np.isfinite(prepared.target) if study.task == "regression" else prepared.target >= 0


def _fit_groups(
    part: ModelPart, options: dict[str, Any], prepared: Prepared, features: Features, seed: int
) -> dict[str, Any]:
    """Fit one model a group on its rows of the role ``fit``: no label is looked at."""
    groups = groups_of(prepared)
    learnt = ~rows_to_judge(prepared.samples)
    if groups is None or not learnt.any():
        hint = "use a layout that gives groups and the role 'fit'"
        raise BadData(f"model {part.title!r} wants one model a group, fitted on rows of their own", hint)
    models = {}
    for name in np.unique(groups):
        models[str(name)] = make_model(part.use, options, task="novelty", seed=seed, groups=features.groups)
        models[str(name)].fit(features.matrix[learnt & (groups == name)], None)
    return models


def _keep(path: Path, values: Array) -> None:
    """Keep the answers of one fold; a killed run leaves whole files only."""
    aside = path.with_suffix(f".{os.getpid()}.part")
    with aside.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    aside.replace(path)
