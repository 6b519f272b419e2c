"""Explaining a run: its data are read again, its best model's drivers are measured, tables and pictures are added."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import BadRequest
from armillary.learn.contributing import contributions
from armillary.learn.driver_figures import draw_contributions, draw_effects, draw_occlusion, told_classes
from armillary.learn.drivers import Driver, drivers
from armillary.learn.effects import effects_along, leading_column
from armillary.learn.figures import draw, paint_drivers
from armillary.learn.folder import read_metrics, read_run, undamaged, write_json, write_text
from armillary.learn.judging import HEADLINES
from armillary.learn.occluding import occlusion
from armillary.learn.preparing import Prepared, folds, positive_of, prepare
from armillary.learn.publishing import samples_for
from armillary.learn.samples import fingerprint
from armillary.learn.study import ModelPart, Study, study_of
from armillary.model import Progress, share, silent

if TYPE_CHECKING:
    import xarray as xr

#: Columns whose effect is drawn.
_SHOWN: Final = 6
#: Of what contributions are parts; calibration comes after the model.
_OF: Final = "raw answers of the model (log-odds, or the unit of the label), before calibration"


def explain(
    folder: Path, *, data: "Path | xr.Dataset | None" = None, model: str = "", progress: Progress = silent
) -> list[Driver]:
    """Measure what drives a model of a run, and write ``drivers.csv``, ``drivers.json``, ``effects.json`` and figures.

    Of LightGBM ``contributions.json`` is written too, of samples with series ``occlusion.json``, each with its figure.

    Parameters
    ----------
    folder : Path
        The run folder.
    data : Path or xarray.Dataset, optional
        Where its training data are now, if not where the study says, or the samples themselves.
    model : str
        The best one if empty.

    Raises
    ------
    BadRequest
        If the run is not complete, the model is not in it, or the data are not those that it saw.
    DamagedFile
    """
    about, metrics = read_run(folder), read_metrics(folder)
    with undamaged(folder):
        study, title = study_of(about["study"]), model or metrics["best"]
        seen = about["data"]
    prepared = prepare(study, _same_data(study, seen, data))
    part = _part(study, title)
    score = HEADLINES[study.task][0]
    found = drivers(study, part, prepared, folds(study, prepared), score, share(progress, 0.0, 0.6))
    write_json(
        folder / "drivers.json", {"model": part.title, "score": score, "groups": [one.to_record() for one in found]}
    )
    write_text(folder / "drivers.csv", _csv(found))
    _look_closer(folder, study, part, prepared, score, share(progress, 0.6, 0.9))
    progress(0.9, "drawing")
    _draw(folder / "figures", study, part, prepared, found, score)
    return found


def _look_closer(
    folder: Path, study: Study, part: ModelPart, prepared: Prepared, score: str, progress: Progress
) -> None:
    """Write what only some models and samples have: contributions of LightGBM, pieces of series."""
    cut = folds(study, prepared)
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    given = contributions(study, part, prepared, cut, share(progress, 0.0, 0.3))
    hidden = occlusion(study, part, prepared, cut, score, share(progress, 0.3, 1.0))
    if given:
        write_json(folder / "contributions.json", {"model": part.title, "of": _OF, "groups": given})
        draw_contributions(figures / "contributions.png", given[:30])
    if hidden:
        pieces = [one.to_record() for one in hidden]
        write_json(folder / "occlusion.json", {"model": part.title, "score": score, "pieces": pieces})
        draw_occlusion(figures / "occlusion.png", pieces, score, _channels(prepared))


def _channels(prepared: Prepared) -> dict[str, list[str]]:
    """Give the names of the channels of each series, where the samples tell them."""
    found = {}
    for name, one in prepared.samples.data_vars.items():
        if one.ndim == 3 and one.dims[1] in prepared.samples.coords:
            found[str(name)] = [str(label) for label in prepared.samples[one.dims[1]].values]
    return found


def _same_data(study: Study, seen: str, data: "Path | xr.Dataset | None") -> "xr.Dataset":
    samples = samples_for(study, data)
    if fingerprint(samples) != seen:
        raise BadRequest("these are not the data that the run learnt from", "give --data the ones it did")
    return samples


def _part(study: Study, title: str) -> ModelPart:
    found = next((one for one in study.models if one.title == title), None)
    if found is None:
        raise BadRequest(f"the run has no model {title!r}", f"it has {', '.join(one.title for one in study.models)}")
    return found


def _csv(found: Sequence[Driver]) -> str:
    edges = ("", "_low", "_high")
    names = [f"{name}{edge}" for name in ("permuted", "dropped", "alone") for edge in edges]
    lines = [",".join(("group", "columns", *names))]
    for one in found:
        numbers = [f"{value:.6g}" for value in (*one.permuted, *one.dropped, *one.alone)]
        lines.append(",".join((one.group.replace(",", " "), str(one.columns), *numbers)))
    return "\n".join(lines) + "\n"


def _draw(folder: Path, study: Study, part: ModelPart, prepared: Prepared, found: Sequence[Driver], score: str) -> None:
    folder.mkdir(exist_ok=True)
    rows = [one.to_record() for one in found[:30]]
    draw(folder / "drivers.png", lambda axes: paint_drivers(axes, rows, score), (6.4, 1.6 + 0.28 * len(rows)))
    names = [leading_column(prepared, one.group) for one in found]
    along = effects_along(study, part, prepared, [name for name in names if name][:_SHOWN])
    if not along:
        return
    positive = positive_of(study, prepared.classes) if prepared.classes else ""
    numbers = along[0].accumulated.ndim == 1
    answers = ["the answer"] if numbers else [f"P({name})" for name in prepared.classes]
    shown = [0] if numbers else told_classes(prepared.classes, positive)
    write_json(folder.parent / "effects.json", {"model": part.title, "columns": [one.to_record() for one in along]})
    draw_effects(folder / "effects.png", along, answers, shown)
