"""Where the state of one user lives."""

import os
from pathlib import Path

from armillary.errors import CannotWrite


def home() -> Path:
    """Give the folder of all state, ``ARMILLARY_HOME`` or the platform's data folder, made if it is not there.

    Raises
    ------
    CannotWrite
        If it cannot be made.
    """
    named = os.environ.get("ARMILLARY_HOME")
    folder = Path(named).expanduser() if named else _platform_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as broken:
        raise CannotWrite(
            f"the home folder {folder} cannot be made: {broken.strerror}", "set ARMILLARY_HOME to a writable folder"
        ) from None
    return folder


def _platform_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("armillary", appauthor=False)
