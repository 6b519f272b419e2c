"""Tables and columns as a TAP service lists them, and the products they are."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Self

from armillary.errors import BadParameter
from armillary.model import Parameter, Product

#: What ADQL 2.1 reserves (section 2.1.2) and archives use as names; such a name must be quoted.
RESERVED: Final = frozenset(
    """
    absolute action add all allocate alter and any are as asc assertion at authorization avg begin between bit both by
    cascade case cast catalog char character check close coalesce collate collation column commit connect connection
    constraint constraints continue convert corresponding count create cross current cursor date day deallocate dec
    decimal declare default deferrable deferred delete desc describe descriptor diagnostics disconnect distinct domain
    double drop else end escape except exception exec execute exists external extract false fetch first float for
    foreign found from full get global go goto grant group having hour identity immediate in indicator initially inner
    input insensitive insert int integer intersect interval into is isolation join key language last leading left level
    like local lower match max min minute module month names national natural nchar next no not null nullif numeric of
    offset on only open option or order outer output overlaps pad partial position precision prepare preserve primary
    prior privileges procedure public read real references relative restrict revoke right rollback rows schema scroll
    second section select session set size smallint some space sql substring sum system table temporary then time
    timestamp to top trailing transaction translate trim true union unique unknown update upper usage user using value
    values varchar varying view when whenever where with work write year zone box centroid circle contains coord1
    coord2 coordsys distance intersects point polygon region area abs acos asin atan ceiling cos degrees exp floor log
    log10 mod pi power radians rand round sin sqrt tan truncate
    """.split()  # noqa: SIM905 - a list of words is read as words
)
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INTEGERS: Final = {"short", "int", "long", "unsignedbyte", "smallint", "integer", "bigint"}
_REALS: Final = {"float", "double", "real", "decimal", "numeric"}
_OCTETS: Final = {"short": 2, "smallint": 2, "unsignedbyte": 1, "boolean": 1, "int": 4, "integer": 4, "float": 4,
                  "real": 4}  # fmt: skip
_MAIN: Final = {
    "ra": {"pos.eq.ra;meta.main", "pos_eq_ra_main"},
    "dec": {"pos.eq.dec;meta.main", "pos_eq_dec_main"},
}
_DEGREES: Final = {"deg", "degree", "degrees", ""}
#: Octets of a row of a table of which no columns are known.
_ROW: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column as the service lists it."""

    name: str
    datatype: str = ""
    arraysize: str = ""
    xtype: str = ""
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    description: str = ""
    principal: bool = False
    indexed: bool = False

    @property
    def is_integer(self) -> bool:
        """Whether a value is one integer."""
        return self._plain in _INTEGERS and self._alone

    @property
    def is_real(self) -> bool:
        """Whether a value is one number with a fraction."""
        return self._plain in _REALS and self._alone

    @property
    def is_truth(self) -> bool:
        """Whether a value is true or false."""
        return self._plain in {"boolean", "bool"}

    @property
    def octets(self) -> int:
        """About how many octets a value takes."""
        if self._plain in {"char", "unicodechar", "varchar"}:
            return min(int(self.arraysize), 64) if self.arraysize.isdigit() else 16
        return _OCTETS.get(self._plain, 8)

    @property
    def bare(self) -> str:
        """The name without quotes."""
        return bare(self.name)

    @property
    def _plain(self) -> str:
        return self.datatype.lower().removeprefix("adql:").partition("(")[0].strip()

    @property
    def _alone(self) -> bool:
        return self.arraysize.strip() in {"", "1"}

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as the service lists it.

    Parameters
    ----------
    placed : bool
        Whether a column is said to be the main right ascension, known also where the columns are not.
    """

    name: str
    schema: str = ""
    kind: str = "table"
    description: str = ""
    rows: int | None = None
    placed: bool = False

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote."""
        return cls(**dict(record))


@dataclass(frozen=True, slots=True)
class Naming:
    """How the columns of one table are called in an answer: the position as ``ra`` and ``dec``.

    Parameters
    ----------
    columns : tuple of Column
        All of the table.
    given : mapping of str to str
        The bare name of each -> what it is called here.
    """

    columns: tuple[Column, ...]
    given: Mapping[str, str]

    def find(self, name: str) -> Column | None:
        """Find a column by its name here or there, in any case."""
        wanted = name.lower()
        for fits in (lambda one: self.given[one.bare], lambda one: one.bare):
            for one in self.columns:
                if fits(one).lower() == wanted:
                    return one
        return None

    def need(self, name: str) -> Column:
        """Find a column.

        Raises
        ------
        BadParameter
            Naming the nearest columns.
        """
        found = self.find(name)
        if found is None:
            near = get_close_matches(name.lower(), [one.bare.lower() for one in self.columns], 3, 0.5)
            hint = f"did you mean {' or '.join(near)}" if near else f"it has: {', '.join(self.given.values())}"
            raise BadParameter(f"there is no column {name!r}", hint)
        return found

    @property
    def placed(self) -> bool:
        """Whether there are ``ra`` and ``dec`` in degrees."""
        return {"ra", "dec"} <= set(self.given.values())


def naming(columns: Sequence[Column]) -> Naming:
    """Decide what the columns of a table are called.

    The main position is found by its UCD, else by the names ``ra`` and ``dec``; another column of such a name becomes
    ``ra_other``. A column ``time`` that is no instant
    gets another name, since a time is promised under it.
    """
    names = {one.bare: one.bare for one in columns}
    for wanted, ucds in _MAIN.items():
        main = next((one for one in columns if one.ucd.lower() in ucds and _in_degrees(one)), None)
        main = main or next((one for one in columns if one.bare == wanted and _in_degrees(one)), None)
        names |= {wanted: f"{wanted}_other"} if wanted in names else {}
        names |= {main.bare: wanted} if main else {}
    for one in columns:
        if one.bare == "time" and "timestamp" not in one.xtype.lower():
            names["time"] = "time_value"
    return Naming(tuple(columns), names)


def product_of(archive: str, url: str, table: Table, columns: Sequence[Column] | None, citation: str = "") -> Product:
    """Make the leaf of a table."""
    known = naming(columns or ())
    given = set(known.given.values())
    sources = known.placed or "source_id" in given if columns else table.placed
    told = {"url": url, "table": table.to_record(), "columns": [one.to_record() for one in columns or ()]}
    return Product(
        path=f"{archive}/{place_of(table)}",
        title=_title(table),
        kind="sources" if sources else "samples",
        source=archive,
        address=table.name,
        version=hashlib.sha256(repr(told).encode()).hexdigest()[:16],
        parameters=_KNOBS,
        selects=("box", "cone", "where", "rows") if sources else ("where", "rows"),
        row_bytes=sum(one.octets for one in columns) if columns else _ROW,
        columns=tuple(f"{known.given.get(one.bare, one.bare)} {one.ucd}".strip() for one in columns or ()),
        description=_description(table, columns),
        citation=citation,
    )


def place_of(table: Table) -> str:
    """Give where a table hangs under its archive.

    Examples
    --------
    >>> place_of(Table(name="gaiadr3.gaia_source", schema="gaiadr3"))
    'gaiadr3/gaia_source'
    >>> place_of(Table(name='"I/355/gaiadr3"', schema="viz1"))
    'I/355/gaiadr3'
    """
    name = bare(table.name.removeprefix(f"{table.schema}."))
    parts = name.split("/") if "/" in name else [bare(table.schema) or "tables", name]
    return "/".join(re.sub(r"\s+", " ", part).replace("/", "-").strip() or "-" for part in parts)


def quoted(name: str) -> str:
    """Give a column's name as it must stand in a query: quoted where it is no plain word or a reserved one.

    Examples
    --------
    >>> quoted("parallax"), quoted("size"), quoted("B-V"), quoted('"B-V"')
    ('parallax', '"size"', '"B-V"', '"B-V"')
    """
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name
    if _PLAIN.fullmatch(name) and name.lower() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: str) -> str:
    """Give a table's name as it must stand in a query.

    Examples
    --------
    >>> quoted_table("gaiadr3.gaia_source"), quoted_table("I/355/gaiadr3"), quoted_table('viz1."I/239/hip_main"')
    ('gaiadr3.gaia_source', '"I/355/gaiadr3"', 'viz1."I/239/hip_main"')
    """
    if '"' in name:
        return name
    parts = name.split(".")
    if len(parts) <= 3 and all(_PLAIN.fullmatch(part) for part in parts):
        return ".".join(map(quoted, parts))
    return quoted(name)


def bare(name: str) -> str:
    """Give a name without its quotes."""
    return name[1:-1].replace('""', '"') if len(name) > 2 and name[0] == name[-1] == '"' else name


def _in_degrees(one: Column) -> bool:
    return one.unit.lower() in _DEGREES and (one.is_real or not one.datatype)


def _title(table: Table) -> str:
    first = re.split(r"(?<=[.!?])\s", " ".join(table.description.split()), maxsplit=1)[0]
    return (first[:120] or bare(table.name)).rstrip(".") or table.name


def _description(table: Table, columns: Sequence[Column] | None) -> str:
    size = f" {table.rows:,} rows." if table.rows else ""
    names = f" Columns: {', '.join(one.bare for one in columns)}." if columns else ""
    return f"{' '.join(table.description.split())[:2000]}{size}{names}".strip()


_KNOBS: Final = (
    Parameter(name="columns", type="str", default="", description="names separated by commas; all if left out"),
    Parameter(name="top", type="int", default=0, low=0, description="at most so many rows, 0 for all"),
)
