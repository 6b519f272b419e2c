"""How the Cluster Science Archive names a variable, and how others do."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Names:
    """One way of naming.

    CDF files of the archive and of CDAWeb end every name with that of the dataset, ``density__C1_CP_CIS-HIA_...``; the
    archive's own HAPI server gives the bare name. Products made from the latter hang under ``cluster/csa``.

    Parameters
    ----------
    top : str
        Where the products hang.
    long : bool
        Whether names end with the dataset's.
    """

    top: str
    long: bool

    def of(self, dataset: str, variable: str) -> str:
        """Give the template of a variable; `dataset` with ``_`` as in the archive, small letters, holes allowed."""
        place = dataset.replace("_", "/")
        return f"**/{place}/{variable}__{dataset}" if self.long else f"**/{place}/{variable}"


NAMES: Final = (Names("cluster", long=True), Names("cluster/csa", long=False))
