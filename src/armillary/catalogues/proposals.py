"""Proposals: rows that a model found, which a person accepts into a catalogue or rejects. Every decision is a change.

The proposals of catalogue ``icme`` are the catalogue ``icme.proposals``; their attribute ``status`` is ``proposed``,
``accepted`` or ``rejected``. Nothing is deleted, so that what was rejected is not proposed again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from armillary.catalogues.entry import Catalogue, Entry
from armillary.catalogues.making import make_catalogue, static_catalogue
from armillary.catalogues.reading import read_by_id, read_catalogues, read_rows
from armillary.catalogues.store import Store
from armillary.catalogues.writing import add_rows, begin_change, edit_rows
from armillary.errors import BadRequest, Conflict, UnknownCatalogue

#: What a proposal can be.
STATUSES: Final = ("proposed", "accepted", "rejected")
#: Attributes that only the choice of a proposal needs; an accepted row has them no more.
_OF_CHOICE: Final = frozenset({"status", "rank", "uncertainty"})


def proposals_of(name: str) -> str:
    """Give the name of the catalogue of proposals."""
    return f"{name}.proposals"


def propose(store: Store, name: str, kind: str, rows: Iterable[Entry]) -> list[str]:
    """Put rows into the proposals of a catalogue, in the order in which they should be looked at; give their ids.

    Parameters
    ----------
    kind : str
        ``events`` or ``objects``.

    Raises
    ------
    BadRequest
        If the catalogue has another kind.
    """
    with store.pool.writing() as connection:
        there = {one.name: one for one in read_catalogues(connection)}
        if name in there and there[name].kind != kind:
            raise BadRequest(f"{name!r} holds {there[name].kind}, the model finds {kind}", "name another catalogue")
        first = 1 + max((_rank(one) for one in _known(connection, there, name)), default=0)
        some = [
            replace(row, attributes={**row.attributes, "status": "proposed", "rank": number}, tags=("proposed",))
            for number, row in enumerate(rows, first)
        ]
        title = proposals_of(name)
        change = begin_change(connection, store.author, "add", f"propose {len(some)} rows for {name}")
        if title not in there:
            about = Catalogue(name=title, kind=kind, description=f"Proposals for {name}", author=store.author)
            make_catalogue(connection, change, about)
        key, catalogue = static_catalogue(connection, title)
        return add_rows(connection, change, (key, catalogue.kind), some, store.author)


def open_proposals(store: Store, name: str, where: str | None = None) -> list[Entry]:
    """Give the proposals that nobody has decided on, the first to be looked at first.

    Raises
    ------
    UnknownCatalogue
        If nothing was ever proposed for the catalogue.
    """
    if proposals_of(name) not in {one.name for one in store.catalogues()}:
        raise UnknownCatalogue(f"nothing was proposed for {name!r}", "see `armillary label propose`")
    some = store.rows(proposals_of(name), where=where)
    return sorted((one for one in some if status_of(one) == "proposed"), key=_rank)


def accept(store: Store, name: str, ids: Sequence[str], changes: Mapping[str, Any] | None = None) -> list[str]:
    """Copy proposals into their catalogue, in one change that undo takes back; give the ids of the copies.

    Parameters
    ----------
    changes : mapping, optional
        Fields of `Entry` that the person mends first: edges, class; ``attributes`` are merged.

    Raises
    ------
    Conflict
        If one was accepted already.
    UnknownCatalogue
        If one is no proposal for this catalogue.
    """
    fields = dict(changes or {})
    attributes = {**fields.pop("attributes", {}), "status": "accepted"}
    with store.pool.writing() as connection:
        found = _of(connection, name, ids)
        change = begin_change(connection, store.author, "edit", f"accept {len(found)} proposals into {name}")
        rows = edit_rows(connection, change, dict.fromkeys(found), attributes, {**fields, "tags": ("accepted",)})
        there = {one.name for one in read_catalogues(connection)}
        if name not in there:
            kind = static_catalogue(connection, proposals_of(name))[1].kind
            make_catalogue(connection, change, Catalogue(name=name, kind=kind, author=store.author))
        key, catalogue = static_catalogue(connection, name)
        return add_rows(connection, change, (key, catalogue.kind), [_copy(one) for one in rows], store.author)


def reject(store: Store, name: str, ids: Sequence[str]) -> None:
    """Say that proposals are wrong; they are kept so that they are not proposed again.

    Raises
    ------
    Conflict
        If one was accepted already.
    UnknownCatalogue
    """
    with store.pool.writing() as connection:
        found = _of(connection, name, ids)
        change = begin_change(connection, store.author, "edit", f"reject {len(found)} proposals for {name}")
        edit_rows(connection, change, dict.fromkeys(found), {"status": "rejected"}, {"tags": ("rejected",)})


def status_of(row: Entry) -> str:
    """Give the status of a proposal."""
    return str(row.attributes.get("status", ""))


def _of(connection: Any, name: str, ids: Sequence[str]) -> list[str]:
    there = {one.name: one for one in read_catalogues(connection)}
    mine = {one.id for one in _known(connection, there, name)}
    rows = list(read_by_id(connection, list(ids)).values())
    strange = [one.id for one in rows if one.id not in mine]
    if strange:
        raise UnknownCatalogue(f"{strange[0]!r} is no proposal for {name!r}", f"see `armillary label list {name}`")
    done = [one.id for one in rows if status_of(one) == "accepted"]
    if done:
        raise Conflict(f"{done[0]!r} was accepted already", "edit or remove the row in the catalogue, or undo")
    return [one.id for one in rows]


def _known(connection: Any, there: Mapping[str, Catalogue], name: str) -> list[Entry]:
    return read_rows(connection, proposals_of(name)) if proposals_of(name) in there else []


def _rank(row: Entry) -> int:
    rank = row.attributes.get("rank", 0)
    return int(rank) if isinstance(rank, int | float) else 0


def _copy(row: Entry) -> Entry:
    """Make the row of the catalogue: the person is its author, the model stands beside."""
    kept = {name: value for name, value in row.attributes.items() if name not in _OF_CHOICE}
    made = {"id": "", "author": "", "version": 0, "created": 0, "modified": 0, "tags": ()}
    return replace(row, **made, attributes={**kept, "proposal": row.id})  # type: ignore[arg-type]
