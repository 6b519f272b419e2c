"""Series in a NetCDF file or a Zarr store as blocks along time: only the part of a block is ever read."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, BadData, BadRequest, DamagedFile, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from armillary.learn.applying import Block
    from armillary.learn.gridding import Grid
    from armillary.learn.trained import Run

Array = np.ndarray[Any, np.dtype[Any]]
#: Endings of what holds series along time.
ENDINGS: Final = (".nc", ".nc4", ".cdf", ".h5", ".zarr")


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of a store that is read when it is asked for.

    Parameters
    ----------
    path : Path
    variables : mapping of str to str
        Column of the study, and the variable that it is in.
    grid : Grid
    rows : tuple of int
        First cell, end, and how many more on either side are for the features only.
    """

    path: Path
    variables: Mapping[str, str]
    grid: "Grid"
    rows: tuple[int, int, int]

    def __call__(self) -> "Block":
        """Make the block."""
        from armillary.learn.applying import Block
        from armillary.learn.gridding import samples_of

        low, high, more = self.rows
        part = self.grid.part(low - more, high + more)
        with _opened(self.path) as store:
            columns = {name: _column(store, variable, part) for name, variable in self.variables.items()}
        kept = np.zeros(part.count, bool)
        kept[more : more + high - low] = True
        return Block(samples_of(part, columns), kept)

    def record(self, _folder: Path, _number: int) -> dict[str, Any]:
        """Tell the block by plain values, see :func:`piece_of`."""
        grid = [self.grid.first, self.grid.step, self.grid.count]
        return {
            "kind": "store", "path": str(self.path.resolve()), "variables": dict(self.variables), "grid": grid,
            "rows": list(self.rows),
        }  # fmt: skip


def piece_of(record: Mapping[str, Any]) -> Piece:
    """Make a block of what :meth:`Piece.record` told."""
    from armillary.learn.gridding import Grid

    return Piece(Path(record["path"]), record["variables"], Grid(*record["grid"]), tuple(record["rows"]))


def blocks_of_store(run: "Run", path: Path) -> list[Callable[[], "Block"]]:
    """Give the blocks of a store whose variables are the columns of a study of series.

    Raises
    ------
    BadRequest
        If the model has learnt from no series.
    BadData
        If a column is missing, or the times are not in order.
    DamagedFile
    """
    from armillary.learn.gridding import grid_of
    from armillary.model import Interval

    cadence = run.recipe["cadence"]
    if not cadence:
        raise BadRequest("this model was not trained on a series with a cadence", "give a file in its study's layout")
    columns = run.recipe["columns"] or list(run.recipe["variables"])
    given = {str(new): str(old) for new, old in dict(run.study.data.options.get("names", {})).items()}
    with _opened(path) as store:
        variables = {name: _found(store, name, given.get(name, name), path) for name in columns}
        first, last = (int(store["time"][at].values.astype("M8[ns]").astype(np.int64)) for at in (0, -1))
    if last < first:
        raise BadData(f"the times of {path.name} are not in order", "sort the store along time")
    grid = grid_of(Interval(first, last + 1), cadence)
    return [Piece(path, variables, grid, rows) for rows in rows_of(run, grid)]


def rows_of(run: "Run", grid: "Grid") -> list[tuple[int, int, int]]:
    """Cut a grid as far as the features of a run allow: first cell, end, and how many more on either side."""
    from armillary.learn.applying import BLOCK_ROWS, reach_of

    reach = reach_of(run.study, grid.step / 1e9)
    more = 0 if np.isinf(reach) else int(np.ceil(reach * 1e9 / grid.step))
    size = grid.count if np.isinf(reach) else max(BLOCK_ROWS, 4 * more)
    return [(low, min(low + size, grid.count), more) for low in range(0, grid.count, size)]


def _column(store: "xr.Dataset", variable: str, grid: "Grid") -> Array:
    """Give the mean in each cell of a grid; only the samples in it, and one beyond either end, are read."""
    from armillary.learn.gridding import Column

    times = store["time"]
    low, high = (_place(times, one) for one in (grid.interval.start, grid.interval.stop))
    part = store[variable].isel(time=slice(max(low - 1, 0), high + 1)).load()
    made = Column(grid)
    values = np.asarray(part.values, float).reshape(part.sizes["time"], -1)
    if len(values):
        made.add(part["time"].values.astype("M8[ns]").astype(np.int64), values)
    return made.values()


def _place(times: "xr.DataArray", instant: int) -> int:
    """Give the first sample that is not before an instant, looking at a few of them only."""
    return bisect_left(
        range(times.sizes["time"]), instant, key=lambda at: int(times[at].values.astype("M8[ns]").astype(np.int64))
    )


def _found(store: "xr.Dataset", name: str, variable: str, path: Path) -> str:
    wanted = next((one for one in (variable, name) if one in store.data_vars), None)
    if wanted is None or store[wanted].dims[:1] != ("time",) or store[wanted].dtype.kind not in "fiub":
        there = ", ".join(str(one) for one in store.data_vars) or "nothing"
        raise BadData(f"{path.name} has no series {variable!r} along 'time'", f"it has {there}")
    return wanted


def _with_times(store: "xr.Dataset", path: Path) -> "xr.Dataset":
    if "time" not in store.variables:
        raise BadData(f"{path.name} has no times", "give a store whose series lie along 'time'")
    return store


@contextmanager
def _opened(path: Path) -> "Iterator[xr.Dataset]":
    import xarray as xr

    try:
        # times stay on disk: a coordinate that is an index would be read whole
        options: dict[str, Any] = {"create_default_indexes": False, "cache": False}
        options |= {"engine": "zarr", "consolidated": False} if path.is_dir() else {"engine": "h5netcdf"}
        with xr.open_dataset(path, **options) as store:
            yield _with_times(store, path)
    except (ArmillaryError, MemoryError):
        raise
    except Exception as failed:
        problem = f"cannot read {path.name}: {one_line(str(failed))}"
        raise DamagedFile(problem, "give a NetCDF-4 file or a Zarr store") from failed
