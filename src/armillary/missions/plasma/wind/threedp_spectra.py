"""Spectra and pitch-angle distributions of the detectors of 3DP, one dataset each.

``WI_<detector>SP_3DP`` has omnidirectional number flux ``FLUX (time, energy)``, ``WI_<detector>PD_3DP`` that by pitch
angle ``FLUX (time, energy, pitch angle)`` in either order of the last two; ENERGY (eV) and PANGLE (degrees) change in
time. Detectors: EL, EH electrons (EESA), PL, PH ions (PESA), SF electrons and SO protons (solid state telescopes).
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import axis_of, same_times
from armillary.missions.plasma.energy_axes import energies_of, omni, pitch_angles, spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.missions.plasma.wind.threedp_moments import CITATION
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

_SP: Final = "**/wi_{detector}sp_3dp"
_PD: Final = "**/wi_{detector}pd_3dp"
_UNITS: Final = "1/(cm^2 s sr eV)"
#: How archives spell it; the file of PESA low says nothing.
_SPELLED: Final = ("", "#/cm2-ster-sec-ev", "#/cm^2-ster-sec-ev", "1/(cm^2ssrev)", "#/(cm^2-s-sr-ev)", "#/cm2-sr-s-ev")
_ANGLES: Final = 8


@recipe(
    "wind/3dp/{detector}/flux",
    inputs={"raw": f"{_SP}/FLUX", "energies": f"{_SP}/ENERGY"},
    optional=("energies",),
    title="3DP {detector}: energies",
    kind="spectrogram",
    units=_UNITS,
    block="time",
    citation=CITATION,
)
def flux(raw: "xr.Dataset", energies: "xr.Dataset | None") -> "xr.Dataset":
    """Omnidirectional differential number flux, energies rising."""
    same_times(raw, energies)
    main = main_of(raw, 1)
    _check(main)
    energy = energies_of(raw, main, 1, energies)
    return spectrum(raw, main.to_numpy(), energy, "flux", _UNITS, "Differential number flux")


@recipe(
    "wind/3dp/{detector}/pitch_angles",
    inputs={"raw": f"{_PD}/FLUX", "energies": f"{_PD}/ENERGY", "angles": f"{_PD}/PANGLE"},
    optional=("energies", "angles"),
    title="3DP {detector}: energies and pitch angles",
    kind="plane",
    axes=("energy", "pitch angle"),
    units=_UNITS,
    block="time",
    citation=CITATION,
)
def pad(raw: "xr.Dataset", energies: "xr.Dataset | None", angles: "xr.Dataset | None") -> "xr.Dataset":
    """Differential number flux by energy and pitch angle, both rising."""
    values, energy, angle = _by_pitch_angle(raw, energies, angles)
    return pitch_angles(raw, values, energy, angle, "flux", _UNITS, "Differential number flux")


@recipe(
    "wind/3dp/{detector}/pitch_angles_omni",
    inputs={"raw": f"{_PD}/FLUX", "energies": f"{_PD}/ENERGY", "angles": f"{_PD}/PANGLE"},
    optional=("energies", "angles"),
    title="3DP {detector}: mean over pitch angles",
    kind="spectrogram",
    units=_UNITS,
    block="time",
    citation=CITATION,
)
def pad_omni(raw: "xr.Dataset", energies: "xr.Dataset | None", angles: "xr.Dataset | None") -> "xr.Dataset":
    """Mean over the sphere of the pitch-angle distribution."""
    values, energy, angle = _by_pitch_angle(raw, energies, angles)
    ordered = pitch_angles(raw, values, energy, angle, "flux", _UNITS, "Differential number flux")
    known = "pitch_angle" if "pitch_angle" in ordered.coords else "pitch_angle_at_time"
    mean = omni(ordered["flux"].to_numpy(), ordered[known].to_numpy())
    sorted_energy = ordered["energy" if "energy" in ordered.coords else "energy_at_time"].to_numpy()
    return spectrum(raw, mean, sorted_energy, "flux", _UNITS, "Differential number flux, mean over the sphere")


RECIPES: Final = (flux, pad, pad_omni)


def _check(main: "xr.DataArray") -> None:
    given = str(main.attrs["units"])
    if given.replace(" ", "").lower() not in _SPELLED:
        raise BadData(f"{main.name} is in {given!r}, not in {_UNITS}", "report it to the maintainer")


def _by_pitch_angle(
    raw: "xr.Dataset", energies: "xr.Dataset | None", angles: "xr.Dataset | None"
) -> "tuple[Array, Array, Array]":
    """Give the flux as (t, energy, angle) with its axes, whichever way round the archive has them."""
    same_times(raw, energies, angles)
    main = main_of(raw, 2)
    _check(main)
    turned = _angle_axis(raw, main, angles) == 1
    values = main.to_numpy().astype(float)
    energy = energies_of(raw, main, 2 if turned else 1, energies)
    if turned:
        values = values.swapaxes(1, 2)
    return values, energy, _pitch_angle(raw, main, 1 if turned else 2, angles)


def _angle_axis(raw: "xr.Dataset", main: "xr.DataArray", angles: "xr.Dataset | None") -> int:
    """Say which dimension is the pitch angle: the one whose coordinate is in degrees, or has as many bins."""
    for number in (1, 2):
        known = axis_of(raw, main, number)
        if known is not None and known[1].lower().startswith("deg"):
            return number
    count = main_of(angles, 1).shape[1] if angles is not None else _ANGLES
    fitting = [number for number in (1, 2) if main.shape[number] == count]
    if len(fitting) != 1:
        raise BadData(f"nobody says which dimension of {main.name} is the pitch angle", "add the leaf PANGLE beside it")
    return fitting[0]


def _pitch_angle(raw: "xr.Dataset", main: "xr.DataArray", number: int, angles: "xr.Dataset | None") -> "Array":
    known = axis_of(raw, main, number)
    if known is not None:
        return known[0]
    if angles is None:
        raise BadData(f"nobody says the pitch angles of {main.name}", "add the leaf PANGLE beside it")
    return np.asarray(main_of(angles, 1).to_numpy().astype(float))
