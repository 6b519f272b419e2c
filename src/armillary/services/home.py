"""Where the state of one user lives, and what the environment says about it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import BadRequest, CannotWrite

if TYPE_CHECKING:
    from armillary.cache import Cache

_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def home() -> Path:
    """Give the folder of all state, ``ARMILLARY_HOME`` or the platform's data folder, made if it is not there.

    Raises
    ------
    CannotWrite
        If it cannot be made or written to.
    """
    named = os.environ.get("ARMILLARY_HOME")
    return make_folder(Path(named).expanduser() if named else _platform_folder())


def make_folder(folder: Path) -> Path:
    """Make a folder for state if it is not there.

    Raises
    ------
    CannotWrite
        If it cannot be made or written to.
    """
    hint = "set ARMILLARY_HOME to a folder that you may write to"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise CannotWrite(f"the home {folder} is a file, not a folder", hint) from None
    except OSError as broken:
        raise CannotWrite(f"the home folder {folder} cannot be made: {broken.strerror}", hint) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotWrite(f"the home folder {folder} is not writable", hint)
    return folder


def cache_of(home: Path) -> "Cache":
    """Give the cache of a home; ``ARMILLARY_CACHE_LIMIT`` says how many bytes it keeps, such as ``500M``.

    Raises
    ------
    BadRequest
        If the limit is not a size.
    """
    from armillary.cache import Cache, open_cache

    limit = os.environ.get("ARMILLARY_CACHE_LIMIT")
    return Cache(home / "cache", read_size(limit)) if limit else open_cache(home)


def read_size(text: str) -> int:
    """Read a number of bytes as people write it, in units of 1024.

    Raises
    ------
    BadRequest
        If it is not one.

    Examples
    --------
    >>> read_size("500M"), read_size("1.5 GB"), read_size("1000")
    (524288000, 1610612736, 1000)
    """
    digits = text.strip().upper().removesuffix("B").removesuffix("I").strip()
    unit = digits[-1:] if digits[-1:] in _UNITS else ""
    try:
        size = float(digits.removesuffix(unit)) * _UNITS[unit]
        octets = int(size)
    except (ValueError, OverflowError):
        octets = 0
    if octets < 1:
        raise BadRequest(f"{text!r} is not a size of the cache", "write it like 500M or 20G")
    return octets


def _platform_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("armillary", appauthor=False)
