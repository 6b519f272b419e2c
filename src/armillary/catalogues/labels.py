"""Labels of objects that a person gives: a class for many sources at once, as one change that can be undone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from armillary.catalogues.entry import Catalogue, Entry
from armillary.catalogues.making import make_catalogue, static_catalogue
from armillary.catalogues.reading import read_catalogues, read_rows
from armillary.catalogues.store import Store
from armillary.catalogues.writing import add_rows, begin_change, edit_rows
from armillary.errors import BadParameter


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a label did.

    Parameters
    ----------
    change : int
        Number of the change, for `armillary.catalogues.proposals.take_back`.
    added, changed : int
        Rows that are new in the catalogue, and rows that had another class.
    """

    change: int
    added: int
    changed: int


def label(store: Store, name: str, objects: Sequence[Entry], class_: str) -> Labelled:
    """Give objects a class in a catalogue of objects, which is made if there is none.

    An object that is there already (the same ``source_id``) gets the class; what it had stays in the history.

    Parameters
    ----------
    objects : sequence of Entry
        With ``source_id``, and ``ra``, ``dec`` if they are known.
    class_ : str

    Raises
    ------
    BadParameter
        If the class is empty, there is no object, or the catalogue holds something else.
    """
    if not class_.strip() or not class_.isprintable() or len(class_) > 200:
        raise BadParameter(f"{class_[:90]!r} cannot be a class", "give a word or a few")
    if not objects:
        raise BadParameter("there is no object to label", "select some first")
    with store.pool.writing() as connection:
        summary = f"label {len(objects)} objects of {name} {class_}"
        change = begin_change(connection, store.author, "edit", summary)
        place = _place(connection, change, name, store.author)
        known = {row.source_id: row for row in read_rows(connection, name)}
        fresh = [one for one in objects if one.source_id not in known]
        other = [known[one.source_id] for one in objects if one.source_id in known]
        moved = {row.id: None for row in other if row.class_ != class_}
        add_rows(connection, change, place, [_with(one, class_) for one in fresh], store.author)
        if moved:
            edit_rows(connection, change, moved, {}, {"class_": class_, "author": store.author})
        return Labelled(change, len(fresh), len(moved))


def _place(connection: Any, change: int, name: str, author: str) -> tuple[int, str]:
    if name not in {one.name for one in read_catalogues(connection)}:
        about = Catalogue(name=name, kind="objects", description="Labels given in the page", author=author)
        make_catalogue(connection, change, about)
    key, catalogue = static_catalogue(connection, name)
    if catalogue.kind != "objects":
        raise BadParameter(f"{name!r} holds {catalogue.kind}, no objects", "name another catalogue")
    return key, catalogue.kind


def _with(one: Entry, class_: str) -> Entry:
    return replace(one, class_=class_)
