"""From what a server says to leaves of the tree. Nothing heavy is imported: the tree works offline from the record."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from armillary.errors import BadTime
from armillary.model import Interval, Product
from armillary.sources.hapi.dataset import kind_of
from armillary.sources.hapi.info import Column, Info
from armillary.sources.hapi.times import read_date, read_duration

_LONGEST_TITLE: Final = 120


def segment(name: str) -> str:
    """Write any name as one segment of a path; `name_of` reads it back.

    Examples
    --------
    >>> segment("data/IBEX 100%/")
    'data%2FIBEX 100%25%2F'
    """
    odd = {char for char in name if char in "%/" or not char.isprintable()} | ({"."} if not name.strip(".") else set())
    return "".join("".join(f"%{byte:02X}" for byte in char.encode()) if char in odd else char for char in name)


def name_of(segment_: str) -> str:
    """Read what `segment` wrote."""
    return unquote(segment_)


def products(archive: str, dataset: str, title: str, info: Info, asked: int) -> Iterator[Product]:
    """List the leaves of one dataset: itself with all parameters, then each parameter.

    Parameters
    ----------
    archive : str
        Name of the archive, the first segment of the paths.
    title : str
        Of the dataset, from the catalog; may be empty.
    asked : int
        When the information was asked for (ns), which relative dates count from.
    """
    path = f"{archive}/{segment(dataset)}"
    whole = Product(
        path=path,
        title=title or dataset,
        kind="series",
        coverage=coverage(info, asked),
        source=archive,
        address=address(dataset, ""),
        version=version(info),
        cadence=read_duration(info.text("cadence")),
        row_bytes=_memory(info.columns),
        description=_description(info),
        citation=_citation(info),
        licence=info.text("licenseURL", "license"),
    )
    yield whole
    for column in info.columns[1:]:
        yield replace(
            whole,
            path=f"{path}/{segment(column.name)}",
            title=_title(column),
            kind=kind_of(column),
            units=column.units,
            address=address(dataset, column.name),
            row_bytes=_memory(info.wanted(column.name)),
            shape=column.size if column.numeric else None,
            axes=_axes(column),
            description="\n".join(
                one for one in (column.description, f"From {whole.title}.", whole.description) if one
            ),
        )


def _axes(column: Column) -> tuple[str, ...]:
    told = [dict.fromkeys([axis.name, *axis.asks, axis.label]) for axis in column.axes if axis.numeric]
    return tuple(" ".join(filter(None, one)) for one in told) if len(told) == len(column.size) else ()


def address(dataset: str, parameter: str) -> str:
    """Write where a product is on its server."""
    return json.dumps([dataset, parameter])


def read_address(text: str) -> tuple[str, str]:
    """Read what `address` wrote: (dataset, parameter)."""
    dataset, parameter = json.loads(text)
    return str(dataset), str(parameter)


def coverage(info: Info, asked: int) -> Interval | None:
    """Give the time from ``startDate`` to ``stopDate``; None if they are not times."""
    try:
        start, stop = read_date(info.start, asked), read_date(info.stop, asked)
    except BadTime:
        return None
    # one record only: its interval is as short as it can be
    return Interval(start, max(stop, start + 1)) if start <= stop else None


def version(info: Info) -> str:
    """Give a text that changes when the server says the data changed, or describes them in another way."""
    layout = json.dumps(info.raw.get("parameters"), sort_keys=True, default=str)
    return f"{info.text('modificationDate')}+{hashlib.sha256(layout.encode()).hexdigest()[:12]}"


def _memory(columns: tuple[Column, ...]) -> int:
    """Bytes of one record in memory."""
    widths = {"double": 8, "integer": 8}
    return 8 + sum(widths.get(one.type, 4 * max(one.length, 1)) * one.cells for one in columns[1:])


def _title(column: Column) -> str:
    words = column.label or column.description.split("\n")[0].strip() or column.name
    return words if len(words) <= _LONGEST_TITLE else f"{words[: _LONGEST_TITLE - 1]}…"


def _description(info: Info) -> str:
    lines: Mapping[str, Any] = {
        "": info.text("description"),
        "Contact: ": info.text("contact"),
        "More: ": info.text("resourceURL", "resourceID"),
        "Note: ": info.text("note"),
        "Warning: ": info.text("warning"),
    }
    return "\n".join(f"{name}{text}" for name, text in lines.items() if text)


def _citation(info: Info) -> str:
    cited = info.text("datasetCitation", "citation")
    identity = info.text("resourceID")
    return cited or (identity if "doi" in identity.lower() else "") or info.text("resourceURL")
