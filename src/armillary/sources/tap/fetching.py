"""From a request to the rows of a table: one query, or pages of it, never a part of the answer for the whole."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from armillary.errors import BadAnswer
from armillary.model import Product, Progress, Request, Rows, share
from armillary.model import predicate as where_language
from armillary.science.trim import columns as values_of
from armillary.science.trim import trim
from armillary.sources.tap.answers import Asker, Mode, is_late
from armillary.sources.tap.asking import Selection, select, sort_key
from armillary.sources.tap.paging import Page, cut, page_column, page_rows
from armillary.sources.tap.service import Query
from armillary.sources.tap.tables import Column, Naming, naming
from armillary.sources.tap.votable import Overflow, Refused

if TYPE_CHECKING:
    import pyarrow as pa

#: So few rows are asked for at once; more by a job, since services give few rows at once (Gaia 2,000).
_FEW = 2_000


def cut_request(
    asker: Asker, product: Product, request: Request, columns: Sequence[Column], progress: Progress
) -> list[str]:
    """Give the pages of a request as texts; none if it is not cut."""
    known = naming(columns)
    selection = _selection(product, request, known)
    if selection.top or (request.extent.rows and not _numbered(known)):
        return []
    return [str(page) for page in _pages(asker, selection, progress)[0]]


def bring(
    asker: Asker, product: Product, request: Request, columns: Sequence[Column], progress: Progress
) -> "pa.Table":
    """Bring the rows of a request, or of one page of it."""
    import pyarrow as pa

    known = naming(columns)
    selection = _selection(product, request, known)
    if request.extent.rows and not _numbered(known):
        return _first_rows(asker, replace(selection, tests=()), request, request.extent.rows, progress)
    if request.params.get("page"):
        return _page(asker, selection, Page.read(str(request.params["page"])), progress)
    if selection.top:
        return _ask(asker, selection, selection.top + 1, progress, "sync" if selection.top <= _FEW else "async")
    pages, rows = _pages(asker, selection, share(progress, 0.0, 0.1))
    if not pages:
        few = rows is not None and rows <= _FEW
        return _ask(asker, selection, None, share(progress, 0.1, 1.0), "sync" if few else "async")
    parts = [share(progress, 0.1 + 0.9 * n / len(pages), 0.1 + 0.9 * (n + 1) / len(pages)) for n in range(len(pages))]
    return pa.concat_tables([_page(asker, selection, page, part) for page, part in zip(pages, parts, strict=True)])


def _selection(product: Product, request: Request, known: Naming) -> Selection:
    """Make the selection; what a table of sources promises is in it, asked for or not."""
    top = int(request.params.get("top") or 0)
    selection = select(product.address, known, request.extent, str(request.params.get("columns") or ""), top)
    names = set(selection.names)
    if product.kind == "sources" and not ({"ra", "dec"} <= names or "source_id" in names):
        wanted = ("source_id",) if known.find("source_id") else ("ra", "dec")
        more = tuple(known.need(name) for name in wanted)
        selection = replace(selection, chosen=(*more, *(one for one in selection.chosen if one not in more)))
    rows, number = request.extent.rows, _numbered(known)
    return selection.also(Page(number, rows.start, rows.stop).test) if rows and number else selection


def _numbered(known: Naming) -> str:
    """Give the column that numbers the rows of the table from 0, as Gaia's ``random_index`` does."""
    found = known.find("random_index")
    return found.name if found and found.is_integer else ""


def _pages(asker: Asker, selection: Selection, progress: Progress) -> tuple[list[Page], int | None]:
    """Cut a selection; where it cannot be counted it stays whole, and an overflow is still an error."""
    most = page_rows(selection, asker.capabilities.hard_rows)
    column = page_column(selection.naming.columns)
    if column is None:
        return [], None

    def summed(part: Selection, sums: Sequence[str]) -> list[Any]:
        progress(0.5, "counting")
        items = [f"{one} AS s{n}" for n, one in enumerate(sums)]
        row = asker.small(part.summary(*items), 10, progress).to_pylist()
        return list(row[0].values()) if row else [0] * len(sums)

    try:
        return cut(selection, column, most, summed)
    except Refused as wrong:
        if is_late(wrong):
            return [], None
        raise asker.told(wrong, Query(text=selection.text())) from None


def _page(asker: Asker, selection: Selection, page: Page, progress: Progress) -> "pa.Table":
    """Bring a page; one that has more rows than the service gives is halved."""
    import pyarrow as pa

    most = 2 * page_rows(selection, asker.capabilities.hard_rows)
    try:
        return _asked(asker, selection.also(page.test), most, progress, "sync" if most <= _FEW else "async")
    except Overflow as wrong:
        halves = page.halves()
        if halves is None:
            raise asker.told(wrong, Query(text=selection.text(), maxrec=most)) from None
    return pa.concat_tables([_page(asker, selection, half, progress) for half in halves])


def _ask(asker: Asker, selection: Selection, maxrec: int | None, progress: Progress, mode: Mode) -> "pa.Table":
    bound = maxrec or asker.capabilities.hard_rows or 2 * page_rows(selection, None)
    try:
        return _asked(asker, selection, bound, progress, mode)
    except Overflow as wrong:
        if mode == "sync":
            return _ask(asker, selection, maxrec, progress, "async")
        raise asker.told(wrong, Query(text=selection.text(), maxrec=bound)) from None


def _asked(asker: Asker, selection: Selection, maxrec: int, progress: Progress, mode: Mode) -> "pa.Table":
    """Ask for a selection; its rows come in the order of the column that pages are cut by, the same each time."""
    key = None if selection.top else page_column(selection.naming.columns)
    wide = replace(selection, chosen=tuple(dict.fromkeys([*selection.chosen, key]))) if key else selection
    query = Query(text=wide.text(), maxrec=maxrec)
    try:
        found = asker.table(query, progress, mode)
    except Refused as wrong:
        raise asker.told(wrong, query) from None
    if found.num_columns != len(wide.chosen):
        problem = f"{asker.service.name} gave {found.num_columns} columns of {len(wide.chosen)}"
        raise BadAnswer(problem, "refresh the archive")
    data = _described(found, wide)
    return data.sort_by(selection.naming.given[key.bare]).select(selection.names) if key else data


def _first_rows(asker: Asker, selection: Selection, request: Request, rows: Rows, progress: Progress) -> "pa.Table":
    """Bring the first rows of a table in its own order and cut here: nothing numbers its rows."""
    known, extent = selection.naming, request.extent
    node = where_language.parse(extent.where) if extent.where else None
    needed = [known.need(name) for name in sorted(where_language.names(node))] if node else []
    needed += [known.need(name) for name in ("ra", "dec")] if extent.cone or extent.box else []
    wide = replace(
        selection,
        chosen=tuple(dict.fromkeys([*selection.chosen, *needed])),
        top=rows.stop,
        order=sort_key(known.columns),
    )
    data = _ask(asker, wide, rows.stop + 1, progress, "sync" if rows.stop <= _FEW else "async")
    data = data.slice(rows.start, rows.stop - rows.start)
    if node:
        values = values_of(data)
        keep = {name: values[known.given[known.need(name).bare]] for name in where_language.names(node)}
        data = data.filter(where_language.mask(node, keep))
    return trim(data, extent.only("cone", "box")).select(selection.names)


def _described(found: "pa.Table", selection: Selection) -> "pa.Table":
    """Give the columns their names here, and what the list of columns tells where the answer does not."""
    import pyarrow as pa

    fields = []
    for name, one, field in zip(selection.names, selection.chosen, found.schema, strict=True):
        told = {key.decode(): text.decode() for key, text in (field.metadata or {}).items()}
        listed = {"unit": one.unit, "description": one.description, "ucd": one.ucd, "utype": one.utype}
        merged = told | {key: text for key, text in listed.items() if text and not told.get(key)}
        fields.append(field.with_name(name).with_metadata(merged))
    return pa.Table.from_arrays(found.columns, schema=pa.schema(fields))
