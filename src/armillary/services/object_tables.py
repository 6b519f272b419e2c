"""Tables of sources for a page: which columns are places, bands and numbers, and all of them as one binary message."""

import hashlib
import json
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadRequest, UnknownProduct
from armillary.model import Progress, Request, silent
from armillary.model.kinds import column_unit

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.science.photometry.columns import Columns
    from armillary.science.photometry.seds import Seds
    from armillary.services.desk import Desk

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: What a page draws at most: rows, and numbers in all columns.
MOST_ROWS: Final = 1_000_000
MOST_NUMBERS: Final = 60_000_000
#: A column of texts with more different ones has names, not classes.
_MOST_CLASSES: Final = 64
#: Columns that name a source, the first one that a table has.
_IDENTITIES: Final = ("source_id", "SOURCE_ID", "id", "designation", "source", "name")
_OPTICAL: Final = ("G", "BP", "RP")
#: A parallax tells a distance if it is so many standard errors.
_LEAST_PARALLAX: Final = 5.0
_KEPT: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class ObjectTable:
    """A table of sources, read.

    Parameters
    ----------
    request : Request
        What was asked for.
    data : pyarrow.Table
    identity : str
        The column that names a source; empty if rows are counted.
    columns : Columns
        Which of its columns is which band, error or parallax.
    emptied : mapping of str to int
        How many numbers of a column were no magnitudes (99, -999) and became null, see `without_nobodys`.
    """

    request: Request
    data: "pa.Table"
    identity: str
    columns: "Columns"
    emptied: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def ids(self, rows: Sequence[int] | Array | None = None) -> list[str]:
        """Give the names of sources, of all or of some rows."""
        if not self.identity:
            return [f"row {one}" for one in (range(len(self)) if rows is None else rows)]
        column = self.data.column(self.identity)
        return [str(one) for one in (column if rows is None else column.take(np.asarray(rows, np.int64))).to_pylist()]

    def rows_of(self, ids: Sequence[str]) -> Array:
        """Give the rows of sources.

        Raises
        ------
        UnknownProduct
            Naming a source that is not there.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self.identity:
            return _counted(ids, len(self))
        column = self.data.column(self.identity)
        found = pc.index_in(pa.array(list(ids), pa.string()), pc.cast(column, pa.string())).to_pylist()
        for name, row in zip(ids, found, strict=True):
            if row is None:
                raise UnknownProduct(f"{self.request.product} has no source {name!r}", f"give a {self.identity} of it")
        return np.array(found, np.int64)

    def places(self) -> tuple[Array, Array]:
        """Give right ascension and declination, degrees; NaN where there are none."""
        names = set(self.data.column_names)
        blank = np.full(len(self), np.nan)
        return tuple(numbers(self.data, one) if one in names else blank for one in ("ra", "dec"))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The last few things that pages looked at, so that a source page need not read the table again."""

    _held: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        """Give what has this key, made if it is not there; the oldest goes."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()
        with self._lock:
            self._held[key] = made
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return made


def read_objects(desk: "Desk", request: Request, progress: Progress = silent) -> ObjectTable:
    """Read a table of sources.

    Raises
    ------
    BadRequest
        If the product is no table of sources, or it has more rows than a page draws.
    ArmillaryError
    """
    product = desk.product(request.product)
    if product.kind != "sources":
        raise BadRequest(
            f"{product.path} is of the kind {product.kind}, no table of sources", "choose a leaf of sources"
        )
    parts: list[Any] = []
    rows = 0
    for block in desk.blocks(request, progress):
        rows += len(block)
        if rows > MOST_ROWS:
            raise BadRequest(
                f"{product.path} has more than {MOST_ROWS:,} rows", "ask for a part: where, cone, bbox or rows"
            )
        parts.append(block)
    return without_nobodys(objects_of(request, parts))


def objects_of(request: Request, parts: Sequence[Any]) -> ObjectTable:
    """Make one table of blocks, and see what its columns are."""
    import pyarrow as pa

    data = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    return ObjectTable(request, data, _identity_of(data), bands_of(data))


def bands_of(data: "pa.Table") -> "Columns":
    """Find which column is which: by the names of archives, or columns called J and e_J as the bands are.

    Examples
    --------
    >>> import pyarrow as pa
    >>> dict(bands_of(pa.table({"phot_g_mean_mag": [1.0], "J": [1.0], "e_J": [0.1]})).names)
    {'G': 'phot_g_mean_mag', 'J': 'J', 'J_error': 'e_J'}
    """
    from armillary.science.photometry.bands import BANDS
    from armillary.science.photometry.columns import Columns, find_columns

    known, there = find_columns(data), set(data.column_names)
    plain = {band.name: band.name for band in BANDS if band.name in there}
    plain |= {f"{name}_error": f"e_{name}" for name in plain if f"e_{name}" in there}
    own = {role: name for role, name in plain.items() if role.removesuffix("_error") not in known.names}
    return Columns(dict(sorted({**own, **known.names}.items(), key=_order)))


def without_nobodys(table: ObjectTable) -> ObjectTable:
    """Put null where a magnitude is none (99, -999), with its error: pages draw what is left, and tell how many."""
    import pyarrow as pa

    data, emptied = table.data, dict[str, int]()
    for band in table.columns.bands:
        name = table.columns.names[band.name]
        wrong = _nobodys(data, name)
        if not wrong.any():
            continue
        emptied[name] = int(wrong.sum())
        for one in filter(None, (name, table.columns.names.get(f"{band.name}_error"))):
            at = data.column_names.index(one)
            data = data.set_column(at, data.schema.field(at), _emptied(data.column(at), pa.array(wrong)))
    return replace(table, data=data, emptied=emptied)


def limits_of(table: ObjectTable) -> tuple[dict[str, Array], list[str]]:
    """Give which magnitudes are upper limits, by band, of bands that have any; and what a page says of them."""
    try:
        made = seds_of(table)
    except BadData as wrong:  # the columns can be looked at all the same
        return {}, [f"Upper limits are not told: {wrong.problem}; {wrong.next_step}"]
    places = {band.name: at for at, band in enumerate(made.bands)}
    there = {one.name: made.limit[:, places[one.name]] for one in table.columns.bands}
    found = {name: limit for name, limit in there.items() if limit.any()}
    counts = ", ".join(f"{name} {int(limit.sum()):,}" for name, limit in found.items())
    about = f"Upper limits are not drawn in the planes ({counts}); the energy distribution has them as arrows"
    return found, [about] if found else []


def seds_of(table: ObjectTable, rows: Array | None = None, *, corrected: bool = False) -> "Seds":
    """Build the energy distributions of all or some rows; `corrected` as published indices have them.

    A magnitude of Gaia without its error is no limit: Gaia lists no limits.
    """
    from armillary.science.photometry import columns

    data = table.data if rows is None else table.data.take(np.asarray(rows, np.int64)).combine_chunks()
    made = columns.seds_of(data, table.columns, colour_correction="table" if corrected else "none")
    optical = np.array([band.name in _OPTICAL for band in made.bands])
    return replace(made, limit=made.limit & ~optical)


def pack(head: Mapping[str, Any]) -> bytes:
    """Write a record with arrays as one message: a length, the record as JSON, the arrays.

    The form is that of `armillary.plots.record`; any array anywhere in the record becomes ``{type, shape, at}``.
    """
    blocks: list[bytes] = []
    reached = 0

    def place(value: Any) -> Any:
        nonlocal reached
        if isinstance(value, Mapping):
            return {key: place(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [place(one) for one in value]
        if not isinstance(value, np.ndarray):
            return value
        plain = np.ascontiguousarray(value).tobytes()
        at, padding = reached, -len(plain) % 8
        blocks.append(plain + bytes(padding))
        reached += len(plain) + padding
        return {"type": value.dtype.str[1:], "shape": list(value.shape), "at": at}

    text = json.dumps(place(head), separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return b"".join([struct.pack("<I", len(text)), text, *blocks])


def stamp(message: bytes) -> str:
    """Give what tells one message from another."""
    return hashlib.sha256(message).hexdigest()[:32]


def message_of(table: ObjectTable, title: str) -> bytes:
    """Write a table for a page: places, names, numbers (float32), classes and what follows from the bands.

    Raises
    ------
    BadRequest
        If it has too many numbers.
    """
    fields = [one for one in table.data.schema if one.name not in {table.identity, "ra", "dec"}]
    numeric = [one for one in fields if _is_number(one.type)]
    if len(numeric) * len(table) > MOST_NUMBERS:
        problem = f"{len(numeric)} columns of {len(table):,} rows are too much for a page"
        raise BadRequest(problem, "ask for fewer rows: where, cone, bbox or rows")
    ra, dec = table.places()
    columns = [_column(table, one) for one in numeric] + derived(table)
    classes = [one for one in (_classes(table, field.name) for field in fields if not _is_number(field.type)) if one]
    limits, notes = limits_of(table)
    if table.emptied:
        counts = ", ".join(f"{name} {count:,}" for name, count in table.emptied.items())
        notes.append(f"Numbers that are no magnitudes are left out ({counts}); products refuse them: make them null")
    bands = [{"name": one.name, "column": table.columns.names[one.name]} for one in table.columns.bands]
    return pack({
        "version": 1, "title": title, "product": table.request.product, "rows": len(table), "identity": table.identity,
        "ids": _joined(table.ids()), "ra": ra, "dec": dec,
        "bands": bands, "limits": {name: limit.astype(np.uint8) for name, limit in limits.items()}, "notes": notes,
        "columns": columns, "classes": classes + _lada(columns),
    })  # fmt: skip


def derived(table: ObjectTable) -> list[Record]:
    """Give the columns that follow from others: absolute G, spectral index."""
    from armillary.science.photometry.alpha import index_fit

    made, columns = [], table.columns
    if columns.has("G", "parallax", "parallax_error"):
        parallax, error, g = (columns.values(table.data, one) for one in ("parallax", "parallax_error", "G"))
        with np.errstate(invalid="ignore", divide="ignore"):
            absolute = g + 5 * np.log10(np.where(parallax > _LEAST_PARALLAX * error, parallax, np.nan) / 100)
        about = f"G at 10 pc by 1/parallax, where that is {_LEAST_PARALLAX:g} errors; dust is left in"
        made.append(_made("G_abs", "mag", about, absolute))
    if any(columns.has(one) for one in ("Ks", "W1", "W2", "W3", "W4")):
        about = "Slope of log(lambda F_lambda) from Ks to W4; three measured bands or none"
        try:
            made.append(_made("alpha", "", about, index_fit(seds_of(table, corrected=True)).alpha))
        except BadData as wrong:  # the columns can be looked at all the same
            made.append(_made("alpha", "", f"Not told: {wrong.problem}", np.full(len(table), np.nan)))
    return made


def numbers(data: "pa.Table", name: str) -> Array:
    """Give a column as float64, NaN where it is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.cast(data.column(name), pa.float64(), safe=False).to_numpy(), float)


def _nobodys(data: "pa.Table", name: str) -> Array:
    from armillary.science.photometry.columns import in_magnitudes
    from armillary.science.photometry.seds import MAGNITUDES

    if not (_is_number(data.schema.field(name).type) and in_magnitudes(data, name)):
        return np.zeros(data.num_rows, bool)
    values = numbers(data, name)
    return (values < MAGNITUDES[0]) | (values > MAGNITUDES[1])


def _emptied(column: Any, where: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(where, pa.scalar(None, column.type), column)


def _joined(names: Sequence[str]) -> Array:
    """Give names, one a line, as octets."""
    return np.frombuffer("\n".join(one.replace("\n", " ") for one in names).encode(), np.uint8)


def _identity_of(data: "pa.Table") -> str:
    """Give the first column that tells every row from all others; a name of a survey does not."""
    import pyarrow.compute as pc

    there = [one for one in _IDENTITIES if one in data.column_names]
    alone = (one for one in there if pc.count_distinct(data.column(one), mode="all").as_py() == data.num_rows)
    return next(alone, "source_id" if "source_id" in there else "")


def _order(pair: tuple[str, str]) -> int:
    from armillary.science.photometry.columns import NAMES

    return list(NAMES).index(pair[0])


def _counted(ids: Sequence[str], rows: int) -> Array:
    found = [int(one.removeprefix("row ")) if one.removeprefix("row ").isdecimal() else -1 for one in ids]
    wrong = [name for name, row in zip(ids, found, strict=True) if not 0 <= row < rows]
    if wrong:
        raise UnknownProduct(f"the table has no {wrong[0]!r}", f"its rows are 'row 0' to 'row {rows - 1}'")
    return np.array(found, np.int64)


def _is_number(type_: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_))


def _column(table: ObjectTable, one: Any) -> Record:
    about = (one.metadata or {}).get(b"description", b"").decode()
    return _made(one.name, column_unit(one), about, numbers(table.data, one.name))


def _made(name: str, unit: str, about: str, values: Array) -> Record:
    with np.errstate(over="ignore"):
        return {"name": name, "unit": unit, "about": about, "values": np.asarray(values, np.float32)}


def _classes(table: ObjectTable, name: str) -> Record | None:
    """Give a column of few texts as codes; None if it has many."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.data.column(name)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    coded = pc.dictionary_encode(pc.fill_null(column, "")).combine_chunks()
    words = coded.dictionary.to_pylist()
    if len(words) > _MOST_CLASSES:
        return None
    return {"name": name, "names": words, "codes": np.asarray(coded.indices.to_numpy(), np.uint8)}


def _lada(columns: Sequence[Record]) -> list[Record]:
    from armillary.science.photometry.alpha import classes

    alpha = next((one["values"] for one in columns if one["name"] == "alpha"), None)
    if alpha is None:
        return []
    names = ["", "I", "flat", "II", "III"]
    return [{"name": "Lada class", "names": names, "codes": _codes(classes(alpha), names)}]


def _codes(values: Array, names: Sequence[str]) -> Array:
    found = np.zeros(len(values), np.uint8)
    for code, name in enumerate(names):
        found[values == name] = code
    return found
