"""From described files to leaves of the tree: which files are one dataset, and what it is called."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from armillary.model import Interval, Product
from armillary.model.kinds import TABLE_KINDS, TIME_KINDS
from armillary.sources.files import ending, hats
from armillary.sources.files.names import split_version, without_date
from armillary.sources.files.summary import Summary, Variable
from armillary.sources.folder.index import Row

_UNFIT: Final = re.compile(r"[/\\\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class _Named:
    """A sound file with the parts of its name that decide where it belongs."""

    row: Row
    summary: Summary
    place: str
    stem: str
    version: tuple[int, ...]


def datasets(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Say which files make up which dataset, in time order.

    Files that name their dataset themselves (ISTP ``Logical_source``) follow it. Of the others those belong together
    that lie in one folder, differ in the date in their names only, say when their data are from and have equal
    variables and shape. Of several versions of one file the highest counts.

    Notes
    -----
    O(n log n), n files. Pure.
    """
    named = _newest([one for row in rows for one in _named(row)])
    groups: dict[str, list[_Named]] = defaultdict(list)
    for one in named:
        groups[_key(one)].append(one)
    found: dict[str, list[Row]] = {}
    for key, group in sorted(groups.items()):
        for name, part in _parts(key, group):
            found[_unused(name, part[0], found)] = [one.row for one in sorted(part, key=_order)]
    return found


def products(mount: str, name: str, members: list[Row]) -> list[Product]:
    """Give the leaves of one dataset.

    Parameters
    ----------
    mount : str
        Name of the archive, the first part of every path.
    name : str
        The dataset, as `datasets` names it.
    members : list of Row
        Its files in time order.
    """
    found: dict[str, list[tuple[Row, Variable]]] = defaultdict(list)
    for row in members:
        for variable in row.summary.variables if row.summary else ():
            found[variable.name].append((row, variable))
    version = _version(members)
    paths: set[str] = set()
    leaves = []
    for inner, pieces in found.items():
        path = _free(_path(mount, name, inner), paths)
        address = json.dumps({"dataset": name, "variable": inner})
        leaves.append(_product(path, mount, address, version, pieces))
    return leaves


def clean(text: str) -> str:
    """Make one part of a path from any text.

    Examples
    --------
    >>> clean(" By/Bz ratio ")
    'By-Bz ratio'
    """
    return _UNFIT.sub("-", text).strip(" -") or "_"


def _named(row: Row) -> Iterator[_Named]:
    if row.summary is None or not row.summary.variables:
        return
    path = PurePosixPath(row.path)
    if path.name in hats.NAMES:  # the folder is the table
        path = path.parent if path.parent.name else PurePosixPath(clean(row.summary.title))
    name = path.name[: len(path.name) - len(ending(path.name))]
    stem, version = split_version(name)
    place = "" if row.summary.dataset else path.parent.as_posix().removeprefix(".")
    yield _Named(row, row.summary, place, stem or name, version)


def _newest(named: list[_Named]) -> list[_Named]:
    best: dict[tuple[str, str, str, str], _Named] = {}
    for one in named:
        key = (one.place, one.summary.dataset, one.stem, ending(one.row.path))
        # The same file twice (a copy in another folder): the first by name, so that order of listing never matters.
        if key not in best or (one.version, best[key].row.path) > (best[key].version, one.row.path):
            best[key] = one
    return list(best.values())


def _key(one: _Named) -> str:
    if one.summary.dataset:
        return "/".join(clean(part) for part in one.summary.dataset.lower().split("_") if part)
    return "/".join([*(clean(part) for part in one.place.split("/") if part), clean(without_date(one.stem))])


def _parts(key: str, group: list[_Named]) -> Iterator[tuple[str, list[_Named]]]:
    """Keep a group together if its files can be joined, else name each by its own stem."""
    if group[0].summary.dataset or (len({_signature(one) for one in group}) == 1 and all(map(_dated, group))):
        yield key, group
        return
    folder = key.rpartition("/")[0]
    for one in group:
        stem = clean(one.stem)
        yield f"{folder}/{stem}" if folder else stem, [one]


def _dated(one: _Named) -> bool:
    return one.summary.coverage is not None


def _signature(one: _Named) -> tuple[object, ...]:
    variables = tuple(sorted((each.name, each.kind, each.units) for each in one.summary.variables))
    return one.summary.format, one.summary.shape, variables


def _unused(name: str, one: _Named, taken: dict[str, list[Row]]) -> str:
    """Tell files of one name and different endings apart by the ending."""
    if name not in taken:
        return name
    return _free(f"{name}{ending(one.row.path)}", taken)


def _free(name: str, taken: "dict[str, list[Row]] | set[str]") -> str:
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}~{count}"
    if isinstance(taken, set):
        taken.add(candidate)
    return candidate


def _order(one: _Named) -> tuple[int, str]:
    span = one.summary.coverage
    return (span.start if span else 0, one.row.path)


def _path(mount: str, name: str, variable: str) -> str:
    parts = [clean(part) for part in variable.split("/") if part] if variable else []
    return "/".join([mount, name, *parts])


def _version(members: list[Row]) -> str:
    digest = hashlib.sha256()
    for row in members:
        digest.update(f"{row.path}\0{row.size}\0{row.mtime}\n".encode())
    return digest.hexdigest()[:16]


def _product(path: str, mount: str, address: str, version: str, pieces: list[tuple[Row, Variable]]) -> Product:
    last, variable = pieces[-1]
    summary = last.summary
    if summary is None:
        raise AssertionError(path)
    coverage = _hull([row.summary.coverage for row, _ in pieces if row.summary])
    counts = [one.rows for _, one in pieces]
    image = variable.kind in {"raster", "cube"}  # images of one dataset have the same lines
    return Product(
        path=path,
        title=variable.title or path.rpartition("/")[2],
        kind=variable.kind,
        units=variable.units,
        coverage=coverage,
        source=mount,
        address=address,
        version=version,
        selects=_selects(variable, summary, len(pieces)),
        cadence=variable.cadence,
        row_bytes=variable.row_bytes * (len(pieces) if image else 1),
        rows=None if None in counts else counts[-1] if image else sum(count or 0 for count in counts),
        shape=variable.shape,
        axes=variable.axes,
        columns=variable.columns,
        keep=variable.kind in TIME_KINDS or (variable.kind in TABLE_KINDS and coverage is not None),
        description=variable.description or summary.title,
        citation=summary.citation,
        licence=summary.licence,
    )


def _selects(variable: Variable, summary: Summary, files: int) -> tuple[str, ...]:
    """Say what the readers can use; rows are counted through one table only."""
    if variable.kind in TIME_KINDS:
        return ("time",)
    if variable.kind in TABLE_KINDS and files > 1:
        return tuple(part for part in summary.selects if part != "rows")
    return summary.selects


def _hull(spans: list[Interval | None]) -> Interval | None:
    found = [span for span in spans if span]
    if not found:
        return None
    return Interval(min(span.start for span in found), max(span.stop for span in found))
