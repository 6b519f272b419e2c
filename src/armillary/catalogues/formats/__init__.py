"""Catalogues as files: one module a format, each with ``read(path, columns) -> Document`` and ``write``."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from armillary.catalogues.formats import delimited, geojson, hapi, native, votable
from armillary.catalogues.formats.columns import Document
from armillary.errors import BadRequest, CannotWrite, DamagedFile

#: Formats by name.
Format = Literal["json", "csv", "votable", "hapi", "geojson"]
FORMATS: Final[tuple[str, ...]] = get_args(Format)

_Read: TypeAlias = Callable[[Path, str, Mapping[str, str]], Document]
_READ: Final[dict[str, _Read]] = {
    "json": native.read,
    "csv": delimited.read,
    "votable": votable.read,
    "hapi": hapi.read,
    "geojson": geojson.read,
}
_WRITE: Final[dict[str, Callable[[Document], str]]] = {
    "json": native.write,
    "csv": delimited.write,
    "votable": votable.write,
    "hapi": hapi.write,
    "geojson": geojson.write,
}
_ENDINGS: Final = {
    ".hapi.csv": "hapi", ".hapi": "hapi", ".csv": "csv", ".json": "json", ".geojson": "geojson", ".vot": "votable",
    ".xml": "votable", ".votable": "votable",
}  # fmt: skip


def read_document(path: Path, columns: Mapping[str, str] | None = None, format_: str | None = None) -> Document:
    """Read a file of rows.

    Parameters
    ----------
    path : Path
        UTF-8 text.
    columns : mapping of str to str, optional
        Which column of a table stands for what, e.g. ``{"start": "icme_start_time", "stop": "mo_end_time"}``.
    format_ : str, optional
        One of `FORMATS`; otherwise the content tells.

    Raises
    ------
    DamagedFile
        Naming row and column of what is wrong.
    BadRequest
        If it has no columns for start and stop, or whatever place its rows need.
    """
    text = _read_text(path)
    kind = _checked(format_) if format_ else _sniff(text)
    return _READ[kind](path, text, columns or {})


def write_document(document: Document, path: Path, format_: str | None = None) -> None:
    """Write a file of rows, all of it or nothing; the format follows the ending or `format_`.

    Raises
    ------
    BadRequest
        If the ending is not known, or the format cannot hold these rows.
    CannotWrite
    """
    text = to_text(document, format_ or format_of(path))
    _write_text(path, text)


def to_text(document: Document, format_: str) -> str:
    """Give the text of the file that :func:`write_document` writes."""
    return _WRITE[_checked(format_)](document)


def format_of(path: Path) -> str:
    """Give the format that an ending stands for.

    Examples
    --------
    >>> format_of(Path("list.hapi.csv")), format_of(Path("list.csv"))
    ('hapi', 'csv')
    """
    for ending, kind in _ENDINGS.items():
        if path.name.lower().endswith(ending):
            return kind
    raise BadRequest(f"the ending of {path.name} is no format of catalogues", f"use one of {' '.join(_ENDINGS)}")


def _checked(format_: str) -> str:
    if format_ not in FORMATS:
        raise BadRequest(f"there is no format {format_!r} of catalogues", f"choose one of {', '.join(FORMATS)}")
    return format_


def _sniff(text: str) -> str:
    start = text.lstrip()[:1]
    if start == "<":
        return "votable"
    if start in {"{", "["}:
        return "geojson" if geojson.looks_like(text) else "json"
    return "hapi" if hapi.looks_like(text) else "csv"


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as failed:
        raise BadRequest(f"cannot read {path}: {failed.strerror or failed}", "give a file that exists") from failed
    except UnicodeDecodeError as failed:
        raise DamagedFile(f"{path} is not UTF-8 text: {failed.reason}", "save it as UTF-8") from None


def _write_text(path: Path, text: str) -> None:
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as failed:
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "choose a folder you can write") from failed
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except OSError as failed:
        with suppress(OSError):
            Path(aside).unlink()
        raise CannotWrite(
            f"cannot write {path}: {failed.strerror}", "free some space or choose another place"
        ) from failed


__all__ = ["FORMATS", "Document", "format_of", "read_document", "to_text", "write_document"]
