"""Skymaps as `xarray.Dataset`, the kind "skymap", in which they travel between recipes.

``psd (time, azimuth, polar, energy)`` or ``psd (time, direction, energy)``, s^3 cm^-6. Its attribute ``DEPEND_n`` names
the coordinate of each dimension after time, which may itself be ``(time, n)``; a list of directions has coordinates
``azimuth``, ``polar`` and ``solid_angle`` on ``direction`` or ``(direction, energy)``. All angles are those of the
particles' motion. ``psd`` has the attributes ``mass`` (kg), ``charge`` (e), ``species`` and ``COORDINATE_SYSTEM``, the
name of the frame; ``accumulation`` tells for how many seconds from each time on it was counted. Beside it may lie, all
on ``time`` and in that frame:

====================  ==============  =========================================================
variable              shape           what
====================  ==============  =========================================================
psd_error             as psd          one standard deviation, s^3 cm^-6
magnetic_field        (time, xyz)     nT
bulk_velocity         (time, xyz)     km/s, as the mission gives it (not needed for moments)
electric_field        (time, xyz)     mV/m
spacecraft_potential  (time,)         V
to_gse                (time, 3, 3)    matrix that turns vectors of the frame into GSE
====================  ==============  =========================================================
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.science.particles.skymap import Skymap

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

PSD_UNITS: Final = "s^3 cm^-6"
#: Vectors that may lie beside psd, and their units.
VECTORS: Final = {"magnetic_field": "nT", "bulk_velocity": "km/s", "electric_field": "mV/m"}


def from_dataset(data: "xr.Dataset") -> Skymap:
    """Read the cells of a dataset of the kind "skymap"; float64, energies rising, times as they are.

    Raises
    ------
    BadData
        If it is no skymap.
    """
    psd = data["psd"]
    axes = [_axis(data, n) for n in range(1, psd.ndim)]
    energy = axes[-1]
    if psd.ndim == 4:
        azimuth, polar, solid = axes[0], axes[1], None
    else:
        azimuth, polar, solid = (data[name].to_numpy().astype(float) for name in ("azimuth", "polar", "solid_angle"))
    error = data["psd_error"].to_numpy().astype(float) if "psd_error" in data else None
    return Skymap(
        psd=psd.to_numpy().astype(float), azimuth=azimuth, polar=polar, energy=energy, solid_angle=solid,
        mass=float(psd.attrs["mass"]), charge=int(psd.attrs["charge"]), error=error,
    )  # fmt: skip


def to_dataset(
    cells: Skymap,
    time: "Array",
    *,
    frame: str,
    species: str,
    beside: "dict[str, Array] | None" = None,
    accumulation: float = 0.0,
) -> "xr.Dataset":
    """Write cells as a dataset of the kind "skymap".

    Parameters
    ----------
    time : array of datetime64[ns], shape (t,)
        UTC.
    frame : str
        Name of the frame, e.g. "DBCS".
    species : str
        "ion", "electron", "proton", ...
    beside : dict of str to array
        What lies beside psd; see the top of this module.
    accumulation : float
        Seconds from each time on in which it was counted; 0 if the time stands for all of it.
    """
    import xarray as xr

    dims = ("azimuth", "polar", "energy") if cells.gridded else ("direction", "energy")
    coords: dict[str, Any] = {"time": np.asarray(time, "datetime64[ns]")}
    attrs = {
        "units": PSD_UNITS, "long_name": f"Phase space density of {species}s", "LABLAXIS": "f", "SCALETYP": "log",
        "mass": float(cells.mass), "charge": int(cells.charge), "species": species, "COORDINATE_SYSTEM": frame,
    }  # fmt: skip
    if accumulation:
        attrs["accumulation"] = float(accumulation)
    given = {"azimuth": (cells.azimuth, "deg"), "polar": (cells.polar, "deg"), "energy": (cells.energy, "eV")}
    if cells.gridded:
        for number, name in enumerate(dims, 1):
            values, units = given[name]
            known = name if values.ndim == 1 else f"{name}_at_time"
            coords[known] = (name if values.ndim == 1 else ("time", name), values, {"units": units})
            attrs[f"DEPEND_{number}"] = known
    else:
        coords |= _listed(cells)
        known = "energy" if cells.energy.ndim == 1 else "energy_at_time"
        coords["direction"] = np.arange(cells.psd.shape[1])
        coords[known] = ("energy" if cells.energy.ndim == 1 else ("time", "energy"), cells.energy, {"units": "eV"})
        attrs |= {"DEPEND_1": "direction", "DEPEND_2": known}
    found: dict[str, Any] = {"psd": (("time", *dims), cells.psd, attrs)}
    if cells.error is not None:
        found["psd_error"] = (("time", *dims), cells.error, {"units": PSD_UNITS})
    for name, values in (beside or {}).items():
        found[name] = _beside(name, values)
    return xr.Dataset(found, coords)


def vector(data: "xr.Dataset", name: str, next_step: str) -> "Array":
    """Give a vector that lies beside psd, shape (t, 3).

    Raises
    ------
    BadData
        If it is not there, with `next_step`.
    """
    if name not in data:
        raise BadData(f"this skymap has no {name}", next_step)
    return data[name].to_numpy().astype(float)


def _axis(data: "xr.Dataset", number: int) -> "Array":
    psd = data["psd"]
    name = str(psd.attrs.get(f"DEPEND_{number}", psd.dims[number]))
    if name not in data.coords:
        raise BadData(f"this skymap has no coordinate {name!r}", "mend the mission's recipe that makes it")
    return data[name].to_numpy().astype(float)


def _listed(cells: Skymap) -> dict[str, Any]:
    found = {}
    for name, units in (("azimuth", "deg"), ("polar", "deg"), ("solid_angle", "sr")):
        values = np.asarray(getattr(cells, name))
        found[name] = (("direction",) if values.ndim == 1 else ("direction", "energy"), values, {"units": units})
    return found


def _beside(name: str, values: "Array") -> tuple[Any, ...]:
    if name in VECTORS:
        return ("time", "xyz"), values, {"units": VECTORS[name], "long_name": name.replace("_", " ")}
    if name == "to_gse":
        return ("time", "gse", "xyz"), values, {"units": "", "long_name": "matrix to GSE"}
    return ("time",), values, {"units": "V", "long_name": name.replace("_", " ")}
