"""Proposals: rows that a model found, which a person accepts into a catalogue or rejects. Every decision is a change.

The proposals of catalogue ``icme`` are the catalogue ``icme.proposals``; their attribute ``status`` is ``proposed``,
``accepted`` or ``rejected``. Nothing is deleted, so that what was rejected is not proposed again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from armillary.catalogues.entry import Catalogue, Entry
from armillary.catalogues.history import undo_change
from armillary.catalogues.making import make_catalogue, static_catalogue
from armillary.catalogues.reading import read_by_id, read_catalogues, read_rows
from armillary.catalogues.store import Store
from armillary.catalogues.writing import add_rows, begin_change, edit_rows
from armillary.errors import BadParameter, BadRequest, Conflict, UnknownCatalogue

#: What a proposal can be.
STATUSES: Final = ("proposed", "accepted", "rejected")
_SAID: Final = {
    "proposed": "mend {} proposals for {}",
    "accepted": "accept {} proposals into {}",
    "rejected": "reject {} proposals for {}",
}
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
    return list(decide(store, name, "accepted", dict.fromkeys(ids), changes).made)


def reject(store: Store, name: str, ids: Sequence[str]) -> None:
    """Say that proposals are wrong; they are kept so that they are not proposed again.

    Raises
    ------
    Conflict
        If one was accepted already.
    UnknownCatalogue
    """
    decide(store, name, "rejected", dict.fromkeys(ids))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided on proposals.

    Parameters
    ----------
    change : int
        Number of the change, for :func:`take_back`.
    rows : tuple of Entry
        The proposals as they are then.
    made : tuple of str
        Ids of the rows that were made of them.
    """

    change: int
    rows: tuple[Entry, ...]
    made: tuple[str, ...] = ()


def decide(
    store: Store,
    name: str,
    status: str,
    versions: Mapping[str, int | None],
    changes: Mapping[str, Any] | None = None,
) -> Decision:
    """Accept proposals, reject them, or mend them and leave them open: one change.

    Parameters
    ----------
    status : str
        One of `STATUSES`; ``proposed`` only mends.
    versions : mapping of str to int
        Ids, and the version that the person saw; None where that does not matter.
    changes : mapping, optional
        As for :func:`accept`.

    Raises
    ------
    Conflict
        If one was decided on, or changed, since the person saw it.
    BadParameter, UnknownCatalogue
    """
    if status not in STATUSES:
        raise BadParameter(f"a proposal cannot be {status!r}", f"give one of {', '.join(STATUSES)}")
    fields = dict(changes or {})
    attributes = {**fields.pop("attributes", {}), "status": status}
    with store.pool.writing() as connection:
        _check_open(connection, name, list(versions))
        change = begin_change(connection, store.author, "edit", _SAID[status].format(len(versions), name))
        rows = edit_rows(connection, change, versions, attributes, {**fields, "tags": (status,)})
        made = _copy_to(connection, change, name, rows, store.author) if status == "accepted" else []
        return Decision(change, tuple(rows), tuple(made))


def take_back(store: Store, number: int) -> None:
    """Undo one decision, whatever the same author did since; :attr:`Decision.change` is its number.

    Raises
    ------
    BadRequest
        If it is no change of this author, or was taken back already.
    Conflict
        If a later change touched the same rows.
    """
    with store.pool.writing() as connection:
        undo_change(connection, store.author, number)


def status_of(row: Entry) -> str:
    """Give the status of a proposal."""
    return str(row.attributes.get("status", ""))


def _check_open(connection: Any, name: str, ids: Sequence[str]) -> None:
    there = {one.name: one for one in read_catalogues(connection)}
    mine = {one.id for one in _known(connection, there, name)}
    rows = list(read_by_id(connection, list(ids)).values())
    strange = [one.id for one in rows if one.id not in mine]
    if strange:
        raise UnknownCatalogue(f"{strange[0]!r} is no proposal for {name!r}", f"see `armillary label list {name}`")
    done = [one.id for one in rows if status_of(one) == "accepted"]
    if done:
        raise Conflict(f"{done[0]!r} was accepted already", "edit or remove the row in the catalogue, or undo")


def _copy_to(connection: Any, change: int, name: str, rows: Iterable[Entry], author: str) -> list[str]:
    if name not in {one.name for one in read_catalogues(connection)}:
        kind = static_catalogue(connection, proposals_of(name))[1].kind
        make_catalogue(connection, change, Catalogue(name=name, kind=kind, author=author))
    key, catalogue = static_catalogue(connection, name)
    return add_rows(connection, change, (key, catalogue.kind), [_copy(one) for one in rows], author)


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
