"""What the rooms ask of each other. A protocol stands here only if two real implementations need it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from armillary.model.product import Product
from armillary.model.request import Request

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

#: All data travel as one of these two.
Data: TypeAlias = "xr.Dataset | pa.Table"


class Progress(Protocol):
    """Told how far the work is; raises `Cancelled` when the user asked to stop, so call it between small steps."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Say that `fraction` (0..1) is done."""


@runtime_checkable
class Source(Protocol):
    """The client for one archive. It is a value: made from an `Archive`, cheap to make, safe to use from threads."""

    @property
    def name(self) -> str:
        """Name of the archive."""

    def stamp(self) -> str:
        """Give a text that changes when the inventory has changed; quick, and never through the network."""

    def inventory(self, progress: Progress) -> Iterable[Product]:
        """List the raw products; may ask the network."""

    def fetch(self, product: Product, request: Request, progress: Progress) -> Data:
        """Bring the data of one raw product.

        They keep the promise of ``product.kind``. The source uses the parts of the extent named in
        ``product.selects``; it may bring more than was asked for, never less. Nothing inside the extent is an empty
        dataset or table with the right variables.

        Raises
        ------
        SourceDown, BadAnswer, DamagedFile, Cancelled
        """


def silent(fraction: float, message: str = "") -> None:
    """Be told and do nothing: the `Progress` of who does not care."""


def share(progress: Progress, low: float, high: float) -> Progress:
    """Give a progress for one part of the work, from `low` to `high` of the whole.

    Examples
    --------
    >>> share(lambda f, m="": print(f, m), 0.5, 1.0)(0.5, "half of the second half")
    0.75 half of the second half
    """

    def part(fraction: float, message: str = "") -> None:
        progress(low + (high - low) * min(max(fraction, 0.0), 1.0), message)

    return part
