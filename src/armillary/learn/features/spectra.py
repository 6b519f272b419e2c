"""What spectra of particles look like, whatever their energy table, and how steady a short window is.

A model that sees single energy channels learns the days it was trained on: instruments change their energy table
between modes, and the solar wind its speed. These numbers hardly change with both.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.samples import column

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: What is told of a spectrum.
SHAPES: Final = ("level", "spread", "beam", "width", "tail")
_STEADIEST: Final = 1e-3


def spectra(
    samples: "xr.Dataset",
    name: str,
    shapes: Sequence[str] = SHAPES,
    floor: float = 1.0,
    tail: int = 3,
    prefix: str = "",
) -> Features:
    """Tell the shape of spectra.

    Parameters
    ----------
    samples : xarray.Dataset
    name : str
        Fluxes, (sample, channel) or (sample, time, channel), channels evenly apart in the logarithm of energy; what is
        missing counts as 0, and the mean over time is looked at.
    shapes : sequence of str
        Of `SHAPES`. ``level``: log10 of the sum. ``spread``: deviation of the channel, weighed by flux. ``beam``: part
        of the sum that lies in the highest channel and its two neighbours. ``width``: channels above 10^-0.5 of the
        highest. ``tail``: log10 of the mean of the last `tail` channels against the highest.
    floor : float
        Added before logarithms: the flux that is no more than noise.
    tail : int
    prefix : str

    Notes
    -----
    Each shape is a feature group. A spectrum without any flux has a level and a width only.
    """
    values = column(samples, name)
    if values.ndim not in {2, 3} or values.shape[-1] <= tail or floor <= 0:
        problem = f"{name!r} of shape {values.shape} is no spectra of more than {tail} channels with a floor above 0"
        raise BadParameter(problem, "name a variable (sample, channel) or (sample, time, channel)")
    unknown = [one for one in shapes if one not in SHAPES]
    if unknown or not shapes:
        raise BadParameter(f"shapes = {list(shapes)} is unknown", f"give some of {', '.join(SHAPES)}")
    flux = np.where(np.isfinite(values), values, 0.0).astype(float)
    told = _shapes(flux if flux.ndim == 2 else flux.mean(axis=1), floor, tail)
    titles = tuple(f"{prefix}{name}_{one}" for one in shapes)
    return Features(np.stack([told[one] for one in shapes], axis=1), titles, titles)


def steadiness(
    samples: "xr.Dataset", name: str, channels: Sequence[str] = (), steady: Sequence[str] = (), prefix: str = ""
) -> Features:
    """Tell level and fluctuation of positive quantities over the short window of each sample.

    Parameters
    ----------
    samples : xarray.Dataset
    name : str
        (sample, time) or (sample, time, channel).
    channels : sequence of str
        Names of the channels in order; "" leaves one out. Their numbers if empty.
    steady : sequence of str
        Channels of which also the fluctuation is told; all if empty.
    prefix : str

    Notes
    -----
    The level is log10 of the median; the fluctuation is log10 of the deviation over the median, not below -3. Each
    channel is a feature group.
    """
    values = column(samples, name).astype(float)
    if values.ndim not in {2, 3}:
        problem = f"{name!r} of shape {values.shape} is no window"
        raise BadParameter(problem, "name a variable (sample, time) or (sample, time, channel)")
    values = values if values.ndim == 3 else values[..., None]
    titles = list(channels) or [str(at) for at in range(values.shape[-1])]
    lost = sorted({*steady} - {*titles})
    if len(titles) != values.shape[-1] or lost or not any(titles):
        problem = f"{name!r} has {values.shape[-1]} channels, not {titles}" if not lost else f"no channel {lost[0]!r}"
        raise BadParameter(problem, "name all channels in order, and leave some out by the empty name")
    made, names, groups = [], [], []
    for at, title in enumerate(titles):
        if not title:
            continue
        level, fluctuation = _window(values[..., at])
        both = [("level", level)] + [("fluctuation", fluctuation)] * (not steady or title in steady)
        made += [one for _, one in both]
        names += [f"{prefix}{title}_{kind}" for kind, _ in both]
        groups += [title] * len(both)
    return Features(np.stack(made, axis=1), tuple(names), tuple(groups))


def _shapes(flux: Array, floor: float, tail: int) -> dict[str, Array]:
    number = np.arange(flux.shape[1], dtype=float)
    total = flux.sum(axis=1)
    share = np.divide(flux, total[:, None], out=np.full(flux.shape, np.nan), where=total[:, None] > 0)
    middle = (share * number).sum(axis=1)
    highest = flux.argmax(axis=1)
    near = np.abs(number - highest[:, None]) < 1.5
    logs = np.log10(flux + floor)
    peak = logs.max(axis=1)
    return {
        "level": np.log10(total + floor),
        "spread": np.sqrt((share * (number - middle[:, None]) ** 2).sum(axis=1)),
        "beam": (share * near).sum(axis=1),
        "width": (logs > peak[:, None] - 0.5).sum(axis=1).astype(float),
        "tail": np.where(total > 0, np.log10(flux[:, -tail:].mean(axis=1) + floor) - peak, np.nan),
    }


def _window(values: Array) -> tuple[Array, Array]:
    """Give level and fluctuation of each row; NaN where it has no positive median."""
    level, fluctuation = (np.full(len(values), np.nan) for _ in range(2))
    there = np.flatnonzero(np.isfinite(values).any(axis=1))
    median, deviation = np.nanmedian(values[there], axis=1), np.nanstd(values[there], axis=1)
    good = median > 0
    level[there[good]] = np.log10(median[good])
    fluctuation[there[good]] = np.log10(deviation[good] / median[good] + _STEADIEST)
    return level, fluctuation
