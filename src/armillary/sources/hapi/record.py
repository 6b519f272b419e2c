"""What a server said, kept in a folder so that the tree works offline: one small JSON file a dataset, all atomic."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from armillary.errors import CannotWrite

_CATALOG = "catalog.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What a server said about itself.

    Parameters
    ----------
    asked : int
        When, nanoseconds since 1970.
    datasets : tuple of (id, title)
        In the server's order.
    digest : str
        Of all that was recorded with it.
    """

    url: str
    asked: int
    version: str
    formats: tuple[str, ...]
    datasets: tuple[tuple[str, str], ...]
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a server said about one dataset: its information, or why there is none."""

    dataset: str
    asked: int
    info: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def read_catalog(folder: Path, url: str) -> Catalog | None:
    """Read the recorded catalog; None if there is none, or it is of another server or damaged."""
    found = _read(folder / _CATALOG)
    try:
        if found.get("url") != url:
            return None
        pairs = tuple((str(name), str(title)) for name, title in found["datasets"])
        formats = tuple(map(str, found["formats"]))
        told = {"asked": int(found["asked"]), "version": str(found["version"]), "digest": str(found["digest"])}
        return Catalog(url=url, formats=formats, datasets=pairs, **told)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError):
        return None


def write_catalog(folder: Path, catalog: Catalog) -> None:
    """Record a catalog; the last step of an inventory, so what it lists is there."""
    record = {name: getattr(catalog, name) for name in catalog.__dataclass_fields__}
    _write(folder / _CATALOG, record)


def read_entry(folder: Path, url: str, dataset: str) -> Entry | None:
    """Read what was recorded about one dataset; None if nothing."""
    found = _read(_entry_path(folder, url, dataset))
    try:
        if found.get("dataset") != dataset:
            return None
        info = found.get("info")
        return Entry(
            dataset=dataset,
            asked=int(found["asked"]),
            info=info if isinstance(info, dict) else {},
            problem=str(found.get("problem") or ""),
        )
    except (KeyError, TypeError, ValueError):
        return None


def write_entry(folder: Path, url: str, entry: Entry) -> None:
    """Record what was said about one dataset."""
    record = {name: getattr(entry, name) for name in entry.__dataclass_fields__}
    _write(_entry_path(folder, url, entry.dataset), record)


def digest(url: str, entries: Mapping[str, Entry], datasets: tuple[tuple[str, str], ...]) -> str:
    """Give a text that depends on all that was said, but not on when it was asked."""
    told = [[url], *datasets, *([name, one.info, one.problem] for name, one in sorted(entries.items()))]
    sha = hashlib.sha256()
    for one in told:
        sha.update(json.dumps(one, sort_keys=True, default=str).encode())
    return sha.hexdigest()


def _entry_path(folder: Path, url: str, dataset: str) -> Path:
    name = hashlib.sha256(json.dumps([url, dataset]).encode()).hexdigest()[:32]
    return folder / "datasets" / f"{name}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, record: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as sink:
                json.dump(record, sink)
            Path(aside).replace(path)
        finally:
            Path(aside).unlink(missing_ok=True)
    except OSError as broken:
        raise CannotWrite(f"cannot record the archive in {path.parent.name}: {broken}", "make room") from broken
