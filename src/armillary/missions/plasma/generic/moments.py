"""Moments and fits of any velocity distribution, as products beside it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.plasma.generic.beside import chosen, scalar_at
from armillary.missions.plasma.generic.reading import series
from armillary.missions.plasma.generic.skymaps import FIELD, GAP, accumulation_of, field_of
from armillary.missions.plasma.generic.turning import UNDECLARED
from armillary.model import Fits, Parameter, Recipe, recipe
from armillary.science.particles import flags
from armillary.science.particles.datasets import from_dataset

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.particles.fits import Fit
    from armillary.science.particles.moments import Moments
    from armillary.science.particles.skymap import Skymap
    from armillary.science.plasma import Array

_SKYMAP: Final = Fits(kinds=("skymap",))
_PASCHMANN: Final = "Paschmann, Fazakerley and Schwartz (1998), ISSI SR-001, ch. 6"
_SWISDAK: Final = "Swisdak (2016), doi:10.1002/2015GL066980"
_XYZ: Final = ["x", "y", "z"]
_POTENTIAL: Final = chosen(
    "potential", "Path of the potential of the spacecraft (V) to use instead of the one beside the distribution"
)
_LOW: Final = Parameter(
    name="low_energy", type="float", default=0.0, low=0.0, units="eV",
    description="Measured energies below are left out",
)  # fmt: skip
_HIGH: Final = Parameter(
    name="high_energy", type="float", default=0.0, low=0.0, units="eV",
    description="Measured energies above are left out; 0 for none",
)  # fmt: skip
_CORE: Final = Parameter(
    name="fill_core", type="bool", default=True,
    description="Whether the phase space below the lowest energy of the instrument is filled from what is above it",
)  # fmt: skip
_ENERGIES: Final = (_POTENTIAL, _LOW, _HIGH, GAP)
_PLAIN: Final = (*_ENERGIES, _CORE)
_ALONG: Final = (FIELD, UNDECLARED, *_PLAIN)
_SHAPE: Final = Parameter(
    name="shape", type="str", default="maxwellian", choices=("maxwellian", "kappa", "core and beam"),
    description="What is fitted; 'core and beam' are two bi-Maxwellians that drift along the field from each other",
)  # fmt: skip
_CELLS: Final = Parameter(
    name="cells", type="str", default="whichever fits better", choices=("whichever fits better", "averages", "centres"),
    description="Whether cells hold averages over their width, as real instruments measure, or values at their centres",
)  # fmt: skip
#: Dimensions, units and title of what is made.
_SCALAR: Final = ("time",)
_VECTOR: Final = ("time", "component")
_TENSOR: Final = ("time", "row", "column")
_TOLD: Final[dict[str, tuple[tuple[str, ...], str, str]]] = {
    "density": (_SCALAR, "cm^-3", "Density"),
    "velocity": (_VECTOR, "km/s", "Bulk velocity"),
    "temperature": (_SCALAR, "eV", "Temperature, a third of the trace"),
    "temperature_parallel": (_SCALAR, "eV", "Temperature along the field"),
    "temperature_perpendicular": (_SCALAR, "eV", "Temperature across the field"),
    "temperature_tensor": (_TENSOR, "eV", "Temperature tensor"),
    "pressure": (_SCALAR, "nPa", "Pressure, a third of the trace"),
    "pressure_tensor": (_TENSOR, "nPa", "Pressure tensor"),
    "heat_flux": (_VECTOR, "mW/m^2", "Heat flux"),
    "anisotropy": (_SCALAR, "", "Temperature across over along the field"),
    "agyrotropy": (_SCALAR, "", "Agyrotropy, sqrt(Q) of Swisdak"),
    "agyrotropy_scudder": (_SCALAR, "", "Agyrotropy A0 of Scudder and Daughton"),
    "agyrotropy_aunai": (_SCALAR, "", "Agyrotropy D_ng of Aunai"),
    "kappa": (_SCALAR, "", "Kappa"),
    "beam_density": (_SCALAR, "cm^-3", "Density of the beam"),
    "beam_drift": (_SCALAR, "km/s", "Drift of the beam along the field from the core"),
    "beam_parallel": (_SCALAR, "eV", "Temperature of the beam along the field"),
    "beam_perpendicular": (_SCALAR, "eV", "Temperature of the beam across the field"),
}


@recipe("{input}/moments", inputs={"distribution": _SKYMAP}, parameters=_ALONG, title="{title}: moments", kind="series",
        units="cm^-3", shape=(), block="time", pad="largest_gap", citation=_PASCHMANN)  # fmt: skip
def all_moments(
    distribution: "xr.Dataset", field: "xr.Dataset | None", undeclared: str, potential: "xr.Dataset | None",
    low_energy: float, high_energy: float, largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate all moments, with errors where the distribution has them, and flags of what may be wrong."""
    given = _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core)
    cells, found, flag = given.moments()
    magnetic, missing = _field_or_nan(distribution, field, largest_gap, undeclared)
    values = _values(found) | _along(found, magnetic)
    variables = _variables(values, distribution) | _flagged(flag | missing)
    if cells.error is not None:
        variables |= _errors(given.errors(cells, found), distribution)
    return series(distribution, variables, component=_XYZ, row=_XYZ, column=_XYZ)


@recipe("{input}/density", inputs={"distribution": _SKYMAP}, parameters=_PLAIN, title="{title}: density", kind="series",
        units="cm^-3", shape=(), block="time", pad="largest_gap", citation=_PASCHMANN)  # fmt: skip
def density(
    distribution: "xr.Dataset", potential: "xr.Dataset | None", low_energy: float, high_energy: float,
    largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate the density."""
    return _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core).only("density")


@recipe("{input}/velocity", inputs={"distribution": _SKYMAP}, parameters=_PLAIN, title="{title}: bulk velocity",
        kind="series", units="km/s", shape=(3,), block="time", pad="largest_gap", citation=_PASCHMANN)  # fmt: skip
def velocity(
    distribution: "xr.Dataset", potential: "xr.Dataset | None", low_energy: float, high_energy: float,
    largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate the bulk velocity, in the frame of the distribution."""
    return _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core).only("velocity")


@recipe("{input}/temperature", inputs={"distribution": _SKYMAP}, parameters=_PLAIN, title="{title}: temperature",
        kind="series", units="eV", shape=(), block="time", pad="largest_gap", citation=_PASCHMANN)  # fmt: skip
def temperature(
    distribution: "xr.Dataset", potential: "xr.Dataset | None", low_energy: float, high_energy: float,
    largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate the temperature, a third of the trace of its tensor."""
    given = _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core)
    return given.only("temperature")


@recipe("{input}/pressure_tensor", inputs={"distribution": _SKYMAP}, parameters=_PLAIN,
        title="{title}: pressure tensor", kind="series", units="nPa", shape=(3, 3), block="time", pad="largest_gap",
        citation=_PASCHMANN)  # fmt: skip
def pressure_tensor(
    distribution: "xr.Dataset", potential: "xr.Dataset | None", low_energy: float, high_energy: float,
    largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate the pressure tensor, in the frame of the distribution."""
    given = _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core)
    return given.only("pressure_tensor")


@recipe("{input}/heat_flux", inputs={"distribution": _SKYMAP}, parameters=_PLAIN, title="{title}: heat flux",
        kind="series", units="mW/m^2", shape=(3,), block="time", pad="largest_gap", citation=_PASCHMANN)  # fmt: skip
def heat_flux(
    distribution: "xr.Dataset", potential: "xr.Dataset | None", low_energy: float, high_energy: float,
    largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate the heat flux ``m/2 int w^2 w f``, w being the velocity in the frame of the bulk."""
    return _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core).only("heat_flux")


@recipe("{input}/anisotropy", inputs={"distribution": _SKYMAP}, parameters=_ALONG,
        title="{title}: temperatures along and across the field", kind="series", shape=(), block="time",
        pad="largest_gap", citation=f"{_PASCHMANN}; {_SWISDAK}")  # fmt: skip
def anisotropy(
    distribution: "xr.Dataset", field: "xr.Dataset | None", undeclared: str, potential: "xr.Dataset | None",
    low_energy: float, high_energy: float, largest_gap: float, fill_core: bool,
) -> "xr.Dataset":  # fmt: skip
    """Integrate temperatures along and across the field, their ratio, and three measures of agyrotropy."""
    given = _Given(distribution, potential, low_energy, high_energy, largest_gap, fill_core)
    _, found, flag = given.moments()
    magnetic = field_of(distribution, field, largest_gap, undeclared)
    return series(distribution, _variables(_along(found, magnetic), distribution) | _flagged(flag | _lacking(magnetic)))


@recipe("{input}/fit", inputs={"distribution": _SKYMAP}, parameters=(_SHAPE, _CELLS, FIELD, UNDECLARED, *_ENERGIES),
        title="{title}: fit", kind="series", units="cm^-3", shape=(), block="time", pad="largest_gap",
        citation="McCullagh and Nelder (1989), Generalized linear models")  # fmt: skip
def fitted(
    distribution: "xr.Dataset", shape: str, cells: str, field: "xr.Dataset | None", undeclared: str,
    potential: "xr.Dataset | None", low_energy: float, high_energy: float, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Fit a drifting bi-Maxwellian, a bi-kappa or a core and a beam: for what is narrower than the cells."""
    from armillary.science.particles.fits import fit

    given = _Given(distribution, potential, low_energy, high_energy, largest_gap)
    along, missing = _field_or_nan(distribution, field, largest_gap, undeclared)
    alone = field is None and "magnetic_field" not in distribution
    found = fit(
        from_dataset(distribution), shape, field=None if alone else along, potential=given.potential(),
        low_energy=low_energy, high_energy=given.high,
        averaged={"averages": True, "centres": False}.get(cells),
    )  # fmt: skip
    variables = _variables(_named(found.values), distribution)
    for name, values in _named(found.errors).items():
        variables[f"{name}_error"] = _error(name, values, distribution)
    variables |= _goodness(found) | _flagged(found.flag | given.unknown() | missing)
    return series(distribution, variables, component=_XYZ)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """A distribution and how it shall be integrated."""

    distribution: "xr.Dataset"
    chosen_potential: "xr.Dataset | None"
    low: float
    highest: float
    gap: float
    fill_core: bool = True

    @property
    def high(self) -> float:
        """The highest energy, infinite if none is asked for."""
        return self.highest or np.inf

    def potential(self) -> "Array | None":
        """Give the potential at the times of the distribution, or None if nobody knows it.

        Ions are hardly touched by a few volts: where the one beside them has a gap they are taken as measured.
        """
        if self.chosen_potential is not None:
            time, seconds = self.distribution["time"].to_numpy(), accumulation_of(self.distribution)
            return scalar_at(self.chosen_potential, "potential", "V", time, self.gap, accumulation=seconds)
        beside = self._beside()
        return beside if beside is None or self._electrons else np.where(np.isfinite(beside), beside, 0.0)

    def unknown(self) -> "Array":
        """Give the flag of times without a potential; ions that never had one do without."""
        beside = self._beside()
        if self.chosen_potential is not None:
            lost = np.zeros(self.distribution.sizes["time"], bool)
        elif beside is None:
            lost = np.full(self.distribution.sizes["time"], self._electrons)
        else:
            lost = ~np.isfinite(beside)
        return np.where(lost, flags.NO_POTENTIAL, 0)

    def _beside(self) -> "Array | None":
        beside = self.distribution.get("spacecraft_potential")
        return None if beside is None else beside.to_numpy().astype(float)

    @property
    def _electrons(self) -> bool:
        return int(self.distribution["psd"].attrs["charge"]) < 0

    def moments(self) -> "tuple[Skymap, Moments, Array]":
        """Give the cells, their moments and the flags."""
        from armillary.science.particles.moments import moments

        cells = from_dataset(self.distribution)
        found = moments(
            cells, potential=self.potential(), low_energy=self.low, high_energy=self.high, fill_core=self.fill_core
        )
        return cells, found, np.asarray(found.flag | self.unknown())

    def errors(self, cells: "Skymap", found: "Moments") -> "Moments":
        """Give the errors of moments."""
        from armillary.science.particles.moments import moment_errors

        given: dict[str, Any] = {"low_energy": self.low, "high_energy": self.high, "fill_core": self.fill_core}
        return moment_errors(cells, found, potential=self.potential(), **given)

    def only(self, name: str) -> "xr.Dataset":
        """Give one of the moments, its error if there is one, and the flags."""
        cells, found, flag = self.moments()
        variables = _variables({name: _values(found)[name]}, self.distribution) | _flagged(flag)
        wrong = _errors(self.errors(cells, found), self.distribution) if cells.error is not None else {}
        variables |= {key: one for key, one in wrong.items() if key == f"{name}_error"}
        axes = dict.fromkeys(_TOLD[name][0][1:], _XYZ)
        return series(self.distribution, variables, **axes)


def _values(found: "Moments") -> "dict[str, Array]":
    return {
        "density": found.density, "velocity": found.velocity, "temperature": found.scalar_temperature,
        "temperature_tensor": found.temperature, "pressure": np.trace(found.pressure, axis1=1, axis2=2) / 3,
        "pressure_tensor": found.pressure, "heat_flux": found.heat_flux,
    }  # fmt: skip


def _along(found: "Moments", field: "Array") -> "dict[str, Array]":
    from armillary.science.particles import anisotropy as along

    split = along.gyrotropic(found.temperature, field)
    return {
        "anisotropy": along.anisotropy(found.temperature, field),
        "temperature_parallel": split.parallel,
        "temperature_perpendicular": split.perpendicular,
        "agyrotropy": along.agyrotropy_swisdak(found.temperature, field),
        "agyrotropy_scudder": along.agyrotropy_scudder(found.temperature, field),
        "agyrotropy_aunai": along.agyrotropy_aunai(found.temperature, field),
    }


def _errors(found: "Moments", distribution: "xr.Dataset") -> dict[str, Any]:
    values = {name: one for name, one in _values(found).items() if name not in {"temperature", "pressure"}}
    return {f"{name}_error": _error(name, one, distribution) for name, one in values.items()}


def _error(name: str, values: "Array", distribution: "xr.Dataset") -> tuple[Any, ...]:
    dims, value, attrs = _variables({name: values}, distribution)[name]
    return dims, value, attrs | {"long_name": f"Standard deviation of: {attrs['long_name']}"}


def _variables(values: "dict[str, Array]", distribution: "xr.Dataset") -> dict[str, Any]:
    frame, species = (str(distribution["psd"].attrs.get(name, "")) for name in ("COORDINATE_SYSTEM", "species"))
    made = {}
    for name, one in values.items():
        dims, units, title = _TOLD[name]
        attrs = {"units": units, "long_name": f"{title} ({species})" if species else title, "LABLAXIS": name}
        if len(dims) > 1:
            attrs |= {"COORDINATE_SYSTEM": frame, **{f"LABL_PTR_{n}": dim for n, dim in enumerate(dims[1:], 1)}}
        made[name] = (dims, one, attrs | {"DISPLAY_TYPE": "time_series"})
    return made


def _flagged(flag: "Array") -> dict[str, Any]:
    attrs = {"units": "", "long_name": "What may be wrong, as bits; 0 is fine", "LABLAXIS": "flag",
             "meanings": flags.describe()}  # fmt: skip
    return {"flag": (("time",), np.asarray(flag, np.int32), attrs)}


def _field_or_nan(
    distribution: "xr.Dataset", field: "xr.Dataset | None", gap: float, undeclared: str
) -> "tuple[Array, Array]":
    """Give the field and the flag of the times that have none."""
    if field is None and "magnetic_field" not in distribution:
        found = np.full((distribution.sizes["time"], 3), np.nan)
    else:
        found = field_of(distribution, field, gap, undeclared)
    return found, _lacking(found)


def _lacking(field: "Array") -> "Array":
    """Give the flag of the times at which there is no field, or none that has a direction."""
    return np.where(np.isfinite(field).all(1) & (field != 0).any(1), 0, flags.NO_FIELD)


def _named(values: "dict[str, Array]") -> "dict[str, Array]":
    names = {"parallel": "temperature_parallel", "perpendicular": "temperature_perpendicular"}
    return {names.get(name, name): one for name, one in values.items()}


def _goodness(found: "Fit") -> dict[str, Any]:
    titles = {"chi2": "Chi squared per degree of freedom", "misfit": "Share of the distribution that does not fit"}
    made: dict[str, Any] = {
        name: (("time",), getattr(found, name), {"units": "", "long_name": title, "LABLAXIS": name})
        for name, title in titles.items()
    }
    title = "Whether the shape was averaged over the cells"
    made["averaged"] = (("time",), found.averaged.astype(np.int8), {"units": "", "long_name": title})
    return made


RECIPES: Final[tuple[Recipe, ...]] = (
    all_moments, density, velocity, temperature, pressure_tensor, heat_flux, anisotropy, fitted,
)  # fmt: skip
