"""Made-up products of every kind, and real variables read by hand, independently of the file readers."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

from armillary.model import Data, Product

START = np.datetime64("2015-10-17T06:00", "ns")


def times(n: int, step_s: float = 10.0) -> Any:
    return START + (np.arange(n) * step_s * 1e9).astype("timedelta64[ns]")


def product(kind: str, name: str = "it", **more: Any) -> Product:
    return Product(path=f"made/{name}", title=f"A {name}", kind=kind, **more)


def lines(n: int = 300, components: int = 3, **attrs: Any) -> xr.Dataset:
    values = np.sin(np.arange(n * components).reshape(n, components) / 20)
    labels = ["Vx", "Vy", "Vz", "Vt", *map(str, range(4, 99))][:components]
    return xr.Dataset({"v": (("time", "c"), values, {"units": "km/s", **attrs})}, {"time": times(n), "c": labels})


def scalar(values: Any, when: Any = None, **attrs: Any) -> xr.Dataset:
    values = np.asarray(values)
    return xr.Dataset(
        {"n": ("time", values, {"units": "cm^-3", "LABLAXIS": "N", **attrs})},
        {"time": times(len(values)) if when is None else when},
    )


def spectrogram(energies: Any, n: int = 50, **attrs: Any) -> xr.Dataset:
    energies = np.asarray(energies, float)
    dims = ("time", "e") if energies.ndim == 2 else ("e",)
    values = np.broadcast_to(energies, (n, energies.shape[-1])) * 1.0
    attrs = {"units": "1/s", "DEPEND_1": "energy", "DISPLAY_TYPE": "spectrogram", "LABLAXIS": "flux", **attrs}
    energy = (dims, energies, {"units": "eV", "LABLAXIS": "energy"})
    return xr.Dataset({"flux": (("time", "e"), values, attrs)}, {"time": times(n), "energy": energy})


def distribution(n: int = 20) -> xr.Dataset:
    energy = np.geomspace(10, 1e4, 8)
    values = np.ones((n, 8, 4, 6)) * energy[:, None, None]
    values[:, :, 0] = np.nan
    attrs = {"units": "s^3/cm^6", "SCALETYP": "log", "DEPEND_1": "energy", "DEPEND_2": "theta", "DEPEND_3": "phi"}
    coords = {
        "time": times(n),
        "energy": ("energy", energy, {"units": "eV"}),
        "theta": ("theta", np.arange(4) * 45.0, {"units": "deg", "LABLAXIS": "polar angle"}),
        "phi": ("phi", np.arange(6) * 60.0, {"units": "deg"}),
    }
    return xr.Dataset({"f": (("time", "energy", "theta", "phi"), values, attrs)}, coords)


def packets(n: int = 60) -> xr.Dataset:
    data = {
        "apid": ("time", np.arange(n) % 3 + 100, {"units": ""}),
        "sequence": ("time", np.arange(n) % 16, {"units": ""}),
        "octets": (("time", "octet"), np.zeros((n, 4), np.uint8), {"units": ""}),
    }
    return xr.Dataset(data, {"time": times(n)})


def raster(bands: list[str], dates: int = 0, crs: str = "EPSG:32633") -> xr.Dataset:
    shape = ((dates,) if dates else ()) + (len(bands), 8, 12)
    dims = (("time",) if dates else ()) + ("band", "y", "x")
    values = np.random.default_rng(0).uniform(0, 1, shape)
    values[..., 0, 0] = np.nan
    coords: dict[str, Any] = {"band": bands, "y": 5_000_000.0 - 10 * np.arange(8), "x": 500_000.0 + 10 * np.arange(12)}
    if dates:
        coords["time"] = times(dates, 86_400)
    return xr.Dataset({"image": (dims, values, {"units": ""})}, coords, {"crs": crs})


def cube(low: float = 400, high: float = 2500) -> xr.Dataset:
    wavelength = ("wavelength", np.linspace(low, high, 22), {"units": "nm"})
    values = np.random.default_rng(0).uniform(0, 1, (22, 6, 6))
    return xr.Dataset({"radiance": (("wavelength", "y", "x"), values, {"units": "W"})}, {"wavelength": wavelength})


def sources(n: int = 100) -> pa.Table:
    rng = np.random.default_rng(0)
    colour = rng.uniform(0, 3, n)
    return pa.table(
        {
            "source_id": np.arange(n),
            "ra": (rng.uniform(-1, 1, n)) % 360,
            "dec": rng.uniform(29, 31, n),
            "phot_g_mean_mag": 10 + colour,
            "bp_rp": colour,
            "parallax": np.full(n, 10.0),
        }
    )


def events(classes: bool = True) -> pa.Table:
    start = times(6, 600)
    columns: dict[str, Any] = {"start": start, "stop": start + np.timedelta64(900, "s")}
    return pa.table(columns | ({"class": ["a", "b"] * 3} if classes else {}))


def everything() -> list[tuple[Product, Data]]:
    return [
        (product("series", "series"), lines()),
        (product("spectrogram", "spectrogram"), spectrogram(np.geomspace(10, 1e4, 16))),
        (product("distribution", "distribution"), distribution()),
        (product("packets", "packets"), packets()),
        (product("raster", "raster"), raster(["red", "green", "blue"])),
        (product("cube", "cube"), cube()),
        (product("sources", "sources"), sources()),
        (product("events", "events"), events()),
        (product("samples", "samples"), pa.table({"time": times(9), "a": np.arange(9.0), "b": np.arange(9)})),
    ]


@pytest.fixture
def made() -> SimpleNamespace:
    """The makers above by their names, as ``made.lines(n=10)``."""
    makers = (
        product,
        times,
        lines,
        scalar,
        spectrogram,
        distribution,
        packets,
        raster,
        cube,
        sources,
        events,
        everything,
    )
    return SimpleNamespace(**{maker.__name__: maker for maker in makers})


KEPT = ("LABLAXIS", "SCALETYP", "DISPLAY_TYPE", "VALIDMIN", "VALIDMAX")


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _attrs(cdf: Any, name: str) -> dict[str, Any]:
    given = cdf.varattsget(name)
    attrs = {key: _plain(given[key]) for key in KEPT if key in given}
    title = given.get("FIELDNAM") or given.get("CATDESC") or name
    return attrs | {"units": str(given.get("UNITS", "")), "long_name": str(title)}


def _values(cdf: Any, name: str) -> Any:
    values, given = cdf.varget(name), cdf.varattsget(name)
    if values.dtype.kind == "f" and "FILLVAL" in given:
        values = np.where(values == np.asarray(given["FILLVAL"], values.dtype), np.nan, values)
    return values


def _dims(cdf: Any, name: str, depends: list[Any], shape: tuple[int, ...]) -> list[str]:
    return [f"{depends[n]}_dim" if depends[n] else f"{name}_{n}" for n in range(len(shape) - 1)]


def read_cdf(path: Path, name: str, kind: str = "series") -> tuple[Product, xr.Dataset]:
    """Read one variable with its coordinates."""
    import cdflib
    from cdflib.epochs import CDFepoch

    cdf = cdflib.CDF(path)
    given, values = cdf.varattsget(name), _values(cdf, name)
    time = CDFepoch.to_datetime(cdf.varget(given["DEPEND_0"])).astype("datetime64[ns]")
    depends = [given.get(f"DEPEND_{n}") for n in range(1, values.ndim)]
    dims = ["time", *_dims(cdf, name, depends, values.shape)]
    coords: dict[str, Any] = {"time": time}
    attrs = _attrs(cdf, name)
    for n, depend in enumerate(depends, 1):
        labels = given.get(f"LABL_PTR_{n}")
        if depend and cdf.varinq(depend).Data_Type < 50:
            found = _values(cdf, depend)
            varies = found.shape[0] == len(time) and found.ndim > 1
            inner = [dims[d] for size in found.shape[varies:] for d in range(1, len(dims)) if values.shape[d] == size]
            coords[depend] = ((["time"] if varies else []) + inner, found, _attrs(cdf, depend))
            attrs[f"DEPEND_{n}"] = depend
        elif labels or depend:
            coords[dims[n]] = [str(one).strip() for one in np.ravel(cdf.varget(labels or depend))]
    data = xr.Dataset({name: (dims, values, attrs)}, coords).sortby("time")
    return Product(path=f"local/{name}", title=attrs["long_name"], kind=kind, units=attrs["units"]), data


@pytest.fixture
def real_cdf(real_data: Path) -> Callable[..., tuple[Product, xr.Dataset]]:
    """Read one variable of a real CDF: ``real_cdf("spacepy/rbspa*.cdf", "FPDU", "spectrogram")``."""

    def read(pattern: str, name: str, kind: str = "series") -> tuple[Product, xr.Dataset]:
        files = sorted((real_data / "plasma").glob(pattern))
        parts = [read_cdf(file, name, kind) for file in files]
        if len(parts) == 1:
            return parts[0]
        return parts[0][0], xr.concat(
            [data for _, data in parts],
            "time",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="override",
        )

    return read
