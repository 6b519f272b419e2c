"""NASA's Common Data Format with ISTP metadata: the file family of space plasma physics.

The walk through the records of the file (`cdf_records`), the values (`cdf_values`) and their meaning (`cdf_istp`) are
three steps that stand alone. See ``docs/cdf.md`` for why the records are read here and not by `cdflib` or `pycdfpp`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, DamagedFile, UnknownProduct
from armillary.model import Extent, Interval, Progress
from armillary.sources.files import cdf_istp as istp
from armillary.sources.files.cdf_octets import Broken
from armillary.sources.files.cdf_records import CdfFile, CdfVariable, survey
from armillary.sources.files.cdf_values import Array, utc, utc_of_unix, values
from armillary.sources.files.summary import Summary, Variable

if TYPE_CHECKING:
    import xarray as xr

_MEND: Final = "fetch the file again, or leave it out"
_NAT: Final = np.iinfo(np.int64).min


def describe(path: Path) -> Summary:
    """Tell what a CDF holds from its attributes and epochs; no data are read.

    A variable is listed if it holds numbers that change with a known time and is not marked as metadata. The coverage
    is half-open: from the first epoch to one nanosecond after the last, over all listed variables. A file without
    records has variables of 0 rows and no coverage.

    Raises
    ------
    DamagedFile
        Naming the file and the reason.
    """
    with _opened(path) as cdf:
        listed = istp.products(cdf)
        clocks = {time.variable.name: _Clock(cdf, time) for _, time in listed}
        used = [clock for clock in clocks.values() if len(clock.ns)]
        span = Interval(min(one.first for one in used), max(one.last for one in used) + 1) if used else None
        return Summary(
            format="CDF",
            variables=tuple(_variable(cdf, one, clocks[time.variable.name]) for one, time in listed),
            dataset=istp.dataset_name(cdf),
            title=istp.title(cdf),
            coverage=span,
            citation=istp.citation(cdf),
            licence=" ".join(istp.given(cdf, "License", "LICENSE")),
        )


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> "xr.Dataset":
    """Read one variable with its axes and labels, or with "" all that share the epoch of the first.

    Only the records inside ``extent.time`` are read. They come sorted by time; of equal times the first is kept, and
    records whose epoch is a fill value are left out. ``FILLVAL`` becomes NaN; whole numbers that have such values
    become float64.

    Parameters
    ----------
    variable : str
        A name from :func:`describe`, "" for the whole file.

    Returns
    -------
    xarray.Dataset
        Of the kind that :func:`describe` says; for "" a series. A variable called ``time`` comes as ``time_``.

    Raises
    ------
    UnknownProduct
        If the file has no such variable, or none that has a time.
    DamagedFile
        Naming the file and the reason.
    """
    with _opened(path) as cdf:
        listed = istp.products(cdf)
        chosen = [pair for pair in listed if variable in {"", pair[0].name}]
        if not chosen:
            raise _unknown(path, variable, [one.name for one, _ in listed])
        time = chosen[0][1]
        return _dataset(cdf, time, [one for one, axis in chosen if axis == time], extent, progress)


@contextmanager
def _opened(path: Path) -> Iterator[CdfFile]:
    """Give the surveyed file; whatever its damage provokes comes out as one error."""
    try:
        with survey(path) as cdf:
            yield cdf
    except ArmillaryError:
        raise
    except Broken as broken:
        raise DamagedFile(f"{path.name} is damaged: {broken}", _MEND) from None
    except MemoryError:
        raise DamagedFile(f"{path.name} asks for more memory than there is", _MEND) from None
    except OSError as broken:
        raise DamagedFile(f"{path.name} cannot be read: {broken.strerror or broken}", "look at the file") from broken
    except (ValueError, TypeError, ArithmeticError, LookupError) as broken:
        raise DamagedFile(f"{path.name} is damaged: {broken}", _MEND) from broken


def _unknown(path: Path, variable: str, names: list[str]) -> UnknownProduct:
    if not names:
        return UnknownProduct(
            f"{path.name} has no variable with a known time", "open it with cdflib to see what it has"
        )
    return UnknownProduct(f"{path.name} has no product {variable!r}", f"ask for one of {', '.join(names[:8])}")


class _Clock:
    """The good times of one epoch variable, sorted and each once, and the records they belong to."""

    def __init__(self, cdf: CdfFile, time: istp.TimeAxis) -> None:
        raw = values(cdf, time.variable)
        if raw.ndim != 1 + (time.variable.data_type == 32):
            raise Broken(f"the epoch {time.variable.name!r} has more than one time in a record")
        ns = utc_of_unix(raw) if time.unix else utc(raw, time.variable.data_type)
        records = np.flatnonzero(ns != _NAT)
        ns = ns[records]
        if len(ns) > 1 and (ns[1:] <= ns[:-1]).any():
            ns, order = np.unique(ns, return_index=True)
            records = records[order]
        self.ns, self.records = ns, records

    @property
    def first(self) -> int:
        return int(self.ns[0])

    @property
    def last(self) -> int:
        return int(self.ns[-1])

    @property
    def cadence(self) -> float | None:
        """Median seconds between samples."""
        return float(np.median(np.diff(self.ns).view(np.uint64))) / 1e9 if len(self.ns) > 1 else None

    def inside(self, extent: Extent, rows: int) -> tuple[Array, Array]:
        """Give times and records of those within an extent that the first `rows` records hold."""
        low, high = 0, len(self.ns)
        if extent.time:
            low, high = np.searchsorted(self.ns, [extent.time.start, extent.time.stop])
        ns, records = self.ns[low:high], self.records[low:high]
        held = records < rows
        return ns[held], records[held]


def _variable(cdf: CdfFile, one: CdfVariable, clock: _Clock) -> Variable:
    rows = int((clock.records < one.records).sum())
    return Variable(
        name=one.name,
        title=istp.short_name(one),
        kind=istp.kind(cdf, one),
        units=istp.units(cdf, one),
        description=" ".join(dict.fromkeys(istp.given(one, "CATDESC", "VAR_NOTES"))),
        rows=rows,
        row_bytes=one.row_bytes + 8,
        cadence=clock.cadence if rows else None,
        shape=tuple(one.shape),
        axes=istp.axis_titles(cdf, one),
    )


def _dataset(
    cdf: CdfFile, time: istp.TimeAxis, chosen: list[CdfVariable], extent: Extent, progress: Progress
) -> "xr.Dataset":
    import xarray as xr

    clock = _Clock(cdf, time)
    held = min(time.variable.records, max(one.records for one in chosen))
    ns, records = clock.inside(extent, held)
    data: dict[str, Any] = {}
    coords: dict[str, Any] = {"time": ("time", ns.astype("datetime64[ns]"), _time_attrs(cdf, time))}
    for number, one in enumerate(chosen):
        progress(number / len(chosen), one.name)
        if one.records < held:
            continue
        dims, around = _surroundings(cdf, one, records)
        data[_free(one.name)] = (dims, _clean(one, _taken(cdf, one, records)), _attrs(cdf, one))
        coords |= {name: value for name, value in around.items() if name not in coords}
    progress(1.0, "")
    # A variable that is another's axis is a coordinate; but something has to be left as data.
    coords.pop(next(iter(data)), None)
    return xr.Dataset({name: data[name] for name in data if name not in coords}, coords, _global_attrs(cdf))


def _free(name: str) -> str:
    """Keep the name ``time`` for the coordinate."""
    return "time_" if name == "time" else name


def _time_attrs(cdf: CdfFile, time: istp.TimeAxis) -> dict[str, Any]:
    attrs = istp.attributes(cdf, time.variable)
    kept = ("long_name", "DELTA_PLUS_VAR", "DELTA_MINUS_VAR", "VAR_NOTES")
    return {name: attrs[name] for name in kept if name in attrs} | {"source_variable": time.variable.name}


def _attrs(cdf: CdfFile, one: CdfVariable) -> dict[str, Any]:
    depends = {f"DEPEND_{axis.number}": _free(axis.name) for axis in istp.axes(cdf, one)}
    named = {f"LABL_PTR_{number}": name for number, name, _ in istp.labels(cdf, one)}
    return istp.attributes(cdf, one) | depends | named


def _global_attrs(cdf: CdfFile) -> dict[str, Any]:
    names = ("Logical_source", "Logical_file_id", "Data_version", "Mission_group", "Source_name", "Descriptor",
             "PI_name", "PI_affiliation", "Generation_date", "Rules_of_use")  # fmt: skip
    kept = {name: cdf.text(name) for name in names}
    said = {"title": istp.title(cdf), "citation": istp.citation(cdf)} | kept
    return {name: text for name, text in said.items() if text}


def _surroundings(cdf: CdfFile, one: CdfVariable, records: Array) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Name the dimensions of a variable and give the coordinates along them."""
    found, texts = istp.axes(cdf, one), list(istp.labels(cdf, one))
    names = _dimension_names(one, found, texts)
    dims = ("time", *names)
    coords: dict[str, Any] = {}
    for axis in found:
        along = tuple(names[span - 1] for span in axis.spans)
        moving = axis.variable.varies and axis.variable.records == one.records
        raw = _taken(cdf, axis.variable, records) if moving else values(cdf, axis.variable, 0, 1)[0]
        coords[_free(axis.name)] = (
            ("time", *along) if moving else along,
            _clean(axis.variable, raw),
            _attrs(cdf, axis.variable),
        )
    for number, name, words in texts:
        coords.setdefault(name, (names[number - 1], np.array(words, dtype=str), {"units": ""}))
    return dims, coords


def _dimension_names(
    one: CdfVariable, found: list[istp.Axis], texts: list[tuple[int, str, list[str]]]
) -> tuple[str, ...]:
    """Name each dimension for the coordinate that has it alone, if there is one; no name comes twice."""
    labelled = {number: name for number, name, _ in texts}
    numeric = {axis.number: axis.variable for axis in found}
    names: list[str] = []
    for number in range(1, len(one.shape) + 1):
        axis = numeric.get(number)
        name = labelled.get(number, f"{one.name}_{number}")
        if axis:
            alone = len(axis.shape) == 1 and not (axis.varies and axis.records == one.records)
            name = _free(axis.name) if alone else f"{axis.name}_bin"
        names.append(name if name not in names else f"{name}_{number}")
    return tuple(names)


def _taken(cdf: CdfFile, one: CdfVariable, records: Array) -> Array:
    """Read these records; only the stretch of the file between the first and the last is touched."""
    if not len(records):
        return values(cdf, one, 0, 0)
    low, high = int(records.min()), int(records.max()) + 1
    stretch = values(cdf, one, low, high)
    return stretch if len(records) == high - low and (np.diff(records) > 0).all() else stretch[records - low]


def _clean(one: CdfVariable, data: Array) -> Array:
    missing = istp.is_missing(data, istp.fill(one))
    if not missing.any():
        return data
    data = data.astype(np.float64 if data.dtype.kind in "iu" else data.dtype)
    data[missing] = np.nan
    return data
