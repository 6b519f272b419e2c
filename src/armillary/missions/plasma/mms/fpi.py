"""FPI, the Fast Plasma Investigation: eight electron (DES) and eight ion (DIS) spectrometers a spacecraft.

Conventions, from the FPI data products guide and Pollock et al. (2016):

- ``dist`` is phase space density in s^3 cm^-6 with the dimensions azimuth 32, polar 16, energy 32;
- ``phi`` and ``theta`` (colatitude) say where the instrument LOOKED, in DBCS; particles moved the other way, so motion
  has the azimuth ``phi + 180`` and the colatitude ``180 - theta``;
- in burst mode ``phi`` and ``energy`` change from record to record: the body spins under the despun frame, and two
  interleaved energy tables take turns (``steptable_parity``); survey maps have 32 geometric means and a fixed phi;
- ``Epoch`` is the beginning of the accumulation: 0.15 s (DIS burst), 0.03 s (DES burst), 4.5 s (fast), 60 s (slow).
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.accumulation import averaged, turning
from armillary.missions.plasma.canonical import XYZ, in_units, same_times, scalar_recipe, vector_recipe
from armillary.missions.plasma.generic.reading import kept_attrs, main_of, scalar_of, series
from armillary.model import Recipe, recipe
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELECTRON_MASS

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

_SECONDS: Final = {("dis", "brst"): 0.15, ("des", "brst"): 0.03}
_SURVEY_SECONDS: Final = {"fast": 4.5, "slow": 60.0}
#: Of each FPI mode: the rate of FGM and of EDP beside it, and the context in seconds.
_BESIDE: Final = {"brst": ("brst", "brst", 1.0), "fast": ("srvy", "fast", 5.0), "slow": ("srvy", "slow", 61.0)}
_SHAPE: Final = (32, 16, 32)
_CHOOSE: Final = "use a dist variable of FPI L2 (mms#_d?s_dist_brst, _fast or _slow)"
CITATION: Final = "Pollock et al. (2016), Space Sci. Rev. 199, 331, doi:10.1007/s11214-016-0245-4"


class _Instrument(NamedTuple):
    name: str
    mode: str

    @property
    def seconds(self) -> float:
        """How long one map takes."""
        return _SECONDS.get((self.name, self.mode), _SURVEY_SECONDS.get(self.mode, 4.5))

    @property
    def ions(self) -> bool:
        return self.name == "dis"


def _skymap(mode: str) -> Recipe:
    fgm, edp, pad = _BESIDE[mode]
    maps = f"**/mms{{n}}/fpi/{mode}/l2/d{{s}}s-dist/mms{{n}}_d{{s}}s_"
    return recipe(
        f"mms/mms{{n}}/d{{s}}s/{mode}/skymap",
        inputs={
            "distribution": f"{maps}dist_{mode}",
            "error": f"{maps}disterr_{mode}",
            "energy": f"{maps}energy_{mode}",
            "phi": f"{maps}phi_{mode}",
            "parity": f"{maps}steptable_parity_{mode}",
            "flags": f"{maps}errorflags_{mode}",
            "b": f"**/mms{{n}}/fgm/{fgm}/l2/mms{{n}}_fgm_b_dmpa_{fgm}_l2",
            "velocity": f"**/mms{{n}}/fpi/{mode}/l2/d{{s}}s-moms/mms{{n}}_d{{s}}s_bulkv_dbcs_{mode}",
            "potential": f"**/mms{{n}}/edp/{edp}/l2/scpot/mms{{n}}_edp_scpot_{edp}_l2",
            "e": f"**/mms{{n}}/edp/{edp}/l2/dce/mms{{n}}_edp_dce_dsl_{edp}_l2",
            "attitude": "mms/mms{n}/mec/dbcs_to_gse",
        },
        optional=("error", "energy", "phi", "parity", "flags", "b", "velocity", "potential", "e", "attitude"),
        title=f"MMS{{n}} d{{s}}s velocity distribution ({mode})",
        kind="skymap",
        units="s^3 cm^-6",
        block="time",
        pad=pad,
        citation=CITATION,
    )(skymap)


def skymap(
    distribution: "xr.Dataset", error: "xr.Dataset | None", energy: "xr.Dataset | None", phi: "xr.Dataset | None",
    parity: "xr.Dataset | None", flags: "xr.Dataset | None", b: "xr.Dataset | None", velocity: "xr.Dataset | None",
    potential: "xr.Dataset | None", e: "xr.Dataset | None", attitude: "xr.Dataset | None",
) -> "xr.Dataset":  # fmt: skip
    """Phase space density of an FPI sky map by direction of motion in DBCS, with what was measured beside it.

    Magnetic field (DMPA) and electric field (DSL) are means over the accumulation. These frames are taken for DBCS:
    they differ by the angle between spin axis and axis of largest inertia, 0.1 to 0.2 degrees. ``error_flags`` are
    FPI's 32 bits. The time is the beginning of the accumulation. Photoelectrons are still in DES maps.
    """
    from armillary.science.particles.datasets import to_dataset

    main, instrument = _distribution(distribution)
    time = distribution["time"].to_numpy()
    cells, order = _cells(main, _energies(distribution, main, energy, parity), _looks(distribution, main, phi))
    if error is not None:
        same_times(distribution, error)
        cells = replace(cells, error=order.put(main_of(error, 3).to_numpy()))
    beside = _beside(time, instrument.seconds, {"magnetic_field": b, "electric_field": e,
                     "spacecraft_potential": potential, "bulk_velocity": velocity})  # fmt: skip
    if attitude is not None:
        beside["to_gse"] = turning(attitude, time, instrument.seconds)
    if not instrument.ions:
        cells = replace(cells, mass=ELECTRON_MASS, charge=-1)
    species = "ion" if instrument.ions else "electron"
    found = to_dataset(cells, time, frame="DBCS", species=species, beside=beside,
                       accumulation=instrument.seconds)  # fmt: skip
    if flags is not None:
        same_times(distribution, flags)
        found["error_flags"] = ("time", main_of(flags, 0).to_numpy(), {"units": "", "long_name": "FPI error flags"})
    return found.assign_attrs(kept_attrs(distribution))


def _distribution(data: "xr.Dataset") -> "tuple[xr.DataArray, _Instrument]":
    """Find the map among the variables, and tell from its name which instrument and mode it is of."""
    for name, one in data.data_vars.items():
        found = re.fullmatch(r"mms\d_(d[ei]s)_dist_(\w+)", str(name), re.IGNORECASE)
        if found:
            if one.shape[1:] != _SHAPE:
                problem = f"{name} has the shape {one.shape[1:]} after time, not {_SHAPE} (azimuth, polar, energy)"
                raise BadData(problem, _CHOOSE)
            return one, _Instrument(found[1].lower(), found[2].lower())
    raise BadData(f"there is no FPI distribution among {', '.join(map(str, data.data_vars))}", _CHOOSE)


def _energies(
    data: "xr.Dataset", main: "xr.DataArray", given: "xr.Dataset | None", parity: "xr.Dataset | None"
) -> "Array":
    """Give the energies, (t, 32) if they change; a table that is fill is the usual one, of a map that is too."""
    energy = _axis(data, main, 3, "energy", "eV") if given is None else _told(given, "eV")
    if energy.ndim == 1 and parity is not None and {0.0, 1.0} <= set(scalar_of(parity).tolist()):
        problem = f"{main.name} takes two energy tables in turn, but only one is there"
        raise BadData(problem, "use an archive that gives the energies of every record, as the CDF files do")
    return energy


def _looks(data: "xr.Dataset", main: "xr.DataArray", given: "xr.Dataset | None") -> "tuple[Array, Array]":
    phi = _axis(data, main, 1, "phi", "deg") if given is None else _told(given, "deg")
    return phi, _axis(data, main, 2, "theta", "deg")


def _told(given: "xr.Dataset", units: str) -> "Array":
    lone = main_of(given, 1)
    return in_units(lone.to_numpy(), str(lone.attrs.get("units", "")), units, str(lone.name))


def _axis(data: "xr.Dataset", main: "xr.DataArray", number: int, word: str, units: str) -> "Array":
    """Give the coordinate along a dimension: the one that is named for it, else one whose name says it."""
    told = str(main.attrs.get(f"DEPEND_{number}", main.dims[number]))
    size = main.shape[number]
    for name in (told, *(str(one) for one in data.coords if f"_{word}_" in f"_{one}_".lower())):
        if name in data.coords and data[name].dtype.kind in "iuf" and data[name].shape[-1] == size:
            return in_units(data[name].to_numpy(), str(data[name].attrs.get("units", "")), units, name)
    raise BadData(f"{main.name} does not say its {word}", "use an archive that keeps the axes, as the CDF files do")


class _Order(NamedTuple):
    """How the cells of a file are put in order: by azimuth, polar angle and energy of motion, all rising."""

    azimuth: "Array"
    polar: "Array"
    energy: "Array"

    def put(self, values: "Array") -> "Array":
        for axis, order in ((1, self.azimuth), (2, self.polar), (3, self.energy)):
            values = _taken(values, order, axis)
        return values


def _cells(main: "xr.DataArray", energy: "Array", looks: "tuple[Array, Array]") -> tuple[Skymap, _Order]:
    """Turn look directions into directions of motion, and let all axes rise."""
    factor = in_units(np.ones(1), str(main.attrs["units"]), "s^3 cm^-6", str(main.name))[0]
    psd = main.to_numpy() if factor == 1 else main.to_numpy() * factor
    phi, theta = looks
    usable = np.isfinite(energy).all(-1) & (energy > 0).all(-1) & np.isfinite(phi).all(-1)
    energy, phi = _usual(energy), _usual(phi)
    azimuth, polar = np.mod(phi + 180, 360), 180 - theta
    order = _Order(np.argsort(azimuth, -1), np.argsort(polar), np.argsort(energy, -1))
    psd = order.put(psd)
    psd = np.where((psd >= 0) & np.reshape(usable, (-1, 1, 1, 1)), psd, np.nan).astype(psd.dtype, copy=False)
    at = [np.take_along_axis(one, way, -1) for one, way in zip((azimuth, polar, energy), order, strict=True)]
    return Skymap(psd, at[0], at[1], at[2]), order


def _taken(values: "Array", order: "Array", axis: int) -> "Array":
    """Reorder along one axis, once for all if it is the same at all times."""
    if order.ndim == 2 and bool((order == order[:1]).all()) and len(order):
        order = order[0]
    if order.ndim == 1:
        same = bool((order == np.arange(len(order))).all())
        return values if same else np.take(values, order, axis)
    shape = [len(order)] + [order.shape[1] if one == axis else 1 for one in range(1, values.ndim)]
    return np.take_along_axis(values, order.reshape(shape), axis)


def _usual(rows: "Array") -> "Array":
    """Put the first complete row in the place of those with a missing number."""
    if rows.ndim == 1:
        return rows
    bad = np.asarray(~(np.isfinite(rows) & (rows >= 0)).all(1))
    if bad.all() and len(rows):
        raise BadData("all energies or angles of this distribution are fill values", "choose another time")
    return np.where(bad[:, None], rows[int(np.argmin(bad))], rows) if bad.any() else rows


def _beside(time: "Array", seconds: float, given: "dict[str, xr.Dataset | None]") -> "dict[str, Array]":
    found = {}
    for name, data in given.items():
        if data is not None:
            values = averaged(data, time, seconds)
            # FGM vectors have the field's strength as a fourth component.
            found[name] = values[:, :3] if values.ndim == 2 else values
    return found


def _scalar(name: str, source: str, title: str, units: str, label: str) -> Recipe:
    return _of_all(scalar_recipe(*_named(name, source), title, units, label=label, citation=CITATION))


def _vector(name: str, source: str, title: str, units: str) -> Recipe:
    frame = name.rpartition("_")[2].upper()
    return _of_all(vector_recipe(*_named(name, source), title, units, frame=frame, citation=CITATION))


def _tensor(name: str, source: str, title: str, units: str) -> Recipe:
    frame = name.rpartition("_")[2].upper()

    def order(raw: "xr.Dataset") -> "xr.Dataset":
        main = main_of(raw, 2)
        values = in_units(main.to_numpy(), str(main.attrs["units"]), units, str(main.name))
        attrs = {"units": units, "long_name": title, "LABLAXIS": name, "COORDINATE_SYSTEM": frame,
                 "LABL_PTR_1": "row", "LABL_PTR_2": "column"}  # fmt: skip
        return series(raw, {name: (("time", "row", "column"), values, attrs)}, row=list(XYZ), column=list(XYZ))

    output, template = _named(name, source)
    return _of_all(Recipe(
        output=output, inputs={"raw": template}, function=order, title=title, kind="series", units=units, block="time",
        shape=(3, 3), citation=CITATION, description=f"{title}, as FPI gives it.",
    ))  # fmt: skip


def _named(name: str, source: str) -> tuple[str, str]:
    """Give output and template of a moment; a model of photoelectrons is already taken away from those of DES."""
    template = f"**/mms{{n}}/fpi/{{mode}}/l2/d{{s}}s-moms/mms{{n}}_d{{s}}s_{source}_{{mode}}"
    return f"mms/mms{{n}}/d{{s}}s/{{mode}}/{name}", template


def _of_all(made: Recipe) -> Recipe:
    """Let the title say of which spacecraft, instrument and mode it is."""
    return replace(made, title=f"MMS{{n}} d{{s}}s: {made.title} ({{mode}})")


RECIPES: Final = (
    *(_skymap(mode) for mode in _BESIDE),
    _scalar("density", "numberdensity", "Number density", "cm^-3", "n"),
    _vector("velocity_gse", "bulkv_gse", "Bulk velocity, GSE", "km/s"),
    _vector("velocity_dbcs", "bulkv_dbcs", "Bulk velocity, DBCS", "km/s"),
    _tensor("pressure_gse", "prestensor_gse", "Pressure tensor, GSE", "nPa"),
    _tensor("temperature_gse", "temptensor_gse", "Temperature tensor, GSE", "eV"),
    _scalar("temperature_parallel", "temppara", "Temperature along the field", "eV", "T par"),
    _scalar("temperature_perpendicular", "tempperp", "Temperature across the field", "eV", "T perp"),
    _vector("heat_flux_gse", "heatq_gse", "Heat flux, GSE", "mW/m^2"),
)
