"""Which derived products the recipes of the missions make from the leaves that there are."""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from armillary.model import Interval, Product, Recipe
from armillary.model.recipe import fill

#: Recipes may build on recipes; a longer chain than this is a circle.
_LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Recipes:
    """The recipes of all missions, by the path template of what they make."""

    by_output: Mapping[str, Recipe] = field(default_factory=dict)

    def of(self, product: Product) -> Recipe:
        """Give the recipe of a derived product."""
        return self.by_output[product.recipe]

    def stamp(self) -> str:
        """Give a text that changes when a recipe changes."""
        versions = [version_of(recipe) for recipe in self.by_output.values()]
        return hashlib.sha256("".join(versions).encode()).hexdigest()[:16]


def derive(leaves: Sequence[Product], recipes: Recipes) -> list[Product]:
    """List the derived products that these leaves allow, those of chained recipes included.

    O(leaves x recipes) look-ups for each link of the longest chain.
    """
    known = {leaf.path: leaf for leaf in leaves}
    fresh = list(leaves)
    derived: list[Product] = []
    for _ in range(_LONGEST_CHAIN):
        fresh = [
            product
            for recipe in recipes.by_output.values()
            for leaf in fresh
            if (product := _derived(recipe, leaf, known)) is not None and product.path not in known
        ]
        if not fresh:
            break
        known |= {product.path: product for product in fresh}
        derived += fresh
    return derived


def version_of(recipe: Recipe) -> str:
    """Give a text that changes when the recipe's declaration or code changes."""
    try:
        source = inspect.getsource(recipe.function)
    except (OSError, TypeError):
        source = recipe.function.__qualname__
    declared = (recipe.output, sorted(recipe.inputs.items()), recipe.kind, recipe.units, repr(recipe.parameters))
    return hashlib.sha256(f"{declared}{source}".encode()).hexdigest()[:16]


def _derived(recipe: Recipe, leaf: Product, known: Mapping[str, Product]) -> Product | None:
    holes = recipe.match(leaf.path)
    if holes is None:
        return None
    paths = [fill(template, holes) for template in recipe.inputs.values()]
    if not all(path in known for path in paths):
        return None
    inputs = [known[path] for path in paths]
    version = hashlib.sha256("".join([version_of(recipe), *(one.version for one in inputs)]).encode()).hexdigest()
    return Product(
        path=fill(recipe.output, holes),
        title=fill(recipe.title, holes),
        kind=recipe.kind,
        units=recipe.units,
        coverage=_shared([one.coverage for one in inputs if one.coverage]),
        source=leaf.source,
        version=version[:16],
        recipe=recipe.output,
        inputs=tuple(paths),
        parameters=recipe.parameters,
        selects=("time", "rows") if recipe.block else ("time",),
        cadence=leaf.cadence,
        row_bytes=leaf.row_bytes,
        rows=leaf.rows,
        keep=any(one.keep for one in inputs),
        description=fill(recipe.description, holes),
        citation="; ".join(dict.fromkeys(filter(None, [recipe.citation, *(one.citation for one in inputs)]))),
        licence="; ".join(dict.fromkeys(filter(None, (one.licence for one in inputs)))),
    )


def _shared(spans: Sequence[Interval]) -> Interval | None:
    """Give the time that all have in common; without one, that of the first, so that asking says there is nothing."""
    if not spans:
        return None
    start, stop = max(one.start for one in spans), min(one.stop for one in spans)
    return Interval(start, stop) if start < stop else spans[0]
