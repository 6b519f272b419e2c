"""Which derived products there are."""

from typing import Any

from armillary.model import Interval, Parameter, Product, recipe
from armillary.tree import Recipes, derive

WINDOW = Parameter(name="window", type="float", default=1.0)


@recipe(
    "toy/{craft}/total", inputs={"b": "toy/{craft}/b"}, title="|B| of {craft}", kind="series", units="nT", block="time"
)
def total(b: Any) -> Any:
    return b


@recipe("toy/{craft}/beta", inputs={"b": "toy/{craft}/total", "n": "toy/{craft}/n"}, title="beta", kind="series",
        parameters=(WINDOW,))  # fmt: skip
def beta(b: Any, n: Any, window: float) -> Any:
    return b


RECIPES = Recipes({one.output: one for one in (total, beta)})


def leaf(path: str, start: int = 0, stop: int = 100, version: str = "1") -> Product:
    return Product(path=path, title=path, kind="series", coverage=Interval(start, stop), version=version, citation="C")


def test_recipes_build_on_recipes_and_need_all_inputs() -> None:
    made = derive([leaf("toy/a/b"), leaf("toy/a/n", 50, 200), leaf("toy/c/b"), leaf("other/b")], RECIPES)
    assert {one.path: one.inputs for one in made} == {
        "toy/a/total": ("toy/a/b",),
        "toy/c/total": ("toy/c/b",),
        "toy/a/beta": ("toy/a/total", "toy/a/n"),
    }
    by_path = {one.path: one for one in made}
    assert by_path["toy/a/beta"].coverage == Interval(50, 100)
    assert by_path["toy/a/beta"].parameters == (WINDOW,)
    assert by_path["toy/a/total"].title == "|B| of a"
    assert by_path["toy/a/total"].citation == "C"


def test_an_optional_input_neither_shortens_nor_lengthens_what_is_made() -> None:
    def mapped(n: Any, b: Any, v: Any) -> Any:
        return n, b, v

    inputs = {name: f"toy/{{craft}}/{name}" for name in "nbv"}
    made = recipe("toy/{craft}/map", inputs=inputs, optional=("b",), title="map", kind="series")(mapped)
    recipes = Recipes({made.output: made})
    for first, last in ((20, 30), (0, 500), (600, 700)):
        (one,) = derive([leaf("toy/a/n", 10, 90), leaf("toy/a/b", first, last), leaf("toy/a/v", 0, 80)], recipes)
        assert one.inputs == ("toy/a/n", "toy/a/b", "toy/a/v")
        assert one.coverage == Interval(10, 80)


def test_new_data_or_new_code_give_a_new_version() -> None:
    (old,) = derive([leaf("toy/a/b")], RECIPES)
    (new,) = derive([leaf("toy/a/b", version="2")], RECIPES)
    assert old.version != new.version

    def changed(b: Any) -> Any:
        return b + 1

    other = recipe("toy/{craft}/total", inputs={"b": "toy/{craft}/b"}, title="|B| of {craft}", kind="series")(changed)
    (changed_code,) = derive([leaf("toy/a/b")], Recipes({other.output: other}))
    assert changed_code.version != old.version
    assert Recipes({other.output: other}).stamp() != RECIPES.stamp()
