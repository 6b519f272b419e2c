"""Putting a finished file or folder in its place: all of it or nothing."""

import errno
import glob
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from armillary.errors import CannotWrite

#: How an aside name is cut, so that it stays within the 255 bytes that file systems allow.
_LONGEST: Final = 100
_ZARR_MARKS: Final = ("zarr.json", ".zgroup")
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_HINTS: Final = {
    errno.EACCES: "choose a folder where you may write",
    errno.EPERM: "choose a folder where you may write",
    errno.EROFS: "choose a folder that is not mounted read-only",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "choose another name, a folder has this one",
}


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """Give a hidden name beside `path` to write to; what stands there at the end is moved to `path`.

    Parameters
    ----------
    path : Path
        The target: a file, or a folder for Zarr. An existing one stays untouched until the new one is complete.

    Notes
    -----
    Whatever is raised inside the block, nothing half-written remains. Only a killed process leaves its hidden file; the
    next one that saves to the same target on this machine removes it.
    """
    _sweep(path)
    aside = path.with_name(f"{_prefix(path)}{os.getpid()}-{secrets.token_hex(4)}{path.suffix.lower()}")
    try:
        yield aside
        _settle(aside)
        _move(aside, path)
    finally:
        for left in _beginning_with(path.parent, aside.name):
            _remove(left)


def check_target(path: Path) -> None:
    """Refuse a target that can never be saved to.

    Raises
    ------
    CannotWrite
        If its folder is missing, or a folder that is not a Zarr store has its name.
    """
    parent = path.parent
    if not parent.exists():
        raise CannotWrite(f"cannot save {path}: there is no folder {parent}", f"make it: mkdir -p {parent}")
    if not parent.is_dir():
        raise CannotWrite(f"cannot save {path}: {parent} is not a folder", "choose a folder to save in")
    if path.is_dir() and path.suffix.lower() != ".zarr":
        raise CannotWrite(f"cannot save {path}: a folder has this name", "choose another name")
    if path.is_dir() and any(path.iterdir()) and not any((path / mark).exists() for mark in _ZARR_MARKS):
        raise CannotWrite(f"cannot save {path}: this folder holds something else than Zarr", "choose another name")


def cannot_write(path: Path, broken: BaseException) -> CannotWrite:
    """Say in one line why `path` could not be saved and what to do.

    Examples
    --------
    >>> import errno
    >>> str(cannot_write(Path("a.nc"), OSError(errno.EROFS, "read-only")))
    'cannot save a.nc: Read-only file system. Next step: choose a folder that is not mounted read-only'
    """
    number = _error_number(broken)
    reason = os.strerror(number) if number else str(broken) or type(broken).__name__
    hint = _HINTS.get(number, f"look whether the disk at {path.parent} is full, or choose another place")
    if number in _FULL:
        hint = f"free some space at {path.parent} (`armillary cache clear` may help), or choose another disk"
    return CannotWrite(f"cannot save {path}: {reason}", hint)


def is_refusal(broken: BaseException) -> bool:
    """Say whether the system refused to write; HDF5 sometimes raises this as a `RuntimeError`."""
    return isinstance(broken, OSError) or bool(_error_number(broken))


def _error_number(broken: BaseException) -> int:
    """Find the error number; HDF5 and GDAL tell it only in their texts."""
    found = getattr(broken, "errno", None)
    if found:
        return int(found)
    text = str(broken).lower()
    named = ((number, os.strerror(number).lower()) for number in (*_FULL, *_HINTS))
    return next((number for number, words in named if words in text or f"errno = {number}," in text), 0)


def _prefix(path: Path) -> str:
    return f".{path.name[:_LONGEST]}.part-{socket.gethostname()[:20]}-"


def _sweep(path: Path) -> None:
    """Remove what a killed process of this machine left aside for the same target."""
    for left in _beginning_with(path.parent, _prefix(path)):
        owner = left.name.removeprefix(_prefix(path)).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            _remove(left)


def _beginning_with(folder: Path, name: str) -> list[Path]:
    return list(folder.glob(f"{glob.escape(name)}*"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _settle(aside: Path) -> None:
    files = [one for one in aside.rglob("*") if one.is_file()] if aside.is_dir() else [aside]
    for one in files:
        _sync(one)


def _move(aside: Path, path: Path) -> None:
    if not aside.is_dir():
        aside.replace(path)
    elif path.exists():
        _exchange(aside, path)
    else:
        aside.rename(path)
    _sync(path.parent)


def _exchange(aside: Path, path: Path) -> None:
    """Put a folder in the place of another: no system call does both at once everywhere."""
    old = aside.with_name(f"{aside.name}.old")
    path.rename(old)
    try:
        aside.rename(path)
    except BaseException:
        old.rename(path)
        raise
    _remove(old)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(left: Path) -> None:
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left, ignore_errors=True)
        return
    with suppress(OSError):
        left.unlink()
