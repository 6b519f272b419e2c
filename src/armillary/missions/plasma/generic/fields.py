"""Of any vector its length and its parts along a field; of fields, velocities and densities what follows from them."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.missions.plasma.generic.beside import (
    GAP,
    chosen,
    in_units,
    scalar_at,
    units_of,
    vector_beside,
    vectors,
)
from armillary.missions.plasma.generic.reading import at_times, main_of, scalar_of, series, vector_of
from armillary.missions.plasma.generic.turning import UNDECLARED, frame_told
from armillary.model import Fits, Parameter, Recipe, recipe
from armillary.science import plasma

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

#: Spellings of the units that these recipes take.
NT: Final = ("nT",)
MV_PER_M: Final = ("mV/m",)
KM_PER_S: Final = ("km/s", "km s^-1", "km/sec")
PER_CC: Final = ("cm^-3", "cm-3", "1/cm^3", "1/cm3", "#/cc", "n/cc", "/cc", "#/cm^3", "#/cm3", "percc")

_FIELD: Final = chosen("field", "Path of the magnetic field, nT; it is turned into the frame of these vectors")
_DENSITY: Final = chosen("density", "Path of the density, cm^-3")
_TEMPERATURE: Final = chosen(
    "temperature",
    "Path of the temperature (eV or K) of the ions: a number, those along and across the field, or a tensor",
)
_BOTH: Final = (
    chosen("parallel", "Path of the temperature along the field where both are leaves of their own, as of MMS FPI"),
    chosen("perpendicular", "Path of the temperature across the field; give parallel too"),
)
_SPECIES: Final = Parameter(
    name="species", type="str", default="proton", choices=("proton", "alpha", "oxygen", "electron"),
    description="Whose mass and charge to take",
)  # fmt: skip
_MASSES: Final = {
    "proton": (plasma.PROTON_MASS, 1.0), "alpha": (6.6446573357e-27, 2.0), "oxygen": (2.6566962e-26, 1.0),
    "electron": (plasma.ELECTRON_MASS, -1.0),
}  # fmt: skip


@recipe("{input}/magnitude", inputs={"vector": Fits(kinds=("series",), shapes=((3,),))}, title="{title}: magnitude",
        kind="series", units="{units}", block="time", shape=())  # fmt: skip
def magnitude(vector: "xr.Dataset") -> "xr.Dataset":
    """Length of the vector; missing where a component is."""
    label = str(main_of(vector, 1).attrs.get("LABLAXIS") or "")
    told = {"units": units_of(vector, 1), "LABLAXIS": f"|{label}|" if label else "magnitude", "VALIDMIN": 0.0}
    return _number(vector, "magnitude", np.linalg.norm(vector_of(vector), axis=1), **told)


@recipe("{input}/components", inputs={"vector": Fits(kinds=("series",), shapes=((3,),))},
        parameters=(_FIELD, UNDECLARED, GAP), title="{title}: parallel and perpendicular", kind="series",
        units="{units}", block="time", shape=(2,), pad="largest_gap")  # fmt: skip
def components(vector: "xr.Dataset", field: "xr.Dataset | None", largest_gap: float, undeclared: str) -> "xr.Dataset":
    """Component along the magnetic field, with its sign, and length of the part across it; also that part itself."""
    b = vector_beside(vector, field, "field", "nT", largest_gap, undeclared)
    along, across = plasma.along_and_across(vector_of(vector), b)
    units = units_of(vector, 1)
    both = np.stack([along, np.linalg.norm(across, axis=1)], 1)
    label = str(main_of(vector, 1).attrs.get("LABLAXIS") or "")
    told = {"units": units, "LABLAXIS": label, "LABL_PTR_1": "part", "long_name": "Parts along and across the field"}
    part = {"units": units, "LABL_PTR_1": "component", "COORDINATE_SYSTEM": frame_told(vector).name,
            "long_name": "Part across the field"}  # fmt: skip
    return series(vector, {"components": (("time", "part"), both, told),
                           "perpendicular": (("time", "component"), across, part)},
                  part=["parallel", "perpendicular"], component=["x", "y", "z"])  # fmt: skip


@recipe("{input}/exb", inputs={"electric": Fits(kinds=("series",), shapes=((3,),), units=MV_PER_M)},
        parameters=(_FIELD, UNDECLARED, GAP), title="{title}: E x B drift", kind="series", units="km/s", block="time",
        shape=(3,), pad="largest_gap")  # fmt: skip
def exb(electric: "xr.Dataset", field: "xr.Dataset | None", largest_gap: float, undeclared: str) -> "xr.Dataset":
    """Drift velocity E x B / B^2; the electric field must be the one in the frame of interest, not the spacecraft's."""
    b = vector_beside(electric, field, "field", "nT", largest_gap, undeclared)
    found = plasma.exb_drift(vector_of(electric), b)
    return vectors(electric, found, "exb", "km/s", "E x B drift", frame=frame_told(electric).name)


@recipe("{input}/convection_field", inputs={"velocity": Fits(kinds=("series",), shapes=((3,),), units=KM_PER_S)},
        parameters=(_FIELD, UNDECLARED, GAP), title="{title}: convection electric field", kind="series",
        units="mV/m", block="time", shape=(3,), pad="largest_gap")  # fmt: skip
def convection_field(
    velocity: "xr.Dataset", field: "xr.Dataset | None", largest_gap: float, undeclared: str
) -> "xr.Dataset":
    """Electric field -v x B of plasma that moves with the magnetic field."""
    from armillary.science.fields.moving_frames import convection_field as convected

    b = vector_beside(velocity, field, "field", "nT", largest_gap, undeclared)
    found = convected(vector_of(velocity), b)
    return vectors(velocity, found, "convection_field", "mV/m", "-v x B", frame=frame_told(velocity).name)


@recipe("{input}/alfven_speed", inputs={"b": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(_DENSITY, GAP), title="{title}: Alfven speed", kind="series", units="km/s", block="time", shape=(),
        pad="largest_gap")  # fmt: skip
def alfven_speed(b: "xr.Dataset", density: "xr.Dataset | None", largest_gap: float) -> "xr.Dataset":
    """B / sqrt(mu_0 n m_p) of protons; missing where the density is not positive."""
    size, number = np.linalg.norm(vector_of(b), axis=1), _positive(density, b, largest_gap)
    found = plasma.alfven_speed(size, number)
    return _number(b, "alfven_speed", found, units="km/s", LABLAXIS="v_A", long_name="Alfven speed")


@recipe("{input}/plasma_beta", inputs={"b": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(_DENSITY, _TEMPERATURE, *_BOTH, GAP), title="{title}: plasma beta", kind="series", block="time",
        shape=(), pad="largest_gap")  # fmt: skip
def plasma_beta(
    b: "xr.Dataset", density: "xr.Dataset | None", temperature: "xr.Dataset | None", parallel: "xr.Dataset | None",
    perpendicular: "xr.Dataset | None", largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Thermal over magnetic pressure, of the species that density and temperature are given of."""
    time, number = b["time"].to_numpy(), _positive(density, b, largest_gap)
    warmth = _warmth(temperature, parallel, perpendicular, time, largest_gap)
    size = np.linalg.norm(vector_of(b), axis=1)
    found = plasma.beta(number, warmth, np.where(size > 0, size, np.nan))
    return _number(b, "plasma_beta", found, LABLAXIS="beta", SCALETYP="log", long_name="Plasma beta")


@recipe("{input}/magnetic_pressure", inputs={"b": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        title="{title}: magnetic pressure", kind="series", units="nPa", block="time", shape=())  # fmt: skip
def magnetic_pressure(b: "xr.Dataset") -> "xr.Dataset":
    """B^2 / 2 mu_0."""
    found = plasma.magnetic_pressure(np.linalg.norm(vector_of(b), axis=1))
    return _number(b, "magnetic_pressure", found, units="nPa", LABLAXIS="P_B", long_name="Magnetic pressure")


@recipe("{input}/gyro_frequency", inputs={"b": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(_SPECIES,), title="{title}: gyro frequency", kind="series", units="Hz", block="time",
        shape=())  # fmt: skip
def gyro_frequency(b: "xr.Dataset", species: str) -> "xr.Dataset":
    """Frequency of gyration, q B / 2 pi m."""
    found = plasma.gyro_frequency(np.linalg.norm(vector_of(b), axis=1), *_MASSES[species])
    told = {"units": "Hz", "LABLAXIS": "f_c", "SCALETYP": "log", "long_name": f"Gyro frequency ({species})"}
    return _number(b, "gyro_frequency", found, **told)


@recipe("{input}/plasma_frequency", inputs={"density": Fits(kinds=("series",), shapes=((),), units=PER_CC)},
        parameters=(_SPECIES,), title="{title}: plasma frequency", kind="series", units="Hz", block="time",
        shape=())  # fmt: skip
def plasma_frequency(density: "xr.Dataset", species: str) -> "xr.Dataset":
    """Frequency sqrt(n q^2 / epsilon_0 m) / 2 pi."""
    found = plasma.plasma_frequency(_positive(density, density, 0.0), *_MASSES[species])
    told = {"units": "Hz", "LABLAXIS": "f_p", "SCALETYP": "log", "long_name": f"Plasma frequency ({species})"}
    return _number(density, "plasma_frequency", found, **told)


@recipe("{input}/inertial_length", inputs={"density": Fits(kinds=("series",), shapes=((),), units=PER_CC)},
        parameters=(_SPECIES,), title="{title}: inertial length", kind="series", units="km", block="time",
        shape=())  # fmt: skip
def inertial_length(density: "xr.Dataset", species: str) -> "xr.Dataset":
    """Length c / omega_p."""
    found = plasma.inertial_length(_positive(density, density, 0.0), *_MASSES[species])
    told = {"units": "km", "LABLAXIS": "d", "SCALETYP": "log", "long_name": f"Inertial length ({species})"}
    return _number(density, "inertial_length", found, **told)


@recipe("{input}/entropy", inputs={"density": Fits(kinds=("series",), shapes=((),), units=PER_CC)},
        parameters=(_TEMPERATURE, GAP), title="{title}: entropy", kind="series", units="eV cm^2", block="time",
        shape=(), pad="largest_gap")  # fmt: skip
def entropy(density: "xr.Dataset", temperature: "xr.Dataset | None", largest_gap: float) -> "xr.Dataset":
    """T / n^(2/3): what stays the same as long as nothing heats the plasma."""
    warmth = _mean_temperature(temperature, density["time"].to_numpy(), largest_gap)
    found = plasma.entropy(_positive(density, density, 0.0), warmth)
    told = {"units": "eV cm^2", "LABLAXIS": "T/n^(2/3)", "SCALETYP": "log", "long_name": "Specific entropy"}
    return _number(density, "entropy", found, **told)


@recipe("{input}/current", inputs={"ions": Fits(kinds=("series",), shapes=((3,),), units=KM_PER_S)},
        parameters=(chosen("electrons", "Path of the electron velocity, km/s"), _DENSITY, UNDECLARED, GAP),
        title="{title}: current from ions and electrons", kind="series", units="nA/m^2", block="time", shape=(3,),
        pad="largest_gap")  # fmt: skip
def current(
    ions: "xr.Dataset",
    electrons: "xr.Dataset | None",
    density: "xr.Dataset | None",
    largest_gap: float,
    undeclared: str,
) -> "xr.Dataset":
    """Electric current density, n e (v_i - v_e)."""
    other = vector_beside(ions, electrons, "electrons", "km/s", largest_gap, undeclared)
    found = plasma.current(_positive(density, ions, largest_gap), vector_of(ions), other)
    return vectors(ions, found, "current", "nA/m^2", "Current density", frame=frame_told(ions).name)


RECIPES: Final[tuple[Recipe, ...]] = (
    magnitude, components, exb, convection_field, alfven_speed, plasma_beta, magnetic_pressure, gyro_frequency,
    plasma_frequency, inertial_length, entropy, current,
)  # fmt: skip


def _positive(density: "xr.Dataset | None", like: "xr.Dataset", largest_gap: float) -> "Array":
    """Give densities in cm^-3 at the times of `like`; no plasma is no answer, not infinity."""
    if density is like:
        found = in_units(scalar_of(like), units_of(like, 0), "cm^-3", "density")
    else:
        found = scalar_at(density, "density", "cm^-3", like["time"].to_numpy(), largest_gap)
    return np.where(found > 0, found, np.nan)


def _warmth(
    temperature: "xr.Dataset | None", parallel: "xr.Dataset | None", perpendicular: "xr.Dataset | None",
    time: "Array", largest_gap: float,
) -> "Array":  # fmt: skip
    """Give a third of the trace of the temperature, eV, from whichever leaves have it."""
    if parallel is None and perpendicular is None:
        return _mean_temperature(temperature, time, largest_gap)
    if parallel is None or perpendicular is None or temperature is not None:
        problem = "the temperature is given twice or by half"
        raise BadParameter(problem, "give parallel and perpendicular, or temperature alone")
    along, across = (scalar_at(one, "temperature", "eV", time, largest_gap) for one in (parallel, perpendicular))
    return np.asarray((along + 2 * across) / 3)


def _mean_temperature(given: "xr.Dataset | None", time: "Array", largest_gap: float) -> "Array":
    main = None if given is None else next((one for one in given.data_vars.values() if one.dims[:1] == ("time",)), None)
    if main is None or main.shape[1:] not in {(2,), (3, 3)}:
        return scalar_at(given, "temperature", "eV", time, largest_gap)
    found = at_times(main.to_dataset(name="temperature"), time, largest_gap)
    found = in_units(found, str(main.attrs.get("units", "")), "eV", "temperature")
    return np.asarray(found @ [1 / 3, 2 / 3] if found.ndim == 2 else np.trace(found, axis1=1, axis2=2) / 3)


def _number(like: "xr.Dataset", name: str, values: "Array", **told: Any) -> "xr.Dataset":
    return series(like, {name: (("time",), values, {"DISPLAY_TYPE": "time_series", **told})})
