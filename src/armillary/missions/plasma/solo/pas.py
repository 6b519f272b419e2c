"""The Proton-Alpha Sensor PAS: velocity distributions of ions.

Geometry (Owen et al. 2020 and the PAS team's user guide to its level-2 data): ``vdf`` is ``(time, 11 azimuths,
9 elevations, 96 energies)`` in s^3 m^-6, with the centres ``Azimuth``, ``Elevation`` (degrees) and ``Energy`` (eV per
charge). The azimuth says where an ion comes FROM, the elevation where it goes TO: its direction of motion in the frame
of the instrument is ``(-cos el cos az, -cos el sin az, +sin el)``. ``PAS_to_RTN`` turns vectors of that frame into RTN.
A sampling covers only a window of energies and elevations that follows the solar wind; ``start_*`` and ``nb_*`` say
which. All ions are taken for protons.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import axis_in, in_units, same_times
from armillary.missions.plasma.generic.reading import at_times, main_of
from armillary.model import recipe
from armillary.science.particles.datasets import PSD_UNITS, to_dataset
from armillary.science.particles.skymap import Skymap

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CITATION: Final = "Owen et al. (2020), Astron. Astrophys. 642, A16, doi:10.1051/0004-6361/201937259"
FRAME: Final = "SOLO_SWA_PAS"
_SHAPE: Final = (11, 9, 96)
_VDF: Final = "**/solo_L2_swa-pas-vdf"
#: Kinds of sampling that measure the solar wind: normal, snapshot, burst (not ground, engineering, calibration).
_SCIENCE: Final = (1, 2, 3)


@recipe(
    "solo/pas/skymap",
    inputs={
        "distribution": f"{_VDF}/vdf",
        "to_rtn": f"{_VDF}/PAS_to_RTN",
        "sampling": f"{_VDF}/Info",
        "first_azimuth": f"{_VDF}/start_CEM",
        "azimuths": f"{_VDF}/nb_CEM",
        "first_elevation": f"{_VDF}/start_elevation",
        "elevations": f"{_VDF}/nb_elevation",
        "first_energy": f"{_VDF}/start_energy",
        "energies": f"{_VDF}/nb_energy",
        "field": "**/solo_L2_mag-rtn-normal/B_RTN",
        "velocity": "**/solo_L2_swa-pas-grnd-mom/V_RTN",
    },
    optional=(
        "to_rtn", "sampling", "first_azimuth", "azimuths", "first_elevation", "elevations", "first_energy", "energies",
        "field", "velocity",
    ),
    title="PAS ions: velocity distributions",
    kind="skymap",
    units=PSD_UNITS,
    block="time",
    pad=10.0,
    shape=_SHAPE,
    citation=CITATION,
)  # fmt: skip
def skymap(
    distribution: "xr.Dataset", to_rtn: "xr.Dataset | None", sampling: "xr.Dataset | None",
    first_azimuth: "xr.Dataset | None", azimuths: "xr.Dataset | None", first_elevation: "xr.Dataset | None",
    elevations: "xr.Dataset | None", first_energy: "xr.Dataset | None", energies: "xr.Dataset | None",
    field: "xr.Dataset | None", velocity: "xr.Dataset | None",
) -> "xr.Dataset":  # fmt: skip
    """Phase space density by the direction of motion in the frame of PAS, NaN outside of the window that was swept.

    With MAG and the moments in the same archive the field and the bulk velocity lie beside it, in the same frame.
    """
    same_times(
        distribution, to_rtn, sampling, first_azimuth, azimuths, first_elevation, elevations, first_energy, energies
    )
    raw = main_of(distribution, 3)
    if raw.shape[1:] != _SHAPE:
        raise BadData(f"{raw.name} has the shape {raw.shape[1:]}, PAS has {_SHAPE}", "choose the leaf of PAS's vdf")
    psd = in_units(raw.to_numpy(), str(raw.attrs["units"]), PSD_UNITS, str(raw.name), silent="s^3 m^-6")
    windows = ((first_azimuth, azimuths), (first_elevation, elevations), (first_energy, energies))
    for number, (first, count) in enumerate(windows, 1):
        psd[~_swept(first, count, psd.shape[0], number)] = np.nan
    if sampling is not None:
        psd[~np.isin(main_of(sampling, 0).to_numpy(), _SCIENCE)] = np.nan
    cells = cells_of(
        psd, *(_axis(distribution, raw, number, units) for number, units in enumerate(("deg", "deg", "eV"), 1))
    )
    time = distribution["time"].to_numpy()
    turn = None if to_rtn is None else main_of(to_rtn, 2).to_numpy().astype(float)
    beside = {} if turn is None else {
        name: np.einsum("tji,tj->ti", turn, at_times(one, time))
        for name, one in (("magnetic_field", field), ("bulk_velocity", velocity)) if one is not None
    }  # fmt: skip
    made = to_dataset(cells, time, frame=FRAME, species="proton", beside=beside)
    if turn is not None:
        made["to_rtn"] = (("time", "rtn", "xyz"), turn, {"units": "", "long_name": "matrix to RTN"})
    return made.assign_attrs(distribution.attrs)


def cells_of(psd: "Array", azimuth: "Array", elevation: "Array", energy: "Array") -> Skymap:
    """Give the cells by the direction of motion, every axis rising.

    Parameters
    ----------
    psd : array, shape (t, azimuth, elevation, energy)
        s^3 cm^-6.
    azimuth, elevation : array
        Degrees, as PAS tells them.
    energy : array
        eV.
    """
    around, polar = azimuth + 180.0, 90.0 - elevation
    i, j, k = (np.argsort(one) for one in (around, polar, energy))
    return Skymap(psd[:, i][:, :, j][..., k], around[i], polar[j], energy[k])


RECIPES: Final = (skymap,)


def _axis(data: "xr.Dataset", raw: "xr.DataArray", number: int, units: str) -> "Array":
    found = axis_in(data, raw, number, units)
    if found is None or found.ndim != 1:
        raise BadData(f"{raw.name} has no axis {number} of numbers", "give the folder or dataset that has it")
    return found


def _swept(first: "xr.Dataset | None", count: "xr.Dataset | None", steps: int, number: int) -> "Array":
    """Say which cells lie in the window of an axis; all if nobody says the window."""
    size = _SHAPE[number - 1]
    inside = np.ones((steps, size), bool)
    if first is not None and count is not None:
        begin, many = (main_of(one, 0).to_numpy().astype(float)[:, None] for one in (first, count))
        index = np.arange(size)
        inside = (index >= begin) & (index < begin + many)
    shape = [steps, 1, 1, 1]
    shape[number] = size
    return np.broadcast_to(inside.reshape(shape), (steps, *_SHAPE))
