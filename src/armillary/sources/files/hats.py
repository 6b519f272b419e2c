"""HATS catalogues: one table in Parquet files by cells of the sky, read by cell.

A catalogue is a folder with ``hats.properties`` (older: ``properties``) and
``dataset/Norder=K/Dir=D/Npix=N.parquet``; see the IVOA Note on HATS, 2025.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadExtent, DamagedFile
from armillary.model import Data, Extent, Progress, Rows, share
from armillary.science.sky_cells import touches_box, touches_cone
from armillary.science.trim import trim
from armillary.sources.files import rows, tables
from armillary.sources.files.summary import Summary

if TYPE_CHECKING:
    import pyarrow as pa

#: Files that tell of a catalogue; the folder that one lies in is one table.
NAMES: Final = ("hats.properties", "properties")
_CELL: Final = re.compile(r"(?:^|/)Norder=(\d+)/(?:Dir=\d+/)?Npix=(\d+)(?:[./]|$)")
_ENDINGS: Final = (".parquet", ".parq", ".pq")
_TABLES: Final = frozenset({"object", "source", "nested", ""})


@dataclass(frozen=True, slots=True)
class Cell:
    """One file of a catalogue.

    Parameters
    ----------
    order, number : int
        Of the HEALPix cell in the nested order.
    path : Path
    """

    order: int
    number: int
    path: Path


def is_catalogue(folder: Path) -> bool:
    """Say whether a folder is a HATS catalogue."""
    return (folder / "dataset").is_dir() and any((folder / name).is_file() for name in NAMES)


def partitions_folder(folder: Path) -> Path:
    """Give the folder in which the partitions of a catalogue lie."""
    return folder / "dataset"


def properties_of(folder: Path) -> dict[str, str]:
    """Read the properties of a catalogue.

    Raises
    ------
    DamagedFile
    """
    path = next((folder / name for name in NAMES if (folder / name).is_file()), folder / NAMES[0])
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as broken:
        raise DamagedFile(f"{path.name} of {folder.name} cannot be read", "fetch it again") from broken
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", "!")))
    return {name.strip(): value.strip() for name, value in pairs}


def cells_of(folder: Path) -> list[Cell]:
    """List the files of a catalogue in the order of their place on the sky; a cell may have several.

    Examples
    --------
    >>> cells_of(Path("no such folder"))
    []
    """
    found = []
    for path in partitions_folder(folder).rglob("*"):
        cell = _CELL.search(path.relative_to(folder).as_posix())
        if cell and path.suffix in _ENDINGS and path.is_file():
            found.append(Cell(int(cell[1]), int(cell[2]), path))
    return sorted(found, key=lambda one: (one.number << 2 * (29 - one.order), one.order, one.path.as_posix()))


def describe(path: Path) -> Summary:
    """Say what a catalogue holds, from its properties and one of its files.

    Raises
    ------
    BadData
        If it is no table of objects: margins, indices and associations stand beside one.
    DamagedFile
    """
    told, cells = properties_of(path.parent), cells_of(path.parent)
    if told.get("dataproduct_type", "") not in _TABLES:
        raise BadData(f"a HATS catalogue of the type {told['dataproduct_type']}", "look at the table it belongs to")
    if not cells:
        raise DamagedFile(f"the HATS catalogue {path.parent.name} has no partition", "fetch it again")
    title = told.get("obs_title") or told.get("obs_collection") or path.parent.name
    first = _first_with_rows(cells)
    sample = _renamed(_sample(first), told)
    plan = replace(rows.layout(sample), kind="sources", times=())
    octets = first.stat().st_size * _count(told, cells) // max(rows_of_file(first), 1)
    tally = rows.Tally(_count(told, cells), octets, None, None)
    whole = rows.variables(rows.tidy(sample, plan), title, tally, plan)
    selects = ("box", "cone", "where", "rows")
    citation = told.get("bib_reference", "") or told.get("obs_ack", "")
    return Summary(format="HATS", variables=whole, title=title, selects=selects, citation=citation)


def read(path: Path, _variable: str, extent: Extent, progress: Progress) -> Data:
    """Read the rows of a catalogue inside an extent; only files of cells that it touches are opened.

    Notes
    -----
    Memory: the answer, and a few blocks of one file.
    """
    import pyarrow as pa

    told, wanted = properties_of(path.parent), touched(cells_of(path.parent), extent)
    inner = extent.without("rows")
    parts: list[pa.Table] = []
    for number, (cell, some) in enumerate(wanted):
        step = share(progress, number / len(wanted), (number + 1) / len(wanted))
        asked = inner if some is None else replace(inner, rows=some)
        parts.append(_rows_of(cell, asked, told, step))
    if not parts:
        parts = [_rows_of(cells_of(path.parent)[0], Extent(rows=Rows(0, 1)), told, progress).slice(0, 0)]
    whole = pa.concat_tables(parts, promote_options="permissive")
    return whole.replace_schema_metadata(parts[0].schema.metadata)


def touched(cells: Sequence[Cell], extent: Extent) -> list[tuple[Cell, Rows | None]]:
    """Give the files that an extent touches, and which of their rows are asked for; None for all."""
    number, order = (np.array([getattr(one, name) for one in cells], np.int64) for name in ("number", "order"))
    some = np.ones(len(cells), bool)
    if extent.cone:
        some &= touches_cone(number, order, extent.cone)
    if extent.box:
        some &= touches_box(number, order, extent.box)
    if extent.rows is None:
        return [(one, None) for one, take in zip(cells, some, strict=True) if take]
    parts = zip(_parts(cells, extent.rows), some, strict=True)
    return [(one, asked) for (one, asked), take in parts if take and asked]


def rows_of_file(path: Path) -> int:
    """Give the number of rows of a Parquet file, from its last octets.

    Raises
    ------
    DamagedFile
    """
    return _rows(path, path.stat().st_mtime_ns)


def _parts(cells: Sequence[Cell], asked: Rows) -> Iterator[tuple[Cell, Rows | None]]:
    at = 0
    for one in cells:
        count = rows_of_file(one.path) if at < asked.stop else 0
        low, high = max(asked.start - at, 0), min(asked.stop - at, count)
        yield one, Rows(low, high) if low < high else None
        at += count


@lru_cache(maxsize=100_000)
def _rows(path: Path, _stamp: int) -> int:
    from pyarrow import ArrowInvalid, parquet

    try:
        return int(parquet.read_metadata(path).num_rows)
    except (ArrowInvalid, OSError) as broken:
        raise DamagedFile(f"{path.name} cannot be read: {broken}", "fetch it again") from None


def _count(told: dict[str, str], cells: Sequence[Cell]) -> int:
    stated = told.get("hats_nrows", "")
    return int(stated) if stated.isdecimal() else sum(rows_of_file(one.path) for one in cells)


def _first_with_rows(cells: Sequence[Cell]) -> Path:
    return next((one.path for one in cells if rows_of_file(one.path)), cells[0].path)


def _sample(path: Path) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        first = next(file.iter_batches(batch_size=1000), None)
        return pa.Table.from_batches([first] if first is not None else [], file.schema_arrow)


def _rows_of(cell: Cell, extent: Extent, told: dict[str, str], progress: Progress) -> "pa.Table":
    try:
        found: pa.Table = tables.read(cell.path, "", extent, progress)
    except BadExtent:  # only the properties tell which columns are the place
        found = _renamed(tables.read(cell.path, "", extent.only("rows"), progress), told)
        found = trim(found, extent.without("rows"))
    return _renamed(found, told)


def _renamed(table: Any, told: dict[str, str]) -> "pa.Table":
    """Give right ascension and declination their names where only the properties tell which columns they are."""
    names = {told.get("hats_col_ra", ""): "ra", told.get("hats_col_dec", ""): "dec"}
    if {"ra", "dec"} <= set(table.column_names) or not set(names) <= set(table.column_names):
        return table
    return table.rename_columns([names.get(one, one) for one in table.column_names])
