"""Which part of a series a model looks at: pieces of time, channel by channel, are hidden and the score is taken again.

A hidden piece is replaced by the mean course of all samples there (Zeiler & Fergus 2014, ECCV), the features are made
again, and models that have not seen the block answer. What is missing stays missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.learn.answers import ask, fit, folds_for, gives_probability, groups_of
from armillary.learn.drivers import loss
from armillary.learn.features import build
from armillary.learn.preparing import Prepared
from armillary.learn.samples import RESERVED
from armillary.learn.splits import Fold
from armillary.learn.study import ModelPart, Study
from armillary.model import Progress, silent

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: Pieces of time at most, and how often features are made again at most.
_PIECES: Final = 8
_BUILDS: Final = 64


@dataclass(frozen=True, slots=True)
class Occluded:
    """What hiding one piece of one channel costs.

    Parameters
    ----------
    variable : str
        Of the samples.
    channel : int
        -1 for all, where there is one, or too many to hide each.
    first, last : int
        Steps that were hidden; the last is not included.
    lost : tuple of float
        Loss of the score, positive = the piece helps, and the ends of its 95 % interval.
    """

    variable: str
    channel: int
    first: int
    last: int
    lost: tuple[float, float, float]

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)


def occlusion(
    study: Study, part: ModelPart, prepared: Prepared, folds: Sequence[Fold], score: str, progress: Progress = silent
) -> list[Occluded]:
    """Hide pieces of the series of all samples, one at a time.

    Costs one fit a fold, and at most 64 times the making of features.

    Returns
    -------
    list of Occluded
        In the order of variable, channel and time; empty where no sample has a series.
    """
    pieces = list(_pieces(prepared.samples))
    if not pieces:
        return []
    progress(0.0, "occlusion: fitting")
    folds, groups = folds_for(part, prepared, folds), groups_of(prepared)
    models = [fit(study, part, prepared, fold.train, study.seed) for fold in folds]
    classes = len(prepared.classes) if gives_probability(study, part) else 0

    def answers(matrix: Array) -> Array:
        found = np.full((len(prepared), classes) if classes else len(prepared), np.nan)
        for model, fold in zip(models, folds, strict=True):
            mine = groups[fold.test] if groups is not None else None
            found[fold.test] = ask(model, matrix[fold.test], classes, mine)
        return found

    whole, found = answers(prepared.features.matrix), []
    for number, (name, channel, first, last) in enumerate(pieces):
        progress((number + 1) / (len(pieces) + 1), f"occlusion: {number + 1} of {len(pieces)}")
        hidden = build(_without(prepared.samples, name, channel, slice(first, last)), study.features)
        lost = loss(study, prepared, whole, answers(hidden.matrix), score)
        found.append(Occluded(name, channel, first, last, lost))
    return found


def _pieces(samples: "xr.Dataset") -> Iterator[tuple[str, int, int, int]]:
    """Give variable, channel, first and last step of each piece."""
    series = [
        (str(name), one.shape)
        for name, one in samples.data_vars.items()
        if one.ndim in {2, 3} and one.dims[0] == "sample" and one.dtype.kind in "fiu" and name not in RESERVED
    ]
    each = sum(shape[1] if len(shape) == 3 else 1 for _, shape in series) <= _BUILDS
    channels = [
        (name, channel, shape[-1])
        for name, shape in series
        for channel in (range(shape[1]) if each and len(shape) == 3 and shape[1] > 1 else (-1,))
    ]
    number = max(1, min(_PIECES, _BUILDS // max(len(channels), 1)))
    for name, channel, steps in channels[:_BUILDS]:
        edges = np.unique(np.linspace(0, steps, number + 1).astype(int))
        for first, last in pairwise(edges):
            yield name, channel, int(first), int(last)


def _without(samples: "xr.Dataset", name: str, channel: int, steps: slice) -> "xr.Dataset":
    values = samples[name].values.astype(float)
    at = (slice(None), slice(None) if channel < 0 else channel, steps) if values.ndim == 3 else (slice(None), steps)
    piece = values[at]
    known = np.isfinite(piece)
    mean = np.where(known, piece, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    values[at] = np.where(known, mean, np.nan)
    return samples.assign({name: (samples[name].dims, values)})
