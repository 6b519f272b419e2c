"""Families of files: one module each, with `describe` and `read`.

The ending of a name says which files are looked at, their first bytes decide which family reads them.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import DamagedFile

if TYPE_CHECKING:
    from armillary.model import Data, Extent, Progress
    from armillary.sources.files.summary import Summary

#: The family of each ending; files with other endings are not data to us.
ENDINGS: Final[dict[str, str]] = {
    ".cdf": "cdf",
    ".nc": "netcdf", ".nc3": "netcdf", ".nc4": "netcdf",
    ".h5": "netcdf", ".hdf5": "netcdf", ".he5": "netcdf", ".hdf": "netcdf",
    ".csv": "tables", ".csv.gz": "tables", ".tsv": "tables", ".txt": "tables", ".parquet": "tables", ".pq": "tables",
    ".fits": "astro", ".fit": "astro", ".fts": "astro", ".fits.gz": "astro",
    ".vot": "astro", ".votable": "astro", ".xml": "astro", ".ecsv": "astro",
    ".tif": "rasters", ".tiff": "rasters", ".jp2": "rasters",
    ".hdr": "envi",
    ".pim": "pims",
    "hats.properties": "hats", "properties": "hats",
}  # fmt: skip

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89HDF\r\n\x1a\n", "netcdf"),
    (b"CDF\x01", "netcdf"),
    (b"CDF\x02", "netcdf"),
    (b"CDF\x05", "netcdf"),
    (b"\xcd\xf3\x00\x01", "cdf"),
    (b"\xcd\xf2\x60\x02", "cdf"),
    (b"\x00\x00\xff\xff\x00\x00\xff\xff", "cdf"),
    (b"PAR1", "tables"),
    (b"SIMPLE  =", "astro"),
    (b"# %ECSV", "astro"),
    (b"II*\x00", "rasters"),
    (b"MM\x00*", "rasters"),
    (b"II+\x00", "rasters"),
    (b"MM\x00+", "rasters"),
    (b"\x00\x00\x00\x0cjP  ", "rasters"),
    (b"EOS_PIMS", "pims"),
)
#: Words at the begin of a name that tells about data and holds none.
_PROSE: Final = ("readme", "license", "licence", "copying", "changes", "changelog", "requirements", "sha256sums")


def ending(name: str) -> str:
    """Give the known ending of a file's name in lower case, "" if it is none of ours.

    Examples
    --------
    >>> ending("OMNI.CSV.GZ"), ending("notes.md")
    ('.csv.gz', '')
    """
    if name in ENDINGS:
        return name
    parts = name.lower().rsplit(".", 2)
    for known in (f".{'.'.join(parts[-2:])}" if len(parts) > 2 else "", f".{parts[-1]}"):
        if len(parts) > 1 and known in ENDINGS and not parts[0].startswith(_PROSE):
            return known
    return ""


def family(path: Path) -> str:
    """Give the module that reads a file, "" if it holds no data for us.

    Raises
    ------
    DamagedFile
        If it is empty or cannot be opened.
    """
    found = ENDINGS.get(ending(path.name), "")
    if not found:
        return ""
    head = _head(path)
    if not head:
        raise DamagedFile(f"{path.name} is empty", "fetch it again")
    if found == "envi":
        return found if head.lstrip().startswith(b"ENVI") else ""
    if found == "hats":
        return found if (path.parent / "dataset").is_dir() else ""
    if path.suffix.lower() == ".xml":
        return found if b"<VOTABLE" in head else ""
    return next((module for magic, module in _MAGIC if head.startswith(magic)), found)


def describe(path: Path) -> "Summary | None":
    """Say what a file holds, None if it is not data (an XML that is no VOTable, say).

    Raises
    ------
    DamagedFile
        If it cannot be read.
    BadData
        If it can be read but holds nothing with a place in the tree; the reason is told.
    MissingExtra
        If an optional package is needed.
    """
    found = family(path)
    if not found:
        return None
    summary: Summary = _module(found).describe(path)
    return summary


def read(path: Path, variable: str, extent: "Extent", progress: "Progress") -> "Data":
    """Read one variable of a file, at least what lies inside the extent.

    Raises
    ------
    DamagedFile
        If it cannot be read, or has no such variable.
    """
    found = family(path)
    if not found:
        raise DamagedFile(f"{path.name} is not a data file any more", "index its folder again")
    data: Data = _module(found).read(path, variable, extent, progress)
    return data


def _module(name: str) -> Any:
    return import_module(f"armillary.sources.files.{name}")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as broken:
        raise DamagedFile(f"{path.name} cannot be opened: {broken.strerror}", "look at its permissions") from None
