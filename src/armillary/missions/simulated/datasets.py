"""Datasets of the observatory that have time first, with the attributes that plots and files read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.simulated import crossings, distributions, solar_wind, telemetry
from armillary.missions.simulated.sampling import collect
from armillary.model import Interval, Product, Progress
from armillary.science import plasma
from armillary.science.noise import Array, generator

if TYPE_CHECKING:
    import xarray as xr

_XYZ: Final = ("x", "y", "z")
#: Label, and what else a plot should know, by the last name of a product.
_LOOKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "b_gse": {"LABLAXIS": "B"},
    "v_gse": {"LABLAXIS": "V", "VALIDMIN": -3000.0, "VALIDMAX": 3000.0},
    "density": {"LABLAXIS": "n", "SCALETYP": "log", "VALIDMIN": 0.0, "VALIDMAX": 1e4},
    "temperature": {"LABLAXIS": "T", "SCALETYP": "log", "VALIDMIN": 0.0, "VALIDMAX": 1e9},
    "pressure": {"LABLAXIS": "Pdyn", "SCALETYP": "log", "VALIDMIN": 0.0, "VALIDMAX": 1e3},
    "position_gse": {"LABLAXIS": "R"},
    "ion_density": {"LABLAXIS": "Ni", "SCALETYP": "log", "VALIDMIN": 0.0, "VALIDMAX": 1e4},
    "ion_velocity_gse": {"LABLAXIS": "Vi", "VALIDMIN": -3000.0, "VALIDMAX": 3000.0},
    "velocity_gse": {"LABLAXIS": "Vi", "VALIDMIN": -3000.0, "VALIDMAX": 3000.0},
    "ion_temperature": {"LABLAXIS": "Ti", "SCALETYP": "log", "VALIDMIN": 0.0, "VALIDMAX": 1e6},
    "boundaries": {"LABLAXIS": "distance", "VALIDMIN": -300.0, "VALIDMAX": 300.0},
    "ion_omni": {"LABLAXIS": "ion energy flux", "SCALETYP": "log", "VALIDMIN": 0.0, "VALIDMAX": 1e12},
    "region": {
        "LABLAXIS": "region", "flag_values": [0, 1, 2], "flag_meanings": "solar_wind magnetosheath magnetosphere",
        "VALIDMIN": 0, "VALIDMAX": 2,
    },
}  # fmt: skip


def series(
    product: Product,
    time: Array,
    variables: Mapping[str, tuple[tuple[str, ...], Array, dict[str, Any]]],
    coords: Mapping[str, Any] | None = None,
) -> "xr.Dataset":
    """Build a dataset; the first variable gets the product's title, units and looks."""  # fmt: skip
    import xarray as xr

    axis = {"long_name": "time", "standard_name": "time"}
    found = xr.Dataset(
        {name: (("time", *dims), values, attrs) for name, (dims, values, attrs) in variables.items()},
        coords={"time": ("time", time.astype("datetime64[ns]"), axis), **(coords or {})},
        attrs={"title": product.title, "citation": product.citation, "description": product.description},
    )
    first = found[next(iter(variables))]
    shown = {"long_name": product.title, "CATDESC": product.description, "units": product.units}
    display = "spectrogram" if product.kind == "spectrogram" else "time_series"
    first.attrs = {**shown, "DISPLAY_TYPE": display, **_LOOKS.get(_last(product), {}), **first.attrs}
    return found


def wind(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give a product of the solar wind."""
    name = _last(product)

    def make(block: int) -> dict[str, Array]:
        state = solar_wind.day(seed, block)
        if name == "pressure":
            return {name: plasma.dynamic_pressure(state.density, np.linalg.norm(state.velocity, axis=1))}
        fields = {"b_gse": "field", "v_gse": "velocity", "density": "density", "temperature": "temperature"}
        return {name: getattr(state, fields[name])}

    return _plain(product, collect(solar_wind.SAMPLING, asked, make, progress))


def sentry(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give a product of the sentry on the grid of its moments."""
    name = _last(product)
    measured = not product.address.startswith("sentry/truth/")

    def make(block: int) -> dict[str, Array]:
        ns = crossings.MOMENTS.times(block)
        if name in {"position_gse", "region", "boundaries"}:
            return _placed(name, crossings.place(seed, ns))
        state, _ = crossings.state(seed, ns)
        noise = generator(seed, f"sentry.{name}", block).standard_normal((len(ns), 3)) * measured
        return _moment(name, state, noise)

    arrays = collect(crossings.MOMENTS, asked, make, progress)
    labels = {"boundaries": ("magnetopause", "bow shock")}.get(name, _XYZ)
    labels = ("parallel", "perpendicular") if name.endswith("temperature") else labels
    return _plain(product, arrays, labels)


def field(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give the field at the sentry, eight samples a second, with the noise of the sensor."""

    def make(block: int) -> dict[str, Array]:
        ns = crossings.FIELD.times(block)
        noise = generator(seed, "sentry.sensor", block).standard_normal((len(ns), 3))
        return {"b_gse": crossings.state(seed, ns)[0].field + 0.02 * noise}

    return _plain(product, collect(crossings.FIELD, asked, make, progress))


def omni(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give the energy flux over all directions."""
    arrays = collect(crossings.MOMENTS, asked, lambda block: distributions.omni(seed, block), progress)
    attrs = {"DEPEND_1": "energy"}
    variables = {"ion_omni": (("energy",), arrays["ion_omni"], attrs)}
    return series(product, arrays["time"], variables, {"energy": energy_axis()})


def skymap(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give the distributions as counted."""
    arrays = collect(distributions.SAMPLING, asked, lambda block: distributions.skymap(seed, block), progress)
    axes = ("azimuth", "polar", "energy")
    depend = {f"DEPEND_{place}": name for place, name in enumerate(axes, 1)}
    about = {"units": "counts", "long_name": "Counts of ions", "LABLAXIS": "counts", "SCALETYP": "log", **depend}
    psd = {"LABLAXIS": "f", "SCALETYP": "log", **depend}
    variables = {"psd": (axes, arrays["psd"], psd), "counts": (axes, arrays["counts"], about)}
    found = series(product, arrays["time"], variables, _look_directions())
    found.attrs |= {
        "geometric_factor": distributions.GEOMETRIC_FACTOR, "geometric_factor_units": "cm^2 sr eV/eV",
        "efficiency": distributions.EFFICIENCY, "accumulation": distributions.ACCUMULATION, "accumulation_units": "s",
    }  # fmt: skip
    return found


def packets(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give the packets that were sent."""
    arrays = collect(telemetry.SAMPLING, asked, lambda block: telemetry.packets(seed, block), progress)
    plain = {"units": ""}
    variables: dict[str, Any] = {
        "octets": (("octet",), arrays["octets"], {**plain, "long_name": "Octets of the packet"}),
        "apid": ((), arrays["apid"], {**plain, "long_name": "Application process identifier"}),
        "sequence": ((), arrays["sequence"], {**plain, "long_name": "Packet sequence count"}),
        "length": ((), arrays["length"], {**plain, "long_name": "Octets of the packet before filling up"}),
    }
    return series(product, arrays["time"], variables)


def housekeeping(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give one channel, decoded from the packets."""
    name = _last(product)
    sent = collect(telemetry.SAMPLING, asked, lambda block: telemetry.packets(seed, block), progress)
    return channel(product, telemetry.housekeeping(sent["octets"], sent["apid"]), name)


def channel(product: Product, values: Mapping[str, Array], name: str) -> "xr.Dataset":
    """Build the dataset of one housekeeping channel, with its limits."""
    one = next(one for one in telemetry.CHANNELS if one.name == name)
    attrs: dict[str, Any] = {"long_name": one.title, "units": one.unit, "SCALETYP": "linear"}
    attrs |= {
        "LABLAXIS": name.replace("_", " "),
        "LIMITMIN": one.low,
        "LIMITMAX": one.high,
        "VALIDMIN": -1e9,
        "VALIDMAX": 1e9,
    }
    return series(product, values["time"], {name: ((), values[name], attrs)})


def spectrum(seed: int, product: Product, asked: Interval | None, progress: Progress) -> "xr.Dataset":
    """Give the spectra, decoded from the packets."""
    sent = collect(telemetry.SAMPLING, asked, lambda block: telemetry.packets(seed, block), progress)
    found = telemetry.spectra(sent["octets"], sent["apid"])
    attrs = {"LABLAXIS": "counts", "SCALETYP": "log", "DEPEND_1": "energy"}
    axis = ("energy", telemetry.ENERGY, {"units": "keV", "LABLAXIS": "E", "SCALETYP": "log", "long_name": "Energy"})
    variables = {"spectrum": (("energy",), found["counts"], attrs)}
    return series(product, found["time"], variables, {"energy": axis})


def energy_axis() -> tuple[str, Array, dict[str, str]]:
    """Give the coordinate of the ion energies."""
    attrs = {"units": "eV", "long_name": "Ion energy", "LABLAXIS": "E", "SCALETYP": "log"}
    return "energy", distributions.ENERGY, attrs


def _last(product: Product) -> str:
    return product.address.rpartition("/")[2]


def _placed(name: str, place: crossings.Place) -> dict[str, Array]:
    if name == "region":
        return {name: place.region}
    if name == "boundaries":
        return {name: np.clip(np.stack([place.magnetopause, place.bow_shock], 1), -300, 300)}
    return {name: place.position}


def _moment(name: str, state: crossings.Plasma, noise: Array) -> dict[str, Array]:
    """Give a moment with relative noise of 2 % in density, 3 % in temperature and 1 % of the thermal speed."""
    if name.endswith("density"):
        return {name: state.density * (1 + 0.02 * noise[:, 0])}
    if name.endswith("temperature"):
        return {name: np.stack([state.parallel, state.perpendicular], 1) * (1 + 0.03 * noise[:, :2])}
    return {name: state.velocity + (0.01 * plasma.thermal_speed(state.temperature))[:, None] * noise}


def _plain(product: Product, arrays: Mapping[str, Array], labels: tuple[str, ...] = _XYZ) -> "xr.Dataset":
    """Build a dataset of one scalar or of one with a few components."""
    name = _last(product)
    values = arrays[name]
    if values.ndim == 1:
        return series(product, arrays["time"], {name: ((), values, {})})
    attrs = {"frame": "GSE"} if labels == _XYZ else {}
    coords = {"component": ("component", np.array(labels), {"long_name": "component"})}
    return series(product, arrays["time"], {name: (("component",), values, attrs)}, coords)


def _look_directions() -> dict[str, Any]:
    one_count = distributions.to_psd(np.full(distributions.ENERGIES, 1 / distributions.RESPONSE))
    turn = {"units": "deg", "long_name": "Azimuth of flight in GSE", "LABLAXIS": "azimuth"}
    rise = {"units": "deg", "long_name": "Angle of flight from GSE north", "LABLAXIS": "polar angle"}
    level = {"units": "s^3/cm^6", "long_name": "Phase space density of one count"}
    return {
        "azimuth": ("azimuth", distributions.AZIMUTH, turn),
        "polar": ("polar", distributions.POLAR, rise),
        "energy": energy_axis(),
        "one_count": ("energy", one_count, level),
    }
