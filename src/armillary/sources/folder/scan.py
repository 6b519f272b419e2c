"""Which files a folder holds, by name, size and time of change only."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from armillary.errors import SourceDown
from armillary.sources.files import ending, hats

#: Folders with these endings are single stores or none of our business.
_CLOSED: Final = (".zarr", ".git", "__MACOSX", "__pycache__")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file as the folder shows it; `path` is relative with slashes, `mtime` in nanoseconds.

    `problem` says why it (or, for a folder, what lies in it) cannot be seen.
    """

    path: str
    size: int
    mtime: int
    problem: str = ""


def scan(folder: Path) -> list[Entry]:
    """List the data files under a folder, sorted by path; nothing is opened.

    Symbolic links are followed, but no folder is entered twice. Hidden files and folders are left out. O(n) system
    calls, about 5 microseconds a file; 100,000 files take less than a second.

    Raises
    ------
    SourceDown
        If the folder itself cannot be listed.
    """
    try:
        identity = folder.stat()
        os.scandir(folder).close()
    except OSError as broken:
        problem = f"the folder {folder} cannot be listed: {broken.strerror}"
        raise SourceDown(problem, "look whether it exists, is mounted and may be read") from None
    return sorted(_walk(str(folder), {(identity.st_dev, identity.st_ino)}))


def _walk(root: str, seen: set[tuple[int, int]]) -> Iterator[Entry]:
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                items = [item for item in listing if not item.name.startswith(".")]
        except OSError as broken:
            yield Entry(prefix.rstrip("/"), 0, 0, f"this folder cannot be listed: {broken.strerror}")
            continue
        folders, files = _sort_out(items)
        if hats.is_catalogue(Path(folder)):
            yield _catalogue(prefix, Path(folder))
            continue
        yield from _entries(prefix, files)
        waiting += [(f"{prefix}{one.name}/", one.path) for one in folders if _enter(one, seen)]


def _sort_out(items: "list[os.DirEntry[str]]") -> "tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]":
    folders, files = [], []
    for item in items:
        try:
            is_folder = item.is_dir()
        except OSError:
            is_folder = False
        if is_folder and not item.name.endswith(_CLOSED):
            folders.append(item)
        elif not is_folder:
            files.append(item)
    return folders, files


def _enter(item: "os.DirEntry[str]", seen: set[tuple[int, int]]) -> bool:
    """Say whether a folder is new: a link can point back to one that was already entered."""
    try:
        status = item.stat()
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    new = identity not in seen
    seen.add(identity)
    return new


def _entries(prefix: str, files: "list[os.DirEntry[str]]") -> Iterator[Entry]:
    headers = any(item.name.lower().endswith(".hdr") for item in files)
    for item in files:
        known = ending(item.name)
        if not known:
            continue
        name = _text(prefix + item.name)
        try:
            status = item.stat()
        except OSError as broken:
            yield Entry(name, 0, 0, f"it cannot be looked at: {broken.strerror}")
            continue
        if not stat.S_ISREG(status.st_mode):
            continue  # a pipe or a device would never end
        size, mtime = status.st_size, status.st_mtime_ns
        if headers and known == ".hdr":
            size, mtime = _with_companions(item, files, size, mtime)
        yield Entry(name, size, mtime)


def _catalogue(prefix: str, folder: Path) -> Entry:
    """Give one entry for a HATS catalogue, however many partitions it has."""
    told = next(folder / name for name in hats.NAMES if (folder / name).is_file())
    stats = [one.stat() for one in (told, *(cell.path for cell in hats.cells_of(folder)))]
    return Entry(_text(prefix + told.name), sum(one.st_size for one in stats), max(one.st_mtime_ns for one in stats))


def _with_companions(
    header: "os.DirEntry[str]", files: "list[os.DirEntry[str]]", size: int, mtime: int
) -> tuple[int, int]:
    """Count an ENVI header's data file in, so that a change of it is noticed."""
    stem = header.name[:-4]
    for item in files:
        if item.name == stem or (item.name.rpartition(".")[0] == stem and item.name != header.name):
            status = item.stat()
            size, mtime = size + status.st_size, max(mtime, status.st_mtime_ns)
    return size, mtime


def _text(name: str) -> str:
    """Keep names that are no UTF-8 usable in SQLite and JSON."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
