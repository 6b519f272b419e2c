"""Spectra and pitch-angle distributions in one order: energies rising and in eV, angles rising, gaps NaN."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import axis_of, in_units
from armillary.missions.plasma.generic.reading import main_of, series
from armillary.science.particles.pitch_products import pitch_omni

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

_AXES: Final = {
    "energy": ("Energy", "log"),
    "pitch_angle": ("Pitch angle", "linear"),
    "look_direction": ("Look direction", "linear"),
}
_MISSION: Final = "look at the leaf it comes from; if its documentation says so too, report it to the maintainer"


def energies_of(
    data: "xr.Dataset", raw: "xr.DataArray", number: int, beside: "xr.Dataset | None" = None, units: str = "eV"
) -> "Array":
    """Give the energies along a dimension, shape (n,) or (t, n); what is not positive is NaN.

    Parameters
    ----------
    number : int
        Which dimension after time.
    beside : Dataset, optional
        Where they are if the data do not have them as a coordinate.
    units : str
        What they shall be in.

    Raises
    ------
    BadData
        If nobody says them, or their number is another.
    """
    known = axis_of(data, raw, number)
    if known is None and beside is not None:
        lone = main_of(beside, 1)
        known = lone.to_numpy().astype(float), str(lone.attrs.get("units", ""))
    if known is None:
        raise BadData(f"nobody says the energies of {raw.name}", "add the folder or dataset that has them")
    values, given = known
    if values.shape not in {(raw.shape[number],), (raw.shape[0], raw.shape[number])}:
        raise BadData(f"{raw.name} has the shape {raw.shape}, its energies {values.shape}", _MISSION)
    found = in_units(values, given, units, f"the energy of {raw.name}", silent=units)
    return np.where(found > 0, found, np.nan)


def spectrum(
    like: "xr.Dataset", values: "Array", energy: "Array", name: str, units: str, title: str,
    energy_units: str = "eV", *, label: str = "",
) -> "xr.Dataset":  # fmt: skip
    """Make a spectrogram of energy.

    Parameters
    ----------
    values : array, shape (t, n)
        What was measured; NaN where it was not.
    energy : array, shape (n,) or (t, n)
        Of each number, in any order; channels without an energy are left out.
    label : str
        Short, for the colour bar; `name` without one.
    """
    values, (energy,) = _in_order(values, (energy,))
    dims, coords, attrs = _axes(("energy",), (energy,), (energy_units,))
    told = {
        "units": units,
        "long_name": title,
        "LABLAXIS": label or name,
        "SCALETYP": "log",
        "DISPLAY_TYPE": "spectrogram",
    }
    return series(like, {name: (("time", *dims), values, told | attrs)}, **coords)


def pitch_angles(
    like: "xr.Dataset", values: "Array", energy: "Array", angle: "Array", name: str, units: str, title: str,
    energy_units: str = "eV", *, label: str = "",
) -> "xr.Dataset":  # fmt: skip
    """Make a pitch-angle distribution, the kind "plane": ``(time, energy, pitch_angle)``.

    Parameters
    ----------
    values : array, shape (t, energy, angle)
        What was measured; NaN where it was not.
    energy, angle : array, shape (n,) or (t, n)
        In any order.
    label : str
        Short, for the colour bar; `name` without one.
    """
    values, (energy, angle) = _in_order(values, (energy, angle))
    dims, coords, attrs = _axes(("energy", "pitch_angle"), (energy, angle), (energy_units, "deg"))
    told = {"units": units, "long_name": title, "LABLAXIS": label or name, "SCALETYP": "log"}
    return series(like, {name: (("time", *dims), values, told | attrs)}, **coords)


def omni(values: "Array", angle: "Array") -> "Array":
    """Give the mean over the sphere of what is constant in each bin of pitch angle, NaN where nothing was measured.

    Parameters
    ----------
    values : array, shape (t, energy, angle)
        NaN is not measured, and does not count.
    angle : array, shape (angle,) or (t, angle)
        Centres, degrees, rising.

    Returns
    -------
    array, shape (t, energy)
    """
    if angle.ndim == 1:
        return pitch_omni(values.swapaxes(1, 2), angle)
    known, found = np.isfinite(angle).all(-1), np.full(values.shape[:2], np.nan)
    found[known] = pitch_omni(values[known].swapaxes(1, 2), angle[known])
    return found


def _in_order(values: "Array", axes: "tuple[Array, ...]") -> "tuple[Array, tuple[Array, ...]]":
    """Sort along each axis after time, and leave out what has no place on it."""
    values = np.asarray(values, float)
    found = []
    for number, axis in enumerate(axes, 1):
        order = np.argsort(axis, axis=-1, kind="stable")  # NaN comes last
        order = order[..., : int(np.isfinite(axis).sum(-1).max(initial=0))]
        shape = [1] * values.ndim
        shape[number], shape[0] = order.shape[-1], len(order) if axis.ndim == 2 else 1
        values = np.take_along_axis(values, order.reshape(shape), number)
        found.append(np.take_along_axis(axis, order, -1))
    return values, tuple(found)


def _axes(
    names: tuple[str, ...], axes: "tuple[Array, ...]", units: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]:
    coords: dict[str, Any] = {}
    attrs: dict[str, Any] = {}
    for number, (name, axis, unit) in enumerate(zip(names, axes, units, strict=True), 1):
        title, scale = _AXES[name]
        known = name if axis.ndim == 1 else f"{name}_at_time"
        told = {"units": unit, "long_name": title, "LABLAXIS": title, "SCALETYP": scale}
        coords[known] = ((name,) if axis.ndim == 1 else ("time", name), axis, told)
        attrs[f"DEPEND_{number}"] = known
    return names, coords, attrs
