"""Clients for protocols and file families; none of them knows a mission."""

from armillary.sources.write import check_path, write

__all__ = ["check_path", "write"]
