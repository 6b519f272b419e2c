"""What the columns of a table mean: times, events, sky positions; and the table as the tree promises it.

Every family that gives tables (text, Parquet, FITS, VOTable) goes through here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.model import Interval
from armillary.model.kinds import column_unit
from armillary.sources.files import instants
from armillary.sources.files.summary import Variable

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_START: Final = re.compile(r"(?<![a-z])(start|begin|beginning|tstart|from)(?![a-z])", re.IGNORECASE)
_ENDS: Final = {
    "start": ("stop", "end"), "begin": ("end", "stop"), "beginning": ("end",), "tstart": ("tstop", "tend"),
    "from": ("to",),
}  # fmt: skip
_RA: Final = re.compile(r"_?ra_?(j?2000|icrs|deg|gaia|epoch2000|ep2000|mean)?")
_DEC: Final = re.compile(r"_?de(c|cl)?_?(j?2000|icrs|deg|gaia|epoch2000|ep2000|mean)?")
_PARTS: Final = {
    "year": "year", "yyyy": "year", "yr": "year", "doy": "doy", "dayofyear": "doy", "month": "month", "mo": "month",
    "day": "day", "hour": "hour", "hr": "hour", "minute": "minute", "min": "minute", "second": "second",
    "sec": "second",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """What columns mean.

    Parameters
    ----------
    kind : str
        ``samples``, ``events`` or ``sources``.
    times : tuple of (str, tuple of str)
        New columns of times, and the columns each is read from (several for year, day of the year...).
    names : tuple of (str, str)
        Columns that get another name: old, new.
    """

    kind: str
    times: tuple[tuple[str, tuple[str, ...]], ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @property
    def timed(self) -> bool:
        """Whether the rows have one time each, so that numeric columns are series."""
        return self.kind == "samples" and bool(self.times)


@dataclass(frozen=True, slots=True)
class Tally:
    """What one part of a table says about the whole: rows, octets, first and last time, seconds between rows."""

    rows: int
    octets: int
    coverage: Interval | None
    cadence: float | None


def layout(sample: "pa.Table") -> Layout:
    """Decide what the columns mean, from their names, units and some rows.

    Notes
    -----
    Events come first, then one time a row if it is the first column, then sky positions, then times.
    """
    starts = _events(sample)
    if starts:
        return Layout("events", starts, _apart(sample, {"start", "stop"}, starts))
    times, sky = _times(sample), _sky(sample)
    first = times and times[0][1][0] == sample.column_names[0]
    if (sky is not None or "source_id" in sample.column_names) and not first:
        renamed = tuple(pair for pair in sky or () if pair[0] != pair[1])
        return Layout("sources", (), renamed + _apart(sample, {new for _, new in renamed}, ()))
    return Layout("samples", times, _apart(sample, {"time"}, times))


def tidy(table: "pa.Table", plan: Layout) -> "pa.Table":
    """Give the table with its times as timestamps (UTC, nanoseconds) and its columns under their promised names."""
    import pyarrow as pa

    renamed = dict(plan.names)
    replaced = {old[0] for _, old in plan.times if len(old) == 1}
    fields: list[Any] = []
    values: list[Any] = []
    for name, olds in plan.times:
        fields.append(pa.field(name, pa.timestamp("ns"), metadata={"unit": "UTC", "description": olds[0]}))
        values.append(_decoded(table, olds))
    for field in table.schema:
        if field.name not in replaced:
            fields.append(field.with_name(renamed.get(field.name, field.name)))
            values.append(table.column(field.name))
    return pa.Table.from_arrays(values, schema=pa.schema(fields, table.schema.metadata))


def variables(sample: "pa.Table", title: str, tally: Tally, plan: Layout) -> tuple[Variable, ...]:
    """Give the leaves of a tidy table: the whole, and each numeric column of rows with one time each."""
    row_bytes = max(1, tally.octets // max(1, tally.rows))
    whole = Variable(
        name="",
        title=title,
        kind=plan.kind,
        rows=tally.rows,
        row_bytes=row_bytes,
        cadence=tally.cadence,
        columns=tuple(map(_column, sample.schema)),
    )
    if not plan.timed:
        return (whole,)
    parts = {old for _, olds in plan.times for old in olds}
    return (
        whole,
        *(
            Variable(
                name=field.name,
                title=_description(field) or field.name,
                kind="series",
                units=column_unit(field),
                rows=tally.rows,
                row_bytes=16,
                cadence=tally.cadence,
                shape=(),
            )
            for field in sample.schema
            if field.name not in parts and _numeric(field)
        ),
    )


def _column(field: "pa.Field") -> str:
    ucd = (field.metadata or {}).get(b"ucd", b"").decode()
    return f"{field.name} {ucd}".strip()


def tally(table: "pa.Table", plan: Layout) -> Tally:
    """Count a tidy table."""
    names = [name for name, _ in plan.times]
    columns = [_instants(table.column(name)) for name in names]
    times = np.concatenate(columns) if columns else np.array([], "datetime64[ns]")
    cadence = instants.cadence(times) if plan.timed else None
    return Tally(table.num_rows, table.nbytes, instants.span(times), cadence)


def total(parts: Iterable[Tally]) -> Tally:
    """Add up the tallies of the parts of a table."""
    rows, octets, found, cadences = 0, 0, [], []
    for part in parts:
        rows, octets = rows + part.rows, octets + part.octets
        found += [part.coverage] if part.coverage else []
        cadences += [part.cadence] if part.cadence else []
    hull = Interval(min(one.start for one in found), max(one.stop for one in found)) if found else None
    return Tally(rows, octets, hull, float(np.median(cadences)) if cadences else None)


def series(table: "pa.Table", name: str) -> "xr.Dataset":
    """Give one numeric column of a tidy table with times as a series, sorted, without the rows that have no time."""
    import pyarrow as pa
    import xarray as xr

    if name not in table.column_names or "time" not in table.column_names:
        raise BadData(f"there is no column {name!r} with times", "index the folder again")
    field, column = table.schema.field(name), table.column(name)
    if column.null_count or pa.types.is_boolean(column.type) or pa.types.is_decimal(column.type):
        column = column.cast(pa.float64(), safe=False)
    times, values = _instants(table.column("time")), np.asarray(column.to_numpy())
    keep = ~np.isnat(times)
    times, values = times[keep], values[keep]
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
    attrs = {"units": column_unit(field), "long_name": _description(field) or name}
    return xr.Dataset({name: ("time", values, attrs)}, {"time": times})


def sources_of(name: str, plan: Layout) -> list[str]:
    """Give the columns of the file that a series of one column needs."""
    return list(dict.fromkeys([*(old for _, olds in plan.times for old in olds), *_before(name, plan)]))


def _before(name: str, plan: Layout) -> list[str]:
    return [next((old for old, new in plan.names if new == name), name)]


def start_and_stop(columns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """List the pairs of columns whose names say that they are start and stop of the same thing.

    Examples
    --------
    >>> list(start_and_stop(["icme_start_time", "mo_start_time", "mo_end_time"]))
    [('mo_start_time', 'mo_end_time')]
    """
    names = {name.lower(): name for name in columns}
    for name in names.values():
        match = _START.search(name.replace("_", " "))
        if not match:
            continue
        ends = [name.lower().replace(match[1].lower(), end) for end in _ENDS[match[1].lower()]]
        found = next((names[end] for end in ends if end in names), None)
        if found:
            yield name, found


def _events(sample: "pa.Table") -> tuple[tuple[str, tuple[str, ...]], ...]:
    for start, stop in start_and_stop(sample.column_names):
        if _is_time(sample, start) and _is_time(sample, stop):
            return (("start", (start,)), ("stop", (stop,)))
    return ()


def _times(sample: "pa.Table") -> tuple[tuple[str, tuple[str, ...]], ...]:
    named = [name for name in sample.column_names if instants.plain(name) in instants.NAMES]
    for name in sorted(named, key=lambda one: (instants.plain(one) not in {"time", "datetime"}, one)):
        if _is_time(sample, name):
            return (("time", (name,)),)
    first = sample.column_names[0]
    if not _numeric(sample.schema.field(first)) and _is_time(sample, first):
        return (("time", (first,)),)
    parts = _time_parts(sample)
    return (("time", parts),) if parts else ()


def _time_parts(sample: "pa.Table") -> tuple[str, ...]:
    found: dict[str, str] = {}
    for field in sample.schema:
        part = _PARTS.get(instants.plain(field.name))
        if part and part not in found and _numeric(field):
            found[part] = field.name
    if "year" not in found or not ({"doy"} <= found.keys() or {"month", "day"} <= found.keys()):
        return ()
    year = np.asarray(sample.column(found["year"]).to_numpy(), float)
    plausible = year.size and bool(((year > 1900) & (year < 2200)).all())
    order = ("year", "doy", "month", "day", "hour", "minute", "second")
    return tuple(found[part] for part in order if part in found) if plausible else ()


def _sky(sample: "pa.Table") -> tuple[tuple[str, str], ...] | None:
    ra, dec = (_best(sample, pattern, exact) for pattern, exact in ((_RA, "ra"), (_DEC, "dec")))
    if ra is None or dec is None or not _in_degrees(sample, ra, dec):
        return None
    return ((ra, "ra"), (dec, "dec"))


def _best(sample: "pa.Table", pattern: "re.Pattern[str]", exact: str) -> str | None:
    found = [field.name for field in sample.schema if pattern.fullmatch(field.name.lower()) and _numeric(field)]
    return min(found, key=lambda name: (name != exact, name.lower() != exact, found.index(name)), default=None)


def _in_degrees(sample: "pa.Table", ra: str, dec: str) -> bool:
    units = {column_unit(sample.schema.field(name)).lower() for name in (ra, dec)}
    if not units <= {"", "deg", "degree", "degrees", "°", "angle[deg]"}:
        return False
    high = np.nanmax(np.abs(np.asarray(sample.column(dec).to_numpy(), float)), initial=0.0)
    return bool(high <= 90)


def _apart(sample: "pa.Table", wanted: set[str], times: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Any, ...]:
    """Rename columns that have a promised name and not the promised meaning."""
    replaced = {olds[0] for _, olds in times if len(olds) == 1}
    return tuple((name, f"{name}_given") for name in sample.column_names if name in wanted and name not in replaced)


def _is_time(sample: "pa.Table", name: str) -> bool:
    field = sample.schema.field(name)
    if _is_instant(field.type):
        return bool(sample.column(name).null_count < sample.num_rows)
    times = instants.decode(_numpy(sample.column(name)), column_unit(field), name)
    return times is not None and bool((~np.isnat(times)).any())


def _decoded(table: "pa.Table", olds: tuple[str, ...]) -> Any:
    import pyarrow as pa

    column = table.column(olds[0])
    if len(olds) > 1:
        parts = {_PARTS[instants.plain(old)]: _numpy(table.column(old)).astype(float) for old in olds}
        return pa.array(instants.from_parts(parts), pa.timestamp("ns"))
    if _is_instant(column.type) or column.null_count == table.num_rows:
        return column.cast(pa.timestamp("ns"))
    times = instants.decode(_numpy(column), column_unit(table.schema.field(olds[0])), olds[0])
    if times is None:
        raise BadData(f"column {olds[0]!r} is not made of times further down", "mend the file")
    return pa.array(times, pa.timestamp("ns"))


def _is_instant(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _instants(column: Any) -> "np.ndarray[Any, Any]":
    """Give a column of timestamps as numpy has them, missing ones as NaT.

    Not by ``to_numpy``, which imports pandas (a second for every process that looks into a folder).
    """
    import pyarrow as pa

    if not len(column):
        return np.array([], "datetime64[ns]")
    counts = column.cast(pa.timestamp("ns")).cast(pa.int64())
    if counts.null_count:
        counts = counts.fill_null(np.iinfo(np.int64).min)
    return np.from_dlpack(pa.concat_arrays(counts.chunks)).astype("datetime64[ns]")


def _numpy(column: Any) -> "np.ndarray[Any, Any]":
    import pyarrow as pa

    if _is_instant(column.type):
        return _instants(column)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy())


def _numeric(field: "pa.Field") -> bool:
    import pyarrow as pa

    kind = field.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _description(field: "pa.Field") -> str:
    return str((field.metadata or {}).get(b"description", b"").decode())


def batches_of(table: "pa.Table", rows: int = 200_000) -> Iterator["pa.Table"]:
    """Give a table in slices."""
    for start in range(0, max(table.num_rows, 1), rows):
        yield table.slice(start, rows)
