"""Which derived products the recipes of the missions make from the leaves that there are."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from armillary.model import Interval, Product, Recipe
from armillary.model.recipe import canonical, fill
from armillary.tree.versions import version_of

#: Recipes may build on recipes; a longer chain than this is a circle.
_LONGEST_CHAIN: Final = 8
_ANYWHERE: Final = "**/"


@dataclass(frozen=True, slots=True)
class Recipes:
    """The recipes of all missions, by the path template of what they make."""

    by_output: Mapping[str, Recipe] = field(default_factory=dict)

    def of(self, product: Product) -> Recipe:
        """Give the recipe of a derived product."""
        return self.by_output[product.recipe]

    def stamp(self) -> str:
        """Give a text that changes when a recipe that names its inputs by path changes."""
        versions = [version_of(recipe) for recipe in self.by_output.values() if not recipe.generic]
        return hashlib.sha256("".join(versions).encode()).hexdigest()[:16]

    @property
    def generic(self) -> tuple[Recipe, ...]:
        """The recipes that fit leaves by kind, shape, units and axes."""
        return tuple(recipe for recipe in self.by_output.values() if recipe.generic)


def derive(leaves: Sequence[Product], recipes: Recipes) -> list[Product]:
    """List the derived products that these leaves allow, those of chained recipes included, generic ones not.

    O(leaves x recipes) look-ups for each link of the longest chain.
    """
    known = _Known(leaves)
    fresh: Sequence[Product] = leaves
    derived: list[Product] = []
    waiting: list[_Candidate] = []
    named = [recipe for recipe in recipes.by_output.values() if not recipe.generic]
    for _ in range(2 * _LONGEST_CHAIN):
        waiting += [one for recipe in named for one in _candidates(recipe, fresh)]
        found, waiting = _settle(waiting, known, patient=True)
        if not found:  # no optional input can come any more
            found, waiting = _settle(waiting, known, patient=False)
        fresh = list(found.values())
        if not fresh:
            break
        known.add(fresh)
        derived += fresh
    return derived


def generic_products(leaf: Product, recipes: Iterable[Recipe]) -> list[Product]:
    """List what generic recipes make of one leaf; each hangs directly under it.

    They are found when somebody looks, not listed: 70,000 leaves have a million of them, and those have their own.
    """
    return [_generic(recipe, leaf) for recipe in recipes if recipe.generic and recipe.generic.match(leaf)]


def has_generic(leaf: Product, recipes: Iterable[Recipe]) -> bool:
    """Say whether a generic recipe makes something of a leaf."""
    return any(recipe.generic.match(leaf) for recipe in recipes if recipe.generic)


class _Known:
    """Leaves that inputs are looked up in: by path, and by the end of it in any spelling."""

    def __init__(self, leaves: Iterable[Product]) -> None:
        self.by_path: dict[str, Product] = {}
        self._by_name: dict[str, list[tuple[str, Product]]] = defaultdict(list)
        self.add(leaves)

    def add(self, leaves: Iterable[Product]) -> None:
        for leaf in leaves:
            self.by_path[leaf.path] = leaf
            spelled = canonical(leaf.path)
            self._by_name[spelled.rpartition("/")[2]].append((spelled, leaf))

    def find(self, template: str, holes: Mapping[str, str]) -> Product | None:
        if not template.startswith(_ANYWHERE):
            return self.by_path.get(fill(template, holes))
        end = canonical(fill(template.removeprefix(_ANYWHERE), holes))
        near = self._by_name.get(end.rpartition("/")[2], ())
        return next((leaf for path, leaf in near if path == end or path.endswith(f"/{end}")), None)


class _Candidate(NamedTuple):
    """A leaf that fits the first input of a recipe."""

    recipe: Recipe
    leaf: Product
    holes: dict[str, str]


def _candidates(recipe: Recipe, fresh: Sequence[Product]) -> Iterator[_Candidate]:
    template = next(iter(recipe.inputs.values()))
    name = max(_fixed(str(template).rpartition("/")[2]), key=len)
    for leaf in fresh:
        # most leaves are told apart by a word of the name, which is far cheaper than an expression
        holes = recipe.match(leaf.path) if name in leaf.path.lower() else None
        if holes is not None:
            yield _Candidate(recipe, leaf, holes)


def _settle(
    waiting: Sequence[_Candidate], known: _Known, *, patient: bool
) -> tuple[dict[str, Product], list[_Candidate]]:
    """Make the products that have their inputs, the optional ones too if `patient`; and give who still waits."""
    found: dict[str, Product] = {}
    still = []
    for one in waiting:
        made = _derived(one.recipe, one.leaf, one.holes, known)
        if made is None or (patient and "" in made.inputs):
            still.append(one)
        elif made.path not in known.by_path:
            found.setdefault(made.path, made)
    return found, still


def _fixed(text: str) -> list[str]:
    """Give what stands between the holes of a template, in small letters."""
    return [part.partition("}")[2] if "}" in part else part for part in text.lower().split("{")]


def _derived(recipe: Recipe, leaf: Product, holes: Mapping[str, str], known: _Known) -> Product | None:
    inputs = {next(iter(recipe.inputs)): leaf}
    for argument, template in list(recipe.inputs.items())[1:]:
        found = known.find(str(template), holes)
        if found is None and argument not in recipe.optional:
            return None
        inputs[argument] = found or _ABSENT
    there = [one for one in inputs.values() if one is not _ABSENT]
    made = _product(recipe, there, fill(recipe.output, holes), fill(recipe.title, holes), recipe.units)
    return replace(
        made,
        inputs=tuple(one.path for one in inputs.values()),
        description=fill(recipe.description, holes),
        # what an optional input has nothing of is made all the same
        coverage=_shared([one for argument, one in inputs.items() if argument not in recipe.optional]),
    )


def _generic(recipe: Recipe, leaf: Product) -> Product:
    holes = {"input": leaf.path, "title": leaf.title, "name": leaf.path.rpartition("/")[2], "units": leaf.units}
    output, title, units = (fill(text, holes) for text in (recipe.output, recipe.title, recipe.units))
    keeps = _keeps(recipe, leaf)
    shape = leaf.shape if recipe.shape is None and keeps else recipe.shape
    axes = leaf.axes if not recipe.axes and keeps else recipe.axes
    columns = leaf.columns if keeps else ()
    made = _product(recipe, [leaf], output, title, units)
    return replace(made, inputs=(leaf.path,), shape=shape, axes=axes, columns=columns)


def _keeps(recipe: Recipe, leaf: Product) -> bool:
    """Say whether a recipe gives again what it is given: a filtered vector is a vector."""
    return recipe.kind == leaf.kind and recipe.units == "{units}"


def _product(recipe: Recipe, inputs: Sequence[Product], path: str, title: str, units: str) -> Product:
    first = inputs[0]
    version = hashlib.sha256("".join([version_of(recipe), *(one.version for one in inputs)]).encode()).hexdigest()
    steps = next((one.default for one in recipe.parameters if one.name == recipe.cadence), None)
    return Product(
        path=path,
        title=title,
        kind=recipe.kind,
        units=units,
        coverage=_shared(inputs),
        source=first.source,
        version=version[:16],
        recipe=recipe.output,
        parameters=recipe.parameters,
        selects=_selects(recipe, first),
        cadence=float(steps) if isinstance(steps, int | float) else first.cadence,
        row_bytes=first.row_bytes,
        rows=None if recipe.cadence else first.rows,
        shape=recipe.shape,
        axes=recipe.axes,
        whole=not recipe.block or any(one.whole for one in inputs),
        keep=any(one.keep for one in inputs),
        description=recipe.description,
        citation="; ".join(dict.fromkeys(filter(None, [recipe.citation, *(one.citation for one in inputs)]))),
        licence="; ".join(dict.fromkeys(filter(None, (one.licence for one in inputs)))),
    )


def _selects(recipe: Recipe, first: Product) -> tuple[str, ...]:
    """Say what may be cut before the recipe: a row of sources stays where it is on the sky."""
    if recipe.block != "row":
        return ("time", "rows") if recipe.block else ("time",)
    stays = ("rows", "box", "cone") if recipe.kind == first.kind == "sources" else ("rows",)
    return ("time", *(part for part in stays if part in first.selects))


#: Stands for an optional input that is not there; its path is empty.
_ABSENT: Final = Product(path="", title="", kind="")


def _shared(inputs: Sequence[Product]) -> Interval | None:
    """Give the time that all have in common; without one, that of the first, so that asking says there is nothing."""
    spans = [one.coverage for one in inputs if one.coverage]
    if not spans:
        return None
    start, stop = max(one.start for one in spans), min(one.stop for one in spans)
    return Interval(start, stop) if start < stop else spans[0]
