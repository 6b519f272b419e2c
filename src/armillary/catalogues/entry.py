"""The rows of catalogues and the catalogues themselves, as frozen values that check what they are given."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal, Self, TypeAlias, get_args

import numpy as np

from armillary.catalogues.geometry import check_geometry
from armillary.errors import BadExtent, BadParameter, BadRequest
from armillary.model import Interval, parse_time
from armillary.model.times import TimeLike, to_datetime64

#: What a free attribute may be; a list holds whole numbers, numbers, truths and texts.
Attribute: TypeAlias = bool | int | float | str | np.datetime64 | tuple[bool | int | float | str, ...]
#: What rows of a catalogue are.
CatalogueKind = Literal["events", "objects", "areas"]
CATALOGUE_KINDS: Final[tuple[str, ...]] = get_args(CatalogueKind)
#: Names that free attributes cannot have, because every row has them already.
RESERVED: Final = frozenset({
    "id", "start", "stop", "duration", "ra", "dec", "source_id", "geometry", "class", "class_", "attributes", "tags",
    "author", "model", "model_version", "rating", "version", "created", "modified",
})  # fmt: skip
_LONG: Final = 1 << 63
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)
_NEEDS: Final = {
    "events": "give start and stop",
    "objects": "give ra and dec in degrees, or a source_id",
    "areas": "give a GeoJSON geometry",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row: an event (`start`, `stop`), an object (`ra`, `dec`, `source_id`) or an area (`geometry`).

    Parameters
    ----------
    id : str
        Given by the store if empty. Two rows with one id are one row.
    start, stop : int, optional
        Nanoseconds since 1970 UTC, half open; ``start == stop`` is an instant.
    ra, dec : float, optional
        ICRS degrees.
    source_id : str
        Name of the object in its survey.
    geometry : mapping, optional
        GeoJSON geometry, longitude and latitude in degrees.
    class_ : str
        What it is; ``class`` in predicates and files.
    attributes : mapping of str to bool, int, float, str, numpy.datetime64 or tuple
        Free, typed values. None and NaN mean missing and are left out; times may be given as `datetime`.
    author, model, model_version : str
        Who or what found it.
    rating : int, optional
        Higher is better, as the author likes.
    version, created, modified : int
        Kept by the store: counts the changes; nanoseconds since 1970 UTC.

    Examples
    --------
    >>> Entry.event("2015-10-17", "2015-10-18", class_="icme", attributes={"b_max": 21.5}).interval
    Interval.of('2015-10-17T00:00:00Z', '2015-10-18T00:00:00Z')
    """

    id: str = ""
    start: int | None = None
    stop: int | None = None
    ra: float | None = None
    dec: float | None = None
    source_id: str = ""
    geometry: Mapping[str, Any] | None = None
    class_: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict, hash=False)
    tags: tuple[str, ...] = ()
    author: str = ""
    model: str = ""
    model_version: str = ""
    rating: int | None = None
    version: int = 0
    created: int = 0
    modified: int = 0

    def __post_init__(self) -> None:
        if self.start is not None or self.stop is not None:
            _check_times(self.start, self.stop)
        if self.ra is not None or self.dec is not None:
            _check_place(self.ra, self.dec)
        if self.geometry is not None:
            check_geometry(self.geometry)
        if self.tags.__class__ is not tuple:
            object.__setattr__(self, "tags", _texts(self.tags))
        object.__setattr__(self, "attributes", clean_attributes(self.attributes))

    def __hash__(self) -> int:
        return hash((self.id, self.version, self.start, self.stop, self.source_id))

    @classmethod
    def event(cls, start: TimeLike, stop: TimeLike, **others: Any) -> Self:
        """Make an event from two times as people write them."""
        return cls(start=_to_ns(start), stop=_to_ns(stop), **others)

    @property
    def interval(self) -> Interval | None:
        """Its time, or None if it has none or is an instant."""
        if self.start is None or self.stop is None or self.start == self.stop:
            return None
        return Interval(self.start, self.stop)

    def content(self) -> tuple[Any, ...]:
        """Give all that makes the row what it is: everything but id, version and times of change."""
        return tuple(getattr(self, name) for name in CONTENT)


#: Fields of an entry that its authors decide.
CONTENT: Final = tuple(one.name for one in fields(Entry) if one.name not in {"id", "version", "created", "modified"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A named set of rows.

    Parameters
    ----------
    where : str, optional
        Predicate of a dynamic catalogue: its rows are all that it finds, now and later.
    of : tuple of str
        Names of the catalogues that a dynamic one looks through; empty for all rows of the store.
    rows : int, optional
        Number of rows; None for a dynamic one, whose rows are counted when they are read.
    """

    name: str
    kind: str = "events"
    description: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    where: str | None = None
    of: tuple[str, ...] = ()
    created: int = 0
    modified: int = 0
    rows: int | None = None


def check_kind(entry: Entry, kind: str) -> None:
    """See that a row has what the rows of a catalogue of this kind must have.

    Raises
    ------
    BadRequest
        Saying what is missing.
    """
    if kind == "events":
        found = entry.start is not None
    elif kind == "objects":
        found = entry.ra is not None or bool(entry.source_id)
    else:
        found = entry.geometry is not None
    if not found:
        raise BadRequest(f"a row of a catalogue of {kind} lacks its place", _NEEDS[kind])


def clean_attributes(given: Mapping[str, Any]) -> dict[str, Attribute]:
    """Check names and values of free attributes and drop what is missing.

    Raises
    ------
    BadParameter
        If a name is taken by a field of every row, or a value is of no known type.

    Examples
    --------
    >>> clean_attributes({"b": 3, "c": None, "d": float("nan"), "e": ["x", 1]})
    {'b': 3, 'e': ('x', 1)}
    """
    clean: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value != value:  # noqa: PLR0124 - NaN and NaT are missing
            continue
        if name in RESERVED or not name or not name.isprintable():
            raise BadParameter(f"an attribute cannot be named {name!r}", "every row has that already: choose another")
        clean[name] = value if value.__class__ in _PLAIN else _clean(name, value)
    return clean


def type_of(value: Attribute) -> str:
    """Name the type of a clean attribute.

    Examples
    --------
    >>> [type_of(value) for value in (True, 3, 3.0, "a", np.datetime64(0, "ns"), (1,))]
    ['bool', 'int', 'float', 'str', 'time', 'list']
    """
    return _TYPES.get(value.__class__, "time")


_PLAIN: Final = frozenset({str, bool})
_TYPES: Final[dict[type, str]] = {bool: "bool", int: "int", float: "float", str: "str", tuple: "list"}
_ALLOWED: Final = "give a whole number, a number, true/false, a text, a time or a flat list of these but times"


def _clean(name: str, value: Any) -> Attribute:
    value = value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value
    if isinstance(value, bool | str):
        return value
    if isinstance(value, datetime | np.datetime64):
        return to_datetime64(parse_time(value))
    if isinstance(value, list | tuple):
        return tuple(_clean_item(name, item) for item in value)
    return _clean_number(name, value)


def _clean_item(name: str, item: Any) -> bool | int | float | str:
    clean = _clean(name, item)
    if isinstance(clean, tuple | np.datetime64):
        raise BadParameter(f"attribute {name!r} holds a list of {type_of(clean)}", _ALLOWED)
    return clean


def _clean_number(name: str, value: Any) -> int | float:
    if isinstance(value, int) and -_LONG <= value < _LONG:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise BadParameter(f"attribute {name!r} cannot be {value!r}", _ALLOWED)


def _to_ns(value: TimeLike) -> int:
    """Read a time; plain datetimes by integer arithmetic, because lists of 10,000 of them are usual."""
    if not isinstance(value, datetime) or not 1678 <= value.year < 2262:
        return parse_time(value)
    past = value - (_EPOCH if value.tzinfo else _NAIVE_EPOCH)
    return ((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds) * 1000


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise BadParameter(f"tags {given!r} are not a list of texts", 'give a list, e.g. ["seen", "checked"]')
    return tuple(given)


def _check_times(start: int | None, stop: int | None) -> None:
    if start is None or stop is None:
        raise BadExtent("a row has a start without stop or a stop without start", "give both or neither")
    if start > stop:
        Interval(start, stop)


def _check_place(ra: float | None, dec: float | None) -> None:
    if ra is None or dec is None:
        raise BadExtent("a row has ra without dec or dec without ra", "give both in degrees, or neither")
    if not (0 <= ra < 360 and -90 <= dec <= 90):
        raise BadExtent(f"ra {ra}, dec {dec} is not a place on the sky", "give 0 <= ra < 360 and -90 <= dec <= 90")
