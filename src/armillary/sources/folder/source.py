"""A folder of real files as an archive: the `Source` of a folder."""

import hashlib
import importlib.util
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadData, DamagedFile, SourceDown
from armillary.model import Data, Extent, Interval, Product, Progress, Request, share, silent
from armillary.sources import files
from armillary.sources.folder import index, leaves
from armillary.sources.folder.describer import Describer
from armillary.sources.folder.index import Row
from armillary.sources.folder.scan import Entry, scan

if TYPE_CHECKING:
    import sqlite3

    import pyarrow as pa

#: Rows are kept at least this often, so that an interrupt loses little.
_SECONDS_BETWEEN_WRITES: Final = 1.0
_ALL: Final = Interval(-(1 << 62), 1 << 62)
_OPTIONAL: Final = ("rasterio",)


@dataclass(frozen=True, slots=True)
class FolderSource:
    r"""The client for a folder of files.

    Parameters
    ----------
    name : str
        Where its leaves hang: ``local`` gives ``local/<dataset>/<variable>``.
    folder : Path
        The folder; it is only read.
    index : Path
        The SQLite file that keeps what is known about each file. It may be deleted: it is built anew.

    Examples
    --------
    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> (home / "wind.csv").write_text("time,B (nT)\n2020-01-01,5.0\n2020-01-02,6.5\n") > 0
    True
    >>> source = FolderSource("local", home, home / "index.sqlite")
    >>> [product.path for product in source.inventory(silent)]
    ['local/wind', 'local/wind/B']
    """

    name: str
    folder: Path
    index: Path

    def stamp(self) -> str:
        """Give a text that changes when a file comes, goes or changes; opens no file.

        Raises
        ------
        SourceDown
            If the folder cannot be listed.
        """
        digest = hashlib.sha256(json.dumps([index.READERS, [*map(_installed, _OPTIONAL)]]).encode())
        for entry in scan(self.folder):
            digest.update(f"{entry.path}\0{entry.size}\0{entry.mtime}\0{entry.problem}\n".encode())
        return digest.hexdigest()

    def inventory(self, progress: Progress) -> list[Product]:
        """List the leaves; only new and changed files are looked into.

        What was learned before an interrupt is kept. O(n) for n files, plus one look into each new one.

        Raises
        ------
        SourceDown
            If the folder cannot be listed or the index cannot be used.
        """
        with index.opened(self.index) as connection:
            entries = scan(self.folder)
            new, gone = index.changes(entries, _to_keep(index.known(connection)))
            index.drop(connection, gone)
            _describe(connection, self.folder, new, share(progress, 0.0, 0.95))
            found = leaves.datasets(index.rows(connection).values())
            index.put_members(connection, found)
        progress(1.0, f"{len(entries)} files in {len(found)} datasets")
        return [one for name, members in found.items() for one in leaves.products(self.name, name, members)]

    def fetch(self, product: Product, request: Request, progress: Progress) -> Data:
        """Bring the data of a leaf; only files that overlap the asked time are opened, one at a time.

        Raises
        ------
        DamagedFile
            If a file turned damaged since it was indexed.
        SourceDown
            If a file or its dataset vanished.
        """
        from armillary.science.join import join

        address = json.loads(product.address)
        dataset, variable = str(address["dataset"]), str(address["variable"])
        extent = request.extent.only("time", *product.selects)
        rows = self._members(dataset, variable, extent.time or _ALL)
        pieces: list[Data] = []
        for number, row in enumerate(rows):
            part = share(progress, number / len(rows), (number + 1) / len(rows))
            part(0.0, row.path)
            pieces.append(_read(self.folder / row.path, variable, extent, part))
        progress(1.0, f"{len(rows)} files read")
        return join(_unrepeated(pieces))

    def damaged(self) -> list[tuple[str, str]]:
        """Give the files that cannot be read, with the reason."""
        return [(row.path, row.reason) for row in self.status() if row.state == "damaged"]

    def status(self) -> list[Row]:
        """Give the row of every file that was looked at: its state (ok, damaged, ignored), reason, format, products."""
        with index.opened(self.index) as connection:
            return [row for row in index.rows(connection).values() if row.state != "other"]

    def _members(self, dataset: str, variable: str, span: Interval) -> list[Row]:
        """Give the files to open: at least one, so that an empty answer has the right variables."""
        with index.opened(self.index) as connection:
            known = index.first_member(connection, dataset)
        if not known:
            self.inventory(silent)
        with index.opened(self.index) as connection:
            inside = index.members(connection, dataset, span.start, span.stop)
            found = [row for row in inside if _has(row, variable)]
            everywhere = found or index.members(connection, dataset, _ALL.start, _ALL.stop)
        found = found or [row for row in everywhere if _has(row, variable)][:1]
        if not found:
            problem = f"{dataset} {variable}".strip() + " is gone from the folder since it was indexed"
            raise SourceDown(problem, "index the folder again: open it once more")
        return found


def _describe(connection: "sqlite3.Connection", folder: Path, new: Sequence[Entry], progress: Progress) -> None:
    waiting: list[Row] = []
    written = time.monotonic()
    try:
        with Describer(folder) as describer:
            for number, entry in enumerate(new):
                progress(number / len(new), entry.path)
                waiting.append(describer.describe(entry))
                if time.monotonic() - written > _SECONDS_BETWEEN_WRITES:
                    index.put(connection, waiting)
                    waiting, written = [], time.monotonic()
    finally:
        index.put(connection, waiting)


def _to_keep(known: dict[str, tuple[int, int, str]]) -> dict[str, tuple[int, int, str]]:
    """Leave out the rows to look at again: those that waited for a package that is here now, or for permission."""
    ready = ("cannot be opened", *(f"needs {package}" for package in _OPTIONAL if _installed(package)))
    return {
        path: (-1, -1, "") if any(word in values[2] for word in ready) else values for path, values in known.items()
    }


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _has(row: Row, variable: str) -> bool:
    return row.summary is not None and any(one.name == variable for one in row.summary.variables)


def _read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data:
    try:
        return files.read(path, variable, extent, progress)
    except BadData as changed:
        raise DamagedFile(f"{path.name}: {changed.problem}", "index its folder again") from None
    except (DamagedFile, OSError) as broken:
        if path.exists():
            if isinstance(broken, DamagedFile):
                raise
            raise DamagedFile(f"{path.name} cannot be read: {broken}", "fetch it again") from None
        raise SourceDown(f"{path.name} is gone since it was indexed", "index its folder again") from None


def _unrepeated(pieces: list[Data]) -> list[Data]:
    """Drop the rows of tables that an earlier piece has already; datasets are left to `join`."""
    import pyarrow as pa

    tables = [piece for piece in pieces if isinstance(piece, pa.Table)]
    if len(tables) < 2:
        return pieces
    keys = ["start", "stop"] if "start" in tables[0].column_names else ["time"]
    if not all(set(keys) <= set(table.column_names) for table in tables):
        return [*_alike(tables)]
    kept: list[Data] = []
    seen: set[tuple[Any, ...]] = set()
    for table in _alike(tables):
        rows = list(zip(*(table.column(key).to_numpy().tolist() for key in keys), strict=True))
        kept.append(table.filter(pa.array([row not in seen for row in rows], pa.bool_())))
        seen |= set(rows)
    return kept


def _alike(tables: "list[pa.Table]") -> "list[pa.Table]":
    """Give columns one type: whole numbers in one file may be fractions in the next."""
    import pyarrow as pa

    if all(table.schema.equals(tables[0].schema) for table in tables):
        return tables
    try:
        wide = pa.unify_schemas([table.schema for table in tables], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return tables
    return [
        table.cast(pa.schema([field.with_type(wide.field(field.name).type) for field in table.schema]))
        for table in tables
    ]
