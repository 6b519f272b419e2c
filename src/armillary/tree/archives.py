"""Which archives a user has opened or added; one small JSON file, replaced whole."""

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from armillary.errors import CannotWrite, Conflict, DamagedFile, UnknownArchive
from armillary.model import Archive

#: The only protocols that a file on disk may name; a mission's own source comes with its plugin.
PROTOCOLS = ("folder", "hapi", "tap")


def read_archives(file: Path) -> tuple[Archive, ...]:
    """Read the archives that were added, in the order of adding.

    Raises
    ------
    DamagedFile
        If the file is not what :func:`add_archive` writes.
    """
    if not file.exists():
        return ()
    try:
        found = tuple(Archive.from_record(record) for record in json.loads(file.read_text("utf-8")))
    except (ValueError, AttributeError, TypeError) as broken:
        raise DamagedFile(f"{file} is damaged: {broken}", "mend or remove it and add your archives again") from None
    return tuple(one for one in found if one.protocol in PROTOCOLS)


def add_archive(file: Path, archive: Archive) -> None:
    """Remember an archive; the same address again changes nothing but its name and title.

    Raises
    ------
    Conflict
        If another archive has the name.
    """
    rest = [one for one in read_archives(file) if (one.protocol, one.address) != (archive.protocol, archive.address)]
    if any(one.name == archive.name for one in rest):
        raise Conflict(f"there is already an archive {archive.name!r}", "choose another name with --name")
    _write(file, [*rest, archive])


def remove_archive(file: Path, name: str) -> Archive:
    """Forget an archive; its data and cache stay.

    Raises
    ------
    UnknownArchive
        If none has the name.
    """
    known = read_archives(file)
    gone = next((one for one in known if one.name == name), None)
    if gone is None:
        has = ", ".join(one.name for one in known) or "none"
        raise UnknownArchive(f"there is no added archive {name!r}", f"the added archives are: {has}")
    _write(file, [one for one in known if one.name != name])
    return gone


def free_name(wanted: str, taken: set[str]) -> str:
    """Give the name, with a number if it is taken.

    Examples
    --------
    >>> free_name("plasma", {"plasma", "plasma-2"})
    'plasma-3'
    """
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _write(file: Path, archives: list[Archive]) -> None:
    text = json.dumps([one.to_record() for one in archives], indent=1)
    try:
        with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", delete=False, encoding="utf-8") as aside:
            aside.write(text)
            aside.flush()
            os.fsync(aside.fileno())
        Path(aside.name).replace(file)
    except OSError as broken:
        raise CannotWrite(f"{file} cannot be saved: {broken.strerror}", "check the disk and the permissions") from None
