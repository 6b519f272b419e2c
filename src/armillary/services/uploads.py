"""Tables that come over the network: VOTable, Parquet and CSV, bounded in size, and nothing in them is run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import ArmillaryError, BadRequest, one_line
from armillary.model import Extent, Request, silent
from armillary.services.object_tables import ObjectTable, objects_of

if TYPE_CHECKING:
    import pyarrow as pa

#: Octets and rows of a table that is sent, and octets that it may become.
MOST_OCTETS: Final = 64 * 2**20
MOST_ROWS: Final = 100_000
_MOST_UNPACKED: Final = 2**30
#: What the type of a body says about its format.
FORMATS: Final[Mapping[str, str]] = {
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/x-votable+xml": "vot",
    "text/xml": "vot",
    "application/xml": "vot",
}


def format_of(content_type: str) -> str:
    """Give the format that a content type stands for.

    Raises
    ------
    BadRequest

    Examples
    --------
    >>> format_of("text/csv; charset=utf-8"), format_of("application/x-votable+xml;serialization=tabledata")
    ('csv', 'vot')
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in FORMATS:
        raise BadRequest(f"a body of the type {kind or 'nothing'!r} is not understood", f"send {', '.join(FORMATS)}")
    return FORMATS[kind]


def read_upload(path: Path, kind: str) -> ObjectTable:
    """Read a table that somebody sent.

    Parameters
    ----------
    path : Path
        Where its octets lie; its name has the ending `kind`.
    kind : str
        A value of `FORMATS`.

    Raises
    ------
    BadRequest
        If it cannot be read, is cut short or has too many rows.
    """
    try:
        table = _READERS[kind](path)
    except BadRequest:
        raise
    except Exception as broken:  # noqa: BLE001 - readers raise dozens of kinds on what somebody sent
        said = broken.problem if isinstance(broken, ArmillaryError) else str(broken)
        problem = f"the table cannot be read as {kind}: {one_line(said)[:200]}"
        raise BadRequest(problem, "send a whole table of this format") from None
    check_rows(table.num_rows)
    if not table.num_columns:
        raise BadRequest("the table has no columns", "send a whole table")
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise BadRequest(f"two columns are called {twice[0]!r}", "give each a name of its own")
    return objects_of(Request("upload"), [table])


def check_rows(rows: int) -> None:
    """Refuse more rows than are classified at once.

    Raises
    ------
    BadRequest
    """
    if rows > MOST_ROWS:
        raise BadRequest(f"{rows:,} rows are more than {MOST_ROWS:,}", "send parts, or use `armillary apply`")


def _parquet(path: Path) -> "pa.Table":
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    check_rows(file.metadata.num_rows)
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    if sum(one.total_byte_size for one in groups) > _MOST_UNPACKED:
        raise BadRequest(f"the table has more than {_MOST_UNPACKED:,} octets when unpacked", "send parts")
    return file.read()


def _text(path: Path) -> "pa.Table":
    from armillary.sources import files

    found: Any = files.read(path, "", Extent(), silent)
    return found


_READERS: Final[Mapping[str, Callable[[Path], "pa.Table"]]] = {"csv": _text, "parquet": _parquet, "vot": _text}
