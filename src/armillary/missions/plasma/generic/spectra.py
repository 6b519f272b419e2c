"""Spectrograms of any velocity distribution, and what follows from pitch-angle distributions of an archive."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import axis_of
from armillary.missions.plasma.canonical import in_units as canonical_units
from armillary.missions.plasma.energy_axes import pitch_angles as in_order
from armillary.missions.plasma.generic.beside import GAP
from armillary.missions.plasma.generic.reading import main_of, series
from armillary.missions.plasma.generic.skymaps import (
    AXES,
    BASIS,
    FIELD,
    POSITION,
    VELOCITY,
    axes_of,
    field_of,
    velocity_of,
)
from armillary.missions.plasma.generic.turning import UNDECLARED
from armillary.model import Fits, Parameter, Recipe, recipe
from armillary.science.particles import pitch_products, spectra
from armillary.science.particles.angles import over_energy
from armillary.science.particles.datasets import from_dataset
from armillary.science.particles.spectra import DIRECTIONS, QUANTITIES, in_units
from armillary.science.particles.units import UNITS

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.particles.binning import Binned
    from armillary.science.particles.skymap import Skymap
    from armillary.science.plasma import Array

_SKYMAP: Final = Fits(kinds=("skymap",))
_PLANE: Final = Fits(kinds=("plane",), axes=("energy", "pitch"))
_EFLUX: Final = UNITS["eflux"]
_NAMES: Final = {"psd": "Phase space density", "flux": "Differential flux", "eflux": "Differential energy flux"}
_LABELS: Final = {"psd": "f", "flux": "flux", "eflux": "energy flux"}

_QUANTITY: Final = Parameter(
    name="quantity", type="str", default="eflux", choices=QUANTITIES,
    description="eflux: differential energy flux, flux: differential number flux, psd: phase space density",
)  # fmt: skip
_LOW: Final = Parameter(
    name="low_energy", type="float", default=0.0, low=0.0, units="eV", description="Least energy that counts; 0 for all"
)
_HIGH: Final = Parameter(
    name="high_energy",
    type="float",
    default=0.0,
    low=0.0,
    units="eV",
    description="Largest energy that counts; 0 for all",
)
_FRAME: Final = Parameter(
    name="frame", type="str", default="spacecraft", choices=("spacecraft", "plasma"),
    description="Whose velocities: as measured, or with the bulk velocity taken away (interpolated, slower)",
)  # fmt: skip
_PITCH: Final = {"units": "deg", "long_name": "Pitch angle", "LABLAXIS": "pitch angle", "SCALETYP": "linear"}
#: Of what a grid has of its own.
_LISTED: Final = "for a list of directions only; 0 for 16"


def _bins(default: int, what: str) -> Parameter:
    return Parameter(name="bins", type="int", default=default, low=min(default, 1), high=360, description=what)


@recipe("{input}/energy_spectrogram", inputs={"distribution": _SKYMAP}, parameters=(_QUANTITY,), units=_EFLUX,
        title="{title}: energy spectrogram", kind="spectrogram", block="time")  # fmt: skip
def energy_spectrogram(distribution: "xr.Dataset", quantity: str) -> "xr.Dataset":
    """Mean over all directions, weighted by solid angle, at each energy."""
    cells = from_dataset(distribution)
    return _energies(
        distribution, cells, spectra.energy_spectrogram(cells, quantity), quantity, "omni", "all directions"
    )


@recipe("{input}/direction_spectrogram", inputs={"distribution": _SKYMAP}, units=_EFLUX,
        parameters=(Parameter(name="direction", type="str", default="px", choices=DIRECTIONS,
                              description="Direction of motion: p for plus, m for minus"), _QUANTITY),
        title="{title}: energies along an axis", kind="spectrogram", block="time")  # fmt: skip
def direction_spectrogram(distribution: "xr.Dataset", direction: str, quantity: str) -> "xr.Dataset":
    """Mean over the particles that move within 45 degrees of an axis of the skymap's frame, as FPI defines its own."""
    cells = from_dataset(distribution)
    values = spectra.direction_spectrograms(cells, quantity)[:, DIRECTIONS.index(direction)]
    axis = direction.replace("p", "+").replace("m", "-")
    return _energies(distribution, cells, values, quantity, direction, f"motion within 45 degrees of {axis}")


@recipe("{input}/azimuth_spectrogram", inputs={"distribution": _SKYMAP}, units=_EFLUX,
        parameters=(_LOW, _HIGH, _QUANTITY, _bins(0, f"Bins around the circle, {_LISTED}")),
        title="{title}: azimuth spectrogram", kind="spectrogram", block="time")  # fmt: skip
def azimuth_spectrogram(
    distribution: "xr.Dataset", low_energy: float, high_energy: float, quantity: str, bins: int
) -> "xr.Dataset":
    """Mean over polar angle and energy (ln E) at each azimuth of motion, from x towards y of the skymap's frame."""
    values, centres = spectra.azimuth_spectrogram(from_dataset(distribution), quantity, low_energy, high_energy, bins)
    told = {"units": "deg", "long_name": "Azimuth of motion", "LABLAXIS": "azimuth", "SCALETYP": "linear"}
    return _angles(distribution, "azimuth", centres, told, values, quantity, (low_energy, high_energy))


@recipe("{input}/polar_spectrogram", inputs={"distribution": _SKYMAP}, units=_EFLUX,
        parameters=(_LOW, _HIGH, _QUANTITY, _bins(0, f"Bins from 0 to 180 degrees, {_LISTED}")),
        title="{title}: polar spectrogram", kind="spectrogram", block="time")  # fmt: skip
def polar_spectrogram(
    distribution: "xr.Dataset", low_energy: float, high_energy: float, quantity: str, bins: int
) -> "xr.Dataset":
    """Mean over azimuth and energy (ln E) at each polar angle of motion, from z of the skymap's frame."""
    values, centres = spectra.polar_spectrogram(from_dataset(distribution), quantity, low_energy, high_energy, bins)
    told = {"units": "deg", "long_name": "Polar angle of motion", "LABLAXIS": "polar angle", "SCALETYP": "linear"}
    return _angles(distribution, "polar", centres, told, values, quantity, (low_energy, high_energy))


@recipe("{input}/pitch_angles", inputs={"distribution": _SKYMAP}, units=_EFLUX, pad="largest_gap",
        parameters=(_LOW, _HIGH, _bins(18, "Bins from 0 to 180 degrees"), _QUANTITY, FIELD, _FRAME, VELOCITY,
                    UNDECLARED, GAP),
        title="{title}: pitch angles", kind="spectrogram", block="time")  # fmt: skip
def pitch_angles(
    distribution: "xr.Dataset", low_energy: float, high_energy: float, bins: int, quantity: str,
    field: "xr.Dataset | None", frame: str, velocity: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Pitch-angle distribution: mean over gyro-phase and energy (ln E); cells are shared among bins by area.

    ``measured`` is the part of each bin's solid angle that was measured, mean over the same energies.
    """
    cells, made, centres = _pitch(distribution, bins, field, frame, velocity, largest_gap, undeclared)
    limits = low_energy, high_energy
    values = over_energy(in_units(made.mean, cells, quantity), cells.energy, *limits)
    whole = pitch_products.pitch_solid_angles(centres)[:, None]
    seen = over_energy((made.solid_angle / whole).clip(0, 1), cells.energy, *limits)
    found = _angles(distribution, "pitch_angle", centres, _PITCH, values, quantity, limits, frame)
    told = {"units": "1", "long_name": "Measured part of the solid angle", "LABLAXIS": "measured", "SCALETYP": "linear",
            "DEPEND_1": "pitch_angle", "VAR_TYPE": "support_data"}  # fmt: skip
    return found.assign(measured=(("time", "pitch_angle"), seen, told))


@recipe("{input}/energy_pitch_angle", inputs={"distribution": _SKYMAP}, units=_EFLUX, pad="largest_gap",
        parameters=(_bins(18, "Bins from 0 to 180 degrees"), _QUANTITY, FIELD, _FRAME, VELOCITY,
                    UNDECLARED, GAP),
        title="{title}: energies and pitch angles", kind="plane", axes=("energy", "pitch angle"),
        block="time")  # fmt: skip
def energy_pitch_angle(
    distribution: "xr.Dataset", bins: int, quantity: str, field: "xr.Dataset | None", frame: str,
    velocity: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Mean over gyro-phase at each energy and pitch angle; cells are shared among bins of pitch angle by area."""
    cells, made, centres = _pitch(distribution, bins, field, frame, velocity, largest_gap, undeclared)
    axis, known = _energy_axis(cells.energy)
    told = _told(quantity, f"energies and pitch angles, {frame} frame") | {"DEPEND_1": known, "DEPEND_2": "pitch_angle"}
    del told["DISPLAY_TYPE"]
    values = in_units(made.mean, cells, quantity).swapaxes(1, 2)
    return series(
        distribution, {quantity: (("time", "energy", "pitch_angle"), values, told)}, **axis,
        pitch_angle=("pitch_angle", centres, _PITCH),
    )  # fmt: skip


@recipe("{input}/gyro_phase", inputs={"distribution": _SKYMAP}, units=_EFLUX, pad="largest_gap",
        parameters=(_LOW, _HIGH, _bins(16, "Bins from 0 to 360 degrees"), _QUANTITY,
                    Parameter(name="low_pitch", type="float", default=0.0, low=0.0, high=180.0, units="deg",
                              description="Least pitch angle (from z of the basis) that counts"),
                    Parameter(name="high_pitch", type="float", default=180.0, low=0.0, high=180.0, units="deg",
                              description="Largest pitch angle that counts"),
                    BASIS, AXES, FIELD, VELOCITY, POSITION, _FRAME, UNDECLARED, GAP),
        title="{title}: gyro-phases", kind="spectrogram", block="time")  # fmt: skip
def gyro_phase(
    distribution: "xr.Dataset", low_energy: float, high_energy: float, bins: int, quantity: str, low_pitch: float,
    high_pitch: float, basis: str, axes: str, field: "xr.Dataset | None", velocity: "xr.Dataset | None",
    position: "xr.Dataset | None", frame: str, undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Mean over pitch angle and energy (ln E) at each angle around z of a basis, from its x towards its y."""
    from armillary.science.particles.gyrophase import gyro_phase_distribution, phase_centres

    turn = axes_of(distribution, basis, field=field, velocity=velocity, position=position, axes=axes,
                   largest_gap=largest_gap, undeclared=undeclared)  # fmt: skip
    cells = _in_frame(distribution, frame, velocity, largest_gap, undeclared)
    made = gyro_phase_distribution(cells, turn, bins, low_pitch, high_pitch)
    values = over_energy(in_units(made.mean, cells, quantity), cells.energy, low_energy, high_energy)
    told = {"units": "deg", "long_name": f"Gyro-phase in {basis}", "LABLAXIS": "gyro-phase", "SCALETYP": "linear"}
    return _angles(
        distribution, "gyro_phase", phase_centres(bins), told, values, quantity, (low_energy, high_energy), frame
    )  # fmt: skip


@recipe("{input}/pitch_angles_at_energy", inputs={"distribution": _PLANE}, units="{units}", parameters=(_LOW, _HIGH),
        title="{title}: pitch angles between energies", kind="spectrogram", block="time")  # fmt: skip
def pitch_angles_at_energy(distribution: "xr.Dataset", low_energy: float, high_energy: float) -> "xr.Dataset":
    """Mean over energy (ln E) of a distribution of energies and pitch angles; equal limits give the channel there."""
    raw, values, energy, angle = _read(distribution)
    if low_energy == high_energy > 0:
        made = pitch_products.at_energy(values, energy, low_energy)
    else:
        made = over_energy(values, energy, low_energy, high_energy)
    told = raw | {"long_name": f"{raw['long_name']}, {_between(low_energy, high_energy)}"}
    axis, known = _axis("pitch_angle", angle, _PITCH)
    return series(
        distribution, {"pitch_angles": (("time", "pitch_angle"), made, told | {"DEPEND_1": known})}, **axis
    )  # fmt: skip


@recipe("{input}/energies_at_pitch_angle", inputs={"distribution": _PLANE}, units="{units}",
        parameters=(Parameter(name="low_pitch", type="float", default=0.0, low=0.0, high=180.0, units="deg",
                              description="Least pitch angle that counts"),
                    Parameter(name="high_pitch", type="float", default=30.0, low=0.0, high=180.0, units="deg",
                              description="Largest pitch angle that counts")),
        title="{title}: energies between pitch angles", kind="spectrogram", block="time")  # fmt: skip
def energies_at_pitch_angle(distribution: "xr.Dataset", low_pitch: float, high_pitch: float) -> "xr.Dataset":
    """Mean over a range of pitch angles, each bin weighted by its solid angle in the range."""
    raw, values, energy, angle = _read(distribution)
    made = pitch_products.at_pitch_angles(values, angle, low_pitch, high_pitch)
    return _of_energy(distribution, "energies", made, energy, raw, f"pitch angles {low_pitch:g} to {high_pitch:g} deg")


@recipe("{input}/omni", inputs={"distribution": _PLANE}, units="{units}",
        title="{title}: mean over all directions", kind="spectrogram", block="time")  # fmt: skip
def omni(distribution: "xr.Dataset") -> "xr.Dataset":
    """Mean over all directions of a distribution of energies and pitch angles, each bin weighted by its solid angle."""
    raw, values, energy, angle = _read(distribution)
    return _of_energy(distribution, "omni", pitch_products.pitch_omni(values, angle), energy, raw, "all directions")


@recipe("{input}/pitch_anisotropy", inputs={"distribution": _PLANE}, units="1",
        title="{title}: pitch-angle anisotropy", kind="spectrogram", block="time",
        citation="Chen et al. (1999), J. Geophys. Res. 104, 17379")  # fmt: skip
def anisotropy(distribution: "xr.Dataset") -> "xr.Dataset":
    """Half the ratio of sin^3 to cos^2 sin moments minus 1 at each energy: 0 isotropic, positive across the field."""
    _, values, energy, angle = _read(distribution)
    told = {"units": "1", "long_name": "Pitch-angle anisotropy", "LABLAXIS": "A", "SCALETYP": "linear"}
    made = pitch_products.pitch_anisotropy(values, angle)
    return _of_energy(distribution, "anisotropy", made, energy, told, "")


RECIPES: Final[tuple[Recipe, ...]] = (
    energy_spectrogram, direction_spectrogram, azimuth_spectrogram, polar_spectrogram, pitch_angles, energy_pitch_angle,
    gyro_phase, pitch_angles_at_energy, energies_at_pitch_angle, omni, anisotropy,
)  # fmt: skip


def _in_frame(
    distribution: "xr.Dataset", frame: str, velocity: "xr.Dataset | None", largest_gap: float, undeclared: str
) -> "Skymap":
    from armillary.science.particles.moving import seen_from

    cells = replace(from_dataset(distribution), error=None)
    if frame == "spacecraft":
        return cells
    return seen_from(cells, velocity_of(distribution, velocity, largest_gap, undeclared))


def _pitch(
    distribution: "xr.Dataset", bins: int, field: "xr.Dataset | None", frame: str, velocity: "xr.Dataset | None",
    largest_gap: float, undeclared: str,
) -> "tuple[Skymap, Binned, Array]":  # fmt: skip
    from armillary.science.particles.pitch import pitch_angle_distribution, pitch_edges

    b, edges = field_of(distribution, field, largest_gap, undeclared), pitch_edges(bins)
    cells = _in_frame(distribution, frame, velocity, largest_gap, undeclared)
    return cells, pitch_angle_distribution(cells, b, edges), (edges[1:] + edges[:-1]) / 2


def _told(quantity: str, how: str) -> dict[str, str]:
    return {"units": UNITS[quantity], "long_name": f"{_NAMES[quantity]}, {how}", "LABLAXIS": _LABELS[quantity],
            "SCALETYP": "log", "DISPLAY_TYPE": "spectrogram"}  # fmt: skip


def _between(low: float, high: float) -> str:
    if low == high > 0:
        return f"at {low:g} eV"
    return f"{low:g} to {high:g} eV" if high > 0 else f"from {low:g} eV" if low > 0 else "all energies"


def _axis(name: str, values: "Array", told: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Give the coordinate of an axis that may change in time, and its name."""
    known = name if values.ndim == 1 else f"{name}_at_time"
    return {known: ((name,) if values.ndim == 1 else ("time", name), values, dict(told))}, known


def _energy_axis(energy: "Array") -> tuple[dict[str, Any], str]:
    told = {"units": "eV", "long_name": "Energy", "LABLAXIS": "energy", "SCALETYP": "log"}
    return _axis("energy", energy, told)


def _energies(like: "xr.Dataset", cells: "Skymap", values: "Array", quantity: str, name: str, how: str) -> "xr.Dataset":
    return _of_energy(like, name, values, cells.energy, _told(quantity, how), "")


def _of_energy(
    like: "xr.Dataset", name: str, values: "Array", energy: "Array", told: dict[str, Any], how: str
) -> "xr.Dataset":
    axis, known = _energy_axis(energy)
    title = f"{told['long_name']}, {how}" if how else told["long_name"]
    attrs = told | {"long_name": title, "DISPLAY_TYPE": "spectrogram", "DEPEND_1": known}
    return series(like, {name: (("time", "energy"), values, attrs)}, **axis)


def _angles(
    like: "xr.Dataset", name: str, centres: "Array", axis_told: Mapping[str, Any], values: "Array", quantity: str,
    limits: tuple[float, float], frame: str = "spacecraft",
) -> "xr.Dataset":  # fmt: skip
    axis, known = _axis(name, centres, axis_told)
    how = _between(*limits) + (", plasma frame" if frame == "plasma" else "")
    return series(like, {quantity: (("time", name), values, _told(quantity, how) | {"DEPEND_1": known})}, **axis)


def _read(data: "xr.Dataset") -> "tuple[dict[str, Any], Array, Array, Array]":
    """Give attributes, values (t, pitch angle, energy), energies in eV and pitch angles, of a plane of an archive."""
    main = main_of(data, 2)
    axes = [axis_of(data, main, number) for number in (1, 2)]
    at = next((n for n, one in enumerate(axes) if one and _is_pitch(data, main, n + 1)), None)
    pitch, other = (None, None) if at is None else (axes[at], axes[1 - at])
    if at is None or pitch is None or other is None:
        raise BadData(f"{main.name} is no distribution of energies and pitch angles", "choose another leaf")
    energy = canonical_units(other[0], other[1], "eV", f"the other axis of {main.name}", silent="eV")
    values = main.to_numpy().astype(float)
    told = {"units": "", "long_name": str(main.name), "SCALETYP": "log", "LABLAXIS": str(main.name)}
    kept = {name: main.attrs[name] for name in ("units", "long_name", "SCALETYP", "LABLAXIS") if name in main.attrs}
    values, energy = values.swapaxes(1, 2) if at == 0 else values, np.where(energy > 0, energy, np.nan)
    found = in_order(data, values, energy, pitch[0], "found", "", "")["found"]
    energy, angle = (found[str(found.attrs[f"DEPEND_{number}"])].to_numpy() for number in (1, 2))
    return told | kept, found.to_numpy().swapaxes(1, 2), energy, angle


def _is_pitch(data: "xr.Dataset", main: "xr.DataArray", number: int) -> bool:
    name = str(main.attrs.get(f"DEPEND_{number}", main.dims[number]))
    told = " ".join(map(str, data[name].attrs.values())) if name in data.coords else ""
    return "pitch" in f"{name} {told}".lower()
