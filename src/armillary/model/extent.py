"""What part is asked for. Each part is a frozen value; a part that is None asks for all."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from armillary.errors import BadExtent
from armillary.model.times import TimeLike, format_time, parse_time


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open time interval, ``start <= t < stop``, in nanoseconds since 1970 UTC.

    Examples
    --------
    >>> Interval.of("2015-10-17", "2015-10-18") & Interval.of("2015-10-17T12:00", "2015-10-20")
    Interval.of('2015-10-17T12:00:00Z', '2015-10-18T00:00:00Z')
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        if self.start < self.stop:
            return
        first, second = format_time(self.start), format_time(self.stop)
        if self.start == self.stop:
            raise BadExtent(f"the interval {first} to {second} is empty", "give a stop later than the start")
        raise BadExtent(f"the start {first} is after the stop {second}", "exchange start and stop")

    def __repr__(self) -> str:
        return f"Interval.of({format_time(self.start)!r}, {format_time(self.stop)!r})"

    def __str__(self) -> str:
        return f"{format_time(self.start)} to {format_time(self.stop)}"

    def __and__(self, other: Self) -> Self | None:
        """Give the overlap, or None where there is none."""
        start, stop = max(self.start, other.start), min(self.stop, other.stop)
        return type(self)(start, stop) if start < stop else None

    def __contains__(self, ns: int) -> bool:
        return self.start <= ns < self.stop

    @classmethod
    def of(cls, start: TimeLike, stop: TimeLike) -> Self:
        """Read an interval from two times as people write them."""
        return cls(parse_time(start), parse_time(stop))

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return (self.stop - self.start) / 1e9


@dataclass(frozen=True, slots=True)
class Box:
    """A box in degrees, WGS 84 on the ground or ICRS on the sky; ``west > east`` crosses the 180 (360) degree line."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        _make_floats(self, "west", "south", "east", "north")
        edges = (self.west, self.south, self.east, self.north)
        hint = "give west,south,east,north in degrees"
        if not all(math.isfinite(edge) for edge in edges):
            raise BadExtent(f"the box {edges} has an edge that is not a number", hint)
        if not -90 <= self.south < self.north <= 90:
            raise BadExtent(f"the box {edges} needs -90 <= south < north <= 90", hint)
        if not (-360 <= self.west <= 360 and -360 <= self.east <= 360) or self.west == self.east:
            raise BadExtent(f"the box {edges} has no width or wraps twice", hint)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``west,south,east,north``.

        Examples
        --------
        >>> Box.of("13.5,45.8,14.0,46.1")
        Box(west=13.5, south=45.8, east=14.0, north=46.1)
        """
        try:
            west, south, east, north = (float(edge) for edge in text.split(","))
        except ValueError:
            raise BadExtent(f"{text!r} is not a box", "write west,south,east,north in degrees") from None
        return cls(west, south, east, north)


@dataclass(frozen=True, slots=True)
class Cone:
    """A circle on the sky, ICRS degrees."""

    ra: float
    dec: float
    radius: float

    def __post_init__(self) -> None:
        _make_floats(self, "ra", "dec", "radius")
        if not (math.isfinite(self.ra) and -90 <= self.dec <= 90 and 0 < self.radius <= 180):
            raise BadExtent(f"{self} is not a circle on the sky", "give ra,dec,radius in degrees, radius above 0")

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``ra,dec,radius``."""
        try:
            ra, dec, radius = (float(part) for part in text.split(","))
        except ValueError:
            raise BadExtent(f"{text!r} is not a cone", "write ra,dec,radius in degrees") from None
        return cls(ra % 360, dec, radius)


@dataclass(frozen=True, slots=True)
class Rows:
    """A half-open range of rows of a table, or of lines of an image, counted from 0."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise BadExtent(f"rows {self.start} to {self.stop} are empty or negative", "give first,last+1, from 0")

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``start,stop``."""
        try:
            start, stop = (int(part) for part in text.split(","))
        except ValueError:
            raise BadExtent(f"{text!r} is not a range of rows", "write start,stop, e.g. 0,1000") from None
        return cls(start, stop)


@dataclass(frozen=True, slots=True)
class Extent:
    """Which part of a product is asked for.

    Parameters
    ----------
    time : Interval, optional
        Half-open time interval.
    box : Box, optional
        Ground or sky box, degrees.
    cone : Cone, optional
        Circle on the sky, degrees.
    where : str, optional
        Predicate on columns, see `armillary.model.predicate`.
    rows : Rows, optional
        Rows of a table or lines of an image, counted before any other part is cut.

    Examples
    --------
    >>> Extent(time=Interval.of("2020-01-01", "2020-01-02")).without("time") == Extent()
    True
    """

    time: Interval | None = None
    box: Box | None = None
    cone: Cone | None = None
    where: str | None = None
    rows: Rows | None = None

    def without(self, *parts: str) -> Self:
        """Give the same extent with these parts set to all."""
        return replace(self, **dict.fromkeys(parts))

    def only(self, *parts: str) -> Self:
        """Give the same extent with every part but these set to all."""
        return self.without(*(part for part in ("time", "box", "cone", "where", "rows") if part not in parts))

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values; parts that are None are left out."""
        record: dict[str, Any] = {}
        if self.time:
            record["time"] = [format_time(self.time.start), format_time(self.time.stop)]
        if self.box:
            record["box"] = [self.box.west, self.box.south, self.box.east, self.box.north]
        if self.cone:
            record["cone"] = [self.cone.ra, self.cone.dec, self.cone.radius]
        if self.where:
            record["where"] = self.where
        if self.rows:
            record["rows"] = [self.rows.start, self.rows.stop]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote."""
        return cls(
            time=Interval.of(*record["time"]) if record.get("time") else None,
            box=Box(*map(float, record["box"])) if record.get("box") else None,
            cone=Cone(*map(float, record["cone"])) if record.get("cone") else None,
            where=record.get("where") or None,
            rows=Rows(*map(int, record["rows"])) if record.get("rows") else None,
        )


def _make_floats(value: Box | Cone, *names: str) -> None:
    """Turn numbers of any type into floats and -0 into 0, because equal extents must be written alike."""
    for name in names:
        object.__setattr__(value, name, float(getattr(value, name)) + 0.0)
