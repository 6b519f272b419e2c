"""What libraries raise on broken files, in our words."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from armillary.errors import ArmillaryError, DamagedFile


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Turn whatever a library raises on a broken file into `DamagedFile` and drop its remarks on sloppy headers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ArmillaryError, FileNotFoundError, MemoryError):
        raise
    except Exception as broken:  # noqa: BLE001 - HDF5 and astropy raise dozens of kinds on broken files
        raise DamagedFile(f"{path.name}: {type(broken).__name__}: {str(broken)[:200]}", "fetch it again") from None
