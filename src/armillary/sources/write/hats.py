"""What stands beside the partitions of a HATS catalogue: its properties, the list of its cells, and its columns."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.sources.files.hats import NAMES, properties_of

if TYPE_CHECKING:
    import pyarrow as pa

_CELL: Final = re.compile(r"Norder=(\d+)/(?:Dir=\d+/)?Npix=(\d+)")
#: What is true of a table made of another, too.
_INHERITED: Final[tuple[str, ...]] = (
    "dataproduct_type", "hats_col_ra", "hats_col_dec", "hats_col_healpix", "hats_col_healpix_order",
    "hats_npix_suffix", "hats_order", "hats_version", "moc_sky_fraction", "obs_regime",
)  # fmt: skip


def partition_name(order: int, number: int) -> str:
    """Give where the partition of a cell lies in its catalogue.

    Examples
    --------
    >>> partition_name(6, 12345)
    'dataset/Norder=6/Dir=10000/Npix=12345.parquet'
    """
    return f"dataset/Norder={order}/Dir={number // 10_000 * 10_000}/Npix={number}.parquet"


def write_catalogue(folder: Path, told: Mapping[str, str], names: Sequence[str], schema: "pa.Schema") -> None:
    """Write what makes a folder of partitions a catalogue; the same content gives the same bytes.

    Parameters
    ----------
    folder : Path
        With ``dataset/Norder=.../Npix=...`` in it.
    told : mapping of str to str
        Properties, see the IVOA Note on HATS.
    names : sequence of str
        Paths of partitions below the folder.
    schema : pyarrow.Schema
        Of all of them.
    """
    from pyarrow import parquet

    cells = sorted({(int(cell[1]), int(cell[2])) for cell in map(_CELL.search, names) if cell})
    listed = "".join(f"{order},{number}\n" for order, number in cells)
    _write(folder / "partition_info.csv", "Norder,Npix\n" + listed)
    aside = folder / "dataset" / f"._common_metadata.{os.getpid()}.part"
    parquet.write_metadata(schema, aside)
    aside.replace(folder / "dataset" / "_common_metadata")
    _write(folder / NAMES[0], "#HATS catalog\n" + "".join(f"{name}={value}\n" for name, value in told.items()))


def properties_of_copy(source: Path, name: str, rows: int, columns: Sequence[str]) -> dict[str, str]:
    """Give the properties of a catalogue with the cells of another one and other columns."""
    told = properties_of(source)
    before = told.get("obs_collection") or source.name
    kept = {key: told[key] for key in _INHERITED if key in told}
    if kept.get("hats_col_healpix", "") not in columns:
        kept = {key: value for key, value in kept.items() if not key.startswith("hats_col_healpix")}
    return {
        "obs_collection": f"{before}_{name}", "hats_nrows": str(rows), "hats_builder": "armillary",
        "prov_progenitor": before, **kept,
    }  # fmt: skip


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    aside.write_text(text, "utf-8")
    aside.replace(path)
