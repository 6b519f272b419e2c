"""Free queries to TAP services: checked, cached by their canonical text, uploads in parts."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from armillary.errors import BadRequest, Conflict, UnknownArchive
from armillary.model import Archive, Data, Extent, Product, Progress, Request, Scalar, share, silent
from armillary.model.kinds import table_attrs, with_table_attrs
from armillary.services.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from armillary.sources.tap import TapSource
    from armillary.sources.tap.answers import Mode

#: So many times an answer may be put out of the cache in parts and asked for again.
_LISTS: Final = 100


@dataclass(slots=True)
class Outcome:
    """What is known of an answer; complete when its last block was taken.

    Parameters
    ----------
    bound : int, optional
        What the query itself says with TOP.
    cached : bool
        Whether nothing was asked.
    parts : int
        Into how many parts the upload was cut.
    """

    archive: str
    query: str
    bound: int | None = None
    rows: int = 0
    cached: bool = False
    parts: int = 1
    columns: list[dict[str, str]] = field(default_factory=list)

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class FreeQuery:
    """A query, where it goes, and how it is asked.

    Parameters
    ----------
    uploads : mapping of str to Table
        What stands in ``TAP_UPLOAD``.
    maxrec : int
        More rows than this are an error; 0 for the bound of the service.
    fresh : bool
        Ask without the cache.
    """

    archive: Archive
    text: str
    uploads: "Mapping[str, pa.Table]" = field(default_factory=dict)
    maxrec: int = 0
    mode: "Mode" = "auto"
    fresh: bool = False

    @property
    def product(self) -> Product:
        """What the cache keeps the answers under."""
        return Product(
            path=f"{self.archive.name}/adql",
            title=f"free queries to {self.archive.name}",
            kind="samples",
            source=self.archive.name,
            version=hashlib.sha256(self.archive.address.encode()).hexdigest()[:16],
            selects=(),
        )

    def request(self, **more: Scalar) -> Request:
        """Give the request that one part of the answer is kept under."""
        from armillary.sources.tap.adql import canonical
        from armillary.sources.tap.uploads import digest

        told = {name: digest(table) for name, table in sorted(self.uploads.items())}
        params: dict[str, Scalar] = {"query": canonical(self.text), "maxrec": self.maxrec}
        return Request(self.product.path, Extent(), {**params, "uploads": json.dumps(told), **more})


def tap_archive_of(desk: Desk, name: str) -> Archive:
    """Find a TAP service by the name of its archive, its URL or the short name of a known one.

    Raises
    ------
    UnknownArchive
        Naming those there are.
    """
    from armillary.sources.tap.known import KNOWN, tap_archive

    added = [one for one in desk.archives.values() if one.protocol == "tap"]
    found = next((one for one in added if name in {one.name, one.address}), None)
    if found:
        return found
    if name.lower() in KNOWN or name.startswith(("http://", "https://")):
        return tap_archive(name)
    there = ", ".join(dict.fromkeys([*(one.name for one in added), *KNOWN]))
    raise UnknownArchive(f"there is no TAP service {name!r}", f"there are: {there}; or give its URL")


def ask_freely(desk: Desk, query: FreeQuery, outcome: Outcome, progress: Progress = silent) -> "Iterator[pa.Table]":
    """Give the answer of a query in blocks, from the cache where it is there.

    Raises
    ------
    BadRequest
        What is wrong with the query: ours before it is sent, the service's afterwards.
    SourceDown, BadAnswer, DamagedFile
        Also if there are more rows than the service gives: never a part for the whole.
    """
    from armillary.sources.tap.adql import check_query, top_of

    check_query(query.text)
    outcome.bound = top_of(query.text)
    source = _source(desk, query.archive)
    upload = _divisible(query)
    blocks = (
        _by_parts(desk, source, query, upload, outcome, progress)
        if upload
        else _whole(desk, source, query, outcome, progress)
    )
    for block in blocks:
        outcome.rows += block.num_rows
        outcome.columns = outcome.columns or [_column(one) for one in block.schema]
        yield with_table_attrs(block, {"source": query.archive.name, "query": query.text})


def read_upload(path: Path, progress: Progress = silent) -> "pa.Table":
    """Read a table from a file of any family that gives tables.

    Raises
    ------
    BadRequest
        If there is no such file, or it holds no table.
    """
    import pyarrow as pa

    if not path.is_file():
        raise BadRequest(f"there is no file {str(path)!r} to upload", "give --upload NAME=FILE")
    if path.suffix.lower() in {".parquet", ".pq"}:
        from pyarrow import parquet

        return parquet.read_table(path)
    from armillary.sources.files import read

    found = read(path, "", Extent(), progress)
    if not isinstance(found, pa.Table):
        raise BadRequest(f"{path.name} holds no table", "upload a .parquet, .csv or .vot")
    return found


def _source(desk: Desk, archive: Archive) -> "TapSource":
    from armillary.sources.connect import connect

    return cast("TapSource", connect(archive, desk.home))


def _divisible(query: FreeQuery) -> str:
    """Give the name of the upload that may be sent in parts, "" if none may or need."""
    from armillary.sources.tap.adql import divisible
    from armillary.sources.tap.uploads import PROBE_ROWS

    if len(query.uploads) != 1:
        return ""
    ((name, table),) = query.uploads.items()
    return name if table.num_rows > PROBE_ROWS and divisible(query.text, name) else ""


def _by_parts(
    desk: Desk, source: "TapSource", query: FreeQuery, name: str, outcome: Outcome, progress: Progress
) -> "Iterator[pa.Table]":
    """Ask for parts of the upload, each kept by itself; a part that is refused for its size is halved."""
    from armillary.sources.tap.service import UploadTooLarge
    from armillary.sources.tap.uploads import CHUNK_ROWS, PROBE_ROWS

    table, able = query.uploads[name], source.capabilities()
    size = min(CHUNK_ROWS, able.upload_rows or CHUNK_ROWS)
    at, step, outcome.parts, asked = 0, PROBE_ROWS, 0, 0
    while at < table.num_rows:
        part = replace(query, uploads={name: table.slice(at, step)})
        told = share(progress, at / table.num_rows, min(1.0, (at + step) / table.num_rows))
        try:
            before, found = _kept(desk, part), _table(desk, source, part, told)
        except UploadTooLarge as refused:
            size = min(size, step) // 2
            if size < 1:
                raise BadRequest(f"{source.name} refuses every upload: {refused}", "join here instead") from None
            step = size
            continue
        outcome.parts, asked = outcome.parts + 1, asked + (not before)
        at, step = at + step, size
        yield found
    outcome.cached = not asked


def _kept(desk: Desk, query: FreeQuery) -> bool:
    return not query.fresh and desk.cache.has(query.product, query.request())


def _table(desk: Desk, source: "TapSource", query: FreeQuery, progress: Progress) -> "pa.Table":
    import pyarrow as pa

    def fetch(_: Request, told: Progress) -> "pa.Table":
        return pa.concat_tables(_blocks(source, query, told))

    if query.fresh:
        return fetch(query.request(), progress)
    found: Any = desk.cache.serve(query.product, query.request(), fetch, progress)
    return found


def _whole(
    desk: Desk, source: "TapSource", query: FreeQuery, outcome: Outcome, progress: Progress
) -> "Iterator[pa.Table]":
    """Give the whole answer block by block, and keep each block; the list of them is written last.

    Blocks of two askings are never put together: rows without an order come in another one each time.
    """
    if query.fresh:
        yield from _blocks(source, query, progress)
        return
    parts, free = _kept_parts(desk, query)
    if parts:
        outcome.cached = True
        for one in parts:
            yield _again(desk.cache.read(query.product, one))
        return
    run, number = uuid.uuid4().hex, -1
    for number, block in enumerate(_blocks(source, query, progress)):
        yield _keep(desk, query, query.request(run=run, part=number), block)
    _keep(desk, query, free, with_table_attrs(block.slice(0, 0), {"run": run, "parts": number + 1}))


def _kept_parts(desk: Desk, query: FreeQuery) -> tuple[list[Request], Request]:
    """Give the requests of the blocks of a complete answer, none if there is none; and that of the next list of them.

    A list some of whose blocks were put out of the cache is passed over.
    """
    for number in range(_LISTS):
        index = query.request(part="list", number=number)
        known = desk.cache.read(query.product, index)
        if known is None or hasattr(known, "isel"):
            return [], index
        attrs = table_attrs(known)
        parts = [query.request(run=attrs["run"], part=n) for n in range(attrs["parts"])]
        if all(desk.cache.has(query.product, one) for one in parts):
            return parts, index
    return [], index


def _again(found: "Data | None") -> Any:
    if found is None:
        raise Conflict("a part of the answer was just put out of the cache", "ask again")
    return found


def _keep(desk: Desk, query: FreeQuery, request: Request, block: "pa.Table") -> Any:
    return desk.cache.serve(query.product, request, lambda _request, _progress: block, silent)


def _blocks(source: "TapSource", query: FreeQuery, progress: Progress) -> "Iterator[pa.Table]":
    """Ask the service."""
    from armillary.sources.tap.service import UploadTooLarge
    from armillary.sources.tap.uploads import votable

    octets = {name: votable(table) for name, table in query.uploads.items()}
    try:
        yield from source.query(query.text, progress, uploads=octets, maxrec=query.maxrec or None, mode=query.mode)
    except UploadTooLarge as refused:
        if _divisible(query):
            raise
        hint = "upload fewer rows, or write the query so that it can be sent in parts (no COUNT, GROUP, ORDER, TOP)"
        raise BadRequest(f"{source.name} refuses the upload: {refused}", hint) from None


def _column(one: "pa.Field") -> dict[str, str]:
    told = {key.decode(): text.decode() for key, text in (one.metadata or {}).items()}
    return {"name": one.name, "type": str(one.type), **{name: told.get(name, "") for name in ("unit", "ucd")}}
