"""Clients for protocols and file families; none of them knows a mission."""


def write() -> None:
    """Write data to a file."""
