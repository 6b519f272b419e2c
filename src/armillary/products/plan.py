"""The plan: what a request needs, in order, and what it costs. Pure: nothing is read, nothing is fetched."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final

from armillary.errors import BadExtent, BadRequest, NoData
from armillary.model import Extent, Interval, Product, Recipe, Request
from armillary.model.kinds import TIME_KINDS

#: Bytes of one block when work is cut; a few of them are in memory at once.
BLOCK_BYTES: Final = 32 * 2**20
_LONGEST_CHAIN: Final = 16
_VALUE_BYTES: Final = 8
#: Kinds that `Extent.time` means something for.
_TIMED: Final = (*TIME_KINDS, "raster", "events", "samples")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step is estimated to cost; None where nobody knows.

    Parameters
    ----------
    rows : int, optional
        Samples, rows or lines.
    size : int, optional
        Bytes in memory.
    """

    rows: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One product that must be had: fetched by its source, or made by a recipe from earlier steps.

    Parameters
    ----------
    inputs : tuple of (str, int)
        The recipe's argument and the place in the plan of the earlier step that it is given; arguments that are given
        nothing are left out.
    residual : Extent
        What the source cannot select and is cut afterwards.
    """

    product: Product
    request: Request
    recipe: Recipe | None = None
    inputs: tuple[tuple[str, int], ...] = ()
    residual: Extent = Extent()  # noqa: RUF009 - frozen
    cost: Cost = Cost()

    @property
    def key(self) -> str:
        """The key of this step's own request."""
        return self.request.key


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a request in the order in which they can be done; the last one is the answer."""

    request: Request
    steps: tuple[Step, ...]
    blocks: int = 1

    @property
    def answer(self) -> Step:
        """The step that gives what was asked for."""
        return self.steps[-1]

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        steps = [
            {
                "product": step.product.path,
                "does": f"recipe {step.product.recipe}" if step.recipe else f"fetch from {step.product.source}",
                "request": step.request.to_record(),
                "key": step.key,
                "rows": step.cost.rows,
                "bytes": step.cost.size,
                "inputs": [self.steps[place].product.path for _, place in step.inputs],
            }
            for step in self.steps
        ]
        return {"request": self.request.to_record(), "key": self.request.key, "blocks": self.blocks, "steps": steps}


def plan(
    request: Request,
    product_of: Callable[[str], Product],
    recipe_of: Callable[[Product], Recipe],
    block_bytes: int = BLOCK_BYTES,
) -> Plan:
    """Say what a request needs.

    Parameters
    ----------
    request : Request
        The question.
    product_of : callable
        Gives the leaf at a path; raises `UnknownProduct`.
    recipe_of : callable
        Gives the recipe of a derived leaf.
    block_bytes : int
        Work is cut so that no step of a block is larger.

    Raises
    ------
    UnknownProduct, BadParameter, BadExtent, NoData
        If the question cannot be answered, said before anything is done.
    """
    steps: list[Step] = []
    product = product_of(request.product)
    asked = _complete(request, product)
    _add(steps, asked, product, product_of, recipe_of)
    return Plan(asked, tuple(steps), _blocks(steps, block_bytes))


def input_extent(request: Request, recipe: Recipe, product: Product) -> Extent:
    """Give what of an input is needed to make a request: wider by the recipe's pad, without what does not fit it."""
    extent = request.extent
    kept = extent.only("time", "rows") if recipe.block else extent.only("time")
    if recipe.block == "row" and recipe.kind == product.kind == "sources":
        kept = extent.without("where")
    if product.kind not in _TIMED:
        kept = kept.without("time")
    if product.kind in TIME_KINDS:
        kept = kept.without("rows")
    seconds = pad_of(request, recipe)
    if kept.time is None or not seconds:
        return kept
    pad = round(seconds * 1e9)
    return replace(kept, time=Interval(kept.time.start - pad, kept.time.stop + pad))


def pad_of(request: Request, recipe: Recipe) -> float:
    """Give the seconds of context that a recipe needs on both sides for this request."""
    return float(request.params[recipe.pad] or 0) if isinstance(recipe.pad, str) else recipe.pad


def source_paths(made: Plan) -> list[str]:
    """Give the raw products that a plan starts from."""
    return [step.product.path for step in made.steps if step.recipe is None]


def _complete(request: Request, product: Product) -> Request:
    """Fill in the parameters' defaults and the time that there is, so that equal questions are equal."""
    extent, kind = request.extent, product.kind
    if extent.time and kind not in _TIMED:
        raise BadExtent(f"{product.path} is a table of {kind} without time", "leave --start and --stop out")
    if extent.rows and kind in TIME_KINDS:
        raise BadExtent(f"{product.path} is cut by time, not by rows", "give --start and --stop")
    if extent.time and product.coverage and not extent.time & product.coverage:
        raise NoData(f"{product.path} has nothing in {extent.time}", f"it has data from {product.coverage}")
    if extent.time is None and kind in TIME_KINDS and product.coverage:
        extent = replace(extent, time=product.coverage)
    return Request(product.path, extent, product.read_params(dict(request.params)))


def _add(
    steps: list[Step],
    request: Request,
    product: Product,
    product_of: Callable[[str], Product],
    recipe_of: Callable[[Product], Recipe],
    depth: int = 0,
) -> int:
    """Put the step for `product` after all it needs, and give its place."""
    if depth > _LONGEST_CHAIN:
        raise BadRequest(f"{product.path} is made from itself", "mend the inputs of its recipe")
    for place, step in enumerate(steps):
        if step.request == request:
            return place
    recipe = recipe_of(product) if product.recipe else None
    own = replace(request, extent=request.extent.only(*product.selects))
    inputs: tuple[tuple[str, int], ...] = ()
    if recipe:
        needed = {name: product_of(path) for name, path in _wanted(recipe, product, request).items()}
        product = _as_asked(recipe, product, request, needed)
        asked = {
            name: Request(one.path, input_extent(own, recipe, one), one.read_params({})) for name, one in needed.items()
        }
        inputs = tuple(
            (name, _add(steps, asked[name], one, product_of, recipe_of, depth + 1)) for name, one in needed.items()
        )
    steps.append(Step(product, own, recipe, inputs, request.extent.without(*product.selects), _cost(product, request)))
    return len(steps) - 1


def _wanted(recipe: Recipe, product: Product, request: Request) -> dict[str, str]:
    """Give the recipe's arguments that are data, and the path of each: its inputs, and what a parameter chose."""
    chosen = {one.name: str(request.params[one.name]) for one in recipe.parameters if one.type == "product"}
    paths = dict(zip(recipe.inputs, product.inputs, strict=True)) | chosen
    return {name: path for name, path in paths.items() if path}


def _as_asked(recipe: Recipe, product: Product, request: Request, needed: Mapping[str, Product]) -> Product:
    """Give the product as its parameters make it: version of a chosen input, size of a plane, step as cadence."""
    chosen = [one for name, one in needed.items() if name not in recipe.inputs]
    if chosen:
        version = hashlib.sha256("".join([product.version, *(one.version for one in chosen)]).encode()).hexdigest()[:16]
        product = replace(product, version=version, whole=product.whole or any(one.whole for one in chosen))
    if recipe.sizes:
        values = prod(int(request.params[name] or 0) for name in recipe.sizes)
        product = replace(product, row_bytes=max(product.row_bytes, _VALUE_BYTES * values))
    cadence = request.params.get(recipe.cadence)
    return replace(product, cadence=float(cadence)) if isinstance(cadence, int | float) and cadence else product


def _cost(product: Product, request: Request) -> Cost:
    rows = product.rows
    span = request.extent.time
    if span and product.coverage:
        span = span & product.coverage
    if span and product.kind in TIME_KINDS:
        rows = _samples(product, span)
    if request.extent.rows:
        rows = request.extent.rows.stop - request.extent.rows.start
    return Cost(rows, None if rows is None else round(rows * product.row_bytes * _scenes(product, span)))


def _scenes(product: Product, span: Interval | None) -> float:
    """Give the share of a stack of images that lies in the asked time; one image at least."""
    if product.kind != "raster" or span is None or product.coverage is None:
        return 1.0
    whole = product.coverage.seconds
    return min(1.0, max(span.seconds, product.cadence or 0.0) / whole)


def _samples(product: Product, span: Interval) -> int | None:
    if product.cadence:
        return max(1, round(span.seconds / product.cadence))
    if product.rows is None or product.coverage is None:
        return product.rows
    return max(1, round(product.rows * span.seconds / product.coverage.seconds))


def _blocks(steps: list[Step], block_bytes: int) -> int:
    if not _can_be_cut(steps[-1], steps):
        return 1
    largest = max((step.cost.size or 0) for step in steps)
    return max(1, -(-largest // block_bytes))


def _can_be_cut(step: Step, steps: list[Step]) -> bool:
    if step.recipe and not step.recipe.block:
        return False
    if not step.recipe:
        timed = step.product.kind in TIME_KINDS and "time" in step.product.selects and step.request.extent.time
        return bool(timed) or ("rows" in step.product.selects and step.product.rows is not None)
    return all(_can_be_cut(steps[place], steps) for _, place in step.inputs)
