"""Samples of the products of a desk: what studies learn from, and what their models are applied to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, BadRequest, NoData
from armillary.model import Interval, Product, Progress, Request, format_time, share, silent
from armillary.services import scenes
from armillary.services.desk import Desk, ask

if TYPE_CHECKING:
    import xarray as xr

    from armillary.catalogues import Store
    from armillary.learn.applying import Block
    from armillary.learn.gridding import Grid
    from armillary.learn.study import Study
    from armillary.learn.trained import Run

Array = np.ndarray[Any, np.dtype[Any]]
#: Kinds of products that are series along time.
_SERIES: Final = frozenset({"series", "spectrogram"})
#: Kinds of products that are tables of objects.
_TABLES: Final = frozenset({"sources", "samples"})


def publish_products(desk: Desk, study: "Study", folder: Path, progress: Progress = silent) -> dict[str, Any]:
    """Run a study whose samples are products and whose labels are a catalogue, and write its run folder.

    Parameters
    ----------
    desk : Desk
    study : Study
        Its data have the layout ``products``, see :data:`armillary.learn.gridding.OPTIONS`.
    folder : Path

    Returns
    -------
    dict
        The content of metrics.json.
    """
    from armillary.learn.publishing import publish

    samples = samples_of_products(desk, study, share(progress, 0.0, 0.2))
    named = {"test_start", "test_stop"} & study.data.options.keys()
    test = samples_of_products(desk, study, share(progress, 0.2, 0.3), "test_") if named else None
    if "positive" in samples.attrs and not study.labels.positive:
        study = replace(study, labels=replace(study.labels, positive=samples.attrs["positive"]))
    return publish(study, folder, data=samples, test_data=test, progress=share(progress, 0.3, 1.0))


def samples_of_products(desk: Desk, study: "Study", progress: Progress = silent, which: str = "") -> "xr.Dataset":
    """Put the products of a study on one grid and label them by its catalogue.

    Parameters
    ----------
    which : str
        ``test_`` for the interval of the test data.

    Raises
    ------
    ArmillaryError
        If an option, a product or the catalogue is not there; if no label lies in the time of the products.
    """
    from armillary.learn import gridding

    options = study.data.options
    if scenes.are_maps(desk, options):
        return scenes.samples_of_maps(desk, study, progress, which)
    gridding.check_options(options)
    grid = gridding.grid_of(gridding.interval_of(options, f"{which}start", f"{which}stop"), options["cadence"])
    labels = str(options.get("labels", ""))  # first: an unknown name is told before any work
    events, classes = events_of(desk.catalogues, labels, options.get("where"), grid.interval) if labels else (None, [])
    samples = gridded(desk, options["products"], grid, progress)
    empty = [name for name in options["products"] if not np.isfinite(samples[name].values).any()]
    if empty:
        problem = f"{options['products'][empty[0]]} has no number in {grid.interval}"
        raise BadData(problem, f"its coverage is {desk.product(options['products'][empty[0]]).coverage}")
    if events is None:
        return gridding.with_ahead(samples, options)
    label = gridding.with_events if study.task == "events" else gridding.with_classes
    return label(samples, events, classes, options)


def events_of(store: "Store", name: str, where: str | None, interval: Interval) -> tuple[Array, list[str]]:
    """Give starts and stops (m, 2) and classes of the rows of a catalogue that lie in an interval, all if none does.

    Raises
    ------
    BadData
        If there is no row with start and stop.
    """
    rows = store.rows(name, interval, where) or store.rows(name, None, where)
    lasting = [(one.start, one.stop, one.class_) for one in rows if one.interval is not None]
    if not lasting:
        problem = f"catalogue {name!r} has no event that lasts" + (f" with {where}" if where else "")
        raise BadData(problem, "add rows with start and stop, see `armillary catalogue show`")
    return np.array([one[:2] for one in lasting], np.int64), [one[2] for one in lasting]


def gridded(desk: Desk, products: Mapping[str, str], grid: "Grid", progress: Progress = silent) -> "xr.Dataset":
    """Get products and put them on a grid: the mean in each cell, or where cells are finer, straight lines between."""
    from armillary.learn.gridding import samples_of

    columns = {}
    for number, (name, path) in enumerate(products.items()):
        step = share(progress, number / len(products), (number + 1) / len(products))
        columns[name] = _column(desk, str(path), grid, step)
    return samples_of(grid, columns)


def blocks_of_products(
    desk: Desk, run: "Run", products: Mapping[str, str], interval: Interval, progress: Progress = silent
) -> list[Callable[[], "Block"]]:
    """Cut an interval of products into blocks that overlap as far as the features of a run reach."""
    from armillary.learn.gridding import grid_of
    from armillary.services.stores import rows_of

    cadence = run.recipe["cadence"]
    if not cadence:
        raise BadRequest("this model was not trained on a series with a cadence", "give a file in its study's layout")
    grid = grid_of(interval, cadence)
    return [Stretch(desk, products, grid, rows, progress) for rows in rows_of(run, grid)]


def blocks_of_table(
    desk: Desk, run: "Run", request: Request, progress: Progress = silent
) -> list[Callable[[], "Block"]]:
    """Give the rows of a table product as blocks: pages of an archive, or as many rows as fit; none is fetched yet.

    Raises
    ------
    BadRequest
        If features of a row need others, which may lie in another block.
    """
    from armillary.learn.applying import reach_of
    from armillary.services.streams import Rows

    if reach_of(run.study):
        raise BadRequest("the features of this model look at neighbouring rows", "write the table to a file first")
    return [Rows(run, partial(_frame, one)) for one in desk.lazy_blocks(request, progress)]


def _frame(part: Callable[[], Any]) -> Any:
    from armillary.learn.units import frame_of

    return frame_of(part())


def blocks_of_file(run: "Run", path: Path) -> Iterable[Callable[[], "Block"]]:
    """Read a file or folder in the layout of the study of a run, with or without labels, as blocks.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.applying import cut
    from armillary.learn.publishing import PRODUCTS
    from armillary.services.stores import ENDINGS, blocks_of_store
    from armillary.services.streams import streamed

    if run.study.data.layout in {PRODUCTS, "timeline"} and path.suffix in ENDINGS:
        return blocks_of_store(run, path)
    if run.study.data.layout == PRODUCTS:
        raise BadRequest(f"{path.name} is a file, and the study learns from products", "name products of the tree")
    found = streamed(run, path)
    if found is not None:
        return found
    return [Part(path, number, one) for number, one in enumerate(cut(run, unlabelled(run, path)))]


@dataclass(frozen=True, slots=True)
class Part:
    """A block of a file that is read as a whole.

    Parameters
    ----------
    path : Path
    number : int
        Which of its blocks.
    block : callable
    """

    path: Path
    number: int
    block: Callable[[], "Block"]

    def __call__(self) -> "Block":
        """Make the block."""
        return self.block()

    def record(self, _folder: Path, _number: int) -> dict[str, Any]:
        """Tell the block by plain values: who makes it reads the file again."""
        return {"kind": "part", "path": str(self.path.resolve()), "number": self.number}


def unlabelled(run: "Run", path: Path) -> "xr.Dataset":
    """Read new data in the layout of a study; labels are not asked for where the layout can do without."""
    from armillary.learn.layouts import read_samples
    from armillary.services.streams import LABELS

    layout, options = run.study.data.layout, dict(run.study.data.options)
    without = {name: value for name, value in options.items() if name not in LABELS}
    if layout in {"table", "timeline"} and run.recipe["columns"]:
        without["columns"] = run.recipe["columns"]
    try:
        return read_samples(layout, path, without)
    except BadParameter:
        return read_samples(layout, path, options)


def products_for(desk: Desk, run: "Run", paths: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Say which product gives which column of a study.

    Parameters
    ----------
    paths : sequence of str
        Products; each is the column of the last part of its path, or the only one of both.
    columns : mapping of str to str
        Column and product, where names differ.

    Raises
    ------
    BadRequest
        If a column has no product, or a product no column.
    """
    wanted = run.recipe["columns"] or list(run.recipe["variables"])
    found = {**columns}
    odd = sorted(set(columns) - set(wanted))
    rest = [desk.product(path).path for path in paths]
    if len(wanted) == 1 and len(rest) == 1 and not columns:
        found[wanted[0]] = rest.pop()
    by_name = {path.rpartition("/")[2]: path for path in rest}
    odd += [name for name in by_name if name not in wanted]
    if odd:
        problem = f"the model has no column {odd[0]!r}"
        raise BadRequest(problem, f"write --column NAME=PRODUCT for each of {', '.join(wanted)}")
    known = dict(run.study.data.options.get("products", {}))
    found = {**{name: str(path) for name, path in known.items()}, **by_name, **found}
    lost = [name for name in wanted if name not in found]
    if lost:
        raise BadRequest(f"no product is named for the column {lost[0]!r}", f"write --column {lost[0]}=PRODUCT")
    return {name: desk.product(found[name]).path for name in wanted}


def is_table(product: Product) -> bool:
    """Say whether a product is a table of objects.

    Raises
    ------
    BadRequest
        If it is neither that nor a series.
    """
    if product.kind not in _SERIES | _TABLES:
        raise BadRequest(f"{product.path} is of the kind {product.kind}", "models are applied to series and tables")
    return product.kind in _TABLES


def span_of(desk: Desk, products: Iterable[str]) -> Interval:
    """Give the time that all products cover.

    Raises
    ------
    BadRequest
        If one does not say, or there is none.
    """
    spans = [desk.product(path).coverage for path in products]
    known = [one for one in spans if one is not None]
    if len(known) < len(spans) or not known:
        raise BadRequest("a product does not say which time it covers", "give --start and --stop")
    start, stop = max(one.start for one in known), min(one.stop for one in known)
    if start >= stop:
        raise BadRequest("the products have no time in common", "choose others")
    return Interval(start, stop)


def _column(desk: Desk, path: str, grid: "Grid", progress: Progress) -> Array:
    from armillary.learn.gridding import Column, matrix_of

    product = desk.product(path)
    if product.kind not in _SERIES:
        raise BadRequest(f"{path} is of the kind {product.kind}, no series", "give series as columns")
    made = Column(grid)
    # sparse series are joined by lines, which need a sample beyond either end
    more = 4 * round((product.cadence or 0.0) * 1e9) if (product.cadence or 0.0) * 1e9 > grid.step else 0
    start, stop = grid.interval.start - more, grid.interval.stop + more
    if product.coverage is not None:
        start, stop = max(start, product.coverage.start), min(stop, product.coverage.stop)
    if start >= stop:
        return made.values()
    try:
        for data in desk.blocks(ask(path, format_time(start), format_time(stop)), progress):
            if data.sizes.get("time", 0):
                made.add(*matrix_of(data))
    except NoData:
        pass
    return made.values()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A block of products along time that is made when it is asked for.

    Parameters
    ----------
    desk : Desk
    products : mapping of str to str
        Column and path.
    grid : Grid
    rows : tuple of int
        First cell, end, and how many more on either side are for the features only.
    progress : callable
    """

    desk: Desk
    products: Mapping[str, str]
    grid: "Grid"
    rows: tuple[int, int, int]
    progress: Progress = silent

    def __call__(self) -> "Block":
        """Make the block."""
        from armillary.learn.applying import Block

        low, high, more = self.rows
        kept = np.zeros(high - low + 2 * more, bool)
        kept[more : more + high - low] = True
        return Block(gridded(self.desk, self.products, self.grid.part(low - more, high + more), self.progress), kept)

    def record(self, _folder: Path, _number: int) -> dict[str, Any]:
        """Tell the block by plain values, see :func:`stretch_of`."""
        archives = [one.to_record() for one in self.desk.archives.values()]
        grid = [self.grid.first, self.grid.step, self.grid.count]
        return {
            "kind": "products", "home": str(self.desk.home.resolve()), "archives": archives,
            "products": dict(self.products), "grid": grid, "rows": list(self.rows),
        }  # fmt: skip


def stretch_of(desk: Desk, record: Mapping[str, Any]) -> Stretch:
    """Make a block of what :meth:`Stretch.record` told."""
    from armillary.learn.gridding import Grid

    return Stretch(desk, record["products"], Grid(*record["grid"]), tuple(record["rows"]))
