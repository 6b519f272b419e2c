"""Catalogue rows as bands on a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from armillary.catalogues import Store
    from armillary.model import Interval
    from armillary.plots import Band


def bands_of(store: "Store", names: Sequence[str], interval: "Interval | None") -> "list[Band]":
    """Give the events of some catalogues that overlap an interval as bands.

    Raises
    ------
    UnknownCatalogue
        If there is none with the name.
    """
    from armillary.plots import Band

    return [
        Band(row.start, row.stop, row.class_ or name)
        for name in names
        for row in store.rows(name, interval)
        if row.start is not None and row.stop is not None
    ]
