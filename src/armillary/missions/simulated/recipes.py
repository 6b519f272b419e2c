"""Products made from the observatory's own; each kind of cutting and of parameter has its example here."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.simulated.telemetry import CHANNELS
from armillary.model import Parameter, Recipe, recipe
from armillary.science import plasma

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr


@recipe(
    "simulated/{craft}/b_total",
    inputs={"b": "simulated/{craft}/b_gse"},
    title="Strength of the magnetic field ({craft})",
    kind="series",
    units="nT",
    block="time",
)
def b_total(b: "xr.Dataset") -> "xr.Dataset":
    """Length of the field vector."""
    values = np.sqrt((b["b_gse"].to_numpy() ** 2).sum(1))
    return _made(b, "b_total", values, {"units": "nT", "LABLAXIS": "|B|", "long_name": "Field strength"})


@recipe(
    "simulated/wind/beta",
    inputs={
        "density": "simulated/wind/density",
        "temperature": "simulated/wind/temperature",
        "b": "simulated/wind/b_gse",
    },
    parameters=(
        Parameter(name="electrons", type="float", default=1.0, low=0.0, high=20.0,
                  description="Electron over proton temperature"),
    ),
    title="Plasma beta of the solar wind",
    kind="series",
    block="time",
)  # fmt: skip
def beta(density: "xr.Dataset", temperature: "xr.Dataset", b: "xr.Dataset", electrons: float) -> "xr.Dataset":
    """Thermal pressure of protons and electrons over magnetic pressure; below 0.3 in most magnetic clouds."""
    warmth = temperature["temperature"].to_numpy() / plasma.KELVIN_PER_EV * (1 + electrons)
    size = np.sqrt((b["b_gse"].to_numpy() ** 2).sum(1))
    values = plasma.beta(density["density"].to_numpy(), warmth, size)
    return _made(b, "beta", values, {"units": "", "LABLAXIS": "beta", "SCALETYP": "log", "long_name": "Plasma beta"})


@recipe(
    "simulated/wind/alfven_mach",
    inputs={"v": "simulated/wind/v_gse", "density": "simulated/wind/density", "b": "simulated/wind/b_gse"},
    title="Alfven Mach number of the solar wind",
    kind="series",
    block="time",
)
def alfven_mach(v: "xr.Dataset", density: "xr.Dataset", b: "xr.Dataset") -> "xr.Dataset":
    """Speed of the wind over the Alfven speed."""
    speed, size = (np.sqrt((one.to_numpy() ** 2).sum(1)) for one in (v["v_gse"], b["b_gse"]))
    values = speed / plasma.alfven_speed(size, density["density"].to_numpy())
    return _made(b, "alfven_mach", values, {"units": "", "LABLAXIS": "M_A", "long_name": "Alfven Mach number"})


@recipe(
    "simulated/wind/density_mean",
    inputs={"density": "simulated/wind/density"},
    parameters=(
        Parameter(name="window", type="float", default=1800.0, low=60.0, high=7200.0, units="s",
                  description="Length of the centred window"),
    ),
    title="Running mean of the solar wind density",
    kind="series",
    units="cm^-3",
    block="time",
    pad=3600.0,
)  # fmt: skip
def density_mean(density: "xr.Dataset", window: float) -> "xr.Dataset":
    """Mean over a centred window, with what lies before and after the asked interval taken into account."""
    time = density["time"].to_numpy().astype(np.int64)
    total = np.concatenate([[0.0], np.cumsum(density["density"].to_numpy())])
    half = round(window * 5e8)
    low, high = np.searchsorted(time, time - half), np.searchsorted(time, time + half, side="right")
    attrs = {"units": "cm^-3", "LABLAXIS": "n", "SCALETYP": "log", "long_name": "Mean density"}
    return _made(density, "density_mean", (total[high] - total[low]) / (high - low), attrs)


@recipe(
    "simulated/sentry/ion_omni_from_skymap",
    inputs={"skymap": "simulated/sentry/ion_skymap"},
    title="Ion energy flux from the distributions",
    kind="spectrogram",
    units="eV/(cm^2 s sr eV)",
    block="time",
)
def omni_from_skymap(skymap: "xr.Dataset") -> "xr.Dataset":
    """Phase space density times half the fourth power of speed, averaged over the solid angle."""
    polar = np.radians(skymap["polar"].to_numpy())
    weight = (np.sin(polar) / np.sin(polar).sum()).astype(np.float32)
    mean = skymap["psd"].to_numpy().mean(axis=1)
    speed = plasma.speed_of(skymap["energy"].to_numpy()) * 1e5
    values = np.einsum("tpe,p->te", mean, weight) * speed**4 / 2
    attrs = {"units": "eV/(cm^2 s sr eV)", "LABLAXIS": "ion energy flux", "SCALETYP": "log", "DEPEND_1": "energy",
             "DISPLAY_TYPE": "spectrogram", "long_name": "Ion energy flux", "VALIDMIN": 0.0}  # fmt: skip
    found = skymap[["psd"]].drop_dims(["azimuth", "polar"]).drop_vars("one_count", errors="ignore")
    return found.assign(ion_omni=(("time", "energy"), values, attrs))


@recipe(
    "simulated/sentry/ions",
    inputs={
        "skymap": "simulated/sentry/ion_skymap",
        "b": "simulated/sentry/b_gse",
        "v": "simulated/sentry/ion_velocity_gse",
    },
    title="Ion distributions at the sentry, with field and velocity",
    kind="skymap",
    units="s^3 cm^-6",
    block="time",
    pad=10.0,
)
def ions(skymap: "xr.Dataset", b: "xr.Dataset", v: "xr.Dataset") -> "xr.Dataset":
    """Put in order as every mission's distributions are: phase space density with the vectors that belong to it."""
    from armillary.science.align import align
    from armillary.science.particles.datasets import to_dataset
    from armillary.science.particles.skymap import Skymap

    time = skymap["time"].to_numpy().astype(np.int64)
    psd = skymap["psd"].to_numpy()
    error = psd / np.sqrt(np.maximum(skymap["counts"].to_numpy(), 1))
    azimuth, polar, energy = (skymap[name].to_numpy() for name in ("azimuth", "polar", "energy"))
    cells = Skymap(psd, azimuth, polar, energy, error=error)
    near = {
        "magnetic_field": align(b["time"].to_numpy().astype(np.int64), b["b_gse"].to_numpy(), time),
        "bulk_velocity": align(v["time"].to_numpy().astype(np.int64), v["ion_velocity_gse"].to_numpy(), time),
        "to_gse": np.tile(np.eye(3), (len(time), 1, 1)),
    }
    return to_dataset(cells, skymap["time"].to_numpy(), frame="GSE", species="ion", beside=near)


@recipe(
    "simulated/tile/ndvi",
    inputs={"optical": "simulated/tile/optical"},
    title="Normalised difference vegetation index",
    kind="raster",
    units="1",
    block="y",
)
def ndvi(optical: "xr.Dataset") -> "xr.Dataset":
    """Near infrared minus red over their sum (Rouse et al. 1974)."""
    near, red = (optical["optical"].sel(band=name, drop=True) for name in ("B08", "B04"))
    found = ((near - red) / (near + red)).drop_vars("wavelength", errors="ignore")
    attrs = {"units": "1", "long_name": "NDVI", "VALIDMIN": -1.0, "VALIDMAX": 1.0}
    return found.assign_attrs(attrs).to_dataset(name="ndvi").assign_attrs(optical.attrs)


@recipe(
    "simulated/tile/sar_db",
    inputs={"sar": "simulated/tile/sar"},
    title="Radar backscatter in decibels",
    kind="raster",
    units="dB",
    block="y",
)
def sar_db(sar: "xr.Dataset") -> "xr.Dataset":
    """Ten times the decimal logarithm of sigma naught."""
    import xarray as xr

    found: xr.DataArray = 10 * xr.apply_ufunc(np.log10, sar["sar"])
    return found.assign_attrs(units="dB", long_name="Sigma naught").to_dataset(name="sar_db").assign_attrs(sar.attrs)


@recipe(
    "simulated/stars/colours",
    inputs={"stars": "simulated/stars/photometry"},
    title="Colours and absolute magnitudes of the stars",
    kind="sources",
    block="row",
)
def colours(stars: "pa.Table") -> "pa.Table":
    """BP - RP, J - H, H - Ks, W1 - W2, W2 - W3, and the absolute G magnitude where the parallax is good to 20 %."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from armillary.model.kinds import column

    found = stars.select(["source_id", "ra", "dec"])
    for one, other in (("bp", "rp"), ("j", "h"), ("h", "ks"), ("w1", "w2"), ("w2", "w3")):
        values = pc.subtract(stars[f"{one}_mag"], stars[f"{other}_mag"])
        about = f"{one.upper()} - {other.upper()}"
        found = found.append_column(column(f"{one}_{other}", pa.float32(), "mag", about), values)
    good = pc.greater(stars["parallax"], pc.multiply(5.0, pc.cast(stars["parallax_error"], pa.float64())))
    parallax = pc.if_else(good, stars["parallax"], None)
    absolute = pc.add(stars["g_mag"], pc.multiply(5.0, pc.subtract(pc.log10(parallax), 2.0)))
    field = column("g_absolute", pa.float64(), "mag", "G at 10 pc, not corrected for dust")
    return found.append_column(field, pc.cast(absolute, pa.float64()))


@recipe(
    "simulated/instrument/housekeeping",
    inputs={"packets": "simulated/instrument/packets"},
    parameters=(
        Parameter(name="channel", type="str", default="temperature", choices=tuple(one.name for one in CHANNELS),
                  description="Which channel to decode"),
    ),
    title="Housekeeping decoded from packets",
    kind="series",
    block="time",
)  # fmt: skip
def housekeeping(packets: "xr.Dataset", channel: str) -> "xr.Dataset":
    """Calibrated values of one channel, from the packets whose checksum is right."""
    import xarray as xr

    from armillary.missions.simulated import telemetry

    values = telemetry.housekeeping(packets["octets"].to_numpy(), packets["apid"].to_numpy())
    one = next(one for one in CHANNELS if one.name == channel)
    attrs = {"units": one.unit, "long_name": one.title, "LABLAXIS": channel.replace("_", " ")}
    return xr.Dataset(
        {channel: ("time", values[channel], attrs)}, coords={"time": values["time"].astype("datetime64[ns]")}
    )


RECIPES: Final[tuple[Recipe, ...]] = (
    b_total,
    beta,
    alfven_mach,
    density_mean,
    omni_from_skymap,
    ions,
    ndvi,
    sar_db,
    colours,
    housekeeping,
)


def _made(like: "xr.Dataset", name: str, values: Any, attrs: dict[str, Any]) -> "xr.Dataset":
    """Build a dataset on the times of another."""
    import xarray as xr

    return xr.Dataset({name: ("time", values, attrs)}, coords={"time": like["time"]})
