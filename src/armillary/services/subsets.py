"""Training subsets from what the desk has: leaves, files and catalogues."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter, BadRequest, NoData
from armillary.learn import subsets
from armillary.learn.subsets import Choice, Labels, Selection
from armillary.model import Extent, Progress, Rows, share, silent
from armillary.model.kinds import table_attrs, with_table_attrs
from armillary.services.desk import Desk, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

#: Rows of a Parquet file that are looked at together.
_ROWS: Final = 200_000


def make_subset(
    desk: Desk, table: str, labels: str, choice: Choice, where: str | None = None, progress: Progress = silent
) -> "tuple[pa.Table, Selection]":
    """Choose a training subset.

    Parameters
    ----------
    desk : Desk
    table : str
        Path of a leaf of kind ``sources``, a file, or a folder of Parquet files.
    labels : str
        Name of a catalogue, a file or the path of a leaf.
    where : str, optional
        Predicate on the table's columns.

    Returns
    -------
    pyarrow.Table, Selection
        The subset, its selection among its attributes; and the same selection.

    Raises
    ------
    BadParameter, BadData, NoData
        As :func:`armillary.learn.subsets.choose`.

    Notes
    -----
    The table is read block by block; what stays in memory are the labels and the rows that may have one.
    """
    import pyarrow as pa

    selection = Selection()
    given = _whole(desk, labels, share(progress, 0.0, 0.1))
    found: Labels | None = None
    kept: list[pa.Table] = []
    rows, seen = 0, 0
    for block in _blocks(desk, table, where, share(progress, 0.1, 0.8)):
        found = found or subsets.read_labels(given, choice, "i" if choice.radius else _kind(block))
        part = subsets.candidates(block, found, choice)
        rows, seen = rows + block.num_rows, seen + part.num_rows
        kept.append(part)
    if found is None:
        raise NoData(f"{table} has no rows", "look at --where")
    without = f"; {found.left_out} more have no class, one not asked for, or no place" if found.left_out else ""
    selection.tell("table", rows, f"{table}{f' where {where}' if where else ''}")
    selection.tell("labels", len(found), f"{labels}{without}", found.names)
    whole = pa.concat_tables(kept, promote_options="permissive")
    progress(0.8, "choosing")
    made = subsets.choose(whole, found, choice, selection)
    record = selection.to_record()
    attrs = {**table_attrs(made), "title": f"training subset of {table}", "selection": record}
    return with_table_attrs(made, attrs), selection


def _kind(block: "pa.Table") -> str:
    return "i" if subsets.ids_of(block).dtype.kind in "iu" else "U"


def _whole(desk: Desk, name: str, progress: Progress) -> "pa.Table":
    """Give the labels: a catalogue, a file or a leaf."""
    import pyarrow as pa

    if name in {one.name for one in desk.catalogues.catalogues()}:
        return desk.catalogues.as_table(name)
    if Path(name).expanduser().exists():
        return pa.concat_tables(_of_file(Path(name).expanduser(), None, progress), promote_options="permissive")
    found: Any = desk.answer(ask(name), progress)
    return _checked(found, name)


def _blocks(desk: Desk, name: str, where: str | None, progress: Progress) -> "Iterator[pa.Table]":
    path = Path(name).expanduser()
    if path.exists():
        yield from _of_file(path, where, progress)
        return
    for block in desk.blocks(ask(name, where=where) if where else ask(name), progress):
        yield _checked(block, name)


def _of_file(path: Path, where: str | None, progress: Progress) -> "Iterator[pa.Table]":
    """Read a file, or all Parquet files of a folder, block by block."""
    from armillary.sources.files import read

    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise BadRequest(f"the folder {path.name} holds no .parquet", "name a file, a folder of Parquet or a leaf")
    for at, file in enumerate(files):
        told = share(progress, at / len(files), (at + 1) / len(files))
        for rows in _ranges(file):
            yield _checked(read(file, "", replace(Extent(where=where), rows=rows), told), file.name)


def _ranges(file: Path) -> list[Rows | None]:
    if file.suffix != ".parquet":
        return [None]
    from pyarrow import parquet

    count = parquet.read_metadata(file).num_rows
    return [Rows(at, min(at + _ROWS, count)) for at in np.arange(0, count, _ROWS).tolist()] or [None]


def _checked(found: Any, name: str) -> "pa.Table":
    import pyarrow as pa

    if not isinstance(found, pa.Table):
        raise BadParameter(f"{name} is no table", "name a table of sources")
    return found
