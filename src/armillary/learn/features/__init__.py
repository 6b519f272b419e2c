"""How samples become columns of numbers: one function a step, ``step(samples, **options) -> Features``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.study import Step

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: Name of each step and its home, "module:function".
STEPS: Final[dict[str, str]] = {
    "columns": "columns:columns",
    "course": "course:course",
    "differences": "columns:differences",
    "indicators": "terms:indicators",
    "lags": "along:lags",
    "log": "columns:log",
    "nearest_subsequence": "telemetry:nearest_subsequence",
    "photometry": "photometry:photometry",
    "products": "terms:products",
    "quant": "quant:quant",
    "ring_current": "solar_wind:ring_current",
    "ridge_ar": "telemetry:ridge_ar",
    "rolling": "along:rolling",
    "solar_wind": "solar_wind:solar_wind",
    "sed": "sed:sed",
    "spectra": "spectra:spectra",
    "steadiness": "spectra:steadiness",
    "stretches": "stretches:stretches",
}
#: Steps that look at one sample only.
ALONE: Final = frozenset({
    "columns", "course", "differences", "indicators", "log", "photometry", "products", "quant", "sed", "spectra",
    "steadiness",
})  # fmt: skip
#: Steps that look at others near it: what tells how far, ``reach(options, cadence) -> seconds``. All other steps look
#: at whole series.
REACHING: Final[dict[str, str]] = {
    "lags": "along:reach_of_lags",
    "ring_current": "solar_wind:reach_of_ring_current",
    "rolling": "along:reach_of_rolling",
    "solar_wind": "solar_wind:reach_of_solar_wind",
    "stretches": "stretches:reach_of_stretches",
}


@dataclass(frozen=True, slots=True)
class Features:
    """Columns of numbers.

    Parameters
    ----------
    matrix : array of float, (n, p)
        NaN = missing.
    names : tuple of str
        Of the columns.
    groups : tuple of str
        Of each column, what it was made of: columns of one group are permuted and dropped together. ``slope@Ks|W4``:
        permuted with all of ``slope``, dropped with either band.
    """

    matrix: Array
    names: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of each column what is permuted and told of together: the group, without the bands that it is made of."""
        return tuple(one.partition("@")[0] for one in self.groups)

    def only(self, groups: Sequence[str]) -> "Features":
        """Give the columns of some groups, or kinds of groups; all if none is named."""
        unknown = sorted(set(groups) - {*self.groups, *self.kinds})
        if unknown:
            raise BadParameter(f"there is no feature group {unknown[0]!r}", f"there are {sorted(set(self.kinds))}")
        of = zip(self.groups, self.kinds, strict=True)
        kept = [at for at, pair in enumerate(of) if not groups or not {*pair}.isdisjoint(groups)]
        return Features(self.matrix[:, kept], *(tuple(one[at] for at in kept) for one in (self.names, self.groups)))


def build(samples: "xr.Dataset", steps: Sequence[Step]) -> Features:
    """Make the features of samples, the columns of all steps side by side.

    Raises
    ------
    BadParameter
        If a step is unknown or does not take an option.
    """
    made = [_do(samples, one) for one in steps or (Step(use="columns"),)]
    names = tuple(name for one in made for name in one.names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadParameter(f"two feature steps make the column {twice[0]!r}", "give one of them another prefix")
    groups = tuple(group for one in made for group in one.groups)
    return Features(np.concatenate([one.matrix for one in made], axis=1), names, groups)


def reach_of_steps(steps: Sequence[Step], cadence: float) -> float:
    """Give how many seconds steps look to other samples on either side.

    Parameters
    ----------
    steps : sequence of Step
    cadence : float
        Seconds from one sample to the next, for steps that count samples.

    Returns
    -------
    float
        0 if they look at single samples only, infinite if one looks at whole series.
    """
    return max([0.0, *(_reach(one.use, one.options, cadence) for one in steps)])


def _reach(use: str, options: Mapping[str, Any], cadence: float) -> float:
    if use in ALONE:
        return 0.0
    if use not in REACHING:
        return float("inf")
    module, _, name = REACHING[use].partition(":")
    reach = getattr(import_module(f"armillary.learn.features.{module}"), name)
    return float(reach(options, cadence))


def _do(samples: "xr.Dataset", step: Step) -> Features:
    if step.use not in STEPS:
        raise BadParameter(f"there is no feature step {step.use!r}", f"give one of {', '.join(STEPS)}")
    module, _, name = STEPS[step.use].partition(":")
    try:
        made: Features = getattr(import_module(f"armillary.learn.features.{module}"), name)(samples, **step.options)
    except TypeError as failed:
        raise BadParameter(f"feature step {step.use!r}: {failed}", "look at its options in the docs") from failed
    return made
