"""ESA, the electrostatic analysers: ions to 25 keV, electrons to 30 keV.

Two kinds of level 2 files:

- ``th?_l2_esa`` (CDAWeb ``TH?_L2_ESA``): moments and energy spectra made on ground, for full (``peif``, ``peef``: few
  minutes), reduced (``peir``, ``peer``: a spin) and burst (``peib``, ``peeb``) distributions; no distributions.
- ``th?_l2_esa_pei*``, ``th?_l2_esa_pee*``, one for each kind (folder ``esd`` of the mission's server):
  ``eflux (time, energy 32, direction 88)`` in eV/(cm^2 s sr eV), energies from high to low, ``an_ind`` the angle map.
  Their angles are tables without a time, so they are taken from `geometry`, and the energies from the first file.

Frames: DSL, despun, z along the spin axis, x towards the Sun.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import XYZ, in_units, symmetric, vectors
from armillary.missions.plasma.generic.reading import at_times, kept_attrs, main_of, series
from armillary.missions.plasma.themis.geometry import DIRECTIONS, ENERGIES, directions
from armillary.missions.plasma.themis.quality import measured, moment_recipe
from armillary.model import Recipe
from armillary.science.coordinates.quaternions import nearest_rotations
from armillary.science.particles.skymap import Skymap
from armillary.science.particles.units import convert
from armillary.science.plasma import ELECTRON_MASS, PROTON_MASS

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CITATION: Final = "McFadden et al. (2008), Space Sci. Rev. 141, 277, doi:10.1007/s11214-008-9440-2"
#: The angle map that `geometry` describes.
_MAP: Final = {"ion": 1, "electron": 0}
#: Degrees that the spin phase may differ within one answer.
_TURN: Final = 0.5
#: Seconds of a spin, which a distribution takes.
_SPIN: Final = 3.1
_FILES: Final = "use the th?_l2_esa_peif (peib, peef, peeb) files with the th?_l2_esa file of the same day"


def _skymap(kind: str) -> Recipe:
    maps, moments = f"**/th{{p}}/l2/esa/{kind}/", f"**/th{{p}}/l2/esa/th{{p}}_{kind}_"
    species = "ion" if kind[2] == "i" else "electron"

    def make(
        eflux: "xr.Dataset", angle_map: "xr.Dataset", spectrum: "xr.Dataset", phase: "xr.Dataset | None",
        used: "xr.Dataset | None", b: "xr.Dataset | None", velocity: "xr.Dataset | None",
        potential: "xr.Dataset | None", attitude: "xr.Dataset | None",
    ) -> "xr.Dataset":  # fmt: skip
        time = eflux["time"].to_numpy()
        near = {"magnetic_field": b, "bulk_velocity": velocity, "spacecraft_potential": potential}
        beside = {name: at_times(one, time) for name, one in near.items() if one is not None}
        if attitude is not None:
            beside["to_gse"] = nearest_rotations(at_times(attitude, time))
        return skymap(species, eflux, angle_map, spectrum, phase, used, beside)

    return Recipe(
        output=f"themis/th{{p}}/{kind}/skymap",
        inputs={
            "eflux": f"{maps}eflux", "angle_map": f"{maps}an_ind", "spectrum": f"{moments}en_eflux",
            "phase": f"{maps}phi_offset", "used": f"{maps}bins", "b": f"{moments}magf",
            "velocity": f"{moments}velocity_dsl", "potential": f"{moments}sc_pot",
            "attitude": "themis/th{p}/dsl_to_gse",
        },
        optional=("phase", "used", "b", "velocity", "potential", "attitude"),
        function=make,
        title=f"THEMIS-{{p}} {kind}: velocity distribution",
        kind="skymap", units="s^3 cm^-6", block="time", pad=_SPIN, citation=CITATION,
        description=skymap.__doc__ or "",
    )  # fmt: skip


def skymap(
    species: str, eflux: "xr.Dataset", angle_map: "xr.Dataset", spectrum: "xr.Dataset", phase: "xr.Dataset | None",
    used: "xr.Dataset | None", beside: "dict[str, Array]",
) -> "xr.Dataset":  # fmt: skip
    """Give phase space density of an ESA distribution by direction of motion in DSL, 88 directions.

    Records in another angle map (the solar wind's) are NaN and have another number in ``angle_map``; so is the first
    energy of each sweep, while the voltage flies back.
    """
    from armillary.science.particles.datasets import to_dataset

    time = eflux["time"].to_numpy()
    values, energy, maps = _cells(eflux), _energies(spectrum, time), _at(angle_map, time)
    bad = np.asarray(~np.isfinite(energy).all(1))
    other = (maps != _MAP[species]) | bad
    values[_unused(used, values)] = np.nan
    values[other] = np.nan
    energy[bad] = _first_good(energy)
    mass, charge = (PROTON_MASS, 1) if species == "ion" else (ELECTRON_MASS, -1)
    psd = convert(values, "eflux", "psd", energy=energy[:, None, :], mass=mass).astype(np.float32)
    where = directions(species)
    azimuth = np.mod(where.azimuth + _phase(phase, time, other), 360)
    cells = Skymap(psd, azimuth, where.polar, energy, where.solid_angle, mass, charge)
    found = to_dataset(cells, time, frame="DSL", species=species, beside=beside)
    found["angle_map"] = ("time", maps, {"units": "", "long_name": "ESA angle map"})
    return found.assign_attrs(kept_attrs(eflux))


def _cells(data: "xr.Dataset") -> "Array":
    """Give energy flux, (time, 88, 32), energies rising, from the order of the file."""
    main = main_of(data, 2)
    values = measured(main, "eV/(cm^2 s sr eV)")
    if values.shape[1] == ENERGIES and values.shape[2] >= DIRECTIONS:
        values = values.swapaxes(1, 2)
    if values.shape[2] != ENERGIES or values.shape[1] < DIRECTIONS:
        problem = f"{main.name} has the shape {main.shape[1:]} after time, not 32 energies by 88 directions"
        raise BadData(problem, "reduced distributions have other cells: use full (peif, peef) or burst (peib, peeb)")
    return values[:, :DIRECTIONS, ::-1].copy()


def _energies(spectrum: "xr.Dataset", time: "Array") -> "Array":
    """Give the energies of each record, rising, from the spectrum of the same distributions."""
    main = main_of(spectrum, 1)
    name = str(main.attrs.get("DEPEND_1", main.dims[1]))
    if name not in spectrum.coords or main.shape[1] != ENERGIES:
        raise BadData(f"{main.name} does not tell 32 energies", _FILES)
    energy = in_units(spectrum[name].to_numpy(), str(spectrum[name].attrs.get("units", "")), "eV", name)
    energy = np.broadcast_to(energy, main.shape) if energy.ndim == 1 else energy
    found = energy[_nearest(spectrum["time"].to_numpy(), time)][:, ::-1].copy()
    found[~((np.diff(found, axis=1) > 0).all(1) & (found > 0).all(1))] = np.nan
    return found


def _first_good(energy: "Array") -> "Array":
    good = np.asarray(np.isfinite(energy).all(1))
    if len(good) and not good.any():
        raise BadData("the spectrum has no energies for these distributions", _FILES)
    return energy[int(np.argmax(good))] if len(good) else energy


def _nearest(have: "Array", want: "Array") -> "Array":
    """Give the nearest record's number; both files have one record a distribution, at its start or middle."""
    if not len(have):
        raise BadData("there is no energy spectrum at the time of these distributions", _FILES)
    right = np.clip(np.searchsorted(have, want), 1, max(len(have) - 1, 1))
    right = np.minimum(right, len(have) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(want - have[left]) <= np.abs(have[right] - want), left, right)


def _at(data: "xr.Dataset", time: "Array") -> "Array":
    if not np.array_equal(data["time"].to_numpy(), time):
        raise BadData(f"{next(iter(data.data_vars))} is of other times than the distributions", _FILES)
    return main_of(data, 0).to_numpy()


def _unused(used: "xr.Dataset | None", values: "Array") -> "Array":
    """Say which cells the ground software leaves out: as the file says, else the first energy of each sweep."""
    if used is None:
        return np.broadcast_to(np.arange(ENERGIES) == ENERGIES - 1, values.shape)
    flags = main_of(used, 2).to_numpy()
    if flags.shape[1] == ENERGIES:
        flags = flags.swapaxes(1, 2)
    if flags.shape[1] < DIRECTIONS or len(flags) != len(values):
        raise BadData(f"the used cells have the shape {flags.shape} beside {values.shape}", _FILES)
    return np.asarray(flags[:, :DIRECTIONS, ::-1] == 0)


def _phase(phase: "xr.Dataset | None", time: "Array", other: "Array") -> float:
    """Give the correction of the spin phase; cells that move during an answer would need another answer."""
    if phase is None or not len(time) or other.all():
        return 0.0
    values = _at(phase, time)[~other].astype(float)
    if not np.ptp(values) <= _TURN:
        problem = f"the spin phase is corrected by {values.min():.3g} to {values.max():.3g} degrees"
        raise BadData(problem, "ask for a shorter interval, outside the eclipse")
    return float(np.median(values))


def _scalar(name: str, source: str, title: str, units: str, label: str) -> Recipe:
    def order(raw: "xr.Dataset", values: "Array") -> "xr.Dataset":
        return series(raw, {name: (("time",), values, {"units": units, "long_name": title, "LABLAXIS": label})})

    return moment_recipe(name, source, title, units, (), CITATION, order, 0)


def _vector(frame: str) -> Recipe:
    name, title = f"velocity_{frame}", f"Bulk velocity, {frame.upper()}"

    def order(raw: "xr.Dataset", values: "Array") -> "xr.Dataset":
        return vectors(raw, values, name, "km/s", title, frame=frame.upper())

    return moment_recipe(name, name, title, "km/s", (3,), CITATION, order, 1)


def _pressure() -> Recipe:
    name, title = "pressure_dsl", "Pressure tensor, DSL"

    def order(raw: "xr.Dataset", six: "Array") -> "xr.Dataset":
        if six.shape[1] != 6:
            raise BadData(f"the pressure has {six.shape[1]} components, not xx yy zz xy xz yz", _FILES)
        attrs = {"units": "nPa", "long_name": title, "LABLAXIS": "P", "COORDINATE_SYSTEM": "DSL",
                 "LABL_PTR_1": "row", "LABL_PTR_2": "column"}  # fmt: skip
        tensor = {name: (("time", "row", "column"), symmetric(six), attrs)}
        return series(raw, tensor, row=list(XYZ), column=list(XYZ))

    return moment_recipe(name, "ptens", title, "nPa", (3, 3), CITATION, order, 1)


RECIPES: Final = (
    *(_skymap(kind) for kind in ("peif", "peib", "peef", "peeb")),
    _scalar("density", "density", "Number density", "cm^-3", "n"),
    _scalar("temperature", "avgtemp", "Mean temperature", "eV", "T"),
    _scalar("potential", "sc_pot", "Spacecraft potential", "V", "V"),
    *(_vector(frame) for frame in ("dsl", "gse", "gsm")),
    _pressure(),
)
