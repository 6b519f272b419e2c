"""Of any series: filtered, smoothed, averaged, interpolated and without spikes; gaps stay gaps."""

from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic.reading import series
from armillary.model import Fits, Parameter, Recipe, recipe
from armillary.science.fields import filters
from armillary.science.fields.windows import columns_of

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

_ANY: Final = Fits(kinds=("series",), shapes=((), (3,)))

LOW: Final = Parameter(
    name="low", type="float", default=0.0, low=0.0, units="Hz", description="Keep what is above; 0 for no such corner"
)
HIGH: Final = Parameter(
    name="high", type="float", default=0.0, low=0.0, units="Hz", description="Keep what is below; 0 for no such corner"
)
CONTEXT: Final = Parameter(
    name="context", type="float", default=60.0, low=0.0, high=86400.0, units="s",
    description="Time that is read before and after, so that the filter feels no end: two periods of the lowest corner "
    "or more",
)  # fmt: skip
_WINDOW: Final = Parameter(
    name="window",
    type="float",
    default=60.0,
    low=1e-4,
    high=86400.0,
    units="s",
    description="Length of the window around",
)
_STATISTIC: Final = Parameter(
    name="statistic", type="str", default="mean", choices=("mean", "median"), description="What of the window is taken"
)


@recipe("{input}/band_pass", inputs={"data": _ANY}, title="{title}: filtered", kind="series", units="{units}",
        block="time", pad="context", citation="Gustafsson (1996), doi:10.1109/78.492552",
        parameters=(LOW, HIGH,
                    Parameter(name="order", type="int", default=4, low=1, high=10, description="Of the filter"),
                    CONTEXT))  # fmt: skip
def band_pass(data: "xr.Dataset", low: float, high: float, order: int, context: float) -> "xr.Dataset":
    """Low-pass, high-pass or band-pass without a shift in phase: a Butterworth filter, forward and backward.

    Each stretch without gaps is filtered by itself; `edge` is 1 where an end of one is nearer than two periods of the
    lowest corner.
    """
    check_context(context, low or high)
    time, values = samples_of(data)
    if len(time) < 2:
        return _like(data, values, edge=(np.zeros(len(time), np.uint8), "an end or a gap is too near"))
    found = filters.filtered(time, values, low, high, order)
    return _like(data, found.values, edge=(found.edge.astype(np.uint8), "an end or a gap is too near"))


@recipe("{input}/smoothed", inputs={"data": _ANY}, title="{title}: smoothed", kind="series", units="{units}",
        block="time", pad="window", parameters=(_WINDOW, _STATISTIC))  # fmt: skip
def smoothed(data: "xr.Dataset", window: float, statistic: str) -> "xr.Dataset":
    """Mean or median of what lies in a window of time around each sample; any sampling."""
    time, values = samples_of(data)
    return _like(data, filters.running(time, values, window, cast("Literal['mean', 'median']", statistic)))


@recipe("{input}/fluctuations", inputs={"data": _ANY}, title="{title}: fluctuations", kind="series", units="{units}",
        block="time", pad="window", parameters=(_WINDOW, _STATISTIC))  # fmt: skip
def fluctuations(data: "xr.Dataset", window: float, statistic: str) -> "xr.Dataset":
    """Each sample less the mean or median of the window of time around it."""
    time, values = samples_of(data)
    slow = filters.running(time, values, window, cast("Literal['mean', 'median']", statistic))
    return _like(data, values - slow)


@recipe("{input}/resampled", inputs={"data": _ANY}, title="{title}: averaged", kind="series", units="{units}",
        block="time", pad="step", cadence="step",
        parameters=(Parameter(name="step", type="float", default=60.0, low=1e-6, high=86400.0 * 366, units="s",
                              description="Length of a bin; bins are counted from 1970"),))  # fmt: skip
def resampled(data: "xr.Dataset", step: float) -> "xr.Dataset":
    """Means over bins of equal length, at their centres; `count` says how many samples are in one."""
    time, values = samples_of(data)
    centre, mean, count = filters.boxcar(time, values, step)
    return _like(data, mean, centre, count=(count, "Samples in the bin"))


@recipe("{input}/interpolated", inputs={"data": _ANY}, title="{title}: interpolated", kind="series", units="{units}",
        block="time", pad="largest_gap", cadence="step",
        parameters=(Parameter(name="step", type="float", default=1.0, low=1e-6, high=86400.0, units="s",
                              description="Time between two samples; they are counted from 1970"),
                    Parameter(name="largest_gap", type="float", default=60.0, low=1e-6, high=86400.0, units="s",
                              description="Longest gap that a line is drawn over")))  # fmt: skip
def interpolated(data: "xr.Dataset", step: float, largest_gap: float) -> "xr.Dataset":
    """Straight lines between samples, at even times; missing where the samples are further apart than allowed."""
    time, values = samples_of(data)
    at = filters.even_times(time, step)
    return _like(data, filters.interpolated(time, values, at, largest_gap), at)


@recipe("{input}/despiked", inputs={"data": _ANY}, title="{title}: without spikes", kind="series", units="{units}",
        block="time", pad="window", citation="Pearson (2002), doi:10.1109/87.974338",
        parameters=(_WINDOW,
                    Parameter(name="threshold", type="float", default=5.0, low=0.0, high=1000.0,
                              description="How many sigma from the median of the window a spike is"),
                    Parameter(name="replace", type="str", default="missing", choices=("missing", "median"),
                              description="What a spike becomes")))  # fmt: skip
def despiked(data: "xr.Dataset", window: float, threshold: float, replace: str) -> "xr.Dataset":
    """Hampel's filter: what lies too far from the median of the window around it is taken out, by component.

    `spike` is 1 at the times where something was taken out.
    """
    time, values = samples_of(data)
    found = filters.spikes(time, values, window, threshold)
    instead = filters.running(time, values, window, "median") if replace == "median" else np.nan
    flag: Array = np.asarray(columns_of(found).any(1), np.uint8)
    return _like(data, np.where(found, instead, values), spike=(flag, "a spike was taken out"))


def check_context(context: float, corner: float) -> None:
    """Refuse a filter that would feel the ends of the blocks that it is given.

    Raises
    ------
    BadParameter
        If the context is shorter than two periods of the lowest corner.
    """
    if corner > 0 and context < 2 / corner:
        problem = f"{context:g} s of context are too few for a filter at {corner:g} Hz"
        raise BadParameter(problem, f"give context = {2 / corner:.4g} or more")


def first_series(data: "xr.Dataset") -> "xr.DataArray":
    """Give the first variable of numbers or vectors on time.

    Raises
    ------
    BadData
        If there is none.
    """
    for one in data.data_vars.values():
        if one.dims[:1] == ("time",) and one.ndim <= 2 and one.dtype.kind in "iufb":
            return one
    shapes = ", ".join(f"{name}{one.dims}" for name, one in data.data_vars.items())
    raise BadData(f"there are no numbers and no vectors on time among {shapes}", "choose another leaf")


def samples_of(data: "xr.Dataset") -> "tuple[Array, Array]":
    """Give times and float64 numbers of a series, shape (t,) or (t, c); errors as :func:`first_series`."""
    return data["time"].to_numpy(), first_series(data).to_numpy().astype(float)


def _like(
    data: "xr.Dataset", values: "Array", time: "Array | None" = None, **flags: "tuple[Array, str]"
) -> "xr.Dataset":
    """Give a series with other numbers under the same name and attributes, perhaps at other times, and flags."""
    main = first_series(data)
    made: dict[str, Any] = {str(main.name): (main.dims, values, main.attrs)}
    made |= {name: (("time",), one, {"units": "", "long_name": told}) for name, (one, told) in flags.items()}
    coords: dict[str, Any] = {
        str(name): (one.dims, one.to_numpy(), one.attrs)
        for name, one in main.coords.items() if "time" not in one.dims
    }  # fmt: skip
    return series(data, made, **coords, **({} if time is None else {"time": time}))


RECIPES: Final[tuple[Recipe, ...]] = (band_pass, smoothed, fluctuations, resampled, interpolated, despiked)
