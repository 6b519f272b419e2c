"""SPAN-i of SWEAP: velocity distributions of protons.

Geometry (Livi et al. 2022 and the attributes of the level-2 files): ``EFLUX``, ``ENERGY``, ``THETA`` and ``PHI`` are
each ``(time, 2048)``, in this order 8 anodes (slowest), 32 energies and 8 deflections (fastest); the file's name writes
it the other way round, 8Dx32Ex8A, as IDL does. ``THETA`` (elevation, which depends on energy) and ``PHI`` (azimuth) are
directions of MOTION in the frame of the instrument, whose x axis looks to the Sun: solar wind comes at PHI near 180.
A fixed matrix turns that frame into the spacecraft's, ``QUAT_SC_TO_RTN`` of the moments turns that into RTN. Only the
full sweeps (sf00, af00) have a table that stays.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import in_units, same_times
from armillary.missions.plasma.generic.reading import at_times, main_of
from armillary.model import format_time, recipe
from armillary.science.coordinates.quaternions import rotation_matrices
from armillary.science.particles.datasets import PSD_UNITS, to_dataset
from armillary.science.particles.skymap import Skymap

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CITATION: Final = "Livi et al. (2022), Astrophys. J. 938, 138, doi:10.3847/1538-4357/ac93f5"
FRAME: Final = "PSP_SPANI"
ANODES: Final = 8
ENERGIES: Final = 32
DEFLECTIONS: Final = 8
_TILT: Final = np.radians(20.0)
#: Turns vectors of the instrument's frame into the spacecraft's (Livi et al. 2022): z to the Sun, tilted by 20 degrees.
TO_SPACECRAFT: Final = np.array([
    [0.0, -np.cos(_TILT), -np.sin(_TILT)],
    [0.0, np.sin(_TILT), -np.cos(_TILT)],
    [1.0, 0.0, 0.0],
])  # fmt: skip
_L2: Final = "**/psp_swp_spi_{sweep}f00_L2_8Dx32Ex8A"
_L3: Final = "**/psp_swp_spi_{sweep}f00_L3_mom"
_FLUX: Final = "eV/(cm^2 s sr eV)"
_SAME: Final = 1e-3


@recipe(
    "psp/spi/{sweep}f00/skymap",
    inputs={
        "flux": f"{_L2}/EFLUX",
        "energy": f"{_L2}/ENERGY",
        "theta": f"{_L2}/THETA",
        "phi": f"{_L2}/PHI",
        "field": f"{_L3}/MAGF_INST",
        "velocity": f"{_L3}/VEL_INST",
        "rotation": f"{_L3}/QUAT_SC_TO_RTN",
    },
    optional=("field", "velocity", "rotation"),
    title="SPAN-i protons: velocity distributions ({sweep}f00)",
    kind="skymap",
    units=PSD_UNITS,
    block="time",
    pad=60.0,
    shape=(ANODES * DEFLECTIONS, ENERGIES),
    citation=CITATION,
)
def skymap(
    flux: "xr.Dataset", energy: "xr.Dataset", theta: "xr.Dataset", phi: "xr.Dataset", field: "xr.Dataset | None",
    velocity: "xr.Dataset | None", rotation: "xr.Dataset | None",
) -> "xr.Dataset":  # fmt: skip
    """Phase space density of protons by the direction of motion in the frame of SPAN-i, a list of 64 directions.

    With the moments in the same archive their field and velocity lie beside it, and the matrix to RTN.
    """
    same_times(flux, energy, theta, phi)
    raw = main_of(flux, 1)
    values = in_units(raw.to_numpy(), str(raw.attrs["units"]), _FLUX, str(raw.name))
    time = flux["time"].to_numpy()
    tables = (_told(one, units) for one, units in ((energy, "eV"), (theta, "deg"), (phi, "deg")))
    cells = cells_of(values, *(_table(one, time) for one in tables))
    beside = {
        name: at_times(one, time)
        for name, one in (("magnetic_field", field), ("bulk_velocity", velocity)) if one is not None
    }  # fmt: skip
    made = to_dataset(cells, time, frame=FRAME, species="proton", beside=beside)
    if rotation is not None:
        # Theirs begin with the scalar part.
        turn = rotation_matrices(np.roll(at_times(rotation, time), -1, axis=1)) @ TO_SPACECRAFT
        made["to_rtn"] = (("time", "rtn", "xyz"), turn, {"units": "", "long_name": "matrix to RTN"})
    return made.assign_attrs(flux.attrs)


RECIPES: Final = (skymap,)


def cells_of(flux: "Array", energy: "Array", theta: "Array", phi: "Array") -> Skymap:
    """Give the cells of level 2, energies rising.

    Parameters
    ----------
    flux : array, shape (t, 2048)
        Differential energy flux, eV/(cm^2 s sr eV); NaN is not measured.
    energy, theta, phi : array, shape (2048,)
        The sweep table: eV, degrees of elevation and azimuth of motion.

    Returns
    -------
    Skymap
        Direction ``anode * 8 + deflection``; ``f = 2 flux / v^4``.

    Raises
    ------
    BadData
        If there are not 2048 cells, or the energy is not the same in all directions.
    """
    if flux.shape[1:] != (ANODES * ENERGIES * DEFLECTIONS,):
        raise BadData(f"SPAN-i has 2048 cells, these data {flux.shape[1:]}", "choose the EFLUX of an 8Dx32Ex8A dataset")
    levels, angles, around = (_by_direction(one[None])[0] for one in (energy, theta, phi))
    level = _one_level(levels)
    order = np.argsort(level)
    level, angles, around = level[order], angles[:, order], around[:, order]
    values = _by_direction(flux)[..., order]
    missing = ~(np.isfinite(angles) & np.isfinite(around))
    if missing.any():
        values = np.where(missing, np.nan, values)
        angles, around = _filled(angles), _filled(around)
    made = Skymap(values, around, 90.0 - angles, level, solid_angle=_solid_angles(angles, around))
    return Skymap(2 * values / (made.speed * 1e5) ** 4, around, made.polar, level, solid_angle=made.solid_angle)


def _told(table: "xr.Dataset", units: str) -> "Array":
    raw = main_of(table, 1)
    return in_units(raw.to_numpy(), str(raw.attrs.get("units", "")), units, str(raw.name))


def _table(values: "Array", time: "Array") -> "Array":
    """Give the one row that a table has at all times."""
    if not len(values):
        raise BadData("there is no distribution inside this interval", "ask for another interval")
    same = np.isclose(values, values[0], rtol=_SAME, atol=_SAME, equal_nan=True).all(1)
    if not same.all():
        when = format_time(int(time[np.flatnonzero(~same)[0]].astype("datetime64[ns]").astype(np.int64)))
        raise BadData(f"the sweep table of SPAN-i changes at {when}", "ask for times before it or from it on")
    return np.asarray(values[0])


def _by_direction(cells: "Array") -> "Array":
    """Turn ``(t, anode x energy x deflection)`` into ``(t, anode x deflection, energy)``."""
    grid = cells.reshape(-1, ANODES, ENERGIES, DEFLECTIONS).swapaxes(2, 3)
    return np.asarray(grid.reshape(-1, ANODES * DEFLECTIONS, ENERGIES))


def _one_level(levels: "Array") -> "Array":
    found = np.nanmedian(levels, axis=0)
    if not np.isfinite(found).all() or not (np.abs(levels / found - 1) < _SAME)[np.isfinite(levels)].all():
        raise BadData("the energies of SPAN-i differ between directions", "choose a full sweep: sf00 or af00")
    return np.asarray(found)


def _filled(angles: "Array") -> "Array":
    """Put the mean of its own direction where an angle is missing, so that the cell has a place though no value."""
    mean = np.nan_to_num(np.nanmean(np.where(np.isfinite(angles), angles, np.nan), axis=1, keepdims=True))
    return np.where(np.isfinite(angles), angles, mean)


def _solid_angles(elevation: "Array", azimuth: "Array") -> "Array":
    """Give the sizes of the cells, sr, from the middles between neighbours; both (64, 32)."""
    grid = (ANODES, DEFLECTIONS, ENERGIES)
    up = np.sin(np.radians(np.clip(_edges(elevation.reshape(grid), 1), -90, 90)))
    around = np.radians(_edges(azimuth.reshape(grid), 0))
    return np.asarray(np.abs(np.diff(up, axis=1) * np.diff(around, axis=0)).reshape(elevation.shape))


def _edges(centres: "Array", axis: int) -> "Array":
    middle = np.moveaxis(centres, axis, 0)
    between = (middle[1:] + middle[:-1]) / 2
    edges = np.concatenate([2 * middle[:1] - between[:1], between, 2 * middle[-1:] - between[-1:]])
    return np.moveaxis(edges, 0, axis)
