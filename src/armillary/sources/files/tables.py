"""Tables in text (CSV and its like, also gzipped) and Parquet, streamed block by block."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from armillary.errors import ArmillaryError, BadData, DamagedFile
from armillary.model import Data, Extent, Progress, Rows
from armillary.model.kinds import column
from armillary.science.trim import trim
from armillary.sources.files import rows
from armillary.sources.files.dialect import Dialect, find_dialect
from armillary.sources.files.rows import Layout
from armillary.sources.files.summary import Summary

if TYPE_CHECKING:
    import pyarrow as pa

_T = TypeVar("_T")
_BLOCK: Final = 8 << 20
#: Around -1e31, which ISTP lets stand for a missing number, in single precision and with few digits, too.
_ISTP_FILL: Final = (-1.000001e31, -9.99999e30)
_MISSING: Final = ["", "NaN", "nan", "NAN", "null", "NULL", "None", "N/A", "NA", "n/a", "--", "..."]
_CONVERSION: Final = re.compile(r"In CSV column #(\d+).*?CSV conversion error to (\w+)", re.DOTALL)


def describe(path: Path) -> Summary:
    """Say what a table holds; reads it through once, block by block.

    Raises
    ------
    DamagedFile
        If a row is cut short, or the file is not what its name says.
    BadData
        If it is text without a table.
    """
    with _named(path):
        format_, reader = _reader(path)
        plan = rows.layout(reader.sample())
        wanted = [old for _, olds in plan.times for old in olds] if plan.times else []
        parts = reader.gather(
            wanted or None, lambda block: rows.tally(rows.tidy(block, _only_times(plan, wanted)), plan)
        )
        tally = rows.total(parts)
        sample = rows.tidy(reader.sample(), plan)
    if not tally.rows:
        raise BadData(f"{path.name} holds no rows", "leave it, or put rows into it")
    tally = rows.Tally(tally.rows, _octets(sample, tally.rows), tally.coverage, tally.cadence)
    variables = rows.variables(sample, path.name, tally, plan)
    selects = {"sources": ("box", "cone", "where"), "events": ("time", "where")}.get(
        plan.kind, ("time", "where") if plan.timed else ("where",)
    )
    if isinstance(reader, _Parquet):
        selects = (*selects, "rows")  # a text table would be read from its beginning for each block of rows
    return Summary(format=format_, variables=variables, title=reader.title, coverage=tally.coverage, selects=selects)


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data:
    """Read a table, or one of its columns as a series; only rows inside the extent are kept from each block.

    Notes
    -----
    O(size of the file); memory: a few blocks of 8 MiB and the answer.
    """
    with _named(path):
        reader = _reader(path)[1]
        sample = reader.sample()
        plan = rows.layout(sample)
        columns = rows.sources_of(variable, plan) if variable else None
        if variable and not set(columns or ()) <= set(sample.column_names):
            raise BadData(f"there is no column {variable!r}", "index the folder again")
        wanted = extent.only("time") if variable else extent
        done, octets = [0], max(1, path.stat().st_size)

        def keep(block: "pa.Table") -> "pa.Table":
            done[0] += block.nbytes
            progress(min(0.95, done[0] / octets), path.name)
            return trim(rows.tidy(block, plan), wanted)

        if extent.rows and isinstance(reader, _Parquet):
            reader, wanted = reader.part(extent.rows), wanted.without("rows")
        kept = reader.gather(columns, keep)
        table = _concatenated(kept)
    return rows.series(table, variable) if variable else table


class _Text:
    """A text table as blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._dialect: Dialect = find_dialect(path)
        self._types: dict[str, Any] = {}
        self.title = self._dialect.title

    def sample(self) -> "pa.Table":
        """Give the first block."""
        found: list[pa.Table] = []

        def first(block: "pa.Table") -> None:
            found.append(block.slice(0, 1000))
            raise StopIteration

        try:
            self.gather(None, first)
        except StopIteration:
            return found[0]
        return self._dressed(_empty([one.name for one in self._dialect.headings]))

    def gather(self, columns: list[str] | None, use: "Callable[[pa.Table], _T]") -> list[_T]:
        """Use each block; start again with a wider type when one that looked like a number further up is none."""
        import pyarrow as pa

        for _ in range(2 * len(self._dialect.headings) + 1):
            try:
                return [use(self._dressed(block)) for block in self._blocks(columns)]
            except pa.ArrowInvalid as broken:
                if not self._widen(str(broken)):
                    raise
        raise BadData("the types of its columns do not settle", "mend the file")

    def _blocks(self, columns: list[str] | None) -> "Iterator[pa.Table]":
        return (
            _by_pandas(self._path, self._dialect, columns) if not self._dialect.delimiter else self._by_arrow(columns)
        )

    def _by_arrow(self, columns: list[str] | None) -> "Iterator[pa.Table]":
        import pyarrow as pa
        from pyarrow import csv

        plan = self._dialect
        reading = csv.ReadOptions(
            column_names=[one.name for one in plan.headings],
            skip_rows=plan.skip,
            block_size=_BLOCK,
            encoding=plan.encoding,
        )
        parsing = csv.ParseOptions(
            delimiter=plan.delimiter, newlines_in_values=plan.newlines, invalid_row_handler=_tolerate_blank
        )
        converting = csv.ConvertOptions(
            null_values=_MISSING, strings_can_be_null=True, include_columns=columns, column_types=self._types
        )
        with csv.open_csv(self._path, reading, parsing, converting) as blocks:
            for batch in blocks:
                yield pa.Table.from_batches([batch])

    def _widen(self, message: str) -> bool:
        import pyarrow as pa

        match = _CONVERSION.search(message)
        if not match:
            return False
        name = self._dialect.headings[int(match[1])].name
        wider = pa.float64() if match[2].startswith("int") else pa.string()
        if self._types.get(name) == wider:
            return False
        self._types[name] = wider
        return True

    def _dressed(self, table: "pa.Table") -> "pa.Table":
        """Put units, descriptions and declared fill values on a block."""
        import pyarrow as pa

        known = {one.name: one for one in self._dialect.headings}
        fields, values = [], []
        for field, one in zip(table.schema, table.columns, strict=True):
            told = known[field.name]
            kind = pa.float64() if pa.types.is_null(field.type) else field.type
            fields.append(column(field.name, kind, told.unit, told.description))
            values.append(_without_fill(one.cast(kind), told.fill))
        return pa.Table.from_arrays(values, schema=pa.schema(fields))


class _Parquet:
    """A Parquet table as blocks, row group by row group."""

    def __init__(self, path: Path, part: Rows | None = None) -> None:
        self._path = path
        self._part = part
        self.title = ""

    def part(self, rows: Rows) -> "_Parquet":
        """Give the same table cut to some rows; row groups outside are not read."""
        return _Parquet(self._path, rows)

    def sample(self) -> "pa.Table":
        """Give the first rows."""
        import pyarrow as pa
        from pyarrow import parquet

        with parquet.ParquetFile(self._path) as file:
            first = next(file.iter_batches(batch_size=1000), None)
            return pa.Table.from_batches([first] if first is not None else [], file.schema_arrow)

    def gather(self, columns: list[str] | None, use: "Callable[[pa.Table], _T]") -> list[_T]:
        """Use each block of rows."""
        import pyarrow as pa
        from pyarrow import parquet

        with parquet.ParquetFile(self._path) as file:
            schema = file.schema_arrow
            found = []
            for batch in self._batches(file, columns):
                fields = [schema.field(name) for name in batch.schema.names]
                found.append(use(pa.Table.from_batches([batch]).cast(pa.schema(fields, schema.metadata))))
            return found or [use(_select(schema.empty_table(), columns))]

    def _batches(self, file: Any, columns: list[str] | None) -> "Iterator[pa.RecordBatch]":
        first, last = (self._part.start, self._part.stop) if self._part else (0, file.metadata.num_rows)
        at = 0
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            if at < last and first < at + size:
                begin = at
                for batch in file.iter_batches(200_000, row_groups=[group], columns=columns):
                    low, high = max(first - begin, 0), min(last - begin, batch.num_rows)
                    if low < high:
                        yield batch.slice(low, high - low)
                    begin += batch.num_rows
            at += size


def _reader(path: Path) -> tuple[str, "_Text | _Parquet"]:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        return "Parquet", _Parquet(path)
    if path.suffix.lower() in {".parquet", ".pq"}:
        raise DamagedFile(f"{path.name} is not Parquet though its name says so", "fetch it again")
    return "CSV", _Text(path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what pyarrow and pandas raise on a broken file into our error."""
    try:
        yield
    except (ArmillaryError, FileNotFoundError, MemoryError):
        raise
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as broken:
        raise DamagedFile(f"{path.name} cannot be read: {broken}", "fetch it again") from None
    except ValueError as broken:  # what pyarrow and pandas raise for bad rows, without importing both to name it
        raise DamagedFile(f"{path.name}: {str(broken)[:300]}", "fetch it again, or mend the row") from None


def _by_pandas(path: Path, plan: Dialect, columns: list[str] | None) -> "Iterator[pa.Table]":
    import pandas as pd
    import pyarrow as pa

    encoding = "utf-8-sig" if plan.encoding == "utf8" else plan.encoding
    names = [one.name for one in plan.headings]
    options: dict[str, Any] = {
        "sep": r"\s+",
        "header": None,
        "comment": "#",
        "na_values": _MISSING,
        "encoding": encoding,
    }
    blocks = pd.read_csv(path, names=names, usecols=columns, skiprows=plan.skip, chunksize=100_000, **options)
    with blocks:
        for block in blocks:
            if not isinstance(block.index, pd.RangeIndex):
                raise DamagedFile(f"{path.name} has rows with more cells than columns", "mend the rows")
            yield pa.Table.from_pandas(block, preserve_index=False).replace_schema_metadata(None)


def _tolerate_blank(row: Any) -> str:
    # Exports end their tables with a line of delimiters; anything else that is short is damage.
    return "skip" if row.text is not None and not row.text.strip(",;|\t \r\n") else "error"


def _without_fill(values: Any, fill: str | None) -> Any:
    import pyarrow as pa
    from pyarrow import compute

    if fill is None and pa.types.is_floating(values.type):
        low, high = (pa.scalar(one, values.type) for one in _ISTP_FILL)
        usual = compute.and_(compute.greater_equal(values, low), compute.less_equal(values, high))
        return compute.if_else(usual, pa.scalar(None, values.type), values)
    if fill is None or not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        return values
    try:
        missing = pa.scalar(float(fill)).cast(values.type)
    except (ValueError, pa.ArrowInvalid):
        return values
    return compute.if_else(compute.equal(values, missing), pa.scalar(None, values.type), values)


def _only_times(plan: Layout, wanted: list[str]) -> Layout:
    return Layout(plan.kind, plan.times, tuple(pair for pair in plan.names if pair[0] in wanted))


def _octets(sample: "pa.Table", count: int) -> int:
    return int(sample.nbytes / max(1, sample.num_rows) * count)


def _concatenated(tables: "list[pa.Table]") -> "pa.Table":
    import pyarrow as pa

    return pa.concat_tables(tables, promote_options="permissive").replace_schema_metadata(tables[0].schema.metadata)


def _empty(names: list[str]) -> "pa.Table":
    import pyarrow as pa

    return pa.table({name: pa.array([], pa.float64()) for name in names})


def _select(table: "pa.Table", columns: list[str] | None) -> "pa.Table":
    return table.select(columns) if columns else table
