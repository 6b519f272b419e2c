"""Real variables read by hand, independently of the file readers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.model import Product

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
