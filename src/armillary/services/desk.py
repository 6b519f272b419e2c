"""The composition root: one `Desk` has the tree, the archives, the cache and the catalogues of one user.

>>> import armillary as arm
>>> desk = arm.open()
>>> wind = desk.get("simulated/wind/b_gse", "2020-01-01", "2020-01-02")
>>> wind.sizes["time"]
1440
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import ArmillaryError, BadRequest, BrokenPlugin, Cancelled, one_line
from armillary.model import (
    Archive,
    Data,
    Extent,
    Product,
    Progress,
    Request,
    Scalar,
    Source,
    read_extent,
    share,
    silent,
)
from armillary.model.predicate import parse
from armillary.model.times import TimeLike, format_time, parse_time
from armillary.services.home import home as home_folder
from armillary.services.home import make_folder
from armillary.tree import (
    Inventory,
    Plugin,
    Recipes,
    derive,
    discover,
    free_name,
    gather_recipes,
    read_archives,
    refresh,
)

if TYPE_CHECKING:
    from armillary.cache import Cache
    from armillary.catalogues import Store
    from armillary.plots import View
    from armillary.products import Plan, Workshop
    from armillary.services.studies import Studies

_LOG: Final = logging.getLogger("armillary.desk")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything one user works with; make it with :func:`open`.

    Parameters
    ----------
    home : Path
        Folder of all state.
    archives : mapping of str to Archive
        By key (``protocol:address``); where two have the same path, the earlier goes first.
    sources : mapping of str to Source
        By the same keys.
    plugins : tuple of Plugin
        The installed missions, the broken ones too.
    recipes : Recipes
        Of all missions.
    inventory : Inventory
        The leaves of all archives.
    problems : mapping of str to ArmillaryError
        By key, archives that could not be listed, and why.
    """

    home: Path
    archives: Mapping[str, Archive]
    sources: Mapping[str, Source]
    plugins: tuple[Plugin, ...]
    recipes: Recipes
    inventory: Inventory
    problems: Mapping[str, ArmillaryError] = field(default_factory=dict)

    @property
    def cache(self) -> "Cache":
        """The cache of this home."""
        from armillary.services.home import cache_of

        return cache_of(self.home)

    @property
    def catalogues(self) -> "Store":
        """The catalogues of this home."""
        from armillary.catalogues import Store

        return Store(self.home / "catalogues.sqlite")

    def product(self, path: str) -> Product:
        """Give the leaf at a path.

        Raises
        ------
        UnknownProduct
            Naming the nearest paths.
        """
        return self.inventory.product(path.strip("/"))

    def columns(self, path: str, progress: Progress = silent) -> list[dict[str, str]]:
        """Give name, type, unit, UCD and description of each column of a table; nothing where its source knows none.

        A large archive tells the columns of a table when they are first asked for.
        """
        product = self.product(path)
        known = None if product.recipe else getattr(self.source_of(product), "columns", None)
        names = {"name": "bare", "type": "datatype", "unit": "unit", "ucd": "ucd", "description": "description"}
        listed = known(product, progress) if known else ()
        return [{name: getattr(one, place) for name, place in names.items()} for one in listed]

    def search(self, words: str = "", under: str = "", limit: int = 200) -> list[Product]:
        """Find leaves that hold all words, at or under a path; limit 0 gives all."""
        return self.inventory.search(words, under, limit)

    def plan(self, request: Request) -> "Plan":
        """Say what a request needs and costs, and do nothing."""
        from armillary.products import plan

        return plan(request, self.product, self.recipes.of)

    def get(
        self,
        product: str,
        start: TimeLike | None = None,
        stop: TimeLike | None = None,
        *,
        params: Mapping[str, Scalar] | None = None,
        progress: Progress = silent,
        offline: bool = False,
        **parts: str | Sequence[float],
    ) -> Data:
        """Get the data of a product.

        Parameters
        ----------
        product : str
            Path of a leaf.
        start, stop : str, datetime or datetime64, optional
            Half-open interval in UTC; both, or neither for all there is.
        params : mapping, optional
            Values for the product's parameters.
        progress : callable, optional
            Told ``(fraction, message)``; may raise `Cancelled`.
        offline : bool
            Serve what is in the cache only, with a warning that names the holes.
        **parts : str
            Other parts of the extent: ``bbox=(west, south, east, north)``, ``cone=(ra, dec, radius)``,
            ``where="b > 10"``, ``rows=(0, 100)``; texts as on the command line will do too.

        Returns
        -------
        xarray.Dataset or pyarrow.Table
            See `armillary.model.kinds`; its attributes say what was asked and what it was made from.
        """
        return self.answer(ask(product, start, stop, params=params, **parts), progress, offline=offline)

    def answer(self, request: Request, progress: Progress = silent, *, offline: bool = False) -> Data:
        """Get the data that a request asks for."""
        from armillary.products import make

        return make(self.plan(request), self.workshop(offline=offline), progress)

    def blocks(self, request: Request, progress: Progress = silent, *, offline: bool = False) -> Iterator[Data]:
        """Get the data that a request asks for in consecutive blocks, with bounded memory."""
        from armillary.products import blocks

        return blocks(self.plan(request), self.workshop(offline=offline), progress)

    def lazy_blocks(self, request: Request, progress: Progress = silent) -> list[Callable[[], Data]]:
        """Give the same blocks as calls that make them: what is not called is neither fetched nor made."""
        from armillary.products import lazy_blocks

        return lazy_blocks(self.plan(request), self.workshop(), progress)

    def view(
        self,
        requests: Sequence[Request],
        progress: Progress = silent,
        *,
        at: TimeLike | None = None,
        title: str = "",
        catalogues: Sequence[str] = (),
        offline: bool = False,
    ) -> "View":
        """Get several products and arrange them in one picture, with the events of catalogues drawn on it.

        Planes and volumes are drawn for the time `at`, without it for the middle of the interval.
        """
        from armillary.plots import AT_CURSOR, arrange
        from armillary.services.cursor import cursor_of, narrowed
        from armillary.services.events import bands_of

        interval = next((one.extent.time for one in requests if one.extent.time), None)
        cursor = cursor_of(interval, None if at is None else parse_time(at))
        bands = bands_of(self.catalogues, catalogues, interval)  # first: an unknown name is told before any work
        items = []
        for number, one in enumerate(requests):
            part = share(progress, number / len(requests), (number + 1) / len(requests))
            product = self.product(one.product)
            items.append((product, self.answer(narrowed(one, product, cursor), part, offline=offline)))
        shown = cursor if any(product.kind in AT_CURSOR for product, _ in items) else None
        return arrange(items, interval=interval, cursor=shown, bands=bands, title=title)

    @property
    def learn(self) -> "Studies":
        """Studies of this desk: run one, apply its model, let it propose labels, decide on these."""
        from armillary.services.studies import Studies

        return Studies(self)

    def workshop(self, *, offline: bool = False) -> "Workshop":
        """Give what `armillary.products.make` needs."""
        from armillary.products import Workshop

        return Workshop(self.source_of, self.cache, offline)

    def source_of(self, product: Product) -> Source:
        """Give the source that has a raw product."""
        return self.sources[self.inventory.key_of(product)]


def open(  # noqa: A001 - arm.open reads well
    *folders: str | Path | Archive, home: str | Path | None = None, progress: Progress = silent
) -> Desk:
    """Open the desk: missions, remembered archives and the given folders, listed in one tree.

    Parameters
    ----------
    *folders : str, Path or Archive
        Folders of files, or other archives, that this desk shows beside those it remembers.
    home : str or Path, optional
        Instead of ``ARMILLARY_HOME``.
    progress : callable, optional
        Told how far the listing of new or changed archives is.

    Raises
    ------
    BadRequest
        If a folder does not exist.
    """
    state = Path(home) if home else home_folder()
    make_folder(state)
    plugins = discover()
    recipes = gather_recipes(plugins)
    archives = _gather(state, folders, plugins)
    sources = _connect(archives, state)
    inventory = Inventory(state / "inventory.sqlite", {key: archives[key].name for key in sources}, recipes.generic)
    problems = dict(_list_all(inventory, sources, recipes, progress))
    return Desk(state, archives, sources, plugins, recipes, inventory, problems)


def ask(
    product: str,
    start: TimeLike | None = None,
    stop: TimeLike | None = None,
    *,
    params: Mapping[str, Scalar] | None = None,
    **parts: str | Sequence[float],
) -> Request:
    """Make a request from what people give; see `Desk.get`."""
    unknown = set(parts) - {"bbox", "cone", "where", "rows"}
    if unknown:
        raise BadRequest(f"there is no part {min(unknown)!r} of an extent", "use bbox, cone, where or rows")
    times = {name: format_time(parse_time(one)) for name, one in (("start", start), ("stop", stop)) if one is not None}
    texts = {name: one if isinstance(one, str) else ",".join(map(repr, one)) for name, one in parts.items()}
    extent: Extent = read_extent({**texts, **times})
    if extent.where:
        parse(extent.where)  # a predicate that cannot be read is told before anything is fetched
    return Request(product.strip("/"), extent, params or {})


def folder_archive(folder: str | Path, taken: Iterable[str] = (), name: str = "") -> Archive:
    """Make the archive of a folder.

    Raises
    ------
    BadRequest
        If there is no such folder.
    """
    place = Path(folder).expanduser().resolve()
    if not place.is_dir():
        raise BadRequest(f"there is no folder {str(folder)!r}", "give a folder that exists")
    return Archive(
        name=name or free_name(place.name or "local", {*taken}), protocol="folder", address=str(place), title=str(place)
    )


def key_of(archive: Archive) -> str:
    """Give what tells archives apart: protocol and address."""
    return f"{archive.protocol}:{archive.address}"


def archives_file(state: Path) -> Path:
    """Give the file that remembers the added archives."""
    return state / "archives.json"


def list_archive(desk: Desk, key: str, progress: Progress = silent) -> int:
    """List one archive anew, whether its stamp has changed or not, and give the number of its leaves.

    A source that can be asked anew (a server, which else is believed for a while) has a method ``refresh``.
    """
    source = desk.sources[key]
    raw = list(getattr(source, "refresh", source.inventory)(progress))
    return desk.inventory.replace(key, _stamp(source, desk.recipes), [*raw, *derive(raw, desk.recipes)])


def _gather(state: Path, folders: Sequence[str | Path | Archive], plugins: Iterable[Plugin]) -> dict[str, Archive]:
    """Put the given folders first, then the remembered archives, then the missions' own."""
    remembered = read_archives(archives_file(state))
    missions = [archive for plugin in plugins if plugin.mission for archive in plugin.mission.archives]
    found = {key_of(one): one for one in remembered}
    for one in missions:  # two archives of one name could not be told apart by their leaves
        name = free_name(one.name, {other.name for other in found.values()})
        found.setdefault(key_of(one), replace(one, name=name))
    given: dict[str, Archive] = {}
    for folder in folders:
        taken = {one.name for one in (*found.values(), *given.values())}
        archive = folder if isinstance(folder, Archive) else folder_archive(folder, taken)
        given[key_of(archive)] = found.pop(key_of(archive), archive)
    return {**given, **found}


def _connect(archives: Mapping[str, Archive], state: Path) -> dict[str, Source]:
    """Connect all archives; one that cannot be is left out with a warning."""
    from armillary.sources.connect import connect

    sources = {}
    for key, archive in archives.items():
        try:
            sources[key] = connect(archive, state)
        except Exception as broken:  # noqa: BLE001 - a mission's own source may raise anything
            _LOG.warning("archive %s is left out: %s", archive.name, one_line(str(broken)))
    return sources


def _list_all(
    inventory: Inventory, sources: Mapping[str, Source], recipes: Recipes, progress: Progress
) -> Iterator[tuple[str, ArmillaryError]]:
    """List each archive whose stamp has changed; one that fails keeps its old leaves and gives its error."""
    for key, source in sources.items():
        try:
            _list_one(inventory, key, source, recipes, progress)
        except Cancelled:
            raise
        except ArmillaryError as broken:
            yield key, broken
        except Exception as broken:  # noqa: BLE001 - a mission's own source may raise anything
            reason = f"its source raised {type(broken).__name__}: {broken}"
            yield key, BrokenPlugin(reason, "report this to who wrote the mission; what was listed before is kept")


def _list_one(inventory: Inventory, key: str, source: Source, recipes: Recipes, progress: Progress) -> None:
    refresh(inventory, key, lambda: _stamp(source, recipes), lambda: _with_derived(source, recipes, progress))


def _stamp(source: Source, recipes: Recipes) -> str:
    return f"{source.stamp()} {recipes.stamp()}"


def _with_derived(source: Source, recipes: Recipes, progress: Progress) -> list[Product]:
    raw = list(source.inventory(progress))
    return [*raw, *derive(raw, recipes)]
