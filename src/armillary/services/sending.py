"""Products, catalogues and files as VOTables for other programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from armillary.errors import BadRequest
from armillary.model import Progress, Request, silent
from armillary.services.samp import connected, send_table

if TYPE_CHECKING:
    from armillary.services.desk import Desk


@dataclass(frozen=True, slots=True)
class Thing:
    """What shall be sent: one of a request, a catalogue and a file."""

    request: Request | None = None
    catalogue: str = ""
    file: Path | None = None

    @property
    def name(self) -> str:
        """What receivers shall call it."""
        if self.request:
            return self.request.product.rpartition("/")[2]
        return self.catalogue or (self.file.name.partition(".")[0] if self.file else "")


def send(desk: "Desk", thing: Thing, to: str = "", progress: Progress = silent) -> tuple[str, ...]:
    """Send something as VOTable to the programs on the SAMP hub, and give their names once they have it.

    Raises
    ------
    SourceDown
        If no hub runs: this is told before any work is done.
    ArmillaryError
        What getting the data raises, and `armillary.services.samp.send_table`.
    """
    with connected("Armillary"):
        pass
    with as_votable(desk, thing, progress) as path:
        return send_table(path, thing.name, to)


@contextmanager
def as_votable(desk: "Desk", thing: Thing, progress: Progress = silent) -> Iterator[Path]:
    """Write something as a VOTable that lasts for a while."""
    from armillary.sources import write

    with TemporaryDirectory(prefix="armillary-") as folder:
        path = Path(folder) / "table.vot"
        if thing.request:
            yield write(desk.blocks(thing.request, progress), path)
        elif thing.catalogue:
            from armillary.catalogues.exchange import export_file

            export_file(desk.catalogues, thing.catalogue, path)
            yield path
        elif thing.file:
            from armillary.services.queries import read_upload

            yield write(read_upload(thing.file, progress), path)
        else:
            raise BadRequest("nothing is named that could be sent", "name a product, a catalogue or a file")
