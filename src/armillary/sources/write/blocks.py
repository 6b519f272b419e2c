"""What is written comes as consecutive blocks; most often as one."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING

import numpy as np

from armillary.errors import BadData, NoData
from armillary.model import Data, Progress

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_REPORT = "report this to the maintainer of the source or recipe that made it"


class Blocks:
    """Consecutive blocks with the dimension they continue each other along.

    Parameters
    ----------
    data : Dataset, Table or iterable of them
        One block, or blocks of one kind.
    progress : Progress
        Told after each block; it may raise `Cancelled`.

    Attributes
    ----------
    first : Dataset or Table
        The first block; it says which variables there are.
    along : str
        Dimension that grows from block to block: ``row`` of tables, ``time`` or ``y`` of datasets.
    several : bool
        Whether there is more than one block.
    failed : list of BaseException
        What the iterable itself raised: not an error of writing.
    """

    def __init__(self, data: "Data | Iterable[Data]", progress: Progress) -> None:
        one = _is_data(data)
        stream = iter([data] if one else data)
        self.failed: list[BaseException] = []
        self._count = 1 if one else len(data) if isinstance(data, Sized) else 0
        self._progress = progress
        ahead = [block for block in (self._next(stream), self._next(stream)) if block is not None]
        if not ahead:
            raise NoData("there is nothing to save: no block of data came", "ask for a longer interval")
        self.first: Data = ahead[0]
        self.several = len(ahead) > 1
        self.along = _along(self.first, ahead[1] if self.several else None)
        self._ahead, self._stream = ahead, stream

    def __iter__(self) -> "Iterator[Data]":
        self._progress(0.0, "writing")
        for done, block in enumerate(self._all(), 1):
            _check_alike(self.first, block)
            yield block
            self._progress(min(done / self._count, 1.0) if self._count else 1 - 1 / (done + 1), f"{done} blocks saved")

    def _all(self) -> "Iterator[Data]":
        """Give the blocks that were looked at, without keeping them, then the others."""
        while self._ahead:
            yield self._ahead.pop(0)
        while (block := self._next(self._stream)) is not None:
            yield block

    def _next(self, stream: "Iterator[Data]") -> "Data | None":
        try:
            block = next(stream, None)
        except BaseException as broken:
            self.failed.append(broken)
            raise
        if block is not None and not _is_data(block):
            raise BadData(f"a {type(block).__name__} is neither a Dataset nor a Table", _REPORT)
        return block


def datasets(blocks: "Iterable[Data]") -> "Iterator[xr.Dataset]":
    """Give only datasets, for who can do nothing else."""
    import xarray as xr

    for block in blocks:
        if not isinstance(block, xr.Dataset):
            raise BadData("tables and datasets are mixed", _REPORT)
        yield block


def joined(blocks: Blocks) -> "Data":
    """Give all blocks as one, in memory.

    Raises
    ------
    BadData
        If they do not continue each other.
    """
    import xarray as xr

    from armillary.science.join import join

    pieces = list(blocks)
    if len(pieces) == 1:
        return pieces[0]
    if blocks.along == "y":
        return xr.concat(
            list(datasets(pieces)), "y", data_vars="minimal", coords="minimal", compat="equals", join="exact"
        )
    return join(pieces)


def in_steps(total: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut ``range(total)`` into consecutive pieces of at most `step`; at least one, perhaps empty.

    Examples
    --------
    >>> list(in_steps(5, 2)), list(in_steps(0, 2))
    ([(0, 2), (2, 4), (4, 5)], [(0, 0)])
    """
    step = max(step, 1)
    for start in range(0, max(total, 1), step):
        yield start, min(start + step, total)


def _is_data(data: object) -> bool:
    import pyarrow as pa
    import xarray as xr

    return isinstance(data, xr.Dataset | pa.Table)


def _along(first: "Data", second: "Data | None") -> str:
    import xarray as xr

    if not isinstance(first, xr.Dataset):
        return "row"
    rules: Sequence[tuple[str, Callable[[], bool]]] = (
        ("time", lambda: "time" in first.dims and not _same_times(first, second)),
        ("y", lambda: "y" in first.dims),
    )
    return next((name for name, holds in rules if holds()), "time" if "time" in first.dims else "")


def _same_times(first: "xr.Dataset", second: "Data | None") -> bool:
    """Say whether blocks of an image series continue each other in y: their times are the same."""
    import xarray as xr

    if not isinstance(second, xr.Dataset) or not {"y", "time"} <= set(second.dims):
        return False
    same = [np.array_equal(first[name].values, second[name].values) for name in ("time", "y") if name in first.coords]
    return same == [True, False]


def _check_alike(first: "Data", block: "Data") -> None:
    if type(first) is not type(block):
        raise BadData("tables and datasets are mixed", _REPORT)
    ours, theirs = _names(first), _names(block)
    if ours != theirs:
        wrong = min(ours ^ theirs)
        raise BadData(f"the blocks differ: {wrong!r} is not in all of them", _REPORT)


def _names(block: "Data | pa.Table") -> set[str]:
    import xarray as xr

    return {str(name) for name in (block.variables if isinstance(block, xr.Dataset) else block.column_names)}
