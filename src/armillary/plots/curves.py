"""Curves against something else than time, as a mean spectrum with its bounds; lines drawn over spectrograms."""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.plots.limits import floats, is_log, line_limits, valid
from armillary.plots.view import Array, Axis, Line, Panel
from armillary.plots.wording import tidy_label, tidy_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from armillary.model import Product

#: The ``DISPLAY_TYPE`` of a variable ``(time, x)`` that is one curve against x, not a column among others.
CURVE: Final = "curve"
#: The attribute of a spectrogram that names variables ``(time,)``, in the units of its bins, to be drawn over it.
OVERLAY: Final = "OVERLAY"
#: Of the first curve and of what bounds it: Okabe and Ito's blue, then grey.
_COLOURS: Final = ("#0072b2", "#777777")
#: Lines over colours must stand out from all of them.
_OVER: Final = "#ffffff"


def is_curve(variable: "xr.DataArray") -> bool:
    """Say whether a variable asks to be drawn as a curve."""
    return str(variable.attrs.get("DISPLAY_TYPE") or "").lower() == CURVE and variable.ndim == 2


def curve_panel(product: "Product", curves: "Sequence[xr.DataArray]") -> Panel:
    """Put curves against the same bins into one panel: each variable's middle time, the first one in colour."""
    main = curves[0]
    bins = main.coords[str(main.attrs.get("DEPEND_1", main.dims[1]))]
    x, log_x = floats(bins.values), is_log(bins.attrs) is not False and bool((floats(bins.values) > 0).all())
    rows = [_row(one) for one in curves]
    low, high, scale = line_limits(np.stack(rows), bool(is_log(main.attrs)))
    rows = [np.where(one > 0, one, np.nan) if scale == "log" else one for one in rows]
    lines = tuple(
        Line(x, y, tidy_label(one.attrs.get("LABLAXIS") or one.name), _COLOURS[min(number, 1)])
        for number, (one, y) in enumerate(zip(curves, rows, strict=True))
    )
    across = Axis(_name(bins), tidy_units(str(bins.attrs.get("units", ""))), float(x.min()), float(x.max()),
                  "log" if log_x else "linear")  # fmt: skip
    up = Axis(_name(main), tidy_units(str(main.attrs.get("units", ""))), low, high, scale)
    notes = () if any(np.isfinite(one).any() for one in rows) else ("no data here",)
    return Panel("lines", across, up, lines, None, product.title, product.path, notes)


def overlaid(variable: "xr.DataArray") -> tuple[str, ...]:
    """Give the names of the variables that are drawn over this one, and not by themselves."""
    return tuple(str(variable.attrs.get(OVERLAY) or "").split())


def overlays(variable: "xr.DataArray", data: "xr.Dataset", times: Array, low: float, high: float) -> tuple[Line, ...]:
    """Give the lines that a spectrogram asks to have over it, cut to the limits of its bins."""
    found = []
    for name in overlaid(variable):
        if name not in data or data[name].dims != ("time",):
            continue
        values = floats(data[name].values)
        found.append(Line(times, np.where((values >= low) & (values <= high), values, np.nan), "", _OVER))
    return tuple(found)


def _row(curve: "xr.DataArray") -> Array:
    values, _ = valid(floats(curve.values), curve.attrs)
    return np.asarray(values[len(values) // 2], float)


def _name(variable: "xr.DataArray") -> str:
    return tidy_label(variable.attrs.get("LABLAXIS") or variable.attrs.get("long_name") or variable.name)
