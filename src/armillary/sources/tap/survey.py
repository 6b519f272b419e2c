"""What a service has: its tables, and their columns where there are not too many, from TAP_SCHEMA or else VOSI."""

import io
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadAnswer
from armillary.model import Progress, share
from armillary.sources.http import shown
from armillary.sources.tap.capabilities import need_vosi
from armillary.sources.tap.service import Service
from armillary.sources.tap.tables import Column, Table, naming
from armillary.sources.tap.votable import Overflow, Refused

if TYPE_CHECKING:
    import pyarrow as pa

#: A service with more tables than this tells the columns of each when they are needed.
MANY_TABLES: Final = 2_000
_PAGE: Final = 20_000
_LEFT_OUT: Final = ("tap_upload",)
_TABLES: Final = "SELECT * FROM TAP_SCHEMA.tables"
_PLACED: Final = (
    "SELECT table_name, column_name, ucd, unit, datatype FROM TAP_SCHEMA.columns WHERE ucd IN "
    "('pos.eq.ra;meta.main', 'pos.eq.dec;meta.main', 'POS_EQ_RA_MAIN', 'POS_EQ_DEC_MAIN')"
)

#: Asks a query and gives the whole answer; raises `Overflow` and `Refused`.
Ask = Callable[[str, int, Progress], "pa.Table"]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found: the tables, and the columns of those for which they were told."""

    tables: tuple[Table, ...]
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)


def survey(service: Service, ask: Ask, progress: Progress) -> Survey:
    """Ask a service for its tables.

    Raises
    ------
    SourceDown, BadAnswer
        If it does not tell.
    """
    try:
        tables = _list_tables(ask, share(progress, 0.0, 0.5))
    except (Refused, BadAnswer):
        return _vosi(service, share(progress, 0.5, 1.0))
    if not tables:
        raise BadAnswer(f"{shown(service.url)} lists no tables", "tell its maintainer")
    if len(tables) > MANY_TABLES:
        return Survey(_mark(tables, ask, share(progress, 0.5, 1.0)))
    try:
        rows = ask("SELECT * FROM TAP_SCHEMA.columns", 50 * MANY_TABLES * 10, share(progress, 0.5, 1.0))
    except Overflow:
        return Survey(_mark(tables, ask, share(progress, 0.5, 1.0)))
    columns = _columns(rows)
    return Survey(tuple(tables), {one.name: columns[one.name] for one in tables if one.name in columns})


def ask_columns(service: Service, ask: Ask, table: str, progress: Progress) -> tuple[Column, ...]:
    """Ask for the columns of one table.

    Raises
    ------
    BadAnswer
        If there are none.
    """
    name = table.replace("'", "''")
    try:
        found = _columns(ask(f"SELECT * FROM TAP_SCHEMA.columns WHERE table_name = '{name}'", _PAGE, progress))
    except (Refused, Overflow):
        found = dict(_vosi(service, progress, f"/{table}").columns)
    columns = found.get(table) or next(iter(found.values()), ())
    if not columns:
        raise BadAnswer(f"{shown(service.url)} tells no columns of {table}", "refresh the archive")
    return columns


def _list_tables(ask: Ask, progress: Progress) -> list[Table]:
    """List all tables; by pieces in the order of their names where the service gives a part only."""
    try:
        return _tables(ask(_TABLES, 10**7, progress))
    except Overflow:
        found: list[Table] = []
    after, size = "", _PAGE
    while True:
        text = f"SELECT TOP {size} * FROM TAP_SCHEMA.tables WHERE table_name > '{after}' ORDER BY table_name"
        try:
            rows = ask(text, size, progress)
        except Overflow:
            if size <= 10:
                raise BadAnswer("the service gives no list of its tables", "tell its maintainer") from None
            size //= 2
            continue
        found += _tables(rows)
        if rows.num_rows < size:
            return found
        after = str(_dicts(rows)[-1]["table_name"]).replace("'", "''")


def _mark(tables: Iterable[Table], ask: Ask, progress: Progress) -> tuple[Table, ...]:
    """Say of which tables the main position is known, without asking for all columns."""
    try:
        columns = _columns(ask(_PLACED, 10**7, progress))
    except (Refused, Overflow, BadAnswer):
        columns = {}
    return tuple(replace(one, placed=naming(columns.get(one.name, ())).placed) for one in tables)


def _tables(rows: "pa.Table") -> list[Table]:
    found = [
        Table(
            name=str(row["table_name"]).strip(),
            schema=_text(row, "schema_name"),
            kind=_text(row, "table_type"),
            description=_text(row, "description"),
            rows=_count(row.get("nrows") or row.get("size")),
        )
        for row in _dicts(rows)
        if row.get("table_name")
    ]
    return [one for one in found if one.schema.lower() not in _LEFT_OUT]


def _columns(rows: "pa.Table") -> dict[str, tuple[Column, ...]]:
    found: dict[str, list[tuple[float, Column]]] = {}
    for row in _dicts(rows):
        if row.get("table_name") and row.get("column_name"):
            place = row.get("column_index")
            one = _column(row)
            found.setdefault(str(row["table_name"]).strip(), []).append((float("inf") if place is None else place, one))
    return {name: tuple(one for _, one in sorted(some, key=lambda pair: pair[0])) for name, some in found.items()}


def _column(row: Mapping[str, Any]) -> Column:
    texts = ("datatype", "arraysize", "xtype", "unit", "ucd", "utype", "description")
    return Column(
        name=str(row["column_name"]).strip(),
        principal=_truth(row.get("principal")),
        indexed=_truth(row.get("indexed")),
        **{name: _text(row, name) for name in texts},
    )


def _vosi(service: Service, progress: Progress, place: str = "") -> Survey:
    """Read the list that the service has beside TAP_SCHEMA."""
    vosi = need_vosi()
    body = service.get(f"{service.url}/tables{place}", progress).body
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listed = vosi.parse_tables(io.BytesIO(body).read)
            schemas: Sequence[Any] = list(listed.tableset)
    except Exception as wrong:
        raise BadAnswer(f"{shown(service.url)} tells no tables", "check the URL of the service") from wrong
    tables, columns = [], {}
    for schema in schemas:
        for one in schema.tables:
            table = Table(
                name=one.name,
                schema=schema.name or "",
                description=one.description or "",
                rows=_count(getattr(one, "nrows", None)),
            )
            tables.append(table)
            columns[one.name] = tuple(_vosi_column(column) for column in one.columns)
    return Survey(tuple(tables), {name: some for name, some in columns.items() if some})


def _vosi_column(one: Any) -> Column:
    flags = {str(flag).lower() for flag in getattr(one, "flags", None) or ()}
    kind = one.datatype
    return Column(
        name=one.name,
        datatype=str(getattr(kind, "content", "") or ""),
        arraysize=str(getattr(kind, "arraysize", "") or ""),
        unit=one.unit or "",
        ucd=one.ucd or "",
        utype=one.utype or "",
        description=one.description or "",
        indexed=bool(flags & {"indexed", "primary"}),
    )


def _dicts(rows: "pa.Table") -> list[dict[str, Any]]:
    """Give rows by lower-case names: services differ in the case of TAP_SCHEMA's columns."""
    return [{name.lower(): value for name, value in row.items()} for row in rows.to_pylist()]


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "").strip()


def _truth(value: Any) -> bool:
    return str(value).strip().lower() in {"1", "true", "t"}


def _count(value: Any) -> int | None:
    text = str(value).strip() if value is not None else ""
    return int(text) if text.isdigit() and int(text) > 0 else None
