"""Doing a plan: every step through the cache, block by block with bounded memory."""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

from armillary.cache import Cache
from armillary.errors import ArmillaryError, BrokenPlugin, NoData, SourceDown
from armillary.model import Data, Extent, Interval, Product, Progress, Recipe, Request, Rows, Source, share, silent
from armillary.model.kinds import TABLE_KINDS, TIME_KINDS, check, table_attrs, with_table_attrs
from armillary.products.columns import described
from armillary.products.plan import Plan, Step, input_extent, pad_of
from armillary.science.intervals import gaps, intervals
from armillary.science.join import join, stack_lines
from armillary.science.trim import trim


class MissingPartsWarning(UserWarning):
    """What is served offline has holes."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What making needs beside the plan.

    Parameters
    ----------
    source_of : callable
        Gives the source of a raw product.
    cache : Cache
        Where pieces are kept.
    offline : bool
        Serve what is in the cache only; ask no source, store nothing.
    """

    source_of: Callable[[Product], Source]
    cache: Cache
    offline: bool = False


def make(plan: Plan, workshop: Workshop, progress: Progress = silent) -> Data:
    """Do a plan and give the data, with its lineage in the attributes.

    Raises
    ------
    ArmillaryError
        What a step raised. What earlier blocks brought stays in the cache, so the next try goes on from there.
    """
    pieces = list(blocks(plan, workshop, progress))
    if len(pieces) == 1:
        return pieces[0]
    kind = plan.answer.product.kind
    return join(pieces) if kind in TIME_KINDS or kind in TABLE_KINDS else stack_lines(pieces)


def blocks(plan: Plan, workshop: Workshop, progress: Progress = silent) -> Iterator[Data]:
    """Do a plan and give the data in consecutive blocks: a few blocks are in memory, never all.

    Yields
    ------
    Dataset or Table
        Blocks in order of time, rows or lines; at least one.
    """
    for one in lazy_blocks(plan, workshop, progress):
        yield one()
    progress(1.0, "done")


def lazy_blocks(plan: Plan, workshop: Workshop, progress: Progress = silent) -> list[Callable[[], Data]]:
    """Give the same blocks as calls that make them: what is not called is neither fetched nor made."""
    parts = _parts(plan, workshop, progress)
    shares = [share(progress, number / len(parts), (number + 1) / len(parts)) for number in range(len(parts))]
    return [partial(_block, plan, one, workshop, told) for one, told in zip(parts, shares, strict=True)]


def _block(plan: Plan, request: Request, workshop: Workshop, progress: Progress) -> Data:
    data = _run(plan, len(plan.steps) - 1, request, workshop, progress)
    return _stamp(_cut_rest(data, plan.answer.residual), plan)


def _parts(plan: Plan, workshop: Workshop, progress: Progress) -> list[Request]:
    """Cut the answer's request into requests for its blocks.

    A source that knows how its answers are best cut (an archive that is asked by SQL has no numbered rows) has a method
    ``pages``.
    """
    answer = plan.answer
    if answer.recipe is None:
        pages = getattr(workshop.source_of(answer.product), "pages", None)
        if pages:
            return list(pages(answer.product, answer.request, share(progress, 0.0, 0.0), offline=workshop.offline))
    parts = _cut(answer.request.extent, answer.product, plan.blocks)
    return [replace(answer.request, extent=extent) for extent in parts]


def _cut(extent: Extent, product: Product, number: int) -> list[Extent]:
    """Cut an extent into consecutive parts of about equal size, in time or in rows."""
    if number == 1:
        return [extent]
    if product.kind in TIME_KINDS and extent.time:
        edges = _edges(extent.time.start, extent.time.stop, number)
        return [replace(extent, time=Interval(*pair)) for pair in edges]
    rows = extent.rows or Rows(0, product.rows or 1)
    return [replace(extent, rows=Rows(*pair)) for pair in _edges(rows.start, rows.stop, number)]


def _edges(start: int, stop: int, number: int) -> list[tuple[int, int]]:
    number = min(number, stop - start)
    edges = [start + (stop - start) * place // number for place in range(number + 1)]
    return list(pairwise(edges))


def _run(plan: Plan, place: int, request: Request, workshop: Workshop, progress: Progress) -> Data:
    """Have one step's data for a part of its request: from the cache, its source or its recipe."""
    step = plan.steps[place]
    if workshop.offline:
        return _offline(plan, step, request, workshop, progress)

    def fetch(asked: Request, told: Progress) -> Data:
        return _fetch(plan, step, asked, workshop, told)

    try:
        data = workshop.cache.serve(step.product, request, fetch, progress)
    except SourceDown as down:
        raise _with_holes(down, step.product, request, workshop.cache) from down
    return check(step.product.kind, data, step.product.path)


def _fetch(plan: Plan, step: Step, request: Request, workshop: Workshop, progress: Progress) -> Data:
    progress(0.0, step.product.path)
    if step.recipe is None:
        source = workshop.source_of(step.product)
        with _of_a_stranger(step.product, f"source {step.product.source!r}"):
            data = source.fetch(step.product, request, progress)
    else:
        data = _cook(plan, step, request, workshop, progress)
    return check(step.product.kind, data, step.product.path)


@contextmanager
def _of_a_stranger(product: Product, what: str) -> Iterator[None]:
    """Name the product and what broke, where a source or recipe raises anything but an error of ours."""
    try:
        yield
    except (ArmillaryError, MemoryError):
        raise
    except Exception as broken:
        reason = f"{product.path}: its {what} raised {type(broken).__name__}: {broken}"
        raise BrokenPlugin(reason.rstrip(": "), "report this to who wrote it") from broken


def _cook(plan: Plan, step: Step, request: Request, workshop: Workshop, progress: Progress) -> Data:
    """Make the inputs and call the recipe; what its pad brought is cut off again."""
    recipe = step.recipe
    assert recipe is not None  # noqa: S101 - only derived steps come here
    named = _arguments(recipe, request)
    for number, (argument, place) in enumerate(step.inputs):
        before = plan.steps[place]
        wanted = replace(before.request, extent=input_extent(request, recipe, before.product))
        part = share(progress, number / len(step.inputs), (number + 1) / len(step.inputs))
        named[argument] = _run(plan, place, wanted, workshop, part)
    with _of_a_stranger(step.product, f"recipe {recipe.output!r}"):
        made = described(recipe.function(**named), named.values())
    return trim(made, request.extent.only("time")) if pad_of(request, recipe) and request.extent.time else made


def _arguments(recipe: Recipe, request: Request) -> dict[str, Any]:
    """Give the values of the parameters, and None for all that may be given data."""
    data = {*recipe.inputs, *(one.name for one in recipe.parameters if one.type == "product")}
    return dict(request.params) | dict.fromkeys(data)


def _offline(plan: Plan, step: Step, request: Request, workshop: Workshop, progress: Progress) -> Data:
    """Serve what the cache has. A derived product is made from what it has of the inputs, and never stored."""
    found = workshop.cache.read(step.product, request)
    if found is not None:
        return found
    if step.recipe is not None:
        return check(step.product.kind, _cook(plan, step, request, workshop, progress), step.product.path)
    stored = workshop.cache.stored(step.product, request) if request.extent.time else []
    if not stored:
        raise NoData(f"nothing of {step.product.path} is in the cache", "ask again without --offline")
    holes = _holes(request.extent.time, stored)
    warnings.warn(f"{step.product.path} is incomplete offline: missing {holes}", MissingPartsWarning, stacklevel=2)
    pieces = [
        workshop.cache.read(step.product, replace(request, extent=replace(request.extent, time=span)))
        for span in stored
    ]
    return join([piece for piece in pieces if piece is not None])


def _with_holes(down: SourceDown, product: Product, request: Request, cache: Cache) -> SourceDown:
    """Say which part is missing and which is here, when a source is down."""
    if not request.extent.time:
        return down
    stored = cache.stored(product, request)
    missing = f"{down.problem}; missing of {product.path}: {_holes(request.extent.time, stored)}"
    return SourceDown(
        missing, "try again later, or add --offline for what is in the cache" if stored else down.next_step
    )


def _holes(asked: Interval | None, stored: Sequence[Interval]) -> str:
    if asked is None:
        return "all"
    missing = gaps(intervals([(one.start, one.stop) for one in stored]), asked.start, asked.stop)
    shown = [str(Interval(int(start), int(stop))) for start, stop in missing[:3]]
    return "; ".join(shown) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")


def _cut_rest(data: Data, residual: Extent) -> Data:
    """Cut what the source could not select."""
    if residual.rows:
        rows = slice(residual.rows.start, residual.rows.stop)
        data = data.isel(y=rows) if hasattr(data, "isel") else data.slice(rows.start, rows.stop - rows.start)
    return trim(data, residual.without("rows")) if residual.without("rows") != Extent() else data


def _stamp(data: Data, plan: Plan) -> Data:
    """Write into the attributes what was asked and what it was made from."""
    product = plan.answer.product
    lineage = [
        {
            "product": step.product.path,
            "source": step.product.source,
            "recipe": step.product.recipe,
            "version": step.product.version,
            "request": step.request.to_record(),
            "citation": step.product.citation,
        }
        for step in plan.steps
    ]
    attrs = {
        "title": product.title,
        "source": product.source,
        "citation": product.citation,
        "licence": product.licence,
        "armillary_request": plan.request.to_json(),
        "armillary_lineage": json.dumps(lineage, sort_keys=True),
    }
    if hasattr(data, "isel"):
        return data.assign_attrs({**data.attrs, **attrs})
    return with_table_attrs(data, {**table_attrs(data), **attrs})


def is_empty(data: "Data") -> bool:
    """Say whether there is no sample, row or pixel."""
    if hasattr(data, "isel"):
        return any(size == 0 for dim, size in data.sizes.items() if dim in {"time", "y", "x"})
    return bool(data.num_rows == 0)
