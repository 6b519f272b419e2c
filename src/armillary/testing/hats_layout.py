"""Tables of objects as HATS catalogues: Parquet files by cells of the sky, small cells where objects are many.

::

    from armillary.testing.hats_layout import write_hats

    write_hats([table], folder, most=100_000)
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.sources.write.hats import partition_name, write_catalogue

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, np.dtype[Any]]
#: The column by which rows are sorted: the cell of the finest order.
INDEX: Final = "_healpix_29"
_FINEST: Final = 29


def write_hats(
    tables: "Iterable[pa.Table]", folder: Path, *, most: int = 1_000_000, order: int = 0, name: str = "sky"
) -> list[tuple[str, int]]:
    """Write tables with ``ra`` and ``dec`` as one HATS catalogue.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        Of the same columns. They are put into cells on disk first: memory holds one table, then one cell of `order`.
    folder : Path
        New.
    most : int
        Rows of one partition; cells of more are split into four.
    order : int
        The coarsest cells.
    name : str
        Of the catalogue.

    Returns
    -------
    list of tuple
        Path below the folder and rows of each partition.
    """
    aside = folder / ".cells"
    aside.mkdir(parents=True)
    written: list[tuple[str, int]] = []
    schema = _sort_in(tables, aside, order)
    for path in sorted(aside.iterdir()):
        written += _write_cell(path, folder, order, most)
    shutil.rmtree(aside)
    told = {
        "obs_collection": name, "dataproduct_type": "object", "hats_nrows": str(sum(rows for _, rows in written)),
        "hats_col_ra": "ra", "hats_col_dec": "dec", "hats_col_healpix": INDEX, "hats_col_healpix_order": str(_FINEST),
        "hats_npix_suffix": ".parquet", "hats_version": "v1.0",
    }  # fmt: skip
    write_catalogue(folder, told, [path for path, _ in written], schema)
    return written


def _sort_in(tables: "Iterable[pa.Table]", folder: Path, order: int) -> "pa.Schema":
    """Append the rows of each cell to a file of its own, and give the columns."""
    import pyarrow as pa

    from armillary.science.healpix import cell_of_sky

    writers: dict[int, Any] = {}
    schema: pa.Schema = pa.schema([])
    for plain in tables:
        index = cell_of_sky(plain["ra"].to_numpy(), plain["dec"].to_numpy(), _FINEST)
        table = plain.append_column(INDEX, pa.array(index)).take(pa.array(np.argsort(index, kind="stable")))
        schema, cells = table.schema, np.sort(index) >> 2 * (_FINEST - order)
        for cell, low, high in _stretches(cells):
            path = folder / f"{cell:012d}.arrow"
            writers[cell] = writers.get(cell) or pa.ipc.new_stream(str(path), schema)
            writers[cell].write_table(table.slice(low, high - low))
    for one in writers.values():
        one.close()
    return schema


def _write_cell(path: Path, folder: Path, order: int, most: int) -> Iterator[tuple[str, int]]:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as found:
        table = found.read_all().sort_by(INDEX)
    path.unlink()
    yield from _split(table, table[INDEX].to_numpy(), folder, (order, int(path.stem)), most)


def _split(
    table: "pa.Table", index: Array, folder: Path, cell: tuple[int, int], most: int
) -> Iterator[tuple[str, int]]:
    order, number = cell
    if len(index) <= most or order == _FINEST:
        yield _write(table, folder, partition_name(order, number))
        return
    for child, low, high in _stretches(index >> 2 * (_FINEST - order - 1)):
        yield from _split(table.slice(low, high - low), index[low:high], folder, (order + 1, child), most)


def _write(table: "pa.Table", folder: Path, name: str) -> tuple[str, int]:
    from pyarrow import parquet

    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, folder / name, compression="zstd", row_group_size=200_000)
    return name, table.num_rows


def _stretches(cells: Array) -> Iterator[tuple[int, int, int]]:
    """Give each value of a sorted column, and where it begins and ends."""
    edges = np.flatnonzero(np.diff(cells, prepend=-1, append=-1))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield int(cells[low]), low, high
