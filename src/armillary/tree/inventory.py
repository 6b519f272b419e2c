"""The inventory: all leaves of all archives in one SQLite file, so that browsing and searching needs no network.

A search looks for every word anywhere in path, title, description and units (an FTS5 trigram index; words of one or two
letters are looked for by scanning). Leaves whose path holds all words come first.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import translate
from pathlib import Path
from typing import Final

from armillary.errors import CannotWrite, UnknownProduct
from armillary.model import Product, Recipe
from armillary.sources.wal import use_wal
from armillary.tree.derive import generic_products, has_generic

_VERSION: Final = 8
_SCHEMA: Final = """
CREATE TABLE archives (key TEXT PRIMARY KEY, stamp TEXT NOT NULL);
CREATE TABLE leaves (id INTEGER PRIMARY KEY, key TEXT NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL,
    record TEXT NOT NULL);
CREATE INDEX leaves_by_path ON leaves (key, path);
CREATE VIRTUAL TABLE words USING fts5(path, text, tokenize='trigram', detail='full', content='');
"""


@dataclass(frozen=True, slots=True)
class Branch:
    """One child of a place in the tree: a leaf, a branch, or both.

    Parameters
    ----------
    has_children : bool
        Whether anything hangs under it.
    deeper : bool
        Whether leaves of archives and missions do, and not only what generic recipes make of it.
    """

    path: str
    leaf: Product | None
    has_children: bool
    deeper: bool = False


@dataclass(frozen=True, slots=True)
class Inventory:
    """The leaves of some archives.

    Parameters
    ----------
    file : Path
        The SQLite file; it can be deleted at any time and is made again.
    names : mapping of str to str
        Key of each archive that is shown (``protocol:address``) -> its name; where two have the same path the earlier
        one is shown as it is and the later one as ``path@name``.
    generic : tuple of Recipe
        Recipes whose products hang under every leaf that fits; they are found when somebody looks there.
    """

    file: Path
    names: dict[str, str]
    generic: tuple[Recipe, ...] = ()

    def stamp(self, key: str) -> str | None:
        """Give the stamp that the leaves of an archive were listed at, None if they never were."""
        with self._open() as db:
            row = db.execute("SELECT stamp FROM archives WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def replace(self, key: str, stamp: str, products: Iterable[Product]) -> int:
        """Exchange all leaves of one archive, in one transaction, and give their number."""
        rows = [(key, product.path, _text(product), json.dumps(product.to_record())) for product in products]
        with self._open(write=True) as db:
            _forget(db, key)
            (last,) = db.execute("SELECT coalesce(max(id), 0) FROM leaves").fetchone()
            numbered = [(last + n, *row) for n, row in enumerate(rows, 1)]
            db.executemany("INSERT INTO leaves VALUES (?, ?, ?, ?, ?)", numbered)
            words = ((row[0], row[2].lower(), row[3]) for row in numbered)
            db.executemany("INSERT INTO words (rowid, path, text) VALUES (?, ?, ?)", words)
            db.execute("INSERT INTO archives VALUES (?, ?)", (key, stamp))
        return len(rows)

    def product(self, path: str) -> Product:
        """Give the leaf at a path.

        Raises
        ------
        UnknownProduct
            Naming the nearest paths.
        """
        found = self.find(path)
        if found is None and self.children(path):
            raise UnknownProduct(f"{path!r} is a branch, not a product", f"see what it has: armillary tree {path}")
        if found is None:
            raise UnknownProduct(f"there is no product {path!r}", self._nearest(path))
        return found

    def find(self, path: str) -> Product | None:
        """Give the leaf at a path, or None."""
        with self._open() as db:
            return self._find(db, path)

    def key_of(self, product: Product) -> str:
        """Give the key of the archive that a leaf belongs to."""
        return next(key for key, name in self.names.items() if name == product.source)

    def leaves(self, under: str = "") -> list[Product]:
        """List all leaves at or under a path, sorted by path."""
        place = under.strip("/")
        with self._open() as db:
            rows = [row for key in self.names for row in db.execute(*_below(key, place))]
        return self._apart(rows)

    def search(self, words: str, under: str = "", limit: int = 200) -> list[Product]:
        """Find leaves that hold every word; those with all words in the path come first.

        Parameters
        ----------
        words : str
            Separated by spaces, any case, each at any place.
        under : str
            Only leaves at or under this path.
        limit : int
            At most so many, 0 for all.
        """
        wanted = words.lower().split()
        if not wanted:
            return self.leaves(under)[: limit or None]
        with self._open() as db:
            ids = self._match(db, wanted, under, limit, "path")
            if not limit or len(ids) < limit:
                ids = list(dict.fromkeys([*ids, *self._match(db, wanted, under, limit)]))
            query = "SELECT key, record FROM leaves WHERE id = ?"
            rows = [db.execute(query, (one,)).fetchone() for one in (ids[:limit] if limit else ids)]
        found = self._apart(rows, ordered=False)
        more = limit - len(found) if limit else 0
        return found if limit and not more else [*found, *_search_generic(self, wanted, under, more)]

    def children(self, place: str = "") -> list[Branch]:
        """List what hangs directly under a place; costs a few index look-ups a child."""
        prefix = f"{place.strip('/')}/" if place.strip("/") else ""
        found: dict[str, bool] = {}
        with self._open() as db:
            for key in self.names:
                for name, deeper in _segments(db, key, prefix):
                    found[name] = found.get(name, False) or deeper
            query = "SELECT key, record FROM leaves WHERE key = ? AND path = ?"
            branches: list[Branch] = []
            for name, deeper in sorted(found.items()):
                rows = [row for key in self.names for row in db.execute(query, (key, prefix + name))]
                branches += _branches(prefix + name, self._apart(rows, ordered=False), deeper, self.generic)
            here = self._find(db, place.strip("/")) if place else None
        made = generic_products(here, self.generic) if here else []
        fresh = [one for one in made if one.path.rpartition("/")[2] not in found]
        return [*branches, *(Branch(one.path, one, has_generic(one, self.generic)) for one in fresh)]

    def count(self, *keys: str) -> int:
        """Give the number of leaves, of all archives or of some."""
        wanted = keys or tuple(self.names)
        marks = ", ".join("?" * len(wanted))
        with self._open() as db:
            row = db.execute(f"SELECT count(*) FROM leaves WHERE key IN ({marks})", wanted).fetchone()
        return int(row[0])

    def _find(self, db: sqlite3.Connection, path: str) -> Product | None:
        plain, _, name = path.rpartition("@")
        keys = [key for key, known in self.names.items() if known == name]
        query = "SELECT key, record FROM leaves WHERE key = ? AND path = ?"
        for key, asked in [*((key, path) for key in self.names), *((key, plain) for key in keys)]:
            row = db.execute(query, (key, asked)).fetchone()
            if row:
                return replace(self._read(*row), path=path)
        parent, _, last = path.rpartition("/")
        if not any(recipe.output.endswith(f"/{last}") for recipe in self.generic):
            return None
        leaf = self._find(db, parent)
        return next((one for one in generic_products(leaf, self.generic) if one.path == path), None) if leaf else None

    def _match(self, db: sqlite3.Connection, words: list[str], under: str, limit: int, column: str = "") -> list[int]:
        keys = ", ".join("?" * len(self.names))
        long = " ".join(f'"{_quote(word)}"' for word in words if len(word) > 2)
        short = [word for word in words if len(word) <= 2]
        tests, values = [f"leaves.key IN ({keys})"], list(self.names)
        if under.strip("/"):
            tests.append("(leaves.path = ? OR leaves.path GLOB ?)")
            values += [under.strip("/"), f"{_literal(under.strip('/'))}/*"]
        for word in short:
            tests.append("instr(lower(leaves.path), ?)" if column else "instr(leaves.text, ?)")
            values.append(word)
        tables = "leaves"
        if long:
            # CROSS JOIN keeps this order: the other one would look each leaf up in the index of words.
            tables = "words CROSS JOIN leaves ON leaves.id = words.rowid"
            tests.append("words MATCH ?")
            values.append(f"{{path}} : ({long})" if column else long)
        values.append(str(limit or -1))
        rows = db.execute(f"SELECT leaves.id FROM {tables} WHERE {' AND '.join(tests)} LIMIT ?", values)
        return [int(row[0]) for row in rows]

    def _apart(self, rows: Iterable[tuple[str, str]], *, ordered: bool = True) -> list[Product]:
        """Read rows; of two leaves with one path, the one of the later archive is shown as ``path@archive``."""
        rank = {key: place for place, key in enumerate(self.names)}
        products = [(rank[key], self._read(key, record)) for key, record in rows]
        first: dict[str, int] = {}
        for place, product in products:
            first[product.path] = min(place, first.get(product.path, place))
        shown = [
            product if first[product.path] == place else replace(product, path=f"{product.path}@{product.source}")
            for place, product in products
        ]
        return sorted(shown, key=lambda product: product.path) if ordered else shown

    def _read(self, key: str, record: str) -> Product:
        return replace(Product.from_record(json.loads(record)), source=self.names[key])

    def _nearest(self, path: str) -> str:
        parts = path.replace("/", " ").split()
        near = [one.path for one in self.search(" ".join(parts), limit=3)] if parts else []
        if not near:
            place = path.rpartition("/")[0]
            around = [branch.path for branch in self.children(place)] or [branch.path for branch in self.children()]
            near = get_close_matches(path, around, 3, 0.3)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        return f"{hint}see `armillary tree --search WORDS`"

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            with closing(_connect(self.file)) as db:
                if write:
                    db.execute("BEGIN IMMEDIATE")
                yield db
                db.commit()
        except sqlite3.Error as broken:
            raise CannotWrite(
                f"the inventory {self.file} cannot be used: {broken}", "check disk and permissions, or delete the file"
            ) from broken


def refresh(inventory: Inventory, key: str, stamp: Callable[[], str], listing: Callable[[], Sequence[Product]]) -> bool:
    """List the leaves of an archive again if its stamp has changed; say whether it was done.

    The stamp is taken again after the listing, which may itself change what it is made from: the recorded answers of a
    server, the index of a folder.
    """
    if inventory.stamp(key) == stamp():
        return False
    products = listing()
    inventory.replace(key, stamp(), products)
    return True


def match(inventory: Inventory, shape: str) -> list[str]:
    """Give the paths that fit a shape with ``*`` (any text), ``?`` and ``[...]``, sorted."""
    fits = re.compile(translate(shape.strip("/")))
    fixed = re.split(r"[*?\[]", shape.strip("/"))[0].rpartition("/")[0]
    return [product.path for product in inventory.leaves(fixed) if fits.match(product.path)]


def _search_generic(inventory: Inventory, words: list[str], under: str, limit: int) -> list[Product]:
    """Find what generic recipes make: one word names the recipe, the others find its leaf."""
    found: dict[str, Product] = {}
    for word in words:
        named = [one for one in inventory.generic if len(word) > 3 and word in one.output.rpartition("/")[2]]
        rest = " ".join(other for other in words if other != word)
        for leaf in inventory.search(rest, under, limit) if named and rest else ():
            found |= {one.path: one for one in generic_products(leaf, named)}
    return list(found.values())[: limit or None]


def _branches(path: str, leaves: list[Product], deeper: bool, generic: tuple[Recipe, ...]) -> list[Branch]:
    """Give one child, and one more for each later archive that has a leaf of the same path."""
    below = [has_generic(leaf, generic) for leaf in leaves]
    first = Branch(path, leaves[0] if leaves else None, deeper or any(below[:1]), deeper)
    later = zip(leaves[1:], below[1:], strict=True)
    return [first, *(Branch(leaf.path, leaf, has_children=more) for leaf, more in later)]


def _connect(file: Path) -> sqlite3.Connection:
    try:
        return _prepare(file)
    except sqlite3.DatabaseError as broken:
        if isinstance(broken, sqlite3.OperationalError):
            raise
        # Not a database, or a torn one: everything in it can be listed again.
        for part in ("", "-wal", "-shm"):
            Path(f"{file}{part}").unlink(missing_ok=True)
        return _prepare(file)


def _prepare(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            _create(db)
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    use_wal(db)
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:  # perhaps another process was faster
        for table in ("words", "leaves", "archives"):
            db.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in filter(None, map(str.strip, _SCHEMA.split(";"))):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
    db.commit()


def _forget(db: sqlite3.Connection, key: str) -> None:
    rows = db.execute("SELECT id, path, text FROM leaves WHERE key = ?", (key,)).fetchall()
    gone = ((one, path.lower(), text) for one, path, text in rows)
    db.executemany("INSERT INTO words (words, rowid, path, text) VALUES ('delete', ?, ?, ?)", gone)
    db.execute("DELETE FROM leaves WHERE key = ?", (key,))
    db.execute("DELETE FROM archives WHERE key = ?", (key,))


def _text(product: Product) -> str:
    return f"{product.path} {product.title} {product.description} {product.units} {product.kind}".lower()


def _below(key: str, place: str) -> tuple[str, tuple[str, ...]]:
    if not place:
        return "SELECT key, record FROM leaves WHERE key = ?", (key,)
    # "0" is the character after "/": all that starts with "place/" lies between them.
    query = "SELECT key, record FROM leaves WHERE key = ? AND (path = ? OR (path > ? AND path < ?))"
    return query, (key, place, f"{place}/", f"{place}0")


def _segments(db: sqlite3.Connection, key: str, prefix: str) -> Iterator[tuple[str, bool]]:
    """Step through the distinct next segments under a prefix, by index seeks."""
    at = prefix
    while True:
        row = db.execute(
            "SELECT path FROM leaves WHERE key = ? AND path >= ? ORDER BY path LIMIT 1", (key, at)
        ).fetchone()
        if row is None or not row[0].startswith(prefix):
            return
        name, slash, _ = row[0][len(prefix) :].partition("/")
        if slash:
            yield name, True
            at = f"{prefix}{name}0"
        else:
            yield name, False
            at = f"{prefix}{name}\x01"  # the next path: "-" and others come before "/"


def _quote(word: str) -> str:
    return word.replace('"', '""')


def _literal(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)
