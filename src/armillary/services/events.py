"""Catalogue rows as bands on a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from armillary.catalogues import Entry, Store
    from armillary.model import Interval
    from armillary.plots import Band

#: Proposals of a model that nobody has decided on are not taken for labels.
PROPOSED: Final = "#e69f00"


def bands_of(store: "Store", names: Sequence[str], interval: "Interval | None") -> "list[Band]":
    """Give the events of some catalogues that overlap an interval as bands.

    Proposals have a colour of their own and are labelled with class, probability and trust; those that were
    accepted or rejected are left out.

    Raises
    ------
    UnknownCatalogue
        If there is none with the name.
    """
    return [
        _band(row, name)
        for name in names
        for row in store.rows(name, interval)
        if row.start is not None and row.stop is not None and not (_is_proposal(name) and _is_decided(row))
    ]


def label_of(row: "Entry", name: str) -> str:
    """Say in few words what a row is: class, and of what a model found probability and trust.

    Examples
    --------
    >>> from armillary.catalogues import Entry
    >>> label_of(Entry.event("2020", "2021", class_="icme", attributes={"probability": 0.834, "trust": "ok"}), "")
    'icme 0.83 ok'
    """
    probability, trust = row.attributes.get("probability"), row.attributes.get("trust")
    parts = [row.class_ or name.removesuffix(".proposals")]
    parts += [f"{probability:.2f}"] if isinstance(probability, float) else []
    return " ".join([*parts, *([str(trust)] if trust else [])])


def _is_proposal(name: str) -> bool:
    return name.endswith(".proposals")


def _is_decided(row: "Entry") -> bool:
    return row.attributes.get("status") != "proposed"


def _band(row: "Entry", name: str) -> "Band":
    from armillary.plots import Band

    start, stop = row.start or 0, row.stop or 0
    if _is_proposal(name):
        return Band(start, stop, label_of(row, name), PROPOSED)
    return Band(start, stop, row.class_ or name)
