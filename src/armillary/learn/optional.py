"""Models that a study would like but can do without: left out, and said so, where their library is not installed."""

from dataclasses import replace

from armillary.errors import MissingExtra
from armillary.learn.answers import EACH_GROUP
from armillary.learn.models import make_model
from armillary.learn.study import ModelPart, Study


def without_missing(study: Study) -> tuple[Study, tuple[str, ...]]:
    """Give the study without optional models that cannot be had here, and what is to be said of that.

    Raises
    ------
    MissingExtra
        If no other model is left.
    """
    gone = {one.title: reason for one in study.models if one.optional and (reason := _missing(study, one))}
    kept = tuple(one for one in study.models if one.title not in gone)
    if not kept:
        raise next(iter(gone.values()))
    notes = tuple(f"the optional model {title!r} was left out: {one}" for title, one in gone.items())
    return (replace(study, models=kept), notes) if gone else (study, ())


def _missing(study: Study, part: ModelPart) -> MissingExtra | None:
    options = {name: one for name, one in part.options.items() if name not in {EACH_GROUP, "dropout", "drop"}}
    try:
        make_model(part.use, options, task=study.task, seed=0)
    except MissingExtra as failed:
        return failed
    return None
