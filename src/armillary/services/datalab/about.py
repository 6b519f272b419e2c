"""What a catalogue of datalabs is told of a package, checked."""

import re
from dataclasses import dataclass
from typing import Final

from armillary.errors import BadParameter

_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_RELEASE: Final = re.compile(r"\d+\.\d+\.\d+([.+-][A-Za-z0-9.-]+)?")
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Metadata of a datalab.

    Parameters
    ----------
    title, abstract : str
        One line each.
    contact : str
        An e-mail address.
    creator : str
        A person or an institute.
    short : str
        A shorter name; made of the title if empty.
    release : str
        Version of the package, not of Armillary.
    licence : str
        Of the package.

    Raises
    ------
    BadParameter
        For an address that is none, a line that is empty, has several lines or signs that cannot be printed.
    """

    title: str
    abstract: str
    contact: str
    creator: str
    short: str = ""
    release: str = "0.1.0"
    licence: str = "MIT"

    def __post_init__(self) -> None:
        """Check every field."""
        for name in ("title", "abstract", "creator", "licence"):
            text = getattr(self, name)
            if not text.strip() or not text.isprintable() or len(text) > _LONGEST:
                raise BadParameter(f"the {name} {text[:40]!r} is not one line of text", f"give --{name} TEXT")
        if not _EMAIL.fullmatch(self.contact):
            raise BadParameter(f"{self.contact[:60]!r} is no e-mail address", "give --contact name@institute.org")
        if not _RELEASE.fullmatch(self.release):
            raise BadParameter(f"{self.release[:20]!r} is no version", "give --release 1.0.0")

    @property
    def slug(self) -> str:
        """The name in lower case with hyphens, as images and environments are called.

        Examples
        --------
        >>> about = About(title="Discs of Ophiuchus!", abstract="a", contact="me@esa.int", creator="me")
        >>> about.slug, about.name
        ('discs-of-ophiuchus', 'Discs of Ophiuchus!')
        """
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40].strip("-") or "armillary-lab"

    @property
    def name(self) -> str:
        """The shorter name."""
        return self.short or (self.title if len(self.title) <= 30 else f"{self.title[:29].rstrip()}…")
