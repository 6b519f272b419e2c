"""Saving products: one module a format family, one function for all of them."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import ArmillaryError, BadRequest
from armillary.model import Data, Progress, silent
from armillary.sources.write.blocks import Blocks
from armillary.sources.write.placing import cannot_write, check_target, is_refusal, placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The module and its function for each ending.
_FORMATS: Final = {
    ".cdf": ("cdf", "save"),
    ".csv": ("tables", "save_csv"),
    ".csv.gz": ("tables", "save_csv"),
    ".fits": ("astro", "save_fits"),
    ".nc": ("netcdf", "save"),
    ".parquet": ("tables", "save_parquet"),
    ".tif": ("rasters", "save"),
    ".vot": ("votable", "save"),
    ".zarr": ("zarr_store", "save"),
}
#: The endings that `write` knows.
ENDINGS: Final = tuple(_FORMATS)


def write(data: "Data | Iterable[Data]", path: str | Path, progress: Progress = silent) -> Path:
    """Save data in the format that the ending of `path` names, all of it or nothing.

    Parameters
    ----------
    data : Dataset, Table or iterable of them
        An iterable gives consecutive blocks: along time (or ``y``) for datasets, row after row for tables. ``.nc``,
        ``.zarr``, ``.csv``, ``.parquet`` and ``.vot``, and ``.tif`` along ``y``, hold one block at a time in memory;
        the other formats join them first.
    path : str or Path
        Where to. What is there already is replaced in one step, once the new one is complete.
    progress : Progress
        Told after each block; if it raises `Cancelled` nothing is left behind.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    BadRequest
        If no format has this ending.
    CannotWrite
        If the format cannot hold such data, or the system refuses: no such folder, no permission, disk full.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write(pa.table({"ra": [1.5], "dec": [2.0]}), f"{folder}/stars.csv")
    ...     path.read_text().splitlines()[-2:]
    ['ra,dec', '1.5,2']
    """
    path = Path(path).expanduser()
    check_path(path)
    module, function = _FORMATS[ending(path)]
    save = getattr(import_module(f"armillary.sources.write.{module}"), function)
    _save(save, data, path, progress)
    return path


def ending(path: str | Path) -> str:
    """Give the ending of `path` that names its format.

    Raises
    ------
    BadRequest
        If no format has it.

    Examples
    --------
    >>> ending("a/b.csv.GZ")
    '.csv.gz'
    """
    name = Path(path).name.lower()
    found = [one for one in _FORMATS if name.endswith(one) and name != one]
    if not found:
        raise BadRequest(f"no format has the ending of {str(path)!r}", f"choose one of {' '.join(ENDINGS)}")
    return max(found, key=len)


def check_path(path: str | Path) -> None:
    """Refuse a path that `write` could not save to, before any work is done: wrong ending, no such folder.

    Raises
    ------
    BadRequest, CannotWrite
    """
    ending(path)
    check_target(Path(path).expanduser())


def _save(
    save: "Callable[[Blocks, Path], None]", data: "Data | Iterable[Data]", path: Path, progress: Progress
) -> None:
    blocks = Blocks(data, progress)
    try:
        with placed(path) as aside:
            save(blocks, aside)
    except ArmillaryError:
        raise
    except (OSError, RuntimeError) as broken:
        # An error of whoever gives the blocks is not one of saving.
        if any(broken is one for one in blocks.failed) or not is_refusal(broken):
            raise
        raise cannot_write(path, broken) from broken
