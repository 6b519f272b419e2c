"""What one look at a file says: enough for the tree, without reading its data.

Each module of this room is one file family and has the same two functions::

    def describe(path: Path) -> Summary: ...
    def read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data: ...

Both raise `DamagedFile`, naming the file and the reason, for anything that is wrong with the file.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from armillary.model import Interval
from armillary.model.times import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One product that a file can give.

    Parameters
    ----------
    name : str
        As `read` wants it; empty for the whole file (a table, an image).
    kind : str
        See `armillary.model.kinds`.
    rows, row_bytes : int
        Samples or rows, and bytes for each.
    cadence : float, optional
        Median seconds between samples.
    shape : tuple of int, optional
        Sizes of the dimensions after time.
    axes : tuple of str
        Name and title of each of them, in one text; empty unless all are known.
    columns : tuple of str
        Of a table: names, each with its UCD after a blank where that is known.
    """

    name: str
    title: str
    kind: str
    units: str = ""
    description: str = ""
    rows: int | None = None
    row_bytes: int = 8
    cadence: float | None = None
    shape: tuple[int, ...] | None = None
    axes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a file holds.

    Parameters
    ----------
    dataset : str
        What files of the same kind but of other times share, "" if only the name can tell. For ISTP CDF it is the
        ``Logical_source``.
    shape : str
        Files whose texts differ here cannot be joined (the grid of a raster, for instance).
    """

    format: str
    variables: tuple[Variable, ...]
    dataset: str = ""
    title: str = ""
    coverage: Interval | None = None
    shape: str = ""
    citation: str = ""
    licence: str = ""
    selects: tuple[str, ...] = field(default=("time",))

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        record = asdict(self)
        span = self.coverage
        return record | {"coverage": [format_time(span.start), format_time(span.stop)] if span else None}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote."""
        span = record["coverage"]
        values = record | {
            "variables": tuple(_variable(one) for one in record["variables"]),
            "coverage": Interval.of(*span) if span else None,
            "selects": tuple(record["selects"]),
        }
        return cls(**values)


def _variable(record: dict[str, Any]) -> Variable:
    shape = record.get("shape")
    texts = {name: tuple(record.get(name, ())) for name in ("axes", "columns")}
    told = {"shape": None if shape is None else tuple(shape), **texts}
    return Variable(**{**record, **told})
