"""What a server says about one dataset (its ``/info``), checked and as plain values."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast, get_args

import numpy as np

from armillary.errors import BadAnswer

ColumnType = Literal["isotime", "string", "double", "integer"]
_NEXT: Final = "tell the maintainer of the server"
_MOST_CELLS: Final = 50_000_000
_NO_UNITS: Final = {"", "dimensionless", "none", "null"}
#: What of a parameter's description is kept as attributes, word for word.
_KEPT: Final = ("stringType", "coordinateSystemName", "vectorComponents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What a server says about one dimension of a parameter, its ``bins``.

    Parameters
    ----------
    centers : tuple of float or str
        Numbers, or the name of the parameter that holds them for each time; empty if there are none.
    ranges : tuple of pairs or str
        The same for lower and upper edges.
    """

    name: str = ""
    units: str = ""
    label: str = ""
    description: str = ""
    centers: tuple[float, ...] | str = ()
    ranges: tuple[tuple[float, float], ...] | str = ()

    @property
    def numeric(self) -> bool:
        """Whether there is a number for each bin."""
        return bool(self.centers or self.ranges)

    @property
    def asks(self) -> tuple[str, ...]:
        """Names of the parameters that hold its centres and edges."""
        return tuple(one for one in (self.centers, self.ranges) if one and isinstance(one, str))

    @property
    def counts(self) -> bool:
        """Whether it only counts components: 1, 2, 3 without units is no physical axis."""
        if self.units or isinstance(self.centers, str) or not 1 < len(self.centers) <= 9:
            return False
        return self.centers in {tuple(map(float, range(low, low + len(self.centers)))) for low in (0, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One parameter of a dataset.

    Parameters
    ----------
    length : int
        Bytes of a text in binary; 0 for numbers.
    size : tuple of int
        Shape of one record, () for a scalar.
    units : str
        One for all elements; "" if none or if they differ.
    each_units, labels : tuple of str
        One for each element, flat; empty if one serves all.
    fill : str, optional
        As the server wrote it.
    extra : mapping
        The kept attributes.
    """

    name: str
    type: ColumnType
    length: int = 0
    size: tuple[int, ...] = ()
    units: str = ""
    each_units: tuple[str, ...] = ()
    label: str = ""
    labels: tuple[str, ...] = ()
    description: str = ""
    fill: str | None = None
    axes: tuple[Axis, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def cells(self) -> int:
        """How many values one record has."""
        return math.prod(self.size)

    @property
    def record_bytes(self) -> int:
        """Bytes of one record in HAPI binary."""
        width = {"double": 8, "integer": 4}.get(self.type, self.length)
        return width * self.cells

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in {"double", "integer"}

    @property
    def fill_value(self) -> float | None:
        """The fill value as a number; None if there is none or it cannot occur in the type."""
        if not self.numeric or self.fill is None:
            return None
        try:
            value = float(self.fill)
        except ValueError:
            return None
        possible = math.isnan(value) or (value.is_integer() and abs(value) <= 2**31)
        return value if self.type == "double" or possible else None

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The type of its values in our data; an integer that may be missing becomes a float."""
        if not self.numeric:
            return np.dtype("U1")
        missing = self.type == "double" or self.fill_value is not None
        return np.dtype(np.float64 if missing else np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """One dataset.

    Parameters
    ----------
    columns : tuple of Column
        In the server's order; the first is the time.
    raw : mapping
        All the server said, for what is asked seldom.
    """

    columns: tuple[Column, ...]
    start: str
    stop: str
    raw: Mapping[str, Any]

    @property
    def time(self) -> Column:
        """The time column."""
        return self.columns[0]

    def text(self, *names: str) -> str:
        """Give the first of these attributes that says something, as one text."""
        found = (self.raw.get(name) for name in names)
        return next((_text(one) for one in found if one), "")

    def wanted(self, parameter: str) -> tuple[Column, ...]:
        """Give the columns that serve one parameter ("" for all): the time, it, and those its bins name.

        Raises
        ------
        KeyError
            If there is no such parameter.
        """
        if not parameter:
            return self.columns
        known = {column.name: column for column in self.columns}
        names = {self.time.name, parameter} | {name for axis in known[parameter].axes for name in axis.asks}
        return tuple(column for column in self.columns if column.name in names)


def read_info(answer: Mapping[str, Any], name: str) -> Info:
    """Check what ``/info`` answered.

    Parameters
    ----------
    answer : mapping
        The JSON; references to its ``definitions`` are followed.
    name : str
        What to call it in messages.

    Raises
    ------
    BadAnswer
        Naming the dataset and what is wrong.
    """
    try:
        resolved = _resolve(answer, answer, 0)
        columns = tuple(_read_column(one) for one in resolved["parameters"])
        start, stop = _text(resolved.get("startDate")), _text(resolved.get("stopDate"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as wrong:
        raise BadAnswer(f"the information about {name} is not understood: {wrong!r}", _NEXT) from wrong
    _check(columns, name)
    return Info(columns=_known_axes(columns), start=start, stop=stop, raw=resolved)


def _check(columns: Sequence[Column], name: str) -> None:
    names = [column.name for column in columns]
    if not columns or columns[0].type != "isotime" or columns[0].size:
        raise BadAnswer(f"the first parameter of {name} is not a time", _NEXT)
    if len(set(names)) != len(names) or not all(names):
        raise BadAnswer(f"two parameters of {name} have the same name, or one has none", _NEXT)
    if sum(column.cells for column in columns) > _MOST_CELLS:
        raise BadAnswer(f"a record of {name} would have more than {_MOST_CELLS} values", _NEXT)


def _known_axes(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Drop references to parameters that do not exist or do not fit."""
    known = {column.name: column for column in columns}
    return tuple(
        replace(one, axes=tuple(_known_axis(axis, size, known) for axis, size in zip(one.axes, one.size, strict=True)))
        for one in columns
    )


def _known_axis(axis: Axis, size: int, known: Mapping[str, Column]) -> Axis:
    centers, ranges = axis.centers, axis.ranges
    if isinstance(centers, str) and not _holds(known.get(centers), (size,)):
        centers = ()
    if isinstance(ranges, str) and not _holds(known.get(ranges), (size, 2)):
        ranges = ()
    return replace(axis, centers=centers, ranges=ranges)


def _holds(column: Column | None, size: tuple[int, ...]) -> bool:
    return column is not None and column.numeric and column.size == size


def _resolve(value: Any, root: Mapping[str, Any], depth: int) -> Any:
    """Follow ``{"$ref": "#/definitions/..."}``."""
    if depth > 40:
        raise ValueError("its references go in circles")
    if isinstance(value, Mapping):
        if isinstance(target := value.get("$ref"), str):
            return _resolve(_at(root, target), root, depth + 1)
        return {name: _resolve(one, root, depth + 1) for name, one in value.items() if name != "definitions"}
    if isinstance(value, list) and not all(isinstance(one, int | float | str) for one in value):
        return [_resolve(one, root, depth + 1) for one in value]
    return value


def _at(root: Mapping[str, Any], target: str) -> Any:
    found: Any = root
    for step in target.removeprefix("#").strip("/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _read_column(one: Mapping[str, Any]) -> Column:
    kind = _read_type(one["type"])
    size = _read_size(one.get("size"))
    units, each_units = _spread(one.get("units"), size)
    label, labels = _spread(one.get("label"), size)
    fill = one.get("fill")
    return Column(
        name=str(one["name"]),
        type=kind,
        length=_read_length(one, kind),
        size=size,
        units="" if units.lower() in _NO_UNITS else units,
        each_units=each_units,
        label=label,
        labels=labels,
        description=_text(one.get("description")),
        fill=None if fill is None else str(fill),
        axes=_read_axes(one.get("bins"), size) if size else (),
        extra=tuple((name, _text(one[name])) for name in _KEPT if one.get(name)),
    )


def _read_type(name: str) -> ColumnType:
    for known in get_args(ColumnType):
        if name == known:
            return cast("ColumnType", known)
    raise ValueError(f"type {name!r}")


def _read_size(size: Any) -> tuple[int, ...]:
    if size is None:
        return ()
    found = tuple(int(one) for one in (size if isinstance(size, list) else [size]))
    if any(one < 1 for one in found) or len(found) > 8:
        raise ValueError(f"size {size!r}")
    # a size of [1] is a scalar to most servers
    return () if found == (1,) else found


def _read_length(one: Mapping[str, Any], kind: str) -> int:
    if kind in {"double", "integer"}:
        return 0
    # without a length only CSV can be read; binary says so itself
    length = int(one.get("length") or 0)
    if not 0 <= length <= 2**20:
        raise ValueError(f"length {length}")
    return length


def _read_axes(bins: Any, size: tuple[int, ...]) -> tuple[Axis, ...]:
    given = bins if isinstance(bins, list) else []
    axes = [_read_axis(one or {}, length) for one, length in zip(given, size, strict=False)]
    return tuple(axes + [Axis()] * (len(size) - len(axes)))


def _read_axis(one: Mapping[str, Any], length: int) -> Axis:
    units, _ = _spread(one.get("units"), (length,))
    label, _ = _spread(one.get("label"), (length,))
    return Axis(
        name=_text(one.get("name")),
        units="" if units.lower() in _NO_UNITS else units,
        label=label,
        description=_text(one.get("description")),
        centers=_read_centers(one.get("centers"), length),
        ranges=_read_ranges(one.get("ranges"), length),
    )


def _read_centers(centers: Any, length: int) -> tuple[float, ...] | str:
    if centers is None or isinstance(centers, str):
        return centers or ""
    if not isinstance(centers, list) or not all(isinstance(one, int | float) for one in centers):
        return ()
    found = tuple(float(one) for one in centers)
    return found if len(found) == length else ()


def _read_ranges(ranges: Any, length: int) -> tuple[tuple[float, float], ...] | str:
    if ranges is None or isinstance(ranges, str):
        return ranges or ""
    if not isinstance(ranges, list) or not all(_is_pair(one) for one in ranges):
        return ()
    found = tuple((float(low), float(high)) for low, high in ranges)
    return found if len(found) == length else ()


def _is_pair(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 2 and all(isinstance(edge, int | float) for edge in one)


def _spread(value: Any, size: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    """Read a text that may be one for all or one for each element: (the one, the many)."""
    if not isinstance(value, list):
        return _text(value).strip(), ()
    each = tuple(_text(one).strip() for one in _flat(value))
    if len(set(each)) == 1:
        return each[0], ()
    return "", each if len(each) == math.prod(size) else ()


def _flat(value: Iterable[Any]) -> Iterable[Any]:
    for one in value:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    return json.dumps(value, sort_keys=True)
