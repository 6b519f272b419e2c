"""The door: one `Store` is one SQLite file of catalogues."""

import getpass
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armillary.catalogues.database import Pool
from armillary.catalogues.entry import CONTENT, Catalogue, Entry
from armillary.catalogues.history import Change, read_history, read_versions, redo_last, undo_last
from armillary.catalogues.making import alter_catalogue, drop_catalogue, make_catalogue, static_catalogue
from armillary.catalogues.reading import find_catalogue, read_by_id, read_catalogues, read_records, read_rows
from armillary.catalogues.tables import to_table
from armillary.catalogues.writing import add_rows, begin_change, edit_rows, remove_rows
from armillary.errors import BadRequest
from armillary.model import Interval

if TYPE_CHECKING:
    import pyarrow as pa


class Store:
    """Catalogues in one SQLite file, safe for threads and processes.

    Opening is cheap: the file is made with the first question. Every write is one transaction: when a method that
    writes has returned, what it wrote lasts; when it raises, nothing has changed.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    author : str
        Who writes; `default_author` if empty. Undo and redo see the changes of this author only.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = Store(Path(folder) / "catalogues.sqlite", "ada")
    ...     _ = store.new("icme")
    ...     _ = store.add("icme", [Entry.event("2015-10-17", "2015-10-18", attributes={"b_max": 21.5})])
    ...     print([row.attributes for row in store.rows("icme", where="b_max > 20 AND duration > 3600")])
    ...     store.pool.close()
    [{'b_max': 21.5}]
    """

    def __init__(self, path: Path, author: str = "") -> None:
        self.path = Path(path)
        self.author = author or default_author()
        self.pool = Pool(self.path)

    def new(
        self,
        name: str,
        kind: str = "events",
        *,
        description: str = "",
        tags: Iterable[str] = (),
        where: str | None = None,
        of: Iterable[str] = (),
    ) -> Catalogue:
        """Make a catalogue; with `where` a dynamic one, over all rows or those of the catalogues `of`.

        Raises
        ------
        Conflict
            If the name is taken.
        BadRequest, UnknownCatalogue
            If kind, name, predicate or sources are wrong.
        """
        wanted = Catalogue(
            name=name, kind=kind, description=description, tags=tuple(tags), author=self.author, where=where,
            of=tuple(of),
        )  # fmt: skip
        with self.pool.writing() as connection:
            make_catalogue(connection, begin_change(connection, self.author, "new", f"new catalogue {name}"), wanted)
            return find_catalogue(connection, name)[1]

    def alter(self, name: str, /, **changes: Any) -> Catalogue:
        """Change a catalogue's ``name description tags where of``, or with ``drop=True`` take it away.

        Rows that are in no other catalogue go with it; undo brings all of it back.
        """
        with self.pool.writing() as connection:
            action = "drop" if changes == {"drop": True} else "alter"
            change = begin_change(connection, self.author, action, f"{action} catalogue {name}")
            if action == "drop":
                return drop_catalogue(connection, change, name)
            return alter_catalogue(connection, change, name, changes)

    def catalogues(self) -> list[Catalogue]:
        """Give all catalogues by name."""
        with self.pool.reading() as connection:
            return read_catalogues(connection)

    def get(self, name: str) -> Catalogue:
        """Give one catalogue.

        Raises
        ------
        UnknownCatalogue
        """
        with self.pool.reading() as connection:
            return find_catalogue(connection, name)[1]

    def add(self, name: str, rows: Iterable[Entry]) -> list[str]:
        """Add rows and give their ids; a row whose id the store knows is then in both catalogues.

        Raises
        ------
        Conflict
            If the store has another row with that id.
        BadRequest
            If a row does not fit the catalogue, or an attribute has another type there.
        """
        some = list(rows)
        with self.pool.writing() as connection:
            key, catalogue = static_catalogue(connection, name)
            if not some:
                return []
            change = begin_change(connection, self.author, "add", f"add {len(some)} rows to {name}")
            return add_rows(connection, change, (key, catalogue.kind), some, self.author)

    def edit(
        self, rows: str | Entry | Iterable[str | Entry], *, version: int | None = None, **changes: Any
    ) -> list[Entry]:
        """Change fields of rows and give the rows as they are then.

        Parameters
        ----------
        rows : str, Entry or iterable of these
            Ids, or rows as they were read: those are changed only if nobody has changed them since.
        version : int, optional
            The version that rows given by id must have.
        **changes
            Fields of `Entry`; `attributes` are merged, one that becomes None goes away.

        Raises
        ------
        Conflict
            If a row has another version by now.
        """
        unknown = sorted(set(changes) - set(CONTENT))
        if unknown:
            raise BadRequest(f"a row has no field {unknown[0]!r} to edit", f"there are {', '.join(CONTENT)}")
        asked = [rows] if isinstance(rows, str | Entry) else list(rows)
        versions = {
            one if isinstance(one, str) else one.id: version if isinstance(one, str) else one.version for one in asked
        }
        attributes = changes.pop("attributes", {})
        with self.pool.writing() as connection:
            change = begin_change(connection, self.author, "edit", f"edit {len(versions)} rows")
            return edit_rows(connection, change, versions, attributes, changes)

    def remove(self, ids: Iterable[str], name: str | None = None) -> None:
        """Take rows out of one catalogue, or of all; a row in no catalogue any more is gone (undo brings it back)."""
        some = list(ids)
        with self.pool.writing() as connection:
            key = static_catalogue(connection, name)[0] if name else None
            change = begin_change(connection, self.author, "remove", f"remove {len(some)} rows")
            remove_rows(connection, change, some, key)

    def undo(self, n: int = 1) -> list[int]:
        """Undo the last `n` changes of this author and give their numbers; all of them or none."""
        with self.pool.writing() as connection:
            return [undo_last(connection, self.author) for _ in range(n)]

    def redo(self, n: int = 1) -> list[int]:
        """Do again the last `n` changes that were undone."""
        with self.pool.writing() as connection:
            return [redo_last(connection, self.author) for _ in range(n)]

    def history(self, name: str | None = None, *, limit: int = -1) -> list[Change]:
        """Give the changes, newest first, of one catalogue or of all."""
        with self.pool.reading() as connection:
            return read_history(connection, name, limit)

    def rows(self, name: str, interval: Interval | None = None, where: str | None = None) -> list[Entry]:
        """Give the rows of a catalogue by start, those that lie at least partly in `interval` and suit `where`.

        Raises
        ------
        UnknownCatalogue, BadPredicate
        """
        with self.pool.reading() as connection:
            return read_rows(connection, name, interval, where)

    def as_table(self, name: str, interval: Interval | None = None, where: str | None = None) -> "pa.Table":
        """Give the same rows as a table of kind ``events`` or ``sources`` (``samples`` for areas)."""
        with self.pool.reading() as connection:
            catalogue = find_catalogue(connection, name)[1]
            return to_table(catalogue, read_records(connection, name, interval, where))

    def revision(self) -> int:
        """Give a number that grows with every write."""
        with self.pool.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM change").fetchone()[0])


def default_author() -> str:
    """Give ARMILLARY_AUTHOR, or else the name of the user."""
    named = os.environ.get("ARMILLARY_AUTHOR", "")
    try:
        return named or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def find_rows(store: Store, ids: Iterable[str]) -> list[Entry]:
    """Give rows by id, in the order asked.

    Raises
    ------
    UnknownCatalogue
        If one does not exist.
    """
    with store.pool.reading() as connection:
        return list(read_by_id(connection, list(ids)).values())


def versions(store: Store, id_: str) -> list[Entry]:
    """Give all states that a row ever had, oldest first; the row may be gone."""
    with store.pool.reading() as connection:
        return read_versions(connection, id_)
