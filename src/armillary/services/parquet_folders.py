"""Which Parquet files of a folder are parts of one table, and which columns the names of folders tell."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from armillary.sources.files import hats

_ENDINGS: Final = (".parquet", ".parq", ".pq")


def is_partitioned(path: Path) -> bool:
    """Say whether a path is a folder that holds Parquet files, at any depth."""
    return path.is_dir() and any(one.suffix in _ENDINGS for one in path.rglob("*"))


def files_in(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """List the Parquet files of a folder at any depth, or of a HATS catalogue its partitions, by path.

    Names that begin with ``.`` or ``_`` are left out, as other readers do.

    Returns
    -------
    list of tuple
        Path, and the values that names of folders such as ``tile=7`` tell.
    """
    base, pattern = (hats.partitions_folder(folder), "Npix=*") if hats.is_catalogue(folder) else (folder, "*")
    files = [one for one in _files(base.rglob(pattern)) if not _is_hidden(one.relative_to(folder))]
    files.sort(key=lambda one: one.relative_to(folder).as_posix())
    return list(zip(files, _values([one.relative_to(folder).as_posix() for one in files]), strict=True))


def _files(below: Iterator[Path]) -> Iterator[Path]:
    """Give files; a HATS partition may be a folder of them."""
    for one in below:
        if one.is_dir() and one.name.startswith("Npix="):
            yield from (each for each in one.rglob("*") if each.is_file() and each.suffix in _ENDINGS)
        elif one.suffix in _ENDINGS and one.is_file():
            yield one


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _values(names: Sequence[str]) -> list[dict[str, Any]]:
    """Read ``key=value`` of folders; a key is a number if it is one everywhere."""
    found = [dict(part.split("=", 1) for part in name.split("/")[:-1] if "=" in part) for name in names]
    whole = {
        key for one in found for key in one if all(_is_whole(each.get(key, "0")) for each in found)
    }  # fmt: skip
    return [{key: int(value) if key in whole else unquote(value) for key, value in one.items()} for one in found]


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and len(text) < 19
