"""Clients for protocols and file families; none of them knows a mission."""

from armillary.sources.write import write

__all__ = ["write"]
