"""The composition root: one `Desk` has the tree, the archives, the cache, the catalogues and the jobs of one user."""


class Desk:
    """Everything a user works with."""


def open() -> Desk:  # noqa: A001 - arm.open reads well
    """Open the desk."""
    return Desk()
