"""What the variables of a CDF mean: their time, axes, labels, units and kind, by the ISTP guidelines.

https://spdf.gsfc.nasa.gov/istp_guide/ tells the attributes. Many files keep them only in part, so everything here is
a best effort that says nothing rather than something wrong: an axis that is named but absent, empty, of text or of
another size is no axis.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np

from armillary.sources.files.cdf_records import Attribute, CdfFile, CdfVariable, as_text
from armillary.sources.files.cdf_values import text_values

_PRODUCTS: Final = ("data", "support_data", "")
_NOTHING: Final = ("none", "undefined", "unitless", "n/a", "na", "null", "dimensionless", "nounits", "tbd")
#: Attributes that go into a product as they are.
_KEPT: Final = (
    "DISPLAY_TYPE", "SCALETYP", "LABLAXIS", "VALIDMIN", "VALIDMAX", "SCALEMIN", "SCALEMAX", "FILLVAL", "SI_CONVERSION",
    "SI_conv", "SI_conversion", "COORDINATE_SYSTEM", "TENSOR_ORDER", "FRAME", "DELTA_PLUS_VAR", "DELTA_MINUS_VAR",
    "FIELDNAM", "VAR_TYPE", "VAR_NOTES", "PROPERTY",
)  # fmt: skip
#: A dimension that nobody describes is taken for bins of a spectrum, not for components, from this size on.
_MANY: Final = 8


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The variable that holds the times of others; ``unix`` if it counts seconds since 1970."""

    variable: CdfVariable
    unix: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A numeric variable along one dimension of another.

    Parameters
    ----------
    number : int
        Which dimension after time, from 1.
    spans : tuple of int
        The dimensions, from 1, that its own (without time) lie along; always with `number`.
    name : str
        The variable's name; with the number if the variable is already the axis of an earlier dimension.
    """

    number: int
    variable: CdfVariable
    spans: tuple[int, ...]
    name: str


def products(cdf: CdfFile) -> list[tuple[CdfVariable, TimeAxis]]:
    """List the variables that are products, data before support data: numbers that change with a known time."""
    found = [
        (one, time)
        for one in cdf.variables.values()
        if one.varies and not one.is_text and not one.is_time
        if one.text("VAR_TYPE").lower() in _PRODUCTS
        if (time := time_axis(cdf, one)) and time.variable.name != one.name
    ]
    return sorted(found, key=lambda pair: pair[0].text("VAR_TYPE").lower() == "support_data")


def time_axis(cdf: CdfFile, variable: CdfVariable) -> TimeAxis | None:
    """Find what a variable's records are counted in.

    ``DEPEND_0`` as a rule. THEMIS and FAST leave that epoch to be computed and keep seconds since 1970 in the variable
    of ``DEPEND_TIME``, or of the epoch's ``COMPONENT_1``. A file without ``DEPEND_0`` may have one epoch for all.
    """
    named = cdf.variables.get(variable.text("DEPEND_0"))
    if named is None:
        return None if variable.text("DEPEND_0") else _lone_epoch(cdf, variable)
    if named.is_time and named.records:
        return TimeAxis(named)
    for other in (variable.text("DEPEND_TIME"), named.text("COMPONENT_1")):
        seconds = cdf.variables.get(other)
        if seconds and seconds.records and _is_seconds(seconds):
            return TimeAxis(seconds, unix=True)
    if named.is_time:
        return TimeAxis(named)
    return TimeAxis(named, unix=True) if _is_seconds(named) and named.text("UNITS").lower().startswith("s") else None


def axes(cdf: CdfFile, variable: CdfVariable) -> list[Axis]:
    """List the numeric axes of a variable, one at most for each dimension after time."""
    found: list[Axis] = []
    for axis in filter(None, (_axis(cdf, variable, number) for number in range(1, len(variable.shape) + 1))):
        again = any(other.variable is axis.variable and other.spans != axis.spans for other in found)
        found.append(replace(axis, name=f"{axis.name}_{axis.number}") if again else axis)
    return found


def axis_titles(cdf: CdfFile, variable: CdfVariable) -> tuple[str, ...]:
    """Give name and titles of the axis of each dimension after time; nothing unless each has one."""
    found = axes(cdf, variable)
    told = [dict.fromkeys([one.variable.name, *given(one.variable, "FIELDNAM", "LABLAXIS")]) for one in found]
    return tuple(map(" ".join, told)) if len(told) == len(variable.shape) else ()


def kind(cdf: CdfFile, variable: CdfVariable) -> str:
    """Say which kind of data a variable is (see `armillary.model.kinds`)."""
    known = {axis.number: axis for axis in axes(cdf, variable)}
    if len(variable.shape) == 3 and len(known) == 3:
        return "distribution"
    if len(variable.shape) == 2 and len(known) == 2 and variable.text("VAR_TYPE").lower() == "data":
        return "plane"
    if len(variable.shape) != 1 or 1 not in known:
        return "series"
    display = variable.text("DISPLAY_TYPE").lower()
    undescribed = (
        not display
        and variable.text("VAR_TYPE").lower() == "data"
        and variable.shape[0] >= _MANY
        and bool(known[1].variable.text("UNITS"))
    )
    return "spectrogram" if "spectrogram" in display or undescribed else "series"


def labels(cdf: CdfFile, variable: CdfVariable) -> Iterator[tuple[int, str, list[str]]]:
    """List dimension, name and texts of the labels that stand along the dimensions of a variable.

    A tensor may name one variable for two dimensions: each gets labels of its own, the later ones with the number.
    """
    seen: set[str] = set()
    for number, size in enumerate(variable.shape, 1):
        for name in (variable.text(f"LABL_PTR_{number}"), variable.text(f"DEPEND_{number}")):
            other = cdf.variables.get(name)
            if other and other.is_text and other.records and other.shape == (size,):
                yield number, f"{name}_{number}" if name in seen else name, text_values(cdf, other).tolist()
                seen.add(name)
                break
        else:
            texts = _inline(variable.attrs.get(f"LABEL_{number}", ""), size)
            if texts:
                yield number, f"{variable.name}_label_{number}", texts


def units(cdf: CdfFile, variable: CdfVariable) -> str:
    """Give the units of a variable, "" if it has none.

    IDL's typesetting is turned into powers. Components with different units (``UNIT_PTR``) are joined by commas.
    """
    text = variable.text("UNITS")
    pointed = cdf.variables.get(variable.text("UNIT_PTR"))
    if not text and pointed and pointed.is_text and pointed.records:
        each = text_values(cdf, pointed).ravel().tolist()
        text = each[0] if len(set(each)) == 1 else ", ".join(each)
    return "" if text.lower() in _NOTHING else plain_units(text)


def plain_units(text: str) -> str:
    """Turn IDL's typesetting of units into plain powers.

    Examples
    --------
    >>> plain_units("s!E-1!Ncm!E-2!N")
    's^-1 cm^-2'
    """
    text = re.sub(r"![EU]([^!]*)!N", r"^\1 ", text)
    text = re.sub(r"![DI]([^!]*)!N", r"_\1 ", text)
    return " ".join(re.sub(r"![A-Za-z0-9]", "", text).split())


def attributes(cdf: CdfFile, variable: CdfVariable) -> dict[str, Any]:
    """Give the attributes of a product's variable: ``units``, ``long_name`` and the ISTP ones, as plain values."""
    kept: dict[str, Any] = {name: plain(variable.attrs[name]) for name in _KEPT if name in variable.attrs}
    pointed = cdf.variables.get(variable.text("SCAL_PTR"))
    if "SCALETYP" not in kept and pointed and pointed.is_text and pointed.records:
        kept["SCALETYP"] = str(text_values(cdf, pointed).ravel()[0])
    for name in ("SCALETYP", "DISPLAY_TYPE"):
        if isinstance(kept.get(name), str):
            kept[name] = kept[name].strip().lower() if name == "SCALETYP" else kept[name].strip()
    kept = {name: value for name, value in kept.items() if value not in ("", [])}
    return {"units": units(cdf, variable), "long_name": long_name(variable), **kept}


def long_name(variable: CdfVariable) -> str:
    """Give the best one line about a variable that the file has."""
    return next(iter(given(variable, "CATDESC", "FIELDNAM", "LABLAXIS")), variable.name)


def short_name(variable: CdfVariable) -> str:
    """Give the best few words about a variable that the file has."""
    return next(iter(given(variable, "FIELDNAM", "CATDESC", "LABLAXIS")), variable.name)


def given(of: CdfFile | CdfVariable, *names: str) -> list[str]:
    """List the attributes that say something."""
    return [text for text in map(of.text, names) if text and text.lower() not in _NOTHING]


def plain(value: Attribute) -> Any:
    """Turn an attribute into text, a number or a list, as every file format can keep it."""
    if isinstance(value, str):
        return value
    items = list(value) if isinstance(value, tuple) else value.tolist()
    return items[0] if len(items) == 1 else items


def fill(variable: CdfVariable) -> Any:
    """Give the number that stands for a missing value, None if there is none.

    Some files write it as text.
    """
    value = plain(variable.attrs.get("FILLVAL", ""))
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) else None


def dataset_name(cdf: CdfFile) -> str:
    """Give the ``Logical_source``, or what of ``Logical_file_id`` stands before the date, else ""."""
    source = next(iter(given(cdf, "Logical_source")), "")
    if source:
        return source
    return re.sub(r"[_-]\d{8}\d*([_-].*)?$", "", cdf.text("Logical_file_id"))


def title(cdf: CdfFile) -> str:
    """Give the best one line about the whole file."""
    return next(iter(given(cdf, "Logical_source_description", "TITLE", "Descriptor")), dataset_name(cdf))


def citation(cdf: CdfFile) -> str:
    """Give how the file wants to be acknowledged, with its DOI."""
    said = next(iter(given(cdf, "Acknowledgement", "Acknowledgment", "Rules_of_use")), "")
    doi = next(iter(given(cdf, "DOI", "doi")), "")
    investigator = ", ".join(given(cdf, "PI_name", "PI_affiliation"))
    return " ".join(filter(None, (said or investigator, "" if doi in said else doi)))


def _is_seconds(variable: CdfVariable) -> bool:
    return variable.varies and not variable.shape and variable.data_type in {22, 45}


def _lone_epoch(cdf: CdfFile, variable: CdfVariable) -> TimeAxis | None:
    epochs = (one for one in cdf.variables.values() if one.is_time and one.varies and not one.shape)
    fitting = (one for one in epochs if one.records == variable.records > 0)
    found = next(fitting, None)
    return TimeAxis(found) if found else None


def _axis(cdf: CdfFile, variable: CdfVariable, number: int) -> Axis | None:
    other = cdf.variables.get(variable.text(f"DEPEND_{number}"))
    if other is None or other is variable or other.is_text or other.is_time or not other.shape:
        return None
    if other.records == 0 and not (other.varies and variable.records == 0):
        return None
    if other.varies and other.records not in {1, variable.records}:
        return None
    rank, sizes = len(other.shape), variable.shape
    for spans in combinations(range(1, len(sizes) + 1), rank):
        if number in spans and tuple(sizes[span - 1] for span in spans) == other.shape:
            return Axis(number, other, spans, other.name)
    return None


def _inline(value: Attribute, size: int) -> list[str]:
    texts = list(value) if isinstance(value, tuple) else re.split(r"[,\s]+", as_text(value))
    return texts if len(texts) == size and all(texts) else []


def is_missing(data: "np.ndarray[Any, Any]", marker: Any) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say where numbers are the fill value, in the precision in which they are kept.

    Examples
    --------
    >>> is_missing(np.array([1, -1e31], "f4"), -1e31).tolist()
    [False, True]
    """
    if marker is None or marker != marker:  # noqa: PLR0124 - the one number that is not itself
        return np.zeros(data.shape, bool)
    if data.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.asarray(data == data.dtype.type(marker))
    limits = np.iinfo(data.dtype)
    if not limits.min <= marker <= limits.max or marker != int(marker):
        return np.zeros(data.shape, bool)
    return np.asarray(data == data.dtype.type(int(marker)))
