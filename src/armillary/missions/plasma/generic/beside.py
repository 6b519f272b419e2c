"""Data that a parameter of a recipe has chosen, in known units and at the times of the recipe's own input."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.accumulation import averaged
from armillary.missions.plasma.generic.reading import at_times, main_of, series
from armillary.missions.plasma.generic.turning import Frame, frame_told, turned_into
from armillary.missions.plasma.unit_spellings import factor_of
from armillary.model import Parameter

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

#: Units that these recipes work in.
_WORKING: Final = ("nT", "mV/m", "km/s", "eV", "nPa", "V", "km", "cm^-3")
#: How far to look for the two samples that an interpolated value lies between.
GAP: Final = Parameter(
    name="largest_gap", type="float", default=60.0, low=0.001, high=86400.0, units="s",
    description="Longest step between samples of the chosen products that is bridged when they are brought to these "
    "times; longer ones leave gaps",
)  # fmt: skip


def chosen(name: str, description: str) -> Parameter:
    """Make a parameter that names another product."""
    return Parameter(name=name, type="product", default="", description=description)


def vector_at(
    other: "xr.Dataset | None", name: str, units: str, time: "Array", largest_gap: float, *, frame: Frame,
    undeclared: str = "refuse", accumulation: float = 0.0, beside: "xr.Dataset | None" = None,
) -> "Array":  # fmt: skip
    """Give the vectors of a chosen product at these times and in a frame, shape (t, 3); NaN in gaps.

    Parameters
    ----------
    frame : Frame
        What they are turned into.
    undeclared : str
        As `armillary.missions.plasma.generic.turning.UNDECLARED`.
    accumulation : float
        If not 0, they are means over so many seconds from each of these times on.
    beside : Dataset, optional
        A skymap in that frame, whose matrices help to turn.

    Raises
    ------
    BadParameter
        If none was chosen.
    BadData
        If it holds no vectors, they are in other units, or in a frame that nothing tells or that cannot be turned.
    """
    there = _there(other, name, "three components", units)
    found = _at(there, 1, name, units, time, (largest_gap, accumulation))
    return turned_into(frame, frame_told(there), found, time, name, undeclared=undeclared, beside=beside)


def scalar_at(
    other: "xr.Dataset | None", name: str, units: str, time: "Array", largest_gap: float, *, accumulation: float = 0.0
) -> "Array":
    """Give the numbers of a chosen product at these times, shape (t,); errors as :func:`vector_at`."""
    return _at(_there(other, name, "one number a time", units), 0, name, units, time, (largest_gap, accumulation))


def vector_beside(
    own: "xr.Dataset", other: "xr.Dataset | None", name: str, units: str, largest_gap: float, undeclared: str
) -> "Array":
    """Give the vectors of a chosen product at the times and in the frame of a recipe's own vectors, shape (t, 3).

    Raises
    ------
    BadParameter, BadData
        As :func:`vector_at`.
    """
    time, frame = own["time"].to_numpy(), frame_told(own)
    return vector_at(other, name, units, time, largest_gap, frame=frame, undeclared=undeclared)


def in_units(values: "Array", given: str, wanted: str, name: str) -> "Array":
    """Give numbers in one of the units that these recipes work in: nT, mV/m, km/s, eV, nPa, V, km or cm^-3.

    Raises
    ------
    BadData
        If the given units cannot become the wanted ones.

    Examples
    --------
    >>> in_units(np.array([11604.518]), "deg K", "eV", "temperature").round(6).tolist()
    [1.0]
    """
    factor = factor_of(given, wanted)
    if factor is None:
        raise BadData(f"{name} is in {given!r}, which cannot be made {wanted}", f"choose a product in {wanted}")
    return np.asarray(values, float) * factor


def usual_units(given: str, name: str) -> str:
    """Give the units that these recipes work in for a spelling of them or of others of their kind.

    Raises
    ------
    BadData
        If they are none of these.

    Examples
    --------
    >>> usual_units("1/cm3", "n"), usual_units("m/s", "v")
    ('cm^-3', 'km/s')
    """
    found = next((units for units in _WORKING if factor_of(given, units) is not None), "")
    if not found:
        raise BadData(f"{name} is in {given!r}, which is not known", f"choose a product in {', '.join(_WORKING)}")
    return found


def vectors(
    like: "xr.Dataset", values: "Array", name: str, units: str, title: str, *, frame: str,
    labels: Sequence[str] = ("x", "y", "z"),
) -> "xr.Dataset":  # fmt: skip
    """Make a series of vectors, shape (t, 3), on the times of another dataset."""
    attrs = {"units": units, "long_name": title, "LABLAXIS": name, "COORDINATE_SYSTEM": frame,
             "DISPLAY_TYPE": "time_series", "LABL_PTR_1": "component"}  # fmt: skip
    return series(like, {name: (("time", "component"), values, attrs)}, component=list(labels))


def units_of(data: "xr.Dataset", components: int) -> str:
    """Give the units of the main variable as they are spelled."""
    return str(main_of(data, components).attrs.get("units", ""))


def _there(other: "xr.Dataset | None", name: str, shape: str, units: str) -> "xr.Dataset":
    if other is None:
        raise BadParameter(f"parameter {name!r} is empty", f"give the path of a product with {shape} in {units}")
    return other


def _at(data: "xr.Dataset", components: int, name: str, units: str, time: "Array", how: tuple[float, float]) -> "Array":
    main: Any = main_of(data, components)
    if components and main.shape[1] != 3:
        raise BadData(f"{name} ({main.name}) has {main.shape[1]} components, not 3", "choose a product with three")
    one, (largest_gap, seconds) = main.to_dataset(name=str(main.name)), how
    values = averaged(one, time, seconds, largest_gap) if seconds else at_times(one, time, largest_gap)
    return in_units(values, str(main.attrs.get("units", "")), units, name)
