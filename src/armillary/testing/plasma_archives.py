"""Folders of CDF files with the variables of plasma missions, made of a plasma that is known exactly.

No mission's own file is needed: names, dimensions, units, fill values and the sense of the angles are the mission's,
the numbers those of a drifting bi-Maxwellian. What a recipe makes of them can be held against the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.science.plasma import ELEMENTARY_CHARGE, PROTON_MASS, Array

#: What is counted, and the spread of energies of the instruments here.
ELECTRON: Final = 9.1093837015e-31
BEGIN: Final = np.datetime64("2017-07-11T22:34:00", "ns")
#: Columns: the axes of the despun body frame in J2000 and GSE, made from two quaternions (vector part, scalar).
TO_DBCS: Final = np.array([0.1, -0.2, 0.3, np.sqrt(1 - 0.14)])
TO_GSE: Final = np.array([-0.2, 0.1, 0.15, np.sqrt(1 - 0.0725)])
#: Where each MMS spacecraft is, km in GSE, and the field, nT, with its gradient, nT/km.
PLACES: Final = np.array([[-140000, 20000, 10000]]) + np.array([[0, 0, 0], [10, 0, 0], [0, 12, 0], [0, 0, 9.0]])
FIELD: Final = np.array([3.0, -4.0, 12.0])
SLOPES: Final = np.array([[0.05, 0.2, 0.0], [-0.1, -0.02, 0.0], [0.0, 0.3, -0.03]])


@dataclass(frozen=True, slots=True)
class Plasma:
    """A drifting bi-Maxwellian in the frame of the instrument.

    Parameters
    ----------
    density : float
        cm^-3.
    drift : tuple of float
        km/s.
    parallel, perpendicular : float
        Temperatures, eV.
    field : tuple of float
        Direction that they refer to, nT.
    mass : float
        kg.
    """

    density: float = 8.0
    drift: tuple[float, float, float] = (300.0, -60.0, 90.0)
    parallel: float = 700.0
    perpendicular: float = 400.0
    field: tuple[float, float, float] = (3.0, 4.0, 12.0)
    mass: float = PROTON_MASS

    def psd(self, motion: Array, energy: Array) -> Array:
        """Give phase space density, s^3 cm^-6, of unit vectors ``(..., 3)`` and energies that broadcast to ``...``."""
        speed = 1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / self.mass * np.asarray(energy))
        away = motion * speed[..., None] - np.array(self.drift)
        b = np.array(self.field) / np.linalg.norm(self.field)
        along = away @ b
        across = (away**2).sum(-1) - along**2
        # squares of thermal speeds, (km/s)^2
        hot, warm = (1e-6 * ELEMENTARY_CHARGE / self.mass * one for one in (self.parallel, self.perpendicular))
        scale = self.density / ((2 * np.pi) ** 1.5 * np.sqrt(hot) * warm) * 1e-15
        return np.asarray(scale * np.exp(-(along**2) / 2 / hot - across / 2 / warm))


IONS: Final = Plasma()
ELECTRONS: Final = Plasma(parallel=80.0, perpendicular=60.0, mass=ELECTRON)


def unit_vectors(azimuth: Array, colatitude: Array) -> Array:
    """Give unit vectors, shape (..., 3), of angles in degrees."""
    phi, theta = np.radians(np.broadcast_arrays(azimuth, colatitude))
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)


def times(count: int, step: float, begin: float = 0.0) -> Array:
    """Give instants `step` seconds apart, from `begin` seconds after `BEGIN`."""
    return np.asarray(BEGIN + (np.rint((begin + np.arange(count) * step) * 1e9)).astype("timedelta64[ns]"))


def write_file(
    folder: Path, dataset: str, time: Array, variables: Mapping[str, tuple[Any, ...]],
    coords: Mapping[str, tuple[Any, ...]] | None = None, version: str = "3.4.0", day: str = "20170711",
) -> Path:  # fmt: skip
    """Write one CDF file as a mission would name it.

    Parameters
    ----------
    dataset : str
        ``Logical_source``; the file is called so, too.
    variables, coords : mapping
        Name -> (dimensions, values, attributes), as xarray has them.
    day : str
        For the file's name only.
    """
    import xarray as xr

    from armillary.sources.write import write

    attrs = {"Logical_source": dataset, "Data_version": version, "title": dataset}
    path = folder / f"{dataset.lower()}_{day}_v{version}.cdf"
    write(xr.Dataset(dict(variables), {"time": time, **(coords or {})}, attrs), path)
    return path


def write_mms(folder: Path) -> Path:
    """Write level 2 files of MMS: maps, moments and fields of one craft, field and orbit of all four."""
    for instrument, plasma, step in (("dis", IONS, 0.15), ("des", ELECTRONS, 0.03)):
        _fpi(folder, instrument, "brst", times(12, step), plasma)
    _fpi(folder, "dis", "fast", times(10, 4.5), IONS)
    _fpi(folder, "dis", "slow", times(8, 60.0), IONS)
    for craft in range(1, 5):
        _fgm(folder, craft, "srvy", times(4000, 0.125, -10))
        _mec(folder, craft, times(40, 30.0, -300))
    _fgm(folder, 1, "brst", times(640, 1 / 128, -2))
    _scm(folder, times(2000, 1 / 32))
    for rate, step in (("fast", 1 / 8), ("brst", 1 / 256), ("slow", 1 / 8)):
        _edp(folder, rate, times(4000 if rate != "brst" else 1200, step, -2))
    return folder


def _fpi(folder: Path, instrument: str, mode: str, time: Array, plasma: Plasma) -> None:
    """Write maps by LOOK direction: a cell that looks along n counts what moves along -n."""
    tag, count = f"mms1_{instrument}", len(time)
    parity = np.arange(count) % 2 if mode == "brst" else np.zeros(count, int)
    low, high = (10.0, 30000.0) if instrument == "dis" else (6.0, 30000.0)
    table = np.geomspace(low, high, 64)
    energy = np.stack([table[::2], table[1::2]])[parity]
    phi = 5.625 + 11.25 * np.arange(32)
    # The body spins under the despun frame: the sectors of each record lie elsewhere.
    phi = phi + (np.arange(count)[:, None] * 2.3) % 11.25 if mode == "brst" else phi
    theta = 5.625 + 11.25 * np.arange(16)
    look = unit_vectors(np.atleast_2d(phi)[:, :, None], theta[None, None, :])
    psd = plasma.psd(-look[..., None, :], energy[:, None, None, :])
    psd[3, 4, 5, 6] = np.nan
    names = [f"{tag}_{one}_{mode}" for one in ("phi", "theta", "energy")]
    dims = ("time", "p", names[1], "e")
    depends = {f"DEPEND_{number}": name for number, name in enumerate(names, 1)}
    attrs = {"units": "s^3/cm^6", "SCALETYP": "log", **depends}
    coords = {
        names[0]: (("time", "p") if mode == "brst" else ("p",), phi.astype("f4"), {"units": "deg"}),
        names[1]: ((names[1],), theta.astype("f4"), {"units": "deg"}),
        names[2]: (("time", "e"), energy.astype("f4"), {"units": "eV"}),
    }
    write_file(folder, f"mms1_fpi_{mode}_l2_{instrument}-dist", time, {
        f"{tag}_dist_{mode}": (dims, psd.astype("f4"), attrs),
        f"{tag}_disterr_{mode}": (dims, (0.1 * psd).astype("f4"), attrs),
        f"{tag}_steptable_parity_{mode}": (("time",), parity.astype("u1"), {"units": ""}),
        f"{tag}_errorflags_{mode}": (("time",), np.arange(count, dtype="u4"), {"units": ""}),
    }, coords)  # fmt: skip
    _moments(folder, instrument, mode, time, plasma)


def _moments(folder: Path, instrument: str, mode: str, time: Array, plasma: Plasma) -> None:
    tag, ones = f"mms1_{instrument}", np.ones((len(time), 1), "f4")
    b = np.array(plasma.field) / np.linalg.norm(plasma.field)
    turn = rotation(TO_GSE) @ rotation(TO_DBCS).T
    temperature = plasma.perpendicular * np.eye(3) + (plasma.parallel - plasma.perpendicular) * np.outer(b, b)
    gse = turn @ temperature @ turn.T
    xyz, tensor = ("time", "r"), ("time", "r", "c")
    given = {
        "numberdensity": (("time",), plasma.density * ones[:, 0], "cm^-3"),
        "bulkv_dbcs": (xyz, ones * plasma.drift, "km/s"),
        "bulkv_gse": (xyz, ones * (turn @ plasma.drift), "km/s"),
        "prestensor_gse": (tensor, ones[..., None] * gse * plasma.density * ELEMENTARY_CHARGE * 1e15, "nPa"),
        "temptensor_gse": (tensor, ones[..., None] * gse, "eV"),
        "temppara": (("time",), plasma.parallel * ones[:, 0], "eV"),
        "tempperp": (("time",), plasma.perpendicular * ones[:, 0], "eV"),
        "heatq_gse": (xyz, ones * np.zeros(3), "mW/m^2"),
    }
    variables = {f"{tag}_{name}_{mode}": (dims, np.asarray(values, "f4"), {"units": units})
                 for name, (dims, values, units) in given.items()}  # fmt: skip
    write_file(folder, f"mms1_fpi_{mode}_l2_{instrument}-moms", time, variables)


def _fgm(folder: Path, craft: int, rate: str, time: Array) -> None:
    gse = FIELD + (PLACES[craft - 1] - PLACES.mean(0)) @ SLOPES
    tag, ones = f"mms{craft}_fgm", np.ones((len(time), 1))
    flag = np.zeros(len(time), "u4")
    flag[7] = 1

    def with_length(vector: Array) -> Array:
        return np.asarray(ones * [*vector, np.linalg.norm(vector)], "f4")

    write_file(folder, f"mms{craft}_fgm_{rate}_l2", time, {
        f"{tag}_b_gse_{rate}_l2": (("time", "xyzt"), with_length(gse), {"units": "nT"}),
        f"{tag}_b_dmpa_{rate}_l2": (("time", "xyzt"), with_length(np.array(IONS.field)), {"units": "nT"}),
        f"{tag}_flag_{rate}_l2": (("time",), flag, {"units": ""}),
    }, version="5.103.0")  # fmt: skip


def _mec(folder: Path, craft: int, time: Array) -> None:
    tag, ones = f"mms{craft}_mec", np.ones((len(time), 1))
    write_file(folder, f"mms{craft}_mec_srvy_l2_epht89d", time, {
        f"{tag}_r_gse": (("time", "r"), ones * PLACES[craft - 1], {"units": "km"}),
        f"{tag}_r_gsm": (("time", "r"), ones * PLACES[craft - 1], {"units": "km"}),
        f"{tag}_v_gse": (("time", "r"), ones * [1.0, -2.0, 0.5], {"units": "km/s"}),
        f"{tag}_quat_eci_to_dbcs": (("time", "q"), ones * TO_DBCS, {"units": ""}),
        f"{tag}_quat_eci_to_gse": (("time", "q"), ones * TO_GSE, {"units": ""}),
    }, version="2.2.2")  # fmt: skip


def _scm(folder: Path, time: Array) -> None:
    wave = np.sin(np.arange(len(time)))[:, None] * [0.1, 0.2, 0.3]
    name = "mms1_scm_acb_gse_scsrvy_srvy_l2"
    write_file(folder, "mms1_scm_srvy_l2_scsrvy", time, {name: (("time", "r"), wave, {"units": "nT"})}, version="2.2.0")


def _edp(folder: Path, rate: str, time: Array) -> None:
    ones = np.ones((len(time), 1), "f4")
    quality = np.full(len(time), 3, "u1")
    quality[5] = 0
    write_file(folder, f"mms1_edp_{rate}_l2_dce", time, {
        f"mms1_edp_dce_gse_{rate}_l2": (("time", "r"), ones * np.array([1, 2, -0.5]), {"units": "mV/m"}),
        f"mms1_edp_dce_dsl_{rate}_l2": (("time", "r"), ones * np.array([2, -1, 0.25]), {"units": "mV/m"}),
        f"mms1_edp_quality_{rate}_l2": (("time",), quality, {"units": ""}),
    }, version="3.0.0")  # fmt: skip
    potential = {f"mms1_edp_scpot_{rate}_l2": (("time",), 4 * ones[:, 0], {"units": "V"})}
    write_file(folder, f"mms1_edp_{rate}_l2_scpot", time, potential, version="2.6.0")


def rotation(quaternion: Array) -> Array:
    """Give the matrix of one quaternion (vector part, scalar) by sines and cosines of its angle about its axis."""
    axis, scalar = quaternion[:3], quaternion[3]
    size = np.linalg.norm(axis)
    angle, (x, y, z) = 2 * np.arctan2(size, scalar), axis / size
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
