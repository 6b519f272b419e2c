"""What a TAP service can do, from its capabilities (TAPRegExt 1.0), read by pyvo."""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from armillary.errors import BadAnswer, MissingExtra

_BINARY2: Final = "ivo://ivoa.net/std/TAPRegExt#output-votable-binary2"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How a service wants to be asked.

    Parameters
    ----------
    format : str
        What to ask for so that the answer is a VOTable, in BINARY2 where that is offered.
    hard_rows : int, optional
        How many rows it gives at most.
    upload_rows : int, optional
        How many rows an upload may have.
    uploads : bool
        Whether tables can be sent along.
    """

    format: str = "votable"
    hard_rows: int | None = None
    upload_rows: int | None = None
    uploads: bool = True

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote."""
        return cls(**dict(record))


def read_capabilities(body: bytes, url: str) -> Capabilities:
    """Read the answer of ``/capabilities``.

    Raises
    ------
    BadAnswer
        If it is none, or not that of a TAP service.
    MissingExtra
        Without pyvo.
    """
    vosi = need_vosi()
    from pyvo.io.vosi import tapregext

    hint = "give the URL that ends before /sync, often in /tap"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listed = list(vosi.parse_capabilities(io.BytesIO(body).read))
    except Exception as wrong:
        start = " ".join(body[:80].decode("utf-8", "replace").split())
        raise BadAnswer(f"{url} answered no capabilities: {start!r}", hint) from wrong
    found = next((one for one in listed if isinstance(one, tapregext.TableAccess)), None)
    if found is None:
        raise BadAnswer(f"{url} is no TAP service", hint)
    return Capabilities(
        format=_format(found.outputformats),
        hard_rows=_rows(found.outputlimit, "hard"),
        upload_rows=_rows(found.uploadlimit, "hard"),
        uploads=any(str(one.ivo_id or "").endswith("inline") for one in found.uploadmethods),
    )


def need_vosi() -> Any:
    """Give pyvo's readers of what services say of themselves.

    Raises
    ------
    MissingExtra
        Without pyvo.
    """
    try:
        from pyvo.io import vosi
    except ImportError as missing:
        raise MissingExtra("a TAP service needs pyvo", "pip install 'armillary[gaia]'") from missing
    return vosi


def _format(formats: Any) -> str:
    """Choose BINARY2 where it can be asked for by itself; else the VOTable that the service likes best."""
    for one in formats:
        if str(one.ivo_id or "") == _BINARY2 or "serialization=binary2" in str(one.mime).lower():
            return str(next(iter(one.aliases), None) or one.mime)
    return "votable"


def _rows(limits: Any, which: str) -> int | None:
    limit = getattr(limits, which, None) if limits else None
    if limit is None or str(limit.unit or "row") != "row":
        return None
    return int(limit.content) if limit.content else None
