"""What a run folder keeps so that its models can be used on new data: written when a study ends, read to apply it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import BadRequest, DamagedFile
from armillary.learn.answers import Fitted
from armillary.learn.calibration import Calibration, calibration_of
from armillary.learn.conformal import Conformal, conformal_of, fit_conformal
from armillary.learn.deciding import Decision, decision_of
from armillary.learn.events import Decoder
from armillary.learn.folder import file_name, read_metrics, read_run, undamaged, write_json
from armillary.learn.inputs import inputs_of, with_inputs
from armillary.learn.judging import judged_rows
from armillary.learn.models.keeping import load
from armillary.learn.preparing import Prepared
from armillary.learn.running import Outcome, Trained
from armillary.learn.study import ModelPart, Study, study_of
from armillary.learn.trust import Reference, fit_reference, load_reference, save_reference
from armillary.learn.typical import Typical, fit_typical, load_typical, save_typical, with_answers
from armillary.learn.units import units_of_samples

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: What new data must have, and what each model needs beside its own file.
RECIPE: Final = "recipe.json"
REFERENCE: Final = "reference.npz"
TYPICAL: Final = "typical.npz"
#: Fewer training rows say nothing about what is usual.
_LEAST: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One trained model of a run folder, ready to be asked.

    Parameters
    ----------
    folder : Path
    study : Study
    key : str
        Of the study.
    fitted : Fitted
    classes : tuple of str
        Empty for numbers.
    calibration, decoder, conformal, reference : optional
        None where the task has none.
    decision : Decision, optional
        Which class is said, if it is not the most probable one.
    recipe : dict
        ``names, groups`` of the features, ``variables`` (name: shape of one sample), ``columns``, ``inputs``
        (variables that features are made of), ``cadence``, ``priors`` (share of each class in training).
    typical : Typical, optional
        What rows of each class look like, if the study asks for it.
    """

    folder: Path
    study: Study
    key: str
    fitted: Fitted
    classes: tuple[str, ...]
    calibration: Calibration | None
    decoder: Decoder | None
    conformal: Conformal | None
    reference: Reference | None
    recipe: Record
    decision: Decision | None = None
    typical: Typical | None = None

    def said(self, answer: Array) -> Array:
        """Give the class said of each row of probabilities, (n,); -1 where one is missing."""
        return (self.decision or Decision("", (1.0,) * answer.shape[1])).codes(answer)

    @property
    def name(self) -> str:
        """What rows that it finds say about who found them: study and model."""
        return f"{self.study.name}: {self.fitted.part.title}"


def write_recipe(folder: Path, study: Study, outcome: Outcome) -> None:
    """Write what applying needs beside models and scores.

    Raises
    ------
    CannotWrite
    """
    prepared = outcome.prepared
    recipe = recipe_of(study, outcome)
    write_json(folder / RECIPE, recipe)
    if len(prepared) >= _LEAST:
        seen, inputs = with_inputs(prepared.features, prepared.samples, tuple(recipe["inputs"]))
        made = fit_reference(seen.matrix, prepared.blocks, seen.names, study.seed, inputs=inputs)
        save_reference(made, folder / REFERENCE)
    if study.typical:
        save_typical(_typical(study, outcome), folder / TYPICAL)


def recipe_of(study: Study, outcome: Outcome) -> Record:
    """Give the content of recipe.json."""
    prepared, samples = outcome.prepared, outcome.prepared.samples
    variables = {
        str(name): list(one.shape[1:])
        for name, one in samples.data_vars.items()
        if one.dims[:1] == ("sample",) and one.dtype.kind in "fiub" and name != "label"
    }
    return {
        "study": study.key,
        "classes": list(prepared.classes),
        "names": list(prepared.features.names),
        "groups": list(prepared.features.groups),
        "variables": variables,
        "columns": list(samples.attrs.get("columns", ())),
        "units": units_of_samples(samples) if study.data.layout == "table" else {},
        "inputs": list(inputs_of(study, samples)),
        "cadence": samples.attrs.get("cadence"),
        "priors": _priors(prepared),
        "models": {one.fitted.part.title: _of_model(one, prepared) for one in outcome.trained},
    }


def load_run(folder: Path, model: str = "") -> Run:
    """Load one model of a run folder with all that answers need.

    Parameters
    ----------
    folder : Path
    model : str
        The best one if empty.

    Raises
    ------
    BadRequest
        If the run is not complete, was made before models could be applied, or has no such model.
    DamagedFile, BadData
    """
    about, metrics, recipe = read_run(folder), read_metrics(folder), _recipe(folder)
    with undamaged(folder):
        return _loaded(folder, about, metrics, recipe, model or metrics["best"])


def _loaded(folder: Path, about: Record, metrics: Record, recipe: Record, title: str) -> Run:
    if title not in recipe["models"]:
        raise BadRequest(f"the run has no model {title!r}", f"it has {', '.join(recipe['models'])}")
    study, kept, held = study_of(about["study"]), recipe["models"][title], metrics["held_out"][title]
    part = next((one for one in study.models if one.title == title), None)
    if part is None:
        raise DamagedFile(f"the study of {folder} has no model {title!r}", "run the study again into another folder")
    return Run(
        folder, study, about["key"], _fitted(folder, part, kept), tuple(recipe["classes"]),
        calibration_of(held["calibration"]) if held["calibration"] else None,
        Decoder.of_record(held["decoder"]) if held["decoder"] else None,
        conformal_of(kept["conformal"]) if kept["conformal"] else None,
        load_reference(folder / REFERENCE) if (folder / REFERENCE).exists() else None, recipe,
        decision_of(held["decision"]) if held.get("decision") else None,
        load_typical(folder / TYPICAL) if study.typical else None,
    )  # fmt: skip


def _recipe(folder: Path) -> Record:
    try:
        found: Record = json.loads((folder / RECIPE).read_text("utf-8"))
    except FileNotFoundError:
        raise BadRequest(f"the run {folder} cannot be applied: it has no {RECIPE}", "run its study again") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as failed:
        raise DamagedFile(f"{folder / RECIPE} is damaged", "run the study again into another folder") from failed
    return found


def _fitted(folder: Path, part: ModelPart, kept: Mapping[str, Any]) -> Fitted:
    models = {group: load(folder / "models" / name) for group, name in kept["files"].items()}
    model: Any = models if kept["each_group"] else models[""]
    return Fitted(part, model, tuple(kept["columns"]), 0.0)


def _of_model(one: Trained, prepared: Prepared) -> Record:
    title, each = file_name(one.fitted.part.title), isinstance(one.fitted.model, dict)
    files = (
        {group: f"{title}-{file_name(group)}.skops" for group in one.fitted.model} if each else {"": f"{title}.skops"}
    )
    sets = _sets(one, prepared)
    record = sets.to_record() if sets else None
    return {"files": files, "each_group": each, "columns": list(one.fitted.columns), "conformal": record}


def _sets(one: Trained, prepared: Prepared) -> Conformal | None:
    if one.answer.ndim != 2:
        return None
    rows = judged_rows(prepared, one.answer)
    return fit_conformal(one.answer[rows], prepared.target[rows])


def _typical(study: Study, outcome: Outcome) -> Typical:
    """Learn what rows of each class look like, and how sure each model is of rows that it had not seen."""
    prepared = outcome.prepared
    at = [prepared.features.names.index(one) for one in study.typical]
    matrix, codes = prepared.features.matrix[:, at], np.where(prepared.judged, prepared.target, -1)
    made = fit_typical(matrix, codes, prepared.blocks, study.seed, study.typical)
    answers = {one.fitted.part.title: one.answer for one in outcome.trained}
    return with_answers(made, matrix, codes, prepared.blocks, answers, study.seed)


def _priors(prepared: Prepared) -> list[float]:
    """Give the share of each class among the judged samples."""
    known = prepared.target[prepared.judged].astype(np.int64) if prepared.classes else np.empty(0, np.int64)
    counts = np.bincount(known[known >= 0], minlength=len(prepared.classes))
    return [float(one) for one in counts / max(int(counts.sum()), 1)]
