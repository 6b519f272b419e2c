"""Catalogues of events, objects and areas: what was found, by whom, with all of its history."""

from armillary.catalogues.entry import Attribute, Catalogue, Entry
from armillary.catalogues.history import Change
from armillary.catalogues.store import Store

__all__ = ["Attribute", "Catalogue", "Change", "Entry", "Store"]
