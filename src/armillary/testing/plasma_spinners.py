"""The same as `armillary.testing.plasma_archives` for missions whose instruments sweep with the spin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.science.plasma import ELEMENTARY_CHARGE, Array
from armillary.testing.plasma_archives import (
    BEGIN,
    ELECTRONS,
    FIELD,
    IONS,
    PLACES,
    SLOPES,
    Plasma,
    times,
    unit_vectors,
    write_file,
)

#: THEMIS: right ascension and declination of the spin axis, degrees.
SPIN_AXIS: Final = (281.0, 72.0)
#: Angle map of the THEMIS ESA by row, as it looks: latitude and number of cells.
_ION_ROWS: Final = (
    (78.75, 4),
    (-78.75, 4),
    (56.25, 8),
    (-56.25, 8),
    (33.75, 16),
    (-33.75, 16),
    (11.25, 16),
    (-11.25, 16),
)
_ELECTRON_ROWS: Final = (*_ION_ROWS[:4], (33.75, 16), (11.25, 16), (-11.25, 16), (-33.75, 16))
_KM6: Final = 1e30


def write_themis(folder: Path) -> Path:
    """Write level 2 files of THEMIS-A: distributions and moments of ESA, FGM, SCM, and the state."""
    moments: dict[str, Any] = {}
    for kind, plasma in (("peif", IONS), ("peib", IONS), ("peef", ELECTRONS), ("peeb", ELECTRONS)):
        moments |= _esa(folder, kind, plasma)
    time, xyz = times(16, 3.0), ("time", "r")
    axes = [name for name in moments if name.endswith("yaxis")]
    coords = {name: moments.pop(name) for name in axes}
    write_file(folder, "tha_l2_esa", time, moments, coords, version="01")
    ones = np.ones((64, 1))
    write_file(folder, "tha_l2_fgm", times(64, 3.0, -30), {
        f"tha_fgs_{frame}": (xyz, ones * FIELD, {"units": "nT"}) for frame in ("dsl", "gse", "gsm")
    }, version="01")  # fmt: skip
    write_file(folder, "tha_l2_scm", times(64, 0.125), {
        f"tha_scf_{frame}": (xyz, ones * [0.1, 0.2, 0.3], {"units": "nT"}) for frame in ("dsl", "gse")
    }, version="01")  # fmt: skip
    write_file(folder, "tha_l1_state", times(20, 60.0, -300), {
        "tha_pos_gse": (xyz, ones[:20] * PLACES[0], {"units": "km"}),
        "tha_pos_gsm": (xyz, ones[:20] * PLACES[0], {"units": "km"}),
        "tha_spinras": (("time",), SPIN_AXIS[0] * ones[:20, 0], {"units": "deg"}),
        "tha_spindec": (("time",), SPIN_AXIS[1] * ones[:20, 0], {"units": "deg"}),
    }, version="01")  # fmt: skip
    return folder


def _esa(folder: Path, kind: str, plasma: Plasma) -> dict[str, Any]:
    """Write the distributions of one kind, and give their moments; the last record is in the solar wind's map."""
    time = times(16, 3.0)
    ions, count = kind[2] == "i", len(time)
    energy = np.geomspace(25_000.0 if ions else 30_000.0, 6.0, 32)
    azimuth, latitude = _esa_angles(_ION_ROWS if ions else _ELECTRON_ROWS)
    psd = plasma.psd(unit_vectors(azimuth, 90 - latitude), energy[:, None])
    speed = 100 * np.sqrt(2 * ELEMENTARY_CHARGE / plasma.mass * energy)
    eflux = np.broadcast_to(psd * speed[:, None] ** 4 / 2, (count, 32, 88)).astype("f4")
    used = np.ones((count, 32, 88), "i2")
    used[:, 0] = 0
    maps = np.full(count, 1 if ions else 0, "i2")
    maps[-1] += 1
    cells = ("time", "compno_32", "compno_88")
    write_file(folder, f"tha_l2_esa_{kind}", time, {
        "eflux": (cells, eflux, {"units": "eV/cm^2-s-sr-eV"}),
        "bins": (cells, used, {"units": ""}),
        "an_ind": (("time",), maps, {"units": ""}),
        "phi_offset": (("time",), np.zeros(count, "f4"), {"units": "deg"}),
    }, version="01")  # fmt: skip
    return _esa_moments(kind, plasma, energy, count)


def _esa_angles(rows: tuple[tuple[float, int], ...]) -> tuple[Array, Array]:
    """Give azimuth and latitude of motion in DSL, (32, 88), energies from high to low; the sign of latitude turns."""
    latitude = np.concatenate([np.full(cells, -look) for look, cells in rows])
    middle = np.concatenate([(np.arange(cells) + 0.5) * 360 / cells for _, cells in rows])
    azimuth = middle + 90 - 5.625 + 11.25 * np.arange(32)[:, None] / 32
    return azimuth, np.broadcast_to(latitude, azimuth.shape)


def _esa_moments(kind: str, plasma: Plasma, energy: Array, count: int) -> dict[str, Any]:
    b = np.array(plasma.field) / np.linalg.norm(plasma.field)
    pressure = plasma.density * (
        plasma.perpendicular * np.eye(3) + (plasma.parallel - plasma.perpendicular) * np.outer(b, b)
    )
    six = [pressure[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    quality = np.zeros(count, "i2")
    quality[2] = 1
    tag, one = f"tha_{kind}", np.ones((count, 1))
    bare, vector = ("time",), ("time", "r")
    given: dict[str, Any] = {
        "density": (bare, plasma.density * one[:, 0], {"units": "cm^-3 (All Qs)"}),
        "avgtemp": (bare, (plasma.parallel + 2 * plasma.perpendicular) / 3 * one[:, 0], {"units": "eV (All Qs)"}),
        "sc_pot": (bare, 6 * one[:, 0], {"units": "V (All Qs)"}),
        "magf": (vector, one * plasma.field, {"units": "nT (All Qs)"}),
        "ptens": (("time", "six"), one * six, {"units": "eV/cm^3 (All Qs)"}),
        "data_quality": (bare, quality, {"units": ""}),
        "en_eflux": (("time", "e"), np.ones((count, 32)), {
            "units": "eV/(cm^2-s-sr-eV) (All Qs)", "DISPLAY_TYPE": "spectrogram", "DEPEND_1": f"{tag}_en_eflux_yaxis"}),
    }  # fmt: skip
    for frame in ("dsl", "gse", "gsm"):
        given[f"velocity_{frame}"] = (vector, one * plasma.drift, {"units": "km/s (All Qs)"})
    given["en_eflux_yaxis"] = (("time", "e"), one * energy, {"units": "eV"})
    return {f"{tag}_{name}": value for name, value in given.items()}


def write_cluster(folder: Path, *, long: bool = True) -> Path:
    """Write files of the Cluster Science Archive: CIS, PEACE and moments of craft 1, FGM of all four.

    Parameters
    ----------
    long : bool
        Whether the variables' names end with the dataset's, as in files; else bare, as on the HAPI server.
    """
    time = times(16, 4.0)
    for dataset in (
        "CIS-HIA_HS_MAG_IONS",
        "CIS-HIA_HS_SW_IONS",
        "CIS-CODIF_HS_H1",
        "CIS-CODIF_HS_He1",
        "CIS-CODIF_HS_O1",
    ):
        mass = IONS.mass * {"He1": 3.97, "O1": 15.87}.get(dataset.rpartition("_")[2], 1.0)
        plasma = Plasma(mass=mass, drift=(200.0, -60.0, 90.0))
        _cis(folder, f"C1_CP_{dataset}_PSD", time, plasma, long=long)
    for head in ("H", "L"):
        _peace(folder, f"C1_CP_PEA_3DXP{head}_PSD", time, long=long)
    ones = np.ones((len(time), 1))
    _archived(folder, "C1_CP_CIS-HIA_ONBOARD_MOMENTS", time, {
        "density": (("time",), IONS.density * ones[:, 0], {"units": "cm^-3"}),
        "velocity_gse": (("time", "r"), ones * IONS.drift, {"units": "km/s"}),
        "velocity_isr2": (("time", "r"), ones * IONS.drift, {"units": "km/s"}),
    }, long=long)  # fmt: skip
    ones = np.ones((64, 1))
    for craft in range(1, 5):
        field = FIELD + (PLACES[craft - 1] - PLACES.mean(0)) @ SLOPES
        _archived(folder, f"C{craft}_CP_FGM_SPIN", times(64, 4.0, -80), {
            "B_vec_xyz_gse": (("time", "r"), ones * field, {"units": "nT"}),
            "sc_pos_xyz_gse": (("time", "r"), ones * PLACES[craft - 1], {"units": "km"}),
        }, long=long)  # fmt: skip
    inverted = {"B_vec_xyz_isr2": (("time", "r"), ones * IONS.field, {"units": "nT"})}
    _archived(folder, "C1_CP_FGM_SPIN_ISR2", times(64, 4.0, -80), inverted, long=long)
    return folder


def _cis(folder: Path, dataset: str, time: Array, plasma: Plasma, *, long: bool) -> None:
    """Write latitudes and azimuths of MOTION in ISR2, azimuths falling with the spin, energies from high to low."""
    theta = -78.75 + 22.5 * np.arange(8)
    phi = (134.583 - 22.5 * np.arange(16) + 180) % 360 - 180
    energy = np.geomspace(28898.33, 5.56, 31)
    psd = plasma.psd(unit_vectors(phi, 90 - theta[:, None])[..., None, :], energy) * _KM6
    names = [f"{one}__{dataset}" for one in ("theta", "phi", "energy_table")]
    given = zip(names, (theta, phi, energy), ("deg", "deg", "eV"), strict=True)
    coords = {name: ((name,), values, {"units": units}) for name, values, units in given}
    values = np.broadcast_to(psd, (len(time), *psd.shape)).astype("f4")
    _archived(folder, dataset, time, {"3d_ions": (("time", *names), values, {"units": "s^3 km^-6"})}, coords, long=long)


def _peace(folder: Path, dataset: str, time: Array, *, long: bool) -> None:
    """Write where it LOOKED in SR2; the first energy is one that the mode lacks."""
    phi, theta = 5.625 + 11.25 * np.arange(32), 7.5 + 15 * np.arange(12)
    energy = np.geomspace(26000, 6, 31)
    look = unit_vectors(phi[:, None], theta)
    # SR2 has its axis southwards: y and z of ISR2 are the other way round.
    psd = ELECTRONS.psd((-look * [1, -1, -1])[..., None, :], energy) * _KM6
    energy, psd = np.insert(energy, 0, np.nan), np.insert(psd, 0, np.nan, axis=2)
    names = [f"Sweep_{one}__{dataset}" for one in ("Azimuth", "Polar", "Energy")]
    coords = {
        names[0]: (("time", "a"), np.broadcast_to(phi, (len(time), 32)), {"units": "deg"}),
        names[1]: (("p",), theta, {"units": "deg"}),
        names[2]: (("time", "e"), np.broadcast_to(energy, (len(time), 32)), {"units": "eV"}),
    }
    attrs = {"units": "s^3 km^-6"} | {f"DEPEND_{number}": name for number, name in enumerate(names, 1)}
    values = np.broadcast_to(psd, (len(time), *psd.shape)).astype("f4")
    _archived(folder, dataset, time, {"Data": (("time", "a", "p", "e"), values, attrs)}, coords, long=long)


def _archived(
    folder: Path, dataset: str, time: Array, variables: Mapping[str, Any],
    coords: Mapping[str, Any] | None = None, *, long: bool,
) -> None:  # fmt: skip
    named = {f"{name}__{dataset}" if long else name: value for name, value in variables.items()}
    write_file(folder, dataset, time, named, coords, version="01", day="20170711" if long else "20170712")


__all__ = ["BEGIN", "SPIN_AXIS", "write_cluster", "write_themis"]
