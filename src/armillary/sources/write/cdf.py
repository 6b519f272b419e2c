"""Saving as CDF 3, by the ISTP guidelines (https://spdf.gsfc.nasa.gov/istp_guide/); blocks are joined first."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.sources.write.blocks import Blocks, joined
from armillary.sources.write.variables import (
    NAT,
    Array,
    Variable,
    ascii_text,
    attributes,
    fill_value,
    json_text,
    program,
    simple,
    variables,
)

if TYPE_CHECKING:
    from cdflib.cdfwrite import CDF

FILL: Final = -1e31
#: CDF's number, name and the Fortran format of each type.
_TYPES: Final = {
    "int8": (41, "CDF_BYTE", "I4"),
    "int16": (2, "CDF_INT2", "I6"),
    "int32": (4, "CDF_INT4", "I11"),
    "int64": (8, "CDF_INT8", "I20"),
    "uint8": (11, "CDF_UINT1", "I3"),
    "uint16": (12, "CDF_UINT2", "I5"),
    "uint32": (14, "CDF_UINT4", "I10"),
    "float32": (44, "CDF_REAL4", "E13.6"),
    "float64": (45, "CDF_REAL8", "E22.15"),
}
_TT2000, _CHAR, _LITTLE_ENDIAN = 33, 51, 6
#: Attributes that follow from the variable and the others in the file.
_OURS: Final = ("DEPEND_", "LABL_PTR_", "FILLVAL", "VAR_TYPE", "FORMAT", "UNITS")
#: Values below which packing costs more than it saves.
_SMALL: Final = 256
#: 2000-01-01T12:00 of terrestrial time, where TT2000 begins, in nanoseconds since 1970 UTC.
_J2000_NS: Final = 946_727_935_816_000_000
_DAY: Final = 86_400 * 10**9
#: What the guidelines want of every file, if the data do not say.
_GLOBALS: Final = {
    "Project": "Armillary",
    "Discipline": "Space Physics",
    "Data_type": "derived",
    "Descriptor": "product",
    "Data_version": "1",
    "Instrument_type": " ",
    "Mission_group": " ",
    "PI_name": " ",
    "PI_affiliation": " ",
    "File_naming_convention": "source_datatype_descriptor",
}


def save(blocks: Blocks, aside: Path) -> None:
    """Save data as one CDF file, single-file, row-major, with compressed variables.

    Times become TT2000 with their leap seconds; ``time`` is called ``Epoch``. NaN becomes -1e31, a missing integer the
    lowest of its type, both named by ``FILLVAL``; truth values become bytes, texts ASCII.

    Parameters
    ----------
    blocks : Blocks
        Datasets or tables; they are joined in memory.
    aside : Path
        File to make; its name must end in ``.cdf``.
    """
    from cdflib.cdfwrite import CDF

    data = joined(blocks)
    found = variables(data)
    found += _labels(found)
    known = {one.name: one for one in found}
    file = CDF(aside, {"Majority": "row_major", "Encoding": _LITTLE_ENDIAN, "Checksum": False})
    try:
        file.write_globalattrs(_globals(attributes(data), aside))
        for one in found:
            _write(file, one, known)
    finally:
        file.close()


def tt2000(times: Array) -> Array:
    """Give TT2000, nanoseconds since J2000 with leap seconds, for UTC times.

    Parameters
    ----------
    times : ndarray of datetime64[ns]
        NaT becomes the fill value, the lowest integer.

    Returns
    -------
    ndarray of int64

    Notes
    -----
    The leap seconds come from the table of cdflib, once a day of data. Before 1972, when UTC ran at another rate, the
    offset at midnight is used for the whole day.

    Examples
    --------
    >>> tt2000(np.array(["2000-01-01T12:00", "2017-01-01"], "datetime64[ns]")).tolist()
    [64184000000, 536500869184000000]
    """
    from cdflib import cdfepoch

    ns = times.astype("datetime64[ns]").astype(np.int64)
    valid = ns != NAT
    days, which = np.unique(np.where(valid, ns, 0) // _DAY, return_inverse=True)
    dates = [str(day).split("-") for day in days.astype("datetime64[D]")]
    parts = [[int(year), int(month), int(day), 0, 0, 0, 0, 0, 0] for year, month, day in dates]
    midnights = np.atleast_1d(np.asarray(cdfepoch.compute_tt2000(parts), np.int64)) if parts else days
    return np.where(valid, midnights[which.reshape(ns.shape)] + ns - days[which.reshape(ns.shape)] * _DAY, NAT)


def _name(one: Variable) -> str:
    return "Epoch" if one.name == "time" and one.values.dtype.kind == "M" else ascii_text(one.name)


def _globals(attrs: Mapping[str, Any], aside: Path) -> dict[str, dict[int, str]]:
    title = str(attrs.get("title") or attrs.get("TITLE") or "Data saved by Armillary")
    name = aside.name.removeprefix(".").partition(".part-")[0].rpartition(".")[0]
    texts = {
        **_GLOBALS,
        "Title": title,
        "TITLE": title,
        "Source_name": attrs.get("source") or "Armillary",
        "Logical_source": name,
        "Logical_file_id": name,
        "Logical_source_description": title,
        "TEXT": f"{title}. Lineage: {attrs.get('armillary_lineage') or 'not recorded'}",
        "Acknowledgement": attrs.get("citation") or " ",
        "Rules_of_use": attrs.get("licence") or " ",
        "Generation_date": f"{datetime.now(UTC):%Y%m%d}",
        "Generated_by": program(),
        "Software_version": program().rpartition(" ")[2],
    }
    own = {key: value if isinstance(value, str) else json_text(value) for key, value in simple(attrs).items()}
    return {ascii_text(key): {0: ascii_text(str(value)) or " "} for key, value in (texts | own).items()}


def _labels(found: list[Variable]) -> list[Variable]:
    """Make labels for the dimensions that have no coordinate: readers want to know what a component is."""
    known = {one.name for one in found} | {"time", "row"}
    pairs = (zip(one.dims, one.values.shape, strict=True) for one in found)
    sizes = {dim: size for dims in pairs for dim, size in dims if dim not in known}
    texts = {dim: np.array([f"{dim}_{number}" for number in range(size)], object) for dim, size in sizes.items()}
    return [Variable(_label_name(dim), (dim,), values, coordinate=True) for dim, values in texts.items()]


def _label_name(dim: str) -> str:
    return f"{dim}_labels"


def _write(file: "CDF", one: Variable, known: Mapping[str, Variable]) -> None:
    record = one.dims[:1] in {("time",), ("row",)}
    values, (number, kind, form), elements = _encoded(one)
    spec = {
        "Variable": _name(one),
        "Data_Type": number,
        "Num_Elements": elements,
        "Rec_Vary": record,
        "Dim_Sizes": list(values.shape[1:] if record else values.shape),
        "Compress": 6 if values.size > _SMALL else 0,
    }
    attrs = _attributes(one, known, record=record) | {"FORMAT": form}
    file.write_var(spec, attrs | _limits(attrs, kind, values.dtype), _as_data(values, record=record))


def _as_data(values: Array, *, record: bool) -> Any:
    if values.dtype.kind != "U":
        return np.ascontiguousarray(values) if record or values.ndim else values.reshape(1)
    if not values.size:
        return None
    # cdflib takes texts as lists in at most two levels.
    rows = values.reshape(len(values), -1) if record and values.ndim > 1 else values.ravel()
    return [str(values)] if not values.ndim else rows.tolist()


def _encoded(one: Variable) -> tuple[Array, tuple[int, str, str], int]:
    """Give the values as CDF holds them, the type, and the number of characters."""
    values, kind = one.values, one.values.dtype.kind
    if kind == "M":
        return tt2000(values), (_TT2000, "CDF_TIME_TT2000", " "), 1
    if kind == "O":
        texts = np.array([ascii_text(text) for text in values.ravel()], str).reshape(values.shape)
        longest = max(texts.dtype.itemsize // 4, 1)
        return texts, (_CHAR, "CDF_CHAR", f"A{longest}"), longest
    if kind == "m":
        values = values.astype("timedelta64[ns]").astype(np.int64)
    if kind == "b":
        values = values.astype(np.int8)
    if values.dtype == np.uint64:
        values = values.astype(np.float64)
    if kind == "f":
        values = np.where(np.isnan(values), values.dtype.type(FILL), values)
    elif one.missing is not None and one.missing.any():
        values = np.where(one.missing, values.dtype.type(fill_value(values.dtype)), values)
    return values, _TYPES[values.dtype.newbyteorder("=").name], 1


def _attributes(one: Variable, known: Mapping[str, Variable], *, record: bool) -> dict[str, Any]:
    attrs = simple(one.attrs)
    units = attrs.pop("units", "")
    kept = {name: value for name, value in attrs.items() if not name.startswith(_OURS)}
    wanted = {
        "CATDESC": attrs.get("long_name") or one.name,
        "FIELDNAM": attrs.get("long_name") or one.name,
        "LABLAXIS": one.name,
        "DISPLAY_TYPE": "time_series",
    }
    fixed = {"UNITS": units or " ", "VAR_TYPE": _role(one)}
    if _name(one) == "Epoch":
        fixed |= {"UNITS": "ns", "MONOTON": "INCREASE", "TIME_BASE": "J2000", "TIME_SCALE": "Terrestrial Time"}
    elif record and "time" in known:
        fixed["DEPEND_0"] = _name(known["time"])
    together = wanted | kept | fixed | _axes(one, known, record=record)
    return {ascii_text(name): _ascii(value) for name, value in together.items()}


def _role(one: Variable) -> str:
    if one.values.dtype.kind == "O":
        return "metadata"
    return "support_data" if one.coordinate or one.values.dtype.kind == "M" else "data"


def _axes(one: Variable, known: Mapping[str, Variable], *, record: bool) -> dict[str, str]:
    """Say which variable each dimension after the time depends on, or which one labels it."""
    found = {}
    for number, dim in enumerate(one.dims[1:] if record else one.dims, 1):
        asked = str(one.attrs.get(f"DEPEND_{number}", dim))
        axis = next((known[name] for name in (asked, dim, _label_name(dim)) if name in known), None)
        if axis is not None and axis.name != one.name:
            text = axis.values.dtype.kind == "O"
            found[f"LABL_PTR_{number}" if text else f"DEPEND_{number}"] = _name(axis)
    return found


def _ascii(value: Any) -> Any:
    return ascii_text(value) or " " if isinstance(value, str) else value


def _limits(attrs: Mapping[str, Any], kind: str, dtype: "np.dtype[Any]") -> dict[str, Any]:
    """Give FILLVAL, VALIDMIN and VALIDMAX in the type of the variable, as the guidelines want."""
    if kind == "CDF_CHAR":
        return {}
    if kind == "CDF_TIME_TT2000":
        low, high = tt2000(np.array(["1990-01-01", "2100-01-01"], "datetime64[ns]"))
        return {"FILLVAL": [np.int64(NAT), kind], "VALIDMIN": [low, kind], "VALIDMAX": [high, kind]}
    real = dtype.kind == "f"
    limits = {name: _numbers(attrs[name], dtype) for name in ("VALIDMIN", "VALIDMAX") if name in attrs}
    found = {"FILLVAL": FILL if real else fill_value(dtype)} | limits
    return {name: [value, kind] for name, value in found.items() if value is not None}


def _numbers(value: Any, dtype: "np.dtype[Any]") -> Any:
    """Give one limit or one for each component in the type of the variable; None if it is no number."""
    try:
        numbers = np.asarray(value, np.float64)
    except ValueError:
        return None
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    clipped = np.clip(numbers, float(limits.min), float(limits.max))
    return [int(one) for one in clipped.ravel()] if dtype.kind in "iu" else clipped.ravel().tolist()
