"""What every mission promises, as tests to inherit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from armillary.model import Archive, Data, Mission, Parameter, Product, Request, Scalar, Source, silent
from armillary.model.kinds import check
from armillary.testing.battery import Battery, promise
from armillary.testing.cases import Case, choose, differs, size_of, small_request
from armillary.testing.source_contract import leaf_problem
from armillary.testing.travel import loaded_by

if TYPE_CHECKING:
    from armillary.tree import Recipes

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
#: Rounding may differ between blocks: a running sum starts anew in each.
_TOLERANCE: Final = 1e-5
_BLOCKS: Final = 5


class MissionContract(Battery):
    """Tests for a mission; a subclass says where it is.

    Attributes
    ----------
    door : str
        ``package:NAME`` of the `Mission` value, as in the entry point.
    per_kind : int
        How many products of each kind are made.
    lacks : frozenset of str
        "recipe" if the mission has none, "block" if none may be cut, "knob" if none has parameters, "event class".
    """

    door: ClassVar[str]
    per_kind: ClassVar[int] = 3
    promises: ClassVar[int] = 9
    mission: ClassVar[Mission]
    derived: ClassVar[tuple[Product, ...]] = ()
    cases: ClassVar[tuple[Case, ...]] = ()
    kitchen: ClassVar["Kitchen"]

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[tuple[Archive, ...]]:
        """Give the mission's archives, or others in their place, e.g. on a loopback server."""
        del state
        yield cls.mission.archives

    @classmethod
    @contextmanager
    def prepared(cls, state: Path) -> Iterator[None]:
        """Import the mission, list its archives and derive its products."""
        from armillary.sources.connect import connect
        from armillary.tree import Recipes, derive
        from armillary.tree.derive import generic_products

        module, _, name = cls.door.partition(":")
        cls.mission = getattr(import_module(module), name)
        recipes = Recipes({one.output: one for one in cls.mission.recipes})
        with cls.opened(state) as archives:
            sources = {one.name: connect(one, state) for one in archives}
            raw = [leaf for source in sources.values() for leaf in source.inventory(silent)]
            named = derive(raw, recipes)
            hung = [one for leaf in (*raw, *named) for one in generic_products(leaf, recipes.generic)]
            cls.derived = (*named, *hung)
            cls.cases = tuple(_cases(cls.derived, cls.per_kind))
            cls.kitchen = Kitchen({one.path: one for one in (*raw, *cls.derived)}, sources, recipes, state)
            yield

    @promise()
    def test_it_is_imported_lightly(self) -> int:
        """Import it in a new process: no heavy library comes along."""
        heavy = loaded_by(self.door.partition(":")[0])
        assert not heavy, f"importing {self.door} loads {heavy}: import them inside the functions that use them"
        return 1

    @promise()
    def test_it_comes_through_the_door(self) -> int:
        """Find it among the installed missions, under its own name."""
        from armillary.tree import discover

        found = {one.name: one.mission for one in discover()}
        assert self.mission.name in found, f"no entry point armillary.missions is named {self.mission.name!r}"
        assert found[self.mission.name] == self.mission
        return 1

    @promise()
    def test_it_says_what_to_cite(self) -> int:
        """Name, title, description and citations are there."""
        assert isinstance(self.mission, Mission)
        assert all(text.strip() for text in (self.mission.name, self.mission.title, self.mission.description))
        assert self.mission.citations, "say what to cite in `citations`"
        assert all(one.strip() for one in self.mission.citations)
        return len(self.mission.citations)

    @promise("event class")
    def test_event_classes_are_told_apart(self) -> int:
        """Names differ, titles are there, colours are colours."""
        classes = self.mission.event_classes
        assert len({one.name for one in classes}) == len(classes), "two event classes have one name"
        for one in classes:
            assert one.name.strip(), "an event class has no name"
            assert one.title.strip(), f"event class {one.name!r} has no title"
            assert not one.colour or _COLOUR.fullmatch(one.colour), f"write the colour of {one.name!r} as #rrggbb"
        return len(classes)

    @promise("recipe")
    def test_every_recipe_finds_its_inputs(self) -> int:
        """Derive at least one product from each recipe, without a hole left in its texts."""
        recipes = self.mission.recipes
        assert len({one.output for one in recipes}) == len(recipes), "two recipes make the same product"
        made = {one.recipe for one in self.derived}
        for one in recipes:
            assert one.output in made, f"no leaf fits the inputs {dict(one.inputs)} of recipe {one.output!r}"
        for leaf in self.derived:
            problem = leaf_problem(leaf)
            assert not problem, f"{leaf.path}: {problem}"
            assert "{" not in leaf.path + leaf.title, f"{leaf.path}: a hole of its recipe is not filled"
        return len(self.derived)

    @promise("recipe")
    def test_every_derived_product_keeps_its_kind(self) -> int:
        """Make every recipe's product at least once, and find something in it."""
        for case in self.cases:
            data = check(case.product.kind, self.kitchen.make(case.request), case.product.path)
            assert size_of(data), f"{case.product.path} is empty for {case.request.extent.to_record()}"
        return len(self.cases)

    @promise("block")
    def test_in_blocks_is_the_same_as_at_once(self) -> int:
        """Make what may be cut in about five blocks and in one."""
        cut = [case for case in self.cases if self.kitchen.recipes.of(case.product).block]
        for case in cut:
            blocks, data = self.kitchen.make_in_blocks(case.request)
            assert blocks > 1, f"{case.product.path} was not cut: do its inputs select what it is cut along?"
            found = differs(data, self.kitchen.make(case.request), _TOLERANCE)
            assert not found, f"{case.product.path} in {blocks} blocks is not the same: {found}; does it need `pad`?"
        return len(cut)

    @promise("knob")
    def test_every_knob_can_be_turned(self) -> int:
        """Make each product with every choice and both bounds of every parameter."""
        looked = 0
        for case in self.cases:
            for knob in case.product.parameters:
                for value in _values(knob):
                    data = self.kitchen.make(replace(case.request, params={knob.name: value}))
                    check(case.product.kind, data, f"{case.product.path} with {knob.name}={value}")
                    looked += 1
        return looked

    @promise("recipe")
    def test_the_answer_says_where_it_is_from(self) -> int:
        """Find the request and the lineage among the attributes."""
        from armillary.model.kinds import table_attrs

        for case in self.cases:
            data = self.kitchen.make(case.request)
            attrs = data.attrs if hasattr(data, "isel") else table_attrs(data)
            assert {"armillary_request", "armillary_lineage", "citation"} <= {*attrs}, case.product.path
        return len(self.cases)

    def test_the_contract_is_kept_in_full(self) -> None:
        """Count the tests."""
        self.count()


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What is needed to make derived products, each size of block with a cache of its own.

    Parameters
    ----------
    leaves : mapping of str to Product
        By path.
    sources : mapping of str to Source
        By the name of their archive.
    recipes : Recipes
        Of the mission.
    state : Path
        Folder for the caches.
    """

    leaves: Mapping[str, Product]
    sources: Mapping[str, Source]
    recipes: "Recipes"
    state: Path

    def make(self, request: Request) -> Data:
        """Make it at once."""
        return self._do(request, 2**40)[1]

    def make_in_blocks(self, request: Request) -> tuple[int, Data]:
        """Make it in about five blocks, and say in how many."""
        from armillary.products import plan

        made = plan(request, self.leaves.__getitem__, self.recipes.of)
        largest = max(step.cost.size or 0 for step in made.steps)
        return self._do(request, max(1, largest // _BLOCKS))

    def _do(self, request: Request, block_bytes: int) -> tuple[int, Data]:
        from armillary.cache import Cache
        from armillary.products import Workshop, make, plan

        made = plan(request, self.leaves.__getitem__, self.recipes.of, block_bytes)
        # Else the whole would be the answer to its blocks.
        place = self.state / ("blocks" if made.blocks > 1 else "whole")
        return made.blocks, make(made, Workshop(lambda leaf: self.sources[leaf.source], Cache(place)), silent)


def _cases(derived: Sequence[Product], per_kind: int) -> list[Case]:
    """Choose one product of every recipe at least."""
    first = {leaf.recipe: leaf for leaf in reversed(derived)}
    given = [small_request(leaf) for leaf in first.values()]
    return choose(derived, given, per_kind) if given else []


def _values(knob: Parameter) -> list[Scalar]:
    convert = int if knob.type == "int" else float
    bounds = [convert(edge) for edge in (knob.low, knob.high) if edge is not None]
    both: list[Scalar] = [True, False] if knob.type == "bool" else []
    return [knob.default, *knob.choices, *bounds, *both]
