"""Saving as CSV and Parquet, block after block."""

import gzip
import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from armillary.errors import BadData, CannotWrite
from armillary.model.kinds import column_unit, table_attrs
from armillary.sources.write.blocks import Blocks
from armillary.sources.write.rows import MOST_ROWS, layout, rows
from armillary.sources.write.variables import json_text, plain_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from armillary.sources.write.variables import Array


def save_csv(blocks: Blocks, aside: Path) -> None:
    """Save blocks as CSV (RFC 4180, UTF-8), packed if the name ends in ``.gz``; one block in memory at a time.

    The first line is ``# `` and a JSON object: the attributes under ``attributes`` and, for each column that has some,
    its metadata under ``columns``. Then stands the header, ``name [unit]``, then the rows. Times are ISO 8601 with
    ``Z``, as short as the first block allows, or longer where a later block needs more digits. Floats have as many
    digits as it takes to read the same number again; NaN is ``nan``, a missing value nothing.

    Parameters
    ----------
    blocks : Blocks
        Datasets or tables.
    aside : Path
        File to make.
    """
    with aside.open("wb") as file:
        # The time stamp of gzip is left out: the same data make the same file.
        packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if aside.suffix == ".gz" else file
        with cast("IO[bytes]", packed) as stream:
            _write_csv(blocks, stream)


def save_parquet(blocks: Blocks, aside: Path) -> None:
    """Save blocks as Parquet, each in row groups of its own; one block in memory at a time.

    Attributes stand in the schema's metadata under ``armillary``, those of columns in their fields' metadata. Types,
    nanoseconds and missing values are exact.

    Parameters
    ----------
    blocks : Blocks
        Datasets or tables.
    aside : Path
        File to make.

    Raises
    ------
    BadData
        If a later block has columns of another type.
    """
    from pyarrow import parquet

    pieces = all_rows(blocks)
    first = next(pieces)
    with parquet.ParquetWriter(aside, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for piece in pieces:
            writer.write_table(fitted(piece, first.schema))


def all_rows(blocks: Blocks) -> "Iterator[pa.Table]":
    """Give all blocks as consecutive tables that have the same columns.

    Raises
    ------
    BadData
        If the columns of a later block have other names.
    CannotWrite
        If the blocks together make too long a table.
    """
    import xarray as xr

    names: list[str] | None = None
    total = 0
    for block in blocks:
        long = isinstance(block, xr.Dataset) and len(layout(block).dims) > 1
        for piece in rows(block):
            total += piece.num_rows * long
            _check_size(total)
            names = names or piece.column_names
            if piece.column_names != names:
                raise BadData("the blocks differ in the number or labels of their components", "ask for less time")
            yield piece


def _check_size(total: int) -> None:
    if total > MOST_ROWS:
        problem = f"as a table these data have more than {MOST_ROWS:,} rows"
        raise CannotWrite(problem, "save them as .nc or .zarr, or ask for less")


def fitted(piece: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    """Bring a later piece to the types of the first.

    Raises
    ------
    BadData
        If its values do not fit them.
    """
    import pyarrow as pa

    try:
        return piece.cast(schema) if piece.schema != schema else piece
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as broken:
        raise BadData(f"the blocks differ: {broken}", "ask for less time") from None


def _write_csv(blocks: Blocks, stream: "IO[bytes]") -> None:
    units: dict[str, str] = {}
    for number, piece in enumerate(all_rows(blocks)):
        if not number:
            stream.write(_head(piece).encode())
        stream.write(_lines(_as_texts(piece, units)))


def _head(piece: "pa.Table") -> str:
    columns = {
        field.name: {key.decode(): text.decode() for key, text in field.metadata.items() if text}
        for field in piece.schema
        if field.metadata and any(field.metadata.values())
    }
    titles = (_quoted(_title(field)) for field in piece.schema)
    return f"# {json_text({'attributes': table_attrs(piece), 'columns': columns})}\n{','.join(titles)}\n"


def _title(field: "pa.Field") -> str:
    unit = column_unit(field)
    return f"{field.name} [{unit}]" if unit else str(field.name)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n\r#') else text


def _as_texts(piece: "pa.Table", units: dict[str, str]) -> "pa.Table":
    """Bring every column to what CSV can hold; `units` keeps the precision of the time columns."""
    import pyarrow as pa

    columns = []
    for name, column in zip(piece.column_names, piece.columns, strict=True):
        plain = plain_column(name, column)
        columns.append(_iso(name, plain, units) if pa.types.is_timestamp(plain.type) else plain)
    return pa.Table.from_arrays(columns, names=piece.column_names)


def _iso(name: str, column: "pa.ChunkedArray", units: dict[str, str]) -> "pa.Array":
    import pyarrow as pa
    from pyarrow import compute as pc

    missing = np.asarray(pc.is_null(column))
    ns = np.asarray(column.cast(pa.int64()).fill_null(0))
    units[name] = _finer(units.get(name, "s"), ns)
    texts = np.datetime_as_string(ns.view("datetime64[ns]"), unit=cast("Any", units[name]))
    return pc.binary_join_element_wise(pa.array(texts, pa.string(), mask=missing), "Z", "")


def _finer(unit: str, ns: "Array") -> str:
    """Give the coarsest unit, not coarser than `unit`, in which these times are exact."""
    steps = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
    exact = [name for name, step in steps.items() if step <= steps[unit] and not (ns % step).any()]
    return exact[0]


def _lines(piece: "pa.Table") -> bytes:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import csv

    texts = [one for one in piece.columns if pa.types.is_string(one.type)]
    # Bare texts are easier to use; quotes are needed once a text could be taken for something else.
    special = any(pc.any(pc.match_substring_regex(one, '^$|[#,"\r\n]')).as_py() for one in texts)
    buffer = io.BytesIO()
    options = csv.WriteOptions(include_header=False, quoting_style="needed" if special else "none")
    csv.write_csv(piece, buffer, options)
    return buffer.getvalue()
