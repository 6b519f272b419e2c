"""The course of short series: values, steps, bends, which dates were filled, and the values in order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.samples import column

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: What is taken of a series.
FORMS: Final = ("values", "first", "second", "bend", "straight", "ordered", "summary")


def course(
    samples: "xr.Dataset",
    name: str = "series",
    forms: Sequence[str] = FORMS,
    tolerance: float = 0.0,
    prefix: str = "",
) -> Features:
    """Take forms of series.

    Parameters
    ----------
    samples : xarray.Dataset
    name : str
        (sample, step) or (sample, channel, step).
    forms : sequence of str
        Of `FORMS`. ``values``; ``first`` and ``second`` differences; ``bend``: the size of the second; ``straight``: 1
        where a value lies on the line between its neighbours, as filled gaps do; ``ordered``: from the least to the
        greatest; ``summary``: mean, deviation, greatest and least value and where these lie.
    tolerance : float
        How far from the line is still ``straight``: the rounding of the values.
    prefix : str

    Notes
    -----
    Each form of a channel is a feature group. A missing value makes missing what it is a part of; of ``ordered`` it is
    the last.
    """
    values = column(samples, name)
    if values.ndim not in {2, 3} or values.shape[-1] < 3 or values.dtype.kind not in "fiub":
        problem = f"{name!r} of shape {values.shape} is no series of 3 steps or more"
        raise BadParameter(problem, "name a variable (sample, step) or (sample, channel, step)")
    unknown = [one for one in forms if one not in FORMS]
    if unknown or not forms:
        raise BadParameter(f"forms = {list(forms)} is unknown", f"give some of {', '.join(FORMS)}")
    channels = values.astype(float).reshape(len(values), -1, values.shape[-1])
    made: list[Array] = []
    names: list[str] = []
    groups: list[str] = []
    for channel in range(channels.shape[1]):
        title = name if channels.shape[1] == 1 else f"{name}_{channel}"
        for form in forms:
            made.append(form_of(channels[:, channel], form, tolerance))
            count = made[-1].shape[1]
            names += [f"{prefix}{title}_{form}_{at}" for at in range(count)]
            groups += [f"{title}_{form}"] * count
    return Features(np.concatenate(made, axis=1), tuple(names), tuple(groups))


def form_of(series: Array, form: str, tolerance: float = 0.0) -> Array:
    """Give one form of series, (n, m) to (n, q).

    Examples
    --------
    >>> form_of(np.array([[1.0, 2.0, 3.0, 5.0]]), "straight").tolist()
    [[1.0, 0.0]]
    """
    if form == "values":
        return series
    if form == "first":
        return np.diff(series)
    if form == "ordered":
        return np.sort(series, axis=1)
    if form == "summary":
        return _summary(series)
    second = np.diff(series, n=2)
    if form == "second":
        return second
    return np.abs(second) if form == "bend" else np.where(np.isnan(second), np.nan, np.abs(second) <= tolerance)


def _summary(series: Array) -> Array:
    there = np.isfinite(series).any(axis=1)
    known = series[there]
    told = np.full((len(series), 6), np.nan)
    told[there, :4] = np.column_stack([one(known, axis=1) for one in (np.nanmean, np.nanstd, np.nanmax, np.nanmin)])
    told[there, 4:] = np.column_stack([one(known, axis=1) for one in (np.nanargmax, np.nanargmin)])
    return told
